// SPDX-License-Identifier: Apache-2.0
// Commands of risk among the commands of a random day: limits so low that they matter, modes, groups, references,
// resets of what was killed, starting positions, and time that passes in steps at which rates and windows differ.
#ifndef CROSSWIRE_TESTS_RISK_FLOW_H
#define CROSSWIRE_TESTS_RISK_FLOW_H

#include "tests/support/random_flow.h"

// What the seed wants its limits to be about; bits of a set.
enum risk_kind {
    RISK_SUMS = 1 << 0,   // what an order is, and what it comes to
    RISK_RATES = 1 << 1,  // buckets, orders alike, repeated executions, protection
    RISK_LOSSES = 1 << 2, // results, groups, levels, slowing, modes
    RISK_ALL = 7,
};

// Makes the seed's day one with risk.
void risk_flow_day(uint64_t seed, struct rig_day *day);

// Puts the seed's commands of risk in the place of some of the `commands`; the last one stays. The commands up to the
// last CMD_POSITION are for the time before the start.
void risk_flow(uint64_t seed, unsigned kinds, const struct rig_day *day, struct command *commands, size_t count);

#endif
