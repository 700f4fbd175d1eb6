/* The words for our states, the same on every screen and in every log line. */
#include "model/attempt.h"
#include "model/delivery.h"
#include "model/outcome.h"
#include "model/target_now.h"

const char *attempt_error_name(enum attempt_error error)
{
    static const char *const names[] = { "",         "dns",    "connect", "tls", "timeout", "reset", "blocked_address",
                                         "protocol", "config", "oauth2" };
    return names[error];
}

const char *delivery_state_name(enum delivery_state state)
{
    static const char *const names[] = { "waiting", "delivered", "dead", "discarded", "recorded" };
    return names[state];
}

const char *breaker_state_name(enum breaker_state state)
{
    static const char *const names[BREAKER_STATES] = { "closed", "half_open", "open" };
    return names[state];
}

const char *run_reason_name(enum run_reason reason)
{
    static const char *const names[] = { "", "error", "retry", "cpu", "wait", "memory", "stack", "crash" };
    return names[reason];
}

const char *event_state_name(enum event_state state)
{
    static const char *const names[] = { "waiting", "handled", "dropped", "failed" };
    return names[state];
}
