// SPDX-License-Identifier: Apache-2.0
// Commands in memory through the engine alone, as its benchmarks do it.
#ifndef CROSSWIRE_PERF_ENGINE_BATCH_H
#define CROSSWIRE_PERF_ENGINE_BATCH_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "contract/assert.h"
#include "engine/engine.h"
#include "perf/engine_stream.h"

#define BATCH 1024
#define BATCH_EVENTS 65536

// Memory for an engine or its events, on huge pages where there are some.
static inline void *batch_memory(size_t size)
{
    const size_t huge = (size_t)2 << 20;
    size = (size + huge - 1) / huge * huge;
    void *memory = aligned_alloc(huge, size);
    xw_assert(memory);
    madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

// One command to its end. Returns how many events it has made.
static inline unsigned batch_step(struct engine *engine, const struct command *c, struct event *events)
{
    unsigned count = engine_step(engine, c, events);
    while (__builtin_expect(engine_unfinished(engine), 0))
        count += engine_continue(engine, events + count);
    return count;
}

// The pointers to a batch, as engine_look_ahead wants them.
struct batch_burst {
    struct command *pointers[ENGINE_AHEAD_BEFORE + BATCH + ENGINE_AHEAD_BEHIND];
};

static inline void batch_point(struct batch_burst *burst, struct command *commands, unsigned count)
{
    memset(burst, 0, sizeof *burst);
    for (unsigned i = 0; i < count; i++)
        burst->pointers[ENGINE_AHEAD_BEFORE + i] = &commands[i];
}

// A batch as the matcher steps it. Returns how many events.
static inline unsigned batch_run(struct engine *engine, const struct batch_burst *burst, unsigned count,
                                 struct event *events)
{
    struct command *const *commands = &burst->pointers[ENGINE_AHEAD_BEFORE];
    const struct command *const *pointers = (const struct command *const *)burst->pointers;
    struct event *end = events;
    struct engine_ahead aims = {0};
    const bool ahead = engine_looks_ahead(engine);
    unsigned looked = -ENGINE_AHEAD_FAR;
    for (unsigned at = 0; at < count;) {
        const unsigned most = ENGINE_RUN_MOST - at % ENGINE_AHEAD_AT_ONCE;
        unsigned made, run = count - at < most ? count - at : most;
        for (; ahead && (int)(looked - at - run) < 0; looked += ENGINE_AHEAD_AT_ONCE)
            engine_look_ahead(engine, &aims, looked, pointers);
        at += engine_run(engine, &commands[at], run, ahead ? &aims : NULL, at, end, &made);
        end += made;
        while (__builtin_expect(engine_unfinished(engine), 0))
            end += engine_continue(engine, end);
    }
    return (unsigned)(end - events);
}

// A stream file on its way through an engine.
struct batch {
    struct engine_stream stream;
    struct engine_capacity capacity;
    struct engine *engine;
    void *memory; // the engine's
    size_t size;
    _Alignas(64) struct command commands[BATCH];
    struct batch_burst burst;
    struct event *events; // room for BATCH_EVENTS
    unsigned event_count;
    uint64_t rejected; // since the stream was opened
};

// Gives the events to the stream, which learns from them and takes the digest of its trades.
static inline void batch_watch(struct batch *b)
{
    struct stream_trade trade;
    for (unsigned i = 0; i < b->event_count; i++) {
        b->rejected += b->events[i].type == EV_REJECTED;
        engine_stream_watch(&b->stream, &b->events[i], &trade);
    }
    b->event_count = 0;
}

// Commands of the stream's messages from `first` on, to its end at most. Returns how many.
static inline unsigned batch_make(struct batch *b, uint64_t first)
{
    uint64_t left = b->stream.count - first;
    unsigned count = left < BATCH ? (unsigned)left : BATCH;
    for (unsigned i = 0; i < count; i++) {
        engine_stream_command(&b->stream, first + i, &b->commands[i]);
        b->commands[i].seq = engine_sequence(b->engine) + 1 + i;
        b->commands[i].time_ns = b->commands[i].seq;
    }
    batch_point(&b->burst, b->commands, count);
    return count;
}

// Steps one at a time, learning what each chain executes: the first pass over a stream, and any stream's prefill.
static inline void play_slowly(struct batch *b, uint64_t first, uint64_t end)
{
    for (uint64_t i = first; i < end; i++) {
        struct command *c = &b->commands[0];
        engine_stream_command(&b->stream, i, c);
        c->seq = engine_sequence(b->engine) + 1;
        c->time_ns = c->seq;
        b->event_count = batch_step(b->engine, c, b->events);
        batch_watch(b);
    }
}

// Steps the batch that was made. Returns cycles of the time stamp counter. What counts its instructions knows it by
// name.
static __attribute__((noinline, unused)) uint64_t time_batch(struct batch *b, unsigned count)
{
    uint64_t start = __rdtsc();
    b->event_count = batch_run(b->engine, &b->burst, count, b->events);
    uint64_t taken = __rdtsc() - start;
    xw_assert(b->event_count <= BATCH_EVENTS);
    return taken;
}

static inline uint32_t power_above(uint64_t value)
{
    uint32_t power = 1024;
    while (power < value)
        power *= 2;
    return power;
}

static inline int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#endif
