/* server.h: as much of HTTP/1.1 as measuring needs: kept connections, whole requests, one answer each, in order. For loopback and
 * well-meaning clients only: a request that is larger than its buffer or not HTTP ends its connection. One thread.
 *
 * The process says {"port":N} on stdout once it listens, and ends on SIGTERM, SIGINT, or with the process that started it. */
#ifndef TIDEWIRE_BENCH_SERVER_H
#define TIDEWIRE_BENCH_SERVER_H

#include <stdint.h>

#include "base/slice.h"

enum { BENCH_HEADERS_MAX = 64, BENCH_REQUEST_MAX = 256 << 10 };

struct bench_header {
    struct slice name, value;
};

/* All slices are borrowed for the call. */
struct bench_request {
    struct slice path, body;
    struct bench_header headers[BENCH_HEADERS_MAX]; /* further ones are left out */
    size_t header_count;
};

/* The whole answer as bytes, head included; borrowed until the next call. */
typedef struct slice (*bench_answer)(void *arg, const struct bench_request *request);

struct bench_server {
    bench_answer answer;
    void *arg;
    uint64_t delay_ms; /* how long each answer waits; 0: none */
};

/* Serves 127.0.0.1 on a free port until it is told to end. 0, or -1 when it could not start (said on stderr). */
int bench_serve(const struct bench_server *server);

/* The first header of that name, without white space around; data NULL: absent. */
struct slice bench_header(const struct bench_request *request, struct slice name);

#endif
