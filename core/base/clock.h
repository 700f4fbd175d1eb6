/* clock.h: the two clocks. Any thread.
 *
 * In a trial of rules (loop/trial.h) they stand still, and move only by clock_pass: then nothing else runs in the process. */
#ifndef TIDEWIRE_CLOCK_H
#define TIDEWIRE_CLOCK_H

#include <stdint.h>

#include "base/buf.h"

/* Milliseconds since 1970, may jump: for what is stored and shown. */
uint64_t clock_wall_ms(void);
/* Since some start, never jumps: for time limits and rates. */
uint64_t clock_mono_ms(void);
uint64_t clock_mono_ns(void);
/* The same start, but it never stands still: for what work costs. */
uint64_t clock_work_ns(void);
/* Processor time of the calling thread. */
uint64_t clock_thread_cpu_ns(void);
/* Really, whatever the clocks say: for a process that can do nothing else meanwhile. */
void clock_sleep_ms(uint64_t ms);
/* RFC 3339 in UTC with milliseconds, "2026-11-20T09:14:02.318Z". */
enum { CLOCK_ISO_SIZE = 25 };
void clock_iso(uint64_t wall_ms, char out[CLOCK_ISO_SIZE]);

/* From here on it is this moment, until clock_pass. Again: another moment. Only while no other thread of the
 * process reads these clocks. */
void clock_freeze(uint64_t wall_ms);
void clock_pass(uint64_t ms); /* frozen only */

#endif
