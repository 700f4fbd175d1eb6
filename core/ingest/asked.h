/* asked.h: what a request says, as far as its signature refers to it: each thing is there exactly once and not empty, or it is
 * not there at all. */
#ifndef TIDEWIRE_ASKED_H
#define TIDEWIRE_ASKED_H

#include "base/arena.h"
#include "ingest/verify.h"
#include "json/json.h"

/* Nobody has vouched yet for a body that its own signature is looked up in: a larger one is not parsed. */
enum { UNVERIFIED_JSON_MAX = 1 << 20 };

/* A request while it is verified. Zero but for input; asked_end after. What is found lives as long. */
struct asked {
    const struct verify_input *input; /* borrowed */
    struct arena texts;               /* decoded values, small ones */
    struct json_doc *json;            /* owned; the body's, once something of it was looked up */
};
void asked_end(struct asked *asked);

bool asked_header(const struct verify_input *input, struct slice name, struct slice *value);
/* The header that carries the scheme's signature or token, whichever of its names it has. */
bool asked_signature(const struct verify_input *input, const struct verify *verify, struct slice *value);
/* Name and value are percent-decoded. */
bool asked_query(struct asked *asked, struct slice name, struct slice *value);
/* How often the query has the name, with or without a value. */
size_t asked_query_count(struct asked *asked, struct slice name);
/* The body, at most body_max bytes of it, is JSON to its last byte, and the path (names only) leads through objects that have
 * each name once to a text, decoded, or to a number, as it is written. */
bool asked_field(struct asked *asked, struct slice path, size_t body_max, struct slice *value);
bool asked_is_json(struct asked *asked, size_t body_max);
/* How often a body of at most UNVERIFIED_JSON_MAX, a JSON object, has the name; of the last one the text, decoded, whose data is
 * NULL if it is none. */
size_t asked_member(struct asked *asked, struct slice name, struct slice *text);

#endif
