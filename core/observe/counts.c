#include "observe/counts.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "observe/inside.h"

enum { FOLD_MS = 60000 };

static const char *const names[REFUSAL_KINDS] = {
    "no_route",         "method",  "address", "rate",       "size",     "signature", "stale",
    "certificate_away", "content", "schema",  "store_full", "draining", "no_secret", "http",
};

const char *refusal_name(enum refusal reason)
{
    return names[reason];
}

struct counts *counts_new(void)
{
    return MEM_NEW(struct counts);
}

void counts_free(struct counts *counts)
{
    if (!counts)
        return;
    for (size_t i = 0; i < counts->count; i++) {
        mem_free(counts->routes[i]->last);
        mem_free(counts->routes[i]);
    }
    name_table_deinit(&counts->names);
    target_counts_deinit(&counts->targets);
    rule_metrics_free(counts->of_rules);
    mem_free(counts);
}

static struct route_counts *find(struct counts *counts, struct slice route)
{
    size_t at = name_table_need(&counts->names, route);
    if (!counts->routes[at]) {
        counts->routes[at] = MEM_NEW(struct route_counts);
        counts->routes[at]->route = counts->names.names[at];
        counts->count++;
    }
    return counts->routes[at];
}

static void copy_text(char *to, size_t room, struct slice from)
{
    size_t len = from.len < room ? from.len : room - 1;
    if (len)
        memcpy(to, from.data, len);
    to[len] = '\0';
}

static void keep_last(struct route_counts *route, enum refusal reason, uint16_t status, struct slice remote_ip,
                      struct slice detail, uint64_t now_ms)
{
    if (!route->last)
        route->last = mem_new(REFUSALS_KEPT * sizeof(*route->last));
    struct refused *kept = &route->last[route->last_count++ % REFUSALS_KEPT];
    kept->at_ms = now_ms;
    kept->reason = reason;
    kept->status = status;
    copy_text(kept->remote_ip, sizeof(kept->remote_ip), remote_ip);
    copy_text(kept->detail, sizeof(kept->detail), detail);
}

static void log_refused(struct route_counts *route, enum refusal reason, uint16_t status, struct slice remote_ip,
                        struct slice detail)
{
    LOG(LOG_WARN, "refused", LOG_T("route", route->route), LOG_T("reason", names[reason]), LOG_I("status", status),
        LOG_S("remote_ip", remote_ip), LOG_S("detail", detail), LOG_I("repeated", route->folded[reason]));
    route->folded[reason] = 0;
}

void counts_refused(struct counts *counts, struct slice route_path, enum refusal reason, uint16_t status, struct slice remote_ip,
                    struct slice detail, uint64_t now_ms)
{
    struct route_counts *route = find(counts, route_path);
    route->refused[reason]++;
    keep_last(route, reason, status, remote_ip, detail, now_ms);
    if (route->logged_ms[reason] && now_ms < route->logged_ms[reason] + FOLD_MS) {
        route->folded[reason]++;
        return;
    }
    log_refused(route, reason, status, remote_ip, detail);
    route->logged_ms[reason] = now_ms;
}

void counts_flush(struct counts *counts, uint64_t now_ms)
{
    for (size_t i = 0; i < counts->count; i++) {
        struct route_counts *route = counts->routes[i];
        for (int reason = 0; reason < REFUSAL_KINDS; reason++) {
            if (route->folded[reason] == 0 || now_ms < route->logged_ms[reason] + FOLD_MS)
                continue;
            log_refused(route, (enum refusal)reason, 0, SLICE(""), SLICE(""));
            route->logged_ms[reason] = now_ms;
        }
    }
}

void counts_ignored(struct counts *counts, struct slice route)
{
    find(counts, route)->ignored++;
}

void counts_duplicate(struct counts *counts, struct slice route)
{
    find(counts, route)->duplicates++;
}

void counts_handshake(struct counts *counts, struct slice route)
{
    find(counts, route)->handshakes++;
}

uint64_t counts_handshakes(struct counts *counts, struct slice route)
{
    return find(counts, route)->handshakes;
}

void counts_accepted(struct counts *counts, struct slice route)
{
    find(counts, route)->accepted++;
}

void counts_run(struct counts *counts, struct slice route, const struct run_cost *cost, enum run_reason reason)
{
    struct handler_counts *handler = &find(counts, route)->handler;
    handler->runs++;
    handler->cpu_ns += cost->cpu_ns;
    handler->wall_ns += cost->wall_ns;
    handler->slower[histogram_bucket((double)cost->wall_ns / 1e9, duration_buckets, DURATION_BUCKETS)]++;
    handler->ended[reason]++;
    if (cost->memory > handler->memory_most)
        handler->memory_most = cost->memory;
}

void counts_lookup(struct counts *counts, struct slice route, uint32_t took_ms, enum attempt_error error)
{
    struct lookup_counts *lookup = &find(counts, route)->lookup;
    lookup->took_ms += took_ms;
    lookup->slower[histogram_bucket(took_ms / 1e3, lookup_buckets, LOOKUP_BUCKETS)]++;
    lookup->ended[error]++;
}

void counts_attempt(struct counts *counts, struct slice target, const struct attempt *attempt, enum delivery_state state,
                    uint64_t delay_ms)
{
    target_counts_attempt(target_counts_need(&counts->targets, target), attempt, state, delay_ms);
}

void counts_target_now(struct counts *counts, const struct target_now *now)
{
    target_counts_now(target_counts_need(&counts->targets, now->name), now);
}

enum result counts_metric(struct counts *counts, const struct metric_note *note, uint64_t now_ms)
{
    if (!counts->of_rules)
        counts->of_rules = rule_metrics_new();
    return rule_metrics_note(counts->of_rules, note, now_ms);
}

void counts_know(struct counts *counts, const struct generation *generation)
{
    for (size_t i = 0; i < generation->route_count; i++)
        (void)find(counts, generation->routes[i].path);
    for (size_t i = 0; i < generation->target_count; i++)
        (void)target_counts_need(&counts->targets, generation->targets[i].name);
}

/* ---- all workers together ---- */

struct counts *counts_copy(const struct counts *counts)
{
    struct counts *copy = counts_new();
    counts_add(copy, counts);
    return copy;
}

static void add_handler(struct handler_counts *to, const struct handler_counts *from)
{
    to->runs += from->runs;
    to->cpu_ns += from->cpu_ns;
    to->wall_ns += from->wall_ns;
    if (from->memory_most > to->memory_most)
        to->memory_most = from->memory_most;
    for (size_t i = 0; i <= DURATION_BUCKETS; i++)
        to->slower[i] += from->slower[i];
    for (size_t i = 0; i < RUN_REASONS; i++)
        to->ended[i] += from->ended[i];
}

static void add_lookup(struct lookup_counts *to, const struct lookup_counts *from)
{
    to->took_ms += from->took_ms;
    for (size_t i = 0; i <= LOOKUP_BUCKETS; i++)
        to->slower[i] += from->slower[i];
    for (size_t i = 0; i <= ATTEMPT_ERROR_LAST; i++)
        to->ended[i] += from->ended[i];
}

void counts_add(struct counts *to, const struct counts *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct route_counts *more = from->routes[i];
        struct route_counts *sum = find(to, slice_of(more->route));
        sum->accepted += more->accepted;
        sum->ignored += more->ignored;
        sum->duplicates += more->duplicates;
        sum->handshakes += more->handshakes;
        for (size_t reason = 0; reason < REFUSAL_KINDS; reason++)
            sum->refused[reason] += more->refused[reason];
        add_handler(&sum->handler, &more->handler);
        add_lookup(&sum->lookup, &more->lookup);
    }
    target_counts_add(&to->targets, &from->targets);
    if (!from->of_rules)
        return;
    if (!to->of_rules)
        to->of_rules = rule_metrics_new();
    rule_metrics_add(to->of_rules, from->of_rules);
}

/* ---- as JSON ---- */

static void write_handler(const struct handler_counts *handler, struct buf *out)
{
    buf_addf(out, ",\"handler\":{\"runs\":%llu,\"cpu_ms\":%.3f,\"wall_ms\":%.3f,\"memory_peak\":%llu,\"failures\":{",
             (unsigned long long)handler->runs, (double)handler->cpu_ns / 1e6, (double)handler->wall_ns / 1e6,
             (unsigned long long)handler->memory_most);
    const char *comma = "";
    for (int reason = RUN_ERROR; reason < RUN_REASONS; reason++) {
        if (handler->ended[reason] == 0)
            continue;
        buf_addf(out, "%s\"%s\":%llu", comma, run_reason_name((enum run_reason)reason),
                 (unsigned long long)handler->ended[reason]);
        comma = ",";
    }
    buf_add_text(out, "}}");
}

static void write_last(const struct route_counts *route, struct buf *out)
{
    uint32_t kept = route->last_count < REFUSALS_KEPT ? route->last_count : REFUSALS_KEPT;
    buf_add_text(out, ",\"last_refused\":[");
    for (uint32_t i = 0; i < kept; i++) {
        const struct refused *refused = &route->last[(route->last_count - 1 - i) % REFUSALS_KEPT];
        char at[CLOCK_ISO_SIZE];
        clock_iso(refused->at_ms, at);
        buf_addf(out, "%s{\"at\":\"%s\",\"reason\":\"%s\",\"status\":%u,\"remote_ip\":", i ? "," : "", at, names[refused->reason],
                 refused->status);
        buf_add_json_string(out, slice_of(refused->remote_ip));
        buf_add_text(out, ",\"detail\":");
        buf_add_json_string(out, slice_of(refused->detail));
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}

static void write_route(const struct route_counts *route, struct buf *out)
{
    bool first = true;
    buf_add_text(out, "{\"route\":");
    buf_add_json_string(out, slice_of(route->route));
    buf_addf(out, ",\"accepted\":%llu,\"ignored\":%llu,\"duplicates\":%llu,\"handshakes\":%llu,\"refused\":{",
             (unsigned long long)route->accepted, (unsigned long long)route->ignored, (unsigned long long)route->duplicates,
             (unsigned long long)route->handshakes);
    for (int reason = 0; reason < REFUSAL_KINDS; reason++) {
        if (route->refused[reason] == 0)
            continue;
        buf_addf(out, "%s\"%s\":%llu", first ? "" : ",", names[reason], (unsigned long long)route->refused[reason]);
        first = false;
    }
    buf_add_byte(out, '}');
    write_handler(&route->handler, out);
    write_last(route, out);
    buf_add_byte(out, '}');
}

void counts_write_json(const struct counts *counts, struct buf *out)
{
    buf_add_byte(out, '[');
    for (size_t i = 0; i < counts->count; i++) {
        if (i)
            buf_add_byte(out, ',');
        write_route(counts->routes[i], out);
    }
    buf_add_byte(out, ']');
}
