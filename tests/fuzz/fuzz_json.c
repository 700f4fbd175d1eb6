/* Any bytes: the index refuses them with a place inside, or every value can be reached and its bytes index again to the same. */
#include <stdint.h>
#include <stdlib.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct json_value value, struct buf *scratch)
{
    uint32_t children = 0;
    for (struct json_value child = json_first(value); child.doc; child = json_next(child)) {
        children++;
        if (json_type(value) == JSON_OBJECT) {
            bool escaped;
            struct slice key = json_key(child, &escaped);
            buf_clear(scratch);
            json_unescape(key, scratch);
            if (!buf_ok(scratch) || scratch->len > key.len || !json_string_is(key, escaped, buf_slice(scratch)))
                abort();
        }
        walk(child, scratch);
    }
    if (children != json_count(value))
        abort();
    if (json_type(value) == JSON_NUMBER)
        (void)json_number(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_doc *doc, *again;
    struct json_error error;
    struct slice text = { (const char *)data, size };
    if (json_index(text, &doc, &error) != OK) {
        if (error.offset > size || !error.what)
            abort();
        return 0;
    }
    struct buf scratch;
    buf_init(&scratch, size + 1);
    walk(json_root(doc), &scratch);
    if (json_index(json_text(json_root(doc)), &again, &error) != OK)
        abort();
    if (json_count(json_root(doc)) != json_count(json_root(again)))
        abort();
    buf_deinit(&scratch);
    json_free(again);
    json_free(doc);
    return 0;
}
