/* server.c: the main thread: it opens the store, starts the workers, listens to signals, files and the admin socket, and ends all
 * in order. The way of an event never touches it.
 *
 *   rules read ──mistakes──> exit 3
 *      └─> store opened ──fails at the first start──> exit 1; after a fall: 503 on every socket, tried each second
 *             └─> workers ──all ready──> SERVING ──SIGTERM──> DRAINING ──all ended──> store stopped, exit 0
 */
#include "loop/server_inside.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/kept_rules.h"
#include "loop/kept_wards.h"
#include "loop/screen.h"
#include "script/watchdog.h"
#include "store/store.h"
#include "super/supervisor.h"

enum {
    BODIES_MAX = 256 << 20, /* bytes of bodies in memory, the whole process */
    CONNECTIONS_MAX = 10000,
    JUMPS_MAX = 200, /* then a fresh server takes over */
    SECOND_MS = 1000,
};

/* ---- rules ---- */

static void on_files_changed(void *arg, const char *hash)
{
    struct server *server = arg;
    if (server->phase == SERVING)
        reload_ask_for(server->reload, hash);
}

static void on_hangup(uv_signal_t *handle, int signal)
{
    struct server *server = handle->data;
    if (server->phase == SERVING)
        reload_ask(server->reload, NULL, NULL);
}

static void on_rules_loaded(void *arg, struct generation *generation)
{
    struct server *server = arg;
    server->runs_kept_rules = false;
    probation_rules_changed(server->probation, generation);
    kept_rules_write(server->store, &server->handoff, generation);
    task_clock_rules(server->tasks, generation);
}

static void start_reloads(struct server *server)
{
    struct reload_config config = {
        .options = server->options,
        .store = server->store,
        .handoff = &server->handoff,
        .workers = server->workers,
        .worker_count = server->inherited->workers,
        .on_loaded = on_rules_loaded,
        .arg = server,
    };
    server->reload = reload_new(&config, server->first);
    if (server->config->watch)
        server->watch = watch_start(&server->loop, &server->options.place, on_files_changed, server);
}

/* ---- workers ---- */

static void tell_supervisor(const struct server *server)
{
    ssize_t written = write(server->inherited->ready_fd, "ready\n", 6);
    (void)written; /* it has died: so will we */
    close(server->inherited->ready_fd);
}

static void on_second(uv_timer_t *timer)
{
    struct server *server = timer->data;
    if (server->phase == SERVING)
        kept_wards_write(server->store, &server->handoff, server->probation, &server->probation_kept);
}

static void start_tasks(struct server *server)
{
    struct task_clock_config config = {
        .loop = &server->loop,
        .store = server->store,
        .handoff = &server->handoff,
        .ids = &server->ids,
        .workers = server->workers,
        .worker_count = server->inherited->workers,
    };
    server->tasks = task_clock_new(&config);
    task_clock_rules(server->tasks, server->first);
}

static void serve(struct server *server)
{
    server->phase = SERVING;
    uv_timer_start(&server->second, on_second, 0, SECOND_MS);
    start_tasks(server);
    start_reloads(server);
    if (server->inherited->restarts == 0)
        screen_start(server->config, (const char(*)[64])server->listen, server->inherited->addresses, server->first,
                     &server->report, server->load_ms);
    LOG(LOG_INFO, "serving", LOG_T("listen", server->listen[0]), LOG_I("workers", server->inherited->workers),
        LOG_I("generation", server->first->number), LOG_I("restarts", server->inherited->restarts));
    kept_rules_write(server->store, &server->handoff, server->first);
    tell_supervisor(server);
}

/* At the start no older rules can take over. */
static void on_first_rules(struct server *server, const char *error)
{
    if (!error[0])
        return;
    fprintf(stderr, "tidewire: a worker could not build the rules: %s\n", error);
    _exit(EXIT_RULES);
}

/* What a jump leaves mapped makes every Lua error a little slower: after many a fresh server takes over (design.md). */
static void on_jump(struct server *server)
{
    if (++server->jumps < JUMPS_MAX || server->phase != SERVING)
        return;
    LOG(LOG_WARN, "planned replacement", LOG_I("abandoned_states", server->jumps));
    server->exit_code = SERVER_REPLACE;
    server_drain(server);
}

static void on_notice(struct handed *handed)
{
    struct worker_notice *notice = (struct worker_notice *)handed;
    struct server *server = worker_owner(notice->worker);
    switch (notice->kind) {
    case WORKER_READY:
        if (++server->ready == server->inherited->workers && server->phase == STARTING)
            serve(server);
        break;
    case WORKER_RULES:
        if (server->reload)
            reload_on_worker(server->reload, notice);
        else
            on_first_rules(server, notice->error);
        break;
    case WORKER_JUMPED:
        on_jump(server);
        break;
    case WORKER_DRAINED:
        server_worker_ended(server);
        break;
    }
    generation_unref(notice->generation);
    mem_free(notice);
}

bool server_start_workers(struct server *server)
{
    const struct inherited *inherited = server->inherited;
    server->budget.max = BODIES_MAX;
    for (uint32_t i = 0; i < inherited->workers; i++) {
        struct worker_config config = {
            .index = i,
            .count = inherited->workers,
            .all = server->workers,
            .listeners = &inherited->listeners[i * inherited->addresses],
            .listener_count = inherited->addresses,
            .store = server->store,
            .ca_file = server->config->ca_file,
            .connect_to = server->config->connect_to,
            .connections_max = CONNECTIONS_MAX,
            .budget = &server->budget,
            .slot = recorder_slot(server->recorder, i),
            .probation = server->probation,
            .main = &server->handoff,
            .on_notice = on_notice,
            .owner = server,
        };
        if (worker_start(&config, &server->workers[i]) != OK)
            return false;
    }
    /* only now: a worker that runs hands over to all of them */
    for (uint32_t i = 0; i < inherited->workers; i++)
        worker_load(server->workers[i], server->first);
    return true;
}

/* ---- life ---- */

static void name_addresses(struct server *server)
{
    for (uint32_t i = 0; i < server->inherited->addresses; i++) {
        struct sockaddr_storage address = { 0 };
        socklen_t len = sizeof(address);
        char host[INET6_ADDRSTRLEN] = "?";
        getsockname(server->inherited->listeners[i], (struct sockaddr *)&address, &len);
        if (address.ss_family == AF_INET6) {
            struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
            inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
            snprintf(server->listen[i], sizeof(server->listen[i]), "[%s]:%d", host, ntohs(in6->sin6_port));
        } else {
            struct sockaddr_in *in = (struct sockaddr_in *)&address;
            inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
            snprintf(server->listen[i], sizeof(server->listen[i]), "%s:%d", host, ntohs(in->sin_port));
        }
    }
}

static bool load_rules(struct server *server)
{
    uint64_t began_ms = clock_mono_ms();
    char rules[PATH_MAX];
    struct buf text;
    server->options = (struct load_options){
        .place = { .folder = server->config->folder },
        .production = server->config->production,
        .secrets_folder = server->config->secrets_folder,
        .slot = watchdog_slot_new(),
    };
    enum result rc = load_generation(&server->options, &server->first, &server->report);
    server->load_ms = clock_mono_ms() - began_ms;
    server->options.place.always_below = rule_files_folder(&server->options.place, rules, sizeof(rules))[0] != '\0';
    if (rc == OK)
        return true;
    buf_init(&text, 1 << 20);
    load_report_print(&server->report, &text, false);
    fwrite(text.data, 1, text.len, stderr);
    if (server->inherited->restarts == 0)
        fprintf(stderr, "\nNothing was started: mend this, then 'tidewire run' again ('tidewire check' shows the same).\n");
    buf_deinit(&text);
    load_report_deinit(&server->report);
    return false;
}

static void on_stop_signal(uv_signal_t *handle, int signal)
{
    struct server *server = handle->data;
    server->exit_code = 0; /* no other server comes after this one, if that was planned */
    server_drain(server);
}

static void start_signals(struct server *server)
{
    const struct {
        uv_signal_t *handle;
        uv_signal_cb run;
        int signal;
    } signals[] = { { &server->terminate, on_stop_signal, SIGTERM },
                    { &server->interrupt, on_stop_signal, SIGINT },
                    { &server->hangup, on_hangup, SIGHUP } };
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        uv_signal_init(&server->loop, signals[i].handle);
        signals[i].handle->data = server;
        uv_signal_start(signals[i].handle, signals[i].run, signals[i].signal);
    }
    uv_timer_init(&server->loop, &server->retry);
    uv_timer_init(&server->loop, &server->second);
    server->retry.data = server->second.data = server;
}

static bool has_secrets(const struct generation *generation)
{
    bool has = generation->secret_count > 0;
    for (size_t i = 0; i < generation->target_count; i++)
        has = has || (generation->targets[i].tls && generation->targets[i].tls->key.data);
    return has;
}

/* Files, sockets: as many as we may have. Core dumps: none, they would hold secrets. */
static void set_limits(const struct server *server)
{
    struct rlimit files, none = { 0, 0 };
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (!server->first || has_secrets(server->first))
        setrlimit(RLIMIT_CORE, &none);
}

/* Nobody points to them any more. */
static void free_parts(struct server *server)
{
    for (uint32_t i = 0; i < server->ended; i++)
        worker_join(server->workers[i]);
    if (server->store)
        store_stop(server->store);
    task_clock_free(server->tasks);
}

int server_run(const struct config *config, const struct inherited *inherited)
{
    static struct server server; /* one per process; workers and store point into it */
    char node[256] = "";
    gethostname(node, sizeof(node) - 1);
    server = (struct server){ .config = config, .inherited = inherited, .started_ms = clock_mono_ms() };
    log_setup(config->log_format, config->log_level, node, config->colour, STDERR_FILENO);
    if (recorder_map(inherited->recorder_fd, inherited->workers, &server.recorder) != OK ||
        !realpath(config->folder, server.folder)) {
        fprintf(stderr, "tidewire: the folder %s cannot be read: %s\n", config->folder, strerror(errno));
        return 1;
    }
    server.probation = probation_new();
    uuid_maker_init(&server.ids);
    name_addresses(&server);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    uv_loop_init(&server.loop);
    if (handoff_init(&server.handoff, &server.loop) != OK || watchdog_start() != OK) {
        fprintf(stderr, "tidewire: threads cannot be started\n");
        return 1;
    }
    if (!load_rules(&server) && inherited->restarts == 0)
        return EXIT_RULES;
    set_limits(&server);
    start_signals(&server);
    server_start_admin(&server);
    server_open_store(&server);
    uv_run(&server.loop, UV_RUN_DEFAULT);
    free_parts(&server);
    watchdog_slot_free(server.options.slot);
    watchdog_stop();
    if (server.reload)
        reload_free(server.reload);
    generation_unref(server.first);
    probation_free(server.probation);
    load_report_deinit(&server.report);
    uv_loop_close(&server.loop);
    curl_global_cleanup();
    log_flush();
    return server.exit_code;
}
