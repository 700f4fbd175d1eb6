/* The parts of delivery that decide: waits, rates, addresses, ends, signatures. The engine itself is tested by flow tests with
 * real targets. */
#include "check.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "deliver/address.h"
#include "deliver/backoff.h"
#include "deliver/breaker.h"
#include "deliver/due_heap.h"
#include "deliver/limiter.h"
#include "deliver/redirect_url.h"
#include "deliver/sender.h"
#include "deliver/settle.h"

#define SECOND 1000ull
#define HOUR   (3600 * SECOND)

static const struct retry_policy usual = { .first_ms = 5 * SECOND, .factor = 3, .max_ms = 6 * HOUR, .within_ms = 72 * HOUR };

/* ---- waits ---- */

TEST(a_wait_lies_between_half_and_whole_of_its_step)
{
    const uint64_t steps_s[] = { 5, 15, 45, 135, 405, 1215, 3645, 10935, 21600, 21600 };
    struct rng rng;
    rng_seed(&rng, 7);
    for (uint32_t n = 0; n < COUNT(steps_s); n++) {
        uint64_t least = UINT64_MAX, most = 0;
        for (int i = 0; i < 2000; i++) {
            uint64_t wait = backoff_wait_ms(&usual, n + 1, &rng);
            least = wait < least ? wait : least;
            most = wait > most ? wait : most;
        }
        CHECK("at least half", least >= steps_s[n] * 500 && least < steps_s[n] * 550);
        CHECK("at most whole", most <= steps_s[n] * 1000 && most > steps_s[n] * 950);
    }
    CHECK("never beyond the cap", backoff_wait_ms(&usual, 4000000000u, &rng) <= 6 * HOUR);
}

TEST(retry_after_is_seconds_or_a_date)
{
    const uint64_t now_ms = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
    CHECK_EQ("seconds", backoff_retry_after_ms(SLICE("120"), now_ms), 120000);
    CHECK_EQ("a date", backoff_retry_after_ms(SLICE("Sun, 06 Nov 1994 08:50:37 GMT"), now_ms), 60000);
    CHECK_EQ("the past", backoff_retry_after_ms(SLICE("Sun, 06 Nov 1994 08:48:37 GMT"), now_ms), 0);
    const char *const junk[] = { "", "-5", "soon", "1.5", "12x", "99999999999999999999999" };
    for (size_t i = 0; i < COUNT(junk); i++)
        CHECK(junk[i], backoff_retry_after_ms(slice_of(junk[i]), now_ms) == 0 || i == COUNT(junk) - 1);
}

TEST(only_some_statuses_are_tried_again)
{
    const uint16_t again[] = { 408, 425, 429, 500, 502, 503, 504, 599 }, final[] = { 200, 301, 400, 401, 404, 409, 410, 422 };
    for (size_t i = 0; i < COUNT(again); i++)
        CHECK_EQ("again", backoff_status_is_retried(&usual, again[i]), true);
    for (size_t i = 0; i < COUNT(final); i++)
        CHECK_EQ("final", backoff_status_is_retried(&usual, final[i]), false);
    const uint16_t own[] = { 404 };
    struct retry_policy policy = { .on = own, .on_count = 1 };
    CHECK("its own list", backoff_status_is_retried(&policy, 404) && !backoff_status_is_retried(&policy, 503));
}

/* ---- what waits ---- */

TEST(the_earliest_comes_first)
{
    struct due_heap heap = { 0 };
    struct rng rng;
    uint64_t due_ms[1000], before = 0;
    rng_seed(&rng, 11);
    CHECK("nothing waits", due_heap_take(&heap) == NULL && due_heap_next_ms(&heap) == UINT64_MAX);
    for (size_t i = 0; i < COUNT(due_ms); i++) {
        due_ms[i] = rng_below(&rng, 500);
        due_heap_add(&heap, due_ms[i], &due_ms[i]);
    }
    for (size_t i = 0; i < COUNT(due_ms); i++) {
        uint64_t next_ms = due_heap_next_ms(&heap), *item = due_heap_take(&heap);
        CHECK("in order, each as it was", item && *item == next_ms && next_ms >= before);
        before = next_ms;
    }
    CHECK_EQ("all are out", heap.count, 0);
    due_heap_deinit(&heap);
}

/* ---- rates ---- */

TEST(a_bucket_gives_its_burst_and_then_its_rate)
{
    struct limiter limiter = { 0 };
    limiter_set(&limiter, 10, 5, 1000);
    for (int i = 0; i < 5; i++)
        CHECK_EQ("burst", limiter_take(&limiter, 1000), 0);
    uint64_t wait = limiter_take(&limiter, 1000);
    CHECK("then a tenth of a second", wait >= 99 && wait <= 101);
    CHECK_EQ("then one", limiter_take(&limiter, 1000 + wait), 0);
    CHECK("and no more", limiter_take(&limiter, 1000 + wait) > 0);
    limiter_set(&limiter, 10, 5, 1000 + wait);
    CHECK("a reload gives no fresh burst", limiter_take(&limiter, 1000 + wait) > 0);
    limiter_set(&limiter, 0, 1, 2000);
    CHECK_EQ("no limit", limiter_take(&limiter, 2000), 0);
    struct limiter slow = { 0 };
    limiter_set(&slow, 1, 1, 1000);
    CHECK_EQ("one a second: the first at once", limiter_take(&slow, 1000), 0);
    CHECK_EQ("the next a second later", limiter_take(&slow, 1000), 1000);
    CHECK_EQ("a millisecond before that", limiter_take(&slow, 1999), 1);
    CHECK_EQ("then", limiter_take(&slow, 2000), 0);
}

/* ---- addresses ---- */

static bool is_private(const char *text)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return address_is_private((struct sockaddr *)&in);
    CHECK_EQ(text, inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return address_is_private((struct sockaddr *)&in6);
}

TEST(private_addresses_are_known_in_every_spelling)
{
    const char *const inside[] = { "127.0.0.1",
                                   "127.255.255.254",
                                   "10.0.0.1",
                                   "172.16.0.1",
                                   "172.31.255.255",
                                   "192.168.1.1",
                                   "169.254.169.254",
                                   "100.64.0.1",
                                   "0.0.0.0",
                                   "0.1.2.3",
                                   "224.0.0.1",
                                   "240.0.0.1",
                                   "255.255.255.255",
                                   "198.18.0.1",
                                   "192.0.0.1",
                                   "::",
                                   "::1",
                                   "fe80::1",
                                   "fc00::1",
                                   "fdff::1",
                                   "ff02::1",
                                   "::ffff:127.0.0.1",
                                   "::ffff:10.1.2.3",
                                   "64:ff9b::a00:1",
                                   "2002:a00:1::" };
    const char *const outside[] = { "8.8.8.8",     "172.15.255.255", "172.32.0.1",     "192.167.1.1",     "100.63.0.1",
                                    "100.128.0.1", "2606:4700::1",   "::ffff:8.8.8.8", "64:ff9b::808:808" };
    for (size_t i = 0; i < COUNT(inside); i++)
        CHECK(inside[i], is_private(inside[i]));
    for (size_t i = 0; i < COUNT(outside); i++)
        CHECK(outside[i], !is_private(outside[i]));
    struct sockaddr_un other = { .sun_family = AF_UNIX };
    CHECK("another family", address_is_private((struct sockaddr *)&other));
}

/* ---- ends ---- */

static struct settlement settle(const struct target *target, const struct answer *answer, uint32_t n, uint64_t age_ms)
{
    struct settlement out;
    struct rng rng;
    rng_seed(&rng, 3);
    struct settling settling = { .target = target,
                                 .answer = answer,
                                 .n = n,
                                 .since_ms = 1000000,
                                 .now_ms = 1000000 + age_ms,
                                 .judgement = answer->status && settle_status_is_success(target, answer->status)
                                                  ? JUDGED_SUCCESS
                                                  : JUDGED_FAILURE };
    settle_attempt(&settling, &rng, &out);
    return out;
}

TEST(an_attempt_ends_delivered_waiting_or_dead)
{
    struct target target = { .name = SLICE("t"), .retry = usual, .success = { { 200, 299 } }, .success_count = 1 };
    struct answer ok = { .status = 204, .detail = "" }, gone = { .status = 410, .detail = "" },
                  busy = { .status = 503, .detail = "" }, moved = { .status = 302, .detail = "redirected: 302 to b.example.com" };
    CHECK_EQ("delivered", settle(&target, &ok, 1, 0).state, DELIVERY_DELIVERED);
    struct settlement dead = settle(&target, &gone, 1, 0);
    CHECK("410 is final", dead.state == DELIVERY_DEAD && strcmp(dead.reason, "answered 410") == 0);
    dead = settle(&target, &moved, 1, 0);
    CHECK("a redirect says where it led", strcmp(dead.reason, "answered 302, redirected: 302 to b.example.com") == 0);
    struct settlement waits = settle(&target, &busy, 1, 0);
    CHECK("503 waits", waits.state == DELIVERY_WAITING && waits.due_ms >= 1000000 + 2500 && waits.due_ms <= 1000000 + 5000);
    dead = settle(&target, &busy, 30, 72 * HOUR);
    CHECK("until within is over", dead.state == DELIVERY_DEAD && strstr(dead.reason, "answered 503"));
    target.retry.attempts = 3;
    CHECK_EQ("two of three", settle(&target, &busy, 2, 0).state, DELIVERY_WAITING);
    CHECK_EQ("three of three", settle(&target, &busy, 3, 0).state, DELIVERY_DEAD);
    target.retry_off = true;
    CHECK_EQ("one try", settle(&target, &busy, 1, 0).state, DELIVERY_DEAD);
}

/* ---- redirects ---- */

TEST(redirects_lead_by_http_or_https_only)
{
    static const struct {
        const char *what, *from, *location, *to; /* to NULL: nowhere */
        bool stays;
    } cases[] = {
        { "a path", "https://a.example.com/x/y?q", "/z", "https://a.example.com/z", true },
        { "a relative one", "https://a.example.com/x/y?q", "../z?p#f", "https://a.example.com/z?p", true },
        { "the same host", "https://a.example.com/", "https://A.example.com:443/z", "https://A.example.com:443/z", true },
        { "another host", "https://a.example.com/", "https://b.example.com/", "https://b.example.com/", false },
        { "another host without a scheme", "https://a.example.com/", "//b.example.com/", "https://b.example.com/", false },
        { "another port", "https://a.example.com/", "https://a.example.com:444/", "https://a.example.com:444/", false },
        { "to encryption", "http://a.example.com/", "https://a.example.com/", "https://a.example.com/", false },
        { "from encryption", "https://a.example.com/", "http://a.example.com/", NULL, false },
        { "a file", "http://a.example.com/", "file:///etc/passwd", NULL, false },
        { "gopher", "http://a.example.com/", "gopher://a.example.com/", NULL, false },
        { "dict", "http://a.example.com/", "dict://a.example.com/", NULL, false },
        { "a name and password", "http://a.example.com/", "http://u:p@a.example.com/", NULL, false },
        { "no host", "http://a.example.com/", "http:///", NULL, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *why = NULL;
        char *text = NULL;
        CURLU *from = curl_url();
        CHECK_EQ(cases[i].what, curl_url_set(from, CURLUPART_URL, cases[i].from, 0), CURLUE_OK);
        CURLU *to = redirect_resolve(from, cases[i].location, &why);
        CHECK(cases[i].what, (to != NULL) == (cases[i].to != NULL) && (why == NULL) == (to != NULL));
        if (to) {
            CHECK_EQ(cases[i].what, curl_url_get(to, CURLUPART_URL, &text, 0), CURLUE_OK);
            CHECK(text, strcmp(text, cases[i].to) == 0);
            CHECK_EQ(cases[i].what, redirect_stays(from, to), cases[i].stays);
        }
        curl_free(text);
        curl_url_cleanup(to);
        curl_url_cleanup(from);
    }
}

/* ---- a target that fails and fails ---- */

enum { OPEN_AFTER = 3, PROBE_EVERY = 30 * 1000 };

static bool fails(struct breaker *breaker, bool probe, uint64_t now_ms)
{
    return breaker_end(breaker, probe, false, OPEN_AFTER, PROBE_EVERY, now_ms);
}

TEST(a_breaker_opens_after_failures_in_a_row)
{
    struct breaker breaker = { 0 };
    for (int n = 1; n < OPEN_AFTER; n++) {
        CHECK_EQ("an attempt may start", breaker_wait(&breaker, 0), 0);
        CHECK("it is no probe", !breaker_start(&breaker));
        CHECK("not yet", !fails(&breaker, false, 0));
    }
    CHECK("a success in between", !breaker_end(&breaker, false, true, OPEN_AFTER, PROBE_EVERY, 0));
    for (int n = 1; n < OPEN_AFTER; n++)
        CHECK("counts anew", !fails(&breaker, false, 0));
    CHECK("the third in a row opens it", fails(&breaker, false, 1000));
    CHECK_EQ("it rests", breaker_wait(&breaker, 1000), PROBE_EVERY);
    struct breaker mended = breaker;
    breaker_probe_now(&mended);
    CHECK_EQ("unless something has changed", breaker_wait(&mended, 1000), 0);
    CHECK("then a probe is next", breaker_start(&mended));
    CHECK_EQ("until then", breaker_wait(&breaker, 1000 + PROBE_EVERY - 1), 1);
    CHECK("what was under way puts nothing off", !fails(&breaker, false, 2000));
    CHECK_EQ("then one may start", breaker_wait(&breaker, 1000 + PROBE_EVERY), 0);
}

TEST(one_probe_decides)
{
    struct breaker breaker = { 0 };
    for (int n = 0; n < OPEN_AFTER; n++)
        (void)fails(&breaker, false, 0);
    CHECK("the probe", breaker_start(&breaker));
    CHECK_EQ("a second one waits for the first", breaker_wait(&breaker, PROBE_EVERY), UINT64_MAX);
    CHECK("an older one fails meanwhile", !fails(&breaker, false, 5));
    CHECK_EQ("the probe is under way all the same", breaker_wait(&breaker, PROBE_EVERY), UINT64_MAX);
    CHECK("it failed: open as before", !fails(&breaker, true, PROBE_EVERY));
    CHECK_EQ("and rests again", breaker_wait(&breaker, PROBE_EVERY), PROBE_EVERY);
    (void)breaker_start(&breaker);
    breaker_forget(&breaker);
    CHECK_EQ("one that was never sent is no probe", breaker_wait(&breaker, 2 * PROBE_EVERY), 0);
    (void)breaker_start(&breaker);
    CHECK_STR("half open", breaker_state_name(breaker_state(&breaker)), "half_open");
    CHECK("it succeeded: closed", breaker_end(&breaker, true, true, OPEN_AFTER, PROBE_EVERY, 2 * PROBE_EVERY));
    CHECK_EQ("all may start", breaker_wait(&breaker, 2 * PROBE_EVERY), 0);
}

TEST(without_a_breaker_nothing_rests)
{
    struct breaker breaker = { 0 };
    for (int n = 0; n < 1000; n++)
        CHECK("never", !breaker_end(&breaker, false, false, 0, PROBE_EVERY, 0));
    CHECK_EQ("starts", breaker_wait(&breaker, 0), 0);
}

TEST_MAIN()
