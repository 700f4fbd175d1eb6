/* server_store.c: main opens the store, and begins with what it knows of former servers. After a fall the store may need its
 * time: the sockets are there already, so they answer 503 meanwhile. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "loop/kept_rules.h"
#include "loop/kept_wards.h"
#include "loop/server_inside.h"
#include "loop/verdict.h"
#include "store/store.h"

enum {
    STORE_RETRY_MS = 1000,
    RESERVE_BYTES = 32 << 20,
    MIN_FREE_BYTES = 1 << 30,
};

static void on_retry(uv_timer_t *timer);

/* Writer thread: a write, fsync or commit failed, so nothing of the batch was acknowledged, and nothing more may be. */
static void on_fatal(void *arg, const char *why)
{
    LOG(LOG_ERROR, "store failed", LOG_T("why", why));
    log_flush();
    _exit(EXIT_STORE);
}

static enum result make_store_folder(const struct config *config, char *why, size_t size)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", config->store);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return OK;
    *slash = '\0';
    if (mkdir(folder, 0700) == 0 || errno == EEXIST)
        return OK;
    snprintf(why, size, "the store's folder %.200s cannot be made: %s; choose another place with --store PATH", folder,
             strerror(errno));
    return ERR_IO;
}

static enum result open_store(struct server *server, char *why, size_t size)
{
    struct store_config config = {
        .path = server->config->store,
        .reserve_bytes = RESERVE_BYTES,
        .min_free_bytes = MIN_FREE_BYTES,
        .vfs = server->config->store_vfs,
        .on_fatal = on_fatal,
        .fatal_arg = server,
    };
    enum result rc = make_store_folder(server->config, why, size);
    if (rc == OK)
        rc = store_open(&config, &server->store, why, size);
    return rc;
}

static void begin(struct server *server)
{
    if (!kept_rules_choose(server->store, &server->options, &server->first, &server->runs_kept_rules))
        _exit(EXIT_RULES);
    kept_wards_read(server->store, server->probation);
    probation_rules_changed(server->probation, server->first); /* files may be others than those that failed */
    verdict_draw(server->recorder, server->inherited->workers, server->store, server->probation, server->first);
    kept_wards_write_now(server->store, server->probation, &server->probation_kept); /* it may fall again at once */
    recorder_forget(server->recorder); /* now that the store knows, and before the workers write there */
    if (store_start(server->store) != OK || !server_start_workers(server)) {
        fprintf(stderr, "tidewire: the workers cannot be started: not enough memory\n");
        _exit(1);
    }
}

static void try_again_later(struct server *server, const char *why)
{
    LOG(LOG_ERROR, "store not open", LOG_T("why", why));
    log_flush();
    if (!server->door)
        server->door = closed_door_start(&server->loop, server->inherited->listeners,
                                         (size_t)server->inherited->workers * server->inherited->addresses,
                                         "the store cannot be opened just now");
    uv_timer_start(&server->retry, on_retry, STORE_RETRY_MS, 0);
}

void server_open_store(struct server *server)
{
    char why[512] = "";
    if (open_store(server, why, sizeof(why)) == OK) {
        begin(server);
        return;
    }
    if (server->inherited->restarts == 0) {
        fprintf(stderr, "tidewire: %s\n", why);
        _exit(1);
    }
    try_again_later(server, why);
}

static void on_door_closed(void *arg)
{
    struct server *server = arg;
    server->door = NULL;
    server_open_store(server);
}

static void on_retry(uv_timer_t *timer)
{
    struct server *server = timer->data;
    if (server->phase == STARTING)
        closed_door_stop(server->door, on_door_closed, server);
}
