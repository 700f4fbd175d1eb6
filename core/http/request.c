#include "http/request.h"

#include "base/mem.h"

enum { BODY_FIRST = 64 << 10, EMPTY_LINES_MAX = 4, LINE_REST = 32 /* method and version around the target */ };

/* ---- faults ---- */

static void fail(struct request *request, uint16_t status, const char *problem)
{
    request->state = REQUEST_ERROR;
    request->status = status;
    request->problem = problem;
    request->keep_alive = false;
}

/* ---- llhttp's callbacks: they only take down where things are; everything is judged after ---- */

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct request *request = parser->data;
    request->path = (struct slice){ at, len }; /* the whole target until it is split */
    return 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
    struct request *request = parser->data;
    if (request->in_trailers)
        return 0;
    if (request->header_count == HTTP_HEADERS_MAX)
        return HPE_USER;
    request->headers[request->header_count++] = (struct http_header){ { at, len }, { at + len, 0 } };
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
    struct request *request = parser->data;
    if (!request->in_trailers && request->header_count > 0)
        request->headers[request->header_count - 1].value = slice_trim((struct slice){ at, len });
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    parser->upgrade = 0; /* offers to switch protocols are not taken: the message has the body that its headers say */
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct request *request = parser->data;
    buf_add(&request->data, at, len);
    return buf_ok(&request->data) ? 0 : HPE_USER;
}

/* The last chunk: what follows are trailers, which are checked here and not by llhttp. */
static int on_chunk_header(llhttp_t *parser)
{
    struct request *request = parser->data;
    request->in_trailers = parser->content_length == 0;
    return request->in_trailers ? HPE_PAUSED : 0;
}

/* ---- life ---- */

static void start(struct request *request)
{
    llhttp_init(&request->parser, HTTP_REQUEST, &request->settings);
    request->parser.data = request;
    request->state = REQUEST_HEAD;
    request->header_count = 0;
    request->line_start = 0;
    request->lines = request->empty_lines = 0;
    request->received = 0;
    request->content_length = 0;
    request->chunked = request->in_trailers = request->trailer_cr = false;
    request->trailer_bytes = request->trailer_line = 0;
    request->expects_continue = request->is_head = false;
    request->keep_alive = true;
    request->body = (struct slice){ NULL, 0 };
    request->consumer = NULL;
}

void request_init(struct request *request, struct body_budget *budget)
{
    memset(request, 0, sizeof(*request));
    llhttp_settings_init(&request->settings);
    request->settings.on_url = on_url;
    request->settings.on_header_field = on_header_field;
    request->settings.on_header_value = on_header_value;
    request->settings.on_headers_complete = on_headers_complete;
    request->settings.on_body = on_body;
    request->settings.on_chunk_header = on_chunk_header;
    request->budget = budget;
    buf_init(&request->head, HTTP_HEAD_MAX + 1);
    buf_init(&request->data, 0);
    start(request);
}

static void give_back_body(struct request *request)
{
    if (request->budget)
        atomic_fetch_sub(&request->budget->used, request->accounted);
    request->accounted = 0;
    buf_deinit(&request->data);
}

void request_deinit(struct request *request)
{
    give_back_body(request);
    buf_deinit(&request->head);
}

void request_reset(struct request *request)
{
    give_back_body(request);
    buf_clear(&request->head);
    start(request);
}

/* ---- the head: gathered to its empty line, every line end looked at ---- */

static bool too_long(struct request *request)
{
    if (request->lines == 0 && request->head.len > HTTP_TARGET_MAX + LINE_REST) {
        fail(request, 414, "the request target is longer than 8 KiB");
        return true;
    }
    if (request->head.len > HTTP_HEAD_MAX) {
        fail(request, 431, "the request head is longer than 32 KiB");
        return true;
    }
    return false;
}

/* true: the head is whole. */
static bool take_line_end(struct request *request)
{
    bool empty = request->head.len == request->line_start + 2;
    if (empty && request->lines == 0) { /* empty lines before a request are let pass (RFC 9112, 2.2) */
        request->head.len = 0;
        if (++request->empty_lines > EMPTY_LINES_MAX)
            fail(request, 400, "only empty lines");
        return false;
    }
    if (empty)
        return true;
    if (request->lines++ == HTTP_HEADERS_MAX + 1)
        fail(request, 431, "more than 100 headers");
    request->line_start = request->head.len;
    return false;
}

/* One byte of the head. true: the head is whole. */
static bool take_head_byte(struct request *request, char byte)
{
    struct buf *head = &request->head;
    bool after_cr = head->len > 0 && head->data[head->len - 1] == '\r';
    if (after_cr != (byte == '\n')) {
        fail(request, 400, after_cr ? "a CR without LF in the request head" : "an LF without CR in the request head");
        return false;
    }
    if (((unsigned char)byte < ' ' && byte != '\r' && byte != '\n' && byte != '\t') || byte == 0x7F) {
        fail(request, 400, "a control character in the request head");
        return false;
    }
    if ((byte == ' ' || byte == '\t') && head->len == request->line_start && request->lines > 0) {
        fail(request, 400, "a folded header line");
        return false;
    }
    buf_add_byte(head, byte);
    return byte == '\n' && take_line_end(request);
}

/* ---- the head is whole: what it says ---- */

struct seen {
    unsigned hosts, lengths, encodings;
    bool bad_name, bad_host, bad_encoding, bad_expect, close, keep_alive;
};

static bool has_token(struct slice list, const char *token)
{
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        struct slice part = { list.data, comma ? (size_t)(comma - list.data) : list.len };
        list = slice_from(list, part.len + (comma != NULL));
        if (slice_eq_nocase(slice_trim(part), slice_of(token)))
            return true;
    }
    return false;
}

bool http_is_token(struct slice text)
{
    static const bool of_token[256] = {
        ['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['!'] = true, ['#'] = true, ['$'] = true,
        ['%'] = true,         ['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true, ['-'] = true,
        ['.'] = true,         ['^'] = true,         ['_'] = true,         ['`'] = true, ['|'] = true, ['~'] = true,
    };
    for (size_t i = 0; i < text.len; i++)
        if (!of_token[(unsigned char)text.data[i]])
            return false;
    return text.len > 0;
}

static void look_at(struct request *request, const struct http_header *header, struct seen *seen)
{
    seen->bad_name |= !http_is_token(header->name); /* llhttp lets a space pass inside a name */
    if (slice_eq_nocase(header->name, SLICE("host"))) {
        seen->hosts++;
        seen->bad_host |= !host_is_valid(header->value);
    } else if (slice_eq_nocase(header->name, SLICE("content-length"))) {
        seen->lengths++;
    } else if (slice_eq_nocase(header->name, SLICE("transfer-encoding"))) {
        seen->encodings++;
        seen->bad_encoding |= !slice_eq_nocase(header->value, SLICE("chunked"));
    } else if (slice_eq_nocase(header->name, SLICE("connection"))) {
        seen->close |= has_token(header->value, "close");
        seen->keep_alive |= has_token(header->value, "keep-alive");
    } else if (slice_eq_nocase(header->name, SLICE("expect"))) {
        request->expects_continue = slice_eq_nocase(header->value, SLICE("100-continue"));
        seen->bad_expect |= !request->expects_continue;
    }
}

/* The first fault of the headers as a whole; NULL: none. */
static const char *judge(const struct request *request, const struct seen *seen)
{
    bool is_1_1 = request->parser.http_minor == 1;
    if (seen->bad_name)
        return "a header name with bytes that no name has";
    if (seen->hosts > 1 || (is_1_1 && seen->hosts == 0))
        return "a request has exactly one Host header";
    if (seen->bad_host)
        return "the Host header is not a host";
    if (seen->lengths > 1)
        return "more than one Content-Length";
    if (seen->encodings > 0 && seen->lengths > 0)
        return "both Content-Length and Transfer-Encoding";
    if (seen->encodings > 1 || seen->bad_encoding)
        return "Transfer-Encoding has to be chunked";
    if (seen->encodings > 0 && !is_1_1)
        return "Transfer-Encoding in HTTP/1.0";
    return NULL;
}

static void read_head(struct request *request)
{
    struct seen seen = { 0 };
    for (size_t i = 0; i < request->header_count; i++)
        look_at(request, &request->headers[i], &seen);
    const char *fault = judge(request, &seen);
    if (fault) {
        fail(request, 400, fault);
        return;
    }
    if (seen.bad_expect) {
        fail(request, 417, "the only expectation known is 100-continue");
        return;
    }
    struct slice target = request->path;
    if (target.len > HTTP_TARGET_MAX) {
        fail(request, 414, "the request target is longer than 8 KiB");
        return;
    }
    if (!target_split(target, &request->path, &request->query)) {
        fail(request, 400, "the request target is neither a path nor a URL");
        return;
    }
    request->chunked = seen.encodings > 0;
    request->content_length = seen.lengths ? request->parser.content_length : 0;
    request->keep_alive = !seen.close && (request->parser.http_minor == 1 || seen.keep_alive);
    request->received = 0;
    request->state = REQUEST_BODY;
}

/* method SP target SP HTTP/d.d, each space once (llhttp lets more pass, and other protocols). false: refused. */
static bool check_request_line(struct request *request)
{
    static const struct slice name = SLICE("HTTP/");
    const char *end = memchr(request->head.data, '\r', request->head.len);
    struct slice line = { request->head.data, (size_t)(end - request->head.data) };
    const char *first = memchr(line.data, ' ', line.len), *last = memrchr(line.data, ' ', line.len);
    if (!first || first == last || memchr(first + 1, ' ', (size_t)(last - first - 1))) {
        fail(request, 400, "the request line is not: method, target, version");
        return false;
    }
    struct slice version = { last + 1, (size_t)(end - last - 1) };
    bool well_formed = slice_starts(version, name) && version.len == name.len + 3 && version.data[6] == '.' &&
                       version.data[5] >= '0' && version.data[5] <= '9' && version.data[7] >= '0' && version.data[7] <= '9';
    if (!well_formed) {
        fail(request, 400, "the request line is not: method, target, version");
        return false;
    }
    if (!slice_is(version, "HTTP/1.1") && !slice_is(version, "HTTP/1.0")) {
        fail(request, 505, "only HTTP/1.1 and HTTP/1.0");
        return false;
    }
    request->method = (struct slice){ line.data, (size_t)(first - line.data) };
    request->is_head = slice_is(request->method, "HEAD");
    return true;
}

static void parse_head(struct request *request)
{
    if (too_long(request) || !check_request_line(request))
        return;
    llhttp_errno_t rc = llhttp_execute(&request->parser, request->head.data, request->head.len);
    if (rc == HPE_USER)
        fail(request, 431, "more than 100 headers");
    else if (rc != HPE_OK)
        fail(request, 400, "not an HTTP request");
    else if (slice_is(request->method, "CONNECT"))
        fail(request, 405, "this is not a proxy");
    else
        read_head(request);
}

/* Inside a line most bytes need no look but this one: visible, or a space. They are taken together. */
static size_t take_plain_bytes(struct request *request, const char *bytes, size_t len)
{
    struct buf *head = &request->head;
    size_t run = 0, room = HTTP_HEAD_MAX + 1 - head->len;
    if (head->len == request->line_start || head->data[head->len - 1] == '\r')
        return 0;
    while (run < len && run < room && bytes[run] >= ' ' && bytes[run] != 0x7F)
        run++;
    buf_add(head, bytes, run);
    return run;
}

static size_t feed_head(struct request *request, const char *bytes, size_t len)
{
    size_t used = 0;
    while (used < len && request->state == REQUEST_HEAD) {
        size_t run = take_plain_bytes(request, bytes + used, len - used);
        used += run;
        if (run > 0 && too_long(request))
            return used;
        if (used == len)
            return used;
        if (take_head_byte(request, bytes[used++])) {
            parse_head(request);
            return used;
        }
        if (request->state == REQUEST_HEAD)
            (void)too_long(request); /* the state says it */
    }
    return used;
}

/* ---- the body ---- */

/* Grows the body's memory in steps, so that a length alone pins nothing. false: over the process's budget, or no memory. */
static bool make_room(struct request *request, size_t more)
{
    struct buf *data = &request->data;
    size_t need = data->len + more;
    if (need <= data->cap)
        return true;
    size_t want = data->cap ? data->cap * 2 : BODY_FIRST;
    if (!request->chunked && want > request->content_length)
        want = request->content_length;
    if (want < need)
        want = need;
    if (want > data->max)
        want = data->max;
    size_t extra = want - data->cap;
    if (request->budget && atomic_fetch_add(&request->budget->used, extra) + extra > request->budget->max) {
        atomic_fetch_sub(&request->budget->used, extra);
        return false;
    }
    request->accounted += request->budget ? extra : 0;
    return buf_reserve(data, want - data->len) == OK;
}

static void body_done(struct request *request)
{
    request->body = buf_slice(&request->data);
    request->state = REQUEST_DONE;
}

void request_allow(struct request *request, uint64_t max_body_bytes)
{
    if (request->content_length > max_body_bytes) {
        fail(request, 413, "the body is larger than this route takes");
        return;
    }
    request->data.max = max_body_bytes < SIZE_MAX ? (size_t)max_body_bytes : SIZE_MAX;
    if (!request->chunked && request->content_length == 0)
        body_done(request);
}

static size_t feed_plain(struct request *request, const char *bytes, size_t len)
{
    uint64_t left = request->content_length - request->data.len;
    size_t take = len < left ? len : (size_t)left;
    if (!make_room(request, take)) {
        fail(request, 503, "too many bodies in memory now: try again");
        return take;
    }
    buf_add(&request->data, bytes, take);
    if (request->data.len == request->content_length)
        body_done(request);
    return take;
}

/* Trailers end with an empty line; they are checked like a head and dropped. */
static size_t feed_trailers(struct request *request, const char *bytes, size_t len)
{
    for (size_t used = 0; used < len; used++) {
        char byte = bytes[used];
        if (request->trailer_cr != (byte == '\n') ||
            ((unsigned char)byte < ' ' && byte != '\r' && byte != '\n' && byte != '\t')) {
            fail(request, 400, "a bad byte behind the last chunk");
            return used;
        }
        if (++request->trailer_bytes > HTTP_TRAILERS_MAX) {
            fail(request, 431, "trailers longer than 8 KiB");
            return used;
        }
        request->trailer_cr = byte == '\r';
        if (byte == '\n' && request->trailer_line == 0) {
            body_done(request);
            return used + 1;
        }
        if (byte == '\n')
            request->trailer_line = 0;
        else if (byte != '\r')
            request->trailer_line++;
    }
    return len;
}

static void fail_chunk(struct request *request, llhttp_errno_t rc)
{
    if (rc == HPE_USER)
        fail(request, 413, "the body is larger than this route takes");
    else
        fail(request, 400, "bad chunk framing");
}

static size_t feed_chunks(struct request *request, const char *bytes, size_t len)
{
    size_t room = request->data.max - request->data.len;
    if (!make_room(request, len < room ? len : room)) {
        fail(request, 503, "too many bodies in memory now: try again");
        return len;
    }
    llhttp_errno_t rc = llhttp_execute(&request->parser, bytes, len);
    size_t used = rc == HPE_OK ? len : (size_t)(llhttp_get_error_pos(&request->parser) - bytes);
    request->received += used;
    if (rc != HPE_OK && rc != HPE_PAUSED)
        fail_chunk(request, rc);
    else if (request->received - request->data.len > HTTP_CHUNK_OVERHEAD_MAX + request->data.len / 2)
        fail(request, 400, "too much chunk framing for so little data");
    return used;
}

size_t request_feed(struct request *request, const char *bytes, size_t len)
{
    switch (request->state) {
    case REQUEST_HEAD:
        return feed_head(request, bytes, len);
    case REQUEST_BODY:
        if (!request->chunked)
            return feed_plain(request, bytes, len);
        return request->in_trailers ? feed_trailers(request, bytes, len) : feed_chunks(request, bytes, len);
    case REQUEST_DONE:
    case REQUEST_ERROR:
        return 0;
    }
    return 0;
}

/* ---- for the consumer ---- */

struct slice request_header(const struct request *request, struct slice name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (slice_eq_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return (struct slice){ NULL, 0 };
}

char *request_take_body(struct request *request, size_t *accounted)
{
    size_t len;
    *accounted = request->accounted;
    request->accounted = 0;
    return buf_take(&request->data, &len);
}
