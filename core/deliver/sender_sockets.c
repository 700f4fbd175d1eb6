/* sender_sockets.c: libcurl's sockets, from the address they are to have to their close. */
#include "deliver/sender_inside.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "deliver/address.h"

/* What the kernel is asked for on one socket, from its first use to its close. */
struct watch {
    uint32_t events; /* of epoll */
    bool known;      /* to the kernel */
    bool idle;       /* libcurl has no transfer on it */
    bool own;        /* made by sockets_on_open; else libcurl's, for name resolution: it is gone when libcurl says remove */
};

static struct watch *watch_of(const struct sender *sender, curl_socket_t fd)
{
    return (size_t)fd < sender->watch_count ? &sender->watches[fd] : NULL;
}

static struct watch *need_watch(struct sender *sender, curl_socket_t fd)
{
    if ((size_t)fd >= sender->watch_count) {
        size_t count = (size_t)fd * 2 + 64;
        struct watch *longer = mem_realloc(sender->watches, count * sizeof(*longer));
        if (!longer)
            return NULL;
        memset(longer + sender->watch_count, 0, (count - sender->watch_count) * sizeof(*longer));
        sender->watches = longer;
        sender->watch_count = count;
    }
    return &sender->watches[fd];
}

static void ask_kernel(const struct sender *sender, struct watch *watch, curl_socket_t fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };
    if (watch->known && watch->events == events)
        return;
    /* without the kernel's memory for it the transfer runs into its time-out */
    watch->known = epoll_ctl(sender->epoll_fd, watch->known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0;
    watch->events = events;
}

static void leave_kernel(const struct sender *sender, struct watch *watch, curl_socket_t fd)
{
    if (watch->known)
        (void)epoll_ctl(sender->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* it may be closed already */
    watch->known = false;
}

void sockets_act(struct sender *sender, curl_socket_t fd, int action)
{
    int running;
    sender->acting = true;
    curl_multi_socket_action(sender->multi, fd, action, &running);
    sender->acting = false;
}

void sockets_on_ready(struct sender *sender, const struct epoll_event *ready)
{
    struct watch *watch = watch_of(sender, ready->data.fd);
    int action = 0;
    if (!watch || !watch->known)
        return;        /* closed since, on behalf of another one */
    if (watch->idle) { /* the peer has closed it, or speaks unasked: libcurl finds out when it wants to use it */
        leave_kernel(sender, watch, ready->data.fd);
        return;
    }
    if (ready->events & EPOLLIN)
        action |= CURL_CSELECT_IN;
    if (ready->events & EPOLLOUT)
        action |= CURL_CSELECT_OUT;
    if (ready->events & (EPOLLHUP | EPOLLERR))
        action |= CURL_CSELECT_ERR;
    sockets_act(sender, ready->data.fd, action);
}

int sockets_on_change(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct sender *sender = arg;
    struct watch *watch = what == CURL_POLL_REMOVE ? watch_of(sender, fd) : need_watch(sender, fd);
    (void)easy;
    (void)socket_arg;
    if (!watch)
        return 0; /* without memory the transfer runs into its time-out */
    watch->idle = what == CURL_POLL_REMOVE;
    if (!watch->idle)
        ask_kernel(sender, watch, fd, (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u));
    else if (!watch->own)
        leave_kernel(sender, watch, fd);
    return 0; /* an idle one is kept: the next request on this connection finds its watch there */
}

/* The address is judged here, on the socket that is about to connect. */
curl_socket_t sockets_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = arg;
    (void)purpose;
    if (!transfer->allow_private && address_is_private(&address->addr)) {
        transfer->blocked = true;
        return CURL_SOCKET_BAD;
    }
    curl_socket_t fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
    struct watch *watch = fd >= 0 ? need_watch(transfer->sender, fd) : NULL;
    if (watch) {
        *watch = (struct watch){ .own = true };
    } else if (fd >= 0) {
        close(fd);
        fd = CURL_SOCKET_BAD;
    }
    return fd;
}

int sockets_on_close(void *arg, curl_socket_t fd)
{
    struct watch *watch = watch_of(arg, fd);
    if (watch)
        leave_kernel(arg, watch, fd);
    return close(fd);
}

int sockets_on_use(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct transfer *transfer = arg;
    struct sockaddr_storage address = { 0 };
    (void)local_ip;
    (void)port;
    (void)local_port;
    if (transfer->allow_private)
        return CURL_PREREQFUNC_OK;
    if (inet_pton(AF_INET, ip, &((struct sockaddr_in *)&address)->sin_addr) == 1)
        address.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, ip, &((struct sockaddr_in6 *)&address)->sin6_addr) == 1)
        address.ss_family = AF_INET6;
    transfer->blocked = address_is_private((struct sockaddr *)&address);
    return transfer->blocked ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}
