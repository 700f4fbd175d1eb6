#include <stdlib.h>

#include "json/index.h"

enum { NUMBER_TEXT_MAX = 64 };

static const struct json_value NONE = { NULL, 0 };

static const struct node *node_of(struct json_value value)
{
    return &value.doc->nodes[value.node];
}

struct json_value json_root(const struct json_doc *doc)
{
    return (struct json_value){ doc, 0 };
}

enum json_type json_type(struct json_value value)
{
    return (enum json_type)node_of(value)->type;
}

struct slice json_text(struct json_value value)
{
    const struct node *node = node_of(value);
    unsigned quote = node->type == JSON_STRING;
    return (struct slice){ value.doc->text.data + node->start - quote, node->end - node->start + 2 * quote };
}

uint32_t json_count(struct json_value value)
{
    const struct node *node = node_of(value);
    return node->type == JSON_ARRAY || node->type == JSON_OBJECT ? node->count : 0;
}

/* ---- walking ---- */

struct json_value json_first(struct json_value container)
{
    if (json_count(container) == 0)
        return NONE;
    return (struct json_value){ container.doc, container.node + 1 + (node_of(container)->type == JSON_OBJECT) };
}

struct json_value json_next(struct json_value child)
{
    uint32_t next = node_of(child)->next;
    return next ? (struct json_value){ child.doc, next } : NONE;
}

static struct slice raw_string(const struct json_doc *doc, const struct node *node, bool *escaped)
{
    *escaped = node->escaped;
    return (struct slice){ doc->text.data + node->start, node->end - node->start };
}

struct slice json_key(struct json_value member, bool *escaped)
{
    return raw_string(member.doc, &member.doc->nodes[member.node - 1], escaped);
}

struct slice json_string(struct json_value string, bool *escaped)
{
    return raw_string(string.doc, node_of(string), escaped);
}

static bool key_is(const struct json_doc *doc, const struct node *key, struct slice name)
{
    bool escaped;
    if (!key->escaped && key->end - key->start != name.len) /* most keys end here */
        return false;
    struct slice raw = raw_string(doc, key, &escaped);
    return json_string_is(raw, escaped, name);
}

struct json_value json_member(struct json_value object, struct slice name)
{
    struct json_value found = NONE;
    if (node_of(object)->type != JSON_OBJECT)
        return NONE;
    const struct node *nodes = object.doc->nodes;
    for (uint32_t at = json_first(object).node; at; at = nodes[at].next)
        if (key_is(object.doc, &nodes[at - 1], name))
            found = (struct json_value){ object.doc, at }; /* the last of a twice-given name */
    return found;
}

struct json_value json_element(struct json_value array, uint32_t i)
{
    if (node_of(array)->type != JSON_ARRAY || i >= node_of(array)->count)
        return NONE;
    struct json_value element = json_first(array);
    while (i-- > 0)
        element = json_next(element);
    return element;
}

/* ---- strings ---- */

static unsigned hex4(const char *digits)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = digits[i];
        value = value << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static size_t put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* \uXXXX at *raw, with its second half when it is a surrogate; moves *raw behind it. */
static unsigned take_unicode(struct slice *raw)
{
    unsigned code = hex4(raw->data + 2);
    *raw = slice_from(*raw, 6);
    if (code < 0xD800 || code > 0xDFFF)
        return code;
    if (code <= 0xDBFF && raw->len >= 6 && raw->data[0] == '\\' && raw->data[1] == 'u') {
        unsigned low = hex4(raw->data + 2);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *raw = slice_from(*raw, 6);
            return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return 0xFFFD; /* a lone surrogate */
}

/* The bytes of the escape at the start of *raw into out (4 bytes); moves *raw behind it. */
static size_t take_escape(struct slice *raw, char *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = raw->data[1];
    if (c == 'u')
        return put_utf8(out, take_unicode(raw));
    const char *place = memchr(from, c, sizeof(from) - 1);
    out[0] = place ? to[place - from] : c;
    *raw = slice_from(*raw, 2);
    return 1;
}

static size_t plain_length(struct slice raw)
{
    const char *backslash = raw.len ? memchr(raw.data, '\\', raw.len) : NULL;
    return backslash ? (size_t)(backslash - raw.data) : raw.len;
}

void json_unescape(struct slice raw, struct buf *out)
{
    while (raw.len > 0) {
        char bytes[4];
        size_t plain = plain_length(raw);
        buf_add(out, raw.data, plain);
        raw = slice_from(raw, plain);
        if (raw.len > 0)
            buf_add(out, bytes, take_escape(&raw, bytes));
    }
}

bool json_string_is(struct slice raw, bool escaped, struct slice text)
{
    if (!escaped)
        return slice_eq(raw, text);
    while (raw.len > 0) {
        char bytes[4];
        struct slice part = { raw.data, plain_length(raw) };
        raw = slice_from(raw, part.len);
        if (part.len == 0)
            part = (struct slice){ bytes, 0 }, part.len = take_escape(&raw, bytes);
        if (!slice_starts(text, part))
            return false;
        text = slice_from(text, part.len);
    }
    return text.len == 0;
}

/* ---- numbers ---- */

bool json_is_integer(struct json_value number, unsigned *digits)
{
    struct slice text = json_text(number);
    *digits = (unsigned)(text.len - (text.data[0] == '-'));
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '.' || (text.data[i] | 0x20) == 'e')
            return false;
    return true;
}

double json_number(struct json_value number)
{
    char copy[NUMBER_TEXT_MAX];
    struct slice text = json_text(number);
    if (text.len < sizeof(copy)) {
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
        return strtod(copy, NULL);
    }
    /* strtod reads to the first byte that is no number; the text ends there unless the number ends it */
    struct buf longer;
    buf_init(&longer, text.len + 1);
    buf_add_slice(&longer, text);
    buf_add_byte(&longer, '\0');
    double value = buf_ok(&longer) ? strtod(longer.data, NULL) : 0;
    buf_deinit(&longer);
    return value;
}
