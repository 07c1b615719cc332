// SPDX-License-Identifier: Apache-2.0
// The client's clock: the time-stamp counter in nanoseconds, read without a call.
#ifndef CROSSWIRE_PERF_CLOCK_H
#define CROSSWIRE_PERF_CLOCK_H

#include <stdbool.h>
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

// When there is nothing to do: a short real sleep, some 8 us in all; sched_yield with clock_yields, which is quicker
// and starves the kernel's disk workers unless all run in the root scheduling group (control/journal/thread.c says
// more).
extern bool clock_yields;
void clock_idle(void);

#endif
