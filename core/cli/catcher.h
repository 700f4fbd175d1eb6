/* catcher.h: `tidewire listen`: prints and answers whatever arrives. */
#ifndef TIDEWIRE_CATCHER_H
#define TIDEWIRE_CATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

struct catcher_config {
    uint16_t port; /* on 127.0.0.1; 0: any free one */
    uint16_t status;
    uint64_t delay_ms;
    bool json; /* one object per line */
};

/* Until SIGINT or SIGTERM. ERR_EXISTS, ERR_IO: why. */
enum result catcher_run(const struct catcher_config *config, char *why, size_t why_size) MUST_CHECK;

#endif
