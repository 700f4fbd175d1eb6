/* event_body.c: event.body and event.data: whichever kind of body it is, as Lua values. */
#include <lauxlib.h>

#include "ingest/encoding.h"
#include "model/lookup.h"
#include "script/body_api.h"
#include "script/event_inside.h"

static uint64_t body_view(lua_State *L, struct script_event *open)
{
    if (!open->body_view)
        open->body_view = view_open(script_of(L)->views, open->event->json, open->event->id);
    if (!open->body_view)
        luaL_error(L, "not enough memory");
    return open->body_view;
}

void event_push_json(lua_State *L, struct script_event *open, struct json_value value)
{
    view_push(L, body_view(L, open), value);
}

void event_push_json_body(lua_State *L, struct script_event *open)
{
    if (open->event->kind == BODY_JSON)
        event_push_json(L, open, json_root(open->event->json));
    else
        lua_pushnil(L);
}

/* A body that is a table is made once for an event value, in the environment of that userdata. */
static void push_table(lua_State *L, int index, const struct script_event *open)
{
    static const char key;
    lua_getfenv(L, index); /* … env */
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
        lua_setfenv(L, index);
    }
    lua_remove(L, -2);
}

void event_push_body(lua_State *L, int index, struct script_event *open)
{
    switch (open->event->kind) {
    case BODY_EMPTY:
        lua_pushnil(L);
        break;
    case BODY_JSON:
    case BODY_NDJSON:
        event_push_json(L, open, json_root(open->event->json));
        break;
    case BODY_TEXT:
    case BODY_RAW:
        push_slice(L, open->event->text);
        break;
    case BODY_FORM:
    case BODY_MULTIPART:
    case BODY_XML:
        push_table(L, index, open);
        break;
    }
}

static bool is_structured(const struct event *event)
{
    return event_type_starts(event, SLICE("application/cloudevents"));
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

void event_push_data(lua_State *L, int index, struct script_event *open)
{
    const struct event *event = open->event;
    if (!slice_is(event->provider, "cloudevents")) {
        lua_pushnil(L);
        return;
    }
    if (!is_structured(event)) {
        event_push_body(L, index, open);
        return;
    }
    struct buf *scratch = &script_of(L)->scratch;
    struct found found = event_lookup(event, SLICE("body.data"), scratch);
    if (found.kind == FOUND_JSON)
        event_push_json(L, open, found.json);
    else
        push_base64(L, event_lookup(event, SLICE("body.data_base64"), scratch), scratch);
}
