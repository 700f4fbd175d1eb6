/* mem.h: memory from the ordinary allocator. Any thread. */
#ifndef TIDEWIRE_MEM_H
#define TIDEWIRE_MEM_H

#include <stddef.h>

#include "base/slice.h"

/* Zeroed memory for a small fixed struct; ends the process when there is none. Freed with mem_free. */
void *mem_new(size_t size) __attribute__((malloc, returns_nonnull));
/* Memory whose size the outside chooses: NULL when there is none. Not zeroed. */
void *mem_alloc(size_t size) __attribute__((malloc));
/* NULL when there is none; ptr then stays as it was. */
void *mem_realloc(void *ptr, size_t size);
void mem_free(void *ptr);
/* A zero-terminated copy; ends the process when there is no memory: for text of bounded size only. */
char *mem_text(struct slice text) __attribute__((malloc, returns_nonnull));

#define MEM_NEW(type) ((type *)mem_new(sizeof(type)))

#endif
