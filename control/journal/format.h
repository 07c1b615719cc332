// SPDX-License-Identifier: Apache-2.0
// The journal on disk: JOURNALDIR/YYYYMMDD/NNNNNN.xwj, segments of 4 KiB blocks, numbered from 1 within a trading date.
//
//   segment          block                                     record
//   +---------+      +-------------------------+ 0             struct command whose first word is
//   | header  | 0    | struct journal_block    |               core << 56 | sequence
//   +---------+      +-------------------------+ 128
//   | records | 1    | record 0                |
//   | records | 2    | ..                      |
//   | ..      |      | record 30               |
//   | zeros   |      +-------------------------+ 4096
//   +---------+
//
// Chain: each block holds the CRC32C of the block before it, across segments too. Everything in a block is either
// compared with a known value (magic), is the CRC, or is covered by it.
//
// Torn tail or damage? Let B be the first block that does not check, in the last segment. Every block says which blocks
// were durable before it was submitted (durable_block). A later block that checks and whose durable_block is past B, or
// a later segment, proves that B was durable once: that is damage, and the journal is refused. Otherwise B belongs to a
// commit that never completed, nothing of which was released, and the journal ends before B. The end block of an
// orderly close is such a proof as well; and the first segment of the next epoch records where the one before it ended,
// so that what is cut off later is noticed. (The last commit before a crash has no such witness: that is what
// replication is for.)
//
// All integers little-endian (x86-64 only).
#ifndef CROSSWIRE_CONTROL_JOURNAL_FORMAT_H
#define CROSSWIRE_CONTROL_JOURNAL_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "contract/command.h"

#define JOURNAL_MAGIC UINT64_C(0x314c4e524a575843) // "CXWJRNL1"
#define JOURNAL_VERSION 1u
#define JOURNAL_BLOCK 4096u
#define JOURNAL_RECORDS 31u // a block
#define JOURNAL_CORES 256u  // what the core tag can name
#define JOURNAL_SUFFIX ".xwj"

enum journal_block_kind {
    JOURNAL_SEGMENT = 1, // block 0: struct journal_segment follows the header cell
    JOURNAL_DATA = 2,    // 1..31 records
    JOURNAL_CLOSED = 3,  // the last block of an orderly close: no records
};

struct journal_block {
    uint64_t magic;
    uint32_t crc;      // CRC32C of bytes 12..4095
    uint32_t prev_crc; // crc of the block before this one, 0 in the first block of the first segment
    uint32_t version;
    uint32_t engine_version;
    uint32_t date;          // yyyymmdd
    uint32_t segment;       // from 1
    uint32_t block;         // within the segment, from 0
    uint32_t durable_block; // every block of this segment below this one was durable when this one was submitted
    uint16_t kind;          // enum journal_block_kind
    uint16_t count;         // records
    uint32_t unused;
    uint64_t epoch;       // from 1; one start of a writer
    uint64_t config_hash; // of the configuration that this epoch runs with
    uint64_t records;     // in the journal before this block, all segments
    uint64_t wall_ns;     // Unix time when the block was sealed, for people
    char instance[32];    // zero padded
    char unused2[16];
};
_Static_assert(sizeof(struct journal_block) == 128, "the header takes the place of one record");
_Static_assert(offsetof(struct journal_block, crc) == 8 && offsetof(struct journal_block, prev_crc) == 12,
               "the CRC covers everything after itself");

#define JOURNAL_CRC_FROM 12u // first byte that the CRC covers

// Follows the header cell in block 0. What the segment goes on from.
struct journal_segment {
    uint32_t prev_segment;            // 0: this is the first
    uint32_t prev_blocks;             // blocks of prev_segment that stand; whatever follows them there never counted
    uint32_t prev_crc;                // of the last of them
    uint32_t blocks;                  // that this segment can hold, this one included
    uint64_t prev_epoch;              // 0: this is the first
    uint64_t last_seq[JOURNAL_CORES]; // a core: last sequence in the segments before, 0 for none
};
_Static_assert(sizeof(struct journal_segment) == 24 + 8 * JOURNAL_CORES, "no padding");
_Static_assert(sizeof(struct journal_block) + sizeof(struct journal_segment) <= JOURNAL_BLOCK, "fits its block");
_Static_assert(JOURNAL_RECORDS * sizeof(struct command) + sizeof(struct journal_block) == JOURNAL_BLOCK, "31 records");

#endif
