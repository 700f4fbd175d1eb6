/* order.c: deliveries of one target with an equal key, one after the other, in the order of the store. Memory holds at most the
 * first that waits of each key; which one that is the store says:
 *
 *   offered ----no record has its key----> ASKING --its first--> WAITING … as any record --delivered, dead--> ASKING, or
 * forgotten
 *           '---one has: it is followed, and asks again at its end
 *
 * A record that asks holds the place of its key, so that nothing overtakes what is just being read. */
#include "deliver/inside.h"

#include "base/clock.h"
#include "base/mem.h"

/* Under way to the store, for a record in RECORD_RECORDING. */
struct order_ask {
    struct store_read_window window; /* the first member: deliver.c has its op */
    struct record *record;
};

static struct record *find_key(const struct queue *queue, struct slice key)
{
    for (struct record *record = queue->records; record; record = record->next)
        if (record->order_key && slice_is(key, record->order_key))
            return record;
    return NULL;
}

/* The store cannot be asked now: a window will bring what waits. */
static void leave_to_window(struct record *record)
{
    struct queue *queue = record->queue;
    queue_note_in_store(queue, clock_wall_ms() + READ_AGAIN_MS);
    record_free(record);
    queue_wake(queue);
}

void order_ask_next(struct record *record)
{
    struct queue *queue = record->queue;
    struct deliver *deliver = queue->deliver;
    struct order_ask *ask = MEM_NEW(struct order_ask);
    record->state = RECORD_RECORDING;
    record->followed = false;
    ask->record = record;
    ask->window = (struct store_read_window){
        .op = { .kind = STORE_READ_WINDOW, .on_done = deliver->config.on_store_done, .owner = queue },
        .target = slice_of(queue->name),
        .order_key = slice_of(record->order_key),
        .due_before_ms = UINT64_MAX,
        .limit = 1,
    };
    if (store_submit_read(deliver->config.store, &ask->window.op)) {
        deliver->in_store++;
        return;
    }
    mem_free(ask);
    leave_to_window(record);
}

void order_on_answer(struct store_op *op)
{
    struct order_ask *ask = (struct order_ask *)op;
    struct record *record = ask->record;
    struct queue *queue = record->queue;
    bool known = op->result == OK, found = known && ask->window.count > 0;
    bool is_new = found && !queue_holds(queue, ask->window.rows[0].seq);
    if (is_new)
        record_wait(record_new(queue, &ask->window.rows[0]));
    store_read_free(op);
    mem_free(ask);
    if (!known)
        leave_to_window(record);
    else if (!found && record->followed)
        order_ask_next(record); /* it came while the store was asked */
    else
        record_free(record);
    queue_wake(queue);
}

void order_offer(struct queue *queue, const struct event *event, const struct new_delivery *delivery)
{
    struct record *record = find_key(queue, delivery->order_key);
    if (record) {
        record->followed = true;
        return;
    }
    if (queue->held >= WINDOW_MAX) {
        queue_note_in_store(queue, delivery->due_ms);
        return;
    }
    record = record_of(queue, event, delivery);
    record->seq = 0; /* it only asks; whose turn it is may be another's */
    order_ask_next(record);
}
