/* backoff.h: how long to wait before trying again. Pure: no clock, no I/O, any thread. */
#ifndef TIDEWIRE_BACKOFF_H
#define TIDEWIRE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/slice.h"
#include "model/generation.h"

/* Wait before retry `retry` (1 is the first): uniform over [w / 2, w], w = min(max_ms, first_ms * factor^(retry - 1)).
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, the "equal jitter" variant.
 * rng is drawn from exactly once. Saturates at max_ms instead of wrapping. */
uint64_t backoff_wait_ms(const struct retry_policy *policy, uint32_t retry, struct rng *rng);
/* Retry-After (RFC 9110, 10.2.3): seconds, or a date; now_ms: wall clock. 0: absent or not readable. */
uint64_t backoff_retry_after_ms(struct slice value, uint64_t now_ms);
/* Is an answer of this status worth another try? The policy's own list, else 408, 425, 429 and 5xx. */
bool backoff_status_is_retried(const struct retry_policy *policy, uint16_t status);

#endif
