#include "deliver/due_heap.h"

#include <string.h>

#include "base/mem.h"

enum { ROOM_FIRST = 16 };

static void rise(struct due_heap *heap, size_t place)
{
    struct due_entry entry = heap->entries[place];
    while (place > 0 && heap->entries[(place - 1) / 2].due_ms > entry.due_ms) {
        heap->entries[place] = heap->entries[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    heap->entries[place] = entry;
}

static void sink(struct due_heap *heap, size_t place)
{
    struct due_entry entry = heap->entries[place];
    for (size_t child; (child = 2 * place + 1) < heap->count; place = child) {
        if (child + 1 < heap->count && heap->entries[child + 1].due_ms < heap->entries[child].due_ms)
            child++;
        if (heap->entries[child].due_ms >= entry.due_ms)
            break;
        heap->entries[place] = heap->entries[child];
    }
    heap->entries[place] = entry;
}

void due_heap_add(struct due_heap *heap, uint64_t due_ms, void *item)
{
    if (heap->count == heap->room) {
        size_t room = heap->room ? heap->room * 2 : ROOM_FIRST;
        struct due_entry *entries = mem_new(room * sizeof(*entries));
        if (heap->count)
            memcpy(entries, heap->entries, heap->count * sizeof(*entries));
        mem_free(heap->entries);
        heap->entries = entries;
        heap->room = room;
    }
    heap->entries[heap->count++] = (struct due_entry){ due_ms, item };
    rise(heap, heap->count - 1);
}

uint64_t due_heap_next_ms(const struct due_heap *heap)
{
    return heap->count > 0 ? heap->entries[0].due_ms : UINT64_MAX;
}

void *due_heap_take(struct due_heap *heap)
{
    if (heap->count == 0)
        return NULL;
    void *first = heap->entries[0].item;
    heap->entries[0] = heap->entries[--heap->count];
    if (heap->count > 0)
        sink(heap, 0);
    return first;
}

void due_heap_deinit(struct due_heap *heap)
{
    mem_free(heap->entries);
    *heap = (struct due_heap){ 0 };
}
