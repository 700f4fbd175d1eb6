#include "model/delivery.h"

enum { SHARDS = 65536 };

void delivery_give_shards(struct new_delivery *list, uint32_t worker, uint32_t workers)
{
    for (struct new_delivery *delivery = list; delivery; delivery = delivery->next) {
        uint32_t drawn = (uint32_t)(delivery->id.bytes[14] << 8 | delivery->id.bytes[15]);
        uint32_t shard = drawn / workers * workers + worker;
        delivery->shard = (uint16_t)(shard < SHARDS ? shard : worker);
    }
}
