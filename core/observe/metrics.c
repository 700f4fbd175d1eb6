/* metrics.c: counts as Prometheus text. Every series of a route is there from its load on, with zeros. */
#include "observe/inside.h"

static void begin(struct buf *out, const char *name, const struct route_counts *route)
{
    metric_begin(out, name, "route", slice_of(route->route[0] ? route->route : "_none"));
}

static void write_number(const struct counts *counts, struct buf *out, const char *name, const char *help, size_t offset)
{
    metric_head(out, name, "counter", help);
    for (size_t i = 0; i < counts->count; i++) {
        begin(out, name, counts->routes[i]);
        buf_addf(out, "} %llu\n", (unsigned long long)*(const uint64_t *)((const char *)counts->routes[i] + offset));
    }
}

static void write_refusals(const struct counts *counts, struct buf *out)
{
    metric_head(out, "events_refused_total", "counter", "Requests that were refused, by reason.");
    for (size_t i = 0; i < counts->count; i++)
        for (int reason = 0; reason < REFUSAL_KINDS; reason++) {
            begin(out, "events_refused_total", counts->routes[i]);
            buf_addf(out, ",reason=\"%s\"} %llu\n", refusal_name((enum refusal)reason),
                     (unsigned long long)counts->routes[i]->refused[reason]);
        }
}

static void write_histogram(const struct route_counts *route, struct buf *out, const char *name, const double *buckets,
                            size_t bucket_count, const uint64_t *slower, double sum)
{
    metric_histogram(out, name, "route", slice_of(route->route[0] ? route->route : "_none"), buckets, bucket_count, slower, sum);
}

static void write_durations(const struct counts *counts, struct buf *out)
{
    metric_head(out, "handler_duration_seconds", "histogram", "From the start of a handler to its end, waiting included.");
    for (size_t i = 0; i < counts->count; i++) {
        const struct handler_counts *handler = &counts->routes[i]->handler;
        write_histogram(counts->routes[i], out, "handler_duration_seconds", duration_buckets, DURATION_BUCKETS, handler->slower,
                        (double)handler->wall_ns / 1e9);
    }
}

static void write_lookups(const struct counts *counts, struct buf *out)
{
    metric_head(out, "lookup_duration_seconds", "histogram",
                "From http.* in a handler to its answer, or to the end without one.");
    for (size_t i = 0; i < counts->count; i++) {
        const struct lookup_counts *lookup = &counts->routes[i]->lookup;
        write_histogram(counts->routes[i], out, "lookup_duration_seconds", lookup_buckets, LOOKUP_BUCKETS, lookup->slower,
                        (double)lookup->took_ms / 1e3);
    }
    metric_head(out, "lookups_total", "counter", "http.* in handlers, by what they came to.");
    for (size_t i = 0; i < counts->count; i++)
        for (int error = ATTEMPT_ANSWERED; error <= ATTEMPT_ERROR_LAST; error++) {
            const char *outcome = error == ATTEMPT_ANSWERED ? "answered" : attempt_error_name((enum attempt_error)error);
            begin(out, "lookups_total", counts->routes[i]);
            buf_addf(out, ",outcome=\"%s\"} %llu\n", outcome, (unsigned long long)counts->routes[i]->lookup.ended[error]);
        }
}

static void write_cost(const struct counts *counts, struct buf *out)
{
    metric_head(out, "handler_cpu_seconds_total", "counter", "Time that handlers have spent in Lua.");
    for (size_t i = 0; i < counts->count; i++) {
        begin(out, "handler_cpu_seconds_total", counts->routes[i]);
        buf_addf(out, "} %.9f\n", (double)counts->routes[i]->handler.cpu_ns / 1e9);
    }
    metric_head(out, "handler_memory_peak_bytes", "gauge", "The most that one run of the handler has held.");
    for (size_t i = 0; i < counts->count; i++) {
        begin(out, "handler_memory_peak_bytes", counts->routes[i]);
        buf_addf(out, "} %llu\n", (unsigned long long)counts->routes[i]->handler.memory_most);
    }
}

static void write_failures(const struct counts *counts, struct buf *out)
{
    metric_head(out, "handler_failures_total", "counter", "Runs of handlers that failed, by kind.");
    for (size_t i = 0; i < counts->count; i++)
        for (int reason = RUN_ERROR; reason < RUN_REASONS; reason++) {
            begin(out, "handler_failures_total", counts->routes[i]);
            buf_addf(out, ",kind=\"%s\"} %llu\n", run_reason_name((enum run_reason)reason),
                     (unsigned long long)counts->routes[i]->handler.ended[reason]);
        }
}

void counts_write_metrics(const struct counts *counts, struct buf *out)
{
    write_number(counts, out, "events_received_total", "Events that were accepted.", offsetof(struct route_counts, accepted));
    write_number(counts, out, "events_ignored_total", "Requests that `when` did not want.",
                 offsetof(struct route_counts, ignored));
    write_number(counts, out, "events_duplicate_total", "Repetitions that were answered like the first one.",
                 offsetof(struct route_counts, duplicates));
    write_number(counts, out, "handshakes_total", "Questions of senders that were answered without an event.",
                 offsetof(struct route_counts, handshakes));
    write_refusals(counts, out);
    write_durations(counts, out);
    write_cost(counts, out);
    write_failures(counts, out);
    write_lookups(counts, out);
    target_counts_write(&counts->targets, out);
    rule_metrics_write(counts->of_rules, out);
}
