/* run.c: a handler from its start to its end.
 *
 *   script_run --coroutine--> in Lua --returns--------------------> handled
 *                               |--drop, fail, retry: yields-----> dropped, failed, tried again: it is never resumed
 *                               |--raises, over a limit----------> tried again, or failed after the last try
 *                               '--sleep: yields--> waits --timer--> in Lua …
 */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "script/help.h"
#include "script/inside.h"

static enum run_state go_on(struct inside_run *inside, int arguments);

/* ---- life ---- */

static struct inside_run *inside_new(struct script *script, struct run *run)
{
    struct inside_run *inside = MEM_NEW(struct inside_run);
    inside->script = script;
    inside->run = run;
    inside->account.limit = (int64_t)script->config.limits.handler_memory;
    inside->cpu_left_ns = script->config.limits.handler_cpu_ms * 1000000;
    inside->started_ms = clock_mono_ms();
    inside->thread_ref = LUA_NOREF;
    inside->next = script->runs;
    if (inside->next)
        inside->next->prev = inside;
    script->runs = inside;
    run->inside = inside;
    return inside;
}

static void on_timer_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

/* Its coroutine is left to the collector. */
static void inside_free(struct inside_run *inside)
{
    struct script *script = inside->script;
    if (inside->prev)
        inside->prev->next = inside->next;
    else
        script->runs = inside->next;
    if (inside->next)
        inside->next->prev = inside->prev;
    if (inside->waiting)
        script->waiting--;
    if (inside->event)
        event_api_end(script, inside->event);
    if (inside->thread_ref != LUA_NOREF && !script->abandoned)
        luaL_unref(script->L, LUA_REGISTRYINDEX, inside->thread_ref);
    inside->run->inside = NULL;
    if (inside->timer_open)
        uv_close((uv_handle_t *)&inside->timer, on_timer_closed);
    else
        mem_free(inside);
}

static void finish(struct inside_run *inside, struct outcome *outcome)
{
    struct run *run = inside->run;
    inside_free(inside);
    run->on_done(run, outcome);
}

/* ---- how it ended ---- */

static struct slice text_at(lua_State *L, int index)
{
    struct slice text = { NULL, 0 };
    if (lua_type(L, index) == LUA_TSTRING)
        text.data = lua_tolstring(L, index, &text.len);
    return text.data ? text : SLICE("an error that is no text");
}

static bool is_about_memory(struct slice text)
{
    return memmem(text.data, text.len, "not enough memory", 17) != NULL;
}

static enum run_reason reason_of(const struct inside_run *inside, struct slice text, bool late)
{
    if (late)
        return RUN_CPU;
    if (inside->account.refused || is_about_memory(text)) /* LuaJIT refuses by itself what is larger than any heap */
        return RUN_MEMORY;
    return text.len && memmem(text.data, text.len, "stack overflow", 14) ? RUN_STACK : RUN_ERROR;
}

static struct slice limit_text(const struct inside_run *inside, enum run_reason reason, struct slice text, char *room,
                               size_t size)
{
    const struct script_limits *limits = &inside->script->config.limits;
    int len = 0;
    if (reason == RUN_MEMORY)
        len = snprintf(room, size, "more than handler_memory (%zu MiB)", limits->handler_memory >> 20);
    else if (reason == RUN_CPU)
        len = snprintf(room, size, "more processor time than handler_cpu (%llu ms): %.*s",
                       (unsigned long long)limits->handler_cpu_ms, text.len > 300 ? 300 : (int)text.len, text.data);
    else if (reason == RUN_WAIT)
        len = snprintf(room, size, "longer than handler_time (%llu ms)", (unsigned long long)limits->handler_time_ms);
    else
        return text;
    return (struct slice){ room, (size_t)len < size ? (size_t)len : size - 1 };
}

static void fail_run(struct inside_run *inside, enum run_reason reason, struct slice text)
{
    char room[400];
    outcome_settle(inside, EVENT_WAITING, reason, limit_text(inside, reason, text, room, sizeof(room)), 0);
    finish(inside, inside->outcome);
}

/* Refused, though it is not over its own limit: another's memory filled the state. It runs again, uncounted. */
static bool is_anothers_fault(const struct inside_run *inside, struct slice text)
{
    return is_about_memory(text) && inside->account.state_refused && !inside->account.refused;
}

static void on_failed(struct inside_run *inside, bool late)
{
    struct slice text = text_at(inside->coroutine, -1);
    enum run_reason reason = reason_of(inside, text, late);
    struct buf *helped = &inside->script->scratch;
    if (!late && is_anothers_fault(inside, text)) {
        finish(inside, NULL);
        return;
    }
    if (reason == RUN_ERROR) {
        buf_clear(helped);
        help_with_error(inside->script->generation, inside->run->event, inside->script->views, text, helped);
        text = buf_ok(helped) ? buf_slice(helped) : text;
    }
    fail_run(inside, reason, text);
}

static void on_abandoned(struct inside_run *inside)
{
    struct script *script = inside->script;
    fail_run(inside, RUN_CPU, SLICE("a loop or a C function that does not come back"));
    while (script->runs) { /* events that waited in the lost state run again */
        struct inside_run *other = script->runs;
        finish(other, NULL);
    }
}

/* ---- waiting ---- */

static void on_timer(uv_timer_t *timer)
{
    struct inside_run *inside = timer->data;
    uint64_t age_ms = clock_mono_ms() - inside->started_ms;
    inside->waiting = false;
    inside->script->waiting--;
    if (age_ms >= inside->script->config.limits.handler_time_ms)
        fail_run(inside, RUN_WAIT, SLICE(""));
    else
        (void)go_on(inside, 0);
}

/* The end of the wait, or of the time that a run may take, whichever comes first. */
static enum run_state wait(struct inside_run *inside, uint64_t wait_ms)
{
    struct script *script = inside->script;
    uint64_t age_ms = clock_mono_ms() - inside->started_ms, most_ms = script->config.limits.handler_time_ms;
    uint64_t left_ms = age_ms < most_ms ? most_ms - age_ms : 0;
    if (!inside->timer_open) {
        uv_timer_init(script->config.loop, &inside->timer);
        inside->timer.data = inside;
        inside->timer_open = true;
    }
    inside->waiting = true;
    script->waiting++;
    uv_update_time(script->config.loop);
    uv_timer_start(&inside->timer, on_timer, wait_ms < left_ms ? wait_ms : left_ms, 0);
    return RUN_WAITS;
}

static enum run_state on_yielded(struct inside_run *inside)
{
    lua_State *L = inside->coroutine;
    enum ending ending = plan_ending(L);
    switch (ending) {
    case ENDING_SLEEP:
        return wait(inside, (uint64_t)lua_tonumber(L, 2));
    case ENDING_DROP:
        outcome_settle(inside, EVENT_DROPPED, RUN_OK, text_at(L, 2), 0);
        break;
    case ENDING_FAIL:
        outcome_settle(inside, EVENT_FAILED, RUN_ERROR, text_at(L, 2), 0);
        break;
    case ENDING_RETRY:
        outcome_settle(inside, EVENT_WAITING, RUN_RETRY, text_at(L, 2), (uint64_t)lua_tonumber(L, 3));
        break;
    case ENDING_NONE:
        outcome_settle(inside, EVENT_WAITING, RUN_ERROR, SLICE("the handler yielded by itself"), 0);
        break;
    }
    finish(inside, inside->outcome);
    return RUN_ENDED;
}

/* ---- in Lua ---- */

static enum run_state go_on(struct inside_run *inside, int arguments)
{
    struct script *script = inside->script;
    uint64_t before_ns = clock_mono_ns();
    bool late;
    script->current = inside;
    script->phase = PHASE_HANDLER;
    enum call_result result = call_resume(script, inside->coroutine, arguments, &inside->account, inside->cpu_left_ns, &late);
    script->phase = PHASE_IDLE;
    script->current = NULL;
    /* wall time on a thread of its own is processor time, near enough to share a budget between stretches */
    uint64_t used_ns = clock_mono_ns() - before_ns;
    inside->cpu_left_ns = inside->cpu_left_ns > used_ns ? inside->cpu_left_ns - used_ns : 1;
    switch (result) {
    case CALL_RETURNED:
        outcome_settle(inside, EVENT_HANDLED, RUN_OK, SLICE(""), 0);
        finish(inside, inside->outcome);
        break;
    case CALL_YIELDED:
        if (on_yielded(inside) == RUN_WAITS)
            return RUN_WAITS;
        break;
    case CALL_FAILED:
        on_failed(inside, late);
        break;
    case CALL_ABANDONED:
        on_abandoned(inside);
        return RUN_ENDED;
    }
    call_collect_if_due(script);
    return RUN_ENDED;
}

/* Pushes what handles this route onto the coroutine; false: no memory for one. */
struct starting {
    struct inside_run *inside;
};

static int push_handler(lua_State *L)
{
    struct starting *starting = lua_touserdata(L, 1);
    struct inside_run *inside = starting->inside;
    struct script *script = inside->script;
    inside->coroutine = lua_newthread(L);                  /* starting thread */
    inside->thread_ref = luaL_ref(L, LUA_REGISTRYINDEX);   /* starting */
    lua_rawgeti(L, LUA_REGISTRYINDEX, script->routes_ref); /* starting routes */
    lua_pushlstring(L, inside->run->route->path.data, inside->run->route->path.len);
    lua_rawget(L, -2);                        /* starting routes route */
    lua_getfield(L, -1, "handle");            /* starting routes route handle */
    event_api_push(L, script, inside->event); /* … event */
    lua_xmove(L, inside->coroutine, 2);
    return 0;
}

enum run_state script_run(struct script *script, struct run *run)
{
    struct inside_run *inside = inside_new(script, run);
    struct starting starting = { inside };
    inside->outcome = arena_alloc(&run->event->arena, sizeof(*inside->outcome));
    inside->event = event_api_begin(script, run->event);
    if (!inside->outcome || !inside->event) {
        finish(inside, NULL);
        return RUN_ENDED;
    }
    inside->last_delivery = &inside->outcome->deliveries;
    if (lua_cpcall(script->L, push_handler, &starting) != 0) {
        lua_pop(script->L, 1);
        finish(inside, NULL);
        call_collect_if_due(script);
        return RUN_ENDED;
    }
    return go_on(inside, 1);
}

void script_cancel(struct run *run)
{
    if (run->inside)
        inside_free(run->inside);
}
