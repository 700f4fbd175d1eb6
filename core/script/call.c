/* call.c: the one way into Lua: charged, watched, and left whole or not at all. */
#include <lauxlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "script/coverage.h"
#include "script/inside.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

static enum call_result resume(lua_State *coroutine, int n, struct stretch *stretch)
{
    int status = lua_resume(coroutine, n);
    stretch->out_of_memory = status == LUA_ERRMEM;
    return status == 0 ? CALL_RETURNED : status == LUA_YIELD ? CALL_YIELDED : CALL_FAILED;
}

/* Nothing waits inside a callback, so none is open here, whatever a killed run has left. Allocates nothing: the slot exists. */
static void forget_callbacks(struct script *script)
{
    lua_rawgeti(script->L, LUA_REGISTRYINDEX, script->nesting_ref);
    lua_pushinteger(script->L, 0);
    lua_rawseti(script->L, -2, 1);
    lua_pop(script->L, 1);
}

/* The state does not come back by itself: from here on nobody touches it. */
static enum call_result abandon(struct script *script, enum jump jump, const struct stretch *stretch)
{
#ifdef __SANITIZE_ADDRESS__
    __asan_handle_no_return();
#endif
    watchdog_after_jump(script->config.slot);
    script->abandoned = script->jumped = true;
    script->lost = jump == JUMP_TIME ? RUN_CPU : jump == JUMP_STACK ? RUN_STACK : RUN_MEMORY;
    if (script->generation) /* of a scratch the report says it */
        LOG(LOG_ERROR, "lua state abandoned", LOG_T("reason", run_reason_name(script->lost)), LOG_S("name", stretch->name),
            LOG_I("memory", heap_used(script->heap)));
    return CALL_ABANDONED;
}

static void enter(struct script *script, const struct stretch *stretch, uint64_t now_ns)
{
    watchdog_enter(script->config.slot, script->L, script->heap, now_ns, stretch->budget_ns, stretch->grace_ns);
}

static void write_flight(const struct script *script, const struct stretch *stretch)
{
    uint32_t generation = script->generation ? script->generation->number : 0;
    flight_begin(script->config.slot->flight, stretch->task, stretch->event, stretch->name, generation);
}

enum call_result call_resume(struct script *script, lua_State *coroutine, int n, struct stretch *stretch)
{
    struct watchdog_slot *slot = script->config.slot;
    uint64_t start_ns = clock_work_ns();
    enum call_result result;
    int jump;
    stretch->late = false;
    forget_callbacks(script);
    if (script->config.coverage)
        coverage_hook(coroutine); /* each time: a time limit takes it away */
    heap_charge(script->heap, stretch->account);
    if (!slot) {
        result = resume(coroutine, n, stretch);
    } else if ((jump = sigsetjmp(slot->before, 0)) == 0) {
        if (slot->flight)
            write_flight(script, stretch);
        enter(script, stretch, start_ns);
        result = resume(coroutine, n, stretch);
        stretch->late = watchdog_leave(slot);
    } else {
        stretch->late = jump == JUMP_TIME;
        result = abandon(script, (enum jump)jump, stretch);
    }
    if (slot && slot->flight)
        flight_end(slot->flight);
    heap_charge(script->heap, NULL);
    stretch->used_ns = clock_work_ns() - start_ns;
    return result;
}

enum call_result call_function(struct script *script, lua_CFunction function, void *arg, struct stretch *stretch)
{
    struct watchdog_slot *slot = script->config.slot;
    enum call_result result;
    int jump;
    stretch->late = false;
    if (!slot)
        return lua_cpcall(script->L, function, arg) == 0 ? CALL_RETURNED : CALL_FAILED;
    if ((jump = sigsetjmp(slot->before, 0)) != 0) {
        stretch->late = jump == JUMP_TIME;
        return abandon(script, (enum jump)jump, stretch);
    }
    enter(script, stretch, clock_work_ns());
    result = lua_cpcall(script->L, function, arg) == 0 ? CALL_RETURNED : CALL_FAILED;
    stretch->late = watchdog_leave(slot);
    return result;
}

void call_again(struct script *script, uint64_t budget_ns)
{
    struct watchdog_slot *slot = script->config.slot;
    if (!slot)
        return;
    (void)watchdog_leave(slot);
    watchdog_enter(slot, script->L, script->heap, clock_work_ns(), budget_ns, WATCHDOG_GRACE_MS * 1000000ull);
}

/* Of what is held, so much belongs to runs that wait. */
static size_t held_by_waiting(const struct script *script)
{
    size_t held = 0;
    for (const struct inside_run *inside = script->runs; inside; inside = inside->next)
        held += inside->account.used > 0 ? (size_t)inside->account.used : 0;
    return held;
}

static int collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT, 0);
    return 0;
}

void call_collect_if_due(struct script *script)
{
    if (script->abandoned || (!heap_take_refusal(script->heap) && !heap_is_over_half(script->heap)))
        return;
    if (lua_cpcall(script->L, collect, NULL) != 0) /* LuaJIT collects nothing by itself when an allocation is refused */
        lua_pop(script->L, 1);
    (void)heap_take_refusal(script->heap);
    if (!heap_is_over_half(script->heap) || held_by_waiting(script) > heap_used(script->heap) / 2)
        return;
    LOG(LOG_WARN, "lua state full", LOG_I("memory", heap_used(script->heap)));
    script->abandoned = true;
    script->lost = RUN_MEMORY;
}

bool script_has_room(const struct script *script)
{
    return script->waiting == 0 || !heap_is_over_half(script->heap);
}
