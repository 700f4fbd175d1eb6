/* token_answer.h: what a token endpoint has answered (RFC 6749, 5.1 and 5.2). Pure. */
#ifndef TIDEWIRE_TOKEN_ANSWER_H
#define TIDEWIRE_TOKEN_ANSWER_H

#include "base/buf.h"
#include "base/result.h"

enum {
    TOKEN_BYTES_MAX = 8 << 10,
    TOKEN_WHY_SIZE = 320,
    TOKEN_LIFE_DEFAULT_S = 300,        /* where the answer does not say */
    TOKEN_LIFE_MAX_S = 30 * 24 * 3600, /* what is longer is not believed */
};

/* token: a buf of TOKEN_BYTES_MAX; life_s: how long it may be used. ERR_INVALID: there is none, and why, in words that hold
 * nothing of the token. */
enum result token_answer_read(uint16_t status, struct slice body, struct buf *token, uint64_t *life_s,
                              char why[TOKEN_WHY_SIZE]) MUST_CHECK;

#endif
