#include "model/lookup.h"

#include "body/multipart.h"

enum { INDEX_MAX = 100000000 };

/* ---- reading a path ---- */

static bool ends_name(char c)
{
    return c == '.' || c == '[' || c == ']';
}

static bool take_quoted(struct slice *path, struct step *step)
{
    char quote = path->data[1];
    const char *end = path->len > 2 ? memchr(path->data + 2, quote, path->len - 2) : NULL;
    if (!end || (size_t)(end - path->data) + 1 >= path->len || end[1] != ']')
        return false;
    *step = (struct step){ .kind = STEP_NAME, .name = { path->data + 2, (size_t)(end - path->data) - 2 } };
    *path = slice_from(*path, (size_t)(end - path->data) + 2);
    return true;
}

static bool take_index(struct slice *path, struct step *step)
{
    size_t at = 1;
    uint32_t index = 0;
    for (; at < path->len && path->data[at] >= '0' && path->data[at] <= '9'; at++) {
        index = index * 10 + (uint32_t)(path->data[at] - '0');
        if (index > INDEX_MAX)
            return false;
    }
    if (at == 1 || at >= path->len || path->data[at] != ']')
        return false;
    *step = (struct step){ .kind = STEP_INDEX, .index = index };
    *path = slice_from(*path, at + 1);
    return true;
}

static bool take_bracket(struct slice *path, struct step *step)
{
    if (path->len >= 3 && path->data[1] == '*' && path->data[2] == ']') {
        *step = (struct step){ .kind = STEP_EACH };
        *path = slice_from(*path, 3);
        return true;
    }
    if (path->len >= 2 && (path->data[1] == '"' || path->data[1] == '\''))
        return take_quoted(path, step);
    return take_index(path, step);
}

static bool take_name(struct slice *path, struct step *step)
{
    size_t len = 0;
    while (len < path->len && !ends_name(path->data[len]))
        len++;
    if (len == 0)
        return false;
    *step = (struct step){ .kind = STEP_NAME, .name = { path->data, len } };
    *path = slice_from(*path, len);
    return true;
}

bool path_next(struct slice *path, struct step *step)
{
    if (path->len == 0)
        return false;
    struct slice rest = *path;
    if (rest.data[0] == '[' ? !take_bracket(&rest, step) : !take_name(&rest, step))
        return false;
    /* behind a step: the end, a bracket, or a dot and a name */
    if (rest.len > 0 && rest.data[0] == '.') {
        rest = slice_from(rest, 1);
        if (rest.len == 0 || ends_name(rest.data[0]))
            return false;
    } else if (rest.len > 0 && rest.data[0] != '[') {
        return false;
    }
    *path = rest;
    return true;
}

bool path_is_valid(struct slice path)
{
    struct step step;
    if (path.len == 0)
        return false;
    while (path_next(&path, &step))
        ;
    return path.len == 0;
}

/* ---- walking JSON ---- */

static const struct json_value NOTHING = { NULL, 0 };

static struct json_value take_step(struct json_value value, const struct step *step)
{
    if (step->kind == STEP_NAME)
        return json_member(value, step->name);
    if (step->kind == STEP_INDEX && step->index > 0)
        return json_element(value, step->index - 1);
    return NOTHING;
}

struct found json_lookup(struct json_value value, struct slice path)
{
    struct step step;
    while (value.doc && path_next(&path, &step))
        value = take_step(value, &step);
    if (!value.doc || path.len > 0)
        return (struct found){ .kind = FOUND_NOTHING };
    return (struct found){ .kind = FOUND_JSON, .json = value };
}

/* The recursion is as deep as the path has [*] steps, and a document is at most JSON_DEPTH_MAX deep. */
static bool visit_each(struct json_value value, struct slice path, bool (*visit)(struct json_value, void *), void *arg)
{
    struct step step;
    while (value.doc && path_next(&path, &step)) {
        if (step.kind == STEP_EACH) {
            for (struct json_value child = json_first(value); child.doc; child = json_next(child))
                if (!visit_each(child, path, visit, arg))
                    return false;
            return true;
        }
        value = take_step(value, &step);
    }
    return !value.doc || path.len > 0 || visit(value, arg);
}

void json_lookup_each(struct json_value value, struct slice path, bool (*visit)(struct json_value place, void *arg), void *arg)
{
    (void)visit_each(value, path, visit, arg); /* stopped early or not: the visitor knows */
}

/* ---- from the event ---- */

static struct found found_text(struct slice text)
{
    if (!text.data)
        return (struct found){ .kind = FOUND_NOTHING };
    return (struct found){ .kind = FOUND_TEXT, .text = text };
}

static struct found find_query(struct slice query, struct slice wanted, struct buf *scratch)
{
    struct slice name, value;
    while (query_next(&query, &name, &value)) {
        if (!query_name_is(name, wanted))
            continue;
        buf_clear(scratch);
        if (!query_decode(value, scratch))
            break;
        return found_text(scratch->len ? buf_slice(scratch) : SLICE(""));
    }
    return (struct found){ .kind = FOUND_NOTHING };
}

/* Header lines of one name are joined by ", " (RFC 9110, 5.3). */
static struct found find_header(const struct event *event, struct slice wanted, struct buf *scratch)
{
    struct slice first = { NULL, 0 };
    size_t lines = 0;
    buf_clear(scratch);
    for (size_t i = 0; i < event->header_count; i++) {
        if (!slice_eq_nocase(event->headers[i].name, wanted))
            continue;
        if (lines++ == 0) {
            first = event->headers[i].value;
            continue;
        }
        if (lines == 2)
            buf_add_slice(scratch, first);
        buf_add_text(scratch, ", ");
        buf_add_slice(scratch, event->headers[i].value);
    }
    return found_text(lines > 1 && buf_ok(scratch) ? buf_slice(scratch) : first);
}

static struct found find_param(const struct event *event, struct slice wanted)
{
    for (size_t i = 0; i < event->param_count; i++)
        if (slice_eq(event->params[i].name, wanted))
            return found_text(event->params[i].value);
    return (struct found){ .kind = FOUND_NOTHING };
}

/* A field's value, or of a file the one of its three that `what` names: filename, content_type, bytes. */
static struct found found_part(const struct part *part, const struct step *what, struct buf *scratch)
{
    if (!part->filename.data)
        return what ? (struct found){ .kind = FOUND_NOTHING } : found_text(part->bytes);
    if (what && slice_is(what->name, "bytes"))
        return found_text(part->bytes);
    if (what && slice_is(what->name, "content_type"))
        return found_text(part->content_type.len ? part->content_type : (struct slice){ NULL, 0 });
    if (!what || !slice_is(what->name, "filename"))
        return (struct found){ .kind = FOUND_NOTHING };
    buf_clear(scratch);
    multipart_unquote(part->filename, scratch);
    return found_text(scratch->len ? buf_slice(scratch) : SLICE(""));
}

static struct found find_part(const struct event *event, const struct step *wanted, const struct step *what, struct buf *scratch)
{
    struct multipart multipart;
    struct body_error error;
    struct part part;
    if (multipart_open(&multipart, event->content_type, event->text, &error) == OK)
        while (multipart_next(&multipart, &part, &error) == OK)
            if (multipart_name_is(part.name, wanted->name))
                return found_part(&part, what, scratch);
    return (struct found){ .kind = FOUND_NOTHING };
}

/* body.name of a form; body.name and body.file.bytes of a multipart body. The first of several of one name. */
static struct found find_field(const struct event *event, struct slice path, struct buf *scratch)
{
    struct step name, what;
    if (!path_next(&path, &name) || name.kind != STEP_NAME)
        return (struct found){ .kind = FOUND_NOTHING };
    if (path.len == 0)
        return event->kind == BODY_FORM ? find_query(event->text, name.name, scratch) : find_part(event, &name, NULL, scratch);
    if (event->kind == BODY_FORM || !path_next(&path, &what) || what.kind != STEP_NAME || path.len > 0)
        return (struct found){ .kind = FOUND_NOTHING };
    return find_part(event, &name, &what, scratch);
}

static struct found find_body(const struct event *event, struct slice path, struct buf *scratch)
{
    switch (event->kind) {
    case BODY_JSON:
    case BODY_NDJSON:
        return json_lookup(json_root(event->json), path);
    case BODY_TEXT:
    case BODY_RAW:
        return path.len == 0 ? found_text(event->text) : (struct found){ .kind = FOUND_NOTHING };
    case BODY_FORM:
    case BODY_MULTIPART:
        return find_field(event, path, scratch);
    case BODY_XML: /* its nodes are for xml.first and xml.text */
    case BODY_EMPTY:
        break;
    }
    return (struct found){ .kind = FOUND_NOTHING };
}

static struct found find_plain(const struct event *event, struct slice name)
{
    const struct {
        const char *name;
        struct slice value;
    } fields[] = {
        { "route", event->route },         { "type", event->type },     { "provider", event->provider },
        { "verified", event->verified },   { "method", event->method }, { "path", event->path },
        { "remote_ip", event->remote_ip }, { "raw", event->body },      { "content_type", event->content_type },
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (slice_is(name, fields[i].name))
            return found_text(fields[i].value.len ? fields[i].value : (struct slice){ NULL, 0 });
    return (struct found){ .kind = FOUND_NOTHING };
}

static struct found find_id(const struct event *event, struct buf *scratch)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(event->id, text);
    buf_clear(scratch);
    buf_add_text(scratch, text);
    return found_text(buf_slice(scratch));
}

struct found event_find_named(const struct event *event, struct slice map, struct slice name, struct buf *scratch)
{
    if (slice_is(map, "headers"))
        return find_header(event, name, scratch);
    if (slice_is(map, "query"))
        return find_query(event->query, name, scratch);
    if (slice_is(map, "params"))
        return find_param(event, name);
    return (struct found){ .kind = FOUND_NOTHING };
}

struct found event_lookup(const struct event *event, struct slice path, struct buf *scratch)
{
    struct step first, second, third;
    if (!path_next(&path, &first) || first.kind != STEP_NAME)
        return (struct found){ .kind = FOUND_NOTHING };
    if (slice_is(first.name, "body"))
        return find_body(event, path, scratch);
    if (path.len == 0)
        return slice_is(first.name, "id") ? find_id(event, scratch) : find_plain(event, first.name);
    if (!path_next(&path, &second) || second.kind != STEP_NAME || path_next(&path, &third) || path.len > 0)
        return (struct found){ .kind = FOUND_NOTHING };
    return event_find_named(event, first.name, second.name, scratch);
}
