#include "cli/sample.h"

#include "ingest/encoding.h"
#include "ingest/keys.h"
#include "ingest/signer.h"

enum { VALUE_MAX = 16 << 10, JWT_LIFE_S = 300 };

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

/* ---- a signature ---- */

bool sample_by_key(const struct verify *verify)
{
    return verify->scheme != VERIFY_NONE && verify->secret_count == 0;
}

static enum result explain(const struct sample *sample, enum result rc)
{
    if (rc == ERR_NOT_FOUND)
        return fail(sample, "the signature covers what this request has not: a header, a query name or a field of the body");
    if (rc == ERR_INVALID && sample_by_key(sample->verify))
        return fail(sample, "this sender signs with a key of its own: give a private key in PEM of that kind");
    return rc == ERR_INVALID ? fail(sample, "the secret has not the form that this sender's secrets have") : rc;
}

/* What it signs with; EVP_PKEY_free its key. ERR_INVALID: it has not the key that it needs. */
static enum result find_key(const struct sample *sample, struct signer_key *key)
{
    *key = (struct signer_key){ .secret = sample->secret };
    if (!sample_by_key(sample->verify))
        return OK;
    key->key = private_key_read(public_key_kind_of(sample->verify), sample->secret);
    return key->key ? OK : ERR_INVALID;
}

static struct slice time_of(struct sample *sample)
{
    struct slice in_body;
    const struct verify_source *source = &sample->verify->timestamp;
    if (source->field.data && asked_field(&sample->asked, source->field, SIZE_MAX, &in_body))
        return in_body;
    return slice_of(sample->fresh);
}

static enum result add_signature(struct sample *sample)
{
    const struct verify *verify = sample->verify;
    struct signer_key key;
    struct buf value;
    buf_init(&value, VALUE_MAX);
    enum result rc = find_key(sample, &key);
    if (rc == OK)
        rc = signer_value(verify, &key, &sample->asked, time_of(sample), sample->id, &value);
    EVP_PKEY_free(key.key);
    if (rc == OK && verify->field.data)
        buf_add_slice(sample->field, buf_slice(&value));
    else if (rc == OK)
        add_line(sample->lines, verify->header, buf_slice(&value));
    if (rc == OK && verify->timestamp.header.data)
        add_line(sample->lines, verify->timestamp.header, slice_of(sample->fresh));
    if (rc == OK && verify->id.header.data)
        add_line(sample->lines, verify->id.header, sample->id);
    buf_deinit(&value);
    return explain(sample, rc);
}

/* ---- what is only said ---- */

static enum result add_basic(struct sample *sample)
{
    struct buf pair, encoded;
    buf_init(&pair, VALUE_MAX / 2);
    buf_init(&encoded, VALUE_MAX);
    buf_add_slice(&pair, sample->verify->user);
    buf_add_byte(&pair, ':');
    buf_add_slice(&pair, sample->secret);
    base64_encode((const unsigned char *)pair.data, pair.len, &encoded);
    bool ok = buf_ok(&pair) && buf_ok(&encoded);
    if (ok)
        buf_addf(sample->lines, "Authorization: Basic %.*s\n", SLICE_ARGS(buf_slice(&encoded)));
    buf_deinit(&pair);
    buf_deinit(&encoded);
    return ok ? OK : fail(sample, "the password is too long");
}

static void write_claims(const struct sample *sample, struct buf *json)
{
    const struct verify *verify = sample->verify;
    buf_addf(json, "{\"exp\":%llu", (unsigned long long)(sample->asked.input->now_ms / 1000 + JWT_LIFE_S));
    if (verify->issuer.data) {
        buf_add_text(json, ",\"iss\":");
        buf_add_json_string(json, verify->issuer);
    }
    if (verify->audience_count > 0) {
        buf_add_text(json, ",\"aud\":");
        buf_add_json_string(json, verify->audiences[0]);
    }
    buf_add_byte(json, '}');
}

static enum result add_jwt(struct sample *sample)
{
    struct signer_key key;
    struct buf header, claims, token;
    buf_init(&header, VALUE_MAX / 4);
    buf_init(&claims, VALUE_MAX / 4);
    buf_init(&token, VALUE_MAX);
    buf_addf(&header, "{\"alg\":\"%.*s\",\"typ\":\"JWT\"}", SLICE_ARGS(sample->verify->algorithm));
    write_claims(sample, &claims);
    enum result rc = find_key(sample, &key);
    if (rc == OK)
        rc = signer_token(sample->verify, &key, buf_slice(&header), buf_slice(&claims), &token);
    if (rc == OK)
        buf_addf(sample->lines, "Authorization: Bearer %.*s\n", SLICE_ARGS(buf_slice(&token)));
    EVP_PKEY_free(key.key);
    buf_deinit(&header);
    buf_deinit(&claims);
    buf_deinit(&token);
    return explain(sample, rc);
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
    signer_stamp(verify->timestamp_format, request->now_ms, sample.fresh);
    enum result rc = sign_one(&sample);
    asked_end(&sample.asked);
    if (rc != OK || !verify->also)
        return rc;
    struct sample_keys others = { .secret = keys->also };
    return sample_sign(verify->also, &others, request, id, lines, field, why);
}
