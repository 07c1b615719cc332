// SPDX-License-Identifier: Apache-2.0
// The two ends of a ring (contract/ring.h) as a role holds them in its hot loops: the ring's geometry and the own
// cursor in private memory, so that a cell costs one multiplication and no look at the ring's header.
#ifndef CROSSWIRE_CORES_RING_ENDS_H
#define CROSSWIRE_CORES_RING_ENDS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/ring.h"

// The producer's end. Slots are filled one by one and published together.
struct ring_writer {
    struct ring *ring;
    char *cells;
    uint64_t mask;
    size_t cell_size;
    uint64_t position;  // of the next slot to fill
    uint64_t published; // slots before this one are published
    uint32_t room;      // free cells from position on, as last seen
};

// Looks how much room there really is.
static inline uint32_t writer_look(struct ring_writer *writer)
{
    uint32_t room = ring_room(writer->ring, writer->ring->depth);
    return writer->room = room - (uint32_t)(writer->position - writer->published);
}

// The caller becomes the ring's only producer through `writer`.
static inline void writer_new(struct ring_writer *writer, struct ring *ring)
{
    writer->ring = ring;
    writer->cells = (char *)ring + ring->cells_offset;
    writer->mask = ring->depth - 1;
    writer->cell_size = ring->cell_size;
    writer->position = atomic_load_explicit(&ring->produced, memory_order_relaxed);
    writer->published = writer->position;
    writer_look(writer);
}

static inline void *writer_cell(const struct ring_writer *writer, uint64_t position)
{
    return writer->cells + (position & writer->mask) * writer->cell_size;
}

// Fetches the lines of a cell, to write them: a ring is walked round and round, and the next cell is seldom near. A
// hint, also where it lies behind the end.
static inline void writer_fetch(const char *slot, size_t ahead)
{
    __builtin_prefetch(slot + ahead, 1);
    __builtin_prefetch(slot + ahead + 64, 1);
}

// The next slot. Write all of it but its first 8 bytes; there must be room.
static inline void *writer_slot(const struct ring_writer *writer)
{
    return writer_cell(writer, writer->position);
}

// The slot is written.
static inline void writer_fill(struct ring_writer *writer)
{
    writer->position++;
    writer->room--;
}

// Publishes what is filled, in order.
static inline void writer_publish(struct ring_writer *writer)
{
    for (uint64_t at = writer->published; at != writer->position; at++) {
        // Release pairs with the acquire in reader_peek and ring_peek: who sees the word sees the cell.
        atomic_store_explicit((_Atomic uint64_t *)writer_cell(writer, at), at + 1, memory_order_release);
    }
    writer->published = writer->position;
    atomic_store_explicit(&writer->ring->produced, writer->position, memory_order_release);
}

// The consumer's end.
struct ring_reader {
    struct ring *ring;
    char *cells;
    uint64_t mask;
    size_t cell_size;
    uint64_t position; // of the next cell that is not released
};

// The caller becomes the ring's only consumer through `reader`.
static inline void reader_new(struct ring_reader *reader, struct ring *ring)
{
    reader->ring = ring;
    reader->cells = (char *)ring + ring->cells_offset;
    reader->mask = ring->depth - 1;
    reader->cell_size = ring->cell_size;
    reader->position = atomic_load_explicit(&ring->consumed, memory_order_relaxed);
}

// The cell `index` after the cursor, published or not: for prefetching.
static inline void *reader_cell(const struct ring_reader *reader, uint64_t index)
{
    return reader->cells + ((reader->position + index) & reader->mask) * reader->cell_size;
}

// The cell `index` after the cursor, or NULL when it is not published yet. index: less than the ring's depth.
static inline void *reader_peek(const struct ring_reader *reader, uint64_t index)
{
    _Atomic uint64_t *word = reader_cell(reader, index);
    // Acquire pairs with the release in writer_publish and ring_publish.
    return atomic_load_explicit(word, memory_order_acquire) == reader->position + index + 1 ? (void *)word : NULL;
}

// Done with the next `count` cells.
static inline void reader_release(struct ring_reader *reader, uint64_t count)
{
    reader->position += count;
    // Release pairs with the acquire in ring_room: the cells have been read.
    atomic_store_explicit(&reader->ring->consumed, reader->position, memory_order_release);
}

#endif
