// SPDX-License-Identifier: Apache-2.0
// What the configuration says of the market, as commands.
#ifndef CROSSWIRE_CONTROL_RECOVERY_MARKET_H
#define CROSSWIRE_CONTROL_RECOVERY_MARKET_H

#include "contract/command.h"
#include "contract/config.h"

// CMD_BANDS of a symbol, by its tier. False: it has neither bands nor velocity.
bool market_bands(const struct config *config, uint32_t symbol, struct command *command);

// CMD_INDEX that declares the levels. False: there is no index.
bool market_declared(const struct config *config, struct command *command);

// CMD_INDEX: the index is at `level` ten-thousandths of the close before, and this level (1..3, 0 none) is breached.
struct command market_breached(const struct config *config, uint32_t level, uint8_t breached);

// What has been seen of the index.
struct market_index {
    uint64_t sum, base; // the last time
    uint8_t breached;   // the highest level that has been told
};

// The index is `sum` over `base` now, words that are written one after the other: they count when they are the same as
// the last time. True when a higher level is breached than has been told: `command` tells it. Engines ignore a level
// that they know.
bool market_index(struct market_index *index, const struct config *config, uint64_t sum, uint64_t base,
                  struct command *command);

// The highest level that an index at `level` has breached, and the highest index that breaches a level.
uint8_t market_level(uint32_t level);
uint32_t market_level_at(uint8_t breached);

#endif
