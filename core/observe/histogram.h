/* histogram.h: the buckets of times (interface.md 4.1), and Prometheus text in pieces. */
#ifndef TIDEWIRE_HISTOGRAM_H
#define TIDEWIRE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { DURATION_BUCKETS = 14, LOOKUP_BUCKETS = 16, DELAY_BUCKETS = 13 };

/* Upper ends, in seconds. */
extern const double duration_buckets[DURATION_BUCKETS]; /* "A" */
extern const double lookup_buckets[LOOKUP_BUCKETS];     /* "B": of what others answer */
extern const double delay_buckets[DELAY_BUCKETS];       /* "D" */

/* The first bucket that holds it; `count`: it is longer than all. */
size_t histogram_bucket(double seconds, const double *buckets, size_t count);

/* "# HELP" and "# TYPE" of tidewire_NAME. */
void metric_head(struct buf *out, const char *name, const char *type, const char *help);
/* `tidewire_NAME{LABEL="value"` with the value escaped; what follows is the caller's: more labels, `} number`. */
void metric_begin(struct buf *out, const char *name, const char *label, struct slice value);
/* Its buckets, number and sum. within: by the first bucket that holds them, and behind them those that are longer. */
void metric_histogram(struct buf *out, const char *name, const char *label, struct slice value, const double *buckets,
                      size_t bucket_count, const uint64_t *within, double sum);

#endif
