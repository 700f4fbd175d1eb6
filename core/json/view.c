#include "json/view.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "json/encode.h"
#include "json/secret.h"

#define VIEW_TYPE    "tidewire.view"
#define ANCHOR_TYPE  "tidewire.document"
#define REGISTRY_KEY "tidewire.views"
#define NULL_KEY     "tidewire.null"
#define INTEGER_KEY  "tidewire.integer"

enum { LABEL_SIZE = 64, SLOTS_FIRST = 16, EXACT_DIGITS = 15, SCRATCH_MAX = 64 << 20, DIGITS_MAX = 4096 };

struct view {
    uint32_t slot, serial, node, unused;
};

struct document {
    const struct json_doc *doc; /* NULL: the slot is free */
    uint32_t serial;            /* raised when a document ends */
    uint32_t next_free;
    char *owned; /* text that the rule decoded itself; NULL: somebody else's document */
    char label[LABEL_SIZE];
};

struct view_registry {
    struct document *documents; /* owned */
    uint32_t count, room, free; /* free: the first free slot + 1; 0: none */
    struct buf scratch;         /* decoded text on its way to Lua */
};

/* ---- the registry ---- */

static struct view_registry *registry_of(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, REGISTRY_KEY);
    struct view_registry *registry = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return registry;
}

static void end_document(struct view_registry *registry, uint32_t slot)
{
    struct document *document = &registry->documents[slot];
    if (document->owned) {
        json_free((struct json_doc *)document->doc);
        mem_free(document->owned);
    }
    document->doc = NULL;
    document->owned = NULL;
    document->serial++;
    document->next_free = registry->free;
    registry->free = slot + 1;
}

static bool take_slot(struct view_registry *registry, uint32_t *slot)
{
    if (registry->free) {
        *slot = registry->free - 1;
        registry->free = registry->documents[*slot].next_free;
        return true;
    }
    if (registry->count == registry->room) {
        uint32_t room = registry->room ? registry->room * 2 : SLOTS_FIRST;
        struct document *longer =
            room <= VIEW_DOCUMENTS_MAX * 2 ? mem_realloc(registry->documents, room * sizeof(*longer)) : NULL;
        if (!longer)
            return false;
        registry->documents = longer;
        registry->room = room;
    }
    *slot = registry->count++;
    registry->documents[*slot].serial = 1;
    return true;
}

void view_registry_free(struct view_registry *registry)
{
    if (!registry)
        return;
    for (uint32_t i = 0; i < registry->count; i++)
        if (registry->documents[i].owned)
            end_document(registry, i);
    buf_deinit(&registry->scratch);
    mem_free(registry->documents);
    mem_free(registry);
}

static uint64_t open_document(struct view_registry *registry, const struct json_doc *doc, char *owned, const char *label)
{
    uint32_t slot;
    if (!take_slot(registry, &slot))
        return 0;
    struct document *document = &registry->documents[slot];
    document->doc = doc;
    document->owned = owned;
    snprintf(document->label, sizeof(document->label), "%s", label);
    return (uint64_t)document->serial << 32 | slot;
}

uint64_t view_open(lua_State *L, const struct json_doc *doc, const char *label)
{
    return open_document(registry_of(L), doc, NULL, label);
}

void view_close(lua_State *L, uint64_t handle)
{
    struct view_registry *registry = registry_of(L);
    uint32_t slot = (uint32_t)handle;
    if (handle && registry->documents[slot].serial == (uint32_t)(handle >> 32))
        end_document(registry, slot);
}

/* ---- views ---- */

static struct view *view_or_null(lua_State *L, int index)
{
    void *value = lua_touserdata(L, index);
    if (!value || !lua_getmetatable(L, index))
        return NULL;
    luaL_getmetatable(L, VIEW_TYPE);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? value : NULL;
}

struct json_value view_at(lua_State *L, int index)
{
    struct view *view = view_or_null(L, index);
    if (!view)
        return (struct json_value){ NULL, 0 };
    struct document *document = &registry_of(L)->documents[view->slot];
    if (document->serial != view->serial)
        luaL_error(L, "this body belongs to %s, which has ended: keep copy(v)", document->label);
    return (struct json_value){ document->doc, view->node };
}

/* A view of the same document as `parent` (0: of a handle), keeping alive what keeps it alive. */
static void push_view(lua_State *L, uint32_t slot, uint32_t serial, uint32_t node, int parent)
{
    struct view *view = lua_newuserdata(L, sizeof(*view));
    *view = (struct view){ slot, serial, node, 0 };
    luaL_getmetatable(L, VIEW_TYPE);
    lua_setmetatable(L, -2);
    if (parent) {
        lua_getfenv(L, parent);
        lua_setfenv(L, -2);
    }
}

static void push_text(lua_State *L, struct slice raw, bool escaped)
{
    if (!escaped) {
        lua_pushlstring(L, raw.data, raw.len);
        return;
    }
    struct buf *scratch = &registry_of(L)->scratch;
    buf_clear(scratch);
    json_unescape(raw, scratch);
    if (!buf_ok(scratch))
        luaL_error(L, "not enough memory");
    lua_pushlstring(L, scratch->data, scratch->len);
}

/* Integers of 15 digits and more are exact: lua/tidewire/views.lua makes them from their digits. */
static void push_number(lua_State *L, struct json_value value)
{
    unsigned digits;
    if (!json_is_integer(value, &digits) || digits < EXACT_DIGITS) {
        lua_pushnumber(L, json_number(value));
        return;
    }
    struct slice text = json_text(value);
    if (text.len > DIGITS_MAX)
        luaL_error(L, "a number of more than %d digits", DIGITS_MAX);
    lua_getfield(L, LUA_REGISTRYINDEX, INTEGER_KEY);
    lua_pushlstring(L, text.data, text.len);
    lua_call(L, 1, 1);
}

static void push_value(lua_State *L, uint32_t slot, uint32_t serial, struct json_value value, bool listed, int parent)
{
    bool escaped;
    switch (json_type(value)) {
    case JSON_NULL:
        if (listed)
            lua_getfield(L, LUA_REGISTRYINDEX, NULL_KEY);
        else
            lua_pushnil(L);
        break;
    case JSON_FALSE:
    case JSON_TRUE:
        lua_pushboolean(L, json_type(value) == JSON_TRUE);
        break;
    case JSON_NUMBER:
        push_number(L, value);
        break;
    case JSON_STRING: {
        struct slice raw = json_string(value, &escaped);
        push_text(L, raw, escaped);
        break;
    }
    case JSON_ARRAY:
    case JSON_OBJECT:
        push_view(L, slot, serial, value.node, parent);
        break;
    }
}

void view_push(lua_State *L, uint64_t handle, struct json_value value, bool listed)
{
    push_value(L, (uint32_t)handle, (uint32_t)(handle >> 32), value, listed, 0);
}

static void push_child(lua_State *L, int view_index, struct json_value child, bool listed)
{
    const struct view *view = lua_touserdata(L, view_index);
    if (!child.doc)
        lua_pushnil(L);
    else
        push_value(L, view->slot, view->serial, child, listed, view_index);
}

/* ---- the metatable ---- */

static struct json_value child_named(lua_State *L, struct json_value value, int key)
{
    struct slice name;
    if (json_type(value) == JSON_OBJECT && lua_type(L, key) == LUA_TSTRING) {
        name.data = lua_tolstring(L, key, &name.len);
        return json_member(value, name);
    }
    if (json_type(value) == JSON_ARRAY && lua_type(L, key) == LUA_TNUMBER) {
        double number = lua_tonumber(L, key);
        if (number >= 1 && number <= json_count(value) && number == (uint32_t)number)
            return json_element(value, (uint32_t)number - 1);
    }
    return (struct json_value){ NULL, 0 };
}

static int on_index(lua_State *L)
{
    push_child(L, 1, child_named(L, view_at(L, 1), 2), false);
    return 1;
}

static int on_length(lua_State *L)
{
    struct json_value value = view_at(L, 1);
    lua_pushinteger(L, json_type(value) == JSON_ARRAY ? (lua_Integer)json_count(value) : 0);
    return 1;
}

static int on_equal(lua_State *L)
{
    const struct view *a = view_or_null(L, 1), *b = view_or_null(L, 2);
    lua_pushboolean(L, a && b && a->slot == b->slot && a->serial == b->serial && a->node == b->node);
    return 1;
}

static int on_tostring(lua_State *L)
{
    struct slice text = json_text(view_at(L, 1));
    lua_pushlstring(L, text.data, text.len);
    return 1;
}

static int on_newindex(lua_State *L)
{
    return luaL_error(L, "a view is read-only: copy(v) gives a table to change, merge and set give a changed view");
}

static int on_join(lua_State *L)
{
    return luaL_error(L, "an object or array cannot be joined to text: name a field, or use json.encode(v)");
}

static int on_call(lua_State *L)
{
    return luaL_error(L, "a view has no methods: write get(v, \"path\")");
}

/* ---- walking: an iterator that remembers its place ---- */

static int iterate(lua_State *L)
{
    struct json_value value = view_at(L, lua_upvalueindex(1));
    uint32_t node = (uint32_t)lua_tonumber(L, lua_upvalueindex(2)), index = (uint32_t)lua_tonumber(L, lua_upvalueindex(3)) + 1;
    struct json_value child = node ? json_next((struct json_value){ value.doc, node }) : json_first(value);
    if (!child.doc)
        return 0;
    lua_pushnumber(L, child.node);
    lua_replace(L, lua_upvalueindex(2));
    lua_pushnumber(L, index);
    lua_replace(L, lua_upvalueindex(3));
    if (json_type(value) == JSON_OBJECT) {
        bool escaped;
        struct slice key = json_key(child, &escaped);
        push_text(L, key, escaped);
    } else {
        lua_pushnumber(L, index);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    push_child(L, lua_gettop(L), child, true);
    lua_remove(L, -2);
    return 2;
}

/* walk(view) -> iterator of key, value */
static int l_walk(lua_State *L)
{
    (void)view_at(L, 1);
    lua_pushvalue(L, 1);
    lua_pushnumber(L, 0);
    lua_pushnumber(L, 0);
    lua_pushcclosure(L, iterate, 3);
    return 1;
}

/* kind(value) -> "object", "array", "secret", "null", or nothing for what Lua knows by itself */
static int l_kind(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TUSERDATA)
        return 0;
    if (view_or_null(L, 1)) {
        lua_pushstring(L, json_type(view_at(L, 1)) == JSON_OBJECT ? "object" : "array");
        return 1;
    }
    if (secret_is(L, 1)) {
        lua_pushliteral(L, "secret");
        return 1;
    }
    lua_getfield(L, LUA_REGISTRYINDEX, NULL_KEY);
    if (!lua_rawequal(L, 1, -1))
        return 0;
    lua_pushliteral(L, "null");
    return 1;
}

/* ---- for edits: where a child's bytes stand inside the text of its container, from 1 ---- */

/* span(view, key) -> first, last byte of the value; nothing: absent */
static int l_span(lua_State *L)
{
    struct json_value value = view_at(L, 1), child = child_named(L, value, 2);
    if (!child.doc)
        return 0;
    struct slice whole = json_text(value), part = json_text(child);
    lua_pushnumber(L, (lua_Number)(part.data - whole.data + 1));
    lua_pushnumber(L, (lua_Number)(part.data - whole.data + (ptrdiff_t)part.len));
    return 2;
}

/* member_span(view, key) -> first, last byte of the whole member or element with one comma beside it, so that it can be cut out
 */
static int l_member_span(lua_State *L)
{
    struct json_value value = view_at(L, 1), child = child_named(L, value, 2), before = { NULL, 0 };
    if (!child.doc)
        return 0;
    struct slice whole = json_text(value), part = json_text(child);
    const char *first = part.data, *last = part.data + part.len;
    if (json_type(value) == JSON_OBJECT) {
        bool escaped;
        first = json_key(child, &escaped).data - 1;
    }
    for (struct json_value at = json_first(value); at.doc && at.node != child.node; at = json_next(at))
        before = at;
    if (before.doc) {
        struct slice former = json_text(before);
        first = former.data + former.len;
    } else {
        struct json_value after = json_next(child);
        if (after.doc) {
            bool escaped;
            last = json_type(value) == JSON_OBJECT ? json_key(after, &escaped).data - 1 : json_text(after).data;
        }
    }
    lua_pushnumber(L, (lua_Number)(first - whole.data + 1));
    lua_pushnumber(L, (lua_Number)(last - whole.data));
    return 2;
}

/* tail(view) -> the byte behind which a new member goes (the last member's end, or the opening bracket), number of children */
static int l_tail(lua_State *L)
{
    struct json_value value = view_at(L, 1), last = { NULL, 0 };
    struct slice whole = json_text(value);
    for (struct json_value at = json_first(value); at.doc; at = json_next(at))
        last = at;
    struct slice text = last.doc ? json_text(last) : (struct slice){ whole.data, 1 };
    lua_pushnumber(L, (lua_Number)(text.data - whole.data + (ptrdiff_t)text.len));
    lua_pushnumber(L, json_count(value));
    return 2;
}

/* count(view) -> children */
static int l_count(lua_State *L)
{
    lua_pushnumber(L, json_count(view_at(L, 1)));
    return 1;
}

/* ---- documents that rules make ---- */

static int on_anchor_gc(lua_State *L)
{
    const struct view *anchor = lua_touserdata(L, 1);
    struct view_registry *registry = registry_of(L);
    if (registry->documents[anchor->slot].serial == anchor->serial)
        end_document(registry, anchor->slot);
    return 0;
}

static int decode_failed(lua_State *L, const struct json_error *error)
{
    lua_pushnil(L);
    lua_pushfstring(L, "not valid JSON: %s at byte %d", error->what, (int)error->offset);
    return 2;
}

/* decode(text) -> value | nil, message */
static int l_decode(lua_State *L)
{
    struct slice text;
    struct json_doc *doc;
    struct json_error error;
    if (lua_type(L, 1) != LUA_TSTRING)
        return luaL_error(L, "json.decode wants a string, got %s", luaL_typename(L, 1));
    text.data = lua_tolstring(L, 1, &text.len);
    if (text.len > VIEW_DOCUMENT_BYTES_MAX)
        return luaL_error(L, "json.decode takes at most %d bytes", VIEW_DOCUMENT_BYTES_MAX);
    /* the anchor first: from then on Lua may raise and nothing is lost */
    struct view *anchor = lua_newuserdata(L, sizeof(*anchor));
    *anchor = (struct view){ 0, 0, 0, 0 };
    char *copy = mem_alloc(text.len + 1);
    if (!copy)
        return luaL_error(L, "not enough memory");
    memcpy(copy, text.data, text.len);
    enum result rc = json_index((struct slice){ copy, text.len }, &doc, &error);
    if (rc != OK) {
        mem_free(copy);
        return rc == ERR_MEMORY ? luaL_error(L, "not enough memory") : decode_failed(L, &error);
    }
    uint64_t handle = open_document(registry_of(L), doc, copy, "a decoded text");
    if (!handle) {
        json_free(doc);
        mem_free(copy);
        return luaL_error(L, "too many decoded texts are kept");
    }
    anchor->slot = (uint32_t)handle;
    anchor->serial = (uint32_t)(handle >> 32);
    luaL_getmetatable(L, ANCHOR_TYPE);
    lua_setmetatable(L, -2);
    view_push(L, handle, json_root(doc), true);
    if (view_or_null(L, -1)) { /* the view's environment holds the anchor */
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, -3);
        lua_rawseti(L, -2, 1);
        lua_setfenv(L, -2);
    }
    return 1;
}

/* encode(value) -> text; raises with the path of what cannot be written */
static int l_encode(lua_State *L)
{
    struct buf *out = &registry_of(L)->scratch;
    struct encode_error error;
    buf_clear(out);
    if (encode_json(L, 1, out, ENCODE_PLAIN, &error) != OK)
        return luaL_error(L, "json.encode: %s", error.text);
    lua_pushlstring(L, out->data, out->len);
    return 1;
}

/* number(n) -> the shortest digits that read back equal */
static int l_number(lua_State *L)
{
    struct buf *out = &registry_of(L)->scratch;
    buf_clear(out);
    json_write_number(out, luaL_checknumber(L, 1));
    lua_pushlstring(L, out->data, out->len);
    return 1;
}

/* set_integer(f): the maker of exact integers */
static int l_set_integer(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_setfield(L, LUA_REGISTRYINDEX, INTEGER_KEY);
    return 0;
}

static int l_secret(lua_State *L)
{
    struct slice name;
    name.data = luaL_checklstring(L, 1, &name.len);
    secret_push(L, name);
    return 1;
}

static int on_null_tostring(lua_State *L)
{
    lua_pushliteral(L, "null");
    return 1;
}

/* ---- opening ---- */

static void set_functions(lua_State *L, const luaL_Reg *functions)
{
    for (; functions->name; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

static void open_view_type(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "__index", on_index },
        { "__len", on_length },
        { "__eq", on_equal },
        { "__tostring", on_tostring },
        { "__newindex", on_newindex },
        { "__concat", on_join },
        { "__lt", on_join },
        { "__le", on_join },
        { "__add", on_join },
        { "__sub", on_join },
        { "__mul", on_join },
        { "__div", on_join },
        { "__mod", on_join },
        { "__unm", on_join },
        { "__pow", on_join },
        { "__call", on_call },
        { NULL, NULL },
    };
    luaL_newmetatable(L, VIEW_TYPE);
    set_functions(L, methods);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_newmetatable(L, ANCHOR_TYPE);
    lua_pushcfunction(L, on_anchor_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

static void open_null(lua_State *L)
{
    lua_newuserdata(L, 1);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, on_null_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, NULL_KEY);
}

struct view_registry *view_registry_new(lua_State *L)
{
    struct view_registry *registry = MEM_NEW(struct view_registry);
    buf_init(&registry->scratch, SCRATCH_MAX);
    lua_pushlightuserdata(L, registry);
    lua_setfield(L, LUA_REGISTRYINDEX, REGISTRY_KEY);
    open_view_type(L);
    open_null(L);
    secret_open(L);
    return registry;
}

int luaopen_tidewire_views_native(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "walk", l_walk },     { "kind", l_kind },
        { "span", l_span },     { "member_span", l_member_span },
        { "tail", l_tail },     { "count", l_count },
        { "decode", l_decode }, { "encode", l_encode },
        { "number", l_number }, { "set_integer", l_set_integer },
        { "secret", l_secret }, { NULL, NULL },
    };
    lua_createtable(L, 0, 16);
    set_functions(L, functions);
    lua_getfield(L, LUA_REGISTRYINDEX, NULL_KEY);
    lua_setfield(L, -2, "null");
    encode_push_arrays(L);
    lua_setfield(L, -2, "arrays");
    return 1;
}
