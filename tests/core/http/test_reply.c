#include "check.h"

#include "http/reply.h"

static void write(const struct reply *reply, bool without_body, bool keep_alive, struct buf *out)
{
    buf_init(out, 4096);
    (void)reply_write(reply, without_body, keep_alive, 1763630042318u, out);
    buf_add_byte(out, '\0');
}

TEST(a_problem_says_what_and_keeps_its_bytes_when_copied)
{
    struct reply reply, copy;
    struct buf out;
    reply_problem(&reply, 413, "a \"body\"\nwith\tsigns");
    reply_copy(&copy, &reply);
    memset(&reply, 0xAA, sizeof(reply));
    write(&copy, false, true, &out);
    CHECK_STR(
        "whole", out.data,
        "HTTP/1.1 413 Content Too Large\r\nDate: Thu, 20 Nov 2025 09:14:02 GMT\r\nContent-Type: application/problem+json\r\n"
        "Content-Length: 99\r\nConnection: keep-alive\r\n\r\n"
        "{\"type\":\"about:blank\",\"title\":\"Content Too Large\",\"status\":413,\"detail\":\"a "
        "\\\"body\\\"\\nwith\\tsigns\"}\n");
    buf_deinit(&out);
}

TEST(the_answer_to_head_says_a_length_and_has_no_body)
{
    struct reply reply;
    struct buf out;
    reply_problem(&reply, 503, "x");
    write(&reply, true, false, &out);
    CHECK("retry", strstr(out.data, "Retry-After: 5\r\n") != NULL);
    CHECK("closes", strstr(out.data, "Connection: close\r\n\r\n") == out.data + strlen(out.data) - 21);
    buf_deinit(&out);
}

TEST(a_204_has_neither_length_nor_type)
{
    struct reply reply;
    struct buf out;
    reply_init(&reply, 204);
    reply.body = SLICE("never sent");
    write(&reply, false, true, &out);
    CHECK("no length", !strstr(out.data, "Content-Length") && !strstr(out.data, "never"));
    buf_deinit(&out);
}

TEST(a_header_that_would_break_the_answer_is_not_added)
{
    static const struct {
        const char *name;
        struct slice value;
        enum result want;
    } cases[] = {
        { "X-A", SLICE("fine; \"quoted\""), OK }, { "X-A", SLICE("a\r\nX-B: 1"), ERR_INVALID },
        { "X-A", SLICE("a\nb"), ERR_INVALID },    { "X-A", SLICE("a\0b"), ERR_INVALID },
        { "X A", SLICE("a"), ERR_INVALID },       { "", SLICE("a"), ERR_INVALID },
        { "X:", SLICE("a"), ERR_INVALID },
    };
    struct reply reply;
    reply_init(&reply, 200);
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_EQ(cases[i].name, reply_add_header(&reply, slice_of(cases[i].name), cases[i].value), cases[i].want);
    while (reply.header_count < REPLY_HEADERS_MAX)
        CHECK_EQ("room", reply_add_header(&reply, SLICE("X"), SLICE("y")), OK);
    CHECK_EQ("full", reply_add_header(&reply, SLICE("X"), SLICE("y")), ERR_LIMIT);
}

TEST_MAIN()
