/* Counts of routes and targets. */
#include "check.h"

#include <stdlib.h>

#include "base/buf.h"
#include "observe/counts.h"

static struct slice name_of(size_t n, char *out, size_t size)
{
    return (struct slice){ out, (size_t)snprintf(out, size, "/api/v1/r%zu", n) };
}

/* What the JSON says was accepted for a route; -1: it does not know it. */
static long accepted(const struct counts *counts, struct slice route)
{
    char wanted[96];
    struct buf json;
    buf_init(&json, 4 << 20);
    counts_write_json(counts, &json);
    buf_add_byte(&json, '\0');
    snprintf(wanted, sizeof(wanted), "{\"route\":\"%.*s\",\"accepted\":", SLICE_ARGS(route));
    const char *found = strstr(json.data, wanted);
    long count = found ? strtol(found + strlen(wanted), NULL, 10) : -1;
    buf_deinit(&json);
    return count;
}

TEST(counts_each_of_many_routes_by_itself)
{
    struct counts *counts = counts_new();
    char name[64];
    for (size_t n = 0; n < COUNTS_ROUTES_MAX; n++)
        for (size_t times = 0; times < 1 + n % 3; times++)
            counts_accepted(counts, name_of(n, name, sizeof(name)));
    struct counts *copy = counts_copy(counts);
    for (size_t n = 0; n < COUNTS_ROUTES_MAX; n += 7) {
        struct slice route = name_of(n, name, sizeof(name));
        CHECK_EQ(name, accepted(counts, route), 1 + n % 3);
        CHECK_EQ("the copy", accepted(copy, route), 1 + n % 3);
    }
    counts_free(copy);
    counts_free(counts);
}

TEST(counts_routes_past_the_bound_under_the_last_one)
{
    struct counts *counts = counts_new();
    char name[64];
    for (size_t n = 0; n < COUNTS_ROUTES_MAX + 3; n++)
        counts_accepted(counts, name_of(n, name, sizeof(name)));
    CHECK_EQ("one that came too late", accepted(counts, name_of(COUNTS_ROUTES_MAX, name, sizeof(name))), -1);
    CHECK_EQ("the last", accepted(counts, name_of(COUNTS_ROUTES_MAX - 1, name, sizeof(name))), 4);
    counts_accepted(counts, SLICE(""));
    CHECK_EQ("the first", accepted(counts, name_of(0, name, sizeof(name))), 1);
    counts_free(counts);
}

/* ---- targets ---- */

static void check_series(const struct counts *counts, const char *const *wanted, size_t count)
{
    struct buf text;
    buf_init(&text, 4 << 20);
    counts_write_metrics(counts, &text);
    buf_add_byte(&text, '\0');
    for (size_t i = 0; i < count; i++)
        CHECK(wanted[i], strstr(text.data, wanted[i]));
    buf_deinit(&text);
}

TEST(adds_up_what_became_of_messages_over_all_workers)
{
    static const char *const wanted[] = {
        "\ntidewire_deliveries_total{target=\"t\",state=\"delivered\"} 2\n",
        "\ntidewire_deliveries_total{target=\"t\",state=\"dead\"} 1\n",
        "\ntidewire_delivery_attempts_total{target=\"t\",code_class=\"2xx\",error_type=\"\"} 2\n",
        "\ntidewire_delivery_attempts_total{target=\"t\",code_class=\"5xx\",error_type=\"\"} 1\n",
        "\ntidewire_delivery_attempts_total{target=\"t\",code_class=\"other\",error_type=\"\"} 1\n",
        "\ntidewire_delivery_attempts_total{target=\"t\",code_class=\"none\",error_type=\"timeout\"} 1\n",
        "\ntidewire_delivery_retries_total{target=\"t\"} 2\n",
        "\ntidewire_delivery_attempt_duration_seconds_bucket{target=\"t\",le=\"60\"} 4\n",
        "\ntidewire_delivery_attempt_duration_seconds_bucket{target=\"t\",le=\"+Inf\"} 5\n",
        "\ntidewire_delivery_delay_seconds_bucket{target=\"t\",le=\"1\"} 1\n",
        "\ntidewire_delivery_delay_seconds_bucket{target=\"t\",le=\"86400\"} 1\n",
        "\ntidewire_delivery_delay_seconds_count{target=\"t\"} 2\n",
        "\ntidewire_deliveries_in_flight{target=\"t\"} 5\n",
        "\ntidewire_breaker_state{target=\"t\",state=\"closed\"} 0\n",
        "\ntidewire_breaker_state{target=\"t\",state=\"open\"} 1\n",
        "\ntidewire_breaker_openings_total{target=\"t\"} 3\n",
        "\ntidewire_breaker_state{target=\"a\\\"b\",state=\"half_open\"} 1\n",
    };
    const struct {
        uint16_t status;
        enum attempt_error error;
        enum delivery_state state;
        uint32_t took_ms;
        uint64_t delay_ms;
    } attempts[] = {
        { 204, ATTEMPT_ANSWERED, DELIVERY_DELIVERED, 10, 1000 },
        { 0, ATTEMPT_TIMEOUT, DELIVERY_WAITING, 60000, 1 },
        { 503, ATTEMPT_ANSWERED, DELIVERY_WAITING, 10, 1 },
        { 999, ATTEMPT_ANSWERED, DELIVERY_DEAD, 10, 1 },
        { 200, ATTEMPT_ANSWERED, DELIVERY_DELIVERED, 60001, 86400001 },
    };
    const struct target_now now[] = { { SLICE("t"), 2, BREAKER_OPEN, 2 }, { SLICE("t"), 3, BREAKER_CLOSED, 1 } };
    struct counts *sum = counts_new();
    for (int worker = 0; worker < 2; worker++) {
        struct counts *counts = counts_new();
        for (size_t i = (size_t)worker; i < COUNT(attempts); i += 2) {
            struct attempt attempt = { .status = attempts[i].status, .error = attempts[i].error, .took_ms = attempts[i].took_ms };
            counts_attempt(counts, SLICE("t"), &attempt, attempts[i].state, attempts[i].delay_ms);
        }
        struct counts *copy = counts_copy(counts);
        counts_target_now(copy, &now[worker]);
        counts_target_now(copy, &(struct target_now){ .name = SLICE("a\"b"), .breaker = (enum breaker_state)worker });
        counts_add(sum, copy);
        counts_free(copy);
        counts_free(counts);
    }
    check_series(sum, wanted, COUNT(wanted));
    counts_free(sum);
}

TEST_MAIN()
