#include "ingest/ingest.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/answer.h"
#include "ingest/cidr.h"
#include "ingest/intake.h"
#include "ingest/router.h"
#include "ingest/when.h"
#include "model/lookup.h"
#include "observe/access.h"

enum { SCRATCH_MAX = 256 << 10, SHARDS = 65536 };

struct ingest {
    struct ingest_config config;
    struct buf scratch; /* for lookups; used and forgotten within one call */
    uint32_t in_flight;
    bool draining;
};

static void claim_next(struct intake *intake);
static void run(struct intake *intake);
static void commit(struct intake *intake);

/* ---- life of an intake ---- */

static struct intake *intake_new(struct ingest *ingest, struct conn *conn)
{
    struct intake *intake = MEM_NEW(struct intake);
    intake->ingest = ingest;
    intake->conn = conn;
    buf_init(&intake->param_text, PARAM_BYTES_MAX);
    ingest->in_flight++;
    return intake;
}

static void intake_release_keys(struct intake *intake)
{
    while (intake->claimed > 0)
        dedupe_release(intake->ingest->config.store, &intake->keys[--intake->claimed]);
}

static void intake_free(struct intake *intake)
{
    intake->ingest->in_flight--;
    buf_deinit(&intake->param_text);
    event_unref(intake->event);
    generation_unref(intake->generation);
    mem_free(intake);
}

static void on_wait_timer_closed(uv_handle_t *handle)
{
    intake_free(handle->data);
}

/* Nothing of it is in flight any more. */
static void intake_end(struct intake *intake)
{
    if (intake->wait_timer_open)
        uv_close((uv_handle_t *)&intake->wait_timer, on_wait_timer_closed);
    else
        intake_free(intake);
}

/* ---- answering ---- */

static void answer(struct intake *intake, const struct reply *reply)
{
    struct conn *conn = intake->conn;
    intake->conn = NULL;
    if (conn)
        conn_reply(conn, reply);
}

static void count_refusal(struct intake *intake, enum refusal reason, uint16_t status, const char *detail)
{
    struct slice route = intake->route ? intake->route->path : SLICE("");
    counts_refused(intake->ingest->config.counts, route, reason, status, conn_remote_ip(intake->conn), slice_of(detail),
                   clock_wall_ms());
}

static void refuse(struct intake *intake, enum refusal reason, uint16_t status, const char *detail)
{
    struct reply reply;
    if (intake->conn)
        count_refusal(intake, reason, status, detail);
    reply_problem(&reply, status, detail);
    answer(intake, &reply);
}

static void refuse_and_end(struct intake *intake, enum refusal reason, uint16_t status, const char *detail)
{
    intake_release_keys(intake);
    refuse(intake, reason, status, detail);
    intake_end(intake);
}

/* ---- the head: everything that can be said before the body is read ---- */

static bool method_allowed(const struct route *route, struct slice method)
{
    for (size_t i = 0; i < route->method_count; i++)
        if (slice_eq(route->methods[i], method))
            return true;
    return false;
}

/* Why a request is not taken; status 0: it is. */
struct head_refusal {
    enum refusal reason;
    uint16_t status;
    const char *detail;
};

static void write_refusal(struct intake *intake, const struct head_refusal *refusal, struct reply *reply)
{
    count_refusal(intake, refusal->reason, refusal->status, refusal->detail);
    reply_problem(reply, refusal->status, refusal->detail);
    if (refusal->status == 405)
        (void)reply_add_header(reply, SLICE("Allow"),
                               intake->route->allow); /* outlives the answer: the generation is held by others */
}

/* A method that stands for a body, and no word about one (RFC 9110, 15.5.12): what came after the head would be lost. */
static bool lacks_length(const struct request *request)
{
    bool has_body = slice_is(request->method, "POST") || slice_is(request->method, "PUT") || slice_is(request->method, "PATCH");
    return has_body && !request->chunked && !request_header(request, SLICE("content-length")).data;
}

static void find_route(struct intake *intake, struct generation *generation, struct slice path)
{
    intake->generation = generation_ref(generation);
    intake->route = router_match(generation, path, intake->params, &intake->param_count, &intake->param_text);
}

/* What is to be said of a request by the rules that it was matched with. */
static struct head_refusal judge_head(const struct intake *intake, const struct request *request)
{
    const struct route *route = intake->route;
    if (!route)
        return (struct head_refusal){ REFUSED_NO_ROUTE, 404, "no route here" };
    if (!method_allowed(route, request->method))
        return (struct head_refusal){ REFUSED_METHOD, 405, "this route takes other methods, see Allow" };
    if (route->ip_allow_count && !cidr_contains_any(route->ip_allow, route->ip_allow_count, conn_remote_ip(intake->conn)))
        return (struct head_refusal){ REFUSED_ADDRESS, 403, "this address may not send here" };
    if (lacks_length(request))
        return (struct head_refusal){ REFUSED_HTTP, 411, "say how long the body is: Content-Length, 0 for none, or chunked" };
    return (struct head_refusal){ 0 };
}

static void on_head(struct conn *conn, struct request *request, struct head_verdict *verdict, void *arg)
{
    struct ingest *ingest = arg;
    struct intake *intake = intake_new(ingest, conn);
    struct head_refusal refusal = { REFUSED_DRAINING, 503, "the router is shutting down: try again" };
    if (!ingest->draining) {
        find_route(intake, ingest->config.to.rules(ingest->config.to.arg)->generation, request->path);
        refusal = judge_head(intake, request);
    }
    if (!refusal.status && !store_accepts(ingest->config.store))
        refusal = (struct head_refusal){ REFUSED_STORE_FULL, 503, "the store has no room: try again" };
    if (refusal.status) {
        verdict->refused = true;
        write_refusal(intake, &refusal, &verdict->reply);
        intake_end(intake);
        return;
    }
    verdict->max_body_bytes = intake->route->max_body_bytes;
    request->consumer = intake;
}

/* The rules changed while the body came: the request is judged by those in force, as its handler is; the verifiers of the former
 * ones are gone. false: it was refused. */
static bool match_again(struct intake *intake, struct generation *generation, const struct request *request)
{
    struct reply reply;
    generation_unref(intake->generation);
    intake->param_count = 0;
    find_route(intake, generation, request->path);
    struct head_refusal refusal = judge_head(intake, request);
    if (!refusal.status && request->body.len > intake->route->max_body_bytes)
        refusal = (struct head_refusal){ REFUSED_SIZE, 413, "the body is larger than this route takes" };
    if (!refusal.status)
        return true;
    write_refusal(intake, &refusal, &reply);
    answer(intake, &reply);
    intake_end(intake);
    return false;
}

/* ---- the whole request: verify, then decode ---- */

static enum refusal refusal_of(enum verdict verdict)
{
    return verdict == VERDICT_STALE ? REFUSED_STALE : verdict == VERDICT_NO_SECRET ? REFUSED_NO_SECRET : REFUSED_SIGNATURE;
}

/* The same two slices under the name that the model has for them. */
static void copy_headers(const struct request *request, struct pair *headers)
{
    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = (struct pair){ request->headers[i].name, request->headers[i].value };
}

static enum result make_event(struct intake *intake, struct request *request, const struct verify_result *verified)
{
    struct ingest *ingest = intake->ingest;
    struct pair headers[HTTP_HEADERS_MAX];
    uint64_t now_ms = clock_wall_ms();
    struct uuid id = uuid_v7(ingest->config.ids, now_ms);
    /* the last two bytes say whose worker's it is when it has to run again (store.h, store_read_due) */
    uint32_t tail = (uint32_t)(id.bytes[14] << 8 | id.bytes[15]) / ingest->config.workers * ingest->config.workers;
    tail = tail + ingest->config.worker < SHARDS ? tail + ingest->config.worker : ingest->config.worker;
    id.bytes[14] = (uint8_t)(tail >> 8);
    id.bytes[15] = (uint8_t)tail;
    copy_headers(request, headers);
    struct event_parts parts = {
        .id = id,
        .route = intake->route->path,
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .remote_ip = conn_remote_ip(intake->conn),
        .content_type = request_header(request, SLICE("content-type")),
        .provider = intake->route->provider,
        .verified = intake->route->verify.name,
        .headers = headers,
        .header_count = request->header_count,
        .params = intake->params,
        .param_count = intake->param_count,
        .received_ms = now_ms,
        .time_ms = verified->time_ms,
        .body = request->body,
        .body_memory = NULL,
    };
    size_t accounted;
    parts.body_memory = request_take_body(request, &accounted);
    enum result rc = event_new(&parts, &intake->event);
    if (rc != OK)
        mem_free(parts.body_memory);
    if (request->budget)
        event_account(rc == OK ? intake->event : NULL, &request->budget->used, accounted);
    return rc;
}

static bool type_is(struct slice content_type, const char *want)
{
    struct slice name = { content_type.data, 0 };
    while (name.len < content_type.len && content_type.data[name.len] != ';')
        name.len++;
    name = slice_trim(name);
    return slice_eq_nocase(name, slice_of(want));
}

static bool type_ends_in_json(struct slice content_type)
{
    static const struct slice suffix = SLICE("+json");
    struct slice name = { content_type.data, 0 };
    while (name.len < content_type.len && content_type.data[name.len] != ';')
        name.len++;
    name = slice_trim(name);
    return name.len > suffix.len && slice_eq_nocase(slice_from(name, name.len - suffix.len), suffix);
}

static bool is_json(const struct route *route, const struct event *event)
{
    if (route->content != CONTENT_BY_TYPE)
        return route->content == CONTENT_JSON;
    if (route->form_payload && type_is(event->content_type, "application/x-www-form-urlencoded"))
        return true;
    return type_is(event->content_type, "application/json") || type_ends_in_json(event->content_type);
}

/* false: it was refused. */
static bool decode(struct intake *intake)
{
    struct json_error error;
    char detail[160];
    if (intake->event->body.len == 0 || !is_json(intake->route, intake->event))
        return true;
    enum result rc = event_index(intake->event, &error);
    if (rc == OK)
        return true;
    if (rc == ERR_INVALID) {
        snprintf(detail, sizeof(detail), "the body is not valid JSON: %s at byte %zu", error.what, error.offset);
        refuse_and_end(intake, REFUSED_CONTENT, 400, detail);
    } else {
        refuse_and_end(intake, REFUSED_STORE_FULL, 503, "no memory for this body now: try again");
    }
    return false;
}

/* event.type: a header's value or a JSON string; nothing else. */
static void find_type(struct intake *intake)
{
    struct event *event = intake->event;
    if (intake->route->type_path.len == 0)
        return;
    struct found found = event_lookup(event, intake->route->type_path, &intake->ingest->scratch);
    if (found.kind == FOUND_TEXT) {
        event->type = arena_copy(&event->arena, found.text);
    } else if (found.kind == FOUND_JSON && json_type(found.json) == JSON_STRING) {
        bool escaped;
        struct slice raw = json_string(found.json, &escaped);
        buf_clear(&intake->ingest->scratch);
        json_unescape(raw, &intake->ingest->scratch);
        event->type = arena_copy(&event->arena, buf_slice(&intake->ingest->scratch));
    }
}

/* ---- when ---- */

static void fail_first_try(struct intake *intake, const struct script_failure *failure)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    to->on_failed(to->arg, intake->route, intake->event, failure->reason);
    intake->outcome = script_failed_outcome(intake->route, intake->event, intake->generation->number, failure, clock_wall_ms(),
                                            intake->ingest->config.rng);
    intake->run_again = !intake->outcome;
}

/* false: the event is ignored. An error in the function is a failed try of the handler, not a refusal (rules.md 2). */
static bool wanted(struct intake *intake)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    bool holds = true;
    if (intake->route->when_function && !intake->store_first) {
        struct script_failure failure;
        enum result rc = to->when(to->arg, intake->route, intake->event, &holds, &failure);
        if (rc == ERR_FULL)
            intake->store_first = true;
        else if (rc != OK)
            fail_first_try(intake, &failure);
        return holds;
    }
    return when_holds(intake->route->when, intake->route->when_count, intake->event, &intake->ingest->scratch);
}

static void ignore(struct intake *intake)
{
    struct reply reply;
    counts_ignored(intake->ingest->config.counts, intake->route->path);
    answer_ignored(&reply, intake->route);
    answer(intake, &reply);
    intake_end(intake);
}

/* ---- dedupe ---- */

static void add_key(struct intake *intake, char kind, struct slice text)
{
    const struct route *route = intake->route;
    uint64_t until_ms = intake->event->received_ms + route->dedupe_within_ms;
    intake->keys[intake->key_count++] = dedupe_key_make(intake->ingest->config.store, route->path, kind, text, until_ms);
}

/* The text of what a dedupe path finds; data NULL: nothing, so no key. */
static struct slice key_text(struct intake *intake)
{
    struct found found = event_lookup(intake->event, intake->route->dedupe_path, &intake->ingest->scratch);
    if (found.kind == FOUND_TEXT)
        return found.text;
    if (found.kind == FOUND_JSON && json_type(found.json) != JSON_NULL)
        return json_text(found.json);
    return (struct slice){ NULL, 0 };
}

/* false: it was refused. */
static bool make_keys(struct intake *intake, const struct verify_result *verified)
{
    const struct route *route = intake->route;
    const struct ingest_worker *to = &intake->ingest->config.to;
    struct slice key = { NULL, 0 };
    if (route->dedupe == DEDUPE_PATH) {
        key = key_text(intake);
    } else if (route->dedupe == DEDUPE_FUNCTION && !intake->outcome && !intake->store_first) {
        struct script_failure failure;
        enum result rc = to->dedupe(to->arg, route, intake->event, &key, &failure);
        if (rc == ERR_FULL)
            intake->store_first = true;
        else if (rc != OK)
            fail_first_try(intake, &failure);
    }
    if (key.len > 0) {
        add_key(intake, 'k', key);
    } else if (route->dedupe_required) {
        refuse_and_end(intake, REFUSED_SIGNATURE, 401, "the delivery id is missing");
        return false;
    }
    if (route->dedupe_signature && verified->signature.len > 0)
        add_key(intake, 's', verified->signature);
    return true;
}

static void answer_duplicate(struct intake *intake, struct uuid winner)
{
    struct reply reply;
    struct answer_text text;
    counts_duplicate(intake->ingest->config.counts, intake->route->path);
    answer_stored(&reply, &text, intake->route, winner);
    (void)reply_add_header(&reply, SLICE("tidewire-duplicate"), SLICE("true")); /* there is room, as for the id */
    answer(intake, &reply);
}

static void on_wait_over(uv_timer_t *timer)
{
    struct intake *intake = timer->data;
    if (intake->state == INTAKE_CLAIMING &&
        dedupe_unwait(intake->ingest->config.store, &intake->keys[intake->claimed], &intake->wait))
        refuse_and_end(intake, REFUSED_STORE_FULL, 503, "an equal event is still being stored: try again");
}

static void on_claim_settled_here(struct handed *handed)
{
    struct intake *intake = (struct intake *)((char *)handed - offsetof(struct intake, handed));
    uv_timer_stop(&intake->wait_timer);
    if (uuid_is_nil(intake->wait_winner)) {
        intake->state = INTAKE_CHECKING;
        claim_next(intake);
        return;
    }
    intake_release_keys(intake);
    answer_duplicate(intake, intake->wait_winner);
    intake_end(intake);
}

/* On whichever thread settled the claim. */
static void on_claim_settled(struct dedupe_wait *wait, struct uuid winner)
{
    struct intake *intake = wait->owner;
    intake->wait_winner = winner;
    intake->handed.run = on_claim_settled_here;
    if (handoff_send(intake->ingest->config.handoff, &intake->handed) != OK)
        return; /* the worker waits for its requests before it closes */
}

static void wait_for_claim(struct intake *intake)
{
    intake->state = INTAKE_CLAIMING;
    if (!intake->wait_timer_open) {
        uv_timer_init(intake->ingest->config.loop, &intake->wait_timer);
        intake->wait_timer.data = intake;
        intake->wait_timer_open = true;
    }
    uv_timer_start(&intake->wait_timer, on_wait_over, DEDUPE_WAIT_MS, 0);
}

/* Claims the keys one after the other; goes on with run. */
static void claim_next(struct intake *intake)
{
    while (intake->claimed < intake->key_count) {
        struct uuid winner;
        intake->wait = (struct dedupe_wait){ .on_settled = on_claim_settled, .owner = intake };
        switch (dedupe_claim(intake->ingest->config.store, &intake->keys[intake->claimed], intake->event->id, clock_wall_ms(),
                             &intake->wait, &winner)) {
        case CLAIM_NEW:
            intake->claimed++;
            break;
        case CLAIM_WAIT:
            wait_for_claim(intake);
            return;
        case CLAIM_DUPLICATE:
            intake_release_keys(intake);
            answer_duplicate(intake, winner);
            intake_end(intake);
            return;
        }
    }
    run(intake);
}

/* ---- the handler ---- */

static bool keeps_nothing(const struct intake *intake)
{
    return intake->route->ack == ACK_RECEIVED && !intake->route->keep && intake->key_count == 0;
}

/* false: it is to be written, since something of it has to wait or to be kept. */
static bool ends_unwritten(struct intake *intake)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    struct outcome *outcome = intake->outcome;
    if (!keeps_nothing(intake) || !outcome || outcome->state == EVENT_WAITING || outcome->state == EVENT_FAILED)
        return false;
    if (outcome->delivery_count > 0)
        return to->send_unwritten(to->arg, intake->event, outcome);
    store_give_room(intake->ingest->config.store, ROOM_EVENT);
    return true;
}

static void on_run_done(struct run *done, struct outcome *outcome)
{
    struct intake *intake = done->owner;
    intake->outcome = outcome;
    intake->run_again = !outcome;
    if (intake->state == INTAKE_RUNNING)
        return; /* it returned without waiting: run() goes on */
    if (intake->state == INTAKE_COMMITTING)
        return; /* on_committed settles it */
}

/* The handler waited, and its event was committed meanwhile: the end of the run belongs to the worker's reruns. */
static void on_stored_run_done(struct run *done, struct outcome *outcome)
{
    struct intake *intake = done->owner;
    const struct ingest_worker *to = &intake->ingest->config.to;
    to->settle(to->arg, intake->event, outcome);
    intake_end(intake);
}

static void answer_now(struct intake *intake)
{
    struct reply reply;
    struct answer_text text;
    answer_stored(&reply, &text, intake->route, intake->event->id);
    answer(intake, &reply);
}

static void run(struct intake *intake)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    if (!store_take_room(intake->ingest->config.store, ROOM_EVENT)) {
        refuse_and_end(intake, REFUSED_STORE_FULL, 503, "too many events are being stored: try again");
        return;
    }
    if (intake->route->ack == ACK_RECEIVED)
        answer_now(intake);
    intake->state = INTAKE_RUNNING;
    bool may_run = !intake->store_first && !intake->run_again && to->can_run(to->arg) && to->may_wait(to->arg);
    if (!intake->outcome && may_run) {
        intake->run = (struct run){ .event = intake->event, .route = intake->route, .on_done = on_run_done, .owner = intake };
        intake->run_waits = to->run(to->arg, &intake->run) == RUN_WAITS;
    } else if (!intake->outcome) {
        intake->run_again = true;
    }
    if (!ends_unwritten(intake)) {
        commit(intake);
        return;
    }
    counts_accepted(intake->ingest->config.counts, intake->route->path);
    if (intake->outcome->state == EVENT_DROPPED)
        access_run(intake->event, intake->outcome);
    intake_end(intake);
}

/* ---- the commit ---- */

static void refuse_commit(struct intake *intake, enum result result)
{
    intake->claimed = 0; /* the writer has settled the claims */
    switch (result) {
    case ERR_EXISTS:
        answer_duplicate(intake, intake->accept.winner);
        break;
    case ERR_DISK_FULL:
        refuse(intake, REFUSED_STORE_FULL, 503, "the disk is full: try again");
        break;
    default:
        refuse(intake, REFUSED_STORE_FULL, 503, "this event could not be stored: try again");
    }
}

static void after_commit(struct intake *intake)
{
    const struct ingest_worker *to = &intake->ingest->config.to;
    struct event *event = intake->event;
    event->stored = true;
    counts_accepted(intake->ingest->config.counts, intake->route->path);
    access_request(event, intake->route->reply.status, (clock_mono_ns() - intake->started_ns) / 1000);
    if (intake->accept.outcome) {
        to->on_stored(to->arg, event, intake->outcome);
        intake_end(intake);
    } else if (intake->run_again) {
        if (intake->run_waits)
            to->forget(to->arg, event);
        to->run_later(to->arg, event);
        intake_end(intake);
    } else {
        to->held_stored(to->arg, event);
        if (intake->outcome)
            on_stored_run_done(&intake->run, intake->outcome);
        else
            intake->run.on_done = on_stored_run_done;
    }
}

static void on_committed(struct handed *handed)
{
    struct intake *intake = (struct intake *)((char *)handed - offsetof(struct intake, handed));
    const struct ingest_worker *to = &intake->ingest->config.to;
    event_unref(intake->accept.event);
    if (intake->accept.op.result == OK) {
        if (intake->conn)
            answer_now(intake);
        after_commit(intake);
        return;
    }
    refuse_commit(intake, intake->accept.op.result);
    if (intake->run_waits) {
        to->forget(to->arg, intake->event);
        if (!intake->outcome && !intake->run_again)
            to->cancel(to->arg, &intake->run);
    }
    intake_end(intake);
}

/* On the writer's thread. */
static void on_store_done(struct store_op *op)
{
    struct intake *intake = op->owner;
    intake->handed.run = on_committed;
    if (handoff_send(intake->ingest->config.handoff, &intake->handed) != OK)
        return; /* the worker waits for its requests before it closes */
}

static void commit(struct intake *intake)
{
    const struct route *route = intake->route;
    if (intake->outcome)
        delivery_give_shards(intake->outcome->deliveries, intake->ingest->config.worker, intake->ingest->config.workers);
    if (intake->run_waits)
        intake->ingest->config.to.hold(intake->ingest->config.to.arg, intake->event);
    intake->state = INTAKE_COMMITTING;
    intake->accept = (struct store_accept){
        .op = { .kind = STORE_ACCEPT, .on_done = on_store_done, .owner = intake },
        .event = event_ref(intake->event),
        .outcome = intake->run_waits ? NULL : intake->outcome,
        .keep_body = route->keep,
        .keep_until_ms = route->keep ? intake->event->received_ms + route->keep_ms : 0,
        .keys = intake->keys,
        .key_count = intake->key_count,
    };
    store_submit(intake->ingest->config.store, &intake->accept.op);
}

/* ---- the listener's callbacks ---- */

static void on_request(struct conn *conn, struct request *request, void *arg)
{
    struct intake *intake = request->consumer;
    const struct ingest_rules *rules = intake->ingest->config.to.rules(intake->ingest->config.to.arg);
    struct verify_result verified;
    struct pair headers[HTTP_HEADERS_MAX];
    if (rules->generation != intake->generation && !match_again(intake, rules->generation, request))
        return;
    copy_headers(request, headers);
    struct verify_input input = {
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .headers = headers,
        .header_count = request->header_count,
        .body = request->body,
        .now_ms = clock_wall_ms(),
    };
    intake->started_ns = clock_mono_ns();
    enum verdict verdict = verify_request(rules->verifiers[intake->route->index], &input, &verified);
    if (verdict != VERDICT_VALID) {
        uint16_t status = verdict == VERDICT_NO_SECRET ? 503 : 401;
        refuse_and_end(intake, refusal_of(verdict), status,
                       status == 503 ? "the secret of this route is not set" : "the request could not be verified");
        return;
    }
    if (make_event(intake, request, &verified) != OK) {
        refuse_and_end(intake, REFUSED_STORE_FULL, 503, "no memory for this request now: try again");
        return;
    }
    if (!decode(intake))
        return;
    find_type(intake);
    intake->store_first = intake->ingest->config.to.store_first(intake->ingest->config.to.arg, intake->route);
    if (!wanted(intake)) {
        ignore(intake);
        return;
    }
    if (make_keys(intake, &verified))
        claim_next(intake);
}

/* The client went. Before the commit its event is dropped where nothing holds it; after it, it goes on as accepted. */
static void on_gone(struct conn *conn, struct request *request, void *arg)
{
    struct intake *intake = request->consumer;
    if (!intake)
        return;
    intake->conn = NULL;
    if (!intake->event)
        intake_end(intake);
}

static void on_refused(const struct refused_request *refused, void *arg)
{
    struct ingest *ingest = arg;
    counts_refused(ingest->config.counts, SLICE(""), REFUSED_HTTP, refused->status, refused->remote_ip, slice_of(refused->detail),
                   clock_wall_ms());
}

struct listener_callbacks ingest_callbacks(struct ingest *ingest)
{
    return (struct listener_callbacks){
        .on_head = on_head, .on_request = on_request, .on_gone = on_gone, .on_refused = on_refused, .arg = ingest
    };
}

struct ingest *ingest_new(const struct ingest_config *config)
{
    struct ingest *ingest = MEM_NEW(struct ingest);
    ingest->config = *config;
    buf_init(&ingest->scratch, SCRATCH_MAX);
    return ingest;
}

void ingest_drain(struct ingest *ingest)
{
    ingest->draining = true;
}

uint32_t ingest_in_flight(const struct ingest *ingest)
{
    return ingest->in_flight;
}

void ingest_free(struct ingest *ingest)
{
    buf_deinit(&ingest->scratch);
    mem_free(ingest);
}
