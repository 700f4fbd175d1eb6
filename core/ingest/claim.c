/* claim.c: one event per key. Keys are claimed one after the other before the handler runs; who finds one claimed and not
 * committed waits for the other's commit. */
#include "base/clock.h"
#include "ingest/answer.h"
#include "ingest/batch.h"
#include "ingest/intake.h"
#include "ingest/spot.h"
#include "model/lookup.h"

enum { ITEM_NUMBER_SIZE = 16 };

static void add_key(struct intake *intake, char kind, struct slice text)
{
    const struct route *route = intake->route;
    uint64_t until_ms = intake->event->received_ms + route->dedupe_within_ms;
    intake->keys[intake->key_count++] = dedupe_key_make(intake->ingest->config.store, route->path, kind, text, until_ms);
}

/* The text of what a path finds; data NULL: nothing, so no key. */
static struct slice key_text(struct intake *intake, struct slice path)
{
    struct found found = event_lookup(intake->event, path, &intake->ingest->scratch);
    if (found.kind == FOUND_TEXT)
        return found.text;
    if (found.kind != FOUND_JSON || json_type(found.json) == JSON_NULL || slice_is(json_text(found.json), "\"\""))
        return (struct slice){ NULL, 0 };
    return json_text(found.json);
}

void claim_make_signature(struct intake *intake, const struct verify_result *verified)
{
    if (intake->route->dedupe_signature && verified->signature_bytes > 0)
        add_key(intake, 's', slice_make((const char *)verified->signature, verified->signature_bytes));
}

/* Those whose key cannot be asked for now have one together: a route on probation runs one event at a time anyway. */
static const struct slice unknown_order = SLICE("?");

static struct slice order_text(struct intake *intake)
{
    const struct route *route = intake->route;
    const struct ingest_worker *to = &intake->ingest->config.to;
    struct script_failure failure;
    struct slice text = { NULL, 0 };
    if (!route->order_function)
        return key_text(intake, route->order_path);
    if (intake->store_first)
        return unknown_order;
    if (intake->outcome)
        return text; /* another of its functions has failed */
    enum result rc = to->key(to->arg, route, ASK_ORDER, intake->event, &text, &failure);
    if (rc == ERR_FULL)
        return unknown_order;
    if (rc != OK)
        intake_fail_first_try(intake, &failure);
    return text;
}

void claim_make_order(struct intake *intake)
{
    const struct route *route = intake->route;
    uint64_t key = 0;
    if (route->order_path.len == 0 && !route->order_function)
        return;
    struct slice text = order_text(intake);
    if (text.len == 0)
        return;
    struct dedupe_key hashed = dedupe_key_make(intake->ingest->config.store, route->path, 'o', text, 0);
    memcpy(&key, hashed.hash, sizeof(key));
    event_order(intake->event, key ? key : 1);
    intake->ordered = true;
}

/* What the request names has to be told apart by the item's number: else its items were repetitions of each other. */
static struct slice key_of_item(struct intake *intake, struct slice key)
{
    struct buf numbered;
    buf_init(&numbered, key.len + ITEM_NUMBER_SIZE);
    buf_add_slice(&numbered, key);
    buf_addf(&numbered, "\n%u", (unsigned)intake->item); /* no header has a line feed in it */
    key = buf_ok(&numbered) ? arena_copy(&intake->event->arena, buf_slice(&numbered)) : (struct slice){ NULL, 0 };
    buf_deinit(&numbered);
    return key;
}

static struct slice key_at_spots(struct intake *intake)
{
    bool in_body;
    struct slice key = spot_key(&intake->route->dedupe_spots, intake->event, &intake->ingest->scratch, &in_body);
    return key.len > 0 && intake->batch && !in_body ? key_of_item(intake, key) : key;
}

/* false: it was refused. */
bool claim_make_keys(struct intake *intake, const struct verify_result *verified)
{
    const struct route *route = intake->route;
    const struct ingest_worker *to = &intake->ingest->config.to;
    struct slice key = { NULL, 0 };
    if (route->dedupe == DEDUPE_PATH) {
        key = key_at_spots(intake);
    } else if (route->dedupe == DEDUPE_FUNCTION && !intake->outcome && !intake->store_first) {
        struct script_failure failure;
        enum result rc = to->key(to->arg, route, ASK_DEDUPE, intake->event, &key, &failure);
        if (rc == ERR_FULL)
            intake->store_first = true;
        else if (rc != OK)
            intake_fail_first_try(intake, &failure);
    }
    if (key.len > 0) {
        const struct ingest_watch *watch = intake->ingest->config.watch;
        if (watch)
            watch->on_key(watch->arg, intake->event, key);
        add_key(intake, 'k', key);
    } else if (route->dedupe_required) {
        intake_refuse_and_end(intake, REFUSED_SIGNATURE, 401, "the delivery id is missing");
        return false;
    }
    claim_make_signature(intake, verified);
    return true;
}

void claim_answer_duplicate(struct intake *intake, struct uuid winner)
{
    struct reply reply;
    struct answer_text text;
    counts_duplicate(intake->ingest->config.counts, intake->route->path);
    if (intake->batch) {
        batch_settled(intake, SETTLED_DUPLICATE, winner);
        return;
    }
    answer_stored(&reply, &text, intake->route, winner);
    (void)reply_add_header(&reply, SLICE("tidewire-duplicate"), SLICE("true")); /* there is room, as for the id */
    intake_answer(intake, &reply);
}

static void on_wait_over(void *arg)
{
    struct intake *intake = arg;
    if (intake->state == INTAKE_CLAIMING &&
        dedupe_unwait(intake->ingest->config.store, &intake->keys[intake->claimed], &intake->wait))
        intake_refuse_and_end(intake, REFUSED_STORE_FULL, 503, "an equal event is still being stored: try again");
}

static void on_claim_settled_here(struct handed *handed)
{
    struct intake *intake = (struct intake *)((char *)handed - offsetof(struct intake, handed));
    timer_stop(&intake->wait_timer);
    if (uuid_is_nil(intake->wait_winner)) {
        intake->state = INTAKE_CHECKING;
        claim_keys(intake);
        return;
    }
    intake_release_keys(intake);
    claim_answer_duplicate(intake, intake->wait_winner);
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
    intake_start_timer(intake, on_wait_over, DEDUPE_WAIT_MS);
}

void claim_keys(struct intake *intake)
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
            claim_answer_duplicate(intake, winner);
            intake_end(intake);
            return;
        }
    }
    if (intake->list.doc)
        batch_begin(intake);
    else
        handle_start(intake);
}
