/* signed_form.c: source: twilio-python, request_validator.py, and Twilio's page on securing its requests. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "ingest/encoding.h"
#include "ingest/signed_text.h"
#include "model/lookup.h"

struct field {
    struct slice name, value;
};

/* The media type without its parameters. */
static bool body_is(const struct verify_input *input, const char *want)
{
    struct slice type;
    if (!asked_header(input, SLICE("content-type"), &type))
        return false;
    const char *end = memchr(type.data, ';', type.len);
    if (end)
        type.len = (size_t)(end - type.data);
    return slice_eq_nocase(slice_trim(type), slice_of(want));
}

/* ---- a form ---- */

static int compare_texts(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name_and_value(const void *a, const void *b)
{
    const struct field *one = a, *other = b;
    int order = compare_texts(one->name, other->name);
    return order ? order : compare_texts(one->value, other->value);
}

/* decoded has room for the whole body: it never moves. */
static struct slice decode(struct slice raw, struct buf *decoded)
{
    size_t from = decoded->len;
    (void)query_decode(raw, decoded); /* no longer than raw */
    return (struct slice){ decoded->data + from, decoded->len - from };
}

/* How many; past FORM_FIELDS_MAX: one more. */
static size_t read_fields(struct slice body, struct buf *decoded, struct field *fields)
{
    struct slice name, value;
    size_t count = 0;
    while (query_next(&body, &name, &value)) {
        if (count == FORM_FIELDS_MAX)
            return count + 1;
        fields[count].name = decode(name, decoded);
        fields[count++].value = decode(value, decoded);
    }
    return count;
}

/* Into out, which has room for all of it. */
static size_t write_sorted(struct field *fields, size_t count, char *out)
{
    size_t len = 0;
    qsort(fields, count, sizeof(*fields), by_name_and_value);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_name_and_value(&fields[i - 1], &fields[i]) == 0)
            continue;
        if (fields[i].name.len)
            memcpy(out + len, fields[i].name.data, fields[i].name.len);
        len += fields[i].name.len;
        if (fields[i].value.len)
            memcpy(out + len, fields[i].value.data, fields[i].value.len);
        len += fields[i].value.len;
    }
    return len;
}

static enum verdict sort_form(struct asked *asked, struct slice *text)
{
    struct slice body = asked->input->body;
    struct field *fields = NULL;
    struct buf decoded;
    enum verdict verdict = VERDICT_MALFORMED;
    if (body.len == 0)
        return VERDICT_VALID;
    if (body.len > FORM_BYTES_MAX)
        return verdict;
    buf_init(&decoded, FORM_BYTES_MAX);
    char *out = arena_take(&asked->texts, body.len);
    fields = arena_take(&asked->texts, FORM_FIELDS_MAX * sizeof(*fields));
    if (!out || !fields || buf_reserve(&decoded, body.len) != OK)
        goto out;
    size_t count = read_fields(body, &decoded, fields);
    if (count > FORM_FIELDS_MAX)
        goto out;
    *text = (struct slice){ out, write_sorted(fields, count, out) };
    verdict = VERDICT_VALID;
out:
    buf_deinit(&decoded);
    return verdict;
}

/* ---- JSON, whose hash is in the signed URL ---- */

static enum verdict check_hash(const struct verify *verify, struct asked *asked)
{
    unsigned char given[EVP_MAX_MD_SIZE], digest[EVP_MAX_MD_SIZE];
    struct slice text, body = asked->input->body;
    size_t given_len;
    unsigned len = 0;
    if (!asked_query(asked, verify->body_sha256, &text))
        return VERDICT_MISSING;
    if (!hex_decode(text, given, sizeof(given), &given_len))
        return VERDICT_MALFORMED;
    if (!EVP_Digest(body.data, body.len, digest, &len, EVP_sha256(), NULL) || given_len != len)
        return VERDICT_MISMATCH;
    return CRYPTO_memcmp(given, digest, len) == 0 ? VERDICT_VALID : VERDICT_MISMATCH;
}

enum verdict signed_form_find(const struct verify *verify, struct asked *asked, struct slice *text)
{
    const struct verify_input *input = asked->input;
    *text = (struct slice){ NULL, 0 };
    if (slice_is(input->method, "GET") || slice_is(input->method, "HEAD"))
        return input->body.len == 0 ? VERDICT_VALID : VERDICT_MALFORMED;
    if (body_is(input, "application/x-www-form-urlencoded")) {
        bool hashed = verify->body_sha256.data && asked_query_count(asked, verify->body_sha256) > 0;
        return hashed ? VERDICT_MALFORMED : sort_form(asked, text);
    }
    if (verify->body_sha256.data && body_is(input, "application/json"))
        return check_hash(verify, asked);
    return VERDICT_MALFORMED;
}
