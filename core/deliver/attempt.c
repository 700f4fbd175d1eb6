/* attempt.c: from the bytes of a message to the record of how its attempt ended. */
#include "deliver/inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver/attempt_request.h"
#include "deliver/settle.h"

/* ---- recording the end of an attempt ---- */

/* What on_dead has sent waits with the record's end on disk. */
static void offer_notices(struct record *record)
{
    const struct outcome *says = record->result.op.result == OK ? record->result.says : NULL;
    if (says && says->unsaid)
        LOG(LOG_ERROR, "notice failed", LOG_T("function", "on_dead"), LOG_S("route", record->route),
            LOG_ID("event_id", record->event_id), LOG_T("detail", OUTCOME_UNSAID));
    for (struct new_delivery *delivery = says ? says->deliveries : NULL; delivery; delivery = delivery->next)
        deliver_offer(record->queue->deliver, record->says_event, delivery);
}

void attempt_on_recorded(struct record *record)
{
    struct queue *queue = record->queue;
    record->has_room = false; /* the store gave it back */
    offer_notices(record);
    if (record->result.state != DELIVERY_WAITING) {
        if (!record->notice)
            queue->deliver->config.on_ended(queue->deliver->config.arg, record->event_id, slice_of(queue->name),
                                            record->result.state);
        if (record->followed)
            order_ask_next(record);
        else
            record_free(record);
    } else {
        mem_free(record->result_memory);
        record->result_memory = NULL;
        record_wait_until(record, record->result.due_ms);
    }
    queue_wake(queue);
}

/* The end of it cannot be told now, or not any more: it stays waiting in the store. */
static void leave_in_store(struct record *record)
{
    struct queue *queue = record->queue;
    queue->deliver->in_store--;
    queue_note_in_store(queue, clock_wall_ms() + READ_AGAIN_MS);
    record_free(record);
}

static bool tell_dead(struct record *record)
{
    const struct deliver *deliver = record->queue->deliver;
    struct deliver_dead dead = {
        .record = record,
        .route = record->route,
        .target = slice_of(record->queue->name),
        .why = record->result.reason,
        .event_id = record->event_id,
        .delivery_id = record->id,
        .event_seq = record->event_seq,
        .attempts = record->attempts,
        .status = record->result.attempt.status,
    };
    return deliver->config.on_dead(deliver->config.arg, &dead);
}

void attempt_submit_result(struct record *record)
{
    struct deliver *deliver = record->queue->deliver;
    record->state = RECORD_RECORDING;
    record->result.delivery_seq = record->seq;
    record->result.event_seq = record->event_seq;
    deliver->in_store++;
    if (record->tells && !tell_dead(record))
        leave_in_store(record);
    else if (!record->tells)
        store_submit(deliver->config.store, &record->result.op);
}

void deliver_told(struct record *record, struct event *event, struct outcome *says)
{
    if (event) {
        record->says_event = event_ref(event);
        record->result.says = says;
    }
    store_submit(record->queue->deliver->config.store, &record->result.op);
}

void deliver_untold(struct record *record)
{
    leave_in_store(record);
}

/* Its route's name outlives the bytes of its event. */
static void note_whom_to_tell(struct record *record, const struct route *route)
{
    if (record->result.state != DELIVERY_DEAD || record->notice || !route || !route->on_dead)
        return;
    record->route = arena_copy(&record->kept, route->path);
    record->tells = record->route.data != NULL;
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

static void report(const struct record *record)
{
    const struct deliver *deliver = record->queue->deliver;
    struct deliver_report report = {
        .route = record->event ? record->event->route : SLICE(""),
        .target = slice_of(record->queue->name),
        .event_id = record->event_id,
        .delivery_id = record->id,
        .attempt = &record->result.attempt,
        .state = record->result.state,
        .since_ms = record->since_ms,
        .due_ms = record->result.due_ms,
        .reason = record->result.reason,
    };
    deliver->config.on_attempt(deliver->config.arg, &report);
}

static void settle(struct record *record, const struct answer *answer, const struct settlement *settlement)
{
    struct deliver *deliver = record->queue->deliver;
    const struct route *route = record->event ? generation_route(deliver->generation, record->event->route) : NULL;
    record->queue->sending--;
    record->attempts++;
    record->result = (struct store_result){
        .op = { .kind = STORE_RESULT, .on_done = deliver->config.on_store_done, .owner = record },
        .attempt = { .n = record->attempts,
                     .at_ms = clock_wall_ms() - answer->took_ms,
                     .took_ms = answer->took_ms,
                     .status = answer->status,
                     .error = answer->error,
                     .generation = deliver->generation->number },
        .state = settlement->state,
        .due_ms = settlement->due_ms,
        .forget_body = route && !route->keep,
    };
    record->result_memory = copy_result(&record->result, answer, settlement->reason); /* without memory: the bare record */
    note_whom_to_tell(record, route);
    count_end(record->queue, settlement->state);
    report(record);
    record_forget_bytes(record);
    queue_wake(record->queue);
    if (record->unwritten)
        unwritten_ended(record);
    else
        attempt_submit_result(record);
}

/* ---- the breaker ---- */

void attempt_forget_probe(struct record *record)
{
    if (record->probe)
        breaker_forget(&record->queue->breaker);
    record->probe = false;
}

static void tell_breaker(struct record *record, bool target_failed)
{
    struct queue *queue = record->queue;
    bool changed = breaker_end(&queue->breaker, record->probe, !target_failed, queue->target->breaker_after,
                               queue->target->breaker_probe_ms, clock_mono_ms());
    record->probe = false;
    queue->breaker_openings += changed && queue->breaker.open;
    if (changed)
        LOG(queue->breaker.open ? LOG_WARN : LOG_INFO, queue->breaker.open ? "breaker opened" : "breaker closed",
            LOG_T("target", queue->name));
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
    struct deliver_answer view = { record->event_id, answer->status, answer->body, answer->content_type };
    return deliver->config.judge(deliver->config.arg, target, &view);
}

static void end(struct record *record, const struct answer *answer)
{
    struct queue *queue = record->queue;
    struct settlement settlement;
    if (!queue->target) { /* gone by a reload while it was under way: the answer is kept, and it waits for the name to return */
        settlement =
            (struct settlement){ .state = answer->status >= 200 && answer->status < 300 ? DELIVERY_DELIVERED : DELIVERY_WAITING,
                                 .due_ms = clock_wall_ms(),
                                 .reason = "no target" };
        attempt_forget_probe(record);
        settle(record, answer, &settlement);
        return;
    }
    struct settling settling = {
        .target = queue->target,
        .answer = answer,
        .judgement = judge(record, answer),
        .n = record->attempts + 1,
        .since_ms = record->since_ms,
        .now_ms = clock_wall_ms(),
    };
    settle_attempt(&settling, &queue->deliver->rng, &settlement);
    if (answer->error == ATTEMPT_CONFIG || answer->error == ATTEMPT_BLOCKED_ADDRESS || settling.judgement == NOT_JUDGED)
        attempt_forget_probe(record);
    else
        tell_breaker(record, settlement.target_failed);
    settle(record, answer, &settlement);
}

/* It cannot be sent as things are: kept, uncounted, and tried again later. */
static void postpone(struct record *record, uint64_t wait_ms)
{
    struct queue *queue = record->queue;
    queue->sending--;
    attempt_forget_probe(record);
    store_give_room(queue->deliver->config.store, ROOM_RESULT);
    record->has_room = false;
    if (record->unwritten) {
        arena_deinit(&record->arena);
        unwritten_write(record->unwritten);
    } else {
        record_forget_bytes(record);
    }
    record_wait_until(record, clock_wall_ms() + wait_ms);
}

/* Without an answer. */
static void fail(struct record *record, enum attempt_error error, const char *why)
{
    struct answer answer = {
        .error = error, .detail = why, .body = SLICE(""), .content_type = SLICE(""), .retry_after = SLICE("")
    };
    end(record, &answer);
}

static void send_now(struct record *record);

static void on_token(struct token_wait *wait, const char *why)
{
    struct record *record = wait->owner;
    record->token_wait = NULL;
    record->queue->deliver->under_way--;
    if (!record->queue->target) /* gone by a reload meanwhile */
        postpone(record, READ_AGAIN_MS);
    else if (why)
        fail(record, ATTEMPT_OAUTH2, why);
    else
        send_now(record);
}

/* false: it is not there; the record waits for it, or has failed for want of it. */
static bool take_token(struct record *record, struct slice *token)
{
    struct deliver *deliver = record->queue->deliver;
    const struct target *target = record->queue->target;
    *token = tokens_get(deliver->tokens, target, &record->token_serial);
    if (token->data)
        return true;
    struct token_wait *wait = arena_alloc(&record->arena, sizeof(*wait));
    const char *why = "no memory";
    if (wait) {
        *wait = (struct token_wait){ .on_done = on_token, .owner = record };
        why = tokens_wait(deliver->tokens, target, deliver->generation, wait);
    }
    if (why) {
        fail(record, ATTEMPT_OAUTH2, why);
        return false;
    }
    record->token_wait = wait;
    deliver->under_way++;
    return false;
}

/* The target does not know the token any more: once in an attempt it is sent again with another one. */
static bool send_with_other_token(struct record *record)
{
    const struct queue *queue = record->queue;
    if (record->token_renewed || !queue->target || queue->target->auth != AUTH_OAUTH2 ||
        !tokens_refuse(queue->deliver->tokens, queue->target, record->token_serial))
        return false;
    record->token_renewed = true;
    arena_deinit(&record->arena);
    send_now(record);
    return true;
}

static void on_answer(void *arg, const struct answer *answer)
{
    struct record *record = arg;
    record->transfer = NULL;
    record->queue->deliver->under_way--;
    if (answer->status != 401 || !record->token_serial || !send_with_other_token(record))
        end(record, answer);
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
        .id = slice_of(record->fixed_id ? record->fixed_id : id),
        .delivery_id = record->id,
        .now_ms = clock_wall_ms(),
    };
    record->state = RECORD_SENDING;
    if (queue->target->auth == AUTH_OAUTH2 && !take_token(record, &source.token))
        return;
    enum result rc = out ? attempt_request_build(&source, &record->arena, out, &why) : ERR_MEMORY;
    if (rc == ERR_NOT_FOUND || rc == ERR_MEMORY) {
        LOG(LOG_WARN, "delivery postponed", LOG_ID("delivery_id", record->id), LOG_T("target", queue->name),
            LOG_T("detail", why));
        postpone(record, SECRET_AGAIN_MS);
        return;
    }
    if (rc == OK)
        record->transfer = sender_start(deliver->sender, out, on_answer, record, &why);
    if (record->transfer)
        deliver->under_way++;
    else
        fail(record, ATTEMPT_CONFIG, why);
}

/* ---- its bytes ---- */

void attempt_on_loaded(struct record *record)
{
    struct queue *queue = record->queue;
    if (record->read.op.result == OK) {
        record_keep_bytes(record, record->read.event, record->read.message, &queue->deliver->sending_bytes);
        event_unref(record->read.event); /* the reader's reference */
    }
    if (record->read.op.result == OK && record->read.state == DELIVERY_WAITING && queue->target && !queue->deliver->draining) {
        send_now(record);
        return;
    }
    if (record->read.op.result == ERR_INVALID || record->read.op.result == ERR_NOT_FOUND) {
        if (queue->target)
            fail(record, ATTEMPT_CONFIG, "its event cannot be read from the store");
        else
            postpone(record, READ_AGAIN_MS);
        return;
    }
    if (record->read.op.result == OK && record->read.state == DELIVERY_WAITING) {
        postpone(record, READ_AGAIN_MS);
        return;
    }
    attempt_forget_probe(record);
    queue->sending--; /* ended elsewhere, or the store has no memory now: the next window has it if it still waits */
    queue_note_in_store(queue, clock_wall_ms() + READ_AGAIN_MS);
    record_free(record);
    queue_wake(queue);
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

void attempt_start(struct record *record)
{
    record->queue->sending++;
    record->probe = breaker_start(&record->queue->breaker);
    record->has_room = true;
    record->token_serial = 0;
    record->token_renewed = false;
    if (record->event) {
        record_bytes_leave(record);
        send_now(record);
    } else if (!load(record)) {
        postpone(record, WAIT_FOR_ROOM_MS);
    }
}
