/* Handlers, contained: what each comes to, and that an innocent one runs well after every hostile one. On a thread of its own, as
 * a worker has it. */
#include "check.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/message.h"
#include "script/abandon.h"
#include "script/load.h"
#include "script/script.h"
#include "script/watchdog.h"

enum { RULES_MAX = 256 << 10, DEADLINE_MS = 20000 };

/* ---- a worker's state ---- */

static uv_loop_t loop;
static struct uuid_maker ids;
static struct watchdog_slot *slot;
static struct generation *generation;
static struct script *script;
static const struct script_limits limits = {
    .handler_cpu_ms = 100, .handler_time_ms = 2000, .handler_memory = 8 << 20, .state_memory = 64 << 20
};

static struct generation *generation_of(const char *rules)
{
    char folder[] = "/tmp/tidewire-script-XXXXXX", path[64], command[64];
    struct generation *made = NULL;
    struct load_report report;
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof(path), "%s/a.lua", folder);
    FILE *file = fopen(path, "w");
    fputs(rules, file);
    fclose(file);
    struct load_options options = { .folder = folder, .limits = { 1000, 1000, 64 << 20, 256 << 20 } };
    if (load_generation(&options, &made, &report) != OK) {
        struct buf text;
        buf_init(&text, 1 << 20);
        load_report_print(&report, &text, false);
        CHECK_FAIL("the rules do not load: %.*s", (int)text.len, text.data);
        buf_deinit(&text);
        abort();
    }
    load_report_deinit(&report);
    made->number = 1;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    if (system(command) != 0)
        abort();
    return made;
}

static void fresh_state(void)
{
    struct script_config config = { .loop = &loop, .generation = generation, .limits = limits, .ids = &ids, .slot = slot };
    script_free(script);
    enum result rc = script_new(&config, &script);
    while (rc == OK && (rc = script_load(script, 5)) == ERR_FULL)
        rc = OK;
    if (rc != OK) {
        CHECK_FAIL("no state: %s", script_error(script));
        abort();
    }
}

static void use_rules(const char *rules)
{
    generation_unref(generation);
    generation = generation_of(rules);
    fresh_state();
}

/* ---- running ---- */

static struct outcome *ended_with;
static bool has_ended;
static uint32_t abandonments;

static void on_done(struct run *run, struct outcome *outcome)
{
    ended_with = outcome;
    has_ended = true;
}

static struct event *make_event(const char *route, const char *body)
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
    CHECK_EQ("index", event_index(event, &error), OK);
    return event;
}

/* The outcome lies in the event, which the caller gives back. NULL: to be run again. */
static struct outcome *run_event(struct event *event)
{
    struct run run = { .event = event, .route = generation_route(generation, event->route), .on_done = on_done };
    has_ended = false;
    ended_with = NULL;
    (void)script_run(script, &run);
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_MS; !has_ended && clock_mono_ms() < end_ms;)
        uv_run(&loop, UV_RUN_ONCE);
    CHECK("it ends", has_ended);
    if (script_is_abandoned(script)) {
        abandonments++;
        fresh_state();
    }
    return ended_with;
}

static struct outcome *run_route(const char *route, const char *body, struct event **event)
{
    *event = make_event(route, body);
    return run_event(*event);
}

static void check_innocent(const char *after)
{
    struct event *event;
    struct outcome *outcome = run_route("/innocent", "{\"n\":1}", &event);
    CHECK(after, outcome && outcome->state == EVENT_HANDLED && outcome->delivery_count == 1);
    if (outcome && outcome->state != EVENT_HANDLED)
        printf("#   after %s: %.*s\n", after, SLICE_ARGS(outcome->text));
    event_unref(event);
}

#define HEAD                                                                                                                     \
    "local t = target \"t\" { url = \"http://a.example.com\" }\nlocal u = target \"u\" { url = \"http://b.example.com\" }\n"     \
    "local kept = {}\nlocal deep deep = {}\n"                                                                                    \
    "route \"/innocent\" { verify = verify.none \"t\", handle = function(event)\n"                                               \
    "  local ok, why = pcall(error, \"x\") assert(not ok and why == \"x\")\n"                                                    \
    "  local ok2 = pcall(function() local n = nil; return n.x end) assert(not ok2)\n"                                            \
    "  send(t, { json = { n = event.body.n, s = (\"abc\"):upper() } }) end }\n"

/* ---- hostile handlers: each costs its event only ---- */

struct hostile {
    const char *code;
    int reason;       /* enum run_reason; -1: any failure */
    const char *text; /* in the reason's text; NULL: any */
};

static const struct hostile hostiles[] = {
    /* time */
    { "while true do end", RUN_CPU, NULL },
    { "local n = 0 while true do n = n + 1 end", RUN_CPU, NULL },
    { "while true do pcall(function() while true do end end) end", RUN_CPU, NULL },
    { "while true do pcall(error, 'x') end", RUN_CPU, NULL },
    { "repeat until false", RUN_CPU, NULL },
    { "for i = 1, 1e300 do end", RUN_CPU, NULL },
    { "local function f() return f() end f()", RUN_CPU, NULL },
    { "xpcall(function() while true do end end, function(e) while true do end end)", RUN_CPU, NULL },
    { "return (('a'):rep(30000)):find(('.-'):rep(16) .. 'b')", RUN_CPU, NULL },
    { "return (('a'):rep(100000)):gsub('(.-)(.-)(.-)(.-)b', '')", RUN_CPU, NULL },
    { "for i = 1, 1e9 do (('x'):rep(1000)):gsub('x', 'y') end", RUN_CPU, NULL },
    { "local _ = (('x'):rep(10)):gsub('x', function() while true do end end)", RUN_CPU, NULL },
    { "table.sort({ 3, 2, 1 }, function() while true do end end)", RUN_CPU, NULL },
    { "local a = {} for i = 1, 2000 do a[i] = i end while true do table.sort(a, function(x, y) return x > y end) end", RUN_CPU,
      NULL },
    { "map({ 1 }, function() while true do end end)", RUN_CPU, NULL },
    { "local m = setmetatable({}, { __index = function() while true do end end }) return m.x", RUN_CPU, NULL },
    { "local m = setmetatable({}, { __tostring = function() while true do end end }) tostring(m)", RUN_CPU, NULL },
    { "error(setmetatable({}, { __tostring = function() while true do end end }))", -1, NULL },
    { "while true do crypto.hash('sha256', 'x') end", RUN_CPU, NULL },
    { "while true do json.encode({ 1, 2, 3 }) end", RUN_CPU, NULL },
    { "while true do json.decode('[1,2,3]') end", RUN_CPU, NULL },
    { "while true do local b = event.body.n end", RUN_CPU, NULL },
    { "while true do for k, v in pairs(event.body) do end end", RUN_CPU, NULL },
    { "while true do log.debug 'x' end", RUN_CPU, NULL },
    { "sleep '1m'", RUN_WAIT, NULL },
    { "while true do sleep '100ms' end", RUN_WAIT, NULL },
    /* memory */
    { "local a = {} for i = 1, 1e9 do a[i] = ('x'):rep(1000) .. i end", RUN_MEMORY, NULL },
    { "local s = 'x' while true do s = s .. s end", RUN_MEMORY, NULL },
    { "return ('x'):rep(2 ^ 30)", RUN_MEMORY, NULL },
    { "return ('x'):rep(1e9, 'y')", RUN_MEMORY, NULL },
    { "local a = {} for i = 1, 1e8 do a[i] = i end", RUN_MEMORY, NULL },
    { "local a = {} while true do a = { a } end", -1, NULL },
    { "while true do pcall(function() local s = ('x'):rep(1e7) kept[#kept + 1] = s end) end", -1, NULL },
    { "local t = {} for i = 1, 20 do t[i] = ('x'):rep(1e6) end return table.concat(t)", RUN_MEMORY, NULL },
    { "return (('x'):rep(1e6)):gsub('x', ('y'):rep(100))", -1, NULL },
    { "local s = '[' .. ('[],'):rep(1e6) .. '[]]' while true do kept[#kept + 1] = json.decode(s) end", -1, NULL },
    { "return base64.encode(('x'):rep(7e6))", RUN_MEMORY, NULL },
    /* stack */
    { "local function f() return 1 + f() end return f()", RUN_STACK, NULL },
    { "local function f() pcall(f) f() end f()", -1, NULL },
    { "local m = {} m.__index = function(t, k) return t[k] end return setmetatable({}, m).x", -1, NULL },
    { "local m = setmetatable({}, { __concat = function(a, b) return a .. b end }) return m .. m", -1, NULL },
    { "local m m = setmetatable({}, { __tostring = function(s) return tostring(s) end }) return tostring(m)", -1, NULL },
    { "local m m = setmetatable({}, { __eq = function(a, b) return a == b end }) local n = setmetatable({}, { __eq = function() "
      "return m == {} end }) return m == setmetatable({}, getmetatable(m))",
      -1, NULL },
    { "local function f(s) return (s:gsub('.', f)) end return f('x')", -1, "too deep" },
    { "local function f() table.sort({ 2, 1 }, f) return true end f()", -1, "too deep" },
    { "local t = {} local x = t for i = 1, 200 do x.a = {} x = x.a end send(u, { json = t })", RUN_ERROR, NULL },
    { "return unpack({}, 1, 1e7)", -1, NULL },
    { "return ('x'):rep(300):find(('('):rep(200))", RUN_ERROR, NULL },
    { "return select('#', unpack({}, 1, 7999)), string.byte(('x'):rep(1e5), 1, -1)", -1, NULL },
    /* what is not theirs */
    { "getmetatable('').__index = nil", RUN_ERROR, NULL },
    { "string.format = nil", RUN_ERROR, "cannot be set" },
    { "json.encode = nil", RUN_ERROR, "cannot be set" },
    { "log.info = nil", RUN_ERROR, NULL },
    { "event.body = 1", RUN_ERROR, "read-only" },
    { "event.body.n = 1", RUN_ERROR, "read-only" },
    { "event.headers.x = 1", RUN_ERROR, "read-only" },
    { "table.insert(event.body, 1)", RUN_ERROR, "read-only" },
    { "setmetatable(event.body, {})", RUN_ERROR, NULL },
    { "setmetatable(string, {})", RUN_ERROR, NULL },
    { "getmetatable(string).x = 1", RUN_ERROR, NULL },
    { "setmetatable({}, { __gc = function() end })", RUN_ERROR, "__gc" },
    { "local s = string.dump(print)", RUN_ERROR, "string.dump" },
    { "return event.nonsense", RUN_ERROR, "no field 'nonsense'" },
    { "return event.boddy", RUN_ERROR, "did you mean 'body'" },
    { "return event.get('body.n')", RUN_ERROR, "with a colon" },
    { "local x = event.body.data.object.lines", RUN_ERROR, "body.data has: nothing  (no 'object')" },
    { "local x = event.body.a.b", RUN_ERROR, "body has: n, data  (no 'a')" },
    { "local x = event.body.a.b", RUN_ERROR, "event:get(\"body.a\") gives nil" },
    { "local x = event.body.a.b", RUN_ERROR, "│ local x = event.body.a.b" },
    { "return 'x' .. event.body", RUN_ERROR, NULL },
    { "return event.body < event.body", RUN_ERROR, NULL },
    /* messages that are none */
    { "send('t', event)", RUN_ERROR, "not its name" },
    { "send(nil, event)", RUN_ERROR, "got nil" },
    { "send({}, event)", RUN_ERROR, "empty" },
    { "send(u, 'text')", RUN_ERROR, "wants an event or a table" },
    { "send(u, { jsn = 1 })", RUN_ERROR, "did you mean 'json'" },
    { "send(u, { json = 1, text = 'x' })", RUN_ERROR, "one body" },
    { "local c = {} c.c = c send(u, { json = c })", RUN_ERROR, NULL },
    { "send(u, { json = { x = 0 / 0 } })", RUN_ERROR, "x" },
    { "send(u, { json = { f = print } })", RUN_ERROR, "f" },
    { "send(u, { json = { 1, 2, nil, 4, x = 1 } })", RUN_ERROR, NULL },
    { "send(u, { text = {} })", RUN_ERROR, "text" },
    { "send(u, { text = 'x', headers = { ['X-A'] = 'a\\r\\nX-B: c' } })", RUN_ERROR, "line end" },
    { "send(u, { text = 'x', headers = { ['X A'] = 'a' } })", RUN_ERROR, "not a header name" },
    { "send(u, { text = 'x', path = '../etc' })", RUN_ERROR, "refused" },
    { "send(u, { text = 'x', path = 'a/%2e%2e/b' })", RUN_ERROR, "refused" },
    { "send(u, { text = 'x', method = 'FETCH' })", RUN_ERROR, "FETCH" },
    { "send(u, { text = 'x', id = 'a b' })", RUN_ERROR, "id" },
    { "for i = 1, 1001 do send(u, { text = 'x' }) end", RUN_ERROR, "1000" },
    { "local h = {} for i = 1, 65 do h['X-' .. i] = 'x' end send(u, { text = 'x', headers = h })", RUN_ERROR, "64 headers" },
    { "retry('x', { afer = '1s' })", RUN_ERROR, "after" },
    { "retry('x', { after = 5 })", RUN_ERROR, "5s" },
    { "local _ = (('x')):gsub('x', function() drop('no') end)", RUN_ERROR, "callback" },
    { "table.sort({ 2, 1 }, function() sleep '1s' end)", RUN_ERROR, "callback" },
    { "error()", RUN_ERROR, NULL },
    { "error({})", RUN_ERROR, NULL },
    { "error(nil)", RUN_ERROR, NULL },
    { "error('boom')", RUN_ERROR, "a.lua" },
    { "assert(false, 'because')", RUN_ERROR, "because" },
    { "assert(nil)", RUN_ERROR, NULL },
    { "local x = 1 < 'a'", RUN_ERROR, "a.lua" },
    { "json.decode(1)", RUN_ERROR, NULL },
    { "crypto.hmac('sha256', secret 'NOT_SET_AT_ALL', 'x')", RUN_ERROR, "NOT_SET_AT_ALL" },
    { "time.format(1, '%Q')", RUN_ERROR, "%Q" },
    { "string.nope('x')", RUN_ERROR, "no string.nope" },
};

static void add_hostile(struct buf *rules, size_t i)
{
    buf_addf(rules,
             "route \"/h%zu\" { verify = verify.none \"t\", retry = { attempts = 2 }, handle = function(event)\n send(t, { text "
             "= 'never' })\n %s\nend }\n",
             i, hostiles[i].code);
}

static void check_hostile(size_t i)
{
    char route[16];
    struct event *event;
    const struct hostile *hostile = &hostiles[i];
    snprintf(route, sizeof(route), "/h%zu", i);
    struct outcome *outcome = run_route(route, "{\"n\":1,\"data\":{}}", &event);
    bool failed = outcome && outcome->state == EVENT_WAITING && outcome->reason != RUN_OK;
    bool as_said = failed && (hostile->reason < 0 || (int)outcome->reason == hostile->reason) &&
                   (!hostile->text || memmem(outcome->text.data, outcome->text.len, hostile->text, strlen(hostile->text)));
    CHECK(hostile->code, as_said);
    if (!as_said && outcome)
        printf("#     state %d reason %s: %.*s\n", outcome->state, run_reason_name(outcome->reason), SLICE_ARGS(outcome->text));
    CHECK(hostile->code, !outcome || outcome->delivery_count == 0);
    event_unref(event);
    check_innocent(hostile->code);
}

static void hostile_handlers(void)
{
    struct buf rules;
    buf_init(&rules, RULES_MAX);
    buf_add_text(&rules, HEAD);
    for (size_t i = 0; i < COUNT(hostiles); i++)
        add_hostile(&rules, i);
    buf_add_byte(&rules, '\0');
    use_rules(rules.data);
    buf_deinit(&rules);
    check_innocent("nothing");
    for (size_t i = 0; i < COUNT(hostiles); i++)
        check_hostile(i);
}

/* ---- what handlers come to ---- */

#define ROUTE(name, code)                                                                                                        \
    "route \"/" name                                                                                                             \
    "\" { verify = verify.none \"t\", retry = { attempts = 3, first = \"1s\", factor = 2 }, handle = function(event) " code      \
    " end }\n"

static const char ordinary[] = HEAD ROUTE("drop", "send(t, event) pcall(function() drop('not wanted') end) send(t, event)")
    ROUTE("fail", "send(t, event) fail('never')") ROUTE("retry", "retry('later', { after = '20s' })")
        ROUTE("sleep", "sleep '20ms' send(t, event)") ROUTE("event", "send(t, event)")
            ROUTE("json", "send({ t, u }, { json = { a = event.body.data, n = 12345678901234567LL, z = json.null "
                          "}, path = 'a b/c', query = { x = '1 2' }, "
                          "headers = { ['X-Type'] = event.type }, method = 'PUT', id = 'fixed-1' })")
                ROUTE("secret", "send(t, { json = { k = secret 'HOME', j = 'x' .. secret 'HOME' }, headers = { "
                                "Authorization = 'Bearer ' .. secret 'HOME' } })")
                    ROUTE("many", "for i = 1, 1000 do send(t, { text = 'x' }) end")
                        ROUTE("headers", "local h = {} for i = 1, 64 do h['X-' .. i] = 'x' end send(t, { text = "
                                         "'x', headers = h })") ROUTE("keep", "kept.event, kept.body = event, event.body")
                            ROUTE("kept", "local ok, why = pcall(function() return kept.body.n end) local "
                                          "ok2, why2 = pcall(function() return kept.event.body end) "
                                          "assert(not ok and not ok2) send(t, { text = why .. ' | ' .. why2 "
                                          "})") "route \"/when\" { verify = verify.none \"t\", when = "
                                                "function(event) return event.body.n > 1 end, dedupe = "
                                                "function(event) return 'k' .. event.body.n end, handle = "
                                                "function() end }\n"
                                                "route \"/bad\" { verify = verify.none \"t\", when = "
                                                "function(event) send(t, event) return true end, dedupe = "
                                                "function(event) sleep '1s' end, handle = function() end }\n"
                                                "route \"/loop\" { verify = verify.none \"t\", when = "
                                                "function(event) while true do end end, handle = function() "
                                                "end }\n"
                                                "target \"judge\" { url = \"http://a.example.com\", success "
                                                "= function(answer) return answer.status == 200 and "
                                                "json.decode(answer.body).ok end }\n";

static void ends_and_notes(void)
{
    struct event *event;
    use_rules(ordinary);
    struct outcome *outcome = run_route("/drop", "{}", &event);
    CHECK("dropped", outcome->state == EVENT_DROPPED && outcome->delivery_count == 0 && slice_is(outcome->text, "not wanted"));
    event_unref(event);
    outcome = run_route("/fail", "{}", &event);
    CHECK("failed", outcome->state == EVENT_FAILED && outcome->delivery_count == 0 && slice_is(outcome->text, "never"));
    event_unref(event);
    outcome = run_route("/retry", "{}", &event);
    uint64_t wait_ms = outcome->due_ms - clock_wall_ms();
    CHECK("to be tried again", outcome->state == EVENT_WAITING && outcome->reason == RUN_RETRY && outcome->attempt == 1);
    CHECK("when it said", wait_ms > 18000 && wait_ms <= 20000);
    event_unref(event);
    event = make_event("/retry", "{}");
    event->attempt = 2; /* the third try is the last one */
    outcome = run_event(event);
    CHECK("given up", outcome->state == EVENT_FAILED && outcome->attempt == 3);
    event_unref(event);
    outcome = run_route("/sleep", "{}", &event);
    CHECK("waits, then sends", outcome->state == EVENT_HANDLED && outcome->delivery_count == 1);
    event_unref(event);
    outcome = run_route("/many", "{}", &event);
    CHECK("a thousand messages", outcome->state == EVENT_HANDLED && outcome->delivery_count == 1000);
    event_unref(event);
    outcome = run_route("/headers", "{}", &event);
    CHECK("64 headers", outcome->state == EVENT_HANDLED);
    event_unref(event);
}

static struct rendered render(const struct new_delivery *delivery, struct arena *arena)
{
    struct rendered out;
    struct slice missing;
    CHECK_EQ("rendered", message_render(delivery->message, generation_secret, generation, arena, &out, &missing), OK);
    return out;
}

static void messages(void)
{
    struct event *event;
    struct arena arena = { 0 };
    use_rules(ordinary);
    struct outcome *outcome = run_route("/event", "{ \"a\" : 1 }", &event);
    CHECK("the event's own body", render(outcome->deliveries, &arena).body_of_event);
    event_unref(event);
    outcome = run_route("/json", "{\"n\":1,\"data\":{\"x\":19.90, \"y\":null}}", &event);
    CHECK_EQ("both targets", outcome->delivery_count, 2);
    struct rendered message = render(outcome->deliveries, &arena);
    CHECK_SLICE("body", message.body, "{\"a\":{\"x\":19.90, \"y\":null},\"n\":12345678901234567,\"z\":null}");
    CHECK_SLICE("path", message.path, "a%20b/c");
    CHECK_SLICE("query", message.query, "x=1%202");
    CHECK_SLICE("method", message.method, "PUT");
    CHECK_SLICE("type", message.content_type, "application/json");
    CHECK("header", message.header_count == 1 && slice_is(message.headers[0].value, "push"));
    CHECK_SLICE("id", outcome->deliveries->fixed_id, "fixed-1");
    CHECK_SLICE("first target", outcome->deliveries->target, "t");
    CHECK_SLICE("second target", outcome->deliveries->next->target, "u");
    event_unref(event);
    outcome = run_route("/secret", "{}", &event);
    char wanted[512];
    const char *home = getenv("HOME");
    CHECK("no secret is stored",
          !memmem(outcome->deliveries->message.data, outcome->deliveries->message.len, home, strlen(home)));
    message = render(outcome->deliveries, &arena);
    snprintf(wanted, sizeof(wanted), "{\"j\":\"x%s\",\"k\":\"%s\"}", home, home);
    CHECK_SLICE("filled in", message.body, wanted);
    event_unref(event);
    arena_deinit(&arena);
}

static void kept_values(void)
{
    struct event *event;
    struct arena arena = { 0 };
    use_rules(ordinary);
    (void)run_route("/keep", "{\"n\":1}", &event);
    event_unref(event);
    struct outcome *outcome = run_route("/kept", "{}", &event);
    CHECK_EQ("handled", outcome->state, EVENT_HANDLED);
    if (outcome->delivery_count == 1) {
        struct slice body = render(outcome->deliveries, &arena).body;
        CHECK("names its event", memmem(body.data, body.len, "which has ended", 15) && memmem(body.data, body.len, "copy(", 5));
    }
    event_unref(event);
    arena_deinit(&arena);
}

static void questions(void)
{
    struct slice error, key;
    bool holds = false, success = false;
    struct arena arena = { 0 };
    use_rules(ordinary);
    const struct route *route = generation_route(generation, SLICE("/when")), *bad = generation_route(generation, SLICE("/bad"));
    struct event *yes = make_event("/when", "{\"n\":2}"), *no = make_event("/when", "{\"n\":1}"),
                 *broken = make_event("/when", "{}");
    CHECK("holds", script_when(script, route, yes, &holds, &error) == OK && holds);
    CHECK("does not", script_when(script, route, no, &holds, &error) == OK && !holds);
    CHECK("fails", script_when(script, route, broken, &holds, &error) == ERR_SCRIPT && memmem(error.data, error.len, "a.lua", 5));
    CHECK("a key", script_dedupe(script, route, yes, &key, &error) == OK && slice_is(key, "k2"));
    CHECK("no actions",
          script_when(script, bad, yes, &holds, &error) == ERR_SCRIPT && memmem(error.data, error.len, "only an answer", 14));
    CHECK("no waiting", script_dedupe(script, bad, yes, &key, &error) == ERR_SCRIPT);
    CHECK("no loops", script_when(script, generation_route(generation, SLICE("/loop")), yes, &holds, &error) == ERR_SCRIPT);
    if (script_is_abandoned(script))
        fresh_state();
    const struct target *judge = generation_target(generation, SLICE("judge"));
    struct script_answer answer = { .status = 200, .body = SLICE("{\"ok\":true}") };
    CHECK("judged", script_success(script, judge, &answer, &arena, &success, &error) == OK && success);
    answer.body = SLICE("{\"ok\":false}");
    CHECK("judged again", script_success(script, judge, &answer, &arena, &success, &error) == OK && !success);
    answer.body = SLICE("not JSON");
    CHECK("an error is an error", script_success(script, judge, &answer, &arena, &success, &error) == ERR_SCRIPT);
    event_unref(yes);
    event_unref(no);
    event_unref(broken);
    arena_deinit(&arena);
    check_innocent("questions");
}

/* ---- the callbacks of a killed handler are over, too ---- */

/* Each of these ends 60 callbacks deep, without a jump: what the state counts must not stay at 60. */
static const char nested[] = HEAD
    "local function dive(n, f) if n == 0 then return f() end return (('x'):gsub('x', function() dive(n - 1, f) end)) end\n" ROUTE(
        "late", "dive(60, function() while true do local f = function() return event end end end)")
        ROUTE("caught", "pcall(dive, 60, function() while true do local f = function() return event end end end) while true do "
                        "local f = function() return event end end")
            ROUTE("full", "dive(60, function() local s = 'x' while true do s = s .. s end end)")
                ROUTE("plain", "dive(60, function() error 'x' end)")
                    ROUTE("deepest", "local function f() dive(1, function() end) return 1 + f() end f()")
                        ROUTE("well", "dive(60, function() end) send(t, event)");

static void nesting(void)
{
    static const char *const routes[] = { "/late", "/caught", "/full", "/plain", "/deepest" };
    struct event *event;
    use_rules(nested);
    for (size_t i = 0; i < COUNT(routes); i++) {
        uint32_t before = abandonments;
        for (int n = 0; n < 3; n++) {
            struct outcome *outcome = run_route(routes[i], "{}", &event);
            CHECK(routes[i], outcome && outcome->state == EVENT_WAITING);
            event_unref(event);
        }
        CHECK_EQ("in the same state", abandonments, before);
        struct outcome *outcome = run_route("/well", "{}", &event);
        CHECK(routes[i], outcome && outcome->state == EVENT_HANDLED);
        if (outcome && outcome->state != EVENT_HANDLED)
            printf("#   after %s: %.*s\n", routes[i], SLICE_ARGS(outcome->text));
        event_unref(event);
    }
}

/* ---- on a worker's kind of thread ---- */

static void *on_thread(void *arg)
{
    void (*test)(void) = *(void (**)(void))arg;
    uv_loop_init(&loop);
    uuid_maker_init(&ids);
    slot = watchdog_slot_new();
    test();
    script_free(script);
    script = NULL;
    generation_unref(generation);
    generation = NULL;
    uv_run(&loop, UV_RUN_DEFAULT);
    watchdog_slot_free(slot);
    CHECK_EQ("nothing is left on the loop", uv_loop_close(&loop), 0);
    return NULL;
}

static void as_worker(void (*test)(void))
{
    static bool ready;
    pthread_t thread;
    pthread_attr_t attributes;
    if (!ready)
        abandon_setup();
    ready = true;
    CHECK_EQ("watchdog", watchdog_start(), OK);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 8 << 20);
    pthread_attr_setguardsize(&attributes, 1 << 20);
    CHECK_EQ("thread", pthread_create(&thread, &attributes, on_thread, &test), 0);
    pthread_attr_destroy(&attributes);
    pthread_join(thread, NULL);
    watchdog_stop();
}

TEST(ends_forget_or_keep_what_was_noted)
{
    as_worker(ends_and_notes);
}
TEST(messages_are_what_was_said)
{
    as_worker(messages);
}
TEST(a_kept_event_says_that_it_has_ended)
{
    as_worker(kept_values);
}
TEST(questions_get_answers_and_nothing_else)
{
    as_worker(questions);
}
TEST(callbacks_of_a_killed_handler_are_over)
{
    as_worker(nesting);
}
TEST(every_hostile_handler_costs_its_event_only)
{
    as_worker(hostile_handlers);
}

TEST_MAIN()
