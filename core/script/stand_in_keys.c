#include "script/stand_in_keys.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "ingest/keys.h"
#include "script/stand_ins.h"

enum { NAME_MAX_BYTES = 1024, RSA_BITS = 2048 };

struct slice stand_in_key_name(struct arena *arena, struct slice path)
{
    struct buf text;
    buf_init(&text, NAME_MAX_BYTES);
    buf_add_text(&text, "private key of ");
    buf_add_slice(&text, path);
    struct slice name = buf_ok(&text) ? arena_copy(arena, buf_slice(&text)) : (struct slice){ NULL, 0 };
    buf_deinit(&text);
    return name;
}

static EVP_PKEY *make_pair(enum public_key_kind kind)
{
    switch (kind) {
    case PUBLIC_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case PUBLIC_P256:
        return EVP_EC_gen("P-256");
    case PUBLIC_RSA:
        return EVP_RSA_gen(RSA_BITS);
    }
    return NULL;
}

/* What was written there, unless that failed; frees it. */
static struct slice take_text(struct arena *arena, BIO *memory, bool ok)
{
    struct slice text = { NULL, 0 };
    char *data = NULL;
    long len = ok ? BIO_get_mem_data(memory, &data) : 0;
    if (len > 0)
        text = arena_copy(arena, slice_make(data, (size_t)len));
    BIO_free(memory);
    return text;
}

static struct slice pem_of(struct arena *arena, EVP_PKEY *key, bool private_half)
{
    BIO *memory = BIO_new(BIO_s_mem());
    int ok = memory && (private_half ? PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL)
                                     : PEM_write_bio_PUBKEY(memory, key));
    return take_text(arena, memory, ok);
}

/* Good at every moment: a test sets its clock as it likes. */
static struct slice certificate_of(struct arena *arena, EVP_PKEY *key)
{
    BIO *memory = BIO_new(BIO_s_mem());
    X509 *certificate = X509_new();
    bool ok = memory && certificate && X509_set_pubkey(certificate, key) &&
              ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "19700101000000Z") &&
              ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "99991231235959Z") &&
              X509_sign(certificate, key, EVP_sha256()) > 0 && PEM_write_bio_X509(memory, certificate);
    X509_free(certificate);
    return take_text(arena, memory, ok);
}

bool stand_in_key_fit(struct generation *generation, const struct route *route, struct slice *private_key)
{
    struct verify *verify = (struct verify *)&route->verify;
    verify->certificate.name_end = SLICE(""); /* no authority knows the one that stands in */
    if (verify->public_key_count == 0 && !verify->jwks.data)
        return false;
    EVP_PKEY *key = make_pair(public_key_kind_of(verify));
    if (!key)
        return false;
    verify->public_keys[0] = pem_of(&generation->arena, key, false);
    verify->public_key_count = 1;
    verify->jwks = (struct slice){ NULL, 0 };
    *private_key = pem_of(&generation->arena, key, true);
    EVP_PKEY_free(key);
    return verify->public_keys[0].data && private_key->data;
}

/* ---- of a target ---- */

void stand_in_key_sign(struct signing *signing)
{
    if (signs_by_key(&signing->how) && !signing->key)
        signing->key = make_pair(public_key_kind_of(&signing->how));
}

/* ---- of a secret ---- */

static struct stand_in_key *find(const struct generation *generation, struct slice value, int kind)
{
    struct stand_in_key *known = generation->stand_in_keys;
    while (known && !(known->kind == kind && slice_eq(known->secret, value)))
        known = known->next;
    return known;
}

/* NULL: no memory. */
static struct stand_in_key *make(struct generation *generation, struct slice value, int kind)
{
    struct arena *arena = &generation->arena;
    bool is_sender = kind == EVP_PKEY_RSA;
    struct stand_in_key *made = arena_alloc(arena, sizeof(*made));
    EVP_PKEY *key = made ? make_pair(is_sender ? PUBLIC_RSA : kind == EVP_PKEY_EC ? PUBLIC_P256 : PUBLIC_ED25519) : NULL;
    if (!key)
        return NULL;
    *made = (struct stand_in_key){ .next = generation->stand_in_keys,
                                   .secret = arena_copy(arena, value),
                                   .kind = kind,
                                   .private_pem = pem_of(arena, key, true),
                                   .public_pem = is_sender ? certificate_of(arena, key) : pem_of(arena, key, false) };
    EVP_PKEY_free(key);
    if (!made->secret.data || !made->private_pem.data || !made->public_pem.data)
        return NULL;
    generation->stand_in_keys = made;
    return made;
}

struct slice stand_in_key_half(void *arg, struct slice value, int kind, bool private_half)
{
    struct generation *generation = arg;
    if (kind == EVP_PKEY_RSA || !slice_starts(value, slice_of(STAND_IN_SECRET)))
        return value;
    const struct stand_in_key *key = find(generation, value, kind);
    if (!key)
        key = make(generation, value, kind);
    return !key ? value : private_half ? key->private_pem : key->public_pem;
}

/* ---- of the senders whose certificate is fetched ---- */

const struct stand_in_key *stand_in_sender(struct generation *generation)
{
    static const struct slice nobody = SLICE("");
    const struct stand_in_key *key = find(generation, nobody, EVP_PKEY_RSA);
    return key ? key : make(generation, nobody, EVP_PKEY_RSA);
}
