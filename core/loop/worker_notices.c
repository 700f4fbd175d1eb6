/* worker_notices.c: on_error and on_dead hear of what failed: of a try before its outcome is committed, of a delivery before its
 * end is. */
#include "base/log.h"
#include "loop/worker_inside.h"

enum { WHY_MAX = 4 << 10 };

const struct route *worker_route_of(void *arg, struct slice path)
{
    struct worker *worker = arg;
    const struct ingest_rules *rules = rules_current(worker->rules);
    return rules ? generation_route(rules->generation, path) : NULL;
}

static bool wants_to_hear(const struct route *route, const struct outcome *outcome)
{
    return route && (route->on_error || (route->on_dead && outcome->state == EVENT_FAILED));
}

/* At the very end what failed is written without a word rather than not at all. */
bool worker_can_tell(void *arg, const struct event *event, const struct outcome *outcome)
{
    struct worker *worker = arg;
    return rules_can_run(worker->rules) || worker->doors_closed || !wants_to_hear(worker_route_of(worker, event->route), outcome);
}

static void tell(struct worker *worker, const struct script_notice *notice)
{
    struct script_failure failure = { RUN_ERROR, SLICE("there was no Lua state to ask") };
    enum result rc = rules_tell(worker->rules, notice, &failure);
    if (rc == OK)
        return;
    LOG(LOG_ERROR, "notice failed", LOG_T("function", notice->function), LOG_S("route", notice->route->path),
        LOG_ID("event_id", notice->event->id), LOG_S("detail", failure.text));
    if (rc == ERR_SCRIPT)
        worker_charge(worker, WARD_ROUTE, notice->route->path, notice->event->id, failure.reason);
}

/* As people see it: "error: rules/x.lua:3: …". */
static struct slice why_of(struct event *event, const struct outcome *outcome)
{
    struct buf text;
    buf_init(&text, WHY_MAX);
    buf_addf(&text, "%s: ", run_reason_name(outcome->reason));
    buf_add_slice(&text, outcome->text);
    struct slice why = buf_ok(&text) ? arena_copy(&event->arena, buf_slice(&text)) : outcome->text;
    buf_deinit(&text);
    return why.data ? why : outcome->text;
}

void worker_tell(void *arg, struct event *event, struct outcome *outcome)
{
    struct worker *worker = arg;
    const struct route *route = worker_route_of(worker, event->route);
    if (!wants_to_hear(route, outcome))
        return;
    struct script_notice notice = { .route = route, .event = event, .why = why_of(event, outcome), .outcome = outcome };
    notice.function = "on_error";
    if (route->on_error)
        tell(worker, &notice);
    notice.function = "on_dead";
    if (route->on_dead && outcome->state == EVENT_FAILED)
        tell(worker, &notice);
}

static bool can_tell_dead(void *arg)
{
    struct worker *worker = arg;
    return rules_can_run(worker->rules);
}

static void tell_dead(void *arg, struct event *event, const struct deliver_dead *dead, struct outcome *outcome)
{
    struct worker *worker = arg;
    const struct route *route = worker_route_of(worker, dead->route);
    struct script_dead delivery = { dead->delivery_id, dead->target, dead->attempts, dead->status };
    struct script_notice notice = {
        .route = route, .function = "on_dead", .event = event, .why = dead->why, .dead = &delivery, .outcome = outcome
    };
    if (route && route->on_dead)
        tell(worker, &notice);
}

static void on_told(void *arg, struct record *record, struct event *event, struct outcome *outcome)
{
    struct worker *worker = arg;
    if (outcome)
        delivery_give_shards(outcome->deliveries, worker->config.index, worker->config.count);
    deliver_told(record, event, outcome);
}

bool worker_on_dead(void *arg, const struct deliver_dead *dead)
{
    struct worker *worker = arg;
    return last_words_begin(worker->last_words, dead);
}

void worker_make_last_words(struct worker *worker)
{
    struct last_words_config config = {
        .store = worker->config.store,
        .handoff = &worker->handoff,
        .can_tell = can_tell_dead,
        .tell = tell_dead,
        .told = on_told,
        .arg = worker,
    };
    worker->last_words = last_words_new(&config);
}
