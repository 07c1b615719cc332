// SPDX-License-Identifier: Apache-2.0
// Two pinned threads and the floor of everything that they can tell each other: one cache line, there and back.
#ifndef CROSSWIRE_PERF_LINE_H
#define CROSSWIRE_PERF_LINE_H

#include <stdint.h>

// The two threads of the two-core layout.
enum { PAIR_NEAR_CORE = 0, PAIR_FAR_CORE = 1 };

// Runs `near` on core 0 (this thread) and `far` on core 1, both with `argument`, until both have returned. Ends the
// program when a thread can not be pinned.
void pair_run(void (*near)(void *), void (*far)(void *), void *argument);

// One hop of a spin: says to the core, not to the kernel, that this is a wait.
static inline void spin_pause(void)
{
    __builtin_ia32_pause();
}

// Times `trips` round trips of one cache line. Each is the TSC between two arrivals, written to samples[0..trips).
void line_round_trips(uint32_t *samples, uint32_t trips);

// The sample at `part` (0..1) of the distribution; reorders the samples.
uint32_t sample_at(uint32_t *samples, uint32_t count, double part);

// Nanoseconds of one TSC count, measured against the monotonic clock once.
double tsc_ns(void);

// Median of doubles; reorders them.
double median(double *values, unsigned count);

#endif
