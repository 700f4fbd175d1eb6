/* sample.h: makes a request genuine: the reverse of ingest/verify.h, for `tidewire send` and tests of rules. Command line only.
 */
#ifndef TIDEWIRE_SAMPLE_H
#define TIDEWIRE_SAMPLE_H

#include "base/buf.h"
#include "base/result.h"
#include "ingest/verify.h"

/* What the schemes of one route sign with. */
struct sample_keys {
    struct slice secret; /* where the sender signs with a key of its own: the private one in PEM */
    struct slice also;   /* of verify->also */
};

/* Does its sender sign with a key of its own? A scheme that knows both is signed with the secret. */
bool sample_by_key(const struct verify *verify);

/* Header lines ("Name: value"), each ended by a line feed, that make the request genuine at request->now_ms; id: a fresh one. The
 * signature of a scheme whose signature stands in the body goes to `field` instead, for the place verify->field; a signed time
 * that stands in the body is there already. ERR_INVALID: *why says what is missing. */
enum result sample_sign(const struct verify *verify, const struct sample_keys *keys, const struct verify_input *request,
                        struct slice id, struct buf *lines, struct buf *field, const char **why) MUST_CHECK;

#endif
