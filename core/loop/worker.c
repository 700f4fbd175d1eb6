#include "loop/worker.h"

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver/deliver.h"
#include "ingest/ingest.h"
#include "listen/listener.h"
#include "ingest/when.h"
#include "loop/probation.h"
#include "loop/rerun.h"
#include "loop/rules.h"
#include "observe/access.h"
#include "observe/counts.h"
#include "script/watchdog.h"

enum { COUNTS_JSON_MAX = 4 << 20, DRAIN_CHECK_MS = 20, IDLE_MS = 300, WHEN_SCRATCH_MAX = 256 << 10 };
enum { OTHER_PARTS = 7 /* that are closed at the end, beside the listeners */ };

struct worker {
    struct worker_config config;
    pthread_t thread;
    uv_loop_t loop;
    struct handoff handoff;
    struct uuid_maker ids;
    struct rng rng;
    struct watchdog_slot *watchdog;
    struct counts *counts;
    struct rules *rules;
    struct rerun *rerun;
    struct deliver *deliver;
    struct ingest *ingest;
    struct listener *listeners[LISTENERS_MAX];
    size_t listener_count;
    uv_timer_t tick;     /* moves the recorder's tick, flushes counts */
    uv_check_t turn;     /* end of a loop turn: log lines leave with one write */
    uv_timer_t draining; /* looks whether all is finished */
    uint64_t drain_until_ms;
    bool open; /* the door was opened */
    bool doors_closed, closing;
    int closing_parts; /* close callbacks still to come */
};

void *worker_owner(const struct worker *worker)
{
    return worker->config.owner;
}

uint32_t worker_index(const struct worker *worker)
{
    return worker->config.index;
}

static void notify_main(struct worker *worker, int kind, struct generation *generation, const char *error)
{
    struct worker_notice *notice = MEM_NEW(struct worker_notice);
    notice->handed.run = worker->config.on_notice;
    notice->worker = worker;
    notice->kind = kind;
    notice->generation = generation ? generation_ref(generation) : NULL;
    snprintf(notice->error, sizeof(notice->error), "%s", error ? error : "");
    if (handoff_send(worker->config.main, &notice->handed) != OK) {
        generation_unref(notice->generation); /* main has ended: nobody wants to know */
        mem_free(notice);
    }
}

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
    bool asks = route->when_function || route->dedupe == DEDUPE_FUNCTION;
    return (asks && !rules_can_run(worker->rules)) ||
           probation_of(worker->config.probation, WARD_ROUTE, route->path) != STANDING_GOOD;
}

static void charge(struct worker *worker, enum ward_kind kind, struct slice name, struct uuid event, enum run_reason reason)
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
    charge(worker, WARD_ROUTE, route->path, event->id, reason);
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
    charge(worker, WARD_ROUTE, route, run->event->id, outcome->reason);
    bool well = outcome->state == EVENT_HANDLED || outcome->state == EVENT_DROPPED;
    if (well && probation_went_well(worker->config.probation, route))
        LOG(LOG_INFO, "probation over", LOG_S("route", route));
}

static enum result ask_dedupe(void *arg, const struct route *route, struct event *event, struct slice *key,
                              struct script_failure *failure)
{
    struct worker *worker = arg;
    return rules_dedupe(worker->rules, route, event, key, failure);
}

/* An outcome is on disk: its deliveries can go, or it is due again. */
static void on_outcome_stored(void *arg, struct event *event, struct outcome *outcome)
{
    struct worker *worker = arg;
    if (outcome->state != EVENT_HANDLED)
        access_run(event, outcome);
    if (outcome->state == EVENT_WAITING)
        rerun_note(worker->rerun, outcome->due_ms);
    for (struct new_delivery *delivery = outcome->deliveries; delivery; delivery = delivery->next)
        deliver_offer(worker->deliver, event, delivery);
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
    struct worker *worker = arg;
    rerun_note(worker->rerun, clock_wall_ms());
}

static const struct route *route_of(void *arg, struct slice path)
{
    struct worker *worker = arg;
    const struct ingest_rules *rules = rules_current(worker->rules);
    return rules ? generation_route(rules->generation, path) : NULL;
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
            charge(worker, WARD_ROUTE, route->path, event->id, failure->reason);
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

struct delivery_handed {
    struct handed handed;
    struct worker *to;
    struct event *event;           /* counted */
    struct new_delivery *delivery; /* in the event's arena */
};

static void on_delivery_handed(struct handed *handed)
{
    struct delivery_handed *delivery = (struct delivery_handed *)handed;
    deliver_offer(delivery->to->deliver, delivery->event, delivery->delivery);
    event_unref(delivery->event);
    mem_free(delivery);
}

/* A fresh delivery whose target lives on another worker. */
static void hand_over_delivery(void *arg, uint32_t owner, struct event *event, struct new_delivery *delivery)
{
    struct worker *worker = arg;
    struct delivery_handed *handed = MEM_NEW(struct delivery_handed);
    *handed = (struct delivery_handed){ { .run = on_delivery_handed }, worker->config.all[owner], event_ref(event), delivery };
    if (handoff_send(&handed->to->handoff, &handed->handed) != OK) {
        event_unref(event); /* that worker has ended; what waits is on disk */
        mem_free(handed);
    }
}

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
        charge(worker, WARD_TARGET, target->name, answer->event_id, failure.reason); /* its retries are one event */
    }
    arena_deinit(&arena);
    return rc != OK ? NOT_JUDGED : success ? JUDGED_SUCCESS : JUDGED_FAILURE;
}

static void on_attempt(void *arg, const struct deliver_report *report)
{
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

/* ---- generations ---- */

static void open_door(struct worker *worker)
{
    struct listener_callbacks callbacks = ingest_callbacks(worker->ingest);
    struct listener_config config = listener_defaults();
    config.connections_max = worker->config.connections_max;
    config.budget = worker->config.budget;
    worker->open = true;
    for (size_t i = 0; i < worker->config.listener_count; i++) {
        if (listener_start(&worker->loop, worker->config.listeners[i], &config, &callbacks, &worker->listeners[i]) != OK) {
            LOG(LOG_ERROR, "listening failed", LOG_I("descriptor", worker->config.listeners[i]));
            _exit(1); /* a socket that nobody accepts would swallow its share for ever: the supervisor starts anew */
        }
        worker->listener_count++;
    }
    rerun_start(worker->rerun);
    deliver_start(worker->deliver);
    notify_main(worker, WORKER_READY, NULL, NULL);
}

static void on_jumped(void *arg)
{
    notify_main(arg, WORKER_JUMPED, NULL, NULL);
}

static void on_rules_ready(void *arg, struct generation *generation, const char *error)
{
    struct worker *worker = arg;
    if (!error) {
        counts_know(worker->counts, generation);
        deliver_set_generation(worker->deliver, generation);
        if (!worker->open)
            open_door(worker);
        else
            rerun_rules_changed(worker->rerun);
    }
    notify_main(worker, WORKER_RULES, generation, error);
}

struct load_handed {
    struct handed handed;
    struct worker *worker;
    struct generation *generation; /* counted */
};

static void on_load(struct handed *handed)
{
    struct load_handed *load = (struct load_handed *)handed;
    rules_load(load->worker->rules, load->generation);
    generation_unref(load->generation);
    mem_free(load);
}

void worker_load(struct worker *worker, struct generation *generation)
{
    struct load_handed *load = MEM_NEW(struct load_handed);
    *load = (struct load_handed){ { .run = on_load }, worker, generation_ref(generation) };
    if (handoff_send(&worker->handoff, &load->handed) != OK) {
        generation_unref(generation);
        mem_free(load);
    }
}

/* ---- counts ---- */

/* Main has ended; the asker's memory went with it. */
static void on_nobody_asks(struct worker_counts *counts)
{
    buf_deinit(&counts->json);
    counts_free(counts->copy);
}

static void on_ask_counts(struct handed *handed)
{
    struct worker_counts *counts = (struct worker_counts *)handed;
    struct worker *worker = counts->worker;
    buf_init(&counts->json, COUNTS_JSON_MAX);
    buf_add_text(&counts->json, "{\"requests\":");
    counts_write_json(worker->counts, &counts->json);
    buf_add_text(&counts->json, ",\"targets\":");
    deliver_write_json(worker->deliver, &counts->json);
    counts->copy = counts_copy(worker->counts);
    counts->lua_memory = rules_memory(worker->rules);
    buf_addf(&counts->json, ",\"waiting_handlers\":%u,\"generations_alive\":%u,\"lua_memory\":%llu}",
             rules_waiting(worker->rules), rules_alive(worker->rules), (unsigned long long)counts->lua_memory);
    counts->handed.run = (void (*)(struct handed *))(void *)counts->on_done;
    if (handoff_send(worker->config.main, &counts->handed) != OK)
        on_nobody_asks(counts);
}

void worker_ask_counts(struct worker *worker, struct worker_counts *counts)
{
    counts->handed.run = on_ask_counts;
    counts->worker = worker;
    if (handoff_send(&worker->handoff, &counts->handed) != OK) {
        buf_init(&counts->json, 0);
        counts->on_done(counts);
    }
}

struct look_handed {
    struct handed handed;
    struct worker *worker;
};

static void on_look(struct handed *handed)
{
    struct look_handed *look = (struct look_handed *)handed;
    rerun_note(look->worker->rerun, clock_wall_ms());
    mem_free(look);
}

void worker_look(struct worker *worker)
{
    struct look_handed *look = MEM_NEW(struct look_handed);
    *look = (struct look_handed){ { .run = on_look }, worker };
    if (handoff_send(&worker->handoff, &look->handed) != OK)
        mem_free(look);
}

/* ---- the end: door, then handlers and transfers, then timers ---- */

static void on_part_closed(struct worker *worker)
{
    if (--worker->closing_parts == 0)
        uv_stop(&worker->loop);
}

static void on_handle_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

static void on_owned_closed(void *arg)
{
    on_part_closed(arg);
}

static void on_handoff_closed(uv_handle_t *handle)
{
    struct handoff *handoff = handle->data;
    on_part_closed((struct worker *)((char *)handoff - offsetof(struct worker, handoff)));
}

static void close_doors(struct worker *worker)
{
    if (worker->doors_closed)
        return;
    worker->doors_closed = true;
    worker->closing_parts = OTHER_PARTS + (int)worker->listener_count;
    for (size_t i = 0; i < worker->listener_count; i++)
        listener_close(worker->listeners[i], on_owned_closed, worker);
}

static void close_all(struct worker *worker)
{
    worker->closing = true;
    close_doors(worker);
    ingest_free(worker->ingest);
    deliver_free(worker->deliver, on_owned_closed, worker);
    rules_free(worker->rules, on_owned_closed);
    rerun_free(worker->rerun, on_owned_closed);
    uv_close((uv_handle_t *)&worker->tick, on_handle_closed);
    uv_close((uv_handle_t *)&worker->turn, on_handle_closed);
    uv_close((uv_handle_t *)&worker->draining, on_handle_closed);
    handoff_close(&worker->handoff, on_handoff_closed);
}

/* The time is over: connections are closed, handlers that wait run again from the store, messages on their way are sent again. */
static void cut_off(struct worker *worker)
{
    close_doors(worker);
    rules_end_waits(worker->rules);
    (void)deliver_abort(worker->deliver);
}

/* Operations that the store has are always waited for; clients, handlers and transfers only until the time is over. */
static void on_drain_check(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    if (worker->closing)
        return;
    if (clock_mono_ms() >= worker->drain_until_ms)
        cut_off(worker);
    if (ingest_in_flight(worker->ingest) == 0 && rerun_is_idle(worker->rerun) && deliver_is_idle(worker->deliver))
        close_all(worker);
}

struct drain_handed {
    struct handed handed;
    struct worker *worker;
    uint64_t drain_ms;
};

static void drain_listeners(struct worker *worker)
{
    ingest_drain(worker->ingest);
    for (size_t i = 0; i < worker->listener_count; i++)
        listener_drain(worker->listeners[i]);
}

static void begin_drain(struct worker *worker, uint64_t drain_ms, uv_timer_cb check, uint64_t first_ms)
{
    worker->drain_until_ms = clock_mono_ms() + drain_ms;
    rerun_stop(worker->rerun);
    deliver_drain(worker->deliver);
    uv_timer_start(&worker->draining, check, first_ms, DRAIN_CHECK_MS);
}

static void on_drain(struct handed *handed)
{
    struct drain_handed *drain = (struct drain_handed *)handed;
    drain_listeners(drain->worker);
    begin_drain(drain->worker, drain->drain_ms, on_drain_check, 0);
    mem_free(drain);
}

/* Who was idle had its time to send one more request, or to see that the connection ends. */
static void on_idle_over(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    drain_listeners(worker);
    uv_timer_start(&worker->draining, on_drain_check, 0, DRAIN_CHECK_MS);
}

static void on_hand_over(struct handed *handed)
{
    struct drain_handed *drain = (struct drain_handed *)handed;
    struct worker *worker = drain->worker;
    for (size_t i = 0; i < worker->listener_count; i++)
        listener_hand_over(worker->listeners[i]);
    begin_drain(worker, drain->drain_ms, on_idle_over, IDLE_MS);
    mem_free(drain);
}

static void ask_to_end(struct worker *worker, uint64_t drain_ms, void (*run)(struct handed *handed))
{
    struct drain_handed *drain = MEM_NEW(struct drain_handed);
    *drain = (struct drain_handed){ { .run = run }, worker, drain_ms };
    if (handoff_send(&worker->handoff, &drain->handed) != OK)
        mem_free(drain);
}

void worker_drain(struct worker *worker, uint64_t drain_ms)
{
    ask_to_end(worker, drain_ms, on_drain);
}

void worker_hand_over(struct worker *worker, uint64_t drain_ms)
{
    ask_to_end(worker, drain_ms, on_hand_over);
}

/* ---- life ---- */

static void on_tick(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    recorder_tick(worker->config.slot);
    counts_flush(worker->counts, clock_wall_ms());
}

static void on_turn(uv_check_t *check)
{
    struct worker *worker = check->data;
    if (!worker->closing)
        rules_sweep(worker->rules);
    log_flush();
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
        .to = { .rules = present_rules,
                .run = run_handler,
                .cancel = cancel_run,
                .can_run = can_run,
                .may_wait = may_wait,
                .store_first = store_first,
                .when = ask_when,
                .dedupe = ask_dedupe,
                .on_failed = on_question_failed,
                .send_unwritten = send_unwritten,
                .on_stored = on_outcome_stored,
                .hold = hold_event,
                .held_stored = held_stored,
                .forget = forget_event,
                .settle = settle_event,
                .run_later = run_later,
                .arg = worker },
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
        .route_of = route_of,
        .can_run = can_run,
        .take_turn = take_turn,
        .give_turn = give_turn,
        .wanted = is_wanted,
        .run = run_handler,
        .outcome_of = outcome_of,
        .on_settled = on_outcome_stored,
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
        .hand_over = hand_over_delivery,
        .judge = judge,
        .on_attempt = on_attempt,
        .arg = worker,
    };
    worker->deliver = deliver_new(&config);
}

static void make_rules(struct worker *worker)
{
    struct rules_config config = {
        .loop = &worker->loop,
        .ids = &worker->ids,
        .slot = worker->watchdog,
        .on_ready = on_rules_ready,
        .on_ended = on_run_ended,
        .on_jumped = on_jumped,
        .arg = worker,
    };
    worker->rules = rules_new(&config);
}

static void start_timers(struct worker *worker)
{
    uv_timer_init(&worker->loop, &worker->tick);
    uv_timer_init(&worker->loop, &worker->draining);
    uv_check_init(&worker->loop, &worker->turn);
    worker->tick.data = worker->draining.data = worker->turn.data = worker;
    uv_timer_start(&worker->tick, on_tick, 0, WORKER_TICK_MS);
    uv_check_start(&worker->turn, on_turn);
}

static void take_name(unsigned index)
{
    char name[16]; /* the most that Linux takes */
    snprintf(name, sizeof(name), "tw-worker-%u", index % 1000);
    pthread_setname_np(pthread_self(), name);
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    log_thread((int)worker->config.index);
    take_name(worker->config.index);
    worker->watchdog = watchdog_slot_new();
    if (worker->watchdog)
        worker->watchdog->flight = &worker->config.slot->flight;
    make_rules(worker);
    make_rerun(worker);
    make_deliver(worker);
    make_ingest(worker);
    start_timers(worker);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    recorder_ended(worker->config.slot);
    watchdog_slot_free(worker->watchdog);
    uv_loop_close(&worker->loop);
    counts_free(worker->counts);
    log_flush();
    notify_main(worker, WORKER_DRAINED, NULL, NULL);
    return NULL;
}

enum result worker_start(const struct worker_config *config, struct worker **out)
{
    pthread_attr_t attributes;
    struct worker *worker = MEM_NEW(struct worker);
    worker->config = *config;
    worker->counts = counts_new();
    uuid_maker_init(&worker->ids);
    rng_seed_random(&worker->rng);
    uv_loop_init(&worker->loop);
    *out = worker; /* before the thread: others hand over to it by the list that holds this */
    enum result rc = handoff_init(&worker->handoff, &worker->loop);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES);
    pthread_attr_setguardsize(&attributes, WORKER_GUARD_BYTES);
    if (rc == OK && pthread_create(&worker->thread, &attributes, worker_main, worker) != 0)
        rc = ERR_MEMORY;
    pthread_attr_destroy(&attributes);
    return rc;
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    mem_free(worker);
}
