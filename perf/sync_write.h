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

// The least that a group commit can be: `count` commands come `interval_ns` apart, and what has come is written with
// one such write as soon as the one before it is done, `per_block` of them to each `bytes`. No ring, no other thread.
// ns from the time that a command was to come until it was durable to samples[0..count).
void sync_write_load(struct sync_write *sync, uint32_t interval_ns, uint32_t per_block, uint32_t *samples,
                     uint32_t count);

// Removes the file.
void sync_write_close(struct sync_write *sync);

// Keeps a core busy beside a measurement: a thread pinned to `cpu` that spins and yields until spinner_stop.
void spinner_start(unsigned cpu);
void spinner_stop(void);

// Pins the calling thread; ends the program when it can not.
void pin_self(unsigned cpu);

#endif
