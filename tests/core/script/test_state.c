/* kv and tasks as handlers see them: their own notes, what is committed, what has to be read, and what they may not say. */
#include "check.h"

#include <stdatomic.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "helpers.h"
#include "loop/handoff.h"
#include "store/kv.h"

const char limits[] = "limits { handler_cpu = '5s', handler_time = '10s', handler_memory = '96MiB', state_memory = '256MiB' }";

enum { TEXT_MAX = 64 << 10, SMALL_MEMORY = 4 << 10 };

/* ---- a store beside the state ---- */

static char folder[] = "/tmp/tidewire-kv-XXXXXX";
static struct handoff handoff;

static void on_fatal(void *arg, const char *why)
{
    CHECK_FAIL("fatal: %s", why);
}

static void open_kv(size_t memory)
{
    char path[64], why[512];
    strcpy(folder, "/tmp/tidewire-kv-XXXXXX");
    CHECK("a folder", mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/t.db", folder);
    struct store_config config = { .path = path, .kv_memory_max = memory, .on_fatal = on_fatal };
    CHECK_EQ("opened", store_open(&config, &rules_store, why, sizeof(why)), OK);
    CHECK_EQ("started", store_start(rules_store), OK);
    CHECK_EQ("handoff", handoff_init(&handoff, &loop), OK);
    rules_handoff = &handoff;
}

static void on_handoff_closed(uv_handle_t *handle)
{
    rules_handoff = NULL;
}

static void close_kv(void)
{
    char command[64];
    while (rules_reads)
        uv_run(&loop, UV_RUN_ONCE);
    script_free(script);
    script = NULL;
    handoff_close(&handoff, on_handoff_closed);
    while (rules_handoff)
        uv_run(&loop, UV_RUN_ONCE);
    store_stop(rules_store);
    rules_store = NULL;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    CHECK_EQ("removed", system(command), 0);
}

static atomic_bool committed;

static void on_done(struct store_op *op)
{
    atomic_store(&committed, true);
}

/* true: its notes are on disk; false: another was faster. */
static bool commit(struct event *event, struct outcome *outcome)
{
    struct store_accept accept = { .op = { .kind = STORE_ACCEPT, .on_done = on_done }, .event = event, .outcome = outcome };
    atomic_store(&committed, false);
    CHECK("room", store_take_room(rules_store, ROOM_EVENT));
    store_submit(rules_store, &accept.op);
    while (!atomic_load(&committed))
        sched_yield();
    CHECK_EQ("committed", accept.op.result, OK);
    return !accept.lost;
}

/* ---- lines of rules: a route for each ---- */

static void use_lines(const char *const *lines, size_t count)
{
    struct buf rules;
    buf_init(&rules, TEXT_MAX);
    buf_add_text(&rules, "local nudge = task \"nudge\" { handle = function() end } "
                         "local digest = batch \"digest\" { every = '1h', by = 'team', flush = function() end }\n");
    for (size_t i = 0; i < count; i++)
        buf_addf(&rules, "route \"/h%zu\" { verify = verify.none \"t\", handle = function(event)\n  %s\nend }\n", i, lines[i]);
    buf_add_byte(&rules, '\0');
    CHECK("room for the rules", buf_ok(&rules));
    use_rules(rules.data);
    buf_deinit(&rules);
}

static struct event *run_line(size_t i, struct outcome **outcome, enum run_state *how)
{
    char route[16];
    snprintf(route, sizeof(route), "/h%zu", i);
    struct event *event = event_of(&ids, (struct event_parts){ .route = slice_of(route), .body = SLICE("{\"v\": [1, 2]}") });
    *how = run_to_end(event, outcome);
    return event;
}

/* Each line raises when something is not as it says; all is committed. */
static void run_all(const char *const *lines, size_t count)
{
    use_lines(lines, count);
    for (size_t i = 0; i < count; i++) {
        struct outcome *outcome;
        enum run_state how;
        struct event *event = run_line(i, &outcome, &how);
        if (!outcome || outcome->state != EVENT_HANDLED)
            CHECK_FAIL("%s: %.*s", lines[i], outcome ? (int)outcome->text.len : 4, outcome ? outcome->text.data : "lost");
        else
            CHECK(lines[i], commit(event, outcome));
        event_unref(event);
    }
}

/* ---- what they are ---- */

static void values_are_what_was_kept(void)
{
    static const char *const lines[] = {
        "kv.set('n', 1.5) kv.set('t', 'text') kv.set('b', false) kv.set('v', event.body) kv.set('l', { 1, 2 })",
        "assert(kv.get('n') == 1.5 and kv.get('t') == 'text' and kv.get('b') == false and kv.get('none') == nil)",
        "assert(kv.get('v').v[2] == 2 and json.encode(kv.get('v')) == '{\"v\": [1, 2]}') -- bytes as they came",
        "assert(not pcall(function() kv.get('v').v = 1 end)) -- a view is read",
        "kv.set('n', 2) assert(kv.get('n') == 2) kv.delete('n') assert(kv.get('n') == nil) -- its own notes",
        "assert(kv.get('n') == nil)",
        "assert(kv.add('a', 1) and not kv.add('a', 2) and kv.get('a') == 1)",
        "assert(not kv.add('a', 3))",
        "kv.delete('a') assert(kv.add('a', 4))",
        "assert(kv.incr('c') == 1 and kv.incr('c') == 2 and kv.incr('c', 10) == 12 and kv.get('c') == 12)",
        "assert(kv.incr('c', -2.5) == 9.5)",
        "assert(kv.get('c') == 9.5) kv.set('c', 1) assert(kv.incr('c', { ttl = '1h' }) == 2)",
        "assert(kv.get('c') == 2) kv.delete('c') assert(kv.incr('c', 5, { ttl = '1h' }) == 5)",
        "assert(kv.cas('c', 5, 6) and kv.get('c') == 6 and not kv.cas('c', 5, 7))",
        "assert(kv.get('c') == 6 and kv.cas('c', 6, nil) and kv.get('c') == nil)",
        "assert(kv.cas('c', nil, 'new') and not kv.cas('c', nil, 'again'))",
        "assert(kv.cas('v', event.body, { x = 1 }))",
        "assert(kv.cas('v', { x = 1 }, 2))",
        "local ok = pcall(kv.get) assert(not ok) kv.set('p', 1)",
        "assert(kv.get('p') == 1)",
    };
    open_kv(0);
    run_all(lines, COUNT(lines));
    close_kv();
}

TEST(values_are_what_was_kept_and_a_handler_sees_its_own)
{
    as_worker(values_are_what_was_kept);
}

/* The first line of each commits, the others forget. */
static void other_ends_forget_them(void)
{
    static const char *const lines[] = { "kv.set('k', 1)", "kv.set('k', 2) drop 'no'", "kv.set('k', 3) fail 'no'",
                                         "kv.set('k', 4) retry 'later'", "kv.set('k', 5) error 'x'" };
    open_kv(0);
    use_lines(lines, COUNT(lines));
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct outcome *outcome;
        enum run_state how;
        struct event *event = run_line(i, &outcome, &how);
        CHECK_EQ(lines[i], how, RUN_ENDED);
        CHECK_EQ(lines[i], outcome->kv != NULL, i == 0);
        event_unref(event);
    }
    close_kv();
}

TEST(drop_fail_retry_and_errors_forget_what_was_noted)
{
    as_worker(other_ends_forget_them);
}

/* ---- another was faster ---- */

static void who_comes_second_loses(void)
{
    static const char *const lines[] = { "assert(kv.add('k', 1))", "assert(kv.cas('m', nil, 1))",
                                         "assert(kv.add('k', 1) == false and kv.cas('m', nil, 1) == false)" };
    open_kv(0);
    use_lines(lines, COUNT(lines));
    for (size_t i = 0; i < 2; i++) {
        struct outcome *first, *second;
        enum run_state how;
        struct event *one = run_line(i, &first, &how), *other = run_line(i, &second, &how);
        CHECK_EQ("both think so", second->state, EVENT_HANDLED);
        CHECK("the first wins", commit(one, first));
        CHECK("the second loses", !commit(other, second));
        event_unref(one);
        event_unref(other);
    }
    struct outcome *again;
    enum run_state how;
    struct event *event = run_line(2, &again, &how);
    CHECK_EQ("and sees it when it runs again", again->state, EVENT_HANDLED);
    event_unref(event);
    close_kv();
}

TEST(of_two_that_add_one_key_the_second_is_not_committed)
{
    as_worker(who_comes_second_loses);
}

/* ---- waiting ---- */

static void what_is_not_in_memory_is_waited_for(void)
{
    static const char *const lines[] = {
        "local long = ('x'):rep(200) for i = 1, 100 do kv.set('key' .. i, long) end",
        "for i = 1, 100 do assert(#kv.get('key' .. i) == 200) end assert(kv.get 'none' == nil)",
        "local seen for i = 1, 100 do local ok = pcall(function() seen = kv.get('key' .. i) end) assert(ok and seen) end",
        "('x'):gsub('x', function() kv.get('key1') end)",
    };
    open_kv(SMALL_MEMORY);
    use_lines(lines, COUNT(lines));
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct outcome *outcome;
        enum run_state how;
        struct event *event = run_line(i, &outcome, &how);
        CHECK_EQ(lines[i], how, i == 1 || i == 2 ? RUN_WAITS : RUN_ENDED);
        CHECK_EQ(lines[i], outcome->state, i == 3 ? EVENT_WAITING : EVENT_HANDLED);
        if (i == 0)
            CHECK("committed", commit(event, outcome));
        if (i == 3)
            CHECK("says so", memmem(outcome->text.data, outcome->text.len, "callback of string.gsub", 23));
        event_unref(event);
    }
    /* a run that ends while its value is on its way */
    struct event *event = event_of(&ids, (struct event_parts){ .route = SLICE("/h1"), .body = SLICE("{}") });
    struct run run = { .event = event, .route = generation_route(generation, event->route) };
    CHECK_EQ("waits", script_run(script, &run), RUN_WAITS);
    script_cancel(&run);
    event_unref(event);
    close_kv();
}

TEST(a_value_that_is_not_in_memory_is_waited_for)
{
    as_worker(what_is_not_in_memory_is_waited_for);
}

/* ---- on_error and on_dead ---- */

static enum result tell(const char *function, struct event *event, struct outcome *outcome, struct script_failure *why)
{
    struct script_notice notice = { .route = generation_route(generation, event->route),
                                    .function = function,
                                    .event = event,
                                    .why = SLICE("broken"),
                                    .outcome = outcome };
    return script_tell(script, &notice, why);
}

static void use_notices(const char *on_error, const char *on_dead)
{
    char rules[2048];
    snprintf(rules, sizeof(rules),
             "local t = target 't' { url = 'https://t.example.com' }\n"
             "route '/h0' { verify = verify.none 't', handle = function() end,\n"
             "on_error = function(event) %s end,\non_dead = function(event) %s end }\n",
             on_error, on_dead);
    use_rules(rules);
}

static struct event *failed_event(struct outcome *outcome)
{
    *outcome = (struct outcome){ .state = EVENT_FAILED, .reason = RUN_ERROR, .attempt = 1 };
    return event_of(&ids, (struct event_parts){ .route = SLICE("/h0"), .body = SLICE("{}") });
}

/* Two notices of one failure are one list of notes; a failed one leaves that of the one before. */
static void notices_see_their_notes(void)
{
    static const char seen[] = "local v = kv.get('n') kv.set('n', v + 1) kv.set('new', 1) kv.incr('sum') send(t, { text = 'x' })";
    char fails[256];
    struct outcome outcome;
    struct script_failure why;
    snprintf(fails, sizeof(fails), "%s error 'no'", seen);
    open_kv(0);
    for (int i = 0; i < 2; i++) {
        use_notices("kv.set('n', 1) assert(kv.add('once', 1)) assert(kv.cas('c', nil, 2)) kv.incr('sum', 5) kv.delete 'gone' "
                    "send(t, { text = 'x' })",
                    i == 0 ? fails : seen);
        struct event *event = failed_event(&outcome);
        CHECK_EQ("on_error", tell("on_error", event, &outcome, &why), OK);
        CHECK_EQ("on_dead", tell("on_dead", event, &outcome, &why), i == 0 ? ERR_SCRIPT : OK);
        CHECK_EQ("messages", outcome.delivery_count, i == 0 ? 1 : 2);
        CHECK("messages", !outcome.deliveries->next == (i == 0));
        int notes = 0;
        for (const struct kv_note *note = outcome.kv; note; note = note->next, notes++) {
            if (slice_is(note->key, "n"))
                CHECK_SLICE("the later one", note->value, i == 0 ? "1" : "2");
            if (slice_is(note->key, "sum"))
                CHECK_SLICE("the sum", note->value, i == 0 ? "5" : "6");
        }
        CHECK_EQ("a note for each key", notes, i == 0 ? 5 : 6);
        event_unref(event);
    }
    close_kv();
}

TEST(on_error_and_on_dead_note_values_and_a_failed_one_leaves_those_of_the_other)
{
    as_worker(notices_see_their_notes);
}

static void notices_cannot_wait(void)
{
    struct outcome outcome;
    struct script_failure why = { 0 };
    open_kv(SMALL_MEMORY);
    use_notices("kv.set('a', 1)", "local long = ('x'):rep(200) for i = 1, 100 do kv.set('key' .. i, long) end");
    struct event *event = failed_event(&outcome);
    CHECK_EQ("noted", tell("on_dead", event, &outcome, &why), OK);
    CHECK("committed", commit(event, &outcome));
    use_notices("for i = 1, 100 do kv.get('key' .. i) end", "for i = 1, 101 do kv.set('k' .. i, 1) end");
    outcome.kv = NULL;
    CHECK_EQ("reads", tell("on_error", event, &outcome, &why), ERR_SCRIPT);
    CHECK("says why", memmem(why.text.data, why.text.len, "would have to wait for the disk", 31));
    CHECK_EQ("too many", tell("on_dead", event, &outcome, &why), ERR_SCRIPT);
    CHECK("says why", memmem(why.text.data, why.text.len, "at most 100 keys", 16));
    CHECK("nothing is left of them", !outcome.kv);
    event_unref(event);
    close_kv();
}

TEST(a_notice_that_would_have_to_wait_for_a_value_fails)
{
    as_worker(notices_cannot_wait);
}

/* ---- what is refused, with what to write ---- */

static void mistakes_say_what_to_write(void)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        { "kv.get()", "kv.get: a key is text of 1 to 512 bytes, got nil" },
        { "kv.get('')", "kv.get: a key is text of 1 to 512 bytes, got ''" },
        { "kv.get(7)", "got the number 7: write tostring(…)" },
        { "kv.get(('k'):rep(512)) kv.get(('k'):rep(513))", "got 513 bytes" },
        { "kv.get('a', 1)", "kv.get takes at most 1 arguments, got 2" },
        { "kv.set('a')", "kv.set wants a value, got nil: kv.delete(key) removes one" },
        { "kv.set('a', json.null)", "got json.null: kv.delete(key) removes one" },
        { "kv.set('a', secret 'S')", "kv.set: a secret is not kept: write secret \"NAME\" where it is used" },
        { "kv.set('a', { x = secret 'S' })", "kv.set: the value.x is a secret" },
        { "kv.set('a', print)", "kv.set: the value is a function" },
        { "kv.set('a', 0/0)", "NaN" },
        { "kv.set('a', 1, { tll = '1h' })", "kv.set has no option 'tll', did you mean 'ttl'?" },
        { "kv.set('a', 1, { ttl = 60 })", "kv.set: ttl: write \"60s\" for seconds" },
        { "kv.set('a', 1, { ttl = '0s' })", "at least \"1ms\"" },
        { "kv.set('a', 1, '1h')", "its last argument is a table such as { ttl = \"10m\" }" },
        { "kv.set('a', ('x'):rep(65534)) kv.set('b', ('x'):rep(65535))", "a value has at most 64 KiB as JSON" },
        { "for i = 1, 100 do kv.set('k' .. i, 1) end kv.set('k1', 2) kv.set('k101', 1)", "a handler changes at most 100 keys" },
        { "local long = ('x'):rep(60000) for i = 1, 300 do kv.set('k', long .. ('x'):rep(i)) end", "at most 8 MiB" },
        { "kv.set('a', 'x') kv.incr('a')", "kv.incr: the value of 'a' is no number that can be added to: 'x'" },
        { "kv.incr('a', '1')", "kv.incr adds a number, got '1'" },
        { "kv.set('a', 1e14 - 2) kv.incr('a') kv.incr('a')", "kv.incr: the sum has more than 14 digits" },
        { "kv.incr('a') kv.cas('a', 1, 2)", "kv.cas after kv.incr of the same key" },
        { "kv['get' .. 't']('a')", "there is no kv.gett" },
        { "kv.get = nil", "kv.get cannot be set" },
        { "kv.set({}, 1)", "got a table" },
        { "nudge.run_in('2d')", "write nudge:run_in(…), with a colon" },
        { "nudge:run_in(60)", "run_in: write \"60s\" for seconds" },
        { "nudge:run_in('2d', secret 'S')", "run_in: a secret is not kept: write secret \"NAME\" in the task" },
        { "nudge:run_in('2d', { s = secret 'S' })", "run_in: data.s is a secret" },
        { "nudge:run_in('2d', print)", "run_in: data is a function" },
        { "nudge:run_in('2d', 1, 'id')", "its last argument is a table such as { id = \"…\" }, got 'id'" },
        { "nudge:run_in('2d', 1, { Id = 'x' })", "run_in has no option 'Id'" },
        { "nudge:run_in('2d', 1, { id = 7 })", "id is text of 1 to 256 bytes, got the number 7: write tostring(…)" },
        { "nudge:run_now(1, { id = ('x'):rep(256) }) nudge:run_now(1, { id = ('x'):rep(257) })", "id is text of 1 to 256 bytes" },
        { "nudge:run_at('tomorrow')", "run_at: the time is in seconds since 1970" },
        { "nudge:run_at(time.now() * 1000)", "milliseconds are divided by 1000" },
        { "nudge:run_now(1, {}, 2)", "run_now takes at most 2 arguments, got 3" },
        { "nudge:run_now(('x'):rep(65534)) nudge:run_now(('x'):rep(65535))", "run_now: data has at most 64 KiB as JSON" },
        { "for i = 1, 1000 do nudge:run_now(i) end nudge:run_now(0)", "at most 1000 things to tasks and batches" },
        { "for i = 1, 1000 do nudge:run_now(('x'):rep(2 ^ 15)) end", "at most 16 MiB of data" },
        { "nudge:cancel()", "cancel: id is text of 1 to 256 bytes, got nil" },
        { "nudge:run()", "a task has no 'run'" },
        { "nudge.x = 1", "a task cannot be changed" },
        { "digest.add(1)", "write digest:add(…), with a colon" },
        { "digest:add()", "add takes one item, got 0" },
        { "digest:add(1, 2)", "add takes one item, got 2" },
        { "digest:add(nil)", "add wants an item, got nil" },
        { "digest:add(secret 'S')", "add: a secret is not kept: write secret \"NAME\" in flush" },
        { "digest:add({ s = secret 'S' })", "add: item.s is a secret" },
        { "digest:add({ team = {} })", "add: the item's team is to be text or a number" },
        { "digest:add({ team = ('x'):rep(256) }) digest:add({ team = ('x'):rep(257) })",
          "the item's team has 257 bytes, at most 256" },
        { "digest:add(('x'):rep(65534)) digest:add(('x'):rep(65535))", "add: item has at most 64 KiB as JSON" },
        { "digest:flush()", "a batch has no 'flush'" },
    };
    const char *lines[COUNT(cases)];
    for (size_t i = 0; i < COUNT(cases); i++)
        lines[i] = cases[i].line;
    setenv("S", "value", 1);
    open_kv(0);
    use_lines(lines, COUNT(cases));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct outcome *outcome;
        enum run_state how;
        char place[32];
        struct event *event = run_line(i, &outcome, &how);
        int len = snprintf(place, sizeof(place), "a.lua:%zu:", 3 + 3 * i);
        CHECK_EQ(lines[i], outcome->state, EVENT_WAITING);
        CHECK(lines[i], !outcome->kv && !outcome->runs);
        if (!memmem(outcome->text.data, outcome->text.len, cases[i].said, strlen(cases[i].said)) ||
            !memmem(outcome->text.data, outcome->text.len, place, (size_t)len))
            CHECK_FAIL("%s: %.*s", lines[i], (int)outcome->text.len, outcome->text.data);
        event_unref(event);
    }
    close_kv();
}

TEST(what_kv_refuses_it_says_with_the_line_and_what_to_write)
{
    as_worker(mistakes_say_what_to_write);
}

TEST_MAIN()
