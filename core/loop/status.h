/* status.h: how the router is, as the JSON of GET /v1/status (interface.md 3.2). Pure but for the clock; main thread. */
#ifndef TIDEWIRE_STATUS_H
#define TIDEWIRE_STATUS_H

#include "base/buf.h"
#include "model/generation.h"
#include "store/store.h"

struct status {
    uint64_t started_ms; /* monotonic */
    uint32_t restarts;
    bool ready;
    const struct generation *rules; /* NULL: none yet */
    bool runs_kept_rules;           /* the files had mistakes at the start: the last good rules run */
    const char *folder;
    const char (*listen)[64];
    size_t listen_count;
    const struct store *store;  /* NULL: not open */
    const struct buf **workers; /* each a JSON object of worker.h; NULL: they were not asked */
    size_t worker_count;
};

void status_write(const struct status *status, struct buf *out);

#endif
