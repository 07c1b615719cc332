// SPDX-License-Identifier: Apache-2.0
// A recovery's inside, for its two files: history.c brings the matching cores to the end of the journal, recovery.c
// goes on with the day from there.
#ifndef CROSSWIRE_CONTROL_RECOVERY_RECOVERY_STATE_H
#define CROSSWIRE_CONTROL_RECOVERY_RECOVERY_STATE_H

#include <string.h>

#include "control/recovery/market.h"
#include "control/recovery/opening.h"
#include "control/recovery/recovery.h"
#include "control/recovery/restore_feed.h"
#include "control/recovery/settled.h"

enum phase { PHASE_QUIET, PHASE_RESTORE, PHASE_FEED, PHASE_GIVE, PHASE_START, PHASE_REST, PHASE_DONE };

struct core {
    struct opening opening;
    struct restore_feed base; // what it stands on: facts.covered, 0 for nothing
    uint64_t refuted;         // snapshots that cover as much do not go with the journal, 0 for none
    bool boot;                // was in CORE_BOOT when we came
    bool empty;               // its command ring was seen empty,
    uint64_t empty_heartbeat; // at this heartbeat
    bool quiet;
    uint64_t applied; // before we fed any history
    uint64_t last;    // last sequence of its history
    uint32_t staged;  // cells written and not yet published
    bool given;
    struct settled settled; // since we wait for what was given
};

struct recovery {
    struct generation *generation;
    const struct config *config;
    const struct journal_identity *identity;
    struct journal_writer *writer;
    const struct journal_report *tail;
    struct limits_desk *limits;
    struct opening_clock *clocks; // by core
    uint64_t settling;            // what limits_desk_waits() said
    struct journal_reader *reader;
    const struct command *held; // read, and its core's ring was full
    enum phase phase;
    uint64_t started_ns;
    uint64_t restoring_ns, restored_ns; // when the snapshots' turn came, and when it was over
    uint64_t fed;                       // commands
    bool day_is_new;
    struct market_index index;
    struct core cores[JOURNAL_CORES];
};

static inline enum core_state recovery_core_state(const struct recovery *recovery, unsigned core)
{
    return (enum core_state)atomic_load_explicit(&recovery->generation->blocks[core]->state, memory_order_acquire);
}

// Puts a command into the index-th slot from now; the ring's word is left alone.
static inline void recovery_fill_slot(struct ring *ring, uint32_t index, const struct command *command)
{
    char *slot = ring_slot(ring, index);
    memcpy(slot + sizeof command->seq, (const char *)command + sizeof command->seq,
           sizeof *command - sizeof command->seq);
}

// Begins the opening of a core, of whose journal nothing is noted yet.
void recovery_open(struct recovery *recovery, unsigned index);

// Starts the journal's thread, which has the lanes from then on, unless it runs.
void recovery_start_thread(struct recovery *recovery);

// ---- history.c: QUIET, RESTORE and FEED; PHASE_GIVE is next. Each returns how much it did.
unsigned history_poll_quiet(struct recovery *recovery);
unsigned history_poll_restore(struct recovery *recovery);
unsigned history_poll_feed(struct recovery *recovery);

#endif
