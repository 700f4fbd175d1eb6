/* strings.c: what LuaJIT's string library does in a way that a hostile text can abuse: a search of plain text in linear time, and
 * a refusal of memory that is the run's own. environment.lua puts them in place. */
#include <lauxlib.h>
#include <string.h>

#include "script/inside.h"

/* (text, part, from) -> first, last | nil. As string.find with plain = true; LuaJIT's own is quadratic, and spends that time in
 * libc, where nobody may be interrupted. memmem is linear (two-way search, Crochemore and Perrin 1991). */
static int l_find(lua_State *L)
{
    struct slice text, part;
    text.data = luaL_checklstring(L, 1, &text.len);
    part.data = luaL_checklstring(L, 2, &part.len);
    double from = luaL_optnumber(L, 3, 1);
    if (from < 0)
        from += (double)text.len + 1;
    size_t skipped = from > 1 ? (from > (double)text.len + 1 ? text.len + 1 : (size_t)from - 1) : 0;
    const char *found = skipped <= text.len ? memmem(text.data + skipped, text.len - skipped, part.data, part.len) : NULL;
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushnumber(L, (double)(found - text.data) + 1);
    lua_pushnumber(L, (double)(found - text.data) + (double)part.len);
    return 2;
}

/* What is larger than any text LuaJIT refuses by itself, and older ones crash on that in compiled code: it is refused before. */
static int l_refuse_memory(lua_State *L)
{
    heap_refuse(script_of(L)->heap); /* in a run this does not return */
    return luaL_error(L, "not enough memory");
}

int luaopen_tidewire_strings(lua_State *L)
{
    static const luaL_Reg functions[] = { { "find", l_find }, { "refuse_memory", l_refuse_memory }, { NULL, NULL } };
    lua_createtable(L, 0, 2);
    luaL_register(L, NULL, functions);
    return 1;
}
