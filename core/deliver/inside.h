/* inside.h: what the parts of the engine share. Private to this folder. One thread, the worker's.
 *
 *   deliver.c    what comes in, what may start now, generations, life
 *   queue.c      one target's records in memory, and its window on the store
 *   attempt.c    from the bytes of a message to the record of how its attempt ended
 *   order.c      which delivery of an order key is next
 *   unwritten.c  events that are written only if something of them has to wait */
#ifndef TIDEWIRE_DELIVER_INSIDE_H
#define TIDEWIRE_DELIVER_INSIDE_H

#include "base/arena.h"
#include "base/timer.h"
#include "deliver/deliver.h"
#include "deliver/breaker.h"
#include "deliver/due_heap.h"
#include "deliver/limiter.h"
#include "deliver/sender.h"
#include "deliver/tokens.h"

enum {
    ENDED_MAX = 512,
    WAIT_FOR_ROOM_MS = 50,
    READ_AGAIN_MS = 1000,
    SECRET_AGAIN_MS = 60000,      /* a secret without a value: tried again, uncounted */
    WAITING_BYTES_MAX = 32 << 20, /* all workers together: what waits behind that is loaded when its turn comes */
    SENDING_BYTES_MAX = 64 << 20, /* the same: beyond, each target has one attempt at a time */
};

enum record_state {
    RECORD_WAITING,
    RECORD_LOADING,
    RECORD_SENDING,
    RECORD_ENDED, /* its event is not written yet: the result waits for that, or for nothing */
    RECORD_RECORDING,
};

/* One delivery in memory. */
struct record {
    struct queue *queue;
    struct record *next, *prev; /* all records of the queue */
    enum record_state state;
    int64_t seq, event_seq; /* 0 as long as unwritten */
    struct uuid id, event_id;
    uint64_t since_ms, due_ms; /* since_ms: `within` counts from here */
    uint32_t attempts;         /* that ended */
    char *fixed_id;            /* owned; NULL: none */
    char *order_key;           /* owned; NULL: none */
    bool followed;             /* with a key: another of it waits in the store, or may */
    struct event *event;       /* counted: while its bytes are in memory */
    size_t *bytes_in;          /* the sum that event's bytes are part of; NULL: none */
    struct slice message;      /* in the event's arena, or in read.arena */
    struct arena arena;        /* of the attempt under way */
    struct transfer *transfer;
    struct token_wait *token_wait; /* in the arena; NULL: it waits for no access token */
    uint32_t token_serial;         /* of the token that it was sent with; 0: none */
    bool token_renewed;            /* in this attempt: once is enough */
    bool has_room, probe;          /* of its queue's breaker */
    bool notice;                   /* of on_error or on_dead */
    bool tells;                    /* its end is to be told to on_dead */
    struct slice route;            /* then; in the arena `kept` */
    struct arena kept;             /* until it is recorded */
    struct event *says_event;      /* counted: whose arena has what on_dead sent */
    struct unwritten *unwritten;   /* NULL: it is in the store */
    struct record *sibling;        /* of the same unwritten event */
    struct new_delivery *delivery; /* with unwritten */
    struct store_read_delivery read;
    struct store_result result;
    char *result_memory; /* owned */
};

/* All of one target in this worker. Lives as long as the engine: it is found by name. */
struct queue {
    struct queue *next;
    struct deliver *deliver;
    char *name;                  /* owned */
    const struct target *target; /* of the present generation; NULL: the name is gone */
    struct due_heap waiting;     /* records */
    struct record *records;      /* all that are in memory, waiting or under way */
    size_t held;                 /* their number */
    uint32_t sending;            /* loading or sending */
    struct limiter limiter;
    struct breaker breaker;
    bool awake; /* in deliver->awake: something of it may start */
    struct queue *next_awake;
    bool more_in_store, reading;
    bool more_came;           /* to the store, since the window that is being read was asked for */
    int64_t ended[ENDED_MAX]; /* since then: a window that is older may still have them */
    size_t ended_count;       /* may pass ENDED_MAX: then such a window is of no use */
    int64_t window_seq;       /* the greatest that a window brought */
    uint64_t store_due_ms;    /* wall clock: when to look into the store again */
    struct store_read_window window;
    uint64_t delivered, dead, retries, breaker_openings;
};

struct deliver {
    struct deliver_config config;
    struct sender *sender;
    struct tokens *tokens;
    struct generation *generation; /* counted */
    struct queue *queues, *awake;
    struct queue **by_target;     /* owned; of the generation's targets, by their index */
    struct unwritten *unwritable; /* the disk was full: tried again */
    struct timer timer;
    uv_prepare_t before_sleep;
    struct rng rng;
    uint32_t under_way, in_store; /* attempts; operations the store has */
    /* Bodies in memory, of records that wait and of attempts; one that several records share counts for each. */
    size_t waiting_bytes, sending_bytes;
    bool crowded;    /* something did not start for want of them, or of transfers: the end of any attempt wakes all */
    uint32_t offers; /* since the last turn */
    bool started, draining;
    int closing_parts;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

/* ---- deliver.c ---- */
/* What waits is looked at before the loop sleeps. */
void queue_wake(struct queue *queue);
void deliver_wake_in(struct deliver *deliver, uint64_t wait_ms);
/* Something new waits. From time to time what targets have answered is taken at once: else a burst of events would let those that
 * came in first wait for the whole of it. */
void deliver_offered(struct deliver *deliver);
/* wall_ms: UINT64_MAX: never. */
void deliver_wake_at(struct deliver *deliver, uint64_t wall_ms);

/* ---- queue.c ---- */
struct queue *queue_find(const struct deliver *deliver, struct slice name);
struct queue *queue_need(struct deliver *deliver, struct slice name);
/* All its records must be free to go. */
void queue_free(struct queue *queue);
/* Which worker sees to this delivery: that of a target that lives whole on one, of its order key, or this one. */
uint32_t queue_owner(const struct queue *queue, const struct new_delivery *delivery);
/* Does this worker see to this target at all? */
bool queue_is_ours(const struct queue *queue);
uint32_t queue_concurrency(const struct queue *queue);
bool queue_holds(const struct queue *queue, int64_t seq);
/* Something waits on disk that is not here. */
void queue_note_in_store(struct queue *queue, uint64_t due_ms);
/* Asks for the next window when this one is half empty. */
void queue_refill(struct queue *queue);
void queue_on_window(struct queue *queue);

/* ---- queue.c, one record ---- */
/* May this much more wait in memory? */
bool record_bytes_fit(const struct deliver *deliver, size_t bytes);
/* row: as the store has it; its slices are copied. */
struct record *record_new(struct queue *queue, const struct waiting_delivery *row);
/* A delivery of an event that is in memory, without its bytes. */
struct record *record_of(struct queue *queue, const struct event *event, const struct new_delivery *delivery);
/* Takes a reference; bytes_in: waiting_bytes or sending_bytes. */
void record_keep_bytes(struct record *record, struct event *event, struct slice message, size_t *bytes_in);
/* From waiting to sending. */
void record_bytes_leave(struct record *record);
void record_free(struct record *record);
void record_wait(struct record *record);
void record_wait_until(struct record *record, uint64_t due_ms);
void record_forget_bytes(struct record *record);

/* ---- order.c ---- */
/* A delivery with an order key, committed: it comes into memory when its turn comes. */
void order_offer(struct queue *queue, const struct event *event, const struct new_delivery *delivery);
/* Its delivery has ended, or it is none's: which is the first of its key now? The record goes when that is known. */
void order_ask_next(struct record *record);
void order_on_answer(struct store_op *op);

/* ---- attempt.c ---- */
/* Room for its result is taken. */
void attempt_start(struct record *record);
/* It ends without a word on its target. */
void attempt_forget_probe(struct record *record);
void attempt_on_loaded(struct record *record);
void attempt_submit_result(struct record *record);
void attempt_on_recorded(struct record *record);

/* ---- unwritten.c ---- */
/* The first attempt of one of its deliveries has ended. */
void unwritten_ended(struct record *record);
/* Something of it has to wait. */
void unwritten_write(struct unwritten *unwritten);
void unwritten_write_waiting(struct queue *queue);
void unwritten_on_written(struct unwritten *unwritten);
struct deliver *unwritten_owner(const struct unwritten *unwritten);
void unwritten_try_again(struct deliver *deliver);
/* What could not be written until the end is lost, and said. */
void unwritten_give_up(struct deliver *deliver);

#endif
