#include "store/sieve.h"

#include <string.h>

#include "base/mem.h"

enum { BITS_A_HASH = 10, LOOKS = 5, BLOCK_BITS = 512, WORD_BITS = 64, PLACE_BITS = 9, BLOCKS_MAX = (128 << 10) / 64 };

struct block {
    uint64_t words[BLOCK_BITS / WORD_BITS];
};

struct sieve {
    size_t room, added;
    uint32_t count;
    struct block blocks[];
};

struct sieve *sieve_new(size_t room)
{
    size_t count = room < (size_t)BLOCKS_MAX * BLOCK_BITS / BITS_A_HASH ? room * BITS_A_HASH / BLOCK_BITS + 1 : BLOCKS_MAX;
    struct sieve *sieve = mem_alloc(sizeof(*sieve) + count * sizeof(struct block));
    if (!sieve)
        return NULL;
    sieve->room = room;
    sieve->added = 0;
    sieve->count = (uint32_t)count;
    memset(sieve->blocks, 0, count * sizeof(struct block));
    return sieve;
}

void sieve_free(struct sieve *sieve)
{
    mem_free(sieve);
}

/* The last four bytes choose the block; eight in the middle, nine bits each, the places in it. */
static uint32_t block_of(const struct sieve *sieve, const uint8_t hash[16])
{
    uint32_t number;
    memcpy(&number, hash + 12, sizeof(number));
    return (uint32_t)(((uint64_t)number * sieve->count) >> 32);
}

static uint64_t places_of(const uint8_t hash[16])
{
    uint64_t places;
    memcpy(&places, hash + 4, sizeof(places));
    return places;
}

void sieve_add(struct sieve *sieve, const uint8_t hash[16])
{
    uint64_t *words = sieve->blocks[block_of(sieve, hash)].words, places = places_of(hash);
    sieve->added++;
    for (int i = 0; i < LOOKS; i++, places >>= PLACE_BITS) {
        unsigned place = places % BLOCK_BITS;
        words[place / WORD_BITS] |= 1ull << (place % WORD_BITS);
    }
}

bool sieve_is_full(const struct sieve *sieve, size_t more)
{
    return sieve->added + more > sieve->room;
}

bool sieve_may_hold(const struct sieve *sieve, const uint8_t hash[16])
{
    if (!sieve)
        return true;
    const uint64_t *words = sieve->blocks[block_of(sieve, hash)].words;
    uint64_t places = places_of(hash);
    for (int i = 0; i < LOOKS; i++, places >>= PLACE_BITS) {
        unsigned place = places % BLOCK_BITS;
        if (!(words[place / WORD_BITS] >> (place % WORD_BITS) & 1))
            return false;
    }
    return true;
}
