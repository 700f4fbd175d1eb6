/* store.h: the contract of the store. Nothing outside this folder knows SQL. SQLite behind it: WAL, synchronous=FULL, so what a
 * commit answered OK is on disk.
 *
 * Two threads live behind it: the *writer* owns the connection that writes, takes everything that waits in its queue, puts it
 * into one transaction, commits (one fsync) and hands the operations back; the *reader* owns a read-only connection. An operation
 * is a struct that the caller allocates, submits, and gets back through op.on_done, which runs ON THE STORE'S THREAD and may only
 * hand it over to the thread that owns it (loop/handoff.h). Until then the store owns it. No function here blocks, but open,
 * start and stop.
 *
 * Every queue is bounded: room is taken before the work that will need it begins (store_take_room), so submitting cannot fail.
 *
 * Errors (design.md "Errors"): one operation whose statement fails is undone and comes back ERR_INVALID alone; if it had written
 * already, the batch is rolled back and written again with a savepoint for each operation. Disk full: the batch is rolled back;
 * accepts come back ERR_DISK_FULL, results and settles wait inside (bounded by their room) and are written when there is space;
 * the reserve file is given up for them. Any other failure of a write, fsync or COMMIT: nothing of the batch is acknowledged and
 * config.on_fatal is called, which must end the process (exit 70). */
#ifndef TIDEWIRE_STORE_H
#define TIDEWIRE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/handed.h"
#include "base/result.h"
#include "base/slice.h"
#include "model/attempt.h"
#include "model/delivery.h"
#include "model/event.h"
#include "model/outcome.h"

struct store;

enum {
    STORE_EVENTS_MAX = 4096,  /* accepts and settles between room taken and done, all workers together */
    STORE_RESULTS_MAX = 8192, /* delivery results, the same */
    STORE_READS_MAX = 4096,
    STORE_BATCH_MAX = 512, /* operations in one transaction */
    STORE_RULES_KEPT = 20, /* generations of rules */
    DEDUPE_KEYS_MAX = 2,   /* of one event */
};

struct store_config {
    const char *path;        /* of the database file; its folder must exist. Beside it: PATH-wal, PATH.lock, PATH.reserve */
    uint64_t reserve_bytes;  /* of the reserve file: 32 MiB; 0: none */
    uint64_t min_free_bytes; /* less room on the disk than this, or 5 % of it if that is less: accept nothing */
    size_t keys_max;         /* of the idempotency window in memory; 0: DEDUPE_RECENT_MAX. Tests have fewer */
    size_t kv_memory_max;    /* bytes of kv in memory; 0: KV_MEMORY_MAX. Tests have fewer */
    const char *vfs;         /* NULL: the system's. Tests name the fault VFS */
    bool in_place;           /* trials of rules: no threads, each operation is done where it is submitted; nothing is synced */
    void (*on_fatal)(void *arg, const char *why); /* writer thread; must not return to serve */
    void *fatal_arg;
};

/* Opens or creates, checks user_version, brings the schema up to date, checkpoints with TRUNCATE, takes the lock file, and reads
 * back dedupe_recent. ERR_EXISTS: another process holds the lock (its pid in why). ERR_IO, ERR_STORE: why says what is wrong and
 * what to do. why: at least 512 bytes. Main thread, before the other threads. */
enum result store_open(const struct store_config *config, struct store **out, char *why, size_t why_size) MUST_CHECK;
/* Starts writer and reader. */
enum result store_start(struct store *store) MUST_CHECK;
/* Finishes what is queued, commits, ends both threads. on_done of the last operations runs before it returns; from here on there
 * is no room, and no read is taken. */
void store_end(struct store *store);
/* That, if it was not done; then checkpoints and frees. */
void store_stop(struct store *store);

/* ---- operations ---- */

struct store_op;
typedef void (*store_done)(struct store_op *op); /* on the store's thread */

enum store_kind {
    STORE_ACCEPT, /* struct store_accept */
    STORE_SETTLE, /* struct store_settle */
    STORE_RESULT, /* struct store_result */
    STORE_RULES,  /* struct store_rules */
    STORE_WAKE,   /* struct store_wake */
    STORE_NOTE,   /* struct store_note */
    STORE_TICK,   /* struct store_tick */
    STORE_READ_WINDOW,
    STORE_READ_DUE,
    STORE_READ_EVENT,
    STORE_READ_DELIVERY,
    STORE_READ_LIST,
    STORE_READ_SHOW,
    STORE_READ_BACKLOG,
    STORE_READ_KV,
};

struct store_op {
    struct handed handed; /* the store's while it owns the operation; the submitter's after */
    enum store_kind kind;
    enum result result; /* valid in on_done */
    store_done on_done;
    void *owner; /* the submitter's own; untouched */
};

/* Room for one event (accept and the settle of the same event share it: take again for a settle), or one result. false: full.
 * Any thread; released by the store when the operation is handed back, or by store_give_room when nothing was submitted. */
enum store_room { ROOM_EVENT, ROOM_RESULT };
bool store_take_room(struct store *store, enum store_room room);
void store_give_room(struct store *store, enum store_room room);
/* false while the disk is too full (or the reserve file is missing): accept nothing, answer 503. Any thread, cheap. */
bool store_accepts(const struct store *store);
/* Any thread. Reads: false when STORE_READS_MAX wait already (nothing was taken; try at the next timer). */
void store_submit(struct store *store, struct store_op *op);
bool store_submit_read(struct store *store, struct store_op *op) MUST_CHECK;

/* ---- writes ---- */

/* A key of the dedupe set: keyed hash of (route, key), see dedupe.h. */
struct dedupe_key {
    uint8_t hash[16];
    uint64_t until_ms; /* wall clock */
};

/* What becomes of an accept's keys, which its submitter has claimed. */
enum key_use {
    KEYS_CLAIM,   /* from the commit on a request with one of them is a duplicate */
    KEYS_HOLD,    /* the same on disk; in memory the claim stays open until the submitter ends it (dedupe_commit, or a settle that
                     forgets them, then dedupe_release) */
    KEYS_RELEASE, /* they are free again: the sender was told to come back */
};

/* A new event with its outcome, or without one (state EVENT_WAITING, attempt 0: it is run after the commit, or later).
 * OK: event->seq and each delivery's seq are set. ERR_EXISTS: the key was found in dedupe_old: nothing was written and winner
 * holds the first event's id. ERR_DISK_FULL, ERR_INVALID: nothing was written. */
struct store_accept {
    struct store_op op;
    struct event *event;           /* counted: the store holds one while it owns the operation; the submitter's on return */
    struct outcome *outcome;       /* in the event's arena */
    bool keep_body;                /* false: the body row is not needed by anything that waits (keep = false, all delivered) */
    uint64_t keep_until_ms;        /* wall clock: when the body may go; 0: as soon as nothing waits */
    const struct dedupe_key *keys; /* 0 to 2: the id, and the signature where the scheme signs no time */
    size_t key_count;
    enum key_use key_use;
    int64_t key_rows[DEDUPE_KEYS_MAX]; /* set with KEYS_HOLD: where they stand */
    struct uuid winner;
    uint64_t winner_until_ms; /* its window */
    bool lost; /* with OK: another changed kv meanwhile. The outcome was not written: the event waits, and runs again. Of a try
                  that failed only outcome->unsaid */
};

/* due_ms of an event that waits until the one before with its order key has ended: the settle of that one makes it due. */
#define STORE_HELD_BACK     ((uint64_t)INT64_MAX)
#define STORE_HELD_BACK_SQL "9223372036854775807"

/* The end of a run of a stored event. Conditional: the event is still EVENT_WAITING at outcome->attempt - 1 ended tries, else
 * ERR_STALE and nothing is written (somebody else finished it, or has changed kv meanwhile: then it waits still). */
struct store_settle {
    struct store_op op;
    struct event *event; /* counted */
    struct outcome *outcome;
    int64_t forget_keys[DEDUPE_KEYS_MAX]; /* key_rows of its accept, whose claim is given up; 0: none */
};

/* The end of an attempt: its record, and what the delivery is now. Cannot fail but by the server's end. */
struct store_result {
    struct store_op op;
    int64_t delivery_seq;
    int64_t event_seq;
    struct attempt attempt;    /* its slices lie in `memory` */
    char *memory;              /* owned by the submitter; holds the slices of attempt and reason; freed by it after on_done */
    enum delivery_state state; /* DELIVERY_WAITING: tried again at due_ms */
    uint64_t due_ms;
    struct slice reason;  /* of DELIVERY_DEAD: "answered 410"; else "" */
    struct outcome *says; /* what on_dead sends and keeps, in an event's arena; NULL: nothing */
    bool forget_body;     /* the route keeps nothing: drop the body when no delivery of the event waits any more */
};

/* Rules that came into force. Takes ROOM_EVENT. */
struct store_rules {
    struct store_op op;
    uint32_t number;
    struct slice hash;
    uint64_t loaded_ms; /* wall clock */
    struct slice files; /* of script/rule_files.h; borrowed until done */
};
/* The newest ones that were kept, hash and files in the arena; number 0: there are none. Main thread, before store_start. */
enum result store_last_rules(struct store *store, struct arena *arena, struct store_rules *out) MUST_CHECK;

/* A waiting event is due at due_ms, if that is sooner. Takes ROOM_EVENT. */
struct store_wake {
    struct store_op op;
    int64_t seq;
    uint64_t due_ms;
};

/* A task on a clock. Takes ROOM_EVENT. */
struct store_tick {
    struct store_op op;
    struct slice schedule; /* borrowed until done. Its last time counts only for the same one: else, and at first, it is now */
    uint64_t now_ms;       /* wall clock */
    uint64_t tick_ms;      /* its time has come, and it runs, unless that was so before; 0: only asks */
    const struct run_note *run; /* borrowed until done. Not written while the run before has not ended its first try */
    uint64_t last_ms;
    bool started; /* the run was written */
};

/* A value of the router's own under a name. Takes ROOM_EVENT. */
struct store_note {
    struct store_op op;
    const char *name;
    struct slice value; /* borrowed until done */
};
/* In the arena; data NULL: there is none. Main thread, before store_start. */
enum result store_read_note(struct store *store, const char *name, struct arena *arena, struct slice *value) MUST_CHECK;
/* A write or a read on the calling thread; on_done is not called. Main thread, before store_start. */
enum result store_write_now(struct store *store, struct store_op *op) MUST_CHECK;
enum result store_read_now(struct store *store, struct store_op *op) MUST_CHECK;

/* ---- reads: results live in op-owned memory, freed by store_read_free after use ---- */

/* What waits for one target and falls due first; of an order key only the first delivery that waits, by seq. Rows already in
 * the caller's window come again: it skips them by seq. */
struct store_read_window {
    struct store_op op;
    struct slice target;      /* borrowed until done */
    struct slice order_key;   /* the same; only the first one of this key; data NULL: of all */
    uint32_t worker, workers; /* only shards with shard % workers == worker; workers 0: all shards */
    uint64_t due_before_ms;
    uint32_t limit;
    struct waiting_delivery *rows; /* by (due_ms, seq) */
    size_t count;
    uint64_t next_due_ms; /* of the first one that was not returned; UINT64_MAX: none waits */
    struct arena arena;
};

/* Waiting events that are due to run, for the worker whose share they are (by their id's last two bytes), without those that it
 * holds: of each route at most `limit`, and fewer where many routes wait, so that each has its share; all by due_ms. */
struct due_event {
    int64_t seq;
    struct uuid id;
    struct slice route;
    uint64_t due_ms;
    uint32_t attempt;
};
struct store_read_due {
    struct store_op op;
    uint32_t worker, workers;
    uint64_t due_before_ms;
    uint32_t limit;
    const int64_t *held; /* by seq; borrowed until done */
    size_t held_count;
    struct due_event *rows;
    size_t count;
    uint64_t next_due_ms;
    struct arena arena;
};
enum { STORE_DUE_MAX = 1024 /* rows of one such read, all routes together */ };

/* A whole event again, body included. ERR_NOT_FOUND: no such event, or its body is gone. */
struct store_read_event {
    struct store_op op;
    int64_t seq; /* 0: by id */
    struct uuid id;
    struct event *event; /* one reference for the caller; its body is indexed again if it was JSON */
    enum event_state state;
};

/* What an attempt of a waiting delivery needs. */
struct store_read_delivery {
    struct store_op op;
    int64_t seq;
    struct event *event;  /* one reference for the caller */
    struct slice message; /* in arena */
    enum delivery_state state;
    struct arena arena;
};

/* Lists for people (admin API): newest first. */
struct event_filter {
    struct slice route, type;    /* data NULL: any */
    int state;                   /* enum shown_state, -1: any */
    uint64_t since_ms, until_ms; /* 0: open */
    int64_t before_seq;          /* cursor: only older ones; 0: from the newest */
    uint32_t limit;              /* 1 to 500 */
};
/* What people see (design.md "States"): derived from the event and its deliveries. */
enum shown_state { SHOWN_WAITING, SHOWN_DELIVERING, SHOWN_DONE, SHOWN_DROPPED, SHOWN_DEAD };
const char *shown_state_name(enum shown_state state);

struct event_row {
    int64_t seq;
    struct uuid id, replayed_as; /* nil: it was not replayed */
    struct slice route, type, provider, verified, remote_ip, content_type, method, path, query;
    enum shown_state state;
    uint64_t received_ms, due_ms; /* due_ms may be STORE_HELD_BACK */
    uint32_t attempt, generation;
    uint64_t body_bytes;
    uint32_t duplicates;
    bool redacted;       /* part of it is not to be shown, nor what was made of it */
    struct slice reason; /* why the last run failed, or it was dropped: "error: rules/a.lua:3: …" */
    uint32_t delivery_count, delivered_count, dead_count, waiting_count;
};
struct store_read_list {
    struct store_op op;
    struct event_filter filter; /* slices borrowed until done */
    struct event_row *rows;
    size_t count;
    int64_t next_before_seq; /* 0: the list is over */
    struct arena arena;
};

struct delivery_row {
    int64_t seq;
    struct uuid id;
    struct slice target, order_key, reason;
    enum delivery_state state;
    bool blocked; /* an earlier one of its target and key waits */
    uint64_t due_ms;
    uint32_t attempt_count;
    struct attempt *attempts;
    struct slice message;
    bool notice; /* of on_error or on_dead */
};
/* A try of the handler that failed. */
struct failure_row {
    uint32_t n, generation;
    uint64_t at_ms;
    enum run_reason reason;
    struct slice text;
};
/* What one try of the handler asked of other servers. */
struct lookup_row {
    uint32_t n; /* of the try */
    struct fetch_record record;
};
struct store_read_show {
    struct store_op op;
    struct uuid id;
    struct event_row row;
    struct failure_row *failures;
    size_t failure_count;
    struct lookup_row *lookups; /* the latest try first */
    size_t lookup_count;
    struct event *event; /* one reference; NULL when its body is gone */
    struct delivery_row *deliveries;
    size_t delivery_count;
    struct arena arena;
};

/* What waits and what is dead, per route; counts end at STORE_BACKLOG_MAX. */
enum { STORE_BACKLOG_MAX = 10000 };
struct backlog_row {
    struct slice route;
    uint32_t waiting;   /* not handled yet */
    uint32_t failed;    /* of these: their last try failed */
    uint32_t dead;      /* given up, and not replayed */
    uint64_t oldest_ms; /* the earliest due_ms of those that wait; 0: none */
};
/* Waiting messages of one target. */
struct backlog_target {
    struct slice name;
    uint32_t waiting;
    uint64_t oldest_ms; /* since when the first of them could have gone; 0: none */
};
struct store_read_backlog {
    struct store_op op;
    struct backlog_target *targets; /* the caller's, borrowed until done: those that are asked for */
    size_t target_count;
    struct backlog_row *rows;
    size_t count;
    struct arena arena;
};

/* One value of kv that is not in memory (kv.h). */
struct store_read_kv {
    struct store_op op;
    struct slice key;   /* borrowed until done */
    struct slice value; /* JSON, in arena; data NULL: there is none */
    struct arena arena;
};

/* Frees what a read brought (not the operation itself, not the event). */
void store_read_free(struct store_op *op);

/* ---- state of the whole, for status and metrics; any thread ---- */
struct store_stats {
    uint64_t commits, events, results, batch_largest;
    uint64_t wal_bytes, file_bytes;
    bool disk_full;
};
void store_stats(const struct store *store, struct store_stats *out);

/* For the command line when no router runs: opens read-only without the lock, answers list and show on the calling thread. */
enum result store_open_offline(const char *path, struct store **out, char *why, size_t why_size) MUST_CHECK;
void store_read_offline(struct store *store, struct store_op *op); /* on_done is called before it returns */
void store_close_offline(struct store *store);

#endif
