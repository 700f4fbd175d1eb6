#include "cli/yaml.h"

#include <ctype.h>
#include <stdio.h>
#include <yaml.h>

struct writer {
    yaml_document_t document;
    struct buf *out;
    char *why;
    enum result result;
};

static bool fail(struct writer *writer, enum result result, const yaml_node_t *node, const char *what)
{
    if (writer->result == OK)
        snprintf(writer->why, YAML_WHY_SIZE, "line %zu: %s", node->start_mark.line + 1, what);
    writer->result = result;
    return false;
}

/* ---- plain words (yaml.org, 1.2.2, 10.3.2) ---- */

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* As JSON writes numbers too: no leading zero or plus, no bare point. */
static bool is_number(const char *text)
{
    const char *at = text + (*text == '-');
    if (!isdigit((unsigned char)*at) || (at[0] == '0' && isdigit((unsigned char)at[1])))
        return false;
    while (isdigit((unsigned char)*at))
        at++;
    if (at[0] == '.' && isdigit((unsigned char)at[1]))
        for (at++; isdigit((unsigned char)*at);)
            at++;
    return *at == '\0';
}

static bool write_scalar(struct writer *writer, const yaml_node_t *node, bool is_key)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
    static const char *const truths[] = { "true", "True", "TRUE", NULL }, *const lies[] = { "false", "False", "FALSE", NULL };
    const char *text = (const char *)node->data.scalar.value;
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !is_key && strlen(text) == node->data.scalar.length;
    if (plain && is_one_of(text, nulls))
        buf_add_text(writer->out, "null");
    else if (plain && is_one_of(text, truths))
        buf_add_text(writer->out, "true");
    else if (plain && is_one_of(text, lies))
        buf_add_text(writer->out, "false");
    else if (plain && is_number(text))
        buf_add_text(writer->out, text);
    else
        buf_add_json_string(writer->out, slice_make(text, node->data.scalar.length));
    return true;
}

/* ---- nodes ---- */

static bool write_node(struct writer *writer, int id, int depth);

static bool write_list(struct writer *writer, const yaml_node_t *node, int depth)
{
    const yaml_node_item_t *first = node->data.sequence.items.start;
    buf_add_byte(writer->out, '[');
    for (const yaml_node_item_t *item = first; item < node->data.sequence.items.top; item++) {
        if (item != first)
            buf_add_byte(writer->out, ',');
        if (!write_node(writer, *item, depth + 1))
            return false;
    }
    buf_add_byte(writer->out, ']');
    return true;
}

static bool write_map(struct writer *writer, const yaml_node_t *node, int depth)
{
    const yaml_node_pair_t *first = node->data.mapping.pairs.start;
    buf_add_byte(writer->out, '{');
    for (const yaml_node_pair_t *pair = first; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&writer->document, pair->key);
        if (key->type != YAML_SCALAR_NODE)
            return fail(writer, ERR_INVALID, key, "a key is text");
        if (pair != first)
            buf_add_byte(writer->out, ',');
        (void)write_scalar(writer, key, true);
        buf_add_byte(writer->out, ':');
        if (!write_node(writer, pair->value, depth + 1))
            return false;
    }
    buf_add_byte(writer->out, '}');
    return true;
}

static bool write_node(struct writer *writer, int id, int depth)
{
    const yaml_node_t *node = yaml_document_get_node(&writer->document, id);
    if (depth > YAML_DEPTH_MAX)
        return fail(writer, ERR_LIMIT, node, "nested too deep, or an alias inside itself");
    if (!buf_ok(writer->out))
        return fail(writer, ERR_LIMIT, node, "too large when its aliases are written out");
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return write_scalar(writer, node, false);
    case YAML_SEQUENCE_NODE:
        return write_list(writer, node, depth);
    case YAML_MAPPING_NODE:
        return write_map(writer, node, depth);
    case YAML_NO_NODE:
        break;
    }
    return fail(writer, ERR_INVALID, node, "not understood");
}

enum result yaml_to_json(struct slice text, struct buf *out, char why[YAML_WHY_SIZE])
{
    yaml_parser_t parser;
    struct writer writer = { .out = out, .why = why, .result = OK };
    if (!yaml_parser_initialize(&parser))
        return ERR_MEMORY;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.len);
    if (!yaml_parser_load(&parser, &writer.document)) {
        snprintf(why, YAML_WHY_SIZE, "line %zu: %s", parser.problem_mark.line + 1,
                 parser.problem ? parser.problem : "not understood");
        writer.result = ERR_INVALID;
    } else {
        if (yaml_document_get_root_node(&writer.document))
            (void)write_node(&writer, 1, 1); /* the root is the first node */
        else
            buf_add_text(out, "null");
        if (writer.result == OK && !buf_ok(out)) {
            snprintf(why, YAML_WHY_SIZE, "too large when its aliases are written out");
            writer.result = ERR_LIMIT;
        }
        yaml_document_delete(&writer.document);
    }
    yaml_parser_delete(&parser);
    return writer.result;
}
