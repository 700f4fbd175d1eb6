/* Clocks of places against the C library's, and times of cron against a walk over every minute. */
#include "check.h"

#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/rng.h"
#include "model/cron.h"

enum { DAY_S = 86400, MOMENTS = 20000, EXPRESSIONS = 40, WALKED_DAYS = 30 };

static const char *const places[] = { "UTC",
                                      "Europe/Berlin",
                                      "America/New_York",
                                      "America/Sao_Paulo",
                                      "Asia/Kolkata",
                                      "Asia/Kathmandu",
                                      "Australia/Lord_Howe",
                                      "Pacific/Apia",
                                      "Africa/Casablanca",
                                      "Europe/Dublin" };

static struct arena arena;

static struct zone load(const char *name)
{
    struct zone zone;
    CHECK_EQ(name, zone_load(name, &arena, &zone), OK);
    setenv("TZ", name, 1);
    tzset();
    return zone;
}

static int32_t system_offset(int64_t utc_s)
{
    time_t at = (time_t)utc_s;
    struct tm tm;
    localtime_r(&at, &tm);
    return (int32_t)tm.tm_gmtoff;
}

TEST(the_calendar_is_that_of_the_system)
{
    struct rng rng;
    rng_seed(&rng, 7);
    for (int i = 0; i < MOMENTS; i++) {
        int64_t days = (int64_t)rng_below(&rng, 400000) - 200000;
        time_t at = (time_t)(days * DAY_S);
        struct tm tm;
        struct date date = date_of_days(days);
        gmtime_r(&at, &tm);
        bool same = date.year == tm.tm_year + 1900 && date.month == tm.tm_mon + 1 && date.day == tm.tm_mday &&
                    weekday_of_days(days) == tm.tm_wday && date_to_days(date) == days;
        if (!same)
            CHECK_FAIL("day %lld", (long long)days);
    }
}

TEST(a_zone_shows_what_the_system_shows)
{
    struct rng rng;
    rng_seed(&rng, 7);
    for (size_t p = 0; p < COUNT(places); p++) {
        struct zone zone = load(places[p]);
        for (int i = 0; i < MOMENTS; i++) {
            int64_t at = (int64_t)rng_below(&rng, 4000000000u) + (i % 2 ? 0 : 2000000000); /* to 2160: beyond the tables */
            if (zone_offset(&zone, at) != system_offset(at))
                CHECK_FAIL("%s at %lld: %d, not %d", places[p], (long long)at, zone_offset(&zone, at), system_offset(at));
        }
    }
    arena_deinit(&arena);
}

TEST(a_local_time_is_its_first_moment_and_a_skipped_one_the_moment_of_the_change)
{
    static const struct {
        const char *what, *zone;
        struct date date;
        int minutes;
        int64_t want; /* UTC */
    } cases[] = {
        { "an ordinary time", "Europe/Berlin", { 2026, 7, 1 }, 9 * 60, 1782889200 },
        { "skipped", "Europe/Berlin", { 2026, 3, 29 }, 2 * 60 + 30, 1774746000 },
        { "the end of what is skipped", "Europe/Berlin", { 2026, 3, 29 }, 3 * 60, 1774746000 },
        { "twice", "Europe/Berlin", { 2026, 10, 25 }, 2 * 60 + 30, 1792888200 },
        { "half an hour twice", "Australia/Lord_Howe", { 2026, 4, 5 }, 1 * 60 + 45, 1775313900 },
        { "a day that never was", "Pacific/Apia", { 2011, 12, 30 }, 12 * 60, 1325239200 },
        { "by the rule after the tables", "America/New_York", { 2060, 7, 4 }, 12 * 60, 2856182400 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct zone zone = load(cases[i].zone);
        CHECK_EQ(cases[i].what, zone_utc_of(&zone, date_to_days(cases[i].date) * DAY_S + cases[i].minutes * 60), cases[i].want);
    }
    arena_deinit(&arena);
}

TEST(only_names_of_the_database_are_zones)
{
    static const char *const names[] = { "",
                                         "Berlin",
                                         "/etc/passwd",
                                         "../../../etc/passwd",
                                         "Europe/",
                                         "Europe/Berlin\n",
                                         "Europe",
                                         "tzdata.zi",
                                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    struct zone zone;
    for (size_t i = 0; i < COUNT(names); i++)
        CHECK(names[i], zone_load(names[i], &arena, &zone) != OK);
    arena_deinit(&arena);
}

/* ---- cron ---- */

static struct cron cron_of(const char *text)
{
    struct cron cron = { 0 };
    char why[CRON_WHY_SIZE] = "";
    if (cron_parse(slice_of(text), &cron, why) != OK)
        CHECK_FAIL("%s: %s", text, why);
    return cron;
}

TEST(what_is_no_time_says_which_field_and_why)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "five fields are wanted: minute, hour, day of the month, month, day of the week" },
        { "* * * *", "five fields are wanted: minute, hour, day of the month, month, day of the week" },
        { "* * * * * *", "five fields are wanted, and there are more" },
        { "60 * * * *", "the minute is out of range: '60'" },
        { "* 24 * * *", "the hour is out of range: '24'" },
        { "* * 0 * *", "the day of the month is out of range: '0'" },
        { "* * 32 * *", "the day of the month is out of range: '32'" },
        { "* * * 13 *", "the month is out of range: '13'" },
        { "* * * * 8", "the day of the week is out of range: '8'" },
        { "5-1 * * * *", "the minute has a range that ends before it begins: '5-1'" },
        { "*/0 * * * *", "the minute a step is a number from 1: '*/0'" },
        { "1,,2 * * * *", "the minute wants *, a number, a range such as 1-5, or a list of these: '1,,2'" },
        { "1, * * * *", "the minute has a list that ends with a comma: '1,'" },
        { "99999999999 * * * *", "the minute wants *, a number, a range such as 1-5, or a list of these: '99999999999'" },
        { "-1 * * * *", "the minute wants *, a number, a range such as 1-5, or a list of these: '-1'" },
        { "x * * * *", "the minute wants *, a number, a range such as 1-5, or a list of these: 'x'" },
        { "* * * foo *", "the month wants *, a number, a name of three letters, a range such as 1-5, or a list of these: 'foo'" },
        { "0 0 30 2 *", "such a day never comes" },
        { "0 0 31 4,jun,9,nov *", "such a day never comes" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cron cron;
        char why[CRON_WHY_SIZE] = "";
        CHECK_EQ(cases[i].text, cron_parse(slice_of(cases[i].text), &cron, why), ERR_INVALID);
        CHECK_STR(cases[i].text, why, cases[i].why);
    }
}

TEST(fields_are_lists_of_numbers_names_ranges_and_steps)
{
    static const struct {
        const char *text, *same;
    } cases[] = { { "*/15 * * * *", "0,15,30,45 * * * *" }, { "10-20/5 * * * *", "10,15,20 * * * *" },
                  { "50/5 * * * *", "50,55 * * * *" },      { "0 9-17 * * Mon-fri", "0 9,10,11,12,13,14,15,16,17 * * 1-5" },
                  { "0\t0  1 jan,DEC * ", "0 0 1 1,12 *" }, { "0 0 * * 7", "0 0 * * sun" },
                  { "0 0 * * 5-7", "0 0 * * 0,5,6" } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cron one = cron_of(cases[i].text), other = cron_of(cases[i].same);
        CHECK(cases[i].text, one.minutes == other.minutes && one.hours == other.hours && one.days == other.days &&
                                 one.months == other.months && one.weekdays == other.weekdays);
    }
}

TEST(the_next_time_is_the_one_that_people_expect)
{
    static const struct {
        const char *what, *text, *zone;
        int64_t after, want;
    } cases[] = {
        { "a weekday at nine", "0 9 * * 1-5", "Europe/Berlin", 1795248000 /* Sat 2026-11-21 */, 1795420800 },
        { "not the same moment again", "0 9 * * 1-5", "Europe/Berlin", 1795420800, 1795507200 },
        { "day of the month or of the week", "0 0 13 * 5", "UTC", 1795219200 /* Sat 2026-11-21 */, 1795737600 },
        { "only in leap years", "0 0 29 2 *", "UTC", 1795219200, 1835395200 },
        { "over a century without leap day", "0 0 29 2 *", "UTC", 3981312000 /* 2096-02-29 */ + DAY_S, 4233686400 },
        { "skipped: when the clock went forward", "30 2 * * *", "Europe/Berlin", 1774700000, 1774746000 },
        { "and the next day as usual", "30 2 * * *", "Europe/Berlin", 1774746000, 1774830600 },
        { "twice: the first time", "30 2 * * *", "Europe/Berlin", 1792880000, 1792888200 },
        { "and not the second", "30 2 * * *", "Europe/Berlin", 1792888200, 1792978200 },
        { "asked in between", "30 2 * * *", "Europe/Berlin", 1792890000, 1792978200 },
        { "every hour there is: again", "30 * * * *", "Europe/Berlin", 1792888200, 1792891800 },
        { "and none that is not", "30 * * * *", "Europe/Berlin", 1774744200, 1774747800 },
        { "every minute", "* * * * *", "UTC", 119, 120 },
        { "before 1970", "0 0 1 1 *", "UTC", -1, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct zone zone = load(cases[i].zone);
        struct cron cron = cron_of(cases[i].text);
        CHECK_EQ(cases[i].what, cron_next(&cron, &zone, cases[i].after), cases[i].want);
    }
    arena_deinit(&arena);
}

/* ---- the same for expressions made up, by a walk over all minutes of some weeks ---- */

static bool is_wanted_day(const struct cron *cron, const struct tm *tm)
{
    bool day = cron->days >> tm->tm_mday & 1, weekday = cron->weekdays >> tm->tm_wday & 1;
    bool either = cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
    return either && cron->months >> (tm->tm_mon + 1) & 1;
}

/* Every real minute whose local time is wanted, but local times that were there before; with the minutes between the last one and
 * this where the clock went forward. */
static bool is_wanted(const struct cron *cron, int64_t at)
{
    time_t now = (time_t)at, before = (time_t)(at - 60);
    struct tm tm, last;
    bool every_hour = cron->hours == (1 << 24) - 1;
    localtime_r(&now, &tm);
    localtime_r(&before, &last);
    int64_t local = at + tm.tm_gmtoff, from = every_hour ? local : at - 60 + last.tm_gmtoff + 60;
    for (int hours = 1; !every_hour && hours <= 3; hours++) /* did the clock show this before? */
        if (at - hours * 3600 + system_offset(at - hours * 3600) >= local ||
            at - hours * 1800 + system_offset(at - hours * 1800) >= local)
            return false;
    for (int64_t shown = from < local ? from : local; shown <= local; shown += 60) {
        time_t as_utc = (time_t)shown;
        gmtime_r(&as_utc, &tm);
        if (is_wanted_day(cron, &tm) && cron->hours >> tm.tm_hour & 1 && cron->minutes >> tm.tm_min & 1)
            return true;
    }
    return false;
}

static void random_field(struct rng *rng, struct buf *out, unsigned from, unsigned to)
{
    unsigned a = from + (unsigned)rng_below(rng, to - from + 1), b = a + (unsigned)rng_below(rng, to - a + 1);
    switch (rng_below(rng, 5)) {
    case 0:
        buf_addf(out, "%u ", a);
        break;
    case 1:
        buf_addf(out, "%u-%u ", a, b);
        break;
    case 2:
        buf_addf(out, "%u-%u/%u,%u ", a, b, 1 + (unsigned)rng_below(rng, 9), from);
        break;
    default:
        buf_add_text(out, "* ");
    }
}

static void walk(struct rng *rng, const struct zone *zone, const char *place, int64_t from)
{
    char text[128];
    struct buf buf;
    buf_init(&buf, sizeof(text));
    random_field(rng, &buf, 0, 59);
    random_field(rng, &buf, 0, 23);
    random_field(rng, &buf, 1, 28);
    buf_add_text(&buf, "* ");
    random_field(rng, &buf, 0, 7);
    buf_add_byte(&buf, '\0');
    snprintf(text, sizeof(text), "%s", buf.data);
    buf_deinit(&buf);
    struct cron cron = cron_of(text);
    int64_t next = cron_next(&cron, zone, from - 60), end = from + WALKED_DAYS * DAY_S;
    for (int64_t at = from; at < end; at += 60) {
        if (is_wanted(&cron, at) != (next == at)) {
            CHECK_FAIL("%s in %s at %lld: next is %lld", text, place, (long long)at, (long long)next);
            return;
        }
        if (next == at)
            next = cron_next(&cron, zone, at);
    }
}

TEST(no_time_is_left_out_and_none_comes_twice)
{
    struct rng rng;
    rng_seed(&rng, 7);
    for (int i = 0; i < EXPRESSIONS; i++) {
        const char *place = places[(size_t)i % COUNT(places)];
        struct zone zone = load(place);
        /* spring and autumn of 2026, both of them with a change in most places */
        walk(&rng, &zone, place, (i / 2 % 2 ? 1773014400 : 1791244800) / 86400 * 86400);
    }
    arena_deinit(&arena);
}

TEST_MAIN()
