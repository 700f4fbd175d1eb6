/* Any bytes as the header lines of an answer: every name and value lies inside, no name is empty, no value has a line end, and it
 * ends. Any bytes as stored records: refused, or they can be written again. */
#include <stdint.h>
#include <stdlib.h>

#include "model/fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WRITTEN_MAX = 1 << 20 };

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static bool lies_in(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void read_head(struct slice whole)
{
    struct slice head = whole, name, value;
    for (size_t left = whole.len; fetch_head_next(&head, &name, &value); left = head.len) {
        demand(head.len < left && name.len > 0 && lies_in(name, whole) && lies_in(value, whole));
        demand(!memchr(name.data, '\n', name.len) && (!value.len || !memchr(value.data, '\n', value.len)));
    }
    demand(head.len == 0);
}

static void read_records(struct slice whole)
{
    struct slice blob = whole;
    struct fetch_record record;
    struct buf again;
    buf_init(&again, WRITTEN_MAX);
    while (blob.len > 0 && fetch_record_read(&blob, &record) == OK) {
        buf_clear(&again);
        fetch_record_write(&record, &again);
        demand(lies_in(record.method, whole) && lies_in(record.url, whole) && attempt_error_name(record.error));
    }
    buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = { (const char *)data, size };
    read_head(bytes);
    read_records(bytes);
    return 0;
}
