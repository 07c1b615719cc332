// SPDX-License-Identifier: Apache-2.0
// Where a reader's blocks come from: segment files of a day, read in large pieces, or images in memory. Inside the
// journal.
#ifndef CROSSWIRE_CONTROL_JOURNAL_SOURCE_H
#define CROSSWIRE_CONTROL_JOURNAL_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "control/journal/disk.h"
#include "control/journal/journal.h"
#include "control/journal/pack.h"

struct journal_source_segment {
    uint32_t number;
    bool packed;       // compressed: journal_pack.h
    uint64_t size;     // bytes, of a compressed one those that it stands for
    const void *bytes; // of an image, else NULL
};

struct journal_source {
    const struct journal_disk *disk;
    struct journal_source_segment *segments; // ascending
    unsigned count;
    int day;                       // directory, -1 for images
    int fd;                        // of the file that is open, -1 for none
    unsigned open;                 // its index
    struct journal_unpack *unpack; // of that file when it is compressed
    uint32_t unpacked;             // blocks of it that were taken
    uint8_t *piece; // what was read last: piece_blocks from block piece_first of segment piece_segment on
    unsigned piece_segment;
    uint32_t piece_first;
    uint32_t piece_blocks;
    // Nothing is read ahead from here on: another thread writes there. 0: no such place.
    uint32_t end_segment;
    uint32_t end_block;
};

// Lists a day's directory (the source takes the descriptor), or takes images. false with errno.
bool journal_source_open_day(struct journal_source *source, const struct journal_disk *disk, int day);
bool journal_source_open_images(struct journal_source *source, const struct journal_image *images, unsigned count);
void journal_source_close(struct journal_source *source);

// Lists the day again, for segments that have grown or come since. The segment of *index must still be there; *index
// becomes its new one. false with errno.
bool journal_source_refresh(struct journal_source *source, unsigned *index);

// Sets the place from which on nothing is read ahead.
void journal_source_until(struct journal_source *source, uint32_t segment, uint32_t block);

// Block `block` of the index-th segment, valid until the next call; what lies past the file's end reads as zeros. NULL
// with errno when the system can not read it.
const void *journal_source_block(struct journal_source *source, unsigned index, uint32_t block);

// Whole blocks of the index-th segment, a last incomplete one counted.
static inline uint32_t journal_source_blocks(const struct journal_source *source, unsigned index)
{
    uint64_t blocks = (source->segments[index].size + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK;
    return blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX;
}

#endif
