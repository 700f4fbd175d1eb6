/* status.h: how the router is: the JSON of GET /v1/status (interface.md 3.2) and the text of GET /metrics (4.1). Both first bring
 * together what the workers and the store know. Main thread. */
#ifndef TIDEWIRE_STATUS_H
#define TIDEWIRE_STATUS_H

#include "base/buf.h"
#include "loop/handoff.h"
#include "loop/probation.h"
#include "loop/worker.h"
#include "model/generation.h"
#include "store/store.h"

struct status {
    uint64_t started_ms; /* monotonic */
    uint32_t restarts;
    uint32_t jumps; /* Lua states that were left by a jump, in this server */
    bool ready;
    struct generation *rules; /* NULL: none yet */
    bool runs_kept_rules;     /* the files had mistakes at the start: the last good rules run */
    bool last_reload_failed;
    const char *folder;
    const char (*listen)[64];
    size_t listen_count;
    struct store *store;     /* NULL: not open */
    struct worker **workers; /* NULL: they do not run yet */
    uint32_t worker_count;
    struct probation *probation;
    struct handoff *handoff; /* of main */
};

enum status_form { STATUS_JSON, STATUS_METRICS };
/* done is called once, perhaps from inside; text is borrowed for the call. What status points at outlives it. */
void status_ask(const struct status *status, enum status_form form, void (*done)(void *arg, struct slice text), void *arg);

#endif
