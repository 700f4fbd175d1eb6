/* uuid.h: ids. UUID version 7 (RFC 9562, 5.7) for what we store, version 4 for rules. */
#ifndef TIDEWIRE_UUID_H
#define TIDEWIRE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/slice.h"

struct uuid {
    uint8_t bytes[16];
};

enum { UUID_TEXT_SIZE = 37 }; /* 36 characters and a zero */

/* Makes ids that never decrease, also when the clock steps back: one maker per worker, used by its thread only. */
struct uuid_maker {
    uint64_t last_ms;
    uint16_t sequence; /* the 12 bits behind the time, counted up within one millisecond */
    struct rng rng;
};

void uuid_maker_init(struct uuid_maker *maker);
struct uuid uuid_v7(struct uuid_maker *maker, uint64_t wall_ms);
struct uuid uuid_v4(struct rng *rng);
void uuid_format(struct uuid id, char out[UUID_TEXT_SIZE]);
/* Accepts the 36 character form in any letter case. */
bool uuid_parse(struct slice text, struct uuid *out);
static inline bool uuid_eq(struct uuid a, struct uuid b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}
static inline bool uuid_is_nil(struct uuid a)
{
    return uuid_eq(a, (struct uuid){ { 0 } });
}

#endif
