/* record_task.c: tasks and batches: a route that no request reaches (model/generation.h), and when a task runs. From the records
 * of lua/tidewire/loader/task.lua and batch.lua. */
#include <lauxlib.h>

#include "script/record.h"

static struct route inner_route(const struct record *record, enum route_kind kind)
{
    return (struct route){ .kind = kind,
                           .path = record_text(record, "path"),
                           .file = record_text(record, "file"),
                           .line = (uint32_t)record_number(record, "line"),
                           .enabled = true,
                           .keep = true,
                           .retry = record_retry(record),
                           .limits = record_limits(record, &record->generation->limits) };
}

/* The loader has checked both. */
static void read_cron(const struct record *record, struct task *task)
{
    char why[CRON_WHY_SIZE];
    struct slice text = record_text(record, "cron"), zone = record_text(record, "zone");
    if (!text.data)
        return;
    if (cron_parse(text, &task->cron, why) != OK)
        luaL_error(record->L, "cron: %s", why);
    if (zone_load(zone.data, &record->generation->arena, &task->zone) != OK)
        luaL_error(record->L, "the zone %s cannot be read", zone.data);
}

void record_read_task(const struct record *record, struct task *task)
{
    task->route = inner_route(record, ROUTE_TASK);
    task->schedule = record_text(record, "schedule");
    task->every_ms = (uint64_t)record_number(record, "every");
    read_cron(record, task);
}

void record_read_batch(const struct record *record, struct route *batch)
{
    *batch = inner_route(record, ROUTE_BATCH);
}
