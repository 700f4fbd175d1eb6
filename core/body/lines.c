#include "body/lines.h"

static const struct slice mark = SLICE("\xEF\xBB\xBF");

/* Takes the next line that is not empty off *rest, without white space around. false: there is none. */
static bool next_line(struct slice *rest, struct slice *line)
{
    while (rest->len > 0) {
        const char *end = memchr(rest->data, '\n', rest->len);
        *line = slice_make(rest->data, end ? (size_t)(end - rest->data) : rest->len);
        *rest = slice_from(*rest, line->len + (end != NULL));
        while (line->len && memchr(" \t\r", line->data[0], 3))
            *line = slice_from(*line, 1);
        while (line->len && memchr(" \t\r", line->data[line->len - 1], 3))
            line->len--;
        if (line->len > 0)
            return true;
    }
    return false;
}

static struct slice without_mark(struct slice text)
{
    return slice_starts(text, mark) ? slice_from(text, mark.len) : text;
}

/* What is wrong with one of the lines: each is looked at for itself. */
static enum result find_fault(struct slice text, struct json_error *error)
{
    struct slice rest = without_mark(text), line;
    while (next_line(&rest, &line)) {
        struct json_doc *doc;
        enum result rc = json_index(line, &doc, error);
        if (rc != OK) {
            error->offset += (size_t)(line.data - text.data);
            return rc;
        }
        json_free(doc);
    }
    *error = (struct json_error){ 0, "nested deeper than 127 in a line" }; /* the array is one level more */
    return ERR_INVALID;
}

/* Values that begin and end with their lines: "1,2" on a line, or "[1" and "2]" on two, make a valid array of other values. */
static bool each_is_its_line(struct slice text, const struct json_doc *doc)
{
    struct slice rest = without_mark(text), line;
    struct json_value value = json_first(json_root(doc));
    for (; next_line(&rest, &line); value = json_next(value))
        if (!value.doc || json_text(value).len != line.len)
            return false;
    return !value.doc;
}

enum result lines_index(struct slice text, struct buf *array, struct json_doc **out, struct json_error *error)
{
    struct slice rest = without_mark(text), line;
    if (buf_reserve(array, text.len + 2) != OK)
        return ERR_MEMORY;
    buf_add_byte(array, '[');
    while (next_line(&rest, &line)) {
        if (array->len > 1)
            buf_add_byte(array, ',');
        buf_add_slice(array, line);
    }
    buf_add_byte(array, ']');
    enum result rc = json_index(buf_slice(array), out, error);
    if (rc == ERR_INVALID)
        return find_fault(text, error);
    if (rc == OK && !each_is_its_line(text, *out)) {
        json_free(*out);
        *out = NULL;
        return find_fault(text, error);
    }
    return rc;
}
