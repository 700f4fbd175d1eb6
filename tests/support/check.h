/* check.h: the whole unit test harness. A test program defines TESTs and ends in TEST_MAIN(); it prints one TAP line per
 * test ("ok - …", "not ok - …"), which test.sh counts, and exits with 1 when any failed.
 *
 *   TEST(a_wait_never_passes_its_cap) { CHECK_EQ("first", wait_ms(1), 500); }
 *   TEST_MAIN()
 */
#ifndef TIDEWIRE_CHECK_H
#define TIDEWIRE_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef COUNT
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#endif

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

static struct test *check_tests, **check_tests_end = &check_tests;
static int check_failures;

#define TEST(sentence)                                                                                                           \
    static void sentence(void);                                                                                                  \
    __attribute__((constructor)) static void register_##sentence(void)                                                           \
    {                                                                                                                            \
        static struct test test = { #sentence, sentence, NULL };                                                                 \
        *check_tests_end = &test;                                                                                                \
        check_tests_end = &test.next;                                                                                            \
    }                                                                                                                            \
    static void sentence(void)

#define CHECK_FAIL(...) (check_failures++, printf("#   %s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), printf("\n"))

/* what: names the case in a table of cases. */
#define CHECK(what, condition)                                                                                                   \
    do {                                                                                                                         \
        if (!(condition))                                                                                                        \
            CHECK_FAIL("%s: not so: %s", what, #condition);                                                                      \
    } while (0)

#define CHECK_EQ(what, got, want)                                                                                                \
    do {                                                                                                                         \
        long long got_ = (long long)(got), want_ = (long long)(want);                                                            \
        if (got_ != want_)                                                                                                       \
            CHECK_FAIL("%s: %s is %lld, wanted %lld", what, #got, got_, want_);                                                  \
    } while (0)

#define CHECK_BYTES(what, got, got_len, want, want_len)                                                                          \
    do {                                                                                                                         \
        size_t got_len_ = (got_len), want_len_ = (want_len);                                                                     \
        const char *got_ = (const char *)(got), *want_ = (const char *)(want);                                                   \
        if (got_len_ != want_len_ || (want_len_ && memcmp(got_, want_, want_len_) != 0))                                         \
            CHECK_FAIL("%s: %s is '%.*s', wanted '%.*s'", what, #got, (int)got_len_, got_ ? got_ : "", (int)want_len_, want_);   \
    } while (0)

#define CHECK_STR(what, got, want)                                                                                               \
    do {                                                                                                                         \
        const char *str_ = (got);                                                                                                \
        CHECK_BYTES(what, str_, str_ ? strlen(str_) : 0, want, strlen(want));                                                    \
    } while (0)

/* got: a struct slice; want: a C string. */
#define CHECK_SLICE(what, got, want)                                                                                             \
    do {                                                                                                                         \
        struct slice slice_ = (got);                                                                                             \
        CHECK_BYTES(what, slice_.data, slice_.len, want, strlen(want));                                                          \
    } while (0)

/* A first argument runs only the tests whose name contains it. */
#define TEST_MAIN()                                                                                                              \
    int main(int argc, char **argv)                                                                                              \
    {                                                                                                                            \
        int failed = 0;                                                                                                          \
        setvbuf(stdout, NULL, _IOLBF, 0);                                                                                        \
        for (struct test *test = check_tests; test; test = test->next) {                                                         \
            if (argc > 1 && !strstr(test->name, argv[1]))                                                                        \
                continue;                                                                                                        \
            check_failures = 0;                                                                                                  \
            test->run();                                                                                                         \
            printf("%s - %s\n", check_failures ? "not ok" : "ok", test->name);                                                   \
            failed += check_failures != 0;                                                                                       \
        }                                                                                                                        \
        return failed != 0;                                                                                                      \
    }

#endif
