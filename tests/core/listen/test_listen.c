/* Connections at and past their limits: number, time, patience. A loop on its own thread, clients that block on this one. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "listen/conn.h"
#include "listen/listener.h"

enum { REQUEST_MS = 150, IDLE_MS = 200, PATIENCE_S = 20 };

static uv_loop_t loop;
static uv_async_t stop, drain;
static struct listener *listener;
static pthread_t thread;
static int port;
static atomic_int requests, gone, refused;

static void on_head(struct conn *conn, struct request *request, struct head_verdict *verdict, void *arg)
{
    verdict->max_body_bytes = 1 << 20;
}

static void on_request(struct conn *conn, struct request *request, void *arg)
{
    struct reply reply;
    requests++;
    if (slice_is(request->path, "/never"))
        return;
    reply_init(&reply, 200);
    reply.content_type = SLICE("text/plain");
    reply.body = SLICE("ok");
    conn_reply(conn, &reply);
}

static void on_gone(struct conn *conn, struct request *request, void *arg)
{
    gone++;
}

static void on_refused(const struct refused_request *request, void *arg)
{
    refused++;
}

static void on_closed(void *arg)
{
    uv_close((uv_handle_t *)&stop, NULL);
    uv_close((uv_handle_t *)&drain, NULL);
}

static void on_stop(uv_async_t *async)
{
    listener_close(listener, on_closed, NULL);
}

static void on_drain(uv_async_t *async)
{
    listener_drain(listener);
}

static void *run_loop(void *arg)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    return NULL;
}

static void start(uint32_t connections_max)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        abort();
    port = ntohs(address.sin_port);
    requests = gone = refused = 0;
    struct listener_config config = listener_defaults();
    struct listener_callbacks callbacks = { on_head, on_request, on_gone, on_refused, NULL };
    config.connections_max = connections_max;
    config.request_ms = REQUEST_MS;
    config.idle_ms = IDLE_MS;
    config.write_ms = 200;
    config.linger_ms = 100;
    config.sweep_ms = 10;
    uv_loop_init(&loop);
    uv_async_init(&loop, &stop, on_stop);
    uv_async_init(&loop, &drain, on_drain);
    CHECK_EQ("started", listener_start(&loop, fd, &config, &callbacks, &listener), OK);
    pthread_create(&thread, NULL, run_loop, NULL);
}

static void end(void)
{
    uv_async_send(&stop);
    pthread_join(thread, NULL);
    CHECK_EQ("nothing is left on the loop", uv_loop_close(&loop), 0);
}

static int client(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        CHECK_FAIL("no connection");
    return fd;
}

static void say(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        CHECK_FAIL("not sent: %s", text);
}

/* The status of what comes; 0: closed without a word; -1: nothing came in time. */
static int hear(int fd)
{
    char text[4096];
    ssize_t len;
    do {
        len = recv(fd, text, sizeof(text) - 1, 0); /* one with a timeout is not restarted after a signal */
    } while (len < 0 && errno == EINTR);
    if (len <= 0)
        return len == 0 || errno == ECONNRESET ? 0 : -1;
    text[len] = '\0';
    return atoi(text + strlen("HTTP/1.1 "));
}

TEST(one_connection_too_many_is_told_so)
{
    start(2);
    int first = client(), second = client();
    say(first, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    say(second, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_EQ("at the limit", hear(first), 200);
    CHECK_EQ("at the limit", hear(second), 200);
    int third = client();
    CHECK_EQ("past it", hear(third), 503);
    CHECK_EQ("and closed", hear(third), 0);
    close(third);
    close(first);
    int again = -1;
    for (int i = 0; i < 1000 && again != 200; i++) { /* until the closed one is seen */
        int fd = client();
        (void)send(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, MSG_NOSIGNAL);
        again = hear(fd);
        close(fd);
    }
    CHECK_EQ("there is room again", again, 200);
    close(second);
    end();
}

TEST(a_request_has_its_time)
{
    start(10);
    int head = client(), body = client(), drip = client();
    say(head, "POST / HTTP/1.1\r\nHo");
    say(body, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    CHECK_EQ("a head that does not end", hear(head), 408);
    CHECK_EQ("a body that does not end", hear(body), 408);
    int status = -1;
    for (int i = 0; i < 10000 && status == -1; i++) { /* one byte at a time helps nobody: the whole counts */
        char byte = 'a';
        struct timeval moment = { .tv_usec = 5000 };
        if (i == 0)
            say(drip, "POST / HTTP/1.1\r\nX: ");
        if (send(drip, &byte, 1, MSG_NOSIGNAL) < 0)
            status = 0;
        setsockopt(drip, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof(moment));
        status = hear(drip);
    }
    CHECK("a head that comes by drops", status == 408 || status == 0);
    CHECK_EQ("none was a request", requests, 0);
    close(head);
    close(body);
    close(drip);
    end();
}

TEST(an_idle_connection_is_closed_without_a_word)
{
    start(10);
    int fd = client();
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_EQ("answered", hear(fd), 200);
    CHECK_EQ("closed", hear(fd), 0);
    int silent = client();
    CHECK_EQ("one that never spoke too", hear(silent), 0);
    close(fd);
    close(silent);
    end();
}

TEST(a_client_that_goes_is_noticed)
{
    start(10);
    int fd = client();
    say(fd, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    while (requests == 0)
        sched_yield();
    struct linger at_once = { .l_onoff = 1 }; /* a reset: a half-closed client still wants its answer */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    while (gone == 0)
        sched_yield();
    end();
    CHECK_EQ("once", gone, 1);
}

TEST(a_drain_closes_after_the_answer)
{
    start(10);
    int fd = client(), late;
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_EQ("answered", hear(fd), 200);
    uv_async_send(&drain);
    CHECK_EQ("an idle one is closed", hear(fd), 0);
    late = client();
    say(late, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_EQ("a late one is answered", hear(late), 200);
    CHECK_EQ("and closed", hear(late), 0);
    close(fd);
    close(late);
    end();
}

TEST_MAIN()
