/* replay.h: the newest rules run again for an event of the past. One that waits becomes due now; of any other a new event is made
 * with the same bytes, whose replay_of names it. A replay claims no dedupe key. Main thread. */
#ifndef TIDEWIRE_REPLAY_H
#define TIDEWIRE_REPLAY_H

#include "base/uuid.h"
#include "loop/handoff.h"
#include "loop/worker.h"
#include "store/store.h"

struct replay {
    struct store *store;
    struct handoff *handoff;  /* of main */
    struct generation *rules; /* the newest: they say how long bodies are kept */
    struct worker **workers;
    uint32_t worker_count;
    struct uuid_maker *ids; /* of main */
};

/* done is called once, perhaps from inside: 202 with {"id":…,"replay_of":…}, 200 with {"id":…,"woken":true}, or a problem with
 * detail. Borrowed for the call. */
typedef void (*replay_done)(void *arg, uint16_t status, struct slice json, const char *detail);
void replay_event(const struct replay *replay, struct uuid id, replay_done done, void *arg);

#endif
