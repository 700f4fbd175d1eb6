#include "loop/handoff.h"

#include <stddef.h>

static struct handed *take_all(struct handoff *handoff)
{
    pthread_mutex_lock(&handoff->lock);
    struct handed *first = handoff->first;
    handoff->first = NULL;
    handoff->last = &handoff->first;
    pthread_mutex_unlock(&handoff->lock);
    return first;
}

static void drain(struct handoff *handoff)
{
    struct handed *handed = take_all(handoff);
    while (handed) {
        struct handed *next = handed->next;
        handed->run(handed);
        handed = next;
    }
}

static void on_async(uv_async_t *async)
{
    drain(async->data);
}

enum result handoff_init(struct handoff *handoff, uv_loop_t *loop)
{
    if (uv_async_init(loop, &handoff->async, on_async) != 0)
        return ERR_IO;
    handoff->async.data = handoff;
    pthread_mutex_init(&handoff->lock, NULL);
    handoff->first = NULL;
    handoff->last = &handoff->first;
    handoff->closed = false;
    return OK;
}

enum result handoff_send(struct handoff *handoff, struct handed *handed)
{
    handed->next = NULL;
    pthread_mutex_lock(&handoff->lock);
    bool closed = handoff->closed, was_empty = !handoff->first;
    if (!closed) {
        *handoff->last = handed;
        handoff->last = &handed->next;
    }
    pthread_mutex_unlock(&handoff->lock);
    if (closed)
        return ERR_CLOSED;
    if (was_empty) /* otherwise a wake-up is on its way already */
        uv_async_send(&handoff->async);
    return OK;
}

void handoff_close(struct handoff *handoff, uv_close_cb on_closed)
{
    drain(handoff);
    pthread_mutex_lock(&handoff->lock);
    handoff->closed = true;
    pthread_mutex_unlock(&handoff->lock);
    drain(handoff);
    uv_close((uv_handle_t *)&handoff->async, on_closed);
}
