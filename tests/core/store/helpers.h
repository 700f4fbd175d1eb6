/* helpers.h: a store in a folder of its own, and operations that are waited for. For the test programs of this folder. */
#ifndef TIDEWIRE_STORE_HELPERS_H
#define TIDEWIRE_STORE_HELPERS_H

#include "check.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/dedupe.h"
#include "store/store.h"

enum { DEADLINE_S = 20 };

/* ---- a store in a folder of its own, and waiting for its threads ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int done_count;
static struct uuid_maker ids;

static const char *vfs; /* of the next store that is opened */
static char folder[] = "/tmp/tidewire-store-XXXXXX", path[64];

static __attribute__((unused)) void fresh_folder(void)
{
    strcpy(folder, "/tmp/tidewire-store-XXXXXX");
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof(path), "%s/t.db", folder);
    uuid_maker_init(&ids);
    done_count = 0;
}

static __attribute__((unused)) void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    if (system(command) != 0)
        abort();
}

static __attribute__((unused)) void on_fatal(void *arg, const char *why)
{
    CHECK_FAIL("fatal: %s", why);
}

static __attribute__((unused)) struct store *open_store(void)
{
    struct store_config config = { .path = path, .reserve_bytes = 1 << 20, .on_fatal = on_fatal, .vfs = vfs };
    struct store *store = NULL;
    char why[512] = "";
    if (store_open(&config, &store, why, sizeof(why)) != OK)
        CHECK_FAIL("%s", why);
    CHECK_EQ("started", store_start(store), OK);
    return store;
}

static __attribute__((unused)) void on_done(struct store_op *op)
{
    pthread_mutex_lock(&lock);
    done_count++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static __attribute__((unused)) void wait_for(int count)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_S;
    pthread_mutex_lock(&lock);
    while (done_count < count)
        if (pthread_cond_timedwait(&changed, &lock, &until) != 0) {
            CHECK_FAIL("waited %d s for %d operations, %d came", DEADLINE_S, count, done_count);
            abort();
        }
    pthread_mutex_unlock(&lock);
}

static __attribute__((unused)) struct event *make_event(const char *route, const char *body)
{
    struct event_parts parts = { .id = uuid_v7(&ids, clock_wall_ms()),
                                 .route = slice_of(route),
                                 .method = SLICE("POST"),
                                 .path = slice_of(route),
                                 .content_type = SLICE("application/json"),
                                 .type = SLICE("push"),
                                 .remote_ip = SLICE("127.0.0.1"),
                                 .verified = SLICE("none"),
                                 .received_ms = clock_wall_ms(),
                                 .body = slice_of(body) };
    struct event *event = NULL;
    struct json_error error;
    CHECK_EQ("event", event_new(&parts, &event), OK);
    CHECK_EQ("json", event_index(event, &error), OK);
    return event;
}

static __attribute__((unused)) struct outcome *make_outcome(struct event *event, int deliveries, uint64_t due_ms)
{
    struct outcome *outcome = arena_alloc(&event->arena, sizeof(*outcome));
    *outcome = (struct outcome){ .state = EVENT_HANDLED, .attempt = 1, .generation = 7, .delivery_count = (uint32_t)deliveries };
    struct new_delivery **place = &outcome->deliveries;
    for (int i = 0; i < deliveries; i++) {
        *place = arena_alloc(&event->arena, sizeof(**place));
        **place = (struct new_delivery){ .id = uuid_v7(&ids, clock_wall_ms()),
                                         .target = SLICE("t"),
                                         .message = SLICE("\6"),
                                         .shard = (uint16_t)i,
                                         .due_ms = due_ms };
        place = &(*place)->next;
    }
    return outcome;
}

/* Submits and waits. */
static __attribute__((unused)) enum result accept(struct store *store, struct event *event, struct outcome *outcome,
                                                  const struct dedupe_key *key)
{
    struct store_accept op = { .op = { .kind = STORE_ACCEPT, .on_done = on_done },
                               .event = event_ref(event),
                               .outcome = outcome,
                               .keep_body = true,
                               .keep_until_ms = clock_wall_ms() + 1000000,
                               .keys = key,
                               .key_count = key ? 1 : 0 };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    event_unref(event);
    return op.op.result;
}

static __attribute__((unused)) void read_op(struct store *store, struct store_op *op)
{
    int before = done_count;
    op->on_done = on_done;
    CHECK("room", store_submit_read(store, op));
    wait_for(before + 1);
}

static __attribute__((unused)) enum result result_of(struct store *store, int64_t delivery, int64_t event, uint32_t n,
                                                     enum delivery_state state)
{
    struct store_result op = { .op = { .kind = STORE_RESULT, .on_done = on_done },
                               .delivery_seq = delivery,
                               .event_seq = event,
                               .attempt = { .n = n, .status = 503, .answer = SLICE("no") },
                               .state = state,
                               .due_ms = 1 };
    CHECK("room", store_take_room(store, ROOM_RESULT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    return op.op.result;
}

/* ---- what is in the file ---- */

static __attribute__((unused)) int count_rows(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *query;
    int count = -1;
    if (sqlite3_open(path, &db) == SQLITE_OK && sqlite3_prepare_v2(db, sql, -1, &query, NULL) == SQLITE_OK) {
        count = sqlite3_step(query) == SQLITE_ROW ? sqlite3_column_int(query, 0) : -1;
        sqlite3_finalize(query);
    }
    sqlite3_close(db);
    return count;
}

static __attribute__((unused)) void run_sql(const char *sql)
{
    sqlite3 *db;
    CHECK_EQ("opened", sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ(sql, sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

#endif
