/* sign.h: the headers that sign one attempt of a message, made anew each time, by model/signing.h. */
#ifndef TIDEWIRE_SIGN_H
#define TIDEWIRE_SIGN_H

#include "base/arena.h"
#include "base/result.h"
#include "model/generation.h"

enum { SIGN_HEADERS_MAX = 3 };

/* The request as it leaves. */
struct sign_request {
    const struct signing *signing;
    const struct generation *generation;
    struct slice method, body;
    struct slice id; /* the same at each attempt */
    const char *url;
    const struct pair *headers; /* all others */
    size_t header_count;
    uint64_t now_ms; /* wall clock */
};

struct sign_headers {
    struct pair list[SIGN_HEADERS_MAX];
    size_t count;
};

/* Into arena. Errors, with *why: ERR_NOT_FOUND: the secret has no value now; ERR_INVALID: it is no key of the scheme, or the
 * message has not what the signature covers; ERR_MEMORY. */
enum result sign_headers_make(const struct sign_request *request, struct arena *arena, struct sign_headers *out,
                              const char **why) MUST_CHECK;

#endif
