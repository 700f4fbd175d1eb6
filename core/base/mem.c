#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static void *or_abort(void *ptr)
{
    if (!ptr) {
        fputs("tidewire: out of memory for a small fixed structure\n", stderr);
        abort();
    }
    return ptr;
}

void *mem_new(size_t size)
{
    return or_abort(calloc(1, size));
}

void *mem_alloc(size_t size)
{
    return malloc(size ? size : 1);
}

void *mem_realloc(void *ptr, size_t size)
{
    return realloc(ptr, size ? size : 1);
}

void mem_free(void *ptr)
{
    free(ptr);
}

char *mem_text(struct slice text)
{
    char *copy = or_abort(malloc(text.len + 1));
    if (text.len)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}
