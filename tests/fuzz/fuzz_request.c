/* Any bytes, cut anywhere: the same outcome, and never a read past what was given. The first byte says where to cut. */
#include <stdint.h>
#include <stdlib.h>

#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_BODY = 4096 };

static size_t run(struct request *request, const char *bytes, size_t len, size_t cut)
{
    size_t at = 0;
    while (at < len && request->state < REQUEST_DONE) {
        size_t end = at < cut ? cut : len;
        enum request_state before = request->state;
        size_t used = request_feed(request, bytes + at, end - at);
        if (used > end - at || (used == 0 && request->state == before))
            abort();
        at += used;
        if (before == REQUEST_HEAD && request->state == REQUEST_BODY)
            request_allow(request, MAX_BODY);
    }
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request whole, cut;
    if (size < 2)
        return 0;
    const char *bytes = (const char *)data + 2;
    size_t len = size - 2, place = (size_t)(data[0] | data[1] << 8) % (len + 1);
    request_init(&whole, NULL);
    request_init(&cut, NULL);
    size_t used_whole = run(&whole, bytes, len, 0), used_cut = run(&cut, bytes, len, place);
    if (whole.state != cut.state)
        abort();
    if (whole.state == REQUEST_DONE &&
        (used_whole != used_cut || !slice_eq(whole.body, cut.body) || !slice_eq(whole.path, cut.path)))
        abort();
    request_deinit(&whole);
    request_deinit(&cut);
    return 0;
}
