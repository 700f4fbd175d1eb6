/* Routes, conditions and address ranges. */
#include "check.h"

#include "ingest/cidr.h"
#include "ingest/router.h"
#include "ingest/when.h"
#include "json/json.h"

/* ---- router ---- */

static int by_order(const void *a, const void *b)
{
    return router_order(((const struct route *)a)->path, ((const struct route *)b)->path);
}

static const char *matched(const char *path)
{
    static struct route routes[] = {
        { .path = SLICE("/*rest"), .enabled = true },       { .path = SLICE("/a/:id"), .enabled = true },
        { .path = SLICE("/a/b"), .enabled = true },         { .path = SLICE("/a/:id/c"), .enabled = true },
        { .path = SLICE("/files/*rest"), .enabled = true }, { .path = SLICE("/off"), .enabled = false },
        { .path = SLICE("/a/:x/:y"), .enabled = true },     { .path = SLICE("/files/index"), .enabled = true },
        { .path = SLICE("/slash/"), .enabled = true },
    };
    static char out[256];
    struct generation generation = { .routes = routes, .route_count = COUNT(routes) };
    struct pair params[PARAMS_MAX];
    struct buf scratch;
    size_t count = 0;
    qsort(routes, COUNT(routes), sizeof(routes[0]), by_order);
    buf_init(&scratch, 1 << 16);
    const struct route *route = router_match(&generation, slice_of(path), params, &count, &scratch);
    int len = snprintf(out, sizeof(out), "%.*s", route ? (int)route->path.len : 4, route ? route->path.data : "none");
    for (size_t i = 0; route && i < count; i++)
        len +=
            snprintf(out + len, sizeof(out) - (size_t)len, " %.*s=%.*s", SLICE_ARGS(params[i].name), SLICE_ARGS(params[i].value));
    buf_deinit(&scratch);
    return out;
}

TEST(tries_fixed_parts_before_named_ones)
{
    const struct {
        const char *path, *want;
    } cases[] = {
        { "/a/b", "/a/b" },
        { "/a/x", "/a/:id id=x" },
        { "/a/x/c", "/a/:id/c id=x" },
        { "/a/x/d", "/a/:x/:y x=x y=d" },
        { "/a/b/c", "/a/:id/c id=b" },
        { "/files/index", "/files/index" },
        { "/files/a/b", "/files/*rest rest=a/b" },
        { "/files/a%2Fb", "/files/*rest rest=a/b" },
        { "/other", "/*rest rest=other" },
        { "/off", "/*rest rest=off" },
        { "/a/%41%2Fb", "/a/:id id=A/b" },
        { "/%61/b", "/a/b" },
        { "/A/b", "/*rest rest=A/b" },
        { "/slash/", "/slash/" },
        { "/slash", "/*rest rest=slash" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_BYTES(cases[i].path, matched(cases[i].path), strlen(matched(cases[i].path)), cases[i].want, strlen(cases[i].want));
}

TEST(says_whether_one_pattern_takes_a_path)
{
    CHECK("named", router_pattern_takes(SLICE("/a/:b"), SLICE("/a/x")));
    CHECK("empty part", !router_pattern_takes(SLICE("/a/:b"), SLICE("/a/")));
    CHECK("too short", !router_pattern_takes(SLICE("/a/:b"), SLICE("/a")));
    CHECK("too long", !router_pattern_takes(SLICE("/a/:b"), SLICE("/a/b/c")));
    CHECK("rest", router_pattern_takes(SLICE("/a/*r"), SLICE("/a/b/c")));
}

/* ---- when ---- */

static const char body_text[] =
    "{\"ref\":\"refs/heads/main\",\"n\":3,\"big\":9007199254740993,\"yes\":true,\"gone\":null,\"tags\":[\"a\",\"b\"],"
    "\"items\":[{\"sku\":\"x\"},{\"sku\":\"y\"}],\"a b\":{\"c.d\":1}}";

static bool holds(const char *path, struct match match)
{
    struct json_doc *doc;
    struct json_error error;
    struct slice text = slice_of(body_text);
    CHECK_EQ("index", json_index(text, &doc, &error), OK);
    struct pair headers[] = { { SLICE("X-Kind"), SLICE("Big") } };
    struct event event = { .type = SLICE("push"),
                           .kind = BODY_JSON,
                           .json = doc,
                           .body = text,
                           .headers = headers,
                           .header_count = 1,
                           .query = SLICE("page=2&q=a+b"),
                           .method = SLICE("POST") };
    struct condition condition = { slice_of(path), &match, 1 };
    struct buf scratch;
    buf_init(&scratch, 1 << 16);
    bool result = when_holds(&condition, 1, &event, &scratch);
    buf_deinit(&scratch);
    json_free(doc);
    return result;
}

#define TEXT(t)    ((struct match){ .kind = MATCH_TEXT, .text = SLICE(t) })
#define PATTERN(t) ((struct match){ .kind = MATCH_PATTERN, .text = SLICE(t) })
#define NUMBER(n)  ((struct match){ .kind = MATCH_NUMBER, .text = SLICE(#n), .number = (double)(n) })
#define BOOL(b)    ((struct match){ .kind = MATCH_BOOL, .truth = b })
#define NONE       ((struct match){ .kind = MATCH_NULL })

TEST(judges_conditions_without_converting)
{
    CHECK("type", holds("type", TEXT("push")) && !holds("type", TEXT("pull")));
    CHECK("text", holds("body.ref", TEXT("refs/heads/main")));
    CHECK("pattern", holds("body.ref", PATTERN("refs/heads/*")) && !holds("body.ref", PATTERN("refs/tags/*")));
    CHECK("number", holds("body.n", NUMBER(3)) && !holds("body.n", NUMBER(4)));
    CHECK("a number is no text", !holds("body.n", TEXT("3")));
    CHECK("a text is no number", !holds("query.page", NUMBER(2)) && holds("query.page", TEXT("2")));
    CHECK("exact", holds("body.big", NUMBER(9007199254740993)) && !holds("body.big", NUMBER(9007199254740992)));
    CHECK("true", holds("body.yes", BOOL(true)) && !holds("body.yes", BOOL(false)));
    CHECK("null", holds("body.gone", NONE) && holds("body.never", NONE) && !holds("body.n", NONE));
    CHECK("an element of an array", holds("body.tags", TEXT("b")) && !holds("body.tags", TEXT("c")));
    CHECK("each", holds("body.items[*].sku", TEXT("y")) && !holds("body.items[*].sku", TEXT("z")));
    CHECK("index", holds("body.items[1].sku", TEXT("x")) && !holds("body.items[1].sku", TEXT("y")));
    CHECK("quoted", holds("body[\"a b\"][\"c.d\"]", NUMBER(1)));
    CHECK("header in any case", holds("headers.x-kind", TEXT("Big")) && !holds("headers.x-kind", TEXT("big")));
    CHECK("decoded query", holds("query.q", TEXT("a b")));
    CHECK("a step into a scalar", holds("body.n.x.y", NONE));
}

TEST(matches_patterns_in_linear_time)
{
    char text[4097];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    CHECK("ends", when_pattern_matches(SLICE("*.paid"), SLICE("invoice.paid")));
    CHECK("middle", when_pattern_matches(SLICE("a*c*e"), SLICE("abcde")));
    CHECK("all", when_pattern_matches(SLICE("*"), SLICE("")));
    CHECK("whole", !when_pattern_matches(SLICE("a*"), SLICE("ba")));
    CHECK("blow-up", !when_pattern_matches(SLICE("*a*a*a*a*a*a*a*a*a*a*b"), slice_of(text)));
}

/* ---- addresses ---- */

static bool contains(const char *range, const char *address)
{
    struct cidr cidr;
    return cidr_parse(slice_of(range), &cidr) && cidr_contains_any(&cidr, 1, slice_of(address));
}

TEST(knows_address_ranges)
{
    CHECK("v4", contains("10.0.0.0/8", "10.255.0.1") && !contains("10.0.0.0/8", "11.0.0.1"));
    CHECK("one", contains("192.0.2.7", "192.0.2.7") && !contains("192.0.2.7", "192.0.2.8"));
    CHECK("odd bits", contains("192.0.2.128/25", "192.0.2.200") && !contains("192.0.2.128/25", "192.0.2.100"));
    CHECK("all of v4", contains("0.0.0.0/0", "203.0.113.9"));
    CHECK("v4 is not v6", !contains("0.0.0.0/0", "2001:db8::1"));
    CHECK("v6", contains("2001:db8::/32", "2001:db8:1::1") && !contains("2001:db8::/32", "2001:db9::1"));
    CHECK("mapped", contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    const char *const junk[] = { "",        "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "2001:db8::/129",
                                 "a.b.c.d", "10.0.0.1/8x", "256.0.0.1",   "/8" };
    struct cidr cidr;
    for (size_t i = 0; i < COUNT(junk); i++)
        CHECK(junk[i], !cidr_parse(slice_of(junk[i]), &cidr));
    CHECK("an address that is none", !contains("0.0.0.0/0", "") && !contains("0.0.0.0/0", "junk"));
}

TEST_MAIN()
