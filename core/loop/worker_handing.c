/* worker_handing.c: what belongs to another worker: events that wait, deliveries, and the ends of deliveries. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "loop/worker_inside.h"

/* ---- what waits for its handler ---- */

void worker_note_waiting(struct worker *worker, const struct event *event, uint64_t due_ms)
{
    struct worker *owner = worker->config.all[event_worker(event->id, worker->config.count)];
    if (owner == worker)
        rerun_note(worker->rerun, due_ms);
    else
        worker_look(owner, due_ms);
}

void worker_note_run(struct worker *worker, const struct run_note *run)
{
    uint32_t owner = event_worker(run->id, worker->config.count);
    if (owner == worker->config.index)
        rerun_note(worker->rerun, run->due_ms);
    else if (run->due_ms <= clock_wall_ms())
        worker_look(worker->config.all[owner], run->due_ms);
}

/* ---- deliveries ---- */

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

void worker_hand_over_delivery(void *arg, uint32_t owner, struct event *event, struct new_delivery *delivery)
{
    struct worker *worker = arg;
    struct delivery_handed *handed = MEM_NEW(struct delivery_handed);
    *handed = (struct delivery_handed){ { .run = on_delivery_handed }, worker->config.all[owner], event_ref(event), delivery };
    if (handoff_send(&handed->to->handoff, &handed->handed) != OK) {
        event_unref(event); /* that worker has ended; what waits is on disk */
        mem_free(handed);
    }
}

struct ended_handed {
    struct handed handed;
    struct worker *to;
    struct uuid event_id;
    enum delivery_state state;
    char target[]; /* its name */
};

static void on_ended_handed(struct handed *handed)
{
    struct ended_handed *ended = (struct ended_handed *)handed;
    ingest_delivery_ended(ended->to->ingest, ended->event_id, slice_of(ended->target), ended->state);
    mem_free(ended);
}

void worker_on_delivery_ended(void *arg, struct uuid event_id, struct slice target, enum delivery_state state)
{
    struct worker *worker = arg, *taker = worker->config.all[event_worker(event_id, worker->config.count)];
    if (atomic_load(&taker->awaiting) == 0)
        return;
    if (taker == worker) {
        ingest_delivery_ended(worker->ingest, event_id, target, state);
        return;
    }
    struct ended_handed *ended = mem_new(sizeof(*ended) + target.len + 1);
    *ended = (struct ended_handed){ { .run = on_ended_handed }, taker, event_id, state };
    memcpy(ended->target, target.data, target.len);
    ended->target[target.len] = '\0';
    if (handoff_send(&taker->handoff, &ended->handed) != OK)
        mem_free(ended); /* it has ended, and answered whoever waited */
}
