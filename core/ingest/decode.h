/* decode.h: from the bytes of a request to what event.body is, by its route and its Content-Type. Any thread that has the event
 * to itself. */
#ifndef TIDEWIRE_DECODE_H
#define TIDEWIRE_DECODE_H

#include "model/event.h"
#include "model/generation.h"

enum { DECODE_WHY_SIZE = 160 };

/* ERR_INVALID: it is not what it says; ERR_LIMIT: it grows past max_body; ERR_NOT_FOUND: an unknown Content-Encoding; ERR_MEMORY.
 * why: what the sender is told, unless OK. Before the event is shared. */
enum result body_decode(const struct route *route, struct event *event, char why[DECODE_WHY_SIZE]) MUST_CHECK;

#endif
