/* run_note.h: runs of tasks and batches that a handler asks for: each is an event of its own, without a request, that waits until
 * it is due. Lies in the event's arena, with everything that it points to. */
#ifndef TIDEWIRE_RUN_NOTE_H
#define TIDEWIRE_RUN_NOTE_H

#include <stdint.h>

#include "base/slice.h"
#include "base/uuid.h"

enum {
    RUN_NAME_MAX = 256,        /* bytes of an `id` */
    RUN_DATA_MAX = 64 << 10,   /* bytes of its data as JSON */
    RUN_NOTES_MAX = 1000,      /* of one run */
    RUN_NOTED_MAX = 16 << 20,  /* bytes of all their data */
    BATCH_BYTES_MAX = 8 << 20, /* of the items of one group: what does not fit begins the next */
};

enum run_note_kind {
    RUN_START,
    RUN_CANCEL,
    RUN_ADD, /* an item of a batch: the group that collects gets it, or else a new one */
};

struct run_note {
    struct run_note *next; /* in the order in which they were asked for */
    enum run_note_kind kind;
    struct slice route; /* "task:nudge" */
    struct slice name;  /* its `id`, kept as the event's type; "" : none. One that waits already under this name is replaced.
                            RUN_ADD: the group, "" : the common one */
    /* RUN_START; RUN_ADD: of the group that begins with it, and after the commit of the one that got it */
    struct uuid id;
    uint64_t made_ms, due_ms, keep_until_ms; /* wall clock */
    struct slice meta;                       /* event_meta_write */
    struct slice body;                       /* JSON; "" : none. RUN_ADD: the item */
    uint32_t items_max;                      /* RUN_ADD: with so many a group is due at once */
};

#endif
