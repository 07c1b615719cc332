// SPDX-License-Identifier: Apache-2.0
// Risk officers: change limits, by two persons where a day wants that, raise what has killed somebody, close breakers,
// and offer limits files with mistakes and schedules that run backwards, which must be refused and change nothing.
#ifndef CROSSWIRE_TESTS_SIM_OFFICERS_H
#define CROSSWIRE_TESTS_SIM_OFFICERS_H

#include <stdbool.h>

#include "contract/config.h"
#include "contract/risk.h"

// Only on days with limits.
void officers_open(const struct config *config);

// A line of control's log; control, the data plane is being started.
void officers_line(const char *line);
void officers_control_starts(void);
void officers_dataplane_starts(void);

// The breaker that has been open for so long that the core must not take an order of the session; NULL: none.
const char *officers_breaker(unsigned core, unsigned session);

// One thing or another.
void officers_act(void);

// Goes on raising what keeps the account, or its firm, killed; true once nothing of that is left to do.
bool officers_raise(enum scope scope, unsigned account);

// The next thing that has to be put in order; false: there is none, or somebody is at it.
bool officers_lift(void);

// NULL when nothing is under way, everything is known and no breaker is open; else what is missing.
const char *officers_busy(void);

// At rest: limits are what officers were told.
void officers_check_rest(void);

#endif
