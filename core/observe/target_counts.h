/* target_counts.h: what became of the messages to each target. Part of struct counts: written by a worker, added up for /metrics.
 */
#ifndef TIDEWIRE_TARGET_COUNTS_H
#define TIDEWIRE_TARGET_COUNTS_H

#include "base/buf.h"
#include "model/attempt.h"
#include "model/delivery.h"
#include "model/target_now.h"
#include "observe/histogram.h"
#include "observe/name_table.h"

enum { CODE_CLASSES = 6 };

struct target_count {
    uint64_t delivered, dead, retries;
    uint64_t answered[CODE_CLASSES];             /* attempts by status / 100; 0: none of the others */
    uint64_t unanswered[ATTEMPT_ERROR_LAST + 1]; /* attempts by enum attempt_error */
    uint64_t took_ms, took[LOOKUP_BUCKETS + 1];
    uint64_t delay_ms, delayed[DELAY_BUCKETS + 1]; /* of what was delivered */
    /* now; only in copies */
    uint32_t in_flight;
    enum breaker_state breaker;
    uint64_t openings;
};

/* All zero: empty. */
struct target_counts {
    struct name_table names;
    struct target_count *list[NAME_TABLE_MAX]; /* owned, by their place in names */
};

void target_counts_deinit(struct target_counts *targets);
struct target_count *target_counts_need(struct target_counts *targets, struct slice name);
void target_counts_attempt(struct target_count *target, const struct attempt *attempt, enum delivery_state state,
                           uint64_t delay_ms);
void target_counts_now(struct target_count *target, const struct target_now *now);
void target_counts_add(struct target_counts *to, const struct target_counts *from);
/* Prometheus text. Every series of a target is there from its load on, with zeros. */
void target_counts_write(const struct target_counts *targets, struct buf *out);

#endif
