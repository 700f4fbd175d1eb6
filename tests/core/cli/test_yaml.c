#include "check.h"

#include "cli/yaml.h"

/* The JSON, or "why: …". */
static const char *json_of(const char *text)
{
    static char said[600];
    char why[YAML_WHY_SIZE] = "";
    struct buf out;
    buf_init(&out, 4096);
    enum result rc = yaml_to_json(slice_of(text), &out, why);
    if (rc == OK)
        snprintf(said, sizeof(said), "%.*s", (int)out.len, out.data);
    else
        snprintf(said, sizeof(said), "why: %s", why);
    buf_deinit(&out);
    return said;
}

TEST(yaml_becomes_json)
{
    static const struct {
        const char *yaml, *json;
    } cases[] = {
        { "- id: redeploy\n  list: [a, 'b', \"c\"]\n  flag: true\n",
          "[{\"id\":\"redeploy\",\"list\":[\"a\",\"b\",\"c\"],\"flag\":true}]" },
        { "a: 1\nb: -2.5\nc: 007\nd: 1e3\ne: 0\nf: +1\n",
          "{\"a\":1,\"b\":-2.5,\"c\":\"007\",\"d\":\"1e3\",\"e\":0,\"f\":\"+1\"}" },
        { "a: ~\nb:\nc: null\nd: 'null'\ne: no\n", "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"null\",\"e\":\"no\"}" },
        { "true: yes\n1: 2\n", "{\"true\":\"yes\",\"1\":2}" },
        { "text: |\n  two\n  lines\n", "{\"text\":\"two\\nlines\\n\"}" },
        { "a: &x [1]\nb: *x\n", "{\"a\":[1],\"b\":[1]}" },
        { "{\"json\": [1, {\"too\": null}]}", "{\"json\":[1,{\"too\":null}]}" },
        { "", "null" },
        { "# nothing\n", "null" },
        { "[]", "[]" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_STR(cases[i].yaml, json_of(cases[i].yaml), cases[i].json);
}

TEST(what_is_wrong_is_said_with_its_line)
{
    static const struct {
        const char *yaml, *why;
    } cases[] = {
        { "a: [1\nb: 2\n", "why: line 2: did not find expected ',' or ']'" },
        { "a: 1\n? [x]\n: 2\n", "why: line 2: a key is text" },
        { "a: &x [*x]\n", "why: line 1: nested too deep, or an alias inside itself" },
        { "a: *none\n", "why: line 1: found undefined alias" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_STR(cases[i].yaml, json_of(cases[i].yaml), cases[i].why);
}

TEST(aliases_of_aliases_end_at_a_limit)
{
    CHECK_STR(
        "a billion laughs",
        json_of("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                "d: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"),
        "why: line 1: too large when its aliases are written out");
}

/* `depth` lists, one inside the other. */
static const char *nested(int depth)
{
    static char text[400];
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    text[2 * depth] = '\0';
    return json_of(text);
}

TEST(nests_to_a_depth)
{
    CHECK("at the limit", strncmp(nested(YAML_DEPTH_MAX), "[[[", 3) == 0);
    CHECK_STR("past it", nested(YAML_DEPTH_MAX + 1), "why: line 1: nested too deep, or an alias inside itself");
}

TEST_MAIN()
