/* vm.c: a state from its making to its end. */
#include "body/xml.h"
#include "script/vm.h"

#include <lauxlib.h>
#include <lualib.h>
#include <luajit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "script/inside.h"
#include "script/lib/libs.h"
#include "script/stand_in_keys.h"

#define SCRIPT_KEY "tidewire.script"

enum {
    HOOK_EVERY = 1000,
    LOAD_STEP_MS = 4000, /* of processor time, for one file */
    LATE_GRACE_MS = 500, /* past the deadline, for what no hook reaches: a C function that does not come back */
};

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

bool script_was_jumped(const struct script *script)
{
    return script->jumped;
}

static void keep_error(struct script *script, lua_State *L)
{
    const char *text = lua_tostring(L, -1);
    if (script->late)
        return; /* this one is only what followed */
    snprintf(script->error, sizeof(script->error), "%s", text ? text : "an error that is no text");
}

/* ---- a deadline for scratch states: they run with the JIT off, so that the hook is always seen ---- */

/* The innermost line of a rule file; false: none is running. */
static bool find_rule_line(lua_State *L, lua_Debug *at)
{
    for (int level = 0; lua_getstack(L, level, at); level++) {
        size_t len;
        lua_getinfo(L, "Sl", at);
        len = strlen(at->source);
        if (at->currentline > 0 && at->source[0] == '=' && len > 5 && strcmp(at->source + len - 4, ".lua") == 0)
            return true;
    }
    return false;
}

/* Of this thread: a busy machine makes no rule a loop. */
static uint64_t cpu_ms(void)
{
    return clock_thread_cpu_ns() / 1000000;
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    struct script *script = script_of(L);
    uint64_t now_ms = cpu_ms();
    (void)ar;
    if (!script->deadline_ms || (now_ms <= script->deadline_ms && now_ms <= script->step_ms))
        return;
    if (!script->late) {
        lua_Debug at;
        if (find_rule_line(L, &at))
            snprintf(script->error, sizeof(script->error), "%s:%d: %s", at.source + 1, at.currentline, script->too_long);
        else
            snprintf(script->error, sizeof(script->error), "%s", script->too_long);
        script->late = true;
    }
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1); /* at each instruction from here on: no pcall swallows it */
    luaL_error(L, script->too_long);
}

void script_step(struct script *script, const char *name)
{
    if (script->late)
        return;
    snprintf(script->step, sizeof(script->step), "%s", name);
    script->step_ms = cpu_ms() + LOAD_STEP_MS;
    call_again(script, (LOAD_STEP_MS + LATE_GRACE_MS) * (uint64_t)1000000);
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
    struct stretch stretch = { .budget_ns = (LOAD_STEP_MS + LATE_GRACE_MS) * (uint64_t)1000000,
                               .grace_ns = WATCHDOG_GRACE_MS * 1000000ull,
                               .task = FLIGHT_LOADING,
                               .name = SLICE("loading") };
    enum phase before = script->phase;
    script->phase = PHASE_LOADING;
    script->deadline_ms = limit_ms ? cpu_ms() + limit_ms : 0;
    script->too_long = "loading took too long: a loop at the top of a file?";
    script->step_ms = cpu_ms() + LOAD_STEP_MS;
    enum call_result result = call_function(script, call_protected, &call, &stretch);
    script->deadline_ms = 0;
    script->phase = before;
    if (result == CALL_FAILED) {
        keep_error(script, script->L);
        lua_pop(script->L, 1);
    }
    if (result == CALL_ABANDONED && script->lost == RUN_MEMORY)
        snprintf(script->error, sizeof(script->error), "%s:1: loading needs more than state_memory", script->step);
    else if (stretch.late && !script->late)
        snprintf(script->error, sizeof(script->error), "%s:1: loading does not come back: a long pattern at the top of the file?",
                 script->step);
    return result == CALL_RETURNED ? OK : ERR_SCRIPT;
}

/* ---- a prompt ---- */

int script_call_limited(lua_State *L, uint32_t limit_ms)
{
    struct script *script = script_of(L);
    int top = lua_gettop(L) - 1;
    script->deadline_ms = script->step_ms = cpu_ms() + limit_ms;
    script->too_long = "more processor time than it may have";
    int status = lua_pcall(L, 0, LUA_MULTRET, 0);
    if (script->late) { /* whatever a pcall made of it */
        lua_settop(L, top);
        lua_pushfstring(L, "%s: %d ms (handler_cpu)", script->too_long, (int)limit_ms);
        status = LUA_ERRRUN;
    }
    script->deadline_ms = 0;
    script->late = false;
    lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_EVERY);
    return status;
}

void script_push_event(lua_State *L, struct event *event)
{
    event_api_push(L, event_api_begin(script_of(L), event));
}

/* ---- making one ---- */

static int open_state(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);
    luaL_openlibs(L);
    lua_pushlightuserdata(L, script);
    lua_setfield(L, LUA_REGISTRYINDEX, SCRIPT_KEY);
    if (!script->generation || script->config.coverage)
        luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    script->views = views_of(L);
    if (script->generation)
        libs_set_secrets(L, generation_secret, script->generation);
    if (script->generation && script->generation->stands_in)
        libs_set_stand_ins(L, stand_in_key_half, script->generation);
    modules_open(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidewire.environment");
    lua_call(L, 1, 0);
    lua_getfield(L, LUA_REGISTRYINDEX, "tidewire.nesting");
    script->nesting_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* Every way in is protected (call.c, script_protected): only an error inside the making of an error gets here. To return would
 * end the process. */
static int on_panic(lua_State *L)
{
    struct watchdog_slot *slot = watchdog_own();
    if (slot && slot->state == script_of(L)->L && watchdog_is_in_lua(slot))
        siglongjmp(slot->before, JUMP_PANIC);
    fprintf(stderr, "tidewire: Lua gave up: %s\n", lua_tostring(L, -1));
    abort();
}

/* Memory was refused. Older LuaJIT (2.1.0-beta3, Debian 12) unwinds from a wrong frame when compiled code meets that, and
 * crashes; so a run leaves its state at once, and no pcall swallows it. */
static void on_refusal(void *arg)
{
    struct watchdog_slot *slot = arg;
    if (watchdog_is_in_lua(slot))
        siglongjmp(slot->before, JUMP_MEMORY);
}

enum result script_new(const struct script_config *config, struct script **out)
{
    struct script *script = MEM_NEW(struct script);
    script->config = *config;
    script->generation = config->generation ? generation_ref(config->generation) : NULL;
    script->routes_ref = script->targets_ref = LUA_NOREF;
    buf_init(&script->scratch, SCRATCH_MAX);
    buf_init(&script->pieces, SCRATCH_MAX);
    buf_init(&script->records, XML_RECORDS_MAX);
    script->heap = heap_new(script->generation ? script->generation->limits.state_memory : config->memory);
    script->L = script->heap ? lua_newstate(heap_allocate, script->heap) : NULL;
    if (!script->L) {
        script_free(script);
        return ERR_MEMORY;
    }
    lua_atpanic(script->L, on_panic);
    if (config->slot && config->generation) /* a scratch compiles nothing: its errors say where */
        heap_on_refusal(script->heap, on_refusal, config->slot);
    if (lua_cpcall(script->L, open_state, script) != 0) {
        keep_error(script, script->L);
        fprintf(stderr, "tidewire: %s\n", script->error);
        script_free(script);
        return ERR_SCRIPT;
    }
    if (!config->generation)
        lua_sethook(script->L, on_count, LUA_MASKCOUNT, HOOK_EVERY);
    *out = script;
    return OK;
}

void script_free(struct script *script)
{
    if (!script)
        return;
    runs_lose_all(script);
    /* Closed where that is possible, for the machine code lies outside the heap. Of an abandoned one only the heap goes, as a
     * whole: finalisers of ours hold nothing outside it, and what views hold is given back by views_free. */
    if (script->L && !script->jumped)
        lua_close(script->L);
    views_free(script->views);
    event_api_free(script);
    heap_free(script->heap);
    buf_deinit(&script->scratch);
    buf_deinit(&script->pieces);
    buf_deinit(&script->records);
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
    lua_gc(L, LUA_GCCOLLECT, 0); /* what loading has left is no run's: else it counts for the one that frees it */
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
    struct stretch stretch = { .budget_ns = LOAD_STEP_MS * 1000000ull,
                               .grace_ns = WATCHDOG_GRACE_MS * 1000000ull,
                               .task = FLIGHT_LOADING,
                               .name = slice_of(script->generation->hash) };
    if (!script->loader) {
        if (lua_cpcall(script->L, start_loader, script) != 0)
            return fail_load(script, script->L);
        arguments = 1;
    }
    do {
        script->phase = PHASE_LOADING;
        enum call_result result = call_resume(script, script->loader, arguments, &stretch);
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
