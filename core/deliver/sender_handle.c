/* sender_handle.c: libcurl's easy handles. One is taken for each request and kept for the next, with all that does not change. */
#include "deliver/sender_inside.h"

#include "base/mem.h"

enum {
    IDLE_HANDLES_MAX = 64, /* easy handles kept for reuse */
    DNS_CACHE_S = 60,
    EXPECT_BODY_MIN = 64 << 10 /* from here on libcurl is told not to wait for 100-continue, which it does above 1 MiB */
};

/* ---- handles that are kept ---- */

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
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, answer_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, sockets_on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, sockets_on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->sender);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, sockets_on_use);
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

/* Of the idle ones one that went there before, else the last used of those that are set to this TLS, else the last used. */
static struct transfer **choose_idle(struct sender *sender, const struct outgoing *request)
{
    struct transfer **near = NULL;
    for (struct transfer **place = &sender->idle; *place; place = &(*place)->next) {
        if (knows_url(*place, request->url) && tls_is_set(*place, request->tls))
            return place;
        if (!near && tls_is_set(*place, request->tls))
            near = place;
    }
    return near ? near : &sender->idle;
}

static struct transfer *take_idle(struct sender *sender, const struct outgoing *request)
{
    struct transfer **place = choose_idle(sender, request);
    struct transfer *transfer = *place;
    *place = transfer->next;
    sender->idle_count--;
    return transfer;
}

struct transfer *handle_take(struct sender *sender, const struct outgoing *request)
{
    if (sender->idle)
        return take_idle(sender, request);
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
    mem_free(transfer);
}

void handle_give_back(struct transfer *transfer)
{
    struct sender *sender = transfer->sender;
    answer_deinit(transfer);
    redirect_free(transfer->redirect);
    transfer->redirect = NULL;
    if (sender->closing || sender->idle_count >= IDLE_HANDLES_MAX) {
        free_handle(transfer);
        return;
    }
    transfer->next = sender->idle;
    sender->idle = transfer;
    sender->idle_count++;
}

void handle_free_idle(struct sender *sender)
{
    while (sender->idle) {
        struct transfer *next = sender->idle->next;
        free_handle(sender->idle);
        sender->idle = next;
    }
}

/* ---- one request ---- */

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

CURLcode handle_set_request(struct transfer *transfer, const struct outgoing *request)
{
    CURL *easy = transfer->easy;
    bool is_get = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    bool with_body = request->body.len > 0 || !is_get;
    CURLcode rc = set_url(transfer, request->url);
    if (rc == CURLE_OK)
        rc = tls_set(transfer, request->tls);
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
