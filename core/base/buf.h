/* buf.h: bytes that grow, up to a named bound. One owner, one thread at a time. */
#ifndef TIDEWIRE_BUF_H
#define TIDEWIRE_BUF_H

#include <stdint.h>

#include "base/result.h"
#include "base/slice.h"

struct buf {
    char *data; /* owned; NULL while nothing was reserved */
    size_t len, cap;
    size_t max;  /* len never passes it */
    bool failed; /* an append did not fit: sticky, so that a run of appends is checked once, by buf_ok */
};

/* max: bytes; the buffer allocates nothing yet. */
void buf_init(struct buf *buf, size_t max);
void buf_deinit(struct buf *buf);
/* Forgets the bytes and the failure, keeps the memory. */
void buf_clear(struct buf *buf);
/* Room for `more` further bytes. ERR_LIMIT past max, ERR_MEMORY; both set `failed`. */
enum result buf_reserve(struct buf *buf, size_t more) MUST_CHECK;
/* All append functions do nothing once the buffer has failed. */
void buf_add_slowly(struct buf *buf, const void *data, size_t len); /* what buf_add does when it has to grow */
static inline void buf_add(struct buf *buf, const void *data, size_t len)
{
    if (buf->failed || len == 0 || len > buf->cap - buf->len) {
        buf_add_slowly(buf, data, len);
        return;
    }
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}
static inline void buf_add_byte(struct buf *buf, char byte)
{
    buf_add(buf, &byte, 1);
}
void buf_add_slice(struct buf *buf, struct slice slice);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_number(struct buf *buf, uint64_t number); /* decimal */
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Length of the valid UTF-8 sequence at the start, 0 when there is none; len >= 1. RFC 3629, section 4. */
size_t utf8_length(const unsigned char *p, size_t len);
/* A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD; controls are escaped. */
void buf_add_json_string(struct buf *buf, struct slice text);
/* 32 and 64 bits, little endian: the inside form of stored blobs. */
void buf_add_u32(struct buf *buf, uint32_t value);
void buf_add_u64(struct buf *buf, uint64_t value);
/* Takes len as 32 bits, then the bytes. */
void buf_add_block(struct buf *buf, struct slice slice);
static inline bool buf_ok(const struct buf *buf)
{
    return !buf->failed;
}
static inline struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){ buf->data, buf->len };
}
/* Hands the memory to the caller (mem_free); the buffer is empty after. */
char *buf_take(struct buf *buf, size_t *len);

/* Reads what buf_add_u32 and its kind wrote; past the end everything reads as 0 and `failed` is set. */
struct cursor {
    struct slice rest;
    bool failed;
};
uint8_t cursor_u8(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);
struct slice cursor_block(struct cursor *cursor);

#endif
