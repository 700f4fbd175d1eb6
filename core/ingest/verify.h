/* verify.h: is this request what its sender sent? providers.md, "What the engine always does". On the raw bytes; nothing of the
 * body is parsed before, except where the signature itself stands in it (asked.h bounds that); in constant time; one answer for
 * every reason. Source of the schemes: the profiles' own comments.
 *
 *   grammar.h   signatures out of their header        asked.h        headers, query names, body fields: once, not empty
 *   stamp.h     the signed time                       signed_text.h  the bytes that the signature covers, by the template
 *   keys.h      secrets and public keys               encoding.h     hex and base64
 *   key_store.h certificates and key sets that are fetched                                                                    */
#ifndef TIDEWIRE_VERIFY_H
#define TIDEWIRE_VERIFY_H

#include <stdint.h>

#include "base/slice.h"
#include "model/generation.h"

struct verifier; /* ready keys of one route of one generation; one worker's thread */

enum verdict {
    VERDICT_VALID,
    VERDICT_MISSING,   /* a header or part that is referred to is absent, empty or there twice */
    VERDICT_MALFORMED, /* not of the scheme's grammar */
    VERDICT_MISMATCH,
    VERDICT_STALE,     /* the signature is right; its time is more than max_age off, either side */
    VERDICT_TOPIC,     /* SNS: of another topic */
    VERDICT_KEY,       /* the certificate or key set that it names is not its sender's, is none, or has no such key */
    VERDICT_AWAY,      /* that cannot be had now: the caller answers 503 */
    VERDICT_WAIT,      /* it is on its way: result->waits_for, and then once more */
    VERDICT_NO_SECRET, /* none of the route's secrets and keys is usable: nothing is ever accepted, the caller answers 503 */
};

struct verify_input {
    struct slice method, path, query; /* as they came */
    const struct pair *headers;
    size_t header_count;
    struct slice body;
    uint64_t now_ms;        /* wall clock */
    struct key_store *keys; /* where certificates and key sets are; NULL: none can be had */
    struct slice url;       /* the whole of it, where that is known: of what leaves; data NULL: as the scheme says */
};

enum { SIGNATURE_BYTES_MAX = 64 };

/* Of a valid request, but for the last. */
struct verify_result {
    uint64_t time_ms; /* the signed time; 0: the scheme signs none */
    /* The one that matched, decoded, so that the letter case of hex makes no other one of it. None (0 bytes) where the scheme has
     * none, or where one signature can be turned into another (ECDSA). */
    unsigned char signature[SIGNATURE_BYTES_MAX];
    size_t signature_bytes;
    struct slice secret;       /* the name of the one that it was signed with; data NULL: by a key, or nothing is signed */
    struct key_set *waits_for; /* VERDICT_WAIT; until the loop comes round */
};

/* generation: counted by the caller for as long as the verifier lives. */
struct verifier *verifier_new(const struct verify *verify, const struct generation *generation);
void verifier_free(struct verifier *verifier);
enum verdict verify_request(struct verifier *verifier, const struct verify_input *input, struct verify_result *result);

#endif
