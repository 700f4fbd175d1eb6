/* inside.h: the fields of struct store, by the thread that owns them. Private to this folder. */
#ifndef TIDEWIRE_STORE_INSIDE_H
#define TIDEWIRE_STORE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/dedupe.h"
#include "store/kv.h"
#include "store/sieve.h"
#include "store/sqlite.h"
#include "store/store.h"

struct dedupe_set;
struct kv_memory;
struct kv_note;

/* A bounded-by-room queue of operations; lock guards all its fields. */
struct op_queue {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct handed *first, **last;
    bool stopping;
};

enum statement {
    INSERT_EVENT,
    INSERT_BODY,
    INSERT_DELIVERY,
    INSERT_DEDUPE,
    FORGET_KEY,
    FIND_OLD,
    SETTLE_EVENT,
    FIND_BEFORE,
    RELEASE_NEXT,
    INSERT_FAILURE,
    INSERT_LOOKUP,
    MARK_REPLAYED,
    WAKE_EVENT,
    WRITE_NOTE,
    FIRST_RESULT,
    LATER_RESULT,
    INSERT_ATTEMPT,
    FORGET_BODY,
    FIND_KV,
    PUT_KV,
    REMOVE_KV,
    FIND_RUN,
    FIND_UNTRIED,
    LAST_TICK,
    FIND_GROUP,
    OPEN_GROUP,
    CLOSE_GROUP,
    ADD_ITEM,
    DUE_NOW,
    BODY_OF_ITEMS,
    KEEP_TICK,
    NAME_RUN,
    UNNAME_RUN,
    DROP_RUN,
    DROP_BODY,
    DROP_FAILURES,
    KEEP_RULES,
    FORGET_RULES,
    SAVEPOINT,
    RELEASE,
    ROLLBACK_TO,
    BEGIN,
    COMMIT,
    STATEMENTS,
};

/* Hashes of keys are cut into slices by their first bits, so that a slice is one stretch of dedupe_old. */
enum { DEDUPE_SLICES = 256 };

/* A round of aging.c; only in memory: what was not finished begins anew. */
struct key_round {
    enum { ROUND_RESTS, ROUND_MOVES, ROUND_CLEARS } state;
    struct uuid cut;   /* what is older moves */
    unsigned slice;    /* the next one, also of those whose sieve is built before the first round */
    int64_t seq, end;  /* of dedupe_recent: the next row to leave, and where that ends */
    uint64_t began_ms; /* the last one did; before the first: the store was opened */
    uint64_t built_ms; /* when the last sieve was, before the first round */
};

struct store {
    char *path;
    uint64_t reserve_bytes, min_free_bytes;
    size_t keys_max, kv_memory_max;
    const char *vfs;
    void (*on_fatal)(void *arg, const char *why);
    void *fatal_arg;
    int lock_fd; /* -1: offline */
    bool in_place;

    /* any thread */
    atomic_int events_room, results_room, reads_waiting;
    atomic_bool accepts, disk_full;
    atomic_ullong commits, events, results, batch_largest;
    atomic_int wal_pages;   /* in the log after the last commit */
    atomic_bool wal_copied; /* the reader has copied nearly all of it: the writer may start the log anew */
    struct op_queue writes, reads;
    struct dedupe_set *dedupe;
    struct kv_memory *kv;

    /* writer thread */
    sqlite3 *write_db;
    sqlite3_stmt *statements[STATEMENTS];
    struct handed *stuck, **stuck_last;    /* results and settles that wait for room on the disk */
    int64_t next_delivery;                 /* number of the next delivery: only the writer inserts any */
    int64_t next_delivery_stored;          /* the same after the last commit */
    uint64_t looked_ms;                    /* at the disk */
    uint64_t counted_ms;                   /* when retention has looked for duplicates */
    uint64_t rest_until_ms, rest_ms;       /* between two rounds over all events; how long the rest after this one will be */
    int64_t swept_seq;                     /* up to where retention has come in its round */
    uint64_t stepped_ms;                   /* its last step */
    bool has_old_keys;                     /* dedupe_old is not empty */
    struct sieve *old_keys[DEDUPE_SLICES]; /* what dedupe_old may hold; NULL: anything */
    struct key_round round;                /* of the keys */
    bool dead;                             /* after a fatal error nothing more is written */
    pthread_t writer;

    /* reader thread */
    sqlite3 *read_db;
    pthread_t reader;
    bool started;
};

/* The operation behind this one. */
static inline struct store_op *op_next(const struct store_op *op)
{
    return (struct store_op *)op->handed.next;
}

void queue_init(struct op_queue *queue);
void queue_push(struct op_queue *queue, struct store_op *op);
/* Waits up to wait_ms for something; takes at most `most`. *stopping: nothing comes any more once the list is empty. */
struct store_op *queue_take(struct op_queue *queue, int most, int wait_ms, bool *stopping);
void queue_stop(struct op_queue *queue);

/* operations.c: within the transaction of the writer's batch. ERR_EXISTS, ERR_STALE, ERR_INVALID: its own fault; else the
 * batch's. */
enum result operations_prepare(struct store *store) MUST_CHECK;
enum result operation_write(struct store *store, struct store_op *op) MUST_CHECK;
void operations_finish(struct store *store);

enum result writer_prepare(struct store *store) MUST_CHECK;
/* One operation in a transaction of its own; before the thread exists. */
enum result writer_write_now(struct store *store, struct store_op *op) MUST_CHECK;
/* A batch of this one; ends in its on_done. Where there is no thread. */
void writer_do(struct store *store, struct store_op *op);
void *writer_main(void *arg);
void writer_finish(struct store *store);
void *reader_main(void *arg);
void reader_run(struct store *store, struct store_op *op);
/* One small step of what is done when nothing else is; in a transaction of its own. */
enum result retention_step(struct store *store, uint64_t now_ms) MUST_CHECK;
/* aging.c: the same for the keys; nothing to do mostly. *busy: a round is on its way. */
enum result aging_step(struct store *store, uint64_t now_ms, bool *busy) MUST_CHECK;
void aging_finish(struct store *store);

#define KV_FIND_SQL "SELECT value, until_ms FROM kv WHERE key = ?1 AND (until_ms = 0 OR until_ms > ?2)"
/* kv.c; the notes are of one outcome, NULL: none */
enum result kv_open(struct store *store) MUST_CHECK;
void kv_close(struct store *store);
enum result kv_read(struct store *store, struct store_read_kv *read) MUST_CHECK;
/* In the batch's transaction, before anything of the outcome is written. ERR_STALE: what a note rests on does not hold any more.
 */
enum result kv_check(struct store *store, const struct kv_note *notes) MUST_CHECK;
/* After kv_check. */
enum result kv_write(struct store *store, struct kv_note *notes) MUST_CHECK;
/* After the commit that held them, before anybody is told. */
void kv_committed(struct store *store, const struct kv_note *notes);
/* A few of those whose time is over, in a transaction. */
enum result kv_forget_ended(struct store *store, uint64_t now_ms, bool *more) MUST_CHECK;

/* runs.c; the notes are of one outcome, NULL: none */
enum result runs_write(struct store *store, struct run_note *notes) MUST_CHECK;
enum result runs_tick(struct store *store, struct store_tick *tick) MUST_CHECK;
/* ERR_STALE: the event is of a batch, and an item came to it after it was read: it runs again with all. */
enum result runs_check_items(struct store *store, const struct event *event) MUST_CHECK;
/* The event is not waiting any more: its name is free. */
enum result runs_ended(struct store *store, const struct event *event) MUST_CHECK;

/* dedupe.c */
enum result dedupe_open(struct store *store) MUST_CHECK;
void dedupe_close(struct store *store);
/* Found in dedupe_old: the claim becomes a committed one with that winner and that window. */
void dedupe_found(struct store *store, const struct dedupe_key *key, struct uuid winner, uint64_t until_ms);
size_t dedupe_count(const struct store *store);
/* false: it is not in dedupe_old. Writer thread. */
bool dedupe_may_be_old(const struct store *store, const uint8_t hash[16]);
struct aged_key {
    uint8_t hash[16];
    uint64_t until_ms;
    struct uuid winner;
};
/* The committed keys of a slice whose winner is older than `cut` or whose window is over; *out is the caller's. They stay. */
size_t dedupe_aged(const struct store *store, unsigned slice, struct uuid cut, uint64_t now_ms, struct aged_key **out);
/* These leave; counted: but for those with duplicates that were not written yet. */
void dedupe_drop_aged(struct store *store, unsigned slice, const struct aged_key *keys, size_t count, bool counted);
/* Duplicates that were counted and not written: up to `room` ids with their counts. */
struct duplicate {
    struct uuid id;
    uint32_t count;
};
size_t dedupe_take_duplicates(struct store *store, struct duplicate *out, size_t room);

#endif
