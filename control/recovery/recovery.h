// SPDX-License-Identifier: Apache-2.0
// Brings the matching cores of a generation from CORE_BOOT to CORE_RUN, and on to a day that is open, from whatever
// point an earlier control, killed at any instruction, had left them.
//
//   QUIET    the command rings are adopted and empty, every core has told what it has applied since
//   RESTORE  cores in BOOT that have taken nothing get their newest good snapshot; of the others only what its opening
//            was is looked up
//   FEED     history from the journal, behind the snapshot: shown to `opening`, and to cores in BOOT from
//            applied_seq + 1 on; a snapshot that it does not go on from is left for an older one
//   GIVE     RECOVERED (to cores in BOOT) and what is missing of the day's opening, published as one
//   START    all cores run: the journal thread takes their rings
//   REST     what did not fit into the ring at once
//   DONE     phases of the schedule and the operator's commands, as they come
#ifndef CROSSWIRE_CONTROL_RECOVERY_RECOVERY_H
#define CROSSWIRE_CONTROL_RECOVERY_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "control/journal/journal.h"
#include "control/limits/desk.h"
#include "control/recovery/generation.h"
#include "control/recovery/opening.h"

struct recovery;

// Starts to recover `generation`, just joined. `tail` is what the journal held when this process opened it (for the
// report). `limits` is brought to what the cores have been told, and then brings them to what they should be. `clocks`,
// all zero before the first recovery, is what the wall clock has said so far. All of it outlives the recovery. Ends the
// process when there is no memory.
struct recovery *recovery_new(struct generation *generation, const struct config *config,
                              const struct journal_identity *identity, struct journal_writer *writer,
                              const struct journal_report *tail, struct limits_desk *limits,
                              struct opening_clock clocks[JOURNAL_CORES]);

// Goes on, bounded. Returns how much it did: 0 while it waits for the data plane. Ends the process with one line when
// the journal does not replay (65), is damaged, or was opened for another configuration (78).
unsigned recovery_poll(struct recovery *recovery);

// Once it is done, about once a millisecond: gives what the schedule says is due.
void recovery_keep_time(struct recovery *recovery);

// Once it is done: gives one more command to core `core`. false: no room in its ring, it does not run, or its day has
// ended and it is no note: nothing would come of it but a record in the journal.
bool recovery_give(struct recovery *recovery, unsigned core, const struct command *command);

// The phase that core `core` is in, or will be when it has taken what was given; 0 before the day has started.
char recovery_phase(const struct recovery *recovery, unsigned core);

// Whether START of a core is held because the wall clock was set ahead; it is given then, on behalf of `by`.
bool recovery_start_by(struct recovery *recovery, const char *by);

// Whether the day of core `core` has ended, or will have when it has taken what was given.
bool recovery_ended(const struct recovery *recovery, unsigned core);

// Whether core `core` has taken all that was given.
bool recovery_taken(const struct recovery *recovery, unsigned core);

bool recovery_done(const struct recovery *recovery);

void recovery_free(struct recovery *recovery);

#endif
