#include "check.h"

#include <sched.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"

#include <sqlite3.h>

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

    struct store_read_window window = {
        .op = { .kind = STORE_READ_WINDOW }, .target = SLICE("t"), .limit = 10, .due_before_ms = 100
    };
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

TEST(a_delayed_message_counts_its_time_from_when_it_was_to_go_out)
{
    fresh_folder();
    struct store *store = open_store();
    struct event *event = make_event("/a", "{}");
    struct outcome *outcome = make_outcome(event, 2, event->received_ms);
    uint64_t later_ms = event->received_ms + 5000;
    outcome->deliveries->due_ms = outcome->deliveries->not_before_ms = later_ms;
    CHECK_EQ("accepted", accept(store, event, outcome, NULL), OK);
    struct store_read_window window = {
        .op = { .kind = STORE_READ_WINDOW }, .target = SLICE("t"), .limit = 10, .due_before_ms = later_ms - 1
    };
    read_op(store, &window.op);
    CHECK_EQ("one is not due", window.count, 1);
    CHECK_EQ("and says when", window.next_due_ms, later_ms);
    CHECK_EQ("the other counts from the event", window.rows[0].since_ms, event->received_ms);
    store_read_free(&window.op);
    window.due_before_ms = later_ms;
    read_op(store, &window.op);
    CHECK_EQ("both", window.count, 2);
    CHECK_EQ("from its own time", window.rows[1].since_ms, later_ms);
    store_read_free(&window.op);
    event_unref(event);
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
        struct store_settle settle = { .op = { .kind = STORE_SETTLE, .on_done = on_done },
                                       .event = event,
                                       .outcome = make_outcome(event, 1, 5) };
        CHECK("room", store_take_room(store, ROOM_EVENT));
        int before = done_count;
        store_submit(store, &settle.op);
        wait_for(before + 1);
        CHECK_EQ("first and second", settle.op.result, i == 0 ? OK : ERR_STALE);
    }
    struct store_read_window window = {
        .op = { .kind = STORE_READ_WINDOW }, .target = SLICE("t"), .limit = 10, .due_before_ms = 100
    };
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
    struct store_read_due due = {
        .op = { .kind = STORE_READ_DUE }, .worker = 1, .workers = 2, .due_before_ms = 1010, .limit = 3
    };
    read_op(store, &due.op);
    CHECK_EQ("limited", due.count, 3);
    CHECK_EQ("the first of mine", due.rows[0].due_ms, 1001);
    CHECK_EQ("the next one", due.next_due_ms, 1007);
    CHECK_EQ("its tries", due.rows[0].attempt, 1);
    store_read_free(&due.op);
    due = (struct store_read_due){
        .op = { .kind = STORE_READ_DUE }, .worker = 1, .workers = 2, .due_before_ms = 1010, .limit = 30
    };
    read_op(store, &due.op);
    CHECK_EQ("due ones only", due.count, 5);
    CHECK_EQ("the one after", due.next_due_ms, 1011);
    store_read_free(&due.op);
    store_stop(store);
    remove_folder();
}

TEST(neither_what_is_held_nor_many_routes_hide_a_waiting_event)
{
    enum { ROUTES = 20, OF_EACH = STORE_DUE_MAX / ROUTES + 2 };
    fresh_folder();
    struct store *store = open_store();
    int64_t held[OF_EACH];
    for (int i = 0; i < ROUTES * OF_EACH; i++) {
        char route[8];
        snprintf(route, sizeof(route), "/%02d", i % ROUTES);
        struct event *event = make_event(route, "{}");
        CHECK_EQ("accepted", accept(store, event, NULL, NULL), OK);
        if (i % ROUTES == ROUTES - 1)
            held[i / ROUTES] = event->seq;
        event_unref(event);
    }
    struct store_read_due due = { .op = { .kind = STORE_READ_DUE }, .due_before_ms = UINT64_MAX, .limit = STORE_DUE_MAX };
    read_op(store, &due.op);
    CHECK_EQ("all routes, the same of each", due.count, ROUTES * (STORE_DUE_MAX / ROUTES));
    store_read_free(&due.op);
    due = (struct store_read_due){
        .op = { .kind = STORE_READ_DUE }, .due_before_ms = UINT64_MAX, .limit = 1, .held = held, .held_count = OF_EACH - 1
    };
    read_op(store, &due.op);
    CHECK_EQ("one of each", due.count, ROUTES);
    int found = 0;
    for (size_t i = 0; i < due.count; i++)
        found += due.rows[i].seq == held[OF_EACH - 1];
    CHECK_EQ("the one behind those that are held", found, 1);
    store_read_free(&due.op);
    store_stop(store);
    remove_folder();
}

/* The event that is due, when one is; `count` of route /o are. */
static int64_t due_of_order(struct store *store, size_t *count)
{
    struct store_read_due due = { .op = { .kind = STORE_READ_DUE }, .due_before_ms = UINT64_MAX, .limit = 10 };
    read_op(store, &due.op);
    int64_t seq = due.count ? due.rows[0].seq : 0;
    *count = due.count;
    CHECK_EQ("nothing else will be", due.next_due_ms, UINT64_MAX);
    store_read_free(&due.op);
    return seq;
}

static void end_in(struct store *store, int64_t seq, enum event_state state, uint32_t attempt)
{
    struct store_read_event read = { .op = { .kind = STORE_READ_EVENT }, .seq = seq };
    read_op(store, &read.op);
    CHECK("it has its key and its worker", read.event->order_key == 0x1234567 && event_worker(read.event->id, 0x10000) == 0x4567);
    struct outcome *outcome = make_outcome(read.event, 0, 0);
    outcome->state = state;
    outcome->attempt = attempt;
    outcome->due_ms = state == EVENT_WAITING ? 1 : 0;
    struct store_settle settle = { .op = { .kind = STORE_SETTLE, .on_done = on_done }, .event = read.event, .outcome = outcome };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &settle.op);
    wait_for(before + 1);
    CHECK_EQ("settled", settle.op.result, OK);
    event_unref(read.event);
}

static void wake(struct store *store, int64_t seq)
{
    struct store_wake op = { .op = { .kind = STORE_WAKE, .on_done = on_done }, .seq = seq, .due_ms = 1 };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
}

TEST(of_events_with_an_equal_order_key_only_the_first_is_due_until_it_ends)
{
    size_t count;
    fresh_folder();
    struct store *store = open_store();
    for (int i = 0; i < 4; i++) {
        struct event *event = make_event("/o", "{}");
        event_order(event, 0x1234567);
        CHECK_EQ("accepted", accept(store, event, NULL, NULL), OK);
        event_unref(event);
    }
    CHECK("the first", due_of_order(store, &count) == 1 && count == 1);
    wake(store, 3);
    CHECK("what is held back is not woken", due_of_order(store, &count) == 1 && count == 1);
    end_in(store, 1, EVENT_WAITING, 1);
    CHECK("tried again", due_of_order(store, &count) == 1 && count == 1);
    end_in(store, 1, EVENT_HANDLED, 2);
    CHECK("handled", due_of_order(store, &count) == 2 && count == 1);
    store_stop(store);
    store = open_store();
    end_in(store, 2, EVENT_FAILED, 1);
    CHECK("failed, after a restart", due_of_order(store, &count) == 3 && count == 1);
    end_in(store, 3, EVENT_DROPPED, 1);
    CHECK("dropped", due_of_order(store, &count) == 4 && count == 1);
    end_in(store, 4, EVENT_HANDLED, 1);
    CHECK("the last", due_of_order(store, &count) == 0 && count == 0);
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
        struct store_read_list list = { .op = { .kind = STORE_READ_LIST },
                                        .filter = { .state = -1, .limit = 10, .before_seq = cursor } };
        read_op(store, &list.op);
        for (size_t i = 0; i < list.count; i++)
            CHECK_EQ("in order", list.rows[i].seq, 25 - seen++);
        cursor = list.next_before_seq;
        store_read_free(&list.op);
        pages++;
    } while (cursor && pages < 10);
    CHECK_EQ("all", seen, 25);
    CHECK_EQ("pages", pages, 3);
    static const struct {
        const char *route;
        int state;
        size_t want;
    } cases[] = {
        { "/odd", -1, 12 },       { NULL, SHOWN_DROPPED, 1 }, { NULL, SHOWN_DELIVERING, 5 }, { "/even", SHOWN_DELIVERING, 3 },
        { NULL, SHOWN_DONE, 19 }, { NULL, SHOWN_DEAD, 0 },    { NULL, SHOWN_WAITING, 0 },
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

static enum result accept_with(struct store *store, struct event *event, struct outcome *outcome, const struct dedupe_key *key,
                               enum key_use use, int64_t *row)
{
    struct store_accept op = { .op = { .kind = STORE_ACCEPT, .on_done = on_done },
                               .event = event_ref(event),
                               .outcome = outcome,
                               .keys = key,
                               .key_count = 1,
                               .key_use = use };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    event_unref(event);
    *row = op.key_rows[0];
    return op.op.result;
}

static enum result settle_and_forget(struct store *store, struct event *event, int64_t row)
{
    struct store_settle op = { .op = { .kind = STORE_SETTLE, .on_done = on_done },
                               .event = event,
                               .outcome = make_outcome(event, 0, 0),
                               .forget_keys = { row } };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    return op.op.result;
}

TEST(a_key_that_is_held_is_on_disk_and_open_until_its_event_ends)
{
    fresh_folder();
    struct store *store = open_store();
    uint64_t now_ms = clock_wall_ms();
    struct dedupe_key kept = dedupe_key_make(store, SLICE("/a"), 'k', SLICE("kept"), now_ms + 100000);
    struct dedupe_key given = dedupe_key_make(store, SLICE("/a"), 'k', SLICE("given up"), now_ms + 100000);
    struct dedupe_key freed = dedupe_key_make(store, SLICE("/a"), 'k', SLICE("freed"), now_ms + 100000);
    struct dedupe_wait wait = { .on_settled = on_settled };
    struct uuid winner;
    struct event *first = make_event("/a", "{}"), *second = make_event("/a", "{}"), *third = make_event("/a", "{}");
    int64_t row_kept, row_given, row_freed;
    settled_count = 0;
    CHECK_EQ("free", dedupe_claim(store, &kept, first->id, now_ms, &wait, &winner), CLAIM_NEW);
    CHECK_EQ("free", dedupe_claim(store, &given, second->id, now_ms, &wait, &winner), CLAIM_NEW);
    CHECK_EQ("free", dedupe_claim(store, &freed, third->id, now_ms, &wait, &winner), CLAIM_NEW);
    CHECK_EQ("accepted", accept_with(store, first, NULL, &kept, KEYS_HOLD, &row_kept), OK);
    CHECK_EQ("accepted", accept_with(store, second, NULL, &given, KEYS_HOLD, &row_given), OK);
    CHECK_EQ("accepted", accept_with(store, third, make_outcome(third, 0, 0), &freed, KEYS_RELEASE, &row_freed), OK);
    CHECK_EQ("on disk", count_rows("SELECT count(*) FROM dedupe_recent"), 2);
    CHECK_EQ("still claimed", dedupe_claim(store, &kept, second->id, now_ms, &wait, &winner), CLAIM_WAIT);
    CHECK_EQ("released", dedupe_claim(store, &freed, second->id, now_ms, &wait, &winner), CLAIM_NEW);
    dedupe_commit(store, &kept);
    CHECK("its waiter is told", settled_count == 1 && uuid_eq(settled_winner, first->id));
    CHECK_EQ("settled", settle_and_forget(store, second, row_given), OK);
    CHECK_EQ("stale", settle_and_forget(store, second, row_kept), ERR_STALE);
    dedupe_release(store, &given);
    CHECK_EQ("one is left", count_rows("SELECT count(*) FROM dedupe_recent"), 1);
    event_unref(first);
    event_unref(second);
    event_unref(third);
    store_stop(store);

    store = open_store();
    CHECK_EQ("kept", dedupe_claim(store, &kept, (struct uuid){ { 1 } }, now_ms, &wait, &winner), CLAIM_DUPLICATE);
    CHECK_EQ("given up", dedupe_claim(store, &given, (struct uuid){ { 1 } }, now_ms, &wait, &winner), CLAIM_NEW);
    store_stop(store);
    remove_folder();
}

/* What is in a store was hashed by another process, perhaps an older one. From: openssl mac -macopt hexkey:0001… -macopt size:16
 * SIPHASH, of "/a", a zero, "kid-1". */
TEST(a_key_has_the_same_hash_in_every_process)
{
    static const uint8_t want[16] = { 0xC1, 0xAD, 0x32, 0xAB, 0x80, 0xC0, 0x21, 0x33,
                                      0x7D, 0xC3, 0x38, 0x90, 0x40, 0x06, 0x4B, 0x74 };
    fresh_folder();
    store_stop(open_store());
    run_sql("UPDATE meta SET value = X'000102030405060708090A0B0C0D0E0F' WHERE name = 'dedupe_key'");
    struct store *store = open_store();
    for (int i = 0; i < 2; i++) {
        struct dedupe_key key = dedupe_key_make(store, SLICE("/a"), 'k', SLICE("id-1"), 5);
        CHECK_BYTES("hash", key.hash, sizeof(key.hash), want, sizeof(want));
        CHECK_EQ("until", key.until_ms, 5);
    }
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
        ops[i] = (struct store_accept){ .op = { .kind = STORE_ACCEPT, .on_done = on_done },
                                        .event = event,
                                        .outcome = make_outcome(event, 1, 5),
                                        .keep_body = true,
                                        .keep_until_ms = UINT32_MAX };
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

/* ---- one that fails among others ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: the writer stands still in on_first_done */

static void on_first_done(struct store_op *op)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    on_done(op);
}

enum { BATCH = 8, DELIVERIES = 3 };

/* One operation alone, and behind it, in one batch, the others. */
static void accept_together(struct store *store, struct store_accept ops[BATCH])
{
    struct event *event = make_event("/alone", "{}");
    struct store_accept alone = { .op = { .kind = STORE_ACCEPT, .on_done = on_first_done }, .event = event };
    int before = done_count;
    pthread_mutex_lock(&gate);
    CHECK("room", store_take_room(store, ROOM_EVENT));
    store_submit(store, &alone.op);
    for (struct store_stats stats = { 0 }; stats.commits == 0;) {
        store_stats(store, &stats);
        sched_yield();
    }
    for (int i = 0; i < BATCH; i++) {
        CHECK("room", store_take_room(store, ROOM_EVENT));
        store_submit(store, &ops[i].op);
    }
    pthread_mutex_unlock(&gate);
    wait_for(before + 1 + BATCH);
    event_unref(event);
}

static void make_batch(struct store_accept ops[BATCH], struct dedupe_key keys[BATCH])
{
    for (int i = 0; i < BATCH; i++) {
        struct event *event = make_event("/together", "{}");
        keys[i] = (struct dedupe_key){ .hash = { (uint8_t)i }, .until_ms = UINT32_MAX };
        ops[i] = (struct store_accept){ .op = { .kind = STORE_ACCEPT, .on_done = on_done },
                                        .event = event,
                                        .outcome = make_outcome(event, DELIVERIES, 5),
                                        .keep_body = true,
                                        .keep_until_ms = UINT32_MAX,
                                        .keys = &keys[i],
                                        .key_count = 1 };
    }
}

static void check_stored(struct store *store, const struct store_accept *op, bool stored)
{
    struct store_read_show show = { .op = { .kind = STORE_READ_SHOW }, .id = op->event->id };
    const struct new_delivery *delivery = op->outcome->deliveries;
    read_op(store, &show.op);
    CHECK_EQ("found", show.op.result, stored ? OK : ERR_NOT_FOUND);
    CHECK_EQ("its own number", show.row.seq, stored ? op->event->seq : 0);
    CHECK_EQ("all deliveries", show.delivery_count, stored ? op->outcome->delivery_count : 0);
    for (size_t i = 0; i < show.delivery_count; i++, delivery = delivery->next)
        CHECK("its own", uuid_eq(show.deliveries[i].id, delivery->id) && show.deliveries[i].seq == delivery->seq);
    event_unref(show.event);
    store_read_free(&show.op);
}

TEST(one_that_fails_when_it_has_written_is_undone_alone)
{
    static struct store_accept ops[BATCH];
    static struct dedupe_key keys[BATCH];
    enum { BAD = 3 };
    fresh_folder();
    struct store *store = open_store();
    make_batch(ops, keys);
    /* its key comes last: the event, the body and the deliveries are there already */
    run_sql("CREATE TRIGGER bad BEFORE INSERT ON dedupe_recent WHEN hex(NEW.hash) LIKE '03%' "
            "BEGIN SELECT RAISE(ABORT, 'bad'); END");
    accept_together(store, ops);
    struct store_stats stats;
    store_stats(store, &stats);
    CHECK_EQ("one batch", stats.batch_largest, BATCH);
    int64_t next = 1;
    for (int i = 0; i < BATCH; i++) {
        CHECK_EQ("result", ops[i].op.result, i == BAD ? ERR_INVALID : OK);
        for (struct new_delivery *delivery = ops[i].outcome->deliveries; delivery && i != BAD; delivery = delivery->next)
            CHECK_EQ("one after the other", delivery->seq, next++);
    }
    CHECK_EQ("events", count_rows("SELECT count(*) FROM event"), BATCH);
    CHECK_EQ("bodies", count_rows("SELECT count(*) FROM body"), BATCH);
    CHECK_EQ("deliveries", count_rows("SELECT count(*) FROM delivery"), (BATCH - 1) * DELIVERIES);
    CHECK_EQ("keys", count_rows("SELECT count(*) FROM dedupe_recent"), BATCH - 1);
    for (int i = 0; i < BATCH; i++) {
        check_stored(store, &ops[i], i != BAD);
        event_unref(ops[i].event);
    }
    store_stop(store);
    remove_folder();
}

static enum result settle(struct store *store, struct event *event, struct outcome *outcome)
{
    struct store_settle op = { .op = { .kind = STORE_SETTLE, .on_done = on_done }, .event = event, .outcome = outcome };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    return op.op.result;
}

TEST(numbers_of_deliveries_go_on_after_a_settle_that_was_stale_and_after_a_restart)
{
    fresh_folder();
    int64_t next = 1;
    for (int round = 0; round < 3; round++) {
        struct store *store = open_store();
        struct event *event = make_event("/a", "{}"), *settled = make_event("/b", "{}");
        struct outcome *outcome = make_outcome(event, 2, 5);
        CHECK_EQ("accepted", accept(store, event, outcome, NULL), OK);
        CHECK_EQ("waits", accept(store, settled, NULL, NULL), OK);
        CHECK_EQ("first", outcome->deliveries->seq, next++);
        CHECK_EQ("second", outcome->deliveries->next->seq, next++);
        outcome = make_outcome(settled, 1, 5);
        CHECK_EQ("settled", settle(store, settled, outcome), OK);
        CHECK_EQ("third", outcome->deliveries->seq, next++);
        CHECK_EQ("stale", settle(store, settled, make_outcome(settled, 1, 5)), ERR_STALE);
        event_unref(event);
        event_unref(settled);
        store_stop(store);
    }
    remove_folder();
}

/* ---- retention ---- */

static void wait_for_rows(const char *sql, int want)
{
    int got = -1;
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_S * 1000; clock_mono_ms() < end_ms && (got = count_rows(sql)) != want;)
        sched_yield();
    CHECK_EQ(sql, got, want);
}

static void accept_old(struct store *store, const char *route, uint64_t age_ms, uint64_t keep_ms, enum delivery_state state)
{
    struct event *event = make_event(route, "{\"n\":1}");
    event->received_ms = clock_wall_ms() - age_ms;
    struct outcome *outcome = make_outcome(event, 2, 1);
    outcome->deliveries->state = outcome->deliveries->next->state = state;
    struct store_accept op = { .op = { .kind = STORE_ACCEPT, .on_done = on_done },
                               .event = event_ref(event),
                               .outcome = outcome,
                               .keep_body = true,
                               .keep_until_ms = event->received_ms + keep_ms };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    event_unref(event);
    event_unref(event);
}

TEST(what_is_over_goes_and_what_waits_stays)
{
    enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };
    fresh_folder();
    struct store *store = open_store();
    for (int i = 0; i < 300; i++)
        accept_old(store, "/over", 3ull * DAY_MS, DAY_MS, DELIVERY_DELIVERED);
    accept_old(store, "/waits", 3ull * DAY_MS, DAY_MS, DELIVERY_WAITING);
    accept_old(store, "/long", 3ull * DAY_MS, 30ull * DAY_MS, DELIVERY_DELIVERED);
    accept_old(store, "/short", 2 * HOUR_MS, HOUR_MS, DELIVERY_DELIVERED);
    wait_for_rows("SELECT count(*) FROM event WHERE route = '/over'", 0);
    wait_for_rows("SELECT count(*) FROM body b JOIN event e ON e.seq = b.event WHERE e.route = '/short'", 0);
    CHECK_EQ("rows", count_rows("SELECT count(*) FROM event"), 3);
    CHECK_EQ("bodies", count_rows("SELECT count(*) FROM body"), 2);
    CHECK_EQ("deliveries", count_rows("SELECT count(*) FROM delivery"), 6);
    store_stop(store);
    remove_folder();
}

/* ---- order ---- */

static void accept_keyed(struct store *store, const char *key, uint64_t due_ms)
{
    struct event *event = make_event("/a", "{}");
    struct outcome *outcome = make_outcome(event, 1, due_ms);
    outcome->deliveries->order_key = slice_of(key);
    CHECK_EQ("accepted", accept(store, event, outcome, NULL), OK);
    event_unref(event);
}

static int64_t first_of(struct store *store, const char *key)
{
    struct store_read_window window = { .op = { .kind = STORE_READ_WINDOW },
                                        .target = SLICE("t"),
                                        .order_key = slice_of(key),
                                        .limit = 1,
                                        .due_before_ms = UINT64_MAX };
    read_op(store, &window.op);
    int64_t seq = window.count ? window.rows[0].seq : 0;
    store_read_free(&window.op);
    return seq;
}

TEST(of_a_key_only_the_first_that_waits_is_seen)
{
    static const int64_t want[] = { 4, 6, 1 };
    fresh_folder();
    struct store *store = open_store();
    accept_keyed(store, "a", 50); /* 1: tried already, due late */
    accept_keyed(store, "a", 10);
    accept_keyed(store, "a", 5);
    accept_keyed(store, "b", 20); /* 4 */
    accept_keyed(store, "b", 20);
    accept_keyed(store, "", 30); /* 6 */
    struct store_read_window window = {
        .op = { .kind = STORE_READ_WINDOW }, .target = SLICE("t"), .limit = 10, .due_before_ms = 100
    };
    read_op(store, &window.op);
    CHECK_EQ("first ones", window.count, COUNT(want));
    for (size_t i = 0; i < COUNT(want) && i < window.count; i++)
        CHECK_EQ("by due", window.rows[i].seq, want[i]);
    store_read_free(&window.op);
    CHECK_EQ("of one key", first_of(store, "a"), 1);
    CHECK_EQ("ended", result_of(store, 1, 1, 1, DELIVERY_DEAD), OK);
    CHECK_EQ("the next by number, not by due", first_of(store, "a"), 2);
    CHECK_EQ("none", first_of(store, "c"), 0);
    CHECK_EQ("what has no key is none's first", first_of(store, ""), 0);
    store_stop(store);
    remove_folder();
}

/* ---- what on_error and on_dead send ---- */

static struct outcome *outcome_with_notice(struct event *event, enum event_state state, uint32_t attempt)
{
    struct outcome *outcome = make_outcome(event, 1, 1);
    outcome->state = state;
    outcome->attempt = attempt;
    outcome->reason = state == EVENT_HANDLED ? RUN_OK : RUN_ERROR;
    outcome->deliveries->notice = state != EVENT_HANDLED;
    return outcome;
}

/* The end of delivery `seq` of event 1, of a route that keeps nothing. */
static void end_delivery(struct store *store, int64_t seq, enum delivery_state state, struct outcome *says)
{
    struct store_result op = { .op = { .kind = STORE_RESULT, .on_done = on_done },
                               .delivery_seq = seq,
                               .event_seq = 1,
                               .attempt = { .n = 1, .status = 200, .answer = SLICE("") },
                               .state = state,
                               .says = says,
                               .forget_body = true };
    CHECK("room", store_take_room(store, ROOM_RESULT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    CHECK_EQ("written", op.op.result, OK);
}

TEST(notices_go_out_beside_their_event_and_are_none_of_its_state)
{
    fresh_folder();
    struct store *store = open_store();
    struct event *event = make_event("/a", "{}");
    event->received_ms -= 3ull * 24 * 3600 * 1000;
    struct store_accept op = { .op = { .kind = STORE_ACCEPT, .on_done = on_done },
                               .event = event_ref(event),
                               .outcome = outcome_with_notice(event, EVENT_WAITING, 1) };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    store_submit(store, &op.op);
    wait_for(1);
    end_delivery(store, 1, DELIVERY_DEAD, NULL);
    CHECK_EQ("the event waits for its body", count_rows("SELECT count(*) FROM body"), 1);
    CHECK_EQ("handled", settle(store, event, outcome_with_notice(event, EVENT_HANDLED, 2)), OK);

    struct outcome *says = outcome_with_notice(event, EVENT_HANDLED, 0);
    says->deliveries->notice = true;
    end_delivery(store, 2, DELIVERY_DEAD, says);
    CHECK_EQ("what on_dead sends came with the end", says->deliveries->seq, 3);
    CHECK_EQ("and waits for the body", count_rows("SELECT count(*) FROM body"), 1);
    says = outcome_with_notice(event, EVENT_HANDLED, 0);
    end_delivery(store, 2, DELIVERY_DEAD, says);
    CHECK_EQ("of one that has ended before nothing is written", count_rows("SELECT count(*) FROM delivery"), 3);

    struct store_read_show show = { .op = { .kind = STORE_READ_SHOW }, .id = event->id };
    read_op(store, &show.op);
    CHECK_EQ("its own", show.row.delivery_count, 1);
    CHECK_EQ("all are shown", show.delivery_count, 3);
    CHECK("which is which", show.deliveries[0].notice && !show.deliveries[1].notice && show.deliveries[2].notice);
    CHECK_EQ("its own is dead, whatever the notices are", show.row.state, SHOWN_DEAD);
    event_unref(show.event);
    store_read_free(&show.op);

    struct store_read_window window = {
        .op = { .kind = STORE_READ_WINDOW }, .target = SLICE("t"), .limit = 10, .due_before_ms = 100
    };
    read_op(store, &window.op);
    CHECK_EQ("one waits", window.count, 1);
    CHECK("and is known for one", window.rows[0].notice);
    store_read_free(&window.op);
    end_delivery(store, 3, DELIVERY_DELIVERED, NULL);
    CHECK_EQ("nothing needs it any more", count_rows("SELECT count(*) FROM body"), 0);
    wait_for_rows("SELECT count(*) FROM event", 0);
    CHECK_EQ("and all goes together", count_rows("SELECT count(*) FROM delivery"), 0);
    event_unref(op.event);
    event_unref(event);
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
    struct store_read_list list = { .op = { .kind = STORE_READ_LIST, .on_done = on_done },
                                    .filter = { .state = -1, .limit = 10 } };
    store_read_offline(store, &list.op);
    CHECK_EQ("one", list.count, 1);
    store_read_free(&list.op);
    store_close_offline(store);
    CHECK("no file", store_open_offline("/nonexistent/t.db", &store, why, sizeof(why)) != OK);
    CHECK("says why", why[0] != '\0');
    remove_folder();
}

/* ---- schema 2: failed tries, replays, what waits route by route ---- */

static struct outcome *failed_outcome(struct event *event, uint32_t attempt, enum event_state state, uint64_t due_ms)
{
    struct outcome *outcome = arena_alloc(&event->arena, sizeof(*outcome));
    *outcome = (struct outcome){ .state = state,
                                 .reason = RUN_CPU,
                                 .text = attempt == 1 ? SLICE("a.lua:1: first") : SLICE("a.lua:1: second"),
                                 .at_ms = 1000 + attempt,
                                 .attempt = attempt,
                                 .generation = attempt,
                                 .due_ms = due_ms };
    return outcome;
}

TEST(each_failed_try_is_kept_and_a_replay_marks_its_event)
{
    fresh_folder();
    struct store *store = open_store();
    struct event *event = make_event("/in", "{\"a\":1}");
    CHECK_EQ("stored", accept(store, event, failed_outcome(event, 1, EVENT_WAITING, 1), NULL), OK);
    event->attempt = 1;
    CHECK_EQ("settled", settle(store, event, failed_outcome(event, 2, EVENT_FAILED, 0)), OK);

    struct event *again = make_event("/in", "{\"a\":1}");
    again->replay_of = event->id;
    CHECK_EQ("replayed", accept(store, again, NULL, NULL), OK);

    struct store_read_show show = { .op = { .kind = STORE_READ_SHOW }, .id = event->id };
    read_op(store, &show.op);
    CHECK_EQ("shown", show.op.result, OK);
    CHECK_EQ("both tries", show.failure_count, 2);
    CHECK_EQ("the latest first", show.failures[0].n, 2);
    CHECK_EQ("when", show.failures[0].at_ms, 1002);
    CHECK_EQ("by which rules", show.failures[1].generation, 1);
    CHECK_EQ("why", show.failures[1].reason, RUN_CPU);
    CHECK_SLICE("in words", show.failures[1].text, "a.lua:1: first");
    CHECK("replayed as", uuid_eq(show.row.replayed_as, again->id));
    event_unref(show.event);
    store_read_free(&show.op);

    struct store_read_event read = { .op = { .kind = STORE_READ_EVENT }, .id = again->id };
    read_op(store, &read.op);
    CHECK("replay of", read.op.result == OK && uuid_eq(read.event->replay_of, event->id));
    event_unref(read.event);
    event_unref(event);
    event_unref(again);
    store_stop(store);
    remove_folder();
}

/* ---- schema 3: what handlers asked of others ---- */

static void add_fetches(struct event *event, struct outcome *outcome, int count)
{
    struct fetch_record **place = &outcome->fetches;
    for (int i = 0; i < count; i++) {
        *place = arena_alloc(&event->arena, sizeof(**place));
        **place = (struct fetch_record){ .at_ms = 1000 + (uint64_t)i,
                                         .took_ms = 7,
                                         .status = i ? 0 : 404,
                                         .error = i ? ATTEMPT_TIMEOUT : ATTEMPT_ANSWERED,
                                         .method = SLICE("GET"),
                                         .url = SLICE("https://a.example.com/secret:KEY") };
        place = &(*place)->next;
    }
}

TEST(what_each_try_asked_of_others_stays_with_the_event)
{
    fresh_folder();
    struct store *store = open_store();
    struct event *event = make_event("/in", "{}");
    CHECK_EQ("stored", accept(store, event, NULL, NULL), OK);
    struct outcome *outcome = failed_outcome(event, 1, EVENT_WAITING, 1);
    add_fetches(event, outcome, 2);
    CHECK_EQ("first try", settle(store, event, outcome), OK);
    event->attempt = 1;
    outcome = failed_outcome(event, 2, EVENT_FAILED, 0);
    add_fetches(event, outcome, FETCH_RECORDS_MAX);
    CHECK_EQ("second try", settle(store, event, outcome), OK);

    struct store_read_show show = { .op = { .kind = STORE_READ_SHOW }, .id = event->id };
    read_op(store, &show.op);
    CHECK_EQ("all of both", show.lookup_count, FETCH_RECORDS_MAX + 2);
    CHECK_EQ("the latest try first", show.lookups[0].n, 2);
    const struct lookup_row *last = &show.lookups[show.lookup_count - 1], *first = last - 1;
    CHECK_EQ("try", first->n, 1);
    CHECK_EQ("status", first->record.status, 404);
    CHECK_EQ("when", last->record.at_ms, 1001);
    CHECK_EQ("took", last->record.took_ms, 7);
    CHECK_EQ("why", last->record.error, ATTEMPT_TIMEOUT);
    CHECK_SLICE("method", last->record.method, "GET");
    CHECK_SLICE("url", last->record.url, "https://a.example.com/secret:KEY");
    event_unref(show.event);
    store_read_free(&show.op);
    event_unref(event);
    store_stop(store);
    remove_folder();
}

TEST(much_of_one_route_hides_nothing_of_another)
{
    fresh_folder();
    struct store *store = open_store();
    for (int i = 0; i < 300; i++) {
        struct event *event = make_event(i < 298 ? "/a" : "/b", "{}");
        CHECK_EQ("stored", accept(store, event, failed_outcome(event, 1, EVENT_WAITING, (uint64_t)i + 1), NULL), OK);
        event_unref(event);
    }
    struct store_read_due due = { .op = { .kind = STORE_READ_DUE }, .due_before_ms = 299, .limit = 10 };
    read_op(store, &due.op);
    CHECK_EQ("ten of one, one of the other", due.count, 11);
    CHECK_EQ("by time", due.rows[0].due_ms, 1);
    CHECK_SLICE("the other one", due.rows[10].route, "/b");
    CHECK_EQ("and when to look again", due.next_due_ms, 11);
    store_read_free(&due.op);

    struct backlog_target targets[] = { { SLICE("t"), 9, 9 } };
    struct store_read_backlog backlog = { .op = { .kind = STORE_READ_BACKLOG }, .targets = targets, .target_count = 1 };
    read_op(store, &backlog.op);
    CHECK_EQ("two routes", backlog.count, 2);
    CHECK_EQ("waiting", backlog.rows[0].waiting, 298);
    CHECK_EQ("failed", backlog.rows[1].failed, 2);
    CHECK_EQ("none dead", backlog.rows[1].dead, 0);
    CHECK_EQ("no messages", targets[0].waiting + targets[0].oldest_ms, 0);
    store_read_free(&backlog.op);

    struct store_read_list list = { .op = { .kind = STORE_READ_LIST },
                                    .filter = { .state = -1, .limit = 1, .route = SLICE("/b") } };
    read_op(store, &list.op);
    struct store_wake wake = { .op = { .kind = STORE_WAKE, .on_done = on_done }, .seq = list.rows[0].seq, .due_ms = 0 };
    store_read_free(&list.op);
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &wake.op);
    wait_for(before + 1);
    due.due_before_ms = 0;
    read_op(store, &due.op);
    CHECK_EQ("the woken one is due", due.count, 1);
    store_read_free(&due.op);
    store_stop(store);
    remove_folder();
}

TEST(knows_how_many_messages_wait_for_a_target_and_since_when)
{
    fresh_folder();
    struct store *store = open_store();
    struct backlog_target targets[] = { { .name = SLICE("none") }, { .name = SLICE("t") } };
    for (int i = 0; i < 3; i++) {
        struct event *event = make_event("/a", "{}");
        struct outcome *outcome = make_outcome(event, 2, 1000 - (uint64_t)i); /* what came first is not due first */
        event->received_ms = 100 + (uint64_t)i;
        outcome->deliveries->not_before_ms = i == 1 ? 500 : 0;
        CHECK_EQ("stored", accept(store, event, outcome, NULL), OK);
        struct store_read_backlog backlog = { .op = { .kind = STORE_READ_BACKLOG }, .targets = targets, .target_count = 2 };
        read_op(store, &backlog.op);
        CHECK_EQ("waiting", targets[1].waiting, i < 2 ? 2 : 3);
        CHECK_EQ("since", targets[1].oldest_ms, i == 0 ? 100 : i == 1 ? 500 : 101);
        CHECK_EQ("nothing of another", targets[0].waiting, 0);
        store_read_free(&backlog.op);
        struct new_delivery *delivery = outcome->deliveries;
        CHECK_EQ("ended", result_of(store, delivery->seq - (i == 1), event->seq, 1, DELIVERY_DELIVERED), OK);
        if (i < 2)
            CHECK_EQ("ended", result_of(store, delivery->seq + (i == 0), event->seq, 1, DELIVERY_DEAD), OK);
        event_unref(event);
    }
    store_stop(store);
    remove_folder();
}

/* As the first version left it, with one event that waits. */
static void write_first_store(void)
{
    static char schema[64 << 10];
    FILE *file = fopen(FIRST_SCHEMA, "r");
    sqlite3 *db = NULL;
    CHECK("the schema is there", file && fread(schema, 1, sizeof(schema) - 1, file) > 0);
    fclose(file);
    CHECK_EQ("made", sqlite3_open(path, &db), SQLITE_OK);
    CHECK_EQ("first", sqlite3_exec(db, "PRAGMA page_size = 16384; PRAGMA user_version = 1;", NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQ("schema", sqlite3_exec(db, schema, NULL, NULL, NULL), SQLITE_OK);
    CHECK_EQ("event",
             sqlite3_exec(db,
                          "INSERT INTO event VALUES (1, x'0102030405060708090a0b0c0d0e0f10', '/old', '', 0, 5, 5, 0, 1, 0, '', "
                          "99, 0, 0, 0, 0, x'')",
                          NULL, NULL, NULL),
             SQLITE_OK);
    sqlite3_close(db);
}

TEST(a_store_of_the_first_schema_is_brought_up_to_date)
{
    fresh_folder();
    write_first_store();
    struct store *store = open_store();
    struct store_read_due due = { .op = { .kind = STORE_READ_DUE }, .due_before_ms = 10, .limit = 10 };
    read_op(store, &due.op);
    CHECK_EQ("what waited waits", due.count, 1);
    store_read_free(&due.op);
    struct event *event = make_event("/new", "{}");
    CHECK_EQ("and more comes", accept(store, event, failed_outcome(event, 1, EVENT_WAITING, 1), NULL), OK);
    event_unref(event);
    store_stop(store);
    store = open_store(); /* once more, up to date already */
    store_stop(store);
    remove_folder();
}
TEST_MAIN()
