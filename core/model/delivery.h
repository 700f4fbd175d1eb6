/* delivery.h: one event owed to one target, as the store knows it. */
#ifndef TIDEWIRE_DELIVERY_H
#define TIDEWIRE_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/uuid.h"

enum delivery_state {
    DELIVERY_WAITING = 0,
    DELIVERY_DELIVERED = 1,
    DELIVERY_DEAD = 2,
    DELIVERY_DISCARDED = 3,
    DELIVERY_RECORDED = 4, /* the target records instead of sending: its secret is not set, or --dry-run */
};

/* A delivery that a handler noted and the store is to insert. Everything points into the event's arena. */
struct new_delivery {
    struct new_delivery *next; /* in the order of `send` */
    struct uuid id;
    struct slice target;    /* by name */
    struct slice order_key; /* "" : none */
    struct slice fixed_id;  /* `id` in the message: goes out as idempotency-key in place of id; "" : none */
    struct slice message;   /* blob of message.h */
    uint16_t shard;
    uint64_t due_ms;           /* wall clock */
    uint64_t not_before_ms;    /* wall clock, from the message's `delay` or `at`; 0: none. `within` counts from here */
    int64_t seq;               /* set by the store */
    enum delivery_state state; /* DELIVERY_WAITING, or DELIVERY_RECORDED from the start */
    bool notice;               /* sent by on_error or on_dead: its own end is told to nobody */
};

/* A waiting delivery as the reader loads it into a window, without its event. Owned block, mem_free. */
struct waiting_delivery {
    int64_t seq;
    struct uuid id;
    struct uuid event_id;
    int64_t event_seq;
    uint64_t since_ms; /* `within` counts from here: the event came, or the message was to go out */
    uint64_t due_ms;
    uint32_t attempts; /* that ended */
    uint16_t shard;
    struct slice target, route, order_key, fixed_id;
    bool notice;
};

/* What a target says of an answer. */
enum judgement { JUDGED_FAILURE, JUDGED_SUCCESS, NOT_JUDGED /* `success` could not be asked: it is tried again */ };

/* Fresh deliveries stay with the worker that ran their handler: each gets one of its shards, by its id; but those with an order
 * key, which gives its shard, so that all of one key are of one worker (design.md, "Every delivery has a shard"). */
void delivery_give_shards(struct new_delivery *list, uint32_t worker, uint32_t workers);
const char *delivery_state_name(enum delivery_state state);

#endif
