// SPDX-License-Identifier: Apache-2.0
// What earlier controls of the day have given, decided and left open: the journal, read once, when the first data plane
// runs a recovered day. Then everything that was ever given stands in it.
#ifndef CROSSWIRE_CONTROL_RISK_HISTORY_H
#define CROSSWIRE_CONTROL_RISK_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/command.h"
#include "control/journal/journal.h"

struct history;

// A record, in the journal's order; and the end, once, also when it can not be read to the end.
typedef void history_record(void *context, const struct command *record);
typedef void history_end(void *context, uint64_t now_ns);

// Of the journal that `writer` goes on writing. Both outlive it. NULL: no memory.
struct history *history_new(const struct journal_identity *identity, const struct journal_writer *writer);
void history_free(struct history *history);

// Who wants to know, in the order of registration; 4 at the most.
void history_register(struct history *history, history_record *record, history_end *end, void *context);

// Reads on, bounded: from when a recovered data plane runs until the end. Returns whether it did anything. Our own
// commands may be among the last ones.
unsigned history_poll(struct history *history, uint64_t now_ns);

bool history_complete(const struct history *history);

#endif
