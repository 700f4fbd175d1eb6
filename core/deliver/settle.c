#include "deliver/settle.h"

#include <stdio.h>

#include "deliver/backoff.h"

bool settle_status_is_success(const struct target *target, uint16_t status)
{
    for (size_t i = 0; i < target->success_count; i++)
        if (status >= target->success[i].from && status <= target->success[i].to)
            return true;
    return false;
}

static bool is_retried(const struct settling *settling)
{
    const struct retry_policy *policy = &settling->target->retry;
    if (settling->judgement == NOT_JUDGED)
        return true;
    switch (settling->answer->error) {
    case ATTEMPT_ANSWERED:
        return backoff_status_is_retried(policy, settling->answer->status);
    case ATTEMPT_BLOCKED_ADDRESS:
    case ATTEMPT_CONFIG:
        return false;
    default:
        return true;
    }
}

static void describe(const struct settling *settling, char *out, size_t size)
{
    const struct answer *answer = settling->answer;
    if (settling->judgement == NOT_JUDGED)
        snprintf(out, size, "answered %u, and `success` could not be asked", answer->status);
    else if (answer->error == ATTEMPT_ANSWERED)
        snprintf(out, size, *answer->detail ? "answered %u, %s" : "answered %u", answer->status, answer->detail);
    else
        snprintf(out, size, "%s: %s", attempt_error_name(answer->error), answer->detail);
}

void settle_attempt(const struct settling *settling, struct rng *rng, struct settlement *out)
{
    const struct retry_policy *policy = &settling->target->retry;
    char what[REASON_MAX - 80]; /* room for why there are no more tries */
    *out = (struct settlement){ .state = DELIVERY_DELIVERED };
    if (settling->judgement == JUDGED_SUCCESS)
        return;
    describe(settling, what, sizeof(what));
    out->target_failed = settling->judgement != NOT_JUDGED && is_retried(settling);
    if (settling->target->retry_off || !is_retried(settling)) {
        out->state = DELIVERY_DEAD;
        snprintf(out->reason, sizeof(out->reason), "%s", what);
        return;
    }
    if (policy->attempts && settling->n >= policy->attempts) {
        out->state = DELIVERY_DEAD;
        snprintf(out->reason, sizeof(out->reason), "no more tries (%u): %s", settling->n, what);
        return;
    }
    uint64_t wait_ms = backoff_wait_ms(policy, settling->n, rng);
    uint64_t asked_ms = backoff_retry_after_ms(settling->answer->retry_after, settling->now_ms);
    uint64_t end_ms = policy->within_ms ? settling->since_ms + policy->within_ms : UINT64_MAX;
    if (asked_ms > wait_ms)
        wait_ms = asked_ms;
    if (settling->now_ms >= end_ms) {
        out->state = DELIVERY_DEAD;
        snprintf(out->reason, sizeof(out->reason), "older than %llu s: %s", (unsigned long long)(policy->within_ms / 1000), what);
        return;
    }
    if (wait_ms > end_ms - settling->now_ms)
        wait_ms = end_ms - settling->now_ms; /* one last try when its time is over */
    out->state = DELIVERY_WAITING;
    out->due_ms = settling->now_ms + wait_ms;
    snprintf(out->reason, sizeof(out->reason), "%s", what);
}
