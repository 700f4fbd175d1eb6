#include "ingest/asked.h"

#include "model/lookup.h"

enum { FIELD_MAX = 4 << 10, QUERY_TEXT_MAX = 8 << 10 };

void asked_end(struct asked *asked)
{
    json_free(asked->json);
    arena_deinit(&asked->texts);
}

bool asked_header(const struct verify_input *input, struct slice name, struct slice *value)
{
    size_t seen = 0;
    for (size_t i = 0; i < input->header_count; i++) {
        if (!slice_eq_nocase(input->headers[i].name, name))
            continue;
        *value = input->headers[i].value;
        seen++;
    }
    return seen == 1 && value->len > 0;
}

static bool carries_signature(const struct verify *verify, struct slice name)
{
    bool is_one = slice_eq_nocase(verify->header, name);
    for (size_t i = 0; i < verify->other_header_count; i++)
        is_one |= slice_eq_nocase(verify->other_headers[i], name);
    return is_one;
}

bool asked_signature(const struct verify_input *input, const struct verify *verify, struct slice *value)
{
    size_t seen = 0;
    if (verify->other_header_count == 0)
        return asked_header(input, verify->header, value);
    for (size_t i = 0; i < input->header_count; i++) {
        if (!carries_signature(verify, input->headers[i].name))
            continue;
        *value = input->headers[i].value;
        seen++;
    }
    return seen == 1 && value->len > 0;
}

/* ---- the query ---- */

/* How often it is there; the last value, still encoded. */
static size_t count_query(struct asked *asked, struct slice wanted, struct slice *raw)
{
    struct slice query = asked->input->query, name, value;
    struct buf decoded;
    size_t seen = 0;
    buf_init(&decoded, QUERY_TEXT_MAX);
    while (query_next(&query, &name, &value)) {
        buf_clear(&decoded);
        if (!query_decode(name, &decoded) || !slice_eq(buf_slice(&decoded), wanted))
            continue;
        *raw = value;
        seen++;
    }
    buf_deinit(&decoded);
    return seen;
}

size_t asked_query_count(struct asked *asked, struct slice name)
{
    struct slice raw;
    return count_query(asked, name, &raw);
}

bool asked_query(struct asked *asked, struct slice name, struct slice *value)
{
    struct slice raw;
    struct buf decoded;
    if (count_query(asked, name, &raw) != 1 || raw.len == 0)
        return false;
    buf_init(&decoded, QUERY_TEXT_MAX);
    bool ok = query_decode(raw, &decoded);
    *value = ok ? arena_copy(&asked->texts, buf_slice(&decoded)) : (struct slice){ NULL, 0 };
    buf_deinit(&decoded);
    return value->data && value->len > 0;
}

/* ---- the body ---- */

bool asked_is_json(struct asked *asked, size_t body_max)
{
    struct json_error error;
    if (asked->input->body.len > body_max)
        return false;
    return asked->json || json_index(asked->input->body, &asked->json, &error) == OK;
}

/* doc NULL: absent, or there twice. */
static struct json_value only_member(struct json_value object, struct slice name)
{
    struct json_value found = { NULL, 0 };
    size_t seen = 0;
    if (json_type(object) != JSON_OBJECT)
        return found;
    for (struct json_value member = json_first(object); member.doc; member = json_next(member)) {
        bool escaped;
        struct slice key = json_key(member, &escaped);
        if (!json_string_is(key, escaped, name))
            continue;
        found = member;
        seen++;
    }
    return seen == 1 ? found : (struct json_value){ NULL, 0 };
}

static struct slice decoded(struct asked *asked, struct json_value string, size_t max)
{
    bool escaped;
    struct slice raw = json_string(string, &escaped), text = raw;
    struct buf plain;
    if (!escaped || raw.len > max)
        return text;
    buf_init(&plain, max);
    json_unescape(raw, &plain);
    text = arena_copy(&asked->texts, buf_slice(&plain));
    buf_deinit(&plain);
    return text;
}

bool asked_field(struct asked *asked, struct slice path, size_t body_max, struct slice *value)
{
    struct step step;
    if (!asked_is_json(asked, body_max))
        return false;
    struct json_value place = json_root(asked->json);
    while (place.doc && path_next(&path, &step))
        place = step.kind == STEP_NAME ? only_member(place, step.name) : (struct json_value){ NULL, 0 };
    if (!place.doc || path.len > 0)
        return false;
    switch (json_type(place)) {
    case JSON_STRING:
        *value = decoded(asked, place, FIELD_MAX);
        break;
    case JSON_NUMBER:
        *value = json_text(place);
        break;
    default:
        return false;
    }
    return value->len > 0 && value->len <= FIELD_MAX;
}

size_t asked_member(struct asked *asked, struct slice name, struct slice *text)
{
    size_t seen = 0;
    *text = (struct slice){ NULL, 0 };
    if (!asked_is_json(asked, UNVERIFIED_JSON_MAX) || json_type(json_root(asked->json)) != JSON_OBJECT)
        return 0;
    for (struct json_value member = json_first(json_root(asked->json)); member.doc; member = json_next(member)) {
        bool escaped;
        struct slice key = json_key(member, &escaped);
        if (!json_string_is(key, escaped, name))
            continue;
        bool is_text = json_type(member) == JSON_STRING;
        *text = is_text ? decoded(asked, member, UNVERIFIED_JSON_MAX) : (struct slice){ NULL, 0 };
        seen++;
    }
    return seen;
}
