/* worker_end.c: the door, then handlers and transfers, then timers. */
#include "base/clock.h"
#include "base/mem.h"
#include "loop/worker_inside.h"

enum { DRAIN_CHECK_MS = 20, IDLE_MS = 300 };
enum { OTHER_PARTS = 9 /* that are closed at the end, beside the listeners */ };

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
    last_words_free(worker->last_words);
    deliver_free(worker->deliver, on_owned_closed, worker);
    rules_free(worker->rules, on_owned_closed); /* before the fetcher: it gives up what handlers ask */
    fetcher_free(worker->fetcher, on_owned_closed, worker);
    getter_free(worker->getter, on_owned_closed, worker);
    rerun_free(worker->rerun, on_owned_closed);
    uv_close((uv_handle_t *)&worker->tick, on_handle_closed);
    uv_close((uv_handle_t *)&worker->turn, on_handle_closed);
    uv_close((uv_handle_t *)&worker->draining, on_handle_closed);
    handoff_close(&worker->handoff, on_handoff_closed);
}

/* The time is over: who waits for a handler is told that its event is stored, connections are closed, handlers that wait run
 * again from the store, messages on their way are sent again. */
static void cut_off(struct worker *worker)
{
    ingest_answer_waiting(worker->ingest, true);
    close_doors(worker);
    rules_end_waits(worker->rules);
    last_words_give_up(worker->last_words);
    (void)deliver_abort(worker->deliver);
    getter_abort(worker->getter);
}

/* Operations that the store has are always waited for; clients, handlers and transfers only until the time is over. */
static void on_drain_check(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    if (worker->closing)
        return;
    if (clock_mono_ms() >= worker->drain_until_ms)
        cut_off(worker);
    bool idle = ingest_in_flight(worker->ingest) == 0 && rerun_is_idle(worker->rerun) && deliver_is_idle(worker->deliver);
    if (idle && worker->reads == 0 && getter_is_idle(worker->getter))
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
