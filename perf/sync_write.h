// SPDX-License-Identifier: Apache-2.0
// The floor of everything durable: one outstanding O_DIRECT write with RWF_DSYNC into pre-written space.
#ifndef CROSSWIRE_PERF_SYNC_WRITE_H
#define CROSSWIRE_PERF_SYNC_WRITE_H

#include <stdint.h>

struct sync_write;

// Makes and pre-writes a file in `directory`, for writes of `bytes` (a multiple of 4096) each. Ends the program on
// failure.
struct sync_write *sync_write_open(const char *directory, uint32_t bytes);

// Times `count` writes, one after the other, in the calling thread; ns of each to samples[0..count). `by_uring`:
// through io_uring with registered buffer and file, else pwritev2. Ends the program when a write fails.
void sync_write_time(struct sync_write *sync, int by_uring, uint32_t *samples, uint32_t count);

// Removes the file.
void sync_write_close(struct sync_write *sync);

// Keeps a core busy beside a measurement: a thread pinned to `cpu` that spins and yields until spinner_stop.
void spinner_start(unsigned cpu);
void spinner_stop(void);

// Pins the calling thread; ends the program when it can not.
void pin_self(unsigned cpu);

#endif
