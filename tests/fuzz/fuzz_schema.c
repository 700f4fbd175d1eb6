/* Any bytes, the first line a schema and the rest a document: judging ends, and says why when it does not hold. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *end = size ? memchr(text, '\n', size) : NULL;
    struct schema *schema = NULL;
    struct json_doc *doc = NULL;
    struct json_error error;
    char why[SCHEMA_WHY_SIZE] = "";
    size_t first = end ? (size_t)(end - text) : size;
    if (schema_compile(slice_make(text, first), &schema, why) != OK) {
        if (!why[0])
            abort();
        return 0;
    }
    if (end && json_index(slice_make(end + 1, size - first - 1), &doc, &error) == OK) {
        if (!schema_holds(schema, json_root(doc), why) && !why[0])
            abort();
        json_free(doc);
    }
    schema_free(schema);
    return 0;
}
