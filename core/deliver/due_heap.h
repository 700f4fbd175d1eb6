/* due_heap.h: things that wait for a moment, the earliest first: a binary heap. One owner, one thread. */
#ifndef TIDEWIRE_DUE_HEAP_H
#define TIDEWIRE_DUE_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct due_entry {
    uint64_t due_ms;
    void *item; /* borrowed */
};

/* Zeroed: empty. */
struct due_heap {
    struct due_entry *entries; /* owned */
    size_t count, room;
};

void due_heap_add(struct due_heap *heap, uint64_t due_ms, void *item);
/* When the earliest is due; UINT64_MAX: nothing waits. */
uint64_t due_heap_next_ms(const struct due_heap *heap);
/* Takes the earliest out; NULL: nothing waits. */
void *due_heap_take(struct due_heap *heap);
void due_heap_deinit(struct due_heap *heap);

#endif
