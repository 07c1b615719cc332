// SPDX-License-Identifier: Apache-2.0
// The floor of every hand-over between the two cores: one cache line written there and back by two pinned threads.
//
//   floor_line [--json] [rounds]
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "perf/line.h"

enum { TRIPS = 200000, ROUNDS_MAX = 100 };

int main(int count, char **arguments)
{
    static uint32_t samples[TRIPS];
    double p50[ROUNDS_MAX], p99[ROUNDS_MAX];
    bool json = count > 1 && strcmp(arguments[1], "--json") == 0;
    int rounds = count > 1 + json ? atoi(arguments[1 + json]) : 5;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: %s [--json] [rounds, 1 to %d]\n", arguments[0], ROUNDS_MAX);
        return EX_USAGE;
    }
    line_round_trips(samples, TRIPS / 4); // warm
    for (int i = 0; i < rounds; i++) {
        line_round_trips(samples, TRIPS);
        p50[i] = sample_at(samples, TRIPS, 0.50) * tsc_ns();
        p99[i] = sample_at(samples, TRIPS, 0.99) * tsc_ns();
    }
    const double middle = median(p50, (unsigned)rounds), tail = median(p99, (unsigned)rounds);
    if (json)
        printf(
            "[{\"name\":\"line.rtt_p50\",\"value\":%.1f,\"unit\":\"ns\",\"floor\":null,\"min\":%.1f,\"max\":%.1f,"
            "\"rounds\":%d},\n {\"name\":\"line.rtt_p99\",\"value\":%.1f,\"unit\":\"ns\",\"floor\":null,\"min\":%.1f,"
            "\"max\":%.1f,\"rounds\":%d}]\n",
            middle, p50[0], p50[rounds - 1], rounds, tail, p99[0], p99[rounds - 1], rounds);
    else
        printf("cache line there and back: p50 %.0f ns (%.0f to %.0f), p99 %.0f ns, %d rounds of %d\n", middle, p50[0],
               p50[rounds - 1], tail, rounds, TRIPS);
    return 0;
}
