#include "admin/render.h"

#include "admin/redact.h"
#include "base/clock.h"
#include "model/lookup.h"
#include "model/message.h"

enum { BODY_SHOWN_MAX = 1 << 20 };

/* ---- small parts: each writes `"name":value`, with a comma before it unless it comes first ---- */

static void add_name(struct buf *out, const char *name)
{
    if (out->len && out->data[out->len - 1] != '{')
        buf_add_byte(out, ',');
    buf_addf(out, "\"%s\":", name);
}

static void add_text(struct buf *out, const char *name, struct slice text)
{
    add_name(out, name);
    buf_add_json_string(out, text);
}

static void add_text_or_null(struct buf *out, const char *name, struct slice text)
{
    if (text.len) {
        add_text(out, name, text);
        return;
    }
    add_name(out, name);
    buf_add_text(out, "null");
}

static void add_number(struct buf *out, const char *name, uint64_t number)
{
    add_name(out, name);
    buf_addf(out, "%llu", (unsigned long long)number);
}

static void add_id(struct buf *out, const char *name, struct uuid id)
{
    char text[UUID_TEXT_SIZE];
    if (uuid_is_nil(id)) {
        add_text_or_null(out, name, SLICE(""));
        return;
    }
    uuid_format(id, text);
    add_text(out, name, slice_of(text));
}

static void add_time(struct buf *out, const char *name, uint64_t wall_ms)
{
    char text[CLOCK_ISO_SIZE];
    clock_iso(wall_ms, text);
    add_text(out, name, slice_of(text));
}

/* ---- events ---- */

static void add_row_fields(const struct event_row *row, struct buf *out)
{
    add_id(out, "id", row->id);
    add_text(out, "route", row->route);
    add_text_or_null(out, "provider", row->provider);
    add_text_or_null(out, "type", row->type);
    add_text(out, "state", slice_of(shown_state_name(row->state)));
    add_time(out, "received_at", row->received_ms);
    add_text(out, "remote_ip", row->remote_ip);
    add_text(out, "verified", row->verified);
    add_number(out, "duplicates", row->duplicates);
    add_text(out, "method", row->method);
    add_text(out, "path", row->path);
    add_text_or_null(out, "content_type", row->content_type);
    add_number(out, "body_bytes", row->body_bytes);
    add_text_or_null(out, "reason", row->reason);
    add_number(out, "attempt", row->attempt);
    add_number(out, "generation", row->generation);
    add_id(out, "replayed_as", row->replayed_as);
    if (row->state == SHOWN_WAITING && row->due_ms != STORE_HELD_BACK)
        add_time(out, "next_at", row->due_ms);
}

void render_event_row(const struct event_row *row, struct buf *out)
{
    buf_add_byte(out, '{');
    add_row_fields(row, out);
    add_number(out, "delivery_count", row->delivery_count);
    add_number(out, "delivered_count", row->delivered_count);
    add_number(out, "waiting_count", row->waiting_count);
    add_number(out, "dead_count", row->dead_count);
    buf_add_byte(out, '}');
}

/* Headers whose values say nothing secret; all others are shown by name only. */
static bool may_be_shown(struct slice name)
{
    static const char *const shown[] = {
        "accept",
        "accept-encoding",
        "content-length",
        "content-type",
        "date",
        "host",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
        "x-github-event",
        "x-github-delivery",
        "x-github-hook-id",
        "x-request-id",
        "idempotency-key",
        "traceparent",
        "x-forwarded-for",
    };
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        if (slice_eq_nocase(name, slice_of(shown[i])))
            return true;
    return false;
}

static void add_headers(const struct event *event, struct buf *out)
{
    add_name(out, "headers");
    buf_add_byte(out, '{');
    for (size_t i = 0; i < event->header_count; i++) {
        const struct pair *header = &event->headers[i];
        if (i)
            buf_add_byte(out, ',');
        buf_add_json_string(out, header->name);
        buf_add_byte(out, ':');
        bool shown = may_be_shown(header->name) && !redact_hides_header(event, header->name);
        buf_add_json_string(out, shown ? header->value : SLICE(REDACTED));
    }
    buf_add_byte(out, '}');
}

/* JSON goes in as it is, text as a string; what is too long is named. */
static void add_body(const struct event *event, struct buf *out)
{
    add_name(out, "body");
    if (event->kind == BODY_EMPTY)
        buf_add_text(out, "null");
    else if (event->text.len > BODY_SHOWN_MAX)
        buf_addf(out, "\"(%zu bytes)\"", event->text.len);
    else
        redact_body(event, out);
}

/* ---- deliveries ---- */

/* null: there was no answer. */
static void add_status(struct buf *out, uint16_t status)
{
    add_name(out, "status");
    if (status)
        buf_addf(out, "%u", status);
    else
        buf_add_text(out, "null");
}

static void add_attempt(const struct attempt *attempt, struct buf *out)
{
    buf_add_byte(out, '{');
    add_number(out, "n", attempt->n);
    add_time(out, "at", attempt->at_ms);
    add_number(out, "generation", attempt->generation);
    add_number(out, "took_ms", attempt->took_ms);
    add_status(out, attempt->status);
    add_text_or_null(out, "error_type", slice_of(attempt_error_name(attempt->error)));
    add_text_or_null(out, "detail", attempt->detail);
    add_text(out, "answer", attempt->answer);
    buf_add_byte(out, '}');
}

static void add_message(const struct delivery_row *row, bool hidden, struct buf *out)
{
    struct buf body;
    bool of_event = false;
    buf_init(&body, MESSAGE_MAX);
    add_name(out, "message");
    if (hidden)
        buf_add_text(out, "\"" REDACTED "\"");
    else if (message_show_body(row->message, &body, &of_event) != OK)
        buf_add_text(out, "\"(damaged)\"");
    else if (of_event)
        buf_add_text(out, "\"(the event's body)\"");
    else
        buf_add_json_string(out, buf_slice(&body));
    buf_deinit(&body);
}

static void add_delivery(const struct delivery_row *row, bool hidden, struct buf *out)
{
    buf_add_byte(out, '{');
    add_id(out, "id", row->id);
    add_text(out, "target", row->target);
    add_text(out, "state", slice_of(row->blocked ? "blocked" : delivery_state_name(row->state)));
    add_text_or_null(out, "order_key", row->order_key);
    if (row->notice) {
        add_name(out, "notice");
        buf_add_text(out, "true");
    }
    add_number(out, "attempts", row->attempt_count);
    if (row->state == DELIVERY_WAITING && !row->blocked)
        add_time(out, "next_at", row->due_ms);
    add_text_or_null(out, "reason", row->reason);
    add_message(row, hidden, out);
    add_name(out, "tries");
    buf_add_byte(out, '[');
    for (uint32_t i = 0; i < row->attempt_count; i++) {
        if (i)
            buf_add_byte(out, ',');
        add_attempt(&row->attempts[i], out);
    }
    buf_add_text(out, "]}");
}

/* The tries that failed, the latest first. */
static void add_failures(const struct store_read_show *show, struct buf *out)
{
    add_name(out, "failures");
    buf_add_byte(out, '[');
    for (size_t i = 0; i < show->failure_count; i++) {
        const struct failure_row *failure = &show->failures[i];
        buf_add_text(out, i ? ",{" : "{");
        add_number(out, "n", failure->n);
        add_time(out, "at", failure->at_ms);
        add_number(out, "generation", failure->generation);
        add_text(out, "reason", slice_of(run_reason_name(failure->reason)));
        add_text(out, "detail", failure->text);
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}

/* What its handler asked of other servers. */
static void add_lookups(const struct store_read_show *show, struct buf *out)
{
    add_name(out, "lookups");
    buf_add_byte(out, '[');
    for (size_t i = 0; i < show->lookup_count; i++) {
        const struct fetch_record *record = &show->lookups[i].record;
        buf_add_text(out, i ? ",{" : "{");
        add_number(out, "try", show->lookups[i].n);
        add_time(out, "at", record->at_ms);
        add_text(out, "method", record->method);
        add_text(out, "url", record->url);
        add_status(out, record->status);
        add_text_or_null(out, "error_type", slice_of(attempt_error_name(record->error)));
        add_number(out, "took_ms", record->took_ms);
        buf_add_byte(out, '}');
    }
    buf_add_byte(out, ']');
}

void render_event(const struct store_read_show *show, struct buf *out)
{
    buf_add_byte(out, '{');
    add_row_fields(&show->row, out);
    if (show->event) {
        add_id(out, "replay_of", show->event->replay_of);
        add_headers(show->event, out);
        add_body(show->event, out);
    }
    add_failures(show, out);
    add_lookups(show, out);
    add_name(out, "deliveries");
    buf_add_byte(out, '[');
    for (size_t i = 0; i < show->delivery_count; i++) {
        if (i)
            buf_add_byte(out, ',');
        add_delivery(&show->deliveries[i], show->row.redacted, out);
    }
    buf_add_text(out, "]}");
}

void render_list(const struct store_read_list *list, struct buf *out)
{
    buf_add_text(out, "{\"items\":[");
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            buf_add_byte(out, ',');
        render_event_row(&list->rows[i], out);
    }
    buf_add_text(out, "],\"next_cursor\":");
    if (list->next_before_seq)
        buf_addf(out, "\"%lld\"}", (long long)list->next_before_seq);
    else
        buf_add_text(out, "null}");
}
