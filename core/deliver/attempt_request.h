/* attempt_request.h: from a stored message and its target to the request of one attempt. Secrets are filled in and signatures
 * made here, at each attempt (design.md "The store"). */
#ifndef TIDEWIRE_ATTEMPT_REQUEST_H
#define TIDEWIRE_ATTEMPT_REQUEST_H

#include "base/arena.h"
#include "base/result.h"
#include "deliver/sender.h"
#include "model/event.h"
#include "model/generation.h"

struct attempt_source {
    const struct target *target;
    const struct generation *generation;
    const struct event *event;
    struct slice message; /* blob of message.h */
    struct slice id;      /* idempotency-key; "" : none */
    struct slice token;   /* AUTH_OAUTH2 */
    struct uuid delivery_id;
    uint64_t now_ms; /* wall clock: the signature's time */
};

/* Fills out from the arena. Errors, with *why: ERR_NOT_FOUND: a secret has no value now; ERR_INVALID: this message can never be
 * sent; ERR_MEMORY. */
enum result attempt_request_build(const struct attempt_source *source, struct arena *arena, struct outgoing *out,
                                  const char **why) MUST_CHECK;

#endif
