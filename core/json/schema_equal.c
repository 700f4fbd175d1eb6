/* schema_equal.c: which values are equal, and the keywords that ask it: enum, const, uniqueItems. */
#include <stdlib.h>

#include "base/fnv.h"
#include "base/mem.h"
#include "json/schema_judge.h"

static bool equal(struct judge *judge, struct json_value a, struct json_value b);

static bool equal_numbers(struct json_value a, struct json_value b)
{
    unsigned digits;
    if (json_is_integer(a, &digits) && json_is_integer(b, &digits) && slice_eq(json_text(a), json_text(b)))
        return true;
    if (json_is_integer(a, &digits) && json_is_integer(b, &digits) && digits > 15)
        return false; /* as doubles they may look the same */
    return json_number(a) == json_number(b);
}

static bool equal_arrays(struct judge *judge, struct json_value a, struct json_value b)
{
    struct json_value left = json_first(a), right = json_first(b);
    if (json_count(a) != json_count(b))
        return false;
    while (left.doc && right.doc && equal(judge, left, right)) {
        left = json_next(left);
        right = json_next(right);
    }
    return !left.doc;
}

static bool equal_objects(struct judge *judge, struct json_value a, struct json_value b)
{
    if (json_count(a) != json_count(b))
        return false;
    for (struct json_value member = json_first(a); member.doc; member = json_next(member)) {
        bool escaped;
        struct slice raw = json_key(member, &escaped);
        judge->steps += json_count(b) / 8; /* names are compared one by one */
        struct json_value other = json_member(b, judge_decoded(judge, raw, escaped));
        if (!other.doc || !equal(judge, member, other))
            return false;
    }
    return true;
}

/* As values: 1.0 is 1, the order of members does not count. */
static bool equal(struct judge *judge, struct json_value a, struct json_value b)
{
    bool escaped;
    if (!judge_step(judge) || json_type(a) != json_type(b))
        return false;
    switch (json_type(a)) {
    case JSON_NUMBER:
        return equal_numbers(a, b);
    case JSON_STRING: {
        struct slice left = json_string(a, &escaped);
        return json_string_is(left, escaped, judge_string(judge, b));
    }
    case JSON_ARRAY:
        return equal_arrays(judge, a, b);
    case JSON_OBJECT:
        return equal_objects(judge, a, b);
    default:
        return true;
    }
}

/* ---- enum, const ---- */

bool holds_enum(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    struct json_value list = keyword->values.list;
    for (struct json_value one = keyword->values.one ? list : json_first(list); one.doc; one = json_next(one)) {
        if (equal(judge, place->value, one))
            return true;
        if (keyword->values.one)
            break;
    }
    struct slice text = json_text(list);
    return judge_fault(judge, place, "has to be %s%.*s%s", keyword->values.one ? "" : "one of ",
                       text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len, text.data, text.len > SHOWN_MAX ? "…" : "");
}

/* ---- uniqueItems ---- */

/* The same for equal values. */
static uint64_t hash_of(struct judge *judge, struct json_value value)
{
    uint64_t hash = fnv(FNV_START, &(char){ (char)json_type(value) }, 1);
    if (!judge_step(judge))
        return 0;
    if (json_type(value) == JSON_NUMBER) {
        double number = json_number(value) + 0.0; /* -0 is 0 */
        return fnv(hash, &number, sizeof(number));
    }
    if (json_type(value) == JSON_STRING) {
        struct slice text = judge_string(judge, value);
        return fnv(hash, text.data, text.len);
    }
    for (struct json_value child = json_first(value); child.doc; child = json_next(child)) {
        uint64_t inside = hash_of(judge, child);
        if (json_type(value) == JSON_ARRAY) {
            hash = fnv(hash, &inside, sizeof(inside));
        } else {
            bool escaped;
            struct slice raw = json_key(child, &escaped), key = judge_decoded(judge, raw, escaped);
            hash += fnv(fnv(FNV_START, key.data, key.len), &inside, sizeof(inside)); /* in any order */
        }
    }
    return hash;
}

struct hashed {
    uint64_t hash;
    struct json_value value;
    uint32_t index;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *left = a, *right = b;
    return left->hash < right->hash ? -1 : left->hash > right->hash;
}

/* Values of one hash stand together: only these are compared. */
static bool are_unique(struct judge *judge, const struct place *place, const struct hashed *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count && items[j].hash == items[i].hash; j++)
            if (equal(judge, items[i].value, items[j].value))
                return judge_fault(judge, place, "has equal items, for example %u and %u",
                                   items[i].index < items[j].index ? items[i].index : items[j].index,
                                   items[i].index < items[j].index ? items[j].index : items[i].index);
    return true;
}

bool holds_unique(struct judge *judge, const struct place *place)
{
    size_t count = 0;
    if (json_type(place->value) != JSON_ARRAY)
        return true;
    struct hashed *items = mem_alloc((json_count(place->value) + 1) * sizeof(*items));
    if (!items)
        return judge_give_up(judge, "not enough memory for the schema");
    for (struct json_value item = json_first(place->value); item.doc; item = json_next(item), count++)
        items[count] = (struct hashed){ hash_of(judge, item), item, (uint32_t)count + 1 };
    qsort(items, count, sizeof(*items), by_hash);
    bool unique = are_unique(judge, place, items, count);
    mem_free(items);
    return unique;
}
