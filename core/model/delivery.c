#include "model/delivery.h"

enum { SHARDS = 65536 };

/* FNV-1a, 32 bits: draft-eastlake-fnv */
static uint32_t add_hash(uint32_t hash, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619u;
    return hash;
}

static uint16_t shard_of_key(const struct new_delivery *delivery)
{
    uint32_t hash = add_hash(add_hash(2166136261u, delivery->target), delivery->order_key);
    return (uint16_t)(hash ^ hash >> 16);
}

void delivery_give_shards(struct new_delivery *list, uint32_t worker, uint32_t workers)
{
    for (struct new_delivery *delivery = list; delivery; delivery = delivery->next) {
        if (delivery->order_key.len > 0) {
            delivery->shard = shard_of_key(delivery);
            continue;
        }
        uint32_t drawn = (uint32_t)(delivery->id.bytes[14] << 8 | delivery->id.bytes[15]);
        uint32_t shard = drawn / workers * workers + worker;
        delivery->shard = (uint16_t)(shard < SHARDS ? shard : worker);
    }
}
