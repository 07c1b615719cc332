// SPDX-License-Identifier: Apache-2.0
// What a writer is made of, for its files alone: journal_append.c fills commits, journal_commit.c writes them,
// journal_writer.c opens and closes.
#ifndef CROSSWIRE_CONTROL_JOURNAL_STATE_H
#define CROSSWIRE_CONTROL_JOURNAL_STATE_H

#include <stdatomic.h>

#include "control/journal/disk.h"
#include "control/journal/spare.h"
#include "control/journal/writer.h"

enum { JOURNAL_DEPTH_MAX = 4, JOURNAL_TEXT_BYTES = 256, JOURNAL_BLOCKS_A_MB = 1024 * 1024 / JOURNAL_BLOCK };

struct journal_commit {
    uint8_t *base;
    uint32_t first;   // its first block's number in the segment
    uint32_t blocks;  // begun
    uint32_t count;   // records in the last of them
    uint64_t records; // in all of them
    bool done;
    uint64_t seq[JOURNAL_CORES]; // last sequence of each core that is in use, when it was submitted
};

struct journal_writer {
    const struct journal_disk *disk;
    char directory[256];
    uint32_t date;
    uint64_t epoch;
    uint32_t blocks_max; // of the largest segment
    unsigned depth;      // writes that may be outstanding
    int day;             // directory, locked
    struct journal_spare *spare;
    bool waiting; // for the next segment

    // The segment that is written.
    int fd;
    bool direct;
    uint32_t segment;
    uint32_t blocks;     // it can hold
    uint32_t next_block; // next to be begun

    // The chain, at the end of what is appended.
    struct journal_block head; // what is the same in all blocks is set
    uint32_t crc;
    uint64_t records;
    uint64_t taken[JOURNAL_CORES];
    uint16_t cores[JOURNAL_CORES]; // in use
    unsigned cores_count;
    unsigned ended;     // cores that have had their CMD_END_DAY in this epoch
    bool close_segment; // once everything in it is durable, however full it is

    // Commits: a ring of depth + 1. `filling` is never submitted; the `outstanding` ones before it are.
    struct journal_commit *commits;
    unsigned filling;
    unsigned outstanding;
    unsigned in_segment; // commits submitted to the current segment
    size_t commit_bytes;
    uint8_t *buffers;

    struct journal_queue *queue; // while it is attached to a thread

    // For other threads. Release pairs with the acquire in the getters.
    _Atomic int result;
    char text[JOURNAL_TEXT_BYTES];
    _Atomic uint64_t position; // segment << 32 | block
    _Atomic uint64_t durable[JOURNAL_CORES];
    _Atomic uint64_t count_records, count_duplicates, count_commits, count_bytes, count_segments, count_waits;
};

static inline void journal_add(_Atomic uint64_t *counter, uint64_t more)
{
    // One writer: a load and a store, no locked instruction.
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more, memory_order_relaxed);
}

static inline struct journal_commit *journal_filling(struct journal_writer *writer)
{
    return &writer->commits[writer->filling];
}

static inline size_t journal_commit_size(const struct journal_commit *commit)
{
    return (size_t)commit->blocks * JOURNAL_BLOCK;
}

// Begins block 0 of the current segment in the (empty) commit: what it goes on from is the chain as it stands.
void journal_begin_segment(struct journal_writer *writer, uint32_t prev_blocks, uint64_t prev_epoch);

// Begins the next block in the commit.
void journal_begin_block(struct journal_writer *writer, enum journal_block_kind kind);

// Completes the block in hand: padding, header, CRC.
void journal_end_block(struct journal_writer *writer);

// Asks the helper for the segment after the current one.
void journal_want_next(struct journal_writer *writer);

// Goes on to the next segment when the current one is to be closed and everything in it is durable.
void journal_close_segment(struct journal_writer *writer);

// Makes the descriptor of the current segment the one that writes go to.
bool journal_use_file(struct journal_writer *writer);

// Everything that was appended becomes durable, or the writer fails.
void journal_settle(struct journal_writer *writer);

#endif
