/* Two lines, a path and a JSON text, then a document: whatever is set, merged, picked or omitted, the result is JSON again, and
 * what was set is found at its path. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json/edit.h"
#include "model/lookup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLACK = 4096, NAME_GROWTH_MAX = 6 /* a byte becomes at most \u00XX */ };

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static struct slice take_line(struct slice *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct slice line = { rest->data, end ? (size_t)(end - rest->data) : rest->len };
    *rest = slice_from(*rest, line.len + (end != NULL));
    return line;
}

/* NULL: too deep, the one thing that an edit may do to a document. */
static struct json_doc *index_result(const struct buf *out)
{
    struct json_doc *doc = NULL;
    struct json_error error;
    demand(buf_ok(out));
    if (json_index(buf_slice(out), &doc, &error) == OK)
        return doc;
    demand(strstr(error.what, "deeper") != NULL);
    return NULL;
}

static void try_set(struct json_value root, struct slice path, struct json_value value, struct buf *out)
{
    const char *why;
    struct slice text = json_text(value);
    if (edit_set(root, path, text, out, &why) != OK)
        return;
    struct json_doc *doc = index_result(out);
    if (!doc)
        return;
    struct found found = json_lookup(json_root(doc), path);
    demand(found.kind == FOUND_JSON && slice_eq(json_text(found.json), text));
    json_free(doc);
}

static void try_merge(struct json_value root, struct json_value changes, struct buf *out)
{
    if (json_type(root) != JSON_OBJECT || json_type(changes) != JSON_OBJECT)
        return;
    edit_merge(root, changes, out);
    json_free(index_result(out));
}

static void try_filter(struct json_value root, struct slice path, bool keep, struct buf *out)
{
    size_t room = json_node_count(root.doc);
    unsigned char *marks = mem_alloc(room);
    memset(marks, 0, room);
    bool found = keep ? edit_mark_kept(root, path, marks) : edit_mark_dropped(root, path, marks);
    if (keep)
        edit_keep(root, marks, out);
    else
        edit_drop(root, marks, out);
    mem_free(marks);
    demand(keep || found || slice_eq(buf_slice(out), json_text(root)));
    struct json_doc *doc = index_result(out);
    demand(doc != NULL);
    json_free(doc);
}

static bool has_each(struct slice path)
{
    struct step step;
    while (path_next(&path, &step))
        if (step.kind == STEP_EACH)
            return true;
    return false;
}

static void try_all(struct json_value root, struct slice path, struct json_value value)
{
    struct buf out;
    buf_init(&out, json_text(root).len + json_text(value).len + path.len * NAME_GROWTH_MAX + SLACK);
    if (path_is_valid(path) && !has_each(path))
        try_set(root, path, value, &out);
    buf_clear(&out);
    try_merge(root, value, &out);
    for (int keep = 0; keep <= 1 && path_is_valid(path); keep++) {
        buf_clear(&out);
        try_filter(root, path, keep, &out);
    }
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = { (const char *)data, size };
    struct slice path = take_line(&rest), text = take_line(&rest);
    struct json_doc *value, *doc;
    struct json_error error;
    if (json_index(text, &value, &error) != OK)
        return 0;
    if (json_index(rest, &doc, &error) == OK) {
        if (json_count(json_root(doc)) > 0 || json_type(json_root(doc)) >= JSON_ARRAY)
            try_all(json_root(doc), path, json_root(value));
        json_free(doc);
    }
    json_free(value);
    return 0;
}
