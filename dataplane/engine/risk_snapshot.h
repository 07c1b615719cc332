// SPDX-License-Identifier: Apache-2.0
// Limits, what was executed today and positions as records of a snapshot. What is worked out of them, and out of the
// orders, is not among them.
#ifndef CROSSWIRE_ENGINE_RISK_SNAPSHOT_H
#define CROSSWIRE_ENGINE_RISK_SNAPSHOT_H

#include "engine/risk_limits.h"

// The next record, from what `*at` (and `*within`) stands at, which begin at 0 (positions: at 1); false behind the
// last.
bool risk_put_limits(const struct engine *e, uint32_t *at, uint32_t *within, struct command *c);
bool risk_put_executed(const struct engine *e, uint32_t *at, struct command *c);
bool risk_put_positions(const struct engine *e, uint32_t *at, uint32_t *within, struct command *c);

// Takes one. False: no engine has it.
bool risk_take_limits(struct engine *e, const struct command *c);
bool risk_take_executed(struct engine *e, const struct command *c);
bool risk_take_positions(struct engine *e, const struct command *c);

// The position that a live order counts for, 0 when there is none.
uint32_t risk_order_position(const struct engine *e, const struct order *order);

#endif
