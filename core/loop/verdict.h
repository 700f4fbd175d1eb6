/* verdict.h: after a fall: who was at work when the last server ended, and what follows for it (design.md, "Flight recorder").
 *
 * Guilty is a worker that was in Lua when its own thread raised the signal, or whose loop stood still there for so long that the
 * supervisor ended the server. A kill from outside, a fault of another thread, a fault outside Lua: nobody is.
 * If the event is stored and waits, the fall is a failed try of it: `crash`. If it is nowhere, nobody was answered: its route
 * runs store first from now on. A target whose `success` was being asked has it asked no more. Main thread, store open, before
 * any worker. */
#ifndef TIDEWIRE_VERDICT_H
#define TIDEWIRE_VERDICT_H

#include "loop/probation.h"
#include "model/generation.h"
#include "store/store.h"
#include "super/recorder.h"

/* Reads the recorder, writes what follows into store and probation, and says it in one log line each. The recorder is the
 * caller's to empty (recorder_forget), once probation is in the store: a fall in between draws the verdict again. */
void verdict_draw(struct recorder *recorder, uint32_t workers, struct store *store, struct probation *probation,
                  const struct generation *rules);

#endif
