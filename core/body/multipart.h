/* multipart.h: multipart/form-data (RFC 7578, RFC 2046 section 5.1). The bytes stay where they are; parts are found by walking.
 * Pure; any thread. */
#ifndef TIDEWIRE_MULTIPART_H
#define TIDEWIRE_MULTIPART_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"
#include "body/body.h"

enum { MULTIPART_BOUNDARY_MAX = 70 /* RFC 2046, 5.1.1 */, MULTIPART_HEAD_MAX = 16 << 10 /* bytes of one part's headers */ };

struct multipart {
    char delimiter[MULTIPART_BOUNDARY_MAX + 4]; /* CR LF "--" boundary */
    size_t delimiter_len;
    struct slice text, rest; /* all of it; what stands behind the last delimiter that was read */
};

struct part {
    struct slice name, filename; /* between their quotes, as they came; filename data NULL: a field, not a file */
    struct slice content_type;   /* "" when absent */
    struct slice bytes;
};

/* text: decoded from any Content-Encoding; borrowed for as long as parts are asked for. ERR_INVALID: the Content-Type names no
 * boundary, or the text does not begin with one. */
enum result multipart_open(struct multipart *multipart, struct slice content_type, struct slice text,
                           struct body_error *error) MUST_CHECK;
/* OK: the next part. ERR_NOT_FOUND: the closing delimiter was there. ERR_INVALID: *error. */
enum result multipart_next(struct multipart *multipart, struct part *part, struct body_error *error) MUST_CHECK;
/* A quoted name without its escapes ('\"', '\\'). Appends; never longer than raw. */
void multipart_unquote(struct slice raw, struct buf *out);
bool multipart_name_is(struct slice raw, struct slice wanted);

/* All parts are well made, and at most BODY_FIELDS_MAX. */
enum result multipart_check(struct slice content_type, struct slice text, struct body_error *error) MUST_CHECK;

#endif
