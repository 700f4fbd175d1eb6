/* fetcher.c: one request from its begin to its answer.
 *
 *   fetcher_begin --> waits at its host --turn of the loop, room--> under way --> on_done
 *                                                   '--it cannot be made--------> on_done
 *
 * Nothing is sent from inside fetcher_begin: a handler is never answered while it runs. */
#include "deliver/fetcher.h"

#include <curl/curl.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fnv.h"
#include "base/mem.h"
#include "deliver/attempt_request.h"
#include "deliver/sender.h"
#include "model/message.h"

enum {
    BUCKETS = 256,
    STARTS_A_TURN = 64, /* so that handlers that ask again at once do not hold up the loop */
};

/* A scheme, host and port, while something for it waits or is under way, or while it stands in line. */
struct fetch_host {
    struct fetch_host *next; /* in its bucket */
    uint64_t key;
    struct fetch *first, *last; /* that wait */
    uint32_t under_way;
    bool in_line;
    struct fetch_host *next_in_line;
};

/* What a request under way needs. */
struct fetch_sending {
    struct fetcher *fetcher;
    struct fetch *fetch;
    struct arena arena;
    struct outgoing out;
    struct transfer *transfer;
};

struct fetcher {
    struct sender *sender;
    uv_idle_t idle;                    /* active while something may be started */
    struct fetch_host *hosts[BUCKETS]; /* owned */
    struct fetch_host *first, *last;   /* the line: hosts of which one more may be started, each in its turn */
    uint32_t under_way;
    size_t answer_bytes, request_bytes;
    int closing_parts;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

/* ---- hosts ---- */

static struct fetch_host **host_place(struct fetcher *fetcher, uint64_t key)
{
    struct fetch_host **place = &fetcher->hosts[key % BUCKETS];
    while (*place && (*place)->key != key)
        place = &(*place)->next;
    return place;
}

static struct fetch_host *need_host(struct fetcher *fetcher, uint64_t key)
{
    struct fetch_host **place = host_place(fetcher, key);
    if (!*place) {
        *place = MEM_NEW(struct fetch_host);
        (*place)->key = key;
    }
    return *place;
}

static void free_host_if_done(struct fetcher *fetcher, struct fetch_host *host)
{
    if (host->first || host->under_way || host->in_line)
        return;
    struct fetch_host **place = host_place(fetcher, host->key);
    *place = host->next;
    mem_free(host);
}

static void on_idle(uv_idle_t *idle);

/* Something of this host may be startable now. */
static void stand_in_line(struct fetcher *fetcher, struct fetch_host *host)
{
    if (!host->first || host->under_way == FETCHES_OF_HOST_MAX || host->in_line)
        return;
    host->in_line = true;
    host->next_in_line = NULL;
    if (fetcher->last)
        fetcher->last->next_in_line = host;
    else
        fetcher->first = host;
    fetcher->last = host;
}

static struct fetch_host *leave_line(struct fetcher *fetcher)
{
    struct fetch_host *host = fetcher->first;
    fetcher->first = host->next_in_line;
    if (!fetcher->first)
        fetcher->last = NULL;
    host->in_line = false;
    return host;
}

static void wake(struct fetcher *fetcher)
{
    if (fetcher->first)
        uv_idle_start(&fetcher->idle, on_idle);
}

static void add_waiting(struct fetch_host *host, struct fetch *fetch)
{
    fetch->next = NULL;
    fetch->prev = host->last;
    if (host->last)
        host->last->next = fetch;
    else
        host->first = fetch;
    host->last = fetch;
}

static void remove_waiting(struct fetch_host *host, struct fetch *fetch)
{
    if (fetch->prev)
        fetch->prev->next = fetch->next;
    else
        host->first = fetch->next;
    if (fetch->next)
        fetch->next->prev = fetch->prev;
    else
        host->last = fetch->prev;
}

/* ---- the URL: looked at by the parser that will use it ---- */

static const char *why_not(CURLUcode rc, const char *scheme)
{
    if (rc == CURLUE_OUT_OF_MEMORY)
        return "not enough memory";
    if (rc == CURLUE_USER_NOT_ALLOWED)
        return "the url has a name or password in it: write auth = auth.basic { user = …, password = secret \"…\" }";
    if (rc == CURLUE_UNSUPPORTED_SCHEME || (scheme && strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return "the url begins with http:// or https://, nothing else is asked";
    return rc == CURLUE_OK ? NULL : "the url is not an address";
}

static const char *check_url(const char *text, uint64_t *host_key)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLUcode rc = url ? curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) : CURLUE_OUT_OF_MEMORY;
    if (rc == CURLUE_OK)
        rc = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    if (rc == CURLUE_OK)
        rc = curl_url_get(url, CURLUPART_HOST, &host, 0);
    if (rc == CURLUE_OK)
        rc = curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (rc == CURLUE_OK) {
        *host_key = fnv(fnv(FNV_START, scheme, strlen(scheme) + 1), host, strlen(host) + 1);
        *host_key = fnv(*host_key, port, strlen(port));
    }
    const char *why = why_not(rc, scheme);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return why;
}

/* With its secrets filled in, for this look only. */
static const char *find_host(const struct fetch *fetch, uint64_t *host_key)
{
    struct arena arena = { 0 };
    struct slice url, missing, text = { NULL, 0 };
    enum result rc = pieces_render(fetch->url, generation_secret, (void *)fetch->generation, &arena, &url, &missing);
    const char *why = rc == ERR_NOT_FOUND ? "a secret of the url is not set" : "not enough memory";
    if (rc == OK)
        text = arena_copy(&arena, url);
    if (text.data)
        why = memchr(text.data, '\0', text.len) ? "the url has a zero byte in it" : check_url(text.data, host_key);
    arena_deinit(&arena);
    return why;
}

/* ---- the end ---- */

static size_t size_of(const struct fetch *fetch)
{
    return sizeof(*fetch) + fetch->url.len + fetch->auth_user.len + fetch->auth_value.len + fetch->message.len;
}

/* From here on nobody here knows it. */
static void forget(struct fetcher *fetcher, struct fetch *fetch)
{
    struct fetch_host *host = fetch->host;
    struct fetch_sending *sending = fetch->sending;
    if (sending) {
        fetcher->under_way--;
        fetcher->answer_bytes -= fetch->max_response_bytes;
        host->under_way--;
        arena_deinit(&sending->arena);
        mem_free(sending);
        fetch->sending = NULL;
    } else {
        remove_waiting(host, fetch);
    }
    fetcher->request_bytes -= size_of(fetch);
    stand_in_line(fetcher, host);
    free_host_if_done(fetcher, host);
    wake(fetcher);
}

static void end(struct fetcher *fetcher, struct fetch *fetch, const struct fetch_answer *answer)
{
    forget(fetcher, fetch);
    fetch->on_done(fetch, answer);
}

static void on_answer(void *arg, const struct answer *answer)
{
    struct fetch_sending *sending = arg;
    struct fetch_answer answered = { answer->status, answer->error, answer->detail, answer->head, answer->body };
    char detail[96];
    if (answer->error == ATTEMPT_BLOCKED_ADDRESS) {
        answered.detail = "a private address: write private = true into the options if that is meant";
    } else if (answer->cut) {
        snprintf(detail, sizeof(detail), "the answer is larger than max_response (%llu bytes)",
                 (unsigned long long)sending->fetch->max_response_bytes);
        answered.error = ATTEMPT_PROTOCOL;
        answered.detail = detail;
    }
    end(sending->fetcher, sending->fetch, &answered);
}

/* ---- the start ---- */

static enum result build(struct fetch_sending *sending, const char **why)
{
    const struct fetch *fetch = sending->fetch;
    struct target target = {
        .url = fetch->url,
        .method = SLICE("GET"),
        .auth = fetch->auth,
        .auth_user = fetch->auth_user,
        .auth_value = fetch->auth_value,
        .timeout_ms = fetch->timeout_ms,
        .connect_timeout_ms = fetch->timeout_ms < FETCH_CONNECT_TIMEOUT_MS ? fetch->timeout_ms : FETCH_CONNECT_TIMEOUT_MS,
        .allow_private = fetch->allow_private,
        .max_response_bytes = fetch->max_response_bytes,
    };
    struct attempt_source source = {
        .target = &target, .generation = fetch->generation, .message = fetch->message, .id = SLICE(""), .now_ms = clock_wall_ms()
    };
    enum result rc = attempt_request_build(&source, &sending->arena, &sending->out, why);
    if (rc == ERR_NOT_FOUND)
        *why = "a secret of this request is not set";
    else if (rc == ERR_MEMORY)
        *why = "not enough memory";
    sending->out.keep_head = true;
    return rc;
}

static void start(struct fetcher *fetcher, struct fetch *fetch)
{
    struct fetch_sending *sending = MEM_NEW(struct fetch_sending);
    const char *why;
    remove_waiting(fetch->host, fetch);
    fetch->sending = sending;
    fetcher->under_way++;
    fetcher->answer_bytes += fetch->max_response_bytes;
    fetch->host->under_way++;
    stand_in_line(fetcher, fetch->host);
    sending->fetcher = fetcher;
    sending->fetch = fetch;
    if (build(sending, &why) == OK)
        sending->transfer = sender_start(fetcher->sender, &sending->out, on_answer, sending, &why);
    if (sending->transfer)
        return;
    struct fetch_answer none = { .error = ATTEMPT_CONFIG, .detail = why, .head = SLICE(""), .body = SLICE("") };
    end(fetcher, fetch, &none);
}

/* The one whose turn it is, if there is room for it. */
static struct fetch *next_fetch(struct fetcher *fetcher)
{
    while (fetcher->first && !fetcher->first->first) /* all that waited at it were cancelled */
        free_host_if_done(fetcher, leave_line(fetcher));
    struct fetch *fetch = fetcher->first ? fetcher->first->first : NULL;
    bool has_room = fetch && fetcher->under_way < FETCHES_UNDER_WAY_MAX &&
                    fetcher->answer_bytes + fetch->max_response_bytes <= FETCH_ANSWERS_MAX;
    return has_room ? fetch : NULL; /* the end of any other one wakes */
}

static void on_idle(uv_idle_t *idle)
{
    struct fetcher *fetcher = idle->data;
    struct fetch *fetch = NULL;
    uv_idle_stop(idle);
    for (int started = 0; started < STARTS_A_TURN && (fetch = next_fetch(fetcher)); started++) {
        (void)leave_line(fetcher);
        start(fetcher, fetch);
    }
    sender_start_due(fetcher->sender);
    if (next_fetch(fetcher))
        wake(fetcher);
}

/* ---- what the worker asks ---- */

const char *fetcher_begin(struct fetcher *fetcher, struct fetch *fetch)
{
    uint64_t host_key = 0;
    if (fetcher->request_bytes + size_of(fetch) > FETCH_REQUESTS_MAX)
        return "too much is waiting to be asked already, of all handlers together";
    const char *why = find_host(fetch, &host_key);
    if (why)
        return why;
    fetcher->request_bytes += size_of(fetch);
    fetch->host = need_host(fetcher, host_key);
    fetch->sending = NULL;
    add_waiting(fetch->host, fetch);
    stand_in_line(fetcher, fetch->host);
    wake(fetcher);
    return NULL;
}

void fetcher_cancel(struct fetcher *fetcher, struct fetch *fetch)
{
    if (fetch->sending)
        sender_abort(fetcher->sender, fetch->sending->transfer);
    forget(fetcher, fetch);
}

/* ---- life ---- */

struct fetcher *fetcher_new(uv_loop_t *loop, const struct stand_in *stand_in)
{
    struct fetcher *fetcher = MEM_NEW(struct fetcher);
    fetcher->sender = sender_new(loop, stand_in);
    uv_idle_init(loop, &fetcher->idle);
    fetcher->idle.data = fetcher;
    return fetcher;
}

static void on_part_closed(struct fetcher *fetcher)
{
    if (--fetcher->closing_parts > 0)
        return;
    void (*on_closed)(void *) = fetcher->on_closed;
    void *arg = fetcher->closed_arg;
    mem_free(fetcher);
    on_closed(arg);
}

static void on_sender_closed(void *arg)
{
    on_part_closed(arg);
}

static void on_idle_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

void fetcher_free(struct fetcher *fetcher, void (*on_closed)(void *arg), void *arg)
{
    fetcher->on_closed = on_closed;
    fetcher->closed_arg = arg;
    fetcher->closing_parts = 2;
    while (fetcher->first) /* hosts of which nothing waits any more */
        free_host_if_done(fetcher, leave_line(fetcher));
    sender_free(fetcher->sender, on_sender_closed, fetcher);
    uv_close((uv_handle_t *)&fetcher->idle, on_idle_closed);
}
