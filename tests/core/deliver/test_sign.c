/* What sign.h makes of a request is what the scheme's vectors have, and what the router's own verifier accepts. */
#include "check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "deliver/sign.h"
#include "ingest/verify.h"

#define NOW_MS 1750000000123ull

static struct secret secrets[] = {
    { SLICE("STANDARD"), SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") },
    { SLICE("TEXT"), SLICE("first secret") },
    { SLICE("BAD"), SLICE("whsec_not base64") },
    { SLICE("EMPTY"), SLICE("whsec_") },
    { SLICE("PEM"), SLICE("never read again") },
};
static const struct generation generation = { .secrets = secrets, .secret_count = COUNT(secrets) };

#define PART(kind)                                                                                                               \
    {                                                                                                                            \
        TEMPLATE_##kind,                                                                                                         \
        {                                                                                                                        \
            NULL, 0                                                                                                              \
        }                                                                                                                        \
    }
#define NAMED(kind, name)                                                                                                        \
    {                                                                                                                            \
        TEMPLATE_##kind, SLICE(name)                                                                                             \
    }
#define SIGNED(list) .signed_parts = (list), .signed_count = COUNT(list)

static const struct template_part stamped[] = { PART(ID), NAMED(TEXT, "."), PART(TIMESTAMP), NAMED(TEXT, "."), PART(BODY) };
static const struct template_part wide[] = {
    PART(METHOD), PART(PATH), NAMED(HEADER, "x-tenant"), NAMED(QUERY, "q"), NAMED(HEADER, "host"), PART(URL), PART(BODY)
};
static const struct template_part field[] = { NAMED(FIELD, "order.id"), PART(BODY) };

#define HMAC_BASE    .scheme = VERIFY_HMAC, .prefix = SLICE(""), .signature = SLICE("v1")
#define SECRET(name) .secrets = { SLICE(name) }, .secret_count = 1

static struct verify standard_of(const char *secret)
{
    return (struct verify){ .scheme = VERIFY_HMAC,
                            .header = SLICE("webhook-signature"),
                            .prefix = SLICE(""),
                            .signature = SLICE("v1"),
                            .format = FORMAT_LIST,
                            .key = KEY_STANDARD,
                            .encoding = ENCODING_BASE64,
                            SIGNED(stamped),
                            .timestamp = { .header = SLICE("webhook-timestamp") },
                            .id = { .header = SLICE("webhook-id") },
                            .secrets = { slice_of(secret) },
                            .secret_count = 1 };
}

static struct pair others[] = { { SLICE("x-tenant"), SLICE("acme") }, { SLICE("content-type"), SLICE("application/json") } };

static struct sign_request request_of(const struct signing *signing, const char *body)
{
    return (struct sign_request){ .signing = signing,
                                  .generation = &generation,
                                  .method = SLICE("POST"),
                                  .body = slice_of(body),
                                  .id = SLICE("msg_1"),
                                  .url = "https://a.example.com:8443/in/x?q=1&r=2",
                                  .headers = others,
                                  .header_count = COUNT(others),
                                  .now_ms = NOW_MS };
}

static struct slice value_of(const struct sign_headers *made, const char *name)
{
    for (size_t i = 0; i < made->count; i++)
        if (slice_is(made->list[i].name, name))
            return made->list[i].value;
    return (struct slice){ NULL, 0 };
}

TEST(signs_as_the_reference_does)
{
    struct signing signing = { .how = standard_of("STANDARD") };
    struct sign_request request = request_of(&signing, "{\"test\": 2432232314}");
    struct arena arena = { 0 };
    struct sign_headers made;
    const char *why = "";
    request.id = SLICE("msg_p5jXN8AQM9LWM0D4loKWxJek");
    request.now_ms = 1614265330000ull;
    /* the example of the scheme's public test vectors */
    CHECK_EQ("signed", sign_headers_make(&request, &arena, &made, &why), OK);
    CHECK_SLICE("the same", value_of(&made, "webhook-signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    CHECK_SLICE("its time", value_of(&made, "webhook-timestamp"), "1614265330");
    CHECK_SLICE("its id", value_of(&made, "webhook-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
    arena_deinit(&arena);
}

TEST(a_secret_that_is_none_signs_nothing)
{
    static const struct {
        const char *secret, *says;
        enum result want;
    } cases[] = {
        { "BAD", "not of the form", ERR_INVALID },
        { "EMPTY", "not of the form", ERR_INVALID },
        { "NOBODY", "not set", ERR_NOT_FOUND },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct signing signing = { .how = standard_of(cases[i].secret) };
        struct sign_request request = request_of(&signing, "{}");
        struct arena arena = { 0 };
        struct sign_headers made;
        const char *why = "";
        CHECK_EQ(cases[i].secret, sign_headers_make(&request, &arena, &made, &why), cases[i].want);
        CHECK(cases[i].secret, strstr(why, cases[i].says));
        arena_deinit(&arena);
    }
}

/* ---- what is made here, the router's own verifier accepts ---- */

/* path, query: as the receiver sees them. */
static enum verdict judge(const struct verify *how, const struct sign_request *request, const struct sign_headers *made,
                          struct slice body)
{
    struct pair headers[8] = { { SLICE("host"), SLICE("a.example.com:8443") } };
    size_t count = 1;
    struct verify_result result;
    for (size_t i = 0; i < request->header_count; i++)
        headers[count++] = request->headers[i];
    for (size_t i = 0; i < made->count; i++)
        headers[count++] = made->list[i];
    struct verify_input input = { .method = request->method,
                                  .path = SLICE("/in/x"),
                                  .query = SLICE("q=1&r=2"),
                                  .headers = headers,
                                  .header_count = count,
                                  .body = body,
                                  .now_ms = request->now_ms };
    struct verifier *verifier = verifier_new(how, &generation);
    enum verdict verdict = verify_request(verifier, &input, &result);
    verifier_free(verifier);
    return verdict;
}

TEST(what_is_signed_here_is_accepted_with_the_same_options)
{
    const struct {
        const char *what;
        struct verify how;
    } cases[] = {
        { "standard", standard_of("STANDARD") },
        { "parts",
          { HMAC_BASE, SECRET("TEXT"), SIGNED(stamped), .header = SLICE("sig"), .format = FORMAT_PARTS_COMMA,
            .timestamp = { .part = SLICE("t") }, .id = { .header = SLICE("x-id") }, .algorithm = SLICE("sha512") } },
        { "all places",
          { HMAC_BASE, SECRET("TEXT"), SIGNED(wide), .header = SLICE("sig"), .urls = { SLICE("https://a.example.com:8443") },
            .url_count = 1, .url_adds = URL_ADDS_PATH } },
        { "a field", { HMAC_BASE, SECRET("TEXT"), SIGNED(field), .header = SLICE("sig") } },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct signing signing = { .how = cases[i].how };
        struct sign_request request = request_of(&signing, "{\"order\":{\"id\":7}}");
        struct arena arena = { 0 };
        struct sign_headers made;
        const char *why = "";
        CHECK_EQ(cases[i].what, sign_headers_make(&request, &arena, &made, &why), OK);
        CHECK_EQ(cases[i].what, judge(&cases[i].how, &request, &made, request.body), VERDICT_VALID);
        CHECK_EQ(cases[i].what, judge(&cases[i].how, &request, &made, SLICE("{\"order\":{\"id\":7} }")), VERDICT_MISMATCH);
        arena_deinit(&arena);
    }
}

TEST(what_the_message_has_not_cannot_be_signed)
{
    static const struct template_part lists[][2] = {
        { NAMED(HEADER, "x-nobody"), PART(BODY) },
        { NAMED(QUERY, "nobody"), PART(BODY) },
        { NAMED(FIELD, "nobody"), PART(BODY) },
    };
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct signing signing = { .how = { HMAC_BASE, SECRET("TEXT"), SIGNED(lists[i]), .header = SLICE("sig") } };
        struct sign_request request = request_of(&signing, "{}");
        struct arena arena = { 0 };
        struct sign_headers made;
        const char *why = "";
        CHECK_EQ("not signed", sign_headers_make(&request, &arena, &made, &why), ERR_INVALID);
        CHECK("says so", strstr(why, "that this message has not"));
        arena_deinit(&arena);
    }
}

/* ---- tokens ---- */

static char public_pem[1024];

/* The pair of that name; the generation would own it. */
static EVP_PKEY *make_key(const char *algorithm)
{
    EVP_PKEY *key = strcmp(algorithm, "RS256") == 0   ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
                    : strcmp(algorithm, "ES256") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                                                      : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *open = BIO_new(BIO_s_mem());
    memset(public_pem, 0, sizeof(public_pem));
    CHECK("written", PEM_write_bio_PUBKEY(open, key) && BIO_read(open, public_pem, sizeof(public_pem) - 1) > 0);
    BIO_free(open);
    return key;
}

TEST(a_token_is_accepted_by_the_verifier_as_long_as_it_lives)
{
    static const char *const algorithms[] = { "HS256", "RS256", "ES256", "EdDSA" };
    static const struct slice audience[] = { SLICE("ledger") };
    for (size_t i = 0; i < COUNT(algorithms); i++) {
        char header[64];
        bool shared = i == 0;
        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\"}", algorithms[i]);
        struct signing signing = { .how = { .scheme = VERIFY_JWT,
                                            .header = SLICE("authorization"),
                                            .prefix = SLICE("Bearer "),
                                            .algorithm = slice_of(algorithms[i]),
                                            SECRET("TEXT") },
                                   .key = shared ? NULL : make_key(algorithms[i]),
                                   .token_header = slice_of(header),
                                   .token_claims = SLICE(",\"aud\":\"ledger\",\"iss\":\"tidewire\""),
                                   .body_hash = SLICE("body_sha256"),
                                   .ttl_ms = 60000 };
        struct verify how = { .scheme = VERIFY_JWT,
                              .algorithm = slice_of(algorithms[i]),
                              .secrets = { SLICE("TEXT") },
                              .secret_count = shared,
                              .public_keys = { slice_of(public_pem) },
                              .public_key_count = !shared,
                              .issuer = SLICE("tidewire"),
                              .audiences = audience,
                              .audience_count = 1 };
        struct sign_request request = request_of(&signing, "{}");
        struct arena arena = { 0 };
        struct sign_headers made, again;
        const char *why = "";
        CHECK_EQ(algorithms[i], sign_headers_make(&request, &arena, &made, &why), OK);
        CHECK_EQ(algorithms[i], judge(&how, &request, &made, request.body), VERDICT_VALID);
        CHECK_EQ("anew", sign_headers_make(&request, &arena, &again, &why), OK);
        CHECK("never the same twice", !slice_eq(made.list[0].value, again.list[0].value));
        request.now_ms = NOW_MS + 60000 + 60000; /* and the minute of leeway that the verifier gives */
        CHECK_EQ("its life is over", judge(&how, &request, &made, request.body), VERDICT_STALE);
        EVP_PKEY_free(signing.key);
        arena_deinit(&arena);
    }
}

TEST(without_its_private_key_no_token_is_made)
{
    struct signing signing = { .how = { .scheme = VERIFY_JWT,
                                        .header = SLICE("authorization"),
                                        .prefix = SLICE(""),
                                        .algorithm = SLICE("RS256"),
                                        SECRET("PEM") },
                               .token_header = SLICE("{}"),
                               .token_claims = SLICE("") };
    struct sign_request request = request_of(&signing, "{}");
    struct arena arena = { 0 };
    struct sign_headers made;
    const char *why = "";
    CHECK_EQ("refused", sign_headers_make(&request, &arena, &made, &why), ERR_INVALID);
    CHECK("says so", strstr(why, "not of the form"));
    arena_deinit(&arena);
}

TEST_MAIN()
