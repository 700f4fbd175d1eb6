/* zone.h: what a clock on the wall of some place shows. From the system's database (TZif, RFC 8536), read once: neither TZ nor
 * localtime, which are the process's. Immutable once read; any thread. */
#ifndef TIDEWIRE_ZONE_H
#define TIDEWIRE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "base/slice.h"

/* A day of the year on which the offset changes, as in the TZ variable (POSIX, "Other Environment Variables"). */
struct zone_day {
    enum { DAY_OF_MONTH_WEEK, DAY_JULIAN, DAY_ZERO_BASED } kind; /* Mm.w.d; Jn, without leap days; n, with them */
    int month, week, day;                                        /* of the last two only day */
    int32_t at_s;                                                /* after local midnight; may be negative */
};

struct zone {
    const int64_t *changes; /* UTC, ascending: from each on the offset beside it holds */
    const int32_t *offsets; /* seconds east of UTC */
    size_t count;
    int32_t first;            /* before all of them */
    bool has_rule;            /* after the last one */
    int32_t standard, summer; /* of the rule */
    bool has_summer;
    struct zone_day begins, ends; /* of the summer */
};

/* UTC. */
extern const struct zone zone_utc;

/* What is read lies in the arena. ERR_NOT_FOUND: the system does not know this name; ERR_INVALID: its file is damaged;
 * ERR_MEMORY. Reads a file. */
enum result zone_load(const char *name, struct arena *arena, struct zone *out) MUST_CHECK;
/* The same of a file's bytes. */
enum result zone_parse(struct slice file, struct arena *arena, struct zone *out) MUST_CHECK;

/* Seconds east of UTC at that moment. */
int32_t zone_offset(const struct zone *zone, int64_t utc_s);
/* The first moment at which the clock there shows this; where it never does, since it was put forward over it: the moment at
 * which it was. local_s: seconds from 1970 as if that clock were one of UTC. */
int64_t zone_utc_of(const struct zone *zone, int64_t local_s);

/* ---- the calendar (Gregorian, of all times) ---- */

struct date {
    int64_t year;
    int month, day; /* from 1 */
};
int64_t date_to_days(struct date date); /* from 1970-01-01 */
struct date date_of_days(int64_t days);
int weekday_of_days(int64_t days); /* 0: Sunday */

#endif
