#include "ingest/stamp.h"

enum { DIGITS_LEAST = 10, DIGITS_MOST = 13, MILLISECOND_DIGITS = 13, RFC3339_MAX = 64, FIRST_YEAR = 1970 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_unix(struct slice text, uint64_t *time_ms)
{
    uint64_t number = 0;
    if (text.len < DIGITS_LEAST || text.len > DIGITS_MOST || text.data[0] == '0')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.data[i]))
            return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    *time_ms = text.len == MILLISECOND_DIGITS ? number : number * 1000;
    return true;
}

/* Takes `digits` digits and, if there is one, the mark behind them off *text; the number is from `least` to `most`. */
static bool take_number(struct slice *text, size_t digits, char mark, unsigned least, unsigned most, unsigned *number)
{
    *number = 0;
    if (text->len < digits + (mark != '\0'))
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(text->data[i]))
            return false;
        *number = *number * 10 + (unsigned)(text->data[i] - '0');
    }
    if (mark && text->data[digits] != mark)
        return false;
    *text = slice_from(*text, digits + (mark != '\0'));
    return *number >= least && *number <= most;
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01; month and day from 1. */
static uint64_t days_before(unsigned year, unsigned month, unsigned day)
{
    static const unsigned short before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    uint64_t last = year - 1;
    uint64_t leaps = last / 4 - last / 100 + last / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    return (year - FIRST_YEAR) * 365u + leaps + before[month - 1] + (month > 2 && is_leap(year)) + day - 1;
}

static unsigned days_in(unsigned year, unsigned month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* ".5", with any number of digits; the first three count. */
static bool take_fraction(struct slice *text, uint64_t *ms)
{
    uint64_t weight = 100;
    *ms = 0;
    if (text->len == 0 || text->data[0] != '.')
        return true;
    *text = slice_from(*text, 1);
    if (text->len == 0 || !is_digit(text->data[0]))
        return false;
    for (; text->len && is_digit(text->data[0]); weight /= 10, *text = slice_from(*text, 1))
        *ms += weight * (uint64_t)(text->data[0] - '0');
    return true;
}

/* "Z" or "+01:30", to the end: minutes east of Greenwich. */
static bool take_zone(struct slice text, int64_t *minutes)
{
    unsigned hour, minute;
    *minutes = 0;
    if (text.len == 1)
        return (text.data[0] | 0x20) == 'z';
    if (text.len != 6 || (text.data[0] != '+' && text.data[0] != '-'))
        return false;
    char sign = text.data[0];
    text = slice_from(text, 1);
    if (!take_number(&text, 2, ':', 0, 23, &hour) || !take_number(&text, 2, '\0', 0, 59, &minute))
        return false;
    *minutes = (int64_t)(hour * 60 + minute) * (sign == '-' ? -1 : 1);
    return true;
}

static bool read_rfc3339(struct slice text, uint64_t *time_ms)
{
    unsigned year, month, day, hour, minute, second;
    uint64_t fraction_ms;
    int64_t zone;
    if (text.len > RFC3339_MAX || !take_number(&text, 4, '-', FIRST_YEAR, 9999, &year) ||
        !take_number(&text, 2, '-', 1, 12, &month) || !take_number(&text, 2, '\0', 1, days_in(year, month), &day))
        return false;
    if (text.len == 0 || (text.data[0] | 0x20) != 't')
        return false;
    text = slice_from(text, 1);
    if (!take_number(&text, 2, ':', 0, 23, &hour) || !take_number(&text, 2, ':', 0, 59, &minute) ||
        !take_number(&text, 2, '\0', 0, 60, &second) || !take_fraction(&text, &fraction_ms) || !take_zone(text, &zone))
        return false;
    int64_t minutes = (int64_t)(days_before(year, month, day) * 1440 + hour * 60 + minute) - zone;
    if (minutes <= 0)
        return false;
    *time_ms = (uint64_t)minutes * 60000 + second * 1000u + fraction_ms;
    return true;
}

bool stamp_read(enum stamp_format format, struct slice text, uint64_t *time_ms)
{
    if (format == STAMP_UNIX_MS && text.len != MILLISECOND_DIGITS)
        return false;
    return format == STAMP_RFC3339 ? read_rfc3339(text, time_ms) : read_unix(text, time_ms);
}
