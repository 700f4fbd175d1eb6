#include "model/zone.h"

#include <stdio.h>
#include <string.h>

enum {
    FILE_MAX = 256 << 10,
    NAME_MAX_BYTES = 64,
    CHANGES_MAX = 4096,
    HEADER_BYTES = 44,
    DAY_S = 86400,
    HOURS_MAX = 167, /* of a rule's time: RFC 8536, 3.3.1 */
};

const struct zone zone_utc = { .has_rule = true };

/* ---- the calendar ---- */

/* Years begin in March here, so that the leap day is the last of its year. */
int64_t date_to_days(struct date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct date date_of_days(int64_t days)
{
    days += 719468; /* from 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100), month = (5 * of_year + 2) / 153;
    struct date date = { .year = years + era * 400, .day = (int)(of_year - (153 * month + 2) / 5 + 1) };
    date.month = (int)(month < 10 ? month + 3 : month - 9);
    date.year += date.month <= 2;
    return date;
}

int weekday_of_days(int64_t days)
{
    int64_t weekday = (days + 4) % 7;
    return (int)(weekday < 0 ? weekday + 7 : weekday);
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t floor_days(int64_t seconds)
{
    return (seconds >= 0 ? seconds : seconds - DAY_S + 1) / DAY_S;
}

/* ---- the rule at the end of a file: "CET-1CEST,M3.5.0,M10.5.0/3" ---- */

static bool take(struct slice *rest, char c)
{
    if (rest->len == 0 || *rest->data != c)
        return false;
    rest->data++;
    rest->len--;
    return true;
}

static bool take_number(struct slice *rest, int most, int *number)
{
    size_t digits = 0;
    *number = 0;
    while (rest->len && *rest->data >= '0' && *rest->data <= '9' && digits++ < 4) {
        *number = *number * 10 + (*rest->data - '0');
        (void)take(rest, *rest->data);
    }
    return digits > 0 && *number <= most;
}

/* hh[:mm[:ss]], with a sign. */
static bool take_time(struct slice *rest, int32_t *seconds)
{
    int parts[3] = { 0, 0, 0 };
    int sign = take(rest, '-') ? -1 : 1;
    if (sign > 0)
        (void)take(rest, '+');
    for (int i = 0; i < 3 && (i == 0 || take(rest, ':')); i++)
        if (!take_number(rest, i == 0 ? HOURS_MAX : 59, &parts[i]))
            return false;
    *seconds = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
    return true;
}

/* Letters, or anything in "<>". */
static bool take_name(struct slice *rest)
{
    size_t len = 0;
    if (take(rest, '<')) {
        while (rest->len && *rest->data != '>')
            (void)take(rest, *rest->data);
        return take(rest, '>');
    }
    while (rest->len && ((*rest->data | 0x20) >= 'a' && (*rest->data | 0x20) <= 'z')) {
        (void)take(rest, *rest->data);
        len++;
    }
    return len >= 3;
}

static bool take_day(struct slice *rest, struct zone_day *day)
{
    bool good;
    day->at_s = 2 * 3600;
    if (take(rest, 'M')) {
        day->kind = DAY_OF_MONTH_WEEK;
        good = take_number(rest, 12, &day->month) && day->month >= 1 && take(rest, '.') && take_number(rest, 5, &day->week) &&
               day->week >= 1 && take(rest, '.') && take_number(rest, 6, &day->day);
    } else {
        day->kind = take(rest, 'J') ? DAY_JULIAN : DAY_ZERO_BASED;
        good = take_number(rest, 365, &day->day) && (day->kind == DAY_ZERO_BASED || day->day >= 1);
    }
    return good && (!take(rest, '/') || take_time(rest, &day->at_s));
}

/* Offsets stand there as seconds west. */
static bool parse_rule(struct slice rest, struct zone *zone)
{
    int32_t west;
    if (!take_name(&rest) || !take_time(&rest, &west))
        return false;
    zone->standard = zone->summer = -west;
    zone->has_rule = true;
    if (rest.len == 0)
        return true;
    if (!take_name(&rest))
        return false;
    zone->summer = zone->standard + 3600;
    if (rest.len && *rest.data != ',') {
        if (!take_time(&rest, &west))
            return false;
        zone->summer = -west;
    }
    zone->has_summer = true;
    return take(&rest, ',') && take_day(&rest, &zone->begins) && take(&rest, ',') && take_day(&rest, &zone->ends) &&
           rest.len == 0;
}

/* Local midnight and at_s of that day in this year, as seconds of a local clock. */
static int64_t day_in_year(const struct zone_day *day, int64_t year)
{
    int64_t days = date_to_days((struct date){ year, 1, 1 });
    if (day->kind == DAY_ZERO_BASED) {
        days += day->day;
    } else if (day->kind == DAY_JULIAN) {
        days += day->day - 1 + (is_leap(year) && day->day >= 60);
    } else {
        int64_t first = date_to_days((struct date){ year, day->month, 1 });
        int64_t next = day->month == 12 ? date_to_days((struct date){ year + 1, 1, 1 })
                                        : date_to_days((struct date){ year, day->month + 1, 1 });
        days = first + (day->day - weekday_of_days(first) + 7) % 7 + (day->week - 1) * 7;
        while (days >= next) /* week 5: the last one */
            days -= 7;
    }
    return days * DAY_S + day->at_s;
}

static int32_t rule_offset(const struct zone *zone, int64_t utc_s)
{
    if (!zone->has_summer)
        return zone->standard;
    int64_t year = date_of_days(floor_days(utc_s + zone->standard)).year;
    int64_t begins = day_in_year(&zone->begins, year) - zone->standard, ends = day_in_year(&zone->ends, year) - zone->summer;
    bool summer = begins < ends ? utc_s >= begins && utc_s < ends : utc_s >= begins || utc_s < ends;
    return summer ? zone->summer : zone->standard;
}

/* ---- the file ---- */

static uint64_t big_endian(const char *at, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | (unsigned char)at[i];
    return number;
}

/* What a block has, and how long it is behind its header. */
struct counts {
    size_t times, types, bytes;
};

static bool read_header(struct slice file, size_t time_bytes, struct counts *out)
{
    uint64_t counts[6]; /* isut, isstd, leap, time, type, char */
    if (file.len < HEADER_BYTES || memcmp(file.data, "TZif", 4) != 0)
        return false;
    for (int i = 0; i < 6; i++) {
        counts[i] = big_endian(file.data + 20 + 4 * i, 4);
        if (counts[i] > CHANGES_MAX)
            return false;
    }
    out->times = counts[3];
    out->types = counts[4];
    out->bytes = counts[3] * (time_bytes + 1) + counts[4] * 6 + counts[5] + counts[2] * (time_bytes + 4) + counts[1] + counts[0];
    return out->types > 0 && file.len - HEADER_BYTES >= out->bytes;
}

static struct slice behind(struct slice file, size_t bytes)
{
    return slice_make(file.data + bytes, file.len - bytes);
}

static bool read_changes(struct slice block, const struct counts *counts, struct arena *arena, struct zone *zone)
{
    const char *times = block.data, *places = times + counts->times * 8, *types = places + counts->times;
    int64_t *changes = arena_alloc(arena, (counts->times + 1) * sizeof(*changes));
    int32_t *offsets = arena_alloc(arena, (counts->times + 1) * sizeof(*offsets));
    if (!changes || !offsets)
        return false;
    for (size_t i = 0; i < counts->times; i++) {
        unsigned char type = (unsigned char)places[i];
        changes[i] = (int64_t)big_endian(times + 8 * i, 8);
        offsets[i] = type < counts->types ? (int32_t)big_endian(types + 6 * (size_t)type, 4) : 0;
    }
    *zone =
        (struct zone){ .changes = changes, .offsets = offsets, .count = counts->times, .first = (int32_t)big_endian(types, 4) };
    return true;
}

static bool is_plausible(const struct zone *zone)
{
    for (size_t i = 0; i < zone->count; i++)
        if ((i > 0 && zone->changes[i] <= zone->changes[i - 1]) || zone->offsets[i] <= -DAY_S * 2 ||
            zone->offsets[i] >= DAY_S * 2)
            return false;
    return zone->first > -DAY_S * 2 && zone->first < DAY_S * 2;
}

enum result zone_parse(struct slice file, struct arena *arena, struct zone *out)
{
    struct counts old, counts;
    if (!read_header(file, 4, &old) || file.data[4] < '2') /* only the second block has 64 bits */
        return ERR_INVALID;
    file = behind(file, HEADER_BYTES + old.bytes);
    if (!read_header(file, 8, &counts))
        return ERR_INVALID;
    file = behind(file, HEADER_BYTES);
    if (!read_changes(file, &counts, arena, out))
        return ERR_MEMORY;
    file = behind(file, counts.bytes);
    if (!is_plausible(out) || !take(&file, '\n') || file.len == 0 || file.data[file.len - 1] != '\n')
        return ERR_INVALID;
    file.len--;
    return file.len == 0 || parse_rule(file, out) ? OK : ERR_INVALID;
}

/* A name as in "Europe/Berlin", and no way out of the database. */
static bool is_name(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");
    return len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0' && name[0] != '/' && name[len - 1] != '/';
}

enum result zone_load(const char *name, struct arena *arena, struct zone *out)
{
    static const char folder[] = "/usr/share/zoneinfo/";
    char path[sizeof(folder) + NAME_MAX_BYTES], *bytes;
    if (strcmp(name, "UTC") == 0) {
        *out = zone_utc;
        return OK;
    }
    if (!is_name(name))
        return ERR_NOT_FOUND;
    snprintf(path, sizeof(path), "%s%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return ERR_NOT_FOUND;
    bytes = arena_take(arena, FILE_MAX);
    size_t len = bytes ? fread(bytes, 1, FILE_MAX, file) : 0;
    fclose(file);
    if (!bytes)
        return ERR_MEMORY;
    return len == FILE_MAX ? ERR_INVALID : zone_parse(slice_make(bytes, len), arena, out);
}

/* ---- what the clock shows ---- */

int32_t zone_offset(const struct zone *zone, int64_t utc_s)
{
    size_t low = 0, high = zone->count;
    while (low < high) { /* the number of changes up to then */
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->has_rule)
        return rule_offset(zone, utc_s);
    return low == 0 ? zone->first : zone->offsets[low - 1];
}

/* Between two moments with different offsets; the second one has the new one. */
static int64_t change_between(const struct zone *zone, int64_t before, int64_t after)
{
    int32_t old = zone_offset(zone, before);
    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (zone_offset(zone, middle) == old)
            before = middle;
        else
            after = middle;
    }
    return after;
}

int64_t zone_utc_of(const struct zone *zone, int64_t local_s)
{
    int32_t before = zone_offset(zone, local_s - 2 * DAY_S), after = zone_offset(zone, local_s + 2 * DAY_S);
    int64_t first = local_s - before, other = local_s - after;
    if (zone_offset(zone, first) == before)
        return zone_offset(zone, other) == after && other < first ? other : first;
    if (zone_offset(zone, other) == after)
        return other;
    return change_between(zone, local_s - 2 * DAY_S, local_s + 2 * DAY_S);
}
