#include "loop/worker.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/worker_inside.h"

enum { COUNTS_JSON_MAX = 4 << 20 };

void *worker_owner(const struct worker *worker)
{
    return worker->config.owner;
}

uint32_t worker_index(const struct worker *worker)
{
    return worker->config.index;
}

static void notify_main(struct worker *worker, int kind, struct generation *generation, const char *error)
{
    struct worker_notice *notice = MEM_NEW(struct worker_notice);
    notice->handed.run = worker->config.on_notice;
    notice->worker = worker;
    notice->kind = kind;
    notice->generation = generation ? generation_ref(generation) : NULL;
    snprintf(notice->error, sizeof(notice->error), "%s", error ? error : "");
    if (handoff_send(worker->config.main, &notice->handed) != OK) {
        generation_unref(notice->generation); /* main has ended: nobody wants to know */
        mem_free(notice);
    }
}

/* ---- generations ---- */

static void open_door(struct worker *worker)
{
    struct listener_callbacks callbacks = ingest_callbacks(worker->ingest);
    struct listener_config config = listener_defaults();
    config.connections_max = worker->config.connections_max;
    config.budget = worker->config.budget;
    config.unix_peer = worker->config.trial ? worker->config.trial->peer : NULL;
    worker->open = true;
    for (size_t i = 0; i < worker->config.listener_count; i++) {
        if (listener_start(&worker->loop, worker->config.listeners[i], &config, &callbacks, &worker->listeners[i]) != OK) {
            LOG(LOG_ERROR, "listening failed", LOG_I("descriptor", worker->config.listeners[i]));
            _exit(1); /* a socket that nobody accepts would swallow its share for ever: the supervisor starts anew */
        }
        worker->listener_count++;
    }
    rerun_start(worker->rerun);
    deliver_start(worker->deliver);
    notify_main(worker, WORKER_READY, NULL, NULL);
}

void worker_on_jumped(void *arg)
{
    notify_main(arg, WORKER_JUMPED, NULL, NULL);
}

void worker_on_rules_ready(void *arg, struct generation *generation, const char *error)
{
    struct worker *worker = arg;
    if (!error) {
        counts_know(worker->counts, generation);
        deliver_set_generation(worker->deliver, generation);
        if (!worker->open)
            open_door(worker);
        else
            rerun_rules_changed(worker->rerun);
    }
    notify_main(worker, WORKER_RULES, generation, error);
}

struct load_handed {
    struct handed handed;
    struct worker *worker;
    struct generation *generation; /* counted */
};

static void on_load(struct handed *handed)
{
    struct load_handed *load = (struct load_handed *)handed;
    rules_load(load->worker->rules, load->generation);
    generation_unref(load->generation);
    mem_free(load);
}

void worker_load(struct worker *worker, struct generation *generation)
{
    struct load_handed *load = MEM_NEW(struct load_handed);
    *load = (struct load_handed){ { .run = on_load }, worker, generation_ref(generation) };
    if (handoff_send(&worker->handoff, &load->handed) != OK) {
        generation_unref(generation);
        mem_free(load);
    }
}

/* ---- counts ---- */

/* Main has ended; the asker's memory went with it. */
static void on_nobody_asks(struct worker_counts *counts)
{
    buf_deinit(&counts->json);
    counts_free(counts->copy);
}

static void add_now(void *copy, const struct target_now *now)
{
    counts_target_now(copy, now);
}

static void on_ask_counts(struct handed *handed)
{
    struct worker_counts *counts = (struct worker_counts *)handed;
    struct worker *worker = counts->worker;
    buf_init(&counts->json, COUNTS_JSON_MAX);
    buf_add_text(&counts->json, "{\"requests\":");
    counts_write_json(worker->counts, &counts->json);
    buf_add_text(&counts->json, ",\"targets\":");
    deliver_write_json(worker->deliver, &counts->json);
    counts->copy = counts_copy(worker->counts);
    deliver_each_now(worker->deliver, add_now, counts->copy);
    counts->lua_memory = rules_memory(worker->rules);
    buf_addf(&counts->json, ",\"waiting_handlers\":%u,\"generations_alive\":%u,\"lua_memory\":%llu}",
             rules_waiting(worker->rules), rules_alive(worker->rules), (unsigned long long)counts->lua_memory);
    counts->handed.run = (void (*)(struct handed *))(void *)counts->on_done;
    if (handoff_send(worker->config.main, &counts->handed) != OK)
        on_nobody_asks(counts);
}

void worker_ask_counts(struct worker *worker, struct worker_counts *counts)
{
    counts->handed.run = on_ask_counts;
    counts->worker = worker;
    if (handoff_send(&worker->handoff, &counts->handed) != OK) {
        buf_init(&counts->json, 0);
        counts->on_done(counts);
    }
}

struct look_handed {
    struct handed handed;
    struct worker *worker;
    uint64_t due_ms;
};

static void on_look(struct handed *handed)
{
    struct look_handed *look = (struct look_handed *)handed;
    rerun_note(look->worker->rerun, look->due_ms);
    mem_free(look);
}

void worker_look(struct worker *worker, uint64_t due_ms)
{
    struct look_handed *look = MEM_NEW(struct look_handed);
    *look = (struct look_handed){ { .run = on_look }, worker, due_ms };
    if (handoff_send(&worker->handoff, &look->handed) != OK)
        mem_free(look);
}

/* ---- life ---- */

static void on_tick(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    recorder_tick(worker->config.slot);
    counts_flush(worker->counts, clock_wall_ms());
}

static void on_turn(uv_check_t *check)
{
    struct worker *worker = check->data;
    if (!worker->closing) {
        rules_sweep(worker->rules);
        last_words_go_on(worker->last_words);
    }
    log_flush();
}

static void start_timers(struct worker *worker)
{
    uv_timer_init(&worker->loop, &worker->tick);
    uv_timer_init(&worker->loop, &worker->draining);
    uv_check_init(&worker->loop, &worker->turn);
    worker->tick.data = worker->draining.data = worker->turn.data = worker;
    uv_timer_start(&worker->tick, on_tick, 0, WORKER_TICK_MS);
    uv_check_start(&worker->turn, on_turn);
}

static void take_name(unsigned index)
{
    char name[16]; /* the most that Linux takes */
    snprintf(name, sizeof(name), "tw-worker-%u", index % 1000);
    pthread_setname_np(pthread_self(), name);
}

void worker_set_up(struct worker *worker)
{
    if (worker->watchdog)
        worker->watchdog->flight = &worker->config.slot->flight;
    worker_make_parts(worker);
    start_timers(worker);
}

void worker_tear_down(struct worker *worker)
{
    uv_loop_close(&worker->loop);
    counts_free(worker->counts);
    log_flush();
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    log_thread((int)worker->config.index);
    take_name(worker->config.index);
    worker->watchdog = watchdog_slot_new();
    worker_set_up(worker);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    recorder_ended(worker->config.slot);
    watchdog_slot_free(worker->watchdog);
    worker_tear_down(worker);
    notify_main(worker, WORKER_DRAINED, NULL, NULL);
    return NULL;
}

enum result worker_new(const struct worker_config *config, struct worker **out)
{
    struct worker *worker = MEM_NEW(struct worker);
    worker->config = *config;
    worker->counts = counts_new();
    uuid_maker_init(&worker->ids);
    rng_seed_random(&worker->rng);
    uv_loop_init(&worker->loop);
    *out = worker; /* before the thread: others hand over to it by the list that holds this */
    return handoff_init(&worker->handoff, &worker->loop);
}

enum result worker_start(const struct worker_config *config, struct worker **out)
{
    pthread_attr_t attributes;
    enum result rc = worker_new(config, out);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES);
    pthread_attr_setguardsize(&attributes, WORKER_GUARD_BYTES);
    if (rc == OK && pthread_create(&(*out)->thread, &attributes, worker_main, *out) != 0)
        rc = ERR_MEMORY;
    pthread_attr_destroy(&attributes);
    return rc;
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
    mem_free(worker);
}
