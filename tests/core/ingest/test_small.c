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
    qsort(routes, COUNT(routes), sizeof(routes[0]), by_order);
    buf_init(&scratch, 1 << 16);
    const struct route *route = router_match(&generation, slice_of(path));
    size_t count = route ? router_params(route, slice_of(path), params, &scratch) : 0;
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

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

TEST(sorts_any_order_of_routes_into_one)
{
    static const char *const sorted[] = { "/a/b/c", "/a/b/:x", "/a/b",         "/a/:id/c", "/a/:id/*rest", "/a/:id", "/a/*rest",
                                          "/ab",    "/abc",    "/files/index", "/files",   "/:any/b",      "/:any",  "/*rest" };
    struct route routes[COUNT(sorted)];
    unsigned state = 1;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < COUNT(sorted); i++) {
            size_t place = next_random(&state) % (i + 1);
            routes[i] = routes[place];
            routes[place] = (struct route){ .path = slice_of(sorted[i]) };
        }
        qsort(routes, COUNT(routes), sizeof(routes[0]), by_order);
        for (size_t i = 0; i < COUNT(sorted); i++)
            CHECK_SLICE("place in the order", routes[i].path, sorted[i]);
    }
    for (size_t i = 0; i < COUNT(sorted); i++)
        for (size_t j = 0; j < COUNT(sorted); j++) {
            int order = router_order(slice_of(sorted[i]), slice_of(sorted[j]));
            CHECK_EQ(sorted[i], (order > 0) - (order < 0), (i > j) - (i < j));
        }
    CHECK_EQ("names of parts do not matter", router_order(SLICE("/:a/x"), SLICE("/:b/x")), 0);
}

/* One to four segments of a few; as a pattern or as a path. */
static struct slice random_path(char *out, size_t size, bool pattern, unsigned *state)
{
    static const char *const fixed[] = { "a", "b", "ab", "abc", "api", "v1", "%61", "", "\xC3\xA9", "zz" };
    size_t count = 1 + next_random(state) % 4, len = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned kind = pattern ? next_random(state) % 8 : 2;
        const char *part = kind < 2 ? (kind == 0 ? ":p" : ":q") : fixed[next_random(state) % COUNT(fixed)];
        if (pattern && i + 1 == count && next_random(state) % 8 == 0)
            part = "*rest";
        len += (size_t)snprintf(out + len, size - len, "/%s", part);
    }
    return (struct slice){ out, len };
}

static const struct route *first_that_takes(const struct generation *generation, struct slice path)
{
    for (size_t i = 0; i < generation->route_count; i++)
        if (generation->routes[i].enabled && router_pattern_takes(generation->routes[i].path, path))
            return &generation->routes[i];
    return NULL;
}

TEST(finds_among_many_what_trying_them_in_order_would_find)
{
    enum { MANY = 400, PATHS = 4000, TEXT = 64 };
    static char texts[MANY][TEXT];
    static struct route routes[MANY];
    unsigned state = 7;
    size_t found = 0;
    for (size_t many = 1; many <= MANY; many = many * 3 + 1) {
        struct generation generation = { .routes = routes, .route_count = many };
        for (size_t i = 0; i < many; i++)
            routes[i] =
                (struct route){ .path = random_path(texts[i], TEXT, true, &state), .enabled = next_random(&state) % 10 > 0 };
        qsort(routes, many, sizeof(routes[0]), by_order);
        for (size_t i = 0; i < PATHS; i++) {
            char text[TEXT];
            struct slice path = random_path(text, TEXT, false, &state);
            const struct route *wanted = first_that_takes(&generation, path);
            CHECK(text, router_match(&generation, path) == wanted);
            found += wanted != NULL;
        }
    }
    CHECK("some were found", found > PATHS);
}

TEST(takes_no_path_with_a_disabled_route_only)
{
    const struct route routes[] = { { .path = SLICE("/a/:id"), .enabled = false } };
    struct generation generation = { .routes = routes, .route_count = 1 }, empty = { .route_count = 0 };
    CHECK("disabled", !router_match(&generation, SLICE("/a/1")));
    CHECK("no routes at all", !router_match(&empty, SLICE("/a/1")));
}

TEST(keeps_as_many_params_as_there_is_room_for)
{
    const struct route routes[] = { { .path = SLICE("/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/*p"), .enabled = true } };
    struct generation generation = { .routes = routes, .route_count = 1 };
    struct slice path = SLICE("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/%31%36/17");
    struct pair params[PARAMS_MAX];
    struct buf text;
    CHECK("taken", router_match(&generation, path) == routes);
    buf_init(&text, path.len);
    CHECK_EQ("params", router_params(routes, path, params, &text), PARAMS_MAX);
    CHECK_SLICE("the first", params[0].value, "1");
    CHECK_SLICE("the rest", params[PARAMS_MAX - 1].value, "16/17");
    buf_deinit(&text);
    buf_init(&text, 8);
    CHECK_EQ("no room for their text", router_params(routes, path, params, &text), 0);
    buf_deinit(&text);
}

TEST(decodes_each_segment_by_itself)
{
    const struct {
        const char *path, *want;
    } cases[] = {
        { "/a/%2e%2E", "/a/:id id=.." },
        { "/a/%2f", "/a/:id id=/" },
        { "/a/a+b", "/a/:id id=a+b" },
        { "/a/%252F", "/a/:id id=%2F" },
        { "/a/%", "/a/:id id=%" },
        { "/a/%4", "/a/:id id=%4" },
        { "/a/%zz", "/a/:id id=%zz" },
        { "/a/%C3%A9", "/a/:id id=\xC3\xA9" },
        { "/a%2Fb", "/*rest rest=a/b" },
        { "/a//c", "/*rest rest=a//c" },
        { "/a/", "/*rest rest=a/" },
        { "/a/b/", "/*rest rest=a/b/" },
        { "/files/", "/*rest rest=files/" },
        { "/files//x", "/files/*rest rest=/x" },
        { "/", "none" },
        { "", "none" },
        { "*", "none" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_STR(cases[i].path, matched(cases[i].path), cases[i].want);
}

TEST(says_whether_one_pattern_takes_a_path)
{
    CHECK("named", router_pattern_takes(SLICE("/a/:b"), SLICE("/a/x")));
    CHECK("empty part", !router_pattern_takes(SLICE("/a/:b"), SLICE("/a/")));
    CHECK("too short", !router_pattern_takes(SLICE("/a/:b"), SLICE("/a")));
    CHECK("too long", !router_pattern_takes(SLICE("/a/:b"), SLICE("/a/b/c")));
    CHECK("rest", router_pattern_takes(SLICE("/a/*r"), SLICE("/a/b/c")));
    CHECK("no rest", !router_pattern_takes(SLICE("/a/*r"), SLICE("/a/")) && !router_pattern_takes(SLICE("/a/*r"), SLICE("/a")));
    CHECK("a slash at the end",
          !router_pattern_takes(SLICE("/a"), SLICE("/a/")) && !router_pattern_takes(SLICE("/a/"), SLICE("/a")));
    CHECK("an escape cut off by the end", !router_pattern_takes(SLICE("/aA"), slice_make("/a%41", 4)));
    CHECK("the root", router_pattern_takes(SLICE("/"), SLICE("/")) && !router_pattern_takes(SLICE("/"), SLICE("/a")));
    CHECK("an escaped slash is no border", !router_pattern_takes(SLICE("/a/b"), SLICE("/a%2Fb")));
    CHECK("a part of a fixed one",
          !router_pattern_takes(SLICE("/ab"), SLICE("/a")) && !router_pattern_takes(SLICE("/a"), SLICE("/ab")));
}

/* ---- when ---- */

static const char body_text[] =
    "{\"ref\":\"refs/heads/main\",\"n\":3,\"big\":9007199254740993,\"yes\":true,\"gone\":null,\"tags\":[\"a\",\"b\"],"
    "\"items\":[{\"sku\":\"x\"},{\"sku\":\"y\"}],\"a b\":{\"c.d\":1},\"fifteen\":123456789012345,\"half\":0.5,\"hundred\":1e2,"
    "\"minus\":-7,\"escaped\":\"a\\u0042\\n\",\"mixed\":[1,\"two\",null,true,[\"deep\"]],\"none\":[],\"empty\":\"\","
    "\"star\":\"a*b\",\"map\":{\"k\":\"v\",\"l\":{\"m\":[\"n\"]}}}";

static bool all_hold(const struct condition *conditions, size_t count)
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
    struct buf scratch;
    buf_init(&scratch, 1 << 16);
    bool result = when_holds(conditions, count, &event, &scratch);
    buf_deinit(&scratch);
    json_free(doc);
    return result;
}

static bool holds(const char *path, struct match match)
{
    struct condition condition = { slice_of(path), &match, 1 };
    return all_hold(&condition, 1);
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

TEST(needs_all_lines_and_any_value_of_a_list)
{
    const struct match pull_or_push[] = { TEXT("pull"), TEXT("push") }, main_branch[] = { PATTERN("*/main") };
    const struct match kinds[] = { NUMBER(4), BOOL(true), TEXT("3"), NUMBER(3) };
    struct condition both[] = { { SLICE("type"), pull_or_push, 2 }, { SLICE("body.ref"), main_branch, 1 } };
    struct condition mixed = { SLICE("body.n"), kinds, COUNT(kinds) };
    CHECK("both", all_hold(both, 2));
    CHECK("no lines at all", all_hold(NULL, 0));
    CHECK("a list of several kinds", all_hold(&mixed, 1));
    mixed.any_count = 3;
    CHECK("none of the list", !all_hold(&mixed, 1));
    const struct match escaped[] = { TEXT("a"), TEXT("aB\n") };
    struct condition second = { SLICE("body.escaped"), escaped, 2 };
    CHECK("the second of two for a text with escapes", all_hold(&second, 1));
    both[0].any_count = 1;
    CHECK("the first fails", !all_hold(both, 2));
    both[0].any_count = 2;
    both[1].path = SLICE("body.n");
    CHECK("the second fails", !all_hold(both, 2));
}

TEST(compares_numbers_by_value)
{
    CHECK("fifteen digits, as Lua prints them",
          holds("body.fifteen", (struct match){ MATCH_NUMBER, SLICE("1.2345678901234e+14"), 123456789012345.0, false }));
    CHECK("the next one of fifteen",
          !holds("body.fifteen", (struct match){ MATCH_NUMBER, SLICE("1.2345678901234e+14"), 123456789012346.0, false }));
    CHECK("a fraction", holds("body.half", NUMBER(0.5)) && !holds("body.half", NUMBER(0.25)));
    CHECK("an exponent", holds("body.hundred", NUMBER(100)));
    CHECK("a minus", holds("body.minus", NUMBER(-7)) && !holds("body.minus", NUMBER(7)));
    CHECK("a pattern is for texts", !holds("body.n", PATTERN("*")) && !holds("body.yes", PATTERN("*")));
    CHECK("one is not true", !holds("body.n", BOOL(true)) && !holds("body.yes", NUMBER(1)) && !holds("body.yes", TEXT("true")));
}

TEST(looks_into_arrays)
{
    CHECK("a number", holds("body.mixed", NUMBER(1)) && !holds("body.mixed", NUMBER(2)));
    CHECK("a text", holds("body.mixed", TEXT("two")) && holds("body.mixed", PATTERN("t*")));
    CHECK("null", holds("body.mixed", NONE));
    CHECK("true", holds("body.mixed", BOOL(true)) && !holds("body.mixed", BOOL(false)));
    CHECK("one level only", !holds("body.mixed", TEXT("deep")));
    CHECK("an empty one holds nothing",
          !holds("body.none", TEXT("")) && !holds("body.none", NONE) && !holds("body.none", PATTERN("*")));
    CHECK("an object is no array", !holds("body.map", TEXT("v")) && !holds("body.map", NONE));
    CHECK("each member of an object", holds("body.map[*]", TEXT("v")));
    CHECK("each, then an array", holds("body.map[*].m", TEXT("n")));
    CHECK("each of each", holds("body[*][*].sku", TEXT("y")));
    CHECK("each element", holds("body.tags[*]", TEXT("b")) && !holds("body.tags[*]", TEXT("c")));
    CHECK("each of a scalar", !holds("body.n[*]", NUMBER(3)));
    CHECK("each of something else than the body", !holds("headers[*]", TEXT("Big")));
}

TEST(compares_texts_byte_by_byte)
{
    CHECK("escapes are read", holds("body.escaped", TEXT("aB\n")) && holds("body.escaped", PATTERN("aB*")));
    CHECK("empty", holds("body.empty", TEXT("")) && holds("body.empty", PATTERN("*")) && !holds("body.empty", NONE));
    CHECK("a star in the data", holds("body.star", PATTERN("a*b")) && !holds("body.ref", TEXT("refs/*")));
    CHECK("a star does not reach back", !holds("body.ref", PATTERN("heads/*")) && !holds("body.ref", PATTERN("*heads")));
    CHECK("letter case", !holds("body.ref", TEXT("refs/heads/Main")) && !holds("type", TEXT("Push")));
    CHECK("absent in the query", holds("query.gone", NONE) && !holds("query.gone", TEXT("")) && !holds("query.page", NONE));
    CHECK("absent header", holds("headers.x-gone", NONE) && !holds("headers.x-gone", PATTERN("*")));
    CHECK("an index past the end",
          holds("body.tags[3]", NONE) && holds("body.tags[0]", NONE) && holds("body.tags[2]", TEXT("b")));
}

TEST(finds_no_json_in_another_body)
{
    const struct match text = TEXT("hello"), none = NONE, any = PATTERN("*");
    struct event event = { .kind = BODY_TEXT, .body = SLICE("hello"), .text = SLICE("hello") };
    struct condition whole = { SLICE("body"), &text, 1 }, absent = { SLICE("body.a"), &none, 1 },
                     each = { SLICE("body[*]"), &any, 1 };
    struct buf scratch;
    buf_init(&scratch, 1 << 16);
    CHECK("the text", when_holds(&whole, 1, &event, &scratch));
    CHECK("no member", when_holds(&absent, 1, &event, &scratch));
    CHECK("no elements", !when_holds(&each, 1, &event, &scratch));
    event.kind = BODY_EMPTY;
    CHECK("no body", !when_holds(&whole, 1, &event, &scratch));
    buf_deinit(&scratch);
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
    CHECK("empty", when_pattern_matches(SLICE(""), SLICE("")) && !when_pattern_matches(SLICE(""), SLICE("a")));
    CHECK("two stars", when_pattern_matches(SLICE("a**b"), SLICE("ab")) && when_pattern_matches(SLICE("**"), SLICE("x")));
    CHECK("goes back", when_pattern_matches(SLICE("*ab"), SLICE("aab")) && when_pattern_matches(SLICE("*a*b"), SLICE("xaxbxb")));
    CHECK("not twice", !when_pattern_matches(SLICE("ab*ab"), SLICE("ab")) && !when_pattern_matches(SLICE("ab*b"), SLICE("ab")));
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
    CHECK("mapped range", contains("::ffff:10.0.0.0/104", "10.1.2.3") && !contains("::ffff:10.0.0.0/104", "11.1.2.3"));
    CHECK("all of v6 holds v4 too", contains("::/0", "2001:db8::1") && contains("::/0", "192.0.2.1"));
    CHECK("0 bits", contains("0.0.0.0/0", "255.255.255.255") && contains("203.0.113.7/0", "192.0.2.1"));
    CHECK("1 bit", contains("128.0.0.0/1", "255.0.0.1") && !contains("128.0.0.0/1", "127.255.255.255"));
    CHECK("31 bits", contains("192.0.2.6/31", "192.0.2.7") && !contains("192.0.2.6/31", "192.0.2.8"));
    CHECK("32 bits", contains("192.0.2.7/32", "192.0.2.7") && !contains("192.0.2.7/32", "192.0.2.6"));
    CHECK("127 bits", contains("2001:db8::2/127", "2001:db8::3") && !contains("2001:db8::2/127", "2001:db8::4"));
    CHECK("128 bits", contains("2001:db8::1/128", "2001:db8::1") && !contains("2001:db8::1/128", "2001:db8::2"));
    CHECK("one v6", contains("2001:db8::1", "2001:0DB8:0:0:0:0:0:1"));
    CHECK("bits past the range do not count", contains("10.1.2.3/8", "10.9.9.9"));
    const char *const junk[] = { "",
                                 "10.0.0.0/33",
                                 "10.0.0.0/-1",
                                 "10.0.0.0/",
                                 "10.0.0/8",
                                 "2001:db8::/129",
                                 "a.b.c.d",
                                 "10.0.0.1/8x",
                                 "256.0.0.1",
                                 "/8",
                                 "10.0.0.0/+8",
                                 "10.0.0.0/ 8",
                                 " 10.0.0.0",
                                 "10.0.0.0/8/8",
                                 "010.0.0.1",
                                 "10.0.0.0.0",
                                 "0x0a.0.0.1",
                                 "1::2::3",
                                 ":::",
                                 "2001:db8::g/32",
                                 "[2001:db8::1]",
                                 "fe80::1%eth0",
                                 "localhost",
                                 "10.0.0.0/18446744073709551624",
                                 "10.0.0.0/4294967304",
                                 "2001:db8::1/128888888888888888888888888888888888888888888888888888888888888888" };
    struct cidr cidr;
    for (size_t i = 0; i < COUNT(junk); i++)
        CHECK(junk[i], !cidr_parse(slice_of(junk[i]), &cidr));
    CHECK("a zero byte", !cidr_parse(SLICE("10.0.0.1\0/8"), &cidr));
    CHECK("nothing", !cidr_parse((struct slice){ NULL, 0 }, &cidr) && !cidr_contains_any(NULL, 0, SLICE("10.0.0.1")));
    CHECK("an address that is none", !contains("0.0.0.0/0", "") && !contains("0.0.0.0/0", "junk"));
}

TEST(looks_in_every_range)
{
    struct cidr ranges[3];
    CHECK("ranges", cidr_parse(SLICE("192.0.2.0/24"), &ranges[0]) && cidr_parse(SLICE("2001:db8::/32"), &ranges[1]) &&
                        cidr_parse(SLICE("203.0.113.9"), &ranges[2]));
    CHECK("the first", cidr_contains_any(ranges, 3, SLICE("192.0.2.255")));
    CHECK("the second", cidr_contains_any(ranges, 3, SLICE("2001:db8:ffff::1")));
    CHECK("the last",
          cidr_contains_any(ranges, 3, SLICE("203.0.113.9")) && cidr_contains_any(ranges, 3, SLICE("::ffff:203.0.113.9")));
    CHECK("none", !cidr_contains_any(ranges, 3, SLICE("198.51.100.1")) && !cidr_contains_any(ranges, 0, SLICE("192.0.2.1")));
}

TEST_MAIN()
