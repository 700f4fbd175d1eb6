/* queue.c: one target's records in memory, and its window on the store. */
#include "deliver/inside.h"

#include "base/clock.h"
#include "base/mem.h"

enum { SHARES = 4 /* below workers * SHARES at once a target lives on one worker */ };

/* ---- queues ---- */

struct queue *queue_find(const struct deliver *deliver, struct slice name)
{
    const struct target *target = deliver->generation ? generation_target(deliver->generation, name) : NULL;
    if (target)
        return deliver->by_target[target->index];
    for (struct queue *queue = deliver->queues; queue; queue = queue->next)
        if (slice_is(name, queue->name))
            return queue;
    return NULL;
}

struct queue *queue_need(struct deliver *deliver, struct slice name)
{
    struct queue *queue = queue_find(deliver, name);
    if (queue)
        return queue;
    queue = MEM_NEW(struct queue);
    queue->deliver = deliver;
    queue->name = mem_text(name);
    queue->store_due_ms = UINT64_MAX;
    queue->next = deliver->queues;
    deliver->queues = queue;
    return queue;
}

void queue_free(struct queue *queue)
{
    while (queue->records)
        record_free(queue->records);
    due_heap_deinit(&queue->waiting);
    mem_free(queue->name);
    mem_free(queue);
}

static uint32_t name_hash(struct slice name) /* FNV-1a, 32 bits: draft-eastlake-fnv */
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619u;
    return hash;
}

static bool lives_whole(const struct deliver *deliver, const struct target *target)
{
    return target->rate_per_s > 0 || target->auth == AUTH_OAUTH2 || target->concurrency < SHARES * deliver->config.workers;
}

/* Those that ask for access tokens at one place live together: one worker asks, and all of them use what it gets. */
static uint32_t home_of(const struct deliver *deliver, const struct target *target)
{
    return name_hash(target->auth == AUTH_OAUTH2 ? target->token_url : target->name) % deliver->config.workers;
}

uint32_t queue_owner(const struct queue *queue, const struct new_delivery *delivery)
{
    const struct deliver *deliver = queue->deliver;
    if (lives_whole(deliver, queue->target))
        return home_of(deliver, queue->target);
    return delivery->order_key.len > 0 ? delivery->shard % deliver->config.workers : deliver->config.worker;
}

uint32_t queue_concurrency(const struct queue *queue)
{
    const struct deliver *deliver = queue->deliver;
    if (lives_whole(deliver, queue->target))
        return queue->target->concurrency;
    return queue->target->concurrency / deliver->config.workers;
}

bool queue_is_ours(const struct queue *queue)
{
    const struct deliver *deliver = queue->deliver;
    return queue->target && (!lives_whole(deliver, queue->target) || home_of(deliver, queue->target) == deliver->config.worker);
}

/* ---- records ---- */

struct record *record_new(struct queue *queue, const struct waiting_delivery *row)
{
    struct record *record = MEM_NEW(struct record);
    record->queue = queue;
    record->next = queue->records;
    if (record->next)
        record->next->prev = record;
    queue->records = record;
    queue->held++;
    record->seq = row->seq;
    record->event_seq = row->event_seq;
    record->id = row->id;
    record->event_id = row->event_id;
    record->since_ms = row->since_ms;
    record->due_ms = row->due_ms;
    record->attempts = row->attempts;
    record->notice = row->notice;
    record->fixed_id = row->fixed_id.len ? mem_text(row->fixed_id) : NULL;
    record->order_key = row->order_key.len ? mem_text(row->order_key) : NULL;
    record->followed = row->order_key.len > 0;
    return record;
}

struct record *record_of(struct queue *queue, const struct event *event, const struct new_delivery *delivery)
{
    struct waiting_delivery row = {
        .seq = delivery->seq,
        .event_seq = event->seq,
        .id = delivery->id,
        .event_id = event->id,
        .since_ms = delivery->not_before_ms ? delivery->not_before_ms : event->received_ms,
        .due_ms = delivery->due_ms,
        .fixed_id = delivery->fixed_id,
        .order_key = delivery->order_key,
        .notice = delivery->notice,
    };
    return record_new(queue, &row);
}

bool record_bytes_fit(const struct deliver *deliver, size_t bytes)
{
    return deliver->waiting_bytes + bytes <= WAITING_BYTES_MAX / deliver->config.workers;
}

void record_keep_bytes(struct record *record, struct event *event, struct slice message, size_t *bytes_in)
{
    record->event = event_ref(event);
    record->message = message;
    record->bytes_in = bytes_in;
    *bytes_in += event->body.len;
}

void record_bytes_leave(struct record *record)
{
    struct deliver *deliver = record->queue->deliver;
    *record->bytes_in -= record->event->body.len;
    record->bytes_in = &deliver->sending_bytes;
    *record->bytes_in += record->event->body.len;
}

void record_wait(struct record *record)
{
    record->state = RECORD_WAITING;
    due_heap_add(&record->queue->waiting, record->due_ms, record);
}

void record_wait_until(struct record *record, uint64_t due_ms)
{
    record->due_ms = due_ms;
    record_wait(record);
    deliver_wake_at(record->queue->deliver, due_ms);
}

void record_forget_bytes(struct record *record)
{
    if (record->bytes_in)
        *record->bytes_in -= record->event->body.len;
    record->bytes_in = NULL;
    event_unref(record->event);
    record->event = NULL;
    record->message = (struct slice){ NULL, 0 };
    arena_deinit(&record->read.arena);
    arena_deinit(&record->arena);
}

static void note_ended(struct queue *queue, int64_t seq)
{
    if (queue->reading && queue->ended_count++ < ENDED_MAX)
        queue->ended[queue->ended_count - 1] = seq;
}

static bool has_ended(const struct queue *queue, int64_t seq)
{
    for (size_t i = 0; i < queue->ended_count; i++)
        if (queue->ended[i] == seq)
            return true;
    return false;
}

void record_free(struct record *record)
{
    note_ended(record->queue, record->seq);
    if (record->has_room)
        store_give_room(record->queue->deliver->config.store, ROOM_RESULT);
    record_forget_bytes(record);
    if (record->prev)
        record->prev->next = record->next;
    else
        record->queue->records = record->next;
    if (record->next)
        record->next->prev = record->prev;
    record->queue->held--;
    event_unref(record->says_event);
    arena_deinit(&record->kept);
    mem_free(record->result_memory);
    mem_free(record->fixed_id);
    mem_free(record->order_key);
    mem_free(record);
}

bool queue_holds(const struct queue *queue, int64_t seq)
{
    for (const struct record *record = queue->records; record; record = record->next)
        if (record->seq == seq)
            return true;
    return false;
}

/* ---- the window ---- */

/* A window that is being read may be older than that. */
void queue_note_in_store(struct queue *queue, uint64_t due_ms)
{
    queue->more_in_store = true;
    queue->more_came = queue->reading;
    if (due_ms < queue->store_due_ms)
        queue->store_due_ms = due_ms;
}

static void window_add(struct queue *queue, const struct waiting_delivery *row)
{
    struct record *record = record_new(queue, row);
    if (row->seq > queue->window_seq)
        queue->window_seq = row->seq;
    record_wait(record);
}

/* The first row that finds no place says when to look again, else the window's own word. */
static void take_window(struct queue *queue)
{
    const struct store_read_window *window = &queue->window;
    uint64_t next_ms = window->next_due_ms;
    if (queue->ended_count > ENDED_MAX)
        return; /* more_in_store stays as it is: the next one will do */
    for (size_t i = 0; i < window->count; i++) {
        if (queue_holds(queue, window->rows[i].seq) || has_ended(queue, window->rows[i].seq))
            continue;
        if (queue->held >= WINDOW_MAX) {
            next_ms = window->rows[i].due_ms;
            break;
        }
        window_add(queue, &window->rows[i]);
    }
    if (!queue->more_came) {
        queue->store_due_ms = next_ms;
        queue->more_in_store = next_ms != UINT64_MAX;
    } else if (next_ms < queue->store_due_ms) {
        queue->store_due_ms = next_ms;
    }
}

void queue_on_window(struct queue *queue)
{
    queue->reading = false;
    if (queue->window.op.result == OK)
        take_window(queue);
    else
        queue->store_due_ms = clock_wall_ms() + READ_AGAIN_MS;
    queue->more_came = false;
    queue->ended_count = 0;
    store_read_free(&queue->window.op);
    queue_wake(queue);
}

static void read_window(struct queue *queue)
{
    struct deliver *deliver = queue->deliver;
    bool whole = lives_whole(deliver, queue->target);
    queue->window = (struct store_read_window){
        .op = { .kind = STORE_READ_WINDOW, .on_done = deliver->config.on_store_done, .owner = queue },
        .target = slice_of(queue->name),
        .worker = whole ? 0 : deliver->config.worker,
        .workers = whole ? 0 : deliver->config.workers,
        .due_before_ms = clock_wall_ms() + READ_AGAIN_MS,
        .limit = WINDOW_MAX + (uint32_t)queue->held,
    };
    queue->reading = store_submit_read(deliver->config.store, &queue->window.op);
    if (queue->reading)
        deliver->in_store++;
    else
        deliver_wake_in(deliver, READ_AGAIN_MS);
}

void queue_refill(struct queue *queue)
{
    if (!queue->more_in_store || queue->reading || queue->held >= WINDOW_MAX / 2)
        return;
    if (queue->store_due_ms > clock_wall_ms() + READ_AGAIN_MS)
        deliver_wake_at(queue->deliver, queue->store_due_ms);
    else
        read_window(queue);
}
