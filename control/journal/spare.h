// SPDX-License-Identifier: Apache-2.0
// The helper thread that pre-writes the next segment, so that no commit ever waits for it. Inside the journal only.
//
//   IDLE --want--> MAKING --> READY --take--> IDLE
//                  |    ^ \-> FAILED (for good)
//                  v    |
//                 NO_ROOM   tried again: room may be made while the current segment still has some
#ifndef CROSSWIRE_CONTROL_JOURNAL_SPARE_H
#define CROSSWIRE_CONTROL_JOURNAL_SPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "control/journal/disk.h"

enum spare_state { SPARE_IDLE, SPARE_MAKING, SPARE_READY, SPARE_NO_ROOM, SPARE_FAILED };

struct journal_spare;

// Starts the helper for a day's directory, whose descriptor outlives it; `alone`: without a thread, the segment is made
// by whoever asks for it. NULL with errno.
struct journal_spare *journal_spare_start(const struct journal_disk *disk, int day, bool alone);

// Asks for a segment. Only while IDLE.
void journal_spare_want(struct journal_spare *spare, uint32_t segment, uint32_t blocks);

// How much of the current segment is used: the helper stays ahead of it, but not by more than it must, because its
// writes delay the commits.
void journal_spare_progress(struct journal_spare *spare, uint32_t used, uint32_t of);

enum spare_state journal_spare_state(const struct journal_spare *spare);

// Errno of NO_ROOM and FAILED.
int journal_spare_error(const struct journal_spare *spare);

// The descriptor of the segment that is READY; its size in *blocks. -1 in any other state.
int journal_spare_take(struct journal_spare *spare, uint32_t *blocks, bool *direct);

// Ends the helper; a segment that nobody took is removed.
void journal_spare_stop(struct journal_spare *spare);

#endif
