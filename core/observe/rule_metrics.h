/* rule_metrics.h: the numbers that rules make by metric.*, of one worker; and of all of them, added up. The bounds hold whatever
 * a sender puts into labels: past them a name goes on as one series with the label values "_other". One thread at a time. */
#ifndef TIDEWIRE_RULE_METRICS_H
#define TIDEWIRE_RULE_METRICS_H

#include "base/buf.h"
#include "base/result.h"
#include "model/metric.h"

enum {
    RULE_METRICS_NAMES_MAX = 100,
    RULE_METRICS_LABELS_MAX = 100,   /* combinations of labels per name; then "_other" */
    RULE_METRICS_SERIES_MAX = 1000,  /* of all names together; then "_other" of each */
    RULE_METRICS_TEXT_MAX = 8 << 20, /* of what is written for /metrics */
};

struct rule_metrics;
struct rule_metrics *rule_metrics_new(void);
void rule_metrics_free(struct rule_metrics *metrics); /* NULL is fine */
/* ERR_INVALID: the name stands for another kind already. ERR_FULL: too many names; nothing was noted. */
enum result rule_metrics_note(struct rule_metrics *metrics, const struct metric_note *note, uint64_t now_ms) MUST_CHECK;
/* Counts and histograms add up; of gauges the newest stays. */
void rule_metrics_add(struct rule_metrics *to, const struct rule_metrics *from);
/* Prometheus text: tidewire_user_<name>, of counts with "_total" at the end. */
void rule_metrics_write(const struct rule_metrics *metrics, struct buf *out);

#endif
