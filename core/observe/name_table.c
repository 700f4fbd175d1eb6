#include "observe/name_table.h"

#include "base/fnv.h"
#include "base/mem.h"

/* The place of a name, or the free one that it would get. */
static uint16_t *place_of(struct name_table *table, struct slice name)
{
    size_t at = fnv(FNV_START, name.data, name.len) % NAME_TABLE_PLACES;
    while (table->places[at] && !slice_is(name, table->names[table->places[at] - 1]))
        at = (at + 1) % NAME_TABLE_PLACES;
    return &table->places[at];
}

size_t name_table_need(struct name_table *table, struct slice name)
{
    uint16_t *place = place_of(table, name);
    if (*place)
        return *place - 1u;
    if (table->count == NAME_TABLE_MAX)
        return NAME_TABLE_MAX - 1;
    table->names[table->count++] = mem_text(name);
    *place = (uint16_t)table->count;
    return table->count - 1;
}

void name_table_deinit(struct name_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        mem_free(table->names[i]);
    *table = (struct name_table){ 0 };
}
