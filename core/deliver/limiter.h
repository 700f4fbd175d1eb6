/* limiter.h: a token bucket. Pure; the caller brings a monotonic clock. */
#ifndef TIDEWIRE_LIMITER_H
#define TIDEWIRE_LIMITER_H

#include <stdint.h>

struct limiter {
    double rate_per_s; /* 0: no limit */
    double burst;      /* most tokens at once; >= 1 */
    double tokens;
    uint64_t at_ms; /* when tokens was right */
};

/* Keeps the tokens it has, so that a reload gives no fresh burst. */
void limiter_set(struct limiter *limiter, double rate_per_s, double burst, uint64_t now_ms);
/* 0: a token was taken. Otherwise how many milliseconds until there is one. */
uint64_t limiter_take(struct limiter *limiter, uint64_t now_ms);

#endif
