/* jwks.h: a JSON Web Key Set (RFC 7517, 5) as public keys. Pure. */
#ifndef TIDEWIRE_JWKS_H
#define TIDEWIRE_JWKS_H

#include <stddef.h>

#include "ingest/keys.h"

struct named_key {
    char *kid;     /* owned */
    EVP_PKEY *key; /* owned */
};

/* Those of its keys that have a name of at most kid_max bytes and can verify RS256, ES256 or EdDSA (`use` "sig" or none), at most
 * `room` of them; others are passed over, as section 5 demands. How many; named_key_free each. 0: no such key, or no key set. */
size_t jwks_read(struct slice text, struct named_key *keys, size_t room, size_t kid_max);
void named_key_free(struct named_key *key);

#endif
