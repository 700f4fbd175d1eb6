/* The signature headers by themselves: what is taken out of them, and what is refused. */
#include "check.h"

#include "ingest/grammar.h"

/* A scheme of that format: signatures are called v1, the time is t, the id is i. */
static struct verify scheme(enum verify_format format, const char *prefix)
{
    return (struct verify){ .scheme = VERIFY_HMAC,
                            .format = format,
                            .prefix = slice_of(prefix),
                            .signature = SLICE("v1"),
                            .timestamp = { .part = SLICE("t") },
                            .id = { .part = SLICE("i") } };
}

/* "no", or the signatures in brackets, then the time and the id where there is one. */
static const char *parsed(struct verify verify, const char *header)
{
    static char out[1024];
    struct signatures found;
    int len = 0;
    if (!grammar_parse(&verify, slice_of(header), &found))
        return "no";
    out[0] = '\0';
    for (size_t i = 0; i < found.count; i++)
        len += snprintf(out + len, sizeof(out) - (size_t)len, "[%.*s]", SLICE_ARGS(found.values[i]));
    if (found.timestamp.data)
        len += snprintf(out + len, sizeof(out) - (size_t)len, " t=%.*s", SLICE_ARGS(found.timestamp));
    if (found.id.data)
        snprintf(out + len, sizeof(out) - (size_t)len, " i=%.*s", SLICE_ARGS(found.id));
    return out;
}

struct grammar_case {
    const char *header, *want;
};

static void check_cases(struct verify verify, const struct grammar_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CHECK_STR(cases[i].header, parsed(verify, cases[i].header), cases[i].want);
}

TEST(takes_a_plain_value_behind_its_prefix)
{
    static const struct grammar_case cases[] = {
        { "sha256=ab", "[ab]" }, { "sha256=", "[]" },       { "ab", "" },          { "SHA256=ab", "" }, { " sha256=ab", "" },
        { "sha256", "" },        { "sha256=a,b", "[a,b]" }, { "sha256==", "[=]" }, { "", "" },
    };
    check_cases(scheme(FORMAT_PLAIN, "sha256="), cases, COUNT(cases));
    CHECK_STR("no prefix is asked for", parsed(scheme(FORMAT_PLAIN, ""), "sha256=ab"), "[sha256=ab]");
}

TEST(takes_parts_by_comma)
{
    static const struct grammar_case cases[] = {
        { "t=1,v1=ab", "[ab] t=1" },
        { "v1=ab,t=1", "[ab] t=1" },
        { "t=1,v1=ab,v1=cd,v0=ef,v1a=01", "[ab][cd] t=1" },
        { "t=1, v1=ab", "[ab] t=1" },
        { " t=1\t,\tv1=ab ", "[ab] t=1" },
        { "t=1,v1=ab,", "[ab] t=1" },
        { "t=1,i=x,v1=ab=", "[ab=] t=1 i=x" },
        { "t= 1,v1= ab", "[ ab] t= 1" },
        { "t=,v1=", "[] t=" },
        { "T=1,V1=ab", "" },
        { "t =1,v1 =ab", "" },
        { "=1,=ab", "" },
        { "t=1;v1=ab", " t=1;v1=ab" },
        { "t=1,t=1,v1=ab", "no" },
        { "t=,t=1,v1=ab", "no" },
        { "i=x,i=y,v1=ab", "no" },
        { "t=1,v1", "no" },
        { "t=1,,v1=ab", "no" },
        { ",t=1,v1=ab", "no" },
        { "t", "no" },
        { ",", "no" },
        { " ", "no" },
        { "", "" },
    };
    check_cases(scheme(FORMAT_PARTS_COMMA, ""), cases, COUNT(cases));
    CHECK_STR("a prefix", parsed(scheme(FORMAT_PARTS_COMMA, "x-"), "v1=x-ab,v1=cd"), "[ab]");
}

TEST(takes_parts_by_semicolon)
{
    static const struct grammar_case cases[] = {
        { "t=1;v1=ab;v1=cd", "[ab][cd] t=1" }, { "t=1,v1=ab", " t=1,v1=ab" }, { "t=1;t=2;v1=ab", "no" }, { "t=1;;v1=ab", "no" },
        { "t=1; v1=ab", "[ab] t=1" },
    };
    check_cases(scheme(FORMAT_PARTS_SEMICOLON, ""), cases, COUNT(cases));
}

TEST(takes_a_list_by_space)
{
    static const struct grammar_case cases[] = {
        { "v1,ab", "[ab]" },
        { "v1,ab v1,cd", "[ab][cd]" },
        { "v1a,ab v0,cd v1,ef v2,01", "[ef]" },
        { "v1a,ab", "" },
        { "V1,ab", "" },
        { ",ab", "" },
        { "v1,", "[]" },
        { "v1,ab,v1,cd", "[ab,v1,cd]" },
        { "v1,ab  v1,cd", "no" },
        { " v1,ab", "no" },
        { "v1,ab ", "no" },
        { "v1 ab", "no" },
        { "v1=ab", "no" },
        { "ab", "no" },
        { "v1,ab\tv1,cd", "[ab\tv1,cd]" },
        { "", "" },
    };
    check_cases(scheme(FORMAT_LIST, ""), cases, COUNT(cases));
}

TEST(tells_apart_who_signed_what_in_a_list)
{
    struct verify verify = scheme(FORMAT_LIST, "");
    struct signatures found;
    verify.public_signature = SLICE("v1a");
    CHECK("three of two kinds", grammar_parse(&verify, SLICE("v1,ab v1a,cd v2,x v1,ef"), &found));
    CHECK_EQ("three", found.count, 3);
    CHECK_EQ("the second is by public key", found.by_key, 2);
    CHECK("sixteen of both", !grammar_parse(&verify,
                                            SLICE("v1,a v1a,a v1,a v1a,a v1,a v1a,a v1,a v1a,a v1,a v1a,a v1,a v1a,a v1,a "
                                                  "v1a,a v1,a v1a,a v1,a"),
                                            &found));
}

/* count times text, then last. */
static const char *repeated(const char *text, size_t count, const char *last)
{
    static char out[SIGNATURE_HEADER_MAX + 64];
    size_t at = 0, len = strlen(text);
    for (size_t i = 0; i < count; i++, at += len)
        memcpy(out + at, text, len);
    memcpy(out + at, last, strlen(last) + 1);
    return out;
}

TEST(takes_sixteen_signatures_and_no_more)
{
    struct verify comma = scheme(FORMAT_PARTS_COMMA, ""), list = scheme(FORMAT_LIST, "");
    struct signatures found;
    CHECK("sixteen parts", grammar_parse(&comma, slice_of(repeated("v1=a,", 15, "v1=b")), &found));
    CHECK_EQ("sixteen parts", found.count, SIGNATURES_MAX);
    CHECK_SLICE("the last part", found.values[15], "b");
    CHECK("seventeen parts", !grammar_parse(&comma, slice_of(repeated("v1=a,", 16, "v1=b")), &found));
    CHECK("others are not counted", grammar_parse(&comma, slice_of(repeated("v0=a,", 100, "v1=b")), &found));
    CHECK("sixteen in a list", grammar_parse(&list, slice_of(repeated("v1,a ", 15, "v1,b")), &found));
    CHECK_EQ("sixteen in a list", found.count, SIGNATURES_MAX);
    CHECK("seventeen in a list", !grammar_parse(&list, slice_of(repeated("v1,a ", 16, "v1,b")), &found));
}

TEST(takes_four_kibibytes_and_no_more)
{
    static const enum verify_format formats[] = { FORMAT_PLAIN, FORMAT_PARTS_COMMA, FORMAT_PARTS_SEMICOLON, FORMAT_LIST };
    static const char *const starts[] = { "", "v1=", "v1=", "v1," };
    static char header[SIGNATURE_HEADER_MAX + 1];
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct verify verify = scheme(formats[i], "");
        struct signatures found;
        memset(header, 'a', sizeof(header));
        memcpy(header, starts[i], strlen(starts[i]));
        CHECK("at the limit", grammar_parse(&verify, slice_make(header, SIGNATURE_HEADER_MAX), &found));
        CHECK_EQ("at the limit", found.count, 1);
        CHECK("one byte more", !grammar_parse(&verify, slice_make(header, SIGNATURE_HEADER_MAX + 1), &found));
    }
}

TEST(takes_any_byte_in_a_value)
{
    struct verify verify = scheme(FORMAT_PARTS_COMMA, "");
    struct signatures found;
    CHECK("a zero and a high byte", grammar_parse(&verify, SLICE("t=\0\xFF,v1=\x80"), &found));
    CHECK_BYTES("the time", found.timestamp.data, found.timestamp.len, "\0\xFF", 2);
    CHECK_EQ("one signature", found.count, 1);
}

TEST_MAIN()
