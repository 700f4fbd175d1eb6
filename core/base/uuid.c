#include "base/uuid.h"

static void put_random(struct uuid *id, struct rng *rng, int from)
{
    for (int i = from; i < 16; i += 8) {
        uint64_t bits = rng_next(rng);
        for (int j = i; j < 16 && j < i + 8; j++, bits >>= 8)
            id->bytes[j] = (uint8_t)bits;
    }
}

static void put_version(struct uuid *id, int version)
{
    id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0F) | version << 4);
    id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3F) | 0x80);
}

void uuid_maker_init(struct uuid_maker *maker)
{
    maker->last_ms = 0;
    maker->sequence = 0;
    rng_seed_random(&maker->rng);
}

struct uuid uuid_v7(struct uuid_maker *maker, uint64_t wall_ms)
{
    struct uuid id;
    if (wall_ms > maker->last_ms) {
        maker->last_ms = wall_ms;
        maker->sequence = (uint16_t)(rng_next(&maker->rng) & 0x7FF); /* the upper half is left for counting */
    } else if (++maker->sequence > 0xFFF) {
        maker->last_ms++;
        maker->sequence = 0;
    }
    put_random(&id, &maker->rng, 8);
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(maker->last_ms >> (40 - 8 * i));
    id.bytes[6] = (uint8_t)(maker->sequence >> 8);
    id.bytes[7] = (uint8_t)maker->sequence;
    put_version(&id, 7);
    return id;
}

struct uuid uuid_v4(struct rng *rng)
{
    struct uuid id;
    put_random(&id, rng, 0);
    put_version(&id, 4);
    return id;
}

void uuid_format(struct uuid id, char out[UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[id.bytes[i] >> 4];
        *out++ = digits[id.bytes[i] & 15];
    }
    *out = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool uuid_parse(struct slice text, struct uuid *out)
{
    if (text.len != UUID_TEXT_SIZE - 1)
        return false;
    const char *p = text.data;
    for (int i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
            return false;
        int high = hex_digit(p[0]), low = hex_digit(p[1]);
        if (high < 0 || low < 0)
            return false;
        out->bytes[i] = (uint8_t)(high << 4 | low);
        p += 2;
    }
    return true;
}
