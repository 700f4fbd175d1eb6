/* settle.h: what becomes of a delivery after an attempt: delivered, tried again, or dead with its reason. Pure. */
#ifndef TIDEWIRE_SETTLE_H
#define TIDEWIRE_SETTLE_H

#include <stdint.h>

#include "base/rng.h"
#include "deliver/sender.h"
#include "model/delivery.h"
#include "model/generation.h"

enum { REASON_MAX = 480 };

struct settlement {
    enum delivery_state state;
    uint64_t due_ms;         /* wall clock; with DELIVERY_WAITING */
    bool target_failed;      /* by no fault of the message: unreachable, late, busy, broken */
    char reason[REASON_MAX]; /* "answered 503", "timeout", "answered 410", "no more tries (3): answered 500" */
};

struct settling {
    const struct target *target;
    const struct answer *answer;
    enum judgement judgement; /* of the target */
    uint32_t n;               /* this attempt; 1 is the first */
    uint64_t since_ms;        /* `within` counts from here */
    uint64_t now_ms;
};

/* Is a status success by the target's list? */
bool settle_status_is_success(const struct target *target, uint16_t status);
void settle_attempt(const struct settling *settling, struct rng *rng, struct settlement *out);

#endif
