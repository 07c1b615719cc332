// SPDX-License-Identifier: Apache-2.0
// Gives a matching core in CORE_BOOT its newest good snapshot, through the command ring.
//
//   which? --> RESET, where another control had begun one --> the records --> whole? --> BASE
//     ^                                                                        |
//     +----- RESET <---- damaged on the way, or refused by the core -----------+
//
// What is passed over is logged, with the reason. When there is none left the core is as it was at its start.
#ifndef CROSSWIRE_CONTROL_RECOVERY_RESTORE_FEED_H
#define CROSSWIRE_CONTROL_RECOVERY_RESTORE_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "control/limits/desk.h"
#include "control/recovery/generation.h"
#include "control/recovery/opening.h"
#include "control/recovery/snapshot_file.h"

enum restore_stage {
    RESTORE_CHOOSE,
    RESTORE_CLEAR, // a reset is to be given
    RESTORE_VOID,  // it was given: until the core says so
    RESTORE_RECORDS,
    RESTORE_WAIT, // until the core says what it has become
    RESTORE_BASE, // over: `facts.covered` is what it stands on, 0 for nothing
};

struct restore_feed {
    struct generation *generation;
    const struct journal_identity *identity;
    unsigned core;
    enum restore_stage stage;
    bool given;     // the core took history already: it is not restored, only the facts are looked for
    bool clear;     // the core is not as new
    uint64_t most;  // sequences that the journal has
    uint64_t below; // only snapshots that cover less are still to be tried
    uint64_t opening;
    struct limits_desk *limits; // told what the snapshot says of limits
    struct snapshot_reader *reader;
    const struct command *held; // read, and the ring was full
    struct snapshot_facts facts;
    uint64_t records; // given, of the one that it stands on
    unsigned passed_over;
};

// Begins for core `core`, of which the journal has sequences up to `most`; `digest` is what opening_digest() says now.
// `given`: the core has taken history or runs. Its ring is empty and ours. `limits` forgets what it knew of the core,
// and is told what the snapshot that is taken says of it.
void restore_feed_begin(struct restore_feed *feed, struct generation *generation,
                        const struct journal_identity *identity, struct limits_desk *limits, unsigned core,
                        uint64_t most, uint64_t digest, bool given);

// Goes on, bounded. Returns how much it did; 0 while it waits for the core.
unsigned restore_feed_poll(struct restore_feed *feed);

static inline bool restore_feed_over(const struct restore_feed *feed)
{
    return feed->stage == RESTORE_BASE;
}

// The snapshot that it stands on does not go with the journal: takes the next older one. Only when it is over, and the
// core's ring is empty.
void restore_feed_again(struct restore_feed *feed, const char *why);

void restore_feed_end(struct restore_feed *feed);

#endif
