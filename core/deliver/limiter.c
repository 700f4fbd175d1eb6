#include "deliver/limiter.h"

#include <math.h>

/* What a sum of fractions may lack of a whole one. */
static const double LACK = 1e-6;

static void fill(struct limiter *limiter, uint64_t now_ms)
{
    limiter->tokens += (double)(now_ms - limiter->at_ms) / 1000 * limiter->rate_per_s;
    if (limiter->tokens > limiter->burst)
        limiter->tokens = limiter->burst;
    limiter->at_ms = now_ms;
}

void limiter_set(struct limiter *limiter, double rate_per_s, double burst, uint64_t now_ms)
{
    if (limiter->rate_per_s == 0)
        limiter->tokens = burst;
    else
        fill(limiter, now_ms);
    limiter->rate_per_s = rate_per_s;
    limiter->burst = burst < 1 ? 1 : burst;
    limiter->at_ms = now_ms;
    if (limiter->tokens > limiter->burst)
        limiter->tokens = limiter->burst;
}

uint64_t limiter_take(struct limiter *limiter, uint64_t now_ms)
{
    if (limiter->rate_per_s == 0)
        return 0;
    fill(limiter, now_ms);
    if (limiter->tokens >= 1 - LACK) {
        limiter->tokens -= 1;
        return 0;
    }
    return (uint64_t)ceil((1 - limiter->tokens - LACK) / limiter->rate_per_s * 1000);
}
