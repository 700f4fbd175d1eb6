/* side_by_side.h: pieces of work in processes of their own, so that one that falls takes nothing with it. Command line only; the
 * calling process has no other thread. */
#ifndef TIDEWIRE_SIDE_BY_SIDE_H
#define TIDEWIRE_SIDE_BY_SIDE_H

#include <stddef.h>

#include "base/result.h"
#include "base/slice.h"

struct side_by_side {
    size_t count;   /* pieces */
    size_t at_once; /* processes; 1 to SIDE_BY_SIDE_MAX */
    /* In the process of piece i: what it writes to fd comes to on_bytes. The process ends when it returns. */
    void (*work)(void *arg, size_t i, int fd);
    /* In the caller's: as it comes, for one piece in order. */
    void (*on_bytes)(void *arg, size_t i, struct slice bytes);
    /* Its process has ended; status: of waitpid. */
    void (*on_end)(void *arg, size_t i, int status);
    void *arg;
};
enum { SIDE_BY_SIDE_MAX = 64 };

/* Returns when all have ended. ERR_IO: no process can be made any more; those that were made have ended. */
enum result side_by_side_run(const struct side_by_side *work) MUST_CHECK;
/* The processors that this process may use. */
size_t side_by_side_processors(void);

#endif
