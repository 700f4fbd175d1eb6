/* response.h: what a sender is answered: a route's `reply`, or what its handler said with `respond`. */
#ifndef TIDEWIRE_RESPONSE_H
#define TIDEWIRE_RESPONSE_H

#include "model/event.h"

enum { RESPONSE_BODY_MAX = 1 << 20 };

struct response {
    uint16_t status;
    struct slice content_type, body; /* a route's reply with body data NULL: the default body with the event id */
    const struct pair *headers;
    size_t header_count;
};

#endif
