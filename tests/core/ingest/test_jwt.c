/* verify.jwt: what may call is said by a token. The tokens come from node:crypto. */
#include "check.h"

#include <openssl/hmac.h>

#include "ingest/verify.h"

#define NOW_MS 1750000000000ull
#define ED     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define EC                                                                                                                       \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGWzSVZrG1O+9UZ9WBK+Eb9vGnd9ZNWqc0eztp3Z73PzxkCNSW+LEJ00fmVqaVgNV+liDEu0a8U"             \
    "JQFNZerdIBBw=="
#define RSA                                                                                                                      \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAoXrwJFOlmHcWpvyumhEUldA1QCJ49brsMPIpI1H5RBS2eRBwm7iiePWs4ufJyZU6YN"             \
    "Elke1GSfacTvK+dLMfAXbRTmPJ4B2VsNGBPljvwpIq5SptsCzjV4eLofFUCP/S1wXyaA+UGlnwIcS/c/BPxKcgBMTYh2NPux4eDtHCP5bQRq62"             \
    "DaeU8tpnI9cvUAtXmKVBjdc+pgwZeiVVKwRAuzfDNVtiBwLitETTFrsO7evztOeyuPBGp5eJAxY6H8w1NeUTlP0dcy/pfNVPMtoyReQPNNebdb"             \
    "rE/FNXtF51hK0osaxEu12X8o2L2wdOpA0GLRQ7RuBSMc3/WypV75cw7QIDAQAB"
#define ECPEM                                                                                                                    \
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGWzSVZrG1O+9UZ9WBK+Eb9vGnd9Z\nNWqc0eztp3Z73PzxkC"           \
    "NSW+LEJ00fmVqaVgNV+liDEu0a8UJQFNZerdIBBw==\n-----END PUBLIC KEY-----\n"
#define HS256                                                                                                                    \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpc"             \
    "mUiXSwiZXhwIjoxNzUwMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9.BSJiTY6o7fxrfkzul2I7pOCq6idN5B-wfM0Sa3uBb14"
#define RS256                                                                                                                    \
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpcmUiXSwiZXhwIjoxN"             \
    "zUwMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9.Ivt59xFGRBJ0JLg0yIKOJpEcWSieaEgFRPi7Z2hhjcyaFPlx-QzfGep-QhUx5LkjLBinRJunBq"             \
    "PHGWfClUxNjMiHc0h9jz994plP1rjr6D-BPidgWEgjBwVt3SBFt18rj0zsN9hy0N8h01tJ9wE2H3a10OAatopgcqC2KsEiHPbPH0Z2syRnxaTt"             \
    "52mGKXz8jpvij2UW-2utW_nguBdmIZaT7aq7AizEQ2BRdOidhbID_Xkp6UJpG8wOwKWFIq0xcGG8xQggmceHzfxQ1TpQEd53VzzU7Yn7lfVNjh"             \
    "V3PdZA2XgIzIcc98EGavNrwd1jskebXiXST2VYIxO_LnIDKg"
#define ES256                                                                                                                    \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpcmUiXSwiZXhwIjoxN"             \
    "zUwMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9.nXwrk98dS9cZ7dDb1-Ppr32MaIlDMP76mxKIS6UJWaSYSA3WSmnQKlTfcj9604GrTJj5sARlr1"             \
    "BmguGNMYE_lA"
#define ES256DER                                                                                                                 \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpcmUiXSwiZXhwIjoxN"             \
    "zUwMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9.MEYCIQCK-jkHrG9HsXOlbV1QEYAQWfY7doUBCxwzCP8LpMxlEgIhALmWH-FxJ_78rEfoDgiqNj"             \
    "3tLoctPHoI0nWkIkdI0J2t"
#define EDDSA                                                                                                                    \
    "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpcmUiXSwiZXhwIjoxN"             \
    "zUwMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9.n5QPws41rqxCVg7uV7FIYfs_-swYMIpZcekoSty1rQQ-6FO2pOAyGjba9wYfDIOr6IEf5vj-Ia"             \
    "WGZ5fjRn1VCQ"
#define NONE                                                                                                                     \
    "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpcmUiXSwiZXhwIjoxNz"             \
    "UwMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9."
#define NONE_MAC                                                                                                                 \
    "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpcmUiXSwiZXhwIjoxNz"             \
    "UwMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9.t1iWB2rFyBP5wUbIs1NWB7bqtoJFKtgpwNE9PuTCfWI"
#define CONFUSED                                                                                                                 \
    "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpcmUiXSwiZXhwIjoxN"             \
    "zUwMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9.M9S8s4J1Lg-fBnTHoK9Xk8sfGh7aZ0HYGix5rleqkNY"
#define NO_ALG                                                                                                                   \
    "eyJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpcmUiXSwiZXhwIjoxNzU"             \
    "wMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9.hCy4badAeyrVyc8ImL0PhfLhLsNZ6XqCHSazG1rdUSo"
#define TWO_ALG                                                                                                                  \
    "eyJhbGciOiJub25lIiwiYWxnIjoiSFMyNTYifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXd"             \
    "pcmUiXSwiZXhwIjoxNzUwMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9.IodDrdL0j7DMwlQDdjVxNO0U82Rdxo2fOR8Rf3FBCco"
#define CRIT                                                                                                                     \
    "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsiYjY0Il0sImI2NCI6ZmFsc2V9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbI"             \
    "m90aGVyIiwidGlkZXdpcmUiXSwiZXhwIjoxNzUwMDAwMTAwLCJuYmYiOjE3NDk5OTk5OTB9.cw73W7xxi-3G22Fqm5gxHwAAKZpR9FHvAYrq3e"             \
    "uG08U"
#define NO_EXP                                                                                                                   \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpc"             \
    "mUiXSwibmJmIjoxNzQ5OTk5OTkwfQ.tkC_CB9-tfqiOl4RGJI1nVI69sq0g5wxqjtKz7LBjWA"
#define EXP_TEXT                                                                                                                 \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpc"             \
    "mUiXSwiZXhwIjoiMTc1MDAwMDEwMCIsIm5iZiI6MTc0OTk5OTk5MH0.UAkNpOcIYn4c9vpCtJGBjUHwqaXpaLKplLEZ87bfA0w"
#define EXP_FRACTION                                                                                                             \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpc"             \
    "mUiXSwiZXhwIjoxNzUwMDAwMTAwLjUsIm5iZiI6MTc0OTk5OTk5MH0.Gc6VDJm4N_NSlwVinaULaGAqWih18CzDuYuDulZAWM8"
#define NBF_LATER                                                                                                                \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpc"             \
    "mUiXSwiZXhwIjoxNzUwMDAwMTAwLCJuYmYiOjE3NTAwMDAwNjF9.CgdFdGUQC1fIF-jAQSxw-OBwgv0U1eaD1ngewf1S9s0"
#define NBF_TEXT                                                                                                                 \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpc"             \
    "mUiXSwiZXhwIjoxNzUwMDAwMTAwLCJuYmYiOiJ4In0.MRp24oYT__rDwSNiSJ7VNKYW77FuSOLakFFXDCmCnqY"
#define NO_NBF                                                                                                                   \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpc"             \
    "mUiXSwiZXhwIjoxNzUwMDAwMTAwfQ.iOPH05Wt-2iHJSo3wBdvdrkHG8O-GAXLND3ssao_KfI"
#define AUD_ONE                                                                                                                  \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjoidGlkZXdpcmUiLCJleHAiO"             \
    "jE3NTAwMDAxMDAsIm5iZiI6MTc0OTk5OTk5MH0.e11XLmOBVO_4xDeeMLB3KqBo07wt2l8iGbGFMY4R5To"
#define AUD_OTHER                                                                                                                \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIl0sImV4cCI6M"             \
    "Tc1MDAwMDEwMCwibmJmIjoxNzQ5OTk5OTkwfQ.Hnd6yBo1Q9_7rIHYgR_2PTM94Wj6QoAXxOeCIxzHerA"
#define AUD_NUMBER                                                                                                               \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjo3LCJleHAiOjE3NTAwMDAxM"             \
    "DAsIm5iZiI6MTc0OTk5OTk5MH0.sdPzdjRO6S7FweD4iuLP7CfFHxVuRAOq-tVm7IMGGDg"
#define NO_AUD                                                                                                                   \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiZXhwIjoxNzUwMDAwMTAwLCJuYmYiO"             \
    "jE3NDk5OTk5OTB9.GxEG-ZhRWoJuUGyNSzNWOnpziMFoMvsBi4zJjDv1rkU"
#define ISS_OTHER                                                                                                                \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tLyIsImF1ZCI6WyJvdGhlciIsInRpZGV3a"             \
    "XJlIl0sImV4cCI6MTc1MDAwMDEwMCwibmJmIjoxNzQ5OTk5OTkwfQ.UeUPxpCJ14CZLyacFsKylTB-Y47aktiKc8D6QZa6vu4"
#define NO_ISS                                                                                                                   \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOlsib3RoZXIiLCJ0aWRld2lyZSJdLCJleHAiOjE3NTAwMDAxMDAsIm5iZiI6MTc0O"             \
    "Tk5OTk5MH0.y5HYDkK0Da6AV7rXTt9ztK5M7SkR_9nGtQte9inWKDs"
#define CLAIMS_ARRAY "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.WzFd.WU3Q3FrSl-Cux_IkJT8Vva5-d_VmBgIHw9r1y31WzV0"
#define CLAIMS_TEXT  "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eA.JlxhHnFJUCSDhFSbchlmkjuvKlEIp42uVpNcI-D5jcU"
#define HEADER_ARRAY                                                                                                             \
    "WyJIUzI1NiJd.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwiYXVkIjpbIm90aGVyIiwidGlkZXdpcmUiXSwiZXhwIjoxNzUwMDAwM"             \
    "TAwLCJuYmYiOjE3NDk5OTk5OTB9.scPkLAtrN3EXX-PanuHA0R28RooJ4FZ-izxfYO8a_mA"

static struct secret secrets[] = {
    { SLICE("ONE"), SLICE("first secret") },
    { SLICE("TWO"), SLICE("second secret") },
    { SLICE("PUBLIC"), SLICE(ECPEM) },
    { SLICE("BARE"), SLICE("\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n") },
};
static struct generation generation = { .secrets = secrets, .secret_count = COUNT(secrets) };
static const struct slice audiences[] = { SLICE("nobody"), SLICE("tidewire") };

static struct verify by_secret(const char *secret)
{
    return (struct verify){ .scheme = VERIFY_JWT,
                            .algorithm = SLICE("HS256"),
                            .secrets = { slice_of(secret) },
                            .secret_count = 1,
                            .issuer = SLICE("https://id.example.com"),
                            .audiences = audiences,
                            .audience_count = COUNT(audiences) };
}

static struct verify by_key(const char *algorithm, const char *key)
{
    struct verify verify = by_secret("ONE");
    verify.algorithm = slice_of(algorithm);
    verify.secret_count = 0;
    verify.public_keys[0] = slice_of(key);
    verify.public_key_count = 1;
    return verify;
}

static enum verdict judge_header(struct verify verify, struct slice header, uint64_t now_ms)
{
    struct pair headers[] = { { SLICE("Authorization"), header } };
    struct verify_input input = { .method = SLICE("POST"), .headers = headers, .header_count = 1, .now_ms = now_ms };
    struct verify_result result;
    struct verifier *verifier = verifier_new(&verify, &generation);
    enum verdict verdict = verify_request(verifier, &input, &result);
    verifier_free(verifier);
    return verdict;
}

static enum verdict judge_at(struct verify verify, const char *token, uint64_t now_ms)
{
    static char header[10000];
    int len = snprintf(header, sizeof(header), "Bearer %s", token);
    return judge_header(verify, slice_make(header, (size_t)len), now_ms);
}

static enum verdict judge(struct verify verify, const char *token)
{
    return judge_at(verify, token, NOW_MS);
}

TEST(takes_tokens_of_the_four_algorithms)
{
    CHECK_EQ("HS256", judge(by_secret("ONE"), HS256), VERDICT_VALID);
    CHECK_EQ("RS256", judge(by_key("RS256", RSA), RS256), VERDICT_VALID);
    CHECK_EQ("ES256", judge(by_key("ES256", EC), ES256), VERDICT_VALID);
    CHECK_EQ("ES256, PEM", judge(by_key("ES256", ECPEM), ES256), VERDICT_VALID);
    CHECK_EQ("EdDSA", judge(by_key("EdDSA", ED), EDDSA), VERDICT_VALID);
}

TEST(refuses_every_changed_letter)
{
    static const char *const tokens[] = { HS256, ES256, EDDSA };
    const struct verify schemes[] = { by_secret("ONE"), by_key("ES256", EC), by_key("EdDSA", ED) };
    for (size_t i = 0; i < COUNT(tokens); i++)
        for (size_t at = 0; at < strlen(tokens[i]); at++) {
            char text[1000];
            snprintf(text, sizeof(text), "%s", tokens[i]);
            text[at] = text[at] == 'A' ? 'B' : 'A';
            CHECK("changed", judge(schemes[i], text));
            text[at] = '\0';
            CHECK("cut", judge(schemes[i], text));
        }
}

TEST(believes_no_algorithm_but_its_own)
{
    static const struct {
        const char *what, *token;
    } cases[] = {
        { "none", NONE },
        { "none, with a signature", NONE_MAC },
        { "not said", NO_ALG },
        { "said twice", TWO_ALG },
        { "an extension", CRIT },
        { "another", RS256 },
        { "an array", HEADER_ARRAY },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].what, judge(by_secret("ONE"), cases[i].token), VERDICT_MALFORMED);
    CHECK_EQ("HS256 with the public key, where ES256 is asked for", judge(by_key("ES256", ECPEM), CONFUSED), VERDICT_MALFORMED);
    CHECK_EQ("a public key is no secret", judge(by_secret("PUBLIC"), CONFUSED), VERDICT_NO_SECRET);
    CHECK_EQ("nor is one in base64", judge(by_secret("BARE"), CONFUSED), VERDICT_NO_SECRET);
    CHECK_EQ("another secret", judge(by_secret("TWO"), HS256), VERDICT_MISMATCH);
    CHECK_EQ("DER instead of a pair", judge(by_key("ES256", EC), ES256DER), VERDICT_MISMATCH);
    CHECK_EQ("a key of another kind", judge(by_key("RS256", EC), RS256), VERDICT_NO_SECRET);
}

TEST(asks_for_claims_that_hold_now)
{
    static const struct {
        const char *what, *token;
        enum verdict verdict;
    } cases[] = {
        { "without exp", NO_EXP, VERDICT_MISSING },        { "exp as text", EXP_TEXT, VERDICT_MISSING },
        { "a fraction", EXP_FRACTION, VERDICT_VALID },     { "not before a minute and a second", NBF_LATER, VERDICT_STALE },
        { "nbf as text", NBF_TEXT, VERDICT_STALE },        { "without nbf", NO_NBF, VERDICT_VALID },
        { "one audience", AUD_ONE, VERDICT_VALID },        { "another audience", AUD_OTHER, VERDICT_MISMATCH },
        { "a number", AUD_NUMBER, VERDICT_MISMATCH },      { "without audience", NO_AUD, VERDICT_MISMATCH },
        { "another issuer", ISS_OTHER, VERDICT_MISMATCH }, { "without issuer", NO_ISS, VERDICT_MISMATCH },
        { "an array", CLAIMS_ARRAY, VERDICT_MALFORMED },   { "no JSON", CLAIMS_TEXT, VERDICT_MALFORMED },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].what, judge(by_secret("ONE"), cases[i].token), cases[i].verdict);
    struct verify anybody = by_secret("ONE");
    anybody.issuer.data = NULL;
    anybody.audience_count = 0;
    CHECK_EQ("nobody is asked for", judge(anybody, NO_AUD), VERDICT_VALID);
    CHECK_EQ("nor an issuer", judge(anybody, NO_ISS), VERDICT_VALID);
}

TEST(allows_a_minute_of_difference_between_clocks)
{
    CHECK_EQ("a minute after its end", judge_at(by_secret("ONE"), HS256, 1750000159999), VERDICT_VALID);
    CHECK_EQ("past it", judge_at(by_secret("ONE"), HS256, 1750000160000), VERDICT_STALE);
    CHECK_EQ("a minute before its time", judge_at(by_secret("ONE"), HS256, 1749999930000), VERDICT_VALID);
    CHECK_EQ("more", judge_at(by_secret("ONE"), HS256, 1749999929999), VERDICT_STALE);
}

/* A token of that many bytes, signed here: its claims are filled up with spaces. */
static const char *token_of(size_t bytes)
{
    static char token[9000];
    char claims[6200];
    unsigned char digest[EVP_MAX_MD_SIZE];
    static const char header[] = "eyJhbGciOiJIUzI1NiJ9."; /* {"alg":"HS256"} */
    size_t part = bytes - strlen(header) - 1 - 43, raw = part / 4 * 3 + (part % 4 ? part % 4 - 1 : 0);
    memset(claims, ' ', sizeof(claims));
    memcpy(claims, "{\"exp\":1750000100", 17);
    claims[raw - 1] = '}';
    strcpy(token, header);
    EVP_EncodeBlock((unsigned char *)token + strlen(header), (unsigned char *)claims, (int)raw);
    size_t covered = strlen(header) + part;
    HMAC(EVP_sha256(), "first secret", 12, (unsigned char *)token, covered, digest, NULL);
    token[covered] = '.';
    EVP_EncodeBlock((unsigned char *)token + covered + 1, digest, 32);
    token[bytes] = '\0';
    for (char *at = token + covered; *at; at++)
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at);
    return token;
}

TEST(takes_eight_kibibytes_and_no_more)
{
    struct verify anybody = by_secret("ONE");
    anybody.issuer.data = NULL;
    anybody.audience_count = 0;
    CHECK_EQ("at the limit", judge(anybody, token_of(8192)), VERDICT_VALID);
    CHECK_EQ("past it", judge(anybody, token_of(8193)), VERDICT_MALFORMED);
}

TEST(refuses_what_is_no_token)
{
    static const char *const cases[] = { ".",       "..",    "...",     "a.b.c",         "e30.e30.", "e30",
                                         "e30.e30", ".e30.", HS256 ".", HS256 "." HS256, " " };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK(cases[i], judge(by_secret("ONE"), cases[i]));
    CHECK_EQ("Basic", judge_header(by_secret("ONE"), SLICE("Basic " HS256), NOW_MS), VERDICT_MALFORMED);
    CHECK_EQ("alone", judge_header(by_secret("ONE"), SLICE(HS256), NOW_MS), VERDICT_MALFORMED);
    CHECK_EQ("empty", judge_header(by_secret("ONE"), SLICE(""), NOW_MS), VERDICT_MISSING);
}

TEST_MAIN()
