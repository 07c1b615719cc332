// SPDX-License-Identifier: Apache-2.0
// Reads the matching cores' alerts: logs them, and hands them to whoever wants to act. As they come: the command that
// caused one may not be durable yet (alert.cmd_seq says which it is). What finds no room is counted by the core, and
// lost here; the journal has it.
#ifndef CROSSWIRE_CONTROL_RISK_ALERTS_H
#define CROSSWIRE_CONTROL_RISK_ALERTS_H

#include <stdbool.h>

#include "contract/config.h"
#include "contract/risk.h"
#include "control/recovery/generation.h"

struct alerts;

typedef void alerts_take(void *context, unsigned core, const struct alert *alert);

// NULL: no memory. `config` outlives it.
struct alerts *alerts_new(const struct config *config);
void alerts_free(struct alerts *alerts);

// Who is to be given each alert, in the order of registration; 8 at the most.
void alerts_register(struct alerts *alerts, alerts_take *take, void *context);

// Takes what stands in the rings of the joined generation, bounded. Returns how much that was.
unsigned alerts_poll(struct alerts *alerts, const struct generation *generation);

// What a scope is called, as the configuration has it: "account FIRST", "venue"; in `text`.
const char *alerts_scope_text(const struct config *config, unsigned core, enum scope scope, uint16_t index, char *text,
                              size_t size);

// The name alone, "" of the venue and of what there is not.
const char *alerts_scope_name(const struct config *config, unsigned core, enum scope scope, uint16_t index);

// "venue", "firm", ..; NULL for none.
const char *alerts_scope_word(enum scope scope);

#endif
