/* edit.c: one pass over the old text, copied in runs up to each change. */
#include "json/edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/lookup.h"

struct edit {
    const char *from; /* copied up to here */
    struct buf *out;
    struct buf name; /* of the member looked at, when it had to be decoded */
};

static void edit_start(struct edit *edit, struct json_value root, struct buf *out)
{
    struct slice text = json_text(root);
    *edit = (struct edit){ .from = text.data, .out = out };
    buf_init(&edit->name, text.len);
}

static const char *end_of(struct json_value value)
{
    struct slice text = json_text(value);
    return text.data + text.len;
}

static bool is_container(struct json_value value)
{
    return json_type(value) == JSON_OBJECT || json_type(value) == JSON_ARRAY;
}

static void copy_to(struct edit *edit, const char *to)
{
    buf_add(edit->out, edit->from, (size_t)(to - edit->from));
    edit->from = to;
}

static void edit_finish(struct edit *edit, struct json_value root)
{
    copy_to(edit, end_of(root));
    if (!buf_ok(&edit->name))
        edit->out->failed = true;
    buf_deinit(&edit->name);
}

static void replace(struct edit *edit, struct json_value old, struct slice text)
{
    copy_to(edit, json_text(old).data);
    buf_add_slice(edit->out, text);
    edit->from = end_of(old);
}

/* Where a new last child of the container goes. */
static const char *place_of_next(struct json_value container)
{
    struct json_value last = json_first(container), next = last;
    if (!last.doc)
        return json_text(container).data + 1;
    while ((next = json_next(last)).doc)
        last = next;
    return end_of(last);
}

static struct slice name_of(struct edit *edit, struct json_value member)
{
    bool escaped;
    struct slice raw = json_key(member, &escaped);
    if (!escaped)
        return raw;
    buf_clear(&edit->name);
    json_unescape(raw, &edit->name);
    return edit->name.len ? buf_slice(&edit->name) : SLICE("");
}

static bool same_place(struct json_value a, struct json_value b)
{
    return a.doc == b.doc && a.node == b.node;
}

/* ---- set ---- */

/* The child that the step names; *why is set when the step does not fit the container. doc NULL: it would be a new last child. */
static struct json_value child_of(struct json_value container, const struct step *step, const char **why)
{
    if ((json_type(container) == JSON_OBJECT) != (step->kind == STEP_NAME))
        *why = step->kind == STEP_NAME ? "a name leads into an array" : "an index leads into an object";
    if (step->kind == STEP_NAME)
        return json_member(container, step->name);
    if (step->index < 1 || step->index > json_count(container) + 1)
        *why = "the index is beyond the end, which would leave holes";
    return step->index < 1 ? (struct json_value){ NULL, 0 } : json_element(container, step->index - 1);
}

/* The rest of a path as containers around the text. */
static void write_wrapped(struct buf *out, struct slice path, struct slice text, const char **why)
{
    char closing[JSON_DEPTH_MAX];
    size_t depth = 0;
    struct step step;
    while (path_next(&path, &step)) {
        if (depth == JSON_DEPTH_MAX)
            *why = "the path is too long";
        if (step.kind == STEP_INDEX && step.index != 1)
            *why = "the index is beyond the end, which would leave holes";
        if (*why)
            return;
        closing[depth++] = step.kind == STEP_NAME ? '}' : ']';
        buf_add_byte(out, step.kind == STEP_NAME ? '{' : '[');
        if (step.kind == STEP_NAME && !json_write_string(out, step.name))
            *why = "a name is not UTF-8";
        if (step.kind == STEP_NAME)
            buf_add_byte(out, ':');
    }
    buf_add_slice(out, text);
    while (depth > 0)
        buf_add_byte(out, closing[--depth]);
}

static void append_child(struct edit *edit, struct json_value container, const struct step *step, const char **why)
{
    copy_to(edit, place_of_next(container));
    if (json_count(container) > 0)
        buf_add_byte(edit->out, ',');
    if (step->kind != STEP_NAME)
        return;
    if (!json_write_string(edit->out, step->name))
        *why = "a name is not UTF-8";
    buf_add_byte(edit->out, ':');
}

enum result edit_set(struct json_value root, struct slice path, struct slice text, struct buf *out, const char **why)
{
    struct edit edit;
    struct step step = { 0 };
    struct json_value place = root, child = root;
    edit_start(&edit, root, out);
    *why = NULL;
    while (!*why && child.doc && is_container(child) && path_next(&path, &step)) {
        place = child;
        child = child_of(place, &step, why);
    }
    if (!*why && child.doc && json_type(child) != JSON_NULL && path.len > 0)
        *why = "something on the way is no object or array";
    if (!*why && !child.doc)
        append_child(&edit, place, &step, why);
    if (!*why && child.doc)
        copy_to(&edit, json_text(child).data);
    if (!*why)
        write_wrapped(out, path, text, why);
    if (child.doc)
        edit.from = end_of(child);
    edit_finish(&edit, root);
    return *why ? ERR_INVALID : OK;
}

/* ---- merge ---- */

/* A name of the changes. */
struct change {
    struct slice name;               /* decoded */
    struct json_value value, member; /* the last ones of that name in the changes and in the object; doc NULL: none */
};

/* The changes of one object, to be found by name: a sender who writes both must not make it a search for each member. */
struct changes {
    struct change *list; /* owned; sorted by name, each once */
    size_t count;
    struct buf names; /* those that had to be decoded; does not move while it grows */
};

static int by_name(const void *a, const void *b)
{
    const struct slice left = ((const struct change *)a)->name, right = ((const struct change *)b)->name;
    size_t common = left.len < right.len ? left.len : right.len;
    int order = common ? memcmp(left.data, right.data, common) : 0;
    return order ? order : (left.len > right.len) - (left.len < right.len);
}

static int by_name_and_place(const void *a, const void *b)
{
    uint32_t left = ((const struct change *)a)->value.node, right = ((const struct change *)b)->value.node;
    int order = by_name(a, b);
    return order ? order : (left > right) - (left < right);
}

static struct slice kept_name(struct changes *changes, struct json_value object, struct json_value change)
{
    bool escaped;
    struct slice raw = json_key(change, &escaped);
    size_t at = changes->names.len;
    if (!escaped)
        return raw;
    if (!changes->names.data && buf_reserve(&changes->names, json_text(object).len) != OK)
        return SLICE("");
    json_unescape(raw, &changes->names);
    return slice_make(changes->names.data + at, changes->names.len - at);
}

static bool changes_init(struct changes *changes, struct json_value object)
{
    size_t count = 0;
    *changes = (struct changes){ .list = mem_alloc((json_count(object) + 1) * sizeof(struct change)) };
    buf_init(&changes->names, json_text(object).len);
    if (!changes->list)
        return false;
    for (struct json_value change = json_first(object); change.doc; change = json_next(change))
        changes->list[count++] = (struct change){ kept_name(changes, object, change), change, { NULL, 0 } };
    qsort(changes->list, count, sizeof(*changes->list), by_name_and_place);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || by_name(&changes->list[i], &changes->list[i + 1]) != 0)
            changes->list[changes->count++] = changes->list[i];
    return buf_ok(&changes->names);
}

static void changes_deinit(struct changes *changes)
{
    mem_free(changes->list);
    buf_deinit(&changes->names);
}

/* NULL: nothing is said about the name of this member. */
static struct change *change_of(struct edit *edit, const struct changes *changes, struct json_value member)
{
    struct change wanted = { .name = name_of(edit, member) };
    return bsearch(&wanted, changes->list, changes->count, sizeof(wanted), by_name);
}

static void merge_object(struct edit *edit, struct json_value object, struct json_value changed);

static void merge_members(struct edit *edit, struct json_value object, const struct changes *changes)
{
    struct change *change;
    for (struct json_value member = json_first(object); member.doc; member = json_next(member))
        if ((change = change_of(edit, changes, member)) != NULL)
            change->member = member;
    for (struct json_value member = json_first(object); member.doc; member = json_next(member)) {
        change = change_of(edit, changes, member);
        if (!change || !same_place(change->member, member))
            continue;
        if (json_type(member) == JSON_OBJECT && json_type(change->value) == JSON_OBJECT)
            merge_object(edit, member, change->value);
        else
            replace(edit, member, json_text(change->value));
    }
}

static void add_members(struct edit *edit, struct json_value object, struct json_value changed, const struct changes *changes)
{
    const char *place = place_of_next(object);
    bool first = json_count(object) == 0, escaped;
    for (struct json_value value = json_first(changed); value.doc; value = json_next(value)) {
        const struct change *change = change_of(edit, changes, value);
        if (!change || change->member.doc || !same_place(change->value, value))
            continue;
        copy_to(edit, place);
        buf_add_text(edit->out, first ? "\"" : ",\"");
        buf_add_slice(edit->out, json_key(value, &escaped));
        buf_add_text(edit->out, "\":");
        buf_add_slice(edit->out, json_text(value));
        first = false;
    }
}

/* Goes as deep as the documents, at most JSON_DEPTH_MAX. */
static void merge_object(struct edit *edit, struct json_value object, struct json_value changed)
{
    struct changes changes;
    if (changes_init(&changes, changed)) {
        merge_members(edit, object, &changes);
        add_members(edit, object, changed, &changes);
    } else {
        edit->out->failed = true;
    }
    changes_deinit(&changes);
}

void edit_merge(struct json_value root, struct json_value changes, struct buf *out)
{
    struct edit edit;
    edit_start(&edit, root, out);
    buf_init(&edit.name, json_text(root).len + json_text(changes).len);
    merge_object(&edit, root, changes);
    edit_finish(&edit, root);
}

/* ---- pick and omit ---- */

enum mark { MARK_NONE, MARK_INSIDE /* something in it is marked */, MARK_WHOLE };

static void raise_mark(unsigned char *marks, struct json_value value, enum mark mark)
{
    if (marks[value.node] < mark)
        marks[value.node] = (unsigned char)mark;
}

static bool mark_path(struct json_value value, struct slice path, unsigned char *marks, bool all_of_a_name);

static bool mark_each(struct json_value container, struct slice path, unsigned char *marks, bool all_of_a_name)
{
    if (!is_container(container))
        return false;
    for (struct json_value child = json_first(container); child.doc; child = json_next(child)) {
        (void)mark_path(child, path, marks, all_of_a_name); /* an element without the rest of the path stays an element */
        if (path.len > 0 && is_container(child))
            raise_mark(marks, child, MARK_INSIDE);
    }
    return true;
}

static bool mark_named(struct json_value object, struct slice name, struct slice path, unsigned char *marks, bool all_of_a_name)
{
    bool found = false, escaped;
    if (!all_of_a_name) {
        struct json_value last = json_member(object, name);
        return last.doc && mark_path(last, path, marks, all_of_a_name);
    }
    for (struct json_value member = json_first(object); member.doc; member = json_next(member)) {
        struct slice key = json_key(member, &escaped);
        if (json_string_is(key, escaped, name))
            found |= mark_path(member, path, marks, all_of_a_name);
    }
    return found;
}

/* Goes as deep as the path has steps that lead somewhere, at most JSON_DEPTH_MAX. false: it leads nowhere. */
static bool mark_path(struct json_value value, struct slice path, unsigned char *marks, bool all_of_a_name)
{
    struct step step;
    bool found = false;
    if (!path_next(&path, &step)) {
        raise_mark(marks, value, MARK_WHOLE);
        return true;
    }
    if (step.kind == STEP_EACH) {
        found = mark_each(value, path, marks, all_of_a_name);
    } else if (step.kind == STEP_NAME && json_type(value) == JSON_OBJECT) {
        found = mark_named(value, step.name, path, marks, all_of_a_name);
    } else if (step.kind == STEP_INDEX && step.index > 0) {
        struct json_value element = json_element(value, step.index - 1);
        found = element.doc && mark_path(element, path, marks, all_of_a_name);
    }
    if (found)
        raise_mark(marks, value, MARK_INSIDE);
    return found;
}

bool edit_mark_kept(struct json_value root, struct slice path, unsigned char *marks)
{
    raise_mark(marks, root, MARK_INSIDE);
    return mark_path(root, path, marks, false);
}

bool edit_mark_dropped(struct json_value root, struct slice path, unsigned char *marks)
{
    /* of a twice-given name all: else an earlier one would show when the last is gone */
    return mark_path(root, path, marks, true);
}

static const char *start_of(struct json_value container, struct json_value child)
{
    bool escaped;
    return json_type(container) == JSON_OBJECT ? json_key(child, &escaped).data - 1 : json_text(child).data;
}

/* Copies the container without the children whose mark says so, each with the comma and the white space before it. */
static void filter(struct edit *edit, struct json_value container, const unsigned char *marks, bool keep)
{
    const char *end_before = json_text(container).data + 1;
    struct json_value first = json_first(container);
    bool any = false;
    for (struct json_value child = first; child.doc; child = json_next(child)) {
        enum mark mark = (enum mark)marks[child.node];
        bool stays = keep ? mark != MARK_NONE : mark != MARK_WHOLE;
        if (stays && !any && !same_place(child, first)) {
            copy_to(edit, start_of(container, first));
            edit->from = start_of(container, child);
        } else if (!stays && any) {
            copy_to(edit, end_before);
            edit->from = end_of(child);
        }
        if (stays && mark == MARK_INSIDE)
            filter(edit, child, marks, keep);
        any |= stays;
        end_before = end_of(child);
    }
    if (first.doc && !any) {
        copy_to(edit, json_text(container).data + 1);
        edit->from = end_of(container) - 1;
    }
}

static void edit_filter(struct json_value root, const unsigned char *marks, bool keep, struct buf *out)
{
    struct edit edit;
    edit_start(&edit, root, out);
    if (!keep || marks[root.node] == MARK_INSIDE)
        filter(&edit, root, marks, keep);
    edit_finish(&edit, root);
}

void edit_keep(struct json_value root, const unsigned char *marks, struct buf *out)
{
    edit_filter(root, marks, true, out);
}

void edit_drop(struct json_value root, const unsigned char *marks, struct buf *out)
{
    edit_filter(root, marks, false, out);
}

static void hide(struct edit *edit, struct json_value value, const unsigned char *marks, struct slice text)
{
    if (marks[value.node] == MARK_WHOLE)
        replace(edit, value, text);
    else if (marks[value.node] == MARK_INSIDE)
        for (struct json_value child = json_first(value); child.doc; child = json_next(child))
            hide(edit, child, marks, text);
}

void edit_hide(struct json_value root, const unsigned char *marks, struct slice text, struct buf *out)
{
    struct edit edit;
    edit_start(&edit, root, out);
    hide(&edit, root, marks, text);
    edit_finish(&edit, root);
}
