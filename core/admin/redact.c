#include "admin/redact.h"

#include "base/mem.h"
#include "json/edit.h"
#include "model/lookup.h"

/* Takes the next path off the list, and its root off the path. false: over. */
static bool next_path(struct slice *list, struct slice *root, struct slice *rest)
{
    struct step step;
    if (list->len == 0)
        return false;
    const char *end = memchr(list->data, '\n', list->len);
    *rest = (struct slice){ list->data, end ? (size_t)(end - list->data) : list->len };
    *list = slice_from(*list, rest->len + (end != NULL));
    *root = path_next(rest, &step) ? step.name : SLICE("");
    return true;
}

bool redact_hides_header(const struct event *event, struct slice name)
{
    struct slice list = event->redact, root, rest;
    struct step step;
    while (next_path(&list, &root, &rest)) {
        bool all = slice_is(root, "headers") && rest.len == 0;
        if (all || (slice_is(root, "headers") && path_next(&rest, &step) &&
                    (step.kind == STEP_EACH || slice_eq_nocase(step.name, name))))
            return true;
    }
    return false;
}

static bool leads_into_body(const struct event *event)
{
    struct slice list = event->redact, root, rest;
    while (next_path(&list, &root, &rest))
        if (slice_is(root, "body"))
            return true;
    return false;
}

static void hide_places(const struct event *event, struct buf *out)
{
    struct json_value body = json_root(event->json);
    unsigned char *marks = mem_new(json_node_count(event->json));
    struct slice list = event->redact, root, rest;
    while (next_path(&list, &root, &rest))
        if (slice_is(root, "body"))
            (void)edit_mark_dropped(body, rest, marks);
    edit_hide(body, marks, SLICE("\"" REDACTED "\""), out);
    mem_free(marks);
}

void redact_body(const struct event *event, struct buf *out)
{
    bool hides = leads_into_body(event);
    if (event_has_json(event) && hides)
        hide_places(event, out);
    else if (event_has_json(event))
        buf_add_slice(out, json_text(json_root(event->json)));
    else
        buf_add_json_string(out, hides ? SLICE(REDACTED) : event->text);
}
