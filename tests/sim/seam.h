// SPDX-License-Identifier: Apache-2.0
// Included before everything else in the production sources that the simulator is built of (-include): every access to
// an atomic becomes a point where the simulator may switch to another thread or kill the process, and the time stamp
// counter is the simulated one. What the sources call of the system is renamed at the link (calls.txt).
#ifndef CROSSWIRE_TESTS_SIM_SEAM_H
#define CROSSWIRE_TESTS_SIM_SEAM_H

#include <stdatomic.h>
#include <stdint.h>

extern int sim_fuel;
void sim_preempt(void);
uint64_t sim_rdtsc(void);

static inline void sim_point(void)
{
    if (__builtin_expect(--sim_fuel <= 0, 0))
        sim_preempt();
}

// What the compilers' own headers make __rdtsc of; those headers are too long to be read before every source.
#define __builtin_ia32_rdtsc sim_rdtsc

#undef atomic_load_explicit
#undef atomic_store_explicit
#ifdef __clang__ // whose __atomic_load takes no _Atomic
#define atomic_load_explicit(at, order) (sim_point(), __c11_atomic_load((at), (order)))
#define atomic_store_explicit(at, value, order) (sim_point(), __c11_atomic_store((at), (value), (order)))
#else
#define atomic_load_explicit(at, order)          \
    __extension__({                              \
        sim_point();                             \
        __typeof__(at) sim_at = (at);            \
        __typeof__((void)0, *sim_at) sim_it;     \
        __atomic_load(sim_at, &sim_it, (order)); \
        sim_it;                                  \
    })
#define atomic_store_explicit(at, value, order)        \
    __extension__({                                    \
        sim_point();                                   \
        __typeof__(at) sim_at = (at);                  \
        __typeof__((void)0, *sim_at) sim_it = (value); \
        __atomic_store(sim_at, &sim_it, (order));      \
    })
#endif

#endif
