/* libs.h: the small libraries of rules (rules.md 3) that are written in C; time, url and text are in lua/tidewire. Each leaves
 * one plain table of functions; the closed environment locks it. Errors are raised with the word that was called: "base64.decode:
 * …". No function holds anything outside the Lua heap while it calls Lua (a state may be abandoned there). The state's thread. */
#ifndef TIDEWIRE_SCRIPT_LIBS_H
#define TIDEWIRE_SCRIPT_LIBS_H

#include <lua.h>
#include <stdbool.h>

#include "base/slice.h"

enum { LIBS_TEXT_MAX = 16 << 20, LIBS_RANDOM_MAX = 64 << 10 };

int luaopen_tidewire_base64(lua_State *L); /* encode decode url_encode url_decode; RFC 4648, decoding is strict */
int luaopen_tidewire_hex(lua_State *L);    /* encode decode */
int luaopen_tidewire_crypto(lua_State *L); /* hmac hash equal random sign verify */
int luaopen_tidewire_uuid(lua_State *L);   /* v4 v7; RFC 9562 */
int luaopen_tidewire_clock(lua_State *L);  /* now: seconds since 1970 with a fraction */

/* How crypto finds the value of a secret: set once per state, before a rule runs. false: it is not set. */
typedef bool (*libs_secret)(void *arg, struct slice name, struct slice *value);
void libs_set_secrets(lua_State *L, libs_secret resolve, void *arg);
/* In tests of rules the value of a secret may stand for a key of that kind (EVP_PKEY_…): gives a half of it in PEM, or the value
 * as it is. After libs_set_secrets; without it there is nothing of the kind. */
typedef struct slice (*libs_stand_in)(void *arg, struct slice value, int kind, bool private_half);
void libs_set_stand_ins(lua_State *L, libs_stand_in stand_in, void *arg);

#endif
