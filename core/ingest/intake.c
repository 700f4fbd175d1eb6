#include "ingest/intake.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/answer.h"
#include "ingest/batch.h"

/* ---- life of an intake ---- */

/* An address as text: never longer than there is room. */
static void take_address(struct intake *intake, struct slice address)
{
    size_t len = address.len < ADDRESS_SIZE ? address.len : ADDRESS_SIZE - 1;
    memcpy(intake->remote_ip, address.data, len);
    intake->remote_ip[len] = '\0';
}

struct intake *intake_new(struct ingest *ingest, struct conn *conn)
{
    struct intake *intake = MEM_NEW(struct intake);
    intake->ingest = ingest;
    intake->conn = conn;
    if (conn)
        take_address(intake, conn_remote_ip(conn));
    ingest->in_flight++;
    return intake;
}

struct uuid intake_new_id(struct ingest *ingest, uint64_t now_ms)
{
    return event_id_make(ingest->config.ids, now_ms, ingest->config.worker, ingest->config.workers);
}

void intake_release_keys(struct intake *intake)
{
    while (intake->claimed > 0)
        dedupe_release(intake->ingest->config.store, &intake->keys[--intake->claimed]);
}

static void intake_free(void *arg)
{
    struct intake *intake = arg;
    intake->ingest->in_flight--;
    if (intake->awaits)
        atomic_fetch_sub(intake->ingest->config.awaiting, 1);
    mem_free(intake->dead);
    event_unref(intake->event);
    generation_unref(intake->generation);
    mem_free(intake);
}

void intake_start_timer(struct intake *intake, void (*on_time)(void *intake), uint64_t ms)
{
    if (!intake->wait_timer_open) {
        timer_init(&intake->wait_timer, intake->ingest->config.loop, on_time, intake);
        intake->wait_timer_open = true;
    }
    intake->wait_timer.run = on_time; /* it may have waited for something else before */
    timer_start(&intake->wait_timer, ms);
}

/* Nothing of it is in flight any more. */
void intake_end(struct intake *intake)
{
    key_wait_end(&intake->key_wait);
    if (intake->wait_timer_open)
        timer_close(&intake->wait_timer, intake_free);
    else
        intake_free(intake);
}

/* ---- answering ---- */

void intake_answer(struct intake *intake, const struct reply *reply)
{
    struct conn *conn = intake->conn;
    intake->conn = NULL;
    if (conn)
        conn_reply(conn, reply);
}

void intake_count_refusal(struct intake *intake, enum refusal reason, uint16_t status, const char *detail)
{
    struct slice route = intake->route ? intake->route->path : SLICE("");
    counts_refused(intake->ingest->config.counts, route, reason, status, slice_of(intake->remote_ip), slice_of(detail),
                   clock_wall_ms());
}

void intake_refuse(struct intake *intake, enum refusal reason, uint16_t status, const char *detail)
{
    struct reply reply;
    if (intake->batch) {
        batch_refused(intake, reason, status, detail);
        return;
    }
    if (intake->conn)
        intake_count_refusal(intake, reason, status, detail);
    reply_problem(&reply, status, detail);
    intake_answer(intake, &reply);
}

void intake_refuse_and_end(struct intake *intake, enum refusal reason, uint16_t status, const char *detail)
{
    intake_release_keys(intake);
    intake_refuse(intake, reason, status, detail);
    intake_end(intake);
}

void intake_fail_first_try(struct intake *intake, const struct script_failure *failure)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    to->on_failed(to->arg, intake->route, intake->event, failure->reason);
    intake->outcome = script_failed_outcome(intake->route, intake->event, intake->generation->number, failure, clock_wall_ms(),
                                            intake->ingest->config.rng);
    intake->run_again = !intake->outcome;
}
