/* sender.h: HTTP requests out, by libcurl's multi interface on the worker's loop. Easy handles and connections are reused; the
 * watch on a connection's socket is kept between requests (CURL_POLL_REMOVE is not acted on: it halves the cost, design.md
 * "Budgets"). A request that was started leaves with the next sender_start_due or sender_turn, all of them with one call of
 * libcurl: the owner calls one of them before its loop sleeps. One thread. */
#ifndef TIDEWIRE_SENDER_H
#define TIDEWIRE_SENDER_H

#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "model/attempt.h"
#include "model/event.h"

struct sender;
struct target_tls;

enum { SENDER_HEADERS_MAX = 96, ANSWER_HEAD_MAX = 64 << 10 };

/* What it points to is borrowed until on_done. */
struct outgoing {
    const char *url; /* http or https */
    const char *method;
    const char *const *header_lines; /* "Name: value", without CR, LF and NUL */
    size_t header_count;             /* at most SENDER_HEADERS_MAX */
    struct slice body;
    uint64_t timeout_ms, connect_timeout_ms;
    const struct target_tls *tls; /* of generation.h; NULL: the system's authorities, 1.2 or newer */
    bool allow_private;
    uint32_t redirects; /* how many are followed */
    uint64_t max_response_bytes;
    bool keep_head;      /* the header lines of the answer are wanted */
    struct slice target; /* whose message it is, and what it is of; for who stands in for the network */
    struct uuid event_id, delivery_id;
};

struct answer {
    uint16_t status; /* 0: none */
    enum attempt_error error;
    const char *detail; /* what went wrong, and where redirects led; "" : nothing to say; never the URL */
    uint32_t took_ms;
    struct slice body, content_type, retry_after; /* "" when absent */
    struct slice head;                            /* with keep_head: the last header section, without its status line */
    bool cut;                                     /* the body was longer, or there was no memory for it */
};

/* Instead of the network, in trials of rules: fills answer (zeroed), which may point to what lives until the next call. */
struct stand_in {
    void (*answer)(void *arg, const struct outgoing *request, struct answer *answer);
    void *arg;
};

/* From the loop, sender_start_due or sender_turn; answer is gone after. It may start other requests. */
typedef void (*sender_done)(void *arg, const struct answer *answer);

/* stand_in: borrowed; NULL: requests go out. */
struct sender *sender_new(uv_loop_t *loop, const struct stand_in *stand_in);
/* For tests, before the first request: authorities in PEM in place of the system's (NULL: those), and the one "host:port" that
 * all connections go to (NULL: where the URLs say). ca_file outlives the sender. */
void sender_pretend(struct sender *sender, const char *ca_file, const char *connect_to);
/* on_done is called exactly once, never from inside sender_start. NULL: it could not even be started (*why says it) and is not
 * called. */
struct transfer;
struct transfer *sender_start(struct sender *sender, const struct outgoing *request, sender_done on_done, void *arg,
                              const char **why);
bool sender_is_due(const struct sender *sender);
/* Sends what was started. */
void sender_start_due(struct sender *sender);
/* That, and takes what has been answered until now, without waiting for the loop to come round. */
void sender_turn(struct sender *sender);
/* Ends it without on_done. */
void sender_abort(struct sender *sender, struct transfer *transfer);
/* No transfer is under way; on_closed from the loop. */
void sender_free(struct sender *sender, void (*on_closed)(void *arg), void *arg);

#endif
