#include "ingest/when.h"

#include <stdio.h>

#include "model/lookup.h"

bool when_pattern_matches(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, retry = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            retry = t;
        } else if (p < pattern.len && pattern.data[p] == text.data[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) { /* only the last star is ever widened: what an earlier one took fits as well */
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

static bool text_matches(const struct match *match, struct slice text)
{
    if (match->kind == MATCH_TEXT)
        return slice_eq(match->text, text);
    return match->kind == MATCH_PATTERN && when_pattern_matches(match->text, text);
}

enum { EXACT_DIGITS = 15, DIGITS_MAX = 20 }; /* integers of up to 15 digits are exact as a double; 64 bits have up to 20 */

static bool is_integer_text(struct slice text)
{
    size_t start = text.len > 0 && text.data[0] == '-';
    for (size_t i = start; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.len > start;
}

/* Longer integers are compared by their digits: a double cannot tell them apart. One that the rule wrote as a plain number is
 * printed "1e+15" by Lua: it has the digits of its double. */
static bool long_integer_matches(const struct match *match, struct slice digits)
{
    char text[DIGITS_MAX + 2];
    if (is_integer_text(match->text))
        return slice_eq(digits, match->text);
    int len = snprintf(text, sizeof(text), "%.0f", match->number);
    return len < (int)sizeof(text) && slice_eq(digits, slice_make(text, (size_t)len));
}

static bool number_matches(const struct match *match, struct json_value value)
{
    unsigned digits;
    if (json_is_integer(value, &digits) && digits > EXACT_DIGITS)
        return long_integer_matches(match, json_text(value));
    return json_number(value) == match->number;
}

static bool string_matches(const struct match *match, struct json_value value, struct buf *scratch)
{
    bool escaped;
    struct slice raw = json_string(value, &escaped);
    if (!escaped)
        return text_matches(match, raw);
    buf_clear(scratch);
    json_unescape(raw, scratch);
    return buf_ok(scratch) && text_matches(match, buf_slice(scratch));
}

static bool scalar_matches(const struct match *match, struct json_value value, struct buf *scratch)
{
    switch (json_type(value)) {
    case JSON_STRING:
        return string_matches(match, value, scratch);
    case JSON_NUMBER:
        return match->kind == MATCH_NUMBER && number_matches(match, value);
    case JSON_TRUE:
    case JSON_FALSE:
        return match->kind == MATCH_BOOL && match->truth == (json_type(value) == JSON_TRUE);
    case JSON_NULL:
        return match->kind == MATCH_NULL;
    case JSON_ARRAY:
    case JSON_OBJECT:
        return false;
    }
    return false;
}

static bool json_matches(const struct match *match, struct json_value value, struct buf *scratch)
{
    if (json_type(value) != JSON_ARRAY)
        return scalar_matches(match, value, scratch);
    for (struct json_value element = json_first(value); element.doc; element = json_next(element))
        if (scalar_matches(match, element, scratch))
            return true;
    return false;
}

static bool any_matches(const struct condition *condition, const struct found *found, struct buf *scratch)
{
    for (size_t i = 0; i < condition->any_count; i++) {
        const struct match *match = &condition->any[i];
        if (found->kind == FOUND_NOTHING ? match->kind == MATCH_NULL
            : found->kind == FOUND_TEXT  ? text_matches(match, found->text)
                                         : json_matches(match, found->json, scratch))
            return true;
    }
    return false;
}

struct each {
    const struct condition *condition;
    struct buf *scratch;
    bool holds;
};

static bool visit(struct json_value place, void *arg)
{
    struct each *each = arg;
    struct found found = { .kind = FOUND_JSON, .json = place };
    each->holds = any_matches(each->condition, &found, each->scratch);
    return !each->holds;
}

static bool has_each(struct slice path)
{
    return path.len >= 3 && memmem(path.data, path.len, "[*]", 3) != NULL;
}

/* [*] is for places of the body: only there are many of one name. */
static bool each_holds(const struct condition *condition, const struct event *event, struct buf *scratch)
{
    struct slice rest = condition->path;
    struct step root;
    struct each each = { condition, scratch, false };
    if (!event_has_json(event) || !path_next(&rest, &root) || root.kind != STEP_NAME || !slice_is(root.name, "body"))
        return false;
    json_lookup_each(json_root(event->json), rest, visit, &each);
    return each.holds;
}

static bool condition_holds(const struct condition *condition, const struct event *event, struct buf *scratch)
{
    if (has_each(condition->path))
        return each_holds(condition, event, scratch);
    struct found found = event_lookup(event, condition->path, scratch);
    return any_matches(condition, &found, scratch);
}

bool when_holds(const struct condition *conditions, size_t count, const struct event *event, struct buf *scratch)
{
    for (size_t i = 0; i < count; i++)
        if (!condition_holds(&conditions[i], event, scratch))
            return false;
    return true;
}
