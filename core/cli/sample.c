#include "cli/sample.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "model/standard_key.h"

enum { SIGNED_MAX = 64 << 20, KEY_MAX = STANDARD_KEY_MAX, VALUE_MAX = 1024 };

struct sample {
    const struct verify *verify;
    struct slice method, path, body, id;
    char timestamp[24];
    struct buf *lines;
    const char **why;
};

static void add_line(struct buf *lines, struct slice name, struct slice value)
{
    buf_add_slice(lines, name);
    buf_add_text(lines, ": ");
    buf_add_slice(lines, value);
    buf_add_byte(lines, '\n');
}

static enum result add_part(const struct sample *sample, const struct template_part *part, struct buf *out)
{
    switch (part->kind) {
    case TEMPLATE_TEXT:
        buf_add_slice(out, part->text);
        return OK;
    case TEMPLATE_BODY:
        buf_add_slice(out, sample->body);
        return OK;
    case TEMPLATE_TIMESTAMP:
        buf_add_text(out, sample->timestamp);
        return OK;
    case TEMPLATE_ID:
        buf_add_slice(out, sample->id);
        return OK;
    case TEMPLATE_METHOD:
        buf_add_slice(out, sample->method);
        return OK;
    case TEMPLATE_PATH:
        buf_add_slice(out, sample->path);
        return OK;
    case TEMPLATE_HEADER:
        *sample->why = "the signature covers a header of the provider's own; send a recorded request with curl instead";
        return ERR_INVALID;
    }
    return ERR_INVALID;
}

static enum result build_signed(const struct sample *sample, struct buf *out)
{
    for (size_t i = 0; i < sample->verify->signed_count; i++) {
        enum result rc = add_part(sample, &sample->verify->signed_parts[i], out);
        if (rc != OK)
            return rc;
    }
    return buf_ok(out) ? OK : ERR_MEMORY;
}

/* The key's bytes; Standard Webhooks: what stands behind "whsec_" is base64. */
static enum result make_key(const struct sample *sample, struct slice secret, unsigned char *key, size_t *len)
{
    if (secret.len > KEY_MAX) {
        *sample->why = "the secret is too long";
        return ERR_INVALID;
    }
    if (sample->verify->key == KEY_TEXT) {
        memcpy(key, secret.data, secret.len);
        *len = secret.len;
        return OK;
    }
    *len = standard_key(secret, key);
    if (*len == 0) {
        *sample->why = "the secret has to be whsec_ and base64";
        return ERR_INVALID;
    }
    return OK;
}

static void add_encoded(const struct sample *sample, const unsigned char *mac, unsigned len, struct buf *out)
{
    char base64[EVP_MAX_MD_SIZE * 2];
    if (sample->verify->encoding == ENCODING_HEX) {
        for (unsigned i = 0; i < len; i++)
            buf_addf(out, "%02x", mac[i]);
        return;
    }
    EVP_EncodeBlock((unsigned char *)base64, mac, (int)len);
    buf_add_text(out, base64);
}

/* The signature header's value in the grammar of the scheme. */
static void add_value(const struct sample *sample, const unsigned char *mac, unsigned len, struct buf *out)
{
    const struct verify *verify = sample->verify;
    char separator = verify->format == FORMAT_PARTS_SEMICOLON ? ';' : ',';
    if (verify->format == FORMAT_LIST) {
        buf_add_slice(out, verify->signature.len ? verify->signature : SLICE("v1"));
        buf_add_byte(out, ',');
    } else if (verify->format != FORMAT_PLAIN) {
        if (verify->timestamp.part.data)
            buf_addf(out, "%.*s=%s%c", SLICE_ARGS(verify->timestamp.part), sample->timestamp, separator);
        if (verify->id.part.data)
            buf_addf(out, "%.*s=%.*s%c", SLICE_ARGS(verify->id.part), SLICE_ARGS(sample->id), separator);
        buf_addf(out, "%.*s=", SLICE_ARGS(verify->signature));
    }
    buf_add_slice(out, verify->prefix);
    add_encoded(sample, mac, len, out);
}

static enum result sign_hmac(const struct sample *sample, struct slice secret)
{
    const struct verify *verify = sample->verify;
    unsigned char key[KEY_MAX], mac[EVP_MAX_MD_SIZE];
    char algorithm[16];
    size_t key_len;
    unsigned mac_len;
    struct buf text, value;
    snprintf(algorithm, sizeof(algorithm), "%.*s", SLICE_ARGS(verify->algorithm));
    enum result rc = make_key(sample, secret, key, &key_len);
    if (rc != OK)
        return rc;
    buf_init(&text, SIGNED_MAX);
    buf_init(&value, VALUE_MAX);
    rc = build_signed(sample, &text);
    if (rc == OK &&
        !HMAC(EVP_get_digestbyname(algorithm), key, (int)key_len, (const unsigned char *)text.data, text.len, mac, &mac_len))
        rc = ERR_INVALID;
    if (rc == OK) {
        add_value(sample, mac, mac_len, &value);
        add_line(sample->lines, verify->header, buf_slice(&value));
        if (verify->timestamp.header.data)
            add_line(sample->lines, verify->timestamp.header, slice_of(sample->timestamp));
        if (verify->id.header.data)
            add_line(sample->lines, verify->id.header, sample->id);
    }
    buf_deinit(&text);
    buf_deinit(&value);
    return rc;
}

enum result sample_sign(const struct verify *verify, struct slice secret, struct slice method, struct slice path,
                        struct slice body, struct slice id, uint64_t now_ms, struct buf *lines, const char **why)
{
    struct sample sample = {
        .verify = verify, .method = method, .path = path, .body = body, .id = id, .lines = lines, .why = why
    };
    snprintf(sample.timestamp, sizeof(sample.timestamp), "%llu", (unsigned long long)(now_ms / 1000));
    *why = "the signature could not be made";
    switch (verify->scheme) {
    case VERIFY_HMAC:
        return sign_hmac(&sample, secret);
    case VERIFY_BEARER:
        buf_add_text(lines, "Authorization: Bearer ");
        buf_add_slice(lines, secret);
        buf_add_byte(lines, '\n');
        return OK;
    case VERIFY_NONE:
        return OK;
    }
    return ERR_INVALID;
}
