// SPDX-License-Identifier: Apache-2.0
// Alerts that control may have missed, told again: an engine of each matching core takes the journal from the day's
// beginning to what is durable, and what it tells goes to whoever wants it.
//
//   the day is recovered; a data plane has died and its journal is whole; alerts found no room
//     -> core by core: takers, in the journal's order, also what they have heard already -> their `end`
//
// In pieces of well under a millisecond, and never as work that keeps the loop awake: nobody trades on it.
#ifndef CROSSWIRE_CONTROL_RISK_RETELL_H
#define CROSSWIRE_CONTROL_RISK_RETELL_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "control/journal/journal.h"
#include "control/recovery/generation.h"
#include "control/risk/alerts.h"

struct retell;

// All of a core is told. `known`: it could be; what the journal has of another engine version can not.
typedef void retell_end(void *context, unsigned core, bool known, uint64_t now_ns);

// All of it outlives what is made. NULL: no memory.
struct retell *retell_new(const struct config *config, const struct journal_identity *identity,
                          const struct journal_writer *writer);
void retell_free(struct retell *retell);

// Who wants to know, in the order of registration; 4 at the most. A symbol's state, that the venue as a whole was
// brought into, is told as an alert of that symbol.
void retell_register(struct retell *retell, alerts_take *take, retell_end *end, void *context);

// Tells again all of one core, or of all; what is durable by then at least.
void retell_core(struct retell *retell, unsigned core);
void retell_all(struct retell *retell);

// Goes on. `generation`: joined and running a recovered day, whose cores are looked at for alerts that found no room;
// or NULL.
void retell_poll(struct retell *retell, const struct generation *generation, uint64_t now_ns);

// Whether nothing waits to be told again; false before the first time.
bool retell_complete(const struct retell *retell);

#endif
