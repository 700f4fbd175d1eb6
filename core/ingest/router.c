#include "ingest/router.h"

struct matching {
    struct pair *params;
    size_t count;
    struct buf *scratch;
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte at *at, decoded; *at moves behind it. */
static char take_byte(struct slice text, size_t *at)
{
    char c = text.data[(*at)++];
    if (c == '%' && *at + 1 < text.len && hex_value(text.data[*at]) >= 0 && hex_value(text.data[*at + 1]) >= 0) {
        c = (char)(hex_value(text.data[*at]) << 4 | hex_value(text.data[*at + 1]));
        *at += 2;
    }
    return c;
}

/* Behind the leading slash: up to the next one. false: there is none. */
static bool take_segment(struct slice *path, struct slice *segment)
{
    if (path->len == 0 || path->data[0] != '/')
        return false;
    *path = slice_from(*path, 1);
    const char *end = path->len ? memchr(path->data, '/', path->len) : NULL;
    *segment = (struct slice){ path->data, end ? (size_t)(end - path->data) : path->len };
    *path = slice_from(*path, segment->len);
    return true;
}

static bool equals_decoded(struct slice segment, struct slice fixed)
{
    size_t at = 0, i = 0;
    while (at < segment.len) {
        char c = take_byte(segment, &at);
        if (i == fixed.len || c != fixed.data[i++])
            return false;
    }
    return i == fixed.len;
}

static bool keep_param(struct matching *matching, struct slice name, struct slice value)
{
    size_t start = matching->scratch->len, at = 0;
    if (matching->count == PARAMS_MAX)
        return false;
    while (at < value.len)
        buf_add_byte(matching->scratch, take_byte(value, &at));
    if (!buf_ok(matching->scratch))
        return false;
    /* offsets first: the buffer may still move */
    matching->params[matching->count++] = (struct pair){ name, { (const char *)start, matching->scratch->len - start } };
    return true;
}

/* Offsets become pointers once nothing is added any more. */
static void settle_params(struct matching *matching)
{
    for (size_t i = 0; i < matching->count; i++) {
        struct slice *value = &matching->params[i].value;
        value->data = value->len ? matching->scratch->data + (size_t)value->data : "";
    }
}

static bool takes(struct slice pattern, struct slice path, struct matching *matching)
{
    struct slice wanted, given;
    while (take_segment(&pattern, &wanted)) {
        if (wanted.len > 0 && wanted.data[0] == '*')
            return path.len > 1 && keep_param(matching, slice_from(wanted, 1), slice_from(path, 1));
        if (!take_segment(&path, &given))
            return false;
        if (wanted.len > 0 && wanted.data[0] == ':') {
            if (given.len == 0 || !keep_param(matching, slice_from(wanted, 1), given))
                return false;
        } else if (!equals_decoded(given, wanted)) {
            return false;
        }
    }
    return path.len == 0;
}

const struct route *router_match(const struct generation *generation, struct slice path, struct pair *params, size_t *count,
                                 struct buf *scratch)
{
    struct matching matching = { params, 0, scratch };
    for (size_t i = 0; i < generation->route_count; i++) {
        const struct route *route = &generation->routes[i];
        matching.count = 0;
        buf_clear(scratch);
        if (!route->enabled || !takes(route->path, path, &matching))
            continue;
        settle_params(&matching);
        *count = matching.count;
        return route;
    }
    return NULL;
}

bool router_pattern_takes(struct slice pattern, struct slice path)
{
    struct pair params[PARAMS_MAX];
    struct buf scratch;
    struct matching matching = { params, 0, &scratch };
    buf_init(&scratch, 64 << 10);
    bool taken = takes(pattern, path, &matching);
    buf_deinit(&scratch);
    return taken;
}

static int kind_of(struct slice segment)
{
    if (segment.len > 0 && segment.data[0] == '*')
        return 2;
    return segment.len > 0 && segment.data[0] == ':';
}

int router_order(struct slice a, struct slice b)
{
    struct slice of_a, of_b;
    for (;;) {
        bool more_a = take_segment(&a, &of_a), more_b = take_segment(&b, &of_b);
        if (!more_a || !more_b)
            return (int)more_b - (int)more_a;
        if (kind_of(of_a) != kind_of(of_b))
            return kind_of(of_a) - kind_of(of_b);
        size_t len = of_a.len < of_b.len ? of_a.len : of_b.len;
        int order = kind_of(of_a) || len == 0 ? 0 : memcmp(of_a.data, of_b.data, len);
        if (order == 0 && !kind_of(of_a))
            order = (of_a.len > of_b.len) - (of_a.len < of_b.len);
        if (order != 0)
            return order;
    }
}
