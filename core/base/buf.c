#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

enum { BUF_FIRST = 256 };

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){ .max = max };
}

void buf_deinit(struct buf *buf)
{
    mem_free(buf->data);
    *buf = (struct buf){ .max = buf->max };
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

enum result buf_reserve(struct buf *buf, size_t more)
{
    if (buf->failed)
        return ERR_LIMIT;
    if (more > buf->max || buf->len > buf->max - more) {
        buf->failed = true;
        return ERR_LIMIT;
    }
    size_t need = buf->len + more;
    if (need <= buf->cap)
        return OK;
    size_t cap = buf->cap ? buf->cap * 2 : BUF_FIRST;
    if (cap < need)
        cap = need;
    if (cap > buf->max)
        cap = buf->max;
    char *data = mem_realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return ERR_MEMORY;
    }
    buf->data = data;
    buf->cap = cap;
    return OK;
}

void buf_add_slowly(struct buf *buf, const void *data, size_t len)
{
    if (len == 0 || buf_reserve(buf, len) != OK)
        return;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}

void buf_add_slice(struct buf *buf, struct slice slice)
{
    buf_add(buf, slice.data, slice.len);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_number(struct buf *buf, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    buf_add(buf, digits + at, sizeof(digits) - at);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    size_t room = buf->failed ? 0 : buf->cap - buf->len;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(room ? buf->data + buf->len : NULL, room, format, args);
    va_end(args);
    /* one byte more: vsnprintf writes a terminator that is not kept */
    if (len >= 0 && (size_t)len < room) {
        buf->len += (size_t)len;
    } else if (len >= 0 && buf_reserve(buf, (size_t)len + 1) == OK) {
        vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

size_t utf8_length(const unsigned char *p, size_t len)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        return len >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        if (len < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
            return 0;
        if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
            return 0;
        return 3;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        if (len < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80)
            return 0;
        if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

static void add_json_char(struct buf *buf, const unsigned char *p, size_t len)
{
    if (len == 0)
        buf_add_text(buf, "\xEF\xBF\xBD"); /* U+FFFD */
    else if (*p == '"' || *p == '\\')
        buf_add(buf, (char[]){ '\\', (char)*p }, 2);
    else if (*p == '\n')
        buf_add_text(buf, "\\n");
    else if (*p == '\r')
        buf_add_text(buf, "\\r");
    else if (*p == '\t')
        buf_add_text(buf, "\\t");
    else if (*p < 0x20 || *p == 0x7F)
        buf_addf(buf, "\\u%04x", *p);
    else
        buf_add(buf, p, len);
}

void buf_add_json_string(struct buf *buf, struct slice text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    size_t at = 0, clean = 0;
    buf_add_byte(buf, '"');
    while (at < text.len) {
        if (p[at] >= 0x20 && p[at] < 0x7F && p[at] != '"' && p[at] != '\\') {
            at++;
            continue;
        }
        size_t len = utf8_length(p + at, text.len - at);
        buf_add(buf, p + clean, at - clean);
        add_json_char(buf, p + at, len);
        at += len ? len : 1;
        clean = at;
    }
    if (at > clean)
        buf_add(buf, p + clean, at - clean);
    buf_add_byte(buf, '"');
}

void buf_add_u32(struct buf *buf, uint32_t value)
{
    unsigned char bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    buf_add(buf, bytes, sizeof(bytes));
}

void buf_add_u64(struct buf *buf, uint64_t value)
{
    buf_add_u32(buf, (uint32_t)value);
    buf_add_u32(buf, (uint32_t)(value >> 32));
}

void buf_add_block(struct buf *buf, struct slice slice)
{
    buf_add_u32(buf, (uint32_t)slice.len);
    buf_add_slice(buf, slice);
}

char *buf_take(struct buf *buf, size_t *len)
{
    char *data = buf->data;
    *len = buf->len;
    *buf = (struct buf){ .max = buf->max };
    return data;
}

static const unsigned char *cursor_bytes(struct cursor *cursor, size_t len)
{
    if (cursor->failed || cursor->rest.len < len) {
        cursor->failed = true;
        return NULL;
    }
    const unsigned char *bytes = (const unsigned char *)cursor->rest.data;
    cursor->rest = slice_from(cursor->rest, len);
    return bytes;
}

uint8_t cursor_u8(struct cursor *cursor)
{
    const unsigned char *bytes = cursor_bytes(cursor, 1);
    return bytes ? bytes[0] : 0;
}

uint32_t cursor_u32(struct cursor *cursor)
{
    const unsigned char *bytes = cursor_bytes(cursor, 4);
    if (!bytes)
        return 0;
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

uint64_t cursor_u64(struct cursor *cursor)
{
    uint64_t low = cursor_u32(cursor);
    return low | (uint64_t)cursor_u32(cursor) << 32;
}

struct slice cursor_block(struct cursor *cursor)
{
    size_t len = cursor_u32(cursor);
    const unsigned char *bytes = cursor_bytes(cursor, len);
    return bytes ? (struct slice){ (const char *)bytes, len } : (struct slice){ NULL, 0 };
}
