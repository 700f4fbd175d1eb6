/* schema_compile.c: from the text of a schema to its nodes. A place of the text becomes one node, however often it is referred
 * to; so references may go round. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "json/schema_inside.h"

enum { POINTER_MAX = 200 };

struct compile {
    struct schema *schema;
    struct node **nodes; /* by the number of their place in the text; NULL: not seen yet */
    char *why;
    unsigned depth;
    enum result result;
};

/* ---- faults ---- */

static bool refuse(struct compile *compile, struct json_value at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool refuse(struct compile *compile, struct json_value at, const char *format, ...)
{
    char what[SCHEMA_WHY_SIZE - 32];
    va_list arguments;
    if (compile->result != OK)
        return false;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    size_t offset = at.doc ? (size_t)(json_text(at).data - json_text(json_root(at.doc)).data) : 0, line = 1;
    const char *text = json_text(json_root(compile->schema->doc)).data;
    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    snprintf(compile->why, SCHEMA_WHY_SIZE, "line %zu: %s", line, what);
    compile->result = ERR_INVALID;
    return false;
}

static void *take(struct compile *compile, size_t size)
{
    void *memory = arena_alloc(&compile->schema->arena, size ? size : 1);
    if (!memory && compile->result == OK)
        compile->result = ERR_MEMORY;
    return memory;
}

/* ---- small readers ---- */

static bool decode(struct compile *compile, struct slice raw, bool escaped, struct slice *out)
{
    struct buf text;
    if (!escaped) {
        *out = raw;
        return true;
    }
    buf_init(&text, raw.len + 1);
    json_unescape(raw, &text);
    *out = arena_copy(&compile->schema->arena, buf_slice(&text));
    buf_deinit(&text);
    if (!out->data)
        compile->result = ERR_MEMORY;
    return out->data != NULL;
}

static bool text_of(struct compile *compile, struct json_value value, struct slice *out)
{
    bool escaped;
    struct slice raw = json_string(value, &escaped);
    return decode(compile, raw, escaped, out);
}

static struct keyword *add(struct compile *compile, struct node *node, enum keyword_kind kind)
{
    struct keyword *keyword = take(compile, sizeof(*keyword)), **end = &node->keywords;
    if (!keyword)
        return NULL;
    keyword->kind = kind;
    while (*end)
        end = &(*end)->next;
    return *end = keyword;
}

static const struct node *compile_node(struct compile *compile, struct json_value value);

/* The schema at a member; NULL: there is none, or it is wrong (compile->result). */
static const struct node *node_at(struct compile *compile, struct json_value object, const char *name)
{
    struct json_value value = json_member(object, slice_of(name));
    return value.doc ? compile_node(compile, value) : NULL;
}

static const struct node **nodes_of(struct compile *compile, struct json_value list, size_t *count)
{
    const struct node **nodes = take(compile, json_count(list) * sizeof(*nodes));
    *count = 0;
    for (struct json_value item = json_first(list); nodes && item.doc; item = json_next(item))
        nodes[(*count)++] = compile_node(compile, item);
    return nodes;
}

static const struct pattern *pattern_of(struct compile *compile, struct json_value at, struct slice text)
{
    int error;
    PCRE2_SIZE offset;
    /* as ECMA-262, which JSON Schema names, as far as the library goes */
    uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
    struct pattern *pattern = take(compile, sizeof(*pattern));
    if (!pattern)
        return NULL;
    pattern->text = text;
    pattern->code = pcre2_compile((PCRE2_SPTR)text.data, text.len, options, &error, &offset, NULL);
    if (!pattern->code) {
        char what[128] = "";
        pcre2_get_error_message(error, (PCRE2_UCHAR *)what, sizeof(what));
        refuse(compile, at, "the pattern %.*s is wrong at its character %zu: %s", text.len > 60 ? 60 : (int)text.len, text.data,
               (size_t)offset + 1, what);
        return NULL;
    }
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE); /* without it the matcher interprets */
    pattern->next = compile->schema->patterns;
    return compile->schema->patterns = pattern;
}

/* ---- references: JSON Pointer (RFC 6901) after '#' ---- */

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* One step of a pointer, decoded: %XX of the URI, then ~0 and ~1. */
static size_t decode_step(struct slice raw, char *out)
{
    size_t len = 0, end = 0;
    for (size_t i = 0; i < raw.len; i++) {
        bool is_byte = raw.data[i] == '%' && i + 2 < raw.len && hex(raw.data[i + 1]) >= 0 && hex(raw.data[i + 2]) >= 0;
        out[len++] = is_byte ? (char)(hex(raw.data[i + 1]) << 4 | hex(raw.data[i + 2])) : raw.data[i];
        i += is_byte ? 2 : 0;
    }
    for (size_t i = 0; i < len; i++) {
        bool is_mark = out[i] == '~' && i + 1 < len && (out[i + 1] == '0' || out[i + 1] == '1');
        out[end++] = !is_mark ? out[i] : out[i + 1] == '0' ? '~' : '/';
        i += is_mark;
    }
    return end;
}

static struct json_value step_into(struct json_value from, struct slice step)
{
    uint32_t index = 0;
    if (json_type(from) != JSON_ARRAY)
        return json_member(from, step);
    for (size_t i = 0; i < step.len; i++) {
        if (step.data[i] < '0' || step.data[i] > '9' || index > 1000000)
            return (struct json_value){ NULL, 0 };
        index = index * 10 + (uint32_t)(step.data[i] - '0');
    }
    return json_element(from, index);
}

static const struct node *referred(struct compile *compile, struct json_value at)
{
    struct slice pointer;
    char step[POINTER_MAX];
    struct json_value place = json_root(compile->schema->doc);
    if (json_type(at) != JSON_STRING || !text_of(compile, at, &pointer)) {
        refuse(compile, at, "$ref is text such as \"#/$defs/address\"");
        return NULL;
    }
    bool is_pointer = pointer.len > 0 && pointer.data[0] == '#' && (pointer.len == 1 || pointer.data[1] == '/');
    if (!is_pointer || pointer.len > POINTER_MAX) {
        refuse(compile, at, "$ref goes to a place of the same file, such as \"#/$defs/address\"");
        return NULL;
    }
    struct slice rest = slice_from(pointer, 1);
    while (rest.len > 0 && place.doc) {
        rest = slice_from(rest, 1);
        const char *slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
        size_t len = slash ? (size_t)(slash - rest.data) : rest.len;
        size_t decoded = decode_step((struct slice){ rest.data, len }, step);
        place = step_into(place, (struct slice){ step, decoded });
        rest = slice_from(rest, len);
    }
    if (!place.doc) {
        refuse(compile, at, "there is nothing at %.*s", (int)pointer.len, pointer.data);
        return NULL;
    }
    return compile_node(compile, place);
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
    struct keyword *keyword = add(compile, node, KEYWORD_TYPE);
    struct json_value one = json_type(value) == JSON_ARRAY ? json_first(value) : value;
    while (keyword && one.doc) {
        unsigned bit = type_bit(one);
        if (!bit)
            return refuse(compile, one, "type is one of null boolean number integer string array object, or a list of them");
        keyword->types |= bit;
        one = json_type(value) == JSON_ARRAY ? json_next(one) : (struct json_value){ NULL, 0 };
    }
    return keyword != NULL;
}

static bool read_enum(struct compile *compile, struct node *node, struct json_value value)
{
    if (json_type(value) != JSON_ARRAY)
        return refuse(compile, value, "enum is a list of values");
    struct keyword *keyword = add(compile, node, KEYWORD_ENUM);
    if (keyword)
        keyword->values.list = value;
    return keyword != NULL;
}

static bool read_const(struct compile *compile, struct node *node, struct json_value value)
{
    struct keyword *keyword = add(compile, node, KEYWORD_ENUM);
    if (keyword) {
        keyword->values.list = value;
        keyword->values.one = true;
    }
    return keyword != NULL;
}

static bool read_required(struct compile *compile, struct node *node, struct json_value value)
{
    struct slice *names = json_type(value) == JSON_ARRAY ? take(compile, json_count(value) * sizeof(*names)) : NULL;
    struct keyword *keyword = names ? add(compile, node, KEYWORD_REQUIRED) : NULL;
    if (json_type(value) != JSON_ARRAY)
        return refuse(compile, value, "required is a list of names");
    for (struct json_value name = json_first(value); keyword && name.doc; name = json_next(name)) {
        if (json_type(name) != JSON_STRING)
            return refuse(compile, name, "required is a list of names");
        if (!text_of(compile, name, &names[keyword->required.count++]))
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
        return refuse(compile, value, "pattern is a regular expression as text");
    if (!text_of(compile, value, &text))
        return false;
    const struct pattern *pattern = pattern_of(compile, value, text);
    struct keyword *keyword = pattern ? add(compile, node, KEYWORD_PATTERN) : NULL;
    if (keyword)
        keyword->pattern = pattern;
    return keyword != NULL;
}

static bool read_unique(struct compile *compile, struct node *node, struct json_value value)
{
    if (json_type(value) != JSON_TRUE && json_type(value) != JSON_FALSE)
        return refuse(compile, value, "uniqueItems is true or false");
    return json_type(value) == JSON_FALSE || add(compile, node, KEYWORD_UNIQUE);
}

static bool number_at(struct compile *compile, struct json_value value, const char *name, double *number)
{
    if (json_type(value) != JSON_NUMBER)
        return refuse(compile, value, "%s is a number", name);
    *number = json_number(value);
    return true;
}

static bool read_multiple(struct compile *compile, struct node *node, struct json_value value)
{
    double number = 0;
    if (!number_at(compile, value, "multipleOf", &number))
        return false;
    if (!(number > 0))
        return refuse(compile, value, "multipleOf is more than 0");
    struct keyword *keyword = add(compile, node, KEYWORD_MULTIPLE);
    if (keyword)
        keyword->multiple = number;
    return keyword != NULL;
}

static bool read_list(struct compile *compile, struct node *node, struct json_value value, enum keyword_kind kind)
{
    if (json_type(value) != JSON_ARRAY || json_count(value) == 0)
        return refuse(compile, value, "allOf, anyOf and oneOf are lists of schemas");
    struct keyword *keyword = add(compile, node, kind);
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
    struct keyword *keyword = add(compile, node, KEYWORD_NOT);
    if (keyword)
        keyword->not_this = compile_node(compile, value);
    return keyword && compile->result == OK;
}

static bool read_reference(struct compile *compile, struct node *node, struct json_value value)
{
    const struct node *to = referred(compile, value), **list = take(compile, sizeof(*list));
    struct keyword *keyword = to && list ? add(compile, node, KEYWORD_ALL) : NULL;
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
    struct keyword *keyword = add(compile, node, KEYWORD_RANGE);
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
    struct keyword *keyword = add(compile, node, KEYWORD_COUNT);
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
    struct named_node *named = take(compile, json_count(object) * sizeof(*named));
    for (struct json_value member = json_first(object); named && member.doc; member = json_next(member), (*count)++) {
        bool escaped;
        struct slice raw = json_key(member, &escaped);
        named[*count].node = compile_node(compile, member);
        if (!decode(compile, raw, escaped, &named[*count].name))
            return NULL;
    }
    return named;
}

static const struct pattern_node *pattern_nodes(struct compile *compile, struct json_value object, size_t *count)
{
    struct pattern_node *nodes = take(compile, json_count(object) * sizeof(*nodes));
    for (struct json_value member = json_first(object); nodes && member.doc; member = json_next(member), (*count)++) {
        bool escaped;
        struct slice raw = json_key(member, &escaped), text;
        nodes[*count].node = compile_node(compile, member);
        if (!decode(compile, raw, escaped, &text) || !(nodes[*count].pattern = pattern_of(compile, member, text)))
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
        return refuse(compile, object, "properties and patternProperties are objects of schemas");
    struct keyword *keyword = add(compile, node, KEYWORD_MEMBERS);
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
        return refuse(compile, first, "prefixItems is a list of schemas");
    struct keyword *keyword = add(compile, node, KEYWORD_ITEMS);
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
    struct keyword *keyword = add(compile, node, KEYWORD_IF);
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
            return refuse(compile, value, "the keyword '%s' is not known here: what it checks belongs into the handler",
                          refused[i]);
    }
    return true;
}

static bool fill(struct compile *compile, struct node *node, struct json_value value)
{
    if (!check_names(compile, value))
        return false;
    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        struct json_value member = json_member(value, slice_of(single[i].name));
        if (member.doc && !single[i].read(compile, node, member))
            return false;
    }
    for (size_t i = 0; i < sizeof(together) / sizeof(together[0]); i++)
        if (!together[i](compile, node, value))
            return false;
    return true;
}

static const struct node *compile_node(struct compile *compile, struct json_value value)
{
    struct node *node = compile->nodes[value.node];
    if (node || compile->result != OK)
        return node;
    node = compile->nodes[value.node] = take(compile, sizeof(*node));
    if (!node)
        return NULL;
    if (json_type(value) == JSON_FALSE) {
        (void)add(compile, node, KEYWORD_NEVER);
    } else if (json_type(value) == JSON_OBJECT && ++compile->depth > SCHEMA_DEPTH_MAX) {
        refuse(compile, value, "schemas inside schemas, deeper than %d", SCHEMA_DEPTH_MAX);
    } else if (json_type(value) == JSON_OBJECT) {
        (void)fill(compile, node, value);
        compile->depth--;
    } else if (json_type(value) != JSON_TRUE) {
        refuse(compile, value, "a schema is an object, true or false");
    }
    return node;
}

/* ---- the whole ---- */

static enum result compile_root(struct schema *schema, char *why)
{
    struct compile compile = { .schema = schema, .why = why, .result = OK };
    compile.nodes = mem_new(json_node_count(schema->doc) * sizeof(*compile.nodes));
    schema->root = compile_node(&compile, json_root(schema->doc));
    mem_free(compile.nodes);
    return compile.result;
}

enum result schema_compile(struct slice text, struct schema **out, char why[SCHEMA_WHY_SIZE])
{
    struct schema *schema = MEM_NEW(struct schema);
    struct json_error error;
    struct slice kept = arena_copy(&schema->arena, text);
    enum result rc = kept.data ? json_index(kept, &schema->doc, &error) : ERR_MEMORY;
    if (rc == ERR_INVALID)
        snprintf(why, SCHEMA_WHY_SIZE, "it is not valid JSON: %s at byte %zu", error.what, error.offset);
    if (rc == OK)
        rc = compile_root(schema, why);
    if (rc == ERR_MEMORY)
        snprintf(why, SCHEMA_WHY_SIZE, "not enough memory");
    if (rc == OK)
        *out = schema;
    else
        schema_free(schema);
    return rc;
}

void schema_free(struct schema *schema)
{
    if (!schema)
        return;
    for (struct pattern *pattern = schema->patterns; pattern; pattern = pattern->next)
        pcre2_code_free(pattern->code);
    json_free(schema->doc);
    arena_deinit(&schema->arena);
    mem_free(schema);
}
