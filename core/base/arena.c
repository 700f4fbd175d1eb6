#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>

#include "base/mem.h"

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

enum { ARENA_BLOCK = 1024 - sizeof(struct arena_block) /* a size that allocators have */ };

void *arena_take(struct arena *arena, size_t size)
{
    size_t need = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_block *block = arena->blocks;
    if (need < size)
        return NULL;
    if (!block || block->size - block->used < need) {
        size_t room = ARENA_BLOCK + (need > ARENA_BLOCK ? need : 0); /* behind something large what follows finds room, too */
        block = mem_alloc(sizeof(*block) + room);
        if (!block)
            return NULL;
        *block = (struct arena_block){ .next = arena->blocks, .size = room };
        arena->blocks = block;
    }
    void *result = block->bytes + block->used;
    block->used += need;
    arena->bytes += need;
    return result;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *memory = arena_take(arena, size);
    return memory ? memset(memory, 0, size) : NULL;
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    char *copy = arena_take(arena, bytes.len + 1);
    if (!copy)
        return (struct slice){ NULL, 0 };
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    copy[bytes.len] = '\0';
    return (struct slice){ copy, bytes.len };
}

void arena_deinit(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        mem_free(arena->blocks);
        arena->blocks = next;
    }
    arena->bytes = 0;
}
