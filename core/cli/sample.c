#include "cli/sample.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "ingest/signed_text.h"
#include "ingest/keys.h"

enum { VALUE_MAX = 16 << 10, SIGNATURE_MAX = 512, JWT_LIFE_S = 300, P256_HALF = 32 };

struct sample {
    const struct verify *verify;
    struct slice secret, id;
    struct asked asked;
    char fresh[CLOCK_ISO_SIZE]; /* the time, as the scheme writes it */
    struct buf *lines, *field;
    const char **why;
};

static void add_line(struct buf *lines, struct slice name, struct slice value)
{
    buf_add_slice(lines, name);
    buf_add_text(lines, ": ");
    buf_add_slice(lines, value);
    buf_add_byte(lines, '\n');
}

static enum result fail(const struct sample *sample, const char *why)
{
    *sample->why = why;
    return ERR_INVALID;
}

/* ---- keys ---- */

bool sample_by_key(const struct verify *verify)
{
    return verify->scheme != VERIFY_NONE && verify->secret_count == 0;
}

/* NULL: the secret is none. */
static EVP_PKEY *private_key(struct slice pem)
{
    BIO *memory = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL) : NULL;
    BIO_free(memory);
    ERR_clear_error();
    return key;
}

static enum result sign_with_key(const struct sample *sample, struct slice text, unsigned char *out, size_t *len)
{
    EVP_PKEY *key = private_key(sample->secret);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    *len = SIGNATURE_MAX;
    bool ok = key && context &&
              EVP_DigestSignInit(context, NULL, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(context, out, len, (const unsigned char *)text.data, text.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok ? OK : fail(sample, "this sender signs with a key of its own: give a private key in PEM of that kind");
}

static enum result sign_with_secret(const struct sample *sample, struct slice text, unsigned char *out, size_t *len)
{
    unsigned char bytes[KEY_BYTES_MAX];
    struct slice algorithm = sample->verify->algorithm, key = key_bytes(sample->verify->key, sample->secret, bytes);
    const EVP_MD *digest = slice_is(algorithm, "sha1") ? EVP_sha1() : slice_is(algorithm, "sha512") ? EVP_sha512() : EVP_sha256();
    unsigned written = 0;
    if (!key.data)
        return fail(sample, "the secret has not the form that this sender's secrets have");
    bool ok = HMAC(digest, key.data, (int)key.len, (const unsigned char *)text.data, text.len, out, &written) != NULL;
    OPENSSL_cleanse(bytes, sizeof(bytes));
    *len = written;
    return ok ? OK : ERR_MEMORY;
}

/* ---- a signed text ---- */

static struct slice time_of(struct sample *sample)
{
    struct slice in_body;
    const struct verify_source *source = &sample->verify->timestamp;
    if (source->field.data && asked_field(&sample->asked, source->field, SIZE_MAX, &in_body))
        return in_body;
    return slice_of(sample->fresh);
}

static bool add_to_buf(void *to, struct slice bytes)
{
    buf_add_slice(to, bytes);
    return buf_ok(to);
}

static enum result sign_text(struct sample *sample, unsigned char *out, size_t *len)
{
    struct signed_text text;
    struct buf joined;
    enum result rc = ERR_MEMORY;
    unsigned written;
    if (signed_text_find(sample->verify, &sample->asked, time_of(sample), sample->id, 0, &text) != VERDICT_VALID)
        return fail(sample, "the signature covers what this request has not: a header, a query name or a field of the body");
    buf_init(&joined, SIZE_MAX / 2);
    if (!signed_text_write(&text, sample->secret, add_to_buf, &joined))
        goto out;
    struct slice covered = joined.len ? buf_slice(&joined) : SLICE("");
    if (sample_by_key(sample->verify))
        rc = sign_with_key(sample, covered, out, len);
    else if (sample->verify->scheme == VERIFY_HMAC)
        rc = sign_with_secret(sample, covered, out, len);
    else if (EVP_Digest(covered.data, covered.len, out, &written, EVP_sha256(), NULL))
        *len = written, rc = OK;
out:
    buf_deinit(&joined);
    return rc;
}

static void add_encoded(const struct sample *sample, const unsigned char *bytes, size_t len, struct buf *out)
{
    char base64[SIGNATURE_MAX * 2];
    if (sample->verify->encoding == ENCODING_HEX) {
        for (size_t i = 0; i < len; i++)
            buf_addf(out, "%02x", bytes[i]);
        return;
    }
    EVP_EncodeBlock((unsigned char *)base64, bytes, (int)len);
    buf_add_text(out, base64);
}

/* The signature header's value in the grammar of the scheme. */
static void add_value(struct sample *sample, const unsigned char *bytes, size_t len, struct buf *out)
{
    const struct verify *verify = sample->verify;
    char separator = verify->format == FORMAT_PARTS_SEMICOLON ? ';' : ',';
    if (verify->format == FORMAT_LIST) {
        buf_add_slice(out, sample_by_key(verify) ? verify->public_signature : verify->signature);
        buf_add_byte(out, ',');
    } else if (verify->format != FORMAT_PLAIN) {
        if (verify->timestamp.part.data)
            buf_addf(out, "%.*s=%s%c", SLICE_ARGS(verify->timestamp.part), sample->fresh, separator);
        if (verify->id.part.data)
            buf_addf(out, "%.*s=%.*s%c", SLICE_ARGS(verify->id.part), SLICE_ARGS(sample->id), separator);
        buf_addf(out, "%.*s=", SLICE_ARGS(verify->signature));
    }
    buf_add_slice(out, verify->prefix);
    add_encoded(sample, bytes, len, out);
}

static enum result add_signature(struct sample *sample)
{
    const struct verify *verify = sample->verify;
    unsigned char bytes[SIGNATURE_MAX];
    size_t len;
    struct buf value;
    enum result rc = sign_text(sample, bytes, &len);
    if (rc != OK)
        return rc;
    buf_init(&value, VALUE_MAX);
    add_value(sample, bytes, len, &value);
    if (verify->field.data)
        buf_add_slice(sample->field, buf_slice(&value));
    else
        add_line(sample->lines, verify->header, buf_slice(&value));
    if (verify->timestamp.header.data)
        add_line(sample->lines, verify->timestamp.header, slice_of(sample->fresh));
    if (verify->id.header.data)
        add_line(sample->lines, verify->id.header, sample->id);
    buf_deinit(&value);
    return OK;
}

/* ---- what is only said ---- */

static enum result add_basic(struct sample *sample)
{
    struct buf pair;
    buf_init(&pair, VALUE_MAX / 2);
    buf_add_slice(&pair, sample->verify->user);
    buf_add_byte(&pair, ':');
    buf_add_slice(&pair, sample->secret);
    char encoded[VALUE_MAX];
    bool ok = buf_ok(&pair);
    if (ok)
        EVP_EncodeBlock((unsigned char *)encoded, (unsigned char *)pair.data, (int)pair.len);
    buf_deinit(&pair);
    if (!ok)
        return fail(sample, "the password is too long");
    buf_addf(sample->lines, "Authorization: Basic %s\n", encoded);
    return OK;
}

static void add_base64url(struct buf *out, const void *bytes, size_t len)
{
    char encoded[VALUE_MAX];
    int written = EVP_EncodeBlock((unsigned char *)encoded, bytes, (int)len);
    for (int i = 0; i < written && encoded[i] != '='; i++)
        buf_add_byte(out, encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : encoded[i]);
}

/* DER to r and s side by side (RFC 7518, 3.4). */
static bool to_pair(unsigned char *bytes, size_t *len)
{
    const unsigned char *at = bytes;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)*len);
    bool ok = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), bytes, P256_HALF) == P256_HALF &&
              BN_bn2binpad(ECDSA_SIG_get0_s(signature), bytes + P256_HALF, P256_HALF) == P256_HALF;
    ECDSA_SIG_free(signature);
    *len = 2 * (size_t)P256_HALF;
    return ok;
}

static void add_claims(const struct sample *sample, struct buf *token)
{
    const struct verify *verify = sample->verify;
    struct buf json;
    buf_init(&json, VALUE_MAX / 4);
    buf_addf(&json, "{\"alg\":\"%.*s\",\"typ\":\"JWT\"}", SLICE_ARGS(verify->algorithm));
    add_base64url(token, json.data, json.len);
    buf_add_byte(token, '.');
    buf_clear(&json);
    buf_addf(&json, "{\"exp\":%llu", (unsigned long long)(sample->asked.input->now_ms / 1000 + JWT_LIFE_S));
    if (verify->issuer.data) {
        buf_add_text(&json, ",\"iss\":");
        buf_add_json_string(&json, verify->issuer);
    }
    if (verify->audience_count > 0) {
        buf_add_text(&json, ",\"aud\":");
        buf_add_json_string(&json, verify->audiences[0]);
    }
    buf_add_byte(&json, '}');
    add_base64url(token, json.data, json.len);
    buf_deinit(&json);
}

static enum result add_jwt(struct sample *sample)
{
    unsigned char bytes[SIGNATURE_MAX];
    size_t len;
    struct buf token;
    buf_init(&token, VALUE_MAX);
    add_claims(sample, &token);
    struct slice covered = buf_slice(&token);
    enum result rc = sample_by_key(sample->verify) ? sign_with_key(sample, covered, bytes, &len)
                                                   : sign_with_secret(sample, covered, bytes, &len);
    if (rc == OK && slice_is(sample->verify->algorithm, "ES256") && !to_pair(bytes, &len))
        rc = ERR_INVALID;
    if (rc == OK) {
        buf_add_byte(&token, '.');
        add_base64url(&token, bytes, len);
        buf_addf(sample->lines, "Authorization: Bearer %.*s\n", SLICE_ARGS(buf_slice(&token)));
    }
    buf_deinit(&token);
    return rc;
}

/* ---- the whole ---- */

static enum result sign_one(struct sample *sample)
{
    switch (sample->verify->scheme) {
    case VERIFY_NONE:
        return OK;
    case VERIFY_BEARER:
        buf_addf(sample->lines, "Authorization: Bearer %.*s\n", SLICE_ARGS(sample->secret));
        return OK;
    case VERIFY_TOKEN:
        add_line(sample->lines, sample->verify->header, sample->secret);
        return OK;
    case VERIFY_BASIC:
        return add_basic(sample);
    case VERIFY_JWT:
        return add_jwt(sample);
    case VERIFY_HMAC:
    case VERIFY_HASH:
    case VERIFY_ED25519:
    case VERIFY_ECDSA:
    case VERIFY_RSA:
        break;
    }
    return add_signature(sample);
}

enum result sample_sign(const struct verify *verify, const struct sample_keys *keys, const struct verify_input *request,
                        struct slice id, struct buf *lines, struct buf *field, const char **why)
{
    struct sample sample = { .verify = verify,
                             .secret = keys->secret,
                             .id = id,
                             .asked = { .input = request },
                             .lines = lines,
                             .field = field,
                             .why = why };
    *why = "the signature could not be made";
    if (verify->timestamp_format == STAMP_RFC3339)
        clock_iso(request->now_ms, sample.fresh);
    else
        snprintf(sample.fresh, sizeof(sample.fresh), "%llu",
                 (unsigned long long)(verify->timestamp_format == STAMP_UNIX_MS ? request->now_ms : request->now_ms / 1000));
    enum result rc = sign_one(&sample);
    asked_end(&sample.asked);
    if (rc != OK || !verify->also)
        return rc;
    struct sample_keys others = { .secret = keys->also };
    return sample_sign(verify->also, &others, request, id, lines, field, why);
}
