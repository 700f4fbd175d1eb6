/* cron.h: when a task with `cron = "0 9 * * 1-5"` runs. Pure; any thread.
 *
 * Five fields: minute, hour, day of the month, month, day of the week (0 and 7: Sunday). Each is a list by commas of `*`, n, a-b,
 * each with /step; months and days of the week also by their English names of three letters. If both day fields are restricted,
 * either will do. Source: POSIX.1-2017, "crontab"; steps and names as everywhere.
 *
 * A task whose hour is named runs once on such a day, whatever the clock does: one that is skipped when clocks go forward
 * comes at that moment, one in an hour that comes twice comes the first time. A task of every hour runs in each hour there is. */
#ifndef TIDEWIRE_CRON_H
#define TIDEWIRE_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"
#include "base/slice.h"
#include "model/zone.h"

struct cron {
    uint64_t minutes; /* bit n: n is one */
    uint32_t hours, days, months, weekdays;
    bool any_day, any_weekday; /* the field begins with '*' */
};

enum { CRON_TEXT_MAX = 256, CRON_WHY_SIZE = 160 };

/* ERR_INVALID: why says which field, and what is wrong there; also for a day that never comes (30 February). */
enum result cron_parse(struct slice text, struct cron *out, char *why) MUST_CHECK;
/* The first moment after after_s, a whole minute of UTC seconds but for places whose clocks differ by odd seconds. INT64_MAX:
 * none within the 12 years that lie between two leap days at most. */
int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_s);

#endif
