/* event_map.c: event.headers, event.query, event.params: looked up by name, and gone through as a plain table. */
#include <lauxlib.h>

#include "body/form.h"
#include "model/lookup.h"
#include "script/event_inside.h"

void event_push_map(lua_State *L, const struct event_handle *handle, enum event_map_kind kind)
{
    struct event_map *map = lua_newuserdata(L, sizeof(*map));
    *map = (struct event_map){ *handle, kind };
    luaL_getmetatable(L, EVENT_MAP_TYPE);
    lua_setmetatable(L, -2);
}

static struct slice map_path(enum event_map_kind kind)
{
    static const struct slice names[] = { SLICE("headers"), SLICE("query"), SLICE("params") };
    return names[kind];
}

int event_map_on_index(lua_State *L)
{
    struct event_map *map = event_userdata(L, 1, EVENT_MAP_TYPE);
    struct event *event = event_alive(L, &map->handle);
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

/* ---- all of it ---- */

static void add_headers(lua_State *L, const struct event *event, struct buf *scratch)
{
    for (size_t i = 0; i < event->header_count; i++) {
        struct slice name = event->headers[i].name;
        buf_clear(scratch);
        for (size_t j = 0; j < name.len; j++) {
            char c = name.data[j];
            buf_add_byte(scratch, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
        }
        push_slice(L, buf_slice(scratch));
        push_slice(L, event_find_named(event, map_path(MAP_HEADERS), name, scratch).text);
        lua_rawset(L, -3);
    }
}

static void add_params(lua_State *L, const struct event *event, struct buf *scratch)
{
    for (size_t i = 0; i < event->param_count; i++) {
        push_slice(L, event->params[i].name);
        push_slice(L, event_find_named(event, map_path(MAP_PARAMS), event->params[i].name, scratch).text);
        lua_rawset(L, -3);
    }
}

static void push_decoded(lua_State *L, struct slice raw, struct buf *scratch)
{
    buf_clear(scratch);
    (void)query_decode(raw, scratch); /* no longer than the query */
    push_slice(L, buf_slice(scratch));
}

static void add_query(lua_State *L, const struct event *event, struct buf *scratch)
{
    struct slice query = event->query, name, value;
    while (query_next(&query, &name, &value)) {
        push_decoded(L, name, scratch); /* table name */
        lua_pushvalue(L, -1);
        lua_rawget(L, -3); /* table name value */
        bool known = !lua_isnil(L, -1);
        lua_pop(L, known ? 2 : 1);
        if (known)
            continue;
        push_decoded(L, value, scratch);
        lua_rawset(L, -3);
    }
}

/* A plain table of everything: names of headers in lower case, first values of the query. */
static void push_table(lua_State *L, const struct event *event, enum event_map_kind kind)
{
    struct buf *scratch = &script_of(L)->scratch;
    lua_newtable(L);
    switch (kind) {
    case MAP_HEADERS:
        add_headers(L, event, scratch);
        break;
    case MAP_QUERY:
        add_query(L, event, scratch);
        break;
    case MAP_PARAMS:
        add_params(L, event, scratch);
        break;
    }
}

int event_map_on_pairs(lua_State *L)
{
    struct event_map *map = event_userdata(L, 1, EVENT_MAP_TYPE);
    push_table(L, event_alive(L, &map->handle), map->kind);
    lua_getfield(L, LUA_REGISTRYINDEX, "tidewire.next");
    lua_pushvalue(L, -2);
    lua_pushnil(L);
    return 3;
}
