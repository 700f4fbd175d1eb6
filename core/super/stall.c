#include "super/stall.h"

uint64_t stall_look(struct stall *stall, unsigned long tick, uint64_t since_ms)
{
    if (tick != stall->tick) {
        stall->tick = tick;
        stall->stood_ms = 0;
    } else {
        stall->stood_ms += since_ms < STALL_STEP_MAX_MS ? since_ms : STALL_STEP_MAX_MS;
    }
    return stall->stood_ms;
}
