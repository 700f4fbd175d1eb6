/* Counts of routes. */
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

TEST_MAIN()
