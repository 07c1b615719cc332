// SPDX-License-Identifier: Apache-2.0
// All messages of one session in an unlinked file: appended in order, read from any sequence on. An index in memory
// holds the offset of every SPILL_STRIDE-th message.
#ifndef CROSSWIRE_CONTROL_RECOVERY_SPILL_H
#define CROSSWIRE_CONTROL_RECOVERY_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPILL_STRIDE = 16, SPILL_BUFFER = 16384 };

struct spill {
    int fd;
    uint32_t count;  // messages, numbered from 1
    uint64_t offset; // of the end, buffered bytes included
    uint64_t *index; // offset of message 1, 1 + SPILL_STRIDE, ..
    uint32_t index_size;
    uint32_t buffered;
    uint8_t *buffer; // the file's end, not written yet
};

// Makes an empty one whose file stands in `directory`. false with errno.
bool spill_open(struct spill *spill, const char *directory);

void spill_close(struct spill *spill);

// Appends a message of `length` (1..STREAM_MESSAGE_MAX) bytes. false with errno; the spill is then of no use any more.
bool spill_append(struct spill *spill, const void *message, size_t length);

// Reads messages from `first` on, `count` at the most, as blocks {2 big-endian length, message}, whole blocks within
// `room` bytes, to `out`. Returns how many, 0 when there are none or with errno set.
unsigned spill_read(struct spill *spill, uint32_t first, unsigned count, uint8_t *out, size_t room, size_t *bytes);

#endif
