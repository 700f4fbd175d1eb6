/* test_native.h: what `tidewire test` asks of the system: module `tidewire.test_native`. Command line only, one thread. */
#ifndef TIDEWIRE_TEST_NATIVE_H
#define TIDEWIRE_TEST_NATIVE_H

#include <lua.h>

int luaopen_tidewire_test_native(lua_State *L);

#endif
