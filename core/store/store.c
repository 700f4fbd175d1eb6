#include "store/store.h"

#include <sys/stat.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/disk.h"
#include "store/inside.h"
#ifdef TIDEWIRE_TEST_FAULTS
#include "store/faults.h"
#endif

enum { LOCK_TRIES = 25, LOCK_WAIT_MS = 20 };

/* ---- queues ---- */

void queue_init(struct op_queue *queue)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    queue->first = NULL;
    queue->last = &queue->first;
    queue->stopping = false;
}

void queue_push(struct op_queue *queue, struct store_op *op)
{
    op->handed.next = NULL;
    pthread_mutex_lock(&queue->lock);
    bool was_empty = !queue->first;
    *queue->last = &op->handed;
    queue->last = &op->handed.next;
    pthread_mutex_unlock(&queue->lock);
    if (was_empty)
        pthread_cond_signal(&queue->wake);
}

static void wait_until(struct op_queue *queue, int wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&queue->wake, &queue->lock, &until);
}

struct store_op *queue_take(struct op_queue *queue, int most, int wait_ms, bool *stopping)
{
    pthread_mutex_lock(&queue->lock);
    if (!queue->first && !queue->stopping && wait_ms > 0)
        wait_until(queue, wait_ms);
    struct handed *first = queue->first, *last = first;
    *stopping = queue->stopping;
    for (int n = 1; last && last->next && n < most; n++)
        last = last->next;
    if (last) {
        queue->first = last->next;
        last->next = NULL;
        if (!queue->first)
            queue->last = &queue->first;
    }
    pthread_mutex_unlock(&queue->lock);
    return (struct store_op *)first;
}

void queue_stop(struct op_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    pthread_cond_signal(&queue->wake);
    pthread_mutex_unlock(&queue->lock);
}

/* ---- room and submitting ---- */

static atomic_int *room_of(struct store *store, enum store_room room)
{
    return room == ROOM_EVENT ? &store->events_room : &store->results_room;
}

bool store_take_room(struct store *store, enum store_room room)
{
    atomic_int *left = room_of(store, room);
    if (atomic_fetch_sub(left, 1) > 0)
        return true;
    atomic_fetch_add(left, 1);
    return false;
}

void store_give_room(struct store *store, enum store_room room)
{
    atomic_fetch_add(room_of(store, room), 1);
}

bool store_accepts(const struct store *store)
{
    return atomic_load_explicit(&store->accepts, memory_order_relaxed);
}

void store_submit(struct store *store, struct store_op *op)
{
    if (store->in_place)
        writer_do(store, op);
    else
        queue_push(&store->writes, op);
}

bool store_submit_read(struct store *store, struct store_op *op)
{
    if (atomic_fetch_add(&store->reads_waiting, 1) >= STORE_READS_MAX) {
        atomic_fetch_sub(&store->reads_waiting, 1);
        return false;
    }
    if (store->in_place)
        reader_run(store, op);
    else
        queue_push(&store->reads, op);
    return true;
}

void store_stats(const struct store *store, struct store_stats *out)
{
    *out = (struct store_stats){
        .commits = atomic_load(&store->commits),
        .events = atomic_load(&store->events),
        .results = atomic_load(&store->results),
        .batch_largest = atomic_load(&store->batch_largest),
        .wal_bytes = (uint64_t)atomic_load(&store->wal_pages) * PAGE_BYTES,
        .disk_full = atomic_load(&store->disk_full),
    };
    struct stat info;
    if (stat(store->path, &info) == 0)
        out->file_bytes = (uint64_t)info.st_size;
}

/* ---- life ---- */

static struct store *store_new(const char *path)
{
    struct store *store = MEM_NEW(struct store);
    store->path = mem_text(slice_of(path));
    store->lock_fd = -1;
    store->stuck_last = &store->stuck;
    atomic_init(&store->events_room, STORE_EVENTS_MAX);
    atomic_init(&store->results_room, STORE_RESULTS_MAX);
    atomic_init(&store->accepts, true);
    queue_init(&store->writes);
    queue_init(&store->reads);
    return store;
}

static void store_free(struct store *store)
{
    writer_finish(store);
    sqlite3_close(store->read_db);
    sqlite3_close(store->write_db);
    dedupe_close(store);
    kv_close(store);
    aging_finish(store);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    mem_free(store->path);
    mem_free(store);
}

static enum result lock_store(struct store *store, char *why, size_t why_size)
{
    pid_t owner = 0;
    enum result rc = disk_lock(store->path, &store->lock_fd, &owner);
    /* a server that was killed a moment ago holds it until the kernel is done with it */
    for (int tries = 0; rc == ERR_EXISTS && tries < LOCK_TRIES; tries++) {
        clock_sleep_ms(LOCK_WAIT_MS);
        rc = disk_lock(store->path, &store->lock_fd, &owner);
    }
    if (rc == ERR_EXISTS)
        snprintf(why, why_size, "the store %s belongs to process %ld: stop that router, or name another store with --store",
                 store->path, (long)owner);
    else if (rc != OK)
        snprintf(why, why_size, "the store %s cannot be written: %m: make its folder writable, or name another with --store",
                 store->path);
    return rc;
}

static enum result open_databases(struct store *store, char *why, size_t why_size)
{
    char problem[256];
    enum result rc = db_open(store->path, store->vfs, DB_WRITE, &store->write_db, problem, sizeof(problem));
    if (rc == OK && store->in_place)
        rc = db_do_not_sync(store->write_db);
    if (rc == OK)
        rc = db_open(store->path, store->vfs, DB_READ, &store->read_db, problem, sizeof(problem));
    if (rc == OK)
        rc = writer_prepare(store);
    if (rc == OK)
        rc = dedupe_open(store);
    if (rc == OK)
        rc = kv_open(store);
    if (rc != OK)
        snprintf(why, why_size, "the store %s cannot be used: %s", store->path,
                 problem[0] ? problem : sqlite3_errmsg(store->write_db));
    return rc;
}

enum result store_open(const struct store_config *config, struct store **out, char *why, size_t why_size)
{
    struct store *store = store_new(config->path);
    db_setup();
#ifdef TIDEWIRE_TEST_FAULTS
    faults_register();
#endif
    store->reserve_bytes = config->reserve_bytes;
    store->min_free_bytes = config->min_free_bytes;
    store->keys_max = config->keys_max ? config->keys_max : DEDUPE_RECENT_MAX;
    store->kv_memory_max = config->kv_memory_max ? config->kv_memory_max : KV_MEMORY_MAX;
    store->vfs = config->vfs;
    store->in_place = config->in_place;
    store->on_fatal = config->on_fatal;
    store->fatal_arg = config->fatal_arg;
    enum result rc = lock_store(store, why, why_size);
    if (rc == OK)
        rc = open_databases(store, why, why_size);
    if (rc != OK) {
        store_free(store);
        return rc;
    }
    if (store->reserve_bytes && !disk_reserve(store->path, store->reserve_bytes))
        atomic_store(&store->accepts, false); /* the writer looks again every second */
    *out = store;
    return OK;
}

enum result store_last_rules(struct store *store, struct arena *arena, struct store_rules *out)
{
    sqlite3_stmt *query = NULL;
    *out = (struct store_rules){ .number = 0 };
    enum result rc =
        db_prepare(store->read_db, "SELECT number, hash, loaded_ms, files FROM generation ORDER BY number DESC LIMIT 1", &query);
    if (rc == OK && db_row(query, &rc)) {
        out->hash = db_copy(query, 1, arena);
        out->loaded_ms = (uint64_t)sqlite3_column_int64(query, 2);
        out->files = db_copy(query, 3, arena);
        out->number = out->hash.data && out->files.data ? (uint32_t)sqlite3_column_int64(query, 0) : 0;
    }
    sqlite3_finalize(query);
    return rc;
}

enum result store_read_note(struct store *store, const char *name, struct arena *arena, struct slice *value)
{
    sqlite3_stmt *query = NULL;
    *value = (struct slice){ NULL, 0 };
    enum result rc = db_prepare(store->read_db, "SELECT value FROM meta WHERE name = ?1", &query);
    if (rc == OK) {
        db_bind_text(query, 1, slice_of(name));
        if (db_row(query, &rc))
            *value = db_copy(query, 0, arena);
    }
    sqlite3_finalize(query);
    return rc;
}

enum result store_write_now(struct store *store, struct store_op *op)
{
    return writer_write_now(store, op);
}

static void nobody_waits(struct store_op *op)
{
    (void)op;
}

enum result store_read_now(struct store *store, struct store_op *op)
{
    op->on_done = nobody_waits;
    store_read_offline(store, op);
    return op->result;
}

enum result store_start(struct store *store)
{
    if (store->in_place)
        return OK;
    if (pthread_create(&store->writer, NULL, writer_main, store) != 0)
        return ERR_MEMORY;
    if (pthread_create(&store->reader, NULL, reader_main, store) != 0) {
        queue_stop(&store->writes);
        pthread_join(store->writer, NULL);
        return ERR_MEMORY;
    }
    store->started = true;
    return OK;
}

void store_end(struct store *store)
{
    if (!store->started)
        return;
    queue_stop(&store->writes);
    queue_stop(&store->reads);
    pthread_join(store->writer, NULL);
    pthread_join(store->reader, NULL);
    atomic_store(&store->events_room, 0);
    atomic_store(&store->results_room, 0);
    atomic_store(&store->reads_waiting, STORE_READS_MAX);
    store->started = false;
}

void store_stop(struct store *store)
{
    store_end(store);
    sqlite3_close(store->read_db);
    store->read_db = NULL;
    if (!store->dead)
        sqlite3_wal_checkpoint_v2(store->write_db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                  NULL); /* else the next start does it */
    store_free(store);
}

/* ---- without a router ---- */

enum result store_open_offline(const char *path, struct store **out, char *why, size_t why_size)
{
    struct store *store = store_new(path);
    db_setup();
    enum result rc = db_open(path, NULL, DB_OFFLINE, &store->read_db, why, why_size);
    if (rc != OK) {
        store_free(store);
        return rc;
    }
    *out = store;
    return OK;
}

void store_read_offline(struct store *store, struct store_op *op)
{
    atomic_fetch_add(&store->reads_waiting, 1);
    reader_run(store, op);
}

void store_close_offline(struct store *store)
{
    store_free(store);
}
