/* sender_inside.h: what the parts of the sender share. Private to them. One thread, the loop's.
 *
 *   sender.c           a transfer from its start to its end, and when libcurl is called
 *   sender_handle.c    easy handles: those kept for reuse, what is set once, what each request sets
 *   sender_tls.c       what a handle shows and asks for in TLS, and why TLS failed
 *   sender_sockets.c   libcurl's sockets: whose address they may have, and what the kernel is asked for
 *   sender_answer.c    what comes back, until it is an answer
 *   sender_redirect.c  answers that send us elsewhere
 *   sender_stand_in.c  the same without a network */
#ifndef TIDEWIRE_DELIVER_SENDER_INSIDE_H
#define TIDEWIRE_DELIVER_SENDER_INSIDE_H

#include <curl/curl.h>

#include "deliver/sender.h"

struct epoll_event;
struct redirect;
struct watch;

struct transfer {
    struct transfer *next, *prev; /* under way; or in the list of idle ones (next only) */
    struct sender *sender;
    CURL *easy;               /* owned, kept for the next request */
    CURLU *url;               /* owned: where easy was last asked to go, parsed; NULL: nowhere yet */
    char *url_text;           /* owned: that, as it was given */
    bool has_tls;             /* easy is set to a target's TLS: the one of tls_id */
    unsigned char tls_id[32]; /* of target_tls */
    /* a list; its lines are the request's */
    struct curl_slist headers[SENDER_HEADERS_MAX + 1];
    sender_done on_done;
    void *arg;
    bool allow_private, blocked, full, keep_head;
    uint64_t max_response_bytes;
    struct buf body, head;
    size_t head_bytes;
    char content_type[128], retry_after[64];
    char error[CURL_ERROR_SIZE];
    uint64_t started_ms;
    struct redirect *redirect; /* owned; NULL: none is followed */
    struct outgoing request;   /* for who stands in for the network; then the rest but the links is unused */
};

/* The sockets have an epoll of their own, which the loop watches as one descriptor: so what targets have answered can be taken
 * at any time, not only once in a turn of the loop (sender_turn). */
struct sender {
    uv_loop_t *loop;
    const struct stand_in *stand_in; /* NULL: the network */
    CURLM *multi;
    uv_timer_t timer;
    uv_poll_t poll; /* of epoll_fd */
    int epoll_fd;
    struct watch *watches; /* owned: by descriptor */
    size_t watch_count;
    struct transfer *under_way;
    struct transfer *idle;
    int idle_count;
    bool due;    /* libcurl's time is over: it wants to be called now */
    bool acting; /* inside of libcurl */
    bool closing;
    const char *ca_file;           /* of sender_pretend */
    struct curl_slist *connect_to; /* owned; of sender_pretend */
    int open_handles;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

/* ---- sender.c ---- */
/* Under way from here on; unlink: not any more. */
void transfer_link(struct transfer *transfer);
void transfer_unlink(struct transfer *transfer);

/* ---- sender_handle.c ---- */
/* A transfer whose handle went to this URL before, if one is idle, else one that is set to its TLS. NULL: no memory. */
struct transfer *handle_take(struct sender *sender, const struct outgoing *request);
/* Kept for the next request, or freed. */
void handle_give_back(struct transfer *transfer);
void handle_free_idle(struct sender *sender);
/* Where to, the head, the body, the times. */
CURLcode handle_set_request(struct transfer *transfer, const struct outgoing *request);

/* ---- sender_tls.c ---- */
bool tls_is_set(const struct transfer *transfer, const struct target_tls *tls);
/* Nothing where the handle is set to it already. tls NULL: what holds for all. */
CURLcode tls_set(struct transfer *transfer, const struct target_tls *tls);
/* What is wrong and what to do; NULL: it is not for TLS that it failed. */
const char *tls_why_failed(const struct transfer *transfer, CURLcode rc);

/* ---- sender_sockets.c: callbacks of libcurl, and of what the kernel reports ---- */
int sockets_on_change(CURL *easy, curl_socket_t fd, int what, void *sender, void *socket_arg);
curl_socket_t sockets_on_open(void *transfer, curlsocktype purpose, struct curl_sockaddr *address);
int sockets_on_close(void *sender, curl_socket_t fd);
/* A reused connection does not pass sockets_on_open: its address is judged again before it is used. */
int sockets_on_use(void *transfer, char *ip, char *local_ip, int port, int local_port);
void sockets_on_ready(struct sender *sender, const struct epoll_event *ready);
/* libcurl goes on with what is under way. fd, action: as curl_multi_socket_action has them. */
void sockets_act(struct sender *sender, curl_socket_t fd, int action);

/* ---- sender_answer.c ---- */
void answer_begin(struct transfer *transfer, const struct outgoing *request);
void answer_deinit(struct transfer *transfer);
/* Of a header line whose name, with the colon, has so many bytes. */
struct slice answer_header_value(struct slice line, size_t name_len);
size_t answer_on_body(char *bytes, size_t size, size_t count, void *transfer);
size_t answer_on_header(char *bytes, size_t size, size_t count, void *transfer);
/* Calls on_done. */
void answer_report(struct transfer *transfer, CURLcode rc);

/* ---- sender_redirect.c ---- */
/* What the request borrows is borrowed on. */
struct redirect *redirect_new(const struct outgoing *request);
void redirect_free(struct redirect *redirect); /* NULL is fine */
void redirect_on_header(struct redirect *redirect, struct slice line);
/* The answer is whole. true: it sends us elsewhere, and the handle is set to the next request; false: it is the answer. */
bool redirect_follow(struct transfer *transfer);
/* With the hosts that it went to; until the transfer is given back. */
const char *redirect_detail(struct redirect *redirect, const char *detail);

/* ---- sender_stand_in.c ---- */
struct transfer *stand_in_start(struct sender *sender, const struct outgoing *request, sender_done on_done, void *arg);
/* The first that was started is answered first. Each answer may start others. */
void stand_in_ask(struct sender *sender);

#endif
