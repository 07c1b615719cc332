// SPDX-License-Identifier: Apache-2.0
// Commands in memory through the engine alone, as its benchmarks do it.
#ifndef CROSSWIRE_PERF_ENGINE_BATCH_H
#define CROSSWIRE_PERF_ENGINE_BATCH_H

#include <stdlib.h>
#include <sys/mman.h>

#include "contract/assert.h"
#include "engine/engine.h"

#define BATCH_BEHIND 16 // commands that are none, behind those of a batch: the look ahead ends there

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
static inline unsigned batch_step(struct engine *engine, const struct command *c, uint32_t hint, struct event *events)
{
    unsigned count = engine_step_hinted(engine, c, hint, events);
    while (__builtin_expect(engine_unfinished(engine), 0))
        count += engine_continue(engine, events + count);
    return count;
}

// A batch, with BATCH_BEHIND commands of type CMD_NONE behind it, as the matcher steps it. Returns how many events.
static inline unsigned batch_run(struct engine *engine, const struct command *commands, unsigned count,
                                 struct event *events)
{
    struct event *end = events;
    if (!engine_looks_ahead(engine)) {
        for (unsigned i = 0; i < count; i++)
            end += batch_step(engine, &commands[i], 0, end);
        return (unsigned)(end - events);
    }
    uint32_t hints[8] = {0};
    for (unsigned i = 0; i < count; i++) {
        const struct command *c = &commands[i];
        uint32_t hint = hints[i % 8];
        hints[i % 8] = engine_look_ahead(engine, c + 12, c + 8, hints[(i + 4) % 8]);
        end += batch_step(engine, c, hint, end);
    }
    return (unsigned)(end - events);
}

#endif
