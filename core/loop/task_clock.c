#include "loop/task_clock.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"

enum {
    META_MAX = 128,
    AGAIN_MS = 1000, /* what the store could not take */
    LOOK_MS = 60000, /* at the clock on the wall, which may have been set */
};
#define KEEP_MS (30 * 86400000ull) /* as of routes that say nothing */

/* One task on the clock. */
struct hand {
    struct hand *next;
    struct task_clock *clock;
    struct generation *rules; /* counted */
    const struct task *task;  /* of these */
    bool asked;               /* the store has said when its last time was */
    uint64_t due_ms;          /* wall clock: its next time, or when to try the store again */
    bool in_store, gone;
    struct run_note run;
    char meta[META_MAX];
    struct store_tick tick;
    struct handed handed;
};

struct task_clock {
    struct task_clock_config config;
    struct hand *hands; /* owned; those that are gone and in the store too */
    struct timer timer;
    bool stopped;
};

static void look(struct task_clock *clock);

/* ---- when ---- */

static uint64_t due_after(const struct task *task, uint64_t last_ms)
{
    if (task->every_ms)
        return (last_ms / task->every_ms + 1) * task->every_ms;
    int64_t next_s = cron_next(&task->cron, &task->zone, (int64_t)(last_ms / 1000));
    return next_s == INT64_MAX ? UINT64_MAX : (uint64_t)next_s * 1000;
}

static void on_timer(void *clock)
{
    look(clock);
}

static void set_timer(struct task_clock *clock, uint64_t now_ms)
{
    uint64_t due_ms = UINT64_MAX;
    for (const struct hand *hand = clock->hands; hand; hand = hand->next)
        if (!hand->in_store && hand->due_ms < due_ms)
            due_ms = hand->due_ms;
    if (due_ms == UINT64_MAX || clock->stopped)
        return;
    uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    uv_update_time(clock->config.loop);
    timer_start(&clock->timer, wait_ms < LOOK_MS ? wait_ms : LOOK_MS);
}

/* ---- the store ---- */

static void forget(struct hand *hand)
{
    struct hand **place = &hand->clock->hands;
    while (*place != hand)
        place = &(*place)->next;
    *place = hand->next;
    generation_unref(hand->rules);
    mem_free(hand);
}

static void on_back(struct handed *handed)
{
    struct hand *hand = (struct hand *)((char *)handed - offsetof(struct hand, handed));
    struct task_clock *clock = hand->clock;
    uint64_t now_ms = clock_wall_ms();
    struct uuid id = hand->run.id;
    bool good = hand->tick.op.result == OK;
    hand->in_store = false;
    hand->asked = hand->asked || good;
    if (good && hand->tick.started)
        worker_look(clock->config.workers[event_worker(id, clock->config.worker_count)], now_ms);
    if (hand->gone) {
        forget(hand);
        return;
    }
    hand->due_ms = good ? due_after(hand->task, hand->tick.last_ms) : now_ms + AGAIN_MS;
    set_timer(clock, now_ms);
}

/* Writer thread. */
static void on_written(struct store_op *op)
{
    struct hand *hand = op->owner;
    hand->handed.run = on_back;
    if (handoff_send(hand->clock->config.handoff, &hand->handed) != OK)
        return; /* main has ended, and with it the process */
}

static void make_run(struct hand *hand, uint64_t now_ms)
{
    const struct event event = { .verified = SLICE("clock"), .time_ms = now_ms, .kind = BODY_EMPTY };
    struct buf meta;
    buf_init(&meta, sizeof(hand->meta));
    event_meta_write(&event, &meta);
    memcpy(hand->meta, meta.data, meta.len);
    hand->run = (struct run_note){ .kind = RUN_START,
                                   .route = hand->task->route.path,
                                   .id = uuid_v7(hand->clock->config.ids, now_ms),
                                   .made_ms = now_ms,
                                   .due_ms = now_ms,
                                   .keep_until_ms = now_ms + KEEP_MS,
                                   .meta = slice_make(hand->meta, meta.len) };
    buf_deinit(&meta);
}

/* What its last time was or, when its next has come, that this is it. */
static void submit(struct hand *hand, uint64_t now_ms)
{
    struct store *store = hand->clock->config.store;
    if (!store_take_room(store, ROOM_EVENT)) {
        hand->due_ms = now_ms + AGAIN_MS;
        return;
    }
    make_run(hand, now_ms);
    hand->tick = (struct store_tick){ .op = { .kind = STORE_TICK, .on_done = on_written, .owner = hand },
                                      .schedule = hand->task->schedule,
                                      .now_ms = now_ms,
                                      .tick_ms = hand->asked ? now_ms : 0,
                                      .run = &hand->run };
    hand->in_store = true;
    store_submit(store, &hand->tick.op);
}

static void look(struct task_clock *clock)
{
    uint64_t now_ms = clock_wall_ms();
    for (struct hand *hand = clock->hands; hand && !clock->stopped; hand = hand->next)
        if (!hand->in_store && hand->due_ms <= now_ms)
            submit(hand, now_ms);
    set_timer(clock, now_ms);
}

/* ---- rules ---- */

static void drop_hands(struct task_clock *clock)
{
    for (struct hand *hand = clock->hands, *next; hand; hand = next) {
        next = hand->next;
        hand->gone = true;
        if (!hand->in_store)
            forget(hand);
    }
}

void task_clock_rules(struct task_clock *clock, struct generation *generation)
{
    drop_hands(clock);
    for (size_t i = 0; i < generation->task_count; i++) {
        const struct task *task = &generation->tasks[i];
        if (task->schedule.len == 0)
            continue;
        struct hand *hand = MEM_NEW(struct hand);
        hand->clock = clock;
        hand->rules = generation_ref(generation);
        hand->task = task;
        hand->next = clock->hands;
        clock->hands = hand;
    }
    look(clock);
}

/* ---- life ---- */

struct task_clock *task_clock_new(const struct task_clock_config *config)
{
    struct task_clock *clock = MEM_NEW(struct task_clock);
    clock->config = *config;
    timer_init(&clock->timer, config->loop, on_timer, clock);
    return clock;
}

void task_clock_stop(struct task_clock *clock)
{
    if (!clock)
        return;
    clock->stopped = true;
    timer_stop(&clock->timer);
}

static void on_timer_closed(void *clock)
{
    (void)clock; /* task_clock_free follows when the loop has ended */
}

void task_clock_close(struct task_clock *clock)
{
    if (clock)
        timer_close(&clock->timer, on_timer_closed);
}

void task_clock_free(struct task_clock *clock)
{
    if (!clock)
        return;
    for (struct hand *hand = clock->hands, *next; hand; hand = next) {
        next = hand->next;
        generation_unref(hand->rules);
        mem_free(hand);
    }
    mem_free(clock);
}
