/* vm.c: a state from its making to its end. */
#include "script/vm.h"

#include <lauxlib.h>
#include <lualib.h>
#include <luajit.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "script/inside.h"
#include "script/lib/libs.h"

#define SCRIPT_KEY "tidewire.script"

enum { HOOK_EVERY = 1000 };

struct script *script_of(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, SCRIPT_KEY);
    struct script *script = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return script;
}

struct lua_State *script_lua(struct script *script)
{
    return script->L;
}

const char *script_error(const struct script *script)
{
    return script->error;
}

struct generation *script_generation(const struct script *script)
{
    return script->generation;
}

uint32_t script_waiting(const struct script *script)
{
    return script->waiting;
}

size_t script_memory(const struct script *script)
{
    return heap_used(script->heap);
}

bool script_is_abandoned(const struct script *script)
{
    return script->abandoned;
}

static void keep_error(struct script *script, lua_State *L)
{
    const char *text = lua_tostring(L, -1);
    snprintf(script->error, sizeof(script->error), "%s", text ? text : "an error that is no text");
}

/* ---- a deadline for states without a watchdog: they run with the JIT off, so that the hook is always seen ---- */

static void on_count(lua_State *L, lua_Debug *ar)
{
    struct script *script = script_of(L);
    (void)ar;
    if (script->deadline_ms && clock_mono_ms() > script->deadline_ms)
        luaL_error(L, "loading took too long: a loop at the top of a file?");
}

struct protected_call {
    int (*fn)(lua_State *L);
    void *arg;
};

static int call_protected(lua_State *L)
{
    struct protected_call *call = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_pushlightuserdata(L, call->arg);
    return call->fn(L);
}

enum result script_protected(struct script *script, int (*fn)(lua_State *L), void *arg, uint32_t limit_ms)
{
    struct protected_call call = { fn, arg };
    enum phase before = script->phase;
    script->phase = PHASE_LOADING;
    script->deadline_ms = limit_ms ? clock_mono_ms() + limit_ms : 0;
    int failed = lua_cpcall(script->L, call_protected, &call);
    script->deadline_ms = 0;
    script->phase = before;
    if (failed) {
        keep_error(script, script->L);
        lua_pop(script->L, 1);
    }
    return failed ? ERR_SCRIPT : OK;
}

/* ---- making one ---- */

static int open_state(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);
    luaL_openlibs(L);
    lua_pushlightuserdata(L, script);
    lua_setfield(L, LUA_REGISTRYINDEX, SCRIPT_KEY);
    if (!script->config.slot)
        luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    script->views = views_of(L);
    if (script->generation)
        libs_set_secrets(L, generation_secret, script->generation);
    modules_open(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidewire.environment");
    lua_call(L, 1, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, "tidewire.nesting");
    script->nesting_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static int on_panic(lua_State *L)
{
    /* every way in is protected (call.c, script_protected): only an error inside the making of an error gets here */
    fprintf(stderr, "tidewire: Lua gave up: %s\n", lua_tostring(L, -1));
    return 0;
}

enum result script_new(const struct script_config *config, struct script **out)
{
    struct script *script = MEM_NEW(struct script);
    script->config = *config;
    script->generation = config->generation ? generation_ref(config->generation) : NULL;
    script->routes_ref = script->targets_ref = LUA_NOREF;
    buf_init(&script->scratch, SCRATCH_MAX);
    buf_init(&script->pieces, SCRATCH_MAX);
    script->heap = heap_new(config->limits.state_memory);
    script->L = script->heap ? lua_newstate(heap_allocate, script->heap) : NULL;
    if (!script->L) {
        script->abandoned = true;
        script_free(script);
        return ERR_MEMORY;
    }
    lua_atpanic(script->L, on_panic);
    if (lua_cpcall(script->L, open_state, script) != 0) {
        keep_error(script, script->L);
        fprintf(stderr, "tidewire: %s\n", script->error);
        script_free(script);
        return ERR_SCRIPT;
    }
    if (!config->slot)
        lua_sethook(script->L, on_count, LUA_MASKCOUNT, HOOK_EVERY);
    *out = script;
    return OK;
}

void script_free(struct script *script)
{
    if (!script)
        return;
    while (script->runs) { /* the others' turn: their events run again */
        struct run *run = script->runs->run;
        script_cancel(run);
        run->on_done(run, NULL);
    }
    /* the heap goes as a whole; finalisers of ours hold nothing outside it and what views hold is given back by views_free */
    views_free(script->views);
    event_api_free(script);
    heap_free(script->heap);
    buf_deinit(&script->scratch);
    buf_deinit(&script->pieces);
    generation_unref(script->generation);
    mem_free(script);
}

/* ---- loading a worker's rules, a slice at a time: the loader yields between files ---- */

static int push_setting(lua_State *L) /* env(name) */
{
    struct script *script = script_of(L);
    struct slice name;
    name.data = luaL_checklstring(L, 1, &name.len);
    for (size_t i = 0; i < script->generation->setting_count; i++) {
        const struct pair *setting = &script->generation->settings[i];
        if (slice_eq(setting->name, name)) {
            lua_pushlstring(L, setting->value.data, setting->value.len);
            return 1;
        }
    }
    return 0;
}

static int push_is_set(lua_State *L) /* secret(name) -> is it set? */
{
    struct script *script = script_of(L);
    struct slice name, value;
    name.data = luaL_checklstring(L, 1, &name.len);
    lua_pushboolean(L, generation_secret(script->generation, name, &value));
    return 1;
}

void script_push_files(lua_State *L, const struct generation *generation)
{
    lua_createtable(L, (int)generation->file_count, 0);
    for (size_t i = 0; i < generation->file_count; i++) {
        const struct rule_file *file = &generation->files[i];
        lua_createtable(L, 0, 3);
        lua_pushlstring(L, file->name.data, file->name.len);
        lua_setfield(L, -2, "name");
        lua_pushlstring(L, file->module.data ? file->module.data : "", file->module.len);
        lua_setfield(L, -2, "module");
        lua_pushlstring(L, file->text.data ? file->text.data : "", file->text.len);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* Leaves a coroutine in script->loader with loader.run and its argument on it. */
static int start_loader(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidewire.loader");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "run");
    lua_createtable(L, 0, 3);
    script_push_files(L, script->generation);
    lua_setfield(L, -2, "files");
    lua_pushliteral(L, "worker");
    lua_setfield(L, -2, "mode");
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, push_setting);
    lua_setfield(L, -2, "env");
    lua_pushcfunction(L, push_is_set);
    lua_setfield(L, -2, "secret");
    lua_setfield(L, -2, "host");
    script->loader = lua_newthread(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "tidewire.loader");
    lua_xmove(L, script->loader, 2);
    return 0;
}

/* { routes = …, targets = … } on the loader's stack. */
static int keep_loaded(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);
    lua_xmove(script->loader, L, 1);
    lua_getfield(L, -1, "routes");
    script->routes_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_getfield(L, -1, "targets");
    script->targets_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "tidewire.loader");
    return 0;
}

static enum result fail_load(struct script *script, lua_State *L)
{
    keep_error(script, L);
    script->loader = NULL;
    return ERR_SCRIPT;
}

enum result script_load(struct script *script, uint32_t slice_ms)
{
    uint64_t end_ms = clock_mono_ms() + slice_ms;
    int arguments = 0;
    bool late;
    if (!script->loader) {
        if (lua_cpcall(script->L, start_loader, script) != 0)
            return fail_load(script, script->L);
        arguments = 1;
    }
    do {
        script->phase = PHASE_LOADING;
        enum call_result result =
            call_resume(script, script->loader, arguments, NULL, script->config.limits.handler_cpu_ms * 10 * 1000000, &late);
        script->phase = PHASE_IDLE;
        arguments = 0;
        if (result == CALL_RETURNED)
            return lua_cpcall(script->L, keep_loaded, script) == 0 ? OK : fail_load(script, script->L);
        if (result == CALL_ABANDONED) {
            snprintf(script->error, sizeof(script->error), "loading does not come back: a loop at the top of a file?");
            return ERR_SCRIPT;
        }
        if (result == CALL_FAILED)
            return fail_load(script, script->loader);
        lua_settop(script->loader, 0);
    } while (clock_mono_ms() < end_ms);
    return ERR_FULL;
}

/* ---- questions: when, dedupe, success ---- */

struct question {
    struct script *script;
    int table_ref; /* routes or targets */
    struct slice key;
    const char *function;
    struct script_event *event; /* NULL: an answer is judged */
    const struct script_answer *answer;
    lua_State *coroutine;
    int thread_ref;
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
        event_api_push(L, question->script, question->event);
    else
        push_answer(L, question->answer);
    lua_xmove(L, question->coroutine, 2);
    return 0;
}

static void keep_question_error(struct question *question, struct arena *arena, const char *text, struct slice *error)
{
    struct slice kept = arena_copy(arena, slice_of(text ? text : "an error that is no text"));
    (void)question;
    *error = kept.data ? kept : SLICE("not enough memory");
}

/* ERR_SCRIPT: *error. OK: the result is on question->coroutine's stack until end_question. */
static enum result ask(struct question *question, struct arena *arena, struct slice *error)
{
    struct script *script = question->script;
    struct heap_account account = { .limit = (int64_t)script->config.limits.handler_memory };
    bool late;
    question->thread_ref = LUA_NOREF;
    if (script->abandoned || lua_cpcall(script->L, push_question, question) != 0) {
        keep_question_error(question, arena, "no memory for the question", error);
        return ERR_SCRIPT;
    }
    script->phase = PHASE_QUESTION;
    enum call_result result =
        call_resume(script, question->coroutine, 1, &account, script->config.limits.handler_cpu_ms * 1000000, &late);
    script->phase = PHASE_IDLE;
    if (result == CALL_RETURNED)
        return OK;
    keep_question_error(question, arena,
                        result == CALL_ABANDONED ? "a loop or a C function that does not come back"
                        : result == CALL_YIELDED ? "nothing may wait here"
                                                 : lua_tostring(question->coroutine, -1),
                        error);
    return ERR_SCRIPT;
}

static void end_question(struct question *question)
{
    struct script *script = question->script;
    if (!script->abandoned && question->thread_ref != LUA_NOREF)
        luaL_unref(script->L, LUA_REGISTRYINDEX, question->thread_ref);
    if (question->event)
        event_api_end(script, question->event);
    call_collect_if_due(script);
}

static struct question question_of_route(struct script *script, const struct route *route, struct event *event,
                                         const char *function)
{
    return (struct question){ .script = script,
                              .table_ref = script->routes_ref,
                              .key = route->path,
                              .function = function,
                              .event = event_api_begin(script, event) };
}

enum result script_when(struct script *script, const struct route *route, struct event *event, bool *holds, struct slice *error)
{
    struct question question = question_of_route(script, route, event, "when");
    enum result rc = ask(&question, &event->arena, error);
    if (rc == OK)
        *holds = lua_toboolean(question.coroutine, -1) && lua_gettop(question.coroutine) > 0;
    end_question(&question);
    return rc;
}

static enum result take_key(lua_State *L, struct event *event, struct slice *key, struct slice *error)
{
    struct slice text;
    *key = (struct slice){ NULL, 0 };
    if (lua_gettop(L) == 0 || lua_isnil(L, -1))
        return OK;
    if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER) {
        *error = SLICE("dedupe gives a text, a number or nil");
        return ERR_SCRIPT;
    }
    text.data = lua_tolstring(L, -1, &text.len);
    *key = arena_copy(&event->arena, text);
    return OK;
}

enum result script_dedupe(struct script *script, const struct route *route, struct event *event, struct slice *key,
                          struct slice *error)
{
    struct question question = question_of_route(script, route, event, "dedupe");
    enum result rc = ask(&question, &event->arena, error);
    if (rc == OK)
        rc = take_key(question.coroutine, event, key, error);
    end_question(&question);
    return rc;
}

enum result script_success(struct script *script, const struct target *target, const struct script_answer *answer,
                           struct arena *arena, bool *success, struct slice *error)
{
    struct question question = {
        .script = script, .table_ref = script->targets_ref, .key = target->name, .function = "success", .answer = answer
    };
    enum result rc = ask(&question, arena, error);
    if (rc == OK)
        *success = lua_gettop(question.coroutine) > 0 && lua_toboolean(question.coroutine, -1);
    end_question(&question);
    return rc;
}
