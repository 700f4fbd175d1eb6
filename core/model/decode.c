/* decode.c: from the bytes that arrived to what event.body shows. Forms, parts and XML stay text: they are read when a rule looks
 * at them. */
#include "base/mem.h"
#include "body/coding.h"
#include "body/form.h"
#include "body/lines.h"
#include "body/multipart.h"
#include "body/xml.h"
#include "model/event.h"

/* ---- memory of the event's own ---- */

static void account_more(struct event *event, size_t bytes)
{
    if (!event->account)
        return;
    atomic_fetch_add(event->account, bytes);
    event->accounted += bytes;
}

static void account_less(struct event *event, size_t bytes)
{
    if (!event->account)
        return;
    atomic_fetch_sub(event->account, bytes);
    event->accounted -= bytes;
}

static void drop_text(struct event *event)
{
    if (event->text_memory)
        account_less(event, event->text.len);
    mem_free(event->text_memory);
    event->text_memory = NULL;
    event->text = event->body;
}

/* The buffer's bytes are the text from now on. */
static void take_text(struct event *event, struct buf *buf)
{
    drop_text(event);
    event->text_memory = buf_take(buf, &event->text.len);
    event->text.data = event->text_memory;
    account_more(event, event->text.len);
}

static void take_index(struct event *event, struct json_doc *json, enum body_kind kind)
{
    event->json = json;
    event->kind = kind;
    account_more(event, json_memory(json));
}

void event_forget_index(struct event *event)
{
    if (event->json)
        account_less(event, json_memory(event->json));
    json_free(event->json);
    event->json = NULL;
    drop_text(event);
}

void event_trim_index(struct event *event)
{
    if (!event->json)
        return;
    account_less(event, json_memory(event->json));
    json_trim(event->json);
    account_more(event, json_memory(event->json));
}

/* ---- an event that rests ---- */

void event_rest(struct event *event)
{
    if (event->rests || !event->body_memory || !event->account || atomic_load(event->account) < EVENT_REST_FROM)
        return;
    drop_text(event);
    account_less(event, event->accounted);
    mem_free(event->body_memory);
    event->body_memory = NULL;
    event->body.data = event->text.data = NULL;
    if (event->json)
        json_empty(event->json);
    event->rests = true;
}

void event_return(struct event *event, struct event *read)
{
    event->body = read->body;
    event->body_memory = read->body_memory;
    event->text = read->text;
    event->text_memory = read->text_memory;
    read->body_memory = read->text_memory = NULL;
    account_more(event, event->body.len + (event->text_memory ? event->text.len : 0));
    if (event->json && read->json) {
        json_refill(event->json, read->json);
        read->json = NULL;
        account_more(event, json_memory(event->json));
    }
    event->rests = false;
    event_unref(read);
}

/* ---- Content-Encoding ---- */

static const char *const coding_names[] = { "", "gzip", "deflate", "brotli", "" };

/* Several lines mean several codings. */
static enum coding coding_of_event(const struct event *event)
{
    enum coding coding = CODING_NONE;
    for (size_t i = 0; i < event->header_count; i++) {
        if (!slice_eq_nocase(event->headers[i].name, SLICE("content-encoding")))
            continue;
        coding = coding == CODING_NONE ? coding_of(event->headers[i].value) : CODING_UNKNOWN;
    }
    return coding;
}

static enum result undo_coding(struct event *event, size_t max_bytes, struct decode_error *error)
{
    enum coding coding = coding_of_event(event);
    struct body_error fault;
    struct buf text;
    if (coding == CODING_NONE || event->body.len == 0)
        return OK;
    if (coding == CODING_UNKNOWN)
        return ERR_NOT_FOUND;
    buf_init(&text, max_bytes);
    enum result rc = coding_undo(coding, event->body, &text, &fault);
    if (rc == OK)
        take_text(event, &text);
    if (rc == ERR_INVALID)
        *error = (struct decode_error){ coding_names[coding], fault.offset, fault.what };
    buf_deinit(&text);
    return rc;
}

/* ---- JSON, on its own, in a form, on lines ---- */

static bool has_only_payload(struct slice form)
{
    struct slice name, value;
    return query_next(&form, &name, &value) && slice_is(name, "payload") && !query_next(&form, &name, &value);
}

/* The decoded field becomes the text. */
static enum result take_payload(struct event *event)
{
    struct slice form = event->text, name, value;
    struct buf decoded;
    (void)query_next(&form, &name, &value); /* has_only_payload has seen it */
    buf_init(&decoded, value.len + 1);
    bool fits = query_decode(value, &decoded);
    if (fits)
        take_text(event, &decoded);
    buf_deinit(&decoded);
    return fits ? OK : ERR_MEMORY;
}

enum result event_index(struct event *event, struct json_error *error)
{
    struct json_doc *json = NULL;
    enum result rc = OK;
    if (slice_starts(event->text, SLICE("payload=")) && has_only_payload(event->text)) /* no JSON begins so */
        rc = take_payload(event);
    if (rc == OK)
        rc = json_index(event->text, &json, error);
    if (rc == OK)
        take_index(event, json, BODY_JSON);
    return rc;
}

static enum result index_lines(struct event *event, struct json_error *error)
{
    struct json_doc *json = NULL;
    struct buf array;
    buf_init(&array, event->text.len + 2);
    enum result rc = lines_index(event->text, &array, &json, error);
    if (rc == OK) {
        take_text(event, &array);
        take_index(event, json, BODY_NDJSON);
    }
    buf_deinit(&array);
    return rc;
}

static enum result index_as(struct event *event, int kind, struct decode_error *error)
{
    struct json_error fault;
    enum result rc = kind == BODY_NDJSON ? index_lines(event, &fault) : event_index(event, &fault);
    if (rc == ERR_INVALID)
        *error = (struct decode_error){ kind == BODY_NDJSON ? "NDJSON" : "JSON", fault.offset, fault.what };
    return rc;
}

enum result event_decode(struct event *event, int kind, size_t max_bytes, struct decode_error *error)
{
    enum result rc = kind == BODY_RAW ? OK : undo_coding(event, max_bytes, error);
    if (rc != OK || event->text.len == 0) {
        event->kind = rc == OK ? BODY_EMPTY : event->kind;
        return rc;
    }
    if (kind == BODY_PAYLOAD)
        kind = has_only_payload(event->text) ? BODY_JSON : BODY_FORM;
    if (kind == BODY_JSON || kind == BODY_NDJSON)
        rc = index_as(event, kind, error);
    else
        event->kind = (enum body_kind)kind;
    if (rc != OK)
        drop_text(event);
    return rc;
}

enum result event_check(const struct event *event, struct decode_error *error)
{
    struct body_error fault;
    enum result rc = OK;
    const char *format = "";
    if (event->kind == BODY_FORM) {
        rc = form_check(event->text, &fault);
        format = "form data";
    } else if (event->kind == BODY_MULTIPART) {
        rc = multipart_check(event->content_type, event->text, &fault);
        format = "multipart";
    } else if (event->kind == BODY_XML) {
        rc = xml_read(event->text, event->content_type, NULL, &fault);
        format = "XML";
    }
    if (rc == ERR_INVALID)
        *error = (struct decode_error){ format, fault.offset, fault.what };
    return rc;
}
