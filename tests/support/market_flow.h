// SPDX-License-Identifier: Apache-2.0
// Market commands among the commands of a random day: halts, bands around where the random orders are, velocity,
// references, market-wide levels, short-sale states, and time that passes faster.
#ifndef CROSSWIRE_TESTS_MARKET_FLOW_H
#define CROSSWIRE_TESTS_MARKET_FLOW_H

#include "tests/support/random_flow.h"

// Puts the seed's market commands in the place of some of the `commands`; the last one stays.
void market_flow(uint64_t seed, const struct rig_day *day, struct command *commands, size_t count);

#endif
