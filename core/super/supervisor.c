#include "super/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "super/inherited.h"
#include "super/listeners.h"
#include "super/notify.h"
#include "super/recorder.h"
#include "super/stall.h"

enum {
    LOOK_MS = 500,
    NO_PROCESS_WAIT_MS = 1000,
    FIRST_PASSED_FD = 3,
    CODE_NONE = -1,
    TAKEN_TRIES = 100,
    TAKEN_WAIT_MS = 20,
};

static const uint64_t default_waits_ms[SUPERVISOR_WAITS] = { 0, 200, 1000, 5000, 30000 };

struct supervisor {
    struct supervisor_config config;
    struct inherited inherited; /* ready_fd: the server's end of the present pipe */
    struct recorder *recorder;
    sigset_t signals, before;
    int signal_fd;
    pid_t server; /* 0: none now */
    int ready_fd; /* our end; -1: heard already */
    bool ready, ever_ready;
    int stopping; /* the signal that asked for the end; 0 */
    uint32_t falls;
    uint64_t started_ms, start_at_ms;
    struct stall stalls[WORKERS_MAX];
    uint64_t looked_ms;
    uint64_t aborted_ms; /* when SIGABRT was sent to the present server; 0: it was not */
    uint64_t watchdog_ms, told_ms;
};

/* ---- sockets ---- */

/* A router that was killed a moment ago holds its sockets until the kernel is done with it. */
static bool is_worth_a_wait(enum result rc, uint32_t *tries)
{
    if (rc != ERR_EXISTS || ++*tries > TAKEN_TRIES)
        return false;
    clock_sleep_ms(TAKEN_WAIT_MS);
    return true;
}

static int open_sockets(struct supervisor *supervisor)
{
    const struct supervisor_config *config = &supervisor->config;
    struct inherited *inherited = &supervisor->inherited;
    int column[WORKERS_MAX];
    char why[LISTEN_WHY_MAX], bound[64];
    uint32_t tries = 0;
    inherited->workers = config->workers;
    inherited->admin_fd = -1;
    enum result rc = listeners_of_systemd(config->workers, inherited->listeners, &inherited->addresses, why);
    bool ours = inherited->addresses == 0;
    if (ours)
        inherited->addresses = (uint32_t)config->listen_count;
    for (uint32_t address = 0; ours && rc == OK && address < inherited->addresses; address++) {
        do
            rc = listeners_open(config->listen[address], config->workers, column, bound, why);
        while (is_worth_a_wait(rc, &tries));
        for (uint32_t worker = 0; rc == OK && worker < config->workers; worker++)
            inherited->listeners[worker * inherited->addresses + address] = column[worker];
    }
    if (rc == OK && config->admin_socket)
        do
            rc = listeners_open_unix(config->admin_socket, &inherited->admin_fd, why);
        while (is_worth_a_wait(rc, &tries));
    if (rc == OK)
        return 0;
    fprintf(stderr, "tidewire: %s\n", why);
    return rc == ERR_INVALID ? 2 : 1;
}

/* ---- the server ---- */

static void keep_open(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFD, 0);
}

/* In the child; never returns. */
static void become_server(const struct supervisor *supervisor, pid_t parent)
{
    char text[INHERITED_TEXT_MAX];
    const struct inherited *inherited = &supervisor->inherited;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it has died before we asked to die with it */
        _exit(1);
    sigprocmask(SIG_SETMASK, &supervisor->before, NULL);
    signal(SIGPIPE, SIG_DFL);
    /* what our own parent left open is not the server's; kernels before 5.11 cannot, and nothing of ours depends on it */
    (void)close_range(FIRST_PASSED_FD, ~0U, CLOSE_RANGE_CLOEXEC);
    keep_open(inherited->ready_fd);
    keep_open(inherited->recorder_fd);
    keep_open(inherited->admin_fd);
    for (uint32_t i = 0; i < inherited->workers * inherited->addresses; i++)
        keep_open(inherited->listeners[i]);
    inherited_format(inherited, text);
    setenv(INHERITED_VARIABLE, text, 1);
    execv(supervisor->config.server ? supervisor->config.server : "/proc/self/exe", supervisor->config.argv);
    fprintf(stderr, "tidewire: the server cannot be started: %s\n", strerror(errno));
    _exit(1);
}

static bool start_server(struct supervisor *supervisor)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    supervisor->ready_fd = ends[0];
    supervisor->inherited.ready_fd = ends[1];
    recorder_reset(supervisor->recorder);
    supervisor->ready = false;
    supervisor->aborted_ms = 0;
    supervisor->started_ms = clock_mono_ms();
    supervisor->server = fork();
    if (supervisor->server == 0)
        become_server(supervisor, parent);
    close(ends[1]);
    if (supervisor->server < 0) {
        supervisor->server = 0;
        close(ends[0]);
        supervisor->ready_fd = -1;
        return false;
    }
    supervisor->inherited.restarts++;
    return true;
}

static void on_ready(struct supervisor *supervisor)
{
    char text[16];
    ssize_t len = read(supervisor->ready_fd, text, sizeof(text));
    if (len < 0)
        return;
    if (len >= 5 && memcmp(text, "ready", 5) == 0) {
        supervisor->ready = supervisor->ever_ready = true;
        memset(supervisor->stalls, 0, sizeof(supervisor->stalls));
        notify_systemd("READY=1");
    }
    close(supervisor->ready_fd);
    supervisor->ready_fd = -1;
}

static uint32_t count_ended(const struct supervisor *supervisor)
{
    uint32_t ended = 0;
    for (uint32_t i = 0; i < supervisor->config.workers; i++)
        ended += atomic_load_explicit(&recorder_slot(supervisor->recorder, i)->ended, memory_order_relaxed);
    return ended;
}

/* Do all loops still turn? Those of a server that drains end one by one; when the last one has, so has the server to. */
static bool all_move(struct supervisor *supervisor, uint64_t since_ms)
{
    bool some_run = count_ended(supervisor) < supervisor->config.workers;
    for (uint32_t i = 0; i < supervisor->config.workers; i++) {
        struct recorder_slot *slot = recorder_slot(supervisor->recorder, i);
        if (some_run && atomic_load_explicit(&slot->ended, memory_order_relaxed))
            continue;
        uint64_t stood_ms = stall_look(&supervisor->stalls[i], atomic_load_explicit(&slot->tick, memory_order_relaxed), since_ms);
        if (stood_ms >= supervisor->config.hung_ms) {
            LOG(LOG_ERROR, "loop stands still", LOG_I("worker", i), LOG_I("ms", stood_ms));
            recorder_end(supervisor->recorder)->stalled = (int32_t)i;
            return false;
        }
    }
    return true;
}

static void look_at_server(struct supervisor *supervisor, uint64_t now_ms)
{
    uint64_t since_ms = now_ms - supervisor->looked_ms;
    supervisor->looked_ms = now_ms;
    if (supervisor->aborted_ms && supervisor->server && now_ms - supervisor->aborted_ms >= supervisor->config.hung_ms) {
        supervisor->aborted_ms = now_ms;
        kill(supervisor->server, SIGKILL); /* a stopped process does not hear SIGABRT */
    }
    if (!supervisor->ready || supervisor->stopping)
        return;
    if (!all_move(supervisor, since_ms)) {
        supervisor->ready = false;
        supervisor->aborted_ms = now_ms;
        kill(supervisor->server, SIGABRT);
    } else if (supervisor->watchdog_ms && now_ms - supervisor->told_ms >= supervisor->watchdog_ms) {
        supervisor->told_ms = now_ms;
        notify_systemd("WATCHDOG=1");
    }
}

static void plan_restart(struct supervisor *supervisor, bool at_once)
{
    uint64_t now_ms = clock_mono_ms();
    if (now_ms - supervisor->started_ms >= supervisor->config.calm_ms)
        supervisor->falls = 0;
    uint32_t place = supervisor->falls < SUPERVISOR_WAITS ? supervisor->falls : SUPERVISOR_WAITS - 1;
    uint64_t wait_ms = at_once ? 0 : supervisor->config.waits_ms[place];
    supervisor->falls += at_once ? 0 : 1;
    supervisor->start_at_ms = now_ms + wait_ms;
    LOG(LOG_INFO, "server starts again", LOG_I("in_ms", wait_ms));
}

/* The exit code of `run`, or CODE_NONE: it goes on. */
static int on_server_end(struct supervisor *supervisor, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    supervisor->server = 0;
    if (supervisor->ready_fd >= 0)
        on_ready(supervisor); /* it may have said so and ended at once */
    if (supervisor->ready_fd >= 0) {
        close(supervisor->ready_fd);
        supervisor->ready_fd = -1;
    }
    supervisor->ready = false;
    if (supervisor->stopping)
        return WIFEXITED(status) ? code : 128 + supervisor->stopping;
    if (!supervisor->ever_ready)
        return code;
    recorder_end(supervisor->recorder)->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    recorder_end(supervisor->recorder)->code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if (WIFSIGNALED(status))
        LOG(LOG_ERROR, "server ended", LOG_I("signal", WTERMSIG(status)));
    else
        LOG(code == SERVER_REPLACE ? LOG_INFO : LOG_ERROR, "server ended", LOG_I("code", code));
    plan_restart(supervisor, code == SERVER_REPLACE);
    return CODE_NONE;
}

static int reap(struct supervisor *supervisor)
{
    int status, code = CODE_NONE;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == supervisor->server)
            code = on_server_end(supervisor, status);
    return code;
}

/* ---- signals ---- */

static int on_stop(struct supervisor *supervisor, int signal)
{
    if (!supervisor->server)
        return supervisor->stopping ? 128 + signal : 0;
    if (supervisor->stopping) { /* a second one: at once */
        kill(supervisor->server, SIGKILL);
        waitpid(supervisor->server, NULL, 0);
        return 128 + signal;
    }
    supervisor->stopping = signal;
    notify_systemd("STOPPING=1");
    kill(supervisor->server, SIGTERM);
    return CODE_NONE;
}

static int on_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    int code = CODE_NONE;
    while (code == CODE_NONE && read(supervisor->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            code = reap(supervisor);
            break;
        case SIGHUP:
            if (supervisor->server)
                kill(supervisor->server, SIGHUP);
            break;
        default:
            code = on_stop(supervisor, (int)info.ssi_signo);
        }
    }
    return code;
}

static bool setup(struct supervisor *supervisor)
{
    sigemptyset(&supervisor->signals);
    for (const int *signal = (const int[]){ SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0 }; *signal; signal++)
        sigaddset(&supervisor->signals, *signal);
    sigprocmask(SIG_BLOCK, &supervisor->signals, &supervisor->before);
    signal(SIGPIPE, SIG_IGN); /* whoever reads our log may leave; the server stays */
    supervisor->signal_fd = signalfd(-1, &supervisor->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return supervisor->signal_fd >= 0 &&
           recorder_make(supervisor->config.workers, &supervisor->recorder, &supervisor->inherited.recorder_fd) == OK;
}

static void start_if_due(struct supervisor *supervisor, uint64_t now_ms)
{
    if (supervisor->server || now_ms < supervisor->start_at_ms || start_server(supervisor))
        return;
    LOG(LOG_ERROR, "server cannot be started", LOG_T("why", strerror(errno)));
    supervisor->start_at_ms = now_ms + NO_PROCESS_WAIT_MS; /* no process or descriptor to be had: try again */
}

static int until_next(const struct supervisor *supervisor, uint64_t now_ms)
{
    uint64_t wait_ms = LOOK_MS;
    if (supervisor->watchdog_ms && supervisor->watchdog_ms < wait_ms)
        wait_ms = supervisor->watchdog_ms;
    if (!supervisor->server && supervisor->start_at_ms - now_ms < wait_ms)
        wait_ms = supervisor->start_at_ms - now_ms;
    return (int)wait_ms;
}

static int loop(struct supervisor *supervisor)
{
    int code = CODE_NONE;
    while (code == CODE_NONE) {
        uint64_t now_ms = clock_mono_ms();
        start_if_due(supervisor, now_ms);
        look_at_server(supervisor, now_ms);
        log_flush();
        struct pollfd watched[2] = { { supervisor->signal_fd, POLLIN, 0 }, { supervisor->ready_fd, POLLIN, 0 } };
        if (poll(watched, 2, until_next(supervisor, now_ms)) <= 0)
            continue;
        if (watched[1].revents)
            on_ready(supervisor);
        if (watched[0].revents)
            code = on_signals(supervisor);
    }
    log_flush();
    return code;
}

int supervisor_run(const struct supervisor_config *config)
{
    static struct supervisor supervisor; /* large, and there is one */
    supervisor = (struct supervisor){ .config = *config, .ready_fd = -1, .watchdog_ms = notify_watchdog_ms() };
    uint64_t given = 0;
    assert(config->workers > 0 && config->workers <= WORKERS_MAX && config->listen_count <= ADDRESSES_MAX);
    for (int i = 0; i < SUPERVISOR_WAITS; i++)
        given += config->waits_ms[i];
    if (given == 0)
        memcpy(supervisor.config.waits_ms, default_waits_ms, sizeof(default_waits_ms));
    if (!config->hung_ms)
        supervisor.config.hung_ms = 10000;
    if (!config->calm_ms)
        supervisor.config.calm_ms = 60000;
    int code = open_sockets(&supervisor);
    if (code != 0)
        return code;
    if (!setup(&supervisor)) {
        fprintf(stderr, "tidewire: %s\n", strerror(errno));
        return 1;
    }
    code = loop(&supervisor);
    if (config->admin_socket)
        unlink(config->admin_socket);
    return code;
}
