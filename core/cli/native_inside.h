/* native_inside.h: the module `tidewire.native` for the files that are it: how values get to Lua, and its larger functions, which
 * native.c registers. Private to native*.c. */
#ifndef TIDEWIRE_NATIVE_INSIDE_H
#define TIDEWIRE_NATIVE_INSIDE_H

#include <lua.h>

#include "base/buf.h"
#include "base/slice.h"

static inline void push_slice(lua_State *L, struct slice text)
{
    lua_pushlstring(L, text.data ? text.data : "", text.len);
}

/* Fields of the table at the top. */
static inline void set_text(lua_State *L, const char *name, struct slice text)
{
    push_slice(L, text);
    lua_setfield(L, -2, name);
}
static inline void set_number(lua_State *L, const char *name, double number)
{
    lua_pushnumber(L, number);
    lua_setfield(L, -2, name);
}

/* nil and why: what a function of the module returns when it fails. */
static inline int push_failure(lua_State *L, const char *why)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

/* Its bytes; it is freed. */
static inline int push_buf(lua_State *L, struct buf *buf)
{
    push_slice(L, buf_slice(buf));
    buf_deinit(buf);
    return 1;
}

/* native_check.c: check(folder, production, colour, stand_ins, no_secrets), rule_files() */
int native_check(lua_State *L);
int native_rule_files(lua_State *L);
/* native_request.c: request { socket, url, method, headers, body, timeout_ms } */
int native_request(lua_State *L);
/* native_store.c: store_list(path, filter), store_show(path, id): a store without a router */
int native_store_list(lua_State *L);
int native_store_show(lua_State *L);

#endif
