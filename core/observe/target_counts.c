#include "observe/target_counts.h"

#include "base/mem.h"

void target_counts_deinit(struct target_counts *targets)
{
    for (size_t i = 0; i < targets->names.count; i++)
        mem_free(targets->list[i]);
    name_table_deinit(&targets->names);
}

struct target_count *target_counts_need(struct target_counts *targets, struct slice name)
{
    size_t at = name_table_need(&targets->names, name);
    if (!targets->list[at])
        targets->list[at] = MEM_NEW(struct target_count);
    return targets->list[at];
}

/* ---- counting ---- */

void target_counts_attempt(struct target_count *target, const struct attempt *attempt, enum delivery_state state,
                           uint64_t delay_ms)
{
    size_t code_class = attempt->status / 100u;
    if (attempt->error == ATTEMPT_ANSWERED)
        target->answered[code_class < CODE_CLASSES ? code_class : 0]++;
    else
        target->unanswered[attempt->error]++;
    target->took_ms += attempt->took_ms;
    target->took[histogram_bucket(attempt->took_ms / 1e3, lookup_buckets, LOOKUP_BUCKETS)]++;
    target->retries += state == DELIVERY_WAITING;
    target->dead += state == DELIVERY_DEAD;
    if (state != DELIVERY_DELIVERED)
        return;
    target->delivered++;
    target->delay_ms += delay_ms;
    target->delayed[histogram_bucket((double)delay_ms / 1e3, delay_buckets, DELAY_BUCKETS)]++;
}

void target_counts_now(struct target_count *target, const struct target_now *now)
{
    target->in_flight += now->in_flight;
    target->openings += now->openings;
    if (now->breaker > target->breaker)
        target->breaker = now->breaker;
}

static void add(struct target_count *to, const struct target_count *from)
{
    const struct target_now now = { .in_flight = from->in_flight, .breaker = from->breaker, .openings = from->openings };
    to->delivered += from->delivered;
    to->dead += from->dead;
    to->retries += from->retries;
    to->took_ms += from->took_ms;
    to->delay_ms += from->delay_ms;
    for (size_t i = 0; i < CODE_CLASSES; i++)
        to->answered[i] += from->answered[i];
    for (size_t i = 0; i <= ATTEMPT_ERROR_LAST; i++)
        to->unanswered[i] += from->unanswered[i];
    for (size_t i = 0; i <= LOOKUP_BUCKETS; i++)
        to->took[i] += from->took[i];
    for (size_t i = 0; i <= DELAY_BUCKETS; i++)
        to->delayed[i] += from->delayed[i];
    target_counts_now(to, &now);
}

void target_counts_add(struct target_counts *to, const struct target_counts *from)
{
    for (size_t i = 0; i < from->names.count; i++)
        add(target_counts_need(to, slice_of(from->names.names[i])), from->list[i]);
}

/* ---- as metrics ---- */

static void begin(const struct target_counts *targets, size_t i, struct buf *out, const char *name)
{
    metric_begin(out, name, "target", slice_of(targets->names.names[i]));
}

static void write_ends(const struct target_counts *targets, struct buf *out)
{
    metric_head(out, "deliveries_total", "counter", "Messages that ended, by how.");
    for (size_t i = 0; i < targets->names.count; i++) {
        begin(targets, i, out, "deliveries_total");
        buf_addf(out, ",state=\"delivered\"} %llu\n", (unsigned long long)targets->list[i]->delivered);
        begin(targets, i, out, "deliveries_total");
        buf_addf(out, ",state=\"dead\"} %llu\n", (unsigned long long)targets->list[i]->dead);
    }
}

static void write_attempts_of(const struct target_counts *targets, size_t i, struct buf *out)
{
    static const char name[] = "delivery_attempts_total";
    static const char *const classes[CODE_CLASSES] = { "other", "1xx", "2xx", "3xx", "4xx", "5xx" };
    for (size_t code_class = 0; code_class < CODE_CLASSES; code_class++) {
        begin(targets, i, out, name);
        buf_addf(out, ",code_class=\"%s\",error_type=\"\"} %llu\n", classes[code_class],
                 (unsigned long long)targets->list[i]->answered[code_class]);
    }
    for (int error = ATTEMPT_ANSWERED + 1; error <= ATTEMPT_ERROR_LAST; error++) {
        begin(targets, i, out, name);
        buf_addf(out, ",code_class=\"none\",error_type=\"%s\"} %llu\n", attempt_error_name((enum attempt_error)error),
                 (unsigned long long)targets->list[i]->unanswered[error]);
    }
}

static void write_attempts(const struct target_counts *targets, struct buf *out)
{
    metric_head(out, "delivery_attempts_total", "counter", "Attempts of messages, by what they were answered, or why not.");
    for (size_t i = 0; i < targets->names.count; i++)
        write_attempts_of(targets, i, out);
    metric_head(out, "delivery_retries_total", "counter", "Attempts that are followed by another.");
    for (size_t i = 0; i < targets->names.count; i++) {
        begin(targets, i, out, "delivery_retries_total");
        buf_addf(out, "} %llu\n", (unsigned long long)targets->list[i]->retries);
    }
}

static void write_times(const struct target_counts *targets, struct buf *out)
{
    metric_head(out, "delivery_attempt_duration_seconds", "histogram", "From the start of an attempt to its end.");
    for (size_t i = 0; i < targets->names.count; i++)
        metric_histogram(out, "delivery_attempt_duration_seconds", "target", slice_of(targets->names.names[i]), lookup_buckets,
                         LOOKUP_BUCKETS, targets->list[i]->took, (double)targets->list[i]->took_ms / 1e3);
    metric_head(out, "delivery_delay_seconds", "histogram",
                "From when an event came, or from the time that its message was to wait for, to its delivery.");
    for (size_t i = 0; i < targets->names.count; i++)
        metric_histogram(out, "delivery_delay_seconds", "target", slice_of(targets->names.names[i]), delay_buckets, DELAY_BUCKETS,
                         targets->list[i]->delayed, (double)targets->list[i]->delay_ms / 1e3);
}

static void write_now(const struct target_counts *targets, struct buf *out)
{
    metric_head(out, "deliveries_in_flight", "gauge", "Attempts that are under way.");
    for (size_t i = 0; i < targets->names.count; i++) {
        begin(targets, i, out, "deliveries_in_flight");
        buf_addf(out, "} %u\n", targets->list[i]->in_flight);
    }
    metric_head(out, "breaker_state", "gauge", "1 on the present state of a target's breaker.");
    for (size_t i = 0; i < targets->names.count; i++)
        for (int state = BREAKER_CLOSED; state < BREAKER_STATES; state++) {
            begin(targets, i, out, "breaker_state");
            buf_addf(out, ",state=\"%s\"} %d\n", breaker_state_name((enum breaker_state)state),
                     (int)targets->list[i]->breaker == state);
        }
    metric_head(out, "breaker_openings_total", "counter", "How often a target's breaker has opened.");
    for (size_t i = 0; i < targets->names.count; i++) {
        begin(targets, i, out, "breaker_openings_total");
        buf_addf(out, "} %llu\n", (unsigned long long)targets->list[i]->openings);
    }
}

void target_counts_write(const struct target_counts *targets, struct buf *out)
{
    write_ends(targets, out);
    write_attempts(targets, out);
    write_times(targets, out);
    write_now(targets, out);
}
