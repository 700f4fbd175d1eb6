#include "body/form.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next byte that is meant, off the front; raw is not empty. */
static char take_byte(struct slice *raw)
{
    char c = raw->data[0];
    if (c == '%' && raw->len > 2 && hex_value(raw->data[1]) >= 0 && hex_value(raw->data[2]) >= 0) {
        c = (char)(hex_value(raw->data[1]) << 4 | hex_value(raw->data[2]));
        *raw = slice_from(*raw, 3);
        return c;
    }
    *raw = slice_from(*raw, 1);
    return c == '+' ? ' ' : c;
}

bool query_decode(struct slice raw, struct buf *out)
{
    while (raw.len > 0)
        buf_add_byte(out, take_byte(&raw));
    return buf_ok(out);
}

bool query_name_is(struct slice raw, struct slice wanted)
{
    size_t i = 0;
    while (raw.len > 0 && i < wanted.len)
        if (take_byte(&raw) != wanted.data[i++])
            return false;
    return raw.len == 0 && i == wanted.len;
}

bool query_next(struct slice *query, struct slice *name, struct slice *value)
{
    while (query->len > 0) {
        const char *end = memchr(query->data, '&', query->len);
        struct slice part = { query->data, end ? (size_t)(end - query->data) : query->len };
        *query = slice_from(*query, part.len + (end != NULL));
        if (part.len == 0)
            continue;
        const char *equals = memchr(part.data, '=', part.len);
        *name = (struct slice){ part.data, equals ? (size_t)(equals - part.data) : part.len };
        *value = equals ? slice_from(part, name->len + 1) : (struct slice){ part.data + part.len, 0 };
        return true;
    }
    return false;
}

enum result form_check(struct slice text, struct body_error *error)
{
    struct slice rest = text, name, value;
    for (size_t count = 0; query_next(&rest, &name, &value); count++) {
        if (count == BODY_FIELDS_MAX) {
            *error = (struct body_error){ (size_t)(name.data - text.data), "more than 1000 fields" };
            return ERR_INVALID;
        }
    }
    return OK;
}
