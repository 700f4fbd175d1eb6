/* schema_keywords.c: what each keyword of a schema may say, and as what it is judged by (schema_inside.h). */
#include <math.h>

#include "json/schema_compile.h"

/* The schema at a member; NULL: there is none, or it is wrong (compile->result). */
static const struct node *node_at(struct compile *compile, struct json_value object, const char *name)
{
    struct json_value value = json_member(object, slice_of(name));
    return value.doc ? compile_node(compile, value) : NULL;
}

static const struct node **nodes_of(struct compile *compile, struct json_value list, size_t *count)
{
    const struct node **nodes = compile_take(compile, json_count(list) * sizeof(*nodes));
    *count = 0;
    for (struct json_value item = json_first(list); nodes && item.doc; item = json_next(item))
        nodes[(*count)++] = compile_node(compile, item);
    return nodes;
}

/* ---- keywords, each alone ---- */

static const struct {
    const char *name;
    unsigned bit;
} types[] = {
    { "null", TYPE_NULL },     { "boolean", TYPE_BOOLEAN }, { "number", TYPE_NUMBER }, { "integer", TYPE_INTEGER },
    { "string", TYPE_STRING }, { "array", TYPE_ARRAY },     { "object", TYPE_OBJECT },
};

static unsigned type_bit(struct json_value value)
{
    bool escaped;
    struct slice raw = json_type(value) == JSON_STRING ? json_string(value, &escaped) : SLICE("");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_is(raw, types[i].name))
            return types[i].bit;
    return 0;
}

static bool read_type(struct compile *compile, struct node *node, struct json_value value)
{
    struct keyword *keyword = compile_add(compile, node, KEYWORD_TYPE);
    struct json_value one = json_type(value) == JSON_ARRAY ? json_first(value) : value;
    while (keyword && one.doc) {
        unsigned bit = type_bit(one);
        if (!bit)
            return compile_refuse(compile, one,
                                  "type is one of null boolean number integer string array object, or a list of them");
        keyword->types |= bit;
        one = json_type(value) == JSON_ARRAY ? json_next(one) : (struct json_value){ NULL, 0 };
    }
    return keyword != NULL;
}

static bool read_enum(struct compile *compile, struct node *node, struct json_value value)
{
    if (json_type(value) != JSON_ARRAY)
        return compile_refuse(compile, value, "enum is a list of values");
    struct keyword *keyword = compile_add(compile, node, KEYWORD_ENUM);
    if (keyword)
        keyword->values.list = value;
    return keyword != NULL;
}

static bool read_const(struct compile *compile, struct node *node, struct json_value value)
{
    struct keyword *keyword = compile_add(compile, node, KEYWORD_ENUM);
    if (keyword) {
        keyword->values.list = value;
        keyword->values.one = true;
    }
    return keyword != NULL;
}

static bool read_required(struct compile *compile, struct node *node, struct json_value value)
{
    struct slice *names = json_type(value) == JSON_ARRAY ? compile_take(compile, json_count(value) * sizeof(*names)) : NULL;
    struct keyword *keyword = names ? compile_add(compile, node, KEYWORD_REQUIRED) : NULL;
    if (json_type(value) != JSON_ARRAY)
        return compile_refuse(compile, value, "required is a list of names");
    for (struct json_value name = json_first(value); keyword && name.doc; name = json_next(name)) {
        if (json_type(name) != JSON_STRING)
            return compile_refuse(compile, name, "required is a list of names");
        if (!compile_text(compile, name, &names[keyword->required.count++]))
            return false;
    }
    if (keyword)
        keyword->required.names = names;
    return keyword != NULL;
}

static bool read_pattern(struct compile *compile, struct node *node, struct json_value value)
{
    struct slice text;
    if (json_type(value) != JSON_STRING)
        return compile_refuse(compile, value, "pattern is a regular expression as text");
    if (!compile_text(compile, value, &text))
        return false;
    const struct pattern *pattern = compile_pattern(compile, value, text);
    struct keyword *keyword = pattern ? compile_add(compile, node, KEYWORD_PATTERN) : NULL;
    if (keyword)
        keyword->pattern = pattern;
    return keyword != NULL;
}

static bool read_unique(struct compile *compile, struct node *node, struct json_value value)
{
    if (json_type(value) != JSON_TRUE && json_type(value) != JSON_FALSE)
        return compile_refuse(compile, value, "uniqueItems is true or false");
    return json_type(value) == JSON_FALSE || compile_add(compile, node, KEYWORD_UNIQUE);
}

static bool number_at(struct compile *compile, struct json_value value, const char *name, double *number)
{
    if (json_type(value) != JSON_NUMBER)
        return compile_refuse(compile, value, "%s is a number", name);
    *number = json_number(value);
    return true;
}

static bool read_multiple(struct compile *compile, struct node *node, struct json_value value)
{
    double number = 0;
    if (!number_at(compile, value, "multipleOf", &number))
        return false;
    if (!(number > 0))
        return compile_refuse(compile, value, "multipleOf is more than 0");
    struct keyword *keyword = compile_add(compile, node, KEYWORD_MULTIPLE);
    if (keyword)
        keyword->multiple = number;
    return keyword != NULL;
}

static bool read_list(struct compile *compile, struct node *node, struct json_value value, enum keyword_kind kind)
{
    if (json_type(value) != JSON_ARRAY || json_count(value) == 0)
        return compile_refuse(compile, value, "allOf, anyOf and oneOf are lists of schemas");
    struct keyword *keyword = compile_add(compile, node, kind);
    if (keyword)
        keyword->list.nodes = nodes_of(compile, value, &keyword->list.count);
    return keyword && compile->result == OK;
}

static bool read_all(struct compile *compile, struct node *node, struct json_value value)
{
    return read_list(compile, node, value, KEYWORD_ALL);
}

static bool read_any(struct compile *compile, struct node *node, struct json_value value)
{
    return read_list(compile, node, value, KEYWORD_ANY);
}

static bool read_one(struct compile *compile, struct node *node, struct json_value value)
{
    return read_list(compile, node, value, KEYWORD_ONE);
}

static bool read_not(struct compile *compile, struct node *node, struct json_value value)
{
    struct keyword *keyword = compile_add(compile, node, KEYWORD_NOT);
    if (keyword)
        keyword->not_this = compile_node(compile, value);
    return keyword && compile->result == OK;
}

static bool read_reference(struct compile *compile, struct node *node, struct json_value value)
{
    const struct node *to = compile_reference(compile, value), **list = compile_take(compile, sizeof(*list));
    struct keyword *keyword = to && list ? compile_add(compile, node, KEYWORD_ALL) : NULL;
    if (!keyword)
        return false;
    list[0] = to;
    keyword->list.nodes = list;
    keyword->list.count = 1;
    return true;
}

/* ---- keywords that belong together ---- */

static bool read_bound(struct compile *compile, struct node *node, struct json_value object, const char *name, bool is_least,
                       bool exclusive)
{
    struct json_value value = json_member(object, slice_of(name));
    double number = 0;
    if (!value.doc)
        return true;
    if (!number_at(compile, value, name, &number))
        return false;
    struct keyword *keyword = compile_add(compile, node, KEYWORD_RANGE);
    if (!keyword)
        return false;
    keyword->range.bound = number;
    keyword->range.is_least = is_least;
    keyword->range.exclusive = exclusive;
    return true;
}

static bool read_bounds(struct compile *compile, struct node *node, struct json_value object)
{
    return read_bound(compile, node, object, "minimum", true, false) &&
           read_bound(compile, node, object, "exclusiveMinimum", true, true) &&
           read_bound(compile, node, object, "maximum", false, false) &&
           read_bound(compile, node, object, "exclusiveMaximum", false, true);
}

static bool read_count(struct compile *compile, struct node *node, struct json_value object, enum json_type of,
                       const char *least_name, const char *most_name)
{
    struct json_value least = json_member(object, slice_of(least_name)), most = json_member(object, slice_of(most_name));
    double from = 0, to = INFINITY;
    if (!least.doc && !most.doc)
        return true;
    if ((least.doc && !number_at(compile, least, least_name, &from)) || (most.doc && !number_at(compile, most, most_name, &to)))
        return false;
    struct keyword *keyword = compile_add(compile, node, KEYWORD_COUNT);
    if (!keyword)
        return false;
    keyword->count.of = of;
    keyword->count.least = from;
    keyword->count.most = to;
    return true;
}

static bool read_counts(struct compile *compile, struct node *node, struct json_value object)
{
    return read_count(compile, node, object, JSON_OBJECT, "minProperties", "maxProperties") &&
           read_count(compile, node, object, JSON_ARRAY, "minItems", "maxItems") &&
           read_count(compile, node, object, JSON_STRING, "minLength", "maxLength");
}

static const struct named_node *named_nodes(struct compile *compile, struct json_value object, size_t *count)
{
    struct named_node *named = compile_take(compile, json_count(object) * sizeof(*named));
    for (struct json_value member = json_first(object); named && member.doc; member = json_next(member), (*count)++) {
        bool escaped;
        struct slice raw = json_key(member, &escaped);
        named[*count].node = compile_node(compile, member);
        if (!compile_decode(compile, raw, escaped, &named[*count].name))
            return NULL;
    }
    return named;
}

static const struct pattern_node *pattern_nodes(struct compile *compile, struct json_value object, size_t *count)
{
    struct pattern_node *nodes = compile_take(compile, json_count(object) * sizeof(*nodes));
    for (struct json_value member = json_first(object); nodes && member.doc; member = json_next(member), (*count)++) {
        bool escaped;
        struct slice raw = json_key(member, &escaped), text;
        nodes[*count].node = compile_node(compile, member);
        if (!compile_decode(compile, raw, escaped, &text) || !(nodes[*count].pattern = compile_pattern(compile, member, text)))
            return NULL;
    }
    return nodes;
}

static bool read_members(struct compile *compile, struct node *node, struct json_value object)
{
    struct json_value named = json_member(object, SLICE("properties")),
                      patterns = json_member(object, SLICE("patternProperties")),
                      others = json_member(object, SLICE("additionalProperties"));
    if (!named.doc && !patterns.doc && !others.doc)
        return true;
    if ((named.doc && json_type(named) != JSON_OBJECT) || (patterns.doc && json_type(patterns) != JSON_OBJECT))
        return compile_refuse(compile, object, "properties and patternProperties are objects of schemas");
    struct keyword *keyword = compile_add(compile, node, KEYWORD_MEMBERS);
    if (!keyword)
        return false;
    if (named.doc)
        keyword->members.named = named_nodes(compile, named, &keyword->members.named_count);
    if (patterns.doc)
        keyword->members.patterns = pattern_nodes(compile, patterns, &keyword->members.pattern_count);
    keyword->members.others = node_at(compile, object, "additionalProperties");
    return compile->result == OK;
}

static bool read_items(struct compile *compile, struct node *node, struct json_value object)
{
    struct json_value first = json_member(object, SLICE("prefixItems")), rest = json_member(object, SLICE("items"));
    if (!first.doc && rest.doc && json_type(rest) == JSON_ARRAY) { /* as draft 7 wrote it */
        first = rest;
        rest = json_member(object, SLICE("additionalItems"));
    }
    if (!first.doc && !rest.doc)
        return true;
    if (first.doc && json_type(first) != JSON_ARRAY)
        return compile_refuse(compile, first, "prefixItems is a list of schemas");
    struct keyword *keyword = compile_add(compile, node, KEYWORD_ITEMS);
    if (!keyword)
        return false;
    if (first.doc)
        keyword->items.first = nodes_of(compile, first, &keyword->items.first_count);
    if (rest.doc)
        keyword->items.rest = compile_node(compile, rest);
    return compile->result == OK;
}

static bool read_choice(struct compile *compile, struct node *node, struct json_value object)
{
    if (!json_member(object, SLICE("if")).doc)
        return true;
    struct keyword *keyword = compile_add(compile, node, KEYWORD_IF);
    if (!keyword)
        return false;
    keyword->choice.condition = node_at(compile, object, "if");
    keyword->choice.then = node_at(compile, object, "then");
    keyword->choice.otherwise = node_at(compile, object, "else");
    return compile->result == OK;
}

/* ---- a schema ---- */

static const struct {
    const char *name;
    bool (*read)(struct compile *compile, struct node *node, struct json_value value);
} single[] = {
    { "$ref", read_reference },    { "type", read_type },       { "enum", read_enum },          { "const", read_const },
    { "required", read_required }, { "pattern", read_pattern }, { "uniqueItems", read_unique }, { "multipleOf", read_multiple },
    { "allOf", read_all },         { "anyOf", read_any },       { "oneOf", read_one },          { "not", read_not },
};

static bool (*const together[])(struct compile *compile, struct node *node, struct json_value object) = {
    read_bounds, read_counts, read_members, read_items, read_choice,
};

/* What would be a check that is not made. */
static const char *const refused[] = {
    "contains",         "minContains",           "maxContains",      "propertyNames", "dependencies",  "dependentRequired",
    "dependentSchemas", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef",   "$recursiveRef", "disallow",
    "extends",          "divisibleBy",
};

static bool check_names(struct compile *compile, struct json_value object)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct json_value value = json_member(object, slice_of(refused[i]));
        if (value.doc)
            return compile_refuse(compile, value, "the keyword '%s' is not known here: what it checks belongs into the handler",
                                  refused[i]);
    }
    return true;
}

bool compile_keywords(struct compile *compile, struct node *node, struct json_value object)
{
    if (!check_names(compile, object))
        return false;
    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        struct json_value member = json_member(object, slice_of(single[i].name));
        if (member.doc && !single[i].read(compile, node, member))
            return false;
    }
    for (size_t i = 0; i < sizeof(together) / sizeof(together[0]); i++)
        if (!together[i](compile, node, object))
            return false;
    return true;
}
