/* verdict.c: whom a fall is blamed on, with a store of this file that knows no event. */
#include "check.h"

#include <signal.h>
#include <unistd.h>

#include "loop/verdict.h"

enum { WORKERS = 3 };

static const struct route routes[] = { { .path = SLICE("/a"), .file = SLICE("rules/a.lua") },
                                       { .path = SLICE("/b"), .file = SLICE("rules/b.lua") } };
static const struct target targets[] = { { .name = SLICE("t"), .file = SLICE("rules/b.lua") } };
static const struct generation rules = { .routes = routes, .route_count = 2, .targets = targets, .target_count = 1 };

/* ---- the store ---- */

enum result store_read_now(struct store *store, struct store_op *op)
{
    return ERR_NOT_FOUND;
}

enum result store_write_now(struct store *store, struct store_op *op)
{
    CHECK_FAIL("nothing of an event that is nowhere is written");
    return ERR_STORE;
}

/* ---- the last server ---- */

static struct recorder *make_recorder(void)
{
    struct recorder *recorder;
    int fd;
    CHECK_EQ("made", recorder_make(WORKERS, &recorder, &fd), OK);
    close(fd); /* the mapping stays */
    return recorder;
}

static void was_in_lua(struct recorder *recorder, uint32_t worker, enum flight_task task, const char *name, int fault)
{
    struct flight *flight = &recorder_slot(recorder, worker)->flight;
    flight_begin(flight, task, (struct uuid){ { 1 } }, slice_of(name), 1);
    atomic_store(&flight->fault, fault);
}

static struct probation *draw(struct recorder *recorder)
{
    struct probation *probation = probation_new();
    verdict_draw(recorder, WORKERS, NULL, probation, &rules);
    return probation;
}

/* ---- */

TEST(guilty_is_who_failed_in_lua_and_nobody_beside_it)
{
    struct recorder *recorder = make_recorder();
    was_in_lua(recorder, 0, FLIGHT_HANDLER, "/a", SIGSEGV);
    was_in_lua(recorder, 1, FLIGHT_HANDLER, "/b", 0);
    was_in_lua(recorder, 2, FLIGHT_SUCCESS, "t", SIGBUS);
    struct probation *probation = draw(recorder);
    CHECK_EQ("it failed", probation_of(probation, WARD_ROUTE, SLICE("/a")), STANDING_STORE_FIRST);
    CHECK_EQ("it ran beside it", probation_of(probation, WARD_ROUTE, SLICE("/b")), STANDING_GOOD);
    CHECK_EQ("a judge failed, too", probation_of(probation, WARD_TARGET, SLICE("t")), STANDING_STORE_FIRST);
    probation_free(probation);
}

TEST(a_verdict_that_was_not_kept_is_drawn_again_and_one_that_was_is_not)
{
    struct recorder *recorder = make_recorder();
    was_in_lua(recorder, 0, FLIGHT_HANDLER, "/a", SIGSEGV);
    probation_free(draw(recorder)); /* the server was killed before the store knew */
    struct probation *probation = draw(recorder);
    CHECK_EQ("drawn again", probation_of(probation, WARD_ROUTE, SLICE("/a")), STANDING_STORE_FIRST);
    probation_free(probation);
    recorder_forget(recorder);
    probation = draw(recorder);
    CHECK_EQ("once", probation_of(probation, WARD_ROUTE, SLICE("/a")), STANDING_GOOD);
    probation_free(probation);
}
TEST_MAIN()
