/* plan.c: what a handler notes and how it ends itself. lua/tidewire/actions.lua checks the words; here they become bytes in the
 * event's arena: no pointer into a Lua heap leaves the worker. */
#include <lauxlib.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/request.h"
#include "json/encode.h"
#include "json/secret.h"
#include "script/inside.h"

enum { LOG_FIELDS_MAX = 4 << 10, LOG_MESSAGE_MAX = 2 << 10, LEVELS_MAX = 16 };

/* ---- faults: raised at the line of the rule, whichever function of ours found them ---- */

/* "=tidewire.actions", but not a rule file of that name. */
static bool is_ours(const char *chunk)
{
    size_t len = strlen(chunk);
    return strncmp(chunk, "=tidewire.", 10) == 0 && strcmp(chunk + len - 4, ".lua") != 0;
}

/* Pushes "rules/a.lua:12: ", or "" when no function of a rule is left below: `return send(…)` (help.c finds something then). */
static void push_place(lua_State *L)
{
    lua_Debug ar;
    for (int level = 0; level < LEVELS_MAX && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline > 0 && !is_ours(ar.source)) {
            lua_pushfstring(L, "%s:%d: ", ar.source + 1, ar.currentline);
            return;
        }
    }
    lua_pushliteral(L, "");
}

int fault(lua_State *L, const char *format, ...)
{
    va_list args;
    push_place(L);
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    lua_concat(L, 2);
    return lua_error(L);
}

/* fault(text) */
static int l_fault(lua_State *L)
{
    luaL_checkstring(L, 1);
    push_place(L);
    lua_pushvalue(L, 1);
    lua_concat(L, 2);
    return lua_error(L);
}

/* ---- ends: the coroutine yields a word of ours and is not resumed; no pcall sees it ---- */

static const char ending_marks[ENDINGS]; /* their addresses are what is yielded */

enum ending plan_ending(lua_State *coroutine)
{
    const char *mark = lua_touserdata(coroutine, 1);
    if (lua_type(coroutine, 1) != LUA_TLIGHTUSERDATA || mark < ending_marks || mark >= ending_marks + ENDINGS)
        return ENDING_NONE;
    return (enum ending)(mark - ending_marks);
}

static void need_handler(lua_State *L, const char *word)
{
    switch (script_of(L)->phase) {
    case PHASE_HANDLER:
        return;
    case PHASE_TELLING:
        if (strcmp(word, "send()") != 0 && strncmp(word, "metric.", 7) != 0 && strncmp(word, "kv.", 3) != 0)
            fault(L, "%s works inside a handler: here all is decided, and only send, kv, log and metric are left", word);
        return;
    case PHASE_QUESTION:
        fault(L, "%s works inside a handler: here only an answer is wanted", word);
        break;
    case PHASE_LOADING:
    case PHASE_IDLE:
        fault(L, "%s works inside a handler, not while the file loads", word);
    }
}

void need_waiting(lua_State *L, const char *word)
{
    need_handler(L, word);
    if (!lua_isyieldable(L))
        fault(L, "%s cannot stand inside a callback of string.gsub or table.sort", word);
}

/* The mark takes the first place, where the word stood. */
int yield_ending(lua_State *L, enum ending ending)
{
    lua_pushlightuserdata(L, (void *)&ending_marks[ending]);
    lua_replace(L, 1);
    return lua_yield(L, lua_gettop(L));
}

/* need_handler(word) */
static int l_need_handler(lua_State *L)
{
    need_handler(L, luaL_checkstring(L, 1));
    return 0;
}

/* end(kind, reason, after_ms): "drop", "fail", "retry", "sleep" */
static int l_end(lua_State *L)
{
    static const char *const kinds[] = { "", "drop", "fail", "retry", "sleep", NULL };
    int kind = luaL_checkoption(L, 1, NULL, kinds);
    need_waiting(L, kinds[kind]);
    lua_settop(L, 3);
    return yield_ending(L, (enum ending)kind);
}

/* ---- send ---- */

static struct slice text_at(lua_State *L, int index)
{
    struct slice text = { NULL, 0 };
    if (lua_type(L, index) == LUA_TSTRING)
        text.data = lua_tolstring(L, index, &text.len);
    return text;
}

/* Text or a secret, as pieces. */
void value_pieces(lua_State *L, int index, struct buf *pieces, enum escaping escaping)
{
    struct slice text;
    buf_clear(pieces);
    if (secret_is(L, index)) {
        secret_pieces(L, index, pieces, escaping);
        return;
    }
    text.data = lua_tolstring(L, index, &text.len);
    pieces_bytes(pieces, text);
}

static void add_headers(lua_State *L, struct buf *blob, struct buf *pieces)
{
    int count = lua_istable(L, SEND_HEADERS) ? (int)lua_objlen(L, SEND_HEADERS) : 0;
    if (count > 2 * MESSAGE_HEADERS_MAX)
        fault(L, "send: at most %d headers", MESSAGE_HEADERS_MAX);
    for (int i = 1; i < count; i += 2) {
        lua_rawgeti(L, SEND_HEADERS, i);
        struct slice name = text_at(L, -1);
        if (!http_is_token(name))
            fault(L, "send: '%s' is not a header name", name.data);
        lua_rawgeti(L, SEND_HEADERS, i + 1);
        value_pieces(L, lua_gettop(L), pieces, ESCAPE_NONE);
        message_add_header(blob, name, buf_slice(pieces));
        lua_pop(L, 2);
    }
}

static void add_pieces(lua_State *L, int index, struct buf *blob, struct buf *pieces, void (*set)(struct buf *, struct slice))
{
    struct slice text = text_at(L, index);
    if (!text.data)
        return;
    buf_clear(pieces);
    pieces_bytes(pieces, text);
    set(blob, buf_slice(pieces));
}

static void add_json(lua_State *L, int value, struct buf *blob, struct buf *pieces)
{
    char why[ENCODE_WHY_SIZE];
    buf_clear(pieces);
    if (encode_json(L, value, "json", SECRETS_IN_PIECES, pieces, why) != OK)
        fault(L, "send: %s", why);
    message_set_body(blob, buf_slice(pieces));
}

/* Strings, escaped already, and secrets, which are escaped where they are filled in. */
static void add_parts(lua_State *L, int list, enum escaping escaping, struct buf *blob, struct buf *pieces)
{
    int count = (int)lua_objlen(L, list);
    buf_clear(pieces);
    for (int i = 1; i <= count; i++) {
        struct slice text;
        lua_rawgeti(L, list, i);
        if (secret_is(L, -1)) {
            secret_pieces(L, lua_gettop(L), pieces, escaping);
        } else {
            text.data = luaL_checklstring(L, -1, &text.len);
            pieces_bytes(pieces, text);
        }
        lua_pop(L, 1);
    }
    message_set_body(blob, buf_slice(pieces));
}

static void add_body(lua_State *L, struct buf *blob, struct buf *pieces)
{
    struct slice kind = text_at(L, SEND_KIND);
    if (slice_is(kind, "event")) {
        message_set_body_of_event(blob);
    } else if (slice_is(kind, "none")) {
        message_set_body(blob, SLICE(""));
    } else if (slice_is(kind, "json")) {
        add_json(L, SEND_VALUE, blob, pieces);
    } else if (slice_is(kind, "form") || slice_is(kind, "xml")) {
        add_parts(L, SEND_VALUE, slice_is(kind, "form") ? ESCAPE_FORM : ESCAPE_XML, blob, pieces);
    } else {
        value_pieces(L, SEND_VALUE, pieces, ESCAPE_NONE);
        message_set_body(blob, buf_slice(pieces));
    }
}

struct slice build_message(lua_State *L, struct script *script)
{
    struct buf *blob = &script->scratch, *pieces = &script->pieces;
    struct slice method = text_at(L, SEND_METHOD), type = text_at(L, SEND_CONTENT_TYPE);
    buf_clear(blob);
    buf_clear(pieces); /* what did not fit into them is another message's failure */
    if (method.data)
        message_set_method(blob, method);
    if (type.data)
        message_set_content_type(blob, type);
    add_pieces(L, SEND_PATH, blob, pieces, message_set_path);
    add_pieces(L, SEND_QUERY, blob, pieces, message_set_query);
    add_headers(L, blob, pieces);
    add_body(L, blob, pieces);
    if (!buf_ok(blob) || !buf_ok(pieces))
        fault(L, "send: the message is larger than %d MiB", MESSAGE_MAX >> 20);
    return buf_slice(blob);
}

/* Without a body a method that stands for one says nothing: most likely `json = event.body.mistyped`, which is nil. */
static void check_body(lua_State *L, const struct target *target, struct slice method)
{
    if (!method.data)
        method = target->method;
    if (slice_is(method, "POST") || slice_is(method, "PUT") || slice_is(method, "PATCH"))
        fault(L, "send: the message has no body: its json (or text, or body) is nil; text = \"\" sends an empty one");
}

/* The order key at place i; the same for all unless it is a list. */
static struct slice key_at(lua_State *L, int i)
{
    if (!lua_istable(L, SEND_KEY))
        return text_at(L, SEND_KEY);
    lua_rawgeti(L, SEND_KEY, i);
    struct slice key = text_at(L, -1);
    lua_pop(L, 1); /* the list keeps it */
    return key;
}

/* By `delay` or `at`; 0: neither. */
static uint64_t not_before(lua_State *L)
{
    double delay_ms = lua_tonumber(L, SEND_DELAY);
    return delay_ms > 0 ? clock_wall_ms() + (uint64_t)delay_ms : (uint64_t)lua_tonumber(L, SEND_AT);
}

static struct new_delivery *make_delivery(lua_State *L, const struct inside_run *inside, const struct target *target,
                                          struct slice message, struct slice fixed_id, struct slice key, uint64_t not_before_ms)
{
    struct arena *arena = &inside->run->event->arena;
    struct new_delivery *delivery = arena_alloc(arena, sizeof(*delivery));
    if (!delivery)
        luaL_error(L, "not enough memory");
    uint64_t now_ms = clock_wall_ms();
    *delivery = (struct new_delivery){
        .id = uuid_v7(inside->script->config.ids, now_ms),
        .target = target->name.len ? arena_copy(arena, target->name) : target->name,
        .order_key = key.data ? arena_copy(arena, key) : SLICE(""),
        .fixed_id = fixed_id,
        .message = message,
        .due_ms = not_before_ms > now_ms ? not_before_ms : now_ms,
        .not_before_ms = not_before_ms > now_ms ? not_before_ms : 0,
        .state = target->records ? DELIVERY_RECORDED : DELIVERY_WAITING,
        .notice = inside->script->phase == PHASE_TELLING,
    };
    if (!delivery->target.data || !delivery->order_key.data)
        luaL_error(L, "not enough memory");
    return delivery;
}

/* The target at place i of those that it goes to. */
static const struct target *target_at(lua_State *L, const struct inside_run *inside, int i)
{
    struct slice name;
    if (lua_istable(L, SEND_TO))
        lua_rawgeti(L, SEND_TO, i);
    else
        lua_pushvalue(L, SEND_TO);
    name.data = luaL_checklstring(L, -1, &name.len);
    const struct target *target = generation_target(inside->script->generation, name);
    lua_pop(L, 1); /* its place keeps it */
    if (!target)
        luaL_error(L, "not enough memory");
    return target;
}

static struct slice keep(lua_State *L, struct event *event, struct slice bytes)
{
    struct slice kept = arena_copy(&event->arena, bytes);
    if (!kept.data)
        luaL_error(L, "not enough memory");
    return kept;
}

/* send(to, kind, value, content_type, headers, path, query, method, id, key, delay, at): to is a name or a list of names, headers
 * a list of name, value, name, value …; delay and at in milliseconds. What may raise comes first, the notes last: a pcall around
 * `send` never leaves half a list. */
static int l_send(lua_State *L)
{
    struct script *script = script_of(L);
    need_handler(L, "send()");
    struct inside_run *inside = script->current;
    struct event *event = inside->run->event;
    lua_settop(L, SEND_AT);
    struct slice id = text_at(L, SEND_ID), method = text_at(L, SEND_METHOD);
    uint64_t not_before_ms = not_before(L);
    struct new_delivery *first = NULL, **last = &first;
    int count = lua_istable(L, SEND_TO) ? (int)lua_objlen(L, SEND_TO) : 1;
    luaL_argcheck(L, count > 0, SEND_TO, "an empty list");
    if (inside->outcome->delivery_count + (uint32_t)count > SENDS_MAX)
        return fault(L, "a handler sends at most %d messages", SENDS_MAX);
    for (int i = 1; i <= count && slice_is(text_at(L, SEND_KIND), "none"); i++)
        check_body(L, target_at(L, inside, i), method);
    struct slice message = build_message(L, script);
    size_t bytes = message.len * (size_t)count; /* each is stored for itself */
    if (inside->sent_bytes + bytes > SENT_BYTES_MAX)
        return fault(L, "a handler sends at most %d MiB", SENT_BYTES_MAX >> 20);
    message = keep(L, event, message);
    id = id.data ? keep(L, event, id) : SLICE("");
    for (int i = 1; i <= count; i++) {
        *last = make_delivery(L, inside, target_at(L, inside, i), message, id, key_at(L, i), not_before_ms);
        last = &(*last)->next;
    }
    *inside->last_delivery = first;
    inside->last_delivery = last;
    inside->outcome->delivery_count += (uint32_t)count;
    inside->sent_bytes += bytes;
    return 0;
}

/* ask(function, value): what it answers, which may do nothing else meanwhile. The C function between keeps it from waiting. */
static int l_ask(lua_State *L)
{
    struct script *script = script_of(L);
    enum phase before = script->phase;
    lua_settop(L, 2);
    script->phase = PHASE_QUESTION;
    int failed = lua_pcall(L, 1, 1, 0);
    script->phase = before;
    return failed ? lua_error(L) : 1;
}

/* is_header_name(text) */
static int l_is_header_name(lua_State *L)
{
    lua_pushboolean(L, http_is_token(text_at(L, 1)));
    return 1;
}

/* is_header_value(text): no control byte but the tab */
static int l_is_header_value(lua_State *L)
{
    struct slice text = text_at(L, 1);
    bool clean = text.data != NULL;
    for (size_t i = 0; i < text.len && clean; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        clean = (byte >= ' ' && byte != 127) || byte == '\t';
    }
    lua_pushboolean(L, clean);
    return 1;
}

/* ---- respond ---- */

enum { RESPOND_STATUS = 1, RESPOND_KIND, RESPOND_VALUE, RESPOND_CONTENT_TYPE, RESPOND_HEADERS };

static const struct pair *response_headers(lua_State *L, struct event *event, size_t *count)
{
    *count = lua_istable(L, RESPOND_HEADERS) ? lua_objlen(L, RESPOND_HEADERS) / 2 : 0;
    struct pair *headers = arena_alloc(&event->arena, (*count + 1) * sizeof(*headers));
    if (!headers)
        luaL_error(L, "not enough memory");
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(L, RESPOND_HEADERS, (int)(2 * i + 1));
        lua_rawgeti(L, RESPOND_HEADERS, (int)(2 * i + 2));
        headers[i] = (struct pair){ keep(L, event, text_at(L, -2)), keep(L, event, text_at(L, -1)) };
        lua_pop(L, 2);
    }
    return headers;
}

static struct slice response_body(lua_State *L, struct script *script)
{
    char why[ENCODE_WHY_SIZE];
    struct slice body = text_at(L, RESPOND_VALUE);
    buf_clear(&script->pieces);
    if (slice_is(text_at(L, RESPOND_KIND), "json")) {
        if (encode_json(L, RESPOND_VALUE, "json", SECRETS_REFUSED, &script->pieces, why) != OK)
            fault(L, "respond: %s", why);
        body = buf_slice(&script->pieces);
    }
    if (body.len > RESPONSE_BODY_MAX || !buf_ok(&script->pieces))
        fault(L, "respond: the answer is larger than %d MiB", RESPONSE_BODY_MAX >> 20);
    return keep(L, script->current->run->event, body.data ? body : SLICE(""));
}

/* respond(status, kind, value, content_type, headers): ends the handler and keeps its notes; headers as for send */
static int l_respond(lua_State *L)
{
    struct script *script = script_of(L);
    need_waiting(L, "respond");
    lua_settop(L, RESPOND_HEADERS);
    struct run *run = script->current->run;
    if (run->route->ack != ACK_HANDLED)
        return fault(L, "respond works in routes with ack = \"handled\": the sender of this event was answered before");
    struct response *response = arena_alloc(&run->event->arena, sizeof(*response));
    if (!response)
        return luaL_error(L, "not enough memory");
    struct slice type = text_at(L, RESPOND_CONTENT_TYPE);
    *response = (struct response){ .status = (uint16_t)luaL_checkinteger(L, RESPOND_STATUS), .body = response_body(L, script) };
    response->content_type = type.data ? keep(L, run->event, type) : SLICE("");
    response->headers = response_headers(L, run->event, &response->header_count);
    script->current->outcome->response = response;
    return yield_ending(L, ENDING_RESPOND);
}

/* is_event(value) */
static int l_is_event(lua_State *L)
{
    bool ended = false;
    lua_pushboolean(L, event_api_is(L, 1, &ended));
    if (ended)
        return fault(L, EVENT_ENDED);
    return 1;
}

/* ---- log ---- */

/* log(level, message, fields): fields is nil, or a table for JSON. */
static int l_log(lua_State *L)
{
    static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
    struct script *script = script_of(L);
    enum log_level level = (enum log_level)luaL_checkoption(L, 1, NULL, levels);
    struct slice text;
    char why[ENCODE_WHY_SIZE];
    text.data = luaL_checklstring(L, 2, &text.len);
    if (text.len > LOG_MESSAGE_MAX)
        text.len = LOG_MESSAGE_MAX;
    buf_clear(&script->pieces);
    if (!lua_isnoneornil(L, 3) && encode_json(L, 3, "fields", SECRETS_REFUSED, &script->pieces, why) != OK)
        return fault(L, "log.%s: %s", levels[level], why);
    if (script->pieces.len > LOG_FIELDS_MAX)
        return fault(L, "log.%s: fields of more than %d bytes: name what is worth a line", levels[level], LOG_FIELDS_MAX);
    if (script->pieces.len == 0)
        buf_add_text(&script->pieces, "{}");
    struct inside_run *inside = script->current;
    if (inside && ++inside->logged > LOG_LINES_MAX)
        return 0; /* run.c says how many */
    if (inside)
        LOG(level, "rule", LOG_S("text", text), LOG_ID("event_id", inside->run->event->id),
            LOG_S("route", inside->run->route->path), LOG_J("fields", buf_slice(&script->pieces)));
    else
        LOG(level, "rule", LOG_S("text", text), LOG_J("fields", buf_slice(&script->pieces)));
    return 0;
}

int luaopen_tidewire_actions_native(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "fault", l_fault },
        { "need_handler", l_need_handler },
        { "finish", l_end },
        { "send", l_send },
        { "respond", l_respond },
        { "ask", l_ask },
        { "is_event", l_is_event },
        { "is_header_name", l_is_header_name },
        { "is_header_value", l_is_header_value },
        { "log", l_log },
        { NULL, NULL },
    };
    lua_createtable(L, 0, 10);
    for (const luaL_Reg *function = functions; function->name; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    return 1;
}
