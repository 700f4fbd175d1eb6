/* reply.h: an answer, and its bytes. Pure; any thread. RFC 9110, RFC 9112; problem bodies: RFC 9457. */
#ifndef TIDEWIRE_REPLY_H
#define TIDEWIRE_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "http/request.h"

enum { REPLY_HEADERS_MAX = 24, REPLY_INLINE_MAX = 512 };

struct reply {
    uint16_t status;
    struct slice content_type; /* "" : no body */
    struct slice body;         /* borrowed until reply_write */
    struct http_header headers[REPLY_HEADERS_MAX];
    size_t header_count;
    bool close;                  /* ends the connection whatever the client wants */
    char room[REPLY_INLINE_MAX]; /* for a body that the reply makes itself; such a reply is moved by reply_copy only */
};

void reply_init(struct reply *reply, uint16_t status);
/* Both borrowed. ERR_INVALID: CR, LF or NUL in it, or not a token as name; ERR_LIMIT: no place. */
enum result reply_add_header(struct reply *reply, struct slice name, struct slice value);
/* {"type":"about:blank","title":…,"status":…,"detail":…} ; detail is cut at 300 bytes. 503 carries Retry-After. */
void reply_problem(struct reply *reply, uint16_t status, const char *detail);
/* Makes `to` a copy of `from` that points into itself where `from` did. */
void reply_copy(struct reply *to, const struct reply *from);
const char *reply_reason(uint16_t status);

/* Appends the whole answer. without_body: to HEAD (Content-Length is still said). keep_alive: what the request allows; the
 * connection closes after if either says so: returned. now_ms: for Date. */
bool reply_write(const struct reply *reply, bool without_body, bool keep_alive, uint64_t now_ms, struct buf *out);

#endif
