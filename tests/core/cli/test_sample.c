/* What sample.c signs, verify.c accepts, for every scheme; and not when the body, or the key, is another one. */
#include "check.h"
#include "templates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "cli/sample.h"

#define NOW_MS 1750000000123ull

static char private_pem[4][4096], public_pem[4][4096]; /* Ed25519, P-256, RSA, another Ed25519 */

static struct secret secrets[] = {
    { SLICE("TEXT"), SLICE("first secret") },   { SLICE("HEX"), SLICE("0011223344556677") },
    { SLICE("BASE64"), SLICE("AAECAwQFBgc=") }, { SLICE("STANDARD"), SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") },
    { SLICE("OTHER"), SLICE("second secret") },
};
static struct generation generation = { .secrets = secrets, .secret_count = COUNT(secrets) };

static const struct template_part body[] = { PART(BODY) };
static const struct template_part stamped[] = { PART(ID), NAMED(TEXT, "."), PART(TIMESTAMP), NAMED(TEXT, "."), PART(BODY) };
static const struct template_part hashed[] = { PART(SECRET), PART(METHOD), PART(URL), PART(BODY) };
static const struct template_part form[] = { PART(URL), PART(FORM_SORTED) };
static const struct template_part wide[] = { PART(PATH), NAMED(HEADER, "x-tenant"), NAMED(QUERY, "q"), PART(BODY) };
static const struct template_part fields[] = { PART(TIMESTAMP), NAMED(FIELD, "sig.token") };

static const struct verify also = {
    .scheme = VERIFY_TOKEN, .header = SLICE("x-token"), .secrets = { SLICE("OTHER") }, .secret_count = 1
};

#define HMAC_BASE    .scheme = VERIFY_HMAC, .header = SLICE("sig"), .prefix = SLICE(""), .signature = SLICE("v1")
#define SECRET(name) .secrets = { SLICE(name) }, .secret_count = 1
#define HEADERS      .timestamp = { .header = SLICE("time") }, .id = { .header = SLICE("id") }, .max_age_ms = 300000

/* key: of private_pem, from 1. */
static const struct scheme {
    const char *what;
    struct verify verify;
    size_t key;
    const char *body, *other_body; /* other_body NULL: the scheme does not cover it */
} schemes[] = {
    { "hex", { HMAC_BASE, SECRET("TEXT"), SIGNED(body) }, 0, "{}", "{ }" },
    { "sha512 and a key in hex",
      { HMAC_BASE, SECRET("HEX"), SIGNED(body), .algorithm = SLICE("sha512"), .key = KEY_HEX },
      0,
      "{}",
      "" },
    { "sha1 and a key in base64",
      { HMAC_BASE, SECRET("BASE64"), SIGNED(body), .algorithm = SLICE("sha1"), .key = KEY_BASE64 },
      0,
      "",
      "{}" },
    { "parts",
      { HMAC_BASE, SECRET("TEXT"), SIGNED(stamped), .format = FORMAT_PARTS_SEMICOLON, .timestamp = { .part = SLICE("t") },
        .id = { .part = SLICE("i") }, .max_age_ms = 300000 },
      0,
      "{}",
      "{ }" },
    { "list",
      { HMAC_BASE, SECRET("STANDARD"), SIGNED(stamped), HEADERS, .format = FORMAT_LIST, .key = KEY_STANDARD,
        .encoding = ENCODING_BASE64 },
      0,
      "{}",
      "{ }" },
    { "list by a key",
      { HMAC_BASE, SIGNED(stamped), HEADERS, .format = FORMAT_LIST, .key = KEY_STANDARD, .encoding = ENCODING_BASE64,
        .public_signature = SLICE("v1a") },
      1,
      "{}",
      "{ }" },
    { "a date", { HMAC_BASE, SECRET("TEXT"), SIGNED(stamped), HEADERS, .timestamp_format = STAMP_RFC3339 }, 0, "{}", "{ }" },
    { "path, header and query", { HMAC_BASE, SECRET("TEXT"), SIGNED(wide) }, 0, "{}", "{ }" },
    { "a time in the body",
      { HMAC_BASE, SECRET("TEXT"), SIGNED(body), .timestamp = { .field = SLICE("at") }, .max_age_ms = 300000 },
      0,
      "{\"at\":1750000000000}",
      "{\"at\":1750000000001}" },
    { "a form",
      { HMAC_BASE, SECRET("TEXT"), SIGNED(form), .urls = { SLICE("https://hooks.example.com/in") }, .url_count = 1,
        .url_adds = URL_ADDS_QUERY },
      0,
      "b=1&a=2",
      "b=1&a=3" },
    { "hash",
      { .scheme = VERIFY_HASH,
        .header = SLICE("sig"),
        .prefix = SLICE(""),
        SECRET("TEXT"),
        SIGNED(hashed),
        .urls = { SLICE("https://hooks.example.com") },
        .url_count = 1,
        .url_adds = URL_ADDS_PATH,
        .json_only = true },
      0,
      "{}",
      "{ }" },
    { "two schemes", { HMAC_BASE, SECRET("TEXT"), SIGNED(body), .also = &also }, 0, "{}", "{ }" },
    { "token", { .scheme = VERIFY_TOKEN, .header = SLICE("x-token"), SECRET("TEXT") }, 0, "{}", NULL },
    { "bearer", { .scheme = VERIFY_BEARER, SECRET("TEXT") }, 0, "{}", NULL },
    { "basic", { .scheme = VERIFY_BASIC, .user = SLICE("ann"), SECRET("TEXT") }, 0, "{}", NULL },
    { "HS256", { .scheme = VERIFY_JWT, .algorithm = SLICE("HS256"), SECRET("TEXT"), .issuer = SLICE("a \"b\"") }, 0, "{}", NULL },
    { "EdDSA", { .scheme = VERIFY_JWT, .algorithm = SLICE("EdDSA") }, 1, "{}", NULL },
    { "ES256", { .scheme = VERIFY_JWT, .algorithm = SLICE("ES256") }, 2, "{}", NULL },
    { "RS256", { .scheme = VERIFY_JWT, .algorithm = SLICE("RS256") }, 3, "{}", NULL },
    { "ed25519",
      { .scheme = VERIFY_ED25519, .header = SLICE("sig"), .prefix = SLICE(""), SIGNED(stamped), HEADERS },
      1,
      "{}",
      "{ }" },
    { "ecdsa",
      { .scheme = VERIFY_ECDSA,
        .header = SLICE("sig"),
        .prefix = SLICE(""),
        SIGNED(stamped),
        HEADERS,
        .encoding = ENCODING_BASE64 },
      2,
      "{}",
      "{ }" },
};

/* ---- the request, first for signing, then with what was signed ---- */

static struct pair headers[12];

static struct verify_input request_of(const char *text)
{
    headers[0] = (struct pair){ SLICE("content-type"), SLICE("application/x-www-form-urlencoded") };
    headers[1] = (struct pair){ SLICE("x-tenant"), SLICE("acme") };
    return (struct verify_input){ .method = SLICE("POST"),
                                  .path = SLICE("/in"),
                                  .query = SLICE("q=1"),
                                  .headers = headers,
                                  .header_count = 2,
                                  .body = slice_of(text),
                                  .now_ms = NOW_MS };
}

static void add_lines(struct verify_input *input, struct slice lines)
{
    while (lines.len > 0) {
        const char *end = memchr(lines.data, '\n', lines.len), *colon = memchr(lines.data, ':', lines.len);
        struct slice name = { lines.data, (size_t)(colon - lines.data) }, value = { colon + 2, (size_t)(end - colon - 2) };
        headers[input->header_count++] = (struct pair){ name, value };
        lines = slice_from(lines, (size_t)(end - lines.data) + 1);
    }
}

static enum verdict judge(struct verify verify, const struct verify_input *input)
{
    struct verify_result result;
    struct verifier *verifier = verifier_new(&verify, &generation);
    enum verdict verdict = verify_request(verifier, input, &result);
    verifier_free(verifier);
    return verdict;
}

static struct verify with_public_key(const struct scheme *scheme)
{
    struct verify verify = scheme->verify;
    if (scheme->key) {
        verify.public_keys[0] = slice_of(public_pem[scheme->key - 1]);
        verify.public_key_count = 1;
    }
    return verify;
}

static struct sample_keys keys_of(const struct scheme *scheme)
{
    struct sample_keys keys = { .also = SLICE("second secret") };
    if (scheme->key)
        keys.secret = slice_of(private_pem[scheme->key - 1]);
    else
        (void)generation_secret(&generation, scheme->verify.secrets[0], &keys.secret);
    return keys;
}

static void make_key(size_t place, EVP_PKEY *key)
{
    BIO *secret = BIO_new(BIO_s_mem()), *open = BIO_new(BIO_s_mem());
    CHECK("written", PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) && PEM_write_bio_PUBKEY(open, key));
    CHECK("read", BIO_read(secret, private_pem[place], sizeof(private_pem[0]) - 1) > 0);
    CHECK("read", BIO_read(open, public_pem[place], sizeof(public_pem[0]) - 1) > 0);
    BIO_free(secret);
    BIO_free(open);
    EVP_PKEY_free(key);
}

TEST(makes_keys_for_the_others)
{
    make_key(0, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    make_key(1, EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
    make_key(2, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
    make_key(3, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

TEST(what_is_signed_here_is_accepted_and_nothing_else)
{
    for (size_t i = 0; i < COUNT(schemes); i++) {
        struct buf lines, field;
        const char *why = "";
        struct verify verify = with_public_key(&schemes[i]);
        struct sample_keys keys = keys_of(&schemes[i]);
        struct verify_input input = request_of(schemes[i].body);
        buf_init(&lines, 1 << 16);
        buf_init(&field, 1 << 16);
        CHECK_EQ(schemes[i].what, sample_sign(&verify, &keys, &input, SLICE("id-1"), &lines, &field, &why), OK);
        add_lines(&input, buf_slice(&lines));
        CHECK_EQ(schemes[i].what, judge(verify, &input), VERDICT_VALID);
        if (schemes[i].other_body) {
            input.body = slice_of(schemes[i].other_body);
            CHECK_EQ(schemes[i].what, judge(verify, &input), VERDICT_MISMATCH);
        }
        buf_deinit(&lines);
        buf_deinit(&field);
    }
}

TEST(a_signature_of_the_body_s_own_goes_into_it)
{
    static const struct verify verify = { .scheme = VERIFY_HMAC,
                                          .field = SLICE("sig.mac"),
                                          .prefix = SLICE(""),
                                          SECRET("TEXT"),
                                          SIGNED(fields),
                                          .timestamp = { .field = SLICE("sig.at") },
                                          .max_age_ms = 300000 };
    struct sample_keys keys = { .secret = SLICE("first secret") };
    struct verify_input input = request_of("{\"sig\":{\"at\":\"1750000000\",\"token\":\"t\"}}");
    struct buf lines, field;
    const char *why = "";
    char text[300];
    buf_init(&lines, 1 << 16);
    buf_init(&field, 1 << 16);
    CHECK_EQ("signed", sample_sign(&verify, &keys, &input, SLICE("id-1"), &lines, &field, &why), OK);
    CHECK_EQ("no header", lines.len, 0);
    snprintf(text, sizeof(text), "{\"sig\":{\"at\":\"1750000000\",\"token\":\"t\",\"mac\":\"%.*s\"}}",
             SLICE_ARGS(buf_slice(&field)));
    input.body = slice_of(text);
    CHECK_EQ("accepted", judge(verify, &input), VERDICT_VALID);
    buf_deinit(&lines);
    buf_deinit(&field);
}

TEST(says_what_a_sample_has_not)
{
    const struct {
        const char *what;
        struct verify verify;
        struct sample_keys keys;
    } cases[] = {
        { "private key", { .scheme = VERIFY_ED25519, .header = SLICE("sig"), SIGNED(body) }, { .secret = SLICE("no key") } },
        { "private key", { .scheme = VERIFY_JWT, .algorithm = SLICE("ES256") }, { .secret = SLICE("") } },
        { "form that this sender", { HMAC_BASE, SECRET("HEX"), SIGNED(body), .key = KEY_HEX }, { .secret = SLICE("xyz") } },
        { "form that this sender", { HMAC_BASE, SECRET("TEXT"), SIGNED(body) }, { .secret = SLICE("") } },
        { "covers what this request has not", { HMAC_BASE, SECRET("TEXT"), SIGNED(fields) }, { .secret = SLICE("x") } },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct verify_input input = request_of("{}");
        struct buf lines, field;
        const char *why = "";
        buf_init(&lines, 1 << 16);
        buf_init(&field, 1 << 16);
        CHECK_EQ(cases[i].what, sample_sign(&cases[i].verify, &cases[i].keys, &input, SLICE("id-1"), &lines, &field, &why),
                 ERR_INVALID);
        CHECK(why, strstr(why, cases[i].what));
        buf_deinit(&lines);
        buf_deinit(&field);
    }
}

TEST_MAIN()
