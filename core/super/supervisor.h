/* supervisor.h: `run`'s first process. It makes the sockets, starts the server, and starts it again when it falls. It reads no
 * rules, opens no store and answers no HTTP (design.md, "Processes and threads"). */
#ifndef TIDEWIRE_SUPERVISOR_H
#define TIDEWIRE_SUPERVISOR_H

#include <stddef.h>
#include <stdint.h>

enum {
    SUPERVISOR_WAITS = 5,
    SERVER_REPLACE = 75, /* exit code of a server that asks for a fresh one (EX_TEMPFAIL) */
};

struct supervisor_config {
    const char *const *listen; /* addresses, see listeners.h */
    size_t listen_count;
    const char *admin_socket; /* NULL: none */
    uint32_t workers;
    const char *server;                  /* program to start; NULL: this one */
    char *const *argv;                   /* of the server */
    uint64_t waits_ms[SUPERVISOR_WAITS]; /* before the restarts in a row; all 0: 0, 0.2, 1, 5, 30 s */
    uint64_t hung_ms;                    /* ticks that stand still so long: SIGABRT; 0: 10 s */
    uint64_t calm_ms;                    /* a server that was up so long starts the waits anew; 0: 60 s */
};

/* Returns the exit code of `run` (interface.md 1.3): of a server that ended before it ever served, its own; 0 after SIGTERM or
 * SIGINT and a drain; 143 or 130 after a second one. Errors of sockets are said on stderr: 1, or 2 for a bad address. */
int supervisor_run(const struct supervisor_config *config);

#endif
