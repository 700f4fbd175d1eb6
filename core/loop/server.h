/* server.h: the server process: main thread, workers, store. Started by the supervisor; it never binds a socket. */
#ifndef TIDEWIRE_SERVER_H
#define TIDEWIRE_SERVER_H

#include "config/config.h"
#include "super/inherited.h"

enum { EXIT_RULES = 3, EXIT_STORE = 70 };

/* Serves until SIGTERM or SIGINT. The exit code of the process (interface.md 1.3). */
int server_run(const struct config *config, const struct inherited *inherited);

#endif
