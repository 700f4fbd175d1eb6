#include "check.h"

#include "model/attempt.h"
#include "model/event.h"
#include "model/fetch.h"
#include "model/generation.h"
#include "model/lookup.h"
#include "model/message.h"

static struct event *make_event(const char *content_type, const char *body)
{
    static const struct pair headers[] = {
        { SLICE("X-GitHub-Event"), SLICE("push") },
        { SLICE("Accept"), SLICE("a") },
        { SLICE("accept"), SLICE("b") },
    };
    static const struct pair params[] = { { SLICE("org"), SLICE("acme") } };
    struct event_parts parts = {
        .route = SLICE("/github/:org"),
        .method = SLICE("POST"),
        .path = SLICE("/github/acme"),
        .query = SLICE("a=1&b=x%20y&a=2&empty&plus=1+2"),
        .remote_ip = SLICE("127.0.0.1"),
        .content_type = slice_of(content_type),
        .headers = headers,
        .header_count = COUNT(headers),
        .params = params,
        .param_count = COUNT(params),
        .received_ms = 1700000000000u,
        .body = slice_of(body),
        .verified = SLICE("github"),
    };
    struct event *event = NULL;
    CHECK_EQ("made", event_new(&parts, &event), OK);
    return event;
}

TEST(header_lines_of_an_answer_are_taken_one_by_one)
{
    struct slice head = SLICE("Content-Type: text/plain \r\nX:\r\n folded\r\nno colon\r\n: no name\r\nLast:\tvalue"), name, value;
    CHECK("first", fetch_head_next(&head, &name, &value));
    CHECK_SLICE("name", name, "Content-Type");
    CHECK_SLICE("value", value, "text/plain");
    CHECK("empty", fetch_head_next(&head, &name, &value));
    CHECK_SLICE("name", name, "X");
    CHECK_SLICE("no value", value, "");
    CHECK("what is none is passed over", fetch_head_next(&head, &name, &value));
    CHECK_SLICE("name", name, "Last");
    CHECK_SLICE("value", value, "value");
    CHECK("no more", !fetch_head_next(&head, &name, &value));
}

TEST(a_record_of_a_fetch_reads_back_and_a_damaged_one_is_refused)
{
    struct fetch_record record = { .at_ms = 5, .took_ms = 6, .error = ATTEMPT_DNS, .method = SLICE("GET"), .url = SLICE("u") },
                        back;
    struct buf out;
    buf_init(&out, 1000);
    fetch_record_write(&record, &out);
    fetch_record_write(&record, &out);
    struct slice blob = buf_slice(&out);
    CHECK_EQ("first", fetch_record_read(&blob, &back), OK);
    CHECK_SLICE("url", back.url, "u");
    CHECK_EQ("second", fetch_record_read(&blob, &back), OK);
    CHECK_EQ("error", back.error, ATTEMPT_DNS);
    CHECK_EQ("all of it", blob.len, 0);
    for (size_t len = 1; len < out.len / 2; len++) {
        blob = slice_make(out.data, len);
        CHECK_EQ("cut", fetch_record_read(&blob, &back), ERR_INVALID);
    }
    out.data[16] = ATTEMPT_ERROR_LAST + 1;
    blob = buf_slice(&out);
    CHECK_EQ("an unknown error", fetch_record_read(&blob, &back), ERR_INVALID);
    buf_deinit(&out);
}

TEST(a_name_is_found_among_many_with_and_without_an_index)
{
    enum { MANY = 1000 };
    static struct target targets[MANY];
    static char names[MANY][16];
    struct generation generation = { .targets = targets };
    for (size_t count = 0; count <= MANY; count += count < 4 ? 1 : 332) {
        arena_deinit(&generation.arena);
        generation.target_index = (struct name_index){ NULL, 0 };
        generation.target_count = count;
        for (size_t i = 0; i < count; i++) {
            snprintf(names[i], sizeof(names[i]), "target-%zu", i);
            targets[i].name = slice_of(names[i]);
        }
        for (int indexed = 0; indexed < 2; indexed++) {
            for (size_t i = 0; i < count; i++)
                CHECK("found", generation_target(&generation, slice_of(names[i])) == &targets[i]);
            CHECK("another is not", !generation_target(&generation, SLICE("target-")));
            CHECK_EQ("indexed", generation_index(&generation), OK);
        }
        CHECK("no route", !generation_route(&generation, SLICE("/a")));
    }
    arena_deinit(&generation.arena);
}

TEST(an_event_reads_back_from_its_stored_form_and_no_cut_form_does)
{
    struct event *event = make_event("application/json", "{\"a\":1}");
    struct buf meta;
    struct event_parts parts;
    struct pair headers[HEADERS_MAX], params[PARAMS_MAX];
    enum body_kind kind;
    buf_init(&meta, 64 << 10);
    event_meta_write(event, &meta);
    CHECK_EQ("whole", event_meta_read(buf_slice(&meta), &parts, headers, params, &kind), OK);
    CHECK_SLICE("path", parts.path, "/github/acme");
    CHECK_EQ("headers", parts.header_count, 3);
    CHECK_SLICE("header", parts.headers[2].value, "b");
    CHECK_SLICE("param", parts.params[0].value, "acme");
    for (size_t len = 0; len < meta.len; len++)
        CHECK_EQ("cut", event_meta_read((struct slice){ meta.data, len }, &parts, headers, params, &kind), ERR_INVALID);
    buf_deinit(&meta);
    event_unref(event);
}

TEST(a_path_finds_what_it_names_and_never_fails)
{
    struct event *event = make_event("application/json", "{\"ref\":\"main\",\"items\":[{\"sku\":\"x\"},{\"sku\":\"y\"}],"
                                                         "\"labels\":{\"app.kubernetes.io/name\":\"web\"},\"gone\":null}");
    static const struct {
        const char *path, *want;
    } cases[] = {
        { "body.ref", "\"main\"" },
        { "body.items[2].sku", "\"y\"" },
        { "body.items[3].sku", NULL },
        { "body.items[0]", NULL },
        { "body.items.sku", NULL },
        { "body.labels[\"app.kubernetes.io/name\"]", "\"web\"" },
        { "body.gone", "null" },
        { "headers.x-github-event", "push" },
        { "headers[\"X-GITHUB-EVENT\"]", "push" },
        { "headers.accept", "a, b" },
        { "headers.none", NULL },
        { "query.a", "1" },
        { "query.b", "x y" },
        { "query.empty", "" },
        { "query.plus", "1 2" },
        { "params.org", "acme" },
        { "method", "POST" },
        { "type", NULL },
        { "nothing", NULL },
        { "body.", NULL },
        { "body..ref", NULL },
        { "body[", NULL },
        { "", NULL },
    };
    struct json_error error;
    struct buf scratch;
    buf_init(&scratch, 64 << 10);
    CHECK_EQ("indexed", event_index(event, &error), OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct found found = event_lookup(event, slice_of(cases[i].path), &scratch);
        struct slice got = found.kind == FOUND_JSON ? json_text(found.json) : found.text;
        if (!cases[i].want)
            CHECK_EQ(cases[i].path, found.kind, FOUND_NOTHING);
        else
            CHECK_SLICE(cases[i].path, got, cases[i].want);
    }
    buf_deinit(&scratch);
    event_unref(event);
}

static bool count_place(struct json_value place, void *arg)
{
    (*(int *)arg)++;
    return json_type(place) == JSON_STRING;
}

TEST(each_visits_every_place)
{
    struct event *event = make_event("application/json", "{\"items\":[{\"sku\":\"x\"},{\"no\":1},{\"sku\":\"y\"}]}");
    struct json_error error;
    int visited = 0;
    CHECK_EQ("indexed", event_index(event, &error), OK);
    json_lookup_each(json_root(event->json), SLICE("items[*].sku"), count_place, &visited);
    CHECK_EQ("two have it", visited, 2);
    event_unref(event);
}

TEST(paths_are_judged_as_a_whole)
{
    static const struct {
        const char *path;
        bool valid;
    } cases[] = {
        { "body", true },       { "body.a", true },     { "body[1].a", true }, { "body[*]", true }, { "body['a b']", true },
        { "body.a-b_c", true }, { ".body", false },     { "body.", false },    { "body[", false },  { "body[x]", false },
        { "body[1", false },    { "body[\"a]", false }, { "body]a", false },   { "", false },       { "body[1]a", false },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].path, path_is_valid(slice_of(cases[i].path)), cases[i].valid);
}

TEST(a_form_with_the_one_field_payload_is_indexed_inside)
{
    struct event *event = make_event("application/x-www-form-urlencoded", "payload=%7B%22ref%22%3A%22a+b%22%7D");
    struct json_error error;
    CHECK_EQ("indexed", event_index(event, &error), OK);
    CHECK_SLICE("inside", json_text(json_member(json_root(event->json), SLICE("ref"))), "\"a b\"");
    CHECK_SLICE("the bytes stay", event->body, "payload=%7B%22ref%22%3A%22a+b%22%7D");
    event_unref(event);
    event = make_event("application/x-www-form-urlencoded", "payload=1&more=2");
    CHECK_EQ("two fields", event_index(event, &error), ERR_INVALID);
    event_unref(event);
}

static bool resolve(void *arg, struct slice name, struct slice *value)
{
    *value = SLICE("s\"<&> e");
    return slice_is(name, "TOKEN");
}

TEST(a_message_fills_in_secrets_escaped_for_their_place)
{
    static const struct {
        enum escaping escaping;
        const char *want;
    } cases[] = {
        { ESCAPE_NONE, "[s\"<&> e]" },
        { ESCAPE_JSON, "[s\\\"<&> e]" },
        { ESCAPE_FORM, "[s%22%3C%26%3E+e]" },
        { ESCAPE_URL, "[s%22%3C%26%3E%20e]" },
        { ESCAPE_XML, "[s&quot;&lt;&amp;&gt; e]" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf pieces, blob, shown;
        struct arena arena = { 0 };
        struct rendered rendered;
        struct slice missing;
        bool of_event = true;
        buf_init(&pieces, 1024);
        buf_init(&blob, MESSAGE_MAX);
        buf_init(&shown, 1024);
        pieces_bytes(&pieces, SLICE("["));
        pieces_secret(&pieces, SLICE("TOKEN"), cases[i].escaping);
        pieces_bytes(&pieces, SLICE("]"));
        message_add_header(&blob, SLICE("X-Token"), buf_slice(&pieces));
        message_set_body(&blob, buf_slice(&pieces));
        CHECK_EQ("renders", message_render(buf_slice(&blob), resolve, NULL, &arena, &rendered, &missing), OK);
        CHECK_SLICE("body", rendered.body, cases[i].want);
        CHECK_SLICE("header", rendered.headers[0].value, cases[i].want);
        CHECK("the value is not in the blob", !memmem(blob.data, blob.len, "s\"<", 3));
        CHECK_EQ("shows", message_show_body(buf_slice(&blob), &shown, &of_event), OK);
        CHECK_EQ("its own body", of_event, false);
        CHECK_EQ("for a screen", shown.len > 8, 1);
        for (size_t len = 0; len < blob.len; len++) {
            enum result rc = message_render((struct slice){ blob.data, len }, resolve, NULL, &arena, &rendered, &missing);
            CHECK("a cut blob never passes for whole", rc != OK || len == 0 || rendered.body.len == 0);
        }
        arena_deinit(&arena);
        buf_deinit(&pieces);
        buf_deinit(&blob);
        buf_deinit(&shown);
    }
}

TEST(a_message_names_the_secret_that_has_no_value)
{
    struct buf pieces, blob;
    struct arena arena = { 0 };
    struct rendered rendered;
    struct slice missing = { NULL, 0 };
    buf_init(&pieces, 1024);
    buf_init(&blob, MESSAGE_MAX);
    pieces_secret(&pieces, SLICE("OTHER"), ESCAPE_NONE);
    message_set_body(&blob, buf_slice(&pieces));
    CHECK_EQ("not found", message_render(buf_slice(&blob), resolve, NULL, &arena, &rendered, &missing), ERR_NOT_FOUND);
    CHECK_SLICE("by name", missing, "OTHER");
    arena_deinit(&arena);
    buf_deinit(&pieces);
    buf_deinit(&blob);
}

TEST(an_attempt_reads_back_from_its_stored_form)
{
    struct attempt attempt = { .n = 3,
                               .at_ms = 5,
                               .took_ms = 7,
                               .status = 503,
                               .detail = SLICE("d"),
                               .answer = SLICE("no"),
                               .answer_type = SLICE("text/plain"),
                               .generation = 3 };
    struct attempt back;
    struct buf blob;
    buf_init(&blob, 1024);
    attempt_write(&attempt, &blob);
    CHECK_EQ("reads", attempt_read(buf_slice(&blob), &back), OK);
    CHECK_EQ("status", back.status, 503);
    CHECK_SLICE("answer", back.answer, "no");
    CHECK_EQ("its rules", back.generation, 3);
    size_t first_form = blob.len - 4; /* stores of schema 1 name no generation */
    for (size_t len = 0; len < blob.len; len++)
        CHECK_EQ("cut", attempt_read((struct slice){ blob.data, len }, &back), len == first_form ? OK : ERR_INVALID);
    buf_deinit(&blob);
}

#define PARTS                                                                                                                    \
    "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; "          \
    "filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nbytes\r\n--b--"

TEST(fields_of_forms_and_files_have_paths)
{
    static const struct {
        enum body_kind kind;
        const char *type, *body, *path, *want; /* want NULL: nothing is found */
    } cases[] = {
        { BODY_FORM, "", "a=1&b%5B%5D=x+y&a=2&e", "body.a", "1" },
        { BODY_FORM, "", "a=1&b%5B%5D=x+y&a=2&e", "body[\"b[]\"]", "x y" },
        { BODY_FORM, "", "a=1&b%5B%5D=x+y&a=2&e", "body.e", "" },
        { BODY_FORM, "", "a=1", "body.c", NULL },
        { BODY_FORM, "", "a=1", "body.a.b", NULL },
        { BODY_FORM, "", "a=1", "body[1]", NULL },
        { BODY_FORM, "", "a=1", "body", NULL },
        { BODY_MULTIPART, "x; boundary=b", PARTS, "body.a", "1" },
        { BODY_MULTIPART, "x; boundary=b", PARTS, "body.a.bytes", NULL },
        { BODY_MULTIPART, "x; boundary=b", PARTS, "body.f", NULL },
        { BODY_MULTIPART, "x; boundary=b", PARTS, "body.f.filename", "x.txt" },
        { BODY_MULTIPART, "x; boundary=b", PARTS, "body.f.content_type", "text/plain" },
        { BODY_MULTIPART, "x; boundary=b", PARTS, "body.f.bytes", "bytes" },
        { BODY_MULTIPART, "x; boundary=b", PARTS, "body.f.size", NULL },
        { BODY_XML, "", "<a><b>1</b></a>", "body.b", NULL },
        { BODY_NDJSON, "", "{\"a\":1}\n{\"a\":2}", "body[2].a", "2" },
        { BODY_RAW, "", "x", "body", "x" },
    };
    struct decode_error error;
    struct buf scratch;
    buf_init(&scratch, 64 << 10);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct event *event = make_event(cases[i].type, cases[i].body);
        CHECK_EQ(cases[i].path, event_decode(event, (int)cases[i].kind, 1000, &error), OK);
        CHECK_EQ(cases[i].path, event_check(event, &error), OK);
        struct found found = event_lookup(event, slice_of(cases[i].path), &scratch);
        CHECK_EQ(cases[i].path, found.kind != FOUND_NOTHING, cases[i].want != NULL);
        if (cases[i].want)
            CHECK_SLICE(cases[i].path, found.kind == FOUND_JSON ? json_text(found.json) : found.text, cases[i].want);
        event_unref(event);
    }
    buf_deinit(&scratch);
}

TEST(every_kind_of_body_is_kept_with_the_event)
{
    struct decode_error error;
    for (int kind = BODY_JSON; kind <= BODY_KIND_LAST; kind++) {
        struct pair headers[HEADERS_MAX], params[PARAMS_MAX];
        struct event_parts parts = { 0 };
        enum body_kind read;
        struct buf meta;
        struct event *event = make_event("x; boundary=b", "7");
        buf_init(&meta, 64 << 10);
        CHECK_EQ("decoded", event_decode(event, kind, 1000, &error), OK);
        event_meta_write(event, &meta);
        CHECK_EQ("read", event_meta_read(buf_slice(&meta), &parts, headers, params, &read), OK);
        CHECK_EQ("the same", (int)read, kind);
        meta.data[1] = BODY_KIND_LAST + 1;
        CHECK_EQ("damaged", event_meta_read(buf_slice(&meta), &parts, headers, params, &read), ERR_INVALID);
        buf_deinit(&meta);
        event_unref(event);
    }
}

TEST(memory_of_a_decoded_body_is_accounted_and_given_back)
{
    struct decode_error error;
    atomic_size_t used = 10;
    struct event *event = make_event("", "1\n2\n");
    event_account(event, &used, 10);
    CHECK_EQ("lines", event_decode(event, BODY_NDJSON, 1000, &error), OK);
    CHECK("more", used > 10 + 5);
    event_forget_index(event);
    CHECK_EQ("forgotten", used, 10);
    event_unref(event);
    CHECK_EQ("all", used, 0);
    used = 10;
    event = make_event("", "1\n2,3\n");
    event_account(event, &used, 10);
    CHECK_EQ("refused", event_decode(event, BODY_NDJSON, 1000, &error), ERR_INVALID);
    CHECK("as before", used == 10 && event->text.data == event->body.data && event->kind == BODY_TEXT);
    event_unref(event);
}

TEST_MAIN()
