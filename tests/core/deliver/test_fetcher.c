/* What handlers ask, many at once: how many are under way, of all and of one host, and what is refused. With servers of its own
 * that take connections and say nothing. */
#include "check.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/fetcher.h"
#include "model/message.h"

enum { SERVERS = 9, FETCHES_EACH = 40, CONNECTIONS_MAX = 1024, DEADLINE_MS = 20000, BIG = 16 << 20 };

static uv_loop_t loop;
static struct fetcher *fetcher;
static const struct generation generation = { .number = 1 };
static int ended, closed;

/* ---- servers ---- */

struct server {
    uv_tcp_t tcp;
    int port, connected;
};
static struct server servers[SERVERS];
static uv_tcp_t *connections[CONNECTIONS_MAX];
static int connection_count;

static void on_connection(uv_stream_t *listening, int status)
{
    struct server *server = (struct server *)listening;
    uv_tcp_t *tcp = MEM_NEW(uv_tcp_t);
    uv_tcp_init(&loop, tcp);
    CHECK("accepted", status == 0 && uv_accept(listening, (uv_stream_t *)tcp) == 0 && connection_count < CONNECTIONS_MAX);
    connections[connection_count++] = tcp;
    server->connected++;
}

static void open_servers(void)
{
    for (int i = 0; i < SERVERS; i++) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int len = sizeof(address);
        servers[i] = (struct server){ 0 };
        uv_tcp_init(&loop, &servers[i].tcp);
        CHECK("bound", uv_tcp_bind(&servers[i].tcp, (struct sockaddr *)&address, 0) == 0);
        CHECK("listens", uv_listen((uv_stream_t *)&servers[i].tcp, 128, on_connection) == 0);
        uv_tcp_getsockname(&servers[i].tcp, (struct sockaddr *)&address, &len);
        servers[i].port = ntohs(address.sin_port);
    }
}

static void on_tcp_closed(uv_handle_t *handle)
{
    mem_free(handle);
}

static void close_servers(void)
{
    for (int i = 0; i < SERVERS; i++)
        uv_close((uv_handle_t *)&servers[i].tcp, NULL);
    for (int i = 0; i < connection_count; i++)
        if (connections[i])
            uv_close((uv_handle_t *)connections[i], on_tcp_closed);
    connection_count = 0;
}

/* ---- fetches ---- */

struct asking {
    struct fetch fetch;
    struct buf url;
    bool over;
};

static void on_done(struct fetch *fetch, const struct fetch_answer *answer)
{
    struct asking *asking = fetch->owner;
    CHECK("why", answer->error == ATTEMPT_RESET || answer->error == ATTEMPT_CONFIG);
    asking->over = true;
    ended++;
}

static const char *begin(struct asking *asking, const char *url, uint64_t max_response, struct slice message)
{
    *asking = (struct asking){ 0 };
    buf_init(&asking->url, 1 << 10);
    pieces_bytes(&asking->url, slice_of(url));
    asking->fetch = (struct fetch){ .generation = &generation,
                                    .url = buf_slice(&asking->url),
                                    .message = message,
                                    .timeout_ms = 60000,
                                    .max_response_bytes = max_response,
                                    .allow_private = true,
                                    .on_done = on_done,
                                    .owner = asking };
    return fetcher_begin(fetcher, &asking->fetch);
}

static const char *begin_at(struct asking *asking, const struct server *server, uint64_t max_response)
{
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server->port);
    return begin(asking, url, max_response, SLICE(""));
}

static void end(struct asking *asking)
{
    if (!asking->over)
        fetcher_cancel(fetcher, &asking->fetch);
    buf_deinit(&asking->url);
}

static void run_until(const char *what, const int *count, int wanted)
{
    for (uint64_t end_ms = clock_mono_ms() + DEADLINE_MS; *count < wanted && clock_mono_ms() < end_ms;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_EQ(what, *count, wanted);
}

/* Some more turns: what could start has started. */
static void settle(void)
{
    for (int i = 0; i < 200; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void on_fetcher_closed(void *arg)
{
    (void)arg;
    closed = 1;
}

static void set_up(void)
{
    uv_loop_init(&loop);
    fetcher = fetcher_new(&loop, NULL);
    ended = closed = 0;
    open_servers();
}

static void tear_down(void)
{
    close_servers();
    fetcher_free(fetcher, on_fetcher_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ("closed", closed, 1);
    CHECK_EQ("nothing is left", uv_loop_close(&loop), 0);
}

TEST(so_many_are_under_way_of_all_and_of_one_host)
{
    static struct asking asking[SERVERS * FETCHES_EACH];
    set_up();
    for (int i = 0; i < SERVERS * FETCHES_EACH; i++)
        CHECK_EQ("begun", begin_at(&asking[i], &servers[i % SERVERS], 1000), NULL);
    CHECK_EQ("not from inside", connection_count, 0);
    run_until("of all", &connection_count, FETCHES_UNDER_WAY_MAX);
    settle();
    CHECK_EQ("and no more", connection_count, FETCHES_UNDER_WAY_MAX);
    for (int i = 0; i < SERVERS; i++)
        CHECK("of one host", servers[i].connected <= FETCHES_OF_HOST_MAX);
    uv_close((uv_handle_t *)connections[0], on_tcp_closed);
    connections[0] = NULL;
    run_until("one ends", &ended, 1);
    run_until("the next begins", &connection_count, FETCHES_UNDER_WAY_MAX + 1);
    for (int i = 0; i < SERVERS * FETCHES_EACH; i++)
        end(&asking[i]);
    settle();
    CHECK_EQ("a cancelled one says nothing", ended, 1);
    tear_down();
}

TEST(a_host_that_is_slow_holds_up_its_own_only)
{
    static struct asking asking[FETCHES_EACH + 1];
    set_up();
    for (int i = 0; i < FETCHES_EACH; i++)
        CHECK_EQ("begun", begin_at(&asking[i], &servers[0], 1000), NULL);
    CHECK_EQ("begun", begin_at(&asking[FETCHES_EACH], &servers[1], 1000), NULL);
    run_until("both", &connection_count, FETCHES_OF_HOST_MAX + 1);
    settle();
    CHECK_EQ("of the slow one", servers[0].connected, FETCHES_OF_HOST_MAX);
    CHECK_EQ("of the other", servers[1].connected, 1);
    for (int i = 0; i <= FETCHES_EACH; i++)
        end(&asking[i]);
    tear_down();
}

TEST(answers_under_way_have_a_bound_together)
{
    enum { FIT = FETCH_ANSWERS_MAX / BIG };
    static struct asking asking[FIT + 1];
    set_up();
    for (int i = 0; i <= FIT; i++)
        CHECK_EQ("begun", begin_at(&asking[i], &servers[i % SERVERS], BIG), NULL);
    run_until("as many as fit", &connection_count, FIT);
    settle();
    CHECK_EQ("the next one waits", connection_count, FIT);
    end(&asking[0]);
    run_until("until there is room", &connection_count, FIT + 1);
    for (int i = 1; i <= FIT; i++)
        end(&asking[i]);
    tear_down();
}

TEST(requests_that_wait_have_a_bound_together)
{
    static struct asking asking[6];
    char *message = mem_new(BIG);
    set_up();
    /* not begun by the loop meanwhile: all that counts is their size */
    for (int i = 0; i < 3; i++)
        CHECK_EQ("begun", begin(&asking[i], "http://127.0.0.1:1/", 1, slice_make(message, BIG)), NULL);
    size_t head = sizeof(struct fetch) + asking[0].url.len, left = FETCH_REQUESTS_MAX - 3 * (BIG + head);
    CHECK("one byte too much", begin(&asking[3], "http://127.0.0.1:1/", 1, slice_make(message, BIG)) != NULL);
    buf_deinit(&asking[3].url);
    CHECK_EQ("what fits", begin(&asking[4], "http://127.0.0.1:1/", 1, slice_make(message, left - head)), NULL);
    CHECK("not one more", begin(&asking[5], "http://127.0.0.1:1/", 1, SLICE("")) != NULL);
    buf_deinit(&asking[5].url);
    for (int i = 0; i < 3; i++)
        end(&asking[i]);
    end(&asking[4]);
    tear_down();
    mem_free(message);
}

TEST(only_addresses_of_http_are_asked)
{
    static const struct {
        const char *url, *why;
    } cases[] = {
        { "http://a.example.com", NULL },
        { "HTTPS://a.example.com:8443/x?y=@z", NULL },
        { "http://[2001:db8::1]/", NULL },
        { "file:///etc/passwd", "begins with http" },
        { "ftp://a.example.com/", "begins with http" },
        { "gopher://a.example.com/", "begins with http" },
        { "dict://a.example.com:11211/stats", "begins with http" },
        { "javascript:alert(1)", "http" },
        { "a.example.com/x", "not an address" },
        { "http://", "not an address" },
        { "http://[", "not an address" },
        { "http://a.example.com:99999/", "not an address" },
        { "http://me@a.example.com/", "a name or password" },
        { "http://me:word@a.example.com/", "a name or password" },
        { "http://a.example.com/\r\nX-Evil: 1", "not an address" },
        { "http://a.example.com/a b", "not an address" },
    };
    set_up();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct asking asking;
        const char *why = begin(&asking, cases[i].url, 1, SLICE(""));
        CHECK(cases[i].url, cases[i].why ? why && strstr(why, cases[i].why) : !why);
        if (why && cases[i].why && !strstr(why, cases[i].why))
            printf("#   %s\n", why);
        if (!why)
            end(&asking);
        else
            buf_deinit(&asking.url);
    }
    tear_down();
}

TEST_MAIN()
