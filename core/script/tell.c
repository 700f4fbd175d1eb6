/* tell.c: on_error and on_dead: functions of a route that hear of what failed. They may send, keep values and log, and decide
 * nothing: their own failure is somebody's line in the log. */
#include <lauxlib.h>
#include <stdio.h>

#include "base/clock.h"
#include "script/inside.h"

struct telling {
    const struct script_notice *notice;
    struct inside_run inside; /* not on the script's list: it never waits */
    struct run run;
};

static void push_delivery(lua_State *L, const struct script_dead *dead)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(dead->id, id);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, id);
    lua_setfield(L, -2, "id");
    lua_pushlstring(L, dead->target.data, dead->target.len);
    lua_setfield(L, -2, "target");
    lua_pushnumber(L, dead->attempts);
    lua_setfield(L, -2, "attempts");
    if (dead->status) {
        lua_pushnumber(L, dead->status);
        lua_setfield(L, -2, "status");
    }
}

static int push_function(lua_State *L)
{
    struct telling *telling = lua_touserdata(L, 1);
    const struct script_notice *notice = telling->notice;
    struct inside_run *inside = &telling->inside;
    int arguments = 3;
    inside->coroutine = lua_newthread(L);
    inside->thread_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_rawgeti(L, LUA_REGISTRYINDEX, inside->script->routes_ref);
    lua_pushlstring(L, notice->route->path.data, notice->route->path.len);
    lua_rawget(L, -2);
    lua_getfield(L, -1, notice->function); /* … function */
    event_api_push(L, inside->event);      /* … function event */
    lua_pushlstring(L, notice->why.data ? notice->why.data : "", notice->why.len);
    if (notice->dead) {
        push_delivery(L, notice->dead);
        arguments++;
    }
    lua_xmove(L, inside->coroutine, arguments);
    return 0;
}

static struct stretch stretch_of(struct telling *telling)
{
    const struct route *route = telling->notice->route;
    return (struct stretch){
        .account = &telling->inside.account,
        .budget_ns = route->limits.handler_cpu_ms * 1000000,
        .whole_ns = route->limits.handler_cpu_ms * 1000000,
        .grace_ns = WATCHDOG_GRACE_MS * 1000000ull,
        .task = FLIGHT_QUESTION,
        .event = telling->notice->event->id,
        .name = route->path,
    };
}

static enum result run(struct telling *telling, struct script_failure *failure)
{
    const struct script_notice *notice = telling->notice;
    struct inside_run *inside = &telling->inside;
    struct script *script = inside->script;
    char room[FAILURE_TEXT_SIZE];
    if (lua_cpcall(script->L, push_function, telling) != 0) {
        lua_pop(script->L, 1);
        return ERR_FULL;
    }
    struct stretch stretch = stretch_of(telling);
    script->current = inside;
    script->phase = PHASE_TELLING;
    enum call_result result = call_resume(script, inside->coroutine, notice->dead ? 3 : 2, &stretch);
    script->phase = PHASE_IDLE;
    script->current = NULL;
    if (result == CALL_RETURNED)
        return OK;
    struct script_failure why = { RUN_ERROR, SLICE("nothing may wait here") };
    if (result != CALL_YIELDED)
        why = failure_of(script, &stretch, &notice->route->limits, inside->coroutine, notice->function, notice->route->file,
                         notice->route->line, room);
    struct slice kept = arena_copy(&notice->event->arena, why.text);
    *failure = (struct script_failure){ why.reason, kept.data ? kept : SLICE("not enough memory") };
    return ERR_SCRIPT;
}

/* The one before may have noted something of kv, and this one folds its own into copies of that: its failure changes nothing.
 * false: no memory. */
static bool copy_kv(struct inside_run *inside, struct arena *arena)
{
    struct kv_note **place = &inside->outcome->kv;
    for (const struct kv_note *note = *place; note; note = note->next) {
        struct kv_note *copy = *place = arena_alloc(arena, sizeof(*copy));
        if (!copy)
            return false;
        *copy = *note;
        copy->room = 0;
        if (note->value.data == note->sum)
            copy->value.data = copy->sum;
        place = &copy->next;
        inside->kv_count++;
    }
    return true;
}

enum result script_tell(struct script *script, const struct script_notice *notice, struct script_failure *failure)
{
    struct outcome *outcome = notice->outcome, before = *outcome;
    struct new_delivery **last = &outcome->deliveries;
    struct telling telling = { .notice = notice, .run = { .event = notice->event, .route = notice->route } };
    struct inside_run *inside = &telling.inside;
    if (script->abandoned)
        return ERR_FULL;
    while (*last)
        last = &(*last)->next;
    *inside = (struct inside_run){ .script = script, .run = &telling.run, .thread_ref = LUA_NOREF, .outcome = outcome };
    inside->account.limit = (int64_t)notice->route->limits.handler_memory;
    inside->last_delivery = last;
    inside->event = event_api_begin(script, notice->event);
    enum result rc = copy_kv(inside, &notice->event->arena) ? run(&telling, failure) : ERR_FULL;
    if (rc != OK) { /* what it has noted before it failed is forgotten, as a handler's is */
        *last = NULL;
        *outcome = before;
    }
    if (!script->abandoned && inside->thread_ref != LUA_NOREF)
        luaL_unref(script->L, LUA_REGISTRYINDEX, inside->thread_ref);
    event_api_end(script, inside->event);
    call_collect_if_due(script);
    if (script->abandoned)
        runs_lose_all(script);
    return rc;
}
