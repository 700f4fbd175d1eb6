/* changes.h: what is another from one generation to the next, for the report of a reload (rules.md 8). Pure. */
#ifndef TIDEWIRE_CHANGES_H
#define TIDEWIRE_CHANGES_H

#include "base/buf.h"
#include "model/generation.h"

/* Appends "    ~ target erp: timeout 15s → 30s    + route /erp/returns    3 other routes unchanged". */
void changes_write(const struct generation *before, const struct generation *after, struct buf *out);

#endif
