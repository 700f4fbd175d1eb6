#include "ingest/spot.h"

#include "ingest/stamp.h"
#include "model/lookup.h"

enum { JOINED_MAX = 64 << 10 };

/* What a path finds, as one text; data NULL: nothing. */
typedef struct slice read_found(const struct found *found, struct buf *scratch);

static struct slice read_key(const struct found *found, struct buf *scratch)
{
    (void)scratch;
    if (found->kind == FOUND_TEXT)
        return found->text;
    if (found->kind == FOUND_JSON && json_type(found->json) != JSON_NULL)
        return json_text(found->json);
    return (struct slice){ NULL, 0 };
}

static struct slice read_type(const struct found *found, struct buf *scratch)
{
    if (found->kind == FOUND_TEXT)
        return found->text;
    if (found->kind != FOUND_JSON)
        return (struct slice){ NULL, 0 };
    if (json_type(found->json) == JSON_NUMBER)
        return json_text(found->json);
    if (json_type(found->json) != JSON_STRING)
        return (struct slice){ NULL, 0 };
    bool escaped;
    struct slice raw = json_string(found->json, &escaped);
    if (!escaped)
        return raw;
    buf_clear(scratch);
    json_unescape(raw, scratch);
    return buf_ok(scratch) ? buf_slice(scratch) : (struct slice){ NULL, 0 };
}

/* All of them or nothing. */
static struct slice join(const struct spot *spot, char separator, struct event *event, read_found *read, struct buf *scratch)
{
    struct buf joined;
    struct slice text = { NULL, 0 };
    size_t i = 0;
    buf_init(&joined, JOINED_MAX);
    for (; i < spot->path_count; i++) {
        struct found found = event_lookup(event, spot->paths[i], scratch);
        struct slice part = read(&found, scratch);
        if (!part.data)
            break;
        if (i)
            buf_add_byte(&joined, separator);
        buf_add_slice(&joined, part);
    }
    if (i == spot->path_count && buf_ok(&joined))
        text = arena_copy(&event->arena, buf_slice(&joined));
    buf_deinit(&joined);
    return text;
}

static bool counts(const struct spot *spot, const struct event *event)
{
    return (spot->of.len == 0 || event_type_starts(event, spot->of)) &&
           (spot->not_of.len == 0 || !event_type_starts(event, spot->not_of));
}

static struct slice read_spot(const struct spot *spot, char separator, struct event *event, read_found *read, struct buf *scratch)
{
    if (!counts(spot, event))
        return (struct slice){ NULL, 0 };
    if (spot->path_count != 1)
        return join(spot, separator, event, read, scratch);
    struct found found = event_lookup(event, spot->paths[0], scratch);
    if (spot->says.len == 0)
        return read(&found, scratch);
    bool is_there = found.kind == FOUND_TEXT || (found.kind == FOUND_JSON && json_type(found.json) != JSON_NULL);
    if (spot->is.len)
        is_there = is_there && slice_eq(read(&found, scratch), spot->is);
    return is_there ? spot->says : (struct slice){ NULL, 0 };
}

/* *which: the spot that has it. */
static struct slice read_spots(const struct spots *spots, char separator, struct event *event, read_found *read,
                               struct buf *scratch, const struct spot **which)
{
    for (*which = spots->list; *which < spots->list + spots->count; ++*which) {
        struct slice text = read_spot(*which, separator, event, read, scratch);
        if (text.data)
            return text;
    }
    return (struct slice){ NULL, 0 };
}

struct slice spot_type(const struct spots *spots, struct event *event, struct buf *scratch)
{
    const struct spot *which;
    struct slice text = read_spots(spots, '.', event, read_type, scratch, &which);
    return text.len ? arena_copy(&event->arena, text) : (struct slice){ NULL, 0 };
}

bool spot_time(const struct spots *spots, struct event *event, struct buf *scratch, uint64_t *time_ms)
{
    const struct spot *which;
    struct slice text = read_spots(spots, '.', event, read_type, scratch, &which);
    return text.len > 0 && stamp_read(STAMP_RFC3339, text, time_ms);
}

static bool is_in_body(const struct spot *spot)
{
    for (size_t i = 0; i < spot->path_count; i++)
        if (slice_starts(spot->paths[i], SLICE("body")))
            return true;
    return false;
}

struct slice spot_key(const struct spots *spots, struct event *event, struct buf *scratch, bool *in_body)
{
    const struct spot *which;
    struct slice text = read_spots(spots, '\n', event, read_key, scratch, &which);
    *in_body = text.data && is_in_body(which);
    return text;
}
