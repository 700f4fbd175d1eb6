/* redact.h: an event as screens may show it: what its route names in `redact` is not there. */
#ifndef TIDEWIRE_REDACT_H
#define TIDEWIRE_REDACT_H

#include "base/buf.h"
#include "model/event.h"

#define REDACTED "(hidden)"

bool redact_hides_header(const struct event *event, struct slice name);
/* The body as a JSON value. A body that is no JSON is hidden whole when a path leads into it. */
void redact_body(const struct event *event, struct buf *out);

#endif
