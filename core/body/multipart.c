#include "body/multipart.h"

#include <string.h>

#include "body/parameter.h"

static const struct slice line_end = SLICE("\r\n");

static enum result fail(struct body_error *error, size_t offset, const char *what)
{
    *error = (struct body_error){ offset, what };
    return ERR_INVALID;
}

static size_t offset_of(const struct multipart *multipart, const char *at)
{
    return (size_t)(at - multipart->text.data);
}

/* ---- delimiters ---- */

enum result multipart_open(struct multipart *multipart, struct slice content_type, struct slice text, struct body_error *error)
{
    struct slice boundary = parameter_find(content_type, SLICE("boundary"));
    if (boundary.len == 0 || boundary.len > MULTIPART_BOUNDARY_MAX)
        return fail(error, 0, "the Content-Type has no boundary of 1 to 70 bytes");
    memcpy(multipart->delimiter, "\r\n--", 4);
    memcpy(multipart->delimiter + 4, boundary.data, boundary.len);
    multipart->delimiter_len = boundary.len + 4;
    multipart->text = text;
    /* the first delimiter begins the text, or a line of it behind a preamble */
    struct slice first = slice_make(multipart->delimiter + 2, multipart->delimiter_len - 2);
    if (slice_starts(text, first)) {
        multipart->rest = slice_from(text, first.len);
        return OK;
    }
    const char *at = text.len ? memmem(text.data, text.len, multipart->delimiter, multipart->delimiter_len) : NULL;
    if (!at)
        return fail(error, 0, "the boundary of the Content-Type is not there");
    multipart->rest = slice_from(text, (size_t)(at - text.data) + multipart->delimiter_len);
    return OK;
}

/* Behind a delimiter: "--" closes, white space and a line end begin a part. */
static enum result take_delimiter_line(struct multipart *multipart, struct body_error *error)
{
    struct slice at = multipart->rest;
    if (slice_starts(at, SLICE("--")))
        return ERR_NOT_FOUND;
    while (at.len > 0 && (at.data[0] == ' ' || at.data[0] == '\t'))
        at = slice_from(at, 1);
    if (!slice_starts(at, line_end))
        return fail(error, offset_of(multipart, at.data), "a boundary without its line end");
    multipart->rest = slice_from(at, line_end.len);
    return OK;
}

/* ---- one part ---- */

static enum result read_disposition(const struct multipart *multipart, struct slice value, struct part *part,
                                    struct body_error *error)
{
    static const struct slice form_data = SLICE("form-data");
    struct slice kind = slice_trim(slice_make(value.data, value.len - parameters_of(value).len));
    if (kind.len > 0 && kind.data[kind.len - 1] == ';')
        kind = slice_trim(slice_make(kind.data, kind.len - 1));
    if (!slice_eq_nocase(kind, form_data))
        return fail(error, offset_of(multipart, value.data), "a part that is not form-data");
    part->name = parameter_find(value, SLICE("name"));
    part->filename = parameter_find(value, SLICE("filename"));
    return OK;
}

static enum result read_header(const struct multipart *multipart, struct slice line, struct part *part, struct body_error *error)
{
    const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
    if (!colon)
        return fail(error, offset_of(multipart, line.data), "a part's header without ':'");
    struct slice name = slice_make(line.data, (size_t)(colon - line.data));
    struct slice value = slice_trim(slice_from(line, name.len + 1));
    if (slice_eq_nocase(name, SLICE("content-type")))
        part->content_type = value;
    return slice_eq_nocase(name, SLICE("content-disposition")) ? read_disposition(multipart, value, part, error) : OK;
}

static enum result read_head(struct multipart *multipart, struct part *part, struct body_error *error)
{
    struct slice start = multipart->rest;
    for (;;) {
        struct slice at = multipart->rest;
        size_t room = MULTIPART_HEAD_MAX - (size_t)(at.data - start.data);
        const char *end = at.len ? memmem(at.data, at.len < room ? at.len : room, line_end.data, line_end.len) : NULL;
        if (!end)
            return fail(error, offset_of(multipart, start.data), "the headers of a part do not end");
        struct slice line = slice_make(at.data, (size_t)(end - at.data));
        multipart->rest = slice_from(at, line.len + line_end.len);
        if (line.len == 0)
            break;
        enum result rc = read_header(multipart, line, part, error);
        if (rc != OK)
            return rc;
    }
    return part->name.data ? OK : fail(error, offset_of(multipart, start.data), "a part without a name");
}

enum result multipart_next(struct multipart *multipart, struct part *part, struct body_error *error)
{
    *part = (struct part){ .content_type = SLICE("") };
    enum result rc = take_delimiter_line(multipart, error);
    if (rc == OK)
        rc = read_head(multipart, part, error);
    if (rc != OK)
        return rc;
    /* an empty part ends with the line end that closed its headers */
    struct slice from = slice_make(multipart->rest.data - line_end.len, multipart->rest.len + line_end.len);
    const char *end = memmem(from.data, from.len, multipart->delimiter, multipart->delimiter_len);
    if (!end)
        return fail(error, offset_of(multipart, multipart->rest.data), "a part without the boundary behind it");
    part->bytes = end < multipart->rest.data ? slice_make(multipart->rest.data, 0)
                                             : slice_make(multipart->rest.data, (size_t)(end - multipart->rest.data));
    multipart->rest = slice_from(from, (size_t)(end - from.data) + multipart->delimiter_len);
    return OK;
}

/* ---- names ---- */

/* The next byte that is meant, off the front; raw is not empty. */
static char take_byte(struct slice *raw)
{
    size_t skip = raw->data[0] == '\\' && raw->len > 1 && (raw->data[1] == '"' || raw->data[1] == '\\');
    char c = raw->data[skip];
    *raw = slice_from(*raw, skip + 1);
    return c;
}

void multipart_unquote(struct slice raw, struct buf *out)
{
    while (raw.len > 0)
        buf_add_byte(out, take_byte(&raw));
}

bool multipart_name_is(struct slice raw, struct slice wanted)
{
    size_t i = 0;
    while (raw.len > 0 && i < wanted.len)
        if (take_byte(&raw) != wanted.data[i++])
            return false;
    return raw.len == 0 && i == wanted.len;
}

enum result multipart_check(struct slice content_type, struct slice text, struct body_error *error)
{
    struct multipart multipart;
    struct part part;
    size_t count = 0;
    enum result rc = multipart_open(&multipart, content_type, text, error);
    while (rc == OK) {
        size_t at = offset_of(&multipart, multipart.rest.data);
        rc = multipart_next(&multipart, &part, error);
        if (rc == OK && count++ == BODY_FIELDS_MAX)
            return fail(error, at, "more than 1000 parts");
    }
    return rc == ERR_NOT_FOUND ? OK : rc;
}
