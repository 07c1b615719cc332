// SPDX-License-Identifier: Apache-2.0
// Producing into a ring whose earlier producer may have been killed at any instruction, and publishing several cells as
// one.
//
// ring_publish() stores the cells' words and then the cursor. A producer that died between the two left words that the
// consumer may have taken while the cursor is behind. ring_publish_whole() stores the words last to first, so that the
// consumer, which looks at them in order, sees all or nothing; a producer that died inside left words behind a hole.
#ifndef CROSSWIRE_CONTROL_RECOVERY_RING_ADOPT_H
#define CROSSWIRE_CONTROL_RECOVERY_RING_ADOPT_H

#include <stdbool.h>

#include "contract/ring.h"

// Makes the caller the ring's producer: moves the cursor behind every cell that the consumer can see, and unpublishes
// words behind a hole, lest they show what is only being written. The consumer may be running.
static inline void ring_adopt(struct ring *ring)
{
    uint64_t produced = atomic_load_explicit(&ring->produced, memory_order_relaxed);
    // Acquire: the consumer's cursor bounds how far the words can be looked at (a cell a lap ahead can not be
    // published).
    uint64_t consumed = atomic_load_explicit(&ring->consumed, memory_order_acquire);
    if (produced < consumed)
        produced = consumed;
    while (produced - consumed < ring->depth &&
           atomic_load_explicit((_Atomic uint64_t *)ring_cell(ring, produced), memory_order_relaxed) == produced + 1)
        produced++;
    for (uint64_t at = produced; at - consumed < ring->depth; at++) {
        _Atomic uint64_t *word = ring_cell(ring, at);
        if (atomic_load_explicit(word, memory_order_relaxed) == at + 1)
            atomic_store_explicit(word, 0, memory_order_relaxed);
    }
    ring->consumed_cache = consumed;
    atomic_store_explicit(&ring->produced, produced, memory_order_release);
}

// Publishes the next `count` slots so that the consumer sees all of them or, should we die, none. There must be room.
static inline void ring_publish_whole(struct ring *ring, uint32_t count)
{
    uint64_t position = atomic_load_explicit(&ring->produced, memory_order_relaxed);
    for (uint32_t i = count; i-- > 0;) {
        _Atomic uint64_t *word = ring_cell(ring, position + i);
        // Release pairs with the acquire in ring_peek: who sees the first word sees all words and all cells.
        atomic_store_explicit(word, position + i + 1, memory_order_release);
    }
    atomic_store_explicit(&ring->produced, position + count, memory_order_release);
}

// Whether the consumer is done with everything.
static inline bool ring_is_empty(struct ring *ring)
{
    return atomic_load_explicit(&ring->consumed, memory_order_acquire) >=
           atomic_load_explicit(&ring->produced, memory_order_relaxed);
}

#endif
