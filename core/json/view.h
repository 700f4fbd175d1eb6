/* view.h: JSON as rules see it (rules.md 10): a view is a userdata of 16 bytes that names a document and a node of it; looking at
 * a field decodes that field. Documents live outside the Lua heap, in a registry per state, so a view that is kept after its
 * document ended is a clean error, and a state that is dropped gives everything back. One Lua state, its thread. */
#ifndef TIDEWIRE_VIEW_H
#define TIDEWIRE_VIEW_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "json/json.h"

struct view_registry; /* the documents that are open in one state */

enum { VIEW_DOCUMENTS_MAX = 100000, VIEW_DOCUMENT_BYTES_MAX = 64 << 20 };

/* Makes the registry of a state and its metatables, and calls secret_open. The registry is the caller's: view_registry_free after
 * the state is closed, or dropped. */
struct view_registry *view_registry_new(lua_State *L);
void view_registry_free(struct view_registry *registry);

/* doc stays the caller's and must live until view_close. label: what the error of a kept view says: "event 0196…". */
uint64_t view_open(lua_State *L, const struct json_doc *doc, const char *label);
void view_close(lua_State *L, uint64_t handle);
/* Decoded scalar, or a view. listed: a null is json.null, else nil. */
void view_push(lua_State *L, uint64_t handle, struct json_value value, bool listed);
/* What a view at index stands for; doc NULL: no view. Raises when its document has ended. */
struct json_value view_at(lua_State *L, int index);

/* The module "tidewire.views_native": what lua/tidewire/views.lua builds the words from. */
int luaopen_tidewire_views_native(lua_State *L);

#endif
