/* native.h: what the commands in lua/tidewire/cli ask of C: module `tidewire.native`. Command line only, one thread. */
#ifndef TIDEWIRE_NATIVE_H
#define TIDEWIRE_NATIVE_H

#include <lua.h>

int luaopen_tidewire_native(lua_State *L);
/* Frees what commands left behind. */
void native_close(void);

#endif
