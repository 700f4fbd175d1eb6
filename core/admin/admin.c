#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/render.h"
#include "base/log.h"
#include "base/mem.h"
#include "listen/conn.h"
#include "listen/listener.h"
#include "model/lookup.h"

enum {
    ANSWER_MAX = 64 << 20, /* an event with its body as text */
    PARAMETER_MAX = 1024,
    LIST_DEFAULT = 50,
    LIST_MAX = 500,
    CONNECTIONS_MAX = 256,
    REQUEST_BODY_MAX = 64 << 10,
};

static const struct slice EVENTS = SLICE("/v1/events/"), REPLAY = SLICE(":replay");

struct admin {
    struct admin_config config;
    struct listener *listener;
    struct admin_call *calls; /* whose answer is still to come */
    void (*on_closed)(void *arg);
    void *closed_arg;
};

struct admin_call {
    struct admin *admin;
    struct conn *conn; /* NULL: the client went */
    struct admin_call *next;
    union {
        struct store_op op;
        struct store_read_list list;
        struct store_read_show show;
    };
    char route[PARAMETER_MAX], type[PARAMETER_MAX]; /* decoded filters */
};

/* ---- answers ---- */

static void end_call(struct admin_call *call)
{
    struct admin_call **at = &call->admin->calls;
    while (*at && *at != call)
        at = &(*at)->next;
    if (*at)
        *at = call->next;
    mem_free(call);
}

static void answer(struct admin_call *call, uint16_t status, struct slice content_type, struct slice body)
{
    struct reply reply;
    if (call->conn) {
        reply_init(&reply, status);
        reply.content_type = content_type;
        reply.body = body;
        conn_reply(call->conn, &reply);
    }
    end_call(call);
}

void admin_answer(struct admin_call *call, uint16_t status, struct slice json)
{
    answer(call, status, SLICE("application/json"), json);
}

void admin_answer_text(struct admin_call *call, struct slice text)
{
    answer(call, 200, SLICE("text/plain; version=0.0.4; charset=utf-8"), text);
}

void admin_answer_problem(struct admin_call *call, uint16_t status, const char *detail)
{
    struct reply reply;
    if (call->conn) {
        reply_init(&reply, status);
        reply_problem(&reply, status, detail);
        conn_reply(call->conn, &reply);
    }
    end_call(call);
}

/* ---- reads of the store ---- */

static void on_read(struct handed *handed)
{
    struct store_op *op = (struct store_op *)handed;
    struct admin_call *call = op->owner;
    struct buf out;
    enum result result = op->result;
    bool is_list = op->kind == STORE_READ_LIST;
    buf_init(&out, ANSWER_MAX);
    if (result == OK && is_list)
        render_list(&call->list, &out);
    else if (result == OK)
        render_event(&call->show, &out);
    if (!is_list && call->show.event)
        event_unref(call->show.event);
    store_read_free(op);
    if (result == ERR_NOT_FOUND)
        admin_answer_problem(call, 404, "no such event");
    else if (result != OK || !buf_ok(&out))
        admin_answer_problem(call, 500, result != OK ? "the store could not be read" : "the answer is too large");
    else
        admin_answer(call, 200, buf_slice(&out));
    buf_deinit(&out);
}

static void on_store_done(struct store_op *op)
{
    struct admin_call *call = op->owner;
    op->handed.run = on_read;
    if (handoff_send(call->admin->config.handoff, &op->handed) != OK)
        store_read_free(op); /* main has ended */
}

static void submit(struct admin_call *call, struct store *store, enum store_kind kind)
{
    call->op = (struct store_op){ .kind = kind, .on_done = on_store_done, .owner = call };
    if (!store_submit_read(store, &call->op))
        admin_answer_problem(call, 503, "the store has too much to read just now");
}

static struct store *store_of(struct admin_call *call)
{
    struct store *store = call->admin->config.store(call->admin->config.arg);
    if (!store)
        admin_answer_problem(call, 503, "the store is not open");
    return store;
}

/* ---- GET /v1/events ---- */

static bool take_filter(struct admin_call *call, struct slice name, const char *value, const char **why)
{
    struct event_filter *filter = &call->list.filter;
    char *end;
    if (slice_is(name, "limit")) {
        long limit = strtol(value, &end, 10);
        filter->limit = (uint32_t)limit;
        *why = *end || limit < 1 || limit > LIST_MAX ? "limit is a number from 1 to 500" : NULL;
    } else if (slice_is(name, "cursor")) {
        filter->before_seq = strtoll(value, &end, 10);
        *why = *end || filter->before_seq < 1 ? "cursor is what next_cursor said" : NULL;
    } else if (slice_is(name, "route")) {
        snprintf(call->route, sizeof(call->route), "%s", value);
        filter->route = slice_of(call->route);
    } else if (slice_is(name, "type")) {
        snprintf(call->type, sizeof(call->type), "%s", value);
        filter->type = slice_of(call->type);
    } else if (slice_is(name, "since") || slice_is(name, "until")) {
        uint64_t ms = strtoull(value, &end, 10);
        *(slice_is(name, "since") ? &filter->since_ms : &filter->until_ms) = ms;
        *why = *end || !*value ? "since and until are milliseconds since 1970" : NULL;
    } else if (slice_is(name, "state")) {
        filter->state = -1;
        for (int state = SHOWN_WAITING; state <= SHOWN_DEAD; state++)
            if (strcmp(shown_state_name((enum shown_state)state), value) == 0)
                filter->state = state;
        *why = filter->state < 0 ? "state is waiting, delivering, done, dropped or dead" : NULL;
    } else {
        *why = "unknown parameter; known: limit cursor route type state since until";
    }
    return *why == NULL;
}

static void list_events(struct admin_call *call, struct slice query)
{
    struct slice raw_name, raw_value;
    const char *why = NULL;
    struct buf name, value;
    call->list.filter = (struct event_filter){ .state = -1, .limit = LIST_DEFAULT };
    buf_init(&name, PARAMETER_MAX);
    buf_init(&value, PARAMETER_MAX);
    while (!why && query_next(&query, &raw_name, &raw_value)) {
        buf_clear(&name);
        buf_clear(&value);
        if (!query_decode(raw_name, &name) || !query_decode(raw_value, &value))
            why = "a parameter is too long";
        buf_add_byte(&value, '\0');
        if (!why && buf_ok(&value))
            (void)take_filter(call, buf_slice(&name), value.data, &why);
    }
    buf_deinit(&name);
    buf_deinit(&value);
    struct store *store = why ? NULL : store_of(call);
    if (why)
        admin_answer_problem(call, 400, why);
    else if (store)
        submit(call, store, STORE_READ_LIST);
}

static void show_event(struct admin_call *call, struct slice id)
{
    if (!uuid_parse(id, &call->show.id)) {
        admin_answer_problem(call, 404, "no such event: an id looks like 01963f0e-6d1c-7abc-8def-0123456789ab");
        return;
    }
    struct store *store = store_of(call);
    if (store)
        submit(call, store, STORE_READ_SHOW);
}

/* What can be chosen is not built yet, and nothing that was asked for is left out in silence. */
static const char *refused_option(struct slice body)
{
    struct json_doc *doc;
    struct json_error error;
    const char *why = NULL;
    if (body.len == 0)
        return NULL;
    if (json_index(body, &doc, &error) != OK)
        return "the body is not JSON";
    for (struct json_value option = json_first(json_root(doc)); option.doc && !why; option = json_next(option)) {
        bool escaped;
        struct slice name = json_key(option, &escaped), text = json_text(option);
        bool usual = (slice_is(name, "generation") && slice_is(text, "\"current\"")) ||
                     (slice_is(name, "dry_run") && slice_is(text, "false"));
        if (!usual)
            why = "only { \"generation\": \"current\", \"dry_run\": false } can be asked for";
    }
    json_free(doc);
    return why;
}

static void replay(struct admin_call *call, struct slice path, struct slice body)
{
    struct uuid id;
    struct slice text = slice_make(path.data + EVENTS.len, path.len - EVENTS.len - REPLAY.len);
    const char *why = refused_option(body);
    if (!uuid_parse(text, &id))
        admin_answer_problem(call, 404, "no such event: an id looks like 01963f0e-6d1c-7abc-8def-0123456789ab");
    else if (why)
        admin_answer_problem(call, 422, why);
    else
        call->admin->config.replay(call->admin->config.arg, call, id);
}

static void say_health(struct admin_call *call, bool ready)
{
    const char *why = ready ? call->admin->config.not_ready(call->admin->config.arg) : NULL;
    if (why)
        admin_answer_problem(call, 503, why);
    else
        admin_answer(call, 200, SLICE("{\"status\":\"ok\"}"));
}

/* ---- requests ---- */

static const struct endpoint {
    const char *method, *path;
} endpoints[] = {
    { "GET", "/healthz" },   { "GET", "/readyz" },           { "GET", "/metrics" },         { "GET", "/v1/status" },
    { "GET", "/v1/events" }, { "POST", "/v1/rules:reload" }, { "POST", "/v1/rules:check" },
};

static bool is_known_path(struct slice path)
{
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
        if (slice_is(path, endpoints[i].path))
            return true;
    return slice_starts(path, EVENTS);
}

static void on_request(struct conn *conn, struct request *request, void *arg)
{
    struct admin *admin = arg;
    struct admin_call *call = MEM_NEW(struct admin_call);
    struct slice path = request->path, method = request->method;
    bool get = slice_is(method, "GET");
    call->admin = admin;
    call->conn = conn;
    call->next = admin->calls;
    admin->calls = call;
    if (get && slice_is(path, "/healthz"))
        say_health(call, false);
    else if (get && slice_is(path, "/readyz"))
        say_health(call, true);
    else if (get && slice_is(path, "/v1/status"))
        admin->config.status(admin->config.arg, call);
    else if (get && slice_is(path, "/v1/events"))
        list_events(call, request->query);
    else if (get && slice_starts(path, EVENTS))
        show_event(call, slice_from(path, EVENTS.len));
    else if (get && slice_is(path, "/metrics"))
        admin->config.metrics(admin->config.arg, call);
    else if (slice_is(method, "POST") && slice_is(path, "/v1/rules:reload"))
        admin->config.reload(admin->config.arg, call);
    else if (slice_is(method, "POST") && slice_is(path, "/v1/rules:check"))
        admin->config.check(admin->config.arg, call);
    else if (slice_is(method, "POST") && slice_starts(path, EVENTS) && slice_ends(path, REPLAY))
        replay(call, path, request->body);
    else if (is_known_path(path))
        admin_answer_problem(call, 405, "not with this method");
    else
        admin_answer_problem(call, 404, "there is no such endpoint");
}

/* Changing requests say so in a header, as everywhere in this API: a browser's form cannot. */
static void on_head(struct conn *conn, struct request *request, struct head_verdict *verdict, void *arg)
{
    bool get = slice_is(request->method, "GET");
    verdict->max_body_bytes = REQUEST_BODY_MAX;
    if (!get && !request_header(request, SLICE("x-tidewire-request")).data) {
        verdict->refused = true;
        reply_problem(&verdict->reply, 403, "changing requests carry the header X-Tidewire-Request: 1");
    }
}

static void on_gone(struct conn *conn, struct request *request, void *arg)
{
    struct admin *admin = arg;
    for (struct admin_call *call = admin->calls; call; call = call->next)
        if (call->conn == conn)
            call->conn = NULL;
}

static void on_refused(const struct refused_request *refused, void *arg)
{
    LOG(LOG_DEBUG, "admin request refused", LOG_I("status", refused->status), LOG_T("detail", refused->detail));
}

enum result admin_start(const struct admin_config *config, struct admin **out)
{
    struct admin *admin = MEM_NEW(struct admin);
    struct listener_config listener = listener_defaults();
    struct listener_callbacks callbacks = { on_head, on_request, on_gone, on_refused, admin };
    admin->config = *config;
    listener.connections_max = CONNECTIONS_MAX;
    enum result rc = listener_start(config->loop, config->fd, &listener, &callbacks, &admin->listener);
    if (rc != OK) {
        mem_free(admin);
        return rc;
    }
    *out = admin;
    return OK;
}

static void on_listener_closed(void *arg)
{
    struct admin *admin = arg;
    admin->on_closed(admin->closed_arg);
    mem_free(admin);
}

void admin_stop(struct admin *admin, void (*on_closed)(void *arg), void *arg)
{
    admin->on_closed = on_closed;
    admin->closed_arg = arg;
    listener_close(admin->listener, on_listener_closed, admin);
}
