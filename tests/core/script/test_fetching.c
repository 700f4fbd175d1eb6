/* http.* in handlers, with a fetcher that answers when the test says so. */
#include "check.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "helpers.h"
#include "model/message.h"

enum { PENDING_MAX = 256, RULES_MAX = 64 << 10 };

const char limits[] = "limits { handler_cpu = '100ms', handler_time = '2s', handler_memory = '8MiB', state_memory = '64MiB' }";

/* ---- the fetcher ---- */

static struct fetch *pending[PENDING_MAX]; /* in the order they were begun */
static int pending_count, cancelled, fetched;
static const char *refusal; /* of the next ones; NULL: none */

static const char *fake_fetch(void *arg, struct fetch *fetch)
{
    (void)arg;
    if (refusal)
        return refusal;
    if (pending_count == PENDING_MAX)
        abort();
    pending[pending_count++] = fetch;
    return NULL;
}

static void take_out(int i)
{
    pending_count--;
    memmove(&pending[i], &pending[i + 1], (size_t)(pending_count - i) * sizeof(pending[0]));
}

static void fake_cancel(void *arg, struct fetch *fetch)
{
    (void)arg;
    for (int i = 0; i < pending_count; i++) {
        if (pending[i] != fetch)
            continue;
        take_out(i);
        cancelled++;
        return;
    }
    CHECK("only what is under way is cancelled", false);
}

static void on_fetched(void *arg, const struct run *run, const struct fetch_record *record)
{
    (void)arg;
    (void)run;
    (void)record;
    fetched++;
}

static void with_fetcher(struct script_config *config)
{
    config->fetch = fake_fetch;
    config->fetch_cancel = fake_cancel;
    config->on_fetched = on_fetched;
}

/* Answers number i of those under way. */
static void answer(int i, const struct fetch_answer *with)
{
    struct fetch *fetch = pending[i];
    take_out(i);
    fetch->on_done(fetch, with);
}

static void answer_with(int i, uint16_t status, const char *head, const char *body)
{
    struct fetch_answer with = { .status = status, .detail = "", .head = slice_of(head), .body = slice_of(body) };
    answer(i, &with);
}

static void answer_nothing(int i)
{
    struct fetch_answer with = {
        .error = ATTEMPT_CONNECT, .detail = "nobody answers there", .head = SLICE(""), .body = SLICE("")
    };
    answer(i, &with);
}

/* ---- one run ---- */

struct trial {
    struct run run;
    struct outcome *outcome;
    bool came;
};

static void on_done(struct run *run, struct outcome *outcome)
{
    struct trial *trial = run->owner;
    trial->outcome = outcome;
    trial->came = true;
}

static enum run_state start(struct trial *trial, const char *path)
{
    struct event *event =
        event_of(&ids, (struct event_parts){ .route = slice_of(path), .type = SLICE("push"), .body = SLICE("{\"n\":1}") });
    *trial = (struct trial){
        .run = { .event = event, .route = generation_route(generation, event->route), .on_done = on_done, .owner = trial }
    };
    return script_run(script, &trial->run);
}

static void finish(struct trial *trial)
{
    event_unref(trial->run.event);
}

/* It has ended well; else says why not. */
static void check_handled(const char *what, struct trial *trial)
{
    CHECK(what, trial->came && trial->outcome && trial->outcome->state == EVENT_HANDLED);
    if (trial->came && trial->outcome && trial->outcome->state != EVENT_HANDLED)
        printf("#   %.*s\n", SLICE_ARGS(trial->outcome->text));
    finish(trial);
}

static void check_failed(const char *what, struct trial *trial, enum run_reason reason, const char *words)
{
    CHECK(what, trial->came && trial->outcome && trial->outcome->reason == reason);
    if (trial->came && trial->outcome && !memmem(trial->outcome->text.data, trial->outcome->text.len, words, strlen(words)))
        CHECK_FAIL("%s: '%.*s', wanted '%s'", what, SLICE_ARGS(trial->outcome->text), words);
    finish(trial);
}

#define ROUTE(path, code) "route '" path "' { verify = verify.none 't', handle = function(event) " code " end }\n"
#define U                 "'https://a.example.com/x'"

#define BYTES(n)                                                                                                                 \
    "route '/bytes" n "' { verify = verify.none 't', limits = { handler_memory = '32MiB' }, handle = function() "                \
    "local body, list = ('x'):rep(4 * 2 ^ 20), {} for i = 1, " n " do "                                                          \
    "list[i] = { url = 'https://a.example.com/', method = 'POST', body = body } end http.all(list) end }\n"

static const char rules[] = "local t = target 't' { url = 'http://a.example.com' }\n" ROUTE(
    "/get", "local a = http.get(" U ") assert(a.status == 200 and a.json.plan == 'pro' and a.body == '{\"plan\":\"pro\"}') "
            "assert(a.headers['X-ONE'] == '1, 2' and a.headers['x-one'] == '1, 2' and a.headers.none == nil and "
            "a.headers[1] == nil) assert(type(a.json) == 'table' and not pcall(function() a.json.plan = 1 end)) "
            "send(t, { json = a.json })") ROUTE("/text", "local a = http.get(" U ") assert(a.json == nil and a.body == 'plan')")
    ROUTE("/empty", "local a = http.get(" U ") assert(a.json == nil and a.body == '' and next(a.headers) == nil)")
        ROUTE("/fails", "http.get(" U " .. '?token=x')") ROUTE(
            "/caught", "local ok, why = pcall(http.get, " U ") assert(not ok and why:find('nobody answers there', 1, true), why) "
                       "assert(http.get(" U ").status == 204)")
            ROUTE("/drops", "pcall(function() http.get(" U ") drop 'enough' end)") ROUTE(
                "/all",
                "local u = 'https://a.example.com/' local all = http.all { a = u .. 'a', b = { url = u .. 'b', method = 'POST', "
                "text = '' }, [3] = { url = u .. 'c' } } "
                "assert(all.a.body == 'a' and all.b.body == 'b' and all[3].body == 'c' and all.d == nil)")
                ROUTE("/all100", "local list = {} for i = 1, 100 do list[i] = " U " end assert(#http.all(list) == 100)") ROUTE(
                    "/wait", "http.get(" U ")") ROUTE("/late", "http.get(" U ")") ROUTE("/many", "for i = 1, 101 do http.get(" U
                                                                                                 ", { query = { i = i } }) end")
                    ROUTE("/shown", "http.get('https://a.example.com/' .. secret 'KEY', { query = { q = 1 } })") ROUTE(
                        "/left", "pcall(http.all, { { url = " U " }, { url = " U ", json = { print } } }) http.get(" U
                                 ")") ROUTE("/loop", "while true do end")
                        ROUTE("/memory", "local keep = {} while true do keep[#keep + 1] = http.get(" U ").body end") ROUTE(
                            "/request",
                            "http.request(" U ", { method = 'PATCH', json = { n = event.body.n, k = secret 'KEY' }, "
                            "headers = { ['X-Id'] = '7' }, query = { b = 2, a = 'x y' }, timeout = "
                            "'3s', max_response = '10B', "
                            "private = true, auth = auth.basic { user = 'me', password = secret "
                            "'KEY' } })") ROUTE("/headers",
                                                "local n = 0 for _ in pairs(http.get('https://a.example.com/').headers) do n = "
                                                "n + 1 end assert(n == 200, n)")
                            ROUTE("/edges",
                                  "local u = 'https://a.example.com/' "
                                  "http.get(u .. ('x'):rep(8192 - #u)) http.get(u, { timeout = '10ms', max_response = '1B' }) "
                                  "http.get(u, { timeout = '10m', max_response = '16MiB' })") BYTES("7")
                                BYTES("8") "route '/limited' { verify = verify.none 't', limits = { "
                                           "handler_time = '30ms' }, "
                                           "handle = function() http.get(" U ") end }\n";

static void begin_test(void)
{
    pending_count = cancelled = fetched = 0;
    refusal = NULL;
    configure = with_fetcher;
    use_rules(rules);
}

/* ---- answers ---- */

static void answers(void)
{
    static const struct {
        const char *path, *head, *body;
    } cases[] = {
        { "/get", "X-One: 1\r\nContent-Type: text/plain\r\nx-one: 2\r\n", "{\"plan\":\"pro\"}" },
        { "/text", "Content-Type: application/json\r\n", "plan" },
        { "/empty", "", "" },
    };
    begin_test();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trial trial;
        CHECK_EQ(cases[i].path, start(&trial, cases[i].path), RUN_WAITS);
        CHECK_EQ("it waits", script_waiting(script), 1);
        answer_with(0, 200, cases[i].head, cases[i].body);
        CHECK_EQ("and no more", script_waiting(script), 0);
        check_handled(cases[i].path, &trial);
    }
    CHECK_EQ("each is counted", fetched, COUNT(cases));
}

static void edges(void)
{
    struct trial trial;
    char head[(FETCH_HEADERS_MAX + 1) * 16];
    int len = 0;
    for (int i = 0; i <= FETCH_HEADERS_MAX; i++)
        len += snprintf(head + len, sizeof(head) - (size_t)len, "X-%d: 1\r\n", i);
    begin_test();
    (void)start(&trial, "/headers");
    answer_with(0, 200, head, "");
    check_handled("the first 200 headers", &trial);
    (void)start(&trial, "/edges");
    CHECK("the longest url", pending_count == 1 && pending[0]->url.len > 8192);
    answer_with(0, 200, "", "");
    CHECK("the least", pending_count == 1 && pending[0]->timeout_ms == 10 && pending[0]->max_response_bytes == 1);
    answer_with(0, 200, "", "");
    CHECK("the most", pending_count == 1 && pending[0]->timeout_ms == 600000 && pending[0]->max_response_bytes == 16 << 20);
    answer_with(0, 200, "", "");
    CHECK_EQ("shown in short", trial.outcome->fetches->url.len, FETCH_URL_SHOWN_MAX);
    check_handled("edges", &trial);
}

static void errors(void)
{
    struct trial trial;
    begin_test();
    (void)start(&trial, "/fails");
    answer_nothing(0);
    check_failed("tried again", &trial, RUN_ERROR, "a.lua:5: http.get: https://a.example.com/x: nobody answers there (connect)");
    (void)start(&trial, "/caught");
    answer_nothing(0);
    answer_with(0, 204, "", "");
    check_handled("pcall catches it", &trial);
    (void)start(&trial, "/drops");
    answer_with(0, 200, "", "");
    CHECK("but no end", trial.came && trial.outcome->state == EVENT_DROPPED);
    finish(&trial);
    refusal = "the url is not an address";
    CHECK_EQ("refused at once", start(&trial, "/fails"), RUN_ENDED);
    check_failed("with its line", &trial, RUN_ERROR, "a.lua:5: http.get: https://a.example.com/x: the url is not an address");
}

/* With the last letter of its url. */
static void answer_with_letter(int i)
{
    struct arena arena = { 0 };
    struct slice url, missing;
    CHECK_EQ("url", pieces_render(pending[i]->url, generation_secret, generation, &arena, &url, &missing), OK);
    char letter[2] = { url.data[url.len - 1], '\0' };
    arena_deinit(&arena);
    answer_with(i, 200, "", letter);
}

static void all(void)
{
    struct trial trial;
    begin_test();
    (void)start(&trial, "/all");
    CHECK_EQ("side by side", pending_count, 3);
    answer_with_letter(1);
    answer_with_letter(1);
    answer_with_letter(0);
    check_handled("by the same keys", &trial);

    (void)start(&trial, "/all");
    answer_with(1, 200, "", "");
    answer_nothing(0);
    CHECK_EQ("the others are given up", cancelled, 1);
    CHECK_EQ("none is under way", pending_count, 0);
    CHECK("the key is named", trial.came && memmem(trial.outcome->text.data, trial.outcome->text.len, "http.all: ", 10));
    finish(&trial);

    (void)start(&trial, "/all100");
    CHECK_EQ("as many as may be", pending_count, 100);
    while (pending_count > 0)
        answer_with(pending_count - 1, 200, "", "");
    CHECK_EQ("all are recorded", trial.outcome->fetches != NULL, true);
    check_handled("100", &trial);
}

static void what_is_sent(void)
{
    struct trial trial;
    struct rendered message;
    struct arena arena = { 0 };
    struct slice missing = { NULL, 0 }, url;
    begin_test();
    (void)start(&trial, "/request");
    const struct fetch *fetch = pending[0];
    CHECK_EQ("no value of a secret is there yet",
             message_render(fetch->message, generation_secret, generation, &arena, &message, &missing), ERR_NOT_FOUND);
    CHECK_SLICE("but its name", missing, "KEY");
    CHECK_SLICE("method", message.method, "PATCH");
    CHECK_SLICE("query", message.query, "a=x%20y&b=2");
    CHECK_SLICE("header", message.headers[0].value, "7");
    CHECK_EQ("url", pieces_render(fetch->url, generation_secret, generation, &arena, &url, &missing), OK);
    CHECK_SLICE("url", url, "https://a.example.com/x");
    CHECK_EQ("timeout", fetch->timeout_ms, 3000);
    CHECK_EQ("max_response", fetch->max_response_bytes, 10);
    CHECK_EQ("auth", fetch->auth, AUTH_BASIC);
    CHECK("private", fetch->allow_private);
    answer_with(0, 200, "", "");
    check_handled("request", &trial);
    (void)start(&trial, "/get");
    CHECK_EQ("timeout of its own", pending[0]->timeout_ms, 10000);
    CHECK_EQ("size of its own", pending[0]->max_response_bytes, 1 << 20);
    CHECK("not private", !pending[0]->allow_private);
    script_cancel(&trial.run);
    finish(&trial);
    arena_deinit(&arena);
}

/* ---- what stays with the event ---- */

static void records(void)
{
    struct trial trial;
    begin_test();
    (void)start(&trial, "/many");
    for (int i = 0; i < 101; i++)
        answer_with(0, 404, "", "");
    int count = 0;
    for (const struct fetch_record *record = trial.outcome->fetches; record; record = record->next) {
        CHECK_EQ("status", record->status, 404);
        count++;
    }
    CHECK_EQ("the first hundred", count, FETCH_RECORDS_MAX);
    CHECK_SLICE("with the query", trial.outcome->fetches->url, "https://a.example.com/x?i=1");
    CHECK_SLICE("method", trial.outcome->fetches->method, "GET");
    check_handled("many", &trial);
    (void)start(&trial, "/shown");
    answer_nothing(0);
    CHECK_SLICE("the name of a secret", trial.outcome->fetches->url, "https://a.example.com/secret:KEY?q=1");
    CHECK_EQ("why", trial.outcome->fetches->error, ATTEMPT_CONNECT);
    finish(&trial);
}

/* ---- ends of waits ---- */

static void ends(void)
{
    struct trial trial, other;
    begin_test();
    (void)start(&trial, "/wait");
    script_cancel(&trial.run);
    CHECK_EQ("cancelled", cancelled, 1);
    CHECK("without on_done", !trial.came);
    finish(&trial);

    (void)start(&trial, "/wait");
    (void)start(&other, "/loop");
    CHECK("lost by another", script_is_abandoned(script) == (trial.came && !trial.outcome));
    if (!trial.came)
        script_end_waits(script);
    CHECK("to be run again", trial.came && !trial.outcome);
    CHECK_EQ("cancelled with its state", cancelled, 2);
    finish(&trial);
    finish(&other);
    fresh_state();

    (void)start(&trial, "/wait");
    fresh_state();
    CHECK("a state that is freed", trial.came && !trial.outcome);
    CHECK_EQ("gives up", cancelled, 3);
    finish(&trial);

    (void)start(&trial, "/limited");
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_MS; !trial.came && clock_mono_ms() < end_ms;)
        uv_run(&loop, UV_RUN_ONCE);
    CHECK_EQ("gives up", cancelled, 4);
    CHECK("it shows what it waited for", trial.outcome->fetches && trial.outcome->fetches->status == 0 &&
                                             trial.outcome->fetches->error == ATTEMPT_ANSWERED &&
                                             trial.outcome->fetches->took_ms >= 20);
    check_failed("handler_time", &trial, RUN_WAIT, "longer than handler_time (30 ms)");
    CHECK_EQ("nothing is left", pending_count, 0);
}

/* What is asked lies outside the memory of Lua, where equal texts are one. */
static void bytes(void)
{
    struct trial trial;
    begin_test();
    CHECK_EQ("at the limit", start(&trial, "/bytes7"), RUN_WAITS);
    script_cancel(&trial.run);
    finish(&trial);
    CHECK_EQ("past it", start(&trial, "/bytes8"), RUN_ENDED);
    check_failed("past it", &trial, RUN_ERROR, "http.all: 8: at most 32 MiB are asked at once");
    CHECK_EQ("nothing is left", pending_count, 0);
}

static void leftovers(void)
{
    struct trial trial;
    begin_test();
    (void)start(&trial, "/left");
    CHECK_EQ("all of a call or none", pending_count, 1);
    answer_with(0, 200, "", "");
    check_handled("left", &trial);
}

static void memory(void)
{
    struct trial trial;
    char *body = malloc((1 << 20) + 1);
    memset(body, 'x', 1 << 20);
    body[1 << 20] = '\0';
    begin_test();
    (void)start(&trial, "/memory");
    for (int i = 0; i < 20 && !trial.came; i++) {
        body[0] = (char)('a' + i); /* Lua keeps equal texts once */
        answer_with(0, 200, "", body);
    }
    check_failed("answers are the run's memory", &trial, RUN_MEMORY, "handler_memory");
    CHECK_EQ("nothing is left", pending_count, 0);
    free(body);
}

/* ---- mistakes ---- */

struct mistake {
    const char *code, *words;
};

static const struct mistake mistakes[] = {
    { "http.get()", "http.get wants an address as text, or a secret, got nil" },
    { "http.get(7)", "http.get wants an address as text, or a secret, got the number 7" },
    { "http.get(event.body)", "got a view" },
    { "http.get 'file:///etc/passwd'", "http.get: the url begins with http:// or https://, got 'file:///etc/passwd'" },
    { "http.get 'ftp://a.example.com/'", "begins with http:// or https://" },
    { "http.get '//a.example.com/'", "begins with http:// or https://" },
    { "http.get 'a.example.com'", "begins with http:// or https://" },
    { "http.get 'http://'", "begins with http:// or https://" },
    { "http.get 'https://a.example.com/\\r\\nX-Evil: 1'",
      "a line end or another control byte in it: 'https://a.example.com/\\13\\10" },
    { "http.get 'https://a.example.com/a b'", "url.escape" },
    { "http.get 'https://a.example.com/\\0'", "another control byte" },
    { "http.get('https://a.example.com/\\n' .. secret 'KEY')", "a secret joined with it" },
    { "http.get 'https://a.example.com/#x'", "the url has a '#'" },
    { "http.get('https://a.example.com/' .. ('x'):rep(8192))", "bytes long, at most 8192" },
    { "http.get(U, 'x')", "http.get wants its options as a plain table" },
    { "http.get(U, setmetatable({}, {}))", "wants its options as a plain table" },
    { "http.get(U, { timout = '1s' })", "http.get has no option 'timout', did you mean 'timeout'?" },
    { "http.get(U, { [1] = 2 })", "http.get has no option the number 1" },
    { "http.get(U, { method = 'PUT' })", "http.get has no option 'method'" },
    { "http.get(U, { url = U })", "http.get has no option 'url'" },
    { "http.get(U, { timeout = 3 })", "http.get: timeout: write \"3s\" for seconds" },
    { "http.get(U, { timeout = '9ms' })", "timeout is from \"10ms\" to \"10m\"" },
    { "http.get(U, { timeout = '601s' })", "timeout is from" },
    { "http.get(U, { max_response = '17MiB' })", "max_response is from \"1B\" to \"16MiB\"" },
    { "http.get(U, { max_response = 1 })", "http.get: max_response: write \"1B\"" },
    { "http.get(U, { private = 'yes' })", "private is true or false, got 'yes'" },
    { "http.get(U, { auth = 'Bearer x' })", "auth is a value such as auth.bearer" },
    { "http.get(U, { auth = auth.bearer 'x' })", "wants a secret, got \"x\"" },
    { "http.get(U, { headers = { ['X\\n'] = '1' } })", "http.get: " },
    { "http.get(U, { headers = { X = 'a\\r\\nb' } })", "http.get: the header 'X' has a line end" },
    { "http.get(U, { headers = { Host = 'x' } })", "http.get: the header 'Host' is made by tidewire itself" },
    { "http.get(U, { query = 'a=1' })", "http.get: query is a table" },
    { "http.post(U)", "http.post: POST has no body: its json (or text, or body) is nil" },
    { "http.post(U, { json = event.body.mistyped })", "http.post: POST has no body" },
    { "http.put(U, { body = {} })", "http.put: body has to be a string, got a table" },
    { "http.put(U, { body = 7 })", "http.put: body has to be a string, got the number 7" },
    { "http.patch(U, { text = print })", "http.patch: text has to be a string" },
    { "http.post(U, { json = { f = print } })", "http.post: json.f is a function" },
    { "http.post(U, { json = 1, text = 'x' })", "http.post: a message has one body" },
    { "http.post(U, { body = 'x', content_type = 'x' })", "http.post: content_type is text such as" },
    { "http.request(U, { method = 'get' })", "http.request: method 'get' is none of GET" },
    { "http.request(U, { method = 'CONNECT' })", "is none of" },
    { "http.all()", "http.all wants a plain table" },
    { "http.all { a = 7 }", "http.all: a wants an address as text, or a secret, got the number 7" },
    { "http.all { a = { U } }", "http.all: a wants an address as text, or a secret, got nil" },
    { "http.all { [true] = U }", "http.all: a key is text or a number, got true" },
    { "http.all { a = { url = U, timout = 1 } }", "http.all: a has no option 'timout'" },
    { "local l = {} for i = 1, 101 do l[i] = U end http.all(l)", "http.all asks at most 100 at once" },
    { "local l = {} for i = 1, 10000 do l[i] = U end http.all(l)", "http.all asks at most 100 at once" },
    { "http['he' .. 'ad'](U)", "there is no http.head" }, /* as it is written, loading finds it */
    { "http.get = print", "http.get cannot be set" },
    { "return (('x'):gsub('x', function() http.get(U) end))",
      "http.get cannot stand inside a callback of string.gsub or table.sort" },
    { "table.sort({ 2, 1 }, function() http.all { U } end)", "http.all cannot stand inside a callback" },
};

static void wrong(void)
{
    char *text = malloc(RULES_MAX), path[24];
    struct trial trial;
    int len = snprintf(text, RULES_MAX, "local U = 'https://a.example.com/x'\n");
    for (size_t i = 0; i < COUNT(mistakes); i++)
        len += snprintf(text + len, (size_t)(RULES_MAX - len),
                        "route '/m%zu' { verify = verify.none 't', handle = function(event) %s end }\n", i, mistakes[i].code);
    begin_test();
    use_rules(text);
    free(text);
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        snprintf(path, sizeof(path), "/m%zu", i);
        CHECK_EQ(mistakes[i].code, start(&trial, path), RUN_ENDED);
        check_failed(mistakes[i].code, &trial, RUN_ERROR, mistakes[i].words);
    }
    CHECK_EQ("nothing was asked", pending_count, 0);
}

static void elsewhere(void)
{
    struct load_report report;
    struct script_failure failure;
    bool holds;
    begin_test();
    struct generation *made = try_rules("local a = http.get 'https://a.example.com'\n", NULL, &report);
    CHECK("not while loading", !made && report.error_count == 1);
    load_report_deinit(&report);
    use_rules(
        "route '/q' { verify = verify.none 't', when = function() return http.get('https://a.example.com').status == 200 end, "
        "handle = function() end }\n");
    struct event *event = event_of(&ids, (struct event_parts){ .route = SLICE("/q"), .body = SLICE("{}") });
    CHECK_EQ("not in when", script_when(script, generation_route(generation, event->route), event, false, &holds, &failure),
             ERR_SCRIPT);
    CHECK("says so", memmem(failure.text.data, failure.text.len, "http.get works inside a handler", 31));
    event_unref(event);
    configure = NULL;
    use_rules(rules);
    struct trial trial;
    CHECK_EQ("without a fetcher", start(&trial, "/wait"), RUN_ENDED);
    check_failed("without a fetcher", &trial, RUN_ERROR, "nothing can be asked here");
}

static void as_quiet_worker(void (*test)(void))
{
    log_setup(LOG_JSON, LOG_ERROR, "", false, STDOUT_FILENO);
    as_worker(test);
    configure = NULL;
}

TEST(an_answer_is_a_status_headers_a_body_and_a_view)
{
    as_quiet_worker(answers);
}
TEST(what_is_just_within_the_bounds_is_asked)
{
    as_quiet_worker(edges);
}
TEST(no_answer_is_an_error_that_pcall_catches)
{
    as_quiet_worker(errors);
}
TEST(all_ask_side_by_side_and_one_that_fails_ends_the_others)
{
    as_quiet_worker(all);
}
TEST(what_is_sent_is_what_the_options_say_and_holds_no_secret)
{
    as_quiet_worker(what_is_sent);
}
TEST(what_was_asked_stays_with_the_event)
{
    as_quiet_worker(records);
}
TEST(a_wait_that_ends_leaves_nothing_under_way)
{
    as_quiet_worker(ends);
}
TEST(a_call_that_cannot_be_made_leaves_nothing_to_the_next)
{
    as_quiet_worker(leftovers);
}
TEST(what_is_asked_at_once_has_a_bound)
{
    as_quiet_worker(bytes);
}
TEST(answers_are_the_memory_of_the_run)
{
    as_quiet_worker(memory);
}
TEST(every_mistake_says_its_word_and_asks_nobody)
{
    as_quiet_worker(wrong);
}
TEST(only_handlers_ask)
{
    as_quiet_worker(elsewhere);
}

TEST_MAIN()
