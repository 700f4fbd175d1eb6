/* Timers of a loop whose time stands still, and the clocks with them. The clock of this process is frozen from its first test on.
 */
#include "check.h"

#include <string.h>

#include "base/clock.h"
#include "base/timer.h"

enum { START_MS = 1767268800 };

static uv_loop_t loop;
static struct timers timers;
static struct timer first, second, third;
static char order[16], name_1[] = "1", name_2[] = "2", name_3[] = "3";
static uint64_t seen_ms;

static void note(void *owner)
{
    strncat(order, owner, sizeof(order) - strlen(order) - 1);
    seen_ms = clock_wall_ms();
}

static void note_and_start_again(void *owner)
{
    note(owner);
    if (strlen(order) < 3)
        timer_start(&first, 10);
}

static void begin(void (*run)(void *owner))
{
    order[0] = '\0';
    clock_freeze(START_MS);
    uv_loop_init(&loop);
    timers_freeze(&loop, &timers);
    timer_init(&first, &loop, run, name_1);
    timer_init(&second, &loop, note, name_2);
    timer_init(&third, &loop, note, name_3);
}

static void end(void)
{
    timer_close(&first, note);
    timer_close(&second, note);
    timer_close(&third, note);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK("all are closed, and none waits", timers.first == NULL && uv_loop_close(&loop) == 0);
}

static uint64_t in(uint64_t ms)
{
    return clock_mono_ms() + ms;
}

TEST(timers_run_in_the_order_of_their_time_and_the_clock_is_theirs)
{
    begin(note);
    uint64_t until_ms = in(100);
    timer_start(&first, 100);
    timer_start(&second, 5);
    timer_start(&third, 101);
    CHECK("by itself none runs", uv_run(&loop, UV_RUN_NOWAIT) == 0 && order[0] == '\0');
    CHECK("the second", timers_run_next(&timers, until_ms) && strcmp(order, "2") == 0);
    CHECK_EQ("at its time", seen_ms, START_MS + 5);
    CHECK("the first, at the limit", timers_run_next(&timers, until_ms) && strcmp(order, "21") == 0);
    CHECK_EQ("at its time", seen_ms, START_MS + 100);
    CHECK("one past it waits on", !timers_run_next(&timers, until_ms));
    CHECK_EQ("and no time has passed for it", clock_wall_ms(), START_MS + 100);
    end();
}

TEST(equal_times_run_as_they_were_started_and_one_that_starts_itself_has_its_turn)
{
    begin(note_and_start_again);
    timer_start(&first, 10);
    timer_start(&second, 10);
    for (uint64_t until_ms = in(20); timers_run_next(&timers, until_ms);)
        ;
    CHECK("order", strcmp(order, "121") == 0);
    CHECK_EQ("time", seen_ms, START_MS + 20);
    end();
}

TEST(an_earlier_time_wins_and_what_is_stopped_never_runs)
{
    begin(note);
    timer_start_by(&first, 50);
    timer_start_by(&first, 60);
    timer_start_by(&second, 60);
    timer_start_by(&second, 40);
    timer_start(&third, 1);
    timer_stop(&third);
    timer_stop(&third);
    for (uint64_t until_ms = in(1000); timers_run_next(&timers, until_ms);)
        ;
    CHECK("order", strcmp(order, "21") == 0);
    CHECK_EQ("the sooner of both", seen_ms, START_MS + 50);
    end();
}

TEST(what_work_has_cost_is_measured_while_the_clocks_stand)
{
    clock_freeze(START_MS);
    uint64_t mono_ms = clock_mono_ms(), ns = clock_work_ns();
    while (clock_work_ns() - ns < 2000000)
        ;
    CHECK("time stands", clock_mono_ms() == mono_ms && clock_mono_ns() == mono_ms * 1000000);
    clock_pass(7);
    CHECK("both pass together", clock_mono_ms() == mono_ms + 7 && clock_wall_ms() == START_MS + 7);
}

TEST_MAIN()
