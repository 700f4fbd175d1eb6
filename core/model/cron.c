#include "model/cron.h"

#include <stdio.h>
#include <strings.h>

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60, DAYS_AHEAD = 12 * 366, ALL_HOURS = (1 << 24) - 1, NAME_LETTERS = 3 };

/* ---- reading ---- */

struct field {
    const char *what;
    unsigned from, to;
    const char *names; /* of three letters each, from `from` on; NULL: none */
};

static const struct field fields[] = {
    { "minute", 0, 59, NULL },
    { "hour", 0, 23, NULL },
    { "day of the month", 1, 31, NULL },
    { "month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
    { "day of the week", 0, 7, "sunmontuewedthufrisat" },
};

/* Up to any of the bytes in `ends`; rest goes on behind it. */
static struct slice cut(struct slice *rest, char end)
{
    size_t len = 0;
    while (len < rest->len && rest->data[len] != end)
        len++;
    struct slice part = slice_make(rest->data, len);
    size_t behind = len < rest->len ? len + 1 : len;
    *rest = slice_make(rest->data + behind, rest->len - behind);
    return part;
}

static bool number_of(const struct field *field, struct slice text, unsigned *number)
{
    for (unsigned i = 0; field->names && field->names[i * NAME_LETTERS] && text.len == NAME_LETTERS; i++) {
        if (strncasecmp(text.data, field->names + (size_t)i * NAME_LETTERS, NAME_LETTERS) == 0) {
            *number = field->from + i;
            return true;
        }
    }
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || i > 3)
            return false;
        *number = *number * 10 + (unsigned)(text.data[i] - '0');
    }
    return text.len > 0;
}

static bool has(struct slice text, char c)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == c)
            return true;
    return false;
}

/* One item of the list: "*", "5", "1-5", "1-20/3", and a single number with a step goes on to the end. */
static const char *parse_item(const struct field *field, struct slice item, uint64_t *bits)
{
    bool has_step = has(item, '/'), is_range;
    struct slice range = cut(&item, '/');
    unsigned from = field->from, to = field->to, step = 1;
    if (has_step && (!number_of(&(struct field){ 0 }, item, &step) || step == 0))
        return "a step is a number from 1";
    if (!slice_is(range, "*")) {
        is_range = has(range, '-');
        struct slice first = cut(&range, '-');
        if (!number_of(field, first, &from) || (is_range && !number_of(field, range, &to)))
            return field->names ? "wants *, a number, a name of three letters, a range such as 1-5, or a list of these"
                                : "wants *, a number, a range such as 1-5, or a list of these";
        if (!is_range && !has_step)
            to = from;
    }
    if (from < field->from || to > field->to)
        return "is out of range";
    if (from > to)
        return "has a range that ends before it begins";
    for (unsigned n = from; n <= to; n += step)
        *bits |= (uint64_t)1 << n;
    return NULL;
}

static const char *parse_field(const struct field *field, struct slice text, uint64_t *bits)
{
    const char *why = NULL;
    *bits = 0;
    if (text.len && text.data[text.len - 1] == ',')
        return "has a list that ends with a comma";
    while (text.len && !why)
        why = parse_item(field, cut(&text, ','), bits);
    return why;
}

static struct slice next_word(struct slice *rest)
{
    while (rest->len && (*rest->data == ' ' || *rest->data == '\t'))
        *rest = slice_make(rest->data + 1, rest->len - 1);
    size_t len = 0;
    while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\t')
        len++;
    struct slice word = slice_make(rest->data, len);
    *rest = slice_make(rest->data + len, rest->len - len);
    return word;
}

/* In a leap year. */
static bool comes(const struct cron *cron)
{
    static const int lengths[] = { 0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    for (int month = 1; month <= 12; month++)
        if (cron->months >> month & 1 && (!cron->any_weekday || cron->days & ((2u << lengths[month]) - 2)))
            return true;
    return false;
}

enum result cron_parse(struct slice text, struct cron *out, char *why)
{
    uint64_t bits[5];
    struct slice rest = text, words[5];
    if (text.len > CRON_TEXT_MAX) {
        snprintf(why, CRON_WHY_SIZE, "at most %d bytes", CRON_TEXT_MAX);
        return ERR_INVALID;
    }
    for (int i = 0; i < 5; i++) {
        words[i] = next_word(&rest);
        if (words[i].len == 0) {
            snprintf(why, CRON_WHY_SIZE, "five fields are wanted: minute, hour, day of the month, month, day of the week");
            return ERR_INVALID;
        }
        const char *wrong = parse_field(&fields[i], words[i], &bits[i]);
        if (wrong) {
            snprintf(why, CRON_WHY_SIZE, "the %s %s: '%.*s'", fields[i].what, wrong, words[i].len > 40 ? 40 : (int)words[i].len,
                     words[i].data);
            return ERR_INVALID;
        }
    }
    if (next_word(&rest).len) {
        snprintf(why, CRON_WHY_SIZE, "five fields are wanted, and there are more");
        return ERR_INVALID;
    }
    *out = (struct cron){ .minutes = bits[0],
                          .hours = (uint32_t)bits[1],
                          .days = (uint32_t)bits[2],
                          .months = (uint32_t)bits[3],
                          .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7F),
                          .any_day = words[2].data[0] == '*',
                          .any_weekday = words[4].data[0] == '*' };
    if (comes(out))
        return OK;
    snprintf(why, CRON_WHY_SIZE, "such a day never comes");
    return ERR_INVALID;
}

/* ---- the next one ---- */

static int64_t days_of(int64_t seconds)
{
    return (seconds >= 0 ? seconds : seconds - DAY_S + 1) / DAY_S;
}

static bool is_day(const struct cron *cron, int64_t days)
{
    struct date date = date_of_days(days);
    bool day = cron->days >> date.day & 1, weekday = cron->weekdays >> weekday_of_days(days) & 1;
    if (!(cron->months >> date.month & 1))
        return false;
    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* In real time: each minute that there is. */
static int64_t next_of_every_hour(const struct cron *cron, const struct zone *zone, int64_t after_s)
{
    int64_t end_s = after_s + (int64_t)DAYS_AHEAD * DAY_S;
    for (int64_t at = after_s + 1; at < end_s;) {
        int64_t local = at + zone_offset(zone, at), of_hour = ((local % HOUR_S) + HOUR_S) % HOUR_S;
        if (!is_day(cron, days_of(local))) {
            at += HOUR_S - of_hour;
            continue;
        }
        if (of_hour % MINUTE_S == 0 && cron->minutes >> (of_hour / MINUTE_S) & 1)
            return at;
        at += MINUTE_S - of_hour % MINUTE_S;
    }
    return INT64_MAX;
}

/* The first one of a day that comes after after_s; INT64_MAX: none of this day. */
static int64_t next_of_day(const struct cron *cron, const struct zone *zone, int64_t days, int64_t after_s)
{
    for (int minute = 0; minute < DAY_S / MINUTE_S; minute++) {
        if (!(cron->hours >> (minute / 60) & 1) || !(cron->minutes >> (minute % 60) & 1))
            continue;
        int64_t at = zone_utc_of(zone, days * DAY_S + (int64_t)minute * MINUTE_S);
        if (at > after_s)
            return at;
    }
    return INT64_MAX;
}

int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_s)
{
    int64_t today = days_of(after_s + zone_offset(zone, after_s)), at = INT64_MAX;
    if (cron->hours == ALL_HOURS)
        return next_of_every_hour(cron, zone, after_s);
    /* from the day before: a clock that goes back over midnight shows a day twice */
    for (int64_t days = today - 1; days < today + DAYS_AHEAD && at == INT64_MAX; days++)
        if (is_day(cron, days))
            at = next_of_day(cron, zone, days, after_s);
    return at;
}
