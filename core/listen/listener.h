/* listener.h: one listening socket and its connections, on one loop. It hands whole requests to its consumer and never knows what
 * they mean. All on the loop's thread. */
#ifndef TIDEWIRE_LISTENER_H
#define TIDEWIRE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/result.h"
#include "http/reply.h"
#include "http/request.h"

struct conn;
struct listener;

struct listener_config {
    uint32_t connections_max;
    uint64_t request_ms;        /* first byte of a head to last byte of its body; one second more per 64 KiB of body */
    uint64_t idle_ms;           /* keep-alive without a request */
    uint64_t write_ms;          /* an answer that the client does not take */
    uint64_t linger_ms;         /* after a last answer: how long bytes are still read away */
    uint64_t sweep_ms;          /* how often deadlines are looked at */
    struct body_budget *budget; /* borrowed; NULL: none */
    const char *unix_peer;      /* the address that connections of a UNIX socket count as, when they come; NULL: none */
};
/* 10,000 connections, 10 s, 75 s, 20 s, 2 s, 500 ms (interface.md 2.2). */
struct listener_config listener_defaults(void);

/* What the consumer says to a head. */
struct head_verdict {
    bool refused;
    uint64_t max_body_bytes; /* when not refused */
    struct reply reply;      /* when refused */
};

/* A request that never was one. */
struct refused_request {
    uint16_t status; /* 0: closed without an answer */
    const char *detail;
    struct slice remote_ip;
};

struct listener_callbacks {
    /* The head is valid. Not refused: exactly one of on_request and on_gone follows. */
    void (*on_head)(struct conn *conn, struct request *request, struct head_verdict *verdict, void *arg);
    /* The request is whole: answer it with conn_reply, now or later. request is valid until then. */
    void (*on_request)(struct conn *conn, struct request *request, void *arg);
    /* The client went before the answer: conn must not be used any more. Not called once the answer was given. */
    void (*on_gone)(struct conn *conn, struct request *request, void *arg);
    void (*on_refused)(const struct refused_request *refused, void *arg);
    void *arg;
};

/* fd: a listening TCP or UNIX socket; owned from here on. ERR_IO: errno of libuv is logged by the caller from uv_error. */
enum result listener_start(uv_loop_t *loop, int fd, const struct listener_config *config,
                           const struct listener_callbacks *callbacks, struct listener **out) MUST_CHECK;
/* Idle connections are closed, busy ones after their answer; new ones are still accepted (a socket that nobody accepts swallows
 * its share), and the consumer refuses what they ask. */
void listener_drain(struct listener *listener);
/* Another process goes on with the same socket: nothing is accepted any more, what comes waits there. Open connections are
 * served, each answer closes its connection; idle ones stay until listener_drain. */
void listener_hand_over(struct listener *listener);
/* Closes the socket and all connections (on_gone for those not answered); on_closed from the loop, when all memory is given back.
 */
void listener_close(struct listener *listener, void (*on_closed)(void *arg), void *arg);
uint32_t listener_connections(const struct listener *listener);

#endif
