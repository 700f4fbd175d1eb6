/* schema_compile.c: from the text of a schema to its nodes. A place of the text becomes one node, however often it is referred
 * to; so references may go round. */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "json/schema_compile.h"

/* ---- what the keywords need ---- */

bool compile_refuse(struct compile *compile, struct json_value at, const char *format, ...)
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

void *compile_take(struct compile *compile, size_t size)
{
    void *memory = arena_alloc(&compile->schema->arena, size ? size : 1);
    if (!memory && compile->result == OK)
        compile->result = ERR_MEMORY;
    return memory;
}

bool compile_decode(struct compile *compile, struct slice raw, bool escaped, struct slice *out)
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

bool compile_text(struct compile *compile, struct json_value string, struct slice *out)
{
    bool escaped;
    struct slice raw = json_string(string, &escaped);
    return compile_decode(compile, raw, escaped, out);
}

struct keyword *compile_add(struct compile *compile, struct node *node, enum keyword_kind kind)
{
    struct keyword *keyword = compile_take(compile, sizeof(*keyword)), **end = &node->keywords;
    if (!keyword)
        return NULL;
    keyword->kind = kind;
    while (*end)
        end = &(*end)->next;
    return *end = keyword;
}

/* ---- nodes ---- */

const struct node *compile_node(struct compile *compile, struct json_value value)
{
    struct node *node = compile->nodes[value.node];
    if (node || compile->result != OK)
        return node;
    node = compile->nodes[value.node] = compile_take(compile, sizeof(*node));
    if (!node)
        return NULL;
    if (json_type(value) == JSON_FALSE) {
        (void)compile_add(compile, node, KEYWORD_NEVER);
    } else if (json_type(value) == JSON_OBJECT && ++compile->depth > SCHEMA_DEPTH_MAX) {
        compile_refuse(compile, value, "schemas inside schemas, deeper than %d", SCHEMA_DEPTH_MAX);
    } else if (json_type(value) == JSON_OBJECT) {
        (void)compile_keywords(compile, node, value);
        compile->depth--;
    } else if (json_type(value) != JSON_TRUE) {
        compile_refuse(compile, value, "a schema is an object, true or false");
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
