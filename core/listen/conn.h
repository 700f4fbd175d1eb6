/* conn.h: one client, accept to close.
 *
 *   READING --request whole--> ANSWERING --conn_reply--> READING …            (keep-alive; one request at a time, so answers are
 * in order) |                            '--last answer--> LINGERING --> CLOSED    (bytes are read away, so that the client sees
 * the answer)
 *      '--fault: answer it--------------------------------^
 *
 * All bytes pass conn_read_plain and conn_write_plain: there TLS will sit. */
#ifndef TIDEWIRE_CONN_H
#define TIDEWIRE_CONN_H

#include "listen/listener.h"

enum { CONN_PENDING_MAX = 64 << 10 /* bytes behind the present request that are kept */ };

/* The answer to the request that on_request brought; exactly once. Copies what it needs. */
void conn_reply(struct conn *conn, const struct reply *reply);
/* The client's address, IPv4-mapped ones as IPv4; "" on a UNIX socket. Valid until the answer. */
struct slice conn_remote_ip(const struct conn *conn);

/* ---- for listener.c ---- */
struct conn *conn_accept(struct listener *listener, uv_stream_t *server);
void conn_sweep(struct conn *conn, uint64_t now_ms);
void conn_drain(struct conn *conn);
void conn_close(struct conn *conn);
struct conn *conn_next(struct conn *conn);

#endif
