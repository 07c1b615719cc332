// SPDX-License-Identifier: Apache-2.0
// Phases of the day and times in force (rules.md section 15).
#ifndef CROSSWIRE_ENGINE_PHASES_H
#define CROSSWIRE_ENGINE_PHASES_H

#include "engine/emit.h"
#include "engine/state.h"

// Enters the phase, 0 being regular hours, without any cancel: also what plain orders may ask for from now on.
void phase_set(struct engine *e, char phase);

// CMD_PHASE; WORK_PHASE goes on with phase_continue.
void phase_change(struct engine *e, const struct command *c, struct out *out);
void phase_continue(struct engine *e, struct out *out);

// An order with TIF 6 in the heap of expiries: special.expire_ns is set. Enters it, or takes it out if it is in.
void expiry_add(struct engine *e, uint32_t special);
void expiry_remove(struct engine *e, uint32_t special);

// CMD_TICK: cancels what has expired, as much as fits; WORK_EXPIRY goes on with it.
void expiry_run(struct engine *e, struct out *out);

// NULL, or what is wrong with the heap of expiries.
const char *expiry_check(const struct engine *e);

// The order of the phases: 0 to 3; -1 for none of them.
int phase_rank(char phase);

#endif
