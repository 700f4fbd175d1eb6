#include "loop/verdict.h"

#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "script/script.h"

enum { TEXT_SIZE = 256 };

/* What one worker was doing, and what it stumbled over. */
struct case_file {
    const struct flight *flight;
    struct slice name;  /* of the route or target */
    const char *signal; /* "SIGSEGV" */
    const struct generation *rules;
    struct store *store;
    struct probation *probation;
};

static const char *signal_name(int signo)
{
    switch (signo) {
    case SIGSEGV:
        return "SIGSEGV";
    case SIGBUS:
        return "SIGBUS";
    case SIGILL:
        return "SIGILL";
    case SIGFPE:
        return "SIGFPE";
    case SIGABRT:
        return "SIGABRT";
    default:
        return "a signal";
    }
}

/* ---- the event is stored: one more failed try ---- */

static enum result write_crash(const struct case_file *file, struct event *event)
{
    char text[TEXT_SIZE];
    struct rng rng;
    const struct route *route = generation_route(file->rules, event->route);
    int len = route ? snprintf(text, sizeof(text), "%.*s:%u: ", route->file.len > 100 ? 100 : (int)route->file.len,
                               route->file.data, route->line)
                    : 0;
    snprintf(text + len, sizeof(text) - (size_t)len, "the server ended by %s while this ran", file->signal);
    struct script_failure failure = { RUN_CRASH, slice_of(text) };
    rng_seed_random(&rng);
    struct store_settle settle = {
        .op = { .kind = STORE_SETTLE },
        .event = event,
        .outcome = script_failed_outcome(route, event, file->flight->generation, &failure, clock_wall_ms(), &rng),
    };
    return settle.outcome ? store_write_now(file->store, &settle.op) : ERR_MEMORY;
}

/* true: it was found waiting, and has been charged. */
static bool charge_event(const struct case_file *file)
{
    struct store_read_event read = { .op = { .kind = STORE_READ_EVENT }, .id = file->flight->event };
    if (store_read_now(file->store, &read.op) != OK)
        return false;
    bool charged = read.state == EVENT_WAITING && write_crash(file, read.event) == OK;
    event_unref(read.event);
    return charged;
}

/* ---- all of it ---- */

static const char *judge(const struct case_file *file)
{
    const struct flight *flight = file->flight;
    uint64_t now_ms = clock_wall_ms();
    if (flight->task == FLIGHT_LOADING)
        return "while rules were loaded";
    if (flight->task == FLIGHT_SUCCESS) {
        probation_store_first(file->probation, WARD_TARGET, file->name, file->rules, now_ms);
        return "`success` of this target is not asked until its file changes";
    }
    if (charge_event(file)) {
        (void)probation_failed(file->probation, WARD_ROUTE, file->name, file->rules, flight->event, RUN_CRASH, now_ms);
        return "the event counts a failed try";
    }
    probation_store_first(file->probation, WARD_ROUTE, file->name, file->rules, now_ms);
    return "the event was not stored and not answered: its route runs store first until its file changes";
}

static bool is_guilty(const struct recorder_end *end, uint32_t worker, const struct flight *flight)
{
    return atomic_load(&flight->in_lua) && (atomic_load(&flight->fault) != 0 || end->stalled == (int32_t)worker);
}

void verdict_draw(struct recorder *recorder, uint32_t workers, struct store *store, struct probation *probation,
                  const struct generation *rules)
{
    const struct recorder_end *end = recorder_end(recorder);
    for (uint32_t i = 0; i < workers; i++) {
        const struct flight *flight = &recorder_slot(recorder, i)->flight;
        if (!is_guilty(end, i, flight))
            continue;
        struct case_file file = { .flight = flight,
                                  .name = slice_make(flight->name, flight->name_len),
                                  .signal =
                                      end->stalled == (int32_t)i ? "SIGABRT, its loop stood still" : signal_name(flight->fault),
                                  .rules = rules,
                                  .store = store,
                                  .probation = probation };
        const char *verdict = judge(&file);
        LOG(LOG_ERROR, "server died in a rule", LOG_T("signal", file.signal), LOG_I("worker", i),
            LOG_S(flight->task == FLIGHT_SUCCESS ? "target" : "route", file.name), LOG_ID("event_id", flight->event),
            LOG_I("generation", flight->generation), LOG_T("verdict", verdict));
    }
}
