#include "base/timer.h"

#include "base/clock.h"

/* NULL: time passes by itself. */
static struct timers *frozen(const struct timer *timer)
{
    return timer->uv.loop->data;
}

static void on_uv(uv_timer_t *uv)
{
    struct timer *timer = uv->data;
    timer->run(timer->owner);
}

void timer_init(struct timer *timer, uv_loop_t *loop, void (*run)(void *owner), void *owner)
{
    *timer = (struct timer){ .run = run, .owner = owner };
    uv_timer_init(loop, &timer->uv);
    timer->uv.data = timer;
}

static void take_out(struct timers *timers, struct timer *timer)
{
    struct timer **place = &timers->first;
    while (*place != timer)
        place = &(*place)->next;
    *place = timer->next;
    timer->waits = false;
}

static void put_in(struct timers *timers, struct timer *timer, uint64_t wait_ms)
{
    struct timer **place = &timers->first;
    timer->due_ms = clock_mono_ms() + wait_ms;
    while (*place && (*place)->due_ms <= timer->due_ms)
        place = &(*place)->next;
    timer->next = *place;
    *place = timer;
    timer->waits = true;
}

void timer_start(struct timer *timer, uint64_t wait_ms)
{
    struct timers *timers = frozen(timer);
    if (!timers) {
        uv_timer_start(&timer->uv, on_uv, wait_ms, 0);
        return;
    }
    timer_stop(timer);
    put_in(timers, timer, wait_ms);
}

static bool is_due_by(const struct timer *timer, uint64_t wait_ms)
{
    if (frozen(timer))
        return timer->waits && timer->due_ms <= clock_mono_ms() + wait_ms;
    return uv_is_active((const uv_handle_t *)&timer->uv) && uv_timer_get_due_in(&timer->uv) <= wait_ms;
}

void timer_start_by(struct timer *timer, uint64_t wait_ms)
{
    if (!is_due_by(timer, wait_ms))
        timer_start(timer, wait_ms);
}

void timer_stop(struct timer *timer)
{
    if (!frozen(timer))
        uv_timer_stop(&timer->uv);
    else if (timer->waits)
        take_out(frozen(timer), timer);
}

static void on_uv_closed(uv_handle_t *handle)
{
    struct timer *timer = handle->data;
    timer->on_closed(timer->owner);
}

void timer_close(struct timer *timer, void (*on_closed)(void *owner))
{
    timer_stop(timer);
    timer->on_closed = on_closed;
    uv_close((uv_handle_t *)&timer->uv, on_uv_closed);
}

void timers_freeze(uv_loop_t *loop, struct timers *timers)
{
    loop->data = timers;
}

bool timers_run_next(struct timers *timers, uint64_t until_ms)
{
    struct timer *timer = timers->first;
    uint64_t now_ms = clock_mono_ms();
    if (!timer || timer->due_ms > until_ms)
        return false;
    if (timer->due_ms > now_ms)
        clock_pass(timer->due_ms - now_ms);
    take_out(timers, timer);
    timer->run(timer->owner);
    return true;
}
