/* outcome.h: what one run of a handler came to. Lives in the event's arena. */
#ifndef TIDEWIRE_OUTCOME_H
#define TIDEWIRE_OUTCOME_H

#include <stdint.h>

#include "base/slice.h"
#include "model/delivery.h"
#include "model/event.h"
#include "model/fetch.h"
#include "model/kv_note.h"
#include "model/response.h"
#include "model/run_note.h"

/* Why a run failed; one list everywhere (design.md "States"). */
enum run_reason { RUN_OK = 0, RUN_ERROR, RUN_RETRY, RUN_CPU, RUN_WAIT, RUN_MEMORY, RUN_STACK, RUN_CRASH, RUN_REASONS };

/* What a run has cost. */
struct run_cost {
    uint64_t cpu_ns;  /* in Lua, all its stretches */
    uint64_t wall_ns; /* from start to end, waits included */
    uint64_t memory;  /* bytes, the most that it held */
};

struct outcome {
    enum event_state state;          /* EVENT_WAITING: the run failed and is tried again at due_ms */
    enum run_reason reason;          /* RUN_OK unless the run failed */
    struct slice text;               /* why it was dropped, or failed: the error with file:line; "" */
    uint64_t at_ms;                  /* wall clock: when the run failed */
    uint64_t due_ms;                 /* wall clock; only with EVENT_WAITING */
    uint32_t attempt;                /* tries that ended, this one counted */
    uint32_t generation;             /* the rules it ran with */
    struct new_delivery *deliveries; /* in order; of a failed try: what on_error and on_dead sent */
    uint32_t delivery_count;
    struct fetch_record *fetches; /* what it asked of others, in order, the first FETCH_RECORDS_MAX; also of a run that failed */
    const struct response *response; /* what `respond` said; NULL: nothing */
    struct kv_note *kv;              /* what it changes; of a failed try: what on_error and on_dead change */
    struct run_note *runs;           /* in order; only of a handled event */
    bool unsaid; /* says the commit: another has changed kv, so what on_error and on_dead noted was forgotten, not written */
};

/* What the log says of `unsaid`. */
#define OUTCOME_UNSAID "another event has changed kv meanwhile: nothing that it noted was written"

/* What it has sent and wants to keep or to start. */
void outcome_forget_notes(struct outcome *outcome);

/* "", "error", "retry", "cpu", "wait", "memory", "stack", "crash" */
const char *run_reason_name(enum run_reason reason);
const char *event_state_name(enum event_state state);

#endif
