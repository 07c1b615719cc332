// SPDX-License-Identifier: Apache-2.0
// What a breaker costs: allowed while closed with the outcome counted by the thread, and the shared guard, alone and
// against a second thread at the same breaker.
//
//   bench_breaker [--json] [rounds]
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <x86intrin.h>

#include "contract/breaker.h"
#include "contract/ring.h"
#include "perf/line.h"

enum { TURNS = 4000000, ROUNDS_MAX = 100, FLUSH = 4096 };

static struct {
    struct breaker breaker;
    char pad[CACHE_PAIR - sizeof(struct breaker)];
    _Atomic uint32_t arrived;
    double ns[2]; // a turn, of each thread
} shared __attribute__((aligned(CACHE_PAIR)));

static const struct breaker_settings settings = {.failures = 100,
                                                 .consecutive = 5,
                                                 .ratio_percent = 50,
                                                 .samples = 100,
                                                 .window_ms = 1000,
                                                 .tokens = 4,
                                                 .recovery_ms = 1000,
                                                 .quiet_ms = 60000,
                                                 .level_most = 6};

static void must_be_closed(void)
{
    struct breaker_view view;
    breaker_look(&shared.breaker, &view);
    xw_assert(view.state == BREAKER_CLOSED && view.since_ns == 0 && view.outcomes > 0);
}

static double per_turn(uint64_t counts)
{
    return (double)counts * tsc_ns() / TURNS;
}

static void closed(void *argument)
{
    struct breaker_local local = {0};
    uint64_t now_ns = 1, start = __rdtsc();
    (void)argument;
    for (uint32_t i = 0; i < TURNS; i++, now_ns += 20) {
        breaker_permit permit = breaker_allow(&shared.breaker, now_ns);
        if (!permit)
            abort();
        __asm__ volatile("" ::: "memory"); // what is guarded
        breaker_done(&shared.breaker, &local, permit, true, now_ns);
        if (i % FLUSH == 0)
            breaker_flush(&shared.breaker, &local, now_ns);
    }
    shared.ns[0] = per_turn(__rdtsc() - start);
}

// One guarded turn; out of line, as where it is used.
__attribute__((noinline)) static bool guarded(const uint64_t *clock)
{
    BREAKER_GUARD(guard, &shared.breaker, clock);
    if (!guard.permit)
        return false;
    __asm__ volatile("" ::: "memory");
    guard.good = true;
    return true;
}

// The clock goes so fast that no window is full: each turn writes it.
static double guard_turns(void)
{
    uint64_t now_ns = 1, start = __rdtsc();
    for (uint32_t i = 0; i < TURNS; i++, now_ns += UINT64_C(5) << 20)
        if (!guarded(&now_ns))
            abort();
    return per_turn(__rdtsc() - start);
}

static void guard_near(void *argument)
{
    const bool two = argument != NULL;
    if (two) {
        atomic_fetch_add(&shared.arrived, 1);
        while (atomic_load(&shared.arrived) < 2)
            spin_pause();
    }
    shared.ns[0] = guard_turns();
}

static void guard_far(void *argument)
{
    (void)argument;
    atomic_fetch_add(&shared.arrived, 1);
    while (atomic_load(&shared.arrived) < 2)
        spin_pause();
    shared.ns[1] = guard_turns();
}

static void nobody(void *argument)
{
    (void)argument;
}

enum value { CLOSED_NS, GUARD_NS, GUARD_TWO_NS, VALUES };

static const char *const names[VALUES] = {"breaker.closed_ns", "breaker.guard_ns", "breaker.guard_two_threads_ns"};

static void measure(double round[VALUES])
{
    breaker_init(&shared.breaker, &settings);
    pair_run(closed, nobody, NULL);
    must_be_closed();
    round[CLOSED_NS] = shared.ns[0];
    breaker_init(&shared.breaker, &settings);
    pair_run(guard_near, nobody, NULL);
    must_be_closed();
    round[GUARD_NS] = shared.ns[0];
    breaker_init(&shared.breaker, &settings);
    atomic_store(&shared.arrived, 0);
    pair_run(guard_near, guard_far, &shared);
    must_be_closed();
    round[GUARD_TWO_NS] = (shared.ns[0] + shared.ns[1]) / 2;
}

int main(int count, char **arguments)
{
    static double all[VALUES][ROUNDS_MAX];
    bool json = count > 1 && strcmp(arguments[1], "--json") == 0;
    int rounds = count > 1 + json ? atoi(arguments[1 + json]) : 5;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: %s [--json] [rounds, 1 to %d]\n", arguments[0], ROUNDS_MAX);
        return EX_USAGE;
    }
    for (int i = -1; i < rounds; i++) { // the first one warms up
        double round[VALUES];
        measure(round);
        for (int value = 0; i >= 0 && value < VALUES; value++)
            all[value][i] = round[value];
    }
    for (int i = 0; i < VALUES; i++) {
        double middle = median(all[i], (unsigned)rounds);
        if (json)
            printf("{\"name\":\"%s\",\"value\":%.3f,\"unit\":\"ns\",\"floor\":null,\"min\":%.3f,\"max\":%.3f,"
                   "\"rounds\":%d}\n",
                   names[i], middle, all[i][0], all[i][rounds - 1], rounds);
        else
            printf("%-32s %8.3f ns (%.3f to %.3f)\n", names[i], middle, all[i][0], all[i][rounds - 1]);
    }
    return 0;
}
