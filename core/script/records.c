/* records.c: the lists of records that the loader has made: read one by one (record.h), sorted and indexed. */
#include "script/records.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "ingest/router.h"
#include "script/record.h"

static int by_order(const void *a, const void *b)
{
    return router_order(((const struct route *)a)->path, ((const struct route *)b)->path);
}

static void read_routes(const struct record *record)
{
    size_t count;
    if (!record_enter_list(record, "routes", &count))
        return;
    struct route *routes = record_take(record, count * sizeof(*routes));
    record->generation->routes = routes; /* at once: what they own is freed with them */
    record->generation->route_count = count;
    for (size_t i = 0; i < count; i++) {
        record_enter_item(record, i);
        record_read_route(record, &routes[i]);
        record_leave(record);
    }
    qsort(routes, count, sizeof(*routes), by_order);
    for (size_t i = 0; i < count; i++)
        routes[i].index = (uint32_t)i;
    record_leave(record);
}

static void read_tasks(const struct record *record)
{
    size_t count;
    if (!record_enter_list(record, "tasks", &count))
        return;
    struct task *tasks = record_take(record, count * sizeof(*tasks));
    for (size_t i = 0; i < count; i++) {
        record_enter_item(record, i);
        record_read_task(record, &tasks[i]);
        record_leave(record);
    }
    record->generation->tasks = tasks;
    record->generation->task_count = count;
    record_leave(record);
}

static void read_batches(const struct record *record)
{
    size_t count;
    if (!record_enter_list(record, "batches", &count))
        return;
    struct route *batches = record_take(record, count * sizeof(*batches));
    for (size_t i = 0; i < count; i++) {
        record_enter_item(record, i);
        record_read_batch(record, &batches[i]);
        record_leave(record);
    }
    record->generation->batches = batches;
    record->generation->batch_count = count;
    record_leave(record);
}

static void read_targets(const struct record *record)
{
    size_t count;
    if (!record_enter_list(record, "targets", &count))
        return;
    struct target *targets = record_take(record, count * sizeof(*targets));
    record->generation->targets = targets; /* at once: what they own is freed with them */
    record->generation->target_count = count;
    for (size_t i = 0; i < count; i++) {
        record_enter_item(record, i);
        record_read_target(record, &targets[i]);
        targets[i].index = (uint32_t)i;
        record_leave(record);
    }
    record_leave(record);
}

void records_read(lua_State *L, int index, struct generation *generation)
{
    struct record record = { L, generation };
    lua_checkstack(L, 20);
    lua_pushvalue(L, index);
    generation->settings = record_pairs(&record, "settings", &generation->setting_count, false);
    generation->limits = record_limits(&record, &LIMITS_DEFAULT);
    generation->trusted_proxies = record_ranges(&record, "trusted_proxies", &generation->trusted_proxy_count);
    read_routes(&record);
    read_tasks(&record);
    read_batches(&record);
    read_targets(&record);
    if (generation_index(generation) != OK)
        luaL_error(L, "not enough memory");
    lua_pop(L, 1);
}
