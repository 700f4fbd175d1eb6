/* trial_native.h: what lua/tidewire/trial.lua asks of C: module `tidewire.trial_native`, over loop/trial.h.
 * Command line only, one thread, one trial at a time. */
#ifndef TIDEWIRE_TRIAL_NATIVE_H
#define TIDEWIRE_TRIAL_NATIVE_H

#include <lua.h>

int luaopen_tidewire_trial_native(lua_State *L);

#endif
