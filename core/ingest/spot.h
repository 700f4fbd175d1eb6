/* spot.h: what a profile's spots find in an event (model/generation.h): type, time, delivery id. Worker's thread. */
#ifndef TIDEWIRE_SPOT_H
#define TIDEWIRE_SPOT_H

#include "model/event.h"
#include "model/generation.h"

/* Strings decoded, numbers as written, several joined by '.'. In the event's arena; data NULL: nothing, or no memory. Before the
 * event is shared. */
struct slice spot_type(const struct spots *spots, struct event *event, struct buf *scratch);
/* A time as RFC 3339 writes it. false: there is none. */
bool spot_time(const struct spots *spots, struct event *event, struct buf *scratch, uint64_t *time_ms);
/* As the text of a key: JSON as written, several joined by a line feed, which neither JSON nor a header has in it. In the event
 * or in scratch, until its next use; several in the event's arena. data NULL: nothing. *in_body: a part of it stands there. */
struct slice spot_key(const struct spots *spots, struct event *event, struct buf *scratch, bool *in_body);

#endif
