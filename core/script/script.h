/* script.h: Lua, contained. One struct script is one Lua state: a worker's for one generation, or the scratch in which main
 * checks a new generation, or the one of the command line. All functions run on the thread that made it. */
#ifndef TIDEWIRE_SCRIPT_H
#define TIDEWIRE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/result.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "model/event.h"
#include "model/fetch.h"
#include "model/generation.h"
#include "model/outcome.h"

struct coverage;
struct handoff;
struct metric_note;
struct script;
struct store;
struct run;
struct lua_State;

struct script_config {
    uv_loop_t *loop;               /* timers of `sleep`; NULL for a scratch: waiting is then an error */
    struct generation *generation; /* counted; NULL while the scratch builds one */
    uint64_t memory;               /* bytes of a state without a generation; with one its limits hold */
    struct uuid_maker *ids;        /* of the worker, for deliveries and runs; borrowed */
    uint32_t worker, workers;      /* whose runs they are: event_id_make */
    struct watchdog_slot *slot;    /* watchdog.h; NULL: no time limit (command line) */
    struct coverage *coverage;     /* coverage.h; NULL: nobody asks which lines were run */
    /* Where `kv` is kept; a worker has all three. What its runs read comes back through the handoff, also after the script has
     * ended: *reads counts what is on its way. */
    struct store *store;
    struct handoff *handoff;
    uint32_t *reads;
    /* Before each run's on_done, with its cost; NULL: nobody counts. outcome as there. */
    void (*on_ended)(void *arg, const struct run *run, const struct outcome *outcome);
    /* Who asks other servers for handlers; all three or, where nothing can be asked, none. fetch: NULL, or why it can never be
     * asked (then it was not taken); on_done is never called from inside it. on_fetched: how one has ended. */
    const char *(*fetch)(void *arg, struct fetch *fetch);
    void (*fetch_cancel)(void *arg, struct fetch *fetch);
    void (*on_fetched)(void *arg, const struct run *run, const struct fetch_record *record);
    /* metric.* in a handler; the note is borrowed. ERR_INVALID: its name stands for another kind. NULL: nobody counts. */
    enum result (*on_metric)(void *arg, const struct metric_note *note);
    void *arg;
};

/* An empty state with the closed environment, rules not loaded yet. ERR_MEMORY. */
enum result script_new(const struct script_config *config, struct script **out) MUST_CHECK;
/* Loads the generation's files, at most `slice_ms` of work per call: ERR_FULL: call again; OK: ready; ERR_SCRIPT: script_error
 * says what (cannot happen for a generation that main has checked, but for limits). */
enum result script_load(struct script *script, uint32_t slice_ms) MUST_CHECK;
const char *script_error(const struct script *script);
/* Ends what waits (their on_done is called with outcome NULL: run them again, uncounted) and frees the state. Not from inside a
 * run. */
void script_free(struct script *script);

/* Ends what waits, in the same way; the state stays. Not from inside a run. */
void script_end_waits(struct script *script);

struct generation *script_generation(const struct script *script);
uint32_t script_waiting(const struct script *script); /* runs that wait */
size_t script_memory(const struct script *script);

/* ---- runs ---- */

enum { PROBATION_CPU_MS = 20, PROBATION_GRACE_MS = 5 };

/* One run of a handler. In the caller's memory until on_done. */
struct run {
    struct event *event;       /* counted by the caller until on_done */
    const struct route *route; /* of the script's generation */
    bool on_probation;         /* at most PROBATION_CPU_MS of processor time */
    struct run_cost cost;      /* valid in on_done */
    /* Called once, when it ended: outcome lies in the event's arena; NULL: it has to run again without a counted try (its state
     * was abandoned or freed for another's fault). May be called from inside script_run. */
    void (*on_done)(struct run *run, struct outcome *outcome);
    void *owner;
    /* the rest is the script's */
    struct run *next, *prev;
    void *inside;
};

enum run_state { RUN_ENDED, RUN_WAITS };
/* Starts the handler. RUN_ENDED: on_done was called. RUN_WAITS: it will be, later, from the loop. */
enum run_state script_run(struct script *script, struct run *run);
/* Ends a run that waits, in whichever state it waits, without on_done. */
void script_cancel(struct run *run);

/* ---- functions without actions: `when`, `dedupe`, `order_by`, `success`. ERR_SCRIPT: it failed. ERR_FULL: others' memory was in
 * the way; ask later, and another state if this one is lost ---- */
struct script_failure {
    enum run_reason reason;
    struct slice text; /* "rules/x.lua:3: …", in the event's arena (in `arena` for success) */
};
enum result script_when(struct script *script, const struct route *route, struct event *event, bool on_probation, bool *holds,
                        struct script_failure *failure) MUST_CHECK;
/* What one of the two functions gives. key: in the event's arena; data NULL: no key. */
enum key_question { ASK_DEDUPE, ASK_ORDER };
enum result script_key(struct script *script, const struct route *route, enum key_question what, struct event *event,
                       struct slice *key, struct script_failure *failure) MUST_CHECK;
struct script_answer {
    uint16_t status;
    struct slice body, content_type;
    const struct pair *headers;
    size_t header_count;
};
enum result script_success(struct script *script, const struct target *target, const struct script_answer *answer,
                           struct arena *arena, bool *success, struct script_failure *failure) MUST_CHECK;

/* ---- on_error, on_dead: they hear of a failure, and may send and keep values ---- */
struct script_dead {
    struct uuid id;
    struct slice target;
    uint32_t attempts;
    uint16_t status; /* of the last answer; 0: none */
};
struct script_notice {
    const struct route *route;      /* of the script's generation */
    const char *function;           /* "on_error", "on_dead" */
    struct event *event;            /* indexed */
    struct slice why;               /* "error: rules/x.lua:3: …", "answered 503" */
    const struct script_dead *dead; /* a delivery that was given up; NULL: it is the event */
    struct outcome *outcome;        /* in the event's arena; what is noted comes to it, unless the function fails */
};
/* ERR_SCRIPT: it failed; its text lies in the event's arena. ERR_FULL: there is no state to ask. */
enum result script_tell(struct script *script, const struct script_notice *notice, struct script_failure *failure) MUST_CHECK;

/* A failed try that no handler made (`when` raised, the server fell while it ran) as an outcome, by the route's retry policy; in
 * the event's arena, NULL without memory. route NULL: it is gone, and the event waits on. */
struct outcome *script_failed_outcome(const struct route *route, struct event *event, uint32_t generation,
                                      const struct script_failure *failure, uint64_t now_ms, struct rng *rng);
/* Does a run that failed so put its route nearer to probation? */
bool script_is_costly(enum run_reason reason);

/* Was the state abandoned by the last call (script_run, script_when, …)? Then nothing may be asked of it but script_free, and
 * the worker makes a fresh one of the same generation. */
bool script_is_abandoned(const struct script *script);
/* It was left by a jump, whose machine code stays mapped for ever. */
bool script_was_jumped(const struct script *script);
/* false: runs that wait hold so much of the state that no other should be started now. */
bool script_has_room(const struct script *script);

#endif
