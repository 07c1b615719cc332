// SPDX-License-Identifier: Apache-2.0
// TSC to nanoseconds: tsc * 1e9 / tsc_hz to the nanosecond (control computes its offset so), without a division.
#ifndef CROSSWIRE_CORES_CLOCK_H
#define CROSSWIRE_CORES_CLOCK_H

#include <stdint.h>

#define TSC_SHIFT 60

// The factor for tsc_ns; tsc_hz of 62.5 MHz and more.
static inline uint64_t tsc_factor(uint64_t tsc_hz)
{
    return (uint64_t)(((unsigned __int128)1000000000 << TSC_SHIFT) / tsc_hz);
}

static inline uint64_t tsc_ns(uint64_t tsc, uint64_t factor)
{
    return (uint64_t)(((unsigned __int128)tsc * factor) >> TSC_SHIFT);
}

// TSC cycles of an interval.
static inline uint64_t tsc_of_ms(uint64_t ms, uint64_t tsc_hz)
{
    return ms * (tsc_hz / 1000) + ms * (tsc_hz % 1000) / 1000;
}

#endif
