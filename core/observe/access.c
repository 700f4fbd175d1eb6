#include "observe/access.h"

#include "base/log.h"

void access_request(const struct event *event, uint16_t answered, uint64_t took_us)
{
    LOG(LOG_INFO, "accepted", LOG_ID("event_id", event->id), LOG_S("route", event->route), LOG_S("type", event->type),
        LOG_I("status", answered), LOG_I("took_us", took_us), LOG_I("bytes", event->body.len),
        LOG_S("remote_ip", event->remote_ip));
}

void access_run(const struct event *event, const struct outcome *outcome)
{
    bool again = outcome->state == EVENT_WAITING;
    enum log_level level = outcome->state == EVENT_DROPPED ? LOG_INFO : again ? LOG_WARN : LOG_ERROR;
    const char *message = outcome->state == EVENT_DROPPED ? "dropped" : again ? "handler failed" : "event dead";
    LOG(level, message, LOG_ID("event_id", event->id), LOG_S("route", event->route), LOG_I("attempt", outcome->attempt),
        LOG_T("reason", run_reason_name(outcome->reason)), LOG_S("detail", outcome->text),
        LOG_I("generation", outcome->generation));
}

void access_attempt(const struct slice route, struct uuid event_id, struct uuid delivery_id, struct slice target,
                    const struct attempt *attempt, enum delivery_state state, uint64_t due_ms, struct slice reason)
{
    enum log_level level = state == DELIVERY_DEAD ? LOG_ERROR : state == DELIVERY_WAITING ? LOG_WARN : LOG_INFO;
    const char *message = state == DELIVERY_DEAD ? "delivery dead" : state == DELIVERY_WAITING ? "attempt failed" : "delivered";
    struct log_field fields[12] = { LOG_ID("event_id", event_id), LOG_ID("delivery_id", delivery_id),
                                    LOG_S("route", route),        LOG_S("target", target),
                                    LOG_I("attempt", attempt->n), LOG_I("status", attempt->status) };
    size_t n = 6;
    if (attempt->error != ATTEMPT_ANSWERED)
        fields[n++] = (struct log_field)LOG_T("error_type", attempt_error_name(attempt->error));
    if (attempt->detail.len)
        fields[n++] = (struct log_field)LOG_S("detail", attempt->detail);
    if (reason.len)
        fields[n++] = (struct log_field)LOG_S("reason", reason);
    if (state == DELIVERY_WAITING)
        fields[n++] = (struct log_field)LOG_I("next_in_ms", due_ms > attempt->at_ms ? due_ms - attempt->at_ms : 0);
    fields[n] = (struct log_field)LOG_I("took_ms", attempt->took_ms);
    log_write(level, message, fields);
}

void access_lookup(const struct event *event, const struct fetch_record *record)
{
    LOG(LOG_DEBUG, "lookup", LOG_ID("event_id", event->id), LOG_S("route", event->route), LOG_S("method", record->method),
        LOG_S("url", record->url), LOG_I("status", record->status), LOG_T("error_type", attempt_error_name(record->error)),
        LOG_I("took_ms", record->took_ms));
}
