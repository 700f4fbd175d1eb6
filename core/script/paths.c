/* paths.c: what the loader asks of the core about texts in options: the core's own parsers answer, so both agree. */
#include <lauxlib.h>

#include "ingest/cidr.h"
#include "ingest/keys.h"
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

/* ip_in_range(address, range): nil: the range is none. */
static int l_ip_in_range(lua_State *L)
{
    struct slice address, text;
    struct cidr range;
    address.data = luaL_checklstring(L, 1, &address.len);
    text.data = luaL_checklstring(L, 2, &text.len);
    if (!cidr_parse(text, &range))
        return 0;
    lua_pushboolean(L, cidr_contains_any(&range, 1, address));
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

/* public_key_is_valid("ed25519", "p256" or "rsa", text) */
static int l_public_key_is_valid(lua_State *L)
{
    static const char *const kinds[] = { "ed25519", "p256", "rsa", NULL };
    enum public_key_kind kind = (enum public_key_kind)luaL_checkoption(L, 1, NULL, kinds);
    struct slice text;
    text.data = luaL_checklstring(L, 2, &text.len);
    EVP_PKEY *key = public_key_read(kind, text);
    lua_pushboolean(L, key != NULL);
    EVP_PKEY_free(key);
    return 1;
}

int luaopen_tidewire_paths(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "path_is_valid", l_path_is_valid },
        { "cidr_is_valid", l_cidr_is_valid },
        { "ip_in_range", l_ip_in_range },
        { "schema_fault", l_schema_fault },
        { "public_key_is_valid", l_public_key_is_valid },
        { NULL, NULL },
    };
    lua_createtable(L, 0, 4);
    luaL_register(L, NULL, functions);
    return 1;
}
