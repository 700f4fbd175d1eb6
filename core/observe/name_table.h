/* name_table.h: the names that something is counted by, each with its place in a list. One thread. */
#ifndef TIDEWIRE_NAME_TABLE_H
#define TIDEWIRE_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { NAME_TABLE_MAX = 500, NAME_TABLE_PLACES = 2 * NAME_TABLE_MAX };

/* All zero: empty. */
struct name_table {
    char *names[NAME_TABLE_MAX]; /* owned, in the order they came */
    size_t count;
    uint16_t places[NAME_TABLE_PLACES]; /* by the hash of a name, where it stands in names, from 1; 0: free. A full place: the
                                           next one */
};

/* The place of a name, which may be a new one. Names come from rule files, so they are few; one past the bound has the last. */
size_t name_table_need(struct name_table *table, struct slice name);
void name_table_deinit(struct name_table *table);

#endif
