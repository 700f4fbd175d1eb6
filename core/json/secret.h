/* secret.h: what `secret "NAME"` is inside a rule: a userdata that knows the name and never the value. Joined with text by `..`
 * it stays one. The value is filled in when an attempt is made (design.md "The store"). The state's thread. */
#ifndef TIDEWIRE_SECRET_H
#define TIDEWIRE_SECRET_H

#include <lua.h>
#include <stdbool.h>

#include "base/buf.h"
#include "model/message.h"

enum {
    SECRET_NAMES_MAX = 8,      /* secret("NEW", "OLD") */
    SECRET_TEXT_MAX = 64 << 10 /* bytes of a secret joined with text */
};

/* Pushes a bare secret of n names, 1 <= n <= SECRET_NAMES_MAX; the first signs, all verify. May raise (memory). */
void secret_push(lua_State *L, const struct slice *names, size_t n);
bool secret_is(lua_State *L, int index);
/* Appends its parts: text escaped as it has to be there, secrets as their place (a bare one of several names: the first). With
 * ESCAPE_JSON text that is not UTF-8 is written with U+FFFD. The value at index is a secret. Raises nothing. */
void secret_pieces(lua_State *L, int index, struct buf *pieces, enum escaping escaping);
/* Name number i (from 0) of a bare secret. false: there is none, or the secret is joined with text. The name lives as long as
 * the Lua value. */
bool secret_name(lua_State *L, int index, size_t i, struct slice *name);
/* Makes the metatable; called by luaopen_tidewire_views. Pushes the function of secret.new: names as arguments. */
void secret_open(lua_State *L);

#endif
