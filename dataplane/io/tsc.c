// SPDX-License-Identifier: Apache-2.0
#include "io/tsc.h"

#include <time.h>
#include <x86intrin.h>

#define TRIES 16 // the one that was interrupted least counts

struct tsc_reading tsc_read(void)
{
    struct tsc_reading best = {0};
    uint64_t narrowest = UINT64_MAX;
    for (unsigned i = 0; i < TRIES; i++) {
        struct timespec now;
        uint64_t before = __rdtsc();
        clock_gettime(CLOCK_MONOTONIC, &now);
        uint64_t width = __rdtsc() - before;
        if (width >= narrowest)
            continue;
        narrowest = width;
        best.cycles = before + width / 2;
        best.ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    }
    return best;
}

uint64_t tsc_rate(struct tsc_reading from, struct tsc_reading to, uint64_t otherwise)
{
    uint64_t ns = to.ns - from.ns;
    if (to.ns <= from.ns || ns < TSC_MEASURE_NS || to.cycles <= from.cycles)
        return otherwise;
    return (uint64_t)(((unsigned __int128)(to.cycles - from.cycles) * 1000000000u + ns / 2) / ns);
}
