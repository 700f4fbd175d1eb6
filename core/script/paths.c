/* paths.c: what the loader asks of the core about texts in options: the core's own parsers answer, so both agree. */
#include <lauxlib.h>

#include "base/clock.h"
#include "ingest/cidr.h"
#include "ingest/keys.h"
#include "json/schema.h"
#include "model/lookup.h"
#include "script/certificates.h"
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

/* certificates(text) → { count, first_ends, first_left, last_left } or nil, what is wrong; times left in seconds */
static int l_certificates(lua_State *L)
{
    struct certificates found;
    struct slice text;
    text.data = luaL_checklstring(L, 1, &text.len);
    const char *why = certificates_read(text, (int64_t)(clock_wall_ms() / 1000), &found);
    if (why) {
        lua_pushnil(L);
        lua_pushstring(L, why);
        return 2;
    }
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, (lua_Integer)found.count);
    lua_setfield(L, -2, "count");
    lua_pushstring(L, found.first_ends);
    lua_setfield(L, -2, "first_ends");
    lua_pushnumber(L, (lua_Number)found.first_left_s);
    lua_setfield(L, -2, "first_left");
    lua_pushnumber(L, (lua_Number)found.last_left_s);
    lua_setfield(L, -2, "last_left");
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
        { "certificates", l_certificates },
        { NULL, NULL },
    };
    lua_createtable(L, 0, 6);
    luaL_register(L, NULL, functions);
    return 1;
}
