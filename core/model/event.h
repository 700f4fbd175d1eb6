/* event.h: one accepted request. Immutable once it is verified, shared by counting; every slice in it points into its own
 * memory and lives as long as it does. */
#ifndef TIDEWIRE_EVENT_H
#define TIDEWIRE_EVENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "json/json.h"

enum {
    HEADERS_MAX = 100,
    PARAMS_MAX = 16,
};

struct pair {
    struct slice name, value;
};

/* How event.body is shown to a rule (rules.md 3, "event.body"). */
enum body_kind {
    BODY_EMPTY,     /* nil */
    BODY_JSON,      /* a view, or a scalar */
    BODY_TEXT,      /* a string: text types, and bytes of unknown type too */
    BODY_FORM,      /* a table of strings */
    BODY_MULTIPART, /* the same, and files */
    BODY_XML,       /* a node */
    BODY_NDJSON,    /* a view of an array: an element for each line */
    BODY_RAW,       /* a string: the bytes as they arrived, their Content-Encoding too */
};
enum { BODY_KIND_LAST = BODY_RAW, BODY_PAYLOAD /* asked for only: JSON in a form's one field `payload`, else BODY_FORM */ };

/* Stored states (design.md "States"). */
enum event_state { EVENT_WAITING = 0, EVENT_HANDLED = 1, EVENT_DROPPED = 2, EVENT_FAILED = 3 };

struct event {
    atomic_uint refs;
    struct uuid id;
    int64_t seq; /* the store's order; 0 until it is stored. Written by the store before it hands the event back */
    bool stored; /* set by the worker when the commit that holds it came back */

    struct slice route;  /* the path as the rule wrote it: "/github/:org" */
    struct slice method; /* "POST" */
    struct slice path;   /* as it arrived, percent-encoding kept, without query */
    struct slice query;  /* as it arrived, without '?' */
    struct slice remote_ip;
    struct slice content_type;  /* the header's value, "" when absent */
    struct slice provider;      /* "" when the route has `verify` only */
    struct slice type;          /* the provider's word for what happened, "" when there is none */
    struct slice verified;      /* the scheme that verified it: "github", "hmac", "none" */
    struct slice redact;        /* of its route: paths that no screen shows, a line each; "": none */
    const struct pair *headers; /* in the order they came; names as sent */
    size_t header_count;
    const struct pair *params; /* names and decoded values of ":param" and "*rest" */
    size_t param_count;
    uint64_t received_ms;  /* wall clock */
    uint64_t time_ms;      /* the provider's own time, else received_ms */
    struct uuid replay_of; /* nil when it is not a replay */
    uint64_t order_key;    /* events with an equal one are handled one after the other; 0: no order */

    enum body_kind kind;
    bool rests;            /* body, text and the index are with the store: event_rest */
    struct slice body;     /* the bytes as they arrived */
    struct slice text;     /* what they mean: without their Content-Encoding. body where there is none; until it is forgotten */
    char *text_memory;     /* owned; what text points into when it is not body */
    struct json_doc *json; /* owned; with BODY_JSON and BODY_NDJSON, until it is forgotten; its nodes point into text */

    uint32_t attempt;    /* handler tries that ended, before this one */
    uint32_t generation; /* of the last try */

    struct arena arena;     /* owned; everything above and the notes of its runs */
    char *body_memory;      /* owned; what body points into when it is not the arena */
    atomic_size_t *account; /* borrowed for ever; NULL: none */
    size_t accounted;       /* bytes that go back to account at the end */
};

/* What event_new copies. body_memory is taken (mem_free later) on OK; it may be NULL when body is to be copied too. */
struct event_parts {
    struct uuid id;
    struct slice route, method, path, query, remote_ip, content_type, provider, type, verified, redact;
    const struct pair *headers;
    size_t header_count;
    const struct pair *params;
    size_t param_count;
    uint64_t received_ms, time_ms;
    struct uuid replay_of;
    uint64_t order_key;
    struct slice body;
    char *body_memory;
};

/* One reference for the caller. ERR_MEMORY: nothing was taken. kind is BODY_EMPTY or BODY_TEXT until event_decode is called. */
enum result event_new(const struct event_parts *parts, struct event **out) MUST_CHECK;
/* Whose share an event is: its id's last two bytes say so. workers > 0. */
static inline uint32_t event_worker(struct uuid id, uint32_t workers)
{
    return (uint32_t)(id.bytes[14] << 8 | id.bytes[15]) % workers;
}

/* Gives it an order key (0: none), which chooses its worker, so that one has all of a key: the id changes. Before it is shared.
 */
void event_order(struct event *event, uint64_t key);
/* bytes of *account go back to it when the event ends; at once when event is NULL. Before it is shared. */
void event_account(struct event *event, atomic_size_t *account, size_t bytes);
struct event *event_ref(struct event *event);
void event_unref(struct event *event);

/* A new id whose last two bytes say whose worker's it is when the event has to run from the store (store_read_due). */
struct uuid event_id_make(struct uuid_maker *ids, uint64_t now_ms, uint32_t worker, uint32_t workers);

enum { DECODED_MAX = 64 << 20 /* bytes: the largest max_body */ };

/* Why a body is not what it has to be: "the body is not valid <format>: <what> at byte <offset>". */
struct decode_error {
    const char *format; /* "JSON", "gzip" */
    size_t offset;
    const char *what;
};

/* From the bytes that arrived to what event.body shows: undoes the Content-Encoding (a header of the event), then indexes JSON.
 * kind (BODY_PAYLOAD too) becomes the event's; an empty body stays BODY_EMPTY. max_bytes bounds what a Content-Encoding may grow
 * to. ERR_INVALID with *error; ERR_LIMIT: it grows past max_bytes; ERR_NOT_FOUND: a Content-Encoding that is not known;
 * ERR_MEMORY. After a failure the event is as before. Before it is shared only. */
enum result event_decode(struct event *event, int kind, size_t max_bytes, struct decode_error *error) MUST_CHECK;
/* The same of BODY_JSON, of a text without Content-Encoding. The text may be a form with the one field `payload`. */
enum result event_index(struct event *event, struct json_error *error) MUST_CHECK;
/* What event_decode leaves unread: a form, multipart or XML body is well made and within its limits. ERR_INVALID, ERR_MEMORY. */
enum result event_check(const struct event *event, struct decode_error *error) MUST_CHECK;

static inline bool event_has_json(const struct event *event)
{
    return event->kind == BODY_JSON || event->kind == BODY_NDJSON;
}

/* Does its Content-Type begin so, letter case ignored? */
static inline bool event_type_starts(const struct event *event, struct slice start)
{
    return event->content_type.len >= start.len && slice_eq_nocase((struct slice){ event->content_type.data, start.len }, start);
}

/* No rule looks at it any more: of a large body the index is larger than the body. kind stays. While nobody else reads the event.
 */
void event_forget_index(struct event *event);
/* It is kept for a while: what indexing took and did not need is given back. Views of it stay valid. */
void event_trim_index(struct event *event);

enum { EVENT_REST_FROM = 4 << 20 /* bytes of bodies and indexes in its account */ };
/* A stored event whose handler waits: where bodies take more than that, its own is given back, and the index. Until event_return
 * nobody may look at them; views stay valid beyond it. While nobody else reads the event. */
void event_rest(struct event *event);
/* read: the same event as the store has it. One reference to it is taken. */
void event_return(struct event *event, struct event *read);

/* The first header of that name, letter case ignored; data is NULL when absent. */
struct slice event_header(const struct event *event, struct slice name);

/* The stored form of everything but id, route, type, state, received_ms, attempt, generation and body, which are columns. */
void event_meta_write(const struct event *event, struct buf *out);
/* Undoes it: fills the parts from meta; slices point into meta, headers and params into room given by the caller
 * (HEADERS_MAX and PARAMS_MAX pairs). ERR_INVALID when the blob is damaged. kind: how the body is to be shown. */
enum result event_meta_read(struct slice meta, struct event_parts *parts, struct pair *headers, struct pair *params,
                            enum body_kind *kind) MUST_CHECK;

#endif
