/* What the router asks for itself: how many at once, how they end. With a server that takes connections and says nothing. */
#include "check.h"

#include <arpa/inet.h>

#include "deliver/getter.h"

static uv_loop_t loop;
static uv_tcp_t server;
static char address[32];
static int ended, closed;

static void take_none(uv_stream_t *listening, int status)
{
    (void)listening; /* the kernel has taken the connection: that is enough */
    (void)status;
}

static void open_server(void)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int len = sizeof(any);
    uv_loop_init(&loop);
    uv_tcp_init(&loop, &server);
    CHECK("bound", uv_tcp_bind(&server, (struct sockaddr *)&any, 0) == 0);
    CHECK("listens", uv_listen((uv_stream_t *)&server, 64, take_none) == 0);
    uv_tcp_getsockname(&server, (struct sockaddr *)&any, &len);
    snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(any.sin_port));
}

static void on_closed(void *arg)
{
    (void)arg;
    closed++;
}

static void close_all(struct getter *getter)
{
    closed = 0;
    getter_free(getter, on_closed, NULL);
    uv_close((uv_handle_t *)&server, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ("closed", closed, 1);
    CHECK_EQ("nothing is left", uv_loop_close(&loop), 0);
}

static void on_done(struct get *get, const struct get_answer *answer)
{
    ended++;
    CHECK_EQ("no answer", answer->status, 0);
    CHECK_STR("why", answer->detail, get->owner);
}

TEST(ten_are_asked_at_once_and_all_hear_of_the_end)
{
    struct get gets[GETS_UNDER_WAY_MAX + 1];
    open_server();
    struct getter_world world = { .connect_to = address };
    struct getter *getter = getter_new(&loop, &world);
    ended = 0;
    CHECK("idle", getter_is_idle(getter));
    for (size_t i = 0; i < COUNT(gets); i++) {
        gets[i] =
            (struct get){ .url = "https://id.example.com/keys", .on_done = on_done, .owner = (void *)"the router is ending" };
        CHECK_EQ("begun", getter_begin(getter, &gets[i]), i < GETS_UNDER_WAY_MAX);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK("at work", !getter_is_idle(getter));
    getter_abort(getter);
    CHECK_EQ("ended", ended, GETS_UNDER_WAY_MAX);
    CHECK("idle again", getter_is_idle(getter));
    CHECK("room again", getter_begin(getter, &gets[0]));
    close_all(getter);
    CHECK_EQ("ended by the end", ended, GETS_UNDER_WAY_MAX + 1);
}

static void on_blocked(struct get *get, const struct get_answer *answer)
{
    on_done(get, answer);
    uv_stop(&loop); /* it ends before the loop sleeps, and nothing else would wake it */
}

TEST(a_private_address_is_not_asked)
{
    static const char *const urls[] = { "https://127.0.0.1:1/", "https://[::1]:1/", "https://10.0.0.1/",
                                        "https://169.254.169.254/latest/meta-data/" };
    struct getter_world world = { .connect_to = NULL };
    open_server();
    struct getter *getter = getter_new(&loop, &world);
    ended = 0;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct get get = { .url = urls[i], .on_done = on_blocked, .owner = (void *)"a private address" };
        CHECK("begun", getter_begin(getter, &get));
        CHECK_EQ("not from inside", ended, i);
        uv_run(&loop, UV_RUN_DEFAULT);
        CHECK_EQ(urls[i], ended, i + 1);
    }
    CHECK("idle", getter_is_idle(getter));
    close_all(getter);
}

TEST_MAIN()
