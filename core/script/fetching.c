/* fetching.c: http.* inside handlers. lua/tidewire/http.lua checks the words and gathers the answers; here they become requests
 * of model/fetch.h, and answers become Lua values, in the memory of the run that asked.
 *
 *   prepare(…), begin(), wait() --yields--> waits --an answer--> in Lua: take() --more are missing: wait() --yields--> waits …
 */
#include <lauxlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "script/inside.h"

/* One request of a run, with its texts behind it in one block. On the run's list until it is answered or cancelled. */
struct asked {
    struct asked *next, *prev;
    struct inside_run *inside;
    struct fetch fetch;
    int place;                   /* in the call's list, from 1 */
    bool begun;                  /* the worker has it */
    size_t bytes;                /* of the messages of this one and of those behind it, when it was added */
    uint64_t at_ms, began_ms;    /* wall clock; monotonic */
    struct slice method, shown;  /* for the record */
    struct fetch_record *record; /* in the event's arena; NULL: past the number that is kept */
};

static void unlink_asked(struct asked *asked)
{
    if (asked->prev)
        asked->prev->next = asked->next;
    else
        asked->inside->asked = asked->next;
    if (asked->next)
        asked->next->prev = asked->prev;
}

/* What it has taken until now is noted; a run whose time is over shows what it waited for. */
static void note_time(struct asked *asked)
{
    if (asked->begun && asked->record)
        asked->record->took_ms = (uint32_t)(clock_mono_ms() - asked->began_ms);
}

void fetching_end(struct inside_run *inside)
{
    const struct script_config *config = &inside->script->config;
    rest_drop_answers(inside);
    while (inside->asked) {
        struct asked *asked = inside->asked;
        unlink_asked(asked);
        note_time(asked);
        if (asked->begun)
            config->fetch_cancel(config->arg, &asked->fetch);
        mem_free(asked);
    }
}

/* ---- the answer comes ---- */

static void note_answer(struct asked *asked, const struct fetch_answer *answer)
{
    const struct script_config *config = &asked->inside->script->config;
    struct fetch_record ended = { .at_ms = asked->at_ms,
                                  .took_ms = (uint32_t)(clock_mono_ms() - asked->began_ms),
                                  .status = answer->status,
                                  .error = answer->error,
                                  .method = asked->method,
                                  .url = asked->shown };
    note_time(asked);
    if (asked->record) {
        asked->record->status = answer->status;
        asked->record->error = answer->error;
    }
    config->on_fetched(config->arg, asked->inside->run, &ended);
}

static void on_done(struct fetch *fetch, const struct fetch_answer *answer)
{
    struct asked *asked = fetch->owner;
    struct inside_run *inside = asked->inside;
    int place = asked->place;
    note_answer(asked, answer);
    unlink_asked(asked);
    mem_free(asked);
    if (inside->wants_answer) /* else its call was ended by an error of the rule's own, a limit for example */
        run_answered(inside, place, answer);
}

/* ---- from the table of http.lua to a request ---- */

/* Appends a value's pieces to the block under construction; says how long they are. */
static size_t add_value(lua_State *L, int table, const char *name, struct script *script)
{
    size_t before = script->scratch.len;
    lua_getfield(L, table, name);
    if (!lua_isnil(L, -1)) {
        value_pieces(L, lua_gettop(L), &script->pieces, ESCAPE_NONE);
        buf_add_slice(&script->scratch, buf_slice(&script->pieces));
        script->scratch.failed |= script->pieces.failed;
    }
    lua_pop(L, 1);
    return script->scratch.len - before;
}

static size_t add_text(lua_State *L, int table, const char *name, struct script *script)
{
    struct slice text;
    lua_getfield(L, table, name);
    text.data = luaL_checklstring(L, -1, &text.len);
    buf_add_slice(&script->scratch, text);
    lua_pop(L, 1);
    return text.len;
}

static double number(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    double value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static bool flag(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static enum auth auth_of(lua_State *L, int table)
{
    static const char *const schemes[] = { "none", "bearer", "basic", NULL };
    lua_getfield(L, table, "auth");
    enum auth auth = (enum auth)luaL_checkoption(L, -1, "none", schemes);
    lua_pop(L, 1);
    return auth;
}

static struct slice take(const char **at, size_t len)
{
    struct slice part = { *at, len };
    *at += len;
    return part;
}

/* prepare(place, kind, value, content_type, headers, path, query, method, id, request): puts one request onto the run's list, not
 * begun; place 1 begins a new list. From kind to id as for send. request: { url, auth, auth_user, auth_value, timeout,
 * max_response (numbers), private, method, shown }. */
enum { PREPARE_PLACE = SEND_TO, PREPARE_REQUEST = SEND_ID + 1 };

static void add_to_list(struct inside_run *inside, struct asked *asked)
{
    asked->next = inside->asked;
    asked->bytes = asked->fetch.message.len + (asked->next ? asked->next->bytes : 0);
    if (asked->next)
        asked->next->prev = asked;
    inside->asked = asked;
}

/* The request's texts in script->scratch, one behind the other. */
struct lengths {
    size_t message, url, user, value, method, shown;
};

static struct lengths gather(lua_State *L, struct script *script)
{
    struct lengths lengths;
    lengths.message = build_message(L, script).len;
    lengths.url = add_value(L, PREPARE_REQUEST, "url", script);
    lengths.user = add_value(L, PREPARE_REQUEST, "auth_user", script);
    lengths.value = add_value(L, PREPARE_REQUEST, "auth_value", script);
    lengths.method = add_text(L, PREPARE_REQUEST, "method", script);
    lengths.shown = add_text(L, PREPARE_REQUEST, "shown", script);
    if (!buf_ok(&script->scratch))
        fault(L, "send: the message is larger than %d MiB", MESSAGE_MAX >> 20);
    return lengths;
}

static int l_prepare(lua_State *L)
{
    struct script *script = script_of(L);
    struct inside_run *inside = script->current;
    int place = (int)luaL_checkinteger(L, PREPARE_PLACE);
    if (place == 1)
        fetching_end(inside); /* what an error has left of an earlier call */
    struct fetch fetch = {
        .generation = script->generation,
        .auth = auth_of(L, PREPARE_REQUEST),
        .timeout_ms = (uint64_t)number(L, PREPARE_REQUEST, "timeout"),
        .max_response_bytes = (uint64_t)number(L, PREPARE_REQUEST, "max_response"),
        .allow_private = flag(L, PREPARE_REQUEST, "private"),
        .on_done = on_done,
    };
    struct lengths lengths = gather(L, script);
    if (lengths.message + (inside->asked ? inside->asked->bytes : 0) > SENT_BYTES_MAX)
        fault(L, "send: at most %d MiB are asked at once", SENT_BYTES_MAX >> 20);
    struct asked *asked = mem_alloc(sizeof(*asked) + script->scratch.len);
    if (!asked)
        return luaL_error(L, "not enough memory");
    const char *at = memcpy(asked + 1, script->scratch.data, script->scratch.len);
    fetch.owner = asked;
    fetch.message = take(&at, lengths.message);
    fetch.url = take(&at, lengths.url);
    fetch.auth_user = take(&at, lengths.user);
    fetch.auth_value = take(&at, lengths.value);
    *asked = (struct asked){ .inside = inside, .fetch = fetch, .place = place };
    asked->method = take(&at, lengths.method);
    asked->shown = take(&at, lengths.shown);
    add_to_list(inside, asked);
    return 0;
}

/* Without memory for it, it is asked all the same. */
static void keep_record(struct asked *asked)
{
    struct inside_run *inside = asked->inside;
    struct arena *arena = &inside->run->event->arena;
    struct fetch_record *record = inside->records < FETCH_RECORDS_MAX ? arena_alloc(arena, sizeof(*record)) : NULL;
    if (!record)
        return;
    record->at_ms = asked->at_ms;
    record->method = arena_copy(arena, asked->method);
    record->url = arena_copy(arena, asked->shown);
    if (!record->method.data || !record->url.data)
        return;
    *inside->last_record = asked->record = record;
    inside->last_record = &record->next;
    inside->records++;
}

/* NULL, or why it can never be asked. */
static const char *begin(struct asked *asked)
{
    const struct script_config *config = &asked->inside->script->config;
    const char *why = config->fetch(config->arg, &asked->fetch);
    if (why)
        return why;
    asked->begun = true;
    asked->at_ms = clock_wall_ms();
    asked->began_ms = clock_mono_ms();
    keep_record(asked);
    return NULL;
}

/* begin(word): all that were prepared; or, then, the place of one that can never be asked, and why. */
static int l_begin(lua_State *L)
{
    struct script *script = script_of(L);
    struct asked *asked = script->current->asked;
    need_waiting(L, luaL_checkstring(L, 1));
    if (!script->config.fetch)
        return fault(L, "%s: nothing can be asked here", lua_tostring(L, 1));
    while (asked && asked->next) /* the first that was prepared stands last */
        asked = asked->next;
    for (; asked; asked = asked->prev) {
        const char *why = begin(asked);
        if (!why)
            continue;
        lua_pushinteger(L, asked->place);
        lua_pushstring(L, why);
        return 2;
    }
    return 0;
}

/* wait(word): yields until one is answered. */
static int l_wait(lua_State *L)
{
    need_waiting(L, luaL_checkstring(L, 1));
    lua_settop(L, 1);
    return yield_ending(L, ENDING_FETCH);
}

/* end(): nobody waits for the others any more. */
static int l_end(lua_State *L)
{
    fetching_end(script_of(L)->current);
    return 0;
}

/* ---- from an answer to Lua values ---- */

static void push_lower(lua_State *L, struct slice name, struct buf *scratch)
{
    buf_clear(scratch);
    for (size_t i = 0; i < name.len; i++)
        buf_add_byte(scratch, name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] | 0x20) : name.data[i]);
    lua_pushlstring(L, scratch->data, scratch->len);
}

/* { name in lower case = value }; lines of one name are joined as those of an event are. */
static void push_headers(lua_State *L, struct slice head, struct buf *scratch)
{
    struct slice name, value;
    lua_newtable(L);
    for (int lines = 0; lines < FETCH_HEADERS_MAX && fetch_head_next(&head, &name, &value); lines++) {
        push_lower(L, name, scratch); /* headers name */
        lua_pushvalue(L, -1);
        lua_rawget(L, -3); /* headers name before */
        bool is_first = lua_isnil(L, -1);
        if (is_first)
            lua_pop(L, 1);
        else
            lua_pushliteral(L, ", ");
        lua_pushlstring(L, value.data ? value.data : "", value.len);
        if (!is_first)
            lua_concat(L, 3);
        lua_rawset(L, -3);
    }
}

/* The body as JSON; nil where it is none, or null. */
static void push_json(lua_State *L, int body)
{
    bool is_json = view_decode(L, body); /* else it has pushed why not */
    if (is_json && !view_is_null(L, -1))
        return;
    lua_pop(L, 1);
    lua_pushnil(L);
}

static void push_answer(lua_State *L, const struct fetch_answer *answer, struct buf *scratch)
{
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, answer->status);
    lua_setfield(L, -2, "status");
    push_headers(L, answer->head, scratch);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, answer->body.data ? answer->body.data : "", answer->body.len);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "body");
    push_json(L, lua_gettop(L));
    lua_setfield(L, -3, "json");
    lua_pop(L, 1);
}

/* take(): the place of what was answered and the answer; or the place, nil, the kind of error and its words. */
static int l_take(lua_State *L)
{
    struct script *script = script_of(L);
    const struct fetch_answer *answer = script->current->arrived;
    if (!answer)
        return luaL_error(L, "there is no answer to take");
    lua_pushinteger(L, script->current->arrived_place);
    if (answer->error == ATTEMPT_ANSWERED) {
        push_answer(L, answer, &script->scratch);
        return 2;
    }
    lua_pushnil(L);
    lua_pushstring(L, attempt_error_name(answer->error));
    lua_pushstring(L, answer->detail);
    return 4;
}

int luaopen_tidewire_http_native(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "prepare", l_prepare }, { "begin", l_begin }, { "wait", l_wait },
        { "take", l_take },       { "end_all", l_end }, { NULL, NULL },
    };
    lua_createtable(L, 0, 6);
    for (const luaL_Reg *function = functions; function->name; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    lua_pushinteger(L, FETCHES_MAX);
    lua_setfield(L, -2, "together_max");
    return 1;
}
