/* view.c: the metatables: what a view, json.null and a number beyond 64 bits answer to Lua's operators; and the opening of it
 * all. */
#include "json/view.h"

#include <lualib.h>

#include "json/encode.h"
#include "json/registry.h"
#include "json/secret.h"
#include "script/lua_source.h"

#define READ_ONLY "a view is read-only: copy(v) gives a table to change, merge and set give a changed view"
#define NO_TEXT   "an object or array cannot be joined to text: name a field, or use json.encode(v)"

static const struct json_value NONE = { NULL, 0 };

/* ---- a view ---- */

struct json_value view_element(struct slot *slot, struct json_value array, double index)
{
    if (json_type(array) != JSON_ARRAY || !(index >= 1 && index <= json_count(array)) || index != (uint32_t)index)
        return NONE;
    struct place *place = &slot->places[array.node % PLACES_MAX];
    struct json_value element = json_first(array);
    uint32_t at = 1, wanted = (uint32_t)index;
    if (place->node && place->container == array.node && place->index <= wanted) {
        element.node = place->node;
        at = place->index;
    }
    for (; at < wanted; at++)
        element = json_next(element);
    *place = (struct place){ .container = array.node, .index = wanted, .node = element.node };
    return element;
}

static struct json_value find(lua_State *L, struct slot *slot, struct json_value value, int key)
{
    if (lua_type(L, key) == LUA_TNUMBER)
        return view_element(slot, value, lua_tonumber(L, key));
    if (lua_type(L, key) != LUA_TSTRING)
        return NONE;
    struct slice name;
    name.data = lua_tolstring(L, key, &name.len);
    return json_member(value, name);
}

/* Remembers what was not there, for the help with an error that may follow. */
static void note_missed(lua_State *L, struct views *views, const struct view *view, struct json_value object)
{
    size_t len;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &len) : NULL;
    if (!name || len >= MISSED_SIZE || json_type(object) != JSON_OBJECT)
        return;
    views->missed = *view;
    memcpy(views->missed_name, name, len + 1);
}

bool view_missed(struct views *views, struct json_value *object, struct slice *name)
{
    struct slot *slot = views->missed.serial ? view_slot(views, &views->missed) : NULL;
    if (!slot)
        return false;
    *object = (struct json_value){ slot->doc, views->missed.node };
    *name = slice_of(views->missed_name);
    return true;
}

static int view_index(lua_State *L)
{
    struct views *views = views_upvalue(L);
    struct json_value value = view_value(L, views, 1);
    const struct view *view = lua_touserdata(L, 1);
    struct json_value found = find(L, &views->slots[view->slot], value, 2);
    if (found.doc) {
        push_value(L, views, view, found, false, 1);
    } else {
        note_missed(L, views, view, value);
        lua_pushnil(L);
    }
    return 1;
}

static int view_len(lua_State *L)
{
    struct json_value value = view_value(L, views_upvalue(L), 1);
    lua_pushnumber(L, json_type(value) == JSON_ARRAY ? json_count(value) : 0);
    return 1;
}

static int view_eq(lua_State *L)
{
    const struct view *a = lua_touserdata(L, 1), *b = lua_touserdata(L, 2);
    lua_pushboolean(L, a->slot == b->slot && a->serial == b->serial && a->node == b->node);
    return 1;
}

static int view_tostring(lua_State *L)
{
    struct slice text = json_text(view_value(L, views_upvalue(L), 1));
    lua_pushlstring(L, text.data, text.len);
    return 1;
}

static int view_newindex(lua_State *L)
{
    return luaL_error(L, READ_ONLY);
}

static int view_concat(lua_State *L)
{
    return luaL_error(L, NO_TEXT);
}

static int view_compare(lua_State *L)
{
    return luaL_error(L, "an object or array cannot be compared: name a field");
}

static int view_arithmetic(lua_State *L)
{
    return luaL_error(L, "an object or array is no number: name a field");
}

static const luaL_Reg view_metamethods[] = {
    { "__index", view_index },       { "__newindex", view_newindex }, { "__len", view_len },        { "__eq", view_eq },
    { "__tostring", view_tostring }, { "__concat", view_concat },     { "__lt", view_compare },     { "__le", view_compare },
    { "__add", view_arithmetic },    { "__sub", view_arithmetic },    { "__mul", view_arithmetic }, { "__div", view_arithmetic },
    { "__mod", view_arithmetic },    { "__pow", view_arithmetic },    { "__unm", view_arithmetic }, { NULL, NULL },
};

/* ---- json.null ---- */

static int null_tostring(lua_State *L)
{
    lua_pushliteral(L, "null");
    return 1;
}

static int null_index(lua_State *L)
{
    return luaL_error(L, "this is null: it has no fields");
}

static int null_concat(lua_State *L)
{
    return luaL_error(L, "null cannot be joined to text");
}

static const luaL_Reg null_metamethods[] = {
    { "__tostring", null_tostring },
    { "__index", null_index },
    { "__newindex", null_index },
    { "__concat", null_concat },
    { NULL, NULL },
};

/* ---- a number beyond 64 bits ---- */

static int big_tostring(lua_State *L)
{
    view_push_digits(L, 1);
    return 1;
}

static int big_concat(lua_State *L)
{
    push_joinable(L, 1);
    push_joinable(L, 2);
    lua_concat(L, 2);
    return 1;
}

static int big_eq(lua_State *L)
{
    const struct big *a = lua_touserdata(L, 1), *b = lua_touserdata(L, 2);
    lua_pushboolean(L, a->len == b->len && memcmp(a->digits, b->digits, a->len) == 0);
    return 1;
}

static int big_refuse(lua_State *L)
{
    return luaL_error(L, "this number is beyond 64 bits: it can be passed on and printed, nothing else");
}

static const luaL_Reg big_metamethods[] = {
    { "__tostring", big_tostring }, { "__concat", big_concat }, { "__eq", big_eq },      { "__index", big_refuse },
    { "__newindex", big_refuse },   { "__len", big_refuse },    { "__lt", big_refuse },  { "__le", big_refuse },
    { "__add", big_refuse },        { "__sub", big_refuse },    { "__mul", big_refuse }, { "__div", big_refuse },
    { "__mod", big_refuse },        { "__pow", big_refuse },    { "__unm", big_refuse }, { NULL, NULL },
};

/* ---- opening ---- */

static const luaL_Reg anchor_metamethods[] = { { "__gc", anchor_gc }, { NULL, NULL } };
static const luaL_Reg no_metamethods[] = { { NULL, NULL } };

/* A metatable that rules cannot reach; type: what `type` says of its values, NULL: not asked. */
static int make_metatable(lua_State *L, struct views *views, const luaL_Reg *functions, const char *type)
{
    lua_newtable(L);
    views_register(L, views, functions);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    if (type) {
        lua_pushstring(L, type);
        lua_setfield(L, -2, "__type");
    }
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static const void *address_of(lua_State *L, int ref)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
    const void *address = lua_topointer(L, -1);
    lua_pop(L, 1);
    return address;
}

static void make_metatables(lua_State *L, struct views *views)
{
    views->view_ref = make_metatable(L, views, view_metamethods, "table");
    views->big_ref = make_metatable(L, views, big_metamethods, "number");
    views->array_ref = make_metatable(L, views, no_metamethods, NULL);
    views->anchor_ref = make_metatable(L, views, anchor_metamethods, NULL);
    views->view_meta = address_of(L, views->view_ref);
    views->big_meta = address_of(L, views->big_ref);
    views->array_meta = address_of(L, views->array_ref);
}

static void make_null(lua_State *L, struct views *views)
{
    int meta = make_metatable(L, views, null_metamethods, "null");
    views->null = lua_newuserdata(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, meta);
    lua_setmetatable(L, -2);
    views->null_ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Runs an internal Lua file (name: "=module", a chunk name that is shown as it is) with the table of C functions that lies on
 * top; leaves what it returns. */
static void run_file(lua_State *L, const char *name)
{
    struct slice source = lua_source(name + 1);
    if (luaL_loadbuffer(L, source.data, source.len, name) != 0)
        lua_error(L);
    lua_pushvalue(L, -2);
    lua_call(L, 1, 1);
}

/* The metamethods are set before anything is compiled: the compiler takes them for constant. */
static void open_integers(lua_State *L, struct views *views)
{
    run_file(L, "=tidewire.integers");
    lua_getfield(L, -1, "make");
    views->integer_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_getfield(L, -1, "metatable");
    lua_getfield(L, -1, "__tostring");
    views->digits_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    register_integers(L);
    lua_pop(L, 2);
}

static void open_ffi(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_getfield(L, -1, LUA_FFILIBNAME);
    if (lua_isnil(L, -1)) { /* opening it twice would forget the types of the first time */
        lua_pushcfunction(L, luaopen_ffi);
        lua_pushliteral(L, LUA_FFILIBNAME);
        lua_call(L, 1, 1);
        lua_replace(L, -2);
    }
    lua_remove(L, -2);
}

/* function(v): its metatable, also where getmetatable does not give it. */
static int metatable_of(lua_State *L)
{
    if (!lua_getmetatable(L, 1))
        lua_pushnil(L);
    return 1;
}

/* function(v): what `type` says of a userdata. */
static int kind_of(lua_State *L)
{
    if (!luaL_getmetafield(L, 1, "__type"))
        lua_pushliteral(L, "userdata");
    return 1;
}

static int is_view_word(lua_State *L)
{
    lua_pushboolean(L, is_view(L, views_upvalue(L), 1));
    return 1;
}

static int is_array_word(lua_State *L)
{
    struct views *views = views_upvalue(L);
    lua_pushboolean(L, is_view(L, views, 1) && json_type(view_value(L, views, 1)) == JSON_ARRAY);
    return 1;
}

static int digits_word(lua_State *L)
{
    return view_push_digits(L, 1);
}

static int decode_word(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    if (view_decode(L, 1))
        return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static int encode_word(lua_State *L)
{
    struct views *views = views_upvalue(L);
    char why[ENCODE_WHY_SIZE];
    luaL_checkany(L, 1);
    scratch_clear(&views->text);
    if (encode_json(L, 1, "value", SECRETS_REFUSED, &views->text, why) != OK)
        return luaL_error(L, "json.encode: %s", why);
    lua_pushlstring(L, views->text.data, views->text.len);
    return 1;
}

static const luaL_Reg words[] = {
    { "metatable_of", metatable_of }, { "kind", kind_of },       { "is_view", is_view_word }, { "digits", digits_word },
    { "is_array", is_array_word },    { "decode", decode_word }, { "encode", encode_word },   { NULL, NULL },
};

static void push_c_words(lua_State *L, struct views *views)
{
    lua_newtable(L);
    views_register(L, views, words);
    register_walking(L, views);
    register_changes(L, views);
    open_ffi(L);
    lua_setfield(L, -2, "ffi");
    lua_rawgeti(L, LUA_REGISTRYINDEX, views->null_ref);
    lua_setfield(L, -2, "null");
    lua_rawgeti(L, LUA_REGISTRYINDEX, views->array_ref);
    lua_setfield(L, -2, "array_meta");
    lua_pushliteral(L, READ_ONLY);
    lua_setfield(L, -2, "read_only");
    lua_pushliteral(L, NO_TEXT);
    lua_setfield(L, -2, "no_text");
    secret_open(L);
    lua_setfield(L, -2, "new_secret");
}

int luaopen_tidewire_views(lua_State *L)
{
    struct views *views = views_of(L);
    make_metatables(L, views);
    make_null(L, views);
    push_c_words(L, views);
    open_integers(L, views);
    run_file(L, "=tidewire.words");
    return 1;
}
