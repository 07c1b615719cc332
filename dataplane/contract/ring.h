// SPDX-License-Identifier: Apache-2.0
// Single-producer single-consumer ring of fixed-size cells, in memory that the caller provides (shared or private).
//
//   producer                                   consumer
//   ring_room  -> free cells                   ring_ready   -> cells published
//   ring_slot  -> write payload, not word 0    ring_peek    -> read them in place
//   ring_publish: word 0 := position + 1  ---> (acquire)
//                            (release) <------ ring_release: cells may be reused
//
// The first 8 bytes of a cell are its sequence word: position + 1 once published, never cleared, so that a consumer
// that died is followed by one that finds every published cell again. The consumer's cursor lives in the ring, and
// moves only when the consumer is done with a cell (for the journal: when it is durable). Reliable: a full ring pushes
// back.
#ifndef CROSSWIRE_CONTRACT_RING_H
#define CROSSWIRE_CONTRACT_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/assert.h"

#define CACHE_PAIR 128 // two lines: the adjacent-line prefetcher makes neighbours share a fate

struct ring {
    uint64_t magic; // published last by ring_new
    uint32_t depth; // cells, a power of two
    uint32_t cell_size;
    uint32_t cells_offset; // of cell 0 from the ring's start
    uint32_t unused;

    // Written by the producer. Padding, not member alignment, so that the layout is plain to every reader.
    char pad0[CACHE_PAIR - 24];
    _Atomic uint64_t produced; // next position to write; informative for others, the words are what counts
    uint64_t consumed_cache;   // the producer's last view of consumed
    char pad1[CACHE_PAIR - 16];

    // Written by the consumer. Pairs: release in ring_release with acquire in ring_room.
    _Atomic uint64_t consumed; // next position that the consumer will be done with
    char pad2[CACHE_PAIR - 8];
};

_Static_assert(sizeof(struct ring) == 3 * CACHE_PAIR, "three blocks of their own");

#define RING_MAGIC UINT64_C(0x58575f52494e4731)

// Bytes that a ring of `depth` cells of `cell_size` bytes takes. depth: power of two; cell_size: multiple of 64.
static inline size_t ring_footprint(uint32_t depth, uint32_t cell_size)
{
    return sizeof(struct ring) + (size_t)depth * cell_size;
}

// Formats `memory` (aligned to CACHE_PAIR, zeroed, ring_footprint bytes) as an empty ring whose first cell has position
// `first`. Returns the ring, which is the memory.
static inline struct ring *ring_new(void *memory, uint32_t depth, uint32_t cell_size, uint64_t first)
{
    struct ring *ring = memory;
    xw_assert(depth && (depth & (depth - 1)) == 0);
    xw_assert(cell_size % 64 == 0 && (uintptr_t)memory % CACHE_PAIR == 0);
    ring->depth = depth;
    ring->cell_size = cell_size;
    ring->cells_offset = sizeof *ring;
    atomic_store_explicit(&ring->produced, first, memory_order_relaxed);
    ring->consumed_cache = first;
    atomic_store_explicit(&ring->consumed, first, memory_order_relaxed);
    ring->magic = RING_MAGIC;
    return ring;
}

// Moves an empty ring to position `first`. Only while neither side uses it (a matching core before it runs).
static inline void ring_rebase(struct ring *ring, uint64_t first)
{
    atomic_store_explicit(&ring->produced, first, memory_order_relaxed);
    ring->consumed_cache = first;
    atomic_store_explicit(&ring->consumed, first, memory_order_release);
}

static inline void *ring_cell(struct ring *ring, uint64_t position)
{
    return (char *)ring + ring->cells_offset + (position & (ring->depth - 1)) * (size_t)ring->cell_size;
}

// Producer: free cells, looking at the consumer's cursor only when the cached view shows fewer than `want`.
static inline uint32_t ring_room(struct ring *ring, uint32_t want)
{
    uint64_t produced = atomic_load_explicit(&ring->produced, memory_order_relaxed);
    uint64_t used = produced - ring->consumed_cache;
    if (ring->depth - used < want) {
        // Acquire pairs with the release in ring_release: the consumer has read the cells that we are to overwrite.
        ring->consumed_cache = atomic_load_explicit(&ring->consumed, memory_order_acquire);
        used = produced - ring->consumed_cache;
    }
    return ring->depth - (uint32_t)used;
}

// Producer: the cell that will be published as the index-th from now. Write all of it but its first 8 bytes.
static inline void *ring_slot(struct ring *ring, uint32_t index)
{
    return ring_cell(ring, atomic_load_explicit(&ring->produced, memory_order_relaxed) + index);
}

// Producer: publishes the next `count` slots in order. There must be room for them.
static inline void ring_publish(struct ring *ring, uint32_t count)
{
    uint64_t position = atomic_load_explicit(&ring->produced, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        _Atomic uint64_t *word = ring_cell(ring, position + i);
        // Release pairs with the acquire in ring_peek: who sees the word sees the cell.
        atomic_store_explicit(word, position + i + 1, memory_order_release);
    }
    atomic_store_explicit(&ring->produced, position + count, memory_order_release);
}

// Consumer: the cell `index` after the cursor, or NULL when it is not published yet.
static inline void *ring_peek(struct ring *ring, uint32_t index)
{
    uint64_t position = atomic_load_explicit(&ring->consumed, memory_order_relaxed) + index;
    _Atomic uint64_t *word = ring_cell(ring, position);
    // Acquire pairs with the release in ring_publish.
    return atomic_load_explicit(word, memory_order_acquire) == position + 1 ? (void *)word : NULL;
}

// Consumer: a cell that ring_ready or ring_peek has shown to be published, without looking at its word again.
static inline void *ring_at(struct ring *ring, uint32_t index)
{
    return ring_cell(ring, atomic_load_explicit(&ring->consumed, memory_order_relaxed) + index);
}

// Consumer: how many cells stand published from `index` after the cursor on, `most` at the most.
static inline uint32_t ring_ready(struct ring *ring, uint32_t index, uint32_t most)
{
    uint32_t count = 0;
    while (count < most && index + count < ring->depth && ring_peek(ring, index + count))
        count++;
    return count;
}

// Consumer: done with the next `count` cells; the producer may reuse them.
static inline void ring_release(struct ring *ring, uint32_t count)
{
    uint64_t position = atomic_load_explicit(&ring->consumed, memory_order_relaxed);
    // Release pairs with the acquire in ring_room.
    atomic_store_explicit(&ring->consumed, position + count, memory_order_release);
}

#endif
