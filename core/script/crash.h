/* crash.h: signals that a thread raises by its own doing: SIGSEGV, SIGBUS, SIGILL, SIGFPE and abort().
 *
 * A worker that ran over the end of its stack in Lua is brought back to the point before the call, where a jump is allowed
 * (abandon.h): the guard area is the net behind the counters of environment.lua. Every other fault ends the process as it would
 * have without us; before that it is written down whose thread it was (model/flight.h). */
#ifndef TIDEWIRE_CRASH_H
#define TIDEWIRE_CRASH_H

/* The handlers of the process; once, main thread. Threads without a slot of the watchdog are not helped. */
void crash_setup(void);

#endif
