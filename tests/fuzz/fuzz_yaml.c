/* Any bytes: refused with a reason, or made JSON that indexes. */
#include <stdint.h>
#include <stdlib.h>

#include "cli/yaml.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[YAML_WHY_SIZE] = "";
    struct json_doc *doc = NULL;
    struct json_error error;
    struct buf out;
    buf_init(&out, 1 << 20);
    if (yaml_to_json(slice_make((const char *)data, size), &out, why) != OK) {
        if (!why[0])
            abort();
    } else if (json_index(buf_slice(&out), &doc, &error) != OK) {
        abort();
    }
    json_free(doc);
    buf_deinit(&out);
    return 0;
}
