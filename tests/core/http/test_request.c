#include "check.h"

#include "base/mem.h"
#include "http/request.h"

enum { MAX_BODY = 100000 };

/* What became of some bytes: the state, and how many were used. */
struct got {
    enum request_state state;
    uint16_t status;
    size_t used;
    char method[32], path[256], query[64], body[512];
    size_t headers;
    bool keep_alive, expects;
};

static void copy(char *to, size_t room, struct slice from)
{
    snprintf(to, room, "%.*s", SLICE_ARGS(from));
}

/* Feeds bytes in two writes, cut at `cut`; stops at DONE or ERROR. */
static struct got feed(const char *bytes, size_t len, size_t cut, uint64_t max_body)
{
    struct request request;
    struct got got = { 0 };
    request_init(&request, NULL);
    while (got.used < len && request.state < REQUEST_DONE) {
        size_t end = got.used < cut ? cut : len;
        /* a copy of exactly this piece, so that a read past it is noticed */
        char *piece = malloc(end - got.used);
        memcpy(piece, bytes + got.used, end - got.used);
        enum request_state before = request.state;
        got.used += request_feed(&request, piece, end - got.used);
        free(piece);
        if (before == REQUEST_HEAD && request.state == REQUEST_BODY)
            request_allow(&request, max_body);
    }
    got.state = request.state;
    got.status = request.status;
    if (request.state == REQUEST_DONE) {
        copy(got.method, sizeof(got.method), request.method);
        copy(got.path, sizeof(got.path), request.path);
        copy(got.query, sizeof(got.query), request.query);
        copy(got.body, sizeof(got.body), request.body);
        got.headers = request.header_count;
        got.keep_alive = request.keep_alive;
        got.expects = request.expects_continue;
    }
    request_deinit(&request);
    return got;
}

#define H "Host: a\r\n"

/* status 0: accepted; then path and body are what they have to be. */
static const struct {
    const char *bytes;
    uint16_t status;
    const char *path, *body;
} corpus[] = {
    { "POST /in HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 0, "/in", "abc" },
    { "GET / HTTP/1.1\r\n" H "\r\n", 0, "/", "" },
    { "GET /a?b=c HTTP/1.1\r\n" H "\r\n", 0, "/a", "" },
    { "\r\nGET /a HTTP/1.1\r\n" H "\r\n", 0, "/a", "" },
    { "GET http://example.com/abs?x HTTP/1.1\r\n" H "\r\n", 0, "/abs", "" },
    { "GET http://example.com HTTP/1.1\r\n" H "\r\n", 0, "/", "" },
    { "GET HTTPS://EXAMPLE.com:443/x HTTP/1.1\r\n" H "\r\n", 0, "/x", "" },
    { "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0, "*", "" },
    { "POST /in HTTP/1.1\r\nhost: a:80\r\ncontent-length: 0\r\n\r\n", 0, "/in", "" },
    { "POST /in HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0, "/in", "" },
    { "POST /in HTTP/1.1\r\nHost:\r\n\r\n", 0, "/in", "" },
    { "POST /in HTTP/1.0\r\n\r\n", 0, "/in", "" },
    { "POST /in HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", 0, "/in", "x" },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 0, "/in", "abcde" },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: CHUNKED\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", 0, "/in", "0123456789" },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n", 0, "/in", "abc" },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\na\rc\r\n0\r\nX-T: 1\r\n\r\n", 0, "/in", "a\rc" },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, "/in", "" },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n000003\r\nabc\r\n0\r\n\r\n", 0, "/in", "abc" },
    { "POST /in HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx", 0, "/in", "x" },
    { "POST /in HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx", 0, "/in", "x" },
    { "POST /in HTTP/1.1\r\n" H
      "Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      0, "/in", "x" },
    { "POST /in HTTP/1.1\r\n" H "X-Empty:\r\nX-Tab:\ta\t\r\nX-Obs: gr\xfc\xdf\r\n\r\n", 0, "/in", "" },
    { "POST /%2e%2e/%zz HTTP/1.1\r\n" H "\r\n", 0, "/%2e%2e/%zz", "" },
    { "PUT /a HTTP/1.1\r\n" H "Content-Length: 00003\r\n\r\nabc", 0, "/a", "abc" },
    { "PATCH /a HTTP/1.1\r\n" H "\r\n", 0, "/a", "" },

    { "POST /in HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H H "\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\nHost: a b\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\nHost: a,b:x\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\nHost: user@a\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\nabc", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\nabc", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length: 3 3\r\n\r\nabc", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length:\r\n\r\nabc", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\nabc", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: \x0b"
      "chunked\r\n\r\n0\r\n\r\n",
      400, NULL, NULL },
    { "POST /in HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\nHost : a\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H " folded: 1\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "X-A: 1\r\n\tmore\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "X-A:\rX-B: 1\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "X-A: 1\rX-B: 1\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "X-A: 1\nX-B: 1\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\n" H "\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\r\n" H "\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "X-A: a\x01z\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "X-A: a\x7fz\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "X A: 1\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "X-\xc3\xa4: 1\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H ": 1\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "novalue\r\n\r\n", 400, NULL, NULL },
    { "POST  /in HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST /in  HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1 \r\n" H "\r\n", 400, NULL, NULL },
    { "POST /i n HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST /in#x HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST in HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST ftp://a/in HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST http:///in HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST http://a@b/in HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST /in\r\n" H "\r\n", 400, NULL, NULL },
    { "POST\r\n\r\n", 400, NULL, NULL },
    { "/in HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "FOO /in HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "post /in HTTP/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST /in http/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST /in HTTPS/1.1\r\n" H "\r\n", 400, NULL, NULL },
    { "POST /in RTSP/1.0\r\n" H "\r\n", 400, NULL, NULL },
    { "\x16\x03\x01\x02\x01\x01", 400, NULL, NULL },
    { "\r\n\r\n\r\n\r\n\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n", 417, NULL, NULL },
    { "CONNECT a:80 HTTP/1.1\r\n" H "\r\n", 405, NULL, NULL },
    { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, NULL, NULL },
    { "POST /in HTTP/2.0\r\n" H "\r\n", 505, NULL, NULL },
    { "POST /in HTTP/0.9\r\n" H "\r\n", 505, NULL, NULL },
    { "POST /in HTTP/1.2\r\n" H "\r\n", 505, NULL, NULL },
    { "POST /in HTTP/3.0\r\n" H "\r\n", 505, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Content-Length: 100001\r\n\r\n", 413, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;a=\n\r\nabc\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;a=\x01\r\nabc\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;a=b\rc\r\nabc\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nX-T: 1\rX: 2\r\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nX-T: 1\n\r\n", 400, NULL, NULL },
    { "POST /in HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\x01\r\n\r\n", 400, NULL, NULL },
};

TEST(every_request_of_the_corpus_is_taken_or_refused_as_it_has_to_be_however_it_is_cut)
{
    for (size_t i = 0; i < COUNT(corpus); i++) {
        size_t len = strlen(corpus[i].bytes);
        for (size_t cut = 0; cut < len; cut++) {
            struct got got = feed(corpus[i].bytes, len, cut, MAX_BODY);
            if (corpus[i].status == 0) {
                CHECK_EQ(corpus[i].bytes, got.state, REQUEST_DONE);
                CHECK_STR(corpus[i].bytes, got.path, corpus[i].path);
                CHECK_STR(corpus[i].bytes, got.body, corpus[i].body);
                CHECK_EQ(corpus[i].bytes, got.used, len);
            } else {
                CHECK_EQ(corpus[i].bytes, got.state, REQUEST_ERROR);
                if (cut == 0 || got.status != corpus[i].status)
                    CHECK_EQ(corpus[i].bytes, got.status, corpus[i].status);
            }
        }
    }
}

TEST(a_request_ends_where_it_ends_and_the_next_one_is_left_alone)
{
    static const char *const two[] = {
        "POST /a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n",
        "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /b HTTP/1.1\r\n",
        "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\nGET /b HTTP/1.1\r\n",
        "GET /a HTTP/1.1\r\n" H "\r\nGET /b HTTP/1.1\r\n",
    };
    for (size_t i = 0; i < COUNT(two); i++) {
        size_t len = strlen(two[i]);
        for (size_t cut = 0; cut < len; cut++) {
            struct got got = feed(two[i], len, cut, MAX_BODY);
            CHECK_EQ(two[i], got.state, REQUEST_DONE);
            CHECK_STR(two[i], two[i] + got.used, "GET /b HTTP/1.1\r\n");
        }
    }
}

TEST(a_connection_goes_on_as_http_says)
{
    static const struct {
        const char *bytes;
        bool keep;
    } cases[] = {
        { "GET / HTTP/1.1\r\n" H "\r\n", true },
        { "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\n" H "Connection: foo, Close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n" H "\r\n", false },
        { "GET / HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n", true },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].bytes, feed(cases[i].bytes, strlen(cases[i].bytes), 0, 0).keep_alive, cases[i].keep);
}

static size_t make_head(char *out, const char *start, char fill, size_t count, const char *end)
{
    size_t len = strlen(start);
    memcpy(out, start, len);
    memset(out + len, fill, count);
    memcpy(out + len + count, end, strlen(end));
    return len + count + strlen(end);
}

TEST(a_head_of_32_KiB_is_taken_and_one_byte_more_refused)
{
    static char bytes[64 << 10];
    const char *start = "GET / HTTP/1.1\r\n" H "X-A: ", *end = "\r\n\r\n";
    size_t fill = HTTP_HEAD_MAX - strlen(start) - strlen(end);
    size_t len = make_head(bytes, start, 'x', fill, end);
    CHECK_EQ("at the limit", feed(bytes, len, 0, 0).state, REQUEST_DONE);
    len = make_head(bytes, start, 'x', fill + 1, end);
    CHECK_EQ("one past it", feed(bytes, len, 0, 0).status, 431);
}

TEST(a_target_of_8_KiB_is_taken_and_one_byte_more_refused)
{
    static char bytes[64 << 10];
    size_t len = make_head(bytes, "GET /", 'a', HTTP_TARGET_MAX - 1, " HTTP/1.1\r\n" H "\r\n");
    CHECK_EQ("at the limit", feed(bytes, len, 0, 0).state, REQUEST_DONE);
    len = make_head(bytes, "GET /", 'a', HTTP_TARGET_MAX, " HTTP/1.1\r\n" H "\r\n");
    CHECK_EQ("one past it", feed(bytes, len, 0, 0).status, 414);
    len = make_head(bytes, "GET /", 'a', 20000, "");
    CHECK_EQ("endless", feed(bytes, len, 0, 0).status, 414);
}

TEST(a_hundred_headers_are_taken_and_one_more_refused)
{
    static char bytes[8 << 10];
    for (int count = 100; count <= 101; count++) {
        size_t len = (size_t)sprintf(bytes, "GET / HTTP/1.1\r\n" H);
        for (int i = 1; i < count; i++)
            len += (size_t)sprintf(bytes + len, "X-%d: 1\r\n", i);
        len += (size_t)sprintf(bytes + len, "\r\n");
        struct got got = feed(bytes, len, 0, 0);
        CHECK_EQ("count", got.status, count == 100 ? 0 : 431);
        if (count == 100)
            CHECK_EQ("all are there", got.headers, 100);
    }
}

TEST(a_body_at_the_routes_limit_is_taken_and_one_byte_more_refused)
{
    static const char plain[] = "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n12345";
    static const char chunked[] = "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\r\n12\r\n3\r\n345\r\n0\r\n\r\n";
    for (size_t cut = 0; cut < sizeof(chunked) - 1; cut++) {
        CHECK_EQ("chunked, at it", feed(chunked, sizeof(chunked) - 1, cut, 5).state, REQUEST_DONE);
        CHECK_EQ("chunked, past it", feed(chunked, sizeof(chunked) - 1, cut, 4).status, 413);
    }
    CHECK_EQ("plain, at it", feed(plain, sizeof(plain) - 1, 0, 5).state, REQUEST_DONE);
    CHECK_EQ("plain, past it", feed(plain, sizeof(plain) - 1, 0, 4).status, 413);
}

TEST(chunk_framing_may_not_outweigh_its_data)
{
    static char bytes[200 << 10];
    size_t len = (size_t)sprintf(bytes, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
    memset(bytes + len, '0', 100 << 10);
    CHECK_EQ("leading zeros", feed(bytes, len + (100 << 10), 0, MAX_BODY).state, REQUEST_ERROR);
    memcpy(bytes + len, "1;", 2);
    memset(bytes + len + 2, 'x', 100 << 10);
    CHECK_EQ("an extension", feed(bytes, len + (100 << 10), 0, MAX_BODY).status, 400);
    size_t small = len;
    while (small < (100 << 10))
        small += (size_t)sprintf(bytes + small, "1\r\nx\r\n");
    CHECK_EQ("one byte each", feed(bytes, small, 0, MAX_BODY).status, 400);
}

TEST(trailers_are_bounded)
{
    static char bytes[64 << 10];
    const char *start = "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nX: ";
    size_t len = make_head(bytes, start, 'x', HTTP_TRAILERS_MAX, "\r\n\r\n");
    CHECK_EQ("past the limit", feed(bytes, len, 0, MAX_BODY).status, 431);
    len = make_head(bytes, start, 'x', HTTP_TRAILERS_MAX - 100, "\r\n\r\n");
    CHECK_EQ("below it", feed(bytes, len, 0, MAX_BODY).state, REQUEST_DONE);
}

TEST(bodies_share_a_budget_that_is_given_back)
{
    struct body_budget budget = { .max = 1000 };
    struct request first, second;
    const char *bytes = "POST / HTTP/1.1\r\n" H "Content-Length: 600\r\n\r\n";
    char body[600];
    size_t accounted;
    memset(body, 'x', sizeof(body));
    request_init(&first, &budget);
    request_init(&second, &budget);
    CHECK_EQ("head", request_feed(&first, bytes, strlen(bytes)), strlen(bytes));
    CHECK_EQ("head", request_feed(&second, bytes, strlen(bytes)), strlen(bytes));
    request_allow(&first, MAX_BODY);
    request_allow(&second, MAX_BODY);
    (void)request_feed(&first, body, sizeof(body));
    CHECK_EQ("the first fits", first.state, REQUEST_DONE);
    (void)request_feed(&second, body, sizeof(body));
    CHECK_EQ("the second does not", second.status, 503);
    char *taken = request_take_body(&first, &accounted);
    CHECK_EQ("goes with the body", accounted, 600);
    request_reset(&first);
    CHECK_EQ("still used", budget.used, 600);
    CHECK_BYTES("the bytes", taken, 600, body, 600);
    mem_free(taken);
    request_deinit(&first);
    request_deinit(&second);
}

TEST_MAIN()
