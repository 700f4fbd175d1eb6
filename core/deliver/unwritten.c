#include "deliver/inside.h"

#include "base/clock.h"
#include "base/log.h"

/* Lies in its event's arena.
 *
 *   first attempts under way ----all succeeded----> forgotten
 *          |
 *          '----one has to wait----> writing ----committed----> its records are as any others; results that came meanwhile follow
 *                                      ^  |
 *                                      '--' disk full: again in a second */
struct unwritten {
    struct unwritten *next; /* in deliver->unwritable */
    struct deliver *deliver;
    struct event *event;     /* counted */
    struct outcome *outcome; /* in the event's arena */
    struct record *records;  /* by sibling */
    bool writing;
    struct store_accept accept;
};

struct deliver *unwritten_owner(const struct unwritten *unwritten)
{
    return unwritten->deliver;
}

/* ---- taking one ---- */

/* A target whose messages start at once, as far as can be seen. */
static bool takes_now(const struct deliver *deliver, const struct new_delivery *delivery, uint32_t count)
{
    const struct queue *queue = queue_find(deliver, delivery->target);
    return delivery->state == DELIVERY_WAITING && !delivery->not_before_ms && queue && queue_is_ours(queue) &&
           !queue->target->records && queue->target->rate_per_s == 0 && !queue->breaker.open && delivery->order_key.len == 0 &&
           queue->held + count <= WINDOW_MAX;
}

bool deliver_offer_unwritten(struct deliver *deliver, struct event *event, struct outcome *outcome)
{
    if (!deliver->started || deliver->draining || !record_bytes_fit(deliver, event->body.len * outcome->delivery_count))
        return false;
    for (const struct new_delivery *delivery = outcome->deliveries; delivery; delivery = delivery->next)
        if (!takes_now(deliver, delivery, outcome->delivery_count))
            return false;
    struct unwritten *unwritten = arena_alloc(&event->arena, sizeof(*unwritten));
    if (!unwritten)
        return false;
    *unwritten = (struct unwritten){ .deliver = deliver, .event = event_ref(event), .outcome = outcome };
    for (struct new_delivery *delivery = outcome->deliveries; delivery; delivery = delivery->next) {
        struct queue *queue = queue_find(deliver, delivery->target);
        struct record *record = record_of(queue, event, delivery);
        record_keep_bytes(record, event, delivery->message, &deliver->waiting_bytes);
        record->unwritten = unwritten;
        record->delivery = delivery;
        record->sibling = unwritten->records;
        unwritten->records = record;
        record_wait(record);
        queue_wake(queue);
    }
    deliver_offered(deliver);
    return true;
}

/* ---- writing ---- */

static void submit(struct unwritten *unwritten)
{
    struct deliver *deliver = unwritten->deliver;
    unwritten->accept = (struct store_accept){
        .op = { .kind = STORE_ACCEPT, .on_done = deliver->config.on_store_done, .owner = unwritten },
        .event = unwritten->event,
        .outcome = unwritten->outcome,
    };
    deliver->in_store++;
    store_submit(deliver->config.store, &unwritten->accept.op);
}

/* As long as a record has no number, a window must not bring the same delivery a second time. */
static void hold_back(const struct record *record)
{
    const struct target *target = record->queue->target;
    if (target)
        record->delivery->due_ms = clock_wall_ms() + target->timeout_ms + READ_AGAIN_MS;
}

void unwritten_write(struct unwritten *unwritten)
{
    const struct deliver_config *config = &unwritten->deliver->config;
    if (unwritten->writing)
        return;
    unwritten->writing = true;
    for (const struct record *record = unwritten->records; record; record = record->sibling)
        hold_back(record);
    delivery_give_shards(unwritten->outcome->deliveries, config->worker, config->workers);
    submit(unwritten);
}

void unwritten_write_waiting(struct queue *queue)
{
    for (struct record *record = queue->records; record; record = record->next)
        if (record->unwritten && record->state == RECORD_WAITING)
            unwritten_write(record->unwritten);
}

static void forget(struct unwritten *unwritten)
{
    event_unref(unwritten->event); /* and with it `unwritten` */
}

static void drop_records(struct unwritten *unwritten)
{
    for (struct record *record = unwritten->records, *next; record; record = next) {
        next = record->sibling;
        record_free(record);
    }
}

/* From here on its records are as any others. */
static void let_go(struct unwritten *unwritten)
{
    for (struct record *record = unwritten->records, *next; record; record = next) {
        next = record->sibling;
        record->seq = record->delivery->seq;
        record->event_seq = unwritten->event->seq;
        record->unwritten = NULL;
        record->delivery = NULL;
        if (record->state == RECORD_ENDED)
            attempt_submit_result(record);
    }
}

void unwritten_on_written(struct unwritten *unwritten)
{
    struct deliver *deliver = unwritten->deliver;
    if (unwritten->accept.op.result == ERR_DISK_FULL) {
        unwritten->next = deliver->unwritable;
        deliver->unwritable = unwritten;
        deliver_wake_in(deliver, READ_AGAIN_MS);
        return;
    }
    if (unwritten->accept.op.result == OK)
        unwritten->event->stored = true;
    else
        LOG(LOG_ERROR, "an event could not be written: of its messages those are lost that did not arrive at once",
            LOG_ID("event_id", unwritten->event->id));
    let_go(unwritten);
    forget(unwritten);
}

void unwritten_try_again(struct deliver *deliver)
{
    while (deliver->unwritable && store_take_room(deliver->config.store, ROOM_EVENT)) {
        struct unwritten *unwritten = deliver->unwritable;
        deliver->unwritable = unwritten->next;
        submit(unwritten);
    }
    if (deliver->unwritable)
        deliver_wake_in(deliver, READ_AGAIN_MS);
}

void unwritten_give_up(struct deliver *deliver)
{
    while (deliver->unwritable) {
        struct unwritten *unwritten = deliver->unwritable;
        deliver->unwritable = unwritten->next;
        LOG(LOG_ERROR, "lost: answered before it was stored, then the disk was full", LOG_ID("event_id", unwritten->event->id));
        drop_records(unwritten);
        forget(unwritten);
    }
}

/* ---- the end of a first attempt ---- */

static bool all_ended(const struct unwritten *unwritten)
{
    for (const struct record *record = unwritten->records; record; record = record->sibling)
        if (record->state != RECORD_ENDED)
            return false;
    return true;
}

void unwritten_ended(struct record *record)
{
    struct unwritten *unwritten = record->unwritten;
    record->state = RECORD_ENDED;
    if (unwritten->writing)
        return; /* the result follows the commit */
    if (record->result.state != DELIVERY_DELIVERED) {
        unwritten_write(unwritten);
    } else if (all_ended(unwritten)) {
        drop_records(unwritten);
        store_give_room(unwritten->deliver->config.store, ROOM_EVENT);
        forget(unwritten);
    }
}
