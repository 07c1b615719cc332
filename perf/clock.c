// SPDX-License-Identifier: Apache-2.0
#include "perf/clock.h"

#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

uint64_t clock_scale = UINT64_C(1) << 32;
uint64_t clock_start;

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void clock_calibrate(void)
{
    uint64_t began = monotonic_ns(), first = __rdtsc(), now;
    while ((now = monotonic_ns()) - began < 20000000u)
        _mm_pause();
    uint64_t counts = __rdtsc() - first;
    clock_scale = (uint64_t)(((unsigned __int128)(now - began) << 32) / counts);
    clock_start = first;
}

bool clock_yields;

void clock_idle(void)
{
    enum { NAP_NS = 5000 }; // much less, and the kernel finds it over before it has given the core away
    static bool keen;
    if (clock_yields) {
        sched_yield();
        return;
    }
    if (!keen)
        keen = prctl(PR_SET_TIMERSLACK, 1) == 0;
    nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}
