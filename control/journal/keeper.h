// SPDX-License-Identifier: Apache-2.0
// The thread that seals, compresses and retires what the journal has closed, and reads what a start has left unread: of
// the lowest priority, and paced, so that no commit waits for it. What it fails in is told (XW3006) and tried again
// later: nothing of it is an acknowledgement.
//
//   closed segment -> sealed -> (another date than today's) compressed -> (too old, too much) removed
#ifndef CROSSWIRE_CONTROL_JOURNAL_KEEPER_H
#define CROSSWIRE_CONTROL_JOURNAL_KEEPER_H

#include "control/journal/journal.h"
#include "control/journal/key.h"

struct journal_keeper;

struct journal_keeper_options {
    const struct journal_key *key; // NULL: seals are not signed. Outlives the keeper
    bool compress;
    uint32_t keep_days, keep_mb; // 0: for ever
    uint32_t unread;             // of the date's segments before this one the start has read the ends only; 0: none
};

// Starts it for the identity's date and what stands beside it. NULL with errno.
struct journal_keeper *journal_keeper_start(const struct journal_identity *identity,
                                            const struct journal_keeper_options *options);

// Ends the thread. `finish`: seals what is closed by now, at full speed (once the writer is closed: everything).
void journal_keeper_stop(struct journal_keeper *keeper, bool finish);

// Segments sealed since the start, and whether something fails at present. From any thread.
struct journal_keeper_counts {
    uint64_t sealed, compressed, removed;
    bool failing;
};
struct journal_keeper_counts journal_keeper_counts(const struct journal_keeper *keeper);

#endif
