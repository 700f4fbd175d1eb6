#include "listen/conn.h"

#include <netinet/in.h>
#include <arpa/inet.h>

#include "base/clock.h"
#include "base/mem.h"
#include "listen/inside.h"

enum {
    ANSWER_MAX = 80 << 20,       /* bytes of one answer: the admin API shows bodies */
    DISCARD_MAX = 1 << 20,       /* bytes read away after the last answer */
    BODY_SECOND_BYTES = 64 << 10 /* the slowest body that is waited for, per second */
};

enum conn_state { CONN_READING, CONN_ANSWERING, CONN_LINGERING, CONN_CLOSED };

struct conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } io;
    struct listener *listener;
    struct conn *next, *prev;
    enum conn_state state;
    struct request request;
    bool admitted;   /* counts towards connections_max */
    bool claimed;    /* the consumer has the request: on_head let it pass, and it is not answered */
    bool processing; /* bytes are being fed further up the stack */
    bool reading;    /* libuv reads */
    bool eof;        /* the client sends nothing more */
    bool last;       /* close after the present answer */
    char *pending;   /* owned: bytes behind the present request; NULL: none */
    size_t pending_len;
    uint64_t started_ms; /* first byte of the present request; 0: idle */
    uint64_t since_ms;   /* since when the present state waits */
    size_t discarded;
    struct buf out; /* bytes that libuv writes */
    uv_write_t write;
    uv_shutdown_t shutdown;
    bool writing;
    char remote_ip[INET6_ADDRSTRLEN];
};

static void process(struct conn *conn, const char *bytes, size_t len);

/* ---- the plain bytes of a connection: TLS will sit in these ---- */

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf);
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);

static void read_on(struct conn *conn)
{
    if (!conn->reading && !conn->eof && conn->state != CONN_CLOSED)
        conn->reading = uv_read_start(&conn->io.stream, on_alloc, on_read) == 0;
}

static void read_off(struct conn *conn)
{
    if (conn->reading)
        uv_read_stop(&conn->io.stream);
    conn->reading = false;
}

static void conn_read_plain(struct conn *conn, const char *bytes, size_t len);
static void on_written(uv_write_t *write, int status);

/* Sends conn->out; after_answer follows, now or when the client has taken it. */
static void after_answer(struct conn *conn);
static void conn_write_plain(struct conn *conn)
{
    uv_buf_t bytes = uv_buf_init(conn->out.data, (unsigned)conn->out.len);
    int sent = uv_try_write(&conn->io.stream, &bytes, 1);
    if (sent == (int)conn->out.len) {
        after_answer(conn);
        return;
    }
    if (sent > 0)
        bytes = uv_buf_init(conn->out.data + sent, (unsigned)(conn->out.len - (size_t)sent));
    conn->writing = true;
    conn->since_ms = uv_now(conn->listener->loop);
    if (uv_write(&conn->write, &conn->io.stream, &bytes, 1, on_written) != 0)
        conn_close(conn);
}

static void on_written(uv_write_t *write, int status)
{
    struct conn *conn = write->data;
    conn->writing = false;
    if (conn->state == CONN_CLOSED)
        return;
    if (status != 0)
        conn_close(conn);
    else
        after_answer(conn);
}

/* ---- answering ---- */

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    (void)status; /* the close that follows by the client or by the sweep is the same either way */
    (void)shutdown;
}

static void linger(struct conn *conn)
{
    conn->state = CONN_LINGERING;
    conn->since_ms = uv_now(conn->listener->loop);
    if (conn->eof || uv_shutdown(&conn->shutdown, &conn->io.stream, on_shutdown) != 0)
        conn_close(conn);
    else
        read_on(conn);
}

static void feed_pending(struct conn *conn)
{
    char *bytes = conn->pending;
    size_t len = conn->pending_len;
    conn->pending = NULL;
    conn->pending_len = 0;
    if (bytes)
        process(conn, bytes, len);
    mem_free(bytes);
}

static void after_answer(struct conn *conn)
{
    buf_deinit(&conn->out);
    if (conn->last || (conn->listener->draining && !conn->processing && !conn->pending)) {
        linger(conn);
        return;
    }
    request_reset(&conn->request);
    conn->state = CONN_READING;
    conn->started_ms = 0;
    conn->since_ms = uv_now(conn->listener->loop);
    if (conn->processing)
        return; /* the loop in process goes on */
    feed_pending(conn);
    if (conn->state != CONN_READING)
        return;
    if (conn->eof)
        conn_close(conn);
    else
        read_on(conn);
}

static void answer(struct conn *conn, const struct reply *reply)
{
    bool keep = conn->request.keep_alive && !conn->last && !(conn->eof && !conn->pending) &&
                !(conn->listener->draining && !conn->pending);
    conn->state = CONN_ANSWERING;
    conn->claimed = false;
    buf_init(&conn->out, ANSWER_MAX);
    conn->last = reply_write(reply, conn->request.is_head, keep, clock_wall_ms(), &conn->out);
    if (!buf_ok(&conn->out))
        conn_close(conn);
    else
        conn_write_plain(conn);
}

void conn_reply(struct conn *conn, const struct reply *reply)
{
    answer(conn, reply);
}

static void tell_refused(struct conn *conn, uint16_t status, const char *detail)
{
    struct refused_request refused = { status, detail, conn_remote_ip(conn) };
    if (conn->listener->callbacks.on_refused)
        conn->listener->callbacks.on_refused(&refused, conn->listener->callbacks.arg);
}

/* The consumer forgets the request. */
static void tell_gone(struct conn *conn)
{
    if (!conn->claimed)
        return;
    conn->claimed = false;
    conn->listener->callbacks.on_gone(conn, &conn->request, conn->listener->callbacks.arg);
}

static void answer_fault(struct conn *conn, uint16_t status, const char *detail)
{
    struct reply reply;
    tell_refused(conn, status, detail);
    tell_gone(conn);
    reply_problem(&reply, status, detail);
    reply.close = true;
    answer(conn, &reply);
}

/* ---- reading ---- */

static void on_head(struct conn *conn)
{
    struct head_verdict verdict;
    struct request *request = &conn->request;
    verdict.refused = false;
    conn->listener->callbacks.on_head(conn, request, &verdict, conn->listener->callbacks.arg);
    if (verdict.refused) {
        /* a body that is not read makes the connection useless */
        verdict.reply.close |= request->content_length > 0 || request->chunked;
        answer(conn, &verdict.reply);
        return;
    }
    conn->claimed = true;
    request_allow(request, verdict.max_body_bytes);
    if (request->state == REQUEST_BODY && request->expects_continue) {
        static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        uv_buf_t bytes = uv_buf_init(go_on, sizeof(go_on) - 1);
        (void)uv_try_write(&conn->io.stream, &bytes, 1); /* a client that does not get it sends the body anyway, after a while */
    }
}

/* The request's state changed: what follows from it. */
static void advance(struct conn *conn, enum request_state before)
{
    if (before == REQUEST_HEAD && conn->request.state == REQUEST_BODY)
        on_head(conn);
    if (conn->state != CONN_READING)
        return;
    if (conn->request.state == REQUEST_ERROR) {
        answer_fault(conn, conn->request.status, conn->request.problem);
    } else if (conn->request.state == REQUEST_DONE) {
        conn->state = CONN_ANSWERING;
        conn->listener->callbacks.on_request(conn, &conn->request, conn->listener->callbacks.arg);
    }
}

static void keep_pending(struct conn *conn, const char *bytes, size_t len)
{
    char *all = len ? mem_realloc(conn->pending, conn->pending_len + len) : conn->pending;
    if (!all) {
        if (len)
            conn_close(conn);
        return;
    }
    memcpy(all + conn->pending_len, bytes, len);
    conn->pending = all;
    conn->pending_len += len;
    if (conn->pending_len >= CONN_PENDING_MAX)
        read_off(conn); /* backpressure: the rest stays with the client */
}

static void process(struct conn *conn, const char *bytes, size_t len)
{
    conn->processing = true;
    while (len > 0 && conn->state == CONN_READING) {
        enum request_state before = conn->request.state;
        if (conn->started_ms == 0)
            conn->started_ms = uv_now(conn->listener->loop);
        size_t used = request_feed(&conn->request, bytes, len);
        bytes += used;
        len -= used;
        if (conn->request.state != before)
            advance(conn, before);
    }
    conn->processing = false;
    if (conn->state == CONN_ANSWERING)
        keep_pending(conn, bytes, len);
}

static void conn_read_plain(struct conn *conn, const char *bytes, size_t len)
{
    switch (conn->state) {
    case CONN_READING:
        process(conn, bytes, len);
        break;
    case CONN_ANSWERING:
        keep_pending(conn, bytes, len);
        break;
    case CONN_LINGERING:
        conn->discarded += len;
        if (conn->discarded > DISCARD_MAX)
            conn_close(conn);
        break;
    case CONN_CLOSED:
        break;
    }
}

/* The client sends nothing more. What it asked is still answered: closing one half is no way to take a request back. */
static void on_end(struct conn *conn)
{
    conn->eof = true;
    read_off(conn);
    if (conn->state != CONN_ANSWERING)
        conn_close(conn);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    if (len > 0)
        conn_read_plain(conn, buf->base, (size_t)len);
    else if (len == UV_EOF)
        on_end(conn);
    else if (len < 0)
        conn_close(conn);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct conn *conn = handle->data;
    (void)suggested;
    *buf = uv_buf_init(conn->listener->read_bytes, sizeof(conn->listener->read_bytes));
}

/* ---- time ---- */

static void on_late_request(struct conn *conn)
{
    answer_fault(conn, 408, "the request took too long");
}

void conn_sweep(struct conn *conn, uint64_t now_ms)
{
    const struct listener_config *config = &conn->listener->config;
    switch (conn->state) {
    case CONN_READING:
        if (conn->started_ms == 0) {
            if (now_ms - conn->since_ms > config->idle_ms)
                conn_close(conn);
        } else if (now_ms - conn->started_ms > config->request_ms + conn->request.data.len / BODY_SECOND_BYTES * 1000) {
            on_late_request(conn);
        }
        break;
    case CONN_ANSWERING:
        if (conn->writing && now_ms - conn->since_ms > config->write_ms)
            conn_close(conn);
        break;
    case CONN_LINGERING:
        if (now_ms - conn->since_ms > config->linger_ms)
            conn_close(conn);
        break;
    case CONN_CLOSED:
        break;
    }
}

void conn_drain(struct conn *conn)
{
    if (conn->state == CONN_READING && conn->started_ms == 0)
        conn_close(conn);
}

/* ---- life ---- */

static void write_address(struct conn *conn)
{
    struct sockaddr_storage address;
    int len = sizeof(address);
    const char *unix_peer = conn->listener->config.unix_peer;
    if (conn->listener->is_unix && unix_peer)
        snprintf(conn->remote_ip, sizeof(conn->remote_ip), "%s", unix_peer);
    if (conn->listener->is_unix || uv_tcp_getpeername(&conn->io.tcp, (struct sockaddr *)&address, &len) != 0)
        return;
    if (address.ss_family == AF_INET) {
        inet_ntop(AF_INET, &((struct sockaddr_in *)&address)->sin_addr, conn->remote_ip, sizeof(conn->remote_ip));
        return;
    }
    const struct in6_addr *v6 = &((struct sockaddr_in6 *)&address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(v6))
        inet_ntop(AF_INET, &v6->s6_addr[12], conn->remote_ip, sizeof(conn->remote_ip));
    else
        inet_ntop(AF_INET6, v6, conn->remote_ip, sizeof(conn->remote_ip));
}

struct slice conn_remote_ip(const struct conn *conn)
{
    return slice_of(conn->remote_ip);
}

struct conn *conn_next(struct conn *conn)
{
    return conn->next;
}

static void on_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    struct listener *listener = conn->listener;
    request_deinit(&conn->request);
    buf_deinit(&conn->out);
    mem_free(conn->pending);
    mem_free(conn);
    listener_conn_gone(listener);
}

void conn_close(struct conn *conn)
{
    if (conn->state == CONN_CLOSED)
        return; /* a reset and the sweep can both get here in one turn */
    conn->state = CONN_CLOSED;
    tell_gone(conn);
    conn->reading = false;
    conn->listener->admitted -= conn->admitted ? 1 : 0;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        conn->listener->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    uv_close(&conn->io.handle, on_closed);
}

static void refuse_for_number(struct conn *conn)
{
    tell_refused(conn, 503, "too many connections");
    struct reply reply;
    reply_problem(&reply, 503, "too many connections: try again");
    reply.close = true;
    answer(conn, &reply);
}

struct conn *conn_accept(struct listener *listener, uv_stream_t *server)
{
    struct conn *conn = MEM_NEW(struct conn);
    conn->listener = listener;
    if (listener->is_unix)
        uv_pipe_init(listener->loop, &conn->io.pipe, 0);
    else
        uv_tcp_init(listener->loop, &conn->io.tcp);
    conn->io.handle.data = conn;
    conn->write.data = conn;
    conn->since_ms = uv_now(listener->loop);
    request_init(&conn->request, listener->config.budget);
    conn->next = listener->conns;
    if (conn->next)
        conn->next->prev = conn;
    listener->conns = conn;
    listener->conn_count++;
    if (uv_accept(server, &conn->io.stream) != 0) {
        conn_close(conn);
        return NULL;
    }
    write_address(conn);
    if (!listener->is_unix)
        uv_tcp_nodelay(&conn->io.tcp, 1);
    if (listener->admitted < listener->config.connections_max) {
        conn->admitted = true;
        listener->admitted++;
        read_on(conn);
    } else if (listener->conn_count <= listener->config.connections_max + REFUSED_MAX) {
        refuse_for_number(conn);
    } else {
        conn_close(conn);
    }
    return conn;
}
