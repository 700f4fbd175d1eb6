/* admin.h: the admin API over the router's UNIX socket (interface.md 3): JSON under /v1, problems as RFC 9457. The socket's mode
 * (0600) says who may ask. Main thread. */
#ifndef TIDEWIRE_ADMIN_H
#define TIDEWIRE_ADMIN_H

#include <uv.h>

#include "base/buf.h"
#include "base/result.h"
#include "loop/handoff.h"
#include "store/store.h"

struct admin;
struct admin_call; /* one request on its way to its answer */

struct admin_config {
    uv_loop_t *loop;
    int fd;                  /* a listening socket; owned */
    struct handoff *handoff; /* of main: store operations come back through it */
    /* NULL while the store is not open: answered 503. */
    struct store *(*store)(void *arg);
    /* Why the router is not ready ("starting", "draining"); NULL: it is. */
    const char *(*not_ready)(void *arg);
    /* Each ends in exactly one admin_answer, now or later, on this thread. */
    void (*status)(void *arg, struct admin_call *call);
    void (*metrics)(void *arg, struct admin_call *call);
    void (*reload)(void *arg, struct admin_call *call);
    void (*check)(void *arg, struct admin_call *call); /* what a reload would say */
    void (*replay)(void *arg, struct admin_call *call, struct uuid event);
    void *arg;
};

enum result admin_start(const struct admin_config *config, struct admin **out) MUST_CHECK;
/* 200, 422, 503 … with a JSON body, which is copied. */
void admin_answer(struct admin_call *call, uint16_t status, struct slice json);
/* As Prometheus text. */
void admin_answer_text(struct admin_call *call, struct slice text);
/* A problem of RFC 9457; detail is a static text. */
void admin_answer_problem(struct admin_call *call, uint16_t status, const char *detail);
/* on_closed from the loop; calls that wait are forgotten when their answer comes. */
void admin_stop(struct admin *admin, void (*on_closed)(void *arg), void *arg);

#endif
