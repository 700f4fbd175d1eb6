#include "body/coding.h"

#include <brotli/decode.h>
#include <zlib.h>

enum { STEP_FIRST = 16 << 10, STEP_MAX = 1 << 20 /* bytes of room made at a time */ };

enum coding coding_of(struct slice header)
{
    header = slice_trim(header);
    if (header.len == 0 || slice_eq_nocase(header, SLICE("identity")))
        return CODING_NONE;
    if (slice_eq_nocase(header, SLICE("gzip")) || slice_eq_nocase(header, SLICE("x-gzip")))
        return CODING_GZIP;
    if (slice_eq_nocase(header, SLICE("deflate")))
        return CODING_DEFLATE;
    return slice_eq_nocase(header, SLICE("br")) ? CODING_BROTLI : CODING_UNKNOWN;
}

static enum result fail(struct body_error *error, size_t offset, const char *what)
{
    *error = (struct body_error){ offset, what };
    return ERR_INVALID;
}

/* Room behind what is there: as much again, up to STEP_MAX and to the limit. A full buffer has one byte of room outside itself,
 * so that a text of just the limit still comes to its end. */
static enum result make_room(struct buf *out, size_t *room)
{
    size_t step = out->len < STEP_FIRST ? STEP_FIRST : out->len < STEP_MAX ? out->len : STEP_MAX;
    *room = out->max - out->len < step ? out->max - out->len : step;
    return *room ? buf_reserve(out, *room) : OK;
}

/* ---- gzip and deflate ---- */

/* A zlib header: method 8, and a check (RFC 1950, 2.2). */
static bool has_zlib_head(struct slice bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.data;
    return bytes.len >= 2 && (p[0] & 15) == 8 && (p[0] << 8 | p[1]) % 31 == 0;
}

/* One call of inflate; *code is what it said. */
static enum result inflate_step(z_stream *stream, struct buf *out, int *code)
{
    unsigned char beyond;
    size_t room;
    enum result rc = make_room(out, &room);
    if (rc != OK)
        return rc;
    stream->next_out = room ? (unsigned char *)out->data + out->len : &beyond;
    stream->avail_out = room ? (uInt)room : 1;
    *code = inflate(stream, Z_NO_FLUSH);
    if (room)
        out->len += room - stream->avail_out;
    else if (stream->avail_out == 0)
        return ERR_LIMIT;
    return *code == Z_MEM_ERROR ? ERR_MEMORY : OK;
}

static enum result inflate_all(z_stream *stream, struct slice bytes, bool members, struct buf *out, struct body_error *error)
{
    enum result rc = OK;
    int code = Z_OK;
    stream->next_in = (unsigned char *)(bytes.len ? bytes.data : "");
    stream->avail_in = (uInt)bytes.len;
    while (rc == OK && code != Z_STREAM_END) {
        rc = inflate_step(stream, out, &code);
        size_t at = bytes.len - stream->avail_in;
        if (rc == OK && code == Z_BUF_ERROR)
            return fail(error, at, "it is cut off");
        if (rc == OK && code != Z_OK && code != Z_STREAM_END)
            return fail(error, at, "it is damaged");
        if (rc == OK && code == Z_STREAM_END && stream->avail_in > 0) {
            if (!members || inflateReset(stream) != Z_OK)
                return fail(error, at, "something follows its end");
            code = Z_OK;
        }
    }
    return rc;
}

static enum result undo_zlib(enum coding coding, struct slice bytes, struct buf *out, struct body_error *error)
{
    z_stream stream = { 0 };
    int window = coding == CODING_GZIP ? MAX_WBITS + 16 : has_zlib_head(bytes) ? MAX_WBITS : -MAX_WBITS;
    if (inflateInit2(&stream, window) != Z_OK)
        return ERR_MEMORY;
    enum result rc = inflate_all(&stream, bytes, coding == CODING_GZIP, out, error);
    inflateEnd(&stream);
    return rc;
}

/* ---- brotli ---- */

static enum result brotli_end(BrotliDecoderState *state, BrotliDecoderResult result, size_t at, size_t left,
                              struct body_error *error)
{
    if (result == BROTLI_DECODER_RESULT_SUCCESS)
        return left == 0 ? OK : fail(error, at, "something follows its end");
    if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
        return fail(error, at, "it is cut off");
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state);
    bool memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
    return memory ? ERR_MEMORY : fail(error, at, "it is damaged");
}

static enum result brotli_all(BrotliDecoderState *state, struct slice bytes, struct buf *out, struct body_error *error)
{
    const uint8_t *in = (const uint8_t *)bytes.data;
    size_t left = bytes.len;
    for (;;) {
        uint8_t beyond, *to;
        size_t room;
        enum result rc = make_room(out, &room);
        if (rc != OK)
            return rc;
        size_t free = room ? room : 1;
        to = room ? (uint8_t *)out->data + out->len : &beyond;
        BrotliDecoderResult result = BrotliDecoderDecompressStream(state, &left, &in, &free, &to, NULL);
        if (!room && free == 0)
            return ERR_LIMIT;
        out->len += room ? room - free : 0;
        if (result != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
            return brotli_end(state, result, bytes.len - left, left, error);
    }
}

static enum result undo_brotli(struct slice bytes, struct buf *out, struct body_error *error)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (!state)
        return ERR_MEMORY;
    enum result rc = brotli_all(state, bytes, out, error);
    BrotliDecoderDestroyInstance(state);
    return rc;
}

enum result coding_undo(enum coding coding, struct slice bytes, struct buf *out, struct body_error *error)
{
    return coding == CODING_BROTLI ? undo_brotli(bytes, out, error) : undo_zlib(coding, bytes, out, error);
}
