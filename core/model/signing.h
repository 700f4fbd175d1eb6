/* signing.h: what a target signs its requests with, as data. Made by the loader, lua/tidewire/loader/sign.lua, which also says
 * which combinations there are; core/deliver/sign.h does it. */
#ifndef TIDEWIRE_SIGNING_H
#define TIDEWIRE_SIGNING_H

#include "model/verification.h"

struct signing {
    /* As who receives it would verify it: VERIFY_HMAC, by a signature of the request, or VERIFY_JWT, by a token. The first of its
     * secrets signs: its text, or the private key in PEM that it is. In `timestamp` and `id` are headers or parts, no fields. */
    struct verify how;
    struct evp_pkey_st *key; /* owned by the generation: that private key; NULL: none is needed, or its secret is not set */
    /* VERIFY_JWT */
    struct slice token_header; /* JSON */
    struct slice token_claims; /* JSON of those that stay the same, from "," on; "": none */
    struct slice body_hash;    /* the claim that has the SHA-256 of the body, in hex; data NULL: none */
    uint64_t ttl_ms;           /* whole seconds */
};

#endif
