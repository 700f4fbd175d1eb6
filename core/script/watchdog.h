/* watchdog.h: one thread that looks at what runs in Lua, and one signal per worker that ends what runs too long.
 *
 * The watchdog does two things only: it stores the number of the run that is over its budget in the worker's slot, and signals
 * that worker's thread. All else happens in the signal handler, on the worker: if that number is still the run's, a count hook is
 * set that raises at each instruction until the run ends, so that no pcall loop swallows it; signals after the grace jump out
 * where that is allowed (abandon.h). The end of a run raises the run's number first and clears the hook then, so a kill never
 * reaches another run. */
#ifndef TIDEWIRE_WATCHDOG_H
#define TIDEWIRE_WATCHDOG_H

#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/result.h"
#include "model/flight.h"

struct lua_State;
struct heap;

enum {
    WATCHDOG_LOOK_MS = 5,
    WATCHDOG_YOUNG_MS = 20, /* runs younger than this are not looked at */
    WATCHDOG_GRACE_MS = 50, /* between the hook and the first jump, for handlers that may be mended by it */
    WATCHDOG_SLOTS_MAX = 128,
};

/* Why a state was left in the middle of something: what sigsetjmp(slot->before, 0) returns. */
enum jump { JUMP_TIME = 1, JUMP_STACK, JUMP_MEMORY, JUMP_PANIC };

/* One worker's. The first group is read by the watchdog's thread, the second only by the worker and its signal handler. */
struct watchdog_slot {
    pthread_t thread;
    clockid_t cpu_clock;
    atomic_ulong run;         /* odd while something runs in Lua, and raised at each start and end */
    atomic_ullong started_ns; /* monotonic */
    atomic_ullong budget_ns;  /* processor time that this stretch may still use */
    atomic_ullong grace_ns;   /* between the end of the budget and the first jump */
    atomic_ulong late_run;    /* written by the watchdog: this run is over its budget */
    atomic_bool past_grace;

    struct lua_State *volatile state;
    const struct heap *volatile heap;
    sigjmp_buf before;
    const char *stack_low; /* the end of its stack; below it lies the guard area */
    size_t guard_bytes;
    struct flight *flight; /* of the flight recorder; borrowed, NULL: none */

    /* the watchdog's own */
    unsigned long seen_run;
    uint64_t cpu_base_ns, late_ns;
};

/* The process's watchdog thread; before the first slot, after the last. Main thread. */
enum result watchdog_start(void) MUST_CHECK;
void watchdog_stop(void);
/* For the calling thread: its signal handling and its alternate stack. NULL: more than WATCHDOG_SLOTS_MAX. */
struct watchdog_slot *watchdog_slot_new(void);
void watchdog_slot_free(struct watchdog_slot *slot);
/* Of the calling thread; NULL: it has none. Signal-safe, as the next one. */
struct watchdog_slot *watchdog_own(void);
bool watchdog_is_in_lua(const struct watchdog_slot *slot);

/* Around every stretch in Lua; `before` has been set by sigsetjmp(slot->before, 0) when a jump may come. */
void watchdog_enter(struct watchdog_slot *slot, struct lua_State *state, const struct heap *heap, uint64_t now_ns,
                    uint64_t budget_ns, uint64_t grace_ns);
/* true: this stretch was over its budget. */
bool watchdog_leave(struct watchdog_slot *slot);
/* After a jump to `before`: signals are let through again. */
void watchdog_after_jump(struct watchdog_slot *slot);

#endif
