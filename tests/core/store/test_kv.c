/* Values that rules keep: what a commit makes of the notes of a run, and what is seen of it. */
#include "helpers.h"

#include "model/kv_note.h"
#include "store/kv.h"

enum { SMALL_MEMORY = 64 << 10 };

static struct store *open_with(size_t memory)
{
    struct store_config config = { .path = path, .kv_memory_max = memory, .on_fatal = on_fatal };
    struct store *store = NULL;
    char why[512] = "";
    if (store_open(&config, &store, why, sizeof(why)) != OK)
        CHECK_FAIL("%s", why);
    CHECK_EQ("started", store_start(store), OK);
    return store;
}

/* ---- notes ---- */

static struct kv_note *add_note(struct event *event, struct outcome *outcome, struct kv_note note)
{
    struct kv_note *added = arena_alloc(&event->arena, sizeof(*added));
    *added = note;
    added->next = outcome->kv;
    outcome->kv = added;
    return added;
}

static struct kv_note put(const char *key, const char *value)
{
    return (struct kv_note){ .key = slice_of(key), .effect = KV_PUT, .value = slice_of(value) };
}

/* A run with one note, committed with its event. lost: another was faster. */
static enum result commit(struct store *store, struct kv_note note, bool *lost)
{
    struct event *event = make_event("/a", "{}");
    struct outcome *outcome = make_outcome(event, 1, 5);
    add_note(event, outcome, note);
    struct store_accept op = { .op = { .kind = STORE_ACCEPT, .on_done = on_done }, .event = event, .outcome = outcome };
    CHECK("room", store_take_room(store, ROOM_EVENT));
    int before = done_count;
    store_submit(store, &op.op);
    wait_for(before + 1);
    if (lost)
        *lost = op.lost;
    event_unref(event);
    return op.op.result;
}

static enum kv_look look(struct store *store, const char *key, uint64_t now_ms, char *value)
{
    struct buf out;
    buf_init(&out, KV_VALUE_MAX);
    enum kv_look found = kv_look(store, slice_of(key), now_ms, &out);
    buf_add_byte(&out, '\0');
    snprintf(value, 64, "%s", out.data);
    buf_deinit(&out);
    return found;
}

#define SEEN(store, key, want)                                                                                                   \
    do {                                                                                                                         \
        char text[64];                                                                                                           \
        CHECK_EQ(key, look(store, key, clock_wall_ms(), text), KV_FOUND);                                                        \
        CHECK_STR(key, text, want);                                                                                              \
    } while (0)
#define GONE(store, key)                                                                                                         \
    do {                                                                                                                         \
        char text[64];                                                                                                           \
        CHECK_EQ(key, look(store, key, clock_wall_ms(), text), KV_ABSENT);                                                       \
    } while (0)

TEST(a_value_is_seen_from_its_commit_on_and_after_a_restart)
{
    fresh_folder();
    struct store *store = open_with(0);
    GONE(store, "a");
    CHECK_EQ("put", commit(store, put("a", "{\"n\":1}"), NULL), OK);
    SEEN(store, "a", "{\"n\":1}");
    CHECK_EQ("put again", commit(store, put("a", "2"), NULL), OK);
    SEEN(store, "a", "2");
    CHECK_EQ("another", commit(store, put("b", "true"), NULL), OK);
    CHECK_EQ("removed", commit(store, (struct kv_note){ .key = SLICE("b"), .effect = KV_REMOVE }, NULL), OK);
    GONE(store, "b");
    store_stop(store);
    store = open_with(0);
    SEEN(store, "a", "2");
    GONE(store, "b");
    store_stop(store);
    remove_folder();
}

TEST(a_value_whose_time_is_over_is_absent_at_once_and_leaves_the_store)
{
    fresh_folder();
    struct store *store = open_with(0);
    uint64_t now_ms = clock_wall_ms();
    char seen[64];
    struct kv_note note = put("a", "1");
    note.until_ms = now_ms + 50;
    CHECK_EQ("put", commit(store, note, NULL), OK);
    CHECK_EQ("a moment before its end", look(store, "a", note.until_ms - 1, seen), KV_FOUND);
    CHECK_EQ("at its end", look(store, "a", note.until_ms, seen), KV_ABSENT);
    CHECK_EQ("one that stays", commit(store, put("b", "1"), NULL), OK);
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_S * 1000; count_rows("SELECT count(*) FROM kv") != 1;)
        if (clock_mono_ms() > end_ms) {
            CHECK_FAIL("it is still there");
            break;
        }
    SEEN(store, "b", "1");
    bool lost = false;
    note = put("a", "2");
    note.only_if = KV_IS_ABSENT;
    CHECK_EQ("put anew", commit(store, note, &lost), OK);
    CHECK("its end does not count as a value", !lost);
    store_stop(store);
    remove_folder();
}

/* ---- decided at the commit ---- */

TEST(a_run_whose_key_was_taken_meanwhile_is_not_written_and_its_event_waits)
{
    fresh_folder();
    struct store *store = open_with(0);
    struct kv_note note = put("a", "1");
    bool lost = true;
    note.only_if = KV_IS_ABSENT;
    CHECK_EQ("first", commit(store, note, &lost), OK);
    CHECK("first wins", !lost);
    note.value = SLICE("2");
    CHECK_EQ("second", commit(store, note, &lost), OK);
    CHECK("second loses", lost);
    SEEN(store, "a", "1");
    CHECK_EQ("its event waits, untried", count_rows("SELECT count(*) FROM event WHERE state = 0 AND attempt = 0"), 1);
    CHECK_EQ("only the first one's message", count_rows("SELECT count(*) FROM delivery"), 1);
    CHECK_EQ("its body is there", count_rows("SELECT count(*) FROM body b JOIN event e ON e.seq = b.event WHERE e.state = 0"), 1);
    store_stop(store);
    remove_folder();
}

TEST(a_value_is_replaced_only_where_it_is_what_was_read)
{
    static const struct {
        const char *what, *expected;
        bool lost;
    } cases[] = { { "equal", "1", false }, { "another", "7", true }, { "its beginning", "2", true } };
    fresh_folder();
    struct store *store = open_with(0);
    CHECK_EQ("there", commit(store, put("a", "1"), NULL), OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct kv_note note = put("a", "22");
        bool lost = false;
        note.only_if = KV_IS;
        note.expected = slice_of(cases[i].expected);
        CHECK_EQ(cases[i].what, commit(store, note, &lost), OK);
        CHECK_EQ(cases[i].what, lost, cases[i].lost);
    }
    SEEN(store, "a", "22");
    store_stop(store);
    remove_folder();
}

TEST(a_settle_that_lost_writes_nothing_and_leaves_its_event_waiting)
{
    fresh_folder();
    struct store *store = open_with(0);
    struct event *event = make_event("/a", "{}");
    CHECK_EQ("accepted", accept(store, event, NULL, NULL), OK);
    CHECK_EQ("taken meanwhile", commit(store, put("a", "1"), NULL), OK);
    struct outcome *outcome = make_outcome(event, 1, 5);
    struct kv_note *note = add_note(event, outcome, put("a", "2"));
    struct store_settle settle = { .op = { .kind = STORE_SETTLE, .on_done = on_done }, .event = event, .outcome = outcome };
    note->only_if = KV_IS_ABSENT;
    for (int i = 0; i < 2; i++) {
        CHECK("room", store_take_room(store, ROOM_EVENT));
        int before = done_count;
        store_submit(store, &settle.op);
        wait_for(before + 1);
        CHECK_EQ("refused, then written", settle.op.result, i == 0 ? ERR_STALE : OK);
        note->only_if = KV_ALWAYS;
    }
    SEEN(store, "a", "2");
    event_unref(event);
    store_stop(store);
    remove_folder();
}

/* The same notes as what on_error and on_dead have said of a failure. */
static struct outcome *make_notices(struct event *event)
{
    struct outcome *outcome = make_outcome(event, 1, 5);
    outcome->state = EVENT_WAITING;
    outcome->reason = RUN_ERROR;
    outcome->deliveries->notice = true;
    add_note(event, outcome, put("told", "true"))->only_if = KV_IS_ABSENT;
    return outcome;
}

static void submit_and_wait(struct store *store, struct store_op *op, enum store_room room)
{
    int before = done_count;
    CHECK("room", store_take_room(store, room));
    op->on_done = on_done;
    store_submit(store, op);
    wait_for(before + 1);
    CHECK_EQ("written", op->result, OK);
}

/* Accepts, settles and results: the first says what it has to say, the others are too late. */
TEST(a_failure_is_written_also_when_what_was_said_of_it_has_lost)
{
    fresh_folder();
    struct store *store = open_store();
    for (int i = 0; i < 2; i++) {
        struct event *event = make_event("/a", "{}");
        struct store_accept op = { .op = { .kind = STORE_ACCEPT }, .event = event, .outcome = make_notices(event) };
        submit_and_wait(store, &op.op, ROOM_EVENT);
        CHECK("not lost", !op.lost);
        CHECK_EQ("too late", op.outcome->unsaid, i == 1);
        CHECK_EQ("forgotten", !op.outcome->deliveries && !op.outcome->kv, i == 1);
        struct store_settle settle = { .op = { .kind = STORE_SETTLE }, .event = event, .outcome = make_notices(event) };
        settle.outcome->attempt = 2;
        submit_and_wait(store, &settle.op, ROOM_EVENT);
        CHECK("too late", settle.outcome->unsaid && !settle.outcome->deliveries);
        event_unref(event);
    }
    CHECK_EQ("each failure", count_rows("SELECT count(*) FROM failure"), 4);
    CHECK_EQ("both tries of each", count_rows("SELECT count(*) FROM event WHERE attempt = 2 AND run_reason = 1"), 2);
    CHECK_EQ("said once", count_rows("SELECT count(*) FROM delivery"), 1);
    SEEN(store, "told", "true");
    store_stop(store);
    remove_folder();
}

TEST(an_end_of_a_delivery_is_written_with_what_on_dead_keeps_or_without_it)
{
    fresh_folder();
    struct store *store = open_store();
    struct event *event = make_event("/a", "{}");
    struct outcome *outcome = make_outcome(event, 3, 5);
    CHECK_EQ("accepted", accept(store, event, outcome, NULL), OK);
    struct new_delivery *delivery = outcome->deliveries;
    for (int i = 0; i < 4; i++) {
        struct store_result op = { .op = { .kind = STORE_RESULT },
                                   .delivery_seq = delivery->seq,
                                   .event_seq = event->seq,
                                   .attempt = { .n = 1, .status = 410 },
                                   .state = DELIVERY_DEAD,
                                   .says = make_notices(event) };
        if (i == 2)
            op.says->kv->key = SLICE("late"); /* nothing is in its way, but that its delivery has ended before */
        submit_and_wait(store, &op.op, ROOM_RESULT);
        CHECK_EQ("said", op.says->unsaid, i > 0);
        CHECK_EQ("forgotten", !op.says->deliveries && !op.says->kv, i > 0);
        if (i != 1)
            delivery = delivery->next;
    }
    CHECK_EQ("all ended", count_rows("SELECT count(*) FROM delivery WHERE state = 2 AND notice = 0"), 3);
    CHECK_EQ("said once", count_rows("SELECT count(*) FROM delivery WHERE notice = 1"), 1);
    SEEN(store, "told", "true");
    GONE(store, "late");
    event_unref(event);
    store_stop(store);
    remove_folder();
}

TEST(sums_of_one_batch_add_up)
{
    enum { MANY = 200 };
    static struct store_accept ops[MANY];
    fresh_folder();
    struct store *store = open_with(0);
    int before = done_count;
    for (int i = 0; i < MANY; i++) {
        struct event *event = make_event("/a", "{}");
        struct outcome *outcome = make_outcome(event, 0, 0);
        add_note(event, outcome, (struct kv_note){ .key = SLICE("n"), .effect = KV_ADD_UP, .by = 1.5, .until_ms = 0 });
        ops[i] = (struct store_accept){ .op = { .kind = STORE_ACCEPT, .on_done = on_done }, .event = event, .outcome = outcome };
        CHECK("room", store_take_room(store, ROOM_EVENT));
        store_submit(store, &ops[i].op);
    }
    wait_for(before + MANY);
    for (int i = 0; i < MANY; i++)
        event_unref(ops[i].event);
    SEEN(store, "n", "300");
    bool lost = false;
    CHECK_EQ("text", commit(store, put("n", "\"7\""), NULL), OK);
    struct kv_note note = { .key = SLICE("n"), .effect = KV_ADD_UP, .by = 1 };
    CHECK_EQ("added to text", commit(store, note, &lost), OK);
    CHECK("the handler is to see what became of it", lost);
    SEEN(store, "n", "\"7\"");
    store_stop(store);
    remove_folder();
}

TEST(a_number_that_is_added_to_keeps_its_end)
{
    fresh_folder();
    struct store *store = open_with(0);
    uint64_t until_ms = clock_wall_ms() + 1000000;
    struct kv_note note = { .key = SLICE("n"), .effect = KV_ADD_UP, .by = 1, .until_ms = until_ms };
    char seen[64];
    CHECK_EQ("first", commit(store, note, NULL), OK);
    note.until_ms = until_ms + 1000000;
    CHECK_EQ("second", commit(store, note, NULL), OK);
    CHECK_EQ("before its end", look(store, "n", until_ms - 1, seen), KV_FOUND);
    CHECK_STR("both", seen, "2");
    CHECK_EQ("at its end", look(store, "n", until_ms, seen), KV_ABSENT);
    store_stop(store);
    remove_folder();
}

/* ---- more than memory holds ---- */

static const char *read_value(struct store *store, const char *key, char *value)
{
    struct store_read_kv read = { .op = { .kind = STORE_READ_KV }, .key = slice_of(key) };
    read_op(store, &read.op);
    CHECK_EQ("read", read.op.result, OK);
    snprintf(value, 64, "%.*s", (int)(read.value.data ? read.value.len : 4), read.value.data ? read.value.data : "none");
    store_read_free(&read.op);
    return value;
}

TEST(what_does_not_fit_into_memory_is_read_and_never_taken_for_absent)
{
    enum { KEYS = 2000 };
    fresh_folder();
    struct store *store = open_with(SMALL_MEMORY);
    struct event *event = make_event("/a", "{}");
    struct outcome *outcome = make_outcome(event, 0, 0);
    static char keys[KEYS][16];
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key-%d", i);
        add_note(event, outcome, put(keys[i], "\"a value\""));
    }
    CHECK_EQ("all of them", accept(store, event, outcome, NULL), OK);
    event_unref(event);
    for (int round = 0; round < 2; round++) {
        int in_memory = 0;
        char value[64];
        for (int i = 0; i < KEYS; i++) {
            enum kv_look found = look(store, keys[i], clock_wall_ms(), value);
            CHECK("it is known or asked for", found == KV_FOUND || found == KV_UNKNOWN);
            in_memory += found == KV_FOUND;
        }
        CHECK("some", in_memory > 0 && in_memory < KEYS);
        CHECK_STR("read", read_value(store, keys[7], value), "\"a value\"");
        CHECK_EQ("from then on in memory", look(store, keys[7], clock_wall_ms(), value), KV_FOUND);
        CHECK_EQ("nobody knows", look(store, "no such key", clock_wall_ms(), value), KV_UNKNOWN);
        CHECK_STR("read", read_value(store, "no such key", value), "none");
        CHECK_EQ("known to be absent", look(store, "no such key", clock_wall_ms(), value), KV_ABSENT);
        store_stop(store);
        store = open_with(SMALL_MEMORY); /* and the same after a start that cannot load all */
    }
    CHECK_EQ("then it comes", commit(store, put("no such key", "1"), NULL), OK);
    SEEN(store, "no such key", "1");
    store_stop(store);
    remove_folder();
}

TEST_MAIN()
