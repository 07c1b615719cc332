// SPDX-License-Identifier: Apache-2.0
// Follows the journal with a shadow of every matching core, in a thread of its own and as the least of all, and writes
// their snapshots when the configuration says so.
//
//   HELD -> RESTORE each shadow from its newest good snapshot -> FOLLOW what is durable -> snapshot due?
//                                                                ^   write it in pieces, sync it  |
//                                                                +--------------------------------+
//
// A snapshot gets its name only when the next command of its core says that the matching core's events had the same
// hash there, or, at the end, the core itself. When they differ nothing is published any more.
#ifndef CROSSWIRE_CONTROL_RECOVERY_FOLLOWER_H
#define CROSSWIRE_CONTROL_RECOVERY_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "control/journal/journal.h"

struct follower;

// Starts the thread, held. All of it outlives the follower. NULL with errno.
struct follower *follower_start(const struct config *config, const struct journal_identity *identity,
                                const struct journal_writer *writer);

// While it is held it does nothing: a recovery needs the machine.
void follower_hold(struct follower *follower, bool held);

// Where the matching cores, all halted, have ended.
struct follower_end {
    uint64_t applied[JOURNAL_CORES];
    uint64_t event_hash[JOURNAL_CORES];
};

// Ends the thread and frees it. With `end`, and everything durable: not before each core's end is covered by a snapshot
// that its hash has confirmed, for some seconds at the most; without, what is not published yet is dropped.
void follower_stop(struct follower *follower, const struct follower_end *end);

#endif
