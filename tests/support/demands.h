// SPDX-License-Identifier: Apache-2.0
// What random days must have been about: kinds of orders in every phase, times in force, strategies, outcomes, reasons.
// Counted from commands and from the events that they made, so that a flow that has lost a kind is found out.
#ifndef CROSSWIRE_TESTS_DEMANDS_H
#define CROSSWIRE_TESTS_DEMANDS_H

#include "contract/command.h"
#include "contract/event.h"

#define DEMAND_KINDS 32
#define DEMAND_OUTCOMES 32

struct demands {
    uint64_t commands;
    unsigned kinds[DEMAND_KINDS][3]; // accepted in pre-market, regular hours, after-hours
    unsigned tifs[128][3];           // by TIF
    unsigned strategies[128];        // accepted with it
    unsigned prevented[128];         // what came of a taker's strategy
    unsigned outcomes[DEMAND_OUTCOMES];
    unsigned canceled[128];          // by reason
    unsigned taker[128], maker[128]; // trades by liquidity
    unsigned rejected[256];          // orders and replaces, by code
};

// A command and its events. `phase` as it is after it; `strategy` is what no strategy, or '*', stands for in its
// session.
void demands_note(struct demands *d, const struct command *c, const struct event *events, size_t count, char phase,
                  char strategy);

// Prints the counts. Returns how many of those that must not be 0 are.
unsigned demands_missing(const struct demands *d);

#endif
