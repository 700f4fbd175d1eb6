/* lua_source.h: the files of lua/ (and argparse), compiled into the binary by core/script/embed.cmake. */
#ifndef TIDEWIRE_LUA_SOURCE_H
#define TIDEWIRE_LUA_SOURCE_H

#include "base/slice.h"

/* module: "tidewire.loader" for lua/tidewire/loader.lua. data NULL: there is none. With -DTIDEWIRE_LUA_FROM_FOLDER=ON the text is
 * read from the checkout at each call instead (and never freed: a developer's switch). Any thread. */
struct slice lua_source(const char *module);

#endif
