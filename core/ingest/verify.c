#include "ingest/verify.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "ingest/grammar.h"
#include "model/standard_key.h"

enum { DIGEST_MAX = 64, STAMP_LEAST = 10, STAMP_MOST = 13, ID_MAX = 256, MILLISECOND_DIGITS = 13 };

struct verifier {
    const struct verify *verify;
    EVP_MAC_CTX *keyed[SECRETS_MAX];      /* initialised with a key; begun anew for each request */
    unsigned char token[SECRETS_MAX][32]; /* SHA-256 of a bearer token */
    size_t count;
    size_t digest_bytes;
};

/* ---- secrets ---- */

static EVP_MAC_CTX *keyed_context(const struct verify *verify, struct slice secret)
{
    unsigned char key[STANDARD_KEY_MAX];
    const unsigned char *bytes = (const unsigned char *)secret.data;
    size_t len = secret.len;
    char algorithm[16];
    if (verify->key == KEY_STANDARD) {
        len = standard_key(secret, key);
        bytes = key;
    }
    if (len == 0)
        return NULL;
    snprintf(algorithm, sizeof(algorithm), "%.*s", SLICE_ARGS(verify->algorithm));
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", algorithm, 0), OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    if (context && !EVP_MAC_init(context, bytes, len, params)) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    OPENSSL_cleanse(key, sizeof(key));
    return context;
}

static void add_secret(struct verifier *verifier, struct slice secret)
{
    size_t place = verifier->count;
    if (secret.len == 0)
        return; /* an empty key verifies nothing */
    if (verifier->verify->scheme == VERIFY_BEARER) {
        if (!EVP_Digest(secret.data, secret.len, verifier->token[place], NULL, EVP_sha256(), NULL))
            return;
    } else {
        verifier->keyed[place] = keyed_context(verifier->verify, secret);
        if (!verifier->keyed[place])
            return;
        verifier->digest_bytes = EVP_MAC_CTX_get_mac_size(verifier->keyed[place]);
    }
    verifier->count++;
}

struct verifier *verifier_new(const struct verify *verify, const struct generation *generation)
{
    struct verifier *verifier = MEM_NEW(struct verifier);
    verifier->verify = verify;
    for (size_t i = 0; i < verify->secret_count; i++) {
        struct slice value;
        if (generation_secret((void *)generation, verify->secrets[i], &value))
            add_secret(verifier, value);
    }
    return verifier;
}

void verifier_free(struct verifier *verifier)
{
    if (!verifier)
        return;
    for (size_t i = 0; i < SECRETS_MAX; i++)
        EVP_MAC_CTX_free(verifier->keyed[i]);
    OPENSSL_cleanse(verifier->token, sizeof(verifier->token));
    mem_free(verifier);
}

/* ---- what the request says ---- */

/* The one header of that name; false: absent, empty, or there twice. */
static bool only_header(const struct verify_input *input, struct slice name, struct slice *value)
{
    size_t seen = 0;
    for (size_t i = 0; i < input->header_count; i++) {
        if (!slice_eq_nocase(input->headers[i].name, name))
            continue;
        *value = input->headers[i].value;
        seen++;
    }
    return seen == 1 && value->len > 0;
}

static bool find_source(const struct verify_input *input, const struct verify_source *source, struct slice part,
                        struct slice *out)
{
    if (source->header.data)
        return only_header(input, source->header, out);
    *out = part;
    return part.len > 0;
}

/* 10 to 13 digits, no sign, no leading zero; 13 of them are milliseconds. */
static bool read_stamp(struct slice text, uint64_t *time_ms)
{
    uint64_t number = 0;
    if (text.len < STAMP_LEAST || text.len > STAMP_MOST || text.data[0] == '0')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    *time_ms = text.len == MILLISECOND_DIGITS ? number : number * 1000;
    return true;
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

/* Everything that the signed text refers to, found before anything is computed. */
struct found_parts {
    struct signatures signatures;
    struct slice header, timestamp, id;
    uint64_t time_ms;
};

static bool refers_to(const struct verify *verify, enum template_kind kind)
{
    for (size_t i = 0; i < verify->signed_count; i++)
        if (verify->signed_parts[i].kind == kind)
            return true;
    return false;
}

static enum verdict find_parts(const struct verify *verify, const struct verify_input *input, struct found_parts *found)
{
    if (!only_header(input, verify->header, &found->header))
        return VERDICT_MISSING;
    if (!grammar_parse(verify, found->header, &found->signatures))
        return VERDICT_MALFORMED;
    if (refers_to(verify, TEMPLATE_TIMESTAMP)) {
        if (!find_source(input, &verify->timestamp, found->signatures.timestamp, &found->timestamp))
            return VERDICT_MISSING;
        if (!read_stamp(found->timestamp, &found->time_ms))
            return VERDICT_MALFORMED;
    }
    if (refers_to(verify, TEMPLATE_ID)) {
        if (!find_source(input, &verify->id, found->signatures.id, &found->id))
            return VERDICT_MISSING;
        if (!is_good_id(found->id))
            return VERDICT_MALFORMED;
    }
    return found->signatures.count > 0 ? VERDICT_VALID : VERDICT_MISMATCH;
}

/* ---- comparing ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_hex(struct slice text, unsigned char *out, size_t bytes)
{
    if (text.len != 2 * bytes)
        return false;
    for (size_t i = 0; i < bytes; i++) {
        int high = hex_value(text.data[2 * i]), low = hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* Only the one spelling that encoding gives: encoded again it has to be the same text. */
static bool decode_base64(struct slice text, unsigned char *out, size_t bytes)
{
    unsigned char decoded[DIGEST_MAX * 2], encoded[DIGEST_MAX * 2 + 4];
    if (text.len != (bytes + 2) / 3 * 4 || text.len > DIGEST_MAX * 2)
        return false;
    if (EVP_DecodeBlock(decoded, (const unsigned char *)text.data, (int)text.len) < (int)bytes)
        return false;
    int len = EVP_EncodeBlock(encoded, decoded, (int)bytes);
    if ((size_t)len != text.len || memcmp(encoded, text.data, text.len) != 0)
        return false;
    memcpy(out, decoded, bytes);
    return true;
}

static bool add_to_mac(EVP_MAC_CTX *mac, struct slice bytes)
{
    return bytes.len == 0 || EVP_MAC_update(mac, (const unsigned char *)bytes.data, bytes.len) == 1;
}

/* One pass: what is put in is never read as a template. VERDICT_MISSING: a header that is signed is not there once. */
static enum verdict sign(const struct verify *verify, const struct verify_input *input, const struct found_parts *found,
                         EVP_MAC_CTX *mac)
{
    bool ok = true;
    for (size_t i = 0; i < verify->signed_count; i++) {
        const struct template_part *part = &verify->signed_parts[i];
        struct slice value;
        switch (part->kind) {
        case TEMPLATE_TEXT:
            ok &= add_to_mac(mac, part->text);
            break;
        case TEMPLATE_BODY:
            ok &= add_to_mac(mac, input->body);
            break;
        case TEMPLATE_TIMESTAMP:
            ok &= add_to_mac(mac, found->timestamp);
            break;
        case TEMPLATE_ID:
            ok &= add_to_mac(mac, found->id);
            break;
        case TEMPLATE_METHOD:
            ok &= add_to_mac(mac, input->method);
            break;
        case TEMPLATE_PATH:
            ok &= add_to_mac(mac, input->path);
            break;
        case TEMPLATE_HEADER:
            if (!only_header(input, part->text, &value))
                return VERDICT_MISSING;
            ok &= add_to_mac(mac, value);
            break;
        }
    }
    return ok ? VERDICT_VALID : VERDICT_MISMATCH;
}

/* Compares every signature, also after one has matched. */
static const struct slice *match(const struct verifier *verifier, const struct signatures *signatures,
                                 const unsigned char *digest)
{
    const struct slice *matched = NULL;
    for (size_t i = 0; i < signatures->count; i++) {
        unsigned char given[DIGEST_MAX];
        struct slice text = signatures->values[i];
        bool decoded = verifier->verify->encoding == ENCODING_HEX ? decode_hex(text, given, verifier->digest_bytes)
                                                                  : decode_base64(text, given, verifier->digest_bytes);
        if (decoded && CRYPTO_memcmp(given, digest, verifier->digest_bytes) == 0)
            matched = &signatures->values[i];
    }
    return matched;
}

static enum verdict try_key(const struct verifier *verifier, EVP_MAC_CTX *keyed, const struct verify_input *input,
                            const struct found_parts *found, const struct slice **matched)
{
    unsigned char digest[DIGEST_MAX];
    size_t len = 0;
    bool begun = EVP_MAC_init(keyed, NULL, 0, NULL) == 1; /* with the key it has: half the cost of a copy of the context */
    enum verdict verdict = begun ? sign(verifier->verify, input, found, keyed) : VERDICT_MISMATCH;
    if (verdict == VERDICT_VALID && (!EVP_MAC_final(keyed, digest, &len, sizeof(digest)) || len != verifier->digest_bytes))
        verdict = VERDICT_MISMATCH;
    if (verdict == VERDICT_VALID && !(*matched = match(verifier, &found->signatures, digest)))
        verdict = VERDICT_MISMATCH;
    return verdict;
}

static bool is_stale(const struct verify *verify, uint64_t time_ms, uint64_t now_ms)
{
    uint64_t off = time_ms > now_ms ? time_ms - now_ms : now_ms - time_ms;
    /* a stamp of whole seconds is up to one second old when it is made */
    return verify->max_age_ms && off / 1000 > verify->max_age_ms / 1000;
}

static enum verdict verify_hmac(struct verifier *verifier, const struct verify_input *input, struct verify_result *result)
{
    struct found_parts found = { .time_ms = 0 };
    const struct slice *matched = NULL;
    enum verdict verdict = find_parts(verifier->verify, input, &found);
    if (verdict != VERDICT_VALID)
        return verdict;
    for (size_t i = 0; i < verifier->count; i++) {
        const struct slice *by_this = NULL;
        enum verdict tried = try_key(verifier, verifier->keyed[i], input, &found, &by_this);
        if (tried == VERDICT_MISSING)
            return tried;
        if (by_this)
            matched = by_this;
    }
    if (!matched)
        return VERDICT_MISMATCH;
    if (found.time_ms && is_stale(verifier->verify, found.time_ms, input->now_ms))
        return VERDICT_STALE;
    result->time_ms = found.time_ms;
    result->signature = *matched;
    return VERDICT_VALID;
}

/* RFC 6750, 2.1; hashes are compared, so that lengths tell nothing. */
static enum verdict verify_bearer(struct verifier *verifier, const struct verify_input *input)
{
    static const struct slice scheme = SLICE("Bearer ");
    struct slice value;
    unsigned char given[32];
    bool matches = false;
    if (!only_header(input, SLICE("authorization"), &value))
        return VERDICT_MISSING;
    if (value.len <= scheme.len || !slice_eq_nocase((struct slice){ value.data, scheme.len }, scheme))
        return VERDICT_MALFORMED;
    struct slice token = slice_from(value, scheme.len);
    if (!EVP_Digest(token.data, token.len, given, NULL, EVP_sha256(), NULL))
        return VERDICT_MISMATCH;
    for (size_t i = 0; i < verifier->count; i++)
        matches |= CRYPTO_memcmp(given, verifier->token[i], sizeof(given)) == 0;
    return matches ? VERDICT_VALID : VERDICT_MISMATCH;
}

enum verdict verify_request(struct verifier *verifier, const struct verify_input *input, struct verify_result *result)
{
    *result = (struct verify_result){ .time_ms = 0 };
    if (verifier->verify->scheme == VERIFY_NONE)
        return VERDICT_VALID;
    if (verifier->count == 0)
        return VERDICT_NO_SECRET;
    return verifier->verify->scheme == VERIFY_BEARER ? verify_bearer(verifier, input) : verify_hmac(verifier, input, result);
}
