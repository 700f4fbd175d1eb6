/* writer.c: takes everything that waits, writes it in one transaction, commits, hands it back. While one commit runs the next
 * batch gathers: group commit without a timer. */
#include <sched.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/disk.h"
#include "store/inside.h"

enum {
    IDLE_MS = 100,
    BUSY_STEP_MS = 50,
    LOOK_AT_DISK_MS = 1000,
    RETRY_FULL_MS = 1000,
};

/* ---- handing back ---- */

static void settle_claims(struct store *store, struct store_accept *accept)
{
    bool stored = accept->op.result == OK;
    for (size_t i = 0; i < accept->key_count; i++) {
        if (stored && accept->key_use == KEYS_HOLD)
            continue;
        if (stored && accept->key_use == KEYS_CLAIM)
            dedupe_commit(store, &accept->keys[i]);
        else if (accept->op.result == ERR_EXISTS)
            dedupe_found(store, &accept->keys[i], accept->winner, accept->winner_until_ms);
        else
            dedupe_release(store, &accept->keys[i]);
    }
}

/* What was written of an outcome; NULL: nothing, or there was none. */
static struct outcome *outcome_of(const struct store_op *op)
{
    switch (op->kind) {
    case STORE_ACCEPT:
        return ((const struct store_accept *)op)->lost ? NULL : ((const struct store_accept *)op)->outcome;
    case STORE_SETTLE:
        return ((const struct store_settle *)op)->outcome;
    case STORE_RESULT:
        return ((const struct store_result *)op)->says;
    default:
        return NULL;
    }
}

static void hand_back(struct store *store, struct store_op *op)
{
    struct outcome *outcome = op->result == OK ? outcome_of(op) : NULL;
    if (outcome && outcome->unsaid)
        outcome_forget_notes(outcome);
    if (outcome)
        kv_committed(store, outcome->kv);
    if (op->kind == STORE_ACCEPT) {
        settle_claims(store, (struct store_accept *)op);
        atomic_fetch_add(&store->events, op->result == OK);
    } else if (op->kind == STORE_RESULT) {
        atomic_fetch_add(&store->results, 1);
    }
    store_give_room(store, op->kind == STORE_RESULT ? ROOM_RESULT : ROOM_EVENT);
    op->on_done(op);
}

static void hand_back_all(struct store *store, struct store_op *batch)
{
    while (batch) {
        struct store_op *next = op_next(batch);
        hand_back(store, batch);
        batch = next;
    }
}

/* Nothing of the batch was promised to anybody: the process ends, and the next one opens the store and looks. */
static void die(struct store *store, const char *doing)
{
    char why[512];
    snprintf(why, sizeof(why), "%s: %s (%s)", doing, sqlite3_errmsg(store->write_db),
             sqlite3_errstr(sqlite3_extended_errcode(store->write_db)));
    store->dead = true;
    atomic_store(&store->accepts, false);
    store->on_fatal(store->fatal_arg, why);
}

/* ---- a batch ---- */

/* A failure that is the operation's own ends only that one, any other the batch. */
static bool ends_batch(enum result rc)
{
    return rc == ERR_DISK_FULL || rc == ERR_STORE;
}

/* ERR_INVALID: it failed by its own fault when it had written already, which cannot be undone alone. */
static enum result write_plain(struct store *store, struct store_op *op)
{
    sqlite3_int64 written = sqlite3_total_changes64(store->write_db);
    op->result = operation_write(store, op);
    if (ends_batch(op->result))
        return op->result;
    return op->result == OK || sqlite3_total_changes64(store->write_db) == written ? OK : ERR_INVALID;
}

/* Undone alone when it fails by its own fault. */
static enum result write_guarded(struct store *store, struct store_op *op)
{
    int64_t next_delivery = store->next_delivery;
    enum result rc = db_step(store->statements[SAVEPOINT]);
    if (rc != OK)
        return rc;
    op->result = operation_write(store, op);
    if (ends_batch(op->result))
        return op->result;
    if (op->result != OK) {
        rc = db_step(store->statements[ROLLBACK_TO]);
        store->next_delivery = next_delivery;
    }
    return rc == OK ? db_step(store->statements[RELEASE]) : rc;
}

typedef enum result (*write_one)(struct store *store, struct store_op *op);

static enum result write_each(struct store *store, struct store_op *batch, write_one write)
{
    enum result rc = db_step(store->statements[BEGIN]);
    for (struct store_op *op = batch; op && rc == OK; op = op_next(op))
        rc = write(store, op);
    if (rc == OK)
        rc = db_step(store->statements[COMMIT]);
    if (rc == OK)
        store->next_delivery_stored = store->next_delivery;
    return rc;
}

/* true: the transaction is taken back. */
static bool roll_back(struct store *store)
{
    store->next_delivery = store->next_delivery_stored;
    return sqlite3_get_autocommit(store->write_db) || db_run(store->write_db, "ROLLBACK") == OK;
}

/* A savepoint copies every page that is changed behind it, for each operation anew. That is a third of all work here, for what
 * hardly ever happens: so it is done without, and once more with them when it did happen. */
static enum result write_batch(struct store *store, struct store_op *batch)
{
    enum result rc = write_each(store, batch, write_plain);
    if (rc != ERR_INVALID)
        return rc;
    return roll_back(store) ? write_each(store, batch, write_guarded) : ERR_STORE;
}

enum result writer_write_now(struct store *store, struct store_op *op)
{
    enum result rc = write_batch(store, op);
    if (rc != OK)
        (void)roll_back(store);
    return rc == OK ? op->result : rc;
}

static void stick(struct store *store, struct store_op *op)
{
    op->handed.next = NULL;
    *store->stuck_last = &op->handed;
    store->stuck_last = &op->handed.next;
}

/* Accepts are refused; what has happened already is kept until there is room, for which the reserve is given up. */
static void on_disk_full(struct store *store, struct store_op *batch)
{
    if (!atomic_exchange(&store->disk_full, true))
        LOG(LOG_ERROR, "disk full", LOG_T("path", store->path));
    atomic_store(&store->accepts, false);
    disk_give_up_reserve(store->path);
    while (batch) {
        struct store_op *next = op_next(batch);
        if (batch->kind == STORE_ACCEPT) {
            batch->result = ERR_DISK_FULL;
            hand_back(store, batch);
        } else {
            stick(store, batch);
        }
        batch = next;
    }
    log_flush();
}

/* What was stuck goes first; while it does not fit nothing else is written. */
static struct store_op *behind_stuck(struct store *store, struct store_op *batch)
{
    struct handed *stuck = store->stuck;
    if (!stuck)
        return batch;
    *store->stuck_last = batch ? &batch->handed : NULL;
    store->stuck = NULL;
    store->stuck_last = &store->stuck;
    return (struct store_op *)stuck;
}

/* At the end what did not fit goes home unwritten: the next process finds it waiting and does it again. */
static void give_up_stuck(struct store *store)
{
    struct store_op *stuck = behind_stuck(store, NULL);
    for (struct store_op *op = stuck; op; op = op_next(op))
        op->result = ERR_DISK_FULL;
    hand_back_all(store, stuck);
}

static void note_size(struct store *store, const struct store_op *batch)
{
    unsigned long long size = 0;
    for (; batch; batch = op_next(batch))
        size++;
    if (size > atomic_load(&store->batch_largest))
        atomic_store(&store->batch_largest, size);
    atomic_fetch_add(&store->commits, 1);
}

static void process(struct store *store, struct store_op *batch)
{
    enum result rc = write_batch(store, batch);
    if (rc == OK) {
        note_size(store, batch);
        hand_back_all(store, batch);
    } else if (rc == ERR_DISK_FULL && roll_back(store)) {
        on_disk_full(store, batch);
    } else {
        die(store, "writing the store failed");
    }
}

void writer_do(struct store *store, struct store_op *op)
{
    op->handed.next = NULL;
    process(store, op);
}

/* ---- between batches ---- */

static void look_at_disk(struct store *store, uint64_t now_ms)
{
    if (now_ms - store->looked_ms < LOOK_AT_DISK_MS)
        return;
    store->looked_ms = now_ms;
    bool room = disk_has_room(store->path, store->min_free_bytes) && !store->stuck;
    if (room && store->reserve_bytes)
        room = disk_reserve(store->path, store->reserve_bytes);
    if (room && atomic_exchange(&store->disk_full, false))
        LOG(LOG_INFO, "disk has room again", LOG_T("path", store->path));
    if (!room && atomic_load(&store->accepts))
        LOG(LOG_ERROR, "disk nearly full", LOG_T("path", store->path));
    atomic_store(&store->accepts, room);
    log_flush();
}

static int on_wal_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct store *store = arg;
    (void)db;
    (void)name;
    atomic_store(&store->wal_pages, pages);
    return SQLITE_OK;
}

/* The reader has copied nearly all of the log: copy the rest and start it anew, between two commits. */
static void restart_log(struct store *store)
{
    if (!atomic_exchange(&store->wal_copied, false))
        return;
    int rc = sqlite3_wal_checkpoint_v2(store->write_db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    if (db_result(rc) == ERR_STORE && (rc & 0xFF) != SQLITE_BUSY)
        die(store, "copying the log failed");
}

static void between(struct store *store, bool idle)
{
    uint64_t now_ms = clock_wall_ms();
    look_at_disk(store, now_ms);
    restart_log(store);
    bool step = idle || now_ms - store->stepped_ms >= BUSY_STEP_MS; /* a store that is always busy forgets too */
    if (!step || store->dead || atomic_load(&store->disk_full))
        return;
    store->stepped_ms = now_ms;
    enum result rc = retention_step(store, now_ms);
    if (rc == ERR_DISK_FULL && roll_back(store))
        on_disk_full(store, NULL);
    else if (rc != OK)
        die(store, "retention failed");
}

/* Where it shares a processor with those who submit, waking up is no reason to take it from them: a batch of one would be on its
 * way while the others of the same turn of their loop are about to come. Refused: it works as well, with smaller batches. */
static void let_batches_gather(void)
{
    const struct sched_param none = { 0 };
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
}

void *writer_main(void *arg)
{
    struct store *store = arg;
    bool stopping = false;
    pthread_setname_np(pthread_self(), "tw-writer");
    let_batches_gather();
    for (;;) {
        struct store_op *batch = queue_take(&store->writes, STORE_BATCH_MAX, store->stuck ? RETRY_FULL_MS : IDLE_MS, &stopping);
        if (store->dead)
            return NULL; /* on_fatal returned, as it does in tests only: nothing is handed back any more */
        bool idle = !batch, last = idle && stopping;
        if (last && !store->stuck)
            break;
        batch = behind_stuck(store, batch);
        if (batch)
            process(store, batch);
        if (!store->dead && last)
            break;
        if (!store->dead)
            between(store, idle);
    }
    give_up_stuck(store);
    log_flush();
    return NULL;
}

/* ---- life ---- */

enum result writer_prepare(struct store *store)
{
    sqlite3_stmt *query = NULL;
    enum result rc = operations_prepare(store);
    if (rc == OK)
        rc = db_prepare(store->write_db, "SELECT EXISTS (SELECT 1 FROM dedupe_old), ifnull(max(seq), 0) + 1 FROM delivery",
                        &query);
    if (rc == OK && db_row(query, &rc)) {
        store->has_old_keys = sqlite3_column_int(query, 0) != 0;
        store->next_delivery = store->next_delivery_stored = sqlite3_column_int64(query, 1);
    }
    sqlite3_finalize(query);
    sqlite3_wal_hook(store->write_db, on_wal_commit, store);
    return rc;
}

void writer_finish(struct store *store)
{
    operations_finish(store);
}
