/* modules.c: what `require` knows inside: C modules by this list, Lua modules from lua/ (lua_source.h). Rules have another one.
 */
#include <lauxlib.h>
#include <string.h>

#include "json/view.h"
#include "script/body_api.h"
#include "script/inside.h"
#include "script/lib/libs.h"
#include "script/lua_source.h"

static const luaL_Reg c_modules[] = {
    { "tidewire.views", luaopen_tidewire_views },
    { "tidewire.event", luaopen_tidewire_event },
    { "tidewire.actions_native", luaopen_tidewire_actions_native },
    { "tidewire.http_native", luaopen_tidewire_http_native },
    { "tidewire.bodies", luaopen_tidewire_bodies },
    { "tidewire.kv_native", luaopen_tidewire_kv_native },
    { "tidewire.task_native", luaopen_tidewire_task_native },
    { "tidewire.schedule", luaopen_tidewire_schedule },
    { "tidewire.metric_native", luaopen_tidewire_metric_native },
    { "tidewire.paths", luaopen_tidewire_paths },
    { "tidewire.strings", luaopen_tidewire_strings },
    { "tidewire.base64", luaopen_tidewire_base64 },
    { "tidewire.hex", luaopen_tidewire_hex },
    { "tidewire.crypto", luaopen_tidewire_crypto },
    { "tidewire.uuid", luaopen_tidewire_uuid },
    { "tidewire.clock", luaopen_tidewire_clock },
#ifdef TIDEWIRE_TEST_FAULTS
    { "tidewire.crash", luaopen_tidewire_crash },
#endif
    { NULL, NULL },
};

/* The last searcher: a module's text from the binary. */
static int search_embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct slice text = lua_source(name);
    char chunk[128];
    if (!text.data) {
        lua_pushfstring(L, "\n\tno embedded module '%s'", name);
        return 1;
    }
    lua_pushfstring(L, "=%s", name);
    strncpy(chunk, lua_tostring(L, -1), sizeof(chunk) - 1);
    chunk[sizeof(chunk) - 1] = '\0';
    if (luaL_loadbuffer(L, text.data, text.len, chunk) != 0)
        return lua_error(L);
    return 1;
}

void modules_open(lua_State *L)
{
    lua_getglobal(L, "package");    /* package */
    lua_getfield(L, -1, "preload"); /* package preload */
    for (const luaL_Reg *module = c_modules; module->name; module++) {
        lua_pushcfunction(L, module->func);
        lua_setfield(L, -2, module->name);
    }
    lua_pop(L, 1);                  /* package */
    lua_getfield(L, -1, "loaders"); /* package loaders */
    lua_createtable(L, 2, 0);       /* package loaders ours: no file of the disk is ever searched */
    lua_rawgeti(L, -2, 1);
    lua_rawseti(L, -2, 1);
    lua_pushcfunction(L, search_embedded);
    lua_rawseti(L, -2, 2);
    lua_setfield(L, -3, "loaders"); /* package loaders */
    lua_pop(L, 2);
}
