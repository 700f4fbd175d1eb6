/* closed_door.h: answers 503 on the listening sockets while the store is not open: a socket that nobody accepts would keep its
 * clients waiting. Main thread. */
#ifndef TIDEWIRE_CLOSED_DOOR_H
#define TIDEWIRE_CLOSED_DOOR_H

#include <stddef.h>
#include <uv.h>

struct closed_door;

/* The descriptors are copied. detail: what the answer says; borrowed. NULL: no descriptors to be had. */
struct closed_door *closed_door_start(uv_loop_t *loop, const int *listeners, size_t count, const char *detail);
/* on_closed from the loop. NULL as door: at once. */
void closed_door_stop(struct closed_door *door, void (*on_closed)(void *arg), void *arg);

#endif
