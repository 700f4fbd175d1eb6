/* decode.c: what a body is taken for, by its route and its Content-Type, and what is said when it is not that. */
#include "ingest/decode.h"

#include <stdio.h>

#include "ingest/intake.h"

/* The type alone, without its parameters. */
static struct slice media_type(struct slice content_type)
{
    const char *end = content_type.len ? memchr(content_type.data, ';', content_type.len) : NULL;
    return slice_trim(slice_make(content_type.data, end ? (size_t)(end - content_type.data) : content_type.len));
}

static bool ends_in(struct slice type, struct slice suffix)
{
    return type.len > suffix.len && slice_eq_nocase(slice_from(type, type.len - suffix.len), suffix);
}

static int kind_of_type(const struct route *route, struct slice type)
{
    static const struct {
        struct slice type;
        enum body_kind kind;
    } known[] = {
        { SLICE("application/json"), BODY_JSON },
        { SLICE("application/x-www-form-urlencoded"), BODY_FORM },
        { SLICE("application/xml"), BODY_XML },
        { SLICE("multipart/form-data"), BODY_MULTIPART },
        { SLICE("text/xml"), BODY_XML },
        { SLICE("application/x-ndjson"), BODY_NDJSON },
        { SLICE("application/ndjson"), BODY_NDJSON },
        { SLICE("application/jsonl"), BODY_NDJSON },
        { SLICE("application/jsonlines"), BODY_NDJSON },
        { SLICE("application/x-jsonlines"), BODY_NDJSON },
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_eq_nocase(type, known[i].type))
            return known[i].kind == BODY_FORM && route->form_payload ? (int)BODY_PAYLOAD : (int)known[i].kind;
    return ends_in(type, SLICE("+json")) ? BODY_JSON : ends_in(type, SLICE("+xml")) ? BODY_XML : BODY_TEXT;
}

static int kind_of(const struct route *route, const struct event *event)
{
    static const enum body_kind forced[] = {
        [CONTENT_JSON] = BODY_JSON, [CONTENT_FORM] = BODY_FORM,     [CONTENT_MULTIPART] = BODY_MULTIPART,
        [CONTENT_XML] = BODY_XML,   [CONTENT_NDJSON] = BODY_NDJSON, [CONTENT_TEXT] = BODY_TEXT,
        [CONTENT_RAW] = BODY_RAW,
    };
    return route->content == CONTENT_BY_TYPE ? kind_of_type(route, media_type(event->content_type)) : (int)forced[route->content];
}

/* ---- reading ---- */

enum result body_decode(const struct route *route, struct event *event, char why[DECODE_WHY_SIZE])
{
    struct decode_error error;
    if (event->body.len == 0)
        return OK;
    enum result rc = event_decode(event, kind_of(route, event), route->max_body_bytes, &error);
    if (rc == OK)
        rc = event_check(event, &error);
    if (rc == ERR_INVALID)
        snprintf(why, DECODE_WHY_SIZE, "the body is not valid %s: %s at byte %zu", error.format, error.what, error.offset);
    else
        snprintf(why, DECODE_WHY_SIZE, "%s",
                 rc == ERR_LIMIT       ? "the body, decompressed, is larger than this route takes"
                 : rc == ERR_NOT_FOUND ? "this Content-Encoding is not known: send gzip, deflate, br or none"
                                       : "no memory for this body now: try again");
    return rc;
}

bool decode_body(struct intake *intake)
{
    char why[DECODE_WHY_SIZE];
    switch (body_decode(intake->route, intake->event, why)) {
    case OK:
        return true;
    case ERR_INVALID:
        intake_refuse_and_end(intake, REFUSED_CONTENT, 400, why);
        break;
    case ERR_LIMIT:
        intake_refuse_and_end(intake, REFUSED_SIZE, 413, why);
        break;
    case ERR_NOT_FOUND:
        intake_refuse_and_end(intake, REFUSED_CONTENT, 415, why);
        break;
    default:
        intake_refuse_and_end(intake, REFUSED_STORE_FULL, 503, why);
    }
    return false;
}
