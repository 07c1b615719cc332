// SPDX-License-Identifier: Apache-2.0
// A day through the engine and through the plainest venue there is: every event must be the same, field by field, and
// so must what becomes of every message. A day that differs is made as small as it gets, and printed as a scenario.
// What properties.h says must hold as well.
//   XW_NOCHECK     without the engine's own invariants
#ifndef CROSSWIRE_TESTS_BOTH_VENUES_H
#define CROSSWIRE_TESTS_BOTH_VENUES_H

#include "tests/support/demands.h"
#include "tests/support/engine_rig.h"

// What has been seen, summed over days.
struct both_seen {
    unsigned steps; // the most that one command took
    unsigned rejects[256];
    unsigned refused[LIMITS][256];    // by the limit that refused, and code
    unsigned alerts[128][LIMITS + 1]; // by kind and limit
    unsigned events[EV_DAY_OPEN];
    struct demands demands;
    unsigned properties; // wanted of the worst cases: properties.h
};

// Plays the day's opening, among it the commands up to the last CMD_POSITION, then the others. `check_every`: commands
// between two walks over the engine's invariants. False when something differs; `commands` is what is left of it then.
bool both_play(uint64_t seed, const struct rig_day *day, struct command *commands, size_t count, unsigned check_every,
               struct both_seen *seen);

#endif
