/* message.h: what a handler gave to `send`, as the blob that the store keeps with a delivery.
 *
 * A value may hold the *place* of a secret, never the secret: it is a run of pieces, bytes or (secret name, escaping). The
 * value is filled in when an attempt is made (design.md "The store"), so a rotated secret reaches what already waits.
 * The blob: fields, each a tag byte and a block; a pieced value is a block of pieces. Unknown tags are damage. */
#ifndef TIDEWIRE_MESSAGE_H
#define TIDEWIRE_MESSAGE_H

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"
#include "model/event.h"

/* How a secret's value is escaped where it stands. */
enum escaping { ESCAPE_NONE = 0, ESCAPE_JSON = 1, ESCAPE_FORM = 2, ESCAPE_XML = 3, ESCAPE_URL = 4 };

enum { MESSAGE_HEADERS_MAX = 64, MESSAGE_MAX = 16 << 20 /* bytes of a stored message */ };

/* ---- writing ---- */

/* A value under construction: any run of these calls, then one message_set_*. */
void pieces_bytes(struct buf *pieces, struct slice bytes);
void pieces_text(struct buf *pieces, struct slice text, enum escaping escaping); /* bytes, escaped now */
void pieces_secret(struct buf *pieces, struct slice name, enum escaping escaping);

/* Each is called at most once per message, headers any number of times. out is a buf with max MESSAGE_MAX. */
void message_set_method(struct buf *out, struct slice method);
void message_set_path(struct buf *out, struct slice pieces);  /* appended to the target's path; escaped already */
void message_set_query(struct buf *out, struct slice pieces); /* name=value&…; escaped already */
void message_set_content_type(struct buf *out, struct slice type);
void message_add_header(struct buf *out, struct slice name, struct slice pieces);
/* Either of them; with the first one the body and content type are the event's own. */
void message_set_body_of_event(struct buf *out);
void message_set_body(struct buf *out, struct slice pieces);

/* ---- reading ---- */

/* The value of a secret; false: it is not set (the delivery cannot be sent now). `value` stays borrowed from the resolver. */
typedef bool (*secret_resolve)(void *arg, struct slice name, struct slice *value);

/* One pieced value with its secrets filled in, in arena or, where there is none in it, in pieces. Errors as message_render. */
enum result pieces_render(struct slice pieces, secret_resolve resolve, void *arg, struct arena *arena, struct slice *out,
                          struct slice *missing) MUST_CHECK;

/* Everything filled in. Owned by the caller's arena; method, content type and header names point into the blob. */
struct rendered {
    struct slice method; /* data NULL: the target's */
    struct slice path, query;
    struct slice content_type;
    struct pair headers[MESSAGE_HEADERS_MAX];
    size_t header_count;
    bool body_of_event;
    struct slice body; /* when not body_of_event */
};

/* What it makes lies in arena or in blob. ERR_INVALID: damaged blob; ERR_NOT_FOUND: a secret has no value, its name in *missing;
 * ERR_MEMORY. */
enum result message_render(struct slice blob, secret_resolve resolve, void *arg, struct arena *arena, struct rendered *out,
                           struct slice *missing) MUST_CHECK;
/* For screens: the body with "secret:NAME" where a secret stands. */
enum result message_show_body(struct slice blob, struct buf *out, bool *body_of_event) MUST_CHECK;

#endif
