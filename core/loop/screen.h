/* screen.h: what `run` prints when it starts (interface.md 1.5), on stdout. */
#ifndef TIDEWIRE_SCREEN_H
#define TIDEWIRE_SCREEN_H

#include "config/config.h"
#include "script/load.h"

/* listen: the addresses that are really bound. took_ms: the load of the rules. */
void screen_start(const struct config *config, const char (*listen)[64], size_t listen_count, const struct generation *generation,
                  const struct load_report *report, uint64_t took_ms);

#endif
