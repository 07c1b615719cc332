// SPDX-License-Identifier: Apache-2.0
// A reader's inside, for its two files (open.c begins a walk, reader.c walks) and for who looks on
// while it walks. Inside the journal only.
#ifndef CROSSWIRE_CONTROL_JOURNAL_WALK_H
#define CROSSWIRE_CONTROL_JOURNAL_WALK_H

#include "control/journal/journal.h"
#include "control/journal/source.h"

struct segment_head { // what the walk must know of the segment after the one it is in
    bool good;
    uint32_t prev_blocks;
};

// Sees every block of the journal that checks, in order; `block` is JOURNAL_BLOCK bytes.
typedef void journal_watch(void *context, const struct journal_block *block);

struct journal_reader {
    struct journal_identity identity;
    struct journal_report report;
    struct journal_source source;
    struct segment_head *heads; // by index
    unsigned first;             // index of the segment that the walk begins with
    unsigned used; // end of the segments that are part of the journal: behind the last one with a good header
    bool bounded;
    bool stale; // the bound lies in a segment that the walk does not know yet
    struct journal_place until;
    enum journal_result result; // other than OK: the walk is over

    unsigned index;               // segment of the next block
    uint32_t block;               // number of the next block
    uint32_t blocks;              // that this segment can hold
    uint64_t records;             // in the journal before the next block
    const struct command *record; // next record of the block in hand
    unsigned left;                // records left in it
    bool given;                   // a record of the block before the next one is the last that was given

    // What is walked but not given.
    struct journal_place from; // blocks before this place
    bool quiet;                // the block in hand is one of them
    bool foreign;              // it is of another engine version
    bool covering;
    uint64_t covered[JOURNAL_CORES]; // records up to these sequences

    journal_watch *watch; // or NULL
    void *watch_context;
};

// Looks again at what there is: a segment may have grown, and others may have come. In open.c.
void journal_look_again(struct journal_reader *reader);

// Begins the walk with a segment that has a good header: what stood before is taken from there, and the blocks behind
// it are held against that.
enum journal_result journal_begin_at(struct journal_reader *reader, unsigned index);

// Ends the walk with `result`, and says where and why.
enum journal_result journal_refuse(struct journal_reader *reader, enum journal_result result, unsigned index,
                                   uint32_t block, const char *format, ...) __attribute__((format(printf, 5, 6)));

// A block could not be had: errno says why.
enum journal_result journal_unreadable(struct journal_reader *reader, unsigned index, uint32_t block);

// A block could not be had (errno) because its file, the last one, is gone since it was listed, and was no part of the
// journal: a spare that its writer took away, at a close or for lack of room. In open.c.
bool journal_taken_away(const struct journal_reader *reader, unsigned index);

// What must be the same in every block of a day.
enum journal_result journal_check_identity(struct journal_reader *reader, unsigned index,
                                           const struct journal_block *head);

// Has every block that is walked shown to `watch`.
void journal_reader_watch(struct journal_reader *reader, journal_watch *watch, void *context);

#endif
