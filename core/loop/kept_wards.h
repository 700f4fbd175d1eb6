/* kept_wards.h: probation.h, kept in the store, so that a fall or a planned replacement forgets nothing. Main thread. */
#ifndef TIDEWIRE_KEPT_WARDS_H
#define TIDEWIRE_KEPT_WARDS_H

#include "loop/handoff.h"
#include "loop/probation.h"
#include "store/store.h"

/* Before store_start, as the next one. */
void kept_wards_read(struct store *store, struct probation *probation);
void kept_wards_write_now(struct store *store, struct probation *probation, uint32_t *version);
/* If it has changed since *version, which is what was written last. */
void kept_wards_write(struct store *store, struct handoff *handoff, struct probation *probation, uint32_t *version);

#endif
