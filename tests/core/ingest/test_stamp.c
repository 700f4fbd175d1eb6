/* Times and encodings by themselves. */
#include "check.h"

#include "ingest/encoding.h"
#include "ingest/stamp.h"

static long long at(enum stamp_format format, const char *text)
{
    uint64_t time_ms;
    return stamp_read(format, slice_of(text), &time_ms) ? (long long)time_ms : -1;
}

TEST(reads_dates_of_rfc_3339)
{
    static const struct {
        const char *text;
        long long ms;
    } cases[] = {
        { "2025-06-15T15:06:40Z", 1750000000000 },
        { "2025-06-15t15:06:40z", 1750000000000 },
        { "2025-06-15T15:06:40.1Z", 1750000000100 },
        { "2025-06-15T15:06:40.123456789Z", 1750000000123 },
        { "2025-06-15T17:06:40+02:00", 1750000000000 },
        { "2025-06-15T10:36:40-04:30", 1750000000000 },
        { "2024-02-29T00:00:00Z", 1709164800000 },
        { "2000-03-01T00:00:00Z", 951868800000 },
        { "9999-12-31T23:59:59Z", 253402300799000 },
        { "1970-01-01T00:01:00Z", 60000 },
        { "2016-12-31T23:59:60Z", 1483228800000 },
        { "1970-01-01T00:00:00Z", -1 },
        { "1969-12-31T23:59:59Z", -1 },
        { "2025-02-29T00:00:00Z", -1 },
        { "2100-02-29T00:00:00Z", -1 },
        { "2025-13-01T00:00:00Z", -1 },
        { "2025-00-01T00:00:00Z", -1 },
        { "2025-06-00T00:00:00Z", -1 },
        { "2025-06-31T00:00:00Z", -1 },
        { "2025-06-15T24:00:00Z", -1 },
        { "2025-06-15T15:60:00Z", -1 },
        { "2025-06-15T15:06:61Z", -1 },
        { "2025-06-15T15:06:40", -1 },
        { "2025-06-15T15:06:40.Z", -1 },
        { "2025-06-15T15:06:40+2:00", -1 },
        { "2025-06-15T15:06:40+0200", -1 },
        { "2025-06-15T15:06:40+24:00", -1 },
        { "2025-06-15 15:06:40Z", -1 },
        { "2025-06-15T15:06Z", -1 },
        { "25-06-15T15:06:40Z", -1 },
        { " 2025-06-15T15:06:40Z", -1 },
        { "2025-06-15T15:06:40Z ", -1 },
        { "2025-06-15", -1 },
        { "1750000000", -1 },
        { "", -1 },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].text, at(STAMP_RFC3339, cases[i].text), cases[i].ms);
    CHECK_EQ("a date is no number", at(STAMP_UNIX, "2025-06-15T15:06:40Z"), -1);
    char text[80] = "2025-06-15T15:06:40.";
    for (int len = 63; len <= 65; len++) {
        memset(text + 20, '0', sizeof(text) - 20);
        text[len - 1] = 'Z';
        text[len] = '\0';
        CHECK_EQ("64 bytes at most", at(STAMP_RFC3339, text), len <= 64 ? 1750000000000 : -1);
    }
}

static const char *decoded(bool (*decode)(struct slice, unsigned char *, size_t, size_t *), const char *text)
{
    static char out[8];
    size_t len = 0;
    if (!decode(slice_of(text), (unsigned char *)out, 6, &len))
        return "no";
    out[len] = '\0';
    return out;
}

TEST(decodes_base64_in_one_spelling_only)
{
    static const char *const cases[][2] = {
        { "", "" },         { "YQ==", "a" },          { "YWI=", "ab" },
        { "YWJj", "abc" },  { "YWJjZGVm", "abcdef" }, { "YWJjZGVmZw==", "no" },
        { "YQ", "no" },     { "YQ=", "no" },          { "YR==", "no" },
        { "YWJ=", "no" },   { "YQ==YQ==", "no" },     { "====", "no" },
        { "Y===", "no" },   { "=YQ=", "no" },         { "Y Q=", "no" },
        { "YQ==\n", "no" }, { "-_-_", "no" },         { "=", "no" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_STR(cases[i][0], decoded(base64_decode, cases[i][0]), cases[i][1]);
    static const char *const url[][2] = {
        { "", "" },       { "YQ", "a" },  { "YWI", "ab" }, { "YWJj", "abc" },
        { "YQ==", "no" }, { "YR", "no" }, { "Y", "no" },   { "+/", "no" },
    };
    for (size_t i = 0; i < COUNT(url); i++)
        CHECK_STR(url[i][0], decoded(base64url_decode, url[i][0]), url[i][1]);
    static const char *const hex[][2] = {
        { "", "" },
        { "6162", "ab" },
        { "6a6A", "jj" },
        { "6", "no" },
        { "6g", "no" },
        { "616263646566", "abcdef" },
        { "61626364656667", "no" },
        { "0x61", "no" },
    };
    for (size_t i = 0; i < COUNT(hex); i++)
        CHECK_STR(hex[i][0], decoded(hex_decode, hex[i][0]), hex[i][1]);
}

TEST_MAIN()
