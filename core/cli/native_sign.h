/* native_sign.h: native.sign(index, secret, body, more) and native.verify(index, method, body, more) of the command line. */
#ifndef TIDEWIRE_NATIVE_SIGN_H
#define TIDEWIRE_NATIVE_SIGN_H

#include <lua.h>

#include "model/generation.h"

/* The arguments are on the stack. Pushes the list of header lines that make the request genuine for the route and, where a
 * signature stands in the body, that one too; or nil and why. more: { also = secret of the second scheme, path, query, headers =
 * { { name, value } … } }, all optional. */
int native_sign_for(lua_State *L, const struct route *route);
/* Pushes "valid", or how the request is not: the verdict of the router's own verifier, with the secrets of the generation. more:
 * { path, query, headers }. */
int native_verify_for(lua_State *L, const struct route *route, const struct generation *generation);

#endif
