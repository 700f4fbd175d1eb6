/* Runs that handlers ask for: events of their own, which can be replaced as long as they are not due. */
#include "helpers.h"

#include "model/run_note.h"

enum { HOUR_MS = 3600000 };

static struct run_note note_of(struct event *event, enum run_note_kind kind, const char *name, uint64_t due_ms, const char *body)
{
    struct buf meta;
    buf_init(&meta, 1 << 10);
    event_meta_write(event, &meta);
    struct run_note note = { .kind = kind,
                             .route = SLICE("task:t"),
                             .name = slice_of(name),
                             .id = uuid_v7(&ids, clock_wall_ms()),
                             .made_ms = clock_wall_ms(),
                             .due_ms = due_ms,
                             .keep_until_ms = due_ms + HOUR_MS,
                             .meta = arena_copy(&event->arena, buf_slice(&meta)),
                             .body = slice_of(body) };
    buf_deinit(&meta);
    return note;
}

/* Committed with an event of its own. */
static void ask(struct store *store, enum run_note_kind kind, const char *name, uint64_t due_ms, const char *body)
{
    struct event *event = make_event("/a", "{}");
    struct outcome *outcome = make_outcome(event, 0, 0);
    struct run_note note = note_of(event, kind, name, due_ms, body);
    outcome->runs = &note;
    CHECK_EQ("committed", accept(store, event, outcome, NULL), OK);
    event_unref(event);
}

static void end_run(struct store *store, int64_t seq)
{
    struct store_read_event read = { .op = { .kind = STORE_READ_EVENT }, .seq = seq };
    read_op(store, &read.op);
    CHECK_EQ("there", read.op.result, OK);
    struct store_settle settle = { .op = { .kind = STORE_SETTLE, .on_done = on_done },
                                   .event = read.event,
                                   .outcome = make_outcome(read.event, 0, 0) };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &settle.op);
    wait_for(before + 1);
    CHECK_EQ("settled", settle.op.result, OK);
    event_unref(read.event);
}

#define WAIT_ROWS "SELECT count(*) FROM event WHERE route = 'task:t' AND state = 0"

TEST(a_run_is_an_event_that_waits_until_it_is_due)
{
    fresh_folder();
    struct store *store = open_store();
    uint64_t now_ms = clock_wall_ms();
    ask(store, RUN_START, "", now_ms + HOUR_MS, "{\"n\":7}");
    struct store_read_due due = { .op = { .kind = STORE_READ_DUE }, .due_before_ms = now_ms, .limit = 10 };
    read_op(store, &due.op);
    CHECK_EQ("not yet", due.count, 0);
    CHECK_EQ("then", due.next_due_ms, now_ms + HOUR_MS);
    store_read_free(&due.op);
    due.due_before_ms = now_ms + HOUR_MS;
    read_op(store, &due.op);
    CHECK_EQ("now", due.count, 1);
    struct store_read_event read = { .op = { .kind = STORE_READ_EVENT }, .seq = due.rows[0].seq };
    read_op(store, &read.op);
    CHECK_SLICE("its data", read.event->body, "{\"n\":7}");
    CHECK_SLICE("its task", read.event->route, "task:t");
    CHECK_EQ("indexed", read.event->kind, BODY_JSON);
    event_unref(read.event);
    store_read_free(&due.op);
    store_stop(store);
    remove_folder();
}

TEST(a_run_with_a_name_replaces_one_that_waits_and_follows_one_that_is_due)
{
    fresh_folder();
    struct store *store = open_store();
    uint64_t now_ms = clock_wall_ms();
    ask(store, RUN_START, "x", now_ms + HOUR_MS, "1");
    ask(store, RUN_START, "y", now_ms + HOUR_MS, "2");
    CHECK_EQ("two names", count_rows(WAIT_ROWS), 2);
    ask(store, RUN_START, "x", now_ms + 2 * HOUR_MS, "3");
    CHECK_EQ("replaced", count_rows(WAIT_ROWS), 2);
    CHECK_EQ("by the later one", count_rows(WAIT_ROWS " AND due_ms > (SELECT due_ms FROM event WHERE type = 'y')"), 1);
    CHECK_EQ("with its body",
             count_rows("SELECT count(*) FROM body b JOIN event e ON e.seq = b.event "
                        "WHERE e.route = 'task:t'"),
             2);
    ask(store, RUN_START, "z", now_ms, "4");
    ask(store, RUN_START, "z", now_ms + HOUR_MS, "5");
    CHECK_EQ("one that is due runs, and is followed", count_rows(WAIT_ROWS " AND type = 'z'"), 2);
    end_run(store, count_rows("SELECT min(seq) FROM event WHERE type = 'z'"));
    ask(store, RUN_START, "z", now_ms + HOUR_MS, "6");
    CHECK_EQ("its end frees no other's name", count_rows(WAIT_ROWS " AND type = 'z'"), 1);
    store_stop(store);
    remove_folder();
}

TEST(a_run_that_waits_can_be_cancelled_by_its_name_and_one_that_is_due_not)
{
    fresh_folder();
    struct store *store = open_store();
    uint64_t now_ms = clock_wall_ms();
    ask(store, RUN_CANCEL, "x", 0, "");
    ask(store, RUN_START, "x", now_ms + HOUR_MS, "1");
    ask(store, RUN_CANCEL, "y", 0, "");
    CHECK_EQ("another's name", count_rows(WAIT_ROWS), 1);
    ask(store, RUN_CANCEL, "x", 0, "");
    CHECK_EQ("cancelled", count_rows(WAIT_ROWS), 0);
    CHECK_EQ("nothing is left",
             count_rows("SELECT (SELECT count(*) FROM run_name) + (SELECT count(*) FROM body b JOIN event e "
                        "ON e.seq = b.event WHERE e.route = 'task:t')"),
             0);
    ask(store, RUN_START, "x", now_ms, "1");
    ask(store, RUN_CANCEL, "x", 0, "");
    CHECK_EQ("due", count_rows(WAIT_ROWS), 1);
    end_run(store, count_rows("SELECT seq FROM event WHERE type = 'x'"));
    CHECK_EQ("its end frees the name", count_rows("SELECT count(*) FROM run_name"), 0);
    store_stop(store);
    remove_folder();
}

/* ---- on a clock ---- */

static struct store_tick tick(struct store *store, const char *schedule, uint64_t now_ms, uint64_t tick_ms)
{
    struct event *event = make_event("/a", "{}");
    struct run_note note = note_of(event, RUN_START, "", now_ms, "");
    struct store_tick tick = { .op = { .kind = STORE_TICK, .on_done = on_done },
                               .schedule = slice_of(schedule),
                               .now_ms = now_ms,
                               .tick_ms = tick_ms,
                               .run = &note };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &tick.op);
    wait_for(before + 1);
    CHECK_EQ("written", tick.op.result, OK);
    event_unref(event);
    return tick;
}

TEST(a_time_of_a_clock_is_taken_once_also_after_a_restart)
{
    fresh_folder();
    struct store *store = open_store();
    uint64_t now_ms = clock_wall_ms();
    CHECK_EQ("first seen now", tick(store, "every 1000", now_ms, 0).last_ms, now_ms);
    CHECK_EQ("and again", tick(store, "every 1000", now_ms + 10, 0).last_ms, now_ms);
    CHECK("its time", tick(store, "every 1000", now_ms + 1000, now_ms + 1000).started);
    CHECK("the same time", !tick(store, "every 1000", now_ms + 1000, now_ms + 1000).started);
    CHECK_EQ("one run", count_rows(WAIT_ROWS), 1);
    CHECK("its next one, while the first has not been tried", !tick(store, "every 1000", now_ms + 2000, now_ms + 2000).started);
    CHECK_EQ("one run", count_rows(WAIT_ROWS), 1);
    store_stop(store);
    store = open_store();
    CHECK_EQ("the last time is known", tick(store, "every 1000", now_ms + 5000, 0).last_ms, now_ms + 2000);
    end_run(store, count_rows("SELECT max(seq) FROM event WHERE state = 0"));
    CHECK("what was missed comes once", tick(store, "every 1000", now_ms + 5000, now_ms + 5000).started);
    CHECK("and no more", !tick(store, "every 1000", now_ms + 5000, now_ms + 5000).started);
    store_stop(store);
    remove_folder();
}

TEST(another_schedule_begins_anew_and_so_does_a_clock_that_was_wrong)
{
    fresh_folder();
    struct store *store = open_store();
    uint64_t now_ms = clock_wall_ms();
    CHECK_EQ("first", tick(store, "every 1000", now_ms, 0).last_ms, now_ms);
    CHECK_EQ("another", tick(store, "cron 0 9 * * * UTC", now_ms + 50, 0).last_ms, now_ms + 50);
    CHECK_EQ("it is the one now", count_rows("SELECT count(*) FROM task_clock"), 1);
    CHECK_EQ("a second back", tick(store, "cron 0 9 * * * UTC", now_ms - 950, 0).last_ms, now_ms + 50);
    CHECK_EQ("two days back", tick(store, "cron 0 9 * * * UTC", now_ms - 48 * HOUR_MS, 0).last_ms, now_ms - 48 * HOUR_MS);
    store_stop(store);
    remove_folder();
}

/* ---- batches ---- */

static struct run_note add(struct store *store, const char *key, const char *item, uint32_t items_max, uint64_t due_ms)
{
    struct event *event = make_event("/a", "{}");
    struct outcome *outcome = make_outcome(event, 0, 0);
    struct run_note note = note_of(event, RUN_ADD, key, due_ms, item);
    note.route = SLICE("batch:b");
    note.items_max = items_max;
    outcome->runs = &note;
    CHECK_EQ("committed", accept(store, event, outcome, NULL), OK);
    event_unref(event);
    return note;
}

static struct event *group_of(struct store *store, const char *where)
{
    char sql[200];
    snprintf(sql, sizeof(sql), "SELECT min(seq) FROM event WHERE route = 'batch:b' AND state = 0 AND %s", where);
    struct store_read_event read = { .op = { .kind = STORE_READ_EVENT }, .seq = count_rows(sql) };
    read_op(store, &read.op);
    CHECK_EQ(where, read.op.result, OK);
    return read.event;
}

static void check_group(struct store *store, const char *where, const char *body)
{
    struct event *event = group_of(store, where);
    CHECK_SLICE(where, event->body, body);
    CHECK_EQ(where, event->kind, BODY_JSON);
    event_unref(event);
}

static enum result settle(struct store *store, struct event *event)
{
    struct store_settle op = { .op = { .kind = STORE_SETTLE, .on_done = on_done },
                               .event = event,
                               .outcome = make_outcome(event, 0, 0) };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    return op.op.result;
}

#define GROUPS "SELECT count(*) FROM event WHERE route = 'batch:b' AND state = 0"

TEST(items_gather_in_their_group_until_it_is_full_or_due_and_then_in_the_next)
{
    fresh_folder();
    struct store *store = open_store();
    uint64_t now_ms = clock_wall_ms();
    struct run_note first = add(store, "x", "1", 3, now_ms + HOUR_MS);
    (void)add(store, "y", "{\"b\":2}", 3, now_ms + HOUR_MS);
    struct run_note second = add(store, "x", "3", 3, now_ms + 2 * HOUR_MS);
    CHECK_EQ("two groups", count_rows(GROUPS), 2);
    CHECK("the second joins the first", uuid_eq(first.id, second.id));
    CHECK_EQ("and its time", second.due_ms, now_ms + HOUR_MS);
    check_group(store, "type = 'x'", "[1,3]");
    struct run_note third = add(store, "x", "4", 3, now_ms + HOUR_MS);
    CHECK("full: due now", uuid_eq(third.id, first.id) && third.due_ms <= clock_wall_ms());
    (void)add(store, "x", "5", 3, now_ms + HOUR_MS);
    CHECK_EQ("a third group", count_rows(GROUPS), 3);
    store_stop(store);
    store = open_store();
    check_group(store, "type = 'x'", "[1,3,4]");
    check_group(store, "type = 'x' AND due_ms > 1000 + (SELECT min(due_ms) FROM event WHERE type = 'x')", "[5]");
    (void)add(store, "y", "6", 3, now_ms + HOUR_MS);
    check_group(store, "type = 'y'", "[{\"b\":2},6]");
    struct event *full = group_of(store, "type = 'x'");
    CHECK_EQ("flushed", settle(store, full), OK);
    event_unref(full);
    (void)add(store, "x", "7", 3, now_ms + HOUR_MS);
    check_group(store, "type = 'x'", "[5,7]");
    store_stop(store);
    remove_folder();
}

TEST(an_item_that_came_while_its_group_was_read_is_not_lost)
{
    fresh_folder();
    struct store *store = open_store();
    (void)add(store, "", "1", 1000, clock_wall_ms() + HOUR_MS);
    struct event *early = group_of(store, "type = ''"); /* read before the commit of the second */
    (void)add(store, "", "2", 1000, clock_wall_ms() + HOUR_MS);
    CHECK_EQ("not with one of two", settle(store, early), ERR_STALE);
    struct event *whole = group_of(store, "type = ''");
    CHECK_SLICE("both", whole->body, "[1,2]");
    CHECK_EQ("flushed", settle(store, whole), OK);
    CHECK_EQ("closed", count_rows("SELECT count(*) FROM batch_open"), 0);
    event_unref(early);
    event_unref(whole);
    store_stop(store);
    remove_folder();
}

TEST(a_group_has_at_most_8_MiB)
{
    enum { ITEM = 64 << 10, FIT = BATCH_BYTES_MAX / ITEM };
    static char item[ITEM + 1];
    fresh_folder();
    struct store *store = open_store();
    memset(item, '7', ITEM);
    for (int i = 0; i < FIT; i++)
        (void)add(store, "", item, 1000, clock_wall_ms() + HOUR_MS);
    CHECK_EQ("all of them", count_rows(GROUPS), 1);
    struct event *event = group_of(store, "type = ''");
    CHECK_EQ("whole", event->body.len, (size_t)FIT * ITEM + FIT + 1);
    event_unref(event);
    (void)add(store, "", "1", 1000, clock_wall_ms() + HOUR_MS);
    CHECK_EQ("one more", count_rows(GROUPS), 2);
    store_stop(store);
    remove_folder();
}

TEST_MAIN()
