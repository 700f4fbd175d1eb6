/* deliver.c: what comes in, what may start now, generations, life. */
#include "deliver/inside.h"

#include "base/clock.h"
#include "base/mem.h"

enum { OFFERS_PER_TURN = 8 };

/* ---- the clock ---- */

static void wake_all(struct deliver *deliver)
{
    deliver->crowded = false;
    for (struct queue *queue = deliver->queues; queue; queue = queue->next)
        queue_wake(queue);
}

static void on_timer(void *arg)
{
    struct deliver *deliver = arg;
    wake_all(deliver);
    unwritten_try_again(deliver);
}

void deliver_wake_in(struct deliver *deliver, uint64_t wait_ms)
{
    if (!deliver->draining)
        timer_start_by(&deliver->timer, wait_ms);
}

void deliver_wake_at(struct deliver *deliver, uint64_t wall_ms)
{
    uint64_t now_ms = clock_wall_ms();
    if (wall_ms != UINT64_MAX)
        deliver_wake_in(deliver, wall_ms > now_ms ? wall_ms - now_ms : 0);
}

/* ---- what may start now ---- */

/* As much is under way as this worker has memory for: then each target has one attempt at a time, so that slow ones with large
 * bodies do not keep others from theirs. */
static bool is_crowded(const struct deliver *deliver)
{
    return deliver->under_way >= TRANSFERS_MAX || deliver->sending_bytes >= SENDING_BYTES_MAX / deliver->config.workers;
}

/* false: not now; the timer is set, or an attempt that ends wakes it. */
static bool may_start(struct queue *queue)
{
    struct deliver *deliver = queue->deliver;
    if (queue->sending >= queue_concurrency(queue))
        return false;
    if (queue->sending > 0 && is_crowded(deliver)) {
        deliver->crowded = true;
        return false;
    }
    uint64_t rest_ms = breaker_wait(&queue->breaker, clock_mono_ms());
    if (rest_ms > 0) {
        if (rest_ms != UINT64_MAX)
            deliver_wake_in(deliver, rest_ms);
        return false;
    }
    uint64_t wait_ms = limiter_take(&queue->limiter, clock_mono_ms());
    if (wait_ms > 0) {
        deliver_wake_in(deliver, wait_ms);
        return false;
    }
    if (!store_take_room(deliver->config.store, ROOM_RESULT)) {
        deliver_wake_in(deliver, WAIT_FOR_ROOM_MS);
        return false;
    }
    return true;
}

static void pump(struct queue *queue)
{
    struct deliver *deliver = queue->deliver;
    if (!deliver->started || deliver->draining || !queue_is_ours(queue) || queue->target->records)
        return;
    while (queue->waiting.count > 0) {
        uint64_t now_ms = clock_wall_ms();
        if (due_heap_next_ms(&queue->waiting) > now_ms) {
            deliver_wake_at(deliver, due_heap_next_ms(&queue->waiting));
            break;
        }
        if (!may_start(queue))
            break;
        attempt_start(due_heap_take(&queue->waiting));
    }
    queue_refill(queue);
}

void queue_wake(struct queue *queue)
{
    if (queue->awake)
        return;
    queue->awake = true;
    queue->next_awake = queue->deliver->awake;
    queue->deliver->awake = queue;
}

/* One that wakes meanwhile, because an attempt ended before it began, has its turn too: each of them is one record less. */
static void start_awake(struct deliver *deliver)
{
    while (deliver->awake) {
        struct queue *queue = deliver->awake;
        deliver->awake = queue->next_awake;
        queue->awake = false;
        pump(queue);
    }
}

static void before_sleep(uv_prepare_t *prepare)
{
    struct deliver *deliver = prepare->data;
    if (deliver->crowded && !is_crowded(deliver))
        wake_all(deliver);
    do {
        start_awake(deliver);
        sender_start_due(deliver->sender);
    } while (deliver->awake); /* a request that could not even leave */
}

void deliver_offered(struct deliver *deliver)
{
    if (++deliver->offers < OFFERS_PER_TURN)
        return;
    deliver->offers = 0;
    start_awake(deliver);
    sender_turn(deliver->sender);
}

/* ---- what comes in ---- */

/* A window that was read after the commit may have brought it before the commit came back. */
static bool came_with_window(const struct queue *queue, int64_t seq)
{
    return seq <= queue->window_seq && queue_holds(queue, seq);
}

void deliver_offer(struct deliver *deliver, struct event *event, struct new_delivery *delivery)
{
    struct queue *queue = queue_need(deliver, delivery->target);
    if (delivery->state != DELIVERY_WAITING || came_with_window(queue, delivery->seq))
        return;
    if (queue->target && queue_owner(queue, delivery) != deliver->config.worker) {
        deliver->config.hand_over(deliver->config.arg, queue_owner(queue, delivery), event, delivery);
        return;
    }
    if (queue->target && delivery->order_key.len > 0) {
        order_offer(queue, event, delivery);
        return;
    }
    if (queue->held >= WINDOW_MAX || !queue->target || delivery->due_ms > clock_wall_ms() + READ_AGAIN_MS) {
        queue_note_in_store(queue, delivery->due_ms); /* it comes with a window */
        queue_wake(queue);
        return;
    }
    struct record *record = record_of(queue, event, delivery);
    if (record_bytes_fit(deliver, event->body.len))
        record_keep_bytes(record, event, delivery->message, &deliver->waiting_bytes);
    record_wait(record);
    queue_wake(queue);
    deliver_offered(deliver);
}

/* ---- operations that come back ---- */

static struct deliver *engine_of(const struct store_op *op)
{
    if (op->kind == STORE_READ_WINDOW)
        return ((struct queue *)op->owner)->deliver;
    if (op->kind == STORE_ACCEPT)
        return unwritten_owner(op->owner);
    return ((struct record *)op->owner)->queue->deliver;
}

void *deliver_arg_of(const struct store_op *op)
{
    return engine_of(op)->config.arg;
}

void deliver_on_store_done(struct store_op *op)
{
    engine_of(op)->in_store--;
    if (op->kind == STORE_READ_WINDOW && op != &((struct queue *)op->owner)->window.op)
        order_on_answer(op);
    else if (op->kind == STORE_READ_WINDOW)
        queue_on_window(op->owner);
    else if (op->kind == STORE_READ_DELIVERY)
        attempt_on_loaded(op->owner);
    else if (op->kind == STORE_ACCEPT)
        unwritten_on_written(op->owner);
    else
        attempt_on_recorded(op->owner);
}

/* ---- generations ---- */

static void set_target(struct queue *queue, const struct target *target)
{
    queue->target = target;
    if (target)
        limiter_set(&queue->limiter, target->rate_per_s, target->rate_burst, clock_mono_ms());
    else
        unwritten_write_waiting(queue);
}

void deliver_set_generation(struct deliver *deliver, struct generation *generation)
{
    struct queue **by_target = mem_new((generation->target_count + 1) * sizeof(*by_target));
    for (size_t i = 0; i < generation->target_count; i++) {
        struct queue *queue = by_target[i] = queue_need(deliver, generation->targets[i].name);
        if (!queue->target) { /* new, or back: what waits for it is in the store */
            queue->more_in_store = true;
            queue->store_due_ms = 0;
        }
    }
    (void)generation_ref(generation); /* first: it may be the same one */
    generation_unref(deliver->generation);
    mem_free(deliver->by_target);
    deliver->generation = generation;
    deliver->by_target = by_target;
    for (struct queue *queue = deliver->queues; queue; queue = queue->next) {
        set_target(queue, generation_target(generation, slice_of(queue->name)));
        breaker_probe_now(&queue->breaker); /* its address may be another now */
    }
    wake_all(deliver);
}

/* ---- life ---- */

struct deliver *deliver_new(const struct deliver_config *config)
{
    struct deliver *deliver = MEM_NEW(struct deliver);
    deliver->config = *config;
    deliver->sender = sender_new(config->loop, config->stand_in);
    deliver->tokens = tokens_new(config->stand_in ? NULL : config->fetcher);
    rng_seed_random(&deliver->rng);
    timer_init(&deliver->timer, config->loop, on_timer, deliver);
    uv_prepare_init(config->loop, &deliver->before_sleep);
    deliver->before_sleep.data = deliver;
    uv_prepare_start(&deliver->before_sleep, before_sleep);
    return deliver;
}

void deliver_start(struct deliver *deliver)
{
    deliver->started = true;
    wake_all(deliver);
}

void deliver_drain(struct deliver *deliver)
{
    deliver->draining = true;
    timer_stop(&deliver->timer);
    for (struct queue *queue = deliver->queues; queue; queue = queue->next)
        unwritten_write_waiting(queue);
}

bool deliver_is_idle(const struct deliver *deliver)
{
    return deliver->under_way == 0 && deliver->in_store == 0;
}

bool deliver_has_work(const struct deliver *deliver)
{
    return deliver->awake || sender_is_due(deliver->sender);
}

/* What it was about to send stays waiting in the store, or goes there now. */
static void abort_record(struct deliver *deliver, struct record *record)
{
    if (record->transfer)
        sender_abort(deliver->sender, record->transfer);
    else
        tokens_leave(deliver->tokens, record->token_wait);
    record->transfer = NULL;
    record->token_wait = NULL;
    record->state = RECORD_WAITING;
    deliver->under_way--;
    record->queue->sending--;
    attempt_forget_probe(record);
    if (record->unwritten)
        unwritten_write(record->unwritten);
    else
        record_free(record);
}

bool deliver_abort(struct deliver *deliver)
{
    for (struct queue *queue = deliver->queues; queue; queue = queue->next) {
        for (struct record *record = queue->records, *next; record; record = next) {
            next = record->next;
            if (record->transfer || record->token_wait)
                abort_record(deliver, record);
        }
    }
    return deliver_is_idle(deliver);
}

static void on_part_closed(void *owner)
{
    struct deliver *deliver = owner;
    if (--deliver->closing_parts > 0)
        return;
    void (*on_closed)(void *) = deliver->on_closed;
    void *arg = deliver->closed_arg;
    mem_free(deliver);
    on_closed(arg);
}

static void on_own_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

void deliver_free(struct deliver *deliver, void (*on_closed)(void *arg), void *arg)
{
    deliver->on_closed = on_closed;
    deliver->closed_arg = arg;
    deliver->closing_parts = 3;
    unwritten_give_up(deliver);
    while (deliver->queues) {
        struct queue *next = deliver->queues->next;
        queue_free(deliver->queues);
        deliver->queues = next;
    }
    tokens_free(deliver->tokens);
    generation_unref(deliver->generation);
    mem_free(deliver->by_target);
    sender_free(deliver->sender, on_part_closed, deliver);
    timer_close(&deliver->timer, on_part_closed);
    uv_close((uv_handle_t *)&deliver->before_sleep, on_own_closed);
}

void deliver_each_now(const struct deliver *deliver, void (*each)(void *arg, const struct target_now *now), void *arg)
{
    for (const struct queue *queue = deliver->queues; queue; queue = queue->next) {
        struct target_now now = { slice_of(queue->name), queue->sending, breaker_state(&queue->breaker),
                                  queue->breaker_openings };
        each(arg, &now);
    }
}

void deliver_write_json(const struct deliver *deliver, struct buf *out)
{
    buf_add_byte(out, '[');
    for (const struct queue *queue = deliver->queues; queue; queue = queue->next) {
        buf_addf(out, "%s{\"target\":", queue == deliver->queues ? "" : ",");
        buf_add_json_string(out, slice_of(queue->name));
        buf_addf(
            out,
            ",\"gone\":%s,\"waiting\":%zu,\"sending\":%u,\"delivered\":%llu,\"dead\":%llu,\"retries\":%llu,\"breaker\":\"%s\"}",
            queue->target ? "false" : "true", queue->waiting.count, queue->sending, (unsigned long long)queue->delivered,
            (unsigned long long)queue->dead, (unsigned long long)queue->retries,
            breaker_state_name(breaker_state(&queue->breaker)));
    }
    buf_add_byte(out, ']');
}
