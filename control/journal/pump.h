// SPDX-License-Identifier: Apache-2.0
// From the journal rings to the writer, a step at a time: what the journal thread and the drains are made of. Inside
// the journal, and for a simulator that runs it itself (between journal_attach and journal_detach).
#ifndef CROSSWIRE_CONTROL_JOURNAL_PUMP_H
#define CROSSWIRE_CONTROL_JOURNAL_PUMP_H

#include <stdbool.h>

#include "control/journal/journal.h"

struct journal_pump;

// `durable`: publish durable_seq. Never NULL.
struct journal_pump *journal_pump_new(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count,
                                      bool durable);
void journal_pump_free(struct journal_pump *pump);

// One turn: takes completions (`wait`: blocks for one when a write is outstanding), appends what stands in the rings,
// starts a write, tells what is durable. Returns whether anything moved.
bool journal_pump_turn(struct journal_pump *pump, bool wait);

// Tells what is durable and gives the rings' cells back; a turn in which anything moved does so itself.
void journal_pump_publish(struct journal_pump *pump);

// From now on nothing is taken but what stands published: a producer that never pauses can not make the rest longer.
void journal_pump_end_here(struct journal_pump *pump);

// Whether all of that is durable.
bool journal_pump_ended(const struct journal_pump *pump);

// Whether nothing is appended or on its way.
bool journal_pump_settled(const struct journal_pump *pump);

// Whether the last turn found no room for all that stood in the rings.
bool journal_pump_full(const struct journal_pump *pump);

#endif
