// SPDX-License-Identifier: Apache-2.0
// The floor of durable latency: one outstanding 4 KiB O_DIRECT write with RWF_DSYNC into pre-written space, both cores
// busy. The better of pwritev2 and io_uring counts, so that no ratio looks good by a slow floor.
//
//   floor_sync DIRECTORY [count] [--json]
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "perf/clock.h"
#include "perf/line.h"
#include "perf/sync_write.h"

enum { ROUNDS = 5, COUNT_DEFAULT = 1000, COUNT_MAX = 100000, BLOCK = 4096 };

int main(int argc, char **argv)
{
    const char *directory = NULL;
    bool json = false;
    int count = COUNT_DEFAULT;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (!directory)
            directory = argv[i];
        else
            count = atoi(argv[i]);
    }
    if (!directory || count < 10 || count > COUNT_MAX) {
        fprintf(stderr, "usage: %s DIRECTORY [count, 10 to %d] [--json]\n", argv[0], COUNT_MAX);
        return EX_USAGE;
    }
    uint32_t *samples = calloc((size_t)count, sizeof *samples);
    double p50[ROUNDS] = {0}, p99[ROUNDS] = {0};
    clock_calibrate();
    pin_self(PAIR_FAR_CORE);
    struct sync_write *sync = sync_write_open(directory, BLOCK);
    spinner_start(PAIR_NEAR_CORE);
    for (int round = 0; round < ROUNDS; round++) {
        for (int by_uring = 0; by_uring < 2; by_uring++) {
            sync_write_time(sync, by_uring, samples, (uint32_t)count);
            double middle = sample_at(samples, (uint32_t)count, 0.50), tail = sample_at(samples, (uint32_t)count, 0.99);
            if (by_uring == 0 || middle < p50[round]) {
                p50[round] = middle;
                p99[round] = tail;
            }
        }
    }
    spinner_stop();
    sync_write_close(sync);
    free(samples);
    const double middle = median(p50, ROUNDS), tail = median(p99, ROUNDS);
    if (json)
        printf("[{\"name\":\"sync.p50\",\"value\":%.0f,\"unit\":\"ns\",\"floor\":null,\"min\":%.0f,\"max\":%.0f,"
               "\"rounds\":%d},\n {\"name\":\"sync.p99\",\"value\":%.0f,\"unit\":\"ns\",\"floor\":null,\"min\":%.0f,"
               "\"max\":%.0f,\"rounds\":%d}]\n",
               middle, p50[0], p50[ROUNDS - 1], ROUNDS, tail, p99[0], p99[ROUNDS - 1], ROUNDS);
    else
        printf("synced 4 KiB write: p50 %.1f us (%.1f to %.1f), p99 %.1f us, %d rounds of %d\n", middle / 1e3,
               p50[0] / 1e3, p50[ROUNDS - 1] / 1e3, tail / 1e3, ROUNDS, count);
    return 0;
}
