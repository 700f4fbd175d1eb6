/* Who comes on probation, for how long, and at what pace. */
#include "../../support/check.h"
#include "loop/probation.h"

static struct rule_file files[] = {
    { SLICE("rules/a.lua"), SLICE(""), SLICE("one") },
    { SLICE("rules/b.lua"), SLICE(""), SLICE("two") },
    { SLICE("rules/lib/c.lua"), SLICE("lib.c"), SLICE("three") },
    { SLICE("tidewire.lua"), SLICE(""), SLICE("four") },
};
static const struct route routes[] = { { .path = SLICE("/a"), .file = SLICE("rules/a.lua") },
                                       { .path = SLICE("/b"), .file = SLICE("rules/b.lua") } };
static const struct target targets[] = { { .name = SLICE("/a"), .file = SLICE("rules/b.lua") } };
static struct generation rules = {
    .files = files, .file_count = COUNT(files), .routes = routes, .route_count = 2, .targets = targets, .target_count = 1
};

static struct uuid id_of(uint8_t n)
{
    return (struct uuid){ { n } };
}

static bool fail(struct probation *probation, const char *route, uint8_t event, uint64_t now_ms)
{
    return probation_failed(probation, WARD_ROUTE, slice_of(route), &rules, id_of(event), RUN_CPU, now_ms);
}

static enum standing standing(struct probation *probation, const char *route)
{
    return probation_of(probation, WARD_ROUTE, slice_of(route));
}

static struct probation *with_route_on(void)
{
    struct probation *probation = probation_new();
    for (uint8_t event = 1; event <= 3; event++)
        (void)fail(probation, "/a", event, 1000);
    CHECK_EQ("on probation", standing(probation, "/a"), STANDING_PROBATION);
    return probation;
}

TEST(three_different_events_within_a_minute_and_not_two_nor_one_thrice)
{
    struct probation *probation = probation_new();
    for (int n = 0; n < 10; n++)
        CHECK("one event is one", !fail(probation, "/a", 1, 1000));
    CHECK("two are two", !fail(probation, "/a", 2, 2000));
    CHECK_EQ("good", standing(probation, "/a"), STANDING_GOOD);
    CHECK("another route", !fail(probation, "/b", 3, 2000));
    CHECK("at the edge", fail(probation, "/a", 3, 60999));
    CHECK_EQ("on", standing(probation, "/a"), STANDING_PROBATION);
    CHECK_EQ("the other is not", standing(probation, "/b"), STANDING_GOOD);
    CHECK("once", !fail(probation, "/a", 4, 61000));
    probation_free(probation);

    probation = probation_new();
    (void)fail(probation, "/a", 1, 1000);
    (void)fail(probation, "/a", 2, 1001);
    CHECK("one past the edge", !fail(probation, "/a", 3, 61000));
    CHECK("and the next", fail(probation, "/a", 4, 61000));
    probation_free(probation);
}

TEST(one_turn_at_a_time_and_at_most_one_a_second)
{
    struct probation *probation = with_route_on();
    CHECK_EQ("a route that stands well has none", probation_take_turn(probation, SLICE("/b"), 2000), 0);
    CHECK_EQ("the first at once", probation_take_turn(probation, SLICE("/a"), 2000), 0);
    CHECK("not two at a time", probation_take_turn(probation, SLICE("/a"), 90000) > 0);
    probation_give_turn(probation, SLICE("/a"));
    CHECK_EQ("not yet", probation_take_turn(probation, SLICE("/a"), 2400), 600);
    CHECK_EQ("a second later", probation_take_turn(probation, SLICE("/a"), 3000), 0);
    probation_give_turn(probation, SLICE("/a"));
    CHECK_EQ("a clock set back by an hour makes nobody wait for an hour", probation_take_turn(probation, SLICE("/a"), 3600000),
             0);
    probation_give_turn(probation, SLICE("/a"));
    CHECK_EQ("set back", probation_take_turn(probation, SLICE("/a"), 1000), 0);
    probation_free(probation);
}

TEST(failures_slow_the_pace_and_a_good_run_brings_it_back)
{
    struct probation *probation = with_route_on();
    static const uint64_t paces_ms[] = { 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
    uint64_t now_ms = 10000;
    for (size_t i = 0; i < COUNT(paces_ms); i++) {
        CHECK_EQ("its turn", probation_take_turn(probation, SLICE("/a"), now_ms), 0);
        (void)fail(probation, "/a", (uint8_t)(10 + i), now_ms);
        probation_give_turn(probation, SLICE("/a"));
        CHECK_EQ("the pace", probation_take_turn(probation, SLICE("/a"), now_ms), paces_ms[i]);
        now_ms += paces_ms[i];
    }
    CHECK_EQ("its turn", probation_take_turn(probation, SLICE("/a"), now_ms), 0);
    (void)probation_went_well(probation, SLICE("/a"));
    probation_give_turn(probation, SLICE("/a"));
    CHECK("never longer than was said", probation_take_turn(probation, SLICE("/a"), now_ms) <= 60000);
    CHECK_EQ("then by the second", probation_take_turn(probation, SLICE("/a"), now_ms + 60000), 0);
    probation_give_turn(probation, SLICE("/a"));
    CHECK_EQ("again", probation_take_turn(probation, SLICE("/a"), now_ms + 60000), 1000);
    probation_free(probation);
}

TEST(ten_good_runs_in_a_row_end_it)
{
    struct probation *probation = with_route_on();
    for (int n = 0; n < 9; n++)
        CHECK("not yet", !probation_went_well(probation, SLICE("/a")));
    (void)fail(probation, "/a", 9, 5000);
    for (int n = 0; n < 9; n++)
        CHECK("from the start", !probation_went_well(probation, SLICE("/a")));
    CHECK("over", probation_went_well(probation, SLICE("/a")));
    CHECK_EQ("good", standing(probation, "/a"), STANDING_GOOD);
    CHECK("and counted anew", !fail(probation, "/a", 1, 6000) && !fail(probation, "/a", 2, 6000));
    probation_free(probation);
}

TEST(a_changed_file_ends_it_its_own_or_a_shared_one_or_the_settings)
{
    for (size_t changed = 0; changed < COUNT(files); changed++) {
        struct probation *probation = with_route_on();
        struct rule_file others[COUNT(files)];
        struct generation next = rules;
        memcpy(others, files, sizeof(files));
        next.files = others;
        probation_rules_changed(probation, &next);
        CHECK_EQ("the same files", standing(probation, "/a"), STANDING_PROBATION);
        others[changed].text = SLICE("other");
        probation_rules_changed(probation, &next);
        CHECK_EQ("a changed file", standing(probation, "/a"), changed == 1 ? STANDING_PROBATION : STANDING_GOOD);
        probation_free(probation);
    }
    struct probation *probation = with_route_on();
    struct generation gone = rules;
    gone.routes = &routes[1];
    gone.route_count = 1;
    probation_rules_changed(probation, &gone);
    probation_rules_changed(probation, &rules);
    CHECK_EQ("a route that was gone", standing(probation, "/a"), STANDING_GOOD);
    probation_free(probation);
}

TEST(routes_and_targets_of_one_name_are_two)
{
    struct probation *probation = with_route_on();
    CHECK_EQ("the target", probation_of(probation, WARD_TARGET, SLICE("/a")), STANDING_GOOD);
    probation_store_first(probation, WARD_TARGET, SLICE("/a"), &rules, 1);
    CHECK_EQ("the target", probation_of(probation, WARD_TARGET, SLICE("/a")), STANDING_STORE_FIRST);
    CHECK_EQ("the route", standing(probation, "/a"), STANDING_PROBATION);
    probation_free(probation);
}

TEST(store_first_is_no_probation_and_may_become_one)
{
    struct probation *probation = probation_new();
    probation_store_first(probation, WARD_ROUTE, SLICE("/a"), &rules, 1);
    CHECK_EQ("store first", standing(probation, "/a"), STANDING_STORE_FIRST);
    CHECK_EQ("it has no turns", probation_take_turn(probation, SLICE("/a"), 1), 0);
    for (uint8_t event = 1; event <= 3; event++)
        (void)fail(probation, "/a", event, 1000);
    CHECK_EQ("on probation", standing(probation, "/a"), STANDING_PROBATION);
    probation_store_first(probation, WARD_ROUTE, SLICE("/a"), &rules, 1);
    CHECK_EQ("the harder one stays", standing(probation, "/a"), STANDING_PROBATION);
    probation_free(probation);
}

TEST(of_too_many_the_one_in_good_standing_that_failed_longest_ago_is_forgotten)
{
    struct probation *probation = with_route_on();
    char name[16];
    for (int n = 1; n < PROBATION_WARDS_MAX; n++) {
        uint64_t now_ms = n == 500 ? 2000 : 3000;
        snprintf(name, sizeof(name), "/%d", n);
        (void)fail(probation, name, 1, now_ms);
        (void)fail(probation, name, 2, now_ms);
    }
    for (uint8_t event = 1; event <= 3; event++)
        (void)fail(probation, "/new", event, 4000);
    CHECK_EQ("a new one finds room", standing(probation, "/new"), STANDING_PROBATION);
    CHECK_EQ("not in the place of one on probation", standing(probation, "/a"), STANDING_PROBATION);
    CHECK("those that failed later are remembered", fail(probation, "/1", 3, 5000) && fail(probation, "/999", 3, 5000));
    CHECK("the oldest is not", !fail(probation, "/500", 3, 5000));
    probation_free(probation);

    probation = probation_new();
    for (int n = 0; n < PROBATION_WARDS_MAX; n++) {
        snprintf(name, sizeof(name), "/%d", n);
        probation_store_first(probation, WARD_ROUTE, slice_of(name), &rules, 1);
    }
    for (uint8_t event = 1; event <= 3; event++)
        CHECK("none stands well: there is no room", !fail(probation, "/new", event, 1000));
    CHECK_EQ("all are as they were", standing(probation, "/0"), STANDING_STORE_FIRST);
    probation_free(probation);
}

TEST(it_is_written_and_read_back_and_damage_is_noticed)
{
    struct probation *probation = with_route_on(), *back = probation_new();
    struct buf blob;
    (void)fail(probation, "/b", 7, 900);
    buf_init(&blob, 1 << 20);
    probation_write(probation, &blob);
    CHECK("read", probation_read(back, buf_slice(&blob)));
    CHECK_EQ("on", standing(back, "/a"), STANDING_PROBATION);
    (void)fail(back, "/b", 8, 1000);
    CHECK("failures are kept too", fail(back, "/b", 9, 1000));
    probation_rules_changed(back, &rules);
    CHECK_EQ("and what it was made of", standing(back, "/a"), STANDING_PROBATION);
    probation_free(back);
    for (size_t len = 0; len < blob.len; len++) {
        back = probation_new();
        CHECK("cut short", !probation_read(back, slice_make(blob.data, len)));
        probation_free(back);
    }
    buf_deinit(&blob);
    probation_free(probation);
}
TEST_MAIN()
