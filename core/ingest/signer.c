#include "ingest/signer.h"

#include <openssl/err.h>
#include <stdio.h>

#include "ingest/encoding.h"
#include "ingest/es256.h"
#include "ingest/keys.h"
#include "ingest/signed_text.h"

enum { SIGNATURE_MAX = 512 };

/* Of SIGNATURE_MAX bytes. */
struct signature {
    unsigned char bytes[SIGNATURE_MAX];
    size_t len;
};

void signer_stamp(enum stamp_format format, uint64_t now_ms, char out[CLOCK_ISO_SIZE])
{
    if (format == STAMP_RFC3339)
        clock_iso(now_ms, out);
    else
        snprintf(out, CLOCK_ISO_SIZE, "%llu", (unsigned long long)(format == STAMP_UNIX_MS ? now_ms : now_ms / 1000));
}

/* ---- one text ---- */

static enum result sign_by_mac(const struct verify *verify, struct slice secret, const struct signed_text *text,
                               struct signature *out)
{
    EVP_MAC_CTX *keyed = key_mac(verify, secret);
    if (!keyed)
        return ERR_INVALID;
    bool ok = signed_text_mac(keyed, text, out->bytes);
    out->len = EVP_MAC_CTX_get_mac_size(keyed);
    EVP_MAC_CTX_free(keyed);
    return ok ? OK : ERR_MEMORY;
}

static enum result sign_by_hash(struct slice secret, const struct signed_text *text, struct signature *out)
{
    out->len = EVP_MD_get_size(EVP_sha256());
    return signed_text_hash(secret, text, out->bytes) ? OK : ERR_MEMORY;
}

static enum result sign_by_key(EVP_PKEY *key, const struct signed_text *text, struct signature *out)
{
    struct arena arena = { 0 };
    struct slice joined = signed_text_join(text, &arena);
    EVP_MD_CTX *context = joined.data ? EVP_MD_CTX_new() : NULL;
    out->len = sizeof(out->bytes);
    bool ok = context && EVP_DigestSignInit(context, NULL, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(context, out->bytes, &out->len, (const unsigned char *)joined.data, joined.len) == 1;
    EVP_MD_CTX_free(context);
    arena_deinit(&arena);
    ERR_clear_error(); /* what this thread's TLS connections would take for their own */
    return ok ? OK : ERR_INVALID;
}

static enum result sign_text(const struct verify *verify, const struct signer_key *key, const struct signed_text *text,
                             struct signature *out)
{
    if (key->key)
        return sign_by_key(key->key, text, out);
    if (verify->scheme == VERIFY_HASH)
        return sign_by_hash(key->secret, text, out);
    return signs_by_key(verify) ? ERR_INVALID : sign_by_mac(verify, key->secret, text, out);
}

/* ---- the value of a header ---- */

static void add_part(struct buf *out, struct slice name, struct slice value, char separator)
{
    if (!name.data)
        return;
    buf_add_slice(out, name);
    buf_add_byte(out, '=');
    buf_add_slice(out, value);
    buf_add_byte(out, separator);
}

static void add_grammar(const struct verify *verify, bool by_key, struct slice timestamp, struct slice id, struct buf *out)
{
    char separator = verify->format == FORMAT_PARTS_SEMICOLON ? ';' : ',';
    if (verify->format == FORMAT_PLAIN)
        return;
    if (verify->format != FORMAT_LIST) {
        add_part(out, verify->timestamp.part, timestamp, separator);
        add_part(out, verify->id.part, id, separator);
    }
    buf_add_slice(out, by_key && verify->public_signature.data ? verify->public_signature : verify->signature);
    buf_add_byte(out, verify->format == FORMAT_LIST ? ',' : '=');
}

enum result signer_value(const struct verify *verify, const struct signer_key *key, struct asked *asked, struct slice timestamp,
                         struct slice id, struct buf *out)
{
    struct signed_text text;
    struct signature signature;
    if (signed_text_find(verify, asked, timestamp, id, 0, &text) != VERDICT_VALID)
        return ERR_NOT_FOUND;
    enum result rc = sign_text(verify, key, &text, &signature);
    if (rc != OK)
        return rc;
    add_grammar(verify, key->key != NULL, timestamp, id, out);
    buf_add_slice(out, verify->prefix);
    if (verify->encoding == ENCODING_HEX)
        hex_encode(signature.bytes, signature.len, out);
    else
        base64_encode(signature.bytes, signature.len, out);
    return buf_ok(out) ? OK : ERR_MEMORY;
}

/* ---- a token ---- */

static void add_base64url(struct slice text, struct buf *out)
{
    base64url_encode((const unsigned char *)text.data, text.len, out);
}

enum result signer_token(const struct verify *verify, const struct signer_key *key, struct slice header, struct slice claims,
                         struct buf *out)
{
    struct signature signature;
    unsigned char pair[ES256_PAIR_BYTES];
    const unsigned char *bytes = signature.bytes;
    size_t start = out->len;
    add_base64url(header, out);
    buf_add_byte(out, '.');
    add_base64url(claims, out);
    if (!buf_ok(out))
        return ERR_MEMORY;
    struct signed_text text = { .pieces = { slice_from(buf_slice(out), start) }, .count = 1 };
    enum result rc = sign_text(verify, key, &text, &signature);
    if (rc == OK && slice_is(verify->algorithm, "ES256")) {
        rc = es256_from_der(signature.bytes, signature.len, pair) ? OK : ERR_INVALID;
        bytes = pair;
        signature.len = sizeof(pair);
    }
    if (rc != OK)
        return rc;
    buf_add_byte(out, '.');
    base64url_encode(bytes, signature.len, out);
    return buf_ok(out) ? OK : ERR_MEMORY;
}
