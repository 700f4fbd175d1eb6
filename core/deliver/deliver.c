#include "deliver/deliver.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver/attempt_request.h"
#include "deliver/due_heap.h"
#include "deliver/limiter.h"
#include "deliver/sender.h"
#include "deliver/settle.h"

enum {
    ENDED_MAX = 512,
    WAIT_FOR_ROOM_MS = 50,
    READ_AGAIN_MS = 1000,
    SECRET_AGAIN_MS = 60000, /* a secret without a value: tried again, uncounted */
    SHARES = 4,              /* below workers * SHARES at once a target lives on one worker */
};

enum record_state { RECORD_WAITING, RECORD_LOADING, RECORD_SENDING, RECORD_RECORDING };

/* One delivery in memory. */
struct record {
    struct queue *queue;
    struct record *next, *prev; /* all records of the queue */
    enum record_state state;
    int64_t seq, event_seq;
    struct uuid id, event_id;
    uint64_t received_ms, due_ms;
    uint32_t attempts;      /* that ended */
    char *route, *fixed_id; /* owned */
    bool forget_body;
    struct event *event;  /* counted: while its bytes are in memory */
    struct slice message; /* in the event's arena, or in read.arena */
    struct arena arena;   /* of the attempt under way */
    struct transfer *transfer;
    bool has_room;
    struct store_read_delivery read;
    struct store_result result;
    char *result_memory; /* owned */
};

/* All of one target in this worker. Lives as long as the engine: it is found by name. */
struct queue {
    struct queue *next;
    struct deliver *deliver;
    char *name;                  /* owned */
    const struct target *target; /* of the present generation; NULL: the name is gone */
    struct due_heap waiting;     /* records */
    struct record *records;      /* all that are in memory, waiting or under way */
    size_t held;                 /* their number */
    uint32_t sending;            /* loading, sending or recording */
    struct limiter limiter;
    uint64_t free_at_ms; /* monotonic: when the rate allows the next one */
    bool more_in_store, reading;
    bool more_came;           /* to the store, since the window that is being read was asked for */
    int64_t ended[ENDED_MAX]; /* since then: a window that is older may still have them */
    size_t ended_count;       /* may pass ENDED_MAX: then such a window is of no use */
    uint64_t store_due_ms;    /* wall clock: when to look into the store again */
    struct store_read_window window;
    uint64_t delivered, dead, retries;
};

struct deliver {
    struct deliver_config config;
    struct sender *sender;
    struct generation *generation; /* counted */
    struct queue *queues;
    uv_timer_t timer;
    struct rng rng;
    uint32_t under_way, in_store; /* attempts; operations the store has */
    bool started, draining;
    int closing_parts;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

static void pump(struct queue *queue);

/* Something waits on disk that is not here. A window that is being read may be older than that. */
static void note_in_store(struct queue *queue, uint64_t due_ms)
{
    queue->more_in_store = true;
    queue->more_came = queue->reading;
    if (due_ms < queue->store_due_ms)
        queue->store_due_ms = due_ms;
}

static void wait_for(struct record *record)
{
    record->state = RECORD_WAITING;
    due_heap_add(&record->queue->waiting, record->due_ms, record);
}

/* ---- queues ---- */

static struct queue *find_queue(struct deliver *deliver, struct slice name)
{
    for (struct queue *queue = deliver->queues; queue; queue = queue->next)
        if (slice_is(name, queue->name))
            return queue;
    return NULL;
}

static struct queue *need_queue(struct deliver *deliver, struct slice name)
{
    struct queue *queue = find_queue(deliver, name);
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

static uint32_t name_hash(struct slice name) /* FNV-1a, 32 bits: draft-eastlake-fnv */
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619u;
    return hash;
}

static bool lives_whole(const struct deliver *deliver, const struct target *target)
{
    return target->rate_per_s > 0 || target->concurrency < SHARES * deliver->config.workers;
}

static uint32_t home_of(const struct deliver *deliver, const struct target *target)
{
    return name_hash(target->name) % deliver->config.workers;
}

static uint32_t concurrency_here(const struct queue *queue)
{
    const struct deliver *deliver = queue->deliver;
    if (lives_whole(deliver, queue->target))
        return queue->target->concurrency;
    return queue->target->concurrency / deliver->config.workers;
}

/* Does this worker see to this target at all? */
static bool is_ours(const struct queue *queue)
{
    const struct deliver *deliver = queue->deliver;
    return queue->target && (!lives_whole(deliver, queue->target) || home_of(deliver, queue->target) == deliver->config.worker);
}

/* ---- records ---- */

static struct record *record_new(struct queue *queue)
{
    struct record *record = MEM_NEW(struct record);
    record->queue = queue;
    record->next = queue->records;
    if (record->next)
        record->next->prev = record;
    queue->records = record;
    queue->held++;
    return record;
}

static void forget_bytes(struct record *record)
{
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

static void record_free(struct record *record)
{
    note_ended(record->queue, record->seq);
    if (record->has_room)
        store_give_room(record->queue->deliver->config.store, ROOM_RESULT);
    forget_bytes(record);
    if (record->prev)
        record->prev->next = record->next;
    else
        record->queue->records = record->next;
    if (record->next)
        record->next->prev = record->prev;
    record->queue->held--;
    mem_free(record->result_memory);
    mem_free(record->route);
    mem_free(record->fixed_id);
    mem_free(record);
}

static bool holds(const struct queue *queue, int64_t seq)
{
    for (const struct record *record = queue->records; record; record = record->next)
        if (record->seq == seq)
            return true;
    return false;
}

/* ---- the clock ---- */

static void wake_in(struct deliver *deliver, uint64_t wait_ms);

static void on_timer(uv_timer_t *timer)
{
    struct deliver *deliver = timer->data;
    for (struct queue *queue = deliver->queues; queue; queue = queue->next)
        pump(queue);
}

static void wake_in(struct deliver *deliver, uint64_t wait_ms)
{
    if (deliver->draining)
        return;
    if (!uv_is_active((uv_handle_t *)&deliver->timer) || uv_timer_get_due_in(&deliver->timer) > wait_ms)
        uv_timer_start(&deliver->timer, on_timer, wait_ms, 0);
}

static void wake_at(struct deliver *deliver, uint64_t wall_ms)
{
    uint64_t now_ms = clock_wall_ms();
    if (wall_ms != UINT64_MAX)
        wake_in(deliver, wall_ms > now_ms ? wall_ms - now_ms : 0);
}

/* ---- recording the end of an attempt ---- */

static void record_again(struct record *record, uint64_t due_ms)
{
    struct queue *queue = record->queue;
    record->due_ms = due_ms;
    wait_for(record);
    wake_at(queue->deliver, due_ms);
}

static void on_recorded(struct record *record)
{
    struct queue *queue = record->queue;
    queue->sending--;
    record->has_room = false; /* the store gave it back */
    if (record->result.state != DELIVERY_WAITING) {
        record_free(record);
    } else {
        mem_free(record->result_memory);
        record->result_memory = NULL;
        record_again(record, record->result.due_ms);
    }
    pump(queue);
}

/* One block for the bytes that the store is to write: they outlive the answer. */
static char *copy_result(struct store_result *result, const struct answer *answer, const char *reason)
{
    size_t detail = strlen(answer->detail), why = strlen(reason);
    char *memory = mem_alloc(detail + answer->body.len + answer->content_type.len + why + 1), *at = memory;
    if (!memory)
        return NULL;
    struct {
        struct slice from;
        struct slice *to;
    } parts[] = {
        { { answer->detail, detail }, &result->attempt.detail },
        { answer->body, &result->attempt.answer },
        { answer->content_type, &result->attempt.answer_type },
        { { reason, why }, &result->reason },
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].from.len)
            memcpy(at, parts[i].from.data, parts[i].from.len);
        *parts[i].to = (struct slice){ at, parts[i].from.len };
        at += parts[i].from.len;
    }
    return memory;
}

static void count_end(struct queue *queue, enum delivery_state state)
{
    if (state == DELIVERY_DELIVERED)
        queue->delivered++;
    else if (state == DELIVERY_DEAD)
        queue->dead++;
    else
        queue->retries++;
}

static void submit_result(struct record *record, const struct answer *answer, const struct settlement *settlement)
{
    struct deliver *deliver = record->queue->deliver;
    record->state = RECORD_RECORDING;
    record->attempts++;
    record->result = (struct store_result){
        .op = { .kind = STORE_RESULT, .on_done = deliver->config.on_store_done, .owner = record },
        .delivery_seq = record->seq,
        .event_seq = record->event_seq,
        .attempt = { .n = record->attempts,
                     .at_ms = clock_wall_ms() - answer->took_ms,
                     .took_ms = answer->took_ms,
                     .status = answer->status,
                     .error = answer->error,
                     .generation = deliver->generation->number },
        .state = settlement->state,
        .due_ms = settlement->due_ms,
        .forget_body = record->forget_body,
    };
    record->result_memory = copy_result(&record->result, answer, settlement->reason); /* without memory: the bare record */
    count_end(record->queue, settlement->state);
    struct deliver_report report = {
        .route = slice_of(record->route),
        .target = slice_of(record->queue->name),
        .event_id = record->event_id,
        .delivery_id = record->id,
        .attempt = &record->result.attempt,
        .state = settlement->state,
        .due_ms = settlement->due_ms,
        .reason = record->result.reason,
    };
    deliver->config.on_attempt(deliver->config.arg, &report);
    forget_bytes(record);
    deliver->in_store++;
    store_submit(deliver->config.store, &record->result.op);
}

/* ---- an attempt ---- */

static enum judgement judge(const struct record *record, const struct answer *answer)
{
    const struct deliver *deliver = record->queue->deliver;
    const struct target *target = record->queue->target;
    if (answer->error != ATTEMPT_ANSWERED || !target)
        return JUDGED_FAILURE;
    if (!target->success_function)
        return settle_status_is_success(target, answer->status) ? JUDGED_SUCCESS : JUDGED_FAILURE;
    struct deliver_answer view = { answer->status, answer->body, answer->content_type };
    return deliver->config.judge(deliver->config.arg, target, &view);
}

static void end_attempt(struct record *record, const struct answer *answer)
{
    struct queue *queue = record->queue;
    struct settlement settlement;
    if (!queue->target) { /* gone by a reload while it was under way: the answer is kept, and it waits for the name to return */
        settlement =
            (struct settlement){ .state = answer->status >= 200 && answer->status < 300 ? DELIVERY_DELIVERED : DELIVERY_WAITING,
                                 .due_ms = clock_wall_ms(),
                                 .reason = "no target" };
        submit_result(record, answer, &settlement);
        return;
    }
    struct settling settling = {
        .target = queue->target,
        .answer = answer,
        .judgement = judge(record, answer),
        .n = record->attempts + 1,
        .received_ms = record->received_ms,
        .now_ms = clock_wall_ms(),
    };
    settle_attempt(&settling, &queue->deliver->rng, &settlement);
    submit_result(record, answer, &settlement);
}

static void on_answer(void *arg, const struct answer *answer)
{
    struct record *record = arg;
    record->transfer = NULL;
    record->queue->deliver->under_way--;
    end_attempt(record, answer);
}

/* It cannot be sent as things are: kept, uncounted, and tried again later. */
static void postpone(struct record *record, uint64_t wait_ms)
{
    struct queue *queue = record->queue;
    queue->sending--;
    forget_bytes(record);
    store_give_room(queue->deliver->config.store, ROOM_RESULT);
    record->has_room = false;
    record_again(record, clock_wall_ms() + wait_ms);
}

static void fail_for_good(struct record *record, const char *why)
{
    struct answer answer = {
        .error = ATTEMPT_CONFIG, .detail = why, .body = SLICE(""), .content_type = SLICE(""), .retry_after = SLICE("")
    };
    end_attempt(record, &answer);
}

static void send_now(struct record *record)
{
    struct queue *queue = record->queue;
    struct deliver *deliver = queue->deliver;
    char id[UUID_TEXT_SIZE];
    struct outgoing *out = arena_alloc(&record->arena, sizeof(*out));
    const char *why = "no memory";
    uuid_format(record->id, id);
    struct attempt_source source = {
        .target = queue->target,
        .generation = deliver->generation,
        .event = record->event,
        .message = record->message,
        .id = record->fixed_id[0] ? slice_of(record->fixed_id) : slice_of(id),
        .now_ms = clock_wall_ms(),
        .version = deliver->config.version,
    };
    enum result rc = out ? attempt_request_build(&source, &record->arena, out, &why) : ERR_MEMORY;
    if (rc == ERR_NOT_FOUND || rc == ERR_MEMORY) {
        LOG(LOG_WARN, "delivery postponed", LOG_ID("delivery_id", record->id), LOG_T("target", queue->name),
            LOG_T("detail", why));
        postpone(record, SECRET_AGAIN_MS);
        return;
    }
    record->state = RECORD_SENDING;
    if (rc == OK)
        record->transfer = sender_start(deliver->sender, out, on_answer, record, &why);
    if (record->transfer)
        deliver->under_way++;
    else
        fail_for_good(record, why);
}

/* ---- its bytes ---- */

static void on_loaded(struct record *record)
{
    struct queue *queue = record->queue;
    record->event = record->read.op.result == OK ? record->read.event : NULL;
    record->message = record->read.message;
    if (record->read.op.result == OK && record->read.state == DELIVERY_WAITING && queue->target && !queue->deliver->draining) {
        send_now(record);
        return;
    }
    if (record->read.op.result == ERR_INVALID || record->read.op.result == ERR_NOT_FOUND) {
        if (queue->target)
            fail_for_good(record, "its event cannot be read from the store");
        else
            postpone(record, READ_AGAIN_MS);
        return;
    }
    if (record->read.op.result == OK && record->read.state == DELIVERY_WAITING) {
        postpone(record, READ_AGAIN_MS);
        return;
    }
    queue->sending--; /* ended elsewhere, or the store has no memory now: the next window has it if it still waits */
    note_in_store(queue, clock_wall_ms() + READ_AGAIN_MS);
    record_free(record);
    pump(queue);
}

static bool load(struct record *record)
{
    struct deliver *deliver = record->queue->deliver;
    record->state = RECORD_LOADING;
    record->read = (struct store_read_delivery){
        .op = { .kind = STORE_READ_DELIVERY, .on_done = deliver->config.on_store_done, .owner = record },
        .seq = record->seq,
    };
    if (!store_submit_read(deliver->config.store, &record->read.op))
        return false;
    deliver->in_store++;
    return true;
}

/* Room for its result is taken. */
static void start(struct record *record)
{
    record->queue->sending++;
    record->has_room = true;
    if (record->event)
        send_now(record);
    else if (!load(record))
        postpone(record, WAIT_FOR_ROOM_MS);
}

/* ---- the window ---- */

static void window_add(struct queue *queue, const struct waiting_delivery *row)
{
    struct record *record = record_new(queue);
    record->seq = row->seq;
    record->event_seq = row->event_seq;
    record->id = row->id;
    record->event_id = row->event_id;
    record->received_ms = row->event_received_ms;
    record->due_ms = row->due_ms;
    record->attempts = row->attempts;
    record->route = mem_text(row->route);
    record->fixed_id = mem_text(row->fixed_id);
    const struct route *route = generation_route(queue->deliver->generation, row->route);
    record->forget_body = route && !route->keep;
    wait_for(record);
}

/* The first row that finds no place says when to look again, else the window's own word. */
static void take_window(struct queue *queue)
{
    const struct store_read_window *window = &queue->window;
    uint64_t next_ms = window->next_due_ms;
    if (queue->ended_count > ENDED_MAX)
        return; /* more_in_store stays as it is: the next one will do */
    for (size_t i = 0; i < window->count; i++) {
        if (holds(queue, window->rows[i].seq) || has_ended(queue, window->rows[i].seq))
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

static void on_window(struct queue *queue)
{
    queue->reading = false;
    if (queue->window.op.result == OK)
        take_window(queue);
    else
        queue->store_due_ms = clock_wall_ms() + READ_AGAIN_MS;
    queue->more_came = false;
    queue->ended_count = 0;
    store_read_free(&queue->window.op);
    pump(queue);
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
        wake_in(deliver, READ_AGAIN_MS);
}

static void refill(struct queue *queue)
{
    if (!queue->more_in_store || queue->reading || queue->held >= WINDOW_MAX / 2)
        return;
    if (queue->store_due_ms > clock_wall_ms() + READ_AGAIN_MS)
        wake_at(queue->deliver, queue->store_due_ms);
    else
        read_window(queue);
}

/* ---- what may start now ---- */

/* false: not now; the timer is set. */
static bool may_start(struct queue *queue)
{
    struct deliver *deliver = queue->deliver;
    if (queue->sending >= concurrency_here(queue) || deliver->under_way >= TRANSFERS_MAX)
        return false; /* the end of one of them goes on */
    uint64_t wait_ms = limiter_take(&queue->limiter, clock_mono_ms());
    if (wait_ms > 0) {
        wake_in(deliver, wait_ms);
        return false;
    }
    if (!store_take_room(deliver->config.store, ROOM_RESULT)) {
        wake_in(deliver, WAIT_FOR_ROOM_MS);
        return false;
    }
    return true;
}

static void pump(struct queue *queue)
{
    struct deliver *deliver = queue->deliver;
    if (!deliver->started || deliver->draining || !is_ours(queue) || queue->target->records)
        return;
    while (queue->waiting.count > 0) {
        uint64_t now_ms = clock_wall_ms();
        if (due_heap_next_ms(&queue->waiting) > now_ms) {
            wake_at(deliver, due_heap_next_ms(&queue->waiting));
            break;
        }
        if (!may_start(queue))
            break;
        start(due_heap_take(&queue->waiting));
    }
    refill(queue);
}

void deliver_offer(struct deliver *deliver, struct event *event, struct new_delivery *delivery)
{
    struct queue *queue = need_queue(deliver, delivery->target);
    if (delivery->state != DELIVERY_WAITING)
        return;
    if (queue->target && !is_ours(queue)) {
        deliver->config.hand_over(deliver->config.arg, home_of(deliver, queue->target), event, delivery);
        return;
    }
    if (queue->held >= WINDOW_MAX || !queue->target) {
        note_in_store(queue, delivery->due_ms); /* it comes with a window */
        return;
    }
    struct record *record = record_new(queue);
    const struct route *route = generation_route(deliver->generation, event->route);
    record->seq = delivery->seq;
    record->event_seq = event->seq;
    record->id = delivery->id;
    record->event_id = event->id;
    record->received_ms = event->received_ms;
    record->due_ms = delivery->due_ms;
    record->route = mem_text(event->route);
    record->fixed_id = mem_text(delivery->fixed_id);
    record->forget_body = route && !route->keep;
    record->event = event_ref(event);
    record->message = delivery->message;
    wait_for(record);
    pump(queue);
}

/* ---- operations that come back ---- */

/* The owner of a window read is a queue, of all others a record. */
static struct deliver *engine_of(const struct store_op *op)
{
    if (op->kind == STORE_READ_WINDOW)
        return ((struct queue *)op->owner)->deliver;
    return ((struct record *)op->owner)->queue->deliver;
}

void *deliver_arg_of(const struct store_op *op)
{
    return engine_of(op)->config.arg;
}

void deliver_on_store_done(struct store_op *op)
{
    engine_of(op)->in_store--;
    if (op->kind == STORE_READ_WINDOW)
        on_window(op->owner);
    else if (op->kind == STORE_READ_DELIVERY)
        on_loaded(op->owner);
    else
        on_recorded(op->owner);
}

/* ---- generations ---- */

static void set_target(struct queue *queue, const struct target *target)
{
    queue->target = target;
    if (target)
        limiter_set(&queue->limiter, target->rate_per_s, target->rate_burst, clock_mono_ms());
}

void deliver_set_generation(struct deliver *deliver, struct generation *generation)
{
    struct generation *former = deliver->generation;
    deliver->generation = generation_ref(generation);
    for (size_t i = 0; i < generation->target_count; i++) {
        struct queue *queue = need_queue(deliver, generation->targets[i].name);
        if (!queue->target) { /* new, or back: what waits for it is in the store */
            queue->more_in_store = true;
            queue->store_due_ms = 0;
        }
    }
    for (struct queue *queue = deliver->queues; queue; queue = queue->next)
        set_target(queue, generation_target(generation, slice_of(queue->name)));
    generation_unref(former);
    for (struct queue *queue = deliver->queues; queue; queue = queue->next)
        pump(queue);
}

/* ---- life ---- */

struct deliver *deliver_new(const struct deliver_config *config)
{
    struct deliver *deliver = MEM_NEW(struct deliver);
    deliver->config = *config;
    deliver->sender = sender_new(config->loop);
    rng_seed_random(&deliver->rng);
    uv_timer_init(config->loop, &deliver->timer);
    deliver->timer.data = deliver;
    return deliver;
}

void deliver_start(struct deliver *deliver)
{
    deliver->started = true;
    for (struct queue *queue = deliver->queues; queue; queue = queue->next)
        pump(queue);
}

void deliver_drain(struct deliver *deliver)
{
    deliver->draining = true;
    uv_timer_stop(&deliver->timer);
}

bool deliver_is_idle(const struct deliver *deliver)
{
    return deliver->under_way == 0 && deliver->in_store == 0;
}

/* What it was about to send stays waiting in the store. */
static void abort_record(struct deliver *deliver, struct record *record)
{
    sender_abort(deliver->sender, record->transfer);
    deliver->under_way--;
    record->queue->sending--;
    record_free(record);
}

bool deliver_abort(struct deliver *deliver)
{
    for (struct queue *queue = deliver->queues; queue; queue = queue->next) {
        for (struct record *record = queue->records, *next; record; record = next) {
            next = record->next;
            if (record->transfer)
                abort_record(deliver, record);
        }
    }
    return deliver_is_idle(deliver);
}

static void queue_free(struct queue *queue)
{
    while (queue->records)
        record_free(queue->records);
    due_heap_deinit(&queue->waiting);
    mem_free(queue->name);
    mem_free(queue);
}

static void on_part_closed(struct deliver *deliver)
{
    if (--deliver->closing_parts > 0)
        return;
    void (*on_closed)(void *) = deliver->on_closed;
    void *arg = deliver->closed_arg;
    mem_free(deliver);
    on_closed(arg);
}

static void on_sender_closed(void *arg)
{
    on_part_closed(arg);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

void deliver_free(struct deliver *deliver, void (*on_closed)(void *arg), void *arg)
{
    deliver->on_closed = on_closed;
    deliver->closed_arg = arg;
    deliver->closing_parts = 2;
    while (deliver->queues) {
        struct queue *next = deliver->queues->next;
        queue_free(deliver->queues);
        deliver->queues = next;
    }
    generation_unref(deliver->generation);
    sender_free(deliver->sender, on_sender_closed, deliver);
    uv_close((uv_handle_t *)&deliver->timer, on_timer_closed);
}

void deliver_write_json(const struct deliver *deliver, struct buf *out)
{
    buf_add_byte(out, '[');
    for (const struct queue *queue = deliver->queues; queue; queue = queue->next) {
        buf_addf(out, "%s{\"target\":", queue == deliver->queues ? "" : ",");
        buf_add_json_string(out, slice_of(queue->name));
        buf_addf(out, ",\"gone\":%s,\"waiting\":%zu,\"sending\":%u,\"delivered\":%llu,\"dead\":%llu,\"retries\":%llu}",
                 queue->target ? "false" : "true", queue->waiting.count, queue->sending, (unsigned long long)queue->delivered,
                 (unsigned long long)queue->dead, (unsigned long long)queue->retries);
    }
    buf_add_byte(out, ']');
}
