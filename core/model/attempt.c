#include "model/attempt.h"

void attempt_write(const struct attempt *attempt, struct buf *out)
{
    buf_add_u32(out, attempt->n);
    buf_add_u64(out, attempt->at_ms);
    buf_add_u32(out, attempt->took_ms);
    buf_add_u32(out, attempt->status);
    buf_add_byte(out, (char)attempt->error);
    buf_add_block(out, attempt->detail);
    buf_add_block(out, attempt->answer);
    buf_add_block(out, attempt->answer_type);
    buf_add_u32(out, attempt->generation);
}

enum result attempt_read(struct slice blob, struct attempt *out)
{
    struct cursor cursor = { .rest = blob };
    out->n = cursor_u32(&cursor);
    out->at_ms = cursor_u64(&cursor);
    out->took_ms = cursor_u32(&cursor);
    out->status = (uint16_t)cursor_u32(&cursor);
    uint8_t error = cursor_u8(&cursor);
    out->detail = cursor_block(&cursor);
    out->answer = cursor_block(&cursor);
    out->answer_type = cursor_block(&cursor);
    out->generation = cursor.rest.len ? cursor_u32(&cursor) : 0; /* stores of schema 1 have none */
    if (cursor.failed || cursor.rest.len != 0 || error > ATTEMPT_ERROR_LAST)
        return ERR_INVALID;
    out->error = (enum attempt_error)error;
    return OK;
}
