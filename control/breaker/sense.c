// SPDX-License-Identifier: Apache-2.0
// What the system says of clock and disk.
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>

#include "control/breaker/breakers.h"

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void breakers_sense(const struct config *config, struct senses *senses)
{
    struct timex clock = {.modes = 0}; // to be told, not to change anything
    struct statvfs volume;
    int64_t before = read_ns(CLOCK_MONOTONIC), wall = read_ns(CLOCK_REALTIME), after = read_ns(CLOCK_MONOTONIC);
    senses->now_ns = (uint64_t)after;
    senses->wall_ahead_ns = wall - before - (after - before) / 2;
    senses->clock_known = adjtimex(&clock) >= 0;
    senses->clock_error_us = clock.status & STA_UNSYNC ? UINT64_MAX : (uint64_t)clock.maxerror;
    senses->disk_known = statvfs(config->journal_directory, &volume) == 0;
    senses->disk_free_mb = senses->disk_known ? (uint64_t)volume.f_bavail * volume.f_frsize >> 20 : 0;
}
