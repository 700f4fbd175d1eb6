/* ingest.h: from a request to a stored event and its answer. One per worker, on its thread.
 *
 *   on_head ── no route, method, address, size, pressure ──> refused
 *   on_request ── verify, decode ──> refused │ when ──> ignored │ dedupe ──> duplicate, or waits for the first one's commit
 *        └─> handler ──returns──> ONE commit of event + outcome + deliveries + keys ──> answer, deliveries offered
 *                   └──waits──> commit of the event ──> answer …… handler returns ──> second commit (rerun.h)
 *                                 with ack = "handled":  …… handler returns ──> second commit ──> answer (waiting.c)
 */
#ifndef TIDEWIRE_INGEST_H
#define TIDEWIRE_INGEST_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/rng.h"
#include "base/uuid.h"
#include "ingest/verify.h"
#include "listen/listener.h"
#include "model/get.h"
#include "model/event.h"
#include "model/generation.h"
#include "model/outcome.h"
#include "observe/counts.h"
#include "script/script.h"
#include "store/dedupe.h"
#include "store/store.h"

struct handoff;
struct ingest;

enum {
    INGEST_WAITING_MAX = 10000, /* handlers that wait, per worker; past it an event is stored first and run later */
    DEDUPE_WAIT_MS = 10000,     /* how long a repetition waits for the first one's commit before 503 */
    KEY_WAIT_MS = 6000,         /* the same for the key that a sender signs with (GET_TIMEOUT_MS is less) */
    RETRY_AFTER_S = 5,
};

/* What the worker's present rules are to a request. Borrowed for the call; hold with `hold` for longer. */
struct ingest_rules {
    struct generation *generation;
    struct verifier *const *verifiers; /* by route index */
};

/* What ingest needs of its worker; all on the worker's thread. */
struct ingest_worker {
    const struct ingest_rules *(*rules)(void *arg);
    enum run_state (*run)(void *arg, struct run *run);
    void (*cancel)(void *arg, struct run *run); /* of a run that waits, whose event could not be stored */
    bool (*can_run)(void *arg);                 /* false: for some milliseconds there is no Lua state */
    bool (*may_wait)(void *arg);                /* room for one more handler that waits */
    /* true: run its events only after their commit, and ask none of the route's functions before (design.md, "Who pays"). */
    bool (*store_first)(void *arg, const struct route *route);
    enum result (*when)(void *arg, const struct route *route, struct event *event, bool *holds, struct script_failure *failure);
    enum result (*key)(void *arg, const struct route *route, enum key_question what, struct event *event, struct slice *key,
                       struct script_failure *failure);
    /* A function of the route failed before the event was stored. */
    void (*on_failed)(void *arg, const struct route *route, const struct event *event, enum run_reason reason);
    /* A try has failed: can its route hear of it now (false: for some milliseconds there is no state to ask)? And then what
     * on_error and on_dead send comes to the outcome. */
    bool (*can_tell)(void *arg, const struct event *event, const struct outcome *outcome);
    void (*tell)(void *arg, struct event *event, struct outcome *outcome);
    /* Sends the messages of an event that is not written (deliver.h, deliver_offer_unwritten). */
    bool (*send_unwritten)(void *arg, struct event *event, struct outcome *outcome);
    /* The commit is on disk; the event is borrowed for the call. */
    void (*on_stored)(void *arg, struct event *event, struct outcome *outcome);
    /* Of an event whose handler waits: from `hold`, before its commit, nobody else runs it. After the commit `held_stored`, then
     * exactly one settle (outcome NULL: run it again); or `forget`: it is not stored, or to be run from the store. */
    void (*hold)(void *arg, struct event *event);
    void (*held_stored)(void *arg, struct event *event);
    void (*forget)(void *arg, struct event *event);
    void (*settle)(void *arg, struct event *event, struct outcome *outcome);
    /* Stored, not run: it is due now. */
    void (*run_later)(void *arg, struct event *event);
    /* Asks an address for the router itself; false: not now, and nothing follows. */
    bool (*get)(void *arg, struct get *get);
    void *arg;
};

/* Who explains what becomes of a request (cli/explained.h) looks on; all is borrowed for the call. */
struct ingest_watch {
    void (*on_event)(void *arg, const struct route *route, const struct event *event); /* verified, decoded; `when` comes next */
    void (*on_key)(void *arg, const struct event *event, struct slice key);            /* of `dedupe`, before it is claimed */
    void *arg;
};

struct ingest_config {
    uv_loop_t *loop;
    struct store *store;
    struct handoff *handoff;
    struct counts *counts;
    struct uuid_maker *ids;
    struct rng *rng;
    uint32_t worker, workers;
    const char *ca_file;   /* authorities for senders' certificates, for tests; NULL: the system's */
    atomic_uint *awaiting; /* how many of its senders wait for deliveries, or are about to; any worker reads it */
    struct ingest_worker to;
    const struct ingest_watch *watch; /* NULL: nobody looks on */
};

struct ingest *ingest_new(const struct ingest_config *config);
/* The listener's callbacks; arg is the struct ingest. */
struct listener_callbacks ingest_callbacks(struct ingest *ingest);
/* From now on 503 with Connection: close. */
void ingest_drain(struct ingest *ingest);
/* ---- for senders that wait for the end of their event's handler (ack = "handled"), or of its deliveries; nothing to do for
 * other events ---- */
/* The outcome of a stored event is about to be committed. Where its sender waits for the handler a failed try becomes the last
 * one. */
void ingest_settling(struct ingest *ingest, struct store_settle *settle, struct outcome *outcome);
/* It is on disk; or it could not be written. */
void ingest_settled(struct ingest *ingest, struct event *event, const struct outcome *outcome);
void ingest_not_settled(struct ingest *ingest, struct event *event);
/* With ack = "delivered": a delivery of this event has ended, on whichever worker; target: by name, borrowed. */
void ingest_delivery_ended(struct ingest *ingest, struct uuid event_id, struct slice target, enum delivery_state state);
/* They get the static reply: all of them, or those without a handler that runs. */
void ingest_answer_waiting(struct ingest *ingest, bool all);
/* Requests on their way to an answer, or to the end of their commit. */
uint32_t ingest_in_flight(const struct ingest *ingest);
/* Nothing is in flight. */
void ingest_free(struct ingest *ingest);

#endif
