// SPDX-License-Identifier: Apache-2.0
// Generations of the region as control sees them: the live one is joined, dead ones are drained, made durable and
// removed.
//
//   newest, lock held        -> joined
//   lock free, ours          -> journal rings drained -> durable -> file removed (XW2003)
//   lock free, another build -> refused (70): only the build that made it can drain it
#ifndef CROSSWIRE_CONTROL_RECOVERY_GENERATION_H
#define CROSSWIRE_CONTROL_RECOVERY_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "contract/region.h"
#include "control/journal/journal.h"

// The joined generation. Arrays are by matching core.
struct generation {
    bool joined;
    struct region region;
    unsigned cores;
    struct core_block *blocks[JOURNAL_CORES];
    struct matcher_port *ports[JOURNAL_CORES];
    struct ring *commands[JOURNAL_CORES];
    struct ring *alerts[JOURNAL_CORES];
    struct journal_lane lanes[JOURNAL_CORES];
    struct journal_thread *thread; // runs while all cores run
};

// Drains and removes every dead generation, then joins the live one if there is one. Ends the process with one line
// where that is not possible: of another build (70), another configuration (78), a failed journal.
void generation_sweep(struct generation *generation, const struct config *config, struct journal_writer *writer);

// Whether the data plane that made the joined generation still lives.
bool generation_alive(const struct generation *generation);

// The journal has failed: no event is released any more, and the data plane is told to end.
void generation_fence(struct generation *generation, const struct config *config, const struct journal_writer *writer);

// Ends the process (65) when a ring says that more was durable than the journal of that date holds: it was taken away.
void generation_require_journal(const struct region *region, const struct journal_lane *lanes, unsigned count,
                                const struct config *config, uint32_t date, const struct journal_writer *writer);

// Stops the journal thread with everything durable that was published so far; leaves the region, which stays.
void generation_leave(struct generation *generation);

// What of the rings is published and not yet durable, all cores together.
uint64_t generation_undrained(const struct generation *generation);

#endif
