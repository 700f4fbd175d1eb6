/* verifier.h: what a scheme has been made ready with. Private to verify.c and jwt.c. */
#ifndef TIDEWIRE_VERIFIER_H
#define TIDEWIRE_VERIFIER_H

#include "ingest/asked.h"
#include "ingest/key_store.h"

enum { TOKEN_HASH_BYTES = 32 };

/* One secret, in the form that its scheme compares. */
struct ready_secret {
    struct slice name;                     /* borrowed from the generation */
    EVP_MAC_CTX *keyed;                    /* owned; VERIFY_HMAC, VERIFY_JWT: initialised with the key, begun anew each time */
    unsigned char token[TOKEN_HASH_BYTES]; /* VERIFY_BEARER, _TOKEN, _BASIC: SHA-256 of what is to be said */
    struct slice text;                     /* VERIFY_HASH; borrowed from the generation */
};

struct verifier {
    const struct verify *verify;
    struct ready_secret secrets[SECRETS_MAX];
    size_t secret_count;
    EVP_PKEY *public_keys[PUBLIC_KEYS_MAX]; /* owned */
    size_t public_key_count;
    size_t digest_bytes;   /* of an HMAC or hash */
    struct verifier *also; /* owned; has to hold too; NULL: none */
};

/* ---- verify.c ---- */
/* The token behind "Bearer " (RFC 6750, 2.1) or "Basic " in `authorization`. */
enum verdict authorization_find(const struct verify_input *input, struct slice scheme, struct slice *token);

/* ---- jwt.c ---- */
/* A compact JWS (RFC 7515) whose claims (RFC 7519) hold now: the verifier's algorithm and no other, `exp` required, `nbf` obeyed,
 * issuer and audience if the scheme asks for them. Of a key set (verify->jwks) the key that `kid` in its
 * header names; without kid VERDICT_MISSING. */
enum verdict jwt_verify(struct verifier *verifier, const struct verify_input *input, struct verify_result *result);

/* ---- sender_key.c ---- */
/* The key of VERIFY_RSA, from where the request says. VERDICT_WAIT, _AWAY: as in verify.h; VERDICT_KEY: the address is not its
 * sender's, or what is there is no certificate of it. */
enum verdict sender_key_find(const struct verify *verify, struct asked *asked, struct verify_result *result, EVP_PKEY **key);
/* The same for an address that the rules name. */
enum verdict sender_key_ask(const struct verify_input *input, const struct key_query *query, struct verify_result *result,
                            EVP_PKEY **key);

#endif
