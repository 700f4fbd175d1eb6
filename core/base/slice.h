/* slice.h: bytes that somebody else owns. Never zero-terminated by promise. Pure, any thread. */
#ifndef TIDEWIRE_SLICE_H
#define TIDEWIRE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
    const char *data; /* borrowed; NULL only when len is 0 */
    size_t len;
};

#define SLICE(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })
/* printf("%.*s", SLICE_ARGS(s)) */
#define SLICE_ARGS(s) (int)(s).len, (s).data ? (s).data : ""

static inline struct slice slice_of(const char *text)
{
    return (struct slice){ text, text ? strlen(text) : 0 };
}

static inline struct slice slice_make(const char *data, size_t len)
{
    return (struct slice){ data, len };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    return slice_eq(a, slice_of(text));
}

/* ASCII letters compare without case. */
static inline bool slice_eq_nocase(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_ends(struct slice a, struct slice end)
{
    return a.len >= end.len && (end.len == 0 || memcmp(a.data + a.len - end.len, end.data, end.len) == 0);
}

static inline bool slice_starts(struct slice a, struct slice prefix)
{
    return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.data, prefix.data, prefix.len) == 0);
}

static inline struct slice slice_from(struct slice a, size_t at)
{
    return at >= a.len ? (struct slice){ a.data ? a.data + a.len : NULL, 0 } : (struct slice){ a.data + at, a.len - at };
}

/* Without spaces and tabs at both ends (OWS of RFC 9110, 5.6.3). */
static inline struct slice slice_trim(struct slice a)
{
    while (a.len && (a.data[0] == ' ' || a.data[0] == '\t'))
        a.data++, a.len--;
    while (a.len && (a.data[a.len - 1] == ' ' || a.data[a.len - 1] == '\t'))
        a.len--;
    return a;
}

#endif
