#include "script/help.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_BYTES = 160, MEMBERS_SHOWN = 8, PATH_BYTES = 256 };

/* ---- the line of the rule ---- */

/* "rules/a.lua:22: …": the file, and *line. NULL: the text does not begin so. */
static const struct rule_file *place_of(const struct generation *generation, struct slice text, unsigned long *line)
{
    for (size_t i = 0; i < generation->file_count; i++) {
        const struct rule_file *file = &generation->files[i];
        if (!slice_starts(text, file->name) || text.len <= file->name.len + 1 || text.data[file->name.len] != ':')
            continue;
        *line = strtoul(text.data + file->name.len + 1, NULL, 10);
        return file;
    }
    return NULL;
}

static struct slice line_of(struct slice text, unsigned long number)
{
    for (unsigned long at = 1;; at++) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        if (at == number || !end)
            return at == number ? slice_make(text.data, len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES) : SLICE("");
        text = slice_from(text, len + 1);
    }
}

static void add_line(const struct generation *generation, struct slice text, struct buf *out)
{
    unsigned long number = 0;
    const struct rule_file *file = place_of(generation, text, &number);
    struct slice line = file && file->text.len ? line_of(file->text, number) : SLICE("");
    if (line.len)
        buf_addf(out, "\n%5lu │ %.*s", number, SLICE_ARGS(slice_trim(line)));
}

/* A fault without a line: error(text, 0), a value that is no text, or `return send(…)`, where Lua forgets the function that said
 * it. The route is the place then. */
static void add_route(const struct generation *generation, const struct event *event, struct buf *out)
{
    const struct route *route = generation_route(generation, event->route);
    if (route)
        buf_addf(out, "%.*s:%u: ", SLICE_ARGS(route->file), route->line);
}

static void add_route_line(const struct generation *generation, struct buf *out)
{
    add_line(generation, buf_slice(out), out);
    buf_add_text(out, "\n      │ somewhere in this route: Lua keeps no line of 'return send(…)' and error(text, 0)");
}

/* ---- what the body has ---- */

/* Nodes are numbered in the order of the text: the child that holds a node is the last one that does not come behind it. */
static bool add_path(struct json_value from, uint32_t wanted, struct buf *path)
{
    while (from.node != wanted) {
        struct json_value holder = { NULL, 0 };
        uint32_t place = 0, i = 0;
        for (struct json_value child = json_first(from); child.doc && child.node <= wanted; child = json_next(child)) {
            holder = child;
            place = ++i;
        }
        if (!holder.doc)
            return false;
        bool escaped;
        if (json_type(from) == JSON_ARRAY)
            buf_addf(path, "[%u]", place);
        else
            buf_addf(path, ".%.*s", SLICE_ARGS(json_key(holder, &escaped)));
        from = holder;
    }
    return true;
}

static void add_members(struct json_value object, struct buf *out)
{
    uint32_t shown = 0;
    bool escaped;
    for (struct json_value member = json_first(object); member.doc; member = json_next(member)) {
        if (shown == MEMBERS_SHOWN) {
            buf_addf(out, ", and %u more", json_count(object) - shown);
            return;
        }
        buf_addf(out, "%s%.*s", shown++ ? ", " : "", SLICE_ARGS(json_key(member, &escaped)));
    }
    if (shown == 0)
        buf_add_text(out, "nothing");
}

/* Lua names the field, unless the value went through a local first. */
static bool is_about(struct slice text, struct slice name)
{
    char field[96];
    int len = snprintf(field, sizeof(field), "index field '%.*s' (a nil value)", SLICE_ARGS(name));
    return memmem(text.data, text.len, field, (size_t)len) || memmem(text.data, text.len, "index local '", 13);
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What the rule's line goes on with behind a field: ".lines" for 'object' in "= event.body.data.object.lines". */
static struct slice rest_of_chain(struct slice line, struct slice name)
{
    for (size_t at = 1; at + name.len <= line.len; at++) {
        size_t end = at + name.len;
        if (line.data[at - 1] != '.' || memcmp(line.data + at, name.data, name.len) != 0)
            continue;
        if (end < line.len && is_name_byte(line.data[end]))
            continue;
        while (end + 1 < line.len && line.data[end] == '.' && is_name_byte(line.data[end + 1]))
            for (end += 2; end < line.len && is_name_byte(line.data[end]); end++) {
            }
        return slice_make(line.data + at + name.len, end - at - name.len);
    }
    return SLICE("");
}

static void add_get(const struct generation *generation, struct slice text, struct slice path, struct slice name, struct buf *out)
{
    unsigned long number = 0;
    const struct rule_file *file = place_of(generation, text, &number);
    struct slice rest = file ? rest_of_chain(line_of(file->text, number), name) : SLICE("");
    buf_addf(out, "\n      │ event:get(\"%.*s.%.*s%.*s\") gives nil instead of failing", SLICE_ARGS(path), SLICE_ARGS(name),
             SLICE_ARGS(rest));
}

static void add_missed(const struct generation *generation, const struct event *event, struct views *views, struct slice text,
                       struct buf *out)
{
    struct json_value object;
    struct slice name;
    struct buf path;
    if (!memmem(text.data, text.len, "(a nil value)", 13) || !view_missed(views, &object, &name) || !is_about(text, name))
        return;
    buf_init(&path, PATH_BYTES);
    buf_add_text(&path, "body");
    bool known = object.doc == event->json && add_path(json_root(event->json), object.node, &path) && buf_ok(&path);
    buf_addf(out, "\n      │ %.*s has: ", known ? (int)path.len : 10, known ? path.data : "the object");
    add_members(object, out);
    buf_addf(out, "        (no '%.*s')", SLICE_ARGS(name));
    if (known)
        add_get(generation, text, buf_slice(&path), name, out);
    buf_deinit(&path);
}

bool help_has_line(const struct generation *generation, struct slice text)
{
    unsigned long line;
    return generation && place_of(generation, text, &line) != NULL;
}

void help_with_error(const struct generation *generation, const struct event *event, struct views *views, struct slice text,
                     struct buf *out)
{
    bool placed = help_has_line(generation, text);
    if (!placed)
        add_route(generation, event, out);
    buf_add_slice(out, text);
    if (placed)
        add_line(generation, text, out);
    else
        add_route_line(generation, out);
    add_missed(generation, event, views, text, out);
}
