/* sender_redirect.c: answers that send us elsewhere, followed by hand: a request of its own for each hop, so that the address
 * guard, the rest of the time and what may leave for another host are ours to decide.
 *
 * 301, 302, 307 and 308 repeat method and body. 303 says that the message was taken and where its answer is: a GET. */
#include "deliver/sender_inside.h"

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/redirect_url.h"
#include "model/generation.h"

enum { LOCATION_MAX = 8 << 10, TRAIL_MAX = 2 << 10 };

struct redirect {
    struct outgoing request; /* of the present hop */
    const char *lines[SENDER_HEADERS_MAX];
    uint32_t left;         /* hops */
    bool abroad;           /* it has left the target's host: what shows who we are stays behind for good */
    bool gets;             /* by a 303: without a body */
    struct target_tls tls; /* once abroad */
    char *url;             /* owned by libcurl: of the present hop; NULL: the target's */
    struct buf location;   /* of the answer that is coming in, and a zero */
    struct buf trail;      /* "307 to b.example.com:8443, 302 to …" */
};

struct redirect *redirect_new(const struct outgoing *request)
{
    struct redirect *redirect = MEM_NEW(struct redirect);
    redirect->request = *request;
    redirect->left = request->redirects;
    buf_init(&redirect->location, LOCATION_MAX);
    buf_init(&redirect->trail, TRAIL_MAX);
    return redirect;
}

void redirect_free(struct redirect *redirect)
{
    if (!redirect)
        return;
    curl_free(redirect->url);
    buf_deinit(&redirect->location);
    buf_deinit(&redirect->trail);
    mem_free(redirect);
}

/* ---- what the answer says ---- */

void redirect_on_header(struct redirect *redirect, struct slice line)
{
    static const struct slice name = SLICE("location:");
    if (slice_starts(line, SLICE("HTTP/"))) { /* what came before was an informational answer */
        buf_clear(&redirect->location);
    } else if (redirect->location.len == 0 && line.len > name.len && slice_eq_nocase(slice_make(line.data, name.len), name)) {
        buf_add_slice(&redirect->location, answer_header_value(line, name.len));
        buf_add_byte(&redirect->location, '\0');
    }
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* ---- what goes to the next ---- */

static bool begins(const char *line, const char *const *names)
{
    for (; *names; names++) {
        size_t len = strlen(*names);
        if (strncasecmp(line, *names, len) == 0 && (line[len] == ':' || line[len] == ';'))
            return true;
    }
    return false;
}

/* What a target, a message, `auth` or `sign` has put into the head may show who we are: only what says what the message is goes
 * to another host. */
static void choose_headers(struct redirect *redirect)
{
    static const char *const anywhere[] = { "content-type", "content-encoding", "idempotency-key", "user-agent", NULL };
    static const char *const of_body[] = { "content-type", "content-encoding", NULL };
    const struct outgoing *request = &redirect->request;
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = request->header_lines[i];
        if ((!redirect->abroad || begins(line, anywhere)) && (!redirect->gets || !begins(line, of_body)))
            redirect->lines[count++] = line;
    }
    redirect->request.header_lines = redirect->lines;
    redirect->request.header_count = count;
}

/* Our certificate shows it too. Whom the target trusts holds on. */
static void leave_certificate(struct redirect *redirect)
{
    if (!redirect->request.tls || !redirect->request.tls->cert.data)
        return;
    redirect->tls = *redirect->request.tls;
    redirect->tls.cert = redirect->tls.key = (struct slice){ NULL, 0 };
    redirect->tls.id[0] ^= 0xff;
    redirect->request.tls = &redirect->tls;
}

static void choose_request(struct redirect *redirect, long status)
{
    if (status == 303 && strcmp(redirect->request.method, "HEAD") != 0) {
        redirect->request.method = "GET";
        redirect->request.body = SLICE("");
        redirect->gets = true;
    }
    choose_headers(redirect);
    if (redirect->abroad)
        leave_certificate(redirect);
}

static uint64_t time_left_ms(const struct transfer *transfer, uint64_t timeout_ms)
{
    uint64_t gone_ms = clock_mono_ms() - transfer->started_ms;
    return gone_ms < timeout_ms ? timeout_ms - gone_ms : 1;
}

/* ---- a hop ---- */

static void note_hop(struct redirect *redirect, long status, const char *what, const char *detail)
{
    buf_addf(&redirect->trail, "%s%ld %s%s", redirect->trail.len ? ", " : "", status, what, detail);
}

static void note_host(struct redirect *redirect, long status, CURLU *to)
{
    char *host = NULL, *port = NULL;
    (void)curl_url_get(to, CURLUPART_HOST, &host, 0);
    (void)curl_url_get(to, CURLUPART_PORT, &port, 0); /* none: that of its scheme */
    note_hop(redirect, status, "to ", host ? host : "?");
    if (port)
        buf_addf(&redirect->trail, ":%s", port);
    curl_free(host);
    curl_free(port);
}

static CURLcode go_to(struct transfer *transfer, CURLU *to, long status)
{
    struct redirect *redirect = transfer->redirect;
    char *text = NULL;
    if (curl_url_get(to, CURLUPART_URL, &text, 0) != CURLUE_OK)
        return CURLE_OUT_OF_MEMORY;
    redirect->abroad = redirect->abroad || !redirect_stays(transfer->url, to);
    redirect->left--;
    note_host(redirect, status, to);
    choose_request(redirect, status);
    curl_free(redirect->url);
    redirect->request.url = redirect->url = text;
    struct outgoing request = redirect->request;
    request.timeout_ms = time_left_ms(transfer, request.timeout_ms);
    return handle_set_request(transfer, &request);
}

bool redirect_follow(struct transfer *transfer)
{
    struct redirect *redirect = transfer->redirect;
    const char *why = NULL;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!is_redirect(status) || redirect->location.len == 0)
        return false;
    CURLU *to = redirect->left ? redirect_resolve(transfer->url, redirect->location.data, &why) : NULL;
    if (!to) {
        note_hop(redirect, status, "not followed: it leads ", why ? why : "on once more");
        return false;
    }
    bool goes_on = go_to(transfer, to, status) == CURLE_OK;
    curl_url_cleanup(to);
    if (goes_on) {
        answer_deinit(transfer);
        answer_begin(transfer, &redirect->request);
        buf_clear(&redirect->location);
    }
    return goes_on;
}

const char *redirect_detail(struct redirect *redirect, const char *detail)
{
    struct slice trail = buf_slice(&redirect->trail);
    if (trail.len == 0)
        return detail;
    struct buf *said = &redirect->location; /* done with */
    buf_clear(said);
    buf_addf(said, "%s%sredirected: %.*s", detail, *detail ? "; " : "", SLICE_ARGS(trail));
    buf_add_byte(said, '\0');
    return buf_ok(said) ? said->data : detail;
}
