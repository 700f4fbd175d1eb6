/* vm.h: a script's Lua state, for those who load rules in it (load.c) and for the command line. The state's thread. */
#ifndef TIDEWIRE_VM_H
#define TIDEWIRE_VM_H

#include "script/script.h"

struct lua_State;

struct lua_State *script_lua(struct script *script);
/* The files of a generation as loader.lua takes them: a list of { name, module, text }, pushed. */
void script_push_files(struct lua_State *L, const struct generation *generation);
/* Runs fn(arg) in a protected call with internal `require` available; limit_ms: time after which it is ended (0: none),
 * and then each step of it has a limit too.
 * ERR_SCRIPT: script_error says why. */
enum result script_protected(struct script *script, int (*fn)(struct lua_State *L), void *arg, uint32_t limit_ms) MUST_CHECK;
/* Inside it: lua_pcall(L, 0, LUA_MULTRET, 0), which may use so much processor time but for what stays in one C function. */
int script_call_limited(struct lua_State *L, uint32_t limit_ms);
/* Inside it: pushes the event as rules see it, until the state ends. Counted. */
void script_push_event(struct lua_State *L, struct event *event);
/* Inside it: the next step begins, the loading of this file. */
void script_step(struct script *script, const char *name);

#endif
