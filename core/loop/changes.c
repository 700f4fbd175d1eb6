#include "loop/changes.h"

#include <stddef.h>
#include <stdio.h>

enum kind { DURATION, SIZE, COUNT, NUMBER, FLAG, TEXT, BYTES };

/* One option whose old and new value can be said; BYTES: only that it is another. */
struct option {
    const char *name;
    enum kind kind;
    size_t offset;
};

#define OF_TARGET(field) offsetof(struct target, field)
#define OF_ROUTE(field)  offsetof(struct route, field)

static const struct option target_options[] = {
    { "url", BYTES, OF_TARGET(url) },
    { "method", TEXT, OF_TARGET(method) },
    { "timeout", DURATION, OF_TARGET(timeout_ms) },
    { "connect_timeout", DURATION, OF_TARGET(connect_timeout_ms) },
    { "concurrency", COUNT, OF_TARGET(concurrency) },
    { "rate per second", NUMBER, OF_TARGET(rate_per_s) },
    { "private", FLAG, OF_TARGET(allow_private) },
    { "redirects", COUNT, OF_TARGET(redirects) },
    { "max_response", SIZE, OF_TARGET(max_response_bytes) },
    { "retry.attempts", COUNT, OF_TARGET(retry.attempts) },
    { "retry.first", DURATION, OF_TARGET(retry.first_ms) },
    { "retry.factor", NUMBER, OF_TARGET(retry.factor) },
    { "retry.max", DURATION, OF_TARGET(retry.max_ms) },
    { "retry.within", DURATION, OF_TARGET(retry.within_ms) },
    { NULL, 0, 0 },
};

static const struct option route_options[] = {
    { "enabled", FLAG, OF_ROUTE(enabled) },
    { "methods", TEXT, OF_ROUTE(allow) },
    { "max_body", SIZE, OF_ROUTE(max_body_bytes) },
    { "verify", TEXT, OF_ROUTE(verify.name) },
    { "max_age", DURATION, OF_ROUTE(verify.max_age_ms) },
    { "dedupe", TEXT, OF_ROUTE(dedupe_path) },
    { "order_by", TEXT, OF_ROUTE(order_path) },
    { "host", TEXT, OF_ROUTE(host) },
    { "schema", BYTES, OF_ROUTE(schema_text) },
    { "ack_within", DURATION, OF_ROUTE(ack_within_ms) },
    { "keep", DURATION, OF_ROUTE(keep_ms) },
    { "retry.attempts", COUNT, OF_ROUTE(retry.attempts) },
    { "retry.first", DURATION, OF_ROUTE(retry.first_ms) },
    { "retry.max", DURATION, OF_ROUTE(retry.max_ms) },
    { "limits.handler_cpu", DURATION, OF_ROUTE(limits.handler_cpu_ms) },
    { "limits.handler_time", DURATION, OF_ROUTE(limits.handler_time_ms) },
    { "limits.handler_memory", SIZE, OF_ROUTE(limits.handler_memory) },
    { NULL, 0, 0 },
};

static const struct option limit_options[] = {
    { "handler_cpu", DURATION, offsetof(struct generation, limits.handler_cpu_ms) },
    { "handler_time", DURATION, offsetof(struct generation, limits.handler_time_ms) },
    { "handler_memory", SIZE, offsetof(struct generation, limits.handler_memory) },
    { "state_memory", SIZE, offsetof(struct generation, limits.state_memory) },
    { NULL, 0, 0 },
};

static void write_unit(struct buf *out, uint64_t value, const uint64_t *sizes, const char *const *units)
{
    size_t unit = 0;
    while (sizes[unit] > 1 && (value == 0 || value % sizes[unit] != 0))
        unit++;
    buf_addf(out, "%llu%s", (unsigned long long)(value / sizes[unit]), units[unit]);
}

static void write_value(struct buf *out, enum kind kind, const void *place)
{
    static const uint64_t times[] = { 86400000, 3600000, 60000, 1000, 1 }, sizes[] = { 1 << 20, 1 << 10, 1 };
    static const char *const time_units[] = { "d", "h", "m", "s", "ms" }, *const size_units[] = { "MiB", "KiB", "B" };
    switch (kind) {
    case DURATION:
        write_unit(out, *(const uint64_t *)place, times, time_units);
        break;
    case SIZE:
        write_unit(out, *(const uint64_t *)place, sizes, size_units);
        break;
    case COUNT:
        buf_addf(out, "%u", *(const uint32_t *)place);
        break;
    case NUMBER:
        buf_addf(out, "%g", *(const double *)place);
        break;
    case FLAG:
        buf_add_text(out, *(const bool *)place ? "true" : "false");
        break;
    case TEXT:
    case BYTES:
        buf_add_slice(out, *(const struct slice *)place);
        break;
    }
}

static bool is_same(enum kind kind, const void *before, const void *after)
{
    switch (kind) {
    case DURATION:
    case SIZE:
        return *(const uint64_t *)before == *(const uint64_t *)after;
    case COUNT:
        return *(const uint32_t *)before == *(const uint32_t *)after;
    case NUMBER:
        return *(const double *)before == *(const double *)after;
    case FLAG:
        return *(const bool *)before == *(const bool *)after;
    case TEXT:
    case BYTES:
        return slice_eq(*(const struct slice *)before, *(const struct slice *)after);
    }
    return true;
}

/* false: all options are the same, and nothing was written. */
static bool write_options(const struct option *options, const void *before, const void *after, const char *what,
                          struct slice name, struct buf *out)
{
    bool any = false;
    for (; options->name; options++) {
        const void *old = (const char *)before + options->offset, *now = (const char *)after + options->offset;
        if (is_same(options->kind, old, now))
            continue;
        if (any)
            buf_add_byte(out, ',');
        else
            buf_addf(out, "    ~ %s %.*s:", what, SLICE_ARGS(name));
        any = true;
        buf_addf(out, " %s", options->name);
        if (options->kind == BYTES)
            continue;
        buf_add_byte(out, ' ');
        write_value(out, options->kind, old);
        buf_add_text(out, " → ");
        write_value(out, options->kind, now);
    }
    return any;
}

static const char *plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}

static uint32_t waiting_messages(const struct store_read_backlog *backlog, struct slice target)
{
    for (size_t i = 0; i < backlog->target_count; i++)
        if (slice_eq(backlog->targets[i].name, target))
            return backlog->targets[i].waiting;
    return 0;
}

static const struct backlog_row *row_of(const struct store_read_backlog *backlog, struct slice route)
{
    for (size_t i = 0; i < backlog->count; i++)
        if (slice_eq(backlog->rows[i].route, route))
            return &backlog->rows[i];
    return NULL;
}

static void write_targets(const struct generation *before, const struct generation *after,
                          const struct store_read_backlog *backlog, struct buf *out)
{
    for (size_t i = 0; i < after->target_count; i++) {
        const struct target *now = &after->targets[i], *old = generation_target(before, now->name);
        if (!old)
            buf_addf(out, "    + target %.*s", SLICE_ARGS(now->name));
        else
            (void)write_options(target_options, old, now, "target", now->name, out);
    }
    for (size_t i = 0; i < before->target_count; i++) {
        struct slice name = before->targets[i].name;
        if (generation_target(after, name))
            continue;
        uint32_t waiting = waiting_messages(backlog, name);
        if (waiting)
            buf_addf(out, "    - target %.*s (%u message%s wait%s for it until it returns)", SLICE_ARGS(name), waiting,
                     plural(waiting), waiting == 1 ? "s" : "");
        else
            buf_addf(out, "    - target %.*s", SLICE_ARGS(name));
    }
}

size_t changes_gone(const struct generation *before, const struct generation *after, struct backlog_target *out, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < before->target_count && count < room; i++)
        if (!generation_target(after, before->targets[i].name))
            out[count++] = (struct backlog_target){ .name = before->targets[i].name };
    return count;
}

static const struct rule_file *file_of(const struct generation *generation, struct slice name)
{
    for (size_t i = 0; i < generation->file_count; i++)
        if (slice_eq(generation->files[i].name, name))
            return &generation->files[i];
    return NULL;
}

static bool is_changed_file(const struct generation *before, const struct rule_file *file)
{
    const struct rule_file *old = file_of(before, file->name);
    return old && !slice_eq(old->text, file->text);
}

static void write_gone_route(const struct store_read_backlog *backlog, struct slice route, struct buf *out)
{
    const struct backlog_row *row = row_of(backlog, route);
    buf_addf(out, "    - route %.*s (answers 404 now", SLICE_ARGS(route));
    if (row && row->waiting)
        buf_addf(out, "; %u event%s wait%s for it until it returns", row->waiting, plural(row->waiting),
                 row->waiting == 1 ? "s" : "");
    buf_add_byte(out, ')');
}

static void write_routes(const struct generation *before, const struct generation *after,
                         const struct store_read_backlog *backlog, struct buf *out)
{
    size_t unchanged = 0;
    for (size_t i = 0; i < after->route_count; i++) {
        const struct route *now = &after->routes[i], *old = generation_route(before, now->path);
        const struct rule_file *file = file_of(after, now->file);
        if (!old)
            buf_addf(out, "    + route %.*s", SLICE_ARGS(now->path));
        else if (!write_options(route_options, old, now, "route", now->path, out) && file && !is_changed_file(before, file))
            unchanged++;
    }
    for (size_t i = 0; i < before->route_count; i++)
        if (!generation_route(after, before->routes[i].path))
            write_gone_route(backlog, before->routes[i].path, out);
    for (size_t i = 0; i < after->file_count; i++) /* a handler that is another shows as its file */
        if (is_changed_file(before, &after->files[i]))
            buf_addf(out, "    ~ %.*s", SLICE_ARGS(after->files[i].name));
    if (unchanged)
        buf_addf(out, "    %zu other route%s unchanged", unchanged, unchanged == 1 ? "" : "s");
}

/* "task:nudge", "batch:signups" */
static void write_inner_routes(const struct generation *before, const struct generation *after,
                               const struct store_read_backlog *backlog, struct buf *out)
{
    const struct route *route;
    for (size_t i = 0; (route = generation_inner_route(after, i)); i++)
        if (!generation_route(before, route->path))
            buf_addf(out, "    + %.*s", SLICE_ARGS(route->path));
    for (size_t i = 0; (route = generation_inner_route(before, i)); i++) {
        const struct backlog_row *row = row_of(backlog, route->path);
        if (generation_route(after, route->path))
            continue;
        buf_addf(out, "    - %.*s", SLICE_ARGS(route->path));
        if (row && row->waiting)
            buf_addf(out, " (%u run%s wait%s for it until it returns)", row->waiting, plural(row->waiting),
                     row->waiting == 1 ? "s" : "");
    }
}

static void write_limits(const struct generation *before, const struct generation *after, struct buf *out)
{
    (void)write_options(limit_options, before, after, "limits", SLICE("of all routes"), out);
}

void changes_write(const struct generation *before, const struct generation *after, const struct store_read_backlog *backlog,
                   struct buf *out)
{
    write_limits(before, after, out);
    write_targets(before, after, backlog, out);
    write_routes(before, after, backlog, out);
    write_inner_routes(before, after, backlog, out);
}

/* Is what the route is made of another now? Files below lib/ may be part of any. */
static bool is_mended(const struct generation *before, const struct generation *after, const struct route *route)
{
    const struct rule_file *own = file_of(after, route->file);
    if (own && (!file_of(before, own->name) || is_changed_file(before, own)))
        return true;
    for (size_t i = 0; i < after->file_count; i++)
        if (after->files[i].module.len > 0 && is_changed_file(before, &after->files[i]))
            return true;
    return false;
}

static void offer(const struct backlog_row *row, struct buf *out)
{
    buf_addf(out, "         %.*s:", SLICE_ARGS(row->route));
    if (row->dead)
        buf_addf(out, " %u dead event%s", row->dead, plural(row->dead));
    if (row->failed)
        buf_addf(out, "%s %u waiting event%s that failed", row->dead ? "," : "", row->failed, plural(row->failed));
    buf_addf(out, "; run %s by these rules: tidewire replay --route %.*s --state %s\n",
             row->dead + row->failed == 1 ? "it" : "them", SLICE_ARGS(row->route), row->dead ? "dead" : "waiting");
}

void changes_offer(const struct generation *before, const struct generation *after, const struct store_read_backlog *backlog,
                   struct buf *out)
{
    for (size_t i = 0; i < backlog->count; i++) {
        const struct backlog_row *row = &backlog->rows[i];
        const struct route *route = generation_route(after, row->route);
        if (route && (row->dead || row->failed) && is_mended(before, after, route))
            offer(row, out);
    }
}
