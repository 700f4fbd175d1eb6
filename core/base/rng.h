/* rng.h: numbers for jitter and hashing keys, seeded so that a test can predict them. Not for secrets. One thread each. */
#ifndef TIDEWIRE_RNG_H
#define TIDEWIRE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* xoshiro256**; source: Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021. */
struct rng {
    uint64_t state[4];
};

void rng_seed(struct rng *rng, uint64_t seed);
/* From the system's source of randomness. */
void rng_seed_random(struct rng *rng);
uint64_t rng_next(struct rng *rng);
/* Uniform over [0, bound); bound >= 1. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

#endif
