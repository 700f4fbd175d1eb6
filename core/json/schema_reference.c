/* schema_reference.c: $ref: JSON Pointer (RFC 6901) after '#', to a place of the same text. */
#include <string.h>

#include "json/schema_compile.h"

enum { POINTER_MAX = 200 };

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* One step of a pointer, decoded: %XX of the URI, then ~0 and ~1. */
static size_t decode_step(struct slice raw, char *out)
{
    size_t len = 0, end = 0;
    for (size_t i = 0; i < raw.len; i++) {
        bool is_byte = raw.data[i] == '%' && i + 2 < raw.len && hex(raw.data[i + 1]) >= 0 && hex(raw.data[i + 2]) >= 0;
        out[len++] = is_byte ? (char)(hex(raw.data[i + 1]) << 4 | hex(raw.data[i + 2])) : raw.data[i];
        i += is_byte ? 2 : 0;
    }
    for (size_t i = 0; i < len; i++) {
        bool is_mark = out[i] == '~' && i + 1 < len && (out[i + 1] == '0' || out[i + 1] == '1');
        out[end++] = !is_mark ? out[i] : out[i + 1] == '0' ? '~' : '/';
        i += is_mark;
    }
    return end;
}

static struct json_value step_into(struct json_value from, struct slice step)
{
    uint32_t index = 0;
    if (json_type(from) != JSON_ARRAY)
        return json_member(from, step);
    for (size_t i = 0; i < step.len; i++) {
        if (step.data[i] < '0' || step.data[i] > '9' || index > 1000000)
            return (struct json_value){ NULL, 0 };
        index = index * 10 + (uint32_t)(step.data[i] - '0');
    }
    return json_element(from, index);
}

/* steps: "/$defs/address", at most POINTER_MAX bytes. */
static struct json_value follow(struct json_value place, struct slice steps)
{
    char step[POINTER_MAX];
    while (steps.len > 0 && place.doc) {
        steps = slice_from(steps, 1);
        const char *slash = steps.len ? memchr(steps.data, '/', steps.len) : NULL;
        size_t len = slash ? (size_t)(slash - steps.data) : steps.len;
        size_t decoded = decode_step((struct slice){ steps.data, len }, step);
        place = step_into(place, (struct slice){ step, decoded });
        steps = slice_from(steps, len);
    }
    return place;
}

const struct node *compile_reference(struct compile *compile, struct json_value at)
{
    struct slice pointer;
    if (json_type(at) != JSON_STRING || !compile_text(compile, at, &pointer)) {
        compile_refuse(compile, at, "$ref is text such as \"#/$defs/address\"");
        return NULL;
    }
    bool is_pointer = pointer.len > 0 && pointer.data[0] == '#' && (pointer.len == 1 || pointer.data[1] == '/');
    if (!is_pointer || pointer.len > POINTER_MAX) {
        compile_refuse(compile, at, "$ref goes to a place of the same file, such as \"#/$defs/address\"");
        return NULL;
    }
    struct json_value place = follow(json_root(compile->schema->doc), slice_from(pointer, 1));
    if (!place.doc) {
        compile_refuse(compile, at, "there is nothing at %.*s", (int)pointer.len, pointer.data);
        return NULL;
    }
    return compile_node(compile, place);
}
