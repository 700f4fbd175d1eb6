/* The schemes beside plain HMAC (test_verify.c): each takes a request that was signed elsewhere (the vectors come from
 * node:crypto; the first of Twilio from its own documents), and none that differs from it anywhere. */
#include "check.h"
#include "templates.h"

#include "ingest/verify.h"

#define NOW_MS   1750000000000ull
#define NOW      "1750000000"
#define BODY     "{\"a\":1,\"at\":1750000000000}"
#define ED_KEY   "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define ED_WHPK  "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define ED_SPKI  "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define ED_OTHER "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define EC_KEY                                                                                                                   \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+iTxlOEwhwXMDZ9lMU242AfcpYWv+/PGVPBaJLdOzIXbpkzbehFr1WIWCtUNWbIpBfO2/s+AgE+"            \
    "ApUwMLWAgSg=="
#define EC_PEM                                                                                                                   \
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+iTxlOEwhwXMDZ9lMU242AfcpYWv\n"                             \
    "+/PGVPBaJLdOzIXbpkzbehFr1WIWCtUNWbIpBfO2/s+AgE+ApUwMLWAgSg==\n-----END PUBLIC KEY-----\n"
#define P384_KEY                                                                                                                 \
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE3VOj3gii4W1U4/Su5iX8lecS0Ma1fQyyKwg68o0tDUJC4t1AoF2Lkd2Ji9oqSGul1GEcCg91SxIdvfWA/"          \
    "0wUnxCahYk7ujFkfcN5zC1/1P9WkPbuFtQc9EciBZLlkoYm"
#define RSA_KEY                                                                                                                  \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA5XtGFGHvf7s339kvcDdNHVUyTIAcEiJ1MRB1gmx+wOlPW+pxIHFwVXgrTDyaf8F9eRSKm0hZBdADlW" \
    "BVvZvVeKzgqdFWTPxf7ZFTuC+RMAXa5IHNkLoE+TFZWCakGZBkaLWfWzZ8B9qHK5b8CP7xXDm89rXKzNyQajONQcsGMUDxWLBC2+g8iB962wS2Q//"          \
    "IQO0fH3ydCKhqLw+d56rSrWUr4zQXoeful38UE40AKgtdWXROjBFHLJ0yXRW3PPfAnxm8wkdxVqF2hSAFmGyeLaTyPz59ECC2DI5uoY7haCS9rWAHQXsyZAvB+" \
    "hMPIvUnEh3kkXQfap1C+O1lhfK4oQIDAQAB"
#define RSA_SHORT                                                                                                                \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCadK+djYkrZkWYqiUbhZTD62D3WeYxXTXH5b2EIhR/"                                           \
    "txffArKvjLg6EwmycWCWb8lmkv7PgQHHuTp8sNUwrzDeKNng9V6xuNujrT2duUjVLEG7ZmfK+OVBGcSBmKg0K3u/"                                   \
    "lnkgbRvEaYRXkSSG1hS8K7Oh6lZ+xxBp0uwzVOaI0wIDAQAB"
#define JSON_SHA256 "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862" /* of {"a":1} */

static struct secret secrets[] = {
    { SLICE("ONE"), SLICE("first secret") },
    { SLICE("TWO"), SLICE("second secret") },
    { SLICE("TWILIO"), SLICE("12345") },
    { SLICE("HEX"), SLICE("0011223344556677") },
    { SLICE("BASE64"), SLICE("AAECAwQFBgc=") },
    { SLICE("STANDARD"), SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") },
    { SLICE("EMPTY"), SLICE("") },
    { SLICE("PUBLIC"), SLICE(EC_PEM) },
};
static struct generation generation = { .secrets = secrets, .secret_count = COUNT(secrets) };

/* ---- templates ---- */

static const struct template_part body[] = { PART(BODY) };
static const struct template_part stamp_body[] = { PART(TIMESTAMP), PART(BODY) };
static const struct template_part id_stamp_body[] = { PART(ID), PART(TIMESTAMP), PART(BODY) };
static const struct template_part standard[] = { PART(ID), NAMED(TEXT, "."), PART(TIMESTAMP), NAMED(TEXT, "."), PART(BODY) };
static const struct template_part secret_body[] = { PART(SECRET), PART(BODY) };
static const struct template_part secret_request[] = { PART(SECRET), PART(METHOD), PART(URL), PART(BODY) };
static const struct template_part request_stamp[] = { PART(METHOD), PART(URL), PART(BODY), PART(TIMESTAMP) };
static const struct template_part url_body[] = { PART(URL), PART(BODY) };
static const struct template_part url_form[] = { PART(URL), PART(FORM_SORTED) };
static const struct template_part stamp_token[] = { PART(TIMESTAMP), NAMED(FIELD, "signature.token") };

#define BASE(the_scheme, the_header, the_secret)                                                                                 \
    .scheme = (the_scheme), .header = SLICE(the_header), .prefix = SLICE(""), .signature = SLICE("v1"),                          \
    .secrets = { SLICE(the_secret) }, .secret_count = sizeof(the_secret) > 1
#define BY_KEY(text)       .public_keys = { SLICE(text) }, .public_key_count = 1
#define STAMPED(name)      .timestamp = { .header = SLICE(name) }, .max_age_ms = 300000
#define AT_URL(adds, text) .urls = { SLICE(text) }, .url_count = 1, .url_adds = (adds)

/* ---- requests ---- */

struct asking {
    const char *method, *path, *query, *body;
    struct pair headers[6];
};

/* A scheme, a request that is right for it, and what of the request it covers. */
struct vector {
    const char *what;
    struct verify verify;
    struct asking right;
    bool covers_body, covers_url;
    int stamp; /* which header is the time; -1: none */
};

#define H(name, value)                                                                                                           \
    {                                                                                                                            \
        SLICE(name), SLICE(value)                                                                                                \
    }

static const struct vector vectors[] = {
    { "discord",
      { BASE(VERIFY_ED25519, "sig", ""), BY_KEY(ED_KEY), SIGNED(stamp_body), STAMPED("time") },
      { "POST",
        "/in",
        "",
        BODY,
        { H("sig",
            "3e07819368c53ac015cd5f64ddc923bd9795c4cc931998471013664bb4604e212bec477fd30c92bd0593b13b89c9e22aac570ed21685c267"
            "5842bfbe647ab60e"),
          H("time", NOW) } },
      true,
      false,
      1 },
    { "standard by public key",
      { BASE(VERIFY_HMAC, "sig", "STANDARD"), BY_KEY(ED_WHPK), SIGNED(standard), STAMPED("time"), .id = { .header = SLICE("id") },
        .format = FORMAT_LIST, .encoding = ENCODING_BASE64, .key = KEY_STANDARD, .public_signature = SLICE("v1a") },
      { "POST",
        "/in",
        "",
        BODY,
        { H("sig", "v1a,/P3K6Llx2RrA2jQfb/Ocm27ep4UfNYWveTEJmMBzU7jVPN7YVrITynfCwR6/R6VxQ4lpdNx7lmQ/5cgDsyIhAQ=="),
          H("time", NOW), H("id", "msg_1") } },
      true,
      false,
      1 },
    { "sendgrid",
      { BASE(VERIFY_ECDSA, "sig", ""), BY_KEY(EC_KEY), SIGNED(stamp_body), STAMPED("time"), .encoding = ENCODING_BASE64 },
      { "POST",
        "/in",
        "",
        BODY,
        { H("sig", "MEYCIQCYRGh/P6Oj/erxc+KPrLsm/uly26jF7kQzqzX/YfMOlwIhAK9g7sOqbIVTugpjJOBn9LysfoCXnRfEixcxJ9KNAj3M"),
          H("time", NOW) } },
      true,
      false,
      1 },
    { "hubspot v1",
      { BASE(VERIFY_HASH, "sig", "ONE"), SIGNED(secret_body), .json_only = true },
      { "POST", "/in", "", BODY, { H("sig", "de829b5a2ad0cf011961ffd137dbdd52e4490eea16fcaa2c019e9fa179c7af93") } },
      true,
      false,
      -1 },
    { "hubspot v2",
      { BASE(VERIFY_HASH, "sig", "ONE"), SIGNED(secret_request), .json_only = true,
        AT_URL(URL_ADDS_PATH, "https://hooks.example.com") },
      { "POST", "/in", "x=1", BODY, { H("sig", "5e6a003717b01e74ff266b0832f4f1595fb795ee70f790f8c4fadc2eacd8dbc5") } },
      true,
      true,
      -1 },
    { "hubspot v3",
      { BASE(VERIFY_HMAC, "sig", "ONE"), SIGNED(request_stamp), STAMPED("time"), .encoding = ENCODING_BASE64,
        AT_URL(URL_ADDS_PATH, "https://hooks.example.com") },
      { "POST", "/in", "x=1", BODY, { H("sig", "Bhtb5X54r++PCZf670FXHZw+ZW/p9V3PibTtxMKnG7U="), H("time", NOW "000") } },
      true,
      true,
      1 },
    { "onfleet",
      { BASE(VERIFY_HMAC, "sig", "HEX"), SIGNED(body), .algorithm = SLICE("sha512"), .key = KEY_HEX },
      { "POST",
        "/in",
        "",
        BODY,
        { H("sig",
            "fc72af6d1126a6da31e087b487b86d1ed2ccc7169283162e93e48fa67cad02e5b3546c8d103ddd828ec9fe683b0f539265e52e7a4f6c68e7"
            "f69e09cea2f5a40c") } },
      true,
      false,
      -1 },
    { "a key in base64",
      { BASE(VERIFY_HMAC, "sig", "BASE64"), SIGNED(body), .key = KEY_BASE64 },
      { "POST", "/in", "", BODY, { H("sig", "169f0ebbeed1c93e807c8858eea28a3e8133e7c2fb71898884373c4709834c1e") } },
      true,
      false,
      -1 },
    { "twitch",
      { BASE(VERIFY_HMAC, "sig", "ONE"), SIGNED(id_stamp_body), STAMPED("time"), .timestamp_format = STAMP_RFC3339,
        .id = { .header = SLICE("id") } },
      { "POST",
        "/in",
        "",
        BODY,
        { H("sig", "840ab3fbb53f642933ebead83e99ec16f41178cbbc578699a63262146e2269bc"),
          H("time", "2025-06-15T15:06:40.123456789Z"), H("id", "id-1") } },
      true,
      false,
      1 },
    { "linear",
      { BASE(VERIFY_HMAC, "sig", "ONE"), SIGNED(body), .timestamp = { .field = SLICE("at") }, .max_age_ms = 60000 },
      { "POST", "/in", "", BODY, { H("sig", "e7c8e3ab7589970900fdaf22c9289ef31208ac5a25bf72f4ad7b679c48db90e1") } },
      true,
      false,
      -1 },
    { "square",
      { BASE(VERIFY_HMAC, "sig", "ONE"), SIGNED(url_body), .encoding = ENCODING_BASE64,
        AT_URL(URL_ADDS_NOTHING, "https://hooks.example.com/square?x=1") },
      { "POST", "/elsewhere", "y=2", "{\"a\":1}", { H("sig", "shj+W3MJUvld9NML5Y9y0XjeYGHEMVJcBjiyxVhttoI=") } },
      true,
      false,
      -1 },
    { "twilio's own example",
      { BASE(VERIFY_HMAC, "sig", "TWILIO"), SIGNED(url_form), .algorithm = SLICE("sha1"), .encoding = ENCODING_BASE64,
        AT_URL(URL_ADDS_QUERY, "https://mycompany.com/myapp.php"), .body_sha256 = SLICE("bodySHA256") },
      { "POST",
        "/in",
        "foo=1&bar=2",
        "Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE",
        { H("sig", "RSOYDt4T1cUTdK1PDd93/VVr8B8="), H("content-type", "application/x-www-form-urlencoded; charset=utf-8") } },
      true,
      true,
      -1 },
    { "twilio, JSON",
      { BASE(VERIFY_HMAC, "sig", "ONE"), SIGNED(url_form), .algorithm = SLICE("sha1"), .encoding = ENCODING_BASE64,
        AT_URL(URL_ADDS_QUERY, "https://hooks.example.com/twilio"), .body_sha256 = SLICE("bodySHA256") },
      { "POST",
        "/in",
        "bodySHA256=" JSON_SHA256,
        "{\"a\":1}",
        { H("sig", "QzLkKLE2KoyRx6R12FPb4sg9AKA="), H("content-type", "application/json") } },
      true,
      true,
      -1 },
};

static enum verdict judge_with(struct verify verify, const struct asking *ask, struct slice bytes, uint64_t now_ms,
                               struct verify_result *result)
{
    size_t count = 0;
    while (count < COUNT(ask->headers) && ask->headers[count].name.data)
        count++;
    struct verify_input input = { .method = slice_of(ask->method),
                                  .path = slice_of(ask->path),
                                  .query = slice_of(ask->query),
                                  .headers = ask->headers,
                                  .header_count = count,
                                  .body = bytes,
                                  .now_ms = now_ms };
    struct verifier *verifier = verifier_new(&verify, &generation);
    enum verdict verdict = verify_request(verifier, &input, result);
    verifier_free(verifier);
    CHECK("refused, yet with a result", verdict == VERDICT_VALID || (!result->signature_bytes && !result->time_ms));
    return verdict;
}

static enum verdict judge(struct verify verify, const struct asking *ask)
{
    struct verify_result result;
    return judge_with(verify, ask, slice_of(ask->body), NOW_MS, &result);
}

static enum verdict judge_at(struct verify verify, const struct asking *ask, uint64_t now_ms)
{
    struct verify_result result;
    return judge_with(verify, ask, slice_of(ask->body), now_ms, &result);
}

TEST(takes_what_was_signed_elsewhere)
{
    for (size_t i = 0; i < COUNT(vectors); i++)
        CHECK_EQ(vectors[i].what, judge(vectors[i].verify, &vectors[i].right), VERDICT_VALID);
}

/* Each byte of the body by itself. */
TEST(refuses_every_changed_byte_of_the_body)
{
    char bytes[256];
    struct verify_result result;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *vector = &vectors[i];
        size_t len = strlen(vector->right.body);
        for (size_t at = 0; at < len; at++) {
            memcpy(bytes, vector->right.body, len);
            bytes[at] ^= 1;
            CHECK(vector->what, judge_with(vector->verify, &vector->right, slice_make(bytes, len), NOW_MS, &result));
        }
        CHECK(vector->what, judge_with(vector->verify, &vector->right, slice_make(bytes, len - 1), NOW_MS, &result));
    }
}

static enum verdict with_signature(const struct vector *vector, const char *text)
{
    struct asking ask = vector->right;
    ask.headers[0].value = slice_of(text);
    return judge(vector->verify, &ask);
}

TEST(refuses_every_changed_byte_of_the_signature)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *vector = &vectors[i];
        struct slice right = vector->right.headers[0].value;
        char text[600];
        for (size_t at = 0; at < right.len; at++) {
            snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(right));
            text[at] = text[at] == '0' ? '1' : '0';
            CHECK(vector->what, with_signature(vector, text));
        }
        for (size_t len = 0; len < right.len; len++) {
            snprintf(text, sizeof(text), "%.*s", (int)len, right.data);
            CHECK(vector->what, with_signature(vector, text));
        }
        static const char *const behind[] = { "0", "00", " ", "=", ",", "AAAA", "\n" };
        for (size_t j = 0; j < COUNT(behind); j++) {
            snprintf(text, sizeof(text), "%.*s%s", SLICE_ARGS(right), behind[j]);
            CHECK(behind[j], with_signature(vector, text));
        }
    }
}

TEST(refuses_a_signature_that_is_missing_empty_or_doubled)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct asking ask = vectors[i].right;
        ask.headers[0].name = SLICE("other");
        CHECK_EQ(vectors[i].what, judge(vectors[i].verify, &ask), VERDICT_MISSING);
        CHECK_EQ(vectors[i].what, with_signature(&vectors[i], ""), VERDICT_MISSING);
        ask = vectors[i].right;
        ask.headers[4] = ask.headers[0];
        for (size_t at = 1; at < 4; at++)
            if (!ask.headers[at].name.data)
                ask.headers[at] = (struct pair)H("x-other", "1");
        CHECK_EQ(vectors[i].what, judge(vectors[i].verify, &ask), VERDICT_MISSING);
    }
}

TEST(refuses_another_secret_key_or_none)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct verify verify = vectors[i].verify;
        if (verify.public_key_count)
            verify.public_keys[0] = verify.scheme == VERIFY_ECDSA ? SLICE(ED_KEY) : SLICE(ED_OTHER);
        else
            verify.secrets[0] = verify.key == KEY_TEXT ? SLICE("TWO") : verify.key == KEY_HEX ? SLICE("PUBLIC") : SLICE("HEX");
        enum verdict verdict = judge(verify, &vectors[i].right);
        CHECK(vectors[i].what, verdict == VERDICT_MISMATCH || verdict == VERDICT_NO_SECRET);
        verify.secrets[0] = SLICE("EMPTY");
        verify.public_key_count = 0;
        CHECK_EQ(vectors[i].what, judge(verify, &vectors[i].right), VERDICT_NO_SECRET);
        verify.secret_count = 0;
        CHECK_EQ(vectors[i].what, judge(verify, &vectors[i].right), VERDICT_NO_SECRET);
    }
}

TEST(covers_the_address_where_the_sender_signs_it)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct asking ask = vectors[i].right;
        struct verify verify = vectors[i].verify;
        if (!vectors[i].covers_url)
            continue;
        ask.query = "x=2";
        CHECK(vectors[i].what, judge(verify, &ask));
        ask.query = "";
        CHECK(vectors[i].what, judge(verify, &ask));
        ask = vectors[i].right;
        ask.path = "/other";
        CHECK_EQ(vectors[i].what, judge(verify, &ask) == VERDICT_VALID, verify.url_adds != URL_ADDS_PATH);
        ask = vectors[i].right;
        verify.urls[0] = SLICE("http://hooks.example.com");
        CHECK(vectors[i].what, judge(verify, &ask));
    }
}

/* ---- times ---- */

TEST(enforces_the_signed_time_on_both_sides)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *vector = &vectors[i];
        uint64_t most = vector->verify.max_age_ms;
        if (!most)
            continue;
        CHECK_EQ(vector->what, judge_at(vector->verify, &vector->right, NOW_MS + most), VERDICT_VALID);
        CHECK_EQ(vector->what, judge_at(vector->verify, &vector->right, NOW_MS + most + 2000), VERDICT_STALE);
        CHECK_EQ(vector->what, judge_at(vector->verify, &vector->right, NOW_MS - most + 1000), VERDICT_VALID);
        CHECK_EQ(vector->what, judge_at(vector->verify, &vector->right, NOW_MS - most - 2000), VERDICT_STALE);
    }
}

TEST(refuses_another_time_none_or_two)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *vector = &vectors[i];
        struct asking ask = vector->right;
        if (vector->stamp < 0)
            continue;
        ask.headers[vector->stamp].value =
            vector->verify.timestamp_format == STAMP_UNIX ? SLICE("1750000001") : SLICE("2025-06-15T15:06:41Z");
        CHECK_EQ(vector->what, judge(vector->verify, &ask), VERDICT_MISMATCH);
        ask.headers[vector->stamp].value = SLICE("yesterday");
        CHECK_EQ(vector->what, judge(vector->verify, &ask), VERDICT_MALFORMED);
        ask.headers[vector->stamp].value = SLICE("");
        CHECK_EQ(vector->what, judge(vector->verify, &ask), VERDICT_MISSING);
        ask = vector->right;
        ask.headers[3] = ask.headers[vector->stamp];
        if (!ask.headers[2].name.data)
            ask.headers[2] = (struct pair)H("x-other", "1");
        CHECK_EQ(vector->what, judge(vector->verify, &ask), VERDICT_MISSING);
    }
}

/* ---- what stands in a body ---- */

static enum verdict mailgun(const char *text)
{
    struct verify verify = { BASE(VERIFY_HMAC, "", "ONE"), SIGNED(stamp_token), .max_age_ms = 300000,
                             .timestamp = { .field = SLICE("signature.timestamp") } };
    struct asking ask = { .method = "POST", .path = "/in", .query = "", .body = text };
    verify.header.data = NULL;
    verify.field = SLICE("signature.signature");
    return judge(verify, &ask);
}

#define MAC "9b0447bac59e04615489b8a8cf24e9c9ebcd6ede1ad9a8f3254805e2082acf47"

TEST(takes_a_signature_out_of_the_body)
{
    static const struct {
        const char *body;
        enum verdict verdict;
    } cases[] = {
        { "{\"signature\":{\"timestamp\":\"" NOW "\",\"token\":\"tok1\",\"signature\":\"" MAC "\"},\"x\":1}", VERDICT_VALID },
        { "{\"signature\":{\"timestamp\":" NOW ",\"token\":\"tok\\u0031\",\"signature\":\"" MAC "\"}}", VERDICT_VALID },
        { "{\"signature\":{\"timestamp\":\"" NOW "\",\"token\":\"tok2\",\"signature\":\"" MAC "\"}}", VERDICT_MISMATCH },
        { "{\"signature\":{\"timestamp\":\"" NOW "\",\"token\":\"tok1\",\"signature\":\"00\"}}", VERDICT_MISMATCH },
        { "{\"signature\":{\"timestamp\":\"1750000001\",\"token\":\"tok1\",\"signature\":\"" MAC "\"}}", VERDICT_MISMATCH },
        { "{\"signature\":{\"timestamp\":\"" NOW "\",\"token\":\"tok1\"}}", VERDICT_MISSING },
        { "{\"signature\":{\"timestamp\":\"" NOW "\",\"signature\":\"" MAC "\"}}", VERDICT_MISSING },
        { "{\"signature\":{\"token\":\"tok1\",\"signature\":\"" MAC "\"}}", VERDICT_MISSING },
        { "{\"signature\":{\"timestamp\":\"" NOW "\",\"token\":\"\",\"signature\":\"" MAC "\"}}", VERDICT_MISSING },
        { "{\"signature\":{\"timestamp\":\"" NOW "\",\"token\":null,\"signature\":\"" MAC "\"}}", VERDICT_MISSING },
        { "{\"signature\":{\"timestamp\":\"" NOW "\",\"token\":[\"tok1\"],\"signature\":\"" MAC "\"}}", VERDICT_MISSING },
        { "{\"signature\":{\"timestamp\":\"" NOW "\",\"token\":\"x\",\"token\":\"tok1\",\"signature\":\"" MAC "\"}}",
          VERDICT_MISSING },
        { "{\"signature\":{},\"signature\":{\"timestamp\":\"" NOW "\",\"token\":\"tok1\",\"signature\":\"" MAC "\"}}",
          VERDICT_MISSING },
        { "{\"signature\":{\"timestamp\":\"" NOW "\",\"token\":\"tok1\",\"signature\":\"" MAC "\"}} x", VERDICT_MISSING },
        { "{\"signature\":\"" MAC "\"}", VERDICT_MISSING },
        { "[1]", VERDICT_MISSING },
        { "1", VERDICT_MISSING },
        { "", VERDICT_MISSING },
        { "timestamp=" NOW "&token=tok1&signature=" MAC, VERDICT_MISSING },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].body, mailgun(cases[i].body), cases[i].verdict);
}

TEST(parses_an_unverified_body_up_to_a_mebibyte)
{
    static char text[(1 << 20) + 2];
    static const char start[] = "{\"signature\":{\"timestamp\":\"" NOW "\",\"token\":\"tok1\",\"signature\":\"" MAC "\"}}";
    for (size_t over = 0; over < 2; over++) {
        memset(text, ' ', sizeof(text));
        memcpy(text, start, sizeof(start) - 1);
        text[(1 << 20) + over] = '\0';
        CHECK_EQ("at the limit, and past it", mailgun(text), over ? VERDICT_MISSING : VERDICT_VALID);
    }
}

TEST(takes_a_time_in_the_body_only_from_there)
{
    struct verify verify = vectors[9].verify;
    struct asking ask = vectors[9].right;
    ask.headers[1] = (struct pair)H("linear-timestamp", NOW "000");
    verify.timestamp.field = SLICE("gone");
    CHECK_EQ("it is not there", judge(verify, &ask), VERDICT_MISSING);
    verify.timestamp.field = SLICE("a");
    CHECK_EQ("it is none", judge(verify, &ask), VERDICT_MALFORMED);
}

/* SHA-256 of secret and more goes on from SHA-256 of the secret: what is appended begins with 0x80 and zeros, which no JSON has.
 */
TEST(accepts_a_hash_only_over_json_to_its_last_byte)
{
    struct verify_result result;
    struct verify verify = vectors[3].verify;
    struct asking ask = vectors[3].right;
    struct slice padded = SLICE("{}\x80\0\0{}");
    CHECK_EQ("JSON", judge(verify, &ask), VERDICT_VALID);
    CHECK_EQ("other bytes", judge_with(verify, &ask, padded, NOW_MS, &result), VERDICT_MISMATCH);
    ask.headers[0].value = SLICE("fa17480a707fe771357d0f08b11cc56191fe7d2ab0c1ca6780e01fdad4c00c5a");
    CHECK_EQ("a right hash of what is no JSON", judge_with(verify, &ask, padded, NOW_MS, &result), VERDICT_MALFORMED);
    verify.json_only = false;
    CHECK_EQ("so it was the fence", judge_with(verify, &ask, padded, NOW_MS, &result), VERDICT_VALID);
}

/* ---- Twilio ---- */

static struct verify twilio(void)
{
    return (struct verify){ BASE(VERIFY_HMAC, "sig", "ONE"),
                            SIGNED(url_form),
                            .algorithm = SLICE("sha1"),
                            .encoding = ENCODING_BASE64,
                            .urls = { SLICE("https://hooks.example.com/twilio"), SLICE("https://hooks.example.com:443/twilio") },
                            .url_count = 2,
                            .url_adds = URL_ADDS_QUERY,
                            .body_sha256 = SLICE("bodySHA256") };
}

static enum verdict twilio_ask(const char *method, const char *type, const char *query, const char *text, const char *signature)
{
    struct asking ask = { .method = method, .path = "/in", .query = query, .body = text };
    ask.headers[0] = (struct pair){ SLICE("sig"), slice_of(signature) };
    if (type)
        ask.headers[1] = (struct pair){ SLICE("Content-Type"), slice_of(type) };
    return judge(twilio(), &ask);
}

#define FORM      "application/x-www-form-urlencoded"
#define FORM_BODY "b=2&c=%C3%A9&a=+1&b=1&b=2&n="
#define FORM_MAC  "vwurd2AKfDvwA4/44toHZg7OtM4="

TEST(signs_a_form_by_its_sorted_fields)
{
    CHECK_EQ("sorted, once each", twilio_ask("POST", FORM, "", FORM_BODY, FORM_MAC), VERDICT_VALID);
    CHECK_EQ("in another order", twilio_ask("POST", FORM, "", "n=&a=%201&b=1&c=%c3%a9&&b=2", FORM_MAC), VERDICT_VALID);
    CHECK_EQ("with the port", twilio_ask("POST", FORM, "", FORM_BODY, "J4dzAguvWbZAHS8mUEtZj6PICZE="), VERDICT_VALID);
    CHECK_EQ("the type in capitals", twilio_ask("POST", "APPLICATION/X-WWW-FORM-URLENCODED ; x", "", FORM_BODY, FORM_MAC),
             VERDICT_VALID);
    CHECK_EQ("no fields", twilio_ask("POST", FORM, "", "", "hLunXT1s2WInVQMpzBbzFrZBrwQ="), VERDICT_VALID);
    CHECK_EQ("a field more", twilio_ask("POST", FORM, "", FORM_BODY "&d=1", FORM_MAC), VERDICT_MISMATCH);
    CHECK_EQ("a field less", twilio_ask("POST", FORM, "", "b=2&c=%C3%A9&a=+1&b=1&b=2", FORM_MAC), VERDICT_MISMATCH);
    CHECK_EQ("a hash as if it were JSON", twilio_ask("POST", FORM, "bodySHA256=1", FORM_BODY, FORM_MAC), VERDICT_MALFORMED);
    CHECK_EQ("an empty one", twilio_ask("POST", FORM, "body%53HA256", FORM_BODY, FORM_MAC), VERDICT_MALFORMED);
}

TEST(refuses_twilio_all_other_bodies)
{
    static const char query[] = "bodySHA256=" JSON_SHA256, mac[] = "QzLkKLE2KoyRx6R12FPb4sg9AKA=";
    CHECK_EQ("JSON", twilio_ask("POST", "application/json", query, "{\"a\":1}", mac), VERDICT_VALID);
    CHECK_EQ("changed", twilio_ask("POST", "application/json", query, "{\"a\":2}", mac), VERDICT_MISMATCH);
    CHECK_EQ("without a hash", twilio_ask("POST", "application/json", "", "{\"a\":1}", "hLunXT1s2WInVQMpzBbzFrZBrwQ="),
             VERDICT_MISSING);
    CHECK_EQ("two hashes", twilio_ask("POST", "application/json", "bodySHA256=" JSON_SHA256 "&bodySHA256=00", "{\"a\":1}", mac),
             VERDICT_MISSING);
    CHECK_EQ("no hash", twilio_ask("POST", "application/json", "bodySHA256=xyz", "{\"a\":1}", mac), VERDICT_MALFORMED);
    CHECK_EQ("GET", twilio_ask("GET", NULL, "a=1", "", "z19e0KovI+ivT6dNLb/dXAgd+GM="), VERDICT_VALID);
    CHECK_EQ("GET with a body", twilio_ask("GET", NULL, "a=1", "x=1", "z19e0KovI+ivT6dNLb/dXAgd+GM="), VERDICT_MALFORMED);
    static const char *const types[] = { "text/plain", "multipart/form-data", "application/xml", "application/vnd.x+json", "",
                                         NULL };
    for (size_t i = 0; i < COUNT(types); i++)
        CHECK_EQ(types[i] ? types[i] : "none", twilio_ask("POST", types[i], query, "{\"a\":1}", mac), VERDICT_MALFORMED);
}

TEST(sorts_up_to_a_thousand_fields_of_a_quarter_mebibyte)
{
    static char text[(256 << 10) + 2];
    static char field[] = "a=1&";
    for (size_t count = 1000; count <= 1001; count++) {
        text[0] = '\0';
        for (size_t i = 0; i < count; i++)
            memcpy(text + i * 4, field, 5);
        CHECK_EQ("fields", twilio_ask("POST", FORM, "", text, FORM_MAC), count == 1000 ? VERDICT_MISMATCH : VERDICT_MALFORMED);
    }
    for (size_t len = 256 << 10; len <= (256 << 10) + 1; len++) {
        memset(text, 'a', len);
        text[len] = '\0';
        CHECK_EQ("bytes", twilio_ask("POST", FORM, "", text, FORM_MAC), len == 256 << 10 ? VERDICT_MISMATCH : VERDICT_MALFORMED);
    }
}

/* ---- several signatures of two kinds ---- */

TEST(takes_either_kind_of_signature_of_a_list)
{
    struct verify verify = vectors[1].verify;
    struct asking ask = vectors[1].right;
    char text[400];
    static const char mine[] = "/P3K6Llx2RrA2jQfb/Ocm27ep4UfNYWveTEJmMBzU7jVPN7YVrITynfCwR6/R6VxQ4lpdNx7lmQ/5cgDsyIhAQ==";
    snprintf(text, sizeof(text), "v1,AAAA v2,x v1a,AAAA v1a,%s", mine);
    ask.headers[0].value = slice_of(text);
    CHECK_EQ("beside others", judge(verify, &ask), VERDICT_VALID);
    snprintf(text, sizeof(text), "v1,%s", mine);
    ask.headers[0].value = slice_of(text);
    CHECK_EQ("under the name of a secret's", judge(verify, &ask), VERDICT_MISMATCH);
    ask = vectors[1].right;
    verify.public_signature.data = NULL;
    CHECK_EQ("no version is left", judge(verify, &ask), VERDICT_MISMATCH);
    verify = vectors[1].verify;
    verify.secret_count = 0;
    CHECK_EQ("without a secret", judge(verify, &ask), VERDICT_VALID);
    verify.public_keys[1] = verify.public_keys[0];
    verify.public_keys[0] = SLICE(ED_OTHER);
    verify.public_key_count = 2;
    CHECK_EQ("the second of two keys", judge(verify, &ask), VERDICT_VALID);
}

TEST(reads_public_keys_of_the_kind_that_signs)
{
    static const struct {
        const char *what;
        size_t vector;
        const char *key;
        enum verdict verdict;
    } cases[] = {
        { "hex", 0, ED_KEY, VERDICT_VALID },
        { "whpk_", 0, ED_WHPK, VERDICT_VALID },
        { "base64", 0, ED_SPKI, VERDICT_VALID },
        { "PEM", 0, "-----BEGIN PUBLIC KEY-----\n" ED_SPKI "\n-----END PUBLIC KEY-----\n", VERDICT_VALID },
        { "hex, cut", 0, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f7075", VERDICT_NO_SECRET },
        { "hex and more", 0, ED_KEY "00", VERDICT_NO_SECRET },
        { "whpk_ of nothing", 0, "whpk_", VERDICT_NO_SECRET },
        { "whpk_ of 31 bytes", 0, "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUQ==", VERDICT_NO_SECRET },
        { "P-256 for Ed25519", 0, EC_KEY, VERDICT_NO_SECRET },
        { "base64 of P-256", 2, EC_KEY, VERDICT_VALID },
        { "PEM of P-256", 2, EC_PEM, VERDICT_VALID },
        { "P-384", 2, P384_KEY, VERDICT_NO_SECRET },
        { "Ed25519 for P-256", 2, ED_SPKI, VERDICT_NO_SECRET },
        { "RSA for P-256", 2, RSA_KEY, VERDICT_NO_SECRET },
        { "nothing", 2, "", VERDICT_NO_SECRET },
        { "rubbish", 2, "AAAA", VERDICT_NO_SECRET },
        { "bytes behind it", 0, "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURoA", VERDICT_NO_SECRET },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct verify verify = vectors[cases[i].vector].verify;
        verify.public_keys[0] = slice_of(cases[i].key);
        verify.secret_count = 0;
        CHECK_EQ(cases[i].what, judge(verify, &vectors[cases[i].vector].right), cases[i].verdict);
    }
}

TEST(a_second_scheme_has_to_hold_too)
{
    static const struct verify token = {
        .scheme = VERIFY_TOKEN, .header = SLICE("x-token"), .secrets = { SLICE("TWO") }, .secret_count = 1
    };
    static const struct verify unset = {
        .scheme = VERIFY_TOKEN, .header = SLICE("x-token"), .secrets = { SLICE("EMPTY") }, .secret_count = 1
    };
    struct verify verify = vectors[0].verify;
    struct asking ask = vectors[0].right;
    verify.also = &token;
    CHECK_EQ("one alone", judge(verify, &ask), VERDICT_MISSING);
    ask.headers[2] = (struct pair)H("x-token", "second secret");
    CHECK_EQ("both", judge(verify, &ask), VERDICT_VALID);
    ask.headers[1].value = SLICE("1750000001");
    CHECK_EQ("the other alone", judge(verify, &ask), VERDICT_MISMATCH);
    verify.also = &unset;
    CHECK_EQ("its secret is not set", judge(verify, &vectors[0].right), VERDICT_NO_SECRET);
}

/* ---- what is only said ---- */

static enum verdict said(struct verify verify, const char *name, const char *value)
{
    struct asking ask = { .method = "POST", .path = "/in", .query = "", .body = BODY };
    if (value)
        ask.headers[0] = (struct pair){ slice_of(name), slice_of(value) };
    return judge(verify, &ask);
}

TEST(compares_tokens_in_a_header)
{
    struct verify verify = {
        .scheme = VERIFY_TOKEN, .header = SLICE("X-Token"), .secrets = { SLICE("ONE"), SLICE("TWO") }, .secret_count = 2
    };
    CHECK_EQ("first", said(verify, "x-token", "first secret"), VERDICT_VALID);
    CHECK_EQ("second", said(verify, "x-token", "second secret"), VERDICT_VALID);
    CHECK_EQ("absent", said(verify, "x-token", NULL), VERDICT_MISSING);
    CHECK_EQ("empty", said(verify, "x-token", ""), VERDICT_MISSING);
    static const char *const wrong[] = { "first secre", "first secret ", "First secret", "first secretfirst secret", "x" };
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK_EQ(wrong[i], said(verify, "x-token", wrong[i]), VERDICT_MISMATCH);
}

TEST(a_token_stands_in_one_of_several_headers)
{
    static const struct slice others[] = { SLICE("Authorization"), SLICE("X-Old-Token") };
    struct verify verify = { .scheme = VERIFY_TOKEN,
                             .header = SLICE("X-Token"),
                             .other_headers = others,
                             .other_header_count = COUNT(others),
                             .secrets = { SLICE("ONE") },
                             .secret_count = 1 };
    static const struct {
        const char *what;
        struct pair headers[3];
        enum verdict verdict;
    } cases[] = {
        { "the first", { { SLICE("x-token"), SLICE("first secret") } }, VERDICT_VALID },
        { "another", { { SLICE("authorization"), SLICE("first secret") } }, VERDICT_VALID },
        { "the last", { { SLICE("X-OLD-TOKEN"), SLICE("first secret") } }, VERDICT_VALID },
        { "a wrong one", { { SLICE("X-Old-Token"), SLICE("second secret") } }, VERDICT_MISMATCH },
        { "none", { { SLICE("X-Tokens"), SLICE("first secret") } }, VERDICT_MISSING },
        { "an empty one", { { SLICE("X-Token"), SLICE("") } }, VERDICT_MISSING },
        { "twice",
          { { SLICE("X-Token"), SLICE("first secret") }, { SLICE("x-token"), SLICE("first secret") } },
          VERDICT_MISSING },
        { "two",
          { { SLICE("X-Token"), SLICE("first secret") }, { SLICE("X-Old-Token"), SLICE("first secret") } },
          VERDICT_MISSING },
        { "one and empty",
          { { SLICE("X-Token"), SLICE("first secret") }, { SLICE("Authorization"), SLICE("") } },
          VERDICT_MISSING },
        { "guesses", { { SLICE("X-Token"), SLICE("x") }, { SLICE("Authorization"), SLICE("first secret") } }, VERDICT_MISSING },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct asking ask = { .method = "POST", .path = "/in", .query = "", .body = BODY };
        memcpy(ask.headers, cases[i].headers, sizeof(cases[i].headers));
        CHECK_EQ(cases[i].what, judge(verify, &ask), cases[i].verdict);
    }
}

TEST(compares_user_and_password)
{
    struct verify verify = { .scheme = VERIFY_BASIC, .user = SLICE("tickets"), .secrets = { SLICE("ONE") }, .secret_count = 1 };
    static const struct {
        const char *value;
        enum verdict verdict;
    } cases[] = {
        { "Basic dGlja2V0czpmaXJzdCBzZWNyZXQ=", VERDICT_VALID }, /* tickets:first secret */
        { "basic dGlja2V0czpmaXJzdCBzZWNyZXQ=", VERDICT_VALID },
        { "Basic dGlja2V0OnNmaXJzdCBzZWNyZXQ=", VERDICT_MISMATCH }, /* ticket:sfirst secret */
        { "Basic OmZpcnN0IHNlY3JldA==", VERDICT_MISMATCH },         /* :first secret */
        { "Basic dGlja2V0czo=", VERDICT_MISMATCH },                 /* tickets: */
        { "Basic dGlja2V0cw==", VERDICT_MISMATCH },                 /* tickets */
        { "Basic dGlja2V0czpmaXJzdCBzZWNyZXQ", VERDICT_MALFORMED },
        { "Basic dGlja2V0czpmaXJzdCBzZWNyZXR=", VERDICT_MALFORMED }, /* spare bits */
        { "Basic", VERDICT_MALFORMED },
        { "Basic ", VERDICT_MALFORMED },
        { "Bearer first secret", VERDICT_MALFORMED },
        { "", VERDICT_MISSING },
        { NULL, VERDICT_MISSING },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].value ? cases[i].value : "absent", said(verify, "authorization", cases[i].value), cases[i].verdict);
}

TEST_MAIN()
