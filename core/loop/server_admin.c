/* server_admin.c: what the admin socket asks of the server. */
#include "base/log.h"
#include "loop/replay.h"
#include "loop/server_inside.h"
#include "loop/status.h"

static struct store *admin_store(void *arg)
{
    struct server *server = arg;
    return server->store;
}

static const char *admin_not_ready(void *arg)
{
    struct server *server = arg;
    if (server->phase == DRAINING)
        return "draining";
    if (server->phase == STARTING)
        return server->store ? "starting" : "the store cannot be opened";
    return store_accepts(server->store) ? NULL : "the disk is full";
}

static struct status status_of(const struct server *server)
{
    return (struct status){
        .started_ms = server->started_ms,
        .restarts = server->inherited->restarts,
        .jumps = server->jumps,
        .ready = server->phase == SERVING,
        .rules = server->reload ? reload_current(server->reload) : server->first,
        .runs_kept_rules = server->runs_kept_rules,
        .last_reload_failed = server->reload && reload_failed(server->reload),
        .folder = server->folder,
        .listen = (const char(*)[64])server->listen,
        .listen_count = server->inherited->addresses,
        .store = server->store,
        .workers = server->phase == SERVING ? (struct worker **)server->workers : NULL,
        .worker_count = server->inherited->workers,
        .probation = server->probation,
        .handoff = (struct handoff *)&server->handoff,
    };
}

static void on_status(void *arg, struct slice text)
{
    admin_answer(arg, 200, text);
}

static void admin_status(void *arg, struct admin_call *call)
{
    struct status status = status_of(arg);
    status_ask(&status, STATUS_JSON, on_status, call);
}

static void on_metrics(void *arg, struct slice text)
{
    admin_answer_text(arg, text);
}

static void admin_metrics(void *arg, struct admin_call *call)
{
    struct status status = status_of(arg);
    status_ask(&status, STATUS_METRICS, on_metrics, call);
}

static void on_replay_done(void *arg, uint16_t status, struct slice json, const char *detail)
{
    if (detail)
        admin_answer_problem(arg, status, detail);
    else
        admin_answer(arg, status, json);
}

static void admin_replay(void *arg, struct admin_call *call, struct uuid id)
{
    struct server *server = arg;
    struct replay replay = { .store = server->store,
                             .handoff = &server->handoff,
                             .rules = server->reload ? reload_current(server->reload) : NULL,
                             .workers = server->workers,
                             .worker_count = server->inherited->workers,
                             .ids = &server->ids };
    if (server->phase == SERVING)
        replay_event(&replay, id, on_replay_done, call);
    else
        admin_answer_problem(call, 503, "the router is starting or ending");
}

static void on_reload_done(void *arg, const struct reload_result *result)
{
    admin_answer(arg, result->loaded ? 200 : 422, result->json);
}

static void admin_reload(void *arg, struct admin_call *call)
{
    struct server *server = arg;
    if (server->phase == SERVING)
        reload_ask(server->reload, on_reload_done, call);
    else
        admin_answer(call, 503, SLICE("{\"loaded\":false,\"problems\":[],\"report\":\"the router is starting or ending\\n\"}"));
}

static void admin_check(void *arg, struct admin_call *call)
{
    struct server *server = arg;
    if (server->phase == SERVING)
        reload_check(server->reload, on_reload_done, call);
    else
        admin_answer_problem(call, 503, "the router is starting or ending");
}

void server_start_admin(struct server *server)
{
    struct admin_config config = {
        .loop = &server->loop,
        .fd = server->inherited->admin_fd,
        .handoff = &server->handoff,
        .store = admin_store,
        .not_ready = admin_not_ready,
        .status = admin_status,
        .metrics = admin_metrics,
        .reload = admin_reload,
        .check = admin_check,
        .replay = admin_replay,
        .arg = server,
    };
    if (server->inherited->admin_fd >= 0 && admin_start(&config, &server->admin) != OK)
        LOG(LOG_ERROR, "admin socket failed");
}
