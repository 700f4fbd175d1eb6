#include "deliver/sender.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <arpa/inet.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "deliver/address.h"

enum {
    IDLE_HANDLES_MAX = 64, /* easy handles kept for reuse */
    CONNECTIONS_MAX = 256, /* kept open, idle */
    DNS_CACHE_S = 60,
    ANSWER_FIRST = 1024,
    READY_MAX = 64,            /* sockets that are looked at before what they brought is handed out */
    EXPECT_BODY_MIN = 64 << 10 /* from here on libcurl is told not to wait for 100-continue, which it does above 1 MiB */
};

/* What the kernel is asked for on one socket, from its first use to its close. */
struct watch {
    uint32_t events; /* of epoll */
    bool known;      /* to the kernel */
    bool idle;       /* libcurl has no transfer on it */
    bool own;        /* made by on_open; else libcurl's, for name resolution: it is gone when libcurl says remove */
};

struct transfer {
    struct transfer *next, *prev; /* under way; or in the list of idle ones (next only) */
    struct sender *sender;
    CURL *easy;     /* owned, kept for the next request */
    CURLU *url;     /* owned: where easy was last asked to go, parsed; NULL: nowhere yet */
    char *url_text; /* owned: that, as it was given */
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
    const struct outgoing *request; /* for who stands in for the network; then the rest but the links is unused */
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

/* ---- sockets ---- */

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

static void act(struct sender *sender, curl_socket_t fd, int action)
{
    int running;
    sender->acting = true;
    curl_multi_socket_action(sender->multi, fd, action, &running);
    sender->acting = false;
}

static void on_ready(struct sender *sender, const struct epoll_event *ready)
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
    act(sender, ready->data.fd, action);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
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
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
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

static int on_close(void *arg, curl_socket_t fd)
{
    struct watch *watch = watch_of(arg, fd);
    if (watch)
        leave_kernel(arg, watch, fd);
    return close(fd);
}

/* ---- what a transfer brings ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    size_t len = size * count, room = transfer->max_response_bytes - transfer->body.len;
    buf_add(&transfer->body, bytes, len < room ? len : room);
    if (len <= room)
        return len;
    transfer->full = true; /* enough of it: the status is known, and the rest is not wanted */
    return 0;
}

static void keep_header(char *place, size_t room, struct slice value)
{
    value = slice_trim(value);
    while (value.len && (value.data[value.len - 1] == '\r' || value.data[value.len - 1] == '\n'))
        value.len--;
    if (value.len < room) {
        memcpy(place, value.data, value.len);
        place[value.len] = '\0';
    }
}

/* A status line begins anew: what came before was an informational answer. */
static void keep_head_line(struct transfer *transfer, struct slice line)
{
    if (slice_starts(line, SLICE("HTTP/")))
        buf_clear(&transfer->head);
    else
        buf_add_slice(&transfer->head, line);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    static const struct slice type = SLICE("content-type:"), retry = SLICE("retry-after:");
    struct transfer *transfer = arg;
    struct slice line = { bytes, size * count };
    transfer->head_bytes += line.len;
    if (transfer->head_bytes > ANSWER_HEAD_MAX)
        return 0;
    if (transfer->keep_head)
        keep_head_line(transfer, line);
    if (line.len > type.len && slice_eq_nocase((struct slice){ line.data, type.len }, type))
        keep_header(transfer->content_type, sizeof(transfer->content_type), slice_from(line, type.len));
    else if (line.len > retry.len && slice_eq_nocase((struct slice){ line.data, retry.len }, retry))
        keep_header(transfer->retry_after, sizeof(transfer->retry_after), slice_from(line, retry.len));
    return line.len;
}

/* A reused connection does not pass on_open: its address is judged again before it is used. */
static int on_prereq(void *arg, char *ip, char *local_ip, int port, int local_port)
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

/* ---- transfers ---- */

static void set_once(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");   /* not from the environment: the guard would see the proxy's address */
    curl_easy_setopt(easy, CURLOPT_NOPROXY, ""); /* else it is looked for there as well, at every request */
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* else a time-out while a name is looked up blocks the loop */
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_CACHE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->sender);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_prereq);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    if (transfer->sender->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, transfer->sender->ca_file);
    if (transfer->sender->connect_to)
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->sender->connect_to);
}

static bool knows_url(const struct transfer *transfer, const char *url)
{
    return transfer->url_text && strcmp(transfer->url_text, url) == 0;
}

/* Of the idle ones one that went there before, else the one that was used last. */
static struct transfer *take_idle(struct sender *sender, const char *url)
{
    struct transfer **place = &sender->idle;
    while (*place && !knows_url(*place, url))
        place = &(*place)->next;
    if (!*place)
        place = &sender->idle;
    struct transfer *transfer = *place;
    *place = transfer->next;
    sender->idle_count--;
    return transfer;
}

static struct transfer *take_handle(struct sender *sender, const char *url)
{
    if (sender->idle)
        return take_idle(sender, url);
    struct transfer *transfer = MEM_NEW(struct transfer);
    transfer->sender = sender;
    transfer->easy = curl_easy_init();
    if (!transfer->easy) {
        mem_free(transfer);
        return NULL;
    }
    set_once(transfer);
    return transfer;
}

static void free_handle(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_url_cleanup(transfer->url);
    mem_free(transfer->url_text);
    buf_deinit(&transfer->body);
    buf_deinit(&transfer->head);
    mem_free(transfer);
}

static void give_back_handle(struct transfer *transfer)
{
    struct sender *sender = transfer->sender;
    buf_deinit(&transfer->body);
    buf_deinit(&transfer->head);
    if (sender->closing || sender->idle_count >= IDLE_HANDLES_MAX) {
        free_handle(transfer);
        return;
    }
    transfer->next = sender->idle;
    sender->idle = transfer;
    sender->idle_count++;
}

static void link_transfer(struct transfer *transfer)
{
    struct sender *sender = transfer->sender;
    transfer->prev = NULL;
    transfer->next = sender->under_way;
    if (transfer->next)
        transfer->next->prev = transfer;
    sender->under_way = transfer;
}

static void unlink_transfer(struct transfer *transfer)
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

/* ---- without a network ---- */

static struct transfer *start_for_stand_in(struct sender *sender, const struct outgoing *request, sender_done on_done, void *arg)
{
    struct transfer *transfer = MEM_NEW(struct transfer);
    transfer->sender = sender;
    transfer->request = request;
    transfer->on_done = on_done;
    transfer->arg = arg;
    link_transfer(transfer);
    sender->due = true;
    return transfer;
}

/* The first that was started is answered first. Each answer may start others. */
static void ask_stand_in(struct sender *sender)
{
    while (sender->under_way) {
        struct transfer *transfer = sender->under_way;
        while (transfer->next)
            transfer = transfer->next;
        struct answer answer = {
            .detail = "", .body = SLICE(""), .content_type = SLICE(""), .retry_after = SLICE(""), .head = SLICE("")
        };
        unlink_transfer(transfer);
        sender->stand_in->answer(sender->stand_in->arg, transfer->request, &answer);
        answer.cut = answer.body.len > transfer->request->max_response_bytes;
        if (answer.cut)
            answer.body.len = transfer->request->max_response_bytes;
        transfer->on_done(transfer->arg, &answer);
        mem_free(transfer);
    }
}

/* ---- starting ---- */

/* Parsed once for all the requests that this handle makes there. CURLOPT_URL is told a new one too: before 8.12 libcurl keeps the
 * text of the URL before beside another CURLOPT_CURLU, and has that text at hand when it repeats a request. */
static CURLcode set_url(struct transfer *transfer, const char *text)
{
    if (knows_url(transfer, text))
        return CURLE_OK;
    CURLU *url = curl_url();
    CURLUcode parsed =
        url ? curl_url_set(url, CURLUPART_URL, text, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) : CURLUE_OUT_OF_MEMORY;
    CURLcode rc = parsed == CURLUE_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_URL_MALFORMAT;
    if (parsed == CURLUE_OK)
        rc = curl_easy_setopt(transfer->easy, CURLOPT_URL, text);
    if (rc != CURLE_OK) {
        curl_url_cleanup(url);
        return rc;
    }
    curl_easy_setopt(transfer->easy, CURLOPT_CURLU, url);
    curl_url_cleanup(transfer->url);
    mem_free(transfer->url_text);
    transfer->url = url;
    transfer->url_text = mem_text(slice_of(text));
    return CURLE_OK;
}

static void set_headers(struct transfer *transfer, const struct outgoing *request)
{
    struct curl_slist *next = NULL;
    size_t count = request->header_count;
    if (request->body.len >= EXPECT_BODY_MIN) {
        transfer->headers[count] = (struct curl_slist){ .data = (char *)"Expect:", .next = NULL };
        next = &transfer->headers[count];
    }
    while (count-- > 0) {
        transfer->headers[count] = (struct curl_slist){ .data = (char *)request->header_lines[count], .next = next };
        next = &transfer->headers[count];
    }
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, next);
}

static CURLcode set_request(struct transfer *transfer, const struct outgoing *request)
{
    CURL *easy = transfer->easy;
    bool is_get = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    bool with_body = request->body.len > 0 || !is_get;
    CURLcode rc = set_url(transfer, request->url);
    set_headers(transfer, request);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    if (with_body) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.len ? request->body.data : "");
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_NOBODY, strcmp(request->method, "HEAD") == 0 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    return rc;
}

struct transfer *sender_start(struct sender *sender, const struct outgoing *request, sender_done on_done, void *arg,
                              const char **why)
{
    if (sender->stand_in)
        return start_for_stand_in(sender, request, on_done, arg);
    struct transfer *transfer = take_handle(sender, request->url);
    *why = "no memory for another transfer";
    if (!transfer)
        return NULL;
    transfer->on_done = on_done;
    transfer->arg = arg;
    transfer->allow_private = request->allow_private;
    transfer->blocked = transfer->full = false;
    transfer->max_response_bytes = request->max_response_bytes;
    transfer->head_bytes = 0;
    transfer->content_type[0] = transfer->retry_after[0] = transfer->error[0] = '\0';
    transfer->started_ms = clock_mono_ms();
    transfer->keep_head = request->keep_head;
    buf_init(&transfer->body, request->max_response_bytes + 1);
    buf_init(&transfer->head, ANSWER_HEAD_MAX);
    CURLcode rc = set_request(transfer, request);
    if (rc != CURLE_OK) {
        *why = curl_easy_strerror(rc);
        give_back_handle(transfer);
        return NULL;
    }
    link_transfer(transfer);
    if (curl_multi_add_handle(sender->multi, transfer->easy) != CURLM_OK) {
        unlink_transfer(transfer);
        give_back_handle(transfer);
        return NULL;
    }
    return transfer;
}

void sender_abort(struct sender *sender, struct transfer *transfer)
{
    unlink_transfer(transfer);
    if (sender->stand_in)
        mem_free(transfer);
    else
        give_back_handle(transfer);
}

/* ---- how a transfer ended ---- */

static enum attempt_error error_of(const struct transfer *transfer, CURLcode rc)
{
    if (transfer->blocked)
        return ATTEMPT_BLOCKED_ADDRESS;
    switch (rc) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return ATTEMPT_DNS;
    case CURLE_COULDNT_CONNECT:
        return ATTEMPT_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return ATTEMPT_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return ATTEMPT_TLS;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return ATTEMPT_RESET;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return ATTEMPT_CONFIG;
    default:
        return ATTEMPT_PROTOCOL;
    }
}

static void report(struct transfer *transfer, CURLcode rc)
{
    struct answer answer = { .took_ms = (uint32_t)(clock_mono_ms() - transfer->started_ms) };
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (rc == CURLE_OK || (rc == CURLE_WRITE_ERROR && transfer->full)) {
        answer.status = (uint16_t)status;
        answer.detail = "";
    } else {
        answer.error = error_of(transfer, rc);
        answer.detail =
            transfer->blocked ? "a private address; set private = true on the target if that is meant" : curl_easy_strerror(rc);
        if (rc == CURLE_COULDNT_CONNECT && !transfer->blocked)
            answer.detail = "nobody answers there";
    }
    answer.body = transfer->body.len ? buf_slice(&transfer->body) : SLICE("");
    answer.head = transfer->head.len ? buf_slice(&transfer->head) : SLICE("");
    answer.cut = transfer->full || !buf_ok(&transfer->body);
    answer.content_type = slice_of(transfer->content_type);
    answer.retry_after = slice_of(transfer->retry_after);
    transfer->on_done(transfer->arg, &answer);
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
        unlink_transfer(transfer);
        report(transfer, rc);
        give_back_handle(transfer);
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
            on_ready(sender, &ready[i]);
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
        ask_stand_in(sender);
        return;
    }
    act(sender, CURL_SOCKET_TIMEOUT, 0);
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
    curl_multi_setopt(sender->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
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
    while (sender->idle) {
        struct transfer *next = sender->idle->next;
        free_handle(sender->idle);
        sender->idle = next;
    }
    curl_multi_cleanup(sender->multi);
    curl_slist_free_all(sender->connect_to);
    uv_close((uv_handle_t *)&sender->timer, on_own_closed);
    uv_close((uv_handle_t *)&sender->poll, on_own_closed);
}
