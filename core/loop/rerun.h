/* rerun.h: stored events that wait for their handler: after a failed try, after a crash, or because their run was cut off. They
 * are read back from the store when they fall due, run by the newest rules, and settled. One per worker, on its thread.
 *
 *   due in the store --read--> RUNNING --handler ends--> SETTLING --commit--> deliveries offered, or due again
 */
#ifndef TIDEWIRE_RERUN_H
#define TIDEWIRE_RERUN_H

#include <stdint.h>
#include <uv.h>

#include "base/result.h"
#include "model/event.h"
#include "model/outcome.h"
#include "script/script.h"
#include "store/store.h"

struct handoff;
struct rerun;

enum {
    RERUN_RUNNING_MAX = 64, /* stored events whose handler is started from here at one time */
    RERUN_READ = 64,        /* rows asked for at once */
};

struct rerun_config {
    uv_loop_t *loop;
    struct store *store;
    struct handoff *handoff; /* of the worker: store operations come back through it */
    uint32_t worker, workers;
    /* NULL: its name is gone; what waits for it stays waiting. */
    const struct route *(*route_of)(void *arg, struct slice path);
    /* false: for some milliseconds there is no Lua state. */
    bool (*can_run)(void *arg);
    /* May an event of this route run now? 0: yes. Else how many milliseconds to wait. With give_turn after the end when
     * *on_probation is set. */
    uint64_t (*take_turn)(void *arg, const struct route *route, bool *on_probation);
    void (*give_turn)(void *arg, struct slice route);
    /* What the newest rules say of it: does `when` hold? ERR_SCRIPT: it could not be asked, a failed try. */
    enum result (*wanted)(void *arg, const struct route *route, struct event *event, bool on_probation, bool *holds,
                          struct script_failure *failure);
    enum run_state (*run)(void *arg, struct run *run);
    /* An outcome that no handler made: dropped by `when` (failure NULL), or a failed try. NULL without memory. */
    struct outcome *(*outcome_of)(void *arg, const struct route *route, struct event *event,
                                  const struct script_failure *failure);
    /* As for ingest: of a try that failed. */
    bool (*can_tell)(void *arg, const struct event *event, const struct outcome *outcome);
    void (*tell)(void *arg, struct event *event, struct outcome *outcome);
    /* Before the commit of an outcome, and before tell. */
    void (*settling)(void *arg, struct store_settle *settle, struct outcome *outcome);
    /* After the commit: its deliveries can go. The event is borrowed for the call. */
    void (*on_settled)(void *arg, struct event *event, struct outcome *outcome);
    /* It was not written: the event was finished by somebody else, or waits on. */
    void (*on_not_settled)(void *arg, struct event *event);
    void *arg;
};

struct rerun *rerun_new(const struct rerun_config *config);
/* Begins with what waits in the store. */
void rerun_start(struct rerun *rerun);
/* Something waits that falls due then. */
void rerun_note(struct rerun *rerun, uint64_t due_ms);
/* The worker has new rules: what waited for a missing route is looked at again. */
void rerun_rules_changed(struct rerun *rerun);
/* An event whose handler runs outside of here (its request's run waits): from before its commit until rerun_settle or
 * rerun_forget nobody else runs it. */
void rerun_hold(struct rerun *rerun, struct event *event);
/* It is in the store, and has its number. */
void rerun_stored(struct rerun *rerun, struct event *event);
/* Commits the outcome of a held event, then on_settled. outcome NULL: it has to run again, from the store. */
void rerun_settle(struct rerun *rerun, struct event *event, struct outcome *outcome);
void rerun_forget(struct rerun *rerun, struct event *event);
/* Starts nothing more. */
void rerun_stop(struct rerun *rerun);
/* Nothing is running or being settled. */
bool rerun_is_idle(const struct rerun *rerun);
/* After rerun_stop and idle; on_closed from the loop. */
void rerun_free(struct rerun *rerun, void (*on_closed)(void *arg));

#endif
