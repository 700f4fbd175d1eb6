/* batch.c: `each = true`: a request that carries a list becomes one event per item.
 *
 *   on_request ── the body is a list ──> signature claimed ──turn: items begin──> each its own intake: when, keys, handler,
 * commit ^                       │ batch_settled '── next turn by handoff' all settled ──> ONE answer, of the request's own
 * intake (`whole`)
 *
 * Items are intakes without a connection; what they would answer they tell the batch. At most ITEMS_AT_ONCE are under way, and a
 * turn begins items for TURN_NS at most, so that a long list neither fills memory nor holds up others. An item that is refused
 * ends the batch: no further one begins, and the request is refused like it. Items that were stored before are known by their
 * keys when the sender repeats the request. The signature's key is committed with the last item, which waits for the others: only
 * a request that is stored as a whole has been seen. */
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/answer.h"
#include "ingest/batch.h"
#include "model/lookup.h"

enum { ITEMS_AT_ONCE = 64, TURN_NS = 5000000, DETAIL_SIZE = 160 };

struct batch {
    struct intake *whole;   /* of the request; ends with the batch */
    struct json_value next; /* the item that begins next; doc NULL: all have begun */
    uint32_t items, begun, under_way;
    uint32_t stored, duplicates;
    uint32_t first; /* the lowest number of an item that is an event, and that event */
    struct uuid first_id;
    enum refusal reason; /* of the item that was refused first */
    uint16_t status;     /* 0: none was */
    char detail[DETAIL_SIZE];
    struct handed handed; /* brings the next turn */
    bool in_turn, turn_comes;
};

/* ---- the answer ---- */

static void answer(struct batch *batch)
{
    struct intake *whole = batch->whole;
    struct reply reply;
    struct answer_text text;
    if (batch->status) {
        intake_refuse(whole, batch->reason, batch->status, batch->detail);
        return;
    }
    if (batch->stored + batch->duplicates > 0)
        answer_items(&reply, &text, whole->route, batch->first_id, batch->stored);
    else
        answer_ignored(&reply, whole->route);
    if (batch->stored == 0 && batch->duplicates > 0)
        (void)reply_add_header(&reply, SLICE("tidewire-duplicate"), SLICE("true")); /* there is room, as for the id */
    intake_answer(whole, &reply);
}

static void end(struct batch *batch)
{
    answer(batch);
    intake_release_keys(batch->whole);
    intake_end(batch->whole);
    mem_free(batch);
}

/* ---- items ---- */

static void note_refusal(struct batch *batch, enum refusal reason, uint16_t status, const char *detail)
{
    if (batch->status)
        return;
    batch->reason = reason;
    batch->status = status;
    snprintf(batch->detail, sizeof(batch->detail), "%s", detail);
}

/* What an item by itself is. */
static struct slice item_type(const struct event *whole)
{
    if (whole->kind == BODY_NDJSON)
        return SLICE("application/json");
    return event_type_starts(whole, SLICE("application/cloudevents-batch")) ? SLICE("application/cloudevents+json")
                                                                            : whole->content_type;
}

/* The item's bytes are its body, without the Content-Encoding of the request. */
static enum result make_item(struct intake *intake, const struct event *whole, struct slice body)
{
    struct pair headers[HEADERS_MAX];
    size_t count = 0;
    uint64_t now_ms = clock_wall_ms();
    for (size_t i = 0; i < whole->header_count; i++)
        if (!slice_eq_nocase(whole->headers[i].name, SLICE("content-encoding")))
            headers[count++] = whole->headers[i];
    struct event_parts parts = {
        .id = intake_new_id(intake->ingest, now_ms),
        .route = whole->route,
        .method = whole->method,
        .path = whole->path,
        .query = whole->query,
        .remote_ip = whole->remote_ip,
        .content_type = item_type(whole),
        .provider = whole->provider,
        .verified = whole->verified,
        .redact = whole->redact,
        .headers = headers,
        .header_count = count,
        .params = whole->params,
        .param_count = whole->param_count,
        .received_ms = now_ms,
        .time_ms = whole->time_ms,
        .body = body,
    };
    enum result rc = event_new(&parts, &intake->event);
    if (rc == OK && whole->account) {
        atomic_fetch_add(whole->account, body.len);
        event_account(intake->event, whole->account, body.len);
    }
    return rc;
}

static bool is_last(const struct batch *batch)
{
    return batch->begun + 1 == batch->items;
}

/* The signature is claimed for the event that the request would have been: the last item is that event. */
static void hand_over_claim(struct intake *whole, struct intake *item)
{
    item->event->id = whole->event->id;
    item->keys[0] = whole->keys[0];
    item->key_count = item->claimed = 1;
    whole->key_count = whole->claimed = 0;
}

static void begin_item(struct batch *batch)
{
    struct intake *whole = batch->whole;
    struct intake *intake = intake_new(whole->ingest, NULL);
    const struct verify_result verified = { 0 }; /* the signature is claimed already, or does not count */
    struct json_error error;
    bool takes_claim = whole->claimed > 0 && is_last(batch);
    struct slice body = json_text(batch->next);
    batch->next = json_next(batch->next);
    intake->batch = batch;
    intake->item = batch->begun++;
    intake->generation = generation_ref(whole->generation);
    intake->route = whole->route;
    intake->started_ns = clock_mono_ns();
    batch->under_way++;
    enum result rc = make_item(intake, whole->event, body);
    if (rc == OK)
        rc = event_index(intake->event, &error);
    if (rc == OK && takes_claim)
        hand_over_claim(whole, intake);
    if (rc == OK)
        intake_judge(intake, &verified);
    else
        intake_refuse_and_end(intake, REFUSED_STORE_FULL, 503, "no memory for this request now: try again");
}

/* ---- turns ---- */

static bool has_more(const struct batch *batch)
{
    return batch->next.doc && !batch->status;
}

static bool may_begin(const struct batch *batch)
{
    bool waits_for_others = batch->whole->claimed > 0 && is_last(batch) && batch->under_way > 0;
    return has_more(batch) && batch->under_way < ITEMS_AT_ONCE && !waits_for_others;
}

/* Rules that changed meanwhile judge the items that are left. */
static void keep_up(struct batch *batch)
{
    struct intake *whole = batch->whole;
    const struct ingest_worker *to = &whole->ingest->config.to;
    struct generation *present = to->rules(to->arg)->generation;
    if (present == whole->generation)
        return;
    const struct route *route = generation_route(present, whole->event->route);
    if (!route || !route->enabled) {
        note_refusal(batch, REFUSED_NO_ROUTE, 503, "this route was taken away meanwhile: try again");
        return;
    }
    generation_unref(whole->generation);
    whole->generation = generation_ref(present);
    whole->route = route;
}

static void turn(struct batch *batch);

static void on_turn(struct handed *handed)
{
    struct batch *batch = (struct batch *)((char *)handed - offsetof(struct batch, handed));
    batch->turn_comes = false;
    turn(batch);
}

static void ask_for_turn(struct batch *batch)
{
    if (batch->in_turn || batch->turn_comes)
        return;
    batch->turn_comes = true;
    batch->handed.run = on_turn;
    if (handoff_send(batch->whole->ingest->config.handoff, &batch->handed) != OK)
        return; /* the worker waits for its requests before it closes */
}

static void turn(struct batch *batch)
{
    uint64_t end_ns = clock_work_ns() + TURN_NS;
    batch->in_turn = true;
    keep_up(batch);
    while (may_begin(batch) && clock_work_ns() < end_ns)
        begin_item(batch);
    batch->in_turn = false;
    if (batch->under_way == 0 && !has_more(batch))
        end(batch);
    else if (may_begin(batch))
        ask_for_turn(batch);
}

/* ---- what items say ---- */

static struct batch *take_leave(struct intake *intake)
{
    struct batch *batch = intake->batch;
    intake->batch = NULL;
    batch->under_way--;
    return batch;
}

void batch_refused(struct intake *intake, enum refusal reason, uint16_t status, const char *detail)
{
    struct batch *batch = take_leave(intake);
    note_refusal(batch, reason, status, detail);
    ask_for_turn(batch);
}

void batch_settled(struct intake *intake, enum settled how, struct uuid id)
{
    struct batch *batch = take_leave(intake);
    batch->stored += how == SETTLED_STORED;
    batch->duplicates += how == SETTLED_DUPLICATE;
    if (how != SETTLED_IGNORED && intake->item < batch->first) {
        batch->first = intake->item;
        batch->first_id = id;
    }
    ask_for_turn(batch);
}

/* ---- the request ---- */

/* doc NULL: it carries no list. */
static struct json_value list_of(struct intake *whole)
{
    if (!event_type_starts(whole->event, whole->route->each_of))
        return (struct json_value){ NULL, 0 };
    struct found found = event_lookup(whole->event, whole->route->each_path, &whole->ingest->scratch);
    bool is_list = found.kind == FOUND_JSON && json_type(found.json) == JSON_ARRAY;
    return is_list ? found.json : (struct json_value){ NULL, 0 };
}

void batch_begin(struct intake *whole)
{
    struct batch *batch = MEM_NEW(struct batch);
    batch->whole = whole;
    batch->items = json_count(whole->list);
    batch->next = json_first(whole->list);
    batch->first = UINT32_MAX;
    turn(batch);
}

bool batch_take(struct intake *whole, const struct verify_result *verified)
{
    struct reply reply;
    if (whole->route->each_path.len == 0)
        return false;
    whole->list = list_of(whole);
    if (!whole->list.doc)
        return false;
    if (json_count(whole->list) > EACH_ITEMS_MAX) {
        intake_refuse_and_end(whole, REFUSED_SIZE, 413, "more than 10000 items in one request");
    } else if (json_count(whole->list) == 0) {
        counts_ignored(whole->ingest->config.counts, whole->route->path);
        answer_ignored(&reply, whole->route);
        intake_answer(whole, &reply);
        intake_end(whole);
    } else {
        claim_make_signature(whole, verified);
        claim_keys(whole);
    }
    return true;
}
