#include "ingest/router.h"

struct matching {
    struct pair *params; /* NULL: they are only counted */
    size_t count;
    struct buf *text; /* of their values */
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

/* The segment, decoded, beside a fixed one: as router_order compares two fixed ones. */
static int compare_decoded(struct slice segment, struct slice fixed)
{
    size_t at = 0, i = 0;
    while (at < segment.len) {
        unsigned char c = (unsigned char)take_byte(segment, &at);
        if (i == fixed.len)
            return 1;
        unsigned char wanted = (unsigned char)fixed.data[i++];
        if (c != wanted)
            return c < wanted ? -1 : 1;
    }
    return i == fixed.len ? 0 : -1;
}

static bool keep_param(struct matching *matching, struct slice name, struct slice value)
{
    size_t place = matching->count;
    if (place == PARAMS_MAX)
        return false;
    matching->count++;
    if (!matching->params)
        return true;
    size_t start = matching->text->len, at = 0;
    while (at < value.len)
        buf_add_byte(matching->text, take_byte(value, &at));
    /* offsets first: the buffer may still move */
    matching->params[place] = (struct pair){ name, { (const char *)start, matching->text->len - start } };
    return buf_ok(matching->text);
}

/* Offsets become pointers once nothing is added any more. */
static void settle_params(struct matching *matching)
{
    for (size_t i = 0; i < matching->count; i++) {
        struct slice *value = &matching->params[i].value;
        value->data = value->len ? matching->text->data + (size_t)value->data : "";
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
        } else if (compare_decoded(given, wanted) != 0) {
            return false;
        }
    }
    return path.len == 0;
}

/* ---- the first of many ---- */

enum { FEW = 8 /* routes that are tried one by one */ };

/* What a route has where a path has a given segment, in the order of the routes. */
enum place { PLACE_BEFORE, PLACE_EQUAL, PLACE_BEHIND, PLACE_PARAM, PLACE_REST, PLACE_END };

/* Routes that have their first `depth` segments in common, as far as the path tells: [first, end). */
struct range {
    size_t first, end, depth;
};

struct search {
    const struct generation *generation;
    struct slice path;
};

static int kind_of(struct slice segment)
{
    if (segment.len > 0 && segment.data[0] == '*')
        return 2;
    return segment.len > 0 && segment.data[0] == ':';
}

static enum place place_of(const struct route *route, size_t depth, struct slice given)
{
    struct slice pattern = route->path, segment;
    do {
        if (!take_segment(&pattern, &segment))
            return PLACE_END;
    } while (depth-- > 0);
    int kind = kind_of(segment);
    if (kind != 0)
        return kind == 1 ? PLACE_PARAM : PLACE_REST;
    int order = compare_decoded(given, segment);
    return order == 0 ? PLACE_EQUAL : order > 0 ? PLACE_BEFORE : PLACE_BEHIND;
}

/* The first of the range that has this or a later one there. */
static size_t first_with(const struct search *search, struct range among, struct slice given, enum place place)
{
    while (among.first < among.end) {
        size_t middle = among.first + (among.end - among.first) / 2;
        if (place_of(&search->generation->routes[middle], among.depth, given) < place)
            among.first = middle + 1;
        else
            among.end = middle;
    }
    return among.first;
}

static struct range part(const struct search *search, struct range among, struct slice given, enum place place)
{
    size_t first = first_with(search, among, given, place);
    struct range behind = { first, among.end, among.depth };
    return (struct range){ first, first_with(search, behind, given, place + 1), among.depth + 1 };
}

static const struct route *try_each(const struct search *search, struct range among)
{
    for (size_t i = among.first; i < among.end; i++) {
        const struct route *route = &search->generation->routes[i];
        struct matching matching = { NULL, 0, NULL };
        if (route->enabled && takes(route->path, search->path, &matching))
            return route;
    }
    return NULL;
}

/* rest: of the path, behind what the range has in common. As deep as the longest pattern. */
static const struct route *find(const struct search *search, struct range among, struct slice rest)
{
    struct slice given = { NULL, 0 };
    if (among.end - among.first <= FEW)
        return try_each(search, among);
    if (!take_segment(&rest, &given))
        return try_each(search, part(search, among, given, PLACE_END));
    const struct route *route = find(search, part(search, among, given, PLACE_EQUAL), rest);
    if (!route)
        route = find(search, part(search, among, given, PLACE_PARAM), rest);
    return route ? route : try_each(search, part(search, among, given, PLACE_REST));
}

const struct route *router_match(const struct generation *generation, struct slice path)
{
    struct search search = { generation, path };
    return find(&search, (struct range){ 0, generation->route_count, 0 }, path);
}

size_t router_params(const struct route *route, struct slice path, struct pair *params, struct buf *text)
{
    struct matching matching = { params, 0, text };
    if (!takes(route->path, path, &matching))
        return 0;
    settle_params(&matching);
    return matching.count;
}

bool router_pattern_takes(struct slice pattern, struct slice path)
{
    struct matching matching = { NULL, 0, NULL };
    return takes(pattern, path, &matching);
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
