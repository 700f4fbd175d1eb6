/* Signature headers of every grammar: nothing crashes, and nothing is valid, since no input holds a right signature. */
#include <stdint.h>
#include <stdlib.h>

#include "ingest/grammar.h"
#include "ingest/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct secret secrets[] = { { SLICE("ONE"), SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") } };
static struct generation generation = { .secrets = secrets, .secret_count = 1 };
static const struct template_part parts[] = {
    { TEMPLATE_ID, { NULL, 0 } },  { TEMPLATE_TEXT, SLICE(".") },  { TEMPLATE_TIMESTAMP, { NULL, 0 } },
    { TEMPLATE_TEXT, SLICE(".") }, { TEMPLATE_BODY, { NULL, 0 } },
};

static struct verify scheme_of(uint8_t choice)
{
    struct verify verify = {
        .scheme = choice & 64 ? VERIFY_BEARER : VERIFY_HMAC,
        .header = SLICE("signature"),
        .algorithm = SLICE("sha256"),
        .encoding = choice & 4 ? ENCODING_BASE64 : ENCODING_HEX,
        .format = (enum verify_format)(choice & 3),
        .key = choice & 8 ? KEY_STANDARD : KEY_TEXT,
        .prefix = choice & 16 ? SLICE("v0=") : SLICE(""),
        .signature = SLICE("v1"),
        .timestamp =
            choice & 128 ? (struct verify_source){ .header = SLICE("time") } : (struct verify_source){ .part = SLICE("t") },
        .id = choice & 128 ? (struct verify_source){ .header = SLICE("id") } : (struct verify_source){ .part = SLICE("id") },
        .signed_parts = choice & 32 ? parts : parts + 4,
        .signed_count = choice & 32 ? 5 : 1,
        .max_age_ms = 300000,
        .secrets = { SLICE("ONE") },
        .secret_count = 1,
    };
    return verify;
}

/* The text up to the next line end; *text moves behind it. */
static struct slice take_line(struct slice *text)
{
    const char *end = text->len ? memchr(text->data, '\n', text->len) : NULL;
    struct slice line = { text->data, end ? (size_t)(end - text->data) : text->len };
    *text = slice_from(*text, line.len + (end != NULL));
    return line;
}

/* Bytes: the scheme, the length of the body, the body, the signature header, and by line: time, id. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct verify verify = scheme_of(data[0]);
    struct slice text = { (const char *)data + 2, size - 2 };
    size_t cut = data[1] < text.len ? data[1] : text.len;
    struct slice rest = slice_from(text, cut), signature = take_line(&rest), time = take_line(&rest), id = take_line(&rest);
    struct pair headers[] = {
        { verify.scheme == VERIFY_BEARER ? SLICE("authorization") : SLICE("signature"), signature },
        { SLICE("time"), time },
        { SLICE("id"), id },
    };
    struct verify_input input = { SLICE("POST"), SLICE("/"), SLICE(""), headers, 3, { text.data, cut }, 1750000000000 };
    struct verify_result result;
    struct signatures signatures;
    if (grammar_parse(&verify, headers[0].value, &signatures) && signatures.count > SIGNATURES_MAX)
        abort();
    struct verifier *verifier = verifier_new(&verify, &generation);
    if (verify_request(verifier, &input, &result) == VERDICT_VALID)
        abort();
    verifier_free(verifier);
    return 0;
}
