#include "model/fetch.h"

void fetch_record_write(const struct fetch_record *record, struct buf *out)
{
    buf_add_u64(out, record->at_ms);
    buf_add_u32(out, record->took_ms);
    buf_add_u32(out, record->status);
    buf_add_byte(out, (char)record->error);
    buf_add_block(out, record->method);
    buf_add_block(out, record->url);
}

enum result fetch_record_read(struct slice *blob, struct fetch_record *out)
{
    struct cursor cursor = { .rest = *blob };
    *out = (struct fetch_record){ 0 };
    out->at_ms = cursor_u64(&cursor);
    out->took_ms = cursor_u32(&cursor);
    out->status = (uint16_t)cursor_u32(&cursor);
    uint8_t error = cursor_u8(&cursor);
    out->method = cursor_block(&cursor);
    out->url = cursor_block(&cursor);
    if (cursor.failed || error > ATTEMPT_CONFIG)
        return ERR_INVALID;
    out->error = (enum attempt_error)error;
    *blob = cursor.rest;
    return OK;
}

/* ---- header lines ---- */

static struct slice take_line(struct slice *head)
{
    const char *end = memchr(head->data, '\n', head->len);
    size_t len = end ? (size_t)(end - head->data) : head->len;
    struct slice line = { head->data, len };
    *head = slice_from(*head, len + (end != NULL));
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

bool fetch_head_next(struct slice *head, struct slice *name, struct slice *value)
{
    while (head->len > 0) {
        struct slice line = take_line(head);
        const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
        if (!colon || colon == line.data || line.data[0] == ' ' || line.data[0] == '\t')
            continue;
        *name = (struct slice){ line.data, (size_t)(colon - line.data) };
        *value = slice_trim(slice_from(line, name->len + 1));
        return true;
    }
    return false;
}
