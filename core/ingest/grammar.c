#include "ingest/grammar.h"

static bool add(const struct verify *verify, struct slice value, bool by_key, struct signatures *out)
{
    if (!slice_starts(value, verify->prefix))
        return true;
    if (out->count == SIGNATURES_MAX)
        return false;
    out->by_key |= (uint32_t)by_key << out->count;
    out->values[out->count++] = slice_from(value, verify->prefix.len);
    return true;
}

static bool set_once(struct slice *place, struct slice value)
{
    if (place->data)
        return false;
    *place = value;
    return true;
}

static bool names(struct slice wanted, struct slice name)
{
    return wanted.data && slice_eq(wanted, name);
}

/* "t=1,v1=abc,v1=def" */
static bool parse_parts(const struct verify *verify, struct slice header, char separator, struct signatures *out)
{
    while (header.len > 0) {
        const char *end = memchr(header.data, separator, header.len);
        struct slice part = slice_trim((struct slice){ header.data, end ? (size_t)(end - header.data) : header.len });
        header = slice_from(header, end ? (size_t)(end - header.data) + 1 : header.len);
        const char *equals = part.len ? memchr(part.data, '=', part.len) : NULL;
        if (!equals)
            return false;
        struct slice name = { part.data, (size_t)(equals - part.data) }, value = slice_from(part, name.len + 1);
        if (names(verify->timestamp.part, name) && !set_once(&out->timestamp, value))
            return false;
        if (names(verify->id.part, name) && !set_once(&out->id, value))
            return false;
        if (slice_eq(name, verify->signature) && !add(verify, value, false, out))
            return false;
    }
    return true;
}

/* "v1,abc v1,def v1a,ghi" */
static bool parse_list(const struct verify *verify, struct slice header, struct signatures *out)
{
    while (header.len > 0) {
        const char *space = memchr(header.data, ' ', header.len);
        struct slice part = { header.data, space ? (size_t)(space - header.data) : header.len };
        header = slice_from(header, part.len + (space != NULL));
        if (space && header.len == 0)
            return false;
        const char *comma = part.len ? memchr(part.data, ',', part.len) : NULL;
        if (!comma)
            return false;
        struct slice version = { part.data, (size_t)(comma - part.data) };
        bool by_key = names(verify->public_signature, version);
        if ((by_key || slice_eq(version, verify->signature)) && !add(verify, slice_from(part, version.len + 1), by_key, out))
            return false;
    }
    return true;
}

bool grammar_parse(const struct verify *verify, struct slice header, struct signatures *out)
{
    *out = (struct signatures){ .count = 0 };
    if (header.len > SIGNATURE_HEADER_MAX)
        return false;
    switch (verify->format) {
    case FORMAT_PLAIN:
        return add(verify, header, false, out);
    case FORMAT_PARTS_COMMA:
        return parse_parts(verify, header, ',', out);
    case FORMAT_PARTS_SEMICOLON:
        return parse_parts(verify, header, ';', out);
    case FORMAT_LIST:
        return parse_list(verify, header, out);
    }
    return false;
}
