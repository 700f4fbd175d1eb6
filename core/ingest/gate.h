/* gate.h: `rate` of a route: so many requests a time, all workers together, and a burst of as many. Generic cell rate algorithm
 * (ITU-T I.371, annex A): one atomic number, no lock. */
#ifndef TIDEWIRE_GATE_H
#define TIDEWIRE_GATE_H

#include "model/generation.h"

/* 0: the request may pass, and is counted. Else the milliseconds until one may. Any thread; now_ns: monotonic. */
uint64_t gate_pass(struct gate *gate, uint64_t now_ns);
/* Rules that replace others: routes of the same path keep what has passed, so that a reload gives no fresh burst. Before any
 * worker has them. */
void gates_carry(const struct generation *before, const struct generation *after);

#endif
