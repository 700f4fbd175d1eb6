/* event_fields.c: what an event answers to: event.NAME, event:get(path, default), event:all("headers.x"). Read-only; a value is
 * made when it is looked at. */
#include <lauxlib.h>

#include "body/form.h"
#include "model/lookup.h"
#include "script/event_inside.h"

static const char *const fields[] = { "id",           "route",  "type", "provider", "verified",  "received_at",
                                      "time",         "method", "path", "params",   "query",     "headers",
                                      "content_type", "raw",    "body", "data",     "remote_ip", "attempt",
                                      "replay_of",    "get",    "all",  NULL };

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

/* ---- event:get, event:all ---- */

static struct event_handle *check_event(lua_State *L, const char *method)
{
    struct event_handle *handle = event_userdata(L, 1, EVENT_TYPE);
    if (!handle && lua_type(L, 1) == LUA_TSTRING)
        luaL_error(L, "write event:%s(\"%s\"), with a colon", method, lua_tostring(L, 1));
    if (!handle)
        luaL_error(L, "write event:%s(…), with a colon", method);
    (void)event_alive(L, handle);
    return handle;
}

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
        event_push_json(L, open, found.json);
    else if (slice_is(path, "body"))
        event_push_body(L, 1, open);
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
    struct event *event = event_alive(L, check_event(L, "all"));
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

static bool push_made(lua_State *L, const struct event_handle *handle, struct slice name)
{
    const struct event *event = handle->open->event;
    if (slice_is(name, "id"))
        push_id(L, event->id);
    else if (slice_is(name, "headers"))
        event_push_map(L, handle, MAP_HEADERS);
    else if (slice_is(name, "query"))
        event_push_map(L, handle, MAP_QUERY);
    else if (slice_is(name, "params"))
        event_push_map(L, handle, MAP_PARAMS);
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

int event_on_index(lua_State *L)
{
    struct event_handle *handle = event_userdata(L, 1, EVENT_TYPE);
    struct slice name;
    struct event *event = event_alive(L, handle);
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "event is asked for a field by its name, event.body for example");
    name.data = lua_tolstring(L, 2, &name.len);
    if (slice_is(name, "body")) {
        event_push_body(L, 1, handle->open);
        return 1;
    }
    if (slice_is(name, "data")) {
        event_push_data(L, 1, handle->open);
        return 1;
    }
    if (push_plain(L, event, name) || push_made(L, handle, name))
        return 1;
    return unknown_field(L, name.data);
}

void event_push_names(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; fields[i]; i++) {
        lua_pushstring(L, fields[i]);
        lua_rawseti(L, -2, i + 1);
    }
}
