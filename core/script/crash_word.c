/* crash_word.c: only in test builds (TIDEWIRE_FAULTS): the word `crash`, with which a rule really ends the process: what a fault
 * in LuaJIT or in a library would do. */
#include <lauxlib.h>
#include <signal.h>
#include <stdlib.h>

#include "script/inside.h"

static int l_crash(lua_State *L)
{
    static const char *const ways[] = { "segv", "abort", "hang", NULL };
    switch (luaL_checkoption(L, 1, "segv", ways)) {
    case 0:
        *(volatile int *)8 = 0;
        break;
    case 1:
        abort();
    default:
        for (volatile int waiting = 1; waiting;) {
        }
    }
    return 0;
}

int luaopen_tidewire_crash(lua_State *L)
{
    lua_pushcfunction(L, l_crash);
    return 1;
}
