/* flight.h: what a worker is doing right now, in memory that outlives the process: plain writes, no system call. After a fall the
 * next server reads it (loop/verdict.h): guilty is only who was in Lua when its own thread failed, or whose loop stood still. */
#ifndef TIDEWIRE_FLIGHT_H
#define TIDEWIRE_FLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/slice.h"
#include "base/uuid.h"

enum { FLIGHT_NAME_MAX = 255 };

/* What is asked of the rules. */
enum flight_task { FLIGHT_HANDLER, FLIGHT_QUESTION /* when, dedupe */, FLIGHT_SUCCESS /* of a target */, FLIGHT_LOADING };

struct flight {
    atomic_bool in_lua;
    atomic_int fault; /* the signal that this thread raised by its own doing; 0: none */
    enum flight_task task;
    struct uuid event; /* nil: not about one */
    uint32_t generation;
    uint32_t name_len;          /* 0: longer than there is room for */
    char name[FLIGHT_NAME_MAX]; /* of the route; of the target with FLIGHT_SUCCESS; the hash with FLIGHT_LOADING */
};

/* Worker thread, before each stretch in Lua. */
static inline void flight_begin(struct flight *flight, enum flight_task task, struct uuid event, struct slice name,
                                uint32_t generation)
{
    flight->task = task;
    flight->event = event;
    flight->generation = generation;
    flight->name_len = name.len <= FLIGHT_NAME_MAX ? (uint32_t)name.len : 0;
    memcpy(flight->name, name.data, flight->name_len);
    atomic_store_explicit(&flight->in_lua, true, memory_order_release);
}

static inline void flight_end(struct flight *flight)
{
    atomic_store_explicit(&flight->in_lua, false, memory_order_release);
}

#endif
