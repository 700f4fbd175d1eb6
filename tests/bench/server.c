#include "server.h"

#include <llhttp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"

enum { BACKLOG = 1024 };

struct listening {
    uv_loop_t loop;
    uv_tcp_t tcp;
    uv_signal_t terminate, interrupt;
    const struct bench_server *server;
    llhttp_settings_t settings;
};

/* Reads into one buffer that never moves, so that the parts of a request are slices of it, however the bytes were cut.
 *
 *   bytes [ request being read .............. | what came behind it ]
 *                                    parsed ^                  len ^      */
struct conn {
    uv_tcp_t tcp;
    uv_timer_t delay;
    struct listening *listening;
    llhttp_t parser;
    struct bench_request request;
    bool waits; /* for the time of its answer; nothing is parsed meanwhile */
    int open_handles;
    size_t parsed, len;
    char bytes[BENCH_REQUEST_MAX];
};

struct sending {
    uv_write_t write;
    char bytes[];
};

struct slice bench_header(const struct bench_request *request, struct slice name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (slice_eq_nocase(request->headers[i].name, name))
            return slice_trim(request->headers[i].value);
    return (struct slice){ NULL, 0 };
}

/* ---- the parser's callbacks: they only take down where things are ---- */

static void extend(struct slice *slice, const char *at, size_t len)
{
    if (!slice->data)
        slice->data = at;
    slice->len = (size_t)(at + len - slice->data); /* the bytes lie in a row: conn.bytes */
}

static struct bench_request *request_of(llhttp_t *parser)
{
    return &((struct conn *)parser->data)->request;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    extend(&request_of(parser)->path, at, len);
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    struct bench_request *request = request_of(parser);
    if (request->header_count < BENCH_HEADERS_MAX)
        extend(&request->headers[request->header_count].name, at, len);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct bench_request *request = request_of(parser);
    if (request->header_count < BENCH_HEADERS_MAX)
        extend(&request->headers[request->header_count].value, at, len);
    return 0;
}

static int on_value_complete(llhttp_t *parser)
{
    struct bench_request *request = request_of(parser);
    if (request->header_count < BENCH_HEADERS_MAX)
        request->header_count++;
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    extend(&request_of(parser)->body, at, len);
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    return HPE_PAUSED; /* continues in parse() */
}

static void set_callbacks(llhttp_settings_t *settings)
{
    llhttp_settings_init(settings);
    settings->on_url = on_url;
    settings->on_header_field = on_field;
    settings->on_header_value = on_value;
    settings->on_header_value_complete = on_value_complete;
    settings->on_body = on_body;
    settings->on_message_complete = on_complete;
}

/* ---- one connection ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    if (--conn->open_handles == 0)
        mem_free(conn);
}

static void close_conn(struct conn *conn)
{
    if (uv_is_closing((uv_handle_t *)&conn->tcp))
        return;
    uv_close((uv_handle_t *)&conn->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&conn->delay, on_handle_closed);
}

static void on_written(uv_write_t *write, int status)
{
    mem_free(write->data);
}

/* What the socket does not take at once is copied and waits. */
static void send_bytes(struct conn *conn, struct slice bytes)
{
    uv_buf_t buf = uv_buf_init((char *)bytes.data, (unsigned)bytes.len);
    int sent = uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
    struct slice rest = slice_from(bytes, sent > 0 ? (size_t)sent : 0);
    if (rest.len == 0)
        return;
    struct sending *sending = mem_new(sizeof(*sending) + rest.len);
    memcpy(sending->bytes, rest.data, rest.len);
    sending->write.data = sending;
    buf = uv_buf_init(sending->bytes, (unsigned)rest.len);
    if (uv_write(&sending->write, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) != 0) {
        mem_free(sending);
        close_conn(conn);
    }
}

static void begin_request(struct conn *conn)
{
    memmove(conn->bytes, conn->bytes + conn->parsed, conn->len - conn->parsed);
    conn->len -= conn->parsed;
    conn->parsed = 0;
    memset(&conn->request, 0, sizeof(conn->request));
}

static void answer_now(struct conn *conn)
{
    const struct bench_server *server = conn->listening->server;
    send_bytes(conn, server->answer(server->arg, &conn->request));
    begin_request(conn);
}

static void parse(struct conn *conn);

static void on_delay_over(uv_timer_t *timer)
{
    struct conn *conn = timer->data;
    conn->waits = false;
    answer_now(conn);
    parse(conn);
}

static void on_request(struct conn *conn)
{
    uint64_t delay_ms = conn->listening->server->delay_ms;
    llhttp_resume(&conn->parser);
    if (delay_ms == 0) {
        answer_now(conn);
        return;
    }
    conn->waits = true;
    uv_timer_start(&conn->delay, on_delay_over, delay_ms, 0);
}

static void parse(struct conn *conn)
{
    while (!conn->waits && conn->parsed < conn->len && !uv_is_closing((uv_handle_t *)&conn->tcp)) {
        enum llhttp_errno error = llhttp_execute(&conn->parser, conn->bytes + conn->parsed, conn->len - conn->parsed);
        if (error == HPE_OK) {
            conn->parsed = conn->len;
        } else if (error == HPE_PAUSED) {
            conn->parsed = (size_t)(llhttp_get_error_pos(&conn->parser) - conn->bytes);
            on_request(conn);
        } else {
            close_conn(conn);
        }
    }
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct conn *conn = handle->data;
    /* no room: libuv reports UV_ENOBUFS, which ends the connection */
    *buf = uv_buf_init(conn->bytes + conn->len, (unsigned)(sizeof(conn->bytes) - conn->len));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    if (count < 0) {
        close_conn(conn);
        return;
    }
    conn->len += (size_t)count;
    parse(conn);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listening *listening = stream->data;
    if (status < 0)
        return;
    struct conn *conn = MEM_NEW(struct conn);
    conn->listening = listening;
    conn->open_handles = 2;
    conn->tcp.data = conn->delay.data = conn;
    uv_tcp_init(&listening->loop, &conn->tcp);
    uv_timer_init(&listening->loop, &conn->delay);
    llhttp_init(&conn->parser, HTTP_REQUEST, &listening->settings);
    conn->parser.data = conn;
    if (uv_accept(stream, (uv_stream_t *)&conn->tcp) != 0) {
        close_conn(conn);
        return;
    }
    uv_tcp_nodelay(&conn->tcp, 1);
    uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

/* ---- start and end ---- */

static void on_signal(uv_signal_t *handle, int number)
{
    uv_stop(handle->loop); /* connections are left to the end of the process */
}

static void catch_signal(struct listening *listening, uv_signal_t *handle, int number)
{
    uv_signal_init(&listening->loop, handle);
    uv_signal_start(handle, on_signal, number);
}

static int say_port(const struct listening *listening)
{
    struct sockaddr_in address;
    int len = sizeof(address);
    int failed = uv_tcp_getsockname(&listening->tcp, (struct sockaddr *)&address, &len);
    if (failed)
        return failed;
    printf("{\"port\":%u}\n", ntohs(address.sin_port));
    fflush(stdout);
    return 0;
}

int bench_serve(const struct bench_server *server)
{
    static struct listening listening; /* outlives the call: handles of the loop stay in it */
    struct sockaddr_in address;
    pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        return 0; /* it went before we could ask */
    listening.server = server;
    set_callbacks(&listening.settings);
    uv_loop_init(&listening.loop);
    uv_tcp_init(&listening.loop, &listening.tcp);
    listening.tcp.data = &listening;
    catch_signal(&listening, &listening.terminate, SIGTERM);
    catch_signal(&listening, &listening.interrupt, SIGINT);
    uv_ip4_addr("127.0.0.1", 0, &address);
    int failed = uv_tcp_bind(&listening.tcp, (const struct sockaddr *)&address, 0);
    if (!failed)
        failed = uv_listen((uv_stream_t *)&listening.tcp, BACKLOG, on_connection);
    if (!failed)
        failed = say_port(&listening);
    if (failed) {
        fprintf(stderr, "listen: %s\n", uv_strerror(failed));
        return -1;
    }
    uv_run(&listening.loop, UV_RUN_DEFAULT);
    return 0;
}
