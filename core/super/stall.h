/* stall.h: has a loop's tick stood still for too long? Only time that the onlooker itself was awake counts: while the whole
 * machine was suspended nobody hung. Pure. */
#ifndef TIDEWIRE_STALL_H
#define TIDEWIRE_STALL_H

#include <stdint.h>

enum { STALL_STEP_MAX_MS = 2000 /* of the time between two looks, so much counts */ };

/* Zeroed: not looked at yet. */
struct stall {
    unsigned long tick;
    uint64_t stood_ms;
};

/* since_ms: since the last look. Returns how long the tick has not moved. */
uint64_t stall_look(struct stall *stall, unsigned long tick, uint64_t since_ms);

#endif
