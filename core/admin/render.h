/* render.h: what the store knows, as the JSON of the admin API (interface.md 3.2). Pure. */
#ifndef TIDEWIRE_RENDER_H
#define TIDEWIRE_RENDER_H

#include "base/buf.h"
#include "model/generation.h"
#include "store/store.h"

/* One event of a list: no deliveries. */
void render_event_row(const struct event_row *row, struct buf *out);
/* The whole event: headers that may be shown, body, deliveries with their attempts. Header values pass an allow list
 * (interface.md 4.2): signatures, cookies and authorization are shown as "(hidden)". */
void render_event(const struct store_read_show *show, struct buf *out);
/* {"items":[…],"next_cursor":"…"|null} */
void render_list(const struct store_read_list *list, struct buf *out);

#endif
