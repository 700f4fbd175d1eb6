#include "loop/rerun.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timer.h"
#include "loop/handoff.h"

enum {
    WAIT_FOR_ROOM_MS = 100,
    NO_ROUTE_AGAIN_MS = 60000, /* new rules ask at once; this is only the net */
    READ_AGAIN_MS = 1000,
    NO_STATE_AGAIN_MS = 20, /* a state is made anew in about that time */
};

/* A stored event that is held here: being read, running, or being settled. Linked while it lives. */
struct held {
    struct held *next, *prev;
    struct rerun *rerun;
    struct event *event; /* counted; NULL while it is being read */
    struct uuid id;
    int64_t seq;
    uint32_t attempt; /* as the row said that was due */
    struct run run;
    struct outcome *outcome;
    bool has_room;      /* for its settle */
    bool submitted;     /* the store has it */
    bool on_probation;  /* it has taken its route's turn */
    struct slice route; /* then; in names */
    struct arena names;
    struct store_settle settle;
    struct store_read_event read;
    struct handed handed;
};

struct rerun {
    struct rerun_config config;
    struct held held; /* head of a ring */
    uint32_t held_count, running;
    struct timer timer;
    uint64_t next_ms; /* wall clock: when to look into the store; UINT64_MAX: not by itself */
    bool stopped, reading, look_again;
    bool without_route; /* something waits for a name that is gone, as of the last look */
    struct store_read_due due;
    int64_t *due_held; /* owned, while it is read */
    struct handed due_handed;
    void (*on_closed)(void *arg);
};

static void look(struct rerun *rerun);
static bool submit_settle(struct held *held);

/* ---- the ring ---- */

static struct held *hold(struct rerun *rerun, struct uuid id, int64_t seq)
{
    struct held *held = MEM_NEW(struct held);
    held->rerun = rerun;
    held->id = id;
    held->seq = seq;
    held->next = &rerun->held;
    held->prev = rerun->held.prev;
    held->prev->next = held;
    rerun->held.prev = held;
    rerun->held_count++;
    return held;
}

static struct held *find(struct rerun *rerun, struct uuid id)
{
    for (struct held *held = rerun->held.prev; held != &rerun->held; held = held->prev)
        if (uuid_eq(held->id, id))
            return held;
    return NULL;
}

static void let_go(struct held *held)
{
    struct rerun *rerun = held->rerun;
    held->prev->next = held->next;
    held->next->prev = held->prev;
    rerun->held_count--;
    if (held->has_room)
        store_give_room(rerun->config.store, ROOM_EVENT);
    event_unref(held->event);
    arena_deinit(&held->names);
    mem_free(held);
}

/* ---- when to look ---- */

static struct held *find_unsubmitted(struct rerun *rerun)
{
    for (struct held *held = rerun->held.next; held != &rerun->held; held = held->next)
        if (held->outcome && !held->submitted)
            return held;
    return NULL;
}

static void on_timer(void *arg)
{
    struct rerun *rerun = arg;
    struct held *held;
    while ((held = find_unsubmitted(rerun)) && submit_settle(held)) /* each time from the first: on_error may end others */
        ;
    if (clock_wall_ms() >= rerun->next_ms)
        look(rerun);
    else
        rerun_note(rerun, rerun->next_ms);
}

void rerun_note(struct rerun *rerun, uint64_t due_ms)
{
    if (rerun->stopped || due_ms == UINT64_MAX)
        return;
    if (due_ms < rerun->next_ms)
        rerun->next_ms = due_ms;
    uint64_t now_ms = clock_wall_ms();
    timer_start_by(&rerun->timer, due_ms > now_ms ? due_ms - now_ms : 0);
}

/* ---- settling ---- */

static void on_settle_back(struct handed *handed)
{
    struct held *held = (struct held *)((char *)handed - offsetof(struct held, handed));
    struct rerun *rerun = held->rerun;
    held->has_room = false; /* the store gave it back */
    if (held->settle.op.result == ERR_STALE)
        rerun_note(rerun, clock_wall_ms()); /* if another was faster with kv it waits still, and runs again */
    if (held->settle.op.result == OK) {
        rerun->config.on_settled(rerun->config.arg, held->event, held->outcome);
        if (held->outcome->state == EVENT_WAITING)
            rerun_note(rerun, held->outcome->due_ms);
        else if (held->event->order_key)
            rerun_note(rerun, clock_wall_ms()); /* the next of its key is due */
    } else {
        rerun->config.on_not_settled(rerun->config.arg, held->event);
    }
    let_go(held); /* ERR_STALE: somebody else finished it; ERR_INVALID: it stays waiting and is read again when due */
    if (rerun->look_again)
        look(rerun);
}

static void on_settle_done(struct store_op *op)
{
    struct held *held = op->owner;
    held->handed.run = on_settle_back;
    if (handoff_send(held->rerun->config.handoff, &held->handed) != OK)
        return; /* the worker waits for all its operations before it closes */
}

/* false: there is no room, or no state to tell of a failure; it is tried again. */
static bool submit_settle(struct held *held)
{
    struct rerun *rerun = held->rerun;
    bool failed = held->outcome->reason != RUN_OK;
    if (!held->has_room && !store_take_room(rerun->config.store, ROOM_EVENT)) {
        timer_start_by(&rerun->timer, WAIT_FOR_ROOM_MS);
        return false;
    }
    held->has_room = true;
    if (failed && !rerun->config.can_tell(rerun->config.arg, held->event, held->outcome)) {
        timer_start_by(&rerun->timer, NO_STATE_AGAIN_MS);
        return false;
    }
    held->settle = (struct store_settle){ .event = held->event, .outcome = held->outcome };
    rerun->config.settling(rerun->config.arg, &held->settle, held->outcome);
    if (failed)
        rerun->config.tell(rerun->config.arg, held->event, held->outcome);
    held->submitted = true;
    delivery_give_shards(held->outcome->deliveries, rerun->config.worker, rerun->config.workers);
    held->settle.op = (struct store_op){ .kind = STORE_SETTLE, .on_done = on_settle_done, .owner = held };
    store_submit(rerun->config.store, &held->settle.op);
    return true;
}

void rerun_hold(struct rerun *rerun, struct event *event)
{
    hold(rerun, event->id, 0)->event = event_ref(event);
}

void rerun_stored(struct rerun *rerun, struct event *event)
{
    find(rerun, event->id)->seq = event->seq;
}

void rerun_forget(struct rerun *rerun, struct event *event)
{
    struct held *held = find(rerun, event->id);
    if (held)
        let_go(held);
}

void rerun_settle(struct rerun *rerun, struct event *event, struct outcome *outcome)
{
    struct held *held = find(rerun, event->id);
    if (!outcome) {
        let_go(held);
        rerun_note(rerun, clock_wall_ms());
        return;
    }
    held->outcome = outcome;
    (void)submit_settle(held);
}

/* ---- running what fell due ---- */

static void give_turn(struct held *held)
{
    const struct rerun_config *config = &held->rerun->config;
    if (held->on_probation)
        config->give_turn(config->arg, held->route);
    held->on_probation = false;
}

/* It is not run now: somebody else has finished it, its route has gone meanwhile, or the state was lost. */
static void put_back(struct held *held, uint64_t again_ms)
{
    struct rerun *rerun = held->rerun;
    give_turn(held);
    rerun->running--;
    let_go(held);
    rerun_note(rerun, clock_wall_ms() + again_ms);
}

static void end_run(struct held *held, struct outcome *outcome)
{
    struct rerun *rerun = held->rerun;
    if (!outcome) {
        put_back(held, 0);
        return;
    }
    give_turn(held);
    rerun->running--;
    rerun->look_again = true;
    held->outcome = outcome;
    (void)submit_settle(held);
}

static void on_run_done(struct run *run, struct outcome *outcome)
{
    end_run(run->owner, outcome);
}

/* `when` is asked again: the newest rules decide, and of what was stored before its rules were asked it was never asked. */
static void ask_and_run(struct held *held, const struct route *route)
{
    const struct rerun_config *config = &held->rerun->config;
    struct script_failure failure;
    bool holds = true;
    enum result rc = config->wanted(config->arg, route, held->event, held->on_probation, &holds, &failure);
    if (rc == ERR_FULL) {
        put_back(held, NO_STATE_AGAIN_MS);
        return;
    }
    if (rc != OK || !holds) {
        end_run(held, config->outcome_of(config->arg, route, held->event, rc == OK ? NULL : &failure));
        return;
    }
    if (!config->can_run(config->arg)) {
        put_back(held, NO_STATE_AGAIN_MS);
        return;
    }
    held->run = (struct run){
        .event = held->event, .route = route, .on_probation = held->on_probation, .on_done = on_run_done, .owner = held
    };
    (void)config->run(config->arg, &held->run); /* both ways end in on_run_done */
}

static void on_read_back(struct handed *handed)
{
    struct held *held = (struct held *)((char *)handed - offsetof(struct held, handed));
    struct rerun *rerun = held->rerun;
    const struct rerun_config *config = &rerun->config;
    held->event = held->read.op.result == OK ? held->read.event : NULL;
    /* another number of tries: it was run since, and is due later */
    bool usable = held->event && held->read.state == EVENT_WAITING && held->event->attempt == held->attempt && !rerun->stopped;
    const struct route *route = usable ? config->route_of(config->arg, held->event->route) : NULL;
    if (!route || !config->can_run(config->arg))
        put_back(held, route ? NO_STATE_AGAIN_MS : READ_AGAIN_MS);
    else
        ask_and_run(held, route);
}

static void on_read_done(struct store_op *op)
{
    struct held *held = op->owner;
    held->handed.run = on_read_back;
    if (handoff_send(held->rerun->config.handoff, &held->handed) != OK)
        return; /* the worker waits for all its operations before it closes */
}

/* Room for the settle is taken before the handler may run. false: not now. */
static bool start(struct rerun *rerun, const struct due_event *row, bool on_probation)
{
    if (rerun->running >= RERUN_RUNNING_MAX || !store_take_room(rerun->config.store, ROOM_EVENT))
        return false;
    struct held *held = hold(rerun, row->id, row->seq);
    held->has_room = true;
    held->attempt = row->attempt;
    held->read = (struct store_read_event){
        .op = { .kind = STORE_READ_EVENT, .on_done = on_read_done, .owner = held },
        .seq = row->seq,
        .id = row->id,
    };
    if (!store_submit_read(rerun->config.store, &held->read.op)) {
        let_go(held);
        return false;
    }
    held->on_probation = on_probation;
    if (on_probation)
        held->route = arena_copy(&held->names, row->route);
    rerun->running++;
    return true;
}

/* What is due of one route, now or when its turn comes. false: nothing more can be started just now. */
static bool start_due(struct rerun *rerun, const struct due_event *row, uint64_t now_ms)
{
    const struct rerun_config *config = &rerun->config;
    const struct route *route = config->route_of(config->arg, row->route);
    bool on_probation = false;
    if (!route) {
        rerun->without_route = true;
        return true;
    }
    uint64_t wait_ms = config->take_turn(config->arg, route, &on_probation);
    if (wait_ms > 0) {
        rerun_note(rerun, now_ms + wait_ms);
        return true;
    }
    bool started = start(rerun, row, on_probation);
    if (!started && on_probation)
        config->give_turn(config->arg, row->route);
    return started;
}

static void on_due_back(struct handed *handed)
{
    struct rerun *rerun = (struct rerun *)((char *)handed - offsetof(struct rerun, due_handed));
    uint64_t now_ms = clock_wall_ms();
    bool ready = rerun->due.op.result == OK && !rerun->stopped, can_run = rerun->config.can_run(rerun->config.arg),
         full = !can_run;
    rerun->reading = false;
    rerun->without_route = false;
    for (size_t i = 0; ready && i < rerun->due.count && !full; i++)
        if (!find(rerun, rerun->due.rows[i].id))
            full = !start_due(rerun, &rerun->due.rows[i], now_ms);
    if (ready)
        rerun_note(rerun, rerun->due.next_due_ms > now_ms ? rerun->due.next_due_ms : now_ms + READ_AGAIN_MS);
    if (rerun->without_route)
        rerun_note(rerun, now_ms + NO_ROUTE_AGAIN_MS);
    if (full)
        rerun_note(rerun, now_ms + (can_run ? READ_AGAIN_MS : NO_STATE_AGAIN_MS));
    store_read_free(&rerun->due.op);
    mem_free(rerun->due_held);
    if (rerun->look_again)
        look(rerun);
}

static void on_due_done(struct store_op *op)
{
    struct rerun *rerun = op->owner;
    rerun->due_handed.run = on_due_back;
    if (handoff_send(rerun->config.handoff, &rerun->due_handed) != OK)
        return; /* the worker waits for all its operations before it closes */
}

static int by_seq(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

/* What is held here, however much, hides nothing of what is not. */
static int64_t *list_held(struct rerun *rerun)
{
    int64_t *list = mem_new((rerun->held_count + 1) * sizeof(*list));
    size_t count = 0;
    for (const struct held *held = rerun->held.next; held != &rerun->held; held = held->next)
        list[count++] = held->seq;
    qsort(list, count, sizeof(*list), by_seq);
    return list;
}

static void look(struct rerun *rerun)
{
    rerun->look_again = rerun->reading; /* one at a time: the next one when this is back */
    if (rerun->stopped || rerun->reading)
        return;
    rerun->due = (struct store_read_due){
        .op = { .kind = STORE_READ_DUE, .on_done = on_due_done, .owner = rerun },
        .worker = rerun->config.worker,
        .workers = rerun->config.workers,
        .due_before_ms = clock_wall_ms(),
        .limit = RERUN_READ,
        .held = rerun->due_held = list_held(rerun),
        .held_count = rerun->held_count,
    };
    rerun->reading = store_submit_read(rerun->config.store, &rerun->due.op);
    rerun->next_ms = UINT64_MAX;
    if (rerun->reading)
        return;
    mem_free(rerun->due_held);
    rerun_note(rerun, clock_wall_ms() + READ_AGAIN_MS);
}

/* ---- life ---- */

struct rerun *rerun_new(const struct rerun_config *config)
{
    struct rerun *rerun = MEM_NEW(struct rerun);
    rerun->config = *config;
    rerun->held.next = rerun->held.prev = &rerun->held;
    rerun->next_ms = UINT64_MAX;
    timer_init(&rerun->timer, config->loop, on_timer, rerun);
    return rerun;
}

void rerun_start(struct rerun *rerun)
{
    look(rerun);
}

void rerun_rules_changed(struct rerun *rerun)
{
    look(rerun);
}

void rerun_stop(struct rerun *rerun)
{
    rerun->stopped = true;
}

bool rerun_is_idle(const struct rerun *rerun)
{
    return rerun->held_count == 0 && !rerun->reading;
}

static void on_timer_closed(void *owner)
{
    struct rerun *rerun = owner;
    void (*on_closed)(void *) = rerun->on_closed;
    void *arg = rerun->config.arg;
    mem_free(rerun);
    on_closed(arg);
}

void rerun_free(struct rerun *rerun, void (*on_closed)(void *arg))
{
    rerun->on_closed = on_closed;
    timer_close(&rerun->timer, on_timer_closed);
}
