/* server_inside.h: the main thread's server, for the files that are it. All on the main thread.
 *   server.c        its life: rules, workers, signals
 *   server_store.c  the store is opened
 *   server_admin.c  what the admin socket asks
 *   server_end.c    from the wish to end to the last closed handle */
#ifndef TIDEWIRE_SERVER_INSIDE_H
#define TIDEWIRE_SERVER_INSIDE_H

#include <limits.h>

#include "admin/admin.h"
#include "loop/closed_door.h"
#include "loop/handoff.h"
#include "loop/probation.h"
#include "loop/reload.h"
#include "loop/server.h"
#include "loop/task_clock.h"
#include "loop/watch.h"
#include "loop/worker.h"
#include "script/load.h"
#include "super/recorder.h"

enum phase { STARTING, SERVING, DRAINING };

struct server {
    const struct config *config;
    const struct inherited *inherited;
    char folder[PATH_MAX]; /* absolute */
    char listen[ADDRESSES_MAX][64];
    uv_loop_t loop;
    struct handoff handoff;
    enum phase phase;
    struct load_options options;
    struct generation *first; /* counted */
    struct load_report report;
    bool runs_kept_rules; /* the files had mistakes when this server started: the last good ones run */
    uint64_t load_ms, started_ms;
    struct store *store;
    struct closed_door *door;
    struct recorder *recorder;
    struct probation *probation;
    uint32_t probation_kept; /* its version that the store has */
    struct uuid_maker ids;
    uint32_t jumps; /* Lua states left by a jump */
    int exit_code;
    struct body_budget budget;
    struct worker *workers[WORKERS_MAX];
    uint32_t ready, ended; /* workers */
    struct reload *reload;
    struct watch *watch;
    struct task_clock *tasks;
    struct admin *admin;
    uv_signal_t terminate, interrupt, hangup;
    uv_timer_t retry;  /* of opening the store; then the end of the drain */
    uv_timer_t second; /* while serving: what has changed is kept */
};

/* ---- server.c ---- */
/* Once the store is open. false: no memory. When all are ready, it serves. */
bool server_start_workers(struct server *server);

/* ---- server_store.c ---- */
/* Then the workers. Ends the process where nothing can be served; after a fall it is tried until it opens. */
void server_open_store(struct server *server);

/* ---- server_end.c ---- */
/* The loop ends when all has come to rest; the process, where that takes too long. Once begun, nothing more. */
void server_drain(struct server *server);
void server_worker_ended(struct server *server);

/* ---- server_admin.c ---- */
/* Nothing when there is no socket for it; what fails is logged. */
void server_start_admin(struct server *server);

#endif
