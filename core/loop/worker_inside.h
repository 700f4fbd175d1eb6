/* worker_inside.h: the one struct of a worker, and what its files have from each other. Private to them.
 *
 *   worker.c         its thread, its rules, what main asks of it
 *   worker_wiring.c  its parts, and what they ask of each other
 *   worker_handing.c what belongs to another worker
 *   worker_notices.c on_error and on_dead
 *   worker_end.c     from the wish to end to the last closed handle
 *   trial.c          one without a thread, for trials of rules */
#ifndef TIDEWIRE_WORKER_INSIDE_H
#define TIDEWIRE_WORKER_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/rng.h"
#include "base/timer.h"
#include "base/uuid.h"
#include "deliver/deliver.h"
#include "deliver/fetcher.h"
#include "deliver/getter.h"
#include "deliver/sender.h"
#include "ingest/ingest.h"
#include "listen/listener.h"
#include "loop/last_words.h"
#include "loop/probation.h"
#include "loop/rerun.h"
#include "loop/rules.h"
#include "loop/worker.h"
#include "observe/counts.h"
#include "script/watchdog.h"

struct worker {
    struct worker_config config;
    pthread_t thread;
    uv_loop_t loop;
    struct handoff handoff;
    struct uuid_maker ids;
    struct rng rng;
    struct watchdog_slot *watchdog;
    struct counts *counts;
    struct rules *rules;
    uint32_t reads; /* values of kv that its handlers wait for */
    struct rerun *rerun;
    struct deliver *deliver;
    struct fetcher *fetcher;
    struct last_words *last_words;
    struct getter *getter;
    struct ingest *ingest;
    struct listener *listeners[LISTENERS_MAX];
    size_t listener_count;
    uv_timer_t tick;     /* moves the recorder's tick, flushes counts */
    uv_check_t turn;     /* end of a loop turn: log lines leave with one write */
    uv_timer_t draining; /* looks whether all is finished */
    uint64_t drain_until_ms;
    bool open;            /* the door was opened */
    atomic_uint awaiting; /* senders that wait for deliveries, wherever these are sent */
    bool doors_closed, closing;
    int closing_parts; /* close callbacks still to come */
};

/* What is not the world's own in a trial of rules (trial.c). */
struct worker_trial {
    struct stand_in network;
    struct stand_in gets;             /* answers what the router itself asks (deliver/getter.h) */
    struct timers *timers;            /* its loop's time stands still */
    struct coverage *coverage;        /* NULL: none */
    const char *peer;                 /* the address that connections of a UNIX socket have, looked at when one comes */
    const struct ingest_watch *watch; /* NULL: none */
};

/* ---- worker_wiring.c ---- */
/* rules, rerun, deliver and ingest, each knowing the others by what it may ask. */
void worker_make_parts(struct worker *worker);

/* A function of rules has failed: does that put its route or target on probation? */
void worker_charge(struct worker *worker, enum ward_kind kind, struct slice name, struct uuid event, enum run_reason reason);

/* ---- worker_notices.c; arg: the worker ---- */
const struct route *worker_route_of(void *arg, struct slice path); /* of the rules in force */
bool worker_can_tell(void *arg, const struct event *event, const struct outcome *outcome);
void worker_tell(void *arg, struct event *event, struct outcome *outcome);
bool worker_on_dead(void *arg, const struct deliver_dead *dead);
void worker_make_last_words(struct worker *worker);

/* ---- worker_handing.c; arg: the worker ---- */
/* An event waits for its handler: tells the worker whose share it is. */
void worker_note_waiting(struct worker *worker, const struct event *event, uint64_t due_ms);
/* A run waits: a new one is of this worker; a group of another is looked at when it is full. */
void worker_note_run(struct worker *worker, const struct run_note *run);
/* A fresh delivery whose target lives on another worker. */
void worker_hand_over_delivery(void *arg, uint32_t owner, struct event *event, struct new_delivery *delivery);
/* Where a sender may wait for it: at the worker that took its event. */
void worker_on_delivery_ended(void *arg, struct uuid event_id, struct slice target, enum delivery_state state);

/* ---- worker.c ---- */
void worker_on_rules_ready(void *arg, struct generation *generation, const char *error);
void worker_on_jumped(void *arg);
/* Its memory, its loop and its handoff; nothing of it runs yet. *out is set before anything can fail. */
enum result worker_new(const struct worker_config *config, struct worker **out) MUST_CHECK;
/* On its thread, with worker->watchdog set: parts and timers. Then its loop may run, until worker_end.c stops it. */
void worker_set_up(struct worker *worker);
/* After that. */
void worker_tear_down(struct worker *worker);

#endif
