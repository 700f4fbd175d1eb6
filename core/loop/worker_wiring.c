#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/when.h"
#include "loop/probation.h"
#include "loop/worker_inside.h"
#include "observe/access.h"

enum { WHEN_SCRATCH_MAX = DECODED_MAX /* a form's longest value */ };

/* ---- what ingest and rerun ask of this worker ---- */

static const struct ingest_rules *present_rules(void *arg)
{
    struct worker *worker = arg;
    return rules_current(worker->rules);
}

static enum run_state run_handler(void *arg, struct run *run)
{
    struct worker *worker = arg;
    return rules_run(worker->rules, run);
}

static void cancel_run(void *arg, struct run *run)
{
    struct worker *worker = arg;
    rules_cancel(worker->rules, run);
}

static bool can_run(void *arg)
{
    struct worker *worker = arg;
    return rules_can_run(worker->rules);
}

static bool may_wait(void *arg)
{
    struct worker *worker = arg;
    return rules_waiting(worker->rules) < INGEST_WAITING_MAX;
}

static enum result ask_when(void *arg, const struct route *route, struct event *event, bool *holds,
                            struct script_failure *failure)
{
    struct worker *worker = arg;
    return rules_when(worker->rules, route, event, false, holds, failure); /* on probation it is asked by rerun.c */
}

/* Its events run only when they are stored: while no state is there to ask, and for what has cost too much. */
static bool store_first(void *arg, const struct route *route)
{
    struct worker *worker = arg;
    bool asks = route->when_function || route->dedupe == DEDUPE_FUNCTION || route->order_function;
    return (asks && !rules_can_run(worker->rules)) ||
           probation_of(worker->config.probation, WARD_ROUTE, route->path) != STANDING_GOOD;
}

void worker_charge(struct worker *worker, enum ward_kind kind, struct slice name, struct uuid event, enum run_reason reason)
{
    const struct generation *generation = rules_current(worker->rules)->generation;
    if (script_is_costly(reason) &&
        probation_failed(worker->config.probation, kind, name, generation, event, reason, clock_wall_ms()))
        LOG(LOG_ERROR, "on probation", LOG_T("kind", kind == WARD_ROUTE ? "route" : "target"), LOG_S("name", name),
            LOG_T("reason", run_reason_name(reason)));
}

static void on_question_failed(void *arg, const struct route *route, const struct event *event, enum run_reason reason)
{
    struct worker *worker = arg;
    worker_charge(worker, WARD_ROUTE, route->path, event->id, reason);
}

/* Every run of a handler ends here first. One that had waited in older rules says nothing of the route as it is now. */
static void on_run_ended(void *arg, const struct run *run, const struct outcome *outcome)
{
    struct worker *worker = arg;
    struct slice route = run->route->path;
    if (!outcome) /* lost with its state: it runs again */
        return;
    counts_run(worker->counts, route, &run->cost, outcome->reason);
    if (outcome->generation != rules_current(worker->rules)->generation->number)
        return;
    worker_charge(worker, WARD_ROUTE, route, run->event->id, outcome->reason);
    bool well = outcome->state == EVENT_HANDLED || outcome->state == EVENT_DROPPED;
    if (well && probation_went_well(worker->config.probation, route))
        LOG(LOG_INFO, "probation over", LOG_S("route", route));
}

static enum result on_metric(void *arg, const struct metric_note *note)
{
    struct worker *worker = arg;
    return counts_metric(worker->counts, note, clock_wall_ms());
}

static enum result ask_key(void *arg, const struct route *route, enum key_question what, struct event *event, struct slice *key,
                           struct script_failure *failure)
{
    struct worker *worker = arg;
    return rules_key(worker->rules, route, what, event, key, failure);
}

/* An outcome is on disk: its deliveries can go, or it is due again. */
static void on_outcome_stored(void *arg, struct event *event, struct outcome *outcome)
{
    struct worker *worker = arg;
    if (outcome->state != EVENT_HANDLED)
        access_run(event, outcome);
    if (outcome->unsaid)
        LOG(LOG_ERROR, "notice failed", LOG_S("route", event->route), LOG_ID("event_id", event->id),
            LOG_T("detail", OUTCOME_UNSAID));
    if (outcome->state == EVENT_WAITING)
        worker_note_waiting(worker, event, outcome->due_ms);
    for (const struct run_note *run = outcome->runs; run; run = run->next)
        if (run->kind != RUN_CANCEL)
            worker_note_run(worker, run);
    for (struct new_delivery *delivery = outcome->deliveries; delivery; delivery = delivery->next)
        deliver_offer(worker->deliver, event, delivery);
}

static void on_settling(void *arg, struct store_settle *settle, struct outcome *outcome)
{
    struct worker *worker = arg;
    ingest_settling(worker->ingest, settle, outcome);
}

static void on_settled(void *arg, struct event *event, struct outcome *outcome)
{
    struct worker *worker = arg;
    ingest_settled(worker->ingest, event, outcome);
    on_outcome_stored(arg, event, outcome);
}

static void on_not_settled(void *arg, struct event *event)
{
    struct worker *worker = arg;
    ingest_not_settled(worker->ingest, event);
}

static bool send_unwritten(void *arg, struct event *event, struct outcome *outcome)
{
    struct worker *worker = arg;
    return deliver_offer_unwritten(worker->deliver, event, outcome);
}

static void hold_event(void *arg, struct event *event)
{
    struct worker *worker = arg;
    rerun_hold(worker->rerun, event);
}

static void held_stored(void *arg, struct event *event)
{
    struct worker *worker = arg;
    rerun_stored(worker->rerun, event);
}

static void forget_event(void *arg, struct event *event)
{
    struct worker *worker = arg;
    rerun_forget(worker->rerun, event);
}

static void settle_event(void *arg, struct event *event, struct outcome *outcome)
{
    struct worker *worker = arg;
    rerun_settle(worker->rerun, event, outcome);
}

static void run_later(void *arg, struct event *event)
{
    worker_note_waiting(arg, event, clock_wall_ms());
}

static uint64_t take_turn(void *arg, const struct route *route, bool *on_probation)
{
    struct worker *worker = arg;
    struct probation *probation = worker->config.probation;
    *on_probation = probation_of(probation, WARD_ROUTE, route->path) == STANDING_PROBATION;
    return *on_probation ? probation_take_turn(probation, route->path, clock_wall_ms()) : 0;
}

static void give_turn(void *arg, struct slice route)
{
    struct worker *worker = arg;
    probation_give_turn(worker->config.probation, route);
}

static enum result is_wanted(void *arg, const struct route *route, struct event *event, bool on_probation, bool *holds,
                             struct script_failure *failure)
{
    struct worker *worker = arg;
    struct buf scratch;
    if (route->when_function) {
        enum result rc = rules_when(worker->rules, route, event, on_probation, holds, failure);
        if (rc == ERR_SCRIPT)
            worker_charge(worker, WARD_ROUTE, route->path, event->id, failure->reason);
        return rc;
    }
    buf_init(&scratch, WHEN_SCRATCH_MAX);
    *holds = when_holds(route->when, route->when_count, event, &scratch);
    buf_deinit(&scratch);
    return OK;
}

static struct outcome *outcome_of(void *arg, const struct route *route, struct event *event, const struct script_failure *failure)
{
    struct worker *worker = arg;
    uint32_t generation = rules_current(worker->rules)->generation->number;
    if (failure)
        return script_failed_outcome(route, event, generation, failure, clock_wall_ms(), &worker->rng);
    struct outcome *outcome = arena_alloc(&event->arena, sizeof(*outcome));
    if (outcome)
        *outcome = (struct outcome){
            .state = EVENT_DROPPED, .text = SLICE("`when` does not hold"), .attempt = event->attempt + 1, .generation = generation
        };
    return outcome;
}

/* ---- what deliver asks ---- */

/* A target's own word on an answer. One that costs others is not asked until its file changes: the message is sent again, since
 * twice is better than never. */
static enum judgement judge(void *arg, const struct target *target, const struct deliver_answer *answer)
{
    struct worker *worker = arg;
    struct arena arena = { 0 };
    struct script_failure failure;
    bool success = false;
    struct script_answer view = { .status = answer->status, .body = answer->body, .content_type = answer->content_type };
    if (probation_of(worker->config.probation, WARD_TARGET, target->name) != STANDING_GOOD)
        return NOT_JUDGED;
    enum result rc = rules_success(worker->rules, target, &view, &arena, &success, &failure);
    if (rc == ERR_SCRIPT) {
        LOG(LOG_WARN, "success failed", LOG_S("target", target->name), LOG_S("detail", failure.text));
        worker_charge(worker, WARD_TARGET, target->name, answer->event_id, failure.reason); /* its retries are one event */
    }
    arena_deinit(&arena);
    return rc != OK ? NOT_JUDGED : success ? JUDGED_SUCCESS : JUDGED_FAILURE;
}

static void on_attempt(void *arg, const struct deliver_report *report)
{
    struct worker *worker = arg;
    uint64_t now_ms = clock_wall_ms();
    counts_attempt(worker->counts, report->target, report->attempt, report->state,
                   now_ms > report->since_ms ? now_ms - report->since_ms : 0);
    access_attempt(report->route, report->event_id, report->delivery_id, report->target, report->attempt, report->state,
                   report->due_ms, report->reason);
}

static void on_deliver_op(struct handed *handed)
{
    deliver_on_store_done((struct store_op *)handed);
}

/* On a store thread: the operation goes home. */
static void on_deliver_store_done(struct store_op *op)
{
    struct worker *worker = deliver_arg_of(op);
    op->handed.run = on_deliver_op;
    if (handoff_send(&worker->handoff, &op->handed) != OK)
        return; /* the worker waits for all its operations before it closes */
}

/* ---- what handlers ask of other servers ---- */

static const char *begin_fetch(void *arg, struct fetch *fetch)
{
    struct worker *worker = arg;
    return fetcher_begin(worker->fetcher, fetch);
}

static void cancel_fetch(void *arg, struct fetch *fetch)
{
    struct worker *worker = arg;
    fetcher_cancel(worker->fetcher, fetch);
}

static void on_fetched(void *arg, const struct run *run, const struct fetch_record *record)
{
    struct worker *worker = arg;
    counts_lookup(worker->counts, run->route->path, record->took_ms, record->error);
    access_lookup(run->event, record);
}

/* ---- what the router asks for itself ---- */

static bool begin_get(void *arg, struct get *get)
{
    struct worker *worker = arg;
    return getter_begin(worker->getter, get);
}

/* ---- the parts ---- */

static const struct stand_in *network_of(const struct worker *worker)
{
    return worker->config.trial ? &worker->config.trial->network : NULL;
}

static void make_ingest(struct worker *worker)
{
    struct ingest_config config = {
        .loop = &worker->loop,
        .store = worker->config.store,
        .handoff = &worker->handoff,
        .counts = worker->counts,
        .ids = &worker->ids,
        .rng = &worker->rng,
        .worker = worker->config.index,
        .workers = worker->config.count,
        .ca_file = worker->config.ca_file,
        .awaiting = &worker->awaiting,
        .to = { .rules = present_rules,
                .run = run_handler,
                .cancel = cancel_run,
                .can_run = can_run,
                .may_wait = may_wait,
                .store_first = store_first,
                .when = ask_when,
                .key = ask_key,
                .on_failed = on_question_failed,
                .can_tell = worker_can_tell,
                .tell = worker_tell,
                .send_unwritten = send_unwritten,
                .on_stored = on_outcome_stored,
                .hold = hold_event,
                .held_stored = held_stored,
                .forget = forget_event,
                .settle = settle_event,
                .run_later = run_later,
                .get = begin_get,
                .arg = worker },
        .watch = worker->config.trial ? worker->config.trial->watch : NULL,
    };
    worker->ingest = ingest_new(&config);
}

static void make_rerun(struct worker *worker)
{
    struct rerun_config config = {
        .loop = &worker->loop,
        .store = worker->config.store,
        .handoff = &worker->handoff,
        .worker = worker->config.index,
        .workers = worker->config.count,
        .route_of = worker_route_of,
        .can_run = can_run,
        .take_turn = take_turn,
        .give_turn = give_turn,
        .wanted = is_wanted,
        .run = run_handler,
        .outcome_of = outcome_of,
        .can_tell = worker_can_tell,
        .tell = worker_tell,
        .settling = on_settling,
        .on_settled = on_settled,
        .on_not_settled = on_not_settled,
        .arg = worker,
    };
    worker->rerun = rerun_new(&config);
}

static void make_deliver(struct worker *worker)
{
    struct deliver_config config = {
        .loop = &worker->loop,
        .store = worker->config.store,
        .worker = worker->config.index,
        .workers = worker->config.count,
        .on_store_done = on_deliver_store_done,
        .hand_over = worker_hand_over_delivery,
        .judge = judge,
        .on_attempt = on_attempt,
        .on_ended = worker_on_delivery_ended,
        .on_dead = worker_on_dead,
        .stand_in = network_of(worker),
        .fetcher = worker->fetcher,
        .arg = worker,
    };
    worker->deliver = deliver_new(&config);
}

static void make_rules(struct worker *worker)
{
    struct rules_config config = {
        .loop = &worker->loop,
        .ids = &worker->ids,
        .worker = worker->config.index,
        .workers = worker->config.count,
        .slot = worker->watchdog,
        .store = worker->config.store,
        .handoff = &worker->handoff,
        .reads = &worker->reads,
        .coverage = worker->config.trial ? worker->config.trial->coverage : NULL,
        .on_ready = worker_on_rules_ready,
        .on_ended = on_run_ended,
        .fetch = begin_fetch,
        .fetch_cancel = cancel_fetch,
        .on_fetched = on_fetched,
        .on_metric = on_metric,
        .on_jumped = worker_on_jumped,
        .arg = worker,
    };
    worker->rules = rules_new(&config);
}

void worker_make_parts(struct worker *worker)
{
    worker->fetcher = fetcher_new(&worker->loop, network_of(worker));
    struct getter_world world = { worker->config.ca_file, worker->config.connect_to,
                                  worker->config.trial ? &worker->config.trial->gets : NULL };
    worker->getter = getter_new(&worker->loop, &world);
    make_rules(worker);
    make_rerun(worker);
    make_deliver(worker);
    worker_make_last_words(worker);
    make_ingest(worker);
}
