/* heap.h: the memory of one Lua state: counted, limited, private, and dropped whole. One thread. */
#ifndef TIDEWIRE_HEAP_H
#define TIDEWIRE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap;

/* What one run adds between its start and its end. */
struct heap_account {
    int64_t used;       /* bytes; below 0 when it freed what others made */
    int64_t most;       /* the largest that used has been */
    int64_t limit;      /* 0: none */
    bool refused;       /* an allocation was refused because of this limit */
    bool state_refused; /* one was refused because the state is full, whoever filled it */
};

/* limit: bytes of the whole state. NULL: no memory. On the thread that will use it. */
struct heap *heap_new(size_t limit);
/* Everything is given back at once, also of a state that was abandoned in the middle of something. */
void heap_free(struct heap *heap);
/* A lua_Alloc; ud is the heap. */
void *heap_allocate(void *ud, void *ptr, size_t old_size, size_t new_size);
/* Whose account is charged from now on; NULL: nobody's. */
void heap_charge(struct heap *heap, struct heap_account *account);
size_t heap_used(const struct heap *heap);
bool heap_is_over_half(const struct heap *heap);
/* What happens after a refusal, inside the allocator's call and with heap_is_busy false: it may leave by a jump. NULL: NULL is
 * returned to Lua. */
void heap_on_refusal(struct heap *heap, void (*leave)(void *arg), void *arg);
/* As if so much more than there is had been asked for. */
void heap_refuse(struct heap *heap);
/* Was anything refused since the last call? */
bool heap_take_refusal(struct heap *heap);
/* The allocator is at work: a jump out of the state must wait (abandon.h). Read by the signal handler of the same thread. */
bool heap_is_busy(const struct heap *heap);

#endif
