// SPDX-License-Identifier: Apache-2.0
// The client's clock: the time-stamp counter in nanoseconds, read without a call.
#ifndef CROSSWIRE_PERF_CLOCK_H
#define CROSSWIRE_PERF_CLOCK_H

#include <stdint.h>
#include <x86intrin.h>

// Finds out the counter's rate (takes 20 ms). Call once before clock_ns.
void clock_calibrate(void);

extern uint64_t clock_scale; // ns of one count, times 2^32
extern uint64_t clock_start; // counter at calibration

// Nanoseconds since calibration.
static inline uint64_t clock_ns(void)
{
    return (uint64_t)((unsigned __int128)(__rdtsc() - clock_start) * clock_scale >> 32);
}

// Gives up the core for a moment, when there is nothing to do. A scheduler may let a thread that yields a million times
// a second pay with seconds of waiting once somebody else wants the core; from then on it naps instead, for a while.
void clock_idle(void);

#endif
