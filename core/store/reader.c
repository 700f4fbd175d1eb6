/* reader.c: one connection that only reads: windows, due events, bodies, lists. It also copies the log when that has grown, so
 * that commits do not wait for it. */
#include "base/clock.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/rows.h"

enum {
    IDLE_MS = 100,
    WAL_COPY_PAGES = (16 << 20) / PAGE_BYTES, /* from 16 MB on the log is copied: often, so that it is over soon */
    WAL_LEFT_PAGES = 100,                     /* with fewer frames left the writer finishes */
};

static void copy_log(struct store *store)
{
    int all = 0, copied = 0;
    if (atomic_load(&store->wal_pages) < WAL_COPY_PAGES || atomic_load(&store->wal_copied))
        return;
    int rc = sqlite3_wal_checkpoint_v2(store->read_db, NULL, SQLITE_CHECKPOINT_PASSIVE, &all, &copied);
    bool failed = db_result(rc) == ERR_STORE && (rc & 0xFF) != SQLITE_BUSY; /* the writer tries too, and ends the server */
    if (failed || (rc == SQLITE_OK && all - copied < WAL_LEFT_PAGES))
        atomic_store(&store->wal_copied, true);
}

static enum result read_op(struct store *store, struct store_op *op)
{
    switch (op->kind) {
    case STORE_READ_WINDOW:
        return rows_window(store->read_db, (struct store_read_window *)op);
    case STORE_READ_DUE:
        return rows_due(store->read_db, (struct store_read_due *)op);
    case STORE_READ_EVENT:
        return rows_event(store->read_db, (struct store_read_event *)op);
    case STORE_READ_DELIVERY:
        return rows_delivery(store->read_db, (struct store_read_delivery *)op);
    case STORE_READ_LIST:
        return rows_list(store->read_db, (struct store_read_list *)op);
    case STORE_READ_SHOW:
        return rows_show(store->read_db, (struct store_read_show *)op);
    case STORE_READ_BACKLOG:
        return rows_backlog(store->read_db, (struct store_read_backlog *)op);
    case STORE_READ_KV:
        return kv_read(store, (struct store_read_kv *)op);
    default:
        return ERR_INVALID;
    }
}

void reader_run(struct store *store, struct store_op *op)
{
    op->result = read_op(store, op);
    if (op->result == ERR_STORE)
        LOG(LOG_ERROR, "reading the store failed", LOG_T("detail", sqlite3_errmsg(store->read_db)));
    atomic_fetch_sub(&store->reads_waiting, 1);
    op->on_done(op);
}

void *reader_main(void *arg)
{
    struct store *store = arg;
    bool stopping = false;
    pthread_setname_np(pthread_self(), "tw-reader");
    for (;;) {
        struct store_op *ops = queue_take(&store->reads, STORE_BATCH_MAX, IDLE_MS, &stopping);
        if (!ops && stopping)
            break;
        while (ops) {
            struct store_op *next = op_next(ops);
            reader_run(store, ops);
            ops = next;
        }
        copy_log(store);
        log_flush();
    }
    return NULL;
}
