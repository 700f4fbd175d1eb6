/* Handshakes and spots by their data; the profiles' own are asked in tests/flow. */
#include "check.h"

#include "ingest/handshake.h"
#include "ingest/spot.h"

/* An event with this JSON body and these headers; end_event after. */
static struct event event_of(const char *body, const struct pair *headers, size_t count)
{
    struct event event = { .headers = headers, .header_count = count, .body = slice_of(body), .kind = BODY_JSON };
    struct json_error error;
    CHECK_EQ(body, json_index(slice_of(body), &event.json, &error), OK);
    return event;
}

static void end_event(struct event *event)
{
    json_free(event->json);
    arena_deinit(&event->arena);
}

TEST(the_first_spot_that_finds_something_counts)
{
    static const struct slice first[] = { SLICE("body.event.type") }, joined[] = { SLICE("body.type"), SLICE("body.action") },
                              there[] = { SLICE("body.message") }, header[] = { SLICE("headers.x-kind") },
                              last[] = { SLICE("body.type") };
    static const struct spot list[] = { { .paths = header, .path_count = 1, .is = SLICE("gone"), .says = SLICE("revocation") },
                                        { .paths = first, .path_count = 1 },
                                        { .paths = joined, .path_count = 2 },
                                        { .paths = there, .path_count = 1, .says = SLICE("message") },
                                        { .paths = last, .path_count = 1 } };
    static const struct spots spots = { list, COUNT(list) };
    static const struct {
        const char *body, *kind, *type, *key;
    } cases[] = {
        { "{\"type\":\"a\"}", "gone", "revocation", "revocation" },
        { "{\"type\":\"a\",\"event\":{\"type\":\"b\"}}", "here", "b", "\"b\"" },
        { "{\"type\":\"a\",\"event\":{\"type\":\"\\u0062\"}}", "here", "b", "\"\\u0062\"" },
        { "{\"type\":\"a\",\"action\":\"c\"}", "here", "a.c", "\"a\"\n\"c\"" },
        { "{\"type\":\"a\",\"action\":null}", "here", "a", "\"a\"" },
        { "{\"type\":\"a\",\"message\":{}}", "here", "message", "message" },
        { "{\"type\":\"a\",\"message\":null}", "here", "a", "\"a\"" },
        { "{\"type\":2}", "here", "2", "2" },
        { "{\"type\":{}}", "here", "", "{}" },
        { "{\"type\":null}", "here", "", "" },
        { "[]", "here", "", "" },
    };
    struct buf scratch;
    bool in_body;
    buf_init(&scratch, 64 << 10);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pair kind = { SLICE("X-Kind"), slice_of(cases[i].kind) };
        struct event event = event_of(cases[i].body, &kind, 1);
        CHECK_SLICE(cases[i].body, spot_type(&spots, &event, &scratch), cases[i].type);
        CHECK_SLICE(cases[i].body, spot_key(&spots, &event, &scratch, &in_body), cases[i].key);
        CHECK_EQ(cases[i].body, in_body, *cases[i].key && strcmp(cases[i].key, "revocation") != 0);
        end_event(&event);
    }
    buf_deinit(&scratch);
}

TEST(a_spot_counts_for_its_content_type)
{
    static const struct slice header[] = { SLICE("headers.ce-time") }, body[] = { SLICE("body.time") };
    static const struct spot list[] = {
        { .paths = header, .path_count = 1, .not_of = SLICE("application/cloudevents") },
        { .paths = body, .path_count = 1, .of = SLICE("application/cloudevents") },
    };
    static const struct spots spots = { list, COUNT(list) };
    static const struct pair headers[] = { { SLICE("Ce-Time"), SLICE("2026-11-20T10:00:00Z") } };
    static const struct {
        const char *type, *body;
        uint64_t want; /* 0: none */
    } cases[] = {
        { "application/json", "{}", 1795168800000 },
        { "", "{\"time\":\"2026-11-20T10:00:01.5Z\"}", 1795168800000 },
        { "application/cloudevents+json; charset=utf-8", "{\"time\":\"2026-11-20T10:00:01.5Z\"}", 1795168801500 },
        { "Application/CloudEvents+json", "{\"time\":\"2026-11-20T11:00:01+01:00\"}", 1795168801000 },
        { "application/cloudevents+json", "{\"time\":\"yesterday\"}", 0 },
        { "application/cloudevents+json", "{\"time\":1795168800}", 0 },
        { "application/cloudevents+json", "{}", 0 },
        { "application/cloudevent", "{}", 1795168800000 },
    };
    struct buf scratch;
    buf_init(&scratch, 64 << 10);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct event event = event_of(cases[i].body, headers, COUNT(headers));
        uint64_t time_ms = 0;
        event.content_type = slice_of(cases[i].type);
        CHECK_EQ(cases[i].type, spot_time(&spots, &event, &scratch, &time_ms), cases[i].want != 0);
        CHECK_EQ(cases[i].type, time_ms, cases[i].want);
        end_event(&event);
    }
    buf_deinit(&scratch);
}

/* What a handshake with the value in body.v answers: the body, or "" when it is refused. */
static void check_value(enum handshake_answer kind, const char *method, const char *body, const char *want)
{
    struct handshake handshake = {
        .answer = kind, .method = slice_of(method), .value_path = SLICE("body.v"), .name = SLICE("name")
    };
    struct route route = { .handshakes = &handshake, .handshake_count = 1 };
    struct generation generation = { .secret_count = 0 };
    struct event event = event_of(body, NULL, 0);
    struct buf scratch;
    struct reply reply;
    buf_init(&scratch, 64 << 10);
    struct slice url;
    struct handshake_asker asker = { .event = &event, .method = slice_of(method), .secret = SLICE("") };
    enum handshake_end end = handshake_answer(&route, &generation, &asker, &scratch, &reply, &url);
    CHECK_EQ(body, end, *want ? HANDSHAKE_ANSWERED : HANDSHAKE_REFUSED);
    if (end == HANDSHAKE_ANSWERED)
        CHECK_SLICE(body, reply.body, want);
    buf_deinit(&scratch);
    end_event(&event);
}

TEST(only_a_harmless_value_is_given_back)
{
    check_value(HANDSHAKE_ECHO, "GET", "{\"v\":\"aZ9_.-\"}", "aZ9_.-");
    check_value(HANDSHAKE_ECHO, "GET", "{\"v\":\"a+b\"}", "");
    check_value(HANDSHAKE_ECHO, "", "{\"v\":\"a+b/=~\"}", "a+b/=~");
    check_value(HANDSHAKE_ECHO, "", "{\"v\":\"a b\"}", "");
    check_value(HANDSHAKE_ECHO, "", "{\"v\":\"\xc3\xa4\"}", "");
    check_value(HANDSHAKE_ECHO, "", "{\"v\":\"\\u0061\"}", "");
    check_value(HANDSHAKE_ECHO, "", "{\"v\":7}", "");
    check_value(HANDSHAKE_ECHO, "", "{\"v\":\"\"}", "");
    check_value(HANDSHAKE_ECHO, "", "{}", "");
    check_value(HANDSHAKE_JSON, "", "{\"v\":\"a+b\"}", "{\"name\":\"a+b\"}");
    check_value(HANDSHAKE_JSON, "", "{\"v\":\"a\\\\b\"}", "");
    check_value(HANDSHAKE_HMAC, "", "{\"v\":\"token\"}", ""); /* no secret is set */
    check_value(HANDSHAKE_ORIGINS, "", "{\"v\":\"x\"}", "");  /* the list is empty */
}

TEST(a_handshake_is_for_its_method)
{
    static const struct handshake handshakes[] = { { .method = SLICE("GET") }, { .method = SLICE("") } };
    const struct route route = { .handshakes = handshakes, .handshake_count = 2 }, none = { .handshake_count = 0 };
    CHECK("GET", handshake_takes(&route, SLICE("GET")));
    CHECK("POST", !handshake_takes(&route, SLICE("POST")));
    CHECK("none", !handshake_takes(&none, SLICE("GET")));
}

TEST_MAIN()
