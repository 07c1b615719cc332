// SPDX-License-Identifier: Apache-2.0
// The market's state in a snapshot: CMD_RESTORE_MARKET.
#ifndef CROSSWIRE_ENGINE_MARKET_SNAPSHOT_H
#define CROSSWIRE_ENGINE_MARKET_SNAPSHOT_H

#include "engine/state.h"

// The next record from symbol `*at` (0: the venue, first), part `*part` (both 0 at first), which move on. False behind
// the last. Symbols that are as they were opened have none.
bool market_save(const struct engine *e, uint32_t *at, uint32_t *part, struct command *c);

// Takes a record. False: it fits no engine.
bool market_restore(struct engine *e, const struct command *c);

#endif
