/* breaker.h: a target that has failed so many times in a row is let rest: its messages wait without spending attempts, and one of
 * them is a probe from time to time. Pure; the caller brings a monotonic clock.
 *
 *   CLOSED --open_after failures in a row--> OPEN --probe_every passed: one attempt--> PROBING --it failed--> OPEN
 *     ^                                                                                  |
 *     '-------------------------------- an attempt succeeded, whichever -----------------'
 */
#ifndef TIDEWIRE_BREAKER_H
#define TIDEWIRE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/target_now.h"

struct breaker {
    uint32_t failures; /* in a row */
    uint64_t probe_ms; /* open: when the next probe may start */
    bool open, probing;
};

/* 0: an attempt may start now (it is the probe where the breaker is open). Else how many milliseconds until one may; UINT64_MAX:
 * the end of the probe decides. */
uint64_t breaker_wait(const struct breaker *breaker, uint64_t now_ms);
/* It starts. true: it is the probe. */
bool breaker_start(struct breaker *breaker);
/* It ended. good: the target works, whatever it said of the message. open_after 0: never. true: the breaker has opened by it, or
 * closed. */
bool breaker_end(struct breaker *breaker, bool probe, bool good, uint32_t open_after, uint64_t probe_every_ms, uint64_t now_ms);
/* The probe ended without a word on the target: it could not even be sent. */
void breaker_forget(struct breaker *breaker);
/* Something has changed that may have mended it: the next attempt is a probe at once. */
void breaker_probe_now(struct breaker *breaker);
enum breaker_state breaker_state(const struct breaker *breaker);

#endif
