// SPDX-License-Identifier: Apache-2.0
// The day's trades by match number: what a break or an adjustment needs (rules.md section 17).
#ifndef CROSSWIRE_ENGINE_TRADES_H
#define CROSSWIRE_ENGINE_TRADES_H

#include "engine/emit.h"
#include "engine/state.h"

// The first match number of the day; the core's range begins with it.
#define TRADE_RANGE (UINT64_C(1) << 40)
static inline uint64_t trade_first(const struct engine *e)
{
    return ((uint64_t)e->limit.core + 1) * TRADE_RANGE | 1;
}

// Draws the next match number and keeps the trade while the table has room.
static inline __attribute__((always_inline)) uint64_t trade_keep(struct engine *e, struct trade trade)
{
    uint64_t match = e->next_match++;
    uint64_t index = match % TRADE_RANGE - 1;
    if (__builtin_expect(index < e->limit.max_trades, 1))
        e->trades[index] = trade;
    return match;
}

static inline __attribute__((always_inline)) uint64_t trade_record(struct engine *e, const struct incoming *in,
                                                                   const struct order *maker, uint32_t quantity,
                                                                   uint32_t price, char maker_liquidity)
{
    return trade_keep(e, (struct trade){.taker = in->key,
                                        .maker = maker->key,
                                        .quantity = quantity,
                                        .price = price,
                                        .locate = in->locate,
                                        .taker_side = in->side,
                                        .maker_side = maker->side,
                                        .maker_liquidity = maker_liquidity});
}

// CMD_BREAK, CMD_ADJUST.
void trade_break(struct engine *e, const struct command *c, struct out *out);
void trade_adjust(struct engine *e, const struct command *c, struct out *out);

// NULL, or what is wrong with the table.
const char *trades_check(const struct engine *e);

#endif
