/* `when` at its edges: numbers that a double cannot hold, and paths with [*]. Its plain rows are in test_small.c. */
#include "check.h"

#include "ingest/when.h"
#include "json/json.h"

/* Does the condition hold of an event with this body? */
static bool holds_of(const char *body, const char *path, struct match match)
{
    struct json_doc *doc;
    struct json_error error;
    CHECK_EQ(body, json_index(slice_of(body), &doc, &error), OK);
    struct event event = { .kind = BODY_JSON, .json = doc, .body = slice_of(body) };
    struct condition condition = { slice_of(path), &match, 1 };
    struct buf scratch;
    buf_init(&scratch, 64 << 10);
    bool result = when_holds(&condition, 1, &event, &scratch);
    buf_deinit(&scratch);
    json_free(doc);
    return result;
}

/* As the loader gives it: the text is what Lua prints, "%.14g" of a plain number, all digits of a 64-bit one. */
TEST(compares_long_integers_to_the_last_digit)
{
    const struct {
        const char *json, *text;
        double number;
        bool holds;
    } cases[] = {
        { "123456789012345", "1.2345678901234e+14", 123456789012345.0, true },
        { "123456789012346", "1.2345678901234e+14", 123456789012345.0, false },
        { "1000000000000000", "1e+15", 1e15, true },
        { "1000000000000001", "1e+15", 1e15, false },
        { "1234567890123456", "1.2345678901235e+15", 1234567890123456.0, true },
        { "-1234567890123456", "-1.2345678901235e+15", -1234567890123456.0, true },
        { "1234567890123456", "-1.2345678901235e+15", -1234567890123456.0, false },
        { "9007199254740993", "9007199254740993", 9007199254740992.0, true },
        { "9007199254740992", "9007199254740993", 9007199254740992.0, false },
        { "9007199254740993", "9.007199254741e+15", 9007199254740992.0, false },
        { "18446744073709551615", "18446744073709551615", 18446744073709551616.0, true },
        { "18446744073709551614", "18446744073709551615", 18446744073709551616.0, false },
        { "-9223372036854775808", "-9223372036854775808", -9223372036854775808.0, true },
        { "1000000000000000000000", "3", 3, false },
        { "1000000000000000", "1e+300", 1e300, false },
        { "1e15", "1e+15", 1e15, true },
        { "1000000000000000.0", "1e+15", 1e15, true },
        { "3.0", "3", 3, true },
        { "-0", "0", 0, true },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].json,
                 holds_of(cases[i].json, "body", (struct match){ MATCH_NUMBER, slice_of(cases[i].text), cases[i].number, false }),
                 cases[i].holds);
}

TEST(walks_from_the_body_and_from_nothing_else)
{
    static const char body[] = "{\"x\":[1],\"-x\":[1],\"a.b\":[{\"c\":[[1,2],[3]]}],\"[*]\":1}";
    const struct match one = { MATCH_NUMBER, SLICE("1"), 1, false }, three = { MATCH_NUMBER, SLICE("3"), 3, false };
    const struct match null = { .kind = MATCH_NULL };
    CHECK("a member", holds_of(body, "body.x[*]", one));
    CHECK("the root, quoted", holds_of(body, "[\"body\"].x[*]", one));
    CHECK("a root that only begins so", !holds_of(body, "body-x[*]", one) && !holds_of(body, "bodyx[*]", one));
    CHECK("a quoted name", holds_of(body, "body[\"a.b\"][*].c[*][1]", three));
    CHECK("an array in an array: its elements", holds_of(body, "body[\"a.b\"][1].c[*]", three));
    CHECK("three deep",
          holds_of(body, "body[\"a.b\"][*].c[*][*]", three) && !holds_of(body, "body[\"a.b\"][*].c[*][*][*]", three));
    CHECK("a member of that name", holds_of(body, "body[\"[*]\"]", one));
    CHECK("null among them", holds_of("[1,null]", "body[*]", null) && !holds_of("[1,2]", "body[*]", null));
    CHECK("a scalar has none", !holds_of("1", "body[*]", one) && !holds_of("null", "body[*]", null));
}

TEST_MAIN()
