/* schema.c: does a document fit a schema? Walks both side by side; says the first place that does not. */
#include "json/schema.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fnv.h"
#include "base/mem.h"
#include "json/schema_inside.h"

enum { SHOWN_MAX = 60, MATCHES_MAX = 100000, MATCH_DEPTH_MAX = 10000, MATCH_HEAP_KIB = 1024, PATH_SHOWN_MAX = 150 };

/* A value of the document and the way to it. */
struct place {
    const struct place *up; /* NULL: the document */
    struct json_value value;
    struct slice key; /* raw; data NULL: an element of an array */
    bool escaped;
    uint32_t index; /* from 1 */
};

struct judge {
    char *why;
    unsigned quiet; /* inside anyOf, not …: what does not hold there is no fault */
    unsigned depth;
    uint32_t steps;
    const char *given_up; /* NULL, or why nothing more is looked at */
    struct buf text;      /* a decoded string */
    pcre2_match_context *limits;
};

static bool holds(struct judge *judge, const struct node *node, const struct place *place);

/* ---- faults ---- */

static void write_step(struct buf *out, const struct place *place)
{
    if (!place->key.data) {
        buf_addf(out, "[%u]", place->index);
        return;
    }
    bool plain = place->key.len > 0 && !place->escaped && !isdigit((unsigned char)place->key.data[0]);
    for (size_t i = 0; i < place->key.len; i++)
        plain = plain && (isalnum((unsigned char)place->key.data[i]) || place->key.data[i] == '_');
    buf_add_text(out, plain ? "." : "[\"");
    buf_add_slice(out, place->key);
    buf_add_text(out, plain ? "" : "\"]");
}

static void write_path(struct buf *out, const struct place *place)
{
    if (!place->up) {
        buf_add_text(out, "body");
        return;
    }
    write_path(out, place->up);
    write_step(out, place);
}

static bool fault(struct judge *judge, const struct place *place, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool fault(struct judge *judge, const struct place *place, const char *format, ...)
{
    char what[SCHEMA_WHY_SIZE / 2];
    struct buf path;
    va_list arguments;
    if (judge->quiet > 0 || judge->given_up)
        return false;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    buf_init(&path, 64 << 10);
    write_path(&path, place);
    int len = path.len > PATH_SHOWN_MAX ? PATH_SHOWN_MAX : (int)path.len;
    snprintf(judge->why, SCHEMA_WHY_SIZE, "%.*s%s %s", len, path.data, (size_t)len < path.len ? "…" : "", what);
    buf_deinit(&path);
    return false;
}

static bool give_up(struct judge *judge, const char *why)
{
    if (!judge->given_up)
        judge->given_up = why;
    return false;
}

static bool step(struct judge *judge)
{
    return ++judge->steps <= SCHEMA_STEPS_MAX || give_up(judge, "the body is too much work for the schema");
}

/* ---- strings, equal values ---- */

/* Valid until the next call. */
static struct slice decoded(struct judge *judge, struct slice raw, bool escaped)
{
    if (!escaped)
        return raw;
    buf_clear(&judge->text);
    json_unescape(raw, &judge->text);
    if (!buf_ok(&judge->text))
        give_up(judge, "not enough memory for the schema");
    return buf_slice(&judge->text);
}

static struct slice string_of(struct judge *judge, struct json_value value)
{
    bool escaped;
    struct slice raw = json_string(value, &escaped);
    return decoded(judge, raw, escaped);
}

static bool equal_numbers(struct json_value a, struct json_value b)
{
    unsigned digits;
    if (json_is_integer(a, &digits) && json_is_integer(b, &digits) && slice_eq(json_text(a), json_text(b)))
        return true;
    if (json_is_integer(a, &digits) && json_is_integer(b, &digits) && digits > 15)
        return false; /* as doubles they may look the same */
    return json_number(a) == json_number(b);
}

static bool equal(struct judge *judge, struct json_value a, struct json_value b);

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
        struct json_value other = json_member(b, decoded(judge, raw, escaped));
        if (!other.doc || !equal(judge, member, other))
            return false;
    }
    return true;
}

/* As values: 1.0 is 1, the order of members does not count. */
static bool equal(struct judge *judge, struct json_value a, struct json_value b)
{
    bool escaped;
    if (!step(judge) || json_type(a) != json_type(b))
        return false;
    switch (json_type(a)) {
    case JSON_NUMBER:
        return equal_numbers(a, b);
    case JSON_STRING: {
        struct slice left = json_string(a, &escaped);
        return json_string_is(left, escaped, string_of(judge, b));
    }
    case JSON_ARRAY:
        return equal_arrays(judge, a, b);
    case JSON_OBJECT:
        return equal_objects(judge, a, b);
    default:
        return true;
    }
}

/* The same for equal values. */
static uint64_t hash_of(struct judge *judge, struct json_value value)
{
    uint64_t hash = fnv(FNV_START, &(char){ (char)json_type(value) }, 1);
    if (!step(judge))
        return 0;
    if (json_type(value) == JSON_NUMBER) {
        double number = json_number(value) + 0.0; /* -0 is 0 */
        return fnv(hash, &number, sizeof(number));
    }
    if (json_type(value) == JSON_STRING) {
        struct slice text = string_of(judge, value);
        return fnv(hash, text.data, text.len);
    }
    for (struct json_value child = json_first(value); child.doc; child = json_next(child)) {
        uint64_t inside = hash_of(judge, child);
        if (json_type(value) == JSON_ARRAY) {
            hash = fnv(hash, &inside, sizeof(inside));
        } else {
            bool escaped;
            struct slice raw = json_key(child, &escaped), key = decoded(judge, raw, escaped);
            hash += fnv(fnv(FNV_START, key.data, key.len), &inside, sizeof(inside)); /* in any order */
        }
    }
    return hash;
}

/* ---- type, enum ---- */

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

static bool holds_type(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    char wanted[128], is[64];
    unsigned bits = type_bits(place->value);
    if (bits & keyword->types)
        return true;
    name_types(keyword->types, wanted, sizeof(wanted));
    name_types(bits & TYPE_INTEGER ? TYPE_INTEGER : bits, is, sizeof(is));
    return fault(judge, place, "has to be %s, and is %s", wanted, is);
}

static bool holds_enum(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    struct json_value list = keyword->values.list;
    for (struct json_value one = keyword->values.one ? list : json_first(list); one.doc; one = json_next(one)) {
        if (equal(judge, place->value, one))
            return true;
        if (keyword->values.one)
            break;
    }
    struct slice text = json_text(list);
    return fault(judge, place, "has to be %s%.*s%s", keyword->values.one ? "" : "one of ",
                 text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len, text.data, text.len > SHOWN_MAX ? "…" : "");
}

/* ---- objects ---- */

static bool matches(struct judge *judge, const struct pattern *pattern, struct slice text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int rc = data ? pcre2_match(pattern->code, (PCRE2_SPTR)text.data, text.len, 0, 0, data, judge->limits) : PCRE2_ERROR_NOMEMORY;
    pcre2_match_data_free(data);
    judge->steps += (uint32_t)(text.len / 64);
    if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT ||
        rc == PCRE2_ERROR_NOMEMORY || rc == PCRE2_ERROR_JIT_STACKLIMIT)
        return give_up(judge, "a pattern of the schema takes too long for the body");
    return rc >= 0;
}

/* What a member has to be by its name; with nothing said about it: what all others have to be. */
static bool holds_member(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    bool named = false;
    for (size_t i = 0; i < keyword->members.named_count; i++) {
        if (!json_string_is(place->key, place->escaped, keyword->members.named[i].name))
            continue;
        named = true;
        if (!holds(judge, keyword->members.named[i].node, place))
            return false;
    }
    for (size_t i = 0; i < keyword->members.pattern_count; i++) {
        if (!matches(judge, keyword->members.patterns[i].pattern, decoded(judge, place->key, place->escaped)))
            continue;
        named = true;
        if (!holds(judge, keyword->members.patterns[i].node, place))
            return false;
    }
    return named || !keyword->members.others || holds(judge, keyword->members.others, place);
}

static bool holds_members(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    if (json_type(place->value) != JSON_OBJECT)
        return true;
    for (struct json_value member = json_first(place->value); member.doc; member = json_next(member)) {
        struct place inside = { .up = place, .value = member };
        inside.key = json_key(member, &inside.escaped);
        judge->steps += (uint32_t)(keyword->members.named_count / 8); /* names are compared one by one */
        if (!step(judge) || !holds_member(judge, keyword, &inside))
            return false;
    }
    return true;
}

static bool holds_required(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    if (json_type(place->value) != JSON_OBJECT)
        return true;
    for (size_t i = 0; i < keyword->required.count; i++) {
        struct slice name = keyword->required.names[i];
        judge->steps += json_count(place->value) / 8;
        if (!step(judge))
            return false;
        if (!json_member(place->value, name).doc)
            return fault(judge, place, "lacks '%.*s'", name.len > SHOWN_MAX ? SHOWN_MAX : (int)name.len, name.data);
    }
    return true;
}

/* ---- arrays ---- */

static bool holds_items(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    uint32_t index = 0;
    if (json_type(place->value) != JSON_ARRAY)
        return true;
    for (struct json_value item = json_first(place->value); item.doc; item = json_next(item)) {
        const struct node *node = index < keyword->items.first_count ? keyword->items.first[index] : keyword->items.rest;
        struct place inside = { .up = place, .value = item, .index = ++index };
        if (!step(judge) || (node && !holds(judge, node, &inside)))
            return false;
    }
    return true;
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
                return fault(judge, place, "has equal items, for example %u and %u",
                             items[i].index < items[j].index ? items[i].index : items[j].index,
                             items[i].index < items[j].index ? items[j].index : items[i].index);
    return true;
}

static bool holds_unique(struct judge *judge, const struct place *place)
{
    size_t count = 0;
    struct hashed *items =
        json_type(place->value) == JSON_ARRAY ? mem_alloc((json_count(place->value) + 1) * sizeof(*items)) : NULL;
    if (json_type(place->value) != JSON_ARRAY)
        return true;
    if (!items)
        return give_up(judge, "not enough memory for the schema");
    for (struct json_value item = json_first(place->value); item.doc; item = json_next(item), count++)
        items[count] = (struct hashed){ hash_of(judge, item), item, (uint32_t)count + 1 };
    qsort(items, count, sizeof(*items), by_hash);
    bool unique = are_unique(judge, place, items, count);
    mem_free(items);
    return unique;
}

/* ---- sizes, strings, numbers ---- */

/* RFC 3629: bytes that begin a character. */
static size_t characters(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return count;
}

static bool holds_count(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    const char *what = keyword->count.of == JSON_OBJECT ? "members" : keyword->count.of == JSON_ARRAY ? "items" : "characters";
    if (json_type(place->value) != keyword->count.of)
        return true;
    bool is_text = keyword->count.of == JSON_STRING;
    double count = is_text ? (double)characters(string_of(judge, place->value)) : (double)json_count(place->value);
    if (count < keyword->count.least)
        return fault(judge, place, "has %.0f %s, and at least %.0f are wanted", count, what, keyword->count.least);
    if (count > keyword->count.most)
        return fault(judge, place, "has %.0f %s, and at most %.0f are wanted", count, what, keyword->count.most);
    return true;
}

static bool holds_pattern(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    const struct slice text = keyword->pattern->text;
    if (json_type(place->value) != JSON_STRING || matches(judge, keyword->pattern, string_of(judge, place->value)))
        return true;
    return fault(judge, place, "has to match the pattern %.*s%s", text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len, text.data,
                 text.len > SHOWN_MAX ? "…" : "");
}

static bool holds_range(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    double bound = keyword->range.bound;
    if (json_type(place->value) != JSON_NUMBER)
        return true;
    double number = json_number(place->value);
    bool inside = keyword->range.is_least ? number > bound : number < bound;
    if (inside || (!keyword->range.exclusive && number == bound))
        return true;
    return fault(judge, place, "has to be %s than %.15g%s", keyword->range.is_least ? "more" : "less", bound,
                 keyword->range.exclusive ? "" : ", or that");
}

static bool holds_multiple(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    if (json_type(place->value) != JSON_NUMBER)
        return true;
    double times = json_number(place->value) / keyword->multiple;
    /* 0.0075 is 75 times 0.0001, which neither is as a double */
    if (isfinite(times) && fabs(times - nearbyint(times)) <= 1e-9 * fmax(1, fabs(times) * 1e-6))
        return true;
    return fault(judge, place, "has to be a multiple of %.15g", keyword->multiple);
}

/* ---- schemas of schemas ---- */

static bool holds_quietly(struct judge *judge, const struct node *node, const struct place *place)
{
    judge->quiet++;
    bool held = holds(judge, node, place);
    judge->quiet--;
    return held;
}

static bool holds_all(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    for (size_t i = 0; i < keyword->list.count; i++)
        if (!holds(judge, keyword->list.nodes[i], place))
            return false;
    return true;
}

static bool holds_some(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    size_t fitting = 0;
    for (size_t i = 0; i < keyword->list.count && !judge->given_up; i++) {
        fitting += holds_quietly(judge, keyword->list.nodes[i], place);
        if (fitting == 1 && keyword->kind == KEYWORD_ANY)
            return true;
    }
    if (fitting == 1)
        return true;
    return fault(judge, place, "fits %s of the %zu forms that are allowed%s", fitting ? "more than one" : "none",
                 keyword->list.count, keyword->kind == KEYWORD_ONE && fitting ? ", and exactly one is wanted" : "");
}

static bool holds_choice(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    bool is = holds_quietly(judge, keyword->choice.condition, place);
    const struct node *node = is ? keyword->choice.then : keyword->choice.otherwise;
    return !node || holds(judge, node, place);
}

static bool holds_keyword(struct judge *judge, const struct keyword *keyword, const struct place *place)
{
    switch (keyword->kind) {
    case KEYWORD_NEVER:
        return fault(judge, place, "is not allowed here");
    case KEYWORD_TYPE:
        return holds_type(judge, keyword, place);
    case KEYWORD_ENUM:
        return holds_enum(judge, keyword, place);
    case KEYWORD_MEMBERS:
        return holds_members(judge, keyword, place);
    case KEYWORD_REQUIRED:
        return holds_required(judge, keyword, place);
    case KEYWORD_ITEMS:
        return holds_items(judge, keyword, place);
    case KEYWORD_UNIQUE:
        return holds_unique(judge, place);
    case KEYWORD_COUNT:
        return holds_count(judge, keyword, place);
    case KEYWORD_PATTERN:
        return holds_pattern(judge, keyword, place);
    case KEYWORD_RANGE:
        return holds_range(judge, keyword, place);
    case KEYWORD_MULTIPLE:
        return holds_multiple(judge, keyword, place);
    case KEYWORD_ALL:
        return holds_all(judge, keyword, place);
    case KEYWORD_ANY:
    case KEYWORD_ONE:
        return holds_some(judge, keyword, place);
    case KEYWORD_NOT:
        return !holds_quietly(judge, keyword->not_this, place) || fault(judge, place, "is of a form that is not allowed");
    case KEYWORD_IF:
        return holds_choice(judge, keyword, place);
    }
    return false;
}

static bool holds(struct judge *judge, const struct node *node, const struct place *place)
{
    bool held = true;
    if (judge->given_up || !step(judge))
        return false;
    if (++judge->depth > SCHEMA_DEPTH_MAX)
        return give_up(judge, "the schema refers to itself without end");
    for (const struct keyword *keyword = node->keywords; held && keyword; keyword = keyword->next)
        held = holds_keyword(judge, keyword, place);
    judge->depth--;
    return held;
}

bool schema_holds(const struct schema *schema, struct json_value value, char why[SCHEMA_WHY_SIZE])
{
    struct judge judge = { .why = why };
    struct place root = { .value = value };
    judge.limits = pcre2_match_context_create(NULL);
    if (!judge.limits) {
        snprintf(why, SCHEMA_WHY_SIZE, "not enough memory for the schema");
        return false;
    }
    pcre2_set_match_limit(judge.limits, MATCHES_MAX);
    pcre2_set_depth_limit(judge.limits, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(judge.limits, MATCH_HEAP_KIB);
    buf_init(&judge.text, json_text(value).len + 1);
    bool held = holds(&judge, schema->root, &root);
    if (judge.given_up)
        snprintf(why, SCHEMA_WHY_SIZE, "%s", judge.given_up);
    buf_deinit(&judge.text);
    pcre2_match_context_free(judge.limits);
    return held && !judge.given_up;
}
