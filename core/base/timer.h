/* timer.h: what the engine waits for: retries, windows, rates, `sleep`. A uv_timer_t, but where the loop has `struct timers`:
 * there time stands still, and whoever owns the loop says when it passes (timers_run_next). Deadlines of connections are none of
 * the engine's time; they stay uv_timer_t. The loop's thread. */
#ifndef TIDEWIRE_TIMER_H
#define TIDEWIRE_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct timer {
    uv_timer_t uv;
    void (*run)(void *owner);
    void (*on_closed)(void *owner);
    void *owner;
    /* while time stands still */
    struct timer *next; /* of those that wait, the earliest first */
    uint64_t due_ms;    /* monotonic */
    bool waits;
};

void timer_init(struct timer *timer, uv_loop_t *loop, void (*run)(void *owner), void *owner);
/* In wait_ms milliseconds, once; one that waits already waits anew. */
void timer_start(struct timer *timer, uint64_t wait_ms);
/* In wait_ms at the latest: one that is due sooner stays. */
void timer_start_by(struct timer *timer, uint64_t wait_ms);
void timer_stop(struct timer *timer);
/* on_closed(owner) from the loop: its memory may go then. */
void timer_close(struct timer *timer, void (*on_closed)(void *owner));

/* ---- of a loop whose time stands still ---- */

struct timers {
    struct timer *first; /* borrowed; by due_ms, then in the order of starting */
};

/* Before any timer of this loop is started; with clock_freeze. timers: borrowed, zeroed, for the loop's life. */
void timers_freeze(uv_loop_t *loop, struct timers *timers);
/* Lets time pass to the earliest timer that is due by then (monotonic), and runs it. false: there is none, no time has passed. */
bool timers_run_next(struct timers *timers, uint64_t until_ms);

#endif
