/* walk.c: going through a view: pairs, ipairs, next, unpack, and `get` along a path. */
#include <lauxlib.h>

#include "json/registry.h"
#include "model/lookup.h"

/* ---- pairs and ipairs ---- */

static int not_iterable(lua_State *L, const char *word)
{
    if (!luaL_getmetafield(L, 1, "__type"))
        lua_pushstring(L, luaL_typename(L, 1));
    return luaL_error(L, "%s wants a table or a view, got a %s", word, lua_tostring(L, -1));
}

/* Userdata of other modules say themselves how they are walked. */
static int by_metafield(lua_State *L, const char *word)
{
    if (!luaL_getmetafield(L, 1, "__pairs"))
        return not_iterable(L, word);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 3);
    return 3;
}

/* function(v, i): element i + 1; what `places` remembers makes a whole walk linear. */
static int step_elements(lua_State *L)
{
    struct views *views = views_upvalue(L);
    if (!is_view(L, views, 1))
        return luaL_error(L, "the iterator of ipairs was called with something else");
    struct json_value array = view_value(L, views, 1);
    const struct view *view = lua_touserdata(L, 1);
    double index = luaL_checknumber(L, 2);
    struct json_value element = view_element(&views->slots[view->slot], array, index + 1);
    if (!element.doc)
        return 0;
    lua_pushnumber(L, index + 1);
    push_value(L, views, view, element, true, 1);
    return 2;
}

/* Upvalues: registry, view, node of the next member (0: over). Its place is in the index, not in a key: keys may come twice. */
static int step_members(lua_State *L)
{
    struct views *views = views_upvalue(L);
    int view_at = lua_upvalueindex(2), next_at = lua_upvalueindex(3);
    struct json_value object = view_value(L, views, view_at);
    struct json_value member = { object.doc, (uint32_t)lua_tonumber(L, next_at) };
    if (member.node == 0)
        return 0;
    lua_pushnumber(L, json_next(member).node);
    lua_replace(L, next_at);
    push_key(L, views, member);
    push_value(L, views, lua_touserdata(L, view_at), member, true, view_at);
    return 2;
}

static int push_nothing(lua_State *L)
{
    return 0;
}

static int walk_elements(lua_State *L, struct views *views)
{
    lua_pushlightuserdata(L, views);
    lua_pushcclosure(L, step_elements, 1);
    lua_pushvalue(L, 1);
    lua_pushnumber(L, 0);
    return 3;
}

static int walk_members(lua_State *L, struct views *views, struct json_value object)
{
    lua_pushlightuserdata(L, views);
    lua_pushvalue(L, 1);
    lua_pushnumber(L, json_first(object).node);
    lua_pushcclosure(L, step_members, 3);
    return 1;
}

static int pairs_word(lua_State *L)
{
    struct views *views = views_upvalue(L);
    if (!is_view(L, views, 1))
        return by_metafield(L, "pairs");
    struct json_value value = view_value(L, views, 1);
    return json_type(value) == JSON_ARRAY ? walk_elements(L, views) : walk_members(L, views, value);
}

static int ipairs_word(lua_State *L)
{
    struct views *views = views_upvalue(L);
    if (!is_view(L, views, 1))
        return by_metafield(L, "ipairs");
    if (json_type(view_value(L, views, 1)) == JSON_ARRAY)
        return walk_elements(L, views);
    lua_pushcfunction(L, push_nothing);
    return 1;
}

/* ---- next ---- */

/* The last member of that name: from a name that comes twice a walk goes on behind its last place, so that it ends. */
static struct json_value member_after(lua_State *L, struct json_value object, int key)
{
    struct slice name;
    if (lua_type(L, key) != LUA_TSTRING)
        return (struct json_value){ NULL, 0 };
    name.data = lua_tolstring(L, key, &name.len);
    return json_member(object, name);
}

static int next_word(lua_State *L)
{
    struct views *views = views_upvalue(L);
    if (!is_view(L, views, 1))
        return not_iterable(L, "next");
    lua_settop(L, 2);
    struct json_value value = view_value(L, views, 1), found;
    if (json_type(value) == JSON_ARRAY) {
        if (lua_isnil(L, 2)) {
            lua_pushnumber(L, 0);
            lua_replace(L, 2);
        }
        return step_elements(L);
    }
    if (lua_isnil(L, 2)) {
        found = json_first(value);
    } else {
        found = member_after(L, value, 2);
        if (!found.doc)
            return luaL_error(L, "invalid key to 'next'");
        found = json_next(found);
    }
    if (!found.doc)
        return 0;
    push_key(L, views, found);
    push_value(L, views, lua_touserdata(L, 1), found, true, 1);
    return 2;
}

/* ---- unpack ---- */

/* function(view, i, j) */
static int unpack_word(lua_State *L)
{
    struct views *views = views_upvalue(L);
    if (!is_view(L, views, 1))
        return not_iterable(L, "unpack");
    struct json_value array = view_value(L, views, 1);
    const struct view *view = lua_touserdata(L, 1);
    double from = luaL_optnumber(L, 2, 1);
    double to = luaL_optnumber(L, 3, json_type(array) == JSON_ARRAY ? json_count(array) : 0);
    if (from > to)
        return 0;
    if (to - from >= LUAI_MAXCSTACK || !lua_checkstack(L, (int)(to - from) + 8))
        return luaL_error(L, "too many results to unpack");
    int before = lua_gettop(L);
    for (double i = from; i <= to; i++) {
        struct json_value element = view_element(&views->slots[view->slot], array, i);
        if (element.doc)
            push_value(L, views, view, element, true, 1);
        else
            lua_pushnil(L);
    }
    return lua_gettop(L) - before;
}

/* ---- get ---- */

static void push_step(lua_State *L, const struct step *step)
{
    if (step->kind == STEP_NAME)
        lua_pushlstring(L, step->name.data, step->name.len);
    else
        lua_pushnumber(L, step->index);
}

/* Replaces the value on top by what the rest of the path finds in it; nil: nothing. */
static void follow(lua_State *L, struct views *views, struct slice path)
{
    struct step step;
    while (lua_type(L, -1) == LUA_TTABLE && path_next(&path, &step)) {
        push_step(L, &step);
        lua_rawget(L, -2);
        lua_remove(L, -2);
    }
    if (path.len == 0)
        return;
    if (is_view(L, views, -1)) {
        int view = lua_gettop(L);
        struct found found = json_lookup(view_value(L, views, view), path);
        if (found.kind == FOUND_JSON) {
            push_value(L, views, lua_touserdata(L, view), found.json, false, view);
            lua_replace(L, view);
            return;
        }
    }
    lua_pop(L, 1);
    lua_pushnil(L);
}

void check_path(lua_State *L, int index, const char *word, bool each, struct slice *path)
{
    struct step step;
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s wants a path such as \"customer.name\", got %s", word, luaL_typename(L, index));
    path->data = lua_tolstring(L, index, &path->len);
    if (!path_is_valid(*path))
        luaL_error(L, "%s: '%s' is not a path", word, path->data);
    for (struct slice rest = *path; !each && path_next(&rest, &step);)
        if (step.kind == STEP_EACH)
            luaL_error(L, "%s: '%s' names many places, and one is wanted", word, path->data);
}

/* get(v, path, default) */
static int get_word(lua_State *L)
{
    struct views *views = views_upvalue(L);
    struct slice path;
    check_path(L, 2, "get", false, &path);
    lua_settop(L, 3);
    lua_pushvalue(L, 1);
    follow(L, views, path);
    if (lua_isnil(L, -1) || lua_touserdata(L, -1) == views->null)
        lua_pushvalue(L, 3);
    return 1;
}

/* function(path): its first step (a name, an index, or true for [*]) and the rest; for the words that walk plain tables */
static int step_word(lua_State *L)
{
    struct slice path;
    struct step step;
    path.data = luaL_checklstring(L, 1, &path.len);
    if (!path_next(&path, &step))
        return 0;
    if (step.kind == STEP_EACH)
        lua_pushboolean(L, true);
    else
        push_step(L, &step);
    lua_pushlstring(L, path.data, path.len);
    return 2;
}

/* function(path, word, each): raises unless it is a path */
static int check_path_word(lua_State *L)
{
    struct slice path;
    check_path(L, 1, luaL_checkstring(L, 2), lua_toboolean(L, 3), &path);
    return 0;
}

static const luaL_Reg words[] = {
    { "pairs", pairs_word },
    { "ipairs", ipairs_word },
    { "next", next_word },
    { "unpack", unpack_word },
    { "get", get_word },
    { "step", step_word },
    { "check_path", check_path_word },
    { NULL, NULL },
};

void register_walking(lua_State *L, struct views *views)
{
    views_register(L, views, words);
}
