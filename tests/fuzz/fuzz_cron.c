/* Times of cron in places of any file: nothing crashes, and the next time is after the one before, or never. The first byte says
 * where the expression ends. */
#include <stdint.h>
#include <stdlib.h>

#include "model/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TIMES = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = { 0 };
    struct zone zone = zone_utc;
    struct cron cron;
    char why[CRON_WHY_SIZE];
    if (size == 0)
        return 0;
    size_t text = data[0] < size ? data[0] : size - 1;
    bool damaged = zone_parse(slice_make((const char *)data + 1 + text, size - 1 - text), &arena, &zone) != OK;
    if (cron_parse(slice_make((const char *)data + 1, text), &cron, why) == OK) {
        int64_t at = 1795248000;
        for (int i = 0; i < TIMES && at != INT64_MAX; i++) {
            int64_t next = cron_next(&cron, damaged ? &zone_utc : &zone, at);
            if (next <= at)
                abort();
            at = next;
        }
    }
    arena_deinit(&arena);
    return 0;
}
