/* attempt.h: one HTTP try of a delivery, a record once it ends. */
#ifndef TIDEWIRE_ATTEMPT_H
#define TIDEWIRE_ATTEMPT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"

/* Why there was no answer; ATTEMPT_ANSWERED when there was one, of whatever status. */
enum attempt_error {
    ATTEMPT_ANSWERED = 0,
    ATTEMPT_DNS,
    ATTEMPT_CONNECT,
    ATTEMPT_TLS,
    ATTEMPT_TIMEOUT,
    ATTEMPT_RESET,
    ATTEMPT_BLOCKED_ADDRESS,
    ATTEMPT_PROTOCOL,
    ATTEMPT_CONFIG, /* it could not even be made: bad URL, missing secret */
    ATTEMPT_OAUTH2, /* no access token was to be had for it */
    ATTEMPT_ERROR_LAST = ATTEMPT_OAUTH2,
};

struct attempt {
    uint32_t n;     /* 1 is the first */
    uint64_t at_ms; /* wall clock, when it started */
    uint32_t took_ms;
    uint16_t status; /* 0 without an answer */
    enum attempt_error error;
    struct slice detail;      /* libcurl's words without secrets, or "" */
    struct slice answer;      /* the first max_response bytes of the body */
    struct slice answer_type; /* its content type */
    uint32_t generation;      /* of the rules whose target it followed */
};

/* "dns", "connect", "tls", "timeout", "reset", "blocked_address", "protocol", "config", "oauth2"; "" for ATTEMPT_ANSWERED. */
const char *attempt_error_name(enum attempt_error error);
/* The stored form, and back; slices point into blob. */
void attempt_write(const struct attempt *attempt, struct buf *out);
enum result attempt_read(struct slice blob, struct attempt *out) MUST_CHECK;

#endif
