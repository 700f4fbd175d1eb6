/* records.h: what lua/tidewire/loader.lua found, as a generation. The scratch state's thread. */
#ifndef TIDEWIRE_RECORDS_H
#define TIDEWIRE_RECORDS_H

#include <lua.h>

#include "model/generation.h"

/* The table at `index` is the loader's result: its routes, targets and settings become the generation's, in its arena. Raises
 * (memory). Secrets are in the generation already. */
void records_read(lua_State *L, int index, struct generation *generation);

#endif
