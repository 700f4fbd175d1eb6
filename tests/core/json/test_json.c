#include "check.h"

#include "json/json.h"

static struct json_doc *index_of(const char *text)
{
    struct json_doc *doc = NULL;
    struct json_error error;
    CHECK_EQ(text, json_index(slice_of(text), &doc, &error), OK);
    return doc;
}

TEST(what_rfc_8259_allows_is_indexed)
{
    static const char *const texts[] = {
        "null",
        " true ",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E400",
        "123456789012345678901234567890",
        "\"\"",
        "[]",
        "{}",
        "[ ]",
        "{ }",
        "[1,2 , 3]",
        "{\"a\":1}",
        "{\"a\":1,\"a\":2}",
        "{\"\":0}",
        "[[[[]]]]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\\ud800\"",
        "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"",
        "\xef\xbb\xbf{\"bom\":true}",
        "\r\n\t [1]\n",
        "\"a long plain string of more than sixteen bytes\"",
        "\"\x7f\"",
        "[1e5,0.1,-0.0]",
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        json_free(index_of(texts[i]));
}

TEST(what_rfc_8259_forbids_is_refused_with_its_place)
{
    static const struct {
        const char *text;
        size_t offset;
    } cases[] = {
        { "", 0 },
        { " ", 1 },
        { "{", 1 },
        { "[", 1 },
        { "[1", 2 },
        { "[1,", 3 },
        { "[1,]", 3 },
        { "{\"a\"}", 4 },
        { "{\"a\":}", 5 },
        { "{\"a\":1,}", 7 },
        { "{a:1}", 1 },
        { "{1:1}", 1 },
        { "[1 2]", 3 },
        { "01", 1 },
        { "+1", 0 },
        { ".5", 0 },
        { "1.", 2 },
        { "1e", 2 },
        { "1e+", 3 },
        { "-", 1 },
        { "-a", 1 },
        { "0x10", 1 },
        { "NaN", 0 },
        { "nul", 0 },
        { "True", 0 },
        { "'a'", 0 },
        { "\"a", 2 },
        { "\"\n\"", 1 },
        { "\"\t\"", 1 },
        { "\"\\x\"", 1 },
        { "\"\\u12\"", 1 },
        { "\"\\u12g4\"", 1 },
        { "1 1", 2 },
        { "{} x", 3 },
        { "[1]]", 3 },
        { "\"\xff\"", 1 },
        { "\"\xc0\x80\"", 1 },
        { "\"\xed\xa0\x80\"", 1 },
        { "\"\xf4\x90\x80\x80\"", 1 },
        { "\"\xe2\x82\"", 1 },
        { "\"\xc3\"", 1 },
        { "// c", 0 },
        { "[1}", 2 },
        { "{\"a\":1]", 6 },
        { "\xef\xbb", 0 },
        { "\"0123456789abcdef\x01\"", 17 },
        { "{\"a\" 1}", 5 },
        { "[,1]", 1 },
        { "\"\\", 1 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct json_doc *doc = NULL;
        struct json_error error = { 999, NULL };
        CHECK_EQ(cases[i].text, json_index(slice_of(cases[i].text), &doc, &error), ERR_INVALID);
        CHECK_EQ(cases[i].text, error.offset, cases[i].offset);
        CHECK(cases[i].text, error.what != NULL);
    }
}

TEST(a_zero_byte_is_refused_wherever_it_stands)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = { { "[1,\0]", 5 }, { "\"a\0b\"", 5 }, { "1\0", 2 } };
    struct json_doc *doc;
    struct json_error error;
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ("zero", json_index(slice_make(cases[i].text, cases[i].len), &doc, &error), ERR_INVALID);
}

TEST(nesting_of_128_is_taken_and_of_129_refused)
{
    char text[2 * 129 + 1];
    struct json_doc *doc;
    struct json_error error;
    for (int depth = 128; depth <= 129; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        enum result rc = json_index(slice_make(text, 2 * (size_t)depth), &doc, &error);
        CHECK_EQ("depth", rc, depth == 128 ? OK : ERR_INVALID);
        if (rc == OK)
            json_free(doc);
        else
            CHECK_EQ("where", error.offset, 128);
    }
}

TEST(members_and_elements_are_found_and_walked_in_order)
{
    struct json_doc *doc = index_of("{\"a\":[10,[20],{\"x\":1}],\"b\\u0041\":null,\"a\":\"last\"}");
    struct json_value root = json_root(doc), a, element;
    bool escaped;
    CHECK_EQ("members", json_count(root), 3);
    CHECK_SLICE("the last of two", json_text(json_member(root, SLICE("a"))), "\"last\"");
    CHECK_SLICE("an escaped name", json_text(json_member(root, SLICE("bA"))), "null");
    CHECK("absent", !json_member(root, SLICE("c")).doc);
    CHECK("a beginning only", !json_member(root, SLICE("b")).doc);
    a = json_first(root);
    CHECK_SLICE("its key", json_key(a, &escaped), "a");
    CHECK_EQ("elements", json_count(a), 3);
    CHECK_SLICE("second", json_text(json_element(a, 1)), "[20]");
    CHECK("beyond", !json_element(a, 3).doc);
    CHECK("not an array", !json_element(root, 0).doc);
    CHECK("not an object", !json_member(a, SLICE("x")).doc);
    element = json_next(json_next(json_first(a)));
    CHECK_SLICE("walked", json_text(element), "{\"x\":1}");
    CHECK("the end", !json_next(element).doc);
    json_free(doc);
}

TEST(a_trimmed_index_reads_as_before)
{
    struct json_doc *doc;
    struct json_error error;
    CHECK_EQ("indexed", json_index(SLICE("{\"a\":[1,{\"b\":true}]}"), &doc, &error), OK);
    size_t before = json_memory(doc);
    json_trim(doc);
    CHECK("smaller", json_memory(doc) < before);
    CHECK_EQ("as small as it can be", json_memory(doc), json_packed_bytes(doc));
    struct json_value list = json_member(json_root(doc), SLICE("a"));
    CHECK_EQ("two elements", json_count(list), 2);
    CHECK("the last", json_member(json_element(list, 1), SLICE("b")).doc == doc);
    json_free(doc);
}

TEST(strings_decode_their_escapes)
{
    static const struct {
        const char *text, *want;
        size_t len;
    } cases[] = {
        { "\"plain\"", "plain", 5 },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8 },
        { "\"\\u00e9\\u20ac\"", "\xc3\xa9\xe2\x82\xac", 5 },
        { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4 },
        { "\"\\ud83d x\"", "\xef\xbf\xbd x", 5 },
        { "\"\\ude00\"", "\xef\xbf\xbd", 3 },
        { "\"\\ud83d\\u0041\"",
          "\xef\xbf\xbd"
          "A",
          4 },
        { "\"a\\u0000b\"", "a\0b", 3 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct json_doc *doc = index_of(cases[i].text);
        bool escaped;
        struct slice raw = json_string(json_root(doc), &escaped);
        struct buf out;
        buf_init(&out, 256);
        json_unescape(raw, &out);
        CHECK_BYTES(cases[i].text, out.data, out.len, cases[i].want, cases[i].len);
        CHECK("compares equal", json_string_is(raw, escaped, slice_make(cases[i].want, cases[i].len)));
        CHECK("and not to more", !json_string_is(raw, escaped, SLICE("something else entirely")));
        CHECK("and not to less", !json_string_is(raw, escaped, slice_make(cases[i].want, cases[i].len - 1)));
        buf_deinit(&out);
        json_free(doc);
    }
}

TEST(integers_are_told_from_other_numbers)
{
    static const struct {
        const char *text;
        bool integer;
        unsigned digits;
    } cases[] = {
        { "0", true, 1 },    { "-12", true, 2 },  { "9007199254740993", true, 16 },
        { "1.0", false, 0 }, { "1e3", false, 0 }, { "1E3", false, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct json_doc *doc = index_of(cases[i].text);
        unsigned digits;
        CHECK_EQ(cases[i].text, json_is_integer(json_root(doc), &digits), cases[i].integer);
        if (cases[i].integer)
            CHECK_EQ(cases[i].text, digits, cases[i].digits);
        json_free(doc);
    }
}

TEST(numbers_are_written_with_the_shortest_digits_that_read_back)
{
    static const struct {
        double number;
        const char *want;
    } cases[] = {
        { 0, "0" },
        { 1, "1" },
        { -42, "-42" },
        { 19.9, "19.9" },
        { 0.1, "0.1" },
        { 1e21, "1e+21" },
        { 1e14, "100000000000000" },
        { 1.0 / 3, "0.3333333333333333" },
        { 1e15, "1000000000000000" },
        { -9007199254740992.0, "-9007199254740992" },
        { 5e-324, "4.94065645841247e-324" },
        { 1.7976931348623157e308, "1.797693134862316e+308" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out;
        buf_init(&out, 64);
        json_write_number(&out, cases[i].number);
        buf_add_byte(&out, '\0');
        CHECK("reads back", strtod(out.data, NULL) == cases[i].number);
        if (i < 10)
            CHECK_STR(cases[i].want, out.data, cases[i].want);
        buf_deinit(&out);
    }
}

TEST(a_string_that_is_not_utf8_is_not_written)
{
    struct buf out;
    buf_init(&out, 256);
    CHECK("good", json_write_string(&out, SLICE("a\"\\\n\x01\xc3\xa9/")));
    CHECK_SLICE("escaped", buf_slice(&out), "\"a\\\"\\\\\\n\\u0001\xc3\xa9/\"");
    buf_clear(&out);
    buf_add_text(&out, "kept");
    CHECK("bad", !json_write_string(&out, SLICE("a\xff")));
    CHECK_SLICE("nothing written", buf_slice(&out), "kept");
    buf_deinit(&out);
}

TEST_MAIN()
