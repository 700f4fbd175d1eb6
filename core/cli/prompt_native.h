/* prompt_native.h: what `tidewire repl` asks of C: module `tidewire.prompt_native`. Command line only, one thread. */
#ifndef TIDEWIRE_PROMPT_NATIVE_H
#define TIDEWIRE_PROMPT_NATIVE_H

#include <lua.h>

int luaopen_tidewire_prompt_native(lua_State *L);

#endif
