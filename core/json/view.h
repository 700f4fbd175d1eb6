/* view.h: JSON as Lua sees it (rules.md 10): a view is a place in an indexed document, decoded when it is looked at.
 *
 * Each Lua state has one `struct views`: the documents that are open in it. C owns an opened document and closes it at the end
 * of the run; a view that was kept after that names what it belonged to, in an error. What a rule decodes itself (json.decode,
 * set, merge, …) lives in the Lua heap with its index, so it counts as the memory of the run and goes when no view is left.
 *
 * Between two calls of the Lua API everything here is whole and nothing outside the registry is held: a state may be abandoned
 * at any of them, and views_free then gives everything back without touching Lua. All functions: the state's thread. */
#ifndef TIDEWIRE_VIEW_H
#define TIDEWIRE_VIEW_H

#include <lua.h>

#include "base/buf.h"
#include "base/uuid.h"
#include "json/json.h"

enum { VIEW_TEXT_MAX = 16 << 20 /* bytes of a text that a rule decodes or makes */ };

struct views;

/* The registry of a state, made at the first call (which may raise: memory). luaopen_tidewire_views calls it too. */
struct views *views_of(lua_State *L);
/* After lua_close, or instead of it. NULL is fine. */
void views_free(struct views *views);

/* Makes the document usable in this state. event: the one that it belongs to, for the error after the end; nil: it lives in Lua.
 * doc and its text stay valid until view_close. Returns a handle above 0; 0: no memory. Raises nothing. */
uint64_t view_open(struct views *views, const struct json_doc *doc, struct uuid event);
/* Every view of it is dead from here on. Raises nothing. */
void view_close(struct views *views, uint64_t handle);

/* Pushes one value of an open document: a plain Lua value, an exact integer, or a view. null: nil. May raise (memory). */
void view_push(lua_State *L, uint64_t handle, struct json_value value);
/* The same as iterating sees it: null is json.null. */
void view_push_listed(lua_State *L, uint64_t handle, struct json_value value);
void view_push_null(lua_State *L);

/* The Lua value at index is a view: its place; raises when its document has ended. false: something else. */
bool view_at(lua_State *L, int index, struct json_value *value);
bool view_is_null(lua_State *L, int index);
/* The object that was asked last for a member that it has not, and the member's name, until its document ends. */
bool view_missed(struct views *views, struct json_value *object, struct slice *name);
/* The digits of an exact integer, or of a number beyond 64 bits, as a new string on the stack; false: the value is no such thing,
 * and nothing is pushed. */
bool view_push_digits(lua_State *L, int index);

/* Decodes text (a Lua string at index) into a new document of the Lua heap and pushes its root as json.decode does.
 * false: not JSON; the words are pushed instead ("expected ',' or '}' at byte 17"). */
bool view_decode(lua_State *L, int index);

/* What rules get, for the closed environment:
 *   { null = json.null, json = { encode decode null array }, secret = { new = function(name, …) }, is_view = function(v),
 *     words  = { type pairs ipairs next unpack tostring tonumber select get set merge pick omit copy map filter },
 *     table  = { concat insert remove sort }, string = { format } }
 * `table` and `string` replace the library functions of the same name, also for ("%s"):format. Userdata of other modules take
 * part by metafields: __type (what `type` says), __pairs (called by pairs and ipairs). */
int luaopen_tidewire_views(lua_State *L);

#endif
