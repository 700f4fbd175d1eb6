/* target_now.h: how a target stands at this moment, in one worker or all together. */
#ifndef TIDEWIRE_TARGET_NOW_H
#define TIDEWIRE_TARGET_NOW_H

#include <stdint.h>

#include "base/slice.h"

/* In this order: of several workers the greatest counts. */
enum breaker_state { BREAKER_CLOSED, BREAKER_HALF_OPEN, BREAKER_OPEN, BREAKER_STATES };

struct target_now {
    struct slice name;
    uint32_t in_flight; /* attempts */
    enum breaker_state breaker;
    uint64_t openings; /* of the breaker, so far */
};

/* "closed", "half_open", "open" */
const char *breaker_state_name(enum breaker_state state);

#endif
