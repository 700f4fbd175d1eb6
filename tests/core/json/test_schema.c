#include "check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "json/schema.h"

/* ---- the official tests (package json-schema-test-suite), for the keywords that are known here ---- */

static const char *const files[] = {
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "boolean_schema",
    "const",
    "default",
    "definitions",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "if-then-else",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "properties",
    "ref",
    "required",
    "type",
    "uniqueItems",
};

/* Schemas of these files that need another file or a name for a place, and the one rule of draft 7 that later drafts took back.
 */
static const char *const left[] = {
    "remote ref, containing refs itself",
    "Recursive references between schemas",
    "ref overrides any sibling keywords",
    "valid definition",
    "invalid definition",
};

static bool is_left(struct slice description)
{
    for (size_t i = 0; i < COUNT(left); i++)
        if (slice_is(description, left[i]))
            return true;
    return false;
}

static struct slice member_text(struct json_value object, const char *name)
{
    bool escaped;
    return json_string(json_member(object, slice_of(name)), &escaped);
}

static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    CHECK(path, file != NULL);
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    *len = (size_t)ftell(file);
    rewind(file);
    char *text = mem_alloc(*len + 1);
    *len = fread(text, 1, *len, file);
    fclose(file);
    return text;
}

static size_t check_group(const char *file, struct json_value group)
{
    struct schema *schema = NULL;
    char why[SCHEMA_WHY_SIZE] = "", at[512];
    size_t count = 0;
    struct slice description = member_text(group, "description");
    enum result rc = schema_compile(json_text(json_member(group, SLICE("schema"))), &schema, why);
    if (is_left(description)) {
        if (rc == OK)
            schema_free(schema);
        return 0;
    }
    snprintf(at, sizeof(at), "%s: %.*s: %s", file, (int)description.len, description.data, why);
    CHECK_EQ(at, rc, OK);
    struct json_value tests = json_member(group, SLICE("tests"));
    for (struct json_value test = json_first(tests); rc == OK && test.doc; test = json_next(test), count++) {
        struct slice name = member_text(test, "description");
        bool valid = json_type(json_member(test, SLICE("valid"))) == JSON_TRUE;
        snprintf(at, sizeof(at), "%s: %.*s: %.*s", file, (int)description.len, description.data, (int)name.len, name.data);
        CHECK_EQ(at, schema_holds(schema, json_member(test, SLICE("data")), why), valid);
    }
    schema_free(schema);
    return count;
}

TEST(the_official_tests_hold)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT(files); i++) {
        char path[512];
        size_t len = 0;
        struct json_doc *doc = NULL;
        struct json_error error;
        snprintf(path, sizeof(path), "%s/%s.json", JSON_SCHEMA_TESTS, files[i]);
        char *text = read_file(path, &len);
        if (!text || json_index(slice_make(text, len), &doc, &error) != OK) {
            CHECK(path, false);
            continue;
        }
        struct json_value groups = json_root(doc);
        for (struct json_value group = json_first(groups); group.doc; group = json_next(group))
            count += check_group(files[i], group);
        json_free(doc);
        mem_free(text);
    }
    CHECK("hundreds of them", count > 340);
}

/* ---- what is said ---- */

/* The fault, or "" when the body fits; "schema: …" when the schema is wrong. */
static const char *judged(const char *schema_text, const char *body_text)
{
    static char why[SCHEMA_WHY_SIZE + 16];
    char inside[SCHEMA_WHY_SIZE] = "";
    struct schema *schema = NULL;
    struct json_doc *doc = NULL;
    struct json_error error;
    if (schema_compile(slice_of(schema_text), &schema, inside) != OK) {
        snprintf(why, sizeof(why), "schema: %s", inside);
        return why;
    }
    CHECK_EQ(body_text, json_index(slice_of(body_text), &doc, &error), OK);
    bool held = schema_holds(schema, json_root(doc), inside);
    snprintf(why, sizeof(why), "%s", held ? "" : inside);
    json_free(doc);
    schema_free(schema);
    return why;
}

TEST(a_fault_names_its_place_and_what_is_wanted)
{
    static const struct {
        const char *schema, *body, *fault;
    } cases[] = {
        { "{\"type\":\"object\"}", "[]", "body has to be an object, and is an array" },
        { "{\"required\":[\"id\"]}", "{}", "body lacks 'id'" },
        { "{\"properties\":{\"items\":{\"items\":{\"properties\":{\"sku\":{\"type\":\"string\"}}}}}}",
          "{\"items\":[{\"sku\":\"a\"},{\"sku\":7}]}", "body.items[2].sku has to be a string, and is an integer" },
        { "{\"additionalProperties\":false,\"properties\":{\"a\":true}}", "{\"a\":1,\"b c\":2}",
          "body[\"b c\"] is not allowed here" },
        { "{\"properties\":{\"n\":{\"minimum\":5}}}", "{\"n\":4}", "body.n has to be more than 5, or that" },
        { "{\"properties\":{\"n\":{\"exclusiveMaximum\":5}}}", "{\"n\":5}", "body.n has to be less than 5" },
        { "{\"enum\":[\"a\",\"b\"]}", "\"c\"", "body has to be one of [\"a\",\"b\"]" },
        { "{\"const\":{\"a\":1}}", "{\"a\":2}", "body has to be {\"a\":1}" },
        { "{\"minLength\":3}", "\"\xc3\xa4\xc3\xb6\"", "body has 2 characters, and at least 3 are wanted" },
        { "{\"pattern\":\"^[a-z]+$\"}", "\"A\"", "body has to match the pattern ^[a-z]+$" },
        { "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "7", "body fits none of the 2 forms that are allowed" },
        { "{\"uniqueItems\":true}", "[1,{\"a\":1,\"b\":2},3,{\"b\":2.0,\"a\":1}]", "body has equal items, for example 2 and 4" },
        { "{\"type\":[\"string\",\"null\"]}", "1.5", "body has to be null or a string, and is a number" },
        { "{\"const\":123456789012345678}", "123456789012345679", "body has to be 123456789012345678" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_STR(cases[i].body, (judged(cases[i].schema, cases[i].body)), cases[i].fault);
}

TEST(a_schema_that_cannot_be_judged_by_is_refused)
{
    static const struct {
        const char *schema, *why;
    } cases[] = {
        { "{", "schema: it is not valid JSON: unfinished object at byte 1" },
        { "7", "schema: line 1: a schema is an object, true or false" },
        { "{\n\"type\":\"strng\"}",
          "schema: line 2: type is one of null boolean number integer string array object, or a list of them" },
        { "{\"pattern\":\"(\"}", "schema: line 1: the pattern ( is wrong at its character 2: missing closing parenthesis" },
        { "{\"$ref\":\"#/nothing\"}", "schema: line 1: there is nothing at #/nothing" },
        { "{\"$ref\":\"https://example.com/a.json\"}",
          "schema: line 1: $ref goes to a place of the same file, such as \"#/$defs/address\"" },
        { "{\"contains\":{}}",
          "schema: line 1: the keyword 'contains' is not known here: what it checks belongs into the handler" },
        { "{\"required\":\"id\"}", "schema: line 1: required is a list of names" },
        { "{\"multipleOf\":0}", "schema: line 1: multipleOf is more than 0" },
        { "{\"minimum\":\"1\"}", "schema: line 1: minimum is a number" },
        { "{\"anyOf\":[]}", "schema: line 1: allOf, anyOf and oneOf are lists of schemas" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_STR(cases[i].schema, (judged(cases[i].schema, "1")), cases[i].why);
}

/* ---- limits ---- */

static void repeat(struct buf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_add_text(out, text);
}

TEST(references_that_go_round_end)
{
    CHECK_STR("round", (judged("{\"$ref\":\"#\"}", "1")), "the schema refers to itself without end");
    CHECK_STR("by turns",
              (judged("{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}},"
                      "\"$ref\":\"#/$defs/a\"}",
                      "1")),
              "the schema refers to itself without end");
    CHECK_STR("a tree is no circle", (judged("{\"properties\":{\"next\":{\"$ref\":\"#\"}}}", "{\"next\":{\"next\":{}}}")), "");
}

/* allOf in allOf …: `depth` schemas, one inside the other. */
static const char *nested(size_t depth)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    repeat(&text, "{\"allOf\":[", depth - 1);
    buf_add_text(&text, "{}");
    repeat(&text, "]}", depth - 1);
    buf_add_byte(&text, '\0');
    const char *said = judged(text.data, "1");
    buf_deinit(&text);
    return said;
}

TEST(schemas_nest_to_a_depth)
{
    CHECK_STR("64, which JSON's own 128 allow", nested(64), "");
    CHECK_STR("past them", (nested(65)), "schema: it is not valid JSON: nested deeper than 128 at byte 640");
}

/* Each element is looked at once by `items`, and once as a place. */
static const char *looked_at(size_t elements)
{
    struct buf text;
    buf_init(&text, 8 << 20);
    buf_add_text(&text, "[0");
    repeat(&text, ",0", elements - 1);
    buf_add(&text, "]", 2);
    const char *said = judged("{\"items\":{}}", text.data);
    buf_deinit(&text);
    return said;
}

TEST(work_for_one_body_is_bounded)
{
    CHECK_STR("at the limit", looked_at((SCHEMA_STEPS_MAX - 1) / 2), "");
    CHECK_STR("past it", (looked_at(SCHEMA_STEPS_MAX / 2 + 1)), "the body is too much work for the schema");
}

TEST(a_pattern_cannot_be_made_to_run_for_ever)
{
    char body[80];
    snprintf(body, sizeof(body), "\"%s!\"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    CHECK_STR("(a+)+$", (judged("{\"pattern\":\"^(a+)+$\"}", body)), "a pattern of the schema takes too long for the body");
}

/* before, then `part` so many times, then after. */
static const char *judged_long(const char *schema, const char *before, const char *part, size_t times, const char *after)
{
    struct buf text;
    buf_init(&text, 8 << 20);
    buf_add_text(&text, before);
    repeat(&text, part, times);
    buf_add(&text, after, strlen(after) + 1);
    const char *said = judged(schema, text.data);
    buf_deinit(&text);
    return said;
}

TEST(nor_can_one_that_is_tried_at_every_place_of_a_long_text)
{
    static const char slow[] = "a pattern of the schema takes too long for the body";
    CHECK_STR("one text", (judged_long("{\"pattern\":\"a.*b.*c\"}", "\"", "ab", 500000, "\"")), slow);
    CHECK_STR("many names",
              (judged_long("{\"patternProperties\":{\"^(a+)+$\":{}}}", "{\"b\":1", ",\"aaaaaaaaaaaaa!\":1", 50000, "}")), slow);
}

TEST(a_match_may_begin_anywhere_in_a_long_text)
{
    CHECK_STR("at its end", (judged_long("{\"pattern\":\"b$\"}", "\"", "a", 1000000, "b\"")), "");
    CHECK_STR("behind characters of two bytes", (judged_long("{\"pattern\":\"é{99}b\"}", "\"", "é", 1000, "b\"")), "");
    CHECK_STR("and of one more", (judged_long("{\"pattern\":\"é{99}b\"}", "\"x", "é", 1000, "b\"")), "");
    CHECK_STR("behind the last one", (judged_long("{\"pattern\":\"(?<=b)$\"}", "\"", "a", 63, "b\"")), "");
    CHECK("not where ^ is elsewhere", judged_long("{\"pattern\":\"^b|c^b\"}", "\"", "a", 1000, "b\"")[0]);
    CHECK("nowhere", judged_long("{\"pattern\":\"c\"}", "\"", "a", 1000000, "\"")[0]);
}

TEST(equal_objects_are_found_without_a_search_for_each_member)
{
    CHECK_STR("a name that comes often", (judged_long("{\"uniqueItems\":true}", "[{\"a\":1", ",\"a\":1", 40000, "},{}]")), "");
    struct buf item, text;
    buf_init(&item, 4 << 20);
    buf_init(&text, 8 << 20);
    buf_add_text(&item, "{\"a\":1");
    repeat(&item, ",\"a\":1", 40000);
    buf_add_byte(&item, '}');
    buf_addf(&text, "[%.*s,%.*s]", SLICE_ARGS(buf_slice(&item)), SLICE_ARGS(buf_slice(&item)));
    buf_add_byte(&text, '\0');
    CHECK_STR("twice", (judged("{\"uniqueItems\":true}", text.data)), "the body is too much work for the schema");
    buf_deinit(&item);
    buf_deinit(&text);
}

TEST_MAIN()
