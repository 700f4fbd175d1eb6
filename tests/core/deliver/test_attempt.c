/* From a stored message to the request of one attempt: whatever the message says, it goes to the target's host, and no header of
 * it is more than one line. */
#include "check.h"

#include "deliver/attempt_request.h"
#include "model/message.h"

static struct secret secrets[] = {
    { SLICE("TOKEN"), SLICE("t0ken") },
    { SLICE("LINES"), SLICE("t0ken\r\nX-Evil: 1") },
    { SLICE("URL"), SLICE("http://b.example.com/in?a=1#frag") },
    { SLICE("BARE"), SLICE("http://b.example.com") },
};
static const struct generation generation = { .secrets = secrets, .secret_count = COUNT(secrets) };
static const struct event event = { .body = SLICE("{}"), .content_type = SLICE("application/json") };

struct trial {
    struct target target;
    struct buf url, message, value;
    struct arena arena;
    struct outgoing out;
    const char *why;
};

static struct slice text(struct buf *pieces, const char *bytes)
{
    buf_init(pieces, MESSAGE_MAX);
    pieces_bytes(pieces, slice_of(bytes));
    return buf_slice(pieces);
}

/* url: "secret:NAME" stands for a secret. */
static void begin(struct trial *trial, const char *url)
{
    *trial = (struct trial){ .target = { .method = SLICE("POST") } };
    if (strncmp(url, "secret:", 7) == 0) {
        buf_init(&trial->url, MESSAGE_MAX);
        pieces_secret(&trial->url, slice_of(url + 7), ESCAPE_NONE);
        trial->target.url = buf_slice(&trial->url);
    } else {
        trial->target.url = text(&trial->url, url);
    }
    buf_init(&trial->message, MESSAGE_MAX);
    buf_init(&trial->value, MESSAGE_MAX);
}

static enum result build(struct trial *trial)
{
    const struct attempt_source source = { .target = &trial->target,
                                           .generation = &generation,
                                           .event = &event,
                                           .message = buf_slice(&trial->message),
                                           .id = SLICE("id-1") };
    return attempt_request_build(&source, &trial->arena, &trial->out, &trial->why);
}

static void end(struct trial *trial)
{
    buf_deinit(&trial->url);
    buf_deinit(&trial->message);
    buf_deinit(&trial->value);
    arena_deinit(&trial->arena);
}

static void add_header(struct trial *trial, const char *name, const char *value)
{
    buf_clear(&trial->value);
    pieces_bytes(&trial->value, slice_of(value));
    message_add_header(&trial->message, slice_of(name), buf_slice(&trial->value));
}

static const char *line_of(const struct trial *trial, const char *name)
{
    for (size_t i = 0; i < trial->out.header_count; i++)
        if (strncasecmp(trial->out.header_lines[i], name, strlen(name)) == 0)
            return trial->out.header_lines[i];
    return NULL;
}

TEST(a_path_and_a_query_stay_at_the_target_s_host)
{
    static const struct {
        const char *url, *path, *query, *want;
    } cases[] = {
        { "http://a.example.com", "x", NULL, "http://a.example.com/x" },
        { "http://a.example.com", "/x", NULL, "http://a.example.com/x" },
        { "http://a.example.com/", "/x", NULL, "http://a.example.com/x" },
        { "http://a.example.com", "//b.example.com/x", NULL, "http://a.example.com//b.example.com/x" },
        { "http://a.example.com", "@b.example.com", NULL, "http://a.example.com/@b.example.com" },
        { "http://a.example.com", ":81/x", NULL, "http://a.example.com/:81/x" },
        { "http://a.example.com", ".b.example.com", NULL, "http://a.example.com/.b.example.com" },
        { "http://a.example.com", "http://b.example.com", NULL, "http://a.example.com/http://b.example.com" },
        { "http://a.example.com", NULL, "q=1", "http://a.example.com?q=1" },
        { "http://a.example.com/in?a=1", "x", "q=1", "http://a.example.com/in/x?a=1&q=1" },
        { "secret:URL", "x", "q=1", "http://b.example.com/in/x?a=1&q=1" },
        { "secret:URL", NULL, NULL, "http://b.example.com/in?a=1" },
        { "secret:BARE", "@c.example.com", "q=1", "http://b.example.com/@c.example.com?q=1" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trial trial;
        struct buf path, query;
        begin(&trial, cases[i].url);
        message_set_path(&trial.message, text(&path, cases[i].path ? cases[i].path : ""));
        message_set_query(&trial.message, text(&query, cases[i].query ? cases[i].query : ""));
        CHECK_EQ(cases[i].want, build(&trial), OK);
        CHECK_STR(cases[i].want, trial.out.url, cases[i].want);
        buf_deinit(&path);
        buf_deinit(&query);
        end(&trial);
    }
}

TEST(a_url_has_an_end)
{
    struct trial trial;
    struct buf path, query;
    char *half = malloc(8192 + 1);
    memset(half, 'a', 8192);
    half[8192] = '\0';
    begin(&trial, "http://a.example.com");
    message_set_path(&trial.message, text(&path, half));
    message_set_query(&trial.message, text(&query, half));
    CHECK_EQ("the longest of both", build(&trial), OK);
    end(&trial);
    buf_deinit(&path);
    buf_deinit(&query);
    char *huge = malloc((1 << 20) + 1);
    memset(huge, 'a', 1 << 20);
    huge[1 << 20] = '\0';
    begin(&trial, "http://a.example.com");
    message_set_path(&trial.message, text(&path, huge));
    CHECK_EQ("a stored one of 1 MiB", build(&trial), ERR_INVALID);
    CHECK("says so", strstr(trial.why, "32 KiB"));
    end(&trial);
    buf_deinit(&path);
    free(half);
    free(huge);
}

TEST(a_header_is_one_line_whatever_its_secret_turns_out_to_be)
{
    static const char *const values[] = { "a\r\nX-Evil: 1", "a\nb", "\r" };
    struct trial trial;
    for (size_t i = 0; i < COUNT(values); i++) {
        begin(&trial, "http://a.example.com");
        add_header(&trial, "X-A", values[i]);
        CHECK_EQ(values[i], build(&trial), ERR_INVALID);
        CHECK("says so", strstr(trial.why, "line end"));
        end(&trial);
    }
    begin(&trial, "http://a.example.com");
    pieces_secret(&trial.value, SLICE("LINES"), ESCAPE_NONE);
    message_add_header(&trial.message, SLICE("X-A"), buf_slice(&trial.value));
    CHECK_EQ("a secret of two lines", build(&trial), ERR_INVALID);
    CHECK("never shown", !strstr(trial.why, "t0ken"));
    end(&trial);
}

TEST(an_empty_header_is_sent_empty_and_takes_none_away)
{
    static const char *const blanks[] = { "", " ", " \t " };
    for (size_t i = 0; i < COUNT(blanks); i++) {
        struct trial trial;
        begin(&trial, "http://a.example.com");
        add_header(&trial, "User-Agent", blanks[i]);
        CHECK_EQ("built", build(&trial), OK);
        CHECK_STR(blanks[i], line_of(&trial, "User-Agent"), "User-Agent;"); /* "User-Agent:" would be "without it" */
        end(&trial);
    }
}

TEST(headers_have_a_bound_that_says_so)
{
    static struct pair more[SENDER_HEADERS_MAX];
    static char names[SENDER_HEADERS_MAX][16];
    struct buf value;
    struct slice one = text(&value, "1");
    for (size_t i = 0; i < COUNT(more); i++) {
        snprintf(names[i], sizeof(names[i]), "X-Target-%zu", i);
        more[i] = (struct pair){ slice_of(names[i]), one };
    }
    for (size_t n = 0; n <= COUNT(more); n++) { /* one of them fills the list to the last place, without a content type */
        struct trial trial;
        begin(&trial, "http://a.example.com");
        trial.target.headers = more;
        trial.target.header_count = n;
        message_set_body(&trial.message, SLICE(""));
        enum result rc = build(&trial);
        if (rc == OK)
            CHECK("within", trial.out.header_count <= SENDER_HEADERS_MAX && line_of(&trial, "Content-Type:"));
        else
            CHECK("says so", rc == ERR_INVALID && strstr(trial.why, "too many headers"));
        CHECK_EQ("how many", rc, n <= SENDER_HEADERS_MAX - 3 ? OK : ERR_INVALID);
        end(&trial);
    }
    buf_deinit(&value);
}

TEST_MAIN()
