/* outcome.c: what a run came to, and when it is tried again. */
#include "base/clock.h"
#include "script/inside.h"

enum { TEXT_MAX = 2000 };

static const uint64_t slow_waits_ms[] = { 10000, 60000, 600000 }; /* after cpu, memory, stack, crash */

/* Equal jitter, as for deliveries (deliver/backoff.h): half to whole. */
static uint64_t wait_ms(const struct retry_policy *policy, uint32_t attempt, struct rng *rng)
{
    double wait = (double)policy->first_ms, most = (double)policy->max_ms;
    for (uint32_t i = 1; i < attempt && wait < most; i++)
        wait *= policy->factor;
    uint64_t whole = wait < most ? (uint64_t)wait : policy->max_ms;
    return whole - whole / 2 + rng_below(rng, whole / 2 + 1);
}

bool script_is_costly(enum run_reason reason)
{
    return reason == RUN_CPU || reason == RUN_MEMORY || reason == RUN_STACK || reason == RUN_CRASH;
}

static uint64_t next_wait_ms(const struct route *route, enum run_reason reason, uint32_t attempt, uint64_t after_ms,
                             struct rng *rng)
{
    uint64_t wait = after_ms || !route ? after_ms : wait_ms(&route->retry, attempt, rng);
    if (script_is_costly(reason)) {
        uint32_t place = attempt < 3 ? attempt - 1 : 2;
        if (wait < slow_waits_ms[place])
            wait = slow_waits_ms[place];
    }
    return wait;
}

static struct slice keep_text(struct event *event, struct slice text)
{
    struct slice kept = arena_copy(&event->arena, (struct slice){ text.data, text.len > TEXT_MAX ? TEXT_MAX : text.len });
    return kept.data ? kept : SLICE("");
}

static void try_again_or_end(struct outcome *outcome, const struct route *route, uint64_t after_ms, uint64_t now_ms,
                             struct rng *rng)
{
    if (route && route->retry.attempts && outcome->attempt >= route->retry.attempts) {
        outcome->state = EVENT_FAILED;
        return;
    }
    outcome->state = EVENT_WAITING;
    outcome->due_ms = now_ms + next_wait_ms(route, outcome->reason, outcome->attempt, after_ms, rng);
}

struct outcome *script_failed_outcome(const struct route *route, struct event *event, uint32_t generation,
                                      const struct script_failure *failure, uint64_t now_ms, struct rng *rng)
{
    struct outcome *outcome = arena_alloc(&event->arena, sizeof(*outcome));
    if (!outcome)
        return NULL; /* as if its state had been lost: it runs again, from the store */
    *outcome = (struct outcome){ .reason = failure->reason,
                                 .text = keep_text(event, failure->text),
                                 .attempt = event->attempt + 1,
                                 .at_ms = now_ms,
                                 .generation = generation };
    try_again_or_end(outcome, route, 0, now_ms, rng);
    return outcome;
}

/* Everything but a handled event forgets its notes (rules.md 2.5). */
void outcome_settle(struct inside_run *inside, enum event_state state, enum run_reason reason, struct slice text,
                    uint64_t after_ms)
{
    struct outcome *outcome = inside->outcome;
    struct event *event = inside->run->event;
    outcome->state = state;
    outcome->reason = reason;
    outcome->text = keep_text(event, text);
    outcome->attempt = event->attempt + 1;
    outcome->at_ms = reason == RUN_OK ? 0 : clock_wall_ms();
    outcome->generation = inside->script->generation->number;
    if (state == EVENT_HANDLED)
        return;
    outcome_forget_notes(outcome);
    if (state == EVENT_WAITING)
        try_again_or_end(outcome, inside->run->route, after_ms, outcome->at_ms, &inside->script->config.ids->rng);
}
