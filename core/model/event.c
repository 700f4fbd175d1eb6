#include "model/event.h"

#include "base/mem.h"

enum { META_VERSION = 1, SHARES = 65536 /* values of the last two bytes of an id */ };

static bool copy_slice(struct arena *arena, struct slice *to, struct slice from)
{
    *to = arena_copy(arena, from);
    return to->data != NULL;
}

static bool copy_pairs(struct arena *arena, const struct pair **to, const struct pair *from, size_t count)
{
    struct pair *pairs = arena_alloc(arena, count * sizeof(*pairs));
    if (!pairs)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!copy_slice(arena, &pairs[i].name, from[i].name) || !copy_slice(arena, &pairs[i].value, from[i].value))
            return false;
    *to = pairs;
    return true;
}

static bool copy_parts(struct event *event, const struct event_parts *parts)
{
    struct arena *arena = &event->arena;
    return copy_slice(arena, &event->route, parts->route) && copy_slice(arena, &event->method, parts->method) &&
           copy_slice(arena, &event->path, parts->path) && copy_slice(arena, &event->query, parts->query) &&
           copy_slice(arena, &event->remote_ip, parts->remote_ip) &&
           copy_slice(arena, &event->content_type, parts->content_type) && copy_slice(arena, &event->provider, parts->provider) &&
           copy_slice(arena, &event->type, parts->type) && copy_slice(arena, &event->verified, parts->verified) &&
           copy_pairs(arena, &event->headers, parts->headers, parts->header_count) &&
           copy_pairs(arena, &event->params, parts->params, parts->param_count) &&
           (parts->redact.len == 0 || copy_slice(arena, &event->redact, parts->redact)) &&
           (parts->body_memory || copy_slice(arena, &event->body, parts->body));
}

enum result event_new(const struct event_parts *parts, struct event **out)
{
    struct event *event = mem_alloc(sizeof(*event));
    if (!event)
        return ERR_MEMORY;
    *event = (struct event){
        .id = parts->id,
        .header_count = parts->header_count,
        .param_count = parts->param_count,
        .received_ms = parts->received_ms,
        .time_ms = parts->time_ms ? parts->time_ms : parts->received_ms,
        .replay_of = parts->replay_of,
        .kind = parts->body.len ? BODY_TEXT : BODY_EMPTY,
    };
    atomic_init(&event->refs, 1);
    if (!copy_parts(event, parts)) {
        arena_deinit(&event->arena);
        mem_free(event);
        return ERR_MEMORY;
    }
    if (parts->body_memory) {
        event->body = parts->body;
        event->body_memory = parts->body_memory;
    }
    event->text = event->body;
    event_order(event, parts->order_key);
    *out = event;
    return OK;
}

void event_order(struct event *event, uint64_t key)
{
    event->order_key = key;
    if (key == 0)
        return;
    event->id.bytes[14] = (uint8_t)(key >> 8);
    event->id.bytes[15] = (uint8_t)key;
}

void event_account(struct event *event, atomic_size_t *account, size_t bytes)
{
    if (!event) {
        atomic_fetch_sub(account, bytes);
        return;
    }
    event->account = account;
    event->accounted = bytes;
}

struct event *event_ref(struct event *event)
{
    atomic_fetch_add_explicit(&event->refs, 1, memory_order_relaxed);
    return event;
}

void event_unref(struct event *event)
{
    if (!event || atomic_fetch_sub_explicit(&event->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (event->account)
        atomic_fetch_sub(event->account, event->accounted);
    json_free(event->json);
    mem_free(event->text_memory);
    arena_deinit(&event->arena);
    mem_free(event->body_memory);
    mem_free(event);
}

struct uuid event_id_make(struct uuid_maker *ids, uint64_t now_ms, uint32_t worker, uint32_t workers)
{
    struct uuid id = uuid_v7(ids, now_ms);
    uint32_t tail = (uint32_t)(id.bytes[14] << 8 | id.bytes[15]) / workers * workers;
    tail = tail + worker < SHARES ? tail + worker : worker;
    id.bytes[14] = (uint8_t)(tail >> 8);
    id.bytes[15] = (uint8_t)tail;
    return id;
}

struct slice event_header(const struct event *event, struct slice name)
{
    for (size_t i = 0; i < event->header_count; i++)
        if (slice_eq_nocase(event->headers[i].name, name))
            return event->headers[i].value;
    return (struct slice){ NULL, 0 };
}

/* ---- the stored form: version, kind, texts in a fixed order, pairs, times, replay_of, redact where there is one ---- */

static void write_pairs(struct buf *out, const struct pair *pairs, size_t count)
{
    buf_add_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        buf_add_block(out, pairs[i].name);
        buf_add_block(out, pairs[i].value);
    }
}

void event_meta_write(const struct event *event, struct buf *out)
{
    buf_add_byte(out, META_VERSION);
    buf_add_byte(out, (char)event->kind);
    buf_add_block(out, event->method);
    buf_add_block(out, event->path);
    buf_add_block(out, event->query);
    buf_add_block(out, event->remote_ip);
    buf_add_block(out, event->content_type);
    buf_add_block(out, event->provider);
    buf_add_block(out, event->verified);
    write_pairs(out, event->headers, event->header_count);
    write_pairs(out, event->params, event->param_count);
    buf_add_u64(out, event->time_ms);
    buf_add(out, event->replay_of.bytes, sizeof(event->replay_of.bytes));
    if (event->redact.len > 0)
        buf_add_block(out, event->redact);
}

static size_t read_pairs(struct cursor *cursor, struct pair *pairs, size_t room)
{
    size_t count = cursor_u32(cursor);
    if (count > room) {
        cursor->failed = true;
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        pairs[i].name = cursor_block(cursor);
        pairs[i].value = cursor_block(cursor);
    }
    return count;
}

enum result event_meta_read(struct slice meta, struct event_parts *parts, struct pair *headers, struct pair *params,
                            enum body_kind *kind)
{
    struct cursor cursor = { .rest = meta };
    uint8_t version = cursor_u8(&cursor), kind_byte = cursor_u8(&cursor);
    if (version != META_VERSION || kind_byte > BODY_KIND_LAST)
        return ERR_INVALID;
    parts->method = cursor_block(&cursor);
    parts->path = cursor_block(&cursor);
    parts->query = cursor_block(&cursor);
    parts->remote_ip = cursor_block(&cursor);
    parts->content_type = cursor_block(&cursor);
    parts->provider = cursor_block(&cursor);
    parts->verified = cursor_block(&cursor);
    parts->headers = headers;
    parts->header_count = read_pairs(&cursor, headers, HEADERS_MAX);
    parts->params = params;
    parts->param_count = read_pairs(&cursor, params, PARAMS_MAX);
    parts->time_ms = cursor_u64(&cursor);
    for (size_t i = 0; i < sizeof(parts->replay_of.bytes); i++)
        parts->replay_of.bytes[i] = cursor_u8(&cursor);
    if (cursor.rest.len > 0)
        parts->redact = cursor_block(&cursor);
    if (cursor.failed || cursor.rest.len != 0)
        return ERR_INVALID;
    *kind = (enum body_kind)kind_byte;
    return OK;
}
