#include "http/reply.h"

#include <stdio.h>
#include <time.h>

enum { DETAIL_MAX = 300 };

const char *reply_reason(uint16_t status)
{
    static const struct {
        uint16_t status;
        const char *reason;
    } reasons[] = {
        { 100, "Continue" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return status < 400 ? "OK" : "Error";
}

void reply_init(struct reply *reply, uint16_t status)
{
    reply->status = status;
    reply->content_type = reply->body = SLICE("");
    reply->header_count = 0;
    reply->close = false;
}

enum result reply_add_header(struct reply *reply, struct slice name, struct slice value)
{
    if (!http_is_token(name))
        return ERR_INVALID;
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] == '\r' || value.data[i] == '\n' || value.data[i] == '\0')
            return ERR_INVALID;
    if (reply->header_count == REPLY_HEADERS_MAX)
        return ERR_LIMIT;
    reply->headers[reply->header_count++] = (struct http_header){ name, value };
    return OK;
}

void reply_problem(struct reply *reply, uint16_t status, const char *detail)
{
    struct buf body;
    reply_init(reply, status);
    buf_init(&body, 2 * REPLY_INLINE_MAX);
    buf_addf(&body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":", reply_reason(status), status);
    struct slice text = slice_of(detail);
    if (text.len > DETAIL_MAX)
        text.len = DETAIL_MAX;
    buf_add_json_string(&body, text);
    buf_add_text(&body, "}\n");
    /* escapes can make a detail longer than its place: then the title says it alone */
    if (!buf_ok(&body) || body.len > sizeof(reply->room)) {
        buf_clear(&body);
        buf_addf(&body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u}\n", reply_reason(status), status);
    }
    memcpy(reply->room, body.data, body.len);
    reply->content_type = SLICE("application/problem+json");
    reply->body = (struct slice){ reply->room, body.len };
    buf_deinit(&body);
    if (status == 503)
        reply->headers[reply->header_count++] = (struct http_header){ SLICE("Retry-After"), SLICE("5") };
}

void reply_copy(struct reply *to, const struct reply *from)
{
    *to = *from;
    if (from->body.data == from->room)
        to->body.data = to->room;
}

/* IMF-fixdate (RFC 9110, 5.6.7), made once a second per thread. */
static void add_date(struct buf *out, uint64_t now_ms)
{
    static __thread time_t made_for;
    static __thread char text[40];
    time_t now = (time_t)(now_ms / 1000);
    if (now != made_for) {
        struct tm tm;
        gmtime_r(&now, &tm);
        strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
        made_for = now;
    }
    buf_add_text(out, text);
}

static bool may_have_body(uint16_t status)
{
    return status >= 200 && status != 204 && status != 304;
}

bool reply_write(const struct reply *reply, bool without_body, bool keep_alive, uint64_t now_ms, struct buf *out)
{
    bool goes_on = keep_alive && !reply->close;
    buf_add_text(out, "HTTP/1.1 ");
    buf_add_number(out, reply->status);
    buf_add_byte(out, ' ');
    buf_add_text(out, reply_reason(reply->status));
    buf_add_text(out, "\r\n");
    add_date(out, now_ms);
    for (size_t i = 0; i < reply->header_count; i++) {
        buf_add_slice(out, reply->headers[i].name);
        buf_add_text(out, ": ");
        buf_add_slice(out, reply->headers[i].value);
        buf_add_text(out, "\r\n");
    }
    if (may_have_body(reply->status)) {
        if (reply->content_type.len > 0) {
            buf_add_text(out, "Content-Type: ");
            buf_add_slice(out, reply->content_type);
            buf_add_text(out, "\r\n");
        }
        buf_add_text(out, "Content-Length: ");
        buf_add_number(out, reply->body.len);
        buf_add_text(out, "\r\n");
    }
    buf_add_text(out, goes_on ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
    if (may_have_body(reply->status) && !without_body)
        buf_add_slice(out, reply->body);
    return !goes_on;
}
