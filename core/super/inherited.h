/* inherited.h: what the server gets from its supervisor: descriptors, named in one environment variable. */
#ifndef TIDEWIRE_INHERITED_H
#define TIDEWIRE_INHERITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

#define INHERITED_VARIABLE "TIDEWIRE_INHERITED"

enum { ADDRESSES_MAX = 16, WORKERS_MAX = 128, INHERITED_TEXT_MAX = 32 << 10 };

struct inherited {
    int ready_fd;      /* takes "ready\n" when the server serves */
    int recorder_fd;   /* recorder.h */
    int admin_fd;      /* a listening UNIX socket; -1: none */
    uint32_t restarts; /* servers that this supervisor had before this one */
    uint32_t workers, addresses;
    int listeners[WORKERS_MAX * ADDRESSES_MAX]; /* [worker * addresses + address]: listening sockets */
};

/* "ready=3,recorder=4,admin=5,restarts=0,workers=2,addresses=1,listeners=6:7" into out (INHERITED_TEXT_MAX). */
void inherited_format(const struct inherited *inherited, char *out);
/* Strict. ERR_INVALID. */
enum result inherited_parse(const char *text, struct inherited *out) MUST_CHECK;
/* From the environment, which then has it no more; all descriptors become close-on-exec. ERR_NOT_FOUND: this process has no
 * supervisor. */
enum result inherited_take(struct inherited *out) MUST_CHECK;

#endif
