/* arena.h: many small things that end together. One thread at a time; not bounded by itself: callers bound what they add. */
#ifndef TIDEWIRE_ARENA_H
#define TIDEWIRE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

struct arena_block;
struct arena {
    struct arena_block *blocks; /* owned */
    size_t bytes;               /* taken so far, for the caller's limit */
};

/* Zeroed, aligned for any type; NULL when there is no memory. Valid until arena_deinit. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same, not zeroed. */
void *arena_take(struct arena *arena, size_t size);
/* A copy with a terminating zero behind it; data is NULL when there is no memory. */
struct slice arena_copy(struct arena *arena, struct slice bytes);
void arena_deinit(struct arena *arena);

#endif
