/* ids.c: uuid and the clock. */
#include <lauxlib.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "script/lib/libs.h"

static int push_uuid(lua_State *L, struct uuid id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    lua_pushstring(L, text);
    return 1;
}

static int uuid_make_v4(lua_State *L)
{
    struct uuid_maker *maker = lua_touserdata(L, lua_upvalueindex(1));
    return push_uuid(L, uuid_v4(&maker->rng));
}

static int uuid_make_v7(lua_State *L)
{
    struct uuid_maker *maker = lua_touserdata(L, lua_upvalueindex(1));
    return push_uuid(L, uuid_v7(maker, clock_wall_ms()));
}

int luaopen_tidewire_uuid(lua_State *L)
{
    lua_createtable(L, 0, 2);
    struct uuid_maker *maker = lua_newuserdata(L, sizeof(*maker));
    uuid_maker_init(maker);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, uuid_make_v4, 1);
    lua_setfield(L, -3, "v4");
    lua_pushcclosure(L, uuid_make_v7, 1);
    lua_setfield(L, -2, "v7");
    return 1;
}

static int clock_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_wall_ms() / 1000);
    return 1;
}

int luaopen_tidewire_clock(lua_State *L)
{
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, clock_now);
    lua_setfield(L, -2, "now");
    return 1;
}
