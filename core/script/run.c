/* run.c: a handler from its start to its end.
 *
 *   script_run --coroutine--> in Lua --returns--------------------> handled
 *                               |--drop, fail, retry: yields-----> dropped, failed, tried again: it is never resumed
 *                               |--raises, over a limit----------> tried again, or failed after the last try
 *                               |--sleep: yields--> waits --timer--> in Lua …
 *                               |--http.*: yields-> waits --an answer (fetching.c)--> in Lua …
 *                               '--kv, not in memory: yields--> waits --read--> in Lua …
 */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/help.h"
#include "script/inside.h"

enum { TIME_SLACK_MS = 100 /* a handler may wait just as long as handler_time says */ };

static enum run_state go_on(struct inside_run *inside, int arguments);

/* ---- life ---- */

static struct inside_run *inside_new(struct script *script, struct run *run)
{
    struct inside_run *inside = MEM_NEW(struct inside_run);
    inside->script = script;
    inside->run = run;
    inside->account.limit = (int64_t)run->route->limits.handler_memory;
    inside->started_ms = clock_mono_ms();
    inside->thread_ref = LUA_NOREF;
    inside->next = script->runs;
    if (inside->next)
        inside->next->prev = inside;
    script->runs = inside;
    run->inside = inside;
    return inside;
}

static void on_timer_closed(void *inside)
{
    mem_free(inside);
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
    if (inside->asked)
        fetching_end(inside);
    if (inside->event)
        event_api_end(script, inside->event);
    if (inside->thread_ref != LUA_NOREF && !script->abandoned)
        luaL_unref(script->L, LUA_REGISTRYINDEX, inside->thread_ref);
    kv_end(inside);
    rest_end(inside);
    inside->run->inside = NULL;
    if (inside->timer_open)
        timer_close(&inside->timer, on_timer_closed);
    else
        mem_free(inside);
}

static void finish(struct inside_run *inside, struct outcome *outcome)
{
    struct run *run = inside->run;
    run->cost =
        (struct run_cost){ .cpu_ns = inside->cpu_ns,
                           .wall_ns = inside->timer_open ? (clock_mono_ms() - inside->started_ms) * 1000000 : inside->cpu_ns,
                           .memory = inside->account.most > 0 ? (uint64_t)inside->account.most : 0 };
    const struct script_config *config = &inside->script->config;
    if (inside->logged > LOG_LINES_MAX)
        LOG(LOG_WARN, "rule log cut", LOG_ID("event_id", run->event->id), LOG_S("route", run->route->path),
            LOG_I("lines", inside->logged - LOG_LINES_MAX));
    if (config->on_ended)
        config->on_ended(config->arg, run, outcome);
    inside_free(inside);
    run->on_done(run, outcome);
}

void run_lost(struct inside_run *inside)
{
    finish(inside, NULL);
}

void runs_lose_all(struct script *script)
{
    while (script->runs)
        run_lost(script->runs);
}

void script_end_waits(struct script *script)
{
    runs_lose_all(script);
}

/* ---- how it ended ---- */

/* What the coroutine gave with its end; actions.lua has seen to it that it is text. */
static struct slice text_at(lua_State *L, int index)
{
    struct slice text = { NULL, 0 };
    if (lua_type(L, index) == LUA_TSTRING)
        text.data = lua_tolstring(L, index, &text.len);
    return text.data ? text : SLICE("");
}

static void fail_run(struct inside_run *inside, enum run_reason reason, struct slice text)
{
    outcome_settle(inside, EVENT_WAITING, reason, text, 0);
    finish(inside, inside->outcome);
}

/* The text of a common mistake with what would have helped (help.h). */
static struct slice with_help(struct inside_run *inside, struct slice text)
{
    struct buf *helped = &inside->script->scratch;
    buf_clear(helped);
    help_with_error(inside->script->generation, inside->run->event, inside->script->views, text, helped);
    return buf_ok(helped) ? buf_slice(helped) : text;
}

static void on_failed(struct inside_run *inside, const struct stretch *stretch)
{
    const struct route *route = inside->run->route;
    char room[FAILURE_TEXT_SIZE];
    if (failure_is_anothers(inside->script, stretch)) {
        finish(inside, NULL);
        return;
    }
    struct script_failure why =
        failure_of(inside->script, stretch, &route->limits, inside->coroutine, "handle", route->file, route->line, room);
    fail_run(inside, why.reason, why.reason == RUN_ERROR ? with_help(inside, why.text) : why.text);
}

static void on_too_long(struct inside_run *inside)
{
    const struct route *route = inside->run->route;
    char room[FAILURE_TEXT_SIZE];
    int len = snprintf(room, sizeof(room), "%.*s:%u: in 'handle': longer than handler_time (%llu ms)",
                       route->file.len > 500 ? 500 : (int)route->file.len, route->file.data, route->line,
                       (unsigned long long)route->limits.handler_time_ms);
    fail_run(inside, RUN_WAIT, slice_make(room, (size_t)len));
}

/* ---- waiting ---- */

static enum run_state resume(struct inside_run *inside)
{
    struct script *script = inside->script;
    timer_stop(&inside->timer);
    call_collect_if_due(script);
    if (script->abandoned) {
        runs_lose_all(script);
        return RUN_ENDED;
    }
    inside->waiting = inside->wants_answer = inside->woken = false;
    script->waiting--;
    return go_on(inside, 0);
}

/* It goes on once its event's body is there; until then the first reason counts. */
static void wake(struct inside_run *inside, bool over_time)
{
    if (!inside->woken)
        inside->over_time = over_time;
    inside->woken = true;
    if (!rest_must_end(inside))
        run_woken(inside);
}

static enum run_state take_answer(struct inside_run *inside, int place, const struct fetch_answer *answer)
{
    inside->arrived = answer;
    inside->arrived_place = place;
    return resume(inside);
}

/* A handler that has taken one may ask for others: they wait with it until its body is back again. */
static void take_late_answers(struct inside_run *inside)
{
    struct late_answer *late;
    bool goes_on = true;
    while (goes_on && inside->wants_answer && !inside->run->event->rests && (late = rest_take_answer(inside))) {
        goes_on = take_answer(inside, late->place, &late->answer) == RUN_WAITS;
        mem_free(late);
    }
    if (goes_on && inside->late_answers && inside->wants_answer)
        wake(inside, false);
}

void run_woken(struct inside_run *inside)
{
    if (inside->over_time)
        on_too_long(inside);
    else if (inside->late_answers)
        take_late_answers(inside);
    else
        (void)resume(inside);
}

void run_go_on(struct inside_run *inside)
{
    wake(inside, false);
}

static void on_timer(void *arg)
{
    struct inside_run *inside = arg;
    wake(inside, inside->too_long);
}

void run_answered(struct inside_run *inside, int place, const struct fetch_answer *answer)
{
    if (!inside->run->event->rests && !inside->late_answers) {
        (void)take_answer(inside, place, answer);
        return;
    }
    rest_keep_answer(inside, place, answer);
    wake(inside, false);
}

static void start_timer(struct inside_run *inside, int64_t wait_ms)
{
    struct script *script = inside->script;
    if (!inside->timer_open) {
        timer_init(&inside->timer, script->config.loop, on_timer, inside);
        inside->timer_open = true;
    }
    inside->waiting = true;
    script->waiting++;
    uv_update_time(script->config.loop);
    timer_start(&inside->timer, wait_ms > 0 ? (uint64_t)wait_ms : 0);
}

/* Of the time that a run may take; below zero: it is over. */
static int64_t time_left_ms(const struct inside_run *inside)
{
    return (int64_t)(inside->started_ms + inside->run->route->limits.handler_time_ms) - (int64_t)clock_mono_ms();
}

/* Its body may wait with the store. An event that is not there yet rests after its commit (ingest/handle.c). */
static enum run_state rest(struct inside_run *inside)
{
    if (inside->run->event->stored)
        event_rest(inside->run->event);
    return RUN_WAITS;
}

/* The end of the wait, or of the time that a run may take, whichever comes first. */
static enum run_state wait(struct inside_run *inside, uint64_t wait_ms)
{
    int64_t left_ms = time_left_ms(inside);
    inside->too_long = (int64_t)wait_ms > left_ms + TIME_SLACK_MS;
    start_timer(inside, inside->too_long ? left_ms : (int64_t)wait_ms);
    return rest(inside);
}

/* An answer, or the end of that time. */
static enum run_state wait_for_answer(struct inside_run *inside)
{
    inside->too_long = inside->wants_answer = true;
    start_timer(inside, time_left_ms(inside));
    return rest(inside);
}

/* For as long as a run may take. */
static enum run_state wait_for_value(struct inside_run *inside, struct slice key)
{
    if (kv_start_reading(inside, key))
        return wait(inside, UINT32_MAX);
    finish(inside, NULL); /* the store has too much to read: later */
    return RUN_ENDED;
}

static enum run_state on_yielded(struct inside_run *inside)
{
    lua_State *L = inside->coroutine;
    enum ending ending = plan_ending(L);
    switch (ending) {
    case ENDING_SLEEP:
        return wait(inside, (uint64_t)lua_tonumber(L, 2));
    case ENDING_FETCH:
        return wait_for_answer(inside);
    case ENDING_KV:
        return wait_for_value(inside, text_at(L, 2));
    case ENDING_DROP:
        outcome_settle(inside, EVENT_DROPPED, RUN_OK, text_at(L, 2), 0);
        break;
    case ENDING_FAIL:
        outcome_settle(inside, EVENT_FAILED, RUN_ERROR, text_at(L, 2), 0);
        break;
    case ENDING_RETRY:
        outcome_settle(inside, EVENT_WAITING, RUN_RETRY, text_at(L, 2), (uint64_t)lua_tonumber(L, 3));
        break;
    case ENDING_RESPOND:
        outcome_settle(inside, EVENT_HANDLED, RUN_OK, SLICE(""), 0);
        break;
    default:
        outcome_settle(inside, EVENT_WAITING, RUN_ERROR, SLICE("the handler yielded by itself"), 0);
        break;
    }
    finish(inside, inside->outcome);
    return RUN_ENDED;
}

/* ---- in Lua ---- */

static struct stretch stretch_of(struct inside_run *inside)
{
    const struct run *run = inside->run;
    uint64_t budget_ns = run->route->limits.handler_cpu_ms * 1000000;
    if (run->on_probation && budget_ns > PROBATION_CPU_MS * 1000000ull)
        budget_ns = PROBATION_CPU_MS * 1000000ull;
    return (struct stretch){
        .account = &inside->account,
        .budget_ns = budget_ns > inside->cpu_ns ? budget_ns - inside->cpu_ns : 1,
        .whole_ns = budget_ns,
        .grace_ns = (run->on_probation ? PROBATION_GRACE_MS : WATCHDOG_GRACE_MS) * 1000000ull,
        .task = FLIGHT_HANDLER,
        .event = run->event->id,
        .name = run->route->path,
    };
}

static enum run_state go_on(struct inside_run *inside, int arguments)
{
    struct script *script = inside->script;
    struct stretch stretch = stretch_of(inside);
    enum run_state state = RUN_ENDED;
    script->current = inside;
    script->phase = PHASE_HANDLER;
    enum call_result result = call_resume(script, inside->coroutine, arguments, &stretch);
    script->phase = PHASE_IDLE;
    script->current = NULL;
    inside->arrived = NULL;
    inside->cpu_ns += stretch.used_ns; /* wall time on a thread of its own is processor time, near enough */
    switch (result) {
    case CALL_RETURNED:
        outcome_settle(inside, EVENT_HANDLED, RUN_OK, SLICE(""), 0);
        finish(inside, inside->outcome);
        break;
    case CALL_YIELDED:
        state = on_yielded(inside);
        break;
    case CALL_FAILED:
    case CALL_ABANDONED:
        on_failed(inside, &stretch);
        break;
    }
    call_collect_if_due(script); /* of one that waits too: what it has let go would keep others from being started */
    if (!script->abandoned)
        return state;
    runs_lose_all(script);
    return RUN_ENDED;
}

/* Pushes what handles this route onto the coroutine; false: no memory for one. */
struct starting {
    struct inside_run *inside;
    int arguments;
};

/* Of a request the event; of a task its data; of a batch its items and their group, nil for the common one. */
static int push_arguments(lua_State *L, struct inside_run *inside)
{
    const struct event *event = inside->run->event;
    enum route_kind kind = inside->run->route->kind;
    if (kind == ROUTE_REQUEST) {
        event_api_push(L, inside->event);
        return 1;
    }
    event_push_json_body(L, inside->event);
    if (kind == ROUTE_BATCH && event->type.len)
        lua_pushlstring(L, event->type.data, event->type.len);
    else
        lua_pushnil(L);
    return 2;
}

static int push_handler(lua_State *L)
{
    struct starting *starting = lua_touserdata(L, 1);
    struct inside_run *inside = starting->inside;
    struct script *script = inside->script;
    inside->coroutine = lua_newthread(L);                  /* starting thread */
    inside->thread_ref = luaL_ref(L, LUA_REGISTRYINDEX);   /* starting */
    lua_rawgeti(L, LUA_REGISTRYINDEX, script->routes_ref); /* starting routes */
    lua_pushlstring(L, inside->run->route->path.data, inside->run->route->path.len);
    lua_rawget(L, -2);             /* starting routes route */
    lua_getfield(L, -1, "handle"); /* starting routes route handle */
    starting->arguments = push_arguments(L, inside);
    lua_xmove(L, inside->coroutine, 1 + starting->arguments);
    return 0;
}

enum run_state script_run(struct script *script, struct run *run)
{
    struct inside_run *inside = inside_new(script, run);
    struct starting starting = { inside, 0 };
    inside->outcome = arena_alloc(&run->event->arena, sizeof(*inside->outcome));
    inside->event = event_api_begin(script, run->event);
    if (!inside->outcome || !inside->event) {
        finish(inside, NULL);
        return RUN_ENDED;
    }
    inside->last_delivery = &inside->outcome->deliveries;
    inside->last_record = &inside->outcome->fetches;
    inside->last_run_note = &inside->outcome->runs;
    if (lua_cpcall(script->L, push_handler, &starting) != 0) {
        lua_pop(script->L, 1);
        finish(inside, NULL);
        call_collect_if_due(script);
        if (script->abandoned)
            runs_lose_all(script);
        return RUN_ENDED;
    }
    return go_on(inside, starting.arguments);
}

void script_cancel(struct run *run)
{
    if (run->inside)
        inside_free(run->inside);
}
