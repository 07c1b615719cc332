// SPDX-License-Identifier: Apache-2.0
// Compressed segments: NNNNNN.xwj.zst, the standing blocks of NNNNNN.xwj as one Zstandard frame (RFC 8878) that names
// its size and ends with a checksum; `zstd -d` makes the plain file of it. Inside the journal.
#ifndef CROSSWIRE_CONTROL_JOURNAL_PACK_H
#define CROSSWIRE_CONTROL_JOURNAL_PACK_H

#include "control/journal/disk.h"

#define JOURNAL_PACKED_SUFFIX ".xwj.zst"

struct journal_unpack;

// Reads an open file from its beginning; the file outlives it. NULL: no memory.
struct journal_unpack *journal_unpack_new(const struct journal_disk *disk, int file);
void journal_unpack_free(struct journal_unpack *unpack);

// The next `size` bytes; fewer at the end. -1 with errno; EBADMSG: the file is damaged or cut.
ssize_t journal_unpack_read(struct journal_unpack *unpack, void *bytes, size_t size);

// The size of what a file holds, as its frame says. -1 with errno.
int journal_unpack_size(const struct journal_disk *disk, int file, uint64_t *size);

// Writes the first `size` bytes of file `from` to the empty file `to`, compressed. `pace` may be NULL; it gets 4 KiB
// blocks done and gives up with false (ECANCELED). 0, or -1 with errno.
int journal_pack(const struct journal_disk *disk, int from, int to, uint64_t size,
                 bool (*pace)(void *context, uint32_t blocks), void *context);

#endif
