/* call.c: the one way into Lua: charged, watched, and left whole or not at all. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "script/inside.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

static enum call_result resume(struct script *script, lua_State *coroutine, int n)
{
    int status = lua_resume(coroutine, n);
    (void)script;
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
static enum call_result abandon(struct script *script)
{
#ifdef __SANITIZE_ADDRESS__
    __asan_handle_no_return();
#endif
    watchdog_after_jump(script->config.slot);
    script->abandoned = true;
    LOG(LOG_ERROR, "lua state abandoned", LOG_I("memory", heap_used(script->heap)));
    return CALL_ABANDONED;
}

enum call_result call_resume(struct script *script, lua_State *coroutine, int n, struct heap_account *account, uint64_t budget_ns,
                             bool *late)
{
    struct watchdog_slot *slot = script->config.slot;
    enum call_result result;
    *late = false;
    forget_callbacks(script);
    heap_charge(script->heap, account);
    if (!slot) {
        result = resume(script, coroutine, n);
    } else if (sigsetjmp(slot->before, 0) == 0) {
        watchdog_enter(slot, script->L, script->heap, budget_ns);
        result = resume(script, coroutine, n);
        *late = watchdog_leave(slot);
    } else {
        *late = true;
        result = abandon(script);
    }
    heap_charge(script->heap, NULL);
    return result;
}

void call_collect_if_due(struct script *script)
{
    if (script->abandoned || (!heap_take_refusal(script->heap) && !heap_is_over_half(script->heap)))
        return;
    lua_gc(script->L, LUA_GCCOLLECT, 0); /* LuaJIT collects nothing by itself when an allocation is refused */
    if (heap_is_over_half(script->heap)) {
        LOG(LOG_WARN, "lua state full", LOG_I("memory", heap_used(script->heap)));
        script->abandoned = true;
    }
}
