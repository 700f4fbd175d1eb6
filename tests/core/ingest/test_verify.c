/* Signatures: what is right passes, and more than a hundred ways to be wrong do not. Digests are computed here by HMAC(),
 * independently of the engine. */
#include "check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdarg.h>

#include "base/arena.h"
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
    { SLICE("ONLY PREFIX"), SLICE("whsec_") },
    { SLICE("ONLY PADDING"), SLICE("whsec_====") },
    { SLICE("PADDING WITHIN"), SLICE("whsec_AA==AAAA") },
    { SLICE("BLANK"), SLICE("        ") },
};
static struct generation generation = { .secrets = secrets, .secret_count = COUNT(secrets) };

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

static struct arena texts; /* of all tests: what a table holds must still be there when its last row is judged */

static const char *kept(const void *bytes, size_t len)
{
    struct slice copy = arena_copy(&texts, slice_make(bytes, len));
    if (!copy.data)
        abort();
    return copy.data;
}

static const char *hex_mac(const EVP_MD *algorithm, const char *key, const char *text)
{
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    HMAC(algorithm, key, (int)strlen(key), (const unsigned char *)text, strlen(text), digest, &len);
    for (unsigned i = 0; i < len; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
    return kept(hex, 2 * len);
}

static const char *base64_mac(const void *key, int key_len, const char *text)
{
    char encoded[2 * EVP_MAX_MD_SIZE];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    HMAC(EVP_sha256(), key, key_len, (const unsigned char *)text, strlen(text), digest, &len);
    return kept(encoded, (size_t)EVP_EncodeBlock((unsigned char *)encoded, digest, (int)len));
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
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return kept(text, (size_t)len);
}

static const char *upper(const char *text)
{
    char copy[256];
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        copy[i] = (char)(text[i] >= 'a' && text[i] <= 'f' ? text[i] - 0x20 : text[i]);
    return kept(copy, len);
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

static struct verify_input input_of(const struct request *ask, uint64_t now_ms)
{
    return (struct verify_input){ .method = slice_of(ask->method),
                                  .path = slice_of(ask->path),
                                  .query = SLICE(""),
                                  .headers = ask->headers,
                                  .header_count = ask->count,
                                  .body = slice_of(ask->body),
                                  .now_ms = now_ms };
}

/* What is refused says nothing further. */
static enum verdict judge_for(struct verify scheme, const struct request *ask, uint64_t now_ms, struct verify_result *result)
{
    struct verifier *verifier = verifier_new(&scheme, &generation);
    struct verify_input input = input_of(ask, now_ms);
    enum verdict verdict = verify_request(verifier, &input, result);
    verifier_free(verifier);
    CHECK("refused, yet with a result", verdict == VERDICT_VALID || (!result->signature_bytes && !result->time_ms));
    return verdict;
}

static enum verdict judge_at(struct verify scheme, const struct request *ask, uint64_t now_ms)
{
    struct verify_result result;
    return judge_for(scheme, ask, now_ms, &result);
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

TEST(reads_hex_digits_of_either_case)
{
    const char *right = hex_mac(EVP_sha256(), "first secret", BODY);
    CHECK_EQ("capitals", one_header(github(), text_of("sha256=%s", upper(right))), VERDICT_VALID);
    CHECK_EQ("mixed", one_header(github(), text_of("sha256=%.32s%s", right, upper(right + 32))), VERDICT_VALID);
}

TEST(takes_the_secret_as_the_text_it_is)
{
    struct verify scheme = stripe();
    scheme.secrets[0] = SLICE("STANDARD");
    const char *text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    CHECK_EQ("its text", one_header(scheme, text_of("t=%s,v1=%s", NOW, hex_mac(EVP_sha256(), text, NOW "." BODY))),
             VERDICT_VALID);
    CHECK_EQ("without its prefix", one_header(scheme, text_of("t=%s,v1=%s", NOW, hex_mac(EVP_sha256(), text + 6, NOW "." BODY))),
             VERDICT_MISMATCH);
}

/* Each digit to each other value, so that every bit counts: 64 * 15 forgeries. */
TEST(refuses_every_changed_digit)
{
    const char *right = hex_mac(EVP_sha256(), "first secret", BODY);
    for (int i = 0; i < 64; i++)
        for (const char *digit = "0123456789abcdef"; *digit; digit++) {
            char wrong[80];
            snprintf(wrong, sizeof(wrong), "sha256=%s", right);
            wrong[7 + i] = *digit;
            CHECK_EQ(wrong, one_header(github(), wrong), *digit == right[i] ? VERDICT_VALID : VERDICT_MISMATCH);
        }
}

TEST(refuses_every_shorter_digest)
{
    const char *right = hex_mac(EVP_sha256(), "first secret", BODY);
    for (int len = 0; len < 64; len++)
        CHECK_EQ("cut", one_header(github(), text_of("sha256=%.*s", len, right)), VERDICT_MISMATCH);
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
        { "a space before the prefix", text_of(" sha256=%s", hex), VERDICT_MISMATCH },
        { "a space behind", text_of("sha256=%s ", hex), VERDICT_MISMATCH },
        { "a line end behind", text_of("sha256=%s\n", hex), VERDICT_MISMATCH },
        { "a space for the last digit", text_of("sha256=%.63s ", hex), VERDICT_MISMATCH },
        { "a space within", text_of("sha256=%.32s %s", hex, hex + 32), VERDICT_MISMATCH },
        { "half of the prefix", text_of("sha256%s", hex), VERDICT_MISMATCH },
        { "quoted", text_of("sha256=\"%s\"", hex), VERDICT_MISMATCH },
        { "a space only", " ", VERDICT_MISMATCH },
        { "the body's SHA-256 without a key", "sha256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862",
          VERDICT_MISMATCH },
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
        { "not ASCII", text_of("sha256=%.62sé", hex), VERDICT_MISMATCH },
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
    static const char *const no_keys[] = { "ONE", "ONLY PREFIX", "ONLY PADDING", "PADDING WITHIN", "BLANK" };
    for (size_t i = 0; i < COUNT(no_keys); i++) {
        bad.secrets[0] = slice_of(no_keys[i]);
        CHECK_EQ(no_keys[i], one_header(bad, "v1,AAAA"), VERDICT_NO_SECRET);
    }
    struct verify bearer = { .scheme = VERIFY_BEARER, .secrets = { SLICE("EMPTY") }, .secret_count = 1 };
    struct request ask = request(BODY);
    with(&ask, "authorization", "Bearer ");
    CHECK_EQ("bearer", judge_at(bearer, &ask, NOW_MS), VERDICT_NO_SECRET);
    bearer.secret_count = 0;
    CHECK_EQ("none named", judge_at(bearer, &ask, NOW_MS), VERDICT_NO_SECRET);
}

TEST(one_secret_that_is_set_is_enough)
{
    struct verify scheme = github();
    scheme.secrets[0] = SLICE("UNSET");
    scheme.secrets[1] = SLICE("EMPTY");
    scheme.secrets[2] = SLICE("TWO");
    scheme.secret_count = 3;
    CHECK_EQ("right", one_header(scheme, text_of("sha256=%s", hex_mac(EVP_sha256(), "second secret", BODY))), VERDICT_VALID);
    CHECK_EQ("by the empty one", one_header(scheme, text_of("sha256=%s", hex_mac(EVP_sha256(), "", BODY))), VERDICT_MISMATCH);
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
        enum verdict verdict;
    } wrong[] = {
        { "no time", text_of("v1=%s", right), VERDICT_MISSING },
        { "empty time", text_of("t=,v1=%s", right), VERDICT_MISSING },
        { "two times", text_of("t=%s,t=%s,v1=%s", NOW, NOW, right), VERDICT_MALFORMED },
        { "no signature", "t=" NOW, VERDICT_MISMATCH },
        { "another version", text_of("t=%s,v0=%s", NOW, right), VERDICT_MISMATCH },
        { "another time", text_of("t=1750000001,v1=%s", right), VERDICT_MISMATCH },
        { "a sign", text_of("t=+%s,v1=%s", NOW, stripe_mac("+" NOW)), VERDICT_MALFORMED },
        { "a minus", text_of("t=-%s,v1=%s", NOW, stripe_mac("-" NOW)), VERDICT_MALFORMED },
        { "a space", text_of("t= %s,v1=%s", NOW, stripe_mac(" " NOW)), VERDICT_MALFORMED },
        { "a leading zero", text_of("t=0%s,v1=%s", NOW, stripe_mac("0" NOW)), VERDICT_MALFORMED },
        { "nine digits", text_of("t=175000000,v1=%s", stripe_mac("175000000")), VERDICT_MALFORMED },
        { "fourteen digits", text_of("t=17500000000000,v1=%s", stripe_mac("17500000000000")), VERDICT_MALFORMED },
        { "a point", text_of("t=%s.0,v1=%s", NOW, stripe_mac(NOW ".0")), VERDICT_MALFORMED },
        { "hex digits", text_of("t=0x684ee180,v1=%s", stripe_mac("0x684ee180")), VERDICT_MALFORMED },
        { "digits of another script", text_of("t=１７５０００００００,v1=%s", stripe_mac("１７５０００００００")),
          VERDICT_MALFORMED },
        { "no comma", text_of("t=%s v1=%s", NOW, right), VERDICT_MALFORMED },
        { "semicolons", text_of("t=%s;v1=%s", NOW, right), VERDICT_MALFORMED },
        { "an empty signature", "t=" NOW ",v1=", VERDICT_MISMATCH },
        { "the name in capitals", text_of("t=%s,V1=%s", NOW, right), VERDICT_MISMATCH },
        { "a longer name", text_of("t=%s,v11=%s", NOW, right), VERDICT_MISMATCH },
        { "a space in the name", text_of("t=%s,v1 =%s", NOW, right), VERDICT_MISMATCH },
        { "a time too late to count", text_of("v1=%s,T=%s", right, NOW), VERDICT_MISSING },
        { "a right one for another body", text_of("t=%s,v1=%s", NOW, hex_mac(EVP_sha256(), "first secret", NOW "." BODY " ")),
          VERDICT_MISMATCH },
        { "another mark between", text_of("t=%s,v1=%s", NOW, hex_mac(EVP_sha256(), "first secret", NOW ":" BODY)),
          VERDICT_MISMATCH },
        { "the body alone", text_of("t=%s,v1=%s", NOW, hex_mac(EVP_sha256(), "first secret", BODY)), VERDICT_MISMATCH },
        { "a part without '='", text_of("t=%s,v1,v1=%s", NOW, right), VERDICT_MALFORMED },
        { "rubbish", "===,,,=", VERDICT_MALFORMED },
        { "nothing but commas", ",,,,", VERDICT_MALFORMED },
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK_EQ(wrong[i].what, one_header(stripe(), wrong[i].header), wrong[i].verdict);
}

TEST(reads_parts_by_semicolon)
{
    struct verify paddle = stripe();
    paddle.format = FORMAT_PARTS_SEMICOLON;
    paddle.signature = SLICE("h1");
    paddle.timestamp.part = SLICE("ts");
    const char *right = stripe_mac(NOW);
    CHECK_EQ("one", one_header(paddle, text_of("ts=%s;h1=%s", NOW, right)), VERDICT_VALID);
    CHECK_EQ("two", one_header(paddle, text_of("ts=%s;h1=00;h1=%s", NOW, right)), VERDICT_VALID);
    CHECK_EQ("commas", one_header(paddle, text_of("ts=%s,h1=%s", NOW, right)), VERDICT_MALFORMED);
    CHECK_EQ("Stripe's names", one_header(paddle, text_of("t=%s;v1=%s", NOW, right)), VERDICT_MISSING);
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
        { "1749999700000", VERDICT_VALID }, { "1750000300000", VERDICT_VALID }, { "1750000301000", VERDICT_STALE },
        { "17500000000", VERDICT_STALE },   { "175000000000", VERDICT_STALE },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].stamp, one_header(stripe(), text_of("t=%s,v1=%s", cases[i].stamp, stripe_mac(cases[i].stamp))),
                 cases[i].verdict);
}

TEST(takes_only_thirteen_digits_for_milliseconds)
{
    struct request ask = request(BODY);
    with(&ask, "Stripe-Signature", text_of("t=100000000000,v1=%s", stripe_mac("100000000000")));
    CHECK_EQ("twelve digits are seconds", judge_at(stripe(), &ask, 100000000000000), VERDICT_VALID);
    CHECK_EQ("and no milliseconds", judge_at(stripe(), &ask, 100000000000), VERDICT_STALE);
}

/* A stamp says the second it was made in; the clock here is somewhere within one. */
TEST(allows_for_the_fraction_of_a_second)
{
    struct request ask = request(BODY);
    with(&ask, "Stripe-Signature", text_of("t=%s,v1=%s", NOW, stripe_mac(NOW)));
    CHECK_EQ("300.999 s old", judge_at(stripe(), &ask, NOW_MS + 300999), VERDICT_VALID);
    CHECK_EQ("301 s old", judge_at(stripe(), &ask, NOW_MS + 301000), VERDICT_STALE);
    CHECK_EQ("300 s early", judge_at(stripe(), &ask, NOW_MS - 300000), VERDICT_VALID);
    CHECK_EQ("301 s early", judge_at(stripe(), &ask, NOW_MS - 301000), VERDICT_STALE);
    CHECK_EQ("a clock at 0", judge_at(stripe(), &ask, 0), VERDICT_STALE);
}

/* Stale is said of right signatures only: it must not tell a forger that the rest was right. */
TEST(says_stale_only_of_what_is_signed)
{
    CHECK_EQ("old and wrong", one_header(stripe(), text_of("t=1000000000,v1=%s", stripe_mac(NOW))), VERDICT_MISMATCH);
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
    char parts[4200];
    for (int len = 4096; len <= 4097; len++) {
        int used = snprintf(parts, sizeof(parts), "t=%s,v1=%s,x=", NOW, right);
        memset(parts + used, 'a', sizeof(parts) - (size_t)used);
        parts[len] = '\0';
        CHECK_EQ("a right one, and padding", one_header(stripe(), parts), len == 4096 ? VERDICT_VALID : VERDICT_MALFORMED);
    }
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
    CHECK_EQ("another version", slack_ask(NOW, text_of("v1=%s", right + 3)), VERDICT_MISMATCH);
    CHECK_EQ("no version", slack_ask(NOW, right + 3), VERDICT_MISMATCH);
    CHECK_EQ("the body is no template",
             slack_ask(NOW, text_of("v0=%s", hex_mac(EVP_sha256(), "first secret", text_of("v0:%s:{body}", NOW)))),
             VERDICT_MISMATCH);
}

/* Each rightly signed, so that only its spelling can refuse it. */
TEST(reads_a_time_in_one_spelling_only)
{
    static const char *const stamps[] = { "+" NOW,
                                          "-" NOW,
                                          " " NOW,
                                          NOW " ",
                                          "0" NOW,
                                          "175000000",
                                          "17500000000000",
                                          NOW ".0",
                                          "0x684ee180",
                                          "1.75e9",
                                          "175000000O",
                                          "1,750,000,000",
                                          "1750000000\t",
                                          "now",
                                          "0",
                                          "0000000000",
                                          "1750000000L",
                                          "\xd9\xa1"
                                          "750000000",
                                          "１７５０００００００",
                                          "{timestamp}",
                                          "99999999999999999999" };
    for (size_t i = 0; i < COUNT(stamps); i++)
        CHECK_EQ(
            stamps[i],
            slack_ask(stamps[i], text_of("v0=%s", hex_mac(EVP_sha256(), "first secret", text_of("v0:%s:%s", stamps[i], BODY)))),
            VERDICT_MALFORMED);
    struct request twice = request(BODY);
    with(&twice, "x-slack-request-timestamp", NOW);
    with(&twice, "X-Slack-Request-Timestamp", NOW);
    with(&twice, "x-slack-signature", text_of("v0=%s", hex_mac(EVP_sha256(), "first secret", "v0:" NOW ":" BODY)));
    CHECK_EQ("twice", judge_at(slack_like(), &twice, NOW_MS), VERDICT_MISSING);
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
        enum verdict verdict;
    } wrong[] = {
        { "257 characters of id", long_id, NOW, text_of("v1,%s", standard_mac(text_of("%s.%s.%s", long_id, NOW, BODY))),
          VERDICT_MALFORMED },
        { "an id with a point", "a.b", NOW, text_of("v1,%s", standard_mac(text_of("a.b.%s.%s", NOW, BODY))), VERDICT_MALFORMED },
        { "an id with a space", "a b", NOW, text_of("v1,%s", standard_mac(text_of("a b.%s.%s", NOW, BODY))), VERDICT_MALFORMED },
        { "an id that is not ASCII", "é", NOW, text_of("v1,%s", standard_mac(text_of("é.%s.%s", NOW, BODY))), VERDICT_MALFORMED },
        { "an id with a control", "a\tb", NOW, text_of("v1,%s", standard_mac(text_of("a\tb.%s.%s", NOW, BODY))),
          VERDICT_MALFORMED },
        { "an id with DEL", "a\x7f", NOW, text_of("v1,%s", standard_mac(text_of("a\x7f.%s.%s", NOW, BODY))), VERDICT_MALFORMED },
        { "the point moved from time to id", "msg_1." NOW, "1750000001", text_of("v1,%s", right), VERDICT_MALFORMED },
        { "no id", NULL, NOW, text_of("v1,%s", right), VERDICT_MISSING },
        { "an empty id", "", NOW, text_of("v1,%s", standard_mac(text_of(".%s.%s", NOW, BODY))), VERDICT_MISSING },
        { "another id", "msg_2", NOW, text_of("v1,%s", right), VERDICT_MISMATCH },
        { "no time", "msg_1", NULL, text_of("v1,%s", right), VERDICT_MISSING },
        { "another time", "msg_1", "1750000001", text_of("v1,%s", right), VERDICT_MISMATCH },
        { "stale", "msg_1", "1749999000", text_of("v1,%s", standard_mac(text_of("msg_1.1749999000.%s", BODY))), VERDICT_STALE },
        { "no signature", "msg_1", NOW, NULL, VERDICT_MISSING },
        { "no version", "msg_1", NOW, right, VERDICT_MALFORMED },
        { "version of another kind", "msg_1", NOW, text_of("v1a,%s", right), VERDICT_MISMATCH },
        { "no padding", "msg_1", NOW, text_of("v1,%.43s", right), VERDICT_MISMATCH },
        { "one '=' too many", "msg_1", NOW, text_of("v1,%s=", right), VERDICT_MISMATCH },
        { "'=' for the last digit", "msg_1", NOW, text_of("v1,%.42s==", right), VERDICT_MISMATCH },
        { "a line end behind", "msg_1", NOW, text_of("v1,%s\n", right), VERDICT_MISMATCH },
        { "a line end for the padding", "msg_1", NOW, text_of("v1,%.43s\n", right), VERDICT_MISMATCH },
        { "a tab in front", "msg_1", NOW, text_of("v1,\t%s", right), VERDICT_MISMATCH },
        { "a space behind the comma", "msg_1", NOW, text_of("v1, %s", right), VERDICT_MALFORMED },
        { "the version in capitals", "msg_1", NOW, text_of("V1,%s", right), VERDICT_MISMATCH },
        { "an equals sign for the comma", "msg_1", NOW, text_of("v1=%s", right), VERDICT_MALFORMED },
        { "a bare word among them", "msg_1", NOW, text_of("v1,%s v1", right), VERDICT_MALFORMED },
        { "the version alone", "msg_1", NOW, "v1,", VERDICT_MISMATCH },
        { "unknown versions only", "msg_1", NOW, text_of("v0,%s v1a,%s v2,%s", right, right, right), VERDICT_MISMATCH },
        { "no digest at all", "msg_1", NOW, "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", VERDICT_MISMATCH },
        { "something behind", "msg_1", NOW, text_of("v1,%sA", right), VERDICT_MISMATCH },
        { "a comma too many", "msg_1", NOW, text_of("v1,,%s", right), VERDICT_MISMATCH },
        { "joined by commas", "msg_1", NOW, text_of("v1,%s,v1,%s", right, right), VERDICT_MISMATCH },
        { "hex", "msg_1", NOW, text_of("v1,%s", hex_mac(EVP_sha256(), "first secret", BODY)), VERDICT_MISMATCH },
        { "the secret as text", "msg_1", NOW,
          text_of("v1,%s", base64_mac("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38, text_of("msg_1.%s.%s", NOW, BODY))),
          VERDICT_MISMATCH },
        { "id and time swapped", NOW, "msg_1", text_of("v1,%s", right), VERDICT_MALFORMED },
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK_EQ(wrong[i].what, standard_ask(wrong[i].id, wrong[i].stamp, wrong[i].signature), wrong[i].verdict);
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

/* "+/" of base64 become "-_" in its URL form: another alphabet is another text. */
TEST(knows_one_alphabet_of_base64)
{
    for (int i = 0;; i++) {
        const char *id = text_of("msg_%d", i), *right = standard_mac(text_of("%s.%s.%s", id, NOW, BODY));
        if (!strpbrk(right, "+/"))
            continue;
        char *other = (char *)text_of("v1,%s", right);
        for (char *at = other; *at; at++)
            *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at);
        CHECK_EQ("as it is", standard_ask(id, NOW, text_of("v1,%s", right)), VERDICT_VALID);
        CHECK_EQ("of the URL form", standard_ask(id, NOW, other), VERDICT_MISMATCH);
        return;
    }
}

TEST(refuses_a_part_that_comes_twice)
{
    const char *const names[] = { "webhook-id", "webhook-timestamp", "webhook-signature" };
    const char *const values[] = { "msg_1", NOW, text_of("v1,%s", standard_mac("msg_1." NOW "." BODY)) };
    for (size_t twice = 0; twice < COUNT(names); twice++) {
        struct request ask = request(BODY);
        for (size_t i = 0; i < COUNT(names); i++)
            with(&ask, names[i], values[i]);
        CHECK_EQ("once", judge_at(standard_like(), &ask, NOW_MS), VERDICT_VALID);
        with(&ask, names[twice], values[twice]);
        CHECK_EQ(names[twice], judge_at(standard_like(), &ask, NOW_MS), VERDICT_MISSING);
    }
}

static struct slice hex_of(const struct verify_result *result)
{
    char hex[2 * SIGNATURE_BYTES_MAX + 1];
    for (size_t i = 0; i < result->signature_bytes; i++)
        sprintf(hex + 2 * i, "%02x", result->signature[i]);
    return slice_of(kept(hex, 2 * result->signature_bytes));
}

static struct slice base64_of(const struct verify_result *result)
{
    char encoded[2 * SIGNATURE_BYTES_MAX];
    int len = EVP_EncodeBlock((unsigned char *)encoded, result->signature, (int)result->signature_bytes);
    return slice_of(kept(encoded, (size_t)len));
}

TEST(tells_what_a_valid_request_said)
{
    struct verify_result result;
    struct request ask = request(BODY);
    const char *right = standard_mac("msg_1." NOW "." BODY);
    with(&ask, "webhook-id", "msg_1");
    with(&ask, "webhook-timestamp", NOW);
    with(&ask, "webhook-signature", text_of("v1,AAAA v1,%s v1,BBBB", right));
    CHECK_EQ("standard", judge_for(standard_like(), &ask, NOW_MS + 1, &result), VERDICT_VALID);
    CHECK_EQ("its time", result.time_ms, NOW_MS);
    CHECK_SLICE("the one that matched", base64_of(&result), right);

    ask = request(BODY);
    with(&ask, "x-hub-signature-256", text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", BODY)));
    CHECK_EQ("github", judge_for(github(), &ask, NOW_MS, &result), VERDICT_VALID);
    CHECK_EQ("no time", result.time_ms, 0);
    CHECK_SLICE("without the prefix", hex_of(&result), hex_mac(EVP_sha256(), "first secret", BODY));
    ask.headers[0].value = slice_of(text_of("sha256=%s", upper(hex_mac(EVP_sha256(), "first secret", BODY))));
    CHECK_EQ("in capitals", judge_for(github(), &ask, NOW_MS, &result), VERDICT_VALID);
    CHECK_SLICE("it is the same one", hex_of(&result), hex_mac(EVP_sha256(), "first secret", BODY));

    ask = request(BODY);
    with(&ask, "stripe-signature", text_of("t=1750000000123,v1=%s", stripe_mac("1750000000123")));
    CHECK_EQ("milliseconds", judge_for(stripe(), &ask, NOW_MS, &result), VERDICT_VALID);
    CHECK_EQ("as they are", result.time_ms, 1750000000123);
}

/* One verifier serves one request after another: none leaves anything behind for the next. */
TEST(forgets_the_request_before)
{
    struct verify scheme = github();
    struct verifier *verifier = verifier_new(&scheme, &generation);
    struct request right = request(BODY), wrong = request("{}");
    const char *signature = text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", BODY));
    with(&right, "x-hub-signature-256", signature);
    with(&wrong, "x-hub-signature-256", signature);
    for (int i = 0; i < 4; i++) {
        struct verify_result result;
        struct verify_input input = input_of(i % 2 ? &right : &wrong, NOW_MS);
        CHECK_EQ("in turn", verify_request(verifier, &input, &result), i % 2 ? VERDICT_VALID : VERDICT_MISMATCH);
        CHECK_EQ("a result", result.signature_bytes, i % 2 ? 32 : 0);
    }
    verifier_free(verifier);
    verifier_free(NULL);
}

TEST(signs_bytes_whatever_they_are)
{
    static const char body[] = "\0\xff\x80{body}\r\n\0";
    unsigned char digest[32];
    char header[80] = "sha256=";
    HMAC(EVP_sha256(), "first secret", 12, (const unsigned char *)body, sizeof(body), digest, NULL);
    for (int i = 0; i < 32; i++)
        sprintf(header + 7 + 2 * i, "%02x", digest[i]);
    struct verify scheme = github();
    struct verifier *verifier = verifier_new(&scheme, &generation);
    struct pair pair = { SLICE("x-hub-signature-256"), slice_of(header) };
    struct verify_input input = { .method = SLICE("POST"),
                                  .path = SLICE("/in"),
                                  .query = SLICE(""),
                                  .headers = &pair,
                                  .header_count = 1,
                                  .body = { body, sizeof(body) },
                                  .now_ms = NOW_MS };
    struct verify_result result;
    CHECK_EQ("all of them", verify_request(verifier, &input, &result), VERDICT_VALID);
    input.body.len--;
    CHECK_EQ("without the last zero", verify_request(verifier, &input, &result), VERDICT_MISMATCH);
    verifier_free(verifier);
    CHECK_EQ("no body", one_header(github(), text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", ""))), VERDICT_MISMATCH);
    struct request empty = request("");
    with(&empty, "x-hub-signature-256", text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", "")));
    CHECK_EQ("the empty body, signed", judge_at(github(), &empty, NOW_MS), VERDICT_VALID);
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
    CHECK_EQ("method in lower case", whole_ask("post", "/in", "acme", NULL), VERDICT_MISMATCH);
    CHECK_EQ("method and path swapped", whole_ask("/in", "POST", "acme", NULL), VERDICT_MISMATCH);
    CHECK_EQ("path spelled otherwise", whole_ask("POST", "/%69n", "acme", NULL), VERDICT_MISMATCH);
    CHECK_EQ("header and body not told apart", whole_ask("POST", "/in", "acme{body}", NULL), VERDICT_MISMATCH);
    CHECK_EQ("header absent", whole_ask("POST", "/in", NULL, NULL), VERDICT_MISSING);
    CHECK_EQ("header empty", whole_ask("POST", "/in", "", NULL), VERDICT_MISSING);
    CHECK_EQ("header twice", whole_ask("POST", "/in", "acme", "acme"), VERDICT_MISSING);
}

/* What a sender puts in is data: a header that says "{body}" is signed as these six bytes. */
TEST(never_reads_data_as_a_template)
{
    static const char *const values[] = { "{body}", "{timestamp}", "{id}", "{header:x-tenant}", "%s%n" };
    for (size_t i = 0; i < COUNT(values); i++) {
        struct verify scheme = github();
        struct request ask = request(BODY);
        scheme.signed_parts = whole;
        scheme.signed_count = COUNT(whole);
        with(&ask, "x-tenant", values[i]);
        with(&ask, "x-hub-signature-256",
             text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", text_of("POST /in\n%s{body}%s", values[i], BODY))));
        CHECK_EQ(values[i], judge_at(scheme, &ask, NOW_MS), VERDICT_VALID);
        ask.headers[1].value =
            slice_of(text_of("sha256=%s", hex_mac(EVP_sha256(), "first secret", text_of("POST /in\n%s{body}%s", BODY, BODY))));
        CHECK_EQ(values[i], judge_at(scheme, &ask, NOW_MS), VERDICT_MISMATCH);
    }
}

/* ---- bearer, none ---- */

TEST(compares_bearer_tokens)
{
    struct verify scheme = {
        .scheme = VERIFY_BEARER, .header = SLICE("authorization"), .secrets = { SLICE("ONE"), SLICE("TWO") }, .secret_count = 2
    };
    CHECK_EQ("first", one_header(scheme, "Bearer first secret"), VERDICT_VALID);
    CHECK_EQ("second", one_header(scheme, "bearer second secret"), VERDICT_VALID);
    const struct {
        const char *header;
        enum verdict verdict;
    } wrong[] = {
        { NULL, VERDICT_MISSING },
        { "", VERDICT_MISSING },
        { "Bearer", VERDICT_MALFORMED },
        { "Bearer ", VERDICT_MALFORMED },
        { "first secret", VERDICT_MALFORMED },
        { "Basic first secret", VERDICT_MALFORMED },
        { " Bearer first secret", VERDICT_MALFORMED },
        { "Bearer\tfirst secret", VERDICT_MALFORMED },
        { "Bearer  first secret", VERDICT_MISMATCH },
        { "Bearer first secre", VERDICT_MISMATCH },
        { "Bearer first secret ", VERDICT_MISMATCH },
        { "Bearer First secret", VERDICT_MISMATCH },
        { "Bearer first secretsecond secret", VERDICT_MISMATCH },
        { "Bearer first secret, Bearer first secret", VERDICT_MISMATCH },
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK_EQ(wrong[i].header ? wrong[i].header : "absent", one_header(scheme, wrong[i].header), wrong[i].verdict);
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
