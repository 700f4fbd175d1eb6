/* probation.h: which routes and targets have cost more than they may, over all workers (design.md, "Who pays").
 *
 *   GOOD --three different events failed by cpu, memory, stack or crash within a minute--> ON PROBATION
 *   GOOD --the server fell in it before its event was stored--> STORE FIRST --a changed file--> GOOD
 *   ON PROBATION --ten good runs in a row, or a changed file--> GOOD
 *
 * Store first: commit and answer, then run, so that the next time the event is there to be charged. On probation: that too, and
 * one run at a time over all workers, at most one a second, each failure doubling that up to a minute; a run has 20 ms
 * of processor time. A target's `success` function is not asked at all then. Kept in the store, so that a fall forgets nothing.
 * Any thread; one lock, and one atomic word for the usual answer that all is well. */
#ifndef TIDEWIRE_PROBATION_H
#define TIDEWIRE_PROBATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "model/generation.h"
#include "model/outcome.h"

struct probation;

enum {
    PROBATION_EVENTS = 3,          /* different ones */
    PROBATION_WITHIN_MS = 60000,   /* of each other */
    PROBATION_GOOD = 10,           /* runs in a row that end it */
    PROBATION_PACE_MS = 1000,      /* between two starts */
    PROBATION_PACE_MAX_MS = 60000, /* after failures */
    PROBATION_WARDS_MAX = 1000     /* remembered; one more takes the place of one that stands well, if any does */
};

/* Routes and targets are told apart by their kind. */
enum ward_kind { WARD_ROUTE, WARD_TARGET };
enum standing { STANDING_GOOD, STANDING_STORE_FIRST, STANDING_PROBATION };

struct probation *probation_new(void);
void probation_free(struct probation *probation);

enum standing probation_of(struct probation *probation, enum ward_kind kind, struct slice name);

/* A run, or a question to the rules, failed at the cost of others; by the rules of that generation. true: it has come on
 * probation by this. */
bool probation_failed(struct probation *probation, enum ward_kind kind, struct slice name, const struct generation *generation,
                      struct uuid event, enum run_reason reason, uint64_t now_ms);
/* One of a route on probation ended well. true: its probation is over. */
bool probation_went_well(struct probation *probation, struct slice route);
/* The server fell in it, and its event is nowhere. */
void probation_store_first(struct probation *probation, enum ward_kind kind, struct slice name,
                           const struct generation *generation, uint64_t now_ms);

/* May an event of this route run now? 0: yes; if it is on probation the turn is taken and given back by probation_give_turn.
 * Else: milliseconds until it is worth asking again. */
uint64_t probation_take_turn(struct probation *probation, struct slice route, uint64_t now_ms);
void probation_give_turn(struct probation *probation, struct slice route);

/* Rules came into force: what is declared in a file that is another now, or whose shared files or settings (tidewire.lua) are,
 * starts anew; what is gone is forgotten. */
void probation_rules_changed(struct probation *probation, const struct generation *now);

/* Raised by every change that has to outlive the process. */
uint32_t probation_version(const struct probation *probation);
void probation_write(struct probation *probation, struct buf *out);
/* Into a new one, before the workers. false: the blob is damaged. */
bool probation_read(struct probation *probation, struct slice blob);

/* For status: one call for each that does not stand well. */
struct ward {
    enum ward_kind kind;
    enum standing standing;
    struct slice name, file;
    enum run_reason reason; /* of the last failure */
    uint64_t since_ms;
    uint32_t good; /* runs in a row, of PROBATION_GOOD */
};
void probation_each(struct probation *probation, void (*each)(void *arg, const struct ward *ward), void *arg);

#endif
