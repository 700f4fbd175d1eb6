/* fetcher.h: sends what handlers ask of other servers (model/fetch.h), by a sender of its own: connections are reused, and the
 * guard against private addresses is that of deliveries. What finds no room waits here as a few hundred bytes, host by host, so
 * that a slow host holds up its own requests only. Worker thread. */
#ifndef TIDEWIRE_FETCHER_H
#define TIDEWIRE_FETCHER_H

#include <uv.h>

#include "model/fetch.h"

struct fetcher;
struct stand_in;

enum {
    FETCHES_UNDER_WAY_MAX = 256,
    FETCHES_OF_HOST_MAX = 32,        /* under way, to one scheme, host and port */
    FETCH_ANSWERS_MAX = 256 << 20,   /* bytes: the sum of max_response_bytes of those under way */
    FETCH_REQUESTS_MAX = 64 << 20,   /* bytes of all that wait or are under way */
    FETCH_CONNECT_TIMEOUT_MS = 5000, /* unless the timeout is shorter */
};

/* stand_in: of sender.h; NULL: the network. */
struct fetcher *fetcher_new(uv_loop_t *loop, const struct stand_in *stand_in);
/* NULL: on_done will be called. Otherwise why it can never be asked, in words, and it was not taken. */
const char *fetcher_begin(struct fetcher *fetcher, struct fetch *fetch);
/* Ends one that was begun, without on_done. */
void fetcher_cancel(struct fetcher *fetcher, struct fetch *fetch);
/* Nothing waits and nothing is under way. on_closed from the loop. */
void fetcher_free(struct fetcher *fetcher, void (*on_closed)(void *arg), void *arg);

#endif
