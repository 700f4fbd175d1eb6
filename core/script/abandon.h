/* abandon.h: when it is allowed to jump out of a Lua state that does not come back by itself (design.md, "Containing Lua").
 *
 * Allowed only if
 *   (a) the thread runs Lua: between watchdog_enter and watchdog_leave, and the run is the one that is late;
 *   (b) the allocator is not at work (heap_is_busy). C functions of ours that Lua calls need no flag, because none of them holds
 * anything outside the Lua heap and its script while it calls Lua: whatever they have begun is given back with the script; (c)
 * the interrupted instruction lies in LuaJIT's text segment, or in no loaded object at all: its machine code. Elsewhere, in libc,
 * the unwinder or OpenSSL, a lock may be held: a time jump returns and is asked for again 1 ms later. Throwing a Lua error holds
 * a process-wide lock of the unwinder, and a jump out of it hangs later errors in every worker (measured). */
#ifndef TIDEWIRE_ABANDON_H
#define TIDEWIRE_ABANDON_H

#include <stdbool.h>

struct watchdog_slot;

/* Notes where the loaded objects lie. Once, before any state is made; objects loaded later count as "elsewhere" only if known:
 * none are. */
void abandon_setup(void);
/* In the signal handler, on the worker's thread; context: the handler's third argument. */
bool abandon_is_allowed(const struct watchdog_slot *slot, const void *context);

#endif
