/* getter.h: sends what the router asks for itself (model/get.h), by a sender of its own. Worker thread. */
#ifndef TIDEWIRE_GETTER_H
#define TIDEWIRE_GETTER_H

#include <uv.h>

#include "model/get.h"

struct getter;
struct stand_in; /* of sender.h */

enum { GETS_UNDER_WAY_MAX = 10 };

/* For tests, which have neither the senders' hosts nor their certificates; all NULL elsewhere. */
struct getter_world {
    const char *ca_file;    /* authorities in PEM, in place of the system's */
    const char *connect_to; /* "127.0.0.1:8443": where all connections go instead, private or not */
    const struct stand_in *stand_in;
};

/* world: its texts outlive the getter. */
struct getter *getter_new(uv_loop_t *loop, const struct getter_world *world);
/* true: on_done will be called, not from here. false: as many as may be are under way. */
bool getter_begin(struct getter *getter, struct get *get);
bool getter_is_idle(const struct getter *getter);
/* Ends all that are under way: on_done, without an answer. */
void getter_abort(struct getter *getter);
/* Aborts too. on_closed from the loop. */
void getter_free(struct getter *getter, void (*on_closed)(void *arg), void *arg);

#endif
