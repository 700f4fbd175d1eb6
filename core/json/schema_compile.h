/* schema_compile.h: a schema while it is made from its text. Private to schema_compile.c, schema_keywords.c, schema_reference.c
 * and schema_pattern.c.
 *
 * What fails says so in compile->result and returns false or NULL; after that nothing more is read. */
#ifndef TIDEWIRE_SCHEMA_COMPILE_H
#define TIDEWIRE_SCHEMA_COMPILE_H

#include "json/schema_inside.h"

struct compile {
    struct schema *schema;
    struct node **nodes; /* by the number of their place in the text; NULL: not seen yet */
    char *why;
    unsigned depth;
    enum result result;
};

/* The schema at a place of the text: one node, however often it is asked for. */
const struct node *compile_node(struct compile *compile, struct json_value value);
/* The text is wrong: says where and what, unless something was said before. false, to return it. */
bool compile_refuse(struct compile *compile, struct json_value at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Zeroed memory of the schema. */
void *compile_take(struct compile *compile, size_t size);
/* A string, or a key, without its escapes: in the text, or in memory of the schema. */
bool compile_decode(struct compile *compile, struct slice raw, bool escaped, struct slice *out);
bool compile_text(struct compile *compile, struct json_value string, struct slice *out);
/* A keyword of that kind, behind those that the node has; what it wants is still to be filled in. */
struct keyword *compile_add(struct compile *compile, struct node *node, enum keyword_kind kind);

/* schema_keywords.c: what an object says, as keywords of the node */
bool compile_keywords(struct compile *compile, struct node *node, struct json_value object);
/* schema_reference.c: the schema that $ref names */
const struct node *compile_reference(struct compile *compile, struct json_value at);
/* schema_pattern.c. at: for what is said of one that is wrong */
const struct pattern *compile_pattern(struct compile *compile, struct json_value at, struct slice text);

#endif
