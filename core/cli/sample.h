/* sample.h: makes a request genuine: the reverse of ingest/verify.h, for `tidewire send`. Command line only. */
#ifndef TIDEWIRE_SAMPLE_H
#define TIDEWIRE_SAMPLE_H

#include "base/buf.h"
#include "base/result.h"
#include "model/generation.h"

/* Header lines ("Name: value"), each ended by a line feed, that sign body with secret as the scheme wants it now. now_ms: wall
 * clock. ERR_INVALID: the scheme's template needs what a sample does not have; *why says what. */
enum result sample_sign(const struct verify *verify, struct slice secret, struct slice method, struct slice path,
                        struct slice body, struct slice id, uint64_t now_ms, struct buf *lines, const char **why) MUST_CHECK;

#endif
