// SPDX-License-Identifier: Apache-2.0
#include "cores/window.h"

#include "contract/assert.h"

#define DROPPED_AT_ONCE 16 // old messages of a full window: to find out what that frees costs as much as for one

static uint32_t power_of_two(uint32_t at_least)
{
    uint32_t power = 64;
    while (power < at_least)
        power *= 2;
    return power;
}

static size_t ring_bytes(uint32_t messages)
{
    size_t bytes = (size_t)power_of_two(messages) * WINDOW_MESSAGE_MEAN;
    return bytes < 16384 ? 16384 : bytes;
}

size_t window_footprint(uint32_t messages)
{
    return ring_bytes(messages) + (size_t)power_of_two(messages) * sizeof(uint32_t);
}

void window_new(struct window *window, void *memory, uint32_t messages)
{
    size_t bytes = ring_bytes(messages);
    xw_assert(bytes <= UINT32_MAX);
    *window = (struct window){
        .bytes = memory,
        .offsets = (uint32_t *)((char *)memory + bytes),
        .size = (uint32_t)bytes,
        .mask = power_of_two(messages) - 1,
        .limit = (uint32_t)bytes,
        .first = 1,
        .next = 1,
    };
}

void window_restart(struct window *window, uint64_t next)
{
    window->head = 0;
    window->limit = window->size;
    window->first = window->next = next;
}

// Up to where the bytes from head on are free: the oldest message, when it lies ahead, or the end.
static void set_limit(struct window *window)
{
    window->limit = window->size;
    if (window->first < window->next) {
        uint32_t oldest = window->offsets[window->first & window->mask];
        if (oldest >= window->head)
            window->limit = oldest;
    }
}

void window_make_room(struct window *window)
{
    if (window->next - window->first > window->mask) {
        window->first += DROPPED_AT_ONCE;
        set_limit(window);
        // The offset that is looked at next time, which is long out of the cache.
        __builtin_prefetch(&window->offsets[(window->first + DROPPED_AT_ONCE) & window->mask]);
    }
    if (window->head + WINDOW_MESSAGE_MAX > window->size) {
        // What lies between head and the end is older than what lies at the start: it goes first.
        while (window->first < window->next && window->offsets[window->first & window->mask] >= window->head)
            window->first++;
        window->head = 0;
        set_limit(window);
    }
    while (window->head + WINDOW_MESSAGE_MAX > window->limit) {
        xw_assert(window->first < window->next);
        window->first++;
        set_limit(window);
    }
}

struct window_run window_find(const struct window *window, uint64_t first, uint64_t count, uint32_t room)
{
    struct window_run run = {0};
    if (first < window->first || first >= window->next)
        return run;
    if (count > window->next - first)
        count = window->next - first;
    uint32_t start = window->offsets[first & window->mask];
    run.at = window->bytes + start;
    while (run.count < count) {
        uint32_t offset = window->offsets[(first + run.count) & window->mask];
        if (offset != start + run.bytes)
            break; // the next one lies at the start of the ring
        uint32_t bytes = 2u + get_be16(window->bytes + offset);
        if (run.bytes + bytes > room)
            break;
        run.bytes += bytes;
        run.count++;
    }
    return run;
}
