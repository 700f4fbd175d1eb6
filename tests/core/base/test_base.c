#include "check.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"

#include <unistd.h>

TEST(a_buffer_takes_what_fits_and_fails_one_byte_past_its_bound)
{
    struct buf buf;
    buf_init(&buf, 4);
    buf_add_text(&buf, "abcd");
    CHECK("at the bound", buf_ok(&buf));
    buf_add_byte(&buf, 'e');
    CHECK("one past it", !buf_ok(&buf));
    CHECK_SLICE("what fitted stays", buf_slice(&buf), "abcd");
    buf_add_text(&buf, "");
    CHECK("failure is sticky", !buf_ok(&buf));
    buf_clear(&buf);
    CHECK("until it is cleared", buf_ok(&buf));
    buf_deinit(&buf);
}

TEST(what_a_cursor_reads_is_what_was_written_and_a_cut_blob_is_noticed)
{
    struct buf buf;
    buf_init(&buf, 1024);
    buf_add_u32(&buf, 4000000001u);
    buf_add_u64(&buf, 0x1122334455667788u);
    buf_add_block(&buf, SLICE("bytes"));
    for (size_t len = 0; len <= buf.len; len++) {
        struct cursor cursor = { .rest = { buf.data, len } };
        uint32_t first = cursor_u32(&cursor);
        uint64_t second = cursor_u64(&cursor);
        struct slice third = cursor_block(&cursor);
        CHECK_EQ("a cut is noticed", cursor.failed, len < buf.len);
        if (cursor.failed)
            continue;
        CHECK("u32", first == 4000000001u);
        CHECK("u64", second == 0x1122334455667788u);
        CHECK_SLICE("block", third, "bytes");
    }
    buf_deinit(&buf);
}

TEST(a_json_string_escapes_controls_and_replaces_what_is_not_utf8)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "plain", "\"plain\"" },
        { "a\"b\\c", "\"a\\\"b\\\\c\"" },
        { "line\nend\r\t\x01\x7f", "\"line\\nend\\r\\t\\u0001\\u007f\"" },
        { "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"" },
        { "\xff", "\"\xef\xbf\xbd\"" },
        { "\xc3", "\"\xef\xbf\xbd\"" },
        { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf buf;
        buf_init(&buf, 256);
        buf_add_json_string(&buf, slice_of(cases[i].text));
        CHECK_SLICE(cases[i].text, buf_slice(&buf), cases[i].want);
        buf_deinit(&buf);
    }
}

TEST(ids_of_one_maker_never_decrease_though_the_clock_steps_back)
{
    struct uuid_maker maker;
    struct uuid last = { { 0 } };
    uuid_maker_init(&maker);
    for (int i = 0; i < 20000; i++) {
        struct uuid id = uuid_v7(&maker, i < 10000 ? 1700000000000u : 1600000000000u);
        CHECK("increasing", memcmp(last.bytes, id.bytes, 16) < 0);
        CHECK_EQ("version", id.bytes[6] >> 4, 7);
        CHECK_EQ("variant", id.bytes[8] >> 6, 2);
        last = id;
    }
}

TEST(an_id_reads_back_from_its_text_and_nothing_else_does)
{
    struct uuid_maker maker;
    char text[UUID_TEXT_SIZE];
    struct uuid id, back;
    uuid_maker_init(&maker);
    id = uuid_v7(&maker, clock_wall_ms());
    uuid_format(id, text);
    CHECK("reads", uuid_parse(slice_of(text), &back));
    CHECK("the same", uuid_eq(id, back));
    text[8] = 'x';
    CHECK("no dash", !uuid_parse(slice_of(text), &back));
    CHECK("short", !uuid_parse(SLICE("0191"), &back));
}

TEST(an_arena_gives_aligned_zeroed_memory_of_any_size)
{
    struct arena arena = { 0 };
    for (size_t size = 0; size < 5000; size += 37) {
        unsigned char *bytes = arena_alloc(&arena, size);
        CHECK_EQ("aligned", (uintptr_t)bytes % 16, 0);
        for (size_t i = 0; i < size; i++)
            CHECK_EQ("zeroed", bytes[i], 0);
        memset(bytes, 0xAA, size);
    }
    CHECK_SLICE("a copy", arena_copy(&arena, SLICE("copied")), "copied");
    arena_deinit(&arena);
}

TEST(a_moment_is_written_as_rfc_3339)
{
    char text[CLOCK_ISO_SIZE];
    clock_iso(1763630042318u, text);
    CHECK_STR("with milliseconds", text, "2025-11-20T09:14:02.318Z");
    clock_iso(0, text);
    CHECK_STR("the first one", text, "1970-01-01T00:00:00.000Z");
}

TEST(a_log_record_is_one_line_whatever_its_values_hold)
{
    int ends[2];
    char line[1024];
    if (pipe(ends) != 0)
        abort();
    log_setup(LOG_JSON, LOG_INFO, "n1", false, ends[1]);
    LOG(LOG_DEBUG, "not written");
    LOG(LOG_INFO, "refused", LOG_S("path", SLICE("/a\nFORGED \"x\"")), LOG_I("status", 404));
    log_flush();
    ssize_t len = read(ends[0], line, sizeof(line) - 1);
    line[len > 0 ? len : 0] = '\0';
    CHECK("fields",
          strstr(line, "\"msg\":\"refused\",\"path\":\"/a\\nFORGED \\\"x\\\"\",\"status\":404,\"node\":\"n1\"}\n") != NULL);
    CHECK("one line", strchr(line, '\n') == line + strlen(line) - 1);
    log_setup(LOG_JSON, LOG_INFO, "", false, 2);
    close(ends[0]);
    close(ends[1]);
}

TEST_MAIN()
