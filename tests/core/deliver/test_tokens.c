/* Access tokens: what an answer has to say, how often one is asked for, and how long it is used. With an endpoint that stands in
 * for the network, and a clock that stands still. */
#include "check.h"

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/sender.h"
#include "deliver/token_answer.h"
#include "deliver/tokens.h"
#include "model/message.h"

enum { HOUR_MS = 3600 * 1000, WAITS = 40 };

/* ---- one answer ---- */

static enum result read_answer(uint16_t status, struct slice body, struct slice *text, uint64_t *life_s, char why[TOKEN_WHY_SIZE])
{
    static struct buf token;
    buf_deinit(&token);
    buf_init(&token, TOKEN_BYTES_MAX);
    *life_s = 0;
    enum result rc = token_answer_read(status, body, &token, life_s, why);
    *text = buf_slice(&token);
    return rc;
}

TEST(an_answer_with_a_token_says_how_long_it_lives)
{
    static const struct {
        const char *body;
        uint64_t life_s;
    } cases[] = {
        { "{\"access_token\":\"abc\",\"token_type\":\"Bearer\",\"expires_in\":3600}", 3600 },
        { "{\"access_token\":\"abc\",\"token_type\":\"BEARER\",\"expires_in\":\"3600\"}", 3600 },
        { "{\"access_token\":\"\\u0061bc\",\"scope\":null}", TOKEN_LIFE_DEFAULT_S },
        { "{\"access_token\":\"abc\",\"expires_in\":0}", 0 },
        { "{\"access_token\":\"abc\",\"expires_in\":-1}", TOKEN_LIFE_DEFAULT_S },
        { "{\"access_token\":\"abc\",\"expires_in\":\"soon\"}", TOKEN_LIFE_DEFAULT_S },
        { "{\"access_token\":\"abc\",\"expires_in\":1e300}", TOKEN_LIFE_MAX_S },
        { "{\"access_token\":\"abc\",\"expires_in\":2592000}", TOKEN_LIFE_MAX_S },
        { "{\"access_token\":\"abc\",\"expires_in\":2591999}", TOKEN_LIFE_MAX_S - 1 },
        { "{\"access_token\":\"abc\",\"expires_in\":[60]}", TOKEN_LIFE_DEFAULT_S },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char why[TOKEN_WHY_SIZE];
        struct slice text;
        uint64_t life_s;
        CHECK_EQ(cases[i].body, read_answer(200, slice_of(cases[i].body), &text, &life_s, why), OK);
        CHECK_SLICE(cases[i].body, text, "abc");
        CHECK_EQ(cases[i].body, life_s, cases[i].life_s);
    }
}

TEST(an_answer_without_a_token_says_why)
{
    static const struct {
        uint16_t status;
        const char *body, *why;
    } cases[] = {
        { 400, "{\"error\":\"invalid_client\"}", "token endpoint answered 400 invalid_client" },
        { 401, "{\"error\":\"x\",\"error_description\":\"a\\nb\"}", "token endpoint answered 401 x: a?b" },
        { 500, "", "token endpoint answered 500" },
        { 503, "<html>", "token endpoint answered 503" },
        { 400, "[\"error\"]", "token endpoint answered 400" },
        { 400, "{\"error\":{\"code\":7}}", "token endpoint answered 400" },
        { 302, "{\"access_token\":\"abc\"}", "token endpoint answered 302" },
        { 200, "", "token endpoint answered 200 with what is no JSON object" },
        { 200, "{}", "token endpoint answered 200 without an access_token" },
        { 200, "{\"access_token\":7}",
          "token endpoint answered 200 with an access_token that is none: at most 8 KiB of visible "
          "characters" },
        { 200, "{\"access_token\":\"\"}",
          "token endpoint answered 200 with an access_token that is none: at most 8 KiB of visible "
          "characters" },
        { 200, "{\"access_token\":\"a b\"}",
          "token endpoint answered 200 with an access_token that is none: at most 8 KiB of "
          "visible characters" },
        { 200, "{\"access_token\":\"a\\u0000\"}",
          "token endpoint answered 200 with an access_token that is none: at most 8 KiB "
          "of visible characters" },
        { 200, "{\"access_token\":\"abc\",\"token_type\":\"mac\"}",
          "token endpoint answered 200 with a token that is no bearer "
          "token" },
        { 200, "{\"access_token\":\"abc\",\"token_type\":7}",
          "token endpoint answered 200 with a token that is no bearer token" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char why[TOKEN_WHY_SIZE];
        struct slice text;
        uint64_t life_s;
        CHECK_EQ(cases[i].body, read_answer(cases[i].status, slice_of(cases[i].body), &text, &life_s, why), ERR_INVALID);
        CHECK_STR(cases[i].body, why, cases[i].why);
    }
}

TEST(a_token_and_a_reason_have_an_end)
{
    static char body[3 * TOKEN_BYTES_MAX], long_text[2 * TOKEN_BYTES_MAX];
    char why[TOKEN_WHY_SIZE];
    struct slice text;
    uint64_t life_s;
    memset(long_text, 'a', sizeof(long_text) - 1);
    snprintf(body, sizeof(body), "{\"access_token\":\"%.*s\"}", (int)TOKEN_BYTES_MAX, long_text);
    CHECK_EQ("the longest", read_answer(200, slice_of(body), &text, &life_s, why), OK);
    CHECK_EQ("whole", text.len, TOKEN_BYTES_MAX);
    snprintf(body, sizeof(body), "{\"access_token\":\"%.*s\"}", (int)TOKEN_BYTES_MAX + 1, long_text);
    CHECK_EQ("one byte more", read_answer(200, slice_of(body), &text, &life_s, why), ERR_INVALID);
    snprintf(body, sizeof(body), "{\"error\":\"%.*s\",\"error_description\":\"%.*s\"}", 4000, long_text, 4000, long_text);
    CHECK_EQ("a long reason", read_answer(400, slice_of(body), &text, &life_s, why), ERR_INVALID);
    CHECK_EQ("is cut", strlen(why), strlen("token endpoint answered 400 ") + 64 + 2 + 200);
}

/* ---- many that want one ---- */

static uv_loop_t loop;
static struct fetcher *fetcher;
static struct tokens *tokens;
static int asked, told, closed;
static const char *failure; /* what the endpoint answers in place of a token */
static unsigned life_s;
static char said[TOKEN_WHY_SIZE], form[256];
static struct secret secrets[] = { { SLICE("SECRET"), SLICE("a+b c") } };
static struct generation generation = { .refs = 1, .secrets = secrets, .secret_count = COUNT(secrets) };

static void endpoint(void *arg, const struct outgoing *request, struct answer *answer)
{
    static char body[256];
    (void)arg;
    asked++;
    snprintf(form, sizeof(form), "%.*s", SLICE_ARGS(request->body));
    answer->status = failure ? 400 : 200;
    if (failure)
        snprintf(body, sizeof(body), "{\"error\":\"%s\"}", failure);
    else
        snprintf(body, sizeof(body), "{\"access_token\":\"token-%d\",\"expires_in\":%u}", asked, life_s);
    answer->body = slice_of(body);
}

static void on_told(struct token_wait *wait, const char *why)
{
    CHECK("it waits no more", wait->token == NULL);
    snprintf(said, sizeof(said), "%s", why ? why : "");
    told++;
}

static void on_closed(void *arg)
{
    (void)arg;
    closed = 1;
}

static void set_up(void)
{
    static const struct stand_in network = { endpoint, NULL };
    clock_freeze(1750000000000);
    uv_loop_init(&loop);
    fetcher = fetcher_new(&loop, &network);
    tokens = tokens_new(fetcher);
    asked = told = closed = 0;
    failure = NULL;
    life_s = 3600;
}

static void tear_down(void)
{
    tokens_free(tokens);
    fetcher_free(fetcher, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ("closed", closed, 1);
    CHECK_EQ("nothing is left", uv_loop_close(&loop), 0);
    CHECK_EQ("no generation either", generation.refs, 1);
}

/* Of pieces that live as long as the program. */
static struct slice pieces(const char *text)
{
    static struct buf made[16];
    static size_t count;
    struct buf *buf = &made[count++ % COUNT(made)];
    buf_deinit(buf);
    buf_init(buf, 1 << 10);
    pieces_bytes(buf, slice_of(text));
    return buf_slice(buf);
}

static struct target target_of(const char *id)
{
    return (struct target){ .auth = AUTH_OAUTH2,
                            .token_url = pieces("https://id.example.com/token"),
                            .auth_user = pieces(id),
                            .auth_value = pieces("secret"),
                            .scope = SLICE("a b&c"),
                            .timeout_ms = 5000 };
}

static void turn(void)
{
    for (int i = 0; i < 5; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static struct token_wait wait_of(void)
{
    return (struct token_wait){ .on_done = on_told };
}

static bool has(const struct target *target, const char *text)
{
    uint32_t serial;
    struct slice token = tokens_get(tokens, target, &serial);
    return text ? token.data && slice_is(token, text) : !token.data;
}

static void obtain(const struct target *target)
{
    struct token_wait wait = wait_of();
    CHECK("asked for", !tokens_wait(tokens, target, &generation, &wait));
    turn();
}

TEST(many_that_wait_ask_once)
{
    static struct token_wait waits[WAITS];
    struct target target = target_of("one");
    set_up();
    CHECK("none as yet", has(&target, NULL));
    for (int i = 0; i < WAITS; i++) {
        waits[i] = wait_of();
        CHECK("waits", !tokens_wait(tokens, &target, &generation, &waits[i]));
    }
    CHECK_EQ("nobody is told from inside", told, 0);
    tokens_leave(tokens, &waits[0]);
    tokens_leave(tokens, &waits[WAITS - 1]);
    tokens_leave(tokens, &waits[7]);
    turn();
    CHECK_EQ("once", asked, 1);
    CHECK_EQ("all that stayed", told, WAITS - 3);
    CHECK("there it is", has(&target, "token-1"));
    CHECK_STR("asked for as RFC 6749 says", form, "grant_type=client_credentials&scope=a+b%26c");
    tear_down();
}

TEST(when_nobody_waits_any_more_nothing_is_asked)
{
    struct target target = target_of("one");
    struct token_wait wait = wait_of();
    set_up();
    CHECK("waits", !tokens_wait(tokens, &target, &generation, &wait));
    tokens_leave(tokens, &wait);
    turn();
    CHECK_EQ("not asked", asked, 0);
    obtain(&target);
    CHECK("later", has(&target, "token-1"));
    tear_down();
}

TEST(all_are_told_why_there_is_none_and_the_next_asks_again)
{
    struct target target = target_of("one");
    set_up();
    failure = "invalid_client";
    obtain(&target);
    CHECK_STR("why", said, "token endpoint answered 400 invalid_client");
    CHECK("none", has(&target, NULL));
    failure = NULL;
    obtain(&target);
    CHECK("then one", has(&target, "token-2"));
    tear_down();
}

TEST(a_token_is_used_until_shortly_before_its_end)
{
    static const struct {
        unsigned life_s;
        uint64_t used_ms;
    } cases[] = {
        { 3600, HOUR_MS - TOKEN_MARGIN_MS }, { 300, 270 * 1000 },        { 60, 54 * 1000 },
        { 0, TOKEN_LIFE_LEAST_MS },          { 1, TOKEN_LIFE_LEAST_MS },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct target target = target_of("one");
        set_up();
        life_s = cases[i].life_s;
        obtain(&target);
        clock_pass(cases[i].used_ms - 1);
        CHECK("the last moment", has(&target, "token-1"));
        clock_pass(1);
        CHECK("no more", has(&target, NULL));
        obtain(&target);
        CHECK("the next one", has(&target, "token-2"));
        tear_down();
    }
}

TEST(targets_share_what_they_ask_for_in_the_same_way)
{
    struct target one = target_of("one"), same = target_of("one"), cases[] = { one, one, one, one, one };
    set_up();
    cases[0].auth_user = pieces("two");
    cases[1].auth_value = pieces("another secret");
    cases[2].scope = SLICE("a");
    cases[3].token_url = pieces("https://id.example.com/other");
    cases[4].allow_private = true;
    obtain(&one);
    CHECK("shared", has(&same, "token-1"));
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK("not with others", has(&cases[i], NULL));
    for (size_t i = 0; i < COUNT(cases); i++)
        obtain(&cases[i]);
    CHECK("each has its own", has(&one, "token-1") && has(&cases[0], "token-2") && has(&cases[4], "token-6"));
    tear_down();
}

TEST(a_refused_token_is_thrown_away_once_a_minute)
{
    struct target target = target_of("one");
    uint32_t first, second;
    set_up();
    obtain(&target);
    (void)tokens_get(tokens, &target, &first);
    CHECK("thrown away", tokens_refuse(tokens, &target, first) && has(&target, NULL));
    CHECK("another one is wanted already", tokens_refuse(tokens, &target, first));
    obtain(&target);
    (void)tokens_get(tokens, &target, &second);
    CHECK("another one", second != first && has(&target, "token-2"));
    CHECK("one that had the first takes it", tokens_refuse(tokens, &target, first) && has(&target, "token-2"));
    clock_pass(TOKEN_REFUSED_AGAIN_MS - 1);
    CHECK("not as soon", !tokens_refuse(tokens, &target, second) && has(&target, "token-2"));
    clock_pass(1);
    CHECK("then it is", tokens_refuse(tokens, &target, second) && has(&target, NULL));
    tear_down();
}

TEST(an_address_that_is_none_is_said_at_once)
{
    struct target target = target_of("one");
    struct token_wait wait = wait_of();
    set_up();
    target.token_url = pieces("file:///etc/passwd");
    const char *why = tokens_wait(tokens, &target, &generation, &wait);
    CHECK("why", why && strstr(why, "http"));
    tear_down();
}

TEST(without_a_network_there_is_always_one)
{
    struct target target = target_of("one");
    uint32_t serial;
    tokens = tokens_new(NULL);
    CHECK_SLICE("one", tokens_get(tokens, &target, &serial), "token-of-a-test");
    CHECK_EQ("that nobody throws away", serial, 0);
    tokens_free(tokens);
}

TEST_MAIN()
