/* handshake.h: a sender asks whether we are there; it is answered here, counted, and never an event (providers.md). Nothing is
 * fetched, and nothing is computed for whom is not verified: where the scheme signs nothing (GET, OPTIONS), at most 256 bytes of
 * [A-Za-z0-9_.-] are given back. Worker's thread. */
#ifndef TIDEWIRE_HANDSHAKE_H
#define TIDEWIRE_HANDSHAKE_H

#include "http/reply.h"
#include "model/event.h"
#include "model/generation.h"

enum {
    HANDSHAKE_VALUE_MAX = 256,
    HANDSHAKE_TOKEN_MAX = 64,  /* of what is signed for the sender (Zoom) */
    HANDSHAKE_SHOWN_MAX = 100, /* secrets that one worker logs for a route */
};

enum handshake_end {
    HANDSHAKE_NONE,     /* it is none: the request goes on */
    HANDSHAKE_ANSWERED, /* the reply is written */
    HANDSHAKE_ASKS,     /* it is written, and is to be sent if the address in *url can be asked; in event or scratch */
    HANDSHAKE_REFUSED,  /* 401 */
    HANDSHAKE_UNSET,    /* a secret it needs is not set: 503 */
};

/* Is there a handshake of that method, which nothing signs? */
bool handshake_takes(const struct route *route, struct slice method);
/* Who asks. */
struct handshake_asker {
    const struct event *event; /* may be a bare look at the request: method, query, headers, body */
    struct slice method;       /* of a request that nothing signs; "": it is verified */
    struct slice secret;       /* the name of the one that it was signed with; "": none */
};

/* What the reply points to lives as long as event, generation and reply itself. */
enum handshake_end handshake_answer(const struct route *route, const struct generation *generation,
                                    const struct handshake_asker *asker, struct buf *scratch, struct reply *reply,
                                    struct slice *url);
/* Of a route whose secret is not set: if the sender has just said the secret, it goes to the log, where the operator finds it. */
enum handshake_end handshake_show(const struct route *route, struct slice body, struct slice remote_ip, struct reply *reply);

#endif
