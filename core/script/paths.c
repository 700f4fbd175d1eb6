/* paths.c: what the loader asks of the core about texts in options: the core's own parsers answer, so both agree. */
#include <lauxlib.h>

#include "ingest/cidr.h"
#include "json/schema.h"
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

/* schema_fault(text): what is wrong with a JSON Schema; nil: nothing. */
static int l_schema_fault(lua_State *L)
{
    char why[SCHEMA_WHY_SIZE];
    struct schema *schema = NULL;
    struct slice text;
    text.data = luaL_checklstring(L, 1, &text.len);
    if (schema_compile(text, &schema, why) != OK) {
        lua_pushstring(L, why);
        return 1;
    }
    schema_free(schema);
    return 0;
}

int luaopen_tidewire_paths(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "path_is_valid", l_path_is_valid },
        { "cidr_is_valid", l_cidr_is_valid },
        { "schema_fault", l_schema_fault },
        { NULL, NULL },
    };
    lua_createtable(L, 0, 3);
    luaL_register(L, NULL, functions);
    return 1;
}
