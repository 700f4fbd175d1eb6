#include "check.h"

#include <pthread.h>
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

static char folder[] = "/tmp/tidewire-store-XXXXXX", path[64];

static void fresh_folder(void)
{
    strcpy(folder, "/tmp/tidewire-store-XXXXXX");
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof(path), "%s/t.db", folder);
    uuid_maker_init(&ids);
    done_count = 0;
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    if (system(command) != 0)
        abort();
}

static void on_fatal(void *arg, const char *why)
{
    CHECK_FAIL("fatal: %s", why);
}

static struct store *open_store(void)
{
    struct store_config config = { .path = path, .reserve_bytes = 1 << 20, .on_fatal = on_fatal };
    struct store *store = NULL;
    char why[512] = "";
    if (store_open(&config, &store, why, sizeof(why)) != OK)
        CHECK_FAIL("%s", why);
    CHECK_EQ("started", store_start(store), OK);
    return store;
}

static void on_done(struct store_op *op)
{
    pthread_mutex_lock(&lock);
    done_count++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(int count)
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

static struct event *make_event(const char *route, const char *body)
{
    struct event_parts parts = { .id = uuid_v7(&ids, clock_wall_ms()), .route = slice_of(route), .method = SLICE("POST"),
                                 .path = slice_of(route), .content_type = SLICE("application/json"), .type = SLICE("push"),
                                 .remote_ip = SLICE("127.0.0.1"), .verified = SLICE("none"), .received_ms = clock_wall_ms(),
                                 .body = slice_of(body) };
    struct event *event = NULL;
    struct json_error error;
    CHECK_EQ("event", event_new(&parts, &event), OK);
    CHECK_EQ("json", event_index(event, &error), OK);
    return event;
}

static struct outcome *make_outcome(struct event *event, int deliveries, uint64_t due_ms)
{
    struct outcome *outcome = arena_alloc(&event->arena, sizeof(*outcome));
    *outcome = (struct outcome){ .state = EVENT_HANDLED, .attempt = 1, .generation = 7, .delivery_count = (uint32_t)deliveries };
    struct new_delivery **place = &outcome->deliveries;
    for (int i = 0; i < deliveries; i++) {
        *place = arena_alloc(&event->arena, sizeof(**place));
        **place = (struct new_delivery){ .id = uuid_v7(&ids, clock_wall_ms()), .target = SLICE("t"), .message = SLICE("\6"),
                                         .shard = (uint16_t)i, .due_ms = due_ms };
        place = &(*place)->next;
    }
    return outcome;
}

/* Submits and waits. */
static enum result accept(struct store *store, struct event *event, struct outcome *outcome, const struct dedupe_key *key)
{
    struct store_accept op = { .op = { .kind = STORE_ACCEPT, .on_done = on_done }, .event = event_ref(event), .outcome = outcome,
                               .keep_body = true, .keep_until_ms = clock_wall_ms() + 1000000, .keys = key, .key_count = key ? 1 : 0 };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    event_unref(event);
    return op.op.result;
}

static void read_op(struct store *store, struct store_op *op)
{
    int before = done_count;
    op->on_done = on_done;
    CHECK("room", store_submit_read(store, op));
    wait_for(before + 1);
}

static enum result result_of(struct store *store, int64_t delivery, int64_t event, uint32_t n, enum delivery_state state)
{
    struct store_result op = { .op = { .kind = STORE_RESULT, .on_done = on_done }, .delivery_seq = delivery, .event_seq = event,
                               .attempt = { .n = n, .status = 503, .answer = SLICE("no") }, .state = state, .due_ms = 1 };
    CHECK("room", store_take_room(store, ROOM_RESULT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    return op.op.result;
}

/* ---- */

TEST(an_event_its_outcome_and_deliveries_read_back_after_a_restart)
{
    fresh_folder();
    struct store *store = open_store();
    struct event *event = make_event("/a", "{\"n\":1}");
    struct uuid id = event->id;
    CHECK_EQ("accepted", accept(store, event, make_outcome(event, 3, 5), NULL), OK);
    CHECK_EQ("seq", event->seq, 1);
    CHECK_EQ("results", result_of(store, 1, 1, 1, DELIVERY_WAITING), OK);
    CHECK_EQ("results", result_of(store, 1, 1, 2, DELIVERY_DELIVERED), OK);
    CHECK_EQ("results", result_of(store, 2, 1, 1, DELIVERY_DEAD), OK);
    event_unref(event);
    store_stop(store);

    store = open_store();
    struct store_read_show show = { .op = { .kind = STORE_READ_SHOW }, .id = id };
    read_op(store, &show.op);
    CHECK_EQ("found", show.op.result, OK);
    CHECK_EQ("state", show.row.state, SHOWN_DELIVERING);
    CHECK_SLICE("route", show.row.route, "/a");
    CHECK_SLICE("body", show.event->body, "{\"n\":1}");
    CHECK_EQ("indexed again", show.event->kind, BODY_JSON);
    CHECK_EQ("deliveries", show.delivery_count, 3);
    CHECK_EQ("attempts", show.deliveries[0].attempt_count, 2);
    CHECK_EQ("status", show.deliveries[0].attempts[1].status, 503);
    CHECK_EQ("second", show.deliveries[1].state, DELIVERY_DEAD);
    event_unref(show.event);
    store_read_free(&show.op);

    struct store_read_window window = { .op = { .kind = STORE_READ_WINDOW }, .target = SLICE("t"), .limit = 10, .due_before_ms = 100 };
    read_op(store, &window.op);
    CHECK_EQ("one waits", window.count, 1);
    CHECK_EQ("which", window.rows[0].seq, 3);
    CHECK("of this event", uuid_eq(window.rows[0].event_id, id));
    store_read_free(&window.op);

    struct store_read_delivery delivery = { .op = { .kind = STORE_READ_DELIVERY }, .seq = 3 };
    read_op(store, &delivery.op);
    CHECK_EQ("read", delivery.op.result, OK);
    CHECK_SLICE("message", delivery.message, "\6");
    event_unref(delivery.event);
    store_read_free(&delivery.op);
    store_stop(store);
    remove_folder();
}

TEST(a_settle_of_an_event_that_moved_on_writes_nothing)
{
    fresh_folder();
    struct store *store = open_store();
    struct event *event = make_event("/a", "{}");
    CHECK_EQ("accepted", accept(store, event, NULL, NULL), OK);
    for (int i = 0; i < 2; i++) {
        struct store_settle settle = { .op = { .kind = STORE_SETTLE, .on_done = on_done }, .event = event,
                                       .outcome = make_outcome(event, 1, 5) };
        CHECK("room", store_take_room(store, ROOM_EVENT));
        int before = done_count;
        store_submit(store, &settle.op);
        wait_for(before + 1);
        CHECK_EQ("first and second", settle.op.result, i == 0 ? OK : ERR_STALE);
    }
    struct store_read_window window = { .op = { .kind = STORE_READ_WINDOW }, .target = SLICE("t"), .limit = 10, .due_before_ms = 100 };
    read_op(store, &window.op);
    CHECK_EQ("one delivery only", window.count, 1);
    store_read_free(&window.op);
    event_unref(event);
    store_stop(store);
    remove_folder();
}

TEST(waiting_events_are_read_by_the_worker_whose_they_are_when_they_are_due)
{
    fresh_folder();
    struct store *store = open_store();
    for (int i = 0; i < 20; i++) {
        struct event *event = make_event("/a", "{}");
        event->id.bytes[14] = 0;
        event->id.bytes[15] = (uint8_t)i;
        struct outcome *outcome = make_outcome(event, 0, 0);
        outcome->state = EVENT_WAITING;
        outcome->due_ms = (uint64_t)(1000 + i);
        CHECK_EQ("accepted", accept(store, event, outcome, NULL), OK);
        event_unref(event);
    }
    struct store_read_due due = { .op = { .kind = STORE_READ_DUE }, .worker = 1, .workers = 2, .due_before_ms = 1010, .limit = 3 };
    read_op(store, &due.op);
    CHECK_EQ("limited", due.count, 3);
    CHECK_EQ("the first of mine", due.rows[0].due_ms, 1001);
    CHECK_EQ("the next one", due.next_due_ms, 1007);
    CHECK_EQ("its tries", due.rows[0].attempt, 1);
    store_read_free(&due.op);
    due = (struct store_read_due){ .op = { .kind = STORE_READ_DUE }, .worker = 1, .workers = 2, .due_before_ms = 1010, .limit = 30 };
    read_op(store, &due.op);
    CHECK_EQ("due ones only", due.count, 5);
    CHECK_EQ("the one after", due.next_due_ms, 1011);
    store_read_free(&due.op);
    store_stop(store);
    remove_folder();
}

TEST(lists_come_newest_first_in_pages_and_filtered)
{
    fresh_folder();
    struct store *store = open_store();
    for (int i = 0; i < 25; i++) {
        struct event *event = make_event(i % 2 ? "/odd" : "/even", "{}");
        struct outcome *outcome = make_outcome(event, i % 5 == 0, 5);
        if (i == 7)
            outcome->state = EVENT_DROPPED, outcome->text = SLICE("not wanted");
        CHECK_EQ("accepted", accept(store, event, outcome, NULL), OK);
        event_unref(event);
    }
    int64_t cursor = 0;
    int seen = 0, pages = 0;
    do {
        struct store_read_list list = { .op = { .kind = STORE_READ_LIST }, .filter = { .state = -1, .limit = 10, .before_seq = cursor } };
        read_op(store, &list.op);
        for (size_t i = 0; i < list.count; i++)
            CHECK_EQ("in order", list.rows[i].seq, 25 - seen++);
        cursor = list.next_before_seq;
        store_read_free(&list.op);
        pages++;
    } while (cursor && pages < 10);
    CHECK_EQ("all", seen, 25);
    CHECK_EQ("pages", pages, 3);
    static const struct { const char *route; int state; size_t want; } cases[] = {
        { "/odd", -1, 12 }, { NULL, SHOWN_DROPPED, 1 }, { NULL, SHOWN_DELIVERING, 5 }, { "/even", SHOWN_DELIVERING, 3 },
        { NULL, SHOWN_DONE, 19 }, { NULL, SHOWN_DEAD, 0 }, { NULL, SHOWN_WAITING, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_read_list list = { .op = { .kind = STORE_READ_LIST },
                                        .filter = { .state = cases[i].state, .limit = 50, .route = slice_of(cases[i].route) } };
        read_op(store, &list.op);
        CHECK_EQ("filtered", list.count, cases[i].want);
        store_read_free(&list.op);
    }
    store_stop(store);
    remove_folder();
}

static struct uuid settled_winner;
static int settled_count;
static void on_settled(struct dedupe_wait *wait, struct uuid winner)
{
    settled_winner = winner;
    settled_count++;
}

TEST(a_key_is_claimed_once_waited_for_and_free_again_when_its_claim_fails)
{
    fresh_folder();
    struct store *store = open_store();
    uint64_t now_ms = clock_wall_ms();
    struct dedupe_key key = dedupe_key_make(store, SLICE("/a"), 'k', SLICE("id-1"), now_ms + 100000);
    struct dedupe_key other = dedupe_key_make(store, SLICE("/b"), 'k', SLICE("id-1"), now_ms + 100000);
    struct dedupe_wait wait = { .on_settled = on_settled };
    struct uuid winner, first = uuid_v7(&ids, now_ms);
    CHECK("another route is another key", memcmp(key.hash, other.hash, 16) != 0);
    settled_count = 0;
    CHECK_EQ("free", dedupe_claim(store, &key, first, now_ms, &wait, &winner), CLAIM_NEW);
    CHECK_EQ("claimed", dedupe_claim(store, &key, first, now_ms, &wait, &winner), CLAIM_WAIT);
    dedupe_release(store, &key);
    CHECK_EQ("told", settled_count, 1);
    CHECK("that it is free", uuid_is_nil(settled_winner));

    struct event *event = make_event("/a", "{}");
    CHECK_EQ("claimed", dedupe_claim(store, &key, event->id, now_ms, &wait, &winner), CLAIM_NEW);
    wait = (struct dedupe_wait){ .on_settled = on_settled };
    CHECK_EQ("waits", dedupe_claim(store, &key, first, now_ms, &wait, &winner), CLAIM_WAIT);
    CHECK("takes itself back", dedupe_unwait(store, &key, &wait));
    CHECK("once", !dedupe_unwait(store, &key, &wait));
    CHECK_EQ("waits", dedupe_claim(store, &key, first, now_ms, &wait, &winner), CLAIM_WAIT);
    CHECK_EQ("committed", accept(store, event, make_outcome(event, 0, 0), &key), OK);
    CHECK_EQ("told", settled_count, 2);
    CHECK("who won", uuid_eq(settled_winner, event->id));
    CHECK_EQ("duplicate", dedupe_claim(store, &key, first, now_ms, &wait, &winner), CLAIM_DUPLICATE);
    CHECK("of the winner", uuid_eq(winner, event->id));
    CHECK_EQ("its window is over", dedupe_claim(store, &key, first, now_ms + 100001, &wait, &winner), CLAIM_NEW);
    dedupe_release(store, &key);
    struct uuid id = event->id;
    event_unref(event);
    store_stop(store);

    store = open_store();
    key = dedupe_key_make(store, SLICE("/a"), 'k', SLICE("id-1"), now_ms + 100000);
    CHECK_EQ("still after a restart", dedupe_claim(store, &key, first, now_ms, &wait, &winner), CLAIM_DUPLICATE);
    CHECK("of the same", uuid_eq(winner, id));
    store_stop(store);
    remove_folder();
}

TEST(many_operations_share_few_commits)
{
    enum { MANY = 2000 };
    static struct store_accept ops[MANY];
    fresh_folder();
    struct store *store = open_store();
    struct store_stats stats;
    for (int i = 0; i < MANY; i++) {
        struct event *event = make_event("/a", "{\"body\":\"of some bytes\"}");
        ops[i] = (struct store_accept){ .op = { .kind = STORE_ACCEPT, .on_done = on_done }, .event = event,
                                        .outcome = make_outcome(event, 1, 5), .keep_body = true, .keep_until_ms = UINT32_MAX };
        CHECK("room", store_take_room(store, ROOM_EVENT));
        store_submit(store, &ops[i].op);
    }
    wait_for(MANY);
    store_stats(store, &stats);
    CHECK_EQ("all", stats.events, MANY);
    CHECK("few commits", stats.commits < MANY / 4);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ("ok", ops[i].op.result, OK);
        event_unref(ops[i].event);
    }
    store_stop(store);
    remove_folder();
}

TEST(room_is_given_up_to_its_bound_and_given_back)
{
    fresh_folder();
    struct store *store = open_store();
    for (int i = 0; i < STORE_RESULTS_MAX; i++)
        CHECK("up to the bound", store_take_room(store, ROOM_RESULT));
    CHECK("one past it", !store_take_room(store, ROOM_RESULT));
    store_give_room(store, ROOM_RESULT);
    CHECK("given back", store_take_room(store, ROOM_RESULT));
    store_stop(store);
    remove_folder();
}

TEST(another_process_is_told_who_has_the_store)
{
    fresh_folder();
    struct store *store = open_store();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct store_config config = { .path = path, .on_fatal = on_fatal };
        struct store *second;
        char why[512] = "", pid[32];
        snprintf(pid, sizeof(pid), "process %ld", (long)getppid());
        enum result rc = store_open(&config, &second, why, sizeof(why));
        _exit(rc == ERR_EXISTS && strstr(why, pid) ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK_EQ("refused, with the number", status, 0);
    store_stop(store);
    remove_folder();
}

TEST(a_store_is_read_without_a_router_too)
{
    fresh_folder();
    struct store *store = open_store();
    struct event *event = make_event("/a", "{}");
    CHECK_EQ("accepted", accept(store, event, make_outcome(event, 1, 5), NULL), OK);
    event_unref(event);
    store_stop(store);
    char why[512] = "";
    CHECK_EQ("opened", store_open_offline(path, &store, why, sizeof(why)), OK);
    struct store_read_list list = { .op = { .kind = STORE_READ_LIST, .on_done = on_done }, .filter = { .state = -1, .limit = 10 } };
    store_read_offline(store, &list.op);
    CHECK_EQ("one", list.count, 1);
    store_read_free(&list.op);
    store_close_offline(store);
    CHECK("no file", store_open_offline("/nonexistent/t.db", &store, why, sizeof(why)) != OK);
    CHECK("says why", why[0] != '\0');
    remove_folder();
}

TEST_MAIN()
