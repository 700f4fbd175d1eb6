/* sender.c: a transfer from its start to its end, and when libcurl is called. */
#include "deliver/sender_inside.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum {
    CONNECTIONS_MAX = 256, /* kept open, idle */
    READY_MAX = 64         /* sockets that are looked at before what they brought is handed out */
};

/* ---- transfers under way ---- */

void transfer_link(struct transfer *transfer)
{
    struct sender *sender = transfer->sender;
    transfer->prev = NULL;
    transfer->next = sender->under_way;
    if (transfer->next)
        transfer->next->prev = transfer;
    sender->under_way = transfer;
}

void transfer_unlink(struct transfer *transfer)
{
    if (transfer->prev)
        transfer->prev->next = transfer->next;
    else
        transfer->sender->under_way = transfer->next;
    if (transfer->next)
        transfer->next->prev = transfer->prev;
    if (transfer->easy)
        curl_multi_remove_handle(transfer->sender->multi, transfer->easy);
}

static bool launch(struct transfer *transfer)
{
    transfer_link(transfer);
    if (curl_multi_add_handle(transfer->sender->multi, transfer->easy) == CURLM_OK)
        return true;
    transfer_unlink(transfer);
    return false;
}

struct transfer *sender_start(struct sender *sender, const struct outgoing *request, sender_done on_done, void *arg,
                              const char **why)
{
    if (sender->stand_in)
        return stand_in_start(sender, request, on_done, arg);
    struct transfer *transfer = handle_take(sender, request);
    *why = "no memory for another transfer";
    if (!transfer)
        return NULL;
    transfer->on_done = on_done;
    transfer->arg = arg;
    transfer->allow_private = request->allow_private;
    transfer->started_ms = clock_mono_ms();
    if (request->redirects)
        transfer->redirect = redirect_new(request);
    answer_begin(transfer, request);
    CURLcode rc = handle_set_request(transfer, request);
    if (rc != CURLE_OK)
        *why = curl_easy_strerror(rc);
    if (rc == CURLE_OK && launch(transfer))
        return transfer;
    handle_give_back(transfer);
    return NULL;
}

void sender_abort(struct sender *sender, struct transfer *transfer)
{
    transfer_unlink(transfer);
    if (sender->stand_in)
        mem_free(transfer);
    else
        handle_give_back(transfer);
}

static void on_timer(uv_timer_t *timer);

/* Nobody may call us again before the loop sleeps. */
static bool goes_on(struct transfer *transfer, CURLcode rc)
{
    bool is_whole = rc == CURLE_OK || (rc == CURLE_WRITE_ERROR && transfer->full);
    if (!is_whole || !redirect_follow(transfer) || !launch(transfer))
        return false;
    uv_timer_start(&transfer->sender->timer, on_timer, 0, 0);
    return true;
}

static void collect(struct sender *sender)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(sender->multi, &left))) {
        struct transfer *transfer;
        CURLcode rc = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        transfer_unlink(transfer);
        if (transfer->redirect && goes_on(transfer, rc))
            continue;
        answer_report(transfer, rc);
        handle_give_back(transfer);
    }
}

/* ---- when something is to be done ---- */

static void take_ready(struct sender *sender)
{
    struct epoll_event ready[READY_MAX];
    int count;
    do {
        count = epoll_wait(sender->epoll_fd, ready, READY_MAX, 0);
        for (int i = 0; i < count; i++)
            sockets_on_ready(sender, &ready[i]);
        collect(sender);
    } while (count == READY_MAX);
}

bool sender_is_due(const struct sender *sender)
{
    return sender->due;
}

void sender_start_due(struct sender *sender)
{
    if (!sender->due)
        return;
    sender->due = false;
    if (sender->stand_in) {
        stand_in_ask(sender);
        return;
    }
    sockets_act(sender, CURL_SOCKET_TIMEOUT, 0);
    collect(sender);
}

void sender_turn(struct sender *sender)
{
    sender_start_due(sender);
    if (sender->under_way)
        take_ready(sender);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    take_ready(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
    struct sender *sender = timer->data;
    sender->due = true;
    sender_start_due(sender);
}

static int on_timeout(CURLM *multi, long wait_ms, void *arg)
{
    struct sender *sender = arg;
    (void)multi;
    if (sender->closing)
        return 0;
    sender->due = wait_ms == 0;                          /* the usual case: a transfer was added, and its owner sends it */
    if (wait_ms > 0 || (wait_ms == 0 && sender->acting)) /* of one under way (HTTP/2 does that) no owner would know */
        uv_timer_start(&sender->timer, on_timer, (uint64_t)wait_ms, 0);
    else
        uv_timer_stop(&sender->timer);
    return 0;
}

/* ---- life ---- */

struct sender *sender_new(uv_loop_t *loop, const struct stand_in *stand_in)
{
    struct sender *sender = MEM_NEW(struct sender);
    sender->loop = loop;
    sender->stand_in = stand_in;
    sender->multi = curl_multi_init();
    sender->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!sender->multi || sender->epoll_fd < 0 || uv_poll_init(loop, &sender->poll, sender->epoll_fd) != 0) {
        LOG(LOG_ERROR, "no sender", LOG_T("detail", "no descriptor, or no memory, is left for it"));
        abort();
    }
    uv_timer_init(loop, &sender->timer);
    sender->timer.data = sender->poll.data = sender;
    uv_poll_start(&sender->poll, UV_READABLE, on_poll);
    curl_multi_setopt(sender->multi, CURLMOPT_SOCKETFUNCTION, sockets_on_change);
    curl_multi_setopt(sender->multi, CURLMOPT_SOCKETDATA, sender);
    curl_multi_setopt(sender->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(sender->multi, CURLMOPT_TIMERDATA, sender);
    curl_multi_setopt(sender->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
    return sender;
}

void sender_pretend(struct sender *sender, const char *ca_file, const char *connect_to)
{
    char all[128];
    sender->ca_file = ca_file;
    if (!connect_to)
        return;
    snprintf(all, sizeof(all), "::%s", connect_to); /* any host and port */
    sender->connect_to = curl_slist_append(NULL, all);
}

static void on_own_closed(uv_handle_t *handle)
{
    struct sender *sender = handle->data;
    if (--sender->open_handles > 0)
        return;
    void (*on_closed)(void *) = sender->on_closed;
    void *arg = sender->closed_arg;
    close(sender->epoll_fd);
    mem_free(sender->watches);
    mem_free(sender);
    on_closed(arg);
}

void sender_free(struct sender *sender, void (*on_closed)(void *arg), void *arg)
{
    sender->closing = true;
    sender->on_closed = on_closed;
    sender->closed_arg = arg;
    sender->open_handles = 2;
    handle_free_idle(sender);
    curl_multi_cleanup(sender->multi);
    curl_slist_free_all(sender->connect_to);
    uv_close((uv_handle_t *)&sender->timer, on_own_closed);
    uv_close((uv_handle_t *)&sender->poll, on_own_closed);
}
