/* Signatures: what is right passes, and more than a hundred ways to be wrong do not. Digests are computed here by HMAC(),
 * independently of the engine. */
#include "check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdarg.h>

#include "base/buf.h"
#include "ingest/verify.h"

#define NOW_MS 1750000000000ull
#define NOW    "1750000000"
#define BODY   "{\"a\":\"\\u00e9\"}"

static struct secret secrets[] = {
    { SLICE("ONE"), SLICE("first secret") },
    { SLICE("TWO"), SLICE("second secret") },
    { SLICE("STANDARD"), SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") },
    { SLICE("EMPTY"), SLICE("") },
    { SLICE("UNSET"), { NULL, 0 } },
};
static struct generation generation = { .secrets = secrets, .secret_count = 5 };

static const struct template_part body_only[] = { { TEMPLATE_BODY, { NULL, 0 } } };
static const struct template_part stamped[] = { { TEMPLATE_TIMESTAMP, { NULL, 0 } },
                                                { TEMPLATE_TEXT, SLICE(".") },
                                                { TEMPLATE_BODY, { NULL, 0 } } };
static const struct template_part slack[] = { { TEMPLATE_TEXT, SLICE("v0:") },
                                              { TEMPLATE_TIMESTAMP, { NULL, 0 } },
                                              { TEMPLATE_TEXT, SLICE(":") },
                                              { TEMPLATE_BODY, { NULL, 0 } } };
static const struct template_part standard[] = { { TEMPLATE_ID, { NULL, 0 } },
                                                 { TEMPLATE_TEXT, SLICE(".") },
                                                 { TEMPLATE_TIMESTAMP, { NULL, 0 } },
                                                 { TEMPLATE_TEXT, SLICE(".") },
                                                 { TEMPLATE_BODY, { NULL, 0 } } };
static const struct template_part whole[] = { { TEMPLATE_METHOD, { NULL, 0 } },       { TEMPLATE_TEXT, SLICE(" ") },
                                              { TEMPLATE_PATH, { NULL, 0 } },         { TEMPLATE_TEXT, SLICE("\n") },
                                              { TEMPLATE_HEADER, SLICE("x-tenant") }, { TEMPLATE_TEXT, SLICE("{body}") },
                                              { TEMPLATE_BODY, { NULL, 0 } } };

static struct verify github(void)
{
    return (struct verify){ .scheme = VERIFY_HMAC,
                            .header = SLICE("X-Hub-Signature-256"),
                            .algorithm = SLICE("sha256"),
                            .prefix = SLICE("sha256="),
                            .signed_parts = body_only,
                            .signed_count = 1,
                            .secrets = { SLICE("ONE") },
                            .secret_count = 1 };
}
static struct verify stripe(void)
{
    return (struct verify){ .scheme = VERIFY_HMAC,
                            .header = SLICE("Stripe-Signature"),
                            .algorithm = SLICE("sha256"),
                            .format = FORMAT_PARTS_COMMA,
                            .prefix = SLICE(""),
                            .signature = SLICE("v1"),
                            .timestamp = { .part = SLICE("t") },
                            .signed_parts = stamped,
                            .signed_count = 3,
                            .max_age_ms = 300000,
                            .secrets = { SLICE("ONE") },
                            .secret_count = 1 };
}
static struct verify slack_like(void)
{
    return (struct verify){ .scheme = VERIFY_HMAC,
                            .header = SLICE("X-Slack-Signature"),
                            .algorithm = SLICE("sha256"),
                            .prefix = SLICE("v0="),
                            .timestamp = { .header = SLICE("X-Slack-Request-Timestamp") },
                            .signed_parts = slack,
                            .signed_count = 4,
                            .max_age_ms = 300000,
                            .secrets = { SLICE("ONE") },
                            .secret_count = 1 };
}
static struct verify standard_like(void)
{
    return (struct verify){ .scheme = VERIFY_HMAC,
                            .header = SLICE("webhook-signature"),
                            .algorithm = SLICE("sha256"),
                            .encoding = ENCODING_BASE64,
                            .prefix = SLICE(""),
                            .format = FORMAT_LIST,
                            .key = KEY_STANDARD,
                            .signature = SLICE("v1"),
                            .timestamp = { .header = SLICE("webhook-timestamp") },
                            .id = { .header = SLICE("webhook-id") },
                            .signed_parts = standard,
                            .signed_count = 5,
                            .max_age_ms = 300000,
                            .secrets = { SLICE("STANDARD") },
                            .secret_count = 1 };
}

/* ---- signing, by other means ---- */

static const char *hex_mac(const EVP_MD *algorithm, const char *key, const char *text)
{
    static char out[4][2 * EVP_MAX_MD_SIZE + 1];
    static int turn;
    char *hex = out[turn++ % 4];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    HMAC(algorithm, key, (int)strlen(key), (const unsigned char *)text, strlen(text), digest, &len);
    for (unsigned i = 0; i < len; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
    return hex;
}

static const char *base64_mac(const void *key, int key_len, const char *text)
{
    static char out[4][128];
    static int turn;
    char *encoded = out[turn++ % 4];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    HMAC(EVP_sha256(), key, key_len, (const unsigned char *)text, strlen(text), digest, &len);
    EVP_EncodeBlock((unsigned char *)encoded, digest, (int)len);
    return encoded;
}

static const char *standard_mac(const char *text)
{
    unsigned char key[64];
    int len = EVP_DecodeBlock(key, (const unsigned char *)"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 32);
    return base64_mac(key, len, text);
}

static const char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *text_of(const char *format, ...)
{
    static char out[8][8192];
    static int turn;
    char *text = out[turn++ % 8];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(out[0]), format, arguments);
    va_end(arguments);
    return text;
}

/* ---- asking ---- */

struct request {
    const char *method, *path, *body;
    struct pair headers[8];
    size_t count;
};

static struct request request(const char *body)
{
    return (struct request){ "POST", "/in", body, { { { NULL, 0 }, { NULL, 0 } } }, 0 };
}

static void with(struct request *ask, const char *name, const char *value)
{
    ask->headers[ask->count++] = (struct pair){ slice_of(name), slice_of(value) };
}

static enum verdict judge_at(struct verify scheme, const struct request *ask, uint64_t now_ms)
{
    struct verifier *verifier = verifier_new(&scheme, &generation);
    struct verify_result result;
    struct verify_input input = {
        slice_of(ask->method), slice_of(ask->path), SLICE(""), ask->headers, ask->count, slice_of(ask->body), now_ms
    };
    enum verdict verdict = verify_request(verifier, &input, &result);
    verifier_free(verifier);
    return verdict;
}

static enum verdict one_header(struct verify scheme, const char *value)
{
    struct request ask = request(BODY);
    char name[64];
    snprintf(name, sizeof(name), "%.*s", SLICE_ARGS(scheme.header));
    if (value)
        with(&ask, name, value);
    return judge_at(scheme, &ask, NOW_MS);
}

/* ---- GitHub's form ---- */

TEST(takes_the_signature_of_the_bytes_that_came)
{
    CHECK_EQ("github", one_header(github(), text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", BODY))), VERDICT_VALID);
    struct verify two = github();
    two.secrets[1] = SLICE("TWO");
    two.secret_count = 2;
    CHECK_EQ("second of two secrets", one_header(two, text_of("sha256=%s", hex_mac(EVP_sha256(), "second secret", BODY))),
             VERDICT_VALID);
    CHECK_EQ("first of two", one_header(two, text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", BODY))), VERDICT_VALID);
    struct verify typeform = github();
    typeform.encoding = ENCODING_BASE64;
    CHECK_EQ("base64 behind a prefix", one_header(typeform, text_of("sha256=%s", base64_mac("first secret", 12, BODY))),
             VERDICT_VALID);
    struct verify sha1 = github();
    sha1.algorithm = SLICE("sha1");
    sha1.prefix = SLICE("");
    CHECK_EQ("sha1", one_header(sha1, hex_mac(EVP_sha1(), "first secret", BODY)), VERDICT_VALID);
    struct verify sha512 = github();
    sha512.algorithm = SLICE("sha512");
    sha512.prefix = SLICE("");
    CHECK_EQ("sha512", one_header(sha512, hex_mac(EVP_sha512(), "first secret", BODY)), VERDICT_VALID);
}

TEST(refuses_every_changed_digit)
{
    const char *right = hex_mac(EVP_sha256(), "first secret", BODY);
    for (int i = 0; i < 64; i++) {
        char wrong[80];
        snprintf(wrong, sizeof(wrong), "sha256=%s", right);
        wrong[7 + i] = wrong[7 + i] == '0' ? '1' : '0';
        CHECK_EQ(wrong, one_header(github(), wrong), VERDICT_MISMATCH);
    }
}

TEST(refuses_what_only_looks_right)
{
    const char *hex = hex_mac(EVP_sha256(), "first secret", BODY);
    const struct {
        const char *what, *header;
        enum verdict verdict;
    } cases[] = {
        { "absent", NULL, VERDICT_MISSING },
        { "empty", "", VERDICT_MISSING },
        { "no prefix", hex, VERDICT_MISMATCH },
        { "prefix in capitals", text_of("SHA256=%s", hex), VERDICT_MISMATCH },
        { "another prefix", text_of("sha1=%s", hex), VERDICT_MISMATCH },
        { "prefix only", "sha256=", VERDICT_MISMATCH },
        { "twice the prefix", text_of("sha256=sha256=%s", hex), VERDICT_MISMATCH },
        { "cut by one", text_of("sha256=%.63s", hex), VERDICT_MISMATCH },
        { "cut by two", text_of("sha256=%.62s", hex), VERDICT_MISMATCH },
        { "longer", text_of("sha256=%s00", hex), VERDICT_MISMATCH },
        { "twice", text_of("sha256=%s%s", hex, hex), VERDICT_MISMATCH },
        { "a space in front", text_of("sha256= %s", hex), VERDICT_MISMATCH },
        { "a zero as prefix", text_of("sha256=0x%s", hex), VERDICT_MISMATCH },
        { "a list", text_of("sha256=%s,sha256=%s", hex, hex), VERDICT_MISMATCH },
        { "base64", text_of("sha256=%s", base64_mac("first secret", 12, BODY)), VERDICT_MISMATCH },
        { "another secret", text_of("sha256=%s", hex_mac(EVP_sha256(), "second secret", BODY)), VERDICT_MISMATCH },
        { "the empty secret", text_of("sha256=%s", hex_mac(EVP_sha256(), "", BODY)), VERDICT_MISMATCH },
        { "the body encoded again", text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", "{\"a\":\"é\"}")),
          VERDICT_MISMATCH },
        { "the body with a line end", text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", BODY "\n")), VERDICT_MISMATCH },
        { "the empty body", text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", "")), VERDICT_MISMATCH },
        { "another algorithm", text_of("sha256=%s", hex_mac(EVP_sha1(), "first secret", BODY)), VERDICT_MISMATCH },
        { "no hex", text_of("sha256=%.63sg", hex), VERDICT_MISMATCH },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].what, one_header(github(), cases[i].header), cases[i].verdict);
}

TEST(refuses_a_header_that_comes_twice)
{
    struct request ask = request(BODY);
    const char *right = text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", BODY));
    with(&ask, "X-Hub-Signature-256", right);
    with(&ask, "x-hub-signature-256", right);
    CHECK_EQ("equal ones", judge_at(github(), &ask, NOW_MS), VERDICT_MISSING);
    ask.headers[0].value = SLICE("sha256=00");
    CHECK_EQ("one of them right", judge_at(github(), &ask, NOW_MS), VERDICT_MISSING);
}

TEST(never_accepts_without_a_secret)
{
    struct verify scheme = github();
    scheme.secrets[0] = SLICE("UNSET");
    CHECK_EQ("unset", one_header(scheme, text_of("sha256=%s", hex_mac(EVP_sha256(), "", BODY))), VERDICT_NO_SECRET);
    scheme.secrets[0] = SLICE("EMPTY");
    CHECK_EQ("empty", one_header(scheme, text_of("sha256=%s", hex_mac(EVP_sha256(), "", BODY))), VERDICT_NO_SECRET);
    scheme.secrets[0] = SLICE("NOT KNOWN");
    CHECK_EQ("unknown", one_header(scheme, "sha256="), VERDICT_NO_SECRET);
    struct verify bad = standard_like();
    bad.secrets[0] = SLICE("ONE");
    CHECK_EQ("not base64", one_header(bad, "v1,AAAA"), VERDICT_NO_SECRET);
}

/* ---- parts with a time ---- */

static const char *stripe_mac(const char *stamp)
{
    return hex_mac(EVP_sha256(), "first secret", text_of("%s.%s", stamp, BODY));
}

TEST(reads_parts_and_their_time)
{
    const char *right = stripe_mac(NOW);
    CHECK_EQ("plain", one_header(stripe(), text_of("t=%s,v1=%s", NOW, right)), VERDICT_VALID);
    CHECK_EQ("a wrong one first", one_header(stripe(), text_of("t=%s,v1=00,v1=%s,v0=11", NOW, right)), VERDICT_VALID);
    CHECK_EQ("order", one_header(stripe(), text_of("v1=%s,t=%s", right, NOW)), VERDICT_VALID);
    const struct {
        const char *what, *header;
    } wrong[] = {
        { "no time", text_of("v1=%s", right) },
        { "empty time", text_of("t=,v1=%s", right) },
        { "two times", text_of("t=%s,t=%s,v1=%s", NOW, NOW, right) },
        { "no signature", "t=" NOW },
        { "another version", text_of("t=%s,v0=%s", NOW, right) },
        { "another time", text_of("t=1750000001,v1=%s", right) },
        { "a sign", text_of("t=+%s,v1=%s", NOW, stripe_mac("+" NOW)) },
        { "a minus", text_of("t=-%s,v1=%s", NOW, stripe_mac("-" NOW)) },
        { "a space", text_of("t= %s,v1=%s", NOW, stripe_mac(" " NOW)) },
        { "a leading zero", text_of("t=0%s,v1=%s", NOW, stripe_mac("0" NOW)) },
        { "nine digits", text_of("t=175000000,v1=%s", stripe_mac("175000000")) },
        { "fourteen digits", text_of("t=17500000000000,v1=%s", stripe_mac("17500000000000")) },
        { "a point", text_of("t=%s.0,v1=%s", NOW, stripe_mac(NOW ".0")) },
        { "hex digits", text_of("t=0x684ee180,v1=%s", stripe_mac("0x684ee180")) },
        { "digits of another script", text_of("t=１７５０００００００,v1=%s", stripe_mac("１７５０００００００")) },
        { "no comma", text_of("t=%s v1=%s", NOW, right) },
        { "semicolons", text_of("t=%s;v1=%s", NOW, right) },
        { "rubbish", "===,,,=" },
        { "nothing but commas", ",,,," },
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK(wrong[i].what, one_header(stripe(), wrong[i].header) != VERDICT_VALID);
}

TEST(bounds_age_on_both_sides)
{
    const struct {
        const char *stamp;
        enum verdict verdict;
    } cases[] = {
        { "1749999700", VERDICT_VALID },    { "1749999699", VERDICT_STALE },    { "1750000300", VERDICT_VALID },
        { "1750000301", VERDICT_STALE },    { "1000000000", VERDICT_STALE },    { "9999999999", VERDICT_STALE },
        { "1750000000000", VERDICT_VALID }, { "1749999699000", VERDICT_STALE }, { "9999999999999", VERDICT_STALE },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].stamp, one_header(stripe(), text_of("t=%s,v1=%s", cases[i].stamp, stripe_mac(cases[i].stamp))),
                 cases[i].verdict);
}

TEST(bounds_how_much_is_tried)
{
    char header[8192] = "t=" NOW;
    const char *right = stripe_mac(NOW);
    for (int i = 0; i < 15; i++)
        strcat(header, ",v1=00");
    strcat(header, ",v1=");
    strcat(header, right);
    CHECK_EQ("sixteen", one_header(stripe(), header), VERDICT_VALID);
    strcat(header, ",v1=00");
    CHECK_EQ("seventeen", one_header(stripe(), header), VERDICT_MALFORMED);
    struct verify scheme = github();
    char long_one[4200];
    memset(long_one, 'a', sizeof(long_one));
    long_one[4097] = '\0';
    CHECK_EQ("4 KiB + 1", one_header(scheme, long_one), VERDICT_MALFORMED);
}

/* ---- a time in another header ---- */

static enum verdict slack_ask(const char *stamp, const char *signature)
{
    struct request ask = request(BODY);
    if (stamp)
        with(&ask, "x-slack-request-timestamp", stamp);
    with(&ask, "x-slack-signature", signature);
    return judge_at(slack_like(), &ask, NOW_MS);
}

TEST(takes_the_time_from_its_own_header)
{
    const char *right = text_of("v0=%s", hex_mac(EVP_sha256(), "first secret", text_of("v0:%s:%s", NOW, BODY)));
    CHECK_EQ("right", slack_ask(NOW, right), VERDICT_VALID);
    CHECK_EQ("absent", slack_ask(NULL, right), VERDICT_MISSING);
    CHECK_EQ("empty", slack_ask("", right), VERDICT_MISSING);
    CHECK_EQ("another", slack_ask("1750000001", right), VERDICT_MISMATCH);
    CHECK_EQ("the body is no template",
             slack_ask(NOW, text_of("v0=%s", hex_mac(EVP_sha256(), "first secret", text_of("v0:%s:{body}", NOW)))),
             VERDICT_MISMATCH);
}

/* ---- Standard Webhooks ---- */

static enum verdict standard_ask(const char *id, const char *stamp, const char *signature)
{
    struct request ask = request(BODY);
    if (id)
        with(&ask, "webhook-id", id);
    if (stamp)
        with(&ask, "webhook-timestamp", stamp);
    if (signature)
        with(&ask, "Webhook-Signature", signature);
    return judge_at(standard_like(), &ask, NOW_MS);
}

TEST(follows_standard_webhooks)
{
    const char *right = standard_mac(text_of("msg_1.%s.%s", NOW, BODY));
    CHECK_EQ("one", standard_ask("msg_1", NOW, text_of("v1,%s", right)), VERDICT_VALID);
    CHECK_EQ("among others", standard_ask("msg_1", NOW, text_of("v1a,AAAA v0,BBBB v1,CCCC v1,%s", right)), VERDICT_VALID);
    char long_id[300];
    memset(long_id, 'a', sizeof(long_id));
    long_id[256] = '\0';
    CHECK_EQ("256 characters of id",
             standard_ask(long_id, NOW, text_of("v1,%s", standard_mac(text_of("%s.%s.%s", long_id, NOW, BODY)))), VERDICT_VALID);
    long_id[256] = 'a';
    long_id[257] = '\0';
    const struct {
        const char *what, *id, *stamp, *signature;
    } wrong[] = {
        { "257 characters of id", long_id, NOW, text_of("v1,%s", standard_mac(text_of("%s.%s.%s", long_id, NOW, BODY))) },
        { "an id with a point", "a.b", NOW, text_of("v1,%s", standard_mac(text_of("a.b.%s.%s", NOW, BODY))) },
        { "an id with a space", "a b", NOW, text_of("v1,%s", standard_mac(text_of("a b.%s.%s", NOW, BODY))) },
        { "an id that is not ASCII", "é", NOW, text_of("v1,%s", standard_mac(text_of("é.%s.%s", NOW, BODY))) },
        { "no id", NULL, NOW, text_of("v1,%s", right) },
        { "an empty id", "", NOW, text_of("v1,%s", standard_mac(text_of(".%s.%s", NOW, BODY))) },
        { "another id", "msg_2", NOW, text_of("v1,%s", right) },
        { "no time", "msg_1", NULL, text_of("v1,%s", right) },
        { "another time", "msg_1", "1750000001", text_of("v1,%s", right) },
        { "stale", "msg_1", "1749999000", text_of("v1,%s", standard_mac(text_of("msg_1.1749999000.%s", BODY))) },
        { "no signature", "msg_1", NOW, NULL },
        { "no version", "msg_1", NOW, right },
        { "version of another kind", "msg_1", NOW, text_of("v1a,%s", right) },
        { "no padding", "msg_1", NOW, text_of("v1,%.43s", right) },
        { "something behind", "msg_1", NOW, text_of("v1,%sA", right) },
        { "a comma too many", "msg_1", NOW, text_of("v1,,%s", right) },
        { "joined by commas", "msg_1", NOW, text_of("v1,%s,v1,%s", right, right) },
        { "hex", "msg_1", NOW, text_of("v1,%s", hex_mac(EVP_sha256(), "first secret", BODY)) },
        { "the secret as text", "msg_1", NOW,
          text_of("v1,%s", base64_mac("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38, text_of("msg_1.%s.%s", NOW, BODY))) },
        { "id and time swapped", NOW, "msg_1", text_of("v1,%s", right) },
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK(wrong[i].what, standard_ask(wrong[i].id, wrong[i].stamp, wrong[i].signature) != VERDICT_VALID);
}

TEST(knows_bits_that_base64_does_not_carry)
{
    char forged[64];
    snprintf(forged, sizeof(forged), "v1,%s", standard_mac(text_of("msg_1.%s.%s", NOW, BODY)));
    char *last = &forged[strlen(forged) - 2]; /* before the '=': two of its bits mean nothing */
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    *last = alphabet[(strchr(alphabet, *last) - alphabet) ^ 1];
    CHECK_EQ("another spelling of the same bytes", standard_ask("msg_1", NOW, forged), VERDICT_MISMATCH);
}

/* ---- method, path and headers ---- */

static enum verdict whole_ask(const char *method, const char *path, const char *tenant, const char *again)
{
    struct verify scheme = github();
    struct request ask = request(BODY);
    scheme.signed_parts = whole;
    scheme.signed_count = COUNT(whole);
    ask.method = method;
    ask.path = path;
    with(&ask, "X-Hub-Signature-256", text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", "POST /in\nacme{body}" BODY)));
    if (tenant)
        with(&ask, "X-Tenant", tenant);
    if (again)
        with(&ask, "x-tenant", again);
    return judge_at(scheme, &ask, NOW_MS);
}

TEST(signs_over_method_path_and_headers)
{
    CHECK_EQ("right", whole_ask("POST", "/in", "acme", NULL), VERDICT_VALID);
    CHECK_EQ("method", whole_ask("PUT", "/in", "acme", NULL), VERDICT_MISMATCH);
    CHECK_EQ("path", whole_ask("POST", "/out", "acme", NULL), VERDICT_MISMATCH);
    CHECK_EQ("header", whole_ask("POST", "/in", "other", NULL), VERDICT_MISMATCH);
    CHECK_EQ("header absent", whole_ask("POST", "/in", NULL, NULL), VERDICT_MISSING);
    CHECK_EQ("header empty", whole_ask("POST", "/in", "", NULL), VERDICT_MISSING);
    CHECK_EQ("header twice", whole_ask("POST", "/in", "acme", "acme"), VERDICT_MISSING);
}

/* ---- bearer, none ---- */

TEST(compares_bearer_tokens)
{
    struct verify scheme = {
        .scheme = VERIFY_BEARER, .header = SLICE("authorization"), .secrets = { SLICE("ONE"), SLICE("TWO") }, .secret_count = 2
    };
    CHECK_EQ("first", one_header(scheme, "Bearer first secret"), VERDICT_VALID);
    CHECK_EQ("second", one_header(scheme, "bearer second secret"), VERDICT_VALID);
    const char *const wrong[] = { NULL,
                                  "",
                                  "Bearer",
                                  "Bearer ",
                                  "first secret",
                                  "Basic first secret",
                                  "Bearer  first secret",
                                  "Bearer first secre",
                                  "Bearer first secret ",
                                  "Bearer First secret",
                                  "Bearer first secret, Bearer first secret" };
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK(wrong[i] ? wrong[i] : "absent", one_header(scheme, wrong[i]) != VERDICT_VALID);
    struct request twice = request(BODY);
    with(&twice, "Authorization", "Bearer first secret");
    with(&twice, "Authorization", "Bearer first secret");
    CHECK_EQ("twice", judge_at(scheme, &twice, NOW_MS), VERDICT_MISSING);
}

TEST(asks_nothing_where_nothing_is_asked)
{
    struct verify none = { .scheme = VERIFY_NONE };
    struct request ask = request("");
    CHECK_EQ("none", judge_at(none, &ask, NOW_MS), VERDICT_VALID);
}

TEST_MAIN()
