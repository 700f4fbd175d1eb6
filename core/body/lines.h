/* lines.h: NDJSON (one JSON value on each line) as one JSON array, so that everything that reads JSON reads it. Pure; any thread.
 */
#ifndef TIDEWIRE_LINES_H
#define TIDEWIRE_LINES_H

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"
#include "json/json.h"

/* Makes "[line,line,…]" in *array, an empty buffer with a max of text.len + 2 or more, and its index over it. Empty lines, also
 * of white space, and a byte order mark at the start do not count; a value keeps its bytes. ERR_INVALID: a line that is not one
 * JSON value, with its place in text; ERR_MEMORY: the buffer did not grow, or the index. The index borrows the buffer's bytes. */
enum result lines_index(struct slice text, struct buf *array, struct json_doc **out, struct json_error *error) MUST_CHECK;

#endif
