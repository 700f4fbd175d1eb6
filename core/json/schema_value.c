/* schema_value.c: keywords that look at a value by itself: type, required, sizes, pattern, bounds, multipleOf. */
#include <math.h>
#include <stdio.h>

#include "json/schema_judge.h"

/* ---- type ---- */

static unsigned type_bits(struct json_value value)
{
    switch (json_type(value)) {
    case JSON_NULL:
        return TYPE_NULL;
    case JSON_FALSE:
    case JSON_TRUE:
        return TYPE_BOOLEAN;
    case JSON_NUMBER: {
        double number = json_number(value);
        return number == floor(number) ? TYPE_NUMBER | TYPE_INTEGER : TYPE_NUMBER;
    }
    case JSON_STRING:
        return TYPE_STRING;
    case JSON_ARRAY:
        return TYPE_ARRAY;
    case JSON_OBJECT:
        return TYPE_OBJECT;
    }
    return 0;
}

static void name_types(unsigned bits, char *out, size_t size)
{
    static const char *const names[] = { "null", "a boolean", "a number", "an integer", "a string", "an array", "an object" };
    size_t len = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (bits & 1u << i && len < size)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? " or " : "", names[i]);
}

bool holds_type(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    char wanted[128], is[64];
    unsigned bits = type_bits(place->value);
    if (bits & keyword->types)
        return true;
    name_types(keyword->types, wanted, sizeof(wanted));
    name_types(bits & TYPE_INTEGER ? TYPE_INTEGER : bits, is, sizeof(is));
    return judge_fault(judge, place, "has to be %s, and is %s", wanted, is);
}

/* ---- members that must be there, sizes ---- */

bool holds_required(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    if (json_type(place->value) != JSON_OBJECT)
        return true;
    for (size_t i = 0; i < keyword->required.count; i++) {
        struct slice name = keyword->required.names[i];
        judge->steps += json_count(place->value) / 8;
        if (!judge_step(judge))
            return false;
        if (!json_member(place->value, name).doc)
            return judge_fault(judge, place, "lacks '%.*s'", name.len > SHOWN_MAX ? SHOWN_MAX : (int)name.len, name.data);
    }
    return true;
}

/* RFC 3629: bytes that begin a character. */
static size_t characters(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return count;
}

bool holds_count(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    const char *what = keyword->count.of == JSON_OBJECT ? "members" : keyword->count.of == JSON_ARRAY ? "items" : "characters";
    if (json_type(place->value) != keyword->count.of)
        return true;
    bool is_text = keyword->count.of == JSON_STRING;
    double count = is_text ? (double)characters(judge_string(judge, place->value)) : (double)json_count(place->value);
    if (count < keyword->count.least)
        return judge_fault(judge, place, "has %.0f %s, and at least %.0f are wanted", count, what, keyword->count.least);
    if (count > keyword->count.most)
        return judge_fault(judge, place, "has %.0f %s, and at most %.0f are wanted", count, what, keyword->count.most);
    return true;
}

/* ---- strings, numbers ---- */

bool holds_pattern(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    const struct slice text = keyword->pattern->text;
    if (json_type(place->value) != JSON_STRING || judge_matches(judge, keyword->pattern, judge_string(judge, place->value)))
        return true;
    return judge_fault(judge, place, "has to match the pattern %.*s%s", text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len,
                       text.data, text.len > SHOWN_MAX ? "…" : "");
}

bool holds_range(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    double bound = keyword->range.bound;
    if (json_type(place->value) != JSON_NUMBER)
        return true;
    double number = json_number(place->value);
    bool inside = keyword->range.is_least ? number > bound : number < bound;
    if (inside || (!keyword->range.exclusive && number == bound))
        return true;
    return judge_fault(judge, place, "has to be %s than %.15g%s", keyword->range.is_least ? "more" : "less", bound,
                       keyword->range.exclusive ? "" : ", or that");
}

bool holds_multiple(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    if (json_type(place->value) != JSON_NUMBER)
        return true;
    double times = json_number(place->value) / keyword->multiple;
    /* 0.0075 is 75 times 0.0001, which neither is as a double */
    if (isfinite(times) && fabs(times - nearbyint(times)) <= 1e-9 * fmax(1, fabs(times) * 1e-6))
        return true;
    return judge_fault(judge, place, "has to be a multiple of %.15g", keyword->multiple);
}
