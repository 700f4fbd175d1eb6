/* schema.h: JSON Schema (json-schema.org, draft 2020-12): the keywords with which a document is judged by itself.
 * schema_compile.c makes the schema from its text, schema.c judges; the files beside them are what either needs.
 *
 *   type enum const · properties patternProperties additionalProperties required minProperties maxProperties
 *   items prefixItems minItems maxItems uniqueItems · minLength maxLength pattern · minimum maximum exclusiveMinimum
 *   exclusiveMaximum multipleOf · allOf anyOf oneOf not if then else · $ref inside the text
 *
 * A list as `items` is read as prefixItems with additionalItems (draft 7). Words that only describe (title, format, …) are read
 * over; other known keywords are refused, since a check that is silently left out is none. */
#ifndef TIDEWIRE_SCHEMA_H
#define TIDEWIRE_SCHEMA_H

#include "json/json.h"

enum {
    SCHEMA_WHY_SIZE = 320,
    SCHEMA_STEPS_MAX = 1000000, /* places looked at for one document, each time by each keyword */
    SCHEMA_DEPTH_MAX = 512,     /* schemas inside schemas, references followed */
};

struct schema;

/* The text is copied. ERR_INVALID: why says where in it (#/properties/id) and what; ERR_MEMORY. Any thread. */
enum result schema_compile(struct slice text, struct schema **out, char why[SCHEMA_WHY_SIZE]) MUST_CHECK;
void schema_free(struct schema *schema); /* NULL: nothing */
/* false: why names the first place that does not fit, as a path of rules ("body.items[1].sku"), and what is wanted there; or that
 * the document was too much work. Immutable: any thread, several at once. */
bool schema_holds(const struct schema *schema, struct json_value value, char why[SCHEMA_WHY_SIZE]);

#endif
