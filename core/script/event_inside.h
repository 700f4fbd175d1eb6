/* event_inside.h: what Lua holds of an event, for the files that make it of that: event_api.c, event_fields.c, event_body.c,
 * event_map.c. All on the state's thread. */
#ifndef TIDEWIRE_EVENT_INSIDE_H
#define TIDEWIRE_EVENT_INSIDE_H

#include <lauxlib.h>

#include "script/inside.h"

#define EVENT_TYPE     "tidewire.event"
#define EVENT_MAP_TYPE "tidewire.event.map"

/* An event value: a place, and which of its events. */
struct event_handle {
    struct script_event *open;
    uint32_t serial;
};

/* event.headers, event.query, event.params */
enum event_map_kind { MAP_HEADERS, MAP_QUERY, MAP_PARAMS };
struct event_map {
    struct event_handle handle;
    enum event_map_kind kind;
};

/* Raises when the event has ended. Inline, as the next one: asked for each field. */
static inline struct event *event_alive(lua_State *L, const struct event_handle *handle)
{
    if (handle->open->serial != handle->serial)
        luaL_error(L, EVENT_ENDED);
    if (handle->open->event->rests)
        luaL_error(L, EVENT_RESTS);
    return handle->open->event;
}

static inline void push_slice(lua_State *L, struct slice text)
{
    lua_pushlstring(L, text.data ? text.data : "", text.len);
}

/* event_api.c: the userdata at index; NULL: it is not of that type. */
void *event_userdata(lua_State *L, int index, const char *type);

/* event_fields.c: __index of an event, and a list of the names that it knows */
int event_on_index(lua_State *L);
void event_push_names(lua_State *L);

/* event_body.c. index: where the event value stands, which keeps a body that is a table. Each pushes one value. */
void event_push_body(lua_State *L, int index, struct script_event *open);
/* CloudEvents: what the event is about, whichever of its two forms it came in; nil for others. */
void event_push_data(lua_State *L, int index, struct script_event *open);
/* A place in the body, as a view. */
void event_push_json(lua_State *L, struct script_event *open, struct json_value value);

/* event_map.c */
void event_push_map(lua_State *L, const struct event_handle *handle, enum event_map_kind kind);
int event_map_on_index(lua_State *L);
int event_map_on_pairs(lua_State *L);

#endif
