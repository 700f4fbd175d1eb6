/* schedule.c: what the loader asks of `cron` and `zone`. */
#include <lauxlib.h>

#include "model/cron.h"
#include "script/inside.h"

/* check_cron(text): nil, or what is wrong. */
static int l_check_cron(lua_State *L)
{
    struct slice text;
    struct cron cron;
    char why[CRON_WHY_SIZE];
    text.data = luaL_checklstring(L, 1, &text.len);
    if (cron_parse(text, &cron, why) == OK)
        return 0;
    lua_pushstring(L, why);
    return 1;
}

/* zone_is_known(name): reads a file. */
static int l_zone_is_known(lua_State *L)
{
    struct arena arena = { 0 };
    struct zone zone;
    enum result rc = zone_load(luaL_checkstring(L, 1), &arena, &zone);
    arena_deinit(&arena);
    lua_pushboolean(L, rc == OK);
    return 1;
}

int luaopen_tidewire_schedule(lua_State *L)
{
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, l_check_cron);
    lua_setfield(L, -2, "check_cron");
    lua_pushcfunction(L, l_zone_is_known);
    lua_setfield(L, -2, "zone_is_known");
    return 1;
}
