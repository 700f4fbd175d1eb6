#include "script/record.h"

#include <lauxlib.h>

#include "base/buf.h"
#include "ingest/cidr.h"
#include "json/secret.h"
#include "model/message.h"

void *record_take(const struct record *record, size_t size)
{
    void *memory = arena_alloc(&record->generation->arena, size ? size : 1);
    if (!memory)
        luaL_error(record->L, "not enough memory");
    return memory;
}

static struct slice keep(const struct record *record, struct slice text)
{
    struct slice kept = arena_copy(&record->generation->arena, text);
    if (!kept.data)
        luaL_error(record->L, "not enough memory");
    return kept;
}

/* ---- fields ---- */

static struct slice top_text(const struct record *record)
{
    struct slice text = { NULL, 0 };
    if (lua_type(record->L, -1) == LUA_TSTRING) {
        text.data = lua_tolstring(record->L, -1, &text.len);
        text = keep(record, text);
    }
    return text;
}

struct slice record_text(const struct record *record, const char *name)
{
    lua_getfield(record->L, -1, name);
    struct slice text = top_text(record);
    lua_pop(record->L, 1);
    return text;
}

double record_number(const struct record *record, const char *name)
{
    lua_getfield(record->L, -1, name);
    double number = lua_tonumber(record->L, -1);
    lua_pop(record->L, 1);
    return number;
}

bool record_flag(const struct record *record, const char *name)
{
    lua_getfield(record->L, -1, name);
    bool flag = lua_toboolean(record->L, -1);
    lua_pop(record->L, 1);
    return flag;
}

int record_word(const struct record *record, const char *name, const char *const *words)
{
    int found = 0;
    lua_getfield(record->L, -1, name);
    const char *text = lua_tostring(record->L, -1);
    for (int i = 0; text && words[i]; i++)
        if (strcmp(words[i], text) == 0)
            found = i;
    lua_pop(record->L, 1);
    return found;
}

int record_known_word(const struct record *record, const char *name, const char *const *words)
{
    int found = record_word(record, name, words);
    struct slice text = record_text(record, name);
    if (!text.data || !slice_is(text, words[found]))
        luaL_error(record->L, "no such %s: %s", name, text.data ? text.data : "none");
    return found;
}

/* A text or secret at the top, as pieces. */
static struct slice top_pieces(const struct record *record, enum escaping escaping)
{
    struct buf pieces;
    buf_init(&pieces, SECRET_TEXT_MAX * 2);
    if (secret_is(record->L, -1)) {
        secret_pieces(record->L, lua_gettop(record->L), &pieces, escaping);
    } else {
        struct slice text = { lua_tostring(record->L, -1), lua_objlen(record->L, -1) };
        if (text.data)
            pieces_text(&pieces, text, escaping);
    }
    struct slice kept = arena_copy(&record->generation->arena, buf_slice(&pieces));
    buf_deinit(&pieces);
    if (!kept.data)
        luaL_error(record->L, "not enough memory");
    return kept;
}

struct slice record_escaped_pieces(const struct record *record, const char *name, enum escaping escaping)
{
    lua_getfield(record->L, -1, name);
    struct slice pieces = top_pieces(record, escaping);
    lua_pop(record->L, 1);
    return pieces;
}

struct slice record_pieces(const struct record *record, const char *name)
{
    return record_escaped_pieces(record, name, ESCAPE_NONE);
}

/* ---- tables and lists in it ---- */

bool record_enter(const struct record *record, const char *name)
{
    lua_getfield(record->L, -1, name);
    if (lua_istable(record->L, -1))
        return true;
    lua_pop(record->L, 1);
    return false;
}

bool record_enter_list(const struct record *record, const char *name, size_t *count)
{
    bool there = record_enter(record, name);
    *count = there ? lua_objlen(record->L, -1) : 0;
    return there;
}

void record_enter_item(const struct record *record, size_t i)
{
    lua_rawgeti(record->L, -1, (int)i + 1);
}

void record_leave(const struct record *record)
{
    lua_pop(record->L, 1);
}

const struct slice *record_texts(const struct record *record, const char *name, size_t *count)
{
    if (!record_enter_list(record, name, count))
        return NULL;
    struct slice *texts = record_take(record, *count * sizeof(*texts));
    for (size_t i = 0; i < *count; i++) {
        record_enter_item(record, i);
        texts[i] = top_text(record);
        record_leave(record);
    }
    record_leave(record);
    return texts;
}

size_t record_few_texts(const struct record *record, const char *name, struct slice *out, size_t most)
{
    size_t count;
    const struct slice *texts = record_texts(record, name, &count);
    if (count > most)
        count = most;
    for (size_t i = 0; i < count; i++)
        out[i] = texts[i];
    return count;
}

const struct pair *record_pairs(const struct record *record, const char *name, size_t *count, bool as_pieces)
{
    if (!record_enter_list(record, name, count))
        return NULL;
    struct pair *list = record_take(record, *count * sizeof(*list));
    for (size_t i = 0; i < *count; i++) {
        record_enter_item(record, i);
        record_enter_item(record, 0);
        list[i].name = top_text(record);
        record_leave(record);
        record_enter_item(record, 1);
        list[i].value = as_pieces ? top_pieces(record, ESCAPE_NONE) : top_text(record);
        record_leave(record);
        record_leave(record);
    }
    record_leave(record);
    return list;
}

/* ---- what several kinds of records have ---- */

static uint64_t limit_of(const struct record *record, const char *name, uint64_t otherwise)
{
    double value = record_number(record, name);
    return value > 0 ? (uint64_t)value : otherwise;
}

struct limits record_limits(const struct record *record, const struct limits *otherwise)
{
    struct limits limits = *otherwise;
    if (!record_enter(record, "limits"))
        return limits;
    limits.handler_cpu_ms = limit_of(record, "handler_cpu", limits.handler_cpu_ms);
    limits.handler_time_ms = limit_of(record, "handler_time", limits.handler_time_ms);
    limits.handler_memory = limit_of(record, "handler_memory", limits.handler_memory);
    limits.state_memory = limit_of(record, "state_memory", limits.state_memory);
    record_leave(record);
    return limits;
}

static const uint16_t *statuses_of(const struct record *record, const char *name, size_t *count)
{
    if (!record_enter_list(record, name, count))
        return NULL;
    uint16_t *statuses = record_take(record, *count * sizeof(*statuses));
    for (size_t i = 0; i < *count; i++) {
        record_enter_item(record, i);
        statuses[i] = (uint16_t)lua_tonumber(record->L, -1);
        record_leave(record);
    }
    record_leave(record);
    return statuses;
}

struct retry_policy record_retry(const struct record *record)
{
    struct retry_policy retry = { 0 };
    if (!record_enter(record, "retry"))
        return retry;
    retry.attempts = (uint32_t)record_number(record, "attempts");
    retry.first_ms = (uint64_t)record_number(record, "first");
    retry.max_ms = (uint64_t)record_number(record, "max");
    retry.within_ms = (uint64_t)record_number(record, "within");
    retry.factor = record_number(record, "factor");
    retry.on = statuses_of(record, "on", &retry.on_count);
    record_leave(record);
    return retry;
}

const struct cidr *record_ranges(const struct record *record, const char *name, size_t *count)
{
    const struct slice *texts = record_texts(record, name, count);
    struct cidr *ranges = record_take(record, *count * sizeof(*ranges));
    for (size_t i = 0; i < *count; i++)
        if (!cidr_parse(texts[i], &ranges[i]))
            luaL_error(record->L, "not an address range: %s", texts[i].data); /* the loader has checked it */
    return ranges;
}
