// SPDX-License-Identifier: Apache-2.0
// Random days: commands of every kind, from a seed alone. Small books, so that things meet; every seed has its own
// taste, so that some days are all pegs and others all self-match prevention.
#ifndef CROSSWIRE_TESTS_RANDOM_FLOW_H
#define CROSSWIRE_TESTS_RANDOM_FLOW_H

#include <stddef.h>
#include <stdint.h>

#include "tests/support/engine_rig.h"

// What may be drawn besides plain orders; bits of a set.
enum flow_kind {
    FLOW_HIDDEN = 1 << 0,
    FLOW_ATTRIBUTED = 1 << 1,
    FLOW_RESERVE = 1 << 2,
    FLOW_MINIMUM = 1 << 3,
    FLOW_POST_ONLY = 1 << 4,
    FLOW_PEG = 1 << 5,
    FLOW_DISCRETION = 1 << 6,
    FLOW_STOP = 1 << 7,
    FLOW_TIME = 1 << 8,   // TIF 5 6 E, phases, expiry
    FLOW_AIQ = 1 << 9,    // and sessions' defaults
    FLOW_BREAK = 1 << 10, // broken and adjusted trades
    FLOW_ODD = 1 << 11,   // every combination of options, most of them refused
    FLOW_ISO = 1 << 12,
    FLOW_ALL = (1 << 13) - 1, // of what clients send
    FLOW_KILL = 1 << 13,      // kills and resets
};

// The names of `kinds`, comma-separated ("all", "none", "hidden,peg"), as a set; aborts on an unknown one.
unsigned flow_kinds(const char *names);

// The day that `seed` draws.
struct rig_day flow_day(uint64_t seed, unsigned kinds);

// Fills `commands` with the seed's commands, the end of the day last.
void flow_draw(uint64_t seed, unsigned kinds, const struct rig_day *day, struct command *commands, size_t count);

#endif
