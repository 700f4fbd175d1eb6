/* worker.h: one thread with its own loop, listening sockets, connections, Lua states, libcurl transfers and timers. The wiring of
 * listen, ingest, rules, rerun and deliver; nothing of the way of an event is decided here. */
#ifndef TIDEWIRE_WORKER_H
#define TIDEWIRE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "http/request.h"
#include "loop/handoff.h"
#include "model/generation.h"
#include "script/script.h"
#include "store/store.h"
#include "super/recorder.h"

struct counts;
struct probation;
struct worker;
struct worker_trial;

enum {
    LISTENERS_MAX = 16,
    WORKER_STACK_BYTES = 8 << 20,
    WORKER_GUARD_BYTES = 1 << 20, /* wide: one frame can skip a page */
    WORKER_TICK_MS = 500,
};

/* What a worker tells main, on main's thread, through main's handoff. */
struct worker_notice {
    struct handed handed;
    struct worker *worker;
    enum { WORKER_READY, WORKER_RULES, WORKER_JUMPED /* a Lua state was left by a jump */, WORKER_DRAINED } kind;
    struct generation *generation; /* WORKER_RULES: counted */
    char error[512];               /* WORKER_RULES: why they could not be built; "" */
};

struct worker_config {
    uint32_t index, count;
    struct worker **all;  /* count workers, for deliveries that belong to another one; filled before the first thread starts */
    const int *listeners; /* listening sockets of this worker; not owned */
    size_t listener_count;
    struct store *store;
    const char *ca_file, *connect_to; /* of getter_world (deliver/getter.h) */
    uint32_t connections_max;
    struct body_budget *budget; /* of all workers */
    struct recorder_slot *slot;
    struct probation *probation;              /* of all workers */
    struct handoff *main;                     /* where notices go */
    void (*on_notice)(struct handed *handed); /* set as handed.run; frees the notice */
    void *owner;                              /* the server, for on_notice */
    const struct worker_trial *trial;         /* trial.h; NULL: this one is in earnest */
};

/* Main thread. The thread waits for the first worker_load. */
enum result worker_start(const struct worker_config *config, struct worker **out) MUST_CHECK;
void *worker_owner(const struct worker *worker);
uint32_t worker_index(const struct worker *worker);
/* Any thread: build these rules and put them into force; comes back as WORKER_RULES. The first one also opens the door. */
void worker_load(struct worker *worker, struct generation *generation);
/* Any thread: take nothing new, finish what is in flight for at most drain_ms; comes back as WORKER_DRAINED. */
void worker_drain(struct worker *worker, uint64_t drain_ms);
/* Any thread: the same for a server that is replaced: nobody is refused. What is open is answered, idle connections are closed a
 * moment later, new ones wait in the supervisor's sockets for the next server. */
void worker_hand_over(struct worker *worker, uint64_t drain_ms);
/* Main thread, after WORKER_DRAINED: the thread has ended. */
void worker_join(struct worker *worker);

/* Any thread: counts of this worker as JSON, brought to main: request->json is filled on the worker's thread, then on_done runs
 * on main's. */
struct worker_counts {
    struct handed handed;
    struct worker *worker;
    struct buf json;     /* {"requests":[…],"targets":[…],"waiting_handlers":N,"generations_alive":N,"lua_memory":N} */
    struct counts *copy; /* the asker's (counts_free) */
    uint64_t lua_memory; /* bytes */
    void (*on_done)(struct worker_counts *counts);
    void *owner;
};
void worker_ask_counts(struct worker *worker, struct worker_counts *counts);
/* Any thread: an event that is this worker's share (event_worker) waits in the store, and is due then. */
void worker_look(struct worker *worker, uint64_t due_ms);

#endif
