/* event_api.c: the life of `event` values (rules.md 3, "Event"): which events are open in a state, telling a live one from one
 * that a rule has kept too long, and the types that Lua sees. What an event says is in event_fields.c, event_body.c and
 * event_map.c. */
#include <lauxlib.h>

#include "base/mem.h"
#include "script/event_inside.h"

/* ---- open events ---- */

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

/* ---- their values ---- */

void event_api_push(lua_State *L, struct script_event *open)
{
    struct event_handle *handle = lua_newuserdata(L, sizeof(*handle));
    *handle = (struct event_handle){ open, open->serial };
    luaL_getmetatable(L, EVENT_TYPE);
    lua_setmetatable(L, -2);
}

void *event_userdata(lua_State *L, int index, const char *type)
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
    const struct event_handle *handle = event_userdata(L, index, EVENT_TYPE);
    *ended = handle && handle->open->serial != handle->serial;
    return handle != NULL;
}

const struct event *event_api_event(lua_State *L, int index)
{
    const struct event_handle *handle = event_userdata(L, index, EVENT_TYPE);
    return handle ? event_alive(L, handle) : NULL;
}

/* ---- the types ---- */

static int on_read_only(lua_State *L)
{
    return luaL_error(L, "an event is read-only: what it became is in the messages you send");
}

static int on_event_tostring(lua_State *L)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(event_alive(L, event_userdata(L, 1, EVENT_TYPE))->id, id);
    lua_pushfstring(L, "event %s", id);
    return 1;
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
        { "__index", event_on_index },
        { "__newindex", on_read_only },
        { "__tostring", on_event_tostring },
        { NULL, NULL },
    };
    static const luaL_Reg map_methods[] = {
        { "__index", event_map_on_index },
        { "__newindex", on_read_only },
        { "__pairs", event_map_on_pairs },
        { NULL, NULL },
    };
    make_type(L, EVENT_TYPE, event_methods, "event", "event.body is its body, send(target, event) passes all of it on");
    make_type(L, EVENT_MAP_TYPE, map_methods, "table",
              "it is event.headers, event.query or event.params, of which the fields that go on are named one by one");
    lua_getglobal(L, "next");
    lua_setfield(L, LUA_REGISTRYINDEX, "tidewire.next");
    lua_newtable(L);
    event_push_names(L);
    lua_setfield(L, -2, "fields");
    return 1;
}
