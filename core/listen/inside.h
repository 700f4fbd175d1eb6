/* inside.h: what listener.c and conn.c share. Private to this folder. */
#ifndef TIDEWIRE_LISTEN_INSIDE_H
#define TIDEWIRE_LISTEN_INSIDE_H

#include "listen/conn.h"

enum {
    READ_BYTES = 64 << 10,
    REFUSED_MAX = 1000, /* connections past connections_max that are answered 503; further ones are closed at once */
};

struct listener {
    uv_loop_t *loop;
    struct listener_config config;
    struct listener_callbacks callbacks;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } server;
    bool is_unix;
    uv_timer_t sweep;
    struct conn *conns;  /* all that are open */
    uint32_t conn_count; /* refused ones too, until their answer is taken */
    uint32_t admitted;   /* of them; at most connections_max */
    bool draining, closing;
    int open_handles; /* close callbacks still to come, of the listener's own */
    void (*on_closed)(void *arg);
    void *closed_arg;
    char read_bytes[READ_BYTES]; /* shared: an idle connection has no read buffer */
};

/* conn.c says that its last handle is gone. */
void listener_conn_gone(struct listener *listener);

#endif
