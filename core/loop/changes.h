/* changes.h: what is another from one generation to the next, for the report of a reload (rules.md 8). Pure. */
#ifndef TIDEWIRE_CHANGES_H
#define TIDEWIRE_CHANGES_H

#include "base/buf.h"
#include "model/generation.h"
#include "store/store.h"

/* Appends "    ~ target erp: timeout 15s → 30s    + route /erp/returns    3 other routes unchanged"; backlog: what waits, with
 * the targets of changes_gone; rows NULL: not known. */
void changes_write(const struct generation *before, const struct generation *after, const struct store_read_backlog *backlog,
                   struct buf *out);
/* Targets that go, at most `room` of them: whose waiting messages are worth counting. */
size_t changes_gone(const struct generation *before, const struct generation *after, struct backlog_target *out, size_t room);
/* One line for each route whose file was changed and of which something failed before: how much, and the command that runs it
 * again. */
void changes_offer(const struct generation *before, const struct generation *after, const struct store_read_backlog *backlog,
                   struct buf *out);

#endif
