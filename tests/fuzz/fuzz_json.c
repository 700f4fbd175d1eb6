/* Any bytes: the index refuses them with a place inside, or every value can be reached; what the writer makes of them indexes
 * again to the same values. */
#include <stdint.h>
#include <stdlib.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GROWTH_MAX = 6 /* a byte becomes at most \u00XX */, SLACK = 64 };

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* The decoded string, which must fit the raw one and compare equal to it, with quotes. */
static void emit_string(struct slice raw, bool escaped, struct buf *out)
{
    struct buf plain;
    buf_init(&plain, raw.len + 1);
    json_unescape(raw, &plain);
    demand(buf_ok(&plain) && plain.len <= raw.len && json_string_is(raw, escaped, buf_slice(&plain)));
    demand(json_write_string(out, buf_slice(&plain)));
    buf_deinit(&plain);
}

static void emit(struct json_value value, struct buf *out);

static void emit_children(struct json_value container, struct buf *out)
{
    bool is_object = json_type(container) == JSON_OBJECT, escaped;
    uint32_t count = 0;
    buf_add_byte(out, is_object ? '{' : '[');
    for (struct json_value child = json_first(container); child.doc; child = json_next(child), count++) {
        if (count > 0)
            buf_add_byte(out, ',');
        if (is_object) {
            struct slice key = json_key(child, &escaped);
            emit_string(key, escaped, out);
            buf_add_byte(out, ':');
        }
        emit(child, out);
    }
    buf_add_byte(out, is_object ? '}' : ']');
    demand(count == json_count(container));
}

static void emit(struct json_value value, struct buf *out)
{
    bool escaped;
    unsigned digits;
    switch (json_type(value)) {
    case JSON_STRING: {
        struct slice raw = json_string(value, &escaped);
        emit_string(raw, escaped, out);
        break;
    }
    case JSON_ARRAY:
    case JSON_OBJECT:
        emit_children(value, out);
        break;
    case JSON_NUMBER:
        (void)json_number(value); /* any number reads as something */
        (void)json_is_integer(value, &digits);
        buf_add_slice(out, json_text(value));
        break;
    default:
        buf_add_slice(out, json_text(value));
    }
}

/* Lone surrogates have become U+FFFD in `again`, so strings are compared by what they decode to. */
static void compare(struct json_value value, struct json_value again)
{
    demand(json_type(value) == json_type(again) && json_count(value) == json_count(again));
    struct json_value other = json_first(again);
    for (struct json_value child = json_first(value); child.doc; child = json_next(child), other = json_next(other))
        compare(child, other);
    if (json_type(value) == JSON_NUMBER)
        demand(slice_eq(json_text(value), json_text(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_doc *doc, *again;
    struct json_error error;
    struct slice text = { (const char *)data, size };
    if (json_index(text, &doc, &error) != OK) {
        demand(error.offset <= size && error.what);
        return 0;
    }
    struct buf out;
    buf_init(&out, size * GROWTH_MAX + SLACK);
    emit(json_root(doc), &out);
    demand(buf_ok(&out));
    demand(json_index(buf_slice(&out), &again, &error) == OK);
    compare(json_root(doc), json_root(again));
    json_free(again);
    buf_deinit(&out);
    json_free(doc);
    return 0;
}
