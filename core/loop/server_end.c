/* server_end.c: from the wish to end to the last closed handle of main: workers drain or hand over, the store ends, then main. */
#include <unistd.h>

#include "base/log.h"
#include "loop/kept_wards.h"
#include "loop/server_inside.h"
#include "store/store.h"
#include "super/supervisor.h"

enum {
    HAND_OVER_MS = 1500,
    DRAIN_GRACE_MS = 3000, /* beyond the drain: for commits on their way */
};

static void nothing_closed(uv_handle_t *handle)
{
}
static void nothing_left(void *arg)
{
}

static void close_main(struct server *server)
{
    task_clock_close(server->tasks);
    watch_stop(server->watch);
    server->watch = NULL;
    if (server->admin)
        admin_stop(server->admin, nothing_left, NULL);
    uv_close((uv_handle_t *)&server->terminate, nothing_closed);
    uv_close((uv_handle_t *)&server->interrupt, nothing_closed);
    uv_close((uv_handle_t *)&server->hangup, nothing_closed);
    uv_close((uv_handle_t *)&server->retry, nothing_closed);
    uv_close((uv_handle_t *)&server->second, nothing_closed);
    handoff_close(&server->handoff, nothing_closed);
}

/* What asked for a status or a replay at the last moment is still on its way to main: it finds workers that take nothing and a
 * store without room, which are freed when the loop has ended. */
void server_worker_ended(struct server *server)
{
    if (++server->ended < server->inherited->workers)
        return;
    kept_wards_write(server->store, &server->handoff, server->probation, &server->probation_kept);
    store_end(server->store);
    LOG(LOG_INFO, "server ends");
    close_main(server);
}

/* A full disk holds back results for as long as it is full; they are of attempts that are then made again. */
static void on_drain_over(uv_timer_t *timer)
{
    struct server *server = timer->data;
    LOG(LOG_WARN, "drain cut off");
    log_flush();
    _exit(server->exit_code);
}

static void hand_over(struct server *server)
{
    uv_timer_start(&server->retry, on_drain_over, HAND_OVER_MS + DRAIN_GRACE_MS, 0);
    for (uint32_t i = 0; i < server->inherited->workers; i++)
        worker_hand_over(server->workers[i], HAND_OVER_MS);
}

void server_drain(struct server *server)
{
    if (server->phase == DRAINING)
        return;
    enum phase before = server->phase;
    server->phase = DRAINING;
    task_clock_stop(server->tasks);
    LOG(LOG_INFO, "draining", LOG_I("ms", server->config->drain_ms));
    log_flush();
    if (before == STARTING && !server->store) { /* the store never opened */
        closed_door_stop(server->door, nothing_left, NULL);
        close_main(server);
        return;
    }
    if (server->exit_code == SERVER_REPLACE) { /* what waits in handlers is on disk: the next server runs it */
        hand_over(server);
        return;
    }
    uv_timer_start(&server->retry, on_drain_over, server->config->drain_ms + DRAIN_GRACE_MS, 0);
    for (uint32_t i = 0; i < server->inherited->workers; i++)
        worker_drain(server->workers[i], server->config->drain_ms);
}
