#include "ingest/verify.h"

#include <openssl/crypto.h>

#include "base/mem.h"
#include "ingest/encoding.h"
#include "ingest/grammar.h"
#include "ingest/signed_text.h"
#include "ingest/stamp.h"
#include "ingest/verifier.h"

enum { DIGEST_MAX = 64, ED25519_BYTES = 64, DER_MAX = 80, RSA_MAX = 512, ID_MAX = 256, TOKEN_MAX = 4 << 10 };

/* ---- secrets and keys ---- */

static bool hash_token(struct slice user, struct slice secret, unsigned char *out)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    if (ok && user.data)
        ok = EVP_DigestUpdate(context, user.data, user.len) && EVP_DigestUpdate(context, ":", 1);
    ok = ok && EVP_DigestUpdate(context, secret.data, secret.len) && EVP_DigestFinal_ex(context, out, NULL);
    EVP_MD_CTX_free(context);
    return ok;
}

/* false: nothing can be verified with it. */
static bool make_ready(struct verifier *verifier, struct slice secret, struct ready_secret *ready)
{
    const struct verify *verify = verifier->verify;
    switch (verify->scheme) {
    case VERIFY_HMAC:
    case VERIFY_JWT:
        if (secret_is_public(secret))
            return false;
        ready->keyed = key_mac(verify, secret);
        if (ready->keyed)
            verifier->digest_bytes = EVP_MAC_CTX_get_mac_size(ready->keyed);
        return ready->keyed != NULL;
    case VERIFY_HASH:
        ready->text = secret;
        verifier->digest_bytes = TOKEN_HASH_BYTES;
        return true;
    case VERIFY_BEARER:
    case VERIFY_TOKEN:
    case VERIFY_BASIC:
        return hash_token(verify->user, secret, ready->token);
    case VERIFY_NONE:
    case VERIFY_ED25519:
    case VERIFY_ECDSA:
    case VERIFY_RSA:
        break;
    }
    return false;
}

static void add_public_key(struct verifier *verifier, struct slice text)
{
    EVP_PKEY *key = public_key_read(public_key_kind_of(verifier->verify), text);
    if (key)
        verifier->public_keys[verifier->public_key_count++] = key;
}

struct verifier *verifier_new(const struct verify *verify, const struct generation *generation)
{
    struct verifier *verifier = MEM_NEW(struct verifier);
    verifier->verify = verify;
    for (size_t i = 0; i < verify->secret_count; i++) {
        struct slice value;
        struct ready_secret *ready = &verifier->secrets[verifier->secret_count];
        ready->name = verify->secrets[i];
        if (generation_secret((void *)generation, ready->name, &value) && value.len > 0 && /* an empty one protects nothing */
            make_ready(verifier, value, ready))
            verifier->secret_count++;
    }
    for (size_t i = 0; i < verify->public_key_count; i++)
        add_public_key(verifier, verify->public_keys[i]);
    if (verify->also)
        verifier->also = verifier_new(verify->also, generation);
    return verifier;
}

void verifier_free(struct verifier *verifier)
{
    if (!verifier)
        return;
    for (size_t i = 0; i < verifier->secret_count; i++)
        EVP_MAC_CTX_free(verifier->secrets[i].keyed);
    for (size_t i = 0; i < verifier->public_key_count; i++)
        EVP_PKEY_free(verifier->public_keys[i]);
    verifier_free(verifier->also);
    OPENSSL_cleanse(verifier, sizeof(*verifier));
    mem_free(verifier);
}

/* ---- what the request says ---- */

static bool find_source(struct asked *asked, const struct verify_source *source, struct slice part, struct slice *out)
{
    if (source->header.data)
        return asked_header(asked->input, source->header, out);
    if (source->field.data)
        return asked_field(asked, source->field, UNVERIFIED_JSON_MAX, out);
    *out = part;
    return part.len > 0;
}

static bool is_good_id(struct slice id)
{
    if (id.len == 0 || id.len > ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (id.data[i] <= ' ' || id.data[i] >= 0x7F || id.data[i] == '.')
            return false;
    return true;
}

/* Everything that stands beside the signed text, found before anything is computed. */
struct found_parts {
    struct signatures signatures;
    struct slice header, timestamp, id;
    uint64_t time_ms;
    EVP_PKEY *sender_key; /* VERIFY_RSA; borrowed from the store of keys */
    bool is_sha1;         /* VERIFY_RSA */
};

static bool refers_to(const struct verify *verify, enum template_kind kind)
{
    for (size_t i = 0; i < verify->signed_count; i++)
        if (verify->signed_parts[i].kind == kind)
            return true;
    return false;
}

static enum verdict find_parts(const struct verify *verify, struct asked *asked, struct found_parts *found)
{
    bool there = verify->field.data ? asked_field(asked, verify->field, UNVERIFIED_JSON_MAX, &found->header)
                                    : asked_signature(asked->input, verify, &found->header);
    if (!there)
        return VERDICT_MISSING;
    if (!grammar_parse(verify, found->header, &found->signatures))
        return VERDICT_MALFORMED;
    if (refers_to(verify, TEMPLATE_TIMESTAMP)) {
        if (!find_source(asked, &verify->timestamp, found->signatures.timestamp, &found->timestamp))
            return VERDICT_MISSING;
        if (!stamp_read(verify->timestamp_format, found->timestamp, &found->time_ms))
            return VERDICT_MALFORMED;
    }
    if (refers_to(verify, TEMPLATE_ID)) {
        if (!find_source(asked, &verify->id, found->signatures.id, &found->id))
            return VERDICT_MISSING;
        if (!is_good_id(found->id))
            return VERDICT_MALFORMED;
    }
    return found->signatures.count > 0 ? VERDICT_VALID : VERDICT_MISMATCH;
}

/* ---- by secret: compute, then compare ---- */

static bool decode(const struct verify *verify, struct slice text, unsigned char *out, size_t room, size_t *len)
{
    return verify->encoding == ENCODING_HEX ? hex_decode(text, out, room, len) : base64_decode(text, out, room, len);
}

/* Compares every signature, also after one has matched. */
static bool match(const struct verifier *verifier, const struct signatures *signatures, const unsigned char *digest)
{
    bool matched = false;
    for (size_t i = 0; i < signatures->count; i++) {
        unsigned char given[DIGEST_MAX];
        size_t len;
        if (signatures->by_key >> i & 1 || !decode(verifier->verify, signatures->values[i], given, sizeof(given), &len))
            continue;
        matched |= len == verifier->digest_bytes && CRYPTO_memcmp(given, digest, len) == 0;
    }
    return matched;
}

static void keep_signature(struct verify_result *result, const unsigned char *bytes, size_t len)
{
    memcpy(result->signature, bytes, len);
    result->signature_bytes = len;
}

static bool try_secrets(const struct verifier *verifier, const struct signatures *signatures, const struct signed_text *text,
                        struct verify_result *result)
{
    bool valid = false;
    for (size_t i = 0; i < verifier->secret_count; i++) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        const struct ready_secret *secret = &verifier->secrets[i];
        bool computed =
            secret->keyed ? signed_text_mac(secret->keyed, text, digest) : signed_text_hash(secret->text, text, digest);
        if (!computed || !match(verifier, signatures, digest))
            continue;
        keep_signature(result, digest, verifier->digest_bytes);
        result->secret = secret->name;
        valid = true;
    }
    return valid;
}

/* ---- by public key ---- */

static bool try_public_keys(const struct verifier *verifier, const struct signatures *signatures, struct slice text,
                            struct verify_result *result)
{
    bool is_ecdsa = verifier->verify->scheme == VERIFY_ECDSA, always = verifier->verify->scheme != VERIFY_HMAC;
    for (size_t i = 0; i < signatures->count; i++) {
        unsigned char given[DER_MAX];
        size_t len;
        if (!always && !(signatures->by_key >> i & 1))
            continue;
        if (!decode(verifier->verify, signatures->values[i], given, sizeof(given), &len) || (!is_ecdsa && len != ED25519_BYTES))
            continue;
        for (size_t k = 0; k < verifier->public_key_count; k++) {
            if (!public_key_agrees(verifier->public_keys[k], given, len, text))
                continue;
            if (!is_ecdsa) /* each ECDSA signature has a twin: to remember one stops nobody */
                keep_signature(result, given, len);
            return true;
        }
    }
    return false;
}

/* The certificate's key. Such a signature is not remembered: these senders sign their ids, and a result has no room for it. */
static bool try_sender_key(const struct verify *verify, const struct found_parts *found, struct slice text)
{
    unsigned char given[RSA_MAX];
    size_t len;
    if (!decode(verify, found->signatures.values[0], given, sizeof(given), &len))
        return false;
    return found->is_sha1 ? rsa_sha1_agrees(found->sender_key, given, len, text)
                          : public_key_agrees(found->sender_key, given, len, text);
}

/* ---- a signed text ---- */

static bool has_public_signatures(const struct verifier *verifier, const struct signatures *signatures)
{
    return verifier->public_key_count > 0 && (verifier->verify->scheme != VERIFY_HMAC || signatures->by_key);
}

/* With the URL as number `url` has it. */
static enum verdict try_text(const struct verifier *verifier, struct asked *asked, const struct found_parts *found, size_t url,
                             struct verify_result *result)
{
    struct signed_text text;
    enum verdict verdict = signed_text_find(verifier->verify, asked, found->timestamp, found->id, url, &text);
    if (verdict != VERDICT_VALID)
        return verdict;
    if (try_secrets(verifier, &found->signatures, &text, result))
        return VERDICT_VALID;
    if (!found->sender_key && !has_public_signatures(verifier, &found->signatures))
        return VERDICT_MISMATCH;
    struct slice joined = signed_text_join(&text, &asked->texts);
    if (found->sender_key)
        return joined.data && try_sender_key(verifier->verify, found, joined) ? VERDICT_VALID : VERDICT_MISMATCH;
    return joined.data && try_public_keys(verifier, &found->signatures, joined, result) ? VERDICT_VALID : VERDICT_MISMATCH;
}

static bool is_stale(const struct verify *verify, uint64_t time_ms, uint64_t now_ms)
{
    uint64_t off = time_ms > now_ms ? time_ms - now_ms : now_ms - time_ms;
    /* a stamp of whole seconds is up to one second old when it is made */
    return verify->max_age_ms && off / 1000 > verify->max_age_ms / 1000;
}

/* The time, which may be anywhere in the body now that its sender is known. */
static enum verdict check_time(const struct verify *verify, struct asked *asked, struct found_parts *found)
{
    if (!verify->max_age_ms)
        return VERDICT_VALID;
    if (!found->time_ms) {
        if (!asked_field(asked, verify->timestamp.field, SIZE_MAX, &found->timestamp))
            return VERDICT_MISSING;
        if (!stamp_read(verify->timestamp_format, found->timestamp, &found->time_ms))
            return VERDICT_MALFORMED;
    }
    return is_stale(verify, found->time_ms, asked->input->now_ms) ? VERDICT_STALE : VERDICT_VALID;
}

static enum verdict verify_signed(struct verifier *verifier, struct asked *asked, struct verify_result *result)
{
    const struct verify *verify = verifier->verify;
    struct found_parts found = { .time_ms = 0 };
    enum verdict verdict = verify->topic_count ? signed_sns_admit(verify, asked, &found.is_sha1) : VERDICT_VALID;
    if (verdict == VERDICT_VALID)
        verdict = find_parts(verify, asked, &found);
    if (verdict == VERDICT_VALID && verify->scheme == VERIFY_RSA)
        verdict = sender_key_find(verify, asked, result, &found.sender_key);
    if (verdict != VERDICT_VALID)
        return verdict;
    size_t url = 0;
    do
        verdict = try_text(verifier, asked, &found, url, result);
    while (verdict == VERDICT_MISMATCH && ++url < verify->url_count);
    if (verdict == VERDICT_VALID)
        verdict = check_time(verify, asked, &found);
    if (verdict == VERDICT_VALID && verify->json_only && !asked_is_json(asked, SIZE_MAX))
        verdict = VERDICT_MALFORMED;
    result->time_ms = found.time_ms;
    return verdict;
}

/* ---- what is only said ---- */

/* Hashes are compared, so that lengths tell nothing. */
static enum verdict compare_token(const struct verifier *verifier, struct slice token)
{
    unsigned char given[TOKEN_HASH_BYTES];
    bool matches = false;
    if (!EVP_Digest(token.data, token.len, given, NULL, EVP_sha256(), NULL))
        return VERDICT_MISMATCH;
    for (size_t i = 0; i < verifier->secret_count; i++)
        matches |= CRYPTO_memcmp(given, verifier->secrets[i].token, sizeof(given)) == 0;
    return matches ? VERDICT_VALID : VERDICT_MISMATCH;
}

enum verdict authorization_find(const struct verify_input *input, struct slice scheme, struct slice *token)
{
    struct slice value;
    if (!asked_header(input, SLICE("authorization"), &value))
        return VERDICT_MISSING;
    if (value.len <= scheme.len || !slice_eq_nocase((struct slice){ value.data, scheme.len }, scheme))
        return VERDICT_MALFORMED;
    *token = slice_from(value, scheme.len);
    return VERDICT_VALID;
}

static enum verdict verify_bearer(const struct verifier *verifier, const struct verify_input *input)
{
    struct slice token;
    enum verdict verdict = authorization_find(input, SLICE("Bearer "), &token);
    return verdict == VERDICT_VALID ? compare_token(verifier, token) : verdict;
}

/* RFC 7617; the user's name stands in the token. */
static enum verdict verify_basic(const struct verifier *verifier, const struct verify_input *input)
{
    unsigned char decoded[TOKEN_MAX];
    struct slice token;
    size_t len;
    enum verdict verdict = authorization_find(input, SLICE("Basic "), &token);
    if (verdict != VERDICT_VALID)
        return verdict;
    if (!base64_decode(token, decoded, sizeof(decoded), &len))
        return VERDICT_MALFORMED;
    return compare_token(verifier, slice_make((char *)decoded, len));
}

static enum verdict verify_token(const struct verifier *verifier, const struct verify_input *input)
{
    struct slice token;
    if (!asked_signature(input, verifier->verify, &token))
        return VERDICT_MISSING;
    return token.len <= TOKEN_MAX ? compare_token(verifier, token) : VERDICT_MALFORMED;
}

/* ---- the whole ---- */

static bool fetches_keys(const struct verify *verify)
{
    return verify->scheme == VERIFY_RSA || verify->jwks.data;
}

static enum verdict verify_one(struct verifier *verifier, const struct verify_input *input, struct verify_result *result)
{
    struct asked asked = { .input = input };
    enum verdict verdict;
    if (verifier->secret_count + verifier->public_key_count == 0 && !fetches_keys(verifier->verify))
        return VERDICT_NO_SECRET;
    switch (verifier->verify->scheme) {
    case VERIFY_BEARER:
        return verify_bearer(verifier, input);
    case VERIFY_BASIC:
        return verify_basic(verifier, input);
    case VERIFY_TOKEN:
        return verify_token(verifier, input);
    case VERIFY_JWT:
        return jwt_verify(verifier, input, result);
    default:
        verdict = verify_signed(verifier, &asked, result);
        asked_end(&asked);
        return verdict;
    }
}

/* What is refused says nothing further, but what it waits for. */
static void forget(struct verify_result *result)
{
    result->time_ms = 0;
    result->signature_bytes = 0;
    result->secret = (struct slice){ NULL, 0 };
}

enum verdict verify_request(struct verifier *verifier, const struct verify_input *input, struct verify_result *result)
{
    forget(result);
    if (verifier->verify->scheme == VERIFY_NONE)
        return VERDICT_VALID;
    enum verdict verdict = verify_one(verifier, input, result);
    if (verdict == VERDICT_VALID && verifier->also) {
        struct verify_result further = { .time_ms = 0 };
        verdict = verify_one(verifier->also, input, &further);
    }
    if (verdict != VERDICT_VALID)
        forget(result);
    return verdict;
}
