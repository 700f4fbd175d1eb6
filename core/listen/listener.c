#include "listen/listener.h"

#include <sys/socket.h>

#include "base/mem.h"
#include "listen/inside.h"

enum { BACKLOG = 4096 };

struct listener_config listener_defaults(void)
{
    return (struct listener_config){
        .connections_max = 10000,
        .request_ms = 10000,
        .idle_ms = 75000,
        .write_ms = 20000,
        .linger_ms = 2000,
        .sweep_ms = 500,
    };
}

static void on_connection(uv_stream_t *server, int status)
{
    struct listener *listener = server->data;
    if (status == 0) /* otherwise descriptors ran out: libuv has closed the client and goes on when one is free */
        (void)conn_accept(listener, server);
}

static void on_sweep(uv_timer_t *timer)
{
    struct listener *listener = timer->data;
    uint64_t now_ms = uv_now(listener->loop);
    for (struct conn *conn = listener->conns, *next; conn; conn = next) {
        next = conn_next(conn);
        conn_sweep(conn, now_ms);
    }
}

static void finish_if_gone(struct listener *listener)
{
    if (!listener->closing || listener->open_handles > 0 || listener->conn_count > 0)
        return;
    void (*on_closed)(void *) = listener->on_closed;
    void *arg = listener->closed_arg;
    mem_free(listener);
    if (on_closed)
        on_closed(arg);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    listener->open_handles--;
    finish_if_gone(listener);
}

void listener_conn_gone(struct listener *listener)
{
    listener->conn_count--;
    finish_if_gone(listener);
}

static bool is_unix_socket(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    return getsockname(fd, (struct sockaddr *)&address, &len) == 0 && address.ss_family == AF_UNIX;
}

static int open_server(struct listener *listener, int fd)
{
    int rc;
    listener->is_unix = is_unix_socket(fd);
    if (listener->is_unix) {
        rc = uv_pipe_init(listener->loop, &listener->server.pipe, 0);
        if (rc == 0)
            rc = uv_pipe_open(&listener->server.pipe, fd);
    } else {
        rc = uv_tcp_init(listener->loop, &listener->server.tcp);
        if (rc == 0)
            rc = uv_tcp_open(&listener->server.tcp, fd);
    }
    listener->server.handle.data = listener;
    return rc;
}

enum result listener_start(uv_loop_t *loop, int fd, const struct listener_config *config,
                           const struct listener_callbacks *callbacks, struct listener **out)
{
    struct listener *listener = MEM_NEW(struct listener);
    listener->loop = loop;
    listener->config = *config;
    listener->callbacks = *callbacks;
    int rc = open_server(listener, fd);
    listener->open_handles = 2;
    uv_timer_init(loop, &listener->sweep);
    listener->sweep.data = listener;
    if (rc == 0)
        rc = uv_listen(&listener->server.stream, BACKLOG, on_connection);
    if (rc != 0) {
        listener_close(listener, NULL, NULL);
        return ERR_IO;
    }
    uv_timer_start(&listener->sweep, on_sweep, config->sweep_ms, config->sweep_ms);
    *out = listener;
    return OK;
}

void listener_drain(struct listener *listener)
{
    listener->draining = true;
    for (struct conn *conn = listener->conns, *next; conn; conn = next) {
        next = conn_next(conn);
        conn_drain(conn);
    }
}

static void close_server(struct listener *listener)
{
    if (!uv_is_closing(&listener->server.handle))
        uv_close(&listener->server.handle, on_handle_closed);
}

void listener_hand_over(struct listener *listener)
{
    listener->draining = true;
    close_server(listener);
}

void listener_close(struct listener *listener, void (*on_closed)(void *arg), void *arg)
{
    listener->closing = true;
    listener->on_closed = on_closed;
    listener->closed_arg = arg;
    close_server(listener);
    uv_close((uv_handle_t *)&listener->sweep, on_handle_closed);
    for (struct conn *conn = listener->conns, *next; conn; conn = next) {
        next = conn_next(conn);
        conn_close(conn);
    }
}

uint32_t listener_connections(const struct listener *listener)
{
    return listener->conn_count;
}
