/* handoff.h: a queue from any thread to one loop thread, over one uv_async. Links are the caller's own: handing over allocates
 * nothing. What is bounded is what is handed over: store operations have taken their room, deliveries theirs in `room`. */
#ifndef TIDEWIRE_HANDOFF_H
#define TIDEWIRE_HANDOFF_H

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

#include "base/handed.h"
#include "base/result.h"

struct handoff {
    uv_async_t async;
    pthread_mutex_t lock;
    struct handed *first, **last; /* guarded by lock */
    bool closed;                  /* guarded by lock */
};

/* Loop thread. */
enum result handoff_init(struct handoff *handoff, uv_loop_t *loop) MUST_CHECK;
/* Any thread. ERR_CLOSED: the receiver has ended, the caller keeps it. */
enum result handoff_send(struct handoff *handoff, struct handed *handed) MUST_CHECK;
/* Loop thread: runs what is there now, then accepts no more. on_closed from the loop when the async handle is gone. */
void handoff_close(struct handoff *handoff, uv_close_cb on_closed);

#endif
