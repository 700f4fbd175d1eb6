#include "cli/explained.h"

#include "admin/redact.h"
#include "ingest/when.h"
#include "model/lookup.h"

enum { SCRATCH_MAX = 1 << 20 };

static void add_text(struct buf *out, struct slice text)
{
    bool cut = text.len > EXPLAINED_VALUE_MAX;
    buf_add_json_string(out, cut ? slice_make(text.data, EXPLAINED_VALUE_MAX) : text);
}

static void begin_note(struct explained *explained, const struct event *event)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(event->id, id);
    if (explained->notes.len)
        buf_add_byte(&explained->notes, ',');
    buf_addf(&explained->notes, "{\"event\":\"%s\"", id);
}

/* ---- when ---- */

static void add_wanted(struct buf *out, const struct match *match)
{
    switch (match->kind) {
    case MATCH_TEXT:
    case MATCH_PATTERN:
        add_text(out, match->text);
        break;
    case MATCH_NUMBER:
        buf_add_slice(out, match->text);
        break;
    case MATCH_BOOL:
        buf_add_text(out, match->truth ? "true" : "false");
        break;
    case MATCH_NULL:
        buf_add_text(out, "null");
        break;
    }
}

static void add_got(struct buf *out, const struct event *event, struct slice path, struct buf *scratch)
{
    struct found found = event_lookup(event, path, scratch);
    if (found.kind == FOUND_NOTHING)
        return;
    buf_add_text(out, ",\"got\":");
    if (event->redact.len)
        buf_add_json_string(out, SLICE(REDACTED));
    else if (found.kind == FOUND_TEXT)
        add_text(out, found.text);
    else if (json_text(found.json).len <= EXPLAINED_VALUE_MAX)
        buf_add_slice(out, json_text(found.json));
    else
        add_text(out, json_text(found.json));
}

static void add_condition(struct buf *out, const struct condition *condition, const struct event *event)
{
    struct buf scratch;
    buf_init(&scratch, SCRATCH_MAX);
    buf_add_text(out, "{\"path\":");
    buf_add_json_string(out, condition->path);
    buf_add_text(out, ",\"wanted\":[");
    for (size_t i = 0; i < condition->any_count; i++) {
        if (i)
            buf_add_byte(out, ',');
        add_wanted(out, &condition->any[i]);
    }
    buf_add_byte(out, ']');
    add_got(out, event, condition->path, &scratch);
    buf_addf(out, ",\"holds\":%s}", when_holds(condition, 1, event, &scratch) ? "true" : "false");
    buf_deinit(&scratch);
}

/* ---- what ingest tells ---- */

static void on_event(void *arg, const struct route *route, const struct event *event)
{
    static const char *const kinds[] = {
        "nothing: it is empty", "JSON", "text", "a form", "multipart", "XML", "NDJSON", "raw bytes"
    };
    struct explained *explained = arg;
    struct buf *out = &explained->notes;
    begin_note(explained, event);
    buf_addf(out, ",\"decoded\":\"%s\",\"hidden\":%s,\"type\":", kinds[event->kind], event->redact.len ? "true" : "false");
    add_text(out, event->type);
    buf_add_text(out, ",\"when\":[");
    for (size_t i = 0; i < route->when_count; i++) {
        if (i)
            buf_add_byte(out, ',');
        add_condition(out, &route->when[i], event);
    }
    buf_add_text(out, "]}");
}

static void on_key(void *arg, const struct event *event, struct slice key)
{
    struct explained *explained = arg;
    begin_note(explained, event);
    buf_add_text(&explained->notes, ",\"key\":");
    add_text(&explained->notes, event->redact.len ? SLICE(REDACTED) : key);
    buf_add_byte(&explained->notes, '}');
}

/* ---- life ---- */

const struct ingest_watch *explained_begin(struct explained *explained)
{
    explained->watch = (struct ingest_watch){ .on_event = on_event, .on_key = on_key, .arg = explained };
    buf_init(&explained->notes, EXPLAINED_MAX);
    buf_init(&explained->json, EXPLAINED_MAX);
    return &explained->watch;
}

struct slice explained_json(struct explained *explained)
{
    buf_clear(&explained->json);
    buf_add_byte(&explained->json, '[');
    buf_add_slice(&explained->json, buf_slice(&explained->notes));
    buf_add_byte(&explained->json, ']');
    return buf_ok(&explained->notes) && buf_ok(&explained->json) ? buf_slice(&explained->json) : SLICE("");
}

void explained_end(struct explained *explained)
{
    buf_deinit(&explained->notes);
    buf_deinit(&explained->json);
    *explained = (struct explained){ 0 };
}
