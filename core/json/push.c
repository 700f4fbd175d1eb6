/* push.c: from a place in a document to a Lua value, and from a text in Lua to a document. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json/registry.h"

enum { PLAIN_DIGITS_MAX = 14 /* what Lua prints of a number; longer integers stay exact */, SPLIT = 1000000000 };

/* ---- numbers ---- */

static void push_big(lua_State *L, struct views *views, struct slice text)
{
    struct big *big = lua_newuserdata(L, sizeof(*big) + text.len);
    big->len = (uint32_t)text.len;
    memcpy(big->digits, text.data, text.len);
    lua_rawgeti(L, LUA_REGISTRYINDEX, views->big_ref);
    lua_setmetatable(L, -2);
}

/* By a Lua function: the C interface cannot make LuaJIT's integers. */
static void push_exact(lua_State *L, struct views *views, struct slice text, bool negative, uint64_t magnitude)
{
    double sign = negative ? -1 : 1;
    lua_rawgeti(L, LUA_REGISTRYINDEX, views->integer_ref);
    lua_pushlstring(L, text.data, text.len);
    lua_pushnumber(L, sign * (double)(magnitude / SPLIT));
    lua_pushnumber(L, sign * (double)(magnitude % SPLIT));
    lua_pushboolean(L, magnitude > INT64_MAX && !negative);
    lua_call(L, 4, 1);
}

static void push_integer(lua_State *L, struct views *views, struct slice text, unsigned digits)
{
    bool negative = text.data[0] == '-';
    uint64_t magnitude;
    bool fits = parse_magnitude(slice_from(text, negative), &magnitude) && (!negative || magnitude <= (uint64_t)INT64_MAX + 1);
    if (!fits)
        push_big(L, views, text);
    else if (digits > PLAIN_DIGITS_MAX)
        push_exact(L, views, text, negative, magnitude);
    else
        lua_pushnumber(L, negative ? -(double)magnitude : (double)magnitude);
}

static void push_number(lua_State *L, struct views *views, struct json_value value)
{
    unsigned digits;
    if (json_is_integer(value, &digits)) {
        push_integer(L, views, json_text(value), digits);
        return;
    }
    double number = json_number(value);
    if (isfinite(number))
        lua_pushnumber(L, number);
    else
        push_big(L, views, json_text(value));
}

bool view_push_digits(lua_State *L, int index)
{
    struct views *views = views_of(L);
    if (is_big(L, views, index)) {
        const struct big *big = lua_touserdata(L, index);
        lua_pushlstring(L, big->digits, big->len);
        return true;
    }
    if (lua_type(L, index) != LUA_TYPE_CDATA)
        return false;
    lua_pushvalue(L, index);
    lua_rawgeti(L, LUA_REGISTRYINDEX, views->digits_ref);
    lua_insert(L, -2);
    lua_call(L, 1, 1); /* "12LL", "12ULL"; of other cdata something else */
    struct slice text;
    text.data = lua_tolstring(L, -1, &text.len);
    while (text.len > 0 && (text.data[text.len - 1] == 'L' || text.data[text.len - 1] == 'U'))
        text.len--;
    bool is_integer = text.len > 0 && strspn(text.data, "-0123456789") == text.len;
    if (is_integer) {
        lua_pushlstring(L, text.data, text.len);
        lua_remove(L, -2);
    } else {
        lua_pop(L, 1);
    }
    return is_integer;
}

/* ---- strings ---- */

static void push_string(lua_State *L, struct views *views, struct slice raw, bool escaped)
{
    if (!escaped) {
        lua_pushlstring(L, raw.data, raw.len);
        return;
    }
    scratch_clear(&views->run);
    json_unescape(raw, &views->run);
    if (!buf_ok(&views->run))
        luaL_error(L, "not enough memory");
    lua_pushlstring(L, views->run.data, views->run.len);
}

void push_key(lua_State *L, struct views *views, struct json_value member)
{
    bool escaped;
    struct slice key = json_key(member, &escaped);
    push_string(L, views, key, escaped);
}

/* ---- values ---- */

static void push_view(lua_State *L, struct views *views, const struct view *at, uint32_t node, int parent)
{
    struct view *view = lua_newuserdata(L, sizeof(*view));
    *view = (struct view){ .slot = at->slot, .serial = at->serial, .node = node };
    lua_rawgeti(L, LUA_REGISTRYINDEX, views->view_ref);
    lua_setmetatable(L, -2);
    if (parent && views->slots[at->slot].in_lua) {
        lua_getfenv(L, parent);
        lua_setfenv(L, -2);
    }
}

void push_value(lua_State *L, struct views *views, const struct view *at, struct json_value value, bool listed, int parent)
{
    bool escaped;
    switch (json_type(value)) {
    case JSON_NULL:
        if (listed)
            lua_rawgeti(L, LUA_REGISTRYINDEX, views->null_ref);
        else
            lua_pushnil(L);
        break;
    case JSON_FALSE:
    case JSON_TRUE:
        lua_pushboolean(L, json_type(value) == JSON_TRUE);
        break;
    case JSON_NUMBER:
        push_number(L, views, value);
        break;
    case JSON_STRING: {
        struct slice raw = json_string(value, &escaped);
        push_string(L, views, raw, escaped);
        break;
    }
    case JSON_ARRAY:
    case JSON_OBJECT:
        push_view(L, views, at, value.node, parent);
        break;
    }
}

static void push_opened(lua_State *L, uint64_t handle, struct json_value value, bool listed)
{
    struct view at = { .slot = (uint32_t)handle, .serial = (uint32_t)(handle >> 32) };
    push_value(L, views_of(L), &at, value, listed, 0);
}

void view_push(lua_State *L, uint64_t handle, struct json_value value)
{
    push_opened(L, handle, value, false);
}

void view_push_listed(lua_State *L, uint64_t handle, struct json_value value)
{
    push_opened(L, handle, value, true);
}

void view_push_null(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, views_of(L)->null_ref);
}

/* ---- documents in the Lua heap ---- */

/* The block that holds an index; its text is a Lua string. A table { anchor, text } is the environment of every view of the
 * document, so both live as long as the last view. */
struct anchor {
    uint64_t handle;
    struct views *views;
    _Alignas(void *) char index[];
};

int anchor_gc(lua_State *L)
{
    const struct anchor *anchor = lua_touserdata(L, 1);
    if (anchor->handle)
        view_close(anchor->views, anchor->handle);
    return 0;
}

/* Pushes an anchor that took over views->moving. */
static struct anchor *push_anchor(lua_State *L, struct views *views)
{
    struct anchor *anchor = lua_newuserdata(L, sizeof(*anchor) + json_packed_bytes(views->moving));
    anchor->handle = 0;
    anchor->views = views;
    struct json_doc *doc = json_pack(views->moving, anchor->index);
    json_free(views->moving);
    views->moving = NULL;
    lua_rawgeti(L, LUA_REGISTRYINDEX, views->anchor_ref);
    lua_setmetatable(L, -2);
    anchor->handle = view_open(views, doc, (struct uuid){ 0 });
    if (!anchor->handle)
        luaL_error(L, "not enough memory");
    views->slots[(uint32_t)anchor->handle].in_lua = true;
    return anchor;
}

/* The text is on top. */
static void push_document(lua_State *L, struct views *views)
{
    int text = lua_gettop(L);
    const struct anchor *anchor = push_anchor(L, views);
    struct view at = { .slot = (uint32_t)anchor->handle, .serial = (uint32_t)(anchor->handle >> 32) };
    lua_createtable(L, 2, 0);       /* text anchor life */
    lua_insert(L, -2);              /* text life anchor */
    lua_rawseti(L, -2, 1);          /* text life */
    lua_pushvalue(L, text);         /* text life text */
    lua_rawseti(L, -2, 2);          /* text life */
    push_view(L, views, &at, 0, 0); /* text life view */
    lua_insert(L, -2);              /* text view life */
    lua_setfenv(L, -2);             /* text view */
}

bool push_decoded(lua_State *L, struct views *views, struct json_error *error)
{
    struct slice text;
    int at = lua_gettop(L);
    text.data = lua_tolstring(L, -1, &text.len);
    json_free(views->moving); /* left behind when memory ended */
    views->moving = NULL;
    enum result rc = json_index(text, &views->moving, error);
    if (rc == ERR_MEMORY)
        luaL_error(L, "not enough memory");
    if (rc != OK)
        return false;
    struct json_value root = json_root(views->moving);
    if (json_type(root) == JSON_ARRAY || json_type(root) == JSON_OBJECT) {
        push_document(L, views);
    } else {
        push_value(L, views, NULL, root, false, 0);
        json_free(views->moving);
        views->moving = NULL;
    }
    lua_replace(L, at);
    return true;
}

bool view_decode(lua_State *L, int index)
{
    struct json_error error;
    lua_pushvalue(L, index);
    if (lua_objlen(L, -1) > VIEW_TEXT_MAX) {
        lua_pop(L, 1);
        lua_pushfstring(L, "longer than %d MiB", VIEW_TEXT_MAX >> 20);
        return false;
    }
    if (push_decoded(L, views_of(L), &error))
        return true;
    lua_pop(L, 1);
    lua_pushfstring(L, "%s at byte %d", error.what, (int)error.offset);
    return false;
}
