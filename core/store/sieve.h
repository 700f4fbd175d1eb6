/* sieve.h: a set of hashes that answers "surely not" or "perhaps", in ten bits for each: a Bloom filter cut into blocks, so that
 * an answer costs one look at memory. The hashes have to be random in all their bits but the first eight. Pure.
 * Source: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007. */
#ifndef TIDEWIRE_SIEVE_H
#define TIDEWIRE_SIEVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sieve;

/* For so many: when it is full about one in 100 others is "perhaps". It takes at most 128 KB: for more than 100,000 that number
 * grows. NULL: no memory. */
struct sieve *sieve_new(size_t room);
void sieve_free(struct sieve *sieve); /* NULL is fine */
void sieve_add(struct sieve *sieve, const uint8_t hash[16]);
/* Would more than its room be in it? Nothing leaves it. */
bool sieve_is_full(const struct sieve *sieve, size_t more);
/* NULL: perhaps. */
bool sieve_may_hold(const struct sieve *sieve, const uint8_t hash[16]);

#endif
