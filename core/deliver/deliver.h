/* deliver.h: one worker's delivery engine. What waits is on disk; memory holds a window per target.
 *
 *   WAITING ----due, and rate, concurrency, room----> LOADING (its bytes, from the store) ----> SENDING ----answer----> RECORDING
 *    ^  ^----------- due again, recorded --------------------------------------------------------------------------------|
 *    '-- window read from the store                                              delivered or dead, recorded: forgotten <-'
 *
 * Of an event that keeps nothing (deliver_offer_unwritten) the first attempt ends in ENDED instead: delivered, it is forgotten;
 * else the event is written, and the result after it.
 *
 * Nothing is written when an attempt starts; each end of one is a store_result, for which room is taken before it starts.
 * Delivery is at least once: a crash between the answer and its record repeats the attempt, with the same id. */
#ifndef TIDEWIRE_DELIVER_H
#define TIDEWIRE_DELIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/rng.h"
#include "model/attempt.h"
#include "model/delivery.h"
#include "model/event.h"
#include "model/generation.h"
#include "model/target_now.h"
#include "store/store.h"

struct deliver;
struct fetcher;
struct stand_in;

enum {
    WINDOW_MAX = 256,    /* deliveries of one target in memory */
    TRANSFERS_MAX = 512, /* under way, all targets of this worker */
};

/* An attempt ended, for logs and counts. Borrowed for the call. */
struct deliver_report {
    struct slice route, target;
    struct uuid event_id, delivery_id;
    const struct attempt *attempt;
    enum delivery_state state;
    uint64_t since_ms; /* when it could have gone first */
    uint64_t due_ms;   /* when it is tried again */
    struct slice reason;
};

/* The answer of a target, for a `success` function. */
struct deliver_answer {
    struct uuid event_id; /* of the message it answers */
    uint16_t status;
    struct slice body, content_type;
};

/* A delivery is given up, which is not written yet. Borrowed for the call. */
struct record;
struct deliver_dead {
    struct record *record; /* for deliver_told */
    struct slice route, target, why;
    struct uuid event_id, delivery_id;
    int64_t event_seq;
    uint32_t attempts;
    uint16_t status; /* of the last answer; 0: none */
};

struct deliver_config {
    uv_loop_t *loop;
    struct store *store;
    uint32_t worker, workers;
    /* An operation of ours came back, on the store's thread: bring it to this worker's thread and call deliver_on_store_done
     * there. */
    store_done on_store_done;
    /* A fresh delivery whose target lives on another worker. */
    void (*hand_over)(void *arg, uint32_t worker, struct event *event, struct new_delivery *delivery);
    enum judgement (*judge)(void *arg, const struct target *target, const struct deliver_answer *answer);
    void (*on_attempt)(void *arg, const struct deliver_report *report);
    /* A delivery has ended, and that is on disk; not of notices. Slices are borrowed for the call. */
    void (*on_ended)(void *arg, struct uuid event_id, struct slice target, enum delivery_state state);
    /* Of a route with on_dead. true: deliver_told or deliver_untold follows, and the end is written then; false: not now. */
    bool (*on_dead)(void *arg, const struct deliver_dead *dead);
    const struct stand_in *stand_in; /* of sender.h; NULL: the network */
    struct fetcher *fetcher;         /* for access tokens; outlives the engine */
    void *arg;
};

struct deliver *deliver_new(const struct deliver_config *config);
/* Which deliver an operation belongs to is its first owner's: op->owner is ours; this gives the config.arg of its engine. Any
 * thread. */
void *deliver_arg_of(const struct store_op *op);
void deliver_on_store_done(struct store_op *op);
/* Targets keep what waits, their limits and their place by name. */
void deliver_set_generation(struct deliver *deliver, struct generation *generation);
/* Begins to read what waits for every target of the generation. */
void deliver_start(struct deliver *deliver);
/* A committed delivery of a committed event. delivery lies in the event's arena. */
void deliver_offer(struct deliver *deliver, struct event *event, struct new_delivery *delivery);
/* An event that is not stored as yet, answered already (ack = "received", keep = false): its messages are sent from memory, and
 * it is written only if one of them has to wait. true: taken, with the caller's ROOM_EVENT; outcome lies in the event's arena.
 * false: something of it would have to wait now, the caller commits it. */
bool deliver_offer_unwritten(struct deliver *deliver, struct event *event, struct outcome *outcome);
/* What on_dead sends, in the event's arena, is written with the delivery's end, and then offered. event NULL: nothing. */
void deliver_told(struct record *record, struct event *event, struct outcome *says);
/* It cannot be told any more: it stays waiting in the store, and its last attempt is made again. */
void deliver_untold(struct record *record);
/* No new attempts. */
void deliver_drain(struct deliver *deliver);
/* Nothing is under way, and the store has nothing of ours. */
bool deliver_is_idle(const struct deliver *deliver);
/* Something is to be started before the loop sleeps. */
bool deliver_has_work(const struct deliver *deliver);
/* Ends what is under way; it stays waiting on disk. true: idle now (the store may still have something: then false). */
bool deliver_abort(struct deliver *deliver);
/* Each target that was ever sent to. */
void deliver_each_now(const struct deliver *deliver, void (*each)(void *arg, const struct target_now *now), void *arg);
/* [{"target":…,"waiting":…,"sending":…,"delivered":…,"dead":…,"retries":…}] */
void deliver_write_json(const struct deliver *deliver, struct buf *out);
/* Idle. on_closed from the loop. */
void deliver_free(struct deliver *deliver, void (*on_closed)(void *arg), void *arg);

#endif
