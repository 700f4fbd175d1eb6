/* What is asked of a head beside its route: the sender's address behind proxies, the rate. */
#include "check.h"

#include "ingest/cidr.h"
#include "ingest/forwarded.h"
#include "ingest/gate.h"

static struct cidr range(const char *text)
{
    struct cidr made = { .bits = 0 };
    CHECK(text, cidr_parse(slice_of(text), &made));
    return made;
}

TEST(the_address_before_the_trusted_proxies_counts)
{
    const struct cidr trusted[] = { range("10.0.0.0/8"), range("fd00::/8") };
    static const struct {
        const char *peer, *lists[2], *want;
    } cases[] = {
        { "192.0.2.1", { "198.51.100.7", NULL }, "192.0.2.1" }, /* not one of ours: it says what it likes */
        { "10.0.0.1", { "198.51.100.7", NULL }, "198.51.100.7" },
        { "10.0.0.1", { "203.0.113.9, 198.51.100.7", NULL }, "198.51.100.7" },
        { "10.0.0.1", { "198.51.100.7, 10.1.1.1", NULL }, "198.51.100.7" },
        { "10.0.0.1", { "203.0.113.9,198.51.100.7 ,\t10.1.1.1", NULL }, "198.51.100.7" },
        { "10.0.0.1", { "203.0.113.9", "198.51.100.7" }, "198.51.100.7" }, /* lines are one list */
        { "10.0.0.1", { "198.51.100.7", "10.2.2.2" }, "198.51.100.7" },
        { "10.0.0.1", { "198.51.100.7:4711", NULL }, "198.51.100.7" },
        { "10.0.0.1", { "[2001:db8::1]:4711", NULL }, "2001:db8::1" },
        { "10.0.0.1", { "2001:db8::1", NULL }, "2001:db8::1" },
        { "fd00::1", { "2001:db8::1, fd12::2", NULL }, "2001:db8::1" },
        { "10.0.0.1", { "10.3.3.3, 10.1.1.1", NULL }, "10.3.3.3" }, /* nobody else */
        { "10.0.0.1", { "198.51.100.7, unknown", NULL }, "10.0.0.1" },
        { "10.0.0.1", { "198.51.100.7, unknown, 10.1.1.1", NULL }, "10.1.1.1" },
        { "10.0.0.1", { "198.51.100.7, 10.0.0.0/8", NULL }, "10.0.0.1" },
        { "10.0.0.1", { "", NULL }, "10.0.0.1" },
        { "10.0.0.1", { ",", NULL }, "10.0.0.1" },
        { "10.0.0.1", { "[", NULL }, "10.0.0.1" },
        { "10.0.0.1", { NULL, NULL }, "10.0.0.1" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct request request = { .header_count = 0 };
        for (size_t j = 0; j < 2 && cases[i].lists[j]; j++)
            request.headers[request.header_count++] =
                (struct http_header){ SLICE("X-Forwarded-For"), slice_of(cases[i].lists[j]) };
        struct slice found = forwarded_address(&request, slice_of(cases[i].peer), trusted, COUNT(trusted));
        CHECK_SLICE(cases[i].lists[0] ? cases[i].lists[0] : "none", found, cases[i].want);
    }
}

enum { SECOND_NS = 1000000000, START_NS = 5 };

TEST(a_gate_lets_a_burst_pass_and_then_its_rate)
{
    struct gate gate = { .per_second = 10, .burst = 5 };
    uint64_t now_ns = START_NS;
    for (int i = 0; i < 5; i++)
        CHECK_EQ("of the burst", gate_pass(&gate, now_ns), 0);
    CHECK_EQ("the sixth waits for a tenth of a second", gate_pass(&gate, now_ns), 101);
    CHECK_EQ("and changes nothing", gate_pass(&gate, now_ns), 101);
    now_ns += SECOND_NS / 10;
    CHECK_EQ("then one", gate_pass(&gate, now_ns), 0);
    CHECK("and no other", gate_pass(&gate, now_ns) > 0);
    now_ns += 60ull * SECOND_NS;
    for (int i = 0; i < 5; i++)
        CHECK_EQ("a burst again, and no more after a long rest", gate_pass(&gate, now_ns), 0);
    CHECK("no more", gate_pass(&gate, now_ns) > 0);
}

TEST(a_gate_keeps_its_rate)
{
    struct gate gate = { .per_second = 50, .burst = 50 };
    unsigned passed = 0;
    for (uint64_t ms = 0; ms < 10000; ms++)
        passed += gate_pass(&gate, START_NS + ms * 1000000) == 0;
    CHECK("50 at once and 50 a second", passed >= 548 && passed <= 551);
}

TEST(a_slow_gate_says_how_long)
{
    struct gate gate = { .per_second = 1.0 / 3600, .burst = 1 };
    CHECK_EQ("one", gate_pass(&gate, START_NS), 0);
    uint64_t wait_ms = gate_pass(&gate, START_NS);
    CHECK("an hour", wait_ms > 3599000 && wait_ms <= 3600001);
}

TEST(new_rules_give_no_fresh_burst)
{
    struct gate old_gate = { .per_second = 1, .burst = 2 }, new_gate = { .per_second = 1, .burst = 2 }, other = new_gate;
    struct route old_routes[] = { { .path = SLICE("/a"), .gate = &old_gate } };
    struct route new_routes[] = { { .path = SLICE("/a"), .gate = &new_gate }, { .path = SLICE("/b"), .gate = &other } };
    struct generation before = { .routes = old_routes, .route_count = 1 }, after = { .routes = new_routes, .route_count = 2 };
    for (int i = 0; i < 2; i++)
        CHECK_EQ("of the burst", gate_pass(&old_gate, START_NS), 0);
    gates_carry(&before, &after);
    CHECK("it is used up", gate_pass(&new_gate, START_NS) > 0);
    CHECK_EQ("that of a new route is not", gate_pass(&other, START_NS), 0);
}

TEST_MAIN()
