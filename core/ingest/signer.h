/* signer.h: makes what verify.h accepts, by the same data: signatures of what leaves (deliver/sign.h) and of samples
 * (cli/sample.h). Any thread. */
#ifndef TIDEWIRE_SIGNER_H
#define TIDEWIRE_SIGNER_H

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/result.h"
#include "ingest/asked.h"

/* What a scheme signs with: the private key, if there is one, else the secret that both sides have. */
struct signer_key {
    struct slice secret;
    EVP_PKEY *key;
};

/* The time as the scheme writes it. */
void signer_stamp(enum stamp_format format, uint64_t now_ms, char out[CLOCK_ISO_SIZE]);
/* Appends the value of the signature header, in the grammar of the scheme, whose signature covers the request, timestamp and id.
 * ERR_NOT_FOUND: the template refers to what the request has not; ERR_INVALID: the secret has not its form, or the key is none of
 * the scheme's kind; ERR_MEMORY. */
enum result signer_value(const struct verify *verify, const struct signer_key *key, struct asked *asked, struct slice timestamp,
                         struct slice id, struct buf *out) MUST_CHECK;
/* Appends the compact JWS (RFC 7515) of verify->algorithm; header, claims: JSON. Errors as above but for ERR_NOT_FOUND. */
enum result signer_token(const struct verify *verify, const struct signer_key *key, struct slice header, struct slice claims,
                         struct buf *out) MUST_CHECK;

#endif
