#include "observe/rule_metrics.h"

#include "base/fnv.h"
#include "base/log.h"
#include "base/mem.h"

enum { PLACES = 256, BUCKETS = 17 }; /* PLACES: at least twice the labels of a name */

/* A rule observes seconds, amounts or sizes: three steps a decade from a thousandth to a thousand. */
static const double buckets[BUCKETS] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000 };

struct series {
    char *labels; /* owned */
    double value; /* count: the sum; gauge: the newest; histogram: the sum */
    uint64_t count, set_ms;
    uint64_t below[BUCKETS]; /* histogram: by the first bucket that holds it */
};

struct metric {
    char *name; /* owned */
    enum metric_kind kind;
    struct series *series[RULE_METRICS_LABELS_MAX]; /* owned */
    size_t count;
    uint16_t places[PLACES]; /* by the hash of the labels, where they stand in series, from 1; 0: free. A full place: the next */
    struct series *other;    /* owned; what had no room; NULL: none */
};

struct rule_metrics {
    struct metric *metrics[RULE_METRICS_NAMES_MAX]; /* owned */
    size_t count, series_count;
    bool full;
};

struct rule_metrics *rule_metrics_new(void)
{
    return MEM_NEW(struct rule_metrics);
}

static void series_free(struct series *series)
{
    if (series)
        mem_free(series->labels);
    mem_free(series);
}

void rule_metrics_free(struct rule_metrics *metrics)
{
    for (size_t i = 0; metrics && i < metrics->count; i++) {
        struct metric *metric = metrics->metrics[i];
        for (size_t j = 0; j < metric->count; j++)
            series_free(metric->series[j]);
        series_free(metric->other);
        mem_free(metric->name);
        mem_free(metric);
    }
    mem_free(metrics);
}

/* ---- finding ---- */

static enum result find_metric(struct rule_metrics *metrics, struct slice name, enum metric_kind kind, struct metric **out)
{
    for (size_t i = 0; i < metrics->count; i++) {
        if (!slice_is(name, metrics->metrics[i]->name))
            continue;
        *out = metrics->metrics[i];
        return (*out)->kind == kind ? OK : ERR_INVALID;
    }
    if (metrics->count == RULE_METRICS_NAMES_MAX) {
        if (!metrics->full)
            LOG(LOG_WARN, "too many metrics", LOG_S("name", name), LOG_I("names", RULE_METRICS_NAMES_MAX));
        metrics->full = true;
        return ERR_FULL;
    }
    *out = metrics->metrics[metrics->count++] = MEM_NEW(struct metric);
    (*out)->name = mem_text(name);
    (*out)->kind = kind;
    return OK;
}

/* The place of the labels, or the free one that they would get. */
static uint16_t *place_of(struct metric *metric, struct slice labels)
{
    size_t at = fnv(FNV_START, labels.data, labels.len) % PLACES;
    while (metric->places[at] && !slice_is(labels, metric->series[metric->places[at] - 1]->labels))
        at = (at + 1) % PLACES;
    return &metric->places[at];
}

static struct series *series_new(struct slice labels)
{
    struct series *made = MEM_NEW(struct series);
    made->labels = mem_text(labels);
    return made;
}

/* One for all that has no room, whatever the names of its labels: enough to see that some are lost. */
static struct series *fold(struct metric *metric, struct slice folded)
{
    if (metric->other)
        return metric->other;
    LOG(LOG_WARN, "labels of a metric folded", LOG_T("name", metric->name), LOG_I("combinations", metric->count));
    metric->other = series_new(folded);
    return metric->other;
}

static struct series *find_series(struct rule_metrics *metrics, struct metric *metric, struct slice labels, struct slice folded)
{
    uint16_t *place = place_of(metric, labels);
    if (*place)
        return metric->series[*place - 1];
    if (metric->count == RULE_METRICS_LABELS_MAX || metrics->series_count == RULE_METRICS_SERIES_MAX)
        return fold(metric, folded);
    metrics->series_count++;
    metric->series[metric->count++] = series_new(labels);
    *place = (uint16_t)metric->count;
    return metric->series[metric->count - 1];
}

/* ---- changing ---- */

static void observe(struct series *series, double value)
{
    size_t bucket = 0;
    while (bucket < BUCKETS && value > buckets[bucket])
        bucket++;
    if (bucket < BUCKETS)
        series->below[bucket]++;
    series->count++;
    series->value += value;
}

enum result rule_metrics_note(struct rule_metrics *metrics, const struct metric_note *note, uint64_t now_ms)
{
    struct metric *metric = NULL;
    enum result rc = find_metric(metrics, note->name, note->kind, &metric);
    if (rc != OK)
        return rc;
    struct series *series = find_series(metrics, metric, note->labels, note->folded);
    switch (note->kind) {
    case METRIC_COUNT:
        series->value += note->value;
        break;
    case METRIC_GAUGE:
        series->value = note->value;
        series->set_ms = now_ms;
        break;
    case METRIC_OBSERVE:
        observe(series, note->value);
        break;
    }
    return OK;
}

static void add_one(struct series *to, const struct series *from, enum metric_kind kind)
{
    if (kind != METRIC_GAUGE)
        to->value += from->value;
    else if (from->set_ms >= to->set_ms)
        to->value = from->value;
    to->set_ms = from->set_ms > to->set_ms ? from->set_ms : to->set_ms;
    to->count += from->count;
    for (size_t i = 0; i < BUCKETS; i++)
        to->below[i] += from->below[i];
}

void rule_metrics_add(struct rule_metrics *to, const struct rule_metrics *from)
{
    for (size_t i = 0; from && i < from->count; i++) {
        const struct metric *more = from->metrics[i];
        struct metric *sum = NULL;
        if (find_metric(to, slice_of(more->name), more->kind, &sum) != OK)
            continue; /* two workers gave one name to two kinds: the first one's stays */
        struct slice folded = more->other ? slice_of(more->other->labels) : SLICE("route=\"_other\"");
        for (size_t j = 0; j < more->count; j++)
            add_one(find_series(to, sum, slice_of(more->series[j]->labels), folded), more->series[j], more->kind);
        if (more->other)
            add_one(fold(sum, folded), more->other, more->kind);
    }
}

/* ---- writing ---- */

static void write_histogram(const char *name, const struct series *series, struct buf *out)
{
    uint64_t below = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        below += series->below[i];
        buf_addf(out, "tidewire_user_%s_bucket{%s,le=\"%g\"} %llu\n", name, series->labels, buckets[i],
                 (unsigned long long)below);
    }
    buf_addf(out, "tidewire_user_%s_bucket{%s,le=\"+Inf\"} %llu\n", name, series->labels, (unsigned long long)series->count);
    buf_addf(out, "tidewire_user_%s_sum{%s} %.17g\n", name, series->labels, series->value);
    buf_addf(out, "tidewire_user_%s_count{%s} %llu\n", name, series->labels, (unsigned long long)series->count);
}

static void write_series(const struct metric *metric, const struct series *series, struct buf *out)
{
    if (metric->kind == METRIC_OBSERVE)
        write_histogram(metric->name, series, out);
    else
        buf_addf(out, "tidewire_user_%s{%s} %.17g\n", metric->name, series->labels, series->value);
}

void rule_metrics_write(const struct rule_metrics *metrics, struct buf *out)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };
    size_t before = out->len;
    for (size_t i = 0; metrics && i < metrics->count; i++) {
        const struct metric *metric = metrics->metrics[i];
        buf_addf(out, "# HELP tidewire_user_%s Made by rules.\n# TYPE tidewire_user_%s %s\n", metric->name, metric->name,
                 types[metric->kind]);
        for (size_t j = 0; j < metric->count && out->len - before < RULE_METRICS_TEXT_MAX; j++)
            write_series(metric, metric->series[j], out);
        if (metric->other)
            write_series(metric, metric->other, out);
    }
}
