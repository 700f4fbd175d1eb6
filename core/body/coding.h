/* coding.h: Content-Encoding (RFC 9110, 8.4): gzip, deflate, br, into memory that never grows past a limit. Pure; any thread. */
#ifndef TIDEWIRE_CODING_H
#define TIDEWIRE_CODING_H

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"
#include "body/body.h"

enum coding { CODING_NONE, CODING_GZIP, CODING_DEFLATE, CODING_BROTLI, CODING_UNKNOWN };

/* header: the value of Content-Encoding; "" and "identity" are CODING_NONE. Several codings one after the other: CODING_UNKNOWN.
 */
enum coding coding_of(struct slice header);

/* Appends what the bytes mean to out, an empty buffer whose max is the limit. ERR_LIMIT: it would grow past that; ERR_INVALID:
 * the bytes are damaged or cut off, *error says where; ERR_MEMORY. coding: one of the three. `deflate` is the zlib format, and
 * the bare one that some senders mean by it. Further members of a gzip stream are read, other bytes behind its end are damage. */
enum result coding_undo(enum coding coding, struct slice bytes, struct buf *out, struct body_error *error) MUST_CHECK;

#endif
