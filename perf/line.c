// SPDX-License-Identifier: Apache-2.0
#include "perf/line.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <x86intrin.h>

static void pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    int problem = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    if (problem) {
        fprintf(stderr, "can not run on core %d: this measurement needs cores 0 and 1; see `taskset -p $$`\n", core);
        exit(EX_UNAVAILABLE);
    }
}

struct far {
    void (*run)(void *);
    void *argument;
};

static void *far_main(void *argument)
{
    struct far *far = argument;
    pin(PAIR_FAR_CORE);
    far->run(far->argument);
    return NULL;
}

void pair_run(void (*near)(void *), void (*far)(void *), void *argument)
{
    struct far other = {far, argument};
    pthread_t thread;
    pin(PAIR_NEAR_CORE);
    if (pthread_create(&thread, NULL, far_main, &other)) {
        fprintf(stderr, "can not start a second thread: raise `ulimit -u`\n");
        exit(EX_OSERR);
    }
    near(argument);
    pthread_join(thread, NULL);
}

struct bounce {
    _Alignas(128) _Atomic uint64_t word; // odd: on its way to the far side; even: on its way back
    char pad[120];
    uint32_t trips;
    uint32_t *samples;
};

static void bounce_near(void *argument)
{
    struct bounce *bounce = argument;
    uint64_t last = __rdtsc();
    for (uint32_t i = 0; i < bounce->trips; i++) {
        atomic_store_explicit(&bounce->word, 2 * (uint64_t)i + 1, memory_order_release);
        while (atomic_load_explicit(&bounce->word, memory_order_acquire) != 2 * (uint64_t)i + 2)
            spin_pause();
        uint64_t now = __rdtsc();
        bounce->samples[i] = (uint32_t)(now - last);
        last = now;
    }
}

static void bounce_far(void *argument)
{
    struct bounce *bounce = argument;
    for (uint32_t i = 0; i < bounce->trips; i++) {
        while (atomic_load_explicit(&bounce->word, memory_order_acquire) != 2 * (uint64_t)i + 1)
            spin_pause();
        atomic_store_explicit(&bounce->word, 2 * (uint64_t)i + 2, memory_order_release);
    }
}

void line_round_trips(uint32_t *samples, uint32_t trips)
{
    static struct bounce bounce;
    atomic_store(&bounce.word, 0);
    bounce.trips = trips;
    bounce.samples = samples;
    pair_run(bounce_near, bounce_far, &bounce);
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

uint32_t sample_at(uint32_t *samples, uint32_t count, double part)
{
    qsort(samples, count, sizeof *samples, compare_u32);
    return samples[(uint32_t)(part * (count - 1))];
}

static int compare_double(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

double median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, compare_double);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double tsc_ns(void)
{
    static double rate;
    if (rate > 0)
        return rate;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    uint64_t start = __rdtsc();
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    uint64_t counts = __rdtsc() - start;
    rate = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / (double)counts;
    return rate;
}
