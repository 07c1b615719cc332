// SPDX-License-Identifier: Apache-2.0
// Directories and segment files of the journal: names, lists, making them. Inside the journal only.
#ifndef CROSSWIRE_CONTROL_JOURNAL_FILES_H
#define CROSSWIRE_CONTROL_JOURNAL_FILES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/journal/disk.h"
#include "control/journal/journal.h"

#define JOURNAL_SEGMENTS_MAX 999999u
#define JOURNAL_NAME_BYTES 32

// NNNNNN with a suffix; NNNNNN.xwj
void journal_file_name(char name[JOURNAL_NAME_BYTES], uint32_t segment, const char *suffix);
void journal_segment_name(char name[JOURNAL_NAME_BYTES], uint32_t segment);

// The identity's disk, or the system's.
static inline const struct journal_disk *journal_disk_of(const struct journal_identity *identity)
{
    return identity->disk ? identity->disk : &journal_disk_system;
}

// The numbers of the files with a suffix in a day's directory, ascending; the caller frees. NULL with errno; *count may
// be 0.
uint32_t *journal_list_files(const struct journal_disk *disk, int day, const char *suffix, unsigned *count);

// The same of the segments.
uint32_t *journal_list_segments(const struct journal_disk *disk, int day, unsigned *count);

// Zeros are written this many at a time: so little that a commit that comes meanwhile hardly waits.
enum { JOURNAL_ZERO_BLOCKS = 16 };

// Paces the making of a segment: called between chunks with the blocks that are written; false gives up.
typedef bool (*journal_pace)(void *context, uint32_t blocks);

// Makes segment `segment` of `blocks` zero blocks, durable, its name too, and opens it for O_DIRECT writing (*direct
// false where the file system refuses that). A descriptor, or -1 with errno (ECANCELED: pace gave up); then no file is
// left.
int journal_make_segment(const struct journal_disk *disk, int day, uint32_t segment, uint32_t blocks, bool *direct,
                         journal_pace pace, void *context);

#endif
