/* rerun.c against a store of this file that answers when the test says so: what happens between a look and its answer. */
#include "check.h"

#include "base/clock.h"
#include "loop/handoff.h"
#include "loop/rerun.h"

enum { SOON_MS = 20, LONG_MS = 400 };

static uv_loop_t loop;
static struct handoff handoff;
static struct store_op *due, *whole; /* asked for, and not answered yet */
static int runs;

/* ---- the store ---- */

bool store_take_room(struct store *store, enum store_room room)
{
    return true;
}

void store_give_room(struct store *store, enum store_room room)
{
}

void store_submit(struct store *store, struct store_op *op)
{
}

bool store_submit_read(struct store *store, struct store_op *op)
{
    *(op->kind == STORE_READ_DUE ? &due : &whole) = op;
    return true;
}

void store_read_free(struct store_op *op)
{
}

static void answer(struct store_op **asked)
{
    struct store_op *op = *asked;
    *asked = NULL;
    op->result = OK;
    op->on_done(op);
}

/* ---- the worker ---- */

static const struct route *route_of(void *arg, struct slice path)
{
    static const struct route route;
    return &route;
}

static bool can_run(void *arg)
{
    return true;
}

static uint64_t take_turn(void *arg, const struct route *route, bool *on_probation)
{
    *on_probation = false;
    return 0;
}

static enum result wanted(void *arg, const struct route *route, struct event *event, bool on_probation, bool *holds,
                          struct script_failure *failure)
{
    return OK;
}

static enum run_state run(void *arg, struct run *run)
{
    runs++;
    run->on_done(run, NULL);
    return RUN_ENDED;
}

static void ignore(void *arg)
{
}

static void closed(uv_handle_t *handle)
{
}

static void on_time(uv_timer_t *timer)
{
    uv_stop(&loop);
}

/* The loop turns for so long. */
static void turn_for(uint64_t ms)
{
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_time, ms, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, closed);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static struct rerun *start(void)
{
    struct rerun_config config = { .loop = &loop,
                                   .handoff = &handoff,
                                   .workers = 1,
                                   .route_of = route_of,
                                   .can_run = can_run,
                                   .take_turn = take_turn,
                                   .wanted = wanted,
                                   .run = run };
    due = whole = NULL;
    runs = 0;
    uv_loop_init(&loop);
    CHECK_EQ("handoff", handoff_init(&handoff, &loop), OK);
    struct rerun *rerun = rerun_new(&config);
    rerun_start(rerun);
    CHECK("it looks at once", due);
    return rerun;
}

static void stop(struct rerun *rerun)
{
    rerun_stop(rerun);
    if (due)
        answer(&due);
    turn_for(1);
    CHECK("idle", rerun_is_idle(rerun));
    rerun_free(rerun, ignore);
    handoff_close(&handoff, closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ("closed", uv_loop_close(&loop), 0);
}

TEST(what_falls_due_while_the_store_is_being_read_is_not_forgotten)
{
    struct rerun *rerun = start();
    struct store_read_due *read = (struct store_read_due *)due;
    rerun_note(rerun, clock_wall_ms() + SOON_MS); /* committed after the store was looked at */
    read->count = 0;
    read->next_due_ms = UINT64_MAX;
    answer(&due);
    turn_for(LONG_MS);
    CHECK("it looks again", due);
    stop(rerun);
}

TEST(a_row_that_is_older_than_the_last_try_is_not_run_before_its_time)
{
    for (uint32_t tries = 0; tries < 2; tries++) {
        struct rerun *rerun = start();
        struct store_read_due *read = (struct store_read_due *)due;
        struct due_event row = { .seq = 1, .id = { { 1 } }, .route = SLICE("/a"), .attempt = 0 };
        struct event_parts parts = { .id = row.id, .route = SLICE("/a") };
        read->rows = &row;
        read->count = 1;
        read->next_due_ms = UINT64_MAX;
        answer(&due);
        turn_for(1);
        CHECK("the event is asked for", whole);
        struct store_read_event *read_event = (struct store_read_event *)whole;
        CHECK_EQ("event", event_new(&parts, &read_event->event), OK);
        read_event->event->attempt = tries;
        read_event->state = EVENT_WAITING;
        answer(&whole);
        turn_for(1);
        CHECK_EQ("run", runs, tries == 0);
        stop(rerun);
    }
}

TEST_MAIN()
