/* Everything that is read of a request before anybody has vouched for it: signature headers of every grammar, times, forms, query
 * names, fields of a body, tokens. Nothing crashes, and nothing is valid, since no input holds a right signature. */
#include <stdint.h>
#include <stdlib.h>

#include "ingest/grammar.h"
#include "ingest/stamp.h"
#include "ingest/verify.h"
#include "templates.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct secret secrets[] = { { SLICE("ONE"), SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") } };
static struct generation generation = { .secrets = secrets, .secret_count = 1 };

static const struct template_part body[] = { PART(BODY) };
static const struct template_part standard[] = { PART(ID), NAMED(TEXT, "."), PART(TIMESTAMP), NAMED(TEXT, "."), PART(BODY) };
static const struct template_part form[] = { PART(URL), PART(FORM_SORTED) };
static const struct template_part fields[] = { PART(TIMESTAMP), NAMED(FIELD, "a.b"), NAMED(FIELD, "c"), PART(SECRET) };
static const struct template_part all[] = { PART(METHOD),          PART(PATH),        PART(URL),
                                            NAMED(HEADER, "time"), NAMED(QUERY, "q"), PART(BODY) };

static const struct template_part sns[] = { PART(SNS) };
static const struct template_part paypal[] = { PART(ID), NAMED(TEXT, "|"), PART(TIMESTAMP), NAMED(TEXT, "|"), PART(CRC32) };

static const struct {
    const struct template_part *parts;
    size_t count;
} templates[] = { { sns, 1 }, { paypal, 5 }, { body, 1 }, { standard, 5 }, { form, 2 }, { fields, 4 }, { all, 6 } };

enum { TEMPLATES = sizeof(templates) / sizeof(templates[0]) };

static struct verify_source source_of(uint8_t choice, const char *name)
{
    switch (choice % 3) {
    case 0:
        return (struct verify_source){ .header = slice_of(name) };
    case 1:
        return (struct verify_source){ .field = slice_of(name) };
    default:
        return (struct verify_source){ .part = slice_of(name) };
    }
}

static struct verify scheme_of(const uint8_t choice[4])
{
    static const enum verify_scheme schemes[] = { VERIFY_HMAC,  VERIFY_HASH,   VERIFY_ED25519, VERIFY_ECDSA,
                                                  VERIFY_TOKEN, VERIFY_BEARER, VERIFY_BASIC,   VERIFY_JWT };
    static const char *const algorithms[] = { "sha256", "sha1", "sha512", "HS256", "RS256", "ES256", "EdDSA" };
    size_t template = choice[1] % TEMPLATES;
    return (struct verify){
        .scheme = schemes[choice[0] & 7],
        .header = SLICE("signature"),
        .field = choice[0] & 8 ? SLICE("sig") : (struct slice){ NULL, 0 },
        .algorithm = slice_of(algorithms[choice[3] % 7]),
        .encoding = choice[0] & 16 ? ENCODING_BASE64 : ENCODING_HEX,
        .format = (enum verify_format)(choice[0] >> 5 & 3),
        .key = choice[0] & 128 ? KEY_STANDARD : KEY_TEXT,
        .prefix = choice[2] & 1 ? SLICE("v0=") : SLICE(""),
        .signature = SLICE("v1"),
        .public_signature = SLICE("v1a"),
        .timestamp = source_of(choice[2] >> 1, "t"),
        .timestamp_format = choice[2] & 8 ? STAMP_RFC3339 : STAMP_UNIX,
        .id = source_of(choice[2] >> 4, "id"),
        .signed_parts = templates[template].parts,
        .signed_count = templates[template].count,
        .max_age_ms = 300000,
        .urls = { SLICE("https://hooks.example.com"), SLICE("https://hooks.example.com:443") },
        .url_count = 2,
        .url_adds = (enum url_adds)(choice[3] % 3),
        .body_sha256 = choice[2] & 64 ? SLICE("hash") : (struct slice){ NULL, 0 },
        .json_only = choice[2] & 128,
        .secrets = { SLICE("ONE") },
        .secret_count = 1,
        .public_keys = { SLICE("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
                         SLICE(
                             "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+iTxlOEwhwXMDZ9lMU242AfcpYWv+/PGVPBaJLdOzIXbpkzbehFr1WIWCtUNWb"
                             "IpBfO2/s+AgE+ApUwMLWAgSg==") },
        .public_key_count = 2,
        .user = SLICE("user"),
    };
}

/* The text up to the next line end; *text moves behind it. */
static struct slice take_line(struct slice *text)
{
    const char *end = text->len ? memchr(text->data, '\n', text->len) : NULL;
    struct slice line = { text->data, end ? (size_t)(end - text->data) : text->len };
    *text = slice_from(*text, line.len + (end != NULL));
    return line;
}

static void check_parts(const struct verify *verify, struct slice header, struct slice time)
{
    struct signatures signatures;
    uint64_t time_ms = 0;
    if (grammar_parse(verify, header, &signatures) && signatures.count > SIGNATURES_MAX)
        abort();
    if (stamp_read(verify->timestamp_format, time, &time_ms) && time_ms > 253402300800000 + 86400000)
        abort();
}

/* Bytes: four of the scheme, the length of the body in two, the body, and by line: signature header, time, id, query, type. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 6)
        return 0;
    struct verify verify = scheme_of(data);
    struct slice text = { (const char *)data + 6, size - 6 };
    size_t cut = (size_t)(data[4] << 8 | data[5]);
    cut = cut < text.len ? cut : text.len;
    struct slice rest = slice_from(text, cut), signature = take_line(&rest), time = take_line(&rest), id = take_line(&rest),
                 query = take_line(&rest), type = take_line(&rest);
    struct pair headers[] = {
        { SLICE("signature"), signature },
        { SLICE("authorization"), signature },
        { SLICE("t"), time },
        { SLICE("time"), time },
        { SLICE("id"), id },
        { SLICE("content-type"), type },
    };
    struct verify_input input = { .method = data[3] & 128 ? SLICE("GET") : SLICE("POST"),
                                  .path = SLICE("/"),
                                  .query = query,
                                  .headers = headers,
                                  .header_count = sizeof(headers) / sizeof(headers[0]),
                                  .body = { text.data, cut },
                                  .now_ms = 1750000000000 };
    struct verify_result result;
    check_parts(&verify, signature, time);
    struct verifier *verifier = verifier_new(&verify, &generation);
    if (verify_request(verifier, &input, &result) == VERDICT_VALID)
        abort();
    verifier_free(verifier);
    return 0;
}
