/* listeners.h: makes the sockets that the server will accept on. Supervisor, before any thread or loop exists. */
#ifndef TIDEWIRE_LISTENERS_H
#define TIDEWIRE_LISTENERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

enum { LISTEN_BACKLOG = 4096, LISTEN_WHY_MAX = 512 };

/* One socket per worker for an address ("127.0.0.1:8080", "[::1]:8080", "localhost:8080", "8080"), with SO_REUSEPORT; port 0: any
 * free one, the same for all. Of a name with several addresses the first that this machine has. bound (64 bytes): the address
 * with its port. ERR_INVALID: not an address; ERR_EXISTS: taken; ERR_IO; then nothing is open and why says what to do. */
enum result listeners_open(const char *address, uint32_t workers, int *fds, char *bound, char *why) MUST_CHECK;
/* A listening UNIX socket, mode 0600, its folder made (0700) when missing. A socket file on which nobody answers is replaced.
 * ERR_EXISTS: somebody answers on it, or it is no socket. */
enum result listeners_open_unix(const char *path, int *fd, char *why) MUST_CHECK;
/* The sockets that systemd passed (sd_listen_fds(3)): copies of them, the same address for each worker, in fds
 * [worker * addresses + address]. *addresses 0: none was passed. ERR_INVALID: too many, or one that does not listen; ERR_IO. */
enum result listeners_of_systemd(uint32_t workers, int *fds, uint32_t *addresses, char *why) MUST_CHECK;

#endif
