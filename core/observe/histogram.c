#include "observe/histogram.h"

#include <stdio.h>

const double duration_buckets[DURATION_BUCKETS] = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
};

const double lookup_buckets[LOOKUP_BUCKETS] = {
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60
};

const double delay_buckets[DELAY_BUCKETS] = { 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400 };

size_t histogram_bucket(double seconds, const double *buckets, size_t count)
{
    size_t bucket = 0;
    while (bucket < count && seconds > buckets[bucket])
        bucket++;
    return bucket;
}

void metric_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP tidewire_%s %s\n# TYPE tidewire_%s %s\n", name, help, name, type);
}

/* Backslash, quote and line end are escaped. */
static void add_value(struct buf *out, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '\\' || value.data[i] == '"')
            buf_add_byte(out, '\\');
        if (value.data[i] == '\n')
            buf_add_text(out, "\\n");
        else
            buf_add_byte(out, value.data[i]);
    }
}

void metric_begin(struct buf *out, const char *name, const char *label, struct slice value)
{
    buf_addf(out, "tidewire_%s{%s=\"", name, label);
    add_value(out, value);
    buf_add_byte(out, '"');
}

void metric_histogram(struct buf *out, const char *name, const char *label, struct slice value, const double *buckets,
                      size_t bucket_count, const uint64_t *within, double sum)
{
    char series[64];
    uint64_t below = 0;
    snprintf(series, sizeof(series), "%s_bucket", name);
    for (size_t bucket = 0; bucket < bucket_count; bucket++) {
        below += within[bucket];
        metric_begin(out, series, label, value);
        buf_addf(out, ",le=\"%g\"} %llu\n", buckets[bucket], (unsigned long long)below);
    }
    below += within[bucket_count];
    metric_begin(out, series, label, value);
    buf_addf(out, ",le=\"+Inf\"} %llu\n", (unsigned long long)below);
    snprintf(series, sizeof(series), "%s_sum", name);
    metric_begin(out, series, label, value);
    buf_addf(out, "} %.9f\n", sum);
    snprintf(series, sizeof(series), "%s_count", name);
    metric_begin(out, series, label, value);
    buf_addf(out, "} %llu\n", (unsigned long long)below);
}
