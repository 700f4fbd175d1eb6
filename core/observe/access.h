/* access.h: one log line per request that was accepted, and one per finished attempt (interface.md 4.2). Worker threads. */
#ifndef TIDEWIRE_ACCESS_H
#define TIDEWIRE_ACCESS_H

#include "model/attempt.h"
#include "model/delivery.h"
#include "model/event.h"
#include "model/fetch.h"
#include "model/outcome.h"

/* answered: the status the sender got. took_us: from the last byte of the request to the answer. */
void access_request(const struct event *event, uint16_t answered, uint64_t took_us);
/* A try of the handler that did not end well, or dropped the event. */
void access_run(const struct event *event, const struct outcome *outcome);
void access_attempt(const struct slice route, struct uuid event_id, struct uuid delivery_id, struct slice target,
                    const struct attempt *attempt, enum delivery_state state, uint64_t due_ms, struct slice reason);

/* A handler has asked another server. At level debug. */
void access_lookup(const struct event *event, const struct fetch_record *record);

#endif
