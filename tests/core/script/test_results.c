/* What a rule hands back, at its worst: every option of a message with every wrong value, targets that are none, ends with wrong
 * reasons, bodies without an end. Each case is one line of a rule: the error names that line and what to write instead, and
 * nothing of the event is sent, even though the handler has sent something good before. */
#include "check.h"

#include <unistd.h>

#include "base/log.h"
#include "helpers.h"
#include "model/message.h"

enum { RULES_MAX = 512 << 10 };

const char limits[] = "limits { handler_cpu = '5s', handler_time = '10s', handler_memory = '96MiB', state_memory = '256MiB' }";

/* ---- running ---- */

static const char body[] = "{\"n\":1,\"big\":12345678901234567,\"huge\":123456789012345678901234567890,\"none\":null,"
                           "\"list\":[1,2],\"object\":{\"a\":1},\"text\":\"plain\"}";

static struct event *make_event(const char *route)
{
    static const struct pair headers[] = { { SLICE("X-Id"), SLICE("7") } };
    return event_of(&ids, (struct event_parts){ .route = slice_of(route),
                                                .query = SLICE("q=1"),
                                                .headers = headers,
                                                .header_count = COUNT(headers),
                                                .body = slice_of(body) });
}

static struct outcome *run_event(struct event *event)
{
    struct outcome *outcome;
    CHECK_EQ("it ends at once", run_to_end(event, &outcome), RUN_ENDED);
    return outcome;
}

static bool has_text(struct slice text, const char *part)
{
    return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* ---- one line of a rule, that comes after a good message ---- */

struct lines {
    struct buf rules;
    const char *options; /* of every route: "ack = 'handled', " */
    unsigned count;
};

enum { FIRST_LINE = 7, LINES_EACH = 4 /* of a route; its own is the third */ };

static void lines_begin(struct lines *lines)
{
    lines->options = "";
    buf_init(&lines->rules, RULES_MAX);
    buf_add_text(&lines->rules, "local t = target \"t\" { url = \"http://a.example.com\" }\n"
                                "local u = target \"u\" { url = \"http://b.example.com/x\", method = \"PUT\" }\n"
                                "local g = target \"g\" { url = \"http://c.example.com\", method = \"GET\" }\n"
                                "local o = target \"o\" { url = \"http://d.example.com\", order_by = \"body.id\" }\n"
                                "local f = target \"f\" { url = \"http://e.example.com\", order_by = function(m)\n"
                                "  if m.body.wait then sleep \"1s\" end send(o, { text = \"x\" }) end }\n");
    lines->count = 0;
}

static void lines_add(struct lines *lines, const char *code)
{
    buf_addf(&lines->rules,
             "route \"/h%u\" { verify = verify.none \"t\", %shandle = function(event)\n"
             "  send(t, { text = 'first' })\n  %s\nend }\n",
             lines->count++, lines->options, code);
}

static void lines_use(struct lines *lines)
{
    buf_add_byte(&lines->rules, '\0');
    CHECK("room for the rules", buf_ok(&lines->rules));
    use_rules(lines->rules.data);
    buf_deinit(&lines->rules);
}

static struct outcome *run_line(unsigned i, struct event **event)
{
    char route[16];
    snprintf(route, sizeof(route), "/h%u", i);
    *event = make_event(route);
    return run_event(*event);
}

static void show(const struct outcome *outcome)
{
    if (outcome)
        printf("#     state %d, %u messages, %s: %.*s\n", outcome->state, outcome->delivery_count,
               run_reason_name(outcome->reason), SLICE_ARGS(outcome->text));
}

/* Line i raises at its own line (at that of its route, where Lua keeps none), says all the texts, and nothing is sent. */
static void check_refused(unsigned i, const char *code, bool at_route, const char *text, const char *more)
{
    char place[32];
    struct event *event;
    struct outcome *outcome = run_line(i, &event);
    snprintf(place, sizeof(place), "a.lua:%u: ", FIRST_LINE + LINES_EACH * i + (at_route ? 0 : 2));
    bool failed = outcome && outcome->state == EVENT_WAITING && outcome->reason == RUN_ERROR;
    bool as_said = failed && slice_starts(outcome->text, slice_of(place)) && has_text(outcome->text, text) &&
                   (!more || has_text(outcome->text, more));
    CHECK(code, as_said);
    if (!as_said)
        show(outcome);
    CHECK(code, !outcome || (outcome->delivery_count == 0 && !outcome->deliveries));
    CHECK(code, !outcome || !has_text(outcome->text, "tidewire."));
    event_unref(event);
}

/* ---- every option with every type ---- */

/* A value, and how a fault calls it. */
static const struct value {
    const char *code, *shown;
} values[] = {
    { "true", "true" },
    { "false", "false" },
    { "5", "the number 5" },
    { "-5", "the number -5" },
    { "0 / 0", "nan" },
    { "-(0 / 0)", "nan" },
    { "1 / 0", "inf" },
    { "-1 / 0", "-inf" },
    { "1e308", "1e+308" },
    { "{}", "a table" },
    { "{ 1, 2 }", "a table" },
    { "print", "a function" },
    { "function() end", "a function" },
    { "event", "an event" },
    { "event.body", "a view" },
    { "event.body.list", "a view" },
    { "event.body.big", "12345678901234567" },
    { "event.body.huge", "123456789012345678901234567890" },
    { "json.null", "json.null" },
    { "secret 'HOME'", "a secret" },
    { "t", "a target" },
    { "event.headers", "event.headers, event.query or event.params" },
    { "event.query", "event.headers, event.query or event.params" },
    { "json.array {}", "a table" },
};

/* An option, the beginning of its fault, and the values it takes (by their first characters, '|' between). */
static const struct option {
    const char *code; /* %s: the value */
    const char *text;
    const char *takes;
} options[] = {
    { "send(u, { text = %s })", "send: text has to be a string, got ", "|secret 'HOME'|" },
    { "send(u, { body = %s })", "send: body has to be a string, got ", "|secret 'HOME'|" },
    { "send(u, { text = 'x', content_type = %s })", "send: content_type is text such as \"text/plain\", got ", "" },
    { "send(u, { text = 'x', path = %s })", "send: path is text such as \"/orders/7\", got ", "" },
    { "send(u, { text = 'x', method = %s })", "send: method ", "" },
    { "send(u, { text = 'x', id = %s })", "send: id is text of 1 to 256 visible ASCII characters without '.', got ", "" },
    { "send(u, { text = 'x', query = %s })", "send: query is a ", "|{}|" },
    { "send(u, { text = 'x', headers = %s })", "", "|{}|" },
    { "send(u, { text = 'x', query = { a = %s } })", "send: query.a has to be text, a number or a boolean, got ",
      "|true|false|5|-5|1e308|event.body.big|event.body.huge|" },
    { "send(u, { text = 'x', headers = { ['X-A'] = %s } })", "send: the header 'X-A' has to be text, a number or a boolean, got ",
      "|true|false|5|-5|1e308|event.body.big|event.body.huge|secret 'HOME'|" },
    { "send(u, %s)", "send", "|event|" },
    { "send(%s, event)", "send wants the value from `target`", "|t|" },
    { "send({ t, %s }, event)", "send wants the value from `target`, got ", "|t|" },
    { "drop(%s)", "drop wants a reason as text, got ", "" },
    { "fail(%s)", "fail wants a reason as text, got ", "" },
    { "retry(%s)", "retry wants a reason as text, got ", "" },
    { "retry('x', %s)", "retry", "" },
    { "retry('x', { after = %s })", "retry: after: ", "" },
    { "sleep(%s)", "sleep: ", "" },
    { "log.info('x', %s)", "log.info: fields ", "|{}|{ 1, 2 }|event.body|event.body.list|json.array {}|" },
    { "send(u, { json = %s })", "send: json ",
      "|true|false|5|-5|1e308|{}|{ 1, 2 }|event.body|event.body.list|event.body.big|event.body.huge|json.null|secret 'HOME'|"
      "json.array {}|" },
    { "send(u, { json = { deep = { 1, { price = %s } } } })", "send: json.deep[2].price ",
      "|true|false|5|-5|1e308|{}|{ 1, 2 }|event.body|event.body.list|event.body.big|event.body.huge|json.null|secret 'HOME'|"
      "json.array {}|" },
};

static bool takes(const struct option *option, const struct value *value)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "|%s|", value->code);
    return strstr(option->takes, wanted) != NULL;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void code_of(const struct option *option, const struct value *value, char *code, size_t size)
{
    snprintf(code, size, option->code, value->code);
}
#pragma GCC diagnostic pop

static void check_pair(unsigned i, const struct option *option, const struct value *value)
{
    char code[128];
    code_of(option, value, code, sizeof(code));
    if (!takes(option, value)) {
        bool by_kind = option->text[0] && strcmp(option->text + strlen(option->text) - 4, "got ") == 0;
        check_refused(i, code, false, option->text, by_kind ? value->shown : NULL);
        return;
    }
    struct event *event;
    struct outcome *outcome = run_line(i, &event);
    CHECK(code, outcome && outcome->state == EVENT_HANDLED && outcome->delivery_count >= 1);
    if (outcome && outcome->state != EVENT_HANDLED)
        show(outcome);
    event_unref(event);
}

static void every_type(void)
{
    struct lines lines;
    char code[128];
    lines_begin(&lines);
    for (size_t o = 0; o < COUNT(options); o++)
        for (size_t v = 0; v < COUNT(values); v++) {
            code_of(&options[o], &values[v], code, sizeof(code));
            lines_add(&lines, code);
        }
    lines_use(&lines);
    for (size_t o = 0; o < COUNT(options); o++)
        for (size_t v = 0; v < COUNT(values); v++)
            check_pair((unsigned)(o * COUNT(values) + v), &options[o], &values[v]);
    printf("#   %zu pairs\n", COUNT(options) * COUNT(values));
}

/* ---- what is of the right type, and wrong ---- */

static const struct refused {
    const char *code, *text, *more; /* more NULL: none */
} refused[] = {
    /* names of options */
    { "send(u, { jsn = 1 })", "send: a message has no 'jsn'", "did you mean 'json'" },
    { "send(u, { Json = 1 })", "no 'Json'", "did you mean 'json'" },
    { "send(u, { header = {} , text = 'x' })", "no 'header'", "did you mean 'headers'" },
    { "send(u, { ['a\\nb\\0'] = 1 })", "no 'a\\10b\\0'", NULL },
    { "send(u, { [('x'):rep(1e6)] = 1 })", "no 'xxxxxxxx", "…'" },
    { "send(u, { [true] = 1 })", "has no place for true", "{ json = … }" },
    { "send(u, { [1.5] = 1 })", "has no place for the number 1.5", NULL },
    { "send(u, { [event] = 1 })", "has no place for an event", NULL },
    { "send(u, { 'text' })", "has no place for the number 1", NULL },
    { "send(u, { json = 1, text = 'x' })", "one body, not both", NULL },
    { "send(u, { body = 'x', text = 'x' })", "one body, not both", NULL },
    { "send(u, { form = { 'a' } })", "form: a form is a table of names and values", NULL },
    { "send(u, { form = { a = { b = 1 } } })", "form: 'a' is a table with names", NULL },
    { "send(u, { form = { a = { 1, nil, 3 } } })", "form: the list 'a' has holes", NULL },
    { "send(u, { form = { a = json.null } })", "form: 'a' has to be text, a number, a boolean or a list of these, got null",
      NULL },
    { "send(u, { form = 'a=1' })", "form: a form is a table such as", NULL },
    { "send(u, { xml = {} })", "xml: a node wants its name first", NULL },
    { "send(u, { xml = 'x' })", "xml: XML is a node such as", NULL },
    { "send(u, { xml = { 'a b' } })", "xml: a node wants its name first", NULL },
    { "send(u, { xml = { 'a', id = 7 } })", "xml: <a> has 'id', which is neither name, attr nor a child", NULL },
    { "send(u, { xml = { 'a', { 'b', function() end } } })", "a child of <b> has to be text, a number or a boolean", NULL },
    { "send(u, { xml = { 'a', '\\1' } })", "a child of <a> has a control byte in it", NULL },
    { "send(u, { xml = { 'a', '\\255' } })", "a child of <a> is not UTF-8", NULL },
    { "send(u, { xml = { 'a', attr = { ['b c'] = 1 } } })", "attr of <a>: b c is no name of an attribute", NULL },
    { "local n = { 'a' } n[2] = n send(u, { xml = n })", "nested deeper than 128, or a node that contains itself", NULL },
    { "send(u, { cloudevent = {} })", "cloudevent wants type as text", NULL },
    { "send(u, { cloudevent = { type = 'a' } })", "cloudevent wants source as text", NULL },
    { "send(u, { cloudevent = { type = 'a', source = 'b', specversion = '0.3' } })", "specversion is", NULL },
    { "send(u, { cloudevent = { type = 'a', source = 'b', my_name = 1 } })", "is no name of an attribute", NULL },
    { "send(u, { cloudevent = 'x' })", "cloudevent is a table such as", NULL },
    { "send(u, { text = 'x', key = {} })", "send: key has to be text, a number or a boolean, got a table", NULL },
    { "send(u, { text = 'x', key = secret 'HOME' })", "send: key has to be text", "got a secret" },
    { "send(u, { text = 'x', key = ('x'):rep(1025) })", "send: key is 1025 bytes long, at most 1024", NULL },
    { "send(o, { json = { id = {} } })", "send: what target \"o\" is ordered by has to be text", NULL },
    { "send({ u, o }, { json = { id = ('x'):rep(1025) } })", "is ordered by is 1025 bytes long", NULL },
    { "send(u, { text = 'x', delay = 600 })", "send: delay: write \"600s\" for seconds", NULL },
    { "send(u, { text = 'x', delay = 'soon' })", "send: delay: write a number and ms, s, m, h or d", NULL },
    { "send(u, { text = 'x', delay = '36501d' })", "send: delay: at most \"36500d\"", NULL },
    { "send(u, { text = 'x', at = '2030-01-01' })", "got '2030-01-01': write time.parse(…)", NULL },
    { "send(u, { text = 'x', at = 0/0 })", "send: at is in seconds since 1970", NULL },
    { "send(u, { text = 'x', at = 1e12 })", "milliseconds are divided by 1000", NULL },
    { "send(u, { text = 'x', at = 5, delay = '1s' })", "send: a message has delay or at, not both", NULL },
    /* nothing where a body belongs */
    { "send(u, { json = nil })", "has no body: its json (or text, or body) is nil", "text = \"\"" },
    { "send(t, { json = event.body.gone })", "has no body", NULL },
    { "send(u, { text = event.body.none })", "has no body", NULL },
    { "send(u, {})", "has no body", NULL },
    { "send(u, { path = '/a', headers = { A = '1' } })", "has no body", NULL },
    { "send(g, { method = 'PATCH' })", "has no body", NULL },
    { "send({ g, u }, { path = '/a' })", "has no body", NULL },
    { "local s = send s(u)", "send wants a message", NULL },
    { "local s = send s()", "send wants the value from `target`, got nil", NULL },
    { "send(u, nil)", "send wants a message", NULL },
    { "send(u, event, event)", "one message", "send({ a, b }, message)" },
    { "send(u, 'text')", "send wants an event or a table such as { json = … }, got 'text'", NULL },
    { "send(u, event.body)", "got a view: write { json = … } around it", NULL },
    /* messages that are more than they look */
    { "send(u, setmetatable({}, { __index = { json = 1 } }))", "a plain table", "metatable" },
    { "send(u, setmetatable({ json = 1 }, { __index = function() return '\\r\\n' end }))", "a plain table", NULL },
    { "send(u, setmetatable({ json = 1 }, { __metatable = false }))", "a plain table", NULL },
    { "send(u, { text = 'x', headers = setmetatable({}, { __index = { A = '1' } }) })", "headers is a plain table", NULL },
    { "send(u, { text = 'x', query = setmetatable({}, { __pairs = error }) })", "query is a plain table", NULL },
    /* header names */
    { "send(u, { text = 'x', headers = { [''] = '1' } })", "'' is not a header name", "headers = { [\"X-Id\"]" },
    { "send(u, { text = 'x', headers = { ['X A'] = '1' } })", "'X A' is not a header name", NULL },
    { "send(u, { text = 'x', headers = { ['X:A'] = '1' } })", "'X:A' is not a header name", NULL },
    { "send(u, { text = 'x', headers = { ['X\\r\\nY'] = '1' } })", "'X\\13\\10Y' is not a header name", NULL },
    { "send(u, { text = 'x', headers = { ['X\\nY: z'] = '1' } })", "is not a header name", NULL },
    { "send(u, { text = 'x', headers = { ['X\\0Y'] = '1' } })", "'X\\0Y' is not a header name", NULL },
    { "send(u, { text = 'x', headers = { ['X\\tY'] = '1' } })", "is not a header name", NULL },
    { "send(u, { text = 'x', headers = { ['X\\127'] = '1' } })", "is not a header name", NULL },
    { "send(u, { text = 'x', headers = { ['Grüße'] = '1' } })", "is not a header name", NULL },
    { "send(u, { text = 'x', headers = { ['\\255'] = '1' } })", "is not a header name", NULL },
    { "send(u, { text = 'x', headers = { [('x'):rep(257)] = '1' } })", "is not a header name", NULL },
    { "send(u, { text = 'x', headers = { [('x'):rep(1e6)] = '1' } })", "is not a header name", NULL },
    { "send(u, { text = 'x', headers = { [1] = 'X-A: 1' } })", "the number 1 is not a header name", NULL },
    { "send(u, { text = 'x', headers = { [true] = '1' } })", "true is not a header name", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = '1', ['x-a'] = '2' } })", "is there twice", "case" },
    { "send(u, { text = 'x', headers = { ['Content-Length'] = '0' } })", "made by tidewire itself", "leave it out" },
    { "send(u, { text = 'x', headers = { ['transfer-ENCODING'] = 'chunked' } })", "made by tidewire itself", NULL },
    { "send(u, { text = 'x', headers = { Host = 'evil.example.com' } })", "made by tidewire itself", NULL },
    { "send(u, { text = 'x', headers = { Connection = 'close' } })", "made by tidewire itself", NULL },
    { "send(u, { text = 'x', headers = { Upgrade = 'h2c' } })", "made by tidewire itself", NULL },
    { "send(u, { text = 'x', headers = { TE = 'trailers' } })", "made by tidewire itself", NULL },
    { "send(u, { text = 'x', headers = { Trailer = 'X' } })", "made by tidewire itself", NULL },
    { "send(u, { text = 'x', headers = { Expect = '100-continue' } })", "made by tidewire itself", NULL },
    { "local h = {} for i = 1, 65 do h['X-' .. i] = 'x' end send(u, { text = 'x', headers = h })", "at most 64 headers", NULL },
    { "local h = {} for i = 1, 1e5 do h['X-' .. i] = 'x' end send(u, { text = 'x', headers = h })", "at most 64 headers", NULL },
    /* header values */
    { "send(u, { text = 'x', headers = { ['X-A'] = 'a\\r\\nX-B: c' } })", "'X-A' has a line end or another control byte",
      "'a\\13\\10X-B: c'" },
    { "send(u, { text = 'x', headers = { ['X-A'] = 'a\\nb' } })", "'X-A' has a line end", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = 'a\\r' } })", "'X-A' has a line end", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = '\\0' } })", "'X-A' has a line end", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = 'a\\1b' } })", "'X-A' has a line end", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = 'a\\27[2J' } })", "'X-A' has a line end", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = '\\127' } })", "'X-A' has a line end", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = ('x'):rep(8193) } })", "8193 bytes long, at most 8192", "in the body" },
    { "send(u, { text = 'x', headers = { ['X-A'] = ('x'):rep(2 ^ 20) } })", "1048576 bytes long", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = 'a\\r\\nb: ' .. secret 'HOME' } })", "a secret joined with it", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = secret 'HOME' .. '\\n' } })", "'X-A' has a line end", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = '\\0' .. secret 'HOME' } })", "'X-A' has a line end", NULL },
    { "send(u, { text = 'x', headers = { ['X-A'] = secret 'HOME' .. ('x'):rep(9000) } })", "at most 8192", NULL },
    /* methods */
    { "send(u, { text = 'x', method = 'FETCH' })", "method 'FETCH' is none of GET, HEAD, POST", NULL },
    { "send(u, { text = 'x', method = 'post' })", "method 'post' is none of", "write \"POST\"" },
    { "send(u, { text = 'x', method = '' })", "method '' is none of", NULL },
    { "send(u, { text = 'x', method = 'CONNECT' })", "is none of", NULL },
    { "send(u, { text = 'x', method = 'TRACE' })", "is none of", NULL },
    { "send(u, { text = 'x', method = 'GET /x HTTP/1.1\\r\\nX: y' })", "'GET /x HTTP/1.1\\13\\10X: y' is none of", NULL },
    { "send(u, { text = 'x', method = 'POST\\0' })", "'POST\\0' is none of", NULL },
    { "send(u, { text = 'x', method = ' POST' })", "is none of", NULL },
    { "send(u, { text = 'x', method = ('X'):rep(2 ^ 20) })", "XXX…' is none of", NULL },
    /* paths */
    { "send(u, { text = 'x', path = '.' })", "'.' and '..' in a path are refused", NULL },
    { "send(u, { text = 'x', path = '..' })", "'.' and '..' in a path are refused", NULL },
    { "send(u, { text = 'x', path = '/a/../b' })", "'.' and '..' in a path are refused", NULL },
    { "send(u, { text = 'x', path = '/a/.' })", "'.' and '..' in a path are refused", NULL },
    { "send(u, { text = 'x', path = '%2e%2e/b' })", "escaped ones too: '%2e%2e/b'", NULL },
    { "send(u, { text = 'x', path = '/a/%2E./b' })", "escaped ones too", NULL },
    { "send(u, { text = 'x', path = '/a/.%2e' })", "escaped ones too", NULL },
    { "send(u, { text = 'x', path = '/a/%2e' })", "escaped ones too", NULL },
    { "send(u, { text = 'x', path = 'a/..%2f..%2Fetc' })", "escaped ones too", NULL },
    { "send(u, { text = 'x', path = '/orders/' .. url.escape '../admin' })", "escaped ones too", NULL },
    { "send(u, { text = 'x', path = '/a/..%5cb' })", "escaped ones too", NULL },
    { "send(u, { text = 'x', path = 'a\\\\..\\\\b' })", "escaped ones too", NULL },
    { "send(u, { text = 'x', path = '/a/..;v=1/b' })", "escaped ones too", NULL },
    { "send(u, { text = 'x', path = '/a/..%3b/b' })", "escaped ones too", NULL },
    { "send(u, { text = 'x', path = 'a/\\0002e\\0002e/b' })", "path has a line end or another control byte", "url.escape" },
    { "send(u, { text = 'x', path = '/a?b=c' })", "no '?' and no '#'", "query = { … }" },
    { "send(u, { text = 'x', path = '/a#b' })", "no '?' and no '#'", NULL },
    { "send(u, { text = 'x', path = '?' })", "no '?' and no '#'", NULL },
    { "send(u, { text = 'x', path = '/a\\r\\nHost: evil.example.com' })", "path has a line end", "'/a\\13\\10Host" },
    { "send(u, { text = 'x', path = '/a b HTTP/1.1\\r\\n\\r\\n' })", "path has a line end", NULL },
    { "send(u, { text = 'x', path = '\\n' })", "path has a line end", NULL },
    { "send(u, { text = 'x', path = '/a\\0b' })", "path has a line end", NULL },
    { "send(u, { text = 'x', path = '/a\\tb' })", "path has a line end", NULL },
    { "send(u, { text = 'x', path = '/\\127' })", "path has a line end", NULL },
    { "send(u, { text = 'x', path = ('a'):rep(8193) })", "path is 8193 bytes long, at most 8192", "in the body" },
    { "send(u, { text = 'x', path = ('a'):rep(2 ^ 20) })", "path is 1048576 bytes long", NULL },
    { "send(u, { text = 'x', path = ('\\255'):rep(3000) })", "path is 9000 bytes long", NULL },
    { "send(u, { text = 'x', path = ('/..'):rep(1e5) })", "'.' and '..' in a path are refused", "…'" },
    /* queries */
    { "send(u, { text = 'x', query = 'a=b' })", "query is a table such as { page = 2 }, got 'a=b'", NULL },
    { "send(u, { text = 'x', query = { 'a=b' } })", "got the number 1 as a name", NULL },
    { "send(u, { text = 'x', query = { [true] = 1 } })", "got true as a name", NULL },
    { "send(u, { text = 'x', query = { [1.5] = 1 } })", "got the number 1.5 as a name", NULL },
    { "send(u, { text = 'x', query = { ['a\\r\\nb'] = {} } })", "query.a\\13\\10b has to be text", NULL },
    { "send(u, { text = 'x', query = { a = ('x'):rep(8192) } })", "query is longer than 8192 bytes", "in the body" },
    { "send(u, { text = 'x', query = { [('x'):rep(2 ^ 20)] = 1 } })", "query is longer than", NULL },
    { "local q = {} for i = 1, 1e5 do q['q' .. i] = i end send(u, { text = 'x', query = q })", "query is longer than", NULL },
    /* content types */
    { "send(u, { text = 'x', content_type = '' })", "content_type is text such as \"text/plain\"", "got ''" },
    { "send(u, { text = 'x', content_type = 'text' })", "got 'text'", NULL },
    { "send(u, { text = 'x', content_type = 'text/plain\\r\\nX: y' })", "without line ends", "'text/plain\\13\\10X: y'" },
    { "send(u, { text = 'x', content_type = 'text/plain\\0' })", "without line ends", NULL },
    { "send(u, { text = 'x', content_type = 'text/plain;\\tx=y' })", "without line ends", NULL },
    { "send(u, { text = 'x', content_type = 'text/plain; x=ü' })", "without line ends", NULL },
    { "send(u, { text = 'x', content_type = ' text/plain' })", "without line ends", NULL },
    { "send(u, { text = 'x', content_type = 'text/plain;' .. ('x'):rep(250) })", "at most 256 bytes", NULL },
    { "send(u, { text = 'x', content_type = 'a/' .. ('x'):rep(2 ^ 20) })", "at most 256 bytes", NULL },
    /* ids */
    { "send(u, { text = 'x', id = '' })", "id is text of 1 to 256", "got ''" },
    { "send(u, { text = 'x', id = 'a b' })", "got 'a b'", NULL },
    { "send(u, { text = 'x', id = 'a.b' })", "without '.'", NULL },
    { "send(u, { text = 'x', id = 'a\\r\\nb' })", "'a\\13\\10b'", NULL },
    { "send(u, { text = 'x', id = 'a\\0' })", "'a\\0'", NULL },
    { "send(u, { text = 'x', id = 'ü' })", "visible ASCII", NULL },
    { "send(u, { text = 'x', id = '\\255' })", "visible ASCII", NULL },
    { "send(u, { text = 'x', id = ('a'):rep(257) })", "1 to 256", NULL },
    { "send(u, { text = 'x', id = ('a'):rep(2 ^ 20) })", "1 to 256", NULL },
    /* JSON without an end */
    { "local c = {} c.c = c send(u, { json = c })", "json.c contains itself", NULL },
    { "local c = {} c[1] = c send(u, { json = c })", "json[1] contains itself", NULL },
    { "local a, b = {}, {} a.b, b.a = b, a send(u, { json = { x = { a } } })", "json.x[1].b.a contains itself", NULL },
    { "local a = json.array {} a[1] = { a } send(u, { json = a })", "json[1][1] contains itself", NULL },
    { "local x = {} for i = 1, 128 do x = { x } end send(u, { json = x })", "nested deeper than 128",
      "json[1][1][1][1][1][1]…[1][1][1] is" },
    { "local x = {} for i = 1, 128 do x = { k = x } end send(u, { json = x })", "nested deeper than 128", "json.k.k.k.k.k.k…" },
    { "local x = {} for i = 1, 1e5 do x = { x } end send(u, { json = x })", "nested deeper than 128", "make it flatter" },
    { "local x = {} for i = 1, 60 do x = { x, x } end send(u, { json = x })", "json is larger than 16 MiB", NULL },
    { "local x = {} for i = 1, 2e6 do x[i] = 'abcdefgh' end send(u, { json = x })", "json is larger than 16 MiB", NULL },
    { "send(u, { json = ('x'):rep(2 ^ 24) })", "json is larger than 16 MiB", NULL },
    { "send(u, { json = { a = ('x'):rep(2 ^ 25) } })", "json is larger than 16 MiB", NULL },
    { "send(u, { json = { [('x'):rep(2 ^ 25)] = 1 } })", "json is larger than 16 MiB", NULL },
    { "send(u, { text = ('x'):rep(2 ^ 24) })", "the message is larger than 16 MiB", NULL },
    { "send(u, { body = ('x'):rep(2 ^ 25) })", "the message is larger than 16 MiB", NULL },
    { "local s = ('x'):rep(2 ^ 23) for i = 1, 5 do send(u, { text = s .. i }) end", "a handler sends at most 32 MiB", NULL },
    { "local l = {} for i = 1, 40 do l[i] = u end send(l, { text = ('x'):rep(2 ^ 20) })", "a handler sends at most 32 MiB",
      NULL },
    { "for i = 1, 1001 do send(u, { text = 'x' }) end", "at most 1000 messages", NULL },
    { "local l = {} for i = 1, 1000 do l[i] = u end send(l, { text = 'x' })", "at most 1000 messages", NULL },
    { "local l = {} for i = 1, 1e6 do l[i] = u end send(l, { text = 'x' })", "at most 1000 messages", NULL },
    /* JSON that is none */
    { "send(u, { json = { items = { 1, 2, { price = 0 / 0 } } } })", "json.items[3].price is NaN", "json.null writes null" },
    { "send(u, { json = { 1 / 0 } })", "json[1] is infinite", "json.null writes null" },
    { "send(u, { json = { a = 1, 2 } })", "json has both names and numbers as keys", NULL },
    { "send(u, { json = { x = { 1, nil, 3 } } })", "json.x has holes: an array has all of 1 to 3", "json.null" },
    { "send(u, { json = { [2] = 1 } })", "json has holes", NULL },
    { "send(u, { json = { [1] = 1, [1e15] = 2 } })", "json has holes", "1 to 1e+15" },
    { "send(u, { json = { [0] = 1 } })", "json has 0 as a key", "tostring(key)" },
    { "send(u, { json = { [-1] = 1 } })", "json has -1 as a key", NULL },
    { "send(u, { json = { [1.5] = 1 } })", "json has 1.5 as a key", NULL },
    { "send(u, { json = { [1 / 0] = 1 } })", "json has inf as a key", NULL },
    { "send(u, { json = { [2 ^ 31 + 1] = 1 } })", "json has holes", NULL },
    { "send(u, { json = { [true] = 1 } })", "json has a boolean as a key", "tostring(key)" },
    { "send(u, { json = { [{}] = 1 } })", "json has a table as a key", NULL },
    { "send(u, { json = { [print] = 1 } })", "json has a function as a key", NULL },
    { "send(u, { json = { [event.body] = 1 } })", "json has a userdata as a key", NULL },
    { "send(u, { json = { [event.body.big] = 1 } })", "as a key", "tostring(key)" },
    { "send(u, { json = json.array { 1, nil, 3 } })", "json has holes", NULL },
    { "local a = json.array { 1, 2, 3 } a[2] = nil send(u, { json = a })", "json has holes", NULL },
    { "send(u, { json = json.array { a = 1 } })", "is a json.array and has names as keys", NULL },
    { "local a = json.array { 1 } a.x = 1 send(u, { json = { l = a } })", "json.l has both names and numbers", NULL },
    { "local a = json.array { 1 } a[0] = 1 send(u, { json = a })", "json has 0 as a key", NULL },
    { "send(u, { json = '\\255' })", "json is not UTF-8", "base64.encode" },
    { "send(u, { json = { a = { '\\237\\160\\128' } } })", "json.a[1] is not UTF-8", NULL },
    { "send(u, { json = { ['\\255'] = 1 } })", "has a name that is not UTF-8", "base64.encode" },
    { "send(u, { json = { ['a\\n\\0b'] = print } })", "json[\"a\\n\\u0000b\"] is a function", NULL },
    { "send(u, { json = { ['a.b'] = { ['c d'] = 0 / 0 } } })", "json[\"a.b\"][\"c d\"] is NaN", NULL },
    { "send(u, { json = { [('x'):rep(1e6)] = print } })", "xxx\"…] is a function", NULL },
    { "send(u, { json = { [('ü'):rep(1e4) .. '.'] = print } })", "ü\"…] is a function", NULL },
    { "send(u, { json = { a = event } })", "json.a is an event", "event.body is its body, send(target, event)" },
    { "send(u, { json = { h = event.headers } })", "json.h is a table", "named one by one" },
    { "send(u, { json = { t = u } })", "json.t is a target", NULL },
    /* targets */
    { "local to = 't' send(to, event)", "not its name", "local a = target \"a\" { … }" },
    { "send(nil, event)", "send wants the value from `target`, got nil", NULL },
    { "send({}, event)", "the list of targets is empty", NULL },
    { "send({ name = 't', url = 'http://a.example.com' }, event)", "got a table with '", NULL },
    { "send(setmetatable({}, { __type = 'target', __index = function() return t end }), event)", "list of targets is empty",
      NULL },
    { "send(target, event)", "send wants the value from `target`, got a function", NULL },
    { "send({ t, 'u' }, event)", "not its name at place 2 of the list", NULL },
    { "send({ t, nil, u }, event)", "a hole: place 2 is nil", NULL },
    { "send({ nil, u }, event)", "a hole: place 1 is nil", NULL },
    { "send({ t, u, [1.5] = u }, event)", "a hole: place 3 is nil", NULL },
    { "send({ t, u, [0] = u }, event)", "a hole", NULL },
    { "send({ t, x = u }, event)", "got a table with 'x' as a key", NULL },
    { "send({ t, [true] = u }, event)", "got a table with true as a key", NULL },
    { "send({ t, { u } }, event)", "got a table at place 2 of the list", NULL },
    { "send({ t, u, event }, event)", "got an event at place 3 of the list", NULL },
    { "send({ t, u, false }, event)", "got false at place 3", NULL },
    { "send({ t, u }, { json = { x = 0 / 0 } })", "json.x is NaN", NULL },
    { "send(t, { json = 1 }) send(u, { json = print })", "json is a function", NULL },
    { "for i = 1, 900 do send(t, { json = i }) end send(u, { text = 'x', path = '..' })", "refused", NULL },
    /* ends and waits */
    { "retry('x', '5s')", "its last argument is a table such as { after = \"20s\" }, got '5s'", NULL },
    { "retry('x', { afer = '1s' })", "retry has no option 'afer'", "did you mean 'after'" },
    { "retry('x', { after = '1s', [1] = 2 })", "retry has no option the number 1", NULL },
    { "retry('x', {})", "retry: after: write a duration as text", "got nil" },
    { "retry('x', { after = 5 })", "write \"5s\" for seconds", NULL },
    { "retry('x', { after = 0 / 0 })", "retry: after: write a duration as text, for example \"10s\", got the number nan", NULL },
    { "retry('x', { after = -5 })", "for example \"10s\", got the number -5", NULL },
    { "retry('x', { after = 1 / 0 })", "got the number inf", NULL },
    { "retry('x', { after = '5' })", "a number and ms, s, m, h or d", "got '5'" },
    { "retry('x', { after = '-5s' })", "a number and ms, s, m, h or d", NULL },
    { "retry('x', { after = '' })", "a number and ms, s, m, h or d", NULL },
    { "retry('x', { after = '5 s' })", "a number and ms, s, m, h or d", NULL },
    { "retry('x', { after = '1e3s' })", "a number and ms, s, m, h or d", NULL },
    { "retry('x', { after = 'nans' })", "a number and ms, s, m, h or d", NULL },
    { "retry('x', { after = 'infs' })", "a number and ms, s, m, h or d", NULL },
    { "retry('x', { after = '5years' })", "a number and ms, s, m, h or d", NULL },
    { "retry('x', { after = '5s\\0' })", "a number and ms, s, m, h or d", NULL },
    { "retry('x', { after = '36501d' })", "at most \"36500d\"", NULL },
    { "retry('x', { after = ('9'):rep(39) .. 's' })", "at most \"36500d\"", NULL },
    { "retry('x', { after = ('9'):rep(1e6) })", "a number and ms, s, m, h or d", "999…'" },
    { "retry('x', setmetatable({}, { __index = { after = '1s' } }))", "retry: after: ", "got nil" },
    { "sleep()", "sleep: write a duration as text", NULL },
    { "sleep '5'", "sleep: write a number and", NULL },
    { "sleep(0.5)", "write \"0.5s\" for seconds", NULL },
    /* log */
    { "log.info('x', 5)", "log.info: fields is a table such as { id = 7 }, got the number 5", NULL },
    { "log.warn('x', 'y')", "log.warn: fields is a table", "got 'y'" },
    { "log.info('x', { a = print })", "log.info: fields.a is a function", NULL },
    { "log.error('x', { a = { 0 / 0 } })", "log.error: fields.a[1] is NaN", NULL },
    { "local c = {} c.c = c log.info('x', c)", "fields.c contains itself", NULL },
    { "local x = {} for i = 1, 1e5 do x = { x } end log.info('x', x)", "nested deeper than 128", NULL },
    { "log.info('x', { 1, a = 2 })", "both names and numbers", NULL },
    { "log.info('x', { s = ('x'):rep(5000) })", "log.info: fields of more than 4096 bytes", "worth a line" },
    { "log.info('x', { s = ('x'):rep(2 ^ 25) })", "log.info: fields is larger than 16 MiB", NULL },
    { "log.info('x', { s = '\\255' })", "fields.s is not UTF-8", NULL },
    { "log.info('x', { s = secret 'HOME' })", "fields.s is a secret", NULL },
    { "log.info('x', { h = event.headers })", "fields.h is a table", "named one by one" },
    { "log.info(secret 'HOME')", "log.info: a secret cannot be logged", NULL },
    { "log.info(setmetatable({}, { __tostring = function() error {} end }))", "log.info: the value cannot be made text", NULL },
    { "print(setmetatable({}, { __tostring = function() return {} end }))", "print: the value cannot be made text", NULL },
    { "log.info(setmetatable({}, { __tostring = function() return 7 end }))", "cannot be made text", "gives the number 7" },
    { "local all = { log } all[1].shout 'x'", "there is no log.shout", NULL },
    /* deeper in */
    { "local function say(v) send(u, { json = v }) end say(print)", "json is a function", NULL },
    { "map({ 1 }, function(v) send(u, { json = 0 / 0 }) end)", "json is NaN", NULL },
    { "local ok, why = pcall(send, u, { json = print }) error(why, 0)", "json is a function", NULL },
};

/* Lua keeps no line of these: the route's is given. */
static const struct refused without_line[] = {
    { "return send(u, { json = print })", "send: json is a function", "somewhere in this route" },
    { "local to = 'u' return send(to, event)", "not its name", "somewhere in this route" },
    { "return drop(5)", "drop wants a reason", "somewhere in this route" },
    { "error({})", "an error that is no text", "somewhere in this route" },
    { "error('said without a line', 0)", "said without a line", "somewhere in this route" },
};

static void check_all_refused(const struct refused *list, size_t count, bool at_route)
{
    struct lines lines;
    lines_begin(&lines);
    for (size_t i = 0; i < count; i++)
        lines_add(&lines, list[i].code);
    lines_use(&lines);
    for (size_t i = 0; i < count; i++)
        check_refused((unsigned)i, list[i].code, at_route, list[i].text, list[i].more);
    printf("#   %zu lines\n", count);
}

static void wrong_contents(void)
{
    check_all_refused(refused, COUNT(refused), false);
}

static void no_line(void)
{
    check_all_refused(without_line, COUNT(without_line), true);
}

/* ---- respond ---- */

static const struct refused refused_answers[] = {
    { "respond()", "respond wants a status from 200 to 599 first, got nil", "respond(200, { text = \"ok\" })" },
    { "respond(199)", "from 200 to 599 first, got the number 199", NULL },
    { "respond(600)", "got the number 600", NULL },
    { "respond(200.5)", "got the number 200.5", NULL },
    { "respond(0 / 0)", "from 200 to 599", NULL },
    { "respond('200')", "got '200'", NULL },
    { "respond({ text = 'x' })", "got a table", NULL },
    { "respond(200, 'ok')", "respond: an answer is a table such as { json = … }, got 'ok'", NULL },
    { "respond(200, event)", "got an event", NULL },
    { "respond(200, event.body)", "got a view", NULL },
    { "respond(200, setmetatable({}, { __index = { json = 1 } }))", "a plain table", "metatable" },
    { "respond(200, { jsn = 1 })", "respond: an answer has no 'jsn'", "did you mean 'json'" },
    { "respond(200, { path = '/x' })", "has no 'path'", NULL },
    { "respond(200, { 'x' })", "has no the number 1", NULL },
    { "respond(200, { json = 1, text = 'x' })", "one body, not both", NULL },
    { "respond(204, { text = 'x' })", "with the status 204 has no body", NULL },
    { "respond(200, { text = 5 })", "respond: text has to be a string, got the number 5: write tostring(…)", NULL },
    { "respond(200, { text = {} })", "write json = … for tables", NULL },
    { "respond(200, { body = event })", "body has to be a string, got an event", NULL },
    { "respond(200, { text = secret 'HOME' })", "a secret has no place in an answer", NULL },
    { "respond(200, { json = secret 'HOME' })", "a secret has no place in an answer", NULL },
    { "respond(200, { json = { a = secret 'HOME' } })", "respond: json.a", "secret" },
    { "respond(200, { json = { f = print } })", "respond: json.f", NULL },
    { "respond(200, { text = 'x', headers = { ['X-A'] = secret 'HOME' } })", "a secret has no place in an answer", NULL },
    { "respond(200, { headers = { ['X-A'] = 'a\\r\\nX-B: c' } })", "respond: the header 'X-A' has a line end", NULL },
    { "respond(200, { headers = { ['X A'] = 'a' } })", "respond: 'X A' is not a header name", NULL },
    { "respond(200, { headers = { ['Content-Length'] = '0' } })", "respond: the header 'Content-Length' is made by tidewire",
      NULL },
    { "respond(200, { headers = { Connection = 'close' } })", "made by tidewire itself", NULL },
    { "respond(200, { headers = { Date = 'x' } })", "made by tidewire itself", NULL },
    { "respond(200, { headers = { ['Tidewire-Event-Id'] = 'x' } })", "made by tidewire itself", NULL },
    { "respond(200, { headers = { ['content-TYPE'] = 'x' } })", "write content_type = …", NULL },
    { "respond(200, { headers = { A = '1', a = '2' } })", "is there twice", NULL },
    { "respond(200, { headers = { A = ('x'):rep(8193) } })", "at most 8192", NULL },
    { "local h = {} for i = 1, 17 do h['X-' .. i] = 'x' end respond(200, { headers = h })", "at most 16 headers", NULL },
    { "respond(200, { text = 'x', content_type = 'a\\r\\nX: y' })", "respond: content_type is text", NULL },
    { "respond(200, { text = ('x'):rep(2 ^ 20 + 1) })", "respond: the answer is larger than 1 MiB", NULL },
    { "respond(200, { json = { ('x'):rep(2 ^ 20) } })", "larger than 1 MiB", NULL },
    { "local _ = ('x'):gsub('x', function() respond(200) end)", "respond cannot stand inside a callback", NULL },
};

static void wrong_answers(void)
{
    struct lines lines;
    lines_begin(&lines);
    lines.options = "ack = 'handled', ";
    for (size_t i = 0; i < COUNT(refused_answers); i++)
        lines_add(&lines, refused_answers[i].code);
    lines_use(&lines);
    for (size_t i = 0; i < COUNT(refused_answers); i++)
        check_refused((unsigned)i, refused_answers[i].code, false, refused_answers[i].text, refused_answers[i].more);
}

/* The function that says it is not the handler's own: known only when it runs. */
static void answer_without_anybody(void)
{
    struct event *event;
    use_rules("local function answer() respond(200) end\n"
              "route \"/h0\" { verify = verify.none \"t\", handle = function(event) answer() end }\n");
    struct outcome *outcome = run_line(0, &event);
    CHECK("it fails", outcome && outcome->state == EVENT_WAITING && !outcome->response);
    CHECK("and says why",
          outcome && slice_starts(outcome->text, SLICE("a.lua:1: respond works in routes with ack = \"handled\"")));
    event_unref(event);
}

static void good_answers(void)
{
    static const struct {
        const char *code, *type, *body;
        uint16_t status;
        size_t headers;
    } answers[] = {
        { "respond(200, { json = event.body.list })", "application/json", "[1,2]", 200, 0 },
        { "respond(599, { json = { big = event.body.big } })", "application/json", "{\"big\":12345678901234567}", 599, 0 },
        { "respond(200)", "", "", 200, 0 },
        { "respond(304, { headers = { ETag = '\"x\"' } })", "", "", 304, 1 },
        { "respond(200, { text = '' })", "text/plain; charset=utf-8", "", 200, 0 },
        { "respond(200, { body = 'a\\0b', content_type = 'image/png' })", "image/png", NULL, 200, 0 },
        { "local h = {} for i = 1, 16 do h['X-' .. i] = i end respond(200, { headers = h })", "", "", 200, 16 },
        { "respond(200, { text = ('x'):rep(2 ^ 20) })", "text/plain; charset=utf-8", NULL, 200, 0 },
    };
    struct lines lines;
    lines_begin(&lines);
    lines.options = "ack = 'handled', ";
    for (size_t i = 0; i < COUNT(answers); i++)
        lines_add(&lines, answers[i].code);
    lines_use(&lines);
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct event *event;
        struct outcome *outcome = run_line((unsigned)i, &event);
        const struct response *response = outcome ? outcome->response : NULL;
        CHECK(answers[i].code, response && outcome->state == EVENT_HANDLED && outcome->delivery_count == 1);
        if (response) {
            CHECK_EQ(answers[i].code, response->status, answers[i].status);
            CHECK_EQ(answers[i].code, response->header_count, answers[i].headers);
            CHECK_SLICE(answers[i].code, response->content_type, answers[i].type);
            if (answers[i].body)
                CHECK_SLICE(answers[i].code, response->body, answers[i].body);
        } else {
            show(outcome);
        }
        event_unref(event);
    }
}

/* ---- order ---- */

/* Its fault is at its own line, not at that of send. */
static void order_function(void)
{
    static const char *const words[] = { "send()", "sleep" };
    struct lines lines;
    lines_begin(&lines);
    lines_add(&lines, "send(f, { json = { id = 1 } })");
    lines_add(&lines, "send(f, { json = { wait = true } })");
    lines_use(&lines);
    for (unsigned i = 0; i < COUNT(words); i++) {
        struct event *event;
        struct outcome *outcome = run_line(i, &event);
        CHECK(words[i], outcome && outcome->state == EVENT_WAITING && slice_starts(outcome->text, SLICE("a.lua:6: ")));
        CHECK(words[i], outcome && has_text(outcome->text, words[i]) && has_text(outcome->text, "only an answer is wanted"));
        CHECK(words[i], outcome && outcome->delivery_count == 0);
        event_unref(event);
    }
}

/* The key of the last message. */
static const struct {
    const char *code, *key;
} ordered[] = {
    { "send(u, { text = 'x' })", "" },
    { "send(u, { text = 'x', key = 'a b' })", "a b" },
    { "send(u, { text = 'x', key = 7 })", "7" },
    { "send(u, { text = 'x', key = '' })", "" },
    { "send(u, { text = 'x', key = ('x'):rep(1024) .. '' })", NULL },
    { "send(o, { json = { id = 'one' } })", "one" },
    { "send(o, { json = { id = event.body.big } })", "12345678901234567" },
    { "send(o, { json = { id = 1.5 } })", "1.5" },
    { "send(o, { json = { id = true } })", "true" },
    { "send(o, { json = { id = json.null } })", "" },
    { "send(o, { json = { other = 1 } })", "" },
    { "send(o, { json = 5 })", "" },
    { "send(o, { text = 'no fields' })", "" },
    { "send(o, { json = { id = 'one' }, key = 'mine' })", "mine" },
    { "send({ o, u }, { json = { id = 'one' } })", "" },
    { "send({ u, o }, { json = { id = 'one' } })", "one" },
    { "send({ u, o }, { json = { id = 'one' }, key = 'both' })", "both" },
    { "send(o, event)", "" },
    { "send(n, event)", "1" },
    { "send(h, { text = 'x', headers = { ['x-ID'] = 'seven' } })", "seven" },
    { "send(p, { text = 'x', path = '/a/b' })", "/a/b" },
};

static void keys(void)
{
    struct lines lines;
    lines_begin(&lines);
    buf_add_text(&lines.rules, "local n = target \"n\" { url = \"http://f.example.com\", order_by = \"body.n\" }\n"
                               "local h = target \"h\" { url = \"http://f.example.com\", order_by = \"headers.X-Id\" }\n"
                               "local p = target \"p\" { url = \"http://f.example.com\", order_by = \"path\" }\n");
    for (size_t i = 0; i < COUNT(ordered); i++)
        lines_add(&lines, ordered[i].code);
    lines_use(&lines);
    for (size_t i = 0; i < COUNT(ordered); i++) {
        struct event *event;
        struct outcome *outcome = run_line((unsigned)i, &event);
        const struct new_delivery *last = outcome ? outcome->deliveries : NULL;
        CHECK(ordered[i].code, last && outcome->state == EVENT_HANDLED);
        if (!last)
            show(outcome);
        while (last && last->next)
            last = last->next;
        if (last && ordered[i].key)
            CHECK_SLICE(ordered[i].code, last->order_key, ordered[i].key);
        event_unref(event);
    }
}

/* ---- what looks wrong and is sent, as what ---- */

static const struct sent {
    const char *code;
    uint32_t count;                  /* of messages, the first one included */
    const char *path, *query, *body; /* of the last one; NULL: not looked at */
} sent[] = {
    { "local x = {} for i = 1, 126 do x = { x } end send(u, { json = x })", 2, NULL, NULL, NULL },
    { "local x = {} for i = 1, 127 do x = { x } end send(u, { json = x })", 2, NULL, NULL, NULL },
    { "send(u, { text = ('x'):rep(15 * 2 ^ 20) })", 2, NULL, NULL, NULL },
    { "for i = 1, 999 do send(u, { text = 'x' }) end", 1000, NULL, NULL, "x" },
    { "local s = setmetatable({ a = 1 }, { __index = function() while true do end end, __pairs = error, __len = error, "
      "__tostring = error, __call = error }) send(u, { json = s })",
      2, NULL, NULL, "{\"a\":1}" },
    { "send(u, { json = setmetatable({ 1, 2 }, { __len = function() return 1e9 end, __pairs = function() return error end }) })",
      2, NULL, NULL, "[1,2]" },
    { "local m = {} m.__index = m setmetatable(m, m) send(u, { json = { x = setmetatable({}, m) } })", 2, NULL, NULL,
      "{\"x\":{}}" },
    { "send(u, { json = { s = { x = json.null, y = json.array {} } } })", 2, NULL, NULL, "{\"s\":{\"x\":null,\"y\":[]}}" },
    { "local v = {} send(u, { json = { v, v, { v } } })", 2, NULL, NULL, "[{},{},[{}]]" },
    { "send(u, { json = event.body.huge })", 2, NULL, NULL, "123456789012345678901234567890" },
    { "send(u, { json = { '\\0\\1\\r\\n' } })", 2, NULL, NULL, "[\"\\u0000\\u0001\\r\\n\"]" },
    { "send(u, { body = '\\255\\0' })", 2, NULL, NULL, NULL },
    { "send(u, { text = '' })", 2, NULL, NULL, "" },
    { "send(g, {})", 2, NULL, NULL, "" },
    { "send(u, { method = 'DELETE', path = '/a' })", 2, "/a", NULL, "" },
    { "send(u, { text = 'x', path = '' })", 2, "", NULL, "x" },
    { "send(u, { text = 'x', path = '//evil.example.com/x' })", 2, "//evil.example.com/x", NULL, "x" },
    { "send(u, { text = 'x', path = '@evil.example.com:80' })", 2, "@evil.example.com:80", NULL, "x" },
    { "send(u, { text = 'x', path = 'http://evil.example.com' })", 2, "http://evil.example.com", NULL, "x" },
    { "send(u, { text = 'x', path = '/a\\\\b' })", 2, "/a%5Cb", NULL, "x" },
    { "send(u, { text = 'x', path = '/a b/100%/%2F/\\255/...' })", 2, "/a%20b/100%25/%2F/%FF/...", NULL, "x" },
    { "send(u, { text = 'x', path = ('a'):rep(8192) })", 2, NULL, NULL, "x" },
    { "send(u, { text = 'x', query = { a = 1e15, b = 0.1, c = event.body.big, d = true } })", 2, NULL,
      "a=1000000000000000&b=0.1&c=12345678901234567&d=true", "x" },
    { "send(u, { text = 'x', query = { ['a&b=\\r\\n'] = 'c&d=\\0\\255' } })", 2, NULL, "a%26b%3D%0D%0A=c%26d%3D%00%FF", "x" },
    { "send(u, { text = 'x', headers = { ['X-A'] = '', ['X-B'] = 'a\\tb', ['X-C'] = 'grüße', ['X-D'] = '\\255' } })", 2, NULL,
      NULL, "x" },
    { "send(u, { text = 'x', headers = { [('x'):rep(256)] = ('x'):rep(8192) } })", 2, NULL, NULL, "x" },
    { "send(u, { text = 'x', content_type = 'multipart/form-data; boundary=\"a b\"' })", 2, NULL, NULL, "x" },
    { "send(u, { text = 'x', id = ('a'):rep(256) })", 2, NULL, NULL, "x" },
    { "send(json.array { t, u }, { text = 'x' })", 3, NULL, NULL, "x" },
    { "send(filter({ t, u }, function() return true end), { text = 'x' })", 3, NULL, NULL, "x" },
    { "send(setmetatable({ u }, { __index = function() return t end, __len = function() return 1e9 end }), { text = 'x' })", 2,
      NULL, NULL, "x" },
    /* caught: nothing of the wrong one, all of the others */
    { "pcall(send, { t, u, 'u' }, event)", 1, NULL, NULL, "first" },
    { "pcall(send, { t, u, nil, u }, event)", 1, NULL, NULL, "first" },
    { "pcall(send, { t, u }, { json = { 1, print } })", 1, NULL, NULL, "first" },
    { "pcall(send, { g, u }, { path = '/a' })", 1, NULL, NULL, "first" },
    { "pcall(send, { t, u }, { text = 'x', path = '..' })", 1, NULL, NULL, "first" },
    { "local l = {} for i = 1, 1000 do l[i] = u end pcall(send, l, { text = 'x' })", 1, NULL, NULL, "first" },
    { "pcall(send, { t, u }, { text = ('x'):rep(2 ^ 25) }) send(u, { text = 'y' })", 2, NULL, NULL, "y" },
    { "local s = ('x'):rep(11 * 2 ^ 20) for i = 1, 4 do pcall(send, u, { text = s }) end", 3, NULL, NULL, NULL },
    { "pcall(send, u, { text = 'x', headers = { A = '\\n' } }) send(u, { text = 'y' })", 2, NULL, NULL, "y" },
    { "log.info(nil) log.info(true, {}) log.info(event.body, event.body) log.info(('x'):rep(1e6)) log.info '\\255\\0' "
      "log.info('x', { 1, 2 }) print() print(nil, {}, secret 'HOME', '\\0')",
      1, NULL, NULL, "first" },
    /* whatever a handler returns */
    { "return nil", 1, NULL, NULL, "first" },
    { "return false", 1, NULL, NULL, "first" },
    { "return 0 / 0", 1, NULL, NULL, "first" },
    { "return 'drop'", 1, NULL, NULL, "first" },
    { "return ('x'):rep(2 ^ 25)", 1, NULL, NULL, "first" },
    { "return event, event.body, t, print, json.null, secret 'HOME'", 1, NULL, NULL, "first" },
    { "local c = {} c.c = c return c", 1, NULL, NULL, "first" },
    { "return setmetatable({}, { __index = error, __tostring = error, __eq = error })", 1, NULL, NULL, "first" },
    { "return unpack({}, 1, 7000)", 1, NULL, NULL, "first" },
    { "return { status = 500, json = {} }", 1, NULL, NULL, "first" },
};

static void check_sent(const struct sent *want, unsigned i)
{
    struct event *event;
    struct arena arena = { 0 };
    struct outcome *outcome = run_line(i, &event);
    bool as_said = outcome && outcome->state == EVENT_HANDLED && outcome->reason == RUN_OK;
    CHECK(want->code, as_said);
    if (!as_said) {
        show(outcome);
        event_unref(event);
        return;
    }
    CHECK_EQ(want->code, outcome->delivery_count, want->count);
    const struct new_delivery *last = outcome->deliveries;
    uint32_t listed = 1;
    for (; last->next; last = last->next)
        listed++;
    CHECK_EQ(want->code, listed, want->count);
    struct rendered message;
    struct slice missing;
    CHECK_EQ(want->code, message_render(last->message, generation_secret, generation, &arena, &message, &missing), OK);
    if (want->path)
        CHECK_SLICE(want->code, message.path, want->path);
    if (want->query)
        CHECK_SLICE(want->code, message.query, want->query);
    if (want->body)
        CHECK_SLICE(want->code, message.body, want->body);
    arena_deinit(&arena);
    event_unref(event);
}

static void sent_after_all(void)
{
    struct lines lines;
    lines_begin(&lines);
    for (size_t i = 0; i < COUNT(sent); i++)
        lines_add(&lines, sent[i].code);
    lines_use(&lines);
    for (size_t i = 0; i < COUNT(sent); i++)
        check_sent(&sent[i], (unsigned)i);
}

/* ---- after a message that did not fit, the next event's does ---- */

static void the_next_one(void)
{
    static const char *const large[] = {
        "send(t, { text = ('x'):rep(17 * 2 ^ 20) })",
        "send(t, { json = ('x'):rep(17 * 2 ^ 20) })",
        "local x = {} for i = 1, 60 do x = { x, x } end send(t, { json = x })",
        "local x = {} for i = 1, 60 do x = { x, x } end log.info('x', x)",
        "send(t, { text = secret 'HOME' .. ('x'):rep(60000), headers = { A = '\\n' } })",
        "json.encode(('x'):rep(17 * 2 ^ 20))",
    };
    static const char rules[] = "local t = target \"t\" { url = \"http://a.example.com\" }\n"
                                "route \"/next\" { verify = verify.none \"t\", handle = function(event) send(t, event) end }\n"
                                "route \"/get\" { verify = verify.none \"t\", handle = function(event)\n"
                                "  assert(event.query.q == '1' and event.headers['x-id'] == '7' and event:get 'query.q' == '1')\n"
                                "  send(t, { text = event:get 'body.text' }) end }\n";
    struct buf text;
    struct event *event;
    char route[16];
    buf_init(&text, RULES_MAX);
    buf_add_text(&text, rules);
    for (size_t i = 0; i < COUNT(large); i++)
        buf_addf(&text, "route \"/l%zu\" { verify = verify.none \"t\", handle = function(event) %s end }\n", i, large[i]);
    buf_add_byte(&text, '\0');
    use_rules(text.data);
    buf_deinit(&text);
    for (size_t i = 0; i < 2 * COUNT(large); i++) {
        snprintf(route, sizeof(route), "/l%zu", i / 2);
        struct outcome *outcome = run_event(event = make_event(route));
        CHECK(large[i / 2], outcome && outcome->state == EVENT_WAITING && outcome->reason == RUN_ERROR);
        event_unref(event);
        outcome = run_event(event = make_event(i % 2 ? "/get" : "/next"));
        CHECK(large[i / 2], outcome && outcome->state == EVENT_HANDLED && outcome->delivery_count == 1);
        if (outcome && outcome->state != EVENT_HANDLED)
            show(outcome);
        event_unref(event);
    }
}

/* ---- what `when`, `dedupe` and `success` answer ---- */

static const struct answer {
    const char *code; /* of all three functions */
    int holds;        /* of when and success; -1: an error */
    const char *key;  /* of dedupe; NULL: none; "!": an error */
} answers[] = {
    { "return", 0, NULL },
    { "return nil", 0, NULL },
    { "return 'k'", 1, "k" },
    { "return 17", 1, "17" },
    { "return {}", 1, "!" },
    { "return print", 1, "!" },
    { "return json.null", 1, "!" },
    { "return true", 1, "!" },
    { "return t", 1, "!" },
    { "return ''", 1, "" },
    { "return nil, 'k'", 0, NULL },
    { "return false, true", 0, "!" },
    { "return pcall(error, 'x')", 0, "!" },
    { "return ('a-b'):gsub('-', '')", 1, "ab" },
    { "return 12345678901234567LL", 1, "12345678901234567" },
    { "return 2 ^ 53 - 1", 1, "9007199254740991" },
    { "return 0.1", 1, "0.1" },
    { "return 0 / 0", 1, "!" },
    { "return -1 / 0", 1, "!" },
    { "return secret 'HOME'", 1, "!" },
    { "return error 'no'", -1, "!" },
    { "local n = nil return n.x", -1, "!" },
    { "error 'no'", -1, "!" },
    { "error {}", -1, "!" },
    { "send(t, { text = 'x' })", -1, "!" },
    { "return send(t, { text = 'x' })", -1, "!" },
    { "drop 'x'", -1, "!" },
    { "fail 'x'", -1, "!" },
    { "retry 'x'", -1, "!" },
    { "sleep '1ms'", -1, "!" },
    { "pcall(send, t, { text = 'x' }) error 'still'", -1, "!" },
};

static void add_answers(struct buf *rules)
{
    buf_add_text(rules, "local t = target \"t\" { url = \"http://a.example.com\" }\n");
    for (size_t i = 0; i < COUNT(answers); i++)
        buf_addf(rules,
                 "route \"/q%zu\" { verify = verify.none \"t\", when = function(event) %s end, dedupe = function(event) %s end, "
                 "handle = function() end }\n"
                 "target \"q%zu\" { url = \"http://a.example.com\", success = function(answer) %s end }\n",
                 i, answers[i].code, answers[i].code, i, answers[i].code);
    buf_add_byte(rules, '\0');
}

static void check_holds(const struct answer *want, unsigned line, enum result rc, bool holds, struct slice error)
{
    char place[32];
    snprintf(place, sizeof(place), "a.lua:%u: ", line);
    if (want->holds < 0)
        CHECK(want->code, rc == ERR_SCRIPT && slice_starts(error, slice_of(place)) && !has_text(error, "tidewire."));
    else
        CHECK(want->code, rc == OK && holds == (want->holds != 0));
}

static void check_answer(size_t i)
{
    const struct answer *want = &answers[i];
    unsigned line = 2 + 2 * (unsigned)i;
    char name[16], place[32];
    struct arena arena = { 0 };
    struct script_answer answer = { .status = 200 };
    struct script_failure error = { .text = SLICE("") };
    struct slice key = SLICE("");
    bool holds = false, success = false;
    snprintf(name, sizeof(name), "/q%zu", i);
    const struct route *route = generation_route(generation, slice_of(name));
    const struct target *target = generation_target(generation, slice_of(name + 1));
    struct event *event = make_event(name);
    enum result rc = script_when(script, route, event, false, &holds, &error);
    check_holds(want, line, rc, holds, error.text);
    rc = script_success(script, target, &answer, &arena, &success, &error);
    check_holds(want, line + 1, rc, success, error.text);
    rc = script_key(script, route, ASK_DEDUPE, event, &key, &error);
    snprintf(place, sizeof(place), "a.lua:%u: ", line);
    if (want->key && want->key[0] == '!')
        CHECK(want->code, rc == ERR_SCRIPT && slice_starts(error.text, slice_of(place)));
    else
        CHECK(want->code, rc == OK && (want->key ? slice_is(key, want->key) : !key.data));
    arena_deinit(&arena);
    event_unref(event);
}

static void questions(void)
{
    struct buf rules;
    buf_init(&rules, RULES_MAX);
    add_answers(&rules);
    use_rules(rules.data);
    buf_deinit(&rules);
    for (size_t i = 0; i < COUNT(answers); i++)
        check_answer(i);
}

/* ---- targets of another file ---- */

static void other_files(void)
{
    static const char owner[] = "local t = target \"t\" { url = \"http://a.example.com\" }\n",
                      thief[] = "route \"/b\" { verify = verify.none \"t\", handle = function(event)\n  send(t, event)\nend }\n",
                      again[] = "local t = target \"t\" { url = \"http://b.example.com\" }\n";
    struct load_report report;
    struct generation *made = try_rules(owner, thief, &report);
    CHECK("another file's local is no name", !made && report.error_count >= 1);
    if (report.error_count) {
        CHECK_SLICE("in", report.findings[0].file, "b.lua");
        CHECK_EQ("at", report.findings[0].line, 2);
        CHECK_SLICE("which", report.findings[0].message, "there is no name 't' here");
    }
    load_report_deinit(&report);
    made = try_rules(owner, again, &report);
    CHECK("nor can it be declared again", !made && report.error_count >= 1);
    load_report_deinit(&report);
}

static void as_quiet_worker(void (*test)(void))
{
    log_setup(LOG_JSON, LOG_ERROR, "", false, STDOUT_FILENO); /* less than what the rules log */
    as_worker(test);
}

TEST(every_option_says_what_it_is_no_value_of)
{
    as_quiet_worker(every_type);
}
TEST(what_is_wrong_inside_is_named_with_its_line_and_place)
{
    as_quiet_worker(wrong_contents);
}
TEST(a_fault_without_a_line_has_its_route_s)
{
    as_quiet_worker(no_line);
}
TEST(what_is_wrong_in_an_answer_is_named_with_its_line)
{
    as_quiet_worker(wrong_answers);
}
TEST(an_answer_that_nobody_waits_for_is_a_failure)
{
    as_quiet_worker(answer_without_anybody);
}
TEST(an_answer_is_kept_with_the_notes_of_its_handler)
{
    as_quiet_worker(good_answers);
}
TEST(a_function_that_says_the_key_does_nothing_else)
{
    as_quiet_worker(order_function);
}
TEST(a_message_has_the_key_that_it_is_ordered_by)
{
    as_quiet_worker(keys);
}
TEST(what_is_sent_after_all_is_sent_whole_and_where_it_belongs)
{
    as_quiet_worker(sent_after_all);
}
TEST(a_message_that_does_not_fit_is_no_other_event_s_failure)
{
    as_quiet_worker(the_next_one);
}
TEST(questions_take_whatever_they_are_answered)
{
    as_quiet_worker(questions);
}
TEST(targets_of_another_file_are_no_names_here)
{
    as_quiet_worker(other_files);
}

TEST_MAIN()
