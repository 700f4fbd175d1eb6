/* native.h: what the commands in lua/tidewire/cli ask of C: module `tidewire.native`. Command line only, one thread. */
#ifndef TIDEWIRE_NATIVE_H
#define TIDEWIRE_NATIVE_H

#include <lua.h>

#include "model/generation.h"

struct watchdog_slot;

int luaopen_tidewire_native(lua_State *L);
/* The rules of the last `check`; borrowed until the next one. NULL: they had mistakes, or there was none. */
struct generation *native_checked(void);
/* This thread's, made when it is first asked for, with the watchdog. NULL: no threads. */
struct watchdog_slot *native_watched(void);
/* Frees what commands left behind. */
void native_close(void);

#endif
