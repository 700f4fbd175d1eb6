#include "ingest/ingest.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ingest/answer.h"
#include "ingest/batch.h"
#include "ingest/cidr.h"
#include "ingest/forwarded.h"
#include "ingest/gate.h"
#include "ingest/handshake.h"
#include "ingest/intake.h"
#include "ingest/spot.h"
#include "ingest/router.h"
#include "ingest/sender_url.h"
#include "ingest/when.h"

enum { SCRATCH_MAX = DECODED_MAX /* a form's longest value */, SCRATCH_KEPT_MAX = 256 << 10 };

/* ---- the head: everything that can be said before the body is read ---- */

static bool is_own_method(const struct route *route, struct slice method)
{
    for (size_t i = 0; i < route->method_count; i++)
        if (slice_eq(route->methods[i], method))
            return true;
    return false;
}

/* The route is for one name: case, port and a dot at the end do not count. */
static bool is_host(const struct route *route, const struct request *request)
{
    struct slice host = request_header(request, SLICE("host"));
    const char *bracket = host.len && host.data[0] == '[' ? memchr(host.data, ']', host.len) : NULL;
    size_t inside = bracket ? (size_t)(bracket - host.data) : 0; /* of an IPv6 address, whose colons are no port's */
    const char *colon = host.len ? memchr(host.data + inside, ':', host.len - inside) : NULL;
    size_t len = colon ? (size_t)(colon - host.data) : host.len;
    if (len > 0 && host.data[len - 1] == '.')
        len--;
    return slice_eq_nocase((struct slice){ host.data, len }, route->host);
}

static bool method_allowed(const struct route *route, struct slice method)
{
    return is_own_method(route, method) || handshake_takes(route, method);
}

/* Why a request is not taken; status 0: it is. */
struct head_refusal {
    enum refusal reason;
    uint16_t status;
    const char *detail;
    uint64_t wait_ms; /* 429: until one may pass */
};

/* What Retry-After says: the next of these; texts that outlive any answer. */
static struct slice retry_after(uint64_t wait_ms)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } steps[] = { { 1000, "1" },   { 2000, "2" },   { 5000, "5" },    { 10000, "10" },
                  { 30000, "30" }, { 60000, "60" }, { 300000, "300" } };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (wait_ms <= steps[i].ms)
            return slice_of(steps[i].text);
    return SLICE("3600");
}

static void write_refusal(struct intake *intake, const struct head_refusal *refusal, struct reply *reply)
{
    intake_count_refusal(intake, refusal->reason, refusal->status, refusal->detail);
    reply_problem(reply, refusal->status, refusal->detail);
    if (refusal->status == 405)
        (void)reply_add_header(reply, SLICE("Allow"),
                               intake->route->allow); /* outlives the answer: the generation is held by others */
    if (refusal->status == 429)
        (void)reply_add_header(reply, SLICE("Retry-After"), retry_after(refusal->wait_ms));
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
    intake->route = router_match(generation, path);
}

/* What is to be said of a request by the rules that it was matched with. */
static struct head_refusal judge_head(const struct intake *intake, const struct request *request)
{
    const struct route *route = intake->route;
    if (!route || (route->host.len && !is_host(route, request)))
        return (struct head_refusal){ REFUSED_NO_ROUTE, 404, "no route here", 0 };
    if (!method_allowed(route, request->method))
        return (struct head_refusal){ REFUSED_METHOD, 405, "this route takes other methods, see Allow", 0 };
    if (route->ip_allow_count && !cidr_contains_any(route->ip_allow, route->ip_allow_count, slice_of(intake->remote_ip)))
        return (struct head_refusal){ REFUSED_ADDRESS, 403, "this address may not send here", 0 };
    if (lacks_length(request))
        return (struct head_refusal){ REFUSED_HTTP, 411, "say how long the body is: Content-Length, 0 for none, or chunked", 0 };
    return (struct head_refusal){ .status = 0 };
}

static struct head_refusal judge_rate(const struct intake *intake)
{
    uint64_t wait_ms = intake->route->gate ? gate_pass(intake->route->gate, clock_mono_ms() * 1000000) : 0;
    if (wait_ms == 0)
        return (struct head_refusal){ .status = 0 };
    return (struct head_refusal){ REFUSED_RATE, 429, "more requests than this route takes: try again later", wait_ms };
}

static void find_sender(struct intake *intake, const struct request *request)
{
    const struct generation *generation = intake->generation;
    if (generation->trusted_proxy_count == 0)
        return;
    struct slice address =
        forwarded_address(request, conn_remote_ip(intake->conn), generation->trusted_proxies, generation->trusted_proxy_count);
    snprintf(intake->remote_ip, sizeof(intake->remote_ip), "%.*s", SLICE_ARGS(address));
}

static void on_head(struct conn *conn, struct request *request, struct head_verdict *verdict, void *arg)
{
    struct ingest *ingest = arg;
    struct intake *intake = intake_new(ingest, conn);
    struct head_refusal refusal = { REFUSED_DRAINING, 503, "the router is shutting down: try again", 0 };
    if (!ingest->draining) {
        find_route(intake, ingest->config.to.rules(ingest->config.to.arg)->generation, request->path);
        find_sender(intake, request);
        refusal = judge_head(intake, request);
    }
    if (!ingest->draining && !refusal.status)
        refusal = judge_rate(intake);
    if (!refusal.status && !store_accepts(ingest->config.store))
        refusal = (struct head_refusal){ REFUSED_STORE_FULL, 503, "the store has no room: try again", 0 };
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
    find_route(intake, generation, request->path);
    find_sender(intake, request);
    struct head_refusal refusal = judge_head(intake, request);
    if (!refusal.status && request->body.len > intake->route->max_body_bytes)
        refusal = (struct head_refusal){ REFUSED_SIZE, 413, "the body is larger than this route takes", 0 };
    if (!refusal.status)
        return true;
    write_refusal(intake, &refusal, &reply);
    intake_answer(intake, &reply);
    intake_end(intake);
    return false;
}

/* ---- the whole request: verify, then decode ---- */

/* For the operator: the sender is told one thing, whatever it was. */
static const char *why_not_verified(enum verdict verdict)
{
    static const char *const details[] = {
        [VERDICT_MISSING] = "what the signature needs is not there exactly once",
        [VERDICT_MALFORMED] = "the signature is not of the scheme's form",
        [VERDICT_MISMATCH] = "the signature is another one",
        [VERDICT_STALE] = "the signed time is too far from now",
        [VERDICT_TOPIC] = "the message is of a topic that the route does not name",
        [VERDICT_KEY] = "the certificate or key that it names is not its sender's, or is none",
    };
    return details[verdict];
}

/* The same two slices under the name that the model has for them. */
static void copy_headers(const struct request *request, struct pair *headers)
{
    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = (struct pair){ request->headers[i].name, request->headers[i].value };
}

static enum result make_event(struct intake *intake, struct request *request, const struct verify_result *verified)
{
    struct pair headers[HTTP_HEADERS_MAX], params[PARAMS_MAX];
    struct buf *param_text = &intake->ingest->scratch;
    uint64_t now_ms = clock_wall_ms();
    copy_headers(request, headers);
    buf_clear(param_text);
    struct event_parts parts = {
        .id = intake_new_id(intake->ingest, now_ms),
        .route = intake->route->path,
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .remote_ip = slice_of(intake->remote_ip),
        .content_type = request_header(request, SLICE("content-type")),
        .provider = intake->route->provider,
        .verified = intake->route->verify.name,
        .redact = intake->route->redact,
        .headers = headers,
        .header_count = request->header_count,
        .params = params,
        .param_count = router_params(intake->route, request->path, params, param_text),
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

/* ---- handshakes ---- */

/* true: it was one, and has its answer. */
static bool end_handshake(struct intake *intake, enum handshake_end end, const struct reply *reply)
{
    switch (end) {
    case HANDSHAKE_NONE:
        return false;
    case HANDSHAKE_ASKS:
    case HANDSHAKE_ANSWERED:
        counts_handshake(intake->ingest->config.counts, intake->route->path);
        intake_answer(intake, reply);
        intake_end(intake);
        break;
    case HANDSHAKE_REFUSED:
        intake_refuse_and_end(intake, REFUSED_SIGNATURE, 401, "the handshake could not be verified");
        break;
    case HANDSHAKE_UNSET:
        intake_refuse_and_end(intake, REFUSED_NO_SECRET, 503, "the secret of this route is not set");
        break;
    }
    return true;
}

/* One that nothing signs, told by its method: what the route does not take otherwise ends here. */
static bool end_open_handshake(struct intake *intake, const struct request *request, const struct pair *headers)
{
    const struct route *route = intake->route;
    struct event look = { .method = request->method,
                          .path = request->path,
                          .query = request->query,
                          .headers = headers,
                          .header_count = request->header_count };
    struct reply reply;
    struct slice url;
    if (!handshake_takes(route, request->method))
        return false;
    struct handshake_asker asker = { .event = &look, .method = request->method, .secret = SLICE("") };
    enum handshake_end end = handshake_answer(route, intake->generation, &asker, &intake->ingest->scratch, &reply, &url);
    if (end == HANDSHAKE_NONE && !is_own_method(route, request->method))
        end = HANDSHAKE_REFUSED;
    return end_handshake(intake, end, &reply);
}

static bool end_verified_handshake(struct intake *intake, const struct verify_result *verified)
{
    struct handshake_asker asker = { .event = intake->event, .method = SLICE(""), .secret = verified->secret };
    struct reply reply;
    struct slice url;
    enum handshake_end end = handshake_answer(intake->route, intake->generation, &asker, &intake->ingest->scratch, &reply, &url);
    if (end == HANDSHAKE_ASKS && !sender_url_is_allowed(&intake->route->verify.certificate, url))
        end = HANDSHAKE_REFUSED;
    if (end == HANDSHAKE_ASKS && !confirm_begin(intake, url)) {
        intake_refuse_and_end(intake, REFUSED_AWAY, 503, "too much is being asked already: try again");
        return true;
    }
    return end_handshake(intake, end, &reply);
}

/* Anybody can say a secret where none is set: only so many are worth a line of the log. */
static bool end_shown_secret(struct intake *intake, const struct request *request)
{
    const struct route *route = intake->route;
    struct reply reply;
    if (!route->handshake_count || counts_handshakes(intake->ingest->config.counts, route->path) >= HANDSHAKE_SHOWN_MAX)
        return false;
    return end_handshake(intake, handshake_show(route, request->body, slice_of(intake->remote_ip), &reply), &reply);
}

static void refuse_unverified(struct intake *intake, const struct request *request, enum verdict verdict)
{
    struct reply reply;
    if (verdict == VERDICT_NO_SECRET) {
        if (!end_shown_secret(intake, request))
            intake_refuse_and_end(intake, REFUSED_NO_SECRET, 503, "the secret of this route is not set");
        return;
    }
    if (verdict == VERDICT_AWAY) {
        intake_refuse_and_end(intake, REFUSED_AWAY, 503, "the key to verify this with cannot be had now: try again");
        return;
    }
    intake_count_refusal(intake, verdict == VERDICT_STALE ? REFUSED_STALE : REFUSED_SIGNATURE, 401, why_not_verified(verdict));
    reply_problem(&reply, 401, "the request could not be verified");
    intake_answer(intake, &reply);
    intake_end(intake);
}

/* ---- when ---- */

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
            intake_fail_first_try(intake, &failure);
        return holds;
    }
    return when_holds(intake->route->when, intake->route->when_count, intake->event, &intake->ingest->scratch);
}

/* ---- schema ---- */

/* false: it was refused. */
static bool fits_schema(struct intake *intake)
{
    char why[SCHEMA_WHY_SIZE];
    const struct event *event = intake->event;
    if (!intake->route->schema)
        return true;
    if (!event_has_json(event))
        snprintf(why, sizeof(why), "this route takes a JSON body");
    else if (schema_holds(intake->route->schema, json_root(event->json), why))
        return true;
    intake_refuse_and_end(intake, REFUSED_SCHEMA, 422, why);
    return false;
}

static void ignore(struct intake *intake)
{
    struct reply reply;
    counts_ignored(intake->ingest->config.counts, intake->route->path);
    intake_release_keys(intake);
    if (intake->batch) {
        batch_settled(intake, SETTLED_IGNORED, intake->event->id);
    } else {
        answer_ignored(&reply, intake->route);
        intake_answer(intake, &reply);
    }
    intake_end(intake);
}

/* Long texts of a form grow it. */
static void forget_scratch(struct ingest *ingest)
{
    if (ingest->scratch.cap > SCRATCH_KEPT_MAX)
        buf_deinit(&ingest->scratch);
}

void intake_judge(struct intake *intake, const struct verify_result *verified)
{
    struct ingest *ingest = intake->ingest;
    if (intake->route->type.count)
        intake->event->type = spot_type(&intake->route->type, intake->event, &ingest->scratch);
    if (intake->route->time.count)
        (void)spot_time(&intake->route->time, intake->event, &ingest->scratch, &intake->event->time_ms); /* else as it is */
    if (ingest->config.watch)
        ingest->config.watch->on_event(ingest->config.watch->arg, intake->route, intake->event);
    intake->store_first = ingest->config.to.store_first(ingest->config.to.arg, intake->route);
    if (!wanted(intake)) {
        ignore(intake);
    } else if (fits_schema(intake)) {
        claim_make_order(intake); /* first: the event's id depends on it */
        if (claim_make_keys(intake, verified))
            claim_keys(intake);
    }
    forget_scratch(ingest);
}

/* ---- the listener's callbacks ---- */

/* Also a second time, when the key that its sender signs with has come. */
static void check_request(struct intake *intake, struct request *request)
{
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
        .keys = intake->ingest->keys,
    };
    intake->started_ns = clock_mono_ns();
    if (intake->route->handshake_count && end_open_handshake(intake, request, headers))
        return;
    enum verdict verdict = verify_request(rules->verifiers[intake->route->index], &input, &verified);
    if (verdict == VERDICT_WAIT) {
        key_wait_begin(intake, request, verified.waits_for, check_request);
        return;
    }
    if (verdict != VERDICT_VALID) {
        refuse_unverified(intake, request, verdict);
        return;
    }
    if (make_event(intake, request, &verified) != OK) {
        intake_refuse_and_end(intake, REFUSED_STORE_FULL, 503, "no memory for this request now: try again");
        return;
    }
    if (!decode_body(intake))
        return;
    if (intake->route->handshake_count && end_verified_handshake(intake, &verified))
        return;
    if (!batch_take(intake, &verified))
        intake_judge(intake, &verified);
}

static void on_request(struct conn *conn, struct request *request, void *arg)
{
    check_request(request->consumer, request);
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
    else if (intake->waits)
        waiting_on_gone(intake);
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
    struct key_store_config keys = {
        .get = config->to.get, .arg = config->to.arg, .clock_ms = clock_mono_ms, .ca_file = config->ca_file
    };
    ingest->keys = key_store_new(&keys);
    return ingest;
}

void ingest_drain(struct ingest *ingest)
{
    ingest->draining = true;
    ingest_answer_waiting(ingest, false); /* nothing is run from the store any more */
}

uint32_t ingest_in_flight(const struct ingest *ingest)
{
    return ingest->in_flight;
}

void ingest_free(struct ingest *ingest)
{
    buf_deinit(&ingest->scratch);
    key_store_free(ingest->keys);
    mem_free(ingest);
}
