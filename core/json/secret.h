/* secret.h: `secret "NAME"` as a rule holds it: a name and text around it, never a value. Any Lua state, its thread. */
#ifndef TIDEWIRE_SECRET_H
#define TIDEWIRE_SECRET_H

#include <lua.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "model/message.h"

/* Registers the metatable; before any secret is made. */
void secret_open(lua_State *L);
/* Pushes a secret of that name; the bytes are copied. */
void secret_push(lua_State *L, struct slice name);
bool secret_is(lua_State *L, int index);
/* The name, when nothing was joined to it; data NULL otherwise. Borrowed from the value. */
struct slice secret_name(lua_State *L, int index);
/* Appends its pieces: text around it as bytes, escaped like the secret itself. */
void secret_pieces(lua_State *L, int index, struct buf *pieces, enum escaping escaping);
/* Pushes "secret:NAME" with the text around it. */
void secret_push_shown(lua_State *L, int index);

#endif
