// SPDX-License-Identifier: Apache-2.0
// The kernel's clocks as numbers, for what is not pinned. The pinned cores read the TSC.
#ifndef CROSSWIRE_CONTRACT_MONOTONIC_H
#define CROSSWIRE_CONTRACT_MONOTONIC_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// ns since an unspecified moment; never runs backwards.
static inline uint64_t monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

// ns since 1970-01-01 UTC, as the host has it; may be set back and forth.
static inline uint64_t unix_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

#endif
