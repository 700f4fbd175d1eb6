/* rules.h: a worker's generations: the one in force, and older ones whose handlers still wait. Worker thread only.
 *
 *   BUILDING --all files loaded--> CURRENT --a newer one is built--> ENDING --last waiting handler returned--> freed
 *
 * A state that had to be abandoned is replaced by a fresh one of the same generation, built the same way. */
#ifndef TIDEWIRE_RULES_H
#define TIDEWIRE_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/result.h"
#include "ingest/ingest.h"
#include "model/generation.h"
#include "script/script.h"

struct coverage;
struct rules;

enum {
    RULES_ALIVE_MAX = 3, /* generations in one worker; a fourth ends the waits of the oldest */
    RULES_SLICE_MS = 5,  /* of building, per loop turn */
};

struct rules_config {
    uv_loop_t *loop;
    struct uuid_maker *ids;
    uint32_t worker, workers;
    struct watchdog_slot *slot;
    struct store *store; /* these three as in script.h */
    struct handoff *handoff;
    uint32_t *reads;
    struct coverage *coverage; /* of script.h */
    /* A generation came into force, or could not be built (then `error` says why and the former one stays). */
    void (*on_ready)(void *arg, struct generation *generation, const char *error);
    void (*on_ended)(void *arg, const struct run *run, const struct outcome *outcome); /* of script.h, with the next three */
    const char *(*fetch)(void *arg, struct fetch *fetch);
    void (*fetch_cancel)(void *arg, struct fetch *fetch);
    void (*on_fetched)(void *arg, const struct run *run, const struct fetch_record *record);
    enum result (*on_metric)(void *arg, const struct metric_note *note); /* of script.h */
    /* A state was left by a jump: what it leaves behind is never given back. */
    void (*on_jumped)(void *arg);
    void *arg;
};

struct rules *rules_new(const struct rules_config *config);
/* Builds in slices; a newer one that is asked for meanwhile comes after it. */
void rules_load(struct rules *rules, struct generation *generation);
/* NULL until the first generation is built. */
const struct ingest_rules *rules_current(const struct rules *rules);
/* false while an abandoned state is being replaced, for some milliseconds, or while handlers that wait hold half of its memory:
 * nothing can be run now. */
bool rules_can_run(const struct rules *rules);
enum run_state rules_run(struct rules *rules, struct run *run);
/* Ends a run that waits, without its on_done. */
void rules_cancel(struct rules *rules, struct run *run);
enum result rules_when(struct rules *rules, const struct route *route, struct event *event, bool on_probation, bool *holds,
                       struct script_failure *failure);
enum result rules_key(struct rules *rules, const struct route *route, enum key_question what, struct event *event,
                      struct slice *key, struct script_failure *failure);
/* failure->text lies in the arena. ERR_FULL: there is no state to ask just now. */
enum result rules_success(struct rules *rules, const struct target *target, const struct script_answer *answer,
                          struct arena *arena, bool *success, struct script_failure *failure);
/* ERR_FULL: as there. */
enum result rules_tell(struct rules *rules, const struct script_notice *notice, struct script_failure *failure);
/* Handlers that wait, in all generations. */
uint32_t rules_waiting(const struct rules *rules);
/* The one in force, and older ones whose handlers wait. */
uint32_t rules_alive(const struct rules *rules);
uint64_t rules_memory(const struct rules *rules); /* bytes of all their states */
/* Replaces a state that was abandoned, frees ended generations; once per loop turn. */
void rules_sweep(struct rules *rules);
/* Ends all waits: their events run again from the store. */
void rules_end_waits(struct rules *rules);
/* Nothing waits any more. */
void rules_free(struct rules *rules, void (*on_closed)(void *arg));

#endif
