/* recorder.h: the flight recorder: a page shared by supervisor and server, one slot per worker, that outlives the server. A
 * worker moves its tick with every turn of its timer; the supervisor looks whether it still moves. What a worker was doing when
 * the server fell stands here too (model/flight.h), and how it fell; the next server draws the conclusions (loop/verdict.h). */
#ifndef TIDEWIRE_RECORDER_H
#define TIDEWIRE_RECORDER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/result.h"
#include "model/flight.h"

struct recorder_slot {
    alignas(64) atomic_ulong tick; /* 0: its loop has not run yet */
    atomic_bool ended;             /* its loop was left in order: it drained before the others */
    struct flight flight;
};

/* How the last server ended. */
struct recorder_end {
    int32_t signal; /* 0: it exited */
    int32_t code;
    int32_t stalled; /* the worker whose loop stood still; -1: none did */
};

struct recorder; /* a mapping; never unmapped */

/* Supervisor: makes the page and the descriptor that the server inherits. */
enum result recorder_make(uint32_t workers, struct recorder **out, int *fd) MUST_CHECK;
/* Server. ERR_IO when the descriptor is not such a page for that many workers. */
enum result recorder_map(int fd, uint32_t workers, struct recorder **out) MUST_CHECK;
struct recorder_slot *recorder_slot(struct recorder *recorder, uint32_t worker);
/* Supervisor, before a server starts: its loops have not run yet. What the one before has left stays. */
void recorder_reset(struct recorder *recorder);
/* Supervisor: what the next server finds. */
struct recorder_end *recorder_end(struct recorder *recorder);
/* Server, when it has drawn its conclusions: nobody is in Lua, nobody fell. */
void recorder_forget(struct recorder *recorder);

/* Worker thread. */
static inline void recorder_tick(struct recorder_slot *slot)
{
    atomic_fetch_add_explicit(&slot->tick, 1, memory_order_relaxed);
}

static inline void recorder_ended(struct recorder_slot *slot)
{
    atomic_store_explicit(&slot->ended, true, memory_order_relaxed);
}

#endif
