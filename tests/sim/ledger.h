// SPDX-License-Identifier: Apache-2.0
// Who is blocked and what trades, by what the matching cores have said of it, alert by alert; and that nobody trades
// who must not: killed by an operator, a limit, a breaker or a core that has lost control; in a halted or paused
// symbol; beyond a band.
#ifndef CROSSWIRE_TESTS_SIM_LEDGER_H
#define CROSSWIRE_TESTS_SIM_LEDGER_H

#include <stdbool.h>

#include "contract/command.h"
#include "contract/config.h"
#include "contract/event.h"
#include "contract/risk.h"

void ledger_open(const struct config *config);

// What the own engine says to a command of core `core`; `again`: it has said it before.
void ledger_event(unsigned core, const struct event *event, const struct command *command, bool again);

// The core goes on from an earlier point: all of it comes again.
void ledger_went_back(unsigned core);

// Who blocks a scope on a side (0 buy, 1 sell): enum kill_source.
unsigned ledger_blocked(unsigned core, enum scope scope, unsigned index, unsigned side);

// Whether an operator has lifted what a breaker had blocked there last.
bool ledger_overruled(unsigned core, enum scope scope, unsigned index);

// Whether any core has a symbol that does not trade but for a pause, which ends by itself.
bool ledger_halted(void);

// NULL when nobody is blocked any more; else who is.
const char *ledger_busy(void);

#endif
