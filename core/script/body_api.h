/* body_api.h: bodies that are tables in Lua. Private to this folder; the state's thread. */
#ifndef TIDEWIRE_BODY_API_H
#define TIDEWIRE_BODY_API_H

#include <lua.h>

#include "model/event.h"

/* Pushes a new table of a body of kind BODY_FORM, BODY_MULTIPART or BODY_XML. May raise (memory). */
void body_push(lua_State *L, const struct event *event);
/* { form_decode, form_all, xml_decode } */
int luaopen_tidewire_bodies(lua_State *L);

#endif
