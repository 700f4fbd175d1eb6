/* libs.h: the small libraries of rules (rules.md 3) that are written in C. Each leaves one plain table of functions; the closed
 * environment locks it. Errors are raised with the word that was called: "base64.decode: …". The state's thread. */
#ifndef TIDEWIRE_SCRIPT_LIBS_H
#define TIDEWIRE_SCRIPT_LIBS_H

#include <lua.h>

#include "base/slice.h"

int luaopen_tidewire_base64(lua_State *L); /* encode decode url_encode url_decode; RFC 4648 */
int luaopen_tidewire_hex(lua_State *L);    /* encode decode */
int luaopen_tidewire_crypto(lua_State *L); /* hmac hash equal random */
int luaopen_tidewire_uuid(lua_State *L);   /* v4 v7; RFC 9562 */
int luaopen_tidewire_time(lua_State *L);   /* now iso parse format add diff; RFC 3339 */
int luaopen_tidewire_url(lua_State *L);    /* parse build join escape query; RFC 3986 */

/* How crypto finds the value of a secret: set once per state, before a rule runs. false: it is not set. */
typedef bool (*libs_secret)(void *arg, struct slice name, struct slice *value);
void libs_set_secrets(lua_State *L, libs_secret resolve, void *arg);

#endif
