// SPDX-License-Identifier: Apache-2.0
// The venue's operators: kill and reset, halt and resume, change limits, end the day, at control's desks; and what must
// hold of the market by what they have been told.
//
//   FREE --kill asked--> UNSURE --kill confirmed--> KILLED --reset asked--> UNSURE --reset confirmed--> FREE
//
// KILLED: nobody of the scope trades on that side.
#ifndef CROSSWIRE_TESTS_SIM_OPERATORS_H
#define CROSSWIRE_TESTS_SIM_OPERATORS_H

#include <stdbool.h>

#include "contract/command.h"
#include "contract/config.h"
#include "contract/event.h"
#include "tests/sim/posix.h"

extern struct operators_mood {
    bool quiet;         // they only lift what stands
    bool end_day;       // .. and want the day ended
    uint32_t ask, kill; // of a million: a step; of the steps in which they ask
} operators_mood;

// `risk`: the day has limits.
void operators_open(const struct config *config, bool risk);

// What the own engine says on core `core`; `again`: it has said it before, on the way to another end.
void operators_event(unsigned core, const struct event *event, bool again);

// The core goes on from an earlier point.
void operators_went_back(unsigned core);
void operators_host_crashed(void);

// NULL when all that was killed or halted is free again, and the day has ended if it should.
const char *operators_busy(void);
void operators_check_rest(void);

// Whether the core's day has ended; that of all.
bool operators_ended(unsigned core);
bool operators_all_ended(void);

// ---- for whoever asks at a desk

// Calls at control's desk `desk` with one line; false when nobody is there.
__attribute__((format(printf, 4, 5))) bool operators_ask(const char *desk, posix_answer *tell, void *context,
                                                         const char *format, ...);

// What was answered, NULL for nothing.
struct answer {
    bool done;        // all of it
    uint64_t pending; // or the request that waits for another person
};
struct answer operators_read(const char *line);

#endif
