/* explained.h: notes as JSON what ingest decides about the events of a trial, for `tidewire explain`. Command line only, one
 * thread.
 */
#ifndef TIDEWIRE_EXPLAINED_H
#define TIDEWIRE_EXPLAINED_H

#include "base/buf.h"
#include "ingest/ingest.h"

enum { EXPLAINED_MAX = 16 << 20, EXPLAINED_VALUE_MAX = 2 << 10 /* bytes of one value that is shown */ };

struct explained {
    struct ingest_watch watch;
    struct buf notes; /* elements of an array, with commas between */
    struct buf json;
};

/* What to give to trial_new; all zero before. */
const struct ingest_watch *explained_begin(struct explained *explained);
/* An array, in the order of what happened: { "event": id, "type", "decoded": "JSON", "hidden": its route hides a part of it,
 * "when": [{ "path", "wanted": [...], "got", "holds" }] } and { "event": id, "key": "…" }. "got" is absent where there is
 * nothing, and of paths with [*]. Borrowed until the next call; "" where no trial is explained, or too much was noted. */
struct slice explained_json(struct explained *explained);
void explained_end(struct explained *explained);

#endif
