/* change.c: the words that make a changed view of one: set, merge, pick, omit. The new text is made by edit.c and indexed again.
 */
#include <lauxlib.h>

#include "base/mem.h"
#include "json/edit.h"
#include "json/encode.h"
#include "json/registry.h"

static struct json_value view_argument(lua_State *L, struct views *views, int index, const char *word)
{
    if (!is_view(L, views, index))
        luaL_error(L, "%s wants an object or array, got a %s", word, luaL_typename(L, index));
    return view_value(L, views, index);
}

/* Pushes the text under construction as a document. */
static void push_made(lua_State *L, struct views *views, const char *word)
{
    struct json_error error;
    if (!buf_ok(&views->text))
        luaL_error(L, "%s: the result is larger than %d MiB", word, VIEW_TEXT_MAX >> 20);
    lua_pushlstring(L, views->text.data, views->text.len);
    if (!push_decoded(L, views, &error))
        luaL_error(L, "%s: the result is %s", word, error.what); /* only the depth can be wrong */
}

/* Replaces the Lua value at index by its JSON text, a Lua string. */
static void encode_argument(lua_State *L, struct views *views, int index, const char *word, const char *name)
{
    char why[ENCODE_WHY_SIZE];
    scratch_clear(&views->text);
    if (encode_json(L, index, name, SECRETS_REFUSED, &views->text, why) != OK)
        luaL_error(L, "%s: %s", word, why);
    lua_pushlstring(L, views->text.data, views->text.len);
    lua_replace(L, index);
}

/* set(view, path, value) */
static int set_word(lua_State *L)
{
    struct views *views = views_upvalue(L);
    struct slice path, text;
    const char *why;
    check_path(L, 2, "set", false, &path);
    struct json_value root = view_argument(L, views, 1, "set");
    encode_argument(L, views, 3, "set", "value");
    text.data = lua_tolstring(L, 3, &text.len);
    scratch_clear(&views->text);
    if (edit_set(root, path, text, &views->text, &why) != OK)
        return luaL_error(L, "set: '%s': %s", path.data, why);
    push_made(L, views, "set");
    return 1;
}

/* merge(view, changes) */
static int merge_word(lua_State *L)
{
    struct views *views = views_upvalue(L);
    struct json_error error;
    struct json_value root = view_argument(L, views, 1, "merge");
    if (!is_view(L, views, 2)) {
        encode_argument(L, views, 2, "merge", "changes");
        lua_settop(L, 2);
        if (!push_decoded(L, views, &error))
            return luaL_error(L, "merge: the changes are %s", error.what);
    }
    struct json_value changes = view_argument(L, views, 2, "merge");
    if (json_type(root) != JSON_OBJECT || json_type(changes) != JSON_OBJECT)
        return luaL_error(L, "merge wants two objects, an array is given whole: set(v, path, list)");
    scratch_clear(&views->text);
    edit_merge(root, changes, &views->text);
    push_made(L, views, "merge");
    return 1;
}

/* ---- pick and omit ---- */

typedef bool (*mark_function)(struct json_value root, struct slice path, unsigned char *marks);
typedef void (*filter_function)(struct json_value root, const unsigned char *marks, struct buf *out);

/* Each path may look at every value of the document: many paths through a wide one would hold the loop for seconds. */
enum { FILTER_LOOKS_MAX = 1 << 26 };

static size_t check_paths(lua_State *L, const char *word, size_t values)
{
    size_t paths = lua_objlen(L, 2), most = FILTER_LOOKS_MAX / values;
    if (paths > most && paths > 1)
        luaL_error(L, "%s: %d paths through a document of %d values, at most %d there", word, (int)paths, (int)values,
                   most > 1 ? (int)most : 1);
    return paths;
}

/* function(view, list of paths): what is left, and whether a path led somewhere */
static int filter_by(lua_State *L, const char *word, mark_function mark, filter_function filter)
{
    struct views *views = views_upvalue(L);
    struct json_value root = view_argument(L, views, 1, word);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t room = json_node_count(root.doc), paths = check_paths(L, word, room);
    unsigned char *marks = lua_newuserdata(L, room);
    memset(marks, 0, room);
    bool any = false;
    for (int i = 1; i <= (int)paths; i++) {
        struct slice path;
        lua_rawgeti(L, 2, i);
        check_path(L, -1, word, true, &path);
        any |= mark(root, path, marks);
        lua_pop(L, 1);
    }
    scratch_clear(&views->text);
    filter(root, marks, &views->text);
    push_made(L, views, word);
    lua_pushboolean(L, any);
    return 2;
}

static int pick_word(lua_State *L)
{
    return filter_by(L, "pick", edit_mark_kept, edit_keep);
}

static int omit_word(lua_State *L)
{
    return filter_by(L, "omit", edit_mark_dropped, edit_drop);
}

static const luaL_Reg words[] = {
    { "set", set_word }, { "merge", merge_word }, { "pick", pick_word }, { "omit", omit_word }, { NULL, NULL },
};

void register_changes(lua_State *L, struct views *views)
{
    views_register(L, views, words);
}
