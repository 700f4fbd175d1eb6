#include "script/heap.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A heap that goes as a whole: mimalloc's, or plain malloc's blocks with a list through them. The second one under a sanitizer,
 * so that every access is checked, and with mimalloc 3: there a thread's private heap may take over pages that other threads
 * left, and destroying it destroys what still lives in them (3.0.1: a crash in libcrypto after a worker's thread had ended). */
#ifndef TIDEWIRE_SANITIZED
#include <mimalloc.h>
#endif
#if defined(TIDEWIRE_SANITIZED) || MI_MALLOC_VERSION >= 300
#define LIST_OF_BLOCKS
#include <stdalign.h>
struct block {
    alignas(max_align_t) struct block *next;
    struct block *prev;
};
#endif

struct heap {
    size_t used, limit;
    struct heap_account *account; /* borrowed */
    bool refused;
    void (*leave)(void *arg); /* after a refusal; NULL: nothing */
    void *leave_arg;
    volatile sig_atomic_t busy;
#ifdef LIST_OF_BLOCKS
    struct block blocks; /* head of a ring */
#else
    mi_heap_t *inside;
#endif
};

#ifdef LIST_OF_BLOCKS

static bool inside_open(struct heap *heap)
{
    heap->blocks.next = heap->blocks.prev = &heap->blocks;
    return true;
}

static void inside_close(struct heap *heap)
{
    while (heap->blocks.next != &heap->blocks) {
        struct block *block = heap->blocks.next;
        heap->blocks.next = block->next;
        free(block);
    }
}

static void inside_free(struct heap *heap, void *ptr)
{
    (void)heap;
    if (!ptr)
        return;
    struct block *block = (struct block *)ptr - 1;
    block->prev->next = block->next;
    block->next->prev = block->prev;
    free(block);
}

static void *inside_resize(struct heap *heap, void *ptr, size_t old_size, size_t size)
{
    struct block *block = realloc(ptr ? (struct block *)ptr - 1 : NULL, sizeof(*block) + size);
    if (!block)
        return size <= old_size ? ptr : NULL;
    if (!ptr) {
        block->next = heap->blocks.next;
        block->prev = &heap->blocks;
    }
    block->next->prev = block->prev->next = block; /* it may have moved */
    return block + 1;
}

#else

static bool inside_open(struct heap *heap)
{
    heap->inside = mi_heap_new();
    return heap->inside != NULL;
}

static void inside_close(struct heap *heap)
{
    mi_heap_destroy(heap->inside);
}

static void inside_free(struct heap *heap, void *ptr)
{
    (void)heap;
    mi_free(ptr);
}

static void *inside_resize(struct heap *heap, void *ptr, size_t old_size, size_t size)
{
    (void)old_size;
    return mi_heap_realloc(heap->inside, ptr, size);
}

#endif

struct heap *heap_new(size_t limit)
{
    struct heap *heap = MEM_NEW(struct heap);
    heap->limit = limit;
    if (!inside_open(heap)) {
        mem_free(heap);
        return NULL;
    }
    return heap;
}

void heap_free(struct heap *heap)
{
    if (!heap)
        return;
    inside_close(heap);
    mem_free(heap);
}

/* Shrinking is never refused: Lua does not expect it. */
static bool fits(struct heap *heap, size_t old_size, size_t new_size)
{
    if (new_size <= old_size)
        return true;
    size_t more = new_size - old_size;
    struct heap_account *account = heap->account;
    if (account && account->limit && (int64_t)more > account->limit - account->used) {
        heap->refused = account->refused = true;
        return false;
    }
    if (more > heap->limit || heap->used > heap->limit - more) {
        heap->refused = true;
        if (account)
            account->state_refused = true;
        return false;
    }
    return true;
}

static void count(struct heap *heap, size_t old_size, size_t new_size)
{
    heap->used = heap->used - old_size + new_size;
    struct heap_account *account = heap->account;
    if (!account)
        return;
    account->used += (int64_t)new_size - (int64_t)old_size;
    if (account->used > account->most)
        account->most = account->used;
}

void *heap_allocate(void *ud, void *ptr, size_t old_size, size_t new_size)
{
    struct heap *heap = ud;
    void *result = NULL;
    if (!ptr)
        old_size = 0; /* Lua says the kind of object there, not a size */
    heap->busy++;
    if (new_size == 0) {
        inside_free(heap, ptr);
        count(heap, old_size, 0);
    } else if (fits(heap, old_size, new_size)) {
        result = inside_resize(heap, ptr, old_size, new_size);
        if (result)
            count(heap, old_size, new_size);
    }
    heap->busy--;
    if (!result && new_size > 0 && heap->leave)
        heap->leave(heap->leave_arg);
    return result;
}

void heap_on_refusal(struct heap *heap, void (*leave)(void *arg), void *arg)
{
    heap->leave = leave;
    heap->leave_arg = arg;
}

void heap_refuse(struct heap *heap)
{
    (void)heap_allocate(heap, NULL, 0, SIZE_MAX / 4);
}

void heap_charge(struct heap *heap, struct heap_account *account)
{
    heap->account = account;
}

size_t heap_used(const struct heap *heap)
{
    return heap->used;
}

bool heap_is_over_half(const struct heap *heap)
{
    return heap->used > heap->limit / 2;
}

bool heap_take_refusal(struct heap *heap)
{
    bool refused = heap->refused;
    heap->refused = false;
    return refused;
}

bool heap_is_busy(const struct heap *heap)
{
    return heap->busy != 0;
}
