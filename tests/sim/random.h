// SPDX-License-Identifier: Apache-2.0
// Random numbers of the simulator: one stream a subject, so that a change in one leaves the others as they were.
#ifndef CROSSWIRE_TESTS_SIM_RANDOM_H
#define CROSSWIRE_TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

// SplitMix64 (Steele, Lea, Flood 2014).
static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

// 0 .. below-1
static inline uint64_t random_below(struct random *random, uint64_t below)
{
    return (uint64_t)(((unsigned __int128)random_next(random) * below) >> 64);
}

static inline uint64_t random_between(struct random *random, uint64_t least, uint64_t most)
{
    return least + random_below(random, most - least + 1);
}

static inline bool random_chance(struct random *random, uint32_t of_a_million)
{
    return random_below(random, 1000000) < of_a_million;
}

#endif
