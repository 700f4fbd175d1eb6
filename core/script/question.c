/* question.c: functions of rules that only answer: `when`, `dedupe`, `order_by`, `success`. No actions, no waiting; a coroutine
 * each, because a result or an error is then found on a stack of its own. */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json/json.h"
#include "script/help.h"
#include "script/inside.h"

struct question {
    struct script *script;
    int table_ref; /* routes or targets */
    struct slice key;
    const char *function;
    struct slice file; /* where the sentence stands */
    uint32_t line;
    const struct limits *limits;
    bool on_probation;
    struct arena *arena;        /* for the failure's text */
    struct script_event *event; /* NULL: an answer is judged */
    const struct script_answer *answer;
    struct heap_account account;
    lua_State *coroutine;
    int thread_ref;
    struct slice text; /* of the result, where text is wanted */
};

static void push_answer(lua_State *L, const struct script_answer *answer)
{
    lua_createtable(L, 0, 4);
    lua_pushnumber(L, answer->status);
    lua_setfield(L, -2, "status");
    lua_pushlstring(L, answer->body.data ? answer->body.data : "", answer->body.len);
    lua_setfield(L, -2, "body");
    lua_pushlstring(L, answer->content_type.data ? answer->content_type.data : "", answer->content_type.len);
    lua_setfield(L, -2, "content_type");
    lua_createtable(L, 0, (int)answer->header_count);
    for (size_t i = 0; i < answer->header_count; i++) {
        lua_pushlstring(L, answer->headers[i].name.data, answer->headers[i].name.len);
        lua_pushlstring(L, answer->headers[i].value.data, answer->headers[i].value.len);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "headers");
}

static int push_question(lua_State *L)
{
    struct question *question = lua_touserdata(L, 1);
    question->coroutine = lua_newthread(L);
    question->thread_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_rawgeti(L, LUA_REGISTRYINDEX, question->table_ref);
    lua_pushlstring(L, question->key.data, question->key.len);
    lua_rawget(L, -2);
    lua_getfield(L, -1, question->function);
    if (question->event)
        event_api_push(L, question->event);
    else
        push_answer(L, question->answer);
    lua_xmove(L, question->coroutine, 2);
    return 0;
}

/* What has no line of its own gets its sentence's. */
static enum result fail(struct question *question, enum run_reason reason, struct slice text, struct script_failure *failure)
{
    struct buf *placed = &question->script->scratch;
    buf_clear(placed);
    if (!help_has_line(question->script->generation, text))
        buf_addf(placed, "%.*s:%u: %s: ", SLICE_ARGS(question->file), question->line, question->function);
    buf_add_slice(placed, text);
    struct slice kept = arena_copy(question->arena, buf_ok(placed) ? buf_slice(placed) : text);
    *failure = (struct script_failure){ reason, kept.data ? kept : SLICE("not enough memory") };
    return ERR_SCRIPT;
}

static struct stretch stretch_of(struct question *question)
{
    uint64_t budget_ms = question->limits->handler_cpu_ms;
    if (question->on_probation && budget_ms > PROBATION_CPU_MS)
        budget_ms = PROBATION_CPU_MS;
    return (struct stretch){
        .account = &question->account,
        .budget_ns = budget_ms * 1000000,
        .whole_ns = budget_ms * 1000000,
        .grace_ns = (question->on_probation ? PROBATION_GRACE_MS : WATCHDOG_GRACE_MS) * 1000000ull,
        .task = question->event ? FLIGHT_QUESTION : FLIGHT_SUCCESS,
        .event = question->event ? question->event->event->id : (struct uuid){ { 0 } },
        .name = question->key,
    };
}

/* OK: the result is on question->coroutine's stack until end. */
static enum result ask(struct question *question, struct script_failure *failure)
{
    struct script *script = question->script;
    char room[FAILURE_TEXT_SIZE];
    struct stretch stretch = stretch_of(question);
    question->thread_ref = LUA_NOREF;
    question->account.limit = (int64_t)question->limits->handler_memory;
    if (script->abandoned)
        return ERR_FULL;
    if (lua_cpcall(script->L, push_question, question) != 0) {
        lua_pop(script->L, 1);
        return ERR_FULL; /* nothing of the asker's has run: others have filled the state */
    }
    script->phase = PHASE_QUESTION;
    enum call_result result = call_resume(script, question->coroutine, 1, &stretch);
    script->phase = PHASE_IDLE;
    if (result == CALL_RETURNED)
        return OK;
    if (result == CALL_ABANDONED && failure_is_anothers(script, &stretch))
        return ERR_FULL;
    if (result == CALL_YIELDED)
        return fail(question, RUN_ERROR, SLICE("nothing may wait here"), failure);
    struct script_failure why = failure_of(script, &stretch, question->limits, question->coroutine, question->function,
                                           question->file, question->line, room);
    return fail(question, why.reason, why.text, failure);
}

static void end(struct question *question)
{
    struct script *script = question->script;
    if (!script->abandoned && question->thread_ref != LUA_NOREF)
        luaL_unref(script->L, LUA_REGISTRYINDEX, question->thread_ref);
    if (question->event)
        event_api_end(script, question->event);
    if (script->abandoned)
        runs_lose_all(script);
    else
        call_collect_if_due(script);
}

/* By the first thing it returned: `return pcall(f)` returns an error's text behind its false. */
static bool is_true(const struct question *question)
{
    return lua_gettop(question->coroutine) > 0 && lua_toboolean(question->coroutine, 1);
}

static struct question question_of_route(struct script *script, const struct route *route, struct event *event,
                                         const char *function)
{
    return (struct question){ .script = script,
                              .table_ref = script->routes_ref,
                              .key = route->path,
                              .function = function,
                              .file = route->file,
                              .line = route->line,
                              .limits = &route->limits,
                              .arena = &event->arena,
                              .event = event_api_begin(script, event) };
}

enum result script_when(struct script *script, const struct route *route, struct event *event, bool on_probation, bool *holds,
                        struct script_failure *failure)
{
    struct question question = question_of_route(script, route, event, "when");
    question.on_probation = on_probation;
    enum result rc = ask(&question, failure);
    if (rc == OK)
        *holds = is_true(&question);
    end(&question);
    return rc;
}

/* The key on top of the stack as text; numbers with all of their digits, since two of them are not one key. */
static bool push_key(lua_State *L)
{
    struct buf digits;
    if (lua_type(L, -1) == LUA_TSTRING || view_push_digits(L, -1))
        return true;
    if (lua_type(L, -1) != LUA_TNUMBER || !isfinite(lua_tonumber(L, -1)))
        return false;
    char text[40];
    buf_init(&digits, sizeof(text));
    json_write_number(&digits, lua_tonumber(L, -1));
    snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(buf_slice(&digits)));
    buf_deinit(&digits);
    lua_pushstring(L, text);
    return true;
}

/* Protected: a text of a number has to be made, which may find no memory. */
static int take_text(lua_State *L)
{
    struct question *question = lua_touserdata(L, 1);
    struct slice text;
    lua_pushvalue(question->coroutine, 1); /* the first thing it returned: s:gsub("-", "") returns a count behind its text */
    lua_xmove(question->coroutine, L, 1);
    if (!push_key(L))
        return 0;
    text.data = lua_tolstring(L, -1, &text.len);
    question->text = arena_copy(question->arena, text);
    if (!question->text.data)
        return luaL_error(L, "not enough memory");
    return 0;
}

static enum result take_key(struct question *question, struct slice *key, struct script_failure *failure)
{
    lua_State *L = question->script->L;
    *key = (struct slice){ NULL, 0 };
    if (lua_isnoneornil(question->coroutine, 1))
        return OK;
    if (lua_cpcall(L, take_text, question) != 0) {
        lua_pop(L, 1);
        return fail(question, RUN_MEMORY, SLICE("no memory for what it gave"), failure);
    }
    if (!question->text.data)
        return fail(question, RUN_ERROR, SLICE("give text, a number, or nil for no key"), failure);
    *key = question->text;
    return OK;
}

enum result script_key(struct script *script, const struct route *route, enum key_question what, struct event *event,
                       struct slice *key, struct script_failure *failure)
{
    struct question question = question_of_route(script, route, event, what == ASK_ORDER ? "order_by" : "dedupe");
    enum result rc = ask(&question, failure);
    if (rc == OK)
        rc = take_key(&question, key, failure);
    end(&question);
    return rc;
}

enum result script_success(struct script *script, const struct target *target, const struct script_answer *answer,
                           struct arena *arena, bool *success, struct script_failure *failure)
{
    struct question question = { .script = script,
                                 .table_ref = script->targets_ref,
                                 .key = target->name,
                                 .function = "success",
                                 .file = target->file,
                                 .line = target->line,
                                 .limits = &script->generation->limits,
                                 .arena = arena,
                                 .answer = answer };
    enum result rc = ask(&question, failure);
    if (rc == OK)
        *success = is_true(&question);
    end(&question);
    return rc;
}
