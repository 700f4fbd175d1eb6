/* when.h: the table form of `when` (rules.md 3). Pure. */
#ifndef TIDEWIRE_WHEN_H
#define TIDEWIRE_WHEN_H

#include "base/buf.h"
#include "model/event.h"
#include "model/generation.h"

/* All conditions hold. scratch as for event_lookup. */
bool when_holds(const struct condition *conditions, size_t count, const struct event *event, struct buf *scratch);
/* '*' stands for any bytes. Linear in text for each star. */
bool when_pattern_matches(struct slice pattern, struct slice text);

#endif
