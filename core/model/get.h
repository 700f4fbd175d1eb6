/* get.h: an address of the https kind that the router itself asks, for a sender's certificate or keys, or because a verified
 * sender asks to be told so (SNS). No redirects, no private addresses, ten a time. */
#ifndef TIDEWIRE_GET_H
#define TIDEWIRE_GET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { GET_ANSWER_MAX = 64 << 10 /* bytes */, GET_TIMEOUT_MS = 5000 };

/* Gone after on_done. */
struct get_answer {
    uint16_t status;    /* 0: none */
    bool cut;           /* larger than GET_ANSWER_MAX */
    const char *detail; /* why there is none; never with the URL */
    struct slice body;
};

/* The asker's; borrowed until on_done, which is called once, from the loop, and may free it and begin others. */
struct get {
    const char *url;
    void (*on_done)(struct get *get, const struct get_answer *answer);
    void *owner;
    /* the rest is the getter's */
    struct get *next, *prev;
    struct getter *getter;
    struct transfer *transfer;
};

#endif
