/* Handlers, contained: what each comes to, and that an innocent one runs well after every hostile one. On a thread of its own, as
 * a worker has it. */
#include "check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "helpers.h"
#include "model/message.h"

enum { RULES_MAX = 256 << 10 };

const char limits[] = "limits { handler_cpu = '100ms', handler_time = '2s', handler_memory = '8MiB', state_memory = '64MiB' }";

/* ---- running ---- */

static struct event *make_event(const char *route, const char *body)
{
    return event_of(&ids, (struct event_parts){ .route = slice_of(route), .type = SLICE("push"), .body = slice_of(body) });
}

/* The outcome lies in the event, which the caller gives back. NULL: to be run again. */
static struct outcome *run_event(struct event *event)
{
    struct outcome *outcome;
    (void)run_to_end(event, &outcome);
    return outcome;
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

/* The innocent one throws, catches, and takes callbacks. */
#define HEAD                                                                                                                     \
    "local t = target \"t\" { url = \"http://a.example.com\" }\nlocal u = target \"u\" { url = \"http://b.example.com\" }\n"     \
    "local kept = {}\nlocal deep deep = {}\n"                                                                                    \
    "route \"/innocent\" { verify = verify.none \"t\", handle = function(event)\n"                                               \
    "  local ok, why = pcall(error, \"x\") assert(not ok and why == \"x\")\n"                                                    \
    "  local ok2 = pcall(function() local n = nil; return n.x end) assert(not ok2)\n"                                            \
    "  local s = (\"abc\"):gsub(\"b\", function(c) return c:upper() end) assert(s == \"aBc\")\n"                                 \
    "  local l = { 2, 1 } table.sort(l, function(a, b) return a < b end) assert(l[1] == 1)\n"                                    \
    "  send(t, { json = { n = event.body.n, s = s } }) end }\n"

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
    { "local t = {} for i = 1, 3000 do t[i] = i % 7 end for i = 1, 1e9 do pcall(table.sort, t, function(a, b) return i % 2 == 0 "
      "end) "
      "end",
      RUN_CPU, NULL },
    { "xpcall(function() error 'x' end, function(e) for i = 1, 1e300 do end end)", RUN_CPU, NULL },
    { "local t = setmetatable({}, { __index = function() while true do end end }) return (('x'):gsub('x', t))", RUN_CPU, NULL },
    { "local m = { __lt = function() while true do end end } local a, b = setmetatable({}, m), setmetatable({}, m) "
      "table.sort({ a, b })",
      RUN_CPU, NULL },
    { "for c in (('x'):rep(1e5)):gmatch('.') do for d in (('x'):rep(1e5)):gmatch('.') do end end", RUN_CPU, NULL },
    { "return (('a'):rep(1e5)):match(('a-'):rep(20) .. 'b')", RUN_CPU, NULL },
    { "sleep '1m'", RUN_WAIT, NULL },
    { "pcall(sleep, '1m')", RUN_WAIT, NULL },
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
    { "local t = {} for i = 1, 2000 do t[i] = ('x'):rep(999) .. i end local s = table.concat(t) "
      "while true do s = table.concat({ s, s }) end",
      RUN_MEMORY, NULL },
    { "return table.concat({ 'a', 'b' }, ('x'):rep(7e6)):upper():lower()", RUN_MEMORY, NULL },
    { "return hex.encode(('x'):rep(6e6))", RUN_MEMORY, NULL },
    { "return text.split(('a,'):rep(2e6), ',')", -1, NULL },
    { "local s = ('x'):rep(4e6) return s:gsub('x', '%0%0%0')", -1, NULL },
    { "return string.format('%s%s', ('x'):rep(5e6), ('y'):rep(5e6))", RUN_MEMORY, NULL },
    /* stack */
    { "local m = {} setmetatable(m, m) m.__lt = function() table.sort({ m, m }) return true end table.sort({ m, m })", -1, NULL },
    { "local t t = setmetatable({}, { __index = function(_, k) return (k:gsub('.', t)) end }) return t.x", -1, NULL },
    { "local m m = setmetatable({}, { __call = function(s, ...) return s(1, ...) end }) m()", -1, NULL },
    { "local m m = setmetatable({}, { __newindex = function(t, k, v) t[k .. 'x'] = v end }) m.a = 1", -1, NULL },
    { "local m m = setmetatable({}, { __add = function(a, b) return 1 + (a + b) end }) return m + m", -1, NULL },
    { "local function f(v) return map({ v }, f) end return f(1)", -1, NULL },
    { "local function f() return xpcall(f, f) end local ok, why = f() error(why)", -1, NULL },
    { "local function f() error(f()) end f()", RUN_STACK, NULL },
    { "return string.char(unpack({}, 1, 1e6))", -1, NULL },
    { "assert(json.decode(('['):rep(1e5) .. (']'):rep(1e5)))", RUN_ERROR, "128" },
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
    { "local all = { string } local s = all[1].dump(print)", RUN_ERROR, "string.dump" },
    { "return event.nonsense", RUN_ERROR, "no field 'nonsense'" },
    { "return event.boddy", RUN_ERROR, "did you mean 'body'" },
    { "return event.get('body.n')", RUN_ERROR, "write event:get(\"body.n\"), with a colon" },
    { "return event.get(event)", -1, NULL },
    { "return event.all('headers.x')", RUN_ERROR, "write event:all(\"headers.x\"), with a colon" },
    { "return event.all()", RUN_ERROR, "write event:all(…), with a colon" },
    { "local v = json.decode('{\"a\":{\"b\":1}}') return v.x.y", RUN_ERROR, "the object has: a        (no 'x')" },
    { "local x = event.body.data.object.lines", RUN_ERROR, "body.data has: nothing        (no 'object')" },
    { "local x = event.body.a.b", RUN_ERROR, "body has: n, data        (no 'a')" },
    { "local x = event.body.a.b", RUN_ERROR, "event:get(\"body.a.b\") gives nil" },
    { "local x = event.body.a.b", RUN_ERROR, "│ local x = event.body.a.b" },
    { "return 'x' .. event.body", RUN_ERROR, NULL },
    { "return event.body < event.body", RUN_ERROR, NULL },
    /* messages that are none */
    { "local name = 't' send(name, event)", RUN_ERROR, "not its name" },
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
    { "metric.count('a b')", RUN_ERROR, "wants a name" },
    { "metric.count(('a'):rep(65))", RUN_ERROR, "at most 64" },
    { "metric.count('n', 0 / 0)", RUN_ERROR, "wants a number" },
    { "metric.count('n', -1)", RUN_ERROR, "not below zero" },
    { "metric.gauge('n', -math.huge)", RUN_ERROR, "wants a number" },
    { "metric.observe('n', '7')", RUN_ERROR, "wants a number" },
    { "metric.count('n', 1, { route = 'x' })", RUN_ERROR, "made by tidewire itself" },
    { "metric.count('n', 1, { a = {} })", RUN_ERROR, "has to be text" },
    { "metric.count('n', 1, { a = secret 'HOME' })", RUN_ERROR, "has to be text" },
    { "metric.count('n', 1, 'x')", RUN_ERROR, "labels are a table" },
    { "local l = {} for i = 1, 9 do l['l' .. i] = i end metric.count('n', 1, l)", RUN_ERROR, "at most 8" },
    { "retry('x', { afer = '1s' })", RUN_ERROR, "after" },
    { "retry('x', { after = 5 })", RUN_ERROR, "5s" },
    { "local _ = (('x')):gsub('x', function() drop('no') end)", RUN_ERROR, "callback" },
    { "table.sort({ 2, 1 }, function() sleep '1s' end)", RUN_ERROR, "callback" },
    { "local s = table.sort(event.body.gone)", RUN_ERROR, ": bad argument #1 to 'sort' (table expected, got nil)" },
    { "local s = string.gsub(nil, 'x', function() end)", RUN_ERROR, ": bad argument #1 to 'gsub' (string expected, got nil)" },
    { "local s = ('%d'):format({})", RUN_ERROR, ": bad argument #2 to 'format' (number expected, got table)" },
    { "local l = map({ 1 })", RUN_ERROR, ": map wants a function, got a nil" },
    { "local l = filter({ 1 }, 'x')", RUN_ERROR, ": filter wants a function, got a string" },
    /* what locks whom */
    { "table.sort = nil", RUN_ERROR, "cannot be set" },
    { "math.huge = 1", RUN_ERROR, "cannot be set" },
    { "text.trim = print", RUN_ERROR, "cannot be set" },
    { "crypto.equal = function() return true end", RUN_ERROR, "cannot be set" },
    { "table.insert(table, 1)", RUN_ERROR, "same for all rules" },
    { "table.insert(log, 1)", RUN_ERROR, "same for all rules" },
    { "local a = json.array(setmetatable({}, {})) getmetatable(a).__index = error", RUN_ERROR, NULL },
    { "setmetatable(json.array {}, { __index = error })", RUN_ERROR, "not the rule's own" },
    { "local m = setmetatable({}, { __metatable = 1 }) setmetatable(m, {})", RUN_ERROR, "protected" },
    { "local s = string s.gsub = 1", RUN_ERROR, "cannot be set" },
    { "setmetatable(event, {})", RUN_ERROR, "plain table" },
    { "setmetatable('', {})", RUN_ERROR, "plain table" },
    { "setmetatable(json.null, {})", RUN_ERROR, NULL },
    { "setmetatable(t, {})", RUN_ERROR, NULL },
    { "t.url = 'http://c.example.com'", RUN_ERROR, NULL },
    { "event.id = nil", RUN_ERROR, "read-only" },
    { "event.new = 1", RUN_ERROR, "read-only" },
    { "event.body.data.x = {}", RUN_ERROR, "read-only" },
    { "table.remove(event.body)", RUN_ERROR, "read-only" },
    { "table.sort(event.body)", RUN_ERROR, "read-only" },
    { "local all = { string } return all[1].nope", RUN_ERROR, "no string.nope" },
    { "local all = { table } return all[1].foreach", RUN_ERROR, "no table.foreach" },
    { "return ('x').nope.y", RUN_ERROR, NULL },
    { "return event.body .. 'x'", RUN_ERROR, "cannot be joined to text" },
    { "return event.body + 1", RUN_ERROR, NULL },
    { "return event.body()", RUN_ERROR, NULL },
    { "retry('x', { after = '99999999999999999999d' })", RUN_ERROR, "36500d" },
    { "retry({})", RUN_ERROR, "wants a reason as text" },
    { "drop(7)", RUN_ERROR, "wants a reason as text" },
    { "sleep(1)", RUN_ERROR, "1s" },
    { "sleep '99999999999999999999d'", RUN_ERROR, "36500d" },
    { "local t2 = setmetatable({}, { __index = function() drop 'no' end }) local _ = (('x'):gsub('x', t2))", RUN_ERROR,
      "callback" },
    { "xpcall(error, function() drop 'no' end) error 'after'", RUN_ERROR, "after" },
    { "send(u, { json = { s = secret 'HOME' .. 'x' }, text = secret 'HOME' })", RUN_ERROR, "one body" },
    { "log.info(secret 'HOME')", RUN_ERROR, "secret" },
    { "log.info('x', { s = secret 'HOME' })", RUN_ERROR, "secret" },
    { "log.info('x', { s = ('x'):rep(5000) })", RUN_ERROR, "4096 bytes" },
    { "return ('%s'):format(secret 'HOME')", RUN_ERROR, "secret" },
    { "return json.encode { s = secret 'HOME' }", RUN_ERROR, "secret" },
    { "return table.concat { 'x', secret 'HOME' }", RUN_ERROR, NULL },
    { "send(u, { text = 'x', query = { [1] = 'x' } })", RUN_ERROR, "query is a table of names" },
    { "send(u, { text = 'x', query = { x = {} } })", RUN_ERROR, "query.x" },
    { "send(u, { text = 'x', path = 'a?b' })", RUN_ERROR, "no '?'" },
    { "send(u, { text = 'x', content_type = 'a\\r\\nX: y' })", RUN_ERROR, "line ends" },
    { "send(u, { text = 'x', id = ('a'):rep(257) })", RUN_ERROR, "1 to 256" },
    { "send(u, { text = 'x', delay = 1 })", RUN_ERROR, "write \"1s\" for seconds" },
    { "local s = send s(u)", RUN_ERROR, "wants a message" },
    { "send(u, event, event)", RUN_ERROR, "one message" },
    { "send({ t, 'u' }, event)", RUN_ERROR, "not its name" },
    { "local big = ('x'):rep(2 ^ 20) for i = 1, 40 do send(u, { text = big }) end", RUN_ERROR, "at most 32 MiB" },
    { "error(setmetatable({}, { __tostring = function() return 7 end }))", RUN_ERROR, NULL },
    { "error(setmetatable({}, { __tostring = function() error 'inner' end }))", RUN_ERROR, NULL },
    { "error(setmetatable({}, { __tostring = function() drop 'no' end }))", RUN_ERROR, NULL },
    { "error(event)", RUN_ERROR, NULL },
    { "error(event.body)", RUN_ERROR, NULL },
    { "error(secret 'HOME')", RUN_ERROR, NULL },
    { "error(('x'):rep(1e6))", RUN_ERROR, NULL },
    { "error('\\0\\255\\254')", RUN_ERROR, NULL },
    { "xpcall(error, function() error 'again' end) error 'after'", RUN_ERROR, "after" },
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
    { "local all = { string } all[1].nope('x')", RUN_ERROR, "no string.nope" },
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
    struct slice key;
    struct script_failure error;
    bool holds = false, success = false;
    struct arena arena = { 0 };
    use_rules(ordinary);
    const struct route *route = generation_route(generation, SLICE("/when")), *bad = generation_route(generation, SLICE("/bad"));
    struct event *yes = make_event("/when", "{\"n\":2}"), *no = make_event("/when", "{\"n\":1}"),
                 *broken = make_event("/when", "{}");
    CHECK("holds", script_when(script, route, yes, false, &holds, &error) == OK && holds);
    CHECK("does not", script_when(script, route, no, false, &holds, &error) == OK && !holds);
    CHECK("fails", script_when(script, route, broken, false, &holds, &error) == ERR_SCRIPT &&
                       memmem(error.text.data, error.text.len, "a.lua", 5));
    CHECK("a key", script_key(script, route, ASK_DEDUPE, yes, &key, &error) == OK && slice_is(key, "k2"));
    CHECK("no actions", script_when(script, bad, yes, false, &holds, &error) == ERR_SCRIPT &&
                            memmem(error.text.data, error.text.len, "only an answer", 14));
    CHECK("no waiting", script_key(script, bad, ASK_DEDUPE, yes, &key, &error) == ERR_SCRIPT);
    CHECK("no loops",
          script_when(script, generation_route(generation, SLICE("/loop")), yes, false, &holds, &error) == ERR_SCRIPT);
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

/* ---- every kind of message ---- */

static const char kinds[] = HEAD ROUTE("text", "send(t, { text = 'grüße', method = 'DELETE' })")
    ROUTE("body", "send(t, { body = '\\0\\255', content_type = 'image/png', query = { b = 2, a = true } })")
        ROUTE("raw", "send(t, { body = 'x' })") ROUTE("empty", "send(t, { method = 'GET', path = '/a/%2F/ü' })")
            ROUTE("array", "send(t, { json = json.array {} })") ROUTE("null", "send(t, { json = json.null })")
                ROUTE("scalar", "send(t, { json = 'x\\n' })") ROUTE("view", "send(t, { json = event.body })")
                    ROUTE("own_type", "send(t, { json = { b = 1, a = 0.1 }, content_type = 'application/problem+json' })")
                        ROUTE("order", "for i = 1, 3 do send({ u, t }, { text = 'n' .. i }) end");

struct kind {
    const char *route, *content_type, *body, *method, *path, *query; /* content_type, method NULL: not said */
    size_t body_len;
};

static void check_kind(const struct kind *kind)
{
    struct event *event;
    struct arena arena = { 0 };
    struct outcome *outcome = run_route(kind->route, "{ \"n\" : 1.50 }", &event);
    CHECK_EQ(kind->route, outcome->delivery_count, 1);
    if (outcome->delivery_count == 1) {
        struct rendered message = render(outcome->deliveries, &arena);
        CHECK_BYTES(kind->route, message.body.data, message.body.len, kind->body, kind->body_len);
        CHECK_SLICE(kind->route, message.content_type, kind->content_type ? kind->content_type : "");
        CHECK_SLICE(kind->route, message.method, kind->method ? kind->method : "");
        CHECK_SLICE(kind->route, message.path, kind->path ? kind->path : "");
        CHECK_SLICE(kind->route, message.query, kind->query ? kind->query : "");
        CHECK(kind->route, !message.body_of_event);
    }
    event_unref(event);
    arena_deinit(&arena);
}

#define BODY(text) .body = text, .body_len = sizeof(text) - 1

static void message_kinds(void)
{
    static const struct kind list[] = {
        { "/text", "text/plain; charset=utf-8",
          BODY("gr\xc3\xbc\xc3\x9f"
               "e"),
          .method = "DELETE" },
        { "/body", "image/png", BODY("\0\xff"), .query = "a=true&b=2" },
        { "/raw", "application/octet-stream", BODY("x") },
        { "/empty", NULL, BODY(""), .method = "GET", .path = "/a/%2F/%C3%BC" },
        { "/array", "application/json", BODY("[]") },
        { "/null", "application/json", BODY("null") },
        { "/scalar", "application/json", BODY("\"x\\n\"") },
        { "/view", "application/json", BODY("{ \"n\" : 1.50 }") },
        { "/own_type", "application/problem+json", BODY("{\"a\":0.1,\"b\":1}") },
    };
    use_rules(kinds);
    for (size_t i = 0; i < COUNT(list); i++)
        check_kind(&list[i]);
}

static void order_of_messages(void)
{
    static const char *const targets[] = { "u", "t", "u", "t", "u", "t" }, *const bodies[] = {
        "n1", "n1", "n2", "n2", "n3", "n3"
    };
    struct event *event;
    struct arena arena = { 0 };
    size_t i = 0;
    use_rules(kinds);
    struct outcome *outcome = run_route("/order", "{}", &event);
    CHECK_EQ("all", outcome->delivery_count, COUNT(targets));
    for (const struct new_delivery *delivery = outcome->deliveries; delivery && i < COUNT(targets);
         delivery = delivery->next, i++) {
        CHECK_SLICE("target", delivery->target, targets[i]);
        CHECK_SLICE("body", render(delivery, &arena).body, bodies[i]);
    }
    event_unref(event);
    arena_deinit(&arena);
}

/* ---- the edge of handler_memory (8 MiB here), in strings of 64 KiB; and garbage, which is given back ---- */

static const char memory[] =
    HEAD "local function hold(n) local list = {} for i = 1, n do list[i] = ('x'):rep(65000) .. i end return #list end\n" ROUTE(
        "under", "assert(hold(112) == 112) send(t, event)") ROUTE("over", "hold(130) send(t, event)")
        ROUTE("often", "for i = 1, 3000 do local s = ('x'):rep(10000) .. i end send(t, event)");

static void memory_limit(void)
{
    struct event *event;
    use_rules(memory);
    for (int n = 0; n < 3; n++) {
        struct outcome *outcome = run_route("/under", "{}", &event);
        CHECK("just under", outcome && outcome->state == EVENT_HANDLED);
        event_unref(event);
        fresh_state(); /* what others left counts for a run that frees it */
        outcome = run_route("/over", "{}", &event);
        CHECK("just over", outcome && outcome->state == EVENT_WAITING && outcome->reason == RUN_MEMORY);
        CHECK("says which limit", outcome && slice_ends(outcome->text, SLICE("more than handler_memory (8 MiB)")));
        event_unref(event);
        outcome = run_route("/often", "{}", &event);
        CHECK("what is garbage does not count for ever", outcome && outcome->state == EVENT_HANDLED);
        event_unref(event);
        check_innocent("memory");
    }
}

/* ---- others wait while one is lost ---- */

static const char together[] = HEAD ROUTE("waits", "sleep '10s' send(t, event)")
    ROUTE("short", "local n = event.body.n sleep '30ms' assert(event.body.n == n) send(t, event)")
        ROUTE("lost", "return (('a'):rep(30000)):find(('.-'):rep(16) .. 'b')");

struct waiting {
    struct run run;
    struct outcome *outcome;
    int ends;
};

static void on_waiting_done(struct run *run, struct outcome *outcome)
{
    struct waiting *waiting = run->owner;
    waiting->outcome = outcome;
    waiting->ends++;
}

static void start_waiting(struct waiting *waiting, const char *route, const char *body)
{
    struct event *event = make_event(route, body);
    *waiting = (struct waiting){ .run = { .event = event,
                                          .route = generation_route(generation, event->route),
                                          .on_done = on_waiting_done,
                                          .owner = waiting } };
    CHECK_EQ("waits", script_run(script, &waiting->run), RUN_WAITS);
}

static void waiting_together(void)
{
    struct waiting list[20];
    struct event *event;
    char body[32];
    use_rules(together);
    for (size_t i = 0; i < COUNT(list); i++) {
        snprintf(body, sizeof(body), "{\"n\":%zu}", i);
        start_waiting(&list[i], "/short", body);
    }
    CHECK_EQ("all wait", script_waiting(script), COUNT(list));
    check_innocent("twenty that wait");
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_MS; script_waiting(script) > 0 && clock_mono_ms() < end_ms;)
        uv_run(&loop, UV_RUN_ONCE);
    for (size_t i = 0; i < COUNT(list); i++) {
        CHECK("its own event", list[i].ends == 1 && list[i].outcome && list[i].outcome->state == EVENT_HANDLED);
        event_unref(list[i].run.event);
    }
    struct waiting one, two;
    start_waiting(&one, "/waits", "{}");
    start_waiting(&two, "/waits", "{}");
    struct outcome *outcome = run_route("/lost", "{}", &event);
    CHECK("the lost one pays", outcome && outcome->reason == RUN_CPU && outcome->attempt == 1);
    CHECK("the others run again, uncounted", one.ends == 1 && two.ends == 1 && !one.outcome && !two.outcome);
    event_unref(event);
    event_unref(one.run.event);
    event_unref(two.run.event);
    check_innocent("a lost state");
}

static void ended_from_outside(void)
{
    struct waiting cancelled, freed;
    use_rules(together);
    start_waiting(&cancelled, "/waits", "{}");
    start_waiting(&freed, "/waits", "{}");
    script_cancel(&cancelled.run);
    CHECK("cancelled in silence", cancelled.ends == 0 && script_waiting(script) == 1);
    fresh_state();
    CHECK("freed: to be run again", freed.ends == 1 && !freed.outcome);
    event_unref(cancelled.run.event);
    event_unref(freed.run.event);
    check_innocent("a freed state");
}

/* ---- whatever is kept of an event, it says that it has ended, and nothing reads what is gone ---- */

static const char *const kept_uses[] = {
    "return kept.body.n",
    "return #kept.body",
    "return kept.body.list[1]",
    "return kept.list[1]",
    "for k, v in pairs(kept.body) do end",
    "for i, v in ipairs(kept.list) do end",
    "return next(kept.body)",
    "return kept.next(kept.state, kept.first)",
    "return tostring(kept.body)",
    "return ('%s'):format(kept.body)",
    "return json.encode(kept.body)",
    "return json.encode { x = kept.list }",
    "return copy(kept.body)",
    "return merge(kept.body, { x = 1 })",
    "return get(kept.body, 'list[1]')",
    "return pick(kept.body, 'n')",
    "return map(kept.list, function(v) return v end)",
    "return table.concat(kept.list, ',')",
    "return unpack(kept.list)",
    "send(t, { json = kept.body })",
    "send(t, { json = { deep = { kept.list } } })",
    "send(t, kept.event)",
    "return kept.event.id",
    "return kept.event.body",
    "return kept.event.headers.x",
    "return kept.event:get 'body.n'",
    "return kept.get(kept.event, 'body.n')",
    "log.info('x', { b = kept.body })",
};

static void add_kept_use(struct buf *rules, size_t i)
{
    buf_addf(rules,
             "route \"/k%zu\" { verify = verify.none \"t\", handle = function(event)\n"
             "  local ok, why = pcall(function() %s end)\n"
             "  assert(not ok, 'it was still there')\n"
             "  assert(tostring(why):find('has ended', 1, true) and tostring(why):find('copy(', 1, true), why)\n"
             "end }\n",
             i, kept_uses[i]);
}

static void kept_and_used(void)
{
    struct buf rules;
    struct event *event;
    buf_init(&rules, RULES_MAX);
    buf_add_text(&rules,
                 HEAD ROUTE("keep", "kept.event, kept.body, kept.list, kept.get = event, event.body, event.body.list, event.get "
                                    "kept.next, kept.state, kept.first = pairs(event.body)"));
    for (size_t i = 0; i < COUNT(kept_uses); i++)
        add_kept_use(&rules, i);
    buf_add_byte(&rules, '\0');
    use_rules(rules.data);
    buf_deinit(&rules);
    struct outcome *outcome = run_route("/keep", "{\"n\":1,\"list\":[\"a\",\"b\"]}", &event);
    CHECK("kept", outcome && outcome->state == EVENT_HANDLED);
    event_unref(event);
    for (size_t i = 0; i < COUNT(kept_uses); i++) {
        char route[16];
        snprintf(route, sizeof(route), "/k%zu", i);
        outcome = run_route(route, "{}", &event);
        CHECK(kept_uses[i], outcome && outcome->state == EVENT_HANDLED);
        if (outcome && outcome->state != EVENT_HANDLED)
            printf("#     %.*s\n", SLICE_ARGS(outcome->text));
        event_unref(event);
    }
    check_innocent("kept values");
}

/* ---- functions that are asked, and answer badly ---- */

static const char asked[] = HEAD
#define ASKED(name, when, dedupe)                                                                                                \
    "route \"/" name "\" { verify = verify.none \"t\", when = function(event) " when " end, dedupe = function(event) " dedupe    \
    " end, handle = function() end }\n"
    ASKED("error", "error 'no'", "error 'no'") ASKED("send", "send(t, event) return true", "send(t, event) return 'k'")
        ASKED("sleep", "sleep '1ms' return true", "sleep '1ms' return 'k'") ASKED("drop", "drop 'x'", "drop 'x'")
            ASKED("caught", "pcall(send, t, event) error 'still'", "pcall(drop) error 'still'")
                ASKED("memory", "return ('x'):rep(2 ^ 25)", "return ('x'):rep(2 ^ 25)") ASKED("type", "return", "return {}")
                    ASKED("number", "return 0", "return 17") ASKED("none", "return nil", "return nil");
#undef ASKED

static void bad_answers(void)
{
    static const char *const failing[] = { "/error", "/send", "/sleep", "/drop", "/caught", "/memory" };
    struct slice key;
    struct script_failure error;
    bool holds;
    use_rules(asked);
    for (size_t i = 0; i < COUNT(failing); i++) {
        const struct route *route = generation_route(generation, slice_of(failing[i]));
        struct event *event = make_event(failing[i], "{}");
        CHECK(failing[i], script_when(script, route, event, false, &holds, &error) == ERR_SCRIPT && error.text.len > 0);
        if (script_is_abandoned(script))
            fresh_state();
        CHECK(failing[i], script_key(script, route, ASK_DEDUPE, event, &key, &error) == ERR_SCRIPT && error.text.len > 0);
        event_unref(event);
        check_innocent(failing[i]);
    }
    struct event *event = make_event("/type", "{}");
    const struct route *type = generation_route(generation, SLICE("/type")),
                       *number = generation_route(generation, SLICE("/number"));
    CHECK("nothing is no", script_when(script, type, event, false, &holds, &error) == OK && !holds);
    CHECK("a table is no key", script_key(script, type, ASK_DEDUPE, event, &key, &error) == ERR_SCRIPT);
    CHECK("0 is true, as everywhere in Lua", script_when(script, number, event, false, &holds, &error) == OK && holds);
    CHECK("a number is a key", script_key(script, number, ASK_DEDUPE, event, &key, &error) == OK && slice_is(key, "17"));
    const struct route *none = generation_route(generation, SLICE("/none"));
    CHECK("nil is no key", script_key(script, none, ASK_DEDUPE, event, &key, &error) == OK && !key.data);
    event_unref(event);
}

static const char judges[] =
    HEAD "target \"j1\" { url = \"http://a.example.com\", success = function(a) error 'no' end }\n"
         "target \"j2\" { url = \"http://a.example.com\", success = function(a) send(t, { text = 'x' }) return true end }\n"
         "target \"j3\" { url = \"http://a.example.com\", success = function(a) sleep '1ms' return true end }\n"
         "target \"j4\" { url = \"http://a.example.com\", success = function(a) while true do end end }\n"
         "target \"j5\" { url = \"http://a.example.com\", success = function(a) return a.headers['x-ok'] == 'yes' end }\n";

static void bad_judges(void)
{
    static const char *const failing[] = { "j1", "j2", "j3", "j4" };
    struct pair header = { SLICE("x-ok"), SLICE("yes") };
    struct script_answer answer = { .status = 200, .headers = &header, .header_count = 1 };
    struct arena arena = { 0 };
    struct script_failure error;
    bool success = false;
    use_rules(judges);
    CHECK("headers",
          script_success(script, generation_target(generation, SLICE("j5")), &answer, &arena, &success, &error) == OK && success);
    for (size_t i = 0; i < COUNT(failing); i++) {
        const struct target *target = generation_target(generation, slice_of(failing[i]));
        CHECK(failing[i], script_success(script, target, &answer, &arena, &success, &error) == ERR_SCRIPT && error.text.len > 0);
        if (script_is_abandoned(script))
            fresh_state();
        check_innocent(failing[i]);
    }
    arena_deinit(&arena);
}

/* ---- who is asked while others fill the state has not failed ---- */

static const char crowded[] =
    HEAD "target \"judge\" { url = \"http://a.example.com\", success = function(a) return #a.body > 0 end }\n" ROUTE(
        "holds", "local list = {} for i = 1, 100 do list[i] = event.id .. ('x'):rep(65000) .. i end sleep '10s' send(t, { json "
                 "= list })");

static void asked_in_a_crowd(void)
{
    enum { LARGE = 20 << 20 };
    struct waiting holders[8]; /* 52 MB of 64 MiB */
    struct script_failure error = { 0 };
    struct arena arena = { 0 };
    bool success = false;
    char *large = mem_new(LARGE);
    memset(large, 'x', LARGE);
    struct script_answer answer = { .status = 200, .body = slice_make(large, LARGE) };
    use_rules(crowded);
    const struct target *judge = generation_target(generation, SLICE("judge"));
    for (size_t i = 0; i < COUNT(holders); i++)
        start_waiting(&holders[i], "/holds", "{}");
    CHECK_EQ("no room for the question", script_success(script, judge, &answer, &arena, &success, &error), ERR_FULL);
    CHECK("those who wait keep their state", !script_is_abandoned(script) && script_waiting(script) == COUNT(holders));
    answer.body = SLICE("x");
    CHECK("a small one is answered", script_success(script, judge, &answer, &arena, &success, &error) == OK && success);
    for (size_t i = 0; i < COUNT(holders); i++) {
        script_cancel(&holders[i].run);
        event_unref(holders[i].run.event);
    }
    check_innocent("a crowd");
    arena_deinit(&arena);
    mem_free(large);
}

/* ---- what is not there is a mistake of the file ---- */

static void absent_words(void)
{
    static const char *const absent[] = { "coroutine",      "io",         "os",       "debug",  "ffi",    "jit",      "package",
                                          "load",           "loadstring", "loadfile", "dofile", "rawset", "rawget",   "rawequal",
                                          "collectgarbage", "setfenv",    "getfenv",  "_G",     "module", "newproxy", "gcinfo" };
    for (size_t i = 0; i < COUNT(absent); i++) {
        char rules[256], wanted[64];
        struct load_report report;
        snprintf(rules, sizeof(rules), "route \"/a\" { verify = verify.none \"t\", handle = function() return %s end }\n",
                 absent[i]);
        snprintf(wanted, sizeof(wanted), "there is no name '%s' here", absent[i]);
        struct generation *made = try_rules(rules, NULL, &report);
        CHECK(absent[i], !made && report.error_count == 1);
        if (report.error_count == 1)
            CHECK_SLICE(absent[i], report.findings[0].message, wanted);
        load_report_deinit(&report);
        generation_unref(made);
    }
}

/* ---- the callbacks of a killed handler are over, too ---- */

/* Each of these ends 60 callbacks deep: what the state counts must not stay at 60. */
static const char nested[] = HEAD
    "local function dive(n, f) if n == 0 then return f() end return (('x'):gsub('x', function() dive(n - 1, f) end)) end\n" ROUTE(
        "late", "dive(60, function() while true do local f = function() return event end end end)")
        ROUTE("caught", "pcall(dive, 60, function() while true do local f = function() return event end end end) while true do "
                        "local f = function() return event end end")
            ROUTE("plain", "dive(60, function() error 'x' end)") "route '/deepest' { verify = verify.none 'test', limits = { "
                                                                 "handler_cpu = '5s' }, " /* it is no question of time */
                                                                 "handle = function(event) local function f() dive(1, function() "
                                                                 "end) return 1 + f() end f() end }\n" ROUTE(
                                                                     "well", "dive(60, function() end) send(t, event)");

/* true: it ended in the state it began in. What runs out of time may leave by a jump, when a busy machine brings the hook after
 * the grace: then the state is a fresh one. */
static bool end_nested(const char *route, bool by_time)
{
    struct event *event;
    uint32_t before = abandonments;
    struct outcome *outcome = run_route(route, "{}", &event);
    bool jumped = abandonments != before;
    CHECK(route, outcome && outcome->state == EVENT_WAITING);
    CHECK(route, outcome && (outcome->reason == RUN_CPU) == by_time);
    CHECK("only time makes it jump", by_time || !jumped);
    event_unref(event);
    return !jumped;
}

static void nesting(void)
{
    static const struct {
        const char *route;
        bool by_time;
    } cases[] = { { "/late", true }, { "/caught", true }, { "/plain", false }, { "/deepest", false } };
    enum { IN_A_ROW = 3, TRIES = 20 };
    struct event *event;
    use_rules(nested);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *route = cases[i].route;
        int in_a_row = 0;
        for (int n = 0; n < TRIES && in_a_row < IN_A_ROW; n++)
            in_a_row = end_nested(route, cases[i].by_time) ? in_a_row + 1 : 0;
        if (in_a_row < IN_A_ROW)
            printf("# %s: too busy a machine to see what %d ends leave in one state\n", route, IN_A_ROW);
        struct outcome *outcome = run_route("/well", "{}", &event);
        CHECK(route, outcome && outcome->state == EVENT_HANDLED);
        if (outcome && outcome->state != EVENT_HANDLED)
            printf("#   after %s: %.*s\n", route, SLICE_ARGS(outcome->text));
        event_unref(event);
    }
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
TEST(every_kind_of_message_is_rendered_as_said)
{
    as_worker(message_kinds);
}
TEST(messages_keep_the_order_of_send)
{
    as_worker(order_of_messages);
}
TEST(memory_has_an_edge)
{
    as_worker(memory_limit);
}
TEST(those_that_wait_are_not_harmed_by_one_that_is_lost)
{
    as_worker(waiting_together);
}
TEST(a_run_can_be_ended_from_outside)
{
    as_worker(ended_from_outside);
}
TEST(whatever_is_kept_of_an_event_says_that_it_has_ended)
{
    as_worker(kept_and_used);
}
TEST(functions_that_are_asked_can_only_answer)
{
    as_worker(bad_answers);
}
TEST(judges_of_answers_can_only_answer)
{
    as_worker(bad_judges);
}
TEST(who_is_asked_while_others_fill_the_state_has_not_failed)
{
    as_worker(asked_in_a_crowd);
}
TEST(words_that_are_absent_are_mistakes)
{
    as_worker(absent_words);
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
