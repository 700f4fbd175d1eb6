/* handle.c: from the handler to the commit and the answer. */
#include "base/clock.h"
#include "ingest/answer.h"
#include "ingest/batch.h"
#include "ingest/intake.h"
#include "observe/access.h"

static void commit(struct intake *intake);

/* ---- the handler ---- */

static bool keeps_nothing(const struct intake *intake)
{
    return intake->route->ack == ACK_RECEIVED && !intake->route->keep && intake->key_count == 0;
}

/* Then its route may still want to look at the event (on_error). */
static bool has_failed(const struct outcome *outcome)
{
    return outcome && outcome->reason != RUN_OK;
}

/* false: it is to be written, since something of it has to wait or to be kept. */
static bool ends_unwritten(struct intake *intake)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    struct outcome *outcome = intake->outcome;
    if (!keeps_nothing(intake) || !outcome || outcome->state == EVENT_WAITING || outcome->state == EVENT_FAILED || outcome->kv ||
        outcome->runs)
        return false;
    if (outcome->delivery_count > 0)
        return to->send_unwritten(to->arg, intake->event, outcome);
    store_give_room(intake->ingest->config.store, ROOM_EVENT);
    return true;
}

static void on_run_done(struct run *done, struct outcome *outcome)
{
    struct intake *intake = done->owner;
    intake->outcome = outcome;
    intake->run_again = !outcome;
    if (intake->state == INTAKE_RUNNING)
        return; /* it returned without waiting: handle_start goes on */
    if (intake->state == INTAKE_COMMITTING)
        return; /* on_committed settles it */
}

/* The handler waited, and its event was committed meanwhile: the end of the run belongs to the worker's reruns. */
static void on_stored_run_done(struct run *done, struct outcome *outcome)
{
    struct intake *intake = done->owner;
    const struct ingest_worker *to = &intake->ingest->config.to;
    if (!has_failed(outcome))
        event_forget_index(intake->event);
    intake->run_open = false;
    to->settle(to->arg, intake->event, outcome);
    if (!intake->waits)
        intake_end(intake);
    else if (!outcome)
        waiting_on_run_lost(intake);
}

static void answer_now(struct intake *intake)
{
    struct reply reply;
    struct answer_text text;
    if (intake->batch) {
        batch_settled(intake, SETTLED_STORED, intake->event->id);
        return;
    }
    answer_stored(&reply, &text, intake->route, intake->event->id);
    intake_answer(intake, &reply);
}

void handle_start(struct intake *intake)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    if (!store_take_room(intake->ingest->config.store, ROOM_EVENT)) {
        intake_refuse_and_end(intake, REFUSED_STORE_FULL, 503, "too many events are being stored: try again");
        return;
    }
    if (intake->route->ack == ACK_RECEIVED)
        answer_now(intake);
    intake->state = INTAKE_RUNNING;
    bool may_run =
        !intake->store_first && !intake->ordered && !intake->run_again && to->can_run(to->arg) && to->may_wait(to->arg);
    if (!intake->outcome && may_run) {
        intake->run = (struct run){ .event = intake->event, .route = intake->route, .on_done = on_run_done, .owner = intake };
        intake->run_waits = to->run(to->arg, &intake->run) == RUN_WAITS;
    } else if (!intake->outcome) {
        intake->run_again = true;
    }
    if (intake->run_waits)
        event_trim_index(intake->event);
    else if (!has_failed(intake->outcome))
        event_forget_index(intake->event);
    if (!ends_unwritten(intake)) {
        commit(intake);
        return;
    }
    counts_accepted(intake->ingest->config.counts, intake->route->path);
    if (intake->outcome->state == EVENT_DROPPED)
        access_run(intake->event, intake->outcome);
    intake_end(intake);
}

/* ---- the commit ---- */

static void refuse_commit(struct intake *intake, enum result result)
{
    intake->claimed = 0; /* the writer has settled the claims */
    switch (result) {
    case ERR_EXISTS:
        claim_answer_duplicate(intake, intake->accept.winner);
        break;
    case ERR_DISK_FULL:
        intake_refuse(intake, REFUSED_STORE_FULL, 503, "the disk is full: try again");
        break;
    default:
        intake_refuse(intake, REFUSED_STORE_FULL, 503, "this event could not be stored: try again");
    }
}

static bool waits_for_deliveries(const struct intake *intake)
{
    return intake->awaits && intake->conn;
}

/* Without an outcome yet: its handler waits, or is run from the store. */
static void go_on_stored(struct intake *intake)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    bool again = intake->run_again, ended = !again && intake->outcome;
    intake->run_open = !again;
    if (again && intake->run_waits)
        to->forget(to->arg, intake->event);
    if (again) {
        to->run_later(to->arg, intake->event);
    } else {
        to->held_stored(to->arg, intake->event);
        intake->run.on_done = on_stored_run_done;
        if (!ended)
            event_rest(intake->event);
    }
    if (intake->accept.key_use == KEYS_HOLD || waits_for_deliveries(intake))
        waiting_begin(intake); /* the intake may end here, unless its run is open */
    else if (again)
        intake_end(intake);
    if (ended)
        on_stored_run_done(&intake->run, intake->outcome);
}

/* Of a sender that does not wait for the handler, or whose handler has ended already. */
static void answer_committed(struct intake *intake)
{
    if (intake->route->ack == ACK_HANDLED && intake->accept.outcome) {
        if (!intake->conn)
            waiting_note_unheard(intake->event, intake->outcome);
        waiting_answer(intake, intake->outcome);
        return;
    }
    if (intake->conn || intake->batch)
        answer_now(intake);
    access_request(intake->event, intake->route->reply.status, (clock_mono_ns() - intake->started_ns) / 1000);
}

static void after_commit(struct intake *intake)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    struct event *event = intake->event;
    event->stored = true;
    counts_accepted(intake->ingest->config.counts, intake->route->path);
    if (intake->accept.lost)
        intake->run_again = true;
    if (intake->accept.outcome && !intake->run_again) {
        to->on_stored(to->arg, event, intake->outcome);
        if (waits_for_deliveries(intake))
            waiting_begin(intake);
        else
            intake_end(intake);
    } else {
        go_on_stored(intake);
    }
}

static void on_committed(struct handed *handed)
{
    struct intake *intake = (struct intake *)((char *)handed - offsetof(struct intake, handed));
    const struct ingest_worker *to = &intake->ingest->config.to;
    event_unref(intake->accept.event);
    if (intake->accept.op.result == OK) {
        if (intake->accept.key_use != KEYS_HOLD && !waits_for_deliveries(intake))
            answer_committed(intake);
        after_commit(intake);
        return;
    }
    refuse_commit(intake, intake->accept.op.result);
    if (intake->run_waits) {
        to->forget(to->arg, intake->event);
        if (!intake->outcome && !intake->run_again)
            to->cancel(to->arg, &intake->run);
    }
    intake_end(intake);
}

/* On the writer's thread. */
static void on_store_done(struct store_op *op)
{
    struct intake *intake = op->owner;
    intake->handed.run = on_committed;
    if (handoff_send(intake->ingest->config.handoff, &intake->handed) != OK)
        return; /* the worker waits for its requests before it closes */
}

/* With ack = "handled" the keys are claimed for good once it is known that the sender is told so. */
static enum key_use use_of_keys(const struct intake *intake, struct outcome *outcome)
{
    if (intake->route->ack != ACK_HANDLED || !intake->conn)
        return KEYS_CLAIM;
    if (!outcome)
        return KEYS_HOLD;
    return waiting_judge(intake, outcome) ? KEYS_CLAIM : KEYS_RELEASE;
}

/* on_error and on_dead have their say before the commit of what failed. While no state is there to ask, the event is committed
 * without its outcome, which follows as if the handler had waited. */
static void tell_failure(struct intake *intake, struct outcome *outcome)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    if (!has_failed(outcome))
        return;
    to->tell(to->arg, intake->event, outcome);
    event_forget_index(intake->event);
}

static void commit(struct intake *intake)
{
    const struct route *route = intake->route;
    const struct ingest_worker *to = &intake->ingest->config.to;
    if (!intake->run_waits && has_failed(intake->outcome))
        intake->run_waits = !to->can_tell(to->arg, intake->event, intake->outcome);
    struct outcome *outcome = intake->run_waits ? NULL : intake->outcome;
    enum key_use key_use = use_of_keys(intake, outcome);
    tell_failure(intake, outcome);
    if (outcome)
        delivery_give_shards(outcome->deliveries, intake->ingest->config.worker, intake->ingest->config.workers);
    if (intake->run_waits)
        to->hold(to->arg, intake->event);
    if (route->ack == ACK_DELIVERED && intake->conn) {
        intake->awaits = true;
        atomic_fetch_add(intake->ingest->config.awaiting, 1); /* before anybody can deliver what is committed here */
    }
    intake->state = INTAKE_COMMITTING;
    intake->accept = (struct store_accept){
        .op = { .kind = STORE_ACCEPT, .on_done = on_store_done, .owner = intake },
        .event = event_ref(intake->event),
        .outcome = outcome,
        .keep_body = route->keep,
        .keep_until_ms = route->keep ? intake->event->received_ms + route->keep_ms : 0,
        .keys = intake->keys,
        .key_count = intake->key_count,
        .key_use = key_use,
    };
    store_submit(intake->ingest->config.store, &intake->accept.op);
}
