/* request.h: one HTTP/1 request from bytes, with its limits. RFC 9110, RFC 9112. No sockets: fed by listen/conn.c, one thread.
 *
 *   HEAD --whole head, valid--> BODY --last byte--> DONE
 *     '----------- any fault -----------'---> ERROR: answer `status`, then close
 *
 * The head is gathered whole and checked for line ends before the parser sees it, so that a request means the same however its
 * bytes are cut, and a lone CR or LF never passes (the smuggling pattern of CVE-2023-30589). llhttp parses head and chunk framing
 * without any lenient flag; what it leaves to the caller is checked here: version, Host, doubled lengths, targets, counts, chunk
 * overhead, trailers. */
#ifndef TIDEWIRE_REQUEST_H
#define TIDEWIRE_REQUEST_H

#include <llhttp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"

enum {
    HTTP_HEADERS_MAX = 100,
    HTTP_HEAD_MAX = 32 << 10,          /* bytes of request line and headers */
    HTTP_TARGET_MAX = 8 << 10,         /* bytes of the request target */
    HTTP_TRAILERS_MAX = 8 << 10,       /* bytes; trailers are checked and dropped */
    HTTP_CHUNK_OVERHEAD_MAX = 16 << 10 /* bytes of chunk framing, plus one for every two of data */
};

struct http_header {
    struct slice name, value; /* value without white space around */
};

/* Bytes of bodies in memory, all workers together. */
struct body_budget {
    atomic_size_t used;
    size_t max;
};

enum request_state { REQUEST_HEAD, REQUEST_BODY, REQUEST_DONE, REQUEST_ERROR };

struct request {
    enum request_state state;

    /* Valid from REQUEST_BODY on, until the next request_reset; slices point into `head`. */
    struct slice method;
    struct slice path;  /* as it came, without the query */
    struct slice query; /* without '?' */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    bool keep_alive;         /* the client wants to go on */
    bool expects_continue;   /* waits for 100 before it sends the body */
    bool is_head;            /* method HEAD: the answer has no body */
    uint64_t content_length; /* 0 when chunked */
    bool chunked;
    void *consumer; /* whatever the consumer keeps with it; NULL at first */

    /* Valid from REQUEST_DONE on. */
    struct slice body;

    /* Valid in REQUEST_ERROR. */
    uint16_t status;
    const char *problem; /* a sentence part for the answer */

    /* the rest is request.c's */
    llhttp_t parser;
    llhttp_settings_t settings;
    struct buf head;
    size_t line_start; /* of the line that is being gathered */
    unsigned lines, empty_lines;
    struct buf data;            /* the body so far */
    struct body_budget *budget; /* borrowed; NULL: none */
    size_t accounted;           /* of data, in the budget */
    uint64_t received;          /* bytes of the body with its framing */
    bool in_trailers;
    size_t trailer_bytes, trailer_line;
    bool trailer_cr;
};

void request_init(struct request *request, struct body_budget *budget);
void request_deinit(struct request *request);
/* Ready for the next request of the connection; keeps the head's memory, gives back the body's. */
void request_reset(struct request *request);

/* Takes bytes until the state changes or they are used up; returns how many it took. In REQUEST_HEAD it stops behind the head:
 * the caller then says what body it allows, with request_allow. */
size_t request_feed(struct request *request, const char *bytes, size_t len);
/* In REQUEST_BODY, before the first byte of it: more than max_body_bytes is 413. A request without a body is REQUEST_DONE after.
 */
void request_allow(struct request *request, uint64_t max_body_bytes);

/* The first header of that name; data NULL: absent. */
struct slice request_header(const struct request *request, struct slice name);
/* Hands over the memory behind `body` (mem_free), which stays readable there; *accounted bytes of the budget go with it and are
 * given back by the taker. NULL: the body is empty. */
char *request_take_body(struct request *request, size_t *accounted);

/* A token (RFC 9110, 5.6.2): what a header's name is. */
bool http_is_token(struct slice text);
/* target.c: origin-form and absolute-form (RFC 9112, 3.2). false: neither, or with bytes that no target has. */
bool target_split(struct slice target, struct slice *path, struct slice *query);
/* A Host value: host and port (RFC 9110, 7.2). */
bool host_is_valid(struct slice host);

#endif
