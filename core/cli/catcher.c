#include "cli/catcher.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/mem.h"
#include "listen/conn.h"
#include "listen/listener.h"
#include "super/listeners.h"

enum { PRINT_MAX = 80 << 20, BODY_MAX = 64 << 20 };

struct catcher {
    struct catcher_config config;
    uv_loop_t loop;
    struct listener *listener;
    uv_signal_t interrupt, terminate;
    struct buf text;
    bool ending;
};

/* An answer that waits for its time. */
struct waiting {
    uv_timer_t timer;
    struct catcher *catcher;
    struct conn *conn; /* NULL: the client went */
};

static const char *const shown_headers[] = { "idempotency-key", "webhook-id", "webhook-signature", "authorization" };

static void print_text(struct catcher *catcher, const struct request *request)
{
    char clock[16];
    struct tm now;
    time_t seconds = (time_t)(clock_wall_ms() / 1000);
    struct buf *out = &catcher->text;
    struct slice type = request_header(request, SLICE("content-type"));
    localtime_r(&seconds, &now);
    strftime(clock, sizeof(clock), "%H:%M:%S", &now);
    buf_addf(out, "%s  %.*s %.*s%s%.*s  %.*s  %zu bytes\n", clock, SLICE_ARGS(request->method), SLICE_ARGS(request->path),
             request->query.len ? "?" : "", SLICE_ARGS(request->query), SLICE_ARGS(type), request->body.len);
    for (size_t i = 0; i < sizeof(shown_headers) / sizeof(shown_headers[0]); i++) {
        struct slice value = request_header(request, slice_of(shown_headers[i]));
        if (value.data)
            buf_addf(out, "          %s: %.*s\n", shown_headers[i], SLICE_ARGS(value));
    }
    if (request->body.len) {
        buf_add_text(out, "          ");
        buf_add_slice(out, request->body);
        buf_add_byte(out, '\n');
    }
}

static void print_json(struct catcher *catcher, const struct request *request)
{
    struct buf *out = &catcher->text;
    buf_add_text(out, "{\"method\":");
    buf_add_json_string(out, request->method);
    buf_add_text(out, ",\"path\":");
    buf_add_json_string(out, request->path);
    buf_add_text(out, ",\"query\":");
    buf_add_json_string(out, request->query);
    buf_add_text(out, ",\"headers\":{");
    for (size_t i = 0; i < request->header_count; i++) {
        buf_add_text(out, i ? "," : "");
        buf_add_json_string(out, request->headers[i].name);
        buf_add_byte(out, ':');
        buf_add_json_string(out, request->headers[i].value);
    }
    buf_add_text(out, "},\"body\":");
    buf_add_json_string(out, request->body);
    buf_add_text(out, "}\n");
}

static void answer(struct catcher *catcher, struct conn *conn)
{
    struct reply reply;
    reply_init(&reply, catcher->config.status);
    if (catcher->config.status != 204 && catcher->config.status != 304) {
        reply.content_type = SLICE("text/plain; charset=utf-8");
        reply.body = SLICE("caught\n");
    }
    conn_reply(conn, &reply);
}

static void free_waiting(uv_handle_t *handle)
{
    mem_free(handle);
}

static void on_time(uv_timer_t *timer)
{
    struct waiting *waiting = (struct waiting *)timer;
    if (waiting->conn)
        answer(waiting->catcher, waiting->conn);
    uv_close((uv_handle_t *)timer, free_waiting);
}

static void on_head(struct conn *conn, struct request *request, struct head_verdict *verdict, void *arg)
{
    verdict->max_body_bytes = BODY_MAX;
}

static void on_request(struct conn *conn, struct request *request, void *arg)
{
    struct catcher *catcher = arg;
    buf_clear(&catcher->text);
    if (catcher->config.json)
        print_json(catcher, request);
    else
        print_text(catcher, request);
    fwrite(catcher->text.data, 1, catcher->text.len, stdout);
    fflush(stdout);
    if (catcher->config.delay_ms == 0) {
        answer(catcher, conn);
        return;
    }
    struct waiting *waiting = MEM_NEW(struct waiting);
    waiting->catcher = catcher;
    waiting->conn = conn;
    request->consumer = waiting;
    uv_timer_init(&catcher->loop, &waiting->timer);
    uv_timer_start(&waiting->timer, on_time, catcher->config.delay_ms, 0);
}

static void on_gone(struct conn *conn, struct request *request, void *arg)
{
    struct waiting *waiting = request->consumer;
    if (waiting)
        waiting->conn = NULL;
}

static void on_refused(const struct refused_request *refused, void *arg)
{
    printf("refused  %s\n", refused->detail);
    fflush(stdout);
}

static void on_closed(void *arg)
{
    struct catcher *catcher = arg;
    uv_close((uv_handle_t *)&catcher->interrupt, NULL);
    uv_close((uv_handle_t *)&catcher->terminate, NULL);
}

static void on_signal(uv_signal_t *handle, int signal)
{
    struct catcher *catcher = handle->data;
    if (catcher->ending)
        return;
    catcher->ending = true; /* answers that still wait for their time end with their connections */
    listener_close(catcher->listener, on_closed, catcher);
}

static void start_signal(struct catcher *catcher, uv_signal_t *handle, int signal)
{
    uv_signal_init(&catcher->loop, handle);
    handle->data = catcher;
    uv_signal_start(handle, on_signal, signal);
}

enum result catcher_run(const struct catcher_config *config, char *why, size_t why_size)
{
    struct catcher catcher = { .config = *config };
    struct listener_config listener = listener_defaults();
    struct listener_callbacks callbacks = { on_head, on_request, on_gone, on_refused, &catcher };
    char address[32], bound[64], problem[LISTEN_WHY_MAX];
    int fd;
    snprintf(address, sizeof(address), "127.0.0.1:%u", config->port);
    enum result rc = listeners_open(address, 1, &fd, bound, problem);
    if (rc != OK) {
        snprintf(why, why_size, "%s", rc == ERR_EXISTS ? "the port is taken: choose another, tidewire listen PORT" : problem);
        return rc;
    }
    uv_loop_init(&catcher.loop);
    buf_init(&catcher.text, PRINT_MAX);
    rc = listener_start(&catcher.loop, fd, &listener, &callbacks, &catcher.listener);
    if (rc != OK) {
        snprintf(why, why_size, "%s cannot be listened on", bound);
        return rc;
    }
    start_signal(&catcher, &catcher.interrupt, SIGINT);
    start_signal(&catcher, &catcher.terminate, SIGTERM);
    if (!config->json)
        printf("listening on http://%s, answering %u; Ctrl-C ends\n", bound, config->status);
    fflush(stdout);
    uv_run(&catcher.loop, UV_RUN_DEFAULT);
    uv_loop_close(&catcher.loop);
    buf_deinit(&catcher.text);
    return OK;
}
