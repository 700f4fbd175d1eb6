/* sender_answer.c: what a transfer brings, bounded, and how it ended. */
#include "deliver/sender_inside.h"

#include "base/clock.h"

void answer_begin(struct transfer *transfer, const struct outgoing *request)
{
    transfer->blocked = transfer->full = false;
    transfer->max_response_bytes = request->max_response_bytes;
    transfer->head_bytes = 0;
    transfer->content_type[0] = transfer->retry_after[0] = transfer->error[0] = '\0';
    transfer->keep_head = request->keep_head;
    buf_init(&transfer->body, request->max_response_bytes + 1);
    buf_init(&transfer->head, ANSWER_HEAD_MAX);
}

void answer_deinit(struct transfer *transfer)
{
    buf_deinit(&transfer->body);
    buf_deinit(&transfer->head);
}

size_t answer_on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    size_t len = size * count, room = transfer->max_response_bytes - transfer->body.len;
    buf_add(&transfer->body, bytes, len < room ? len : room);
    if (len <= room)
        return len;
    transfer->full = true; /* enough of it: the status is known, and the rest is not wanted */
    return 0;
}

struct slice answer_header_value(struct slice line, size_t name_len)
{
    while (line.len > name_len && (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == '\n'))
        line.len--;
    return slice_trim(slice_from(line, name_len));
}

static void keep_header(char *place, size_t room, struct slice value)
{
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

size_t answer_on_header(char *bytes, size_t size, size_t count, void *arg)
{
    static const struct slice type = SLICE("content-type:"), retry = SLICE("retry-after:");
    struct transfer *transfer = arg;
    struct slice line = { bytes, size * count };
    transfer->head_bytes += line.len;
    if (transfer->head_bytes > ANSWER_HEAD_MAX)
        return 0;
    if (transfer->keep_head)
        keep_head_line(transfer, line);
    if (transfer->redirect)
        redirect_on_header(transfer->redirect, line);
    if (line.len > type.len && slice_eq_nocase((struct slice){ line.data, type.len }, type))
        keep_header(transfer->content_type, sizeof(transfer->content_type), answer_header_value(line, type.len));
    else if (line.len > retry.len && slice_eq_nocase((struct slice){ line.data, retry.len }, retry))
        keep_header(transfer->retry_after, sizeof(transfer->retry_after), answer_header_value(line, retry.len));
    return line.len;
}

/* ---- its end ---- */

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

static void report_failure(const struct transfer *transfer, CURLcode rc, struct answer *answer)
{
    const char *tls = transfer->blocked ? NULL : tls_why_failed(transfer, rc);
    answer->error = tls ? ATTEMPT_TLS : error_of(transfer, rc);
    if (tls)
        answer->detail = tls;
    else if (transfer->blocked)
        answer->detail = "a private address; set private = true on the target if that is meant";
    else
        answer->detail = rc == CURLE_COULDNT_CONNECT ? "nobody answers there" : curl_easy_strerror(rc);
}

void answer_report(struct transfer *transfer, CURLcode rc)
{
    struct answer answer = { .took_ms = (uint32_t)(clock_mono_ms() - transfer->started_ms), .detail = "" };
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (rc == CURLE_OK || (rc == CURLE_WRITE_ERROR && transfer->full))
        answer.status = (uint16_t)status;
    else
        report_failure(transfer, rc, &answer);
    if (transfer->redirect)
        answer.detail = redirect_detail(transfer->redirect, answer.detail);
    answer.body = transfer->body.len ? buf_slice(&transfer->body) : SLICE("");
    answer.head = transfer->head.len ? buf_slice(&transfer->head) : SLICE("");
    answer.cut = transfer->full || !buf_ok(&transfer->body);
    answer.content_type = slice_of(transfer->content_type);
    answer.retry_after = slice_of(transfer->retry_after);
    transfer->on_done(transfer->arg, &answer);
}
