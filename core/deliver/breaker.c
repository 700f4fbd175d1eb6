#include "deliver/breaker.h"

uint64_t breaker_wait(const struct breaker *breaker, uint64_t now_ms)
{
    if (!breaker->open)
        return 0;
    if (breaker->probing)
        return UINT64_MAX;
    return breaker->probe_ms > now_ms ? breaker->probe_ms - now_ms : 0;
}

bool breaker_start(struct breaker *breaker)
{
    return breaker->probing = breaker->open;
}

bool breaker_end(struct breaker *breaker, bool probe, bool good, uint32_t open_after, uint64_t probe_every_ms, uint64_t now_ms)
{
    bool was_open = breaker->open;
    if (good || open_after == 0) {
        *breaker = (struct breaker){ 0 };
        return was_open;
    }
    breaker->failures++;
    breaker->probing = breaker->probing && !probe;
    breaker->open = was_open || breaker->failures >= open_after;
    if (probe || breaker->open != was_open)
        breaker->probe_ms = now_ms + probe_every_ms; /* attempts that were under way when it opened put nothing off */
    return breaker->open != was_open;
}

void breaker_forget(struct breaker *breaker)
{
    breaker->probing = false;
}

void breaker_probe_now(struct breaker *breaker)
{
    breaker->probe_ms = 0;
}

enum breaker_state breaker_state(const struct breaker *breaker)
{
    return !breaker->open ? BREAKER_CLOSED : breaker->probing ? BREAKER_HALF_OPEN : BREAKER_OPEN;
}
