/* waiting.c: senders of routes with ack = "handled" that wait for their handler, and of those with ack = "delivered", which wait
 * for their event's deliveries. Their event is stored; its end comes from whoever runs it, and the ends of its deliveries from
 * whoever sends them, with the event's id (ingest_settling, ingest_settled, ingest_delivery_ended).
 *
 *   waits --handler ended--> SETTLING --commit--> answered with what it said, or 500
 *     '--ack_within, drain--> answered with `reply`; the handler goes on    '--client gone--> the handler goes on
 *
 * The keys of such an event are on disk and still claimed in memory: a second request with one of them waits for the same end.
 *
 *   awaits --handler ended--> owes deliveries --the last one ended--> answered with `reply`, or 502
 *     |         '--failed for good--> 500      '--ack_within, drain--> answered with `reply`; they go on
 *     '--a failed try--> awaits
 *
 * Its keys are claimed with the commit. An end of a delivery never overtakes the commit that made it: both come through the
 * worker's handoff, in that order. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/answer.h"
#include "ingest/intake.h"
#include "observe/access.h"

/* ---- what an end means ---- */

static uint16_t status_of(const struct intake *intake, const struct outcome *outcome)
{
    if (outcome->state == EVENT_FAILED)
        return 500;
    return outcome->response ? outcome->response->status : intake->route->reply.status;
}

bool waiting_judge(const struct intake *intake, struct outcome *outcome)
{
    if (outcome->state == EVENT_WAITING) {
        outcome->state = EVENT_FAILED;
        outcome->due_ms = 0;
    }
    return status_of(intake, outcome) / 100 == 2;
}

void waiting_answer(struct intake *intake, const struct outcome *outcome)
{
    struct reply reply;
    struct answer_text text;
    if (intake->dead && intake->owed == 0)
        answer_undelivered(&reply, &text, intake->dead, intake->event->id);
    else if (!outcome || (outcome->state != EVENT_FAILED && !outcome->response))
        answer_stored(&reply, &text, intake->route, intake->event->id);
    else if (outcome->state == EVENT_FAILED)
        answer_failed(&reply, &text, intake->event->id);
    else
        answer_response(&reply, &text, outcome->response, intake->event->id);
    access_request(intake->event, reply.status, (clock_mono_ns() - intake->started_ns) / 1000);
    intake_answer(intake, &reply);
}

void waiting_note_unheard(const struct event *event, const struct outcome *outcome)
{
    if (outcome->response)
        LOG(LOG_WARN, "answer not sent: nobody waits for it any more", LOG_ID("event_id", event->id),
            LOG_S("route", event->route), LOG_I("status", outcome->response->status));
}

/* ---- the list ---- */

static struct intake *find(const struct ingest *ingest, struct uuid id)
{
    struct intake *intake = ingest->waiting;
    while (intake && !uuid_eq(intake->event->id, id))
        intake = intake->next_waiting;
    return intake;
}

/* The claims of its keys end: kept, or given up with the commit that has just come back. */
static void end_claims(struct intake *intake, bool kept)
{
    for (size_t i = 0; i < intake->key_count && intake->accept.key_use == KEYS_HOLD; i++) {
        if (kept)
            dedupe_commit(intake->ingest->config.store, &intake->keys[i]);
        else
            dedupe_release(intake->ingest->config.store, &intake->keys[i]);
    }
}

static void unlink_waiting(struct intake *intake)
{
    struct intake **place = &intake->ingest->waiting;
    while (*place != intake)
        place = &(*place)->next_waiting;
    *place = intake->next_waiting;
    intake->waits = false;
    timer_stop(&intake->wait_timer);
}

/* While its run is open, the end of that is the intake's; it may come from inside the answer, which lets the connection go on. */
static void answer_and_leave(struct intake *intake, const struct outcome *outcome)
{
    bool ends_here = !intake->run_open;
    unlink_waiting(intake);
    end_claims(intake, !intake->gives_up);
    if (intake->conn)
        waiting_answer(intake, outcome);
    if (ends_here)
        intake_end(intake);
}

static void on_time_over(void *intake)
{
    answer_and_leave(intake, NULL);
}

static bool is_owed(const struct new_delivery *delivery)
{
    return delivery->state == DELIVERY_WAITING && !delivery->notice;
}

/* The handler of an event whose deliveries are awaited has ended, and what it sent is on its way. */
static void await_deliveries(struct intake *intake, const struct outcome *outcome)
{
    if (outcome->state == EVENT_WAITING && !intake->ingest->draining)
        return; /* it is tried again */
    for (const struct new_delivery *delivery = outcome->deliveries; delivery; delivery = delivery->next)
        intake->owed += is_owed(delivery);
    if (outcome->state == EVENT_WAITING)
        answer_and_leave(intake, NULL);
    else if (outcome->state != EVENT_HANDLED || intake->owed == 0 || intake->ingest->draining)
        answer_and_leave(intake, outcome);
}

void waiting_begin(struct intake *intake)
{
    uint64_t age_ms = (clock_mono_ns() - intake->started_ns) / 1000000, most_ms = intake->route->ack_within_ms;
    intake->waits = true;
    intake->next_waiting = intake->ingest->waiting;
    intake->ingest->waiting = intake;
    intake_start_timer(intake, on_time_over, age_ms < most_ms ? most_ms - age_ms : 0);
    if (!intake->conn || (intake->ingest->draining && !intake->run_open))
        answer_and_leave(intake, NULL);
    else if (intake->accept.outcome && !intake->run_again)
        await_deliveries(intake, intake->outcome);
}

void waiting_on_gone(struct intake *intake)
{
    if (!intake->settling)
        answer_and_leave(intake, NULL);
}

void waiting_on_run_lost(struct intake *intake)
{
    if (intake->ingest->draining)
        answer_and_leave(intake, NULL);
}

/* ---- the end of an event ---- */

void ingest_settling(struct ingest *ingest, struct store_settle *settle, struct outcome *outcome)
{
    struct intake *intake = find(ingest, settle->event->id);
    if (!intake || intake->awaits)
        return;
    intake->settling = true; /* it ended in time: the commit is waited for */
    timer_stop(&intake->wait_timer);
    intake->gives_up = !waiting_judge(intake, outcome);
    for (size_t i = 0; intake->gives_up && i < intake->key_count; i++)
        settle->forget_keys[i] = intake->accept.key_rows[i];
}

void ingest_settled(struct ingest *ingest, struct event *event, const struct outcome *outcome)
{
    struct intake *intake = find(ingest, event->id);
    if (!intake || !intake->conn)
        waiting_note_unheard(event, outcome);
    if (intake && intake->awaits)
        await_deliveries(intake, outcome);
    else if (intake)
        answer_and_leave(intake, outcome);
}

void ingest_delivery_ended(struct ingest *ingest, struct uuid event_id, struct slice target, enum delivery_state state)
{
    struct intake *intake = ingest->waiting ? find(ingest, event_id) : NULL;
    if (!intake || intake->owed == 0)
        return;
    if (state == DELIVERY_DEAD && !intake->dead)
        intake->dead = mem_text(target);
    if (--intake->owed == 0)
        answer_and_leave(intake, NULL);
}

void ingest_not_settled(struct ingest *ingest, struct event *event)
{
    struct intake *intake = find(ingest, event->id);
    if (!intake || (intake->awaits && !ingest->draining))
        return; /* it is run again, and its deliveries may still come in time */
    intake->gives_up = false;
    answer_and_leave(intake, NULL);
}

static struct intake *find_answerable(const struct ingest *ingest, bool all)
{
    struct intake *intake = ingest->waiting;
    while (intake && (intake->settling || (intake->run_open && !all)))
        intake = intake->next_waiting;
    return intake;
}

/* Each time from the first: a connection that goes on may change the list. */
void ingest_answer_waiting(struct ingest *ingest, bool all)
{
    struct intake *intake;
    while ((intake = find_answerable(ingest, all)))
        answer_and_leave(intake, NULL);
}
