// SPDX-License-Identifier: Apache-2.0
// What a matching core's engine is sized for by the configuration. One place, so that the core, the recovery and every
// replica make engines that refuse the same order as "full".
#ifndef CROSSWIRE_ENGINE_CAPACITY_H
#define CROSSWIRE_ENGINE_CAPACITY_H

#include "contract/config.h"
#include "engine/engine.h"

#define CAPACITY_SPECIAL_LEAST 1024u

// Unless configured, one order in eight may be other than plain.
static inline uint32_t capacity_special(uint32_t max_special, uint32_t max_orders)
{
    if (max_special)
        return max_special;
    return max_orders / 8 > CAPACITY_SPECIAL_LEAST ? max_orders / 8 : CAPACITY_SPECIAL_LEAST;
}

#define CAPACITY_POSITIONS_MOST 1048576u

// Days have risk when a limits file or this capacity is configured; with a file alone every account has room for a
// position in every symbol.
static inline uint32_t capacity_positions(const struct config *config)
{
    if (config->engine.max_positions)
        return config->engine.max_positions;
    if (!config->risk.limits || config->risk.limits[0] == 0)
        return 0;
    uint64_t all = (uint64_t)config->accounts_count * config->symbols_count;
    return all < CAPACITY_POSITIONS_MOST ? (uint32_t)all : CAPACITY_POSITIONS_MOST;
}

// Capacity of matching core `core`. Symbols are counted over all cores (locates are per core, so this is ample),
// sessions too, because their indexes are global.
static inline struct engine_capacity engine_capacity_of(const struct config *config, unsigned core)
{
    return (struct engine_capacity){
        .max_orders = config->engine.max_orders,
        .max_levels = config->engine.max_levels,
        .max_trades = config->engine.max_trades,
        .max_special = capacity_special(config->engine.max_special, config->engine.max_orders),
        .max_conditional = config->engine.max_conditional,
        .max_positions = capacity_positions(config),
        .max_symbols = (uint16_t)config->symbols_count,
        .max_accounts = (uint16_t)config->accounts_count,
        .max_sessions = (uint16_t)config->sessions_count,
        .core = (uint8_t)core,
    };
}

#endif
