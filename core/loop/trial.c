#include "loop/trial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/render.h"
#include "base/clock.h"
#include "base/mem.h"
#include "loop/probation.h"
#include "loop/task_clock.h"
#include "loop/worker_inside.h"
#include "script/stand_in_keys.h"

enum {
    BODIES_MAX = 256 << 20,
    CONNECTIONS_MAX = 16,
    AT_ONCE_MAX = 100000, /* timers that fall due without time passing */
    LISTED_MAX = 500,
};

struct trial {
    struct store *store;
    struct worker *worker;
    struct worker *all[1];
    struct handoff main; /* of main, who is us: on the worker's loop too */
    struct timers timers;
    struct worker_trial seams;
    struct recorder_slot slot;
    struct probation *probation;
    struct uuid_maker ids; /* of main */
    struct task_clock *tasks;
    struct body_budget budget;
    struct sockaddr_un door;
    socklen_t door_len;
    char peer[64];
    bool ready, drained;
    int at_once;     /* timers that ran since time has passed */
    char error[512]; /* why the rules could not be built */
};

/* ---- until all has come to rest ---- */

static bool is_quiet(struct worker *worker)
{
    struct pollfd ready = { uv_backend_fd(&worker->loop), POLLIN, 0 };
    return !deliver_has_work(worker->deliver) && getter_is_idle(worker->getter) && uv_backend_timeout(&worker->loop) != 0 &&
           poll(&ready, 1, 0) == 0;
}

/* Twice: what a callback leaves to do is begun before the next turn sleeps. */
static void run_loop(struct trial *trial)
{
    for (int quiet = 0; quiet < 2 && !trial->drained;) {
        uv_run(&trial->worker->loop, UV_RUN_NOWAIT);
        quiet = is_quiet(trial->worker) ? quiet + 1 : 0;
    }
}

/* The next thing that falls due by then, and all that follows from it at once. false: nothing does, or time does not get on. */
static bool run_next(struct trial *trial, uint64_t until_ms)
{
    uint64_t before_ms = clock_mono_ms();
    if (trial->at_once > AT_ONCE_MAX || !timers_run_next(&trial->timers, until_ms))
        return false;
    trial->at_once = clock_mono_ms() == before_ms ? trial->at_once + 1 : 0;
    run_loop(trial);
    return true;
}

enum result trial_pass(struct trial *trial, uint64_t ms)
{
    uint64_t until_ms = clock_mono_ms() + ms;
    run_loop(trial);
    while (run_next(trial, until_ms))
        ;
    clock_pass(until_ms - clock_mono_ms());
    return trial->at_once > AT_ONCE_MAX ? ERR_LIMIT : OK;
}

/* ---- a request ---- */

static int connect_to(const struct trial *trial)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&trial->door, trial->door_len) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* true: something went out or came in, or the other side has ended. */
static bool exchange(int fd, struct slice *left, struct buf *answer, bool *ended)
{
    char bytes[4096];
    ssize_t sent = left->len ? send(fd, left->data, left->len, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    if (sent > 0)
        *left = slice_from(*left, (size_t)sent);
    else if (sent < 0 && errno != EAGAIN)
        left->len = 0; /* it does not want the rest: its answer is on its way */
    ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got > 0)
        buf_add(answer, bytes, (size_t)got);
    *ended = got == 0 || (got < 0 && errno != EAGAIN);
    return sent > 0 || got > 0 || *ended;
}

enum result trial_feed(struct trial *trial, struct slice request, const char *remote_ip, struct buf *answer)
{
    uint64_t until_ms = clock_mono_ms() + TRIAL_ANSWER_MS;
    bool ended = false, time_left = true;
    snprintf(trial->peer, sizeof(trial->peer), "%s", remote_ip);
    int fd = connect_to(trial);
    if (fd < 0)
        return ERR_IO;
    while (!ended && time_left) {
        bool moved = exchange(fd, &request, answer, &ended);
        run_loop(trial);
        if (!moved && !exchange(fd, &request, answer, &ended))
            time_left = run_next(trial, until_ms); /* a handler waits, and the sender with it */
    }
    close(fd);
    if (trial_pass(trial, 0) != OK || !ended)
        return ERR_LIMIT;
    return buf_ok(answer) ? OK : ERR_MEMORY;
}

/* ---- what became of it ---- */

static void nobody_waits(struct store_op *op)
{
    (void)op; /* the store has done it in place */
}

enum result trial_list(struct trial *trial, struct buf *out)
{
    struct store_read_list list = { .op = { .kind = STORE_READ_LIST, .on_done = nobody_waits },
                                    .filter = { .state = -1, .limit = LISTED_MAX } };
    if (!store_submit_read(trial->store, &list.op))
        return ERR_FULL;
    enum result rc = list.op.result;
    if (rc == OK)
        render_list(&list, out);
    store_read_free(&list.op);
    return rc;
}

enum result trial_show(struct trial *trial, struct uuid id, struct buf *out)
{
    struct store_read_show show = { .op = { .kind = STORE_READ_SHOW, .on_done = nobody_waits }, .id = id };
    if (!store_submit_read(trial->store, &show.op))
        return ERR_FULL;
    enum result rc = show.op.result;
    if (rc == OK)
        render_event(&show, out);
    if (rc == OK && show.event)
        event_unref(show.event);
    store_read_free(&show.op);
    return rc;
}

/* ---- life ---- */

static void on_notice(struct handed *handed)
{
    struct worker_notice *notice = (struct worker_notice *)handed;
    struct trial *trial = worker_owner(notice->worker);
    if (notice->kind == WORKER_READY)
        trial->ready = true;
    else if (notice->kind == WORKER_RULES)
        snprintf(trial->error, sizeof(trial->error), "%s", notice->error);
    generation_unref(notice->generation);
    mem_free(notice);
}

/* Its name is the kernel's choice, outside the file system. */
static int open_door(struct trial *trial)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    trial->door.sun_family = AF_UNIX;
    trial->door_len = sizeof(trial->door);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&trial->door, sizeof(sa_family_t)) == 0 &&
        getsockname(fd, (struct sockaddr *)&trial->door, &trial->door_len) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void on_store_fatal(void *arg, const char *why)
{
    (void)arg;
    fprintf(stderr, "tidewire: the scratch store failed: %s\n", why);
    _exit(70);
}

/* In the place of senders' hosts: their certificate; of what confirms a subscription nobody reads the answer. */
static void on_get(void *arg, const struct outgoing *request, struct answer *answer)
{
    const struct stand_in_key *sender = stand_in_sender(arg);
    (void)request;
    answer->status = 200;
    if (sender)
        answer->body = sender->public_pem;
}

/* What passed in another trial says nothing here. */
static void open_gates(const struct generation *generation)
{
    for (size_t i = 0; i < generation->route_count; i++)
        if (generation->routes[i].gate)
            atomic_store(&generation->routes[i].gate->next_ns, 0);
}

/* What main does in a server. */
static void start_tasks(struct trial *trial, struct generation *generation)
{
    struct task_clock_config config = { .loop = &trial->worker->loop,
                                        .store = trial->store,
                                        .handoff = &trial->main,
                                        .ids = &trial->ids,
                                        .workers = trial->all,
                                        .worker_count = 1 };
    uuid_maker_init(&trial->ids);
    trial->tasks = task_clock_new(&config);
    task_clock_rules(trial->tasks, generation);
    run_loop(trial);
}

static enum result make_worker(struct trial *trial, const struct trial_config *config)
{
    int door = open_door(trial);
    if (door < 0)
        return ERR_IO;
    trial->budget.max = BODIES_MAX;
    trial->probation = probation_new();
    trial->seams = (struct worker_trial){ .network = config->network,
                                          .gets = { on_get, config->generation },
                                          .timers = &trial->timers,
                                          .coverage = config->coverage,
                                          .peer = trial->peer,
                                          .watch = config->watch };
    struct worker_config worker = {
        .count = 1,
        .all = trial->all,
        .listeners = &door,
        .listener_count = 1,
        .store = trial->store,
        .connections_max = CONNECTIONS_MAX,
        .budget = &trial->budget,
        .slot = &trial->slot,
        .probation = trial->probation,
        .main = &trial->main,
        .on_notice = on_notice,
        .owner = trial,
        .trial = &trial->seams,
    };
    enum result rc = worker_new(&worker, &trial->worker);
    trial->all[0] = trial->worker;
    timers_freeze(&trial->worker->loop, &trial->timers);
    if (rc == OK)
        rc = handoff_init(&trial->main, &trial->worker->loop);
    if (rc != OK)
        return rc;
    open_gates(config->generation);
    trial->worker->watchdog = config->slot;
    worker_set_up(trial->worker);
    worker_load(trial->worker, config->generation);
    run_loop(trial);
    if (!trial->ready)
        return ERR_SCRIPT;
    start_tasks(trial, config->generation);
    return OK;
}

enum result trial_new(const struct trial_config *config, struct trial **out, char *why, size_t why_size)
{
    struct trial *trial = MEM_NEW(struct trial);
    struct store_config store = { .path = config->store, .in_place = true, .on_fatal = on_store_fatal };
    enum result rc = store_open(&store, &trial->store, why, why_size);
    if (rc != OK) {
        mem_free(trial);
        return rc;
    }
    rc = make_worker(trial, config);
    if (rc != OK) {
        snprintf(why, why_size, "%s", trial->error[0] ? trial->error : "no socket, or no memory, is left for a trial");
        trial_free(trial);
        return rc;
    }
    *out = trial;
    return OK;
}

static void on_main_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void end_worker(struct trial *trial)
{
    struct worker *worker = trial->worker;
    if (worker->deliver) { /* it was set up */
        task_clock_stop(trial->tasks);
        worker_drain(worker, 0);
        uv_run(&worker->loop, UV_RUN_DEFAULT);
        trial->drained = true;
        task_clock_close(trial->tasks);
        handoff_close(&trial->main, on_main_closed);
        uv_run(&worker->loop, UV_RUN_DEFAULT);
    }
    worker_tear_down(worker);
    task_clock_free(trial->tasks);
    mem_free(worker);
}

void trial_free(struct trial *trial)
{
    if (trial->worker)
        end_worker(trial);
    store_stop(trial->store);
    if (trial->probation)
        probation_free(trial->probation);
    mem_free(trial);
}
