/* paths.c: what the loader asks of the core about texts in options: the core's own parsers answer, so both agree. */
#include <lauxlib.h>

#include "ingest/cidr.h"
#include "model/lookup.h"
#include "script/inside.h"

static int l_path_is_valid(lua_State *L)
{
    struct slice path;
    path.data = luaL_checklstring(L, 1, &path.len);
    lua_pushboolean(L, path_is_valid(path));
    return 1;
}

static int l_cidr_is_valid(lua_State *L)
{
    struct slice text;
    struct cidr range;
    text.data = luaL_checklstring(L, 1, &text.len);
    lua_pushboolean(L, cidr_parse(text, &range));
    return 1;
}

int luaopen_tidewire_paths(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "path_is_valid", l_path_is_valid },
        { "cidr_is_valid", l_cidr_is_valid },
        { NULL, NULL },
    };
    lua_createtable(L, 0, 2);
    luaL_register(L, NULL, functions);
    return 1;
}
