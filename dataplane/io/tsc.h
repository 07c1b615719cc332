// SPDX-License-Identifier: Apache-2.0
// How fast the TSC runs, measured against the kernel's clock. EAL rounds its own measurement to 10 MHz: on a CPU of
// 2,494.14 MHz the day's time would run away by more than two minutes.
#ifndef CROSSWIRE_IO_TSC_H
#define CROSSWIRE_IO_TSC_H

#include <stdint.h>

#define TSC_MEASURE_NS UINT64_C(100000000) // between two readings: the error stays near a millionth

struct tsc_reading {
    uint64_t cycles;
    uint64_t ns; // CLOCK_MONOTONIC, which follows the machine's time service
};

// Both clocks at one moment.
struct tsc_reading tsc_read(void);

// Cycles a second between two readings; `otherwise` when too little time lies between them.
uint64_t tsc_rate(struct tsc_reading from, struct tsc_reading to, uint64_t otherwise);

#endif
