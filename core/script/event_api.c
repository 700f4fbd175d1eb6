/* event_api.c: `event` as a rule sees it (rules.md 3, "Event"): read-only, fields decoded when they are looked at. */
#include <lauxlib.h>

#include "base/mem.h"
#include "ingest/encoding.h"
#include "model/lookup.h"
#include "script/body_api.h"
#include "script/inside.h"

#define EVENT_TYPE "tidewire.event"
#define MAP_TYPE   "tidewire.event.map"

enum { LOOKUP_MAX = 256 << 10 };

/* What Lua holds: a place, and which of its events. */
struct handle {
    struct script_event *open;
    uint32_t serial;
};

/* event.headers, event.query, event.params */
enum map_kind { MAP_HEADERS, MAP_QUERY, MAP_PARAMS };
struct map {
    struct handle handle;
    enum map_kind kind;
};

static const char *const fields[] = { "id",           "route",  "type", "provider", "verified",  "received_at",
                                      "time",         "method", "path", "params",   "query",     "headers",
                                      "content_type", "raw",    "body", "data",     "remote_ip", "attempt",
                                      "replay_of",    "get",    "all",  NULL };

/* ---- places ---- */

struct script_event *event_api_begin(struct script *script, struct event *event)
{
    struct script_event *open = script->free_events;
    if (open) {
        script->free_events = open->next_free;
    } else {
        open = MEM_NEW(struct script_event);
        open->next = script->events;
        script->events = open;
    }
    open->event = event_ref(event);
    open->body_view = 0;
    return open;
}

void event_api_end(struct script *script, struct script_event *open)
{
    if (open->body_view)
        view_close(script->views, open->body_view);
    event_unref(open->event);
    open->event = NULL;
    open->serial++;
    open->next_free = script->free_events;
    script->free_events = open;
}

void event_api_free(struct script *script)
{
    while (script->events) {
        struct script_event *next = script->events->next;
        event_unref(script->events->event);
        mem_free(script->events);
        script->events = next;
    }
}

void event_api_push(lua_State *L, struct script *script, struct script_event *open)
{
    struct handle *handle = lua_newuserdata(L, sizeof(*handle));
    (void)script;
    *handle = (struct handle){ open, open->serial };
    luaL_getmetatable(L, EVENT_TYPE);
    lua_setmetatable(L, -2);
}

static struct event *alive(lua_State *L, const struct handle *handle)
{
    if (handle->open->serial != handle->serial)
        luaL_error(L, EVENT_ENDED);
    return handle->open->event;
}

static void *userdata_of(lua_State *L, int index, const char *type)
{
    void *value = lua_touserdata(L, index);
    if (!value || !lua_getmetatable(L, index))
        return NULL;
    luaL_getmetatable(L, type);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? value : NULL;
}

bool event_api_is(lua_State *L, int index, bool *ended)
{
    const struct handle *handle = userdata_of(L, index, EVENT_TYPE);
    *ended = handle && handle->open->serial != handle->serial;
    return handle != NULL;
}

const struct event *event_api_event(lua_State *L, int index)
{
    const struct handle *handle = userdata_of(L, index, EVENT_TYPE);
    return handle ? alive(L, handle) : NULL;
}

static struct handle *check_event(lua_State *L, const char *method)
{
    struct handle *handle = userdata_of(L, 1, EVENT_TYPE);
    if (!handle && lua_type(L, 1) == LUA_TSTRING)
        luaL_error(L, "write event:%s(\"%s\"), with a colon", method, lua_tostring(L, 1));
    if (!handle)
        luaL_error(L, "write event:%s(…), with a colon", method);
    (void)alive(L, handle);
    return handle;
}

/* ---- values ---- */

static void push_slice(lua_State *L, struct slice text)
{
    lua_pushlstring(L, text.data ? text.data : "", text.len);
}

static void push_or_nil(lua_State *L, struct slice text)
{
    if (text.len)
        push_slice(L, text);
    else
        lua_pushnil(L);
}

static void push_id(lua_State *L, struct uuid id)
{
    char text[UUID_TEXT_SIZE];
    if (uuid_is_nil(id)) {
        lua_pushnil(L);
        return;
    }
    uuid_format(id, text);
    lua_pushstring(L, text);
}

static uint64_t body_view(lua_State *L, struct script_event *open)
{
    if (!open->body_view)
        open->body_view = view_open(script_of(L)->views, open->event->json, open->event->id);
    if (!open->body_view)
        luaL_error(L, "not enough memory");
    return open->body_view;
}

static void push_json(lua_State *L, struct script_event *open, struct json_value value)
{
    view_push(L, body_view(L, open), value);
}

void event_api_push_body(lua_State *L, struct script_event *open)
{
    if (open->event->kind == BODY_JSON)
        push_json(L, open, json_root(open->event->json));
    else
        lua_pushnil(L);
}

/* A body that is a table is made once for an event value, in the environment of that userdata. */
static void push_table(lua_State *L, int event, const struct script_event *open)
{
    static const char key;
    lua_getfenv(L, event); /* … env */
    lua_pushlightuserdata(L, (void *)&key);
    lua_rawget(L, -2); /* … env table */
    if (lua_isnil(L, -1)) {
        lua_pop(L, 2);
        lua_createtable(L, 0, 1); /* … env */
        lua_pushlightuserdata(L, (void *)&key);
        body_push(L, open->event); /* … env key table */
        lua_pushvalue(L, -1);
        lua_insert(L, -3); /* … env table key table */
        lua_rawset(L, -4); /* … env table */
        lua_pushvalue(L, -2);
        lua_setfenv(L, event);
    }
    lua_remove(L, -2);
}

/* event: the index of the event value. */
static void push_body(lua_State *L, int event, struct script_event *open)
{
    switch (open->event->kind) {
    case BODY_EMPTY:
        lua_pushnil(L);
        break;
    case BODY_JSON:
    case BODY_NDJSON:
        push_json(L, open, json_root(open->event->json));
        break;
    case BODY_TEXT:
    case BODY_RAW:
        push_slice(L, open->event->text);
        break;
    case BODY_FORM:
    case BODY_MULTIPART:
    case BODY_XML:
        push_table(L, event, open);
        break;
    }
}

/* "…/cloudevents+json", or an item of "…/cloudevents-batch+json". */
static bool is_structured(const struct event *event)
{
    static const struct slice type = SLICE("application/cloudevents");
    struct slice start = { event->content_type.data, type.len };
    return event->content_type.len >= type.len && slice_eq_nocase(start, type);
}

/* nil for what is not base64. scratch: for what JSON has escaped in it. */
static void push_base64(lua_State *L, struct found found, struct buf *scratch)
{
    bool escaped = false, is_text = found.kind == FOUND_JSON && json_type(found.json) == JSON_STRING;
    struct slice text = is_text ? json_string(found.json, &escaped) : SLICE("");
    if (escaped) {
        buf_clear(scratch);
        json_unescape(text, scratch);
        text = buf_slice(scratch);
    }
    unsigned char *bytes = lua_newuserdata(L, text.len + 1); /* of the Lua heap: nothing to free when an error leaves */
    size_t len;
    if (is_text && base64_decode(text, bytes, text.len, &len))
        lua_pushlstring(L, (const char *)bytes, len);
    else
        lua_pushnil(L);
}

/* CloudEvents: what the event is about, whichever of its two forms it came in; nil for others. index: as of push_body. */
static void push_data(lua_State *L, int index, struct script_event *open)
{
    const struct event *event = open->event;
    if (!slice_is(event->provider, "cloudevents")) {
        lua_pushnil(L);
        return;
    }
    if (!is_structured(event)) {
        push_body(L, index, open);
        return;
    }
    struct buf *scratch = &script_of(L)->scratch;
    struct found found = event_lookup(event, SLICE("body.data"), scratch);
    if (found.kind == FOUND_JSON)
        push_json(L, open, found.json);
    else
        push_base64(L, event_lookup(event, SLICE("body.data_base64"), scratch), scratch);
}

static void push_map(lua_State *L, const struct handle *handle, enum map_kind kind)
{
    struct map *map = lua_newuserdata(L, sizeof(*map));
    *map = (struct map){ *handle, kind };
    luaL_getmetatable(L, MAP_TYPE);
    lua_setmetatable(L, -2);
}

/* ---- event:get(path, default), event:all("headers.x") ---- */

static int l_get(lua_State *L)
{
    struct script_event *open = check_event(L, "get")->open;
    struct slice path;
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "event:get wants a path as text, for example event:get(\"body.customer.id\")");
    path.data = lua_tolstring(L, 2, &path.len);
    if (!path_is_valid(path))
        return luaL_error(L, "event:get: '%s' is not a path: write body.items[1].sku or headers.x-id", path.data);
    struct buf *scratch = &script_of(L)->scratch;
    struct found found = event_lookup(open->event, path, scratch);
    if (found.kind == FOUND_TEXT)
        push_slice(L, found.text);
    else if (found.kind == FOUND_JSON)
        push_json(L, open, found.json);
    else if (slice_is(path, "body"))
        push_body(L, 1, open);
    else
        lua_pushnil(L);
    if (lua_isnil(L, -1) && !lua_isnoneornil(L, 3))
        lua_pushvalue(L, 3);
    return 1;
}

static int all_headers(lua_State *L, const struct event *event, struct slice name)
{
    int n = 0;
    lua_newtable(L);
    for (size_t i = 0; i < event->header_count; i++) {
        if (!slice_eq_nocase(event->headers[i].name, name))
            continue;
        push_slice(L, event->headers[i].value);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static int all_query(lua_State *L, const struct event *event, struct slice wanted)
{
    struct slice query = event->query, name, value;
    struct buf *scratch = &script_of(L)->scratch;
    int n = 0;
    lua_newtable(L);
    while (query_next(&query, &name, &value)) {
        buf_clear(scratch);
        if (!query_decode(name, scratch) || !slice_eq(buf_slice(scratch), wanted))
            continue;
        buf_clear(scratch);
        (void)query_decode(value, scratch); /* no longer than the query */
        push_slice(L, buf_slice(scratch));
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static int l_all(lua_State *L)
{
    struct event *event = alive(L, check_event(L, "all"));
    struct slice path;
    struct step first, second;
    path.data = luaL_checklstring(L, 2, &path.len);
    bool named = path_next(&path, &first) && first.kind == STEP_NAME && path_next(&path, &second) && second.kind == STEP_NAME &&
                 path.len == 0;
    if (named && slice_is(first.name, "headers"))
        return all_headers(L, event, second.name);
    if (named && slice_is(first.name, "query"))
        return all_query(L, event, second.name);
    return luaL_error(L, "event:all wants \"headers.some-name\" or \"query.name\"");
}

/* ---- fields ---- */

static int unknown_field(lua_State *L, const char *name)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "tidewire.unknown_field"); /* set by environment.lua: knows near words */
    if (lua_isnil(L, -1))
        return luaL_error(L, "event has no field '%s'", name);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    return luaL_error(L, "%s", lua_tostring(L, -1));
}

static bool push_plain(lua_State *L, const struct event *event, struct slice name)
{
    const struct {
        const char *name;
        struct slice value;
        bool may_be_nil;
    } texts[] = {
        { "type", event->type, true },           { "method", event->method, false },
        { "path", event->path, false },          { "route", event->route, false },
        { "raw", event->body, false },           { "content_type", event->content_type, true },
        { "provider", event->provider, true },   { "verified", event->verified, false },
        { "remote_ip", event->remote_ip, true },
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!slice_is(name, texts[i].name))
            continue;
        if (texts[i].may_be_nil)
            push_or_nil(L, texts[i].value);
        else
            push_slice(L, texts[i].value);
        return true;
    }
    return false;
}

static bool push_made(lua_State *L, const struct handle *handle, struct slice name)
{
    const struct event *event = handle->open->event;
    if (slice_is(name, "id"))
        push_id(L, event->id);
    else if (slice_is(name, "headers"))
        push_map(L, handle, MAP_HEADERS);
    else if (slice_is(name, "query"))
        push_map(L, handle, MAP_QUERY);
    else if (slice_is(name, "params"))
        push_map(L, handle, MAP_PARAMS);
    else if (slice_is(name, "received_at"))
        lua_pushnumber(L, (double)event->received_ms / 1000);
    else if (slice_is(name, "time"))
        lua_pushnumber(L, (double)event->time_ms / 1000);
    else if (slice_is(name, "attempt"))
        lua_pushnumber(L, event->attempt);
    else if (slice_is(name, "replay_of"))
        push_id(L, event->replay_of);
    else if (slice_is(name, "get"))
        lua_pushcfunction(L, l_get);
    else if (slice_is(name, "all"))
        lua_pushcfunction(L, l_all);
    else
        return false;
    return true;
}

static int on_event_index(lua_State *L)
{
    struct handle *handle = userdata_of(L, 1, EVENT_TYPE);
    struct slice name;
    struct event *event = alive(L, handle);
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "event is asked for a field by its name, event.body for example");
    name.data = lua_tolstring(L, 2, &name.len);
    if (slice_is(name, "body")) {
        push_body(L, 1, handle->open);
        return 1;
    }
    if (slice_is(name, "data")) {
        push_data(L, 1, handle->open);
        return 1;
    }
    if (push_plain(L, event, name) || push_made(L, handle, name))
        return 1;
    return unknown_field(L, name.data);
}

static int on_read_only(lua_State *L)
{
    return luaL_error(L, "an event is read-only: what it became is in the messages you send");
}

static int on_event_tostring(lua_State *L)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(alive(L, userdata_of(L, 1, EVENT_TYPE))->id, id);
    lua_pushfstring(L, "event %s", id);
    return 1;
}

/* ---- headers, query, params ---- */

static struct slice map_path(enum map_kind kind)
{
    static const struct slice names[] = { SLICE("headers"), SLICE("query"), SLICE("params") };
    return names[kind];
}

static int on_map_index(lua_State *L)
{
    struct map *map = userdata_of(L, 1, MAP_TYPE);
    struct event *event = alive(L, &map->handle);
    struct slice name;
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    name.data = lua_tolstring(L, 2, &name.len);
    struct found found = event_find_named(event, map_path(map->kind), name, &script_of(L)->scratch);
    if (found.kind == FOUND_TEXT)
        push_slice(L, found.text);
    else
        lua_pushnil(L);
    return 1;
}

/* A plain table of everything: names of headers in lower case, first values of the query. */
static int l_map_table(lua_State *L)
{
    struct map *map = userdata_of(L, 1, MAP_TYPE);
    struct event *event = alive(L, &map->handle);
    const struct pair *pairs = map->kind == MAP_HEADERS ? event->headers : event->params;
    size_t count = map->kind == MAP_HEADERS ? event->header_count : map->kind == MAP_PARAMS ? event->param_count : 0;
    struct slice query = event->query, name, value;
    struct buf *scratch = &script_of(L)->scratch;
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        buf_clear(scratch);
        for (size_t j = 0; j < pairs[i].name.len; j++) {
            char c = pairs[i].name.data[j];
            buf_add_byte(scratch, map->kind == MAP_HEADERS && c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
        }
        push_slice(L, buf_slice(scratch));
        struct found found = event_find_named(event, map_path(map->kind), pairs[i].name, scratch);
        push_slice(L, found.text);
        lua_rawset(L, -3);
    }
    while (map->kind == MAP_QUERY && query_next(&query, &name, &value)) {
        buf_clear(scratch);
        (void)query_decode(name, scratch); /* no longer than the query */
        push_slice(L, buf_slice(scratch));
        lua_pushvalue(L, -1);
        lua_rawget(L, -3);
        bool known = !lua_isnil(L, -1);
        lua_pop(L, 1);
        buf_clear(scratch);
        (void)query_decode(value, scratch);
        if (known) {
            lua_pop(L, 1);
        } else {
            push_slice(L, buf_slice(scratch));
            lua_rawset(L, -3);
        }
    }
    return 1;
}

static int on_map_pairs(lua_State *L)
{
    (void)l_map_table(L);
    lua_getfield(L, LUA_REGISTRYINDEX, "tidewire.next");
    lua_pushvalue(L, -2);
    lua_pushnil(L);
    return 3;
}

/* shown: what `type` says; instead: what to write where one is no value for JSON (encode.c). */
static void make_type(lua_State *L, const char *name, const luaL_Reg *methods, const char *shown, const char *instead)
{
    luaL_newmetatable(L, name);
    for (; methods->name; methods++) {
        lua_pushcfunction(L, methods->func);
        lua_setfield(L, -2, methods->name);
    }
    lua_pushstring(L, shown);
    lua_setfield(L, -2, "__type");
    lua_pushstring(L, instead);
    lua_setfield(L, -2, "__instead");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

int luaopen_tidewire_event(lua_State *L)
{
    static const luaL_Reg event_methods[] = {
        { "__index", on_event_index },
        { "__newindex", on_read_only },
        { "__tostring", on_event_tostring },
        { NULL, NULL },
    };
    static const luaL_Reg map_methods[] = {
        { "__index", on_map_index },
        { "__newindex", on_read_only },
        { "__pairs", on_map_pairs },
        { NULL, NULL },
    };
    make_type(L, EVENT_TYPE, event_methods, "event", "event.body is its body, send(target, event) passes all of it on");
    make_type(L, MAP_TYPE, map_methods, "table",
              "it is event.headers, event.query or event.params, of which the fields that go on are named one by one");
    lua_getglobal(L, "next");
    lua_setfield(L, LUA_REGISTRYINDEX, "tidewire.next");
    lua_newtable(L);
    lua_newtable(L);
    for (int i = 0; fields[i]; i++) {
        lua_pushstring(L, fields[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "fields");
    return 1;
}
