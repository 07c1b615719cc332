// SPDX-License-Identifier: Apache-2.0
// Where the other parts of risk are called: one function a place, in the order of risk.md.
#ifndef CROSSWIRE_ENGINE_RISK_HOOKS_H
#define CROSSWIRE_ENGINE_RISK_HOOKS_H

#include "contract/reject.h"
#include "engine/losses.h"
#include "engine/market.h"
#include "engine/mode.h"
#include "engine/rates.h"
#include "engine/settle.h"
#include "engine/state.h"

// An Enter, or a Replace with its original, that is about to be taken.
struct risk_order {
    const struct command *command;
    uint32_t original; // slot of the order to be replaced, 0 for an Enter
    uint16_t session, account, locate;
    unsigned side;
    char side_name;                    // B S T E
    uint32_t quantity;                 // that will be open
    uint32_t price;                    // limit as it will rest, a peg's cap; above PRICE_MAX: none
    uint32_t reach;                    // the price up to which it takes, `price` unless it has discretion
    uint32_t stop;                     // stop price of an order that waits for one, 0 none
    bool waits;                        // it has a trigger
    uint32_t asks;                     // enum permission: bits that it would need
    const struct market_order *market; // NULL: a plain order, which has asked before it was one
    uint32_t position;                 // filled in by risk_check
};

// ---- checks, in their order; REJECT_NONE or the reason
// ---------------------------------------------------------------

// 1: kill, block, mode.
static inline uint8_t hook_blocked(struct engine *e, const struct risk_order *o)
{
    (void)o;
    return mode_blocks(e) ? REJECT_OTHER : REJECT_NONE;
}

// 4 and 5: rates, duplicates.
static inline uint8_t hook_rates(struct engine *e, const struct risk_order *o)
{
    if (o->original)
        return rates_replace(e, o->session, o->locate);
    return rates_enter(e, o->session, o->locate, o->side_name, o->command->quantity, o->command->price);
}

// End of 6: bands, short sale restrictions.
static inline uint8_t hook_market(struct engine *e, const struct risk_order *o)
{
    return o->market ? market_check(e, o->market) : REJECT_NONE;
}

// End of 7: correlation, repeated executions. o->position is known, the order adds `notional`.
static inline uint8_t hook_holding(struct engine *e, const struct risk_order *o, int64_t notional)
{
    return losses_order(e, o->session, &e->risk.positions[o->position], notional);
}

// ---- what others know
// -------------------------------------------------------------------------------------------------

// The closing price of the day before, 0 none; average daily volume, 0 unknown.
static inline uint32_t hook_reference(const struct engine *e, uint16_t locate)
{
    return e->markets[locate].close;
}

static inline uint64_t hook_adv(const struct engine *e, uint16_t locate)
{
    return e->symbol_paces[locate].adv;
}

// A limit's value under the modes that are on.
static inline uint64_t hook_scaled(const struct engine *e, enum limit limit, uint64_t value)
{
    return mode_scaled(e, limit, value);
}

// From which use on a party is to be looked at when the command is over; UINT64_MAX never.
static inline uint64_t hook_stage_at(const struct engine *e, uint32_t party, enum use use)
{
    return settle_stage_at(e, party, use);
}

// ---- what others want to know
// -----------------------------------------------------------------------------------------

// An order has been taken with which a use of this party comes to its stage_at or above.
static inline void hook_stage_reached(struct engine *e, uint32_t party)
{
    settle_party(e, party);
}

// A party to a new trade, after its position has changed.
static inline __attribute__((always_inline)) void hook_traded(struct engine *e, uint16_t session,
                                                              struct position *position, uint32_t quantity, bool maker)
{
    losses_executed(e, session, position, quantity, maker);
}

// CMD_POSITION is about to set this position, which counts nothing until the next tick.
static inline void hook_position_set(struct engine *e, struct position *position)
{
    losses_mark(e, position, 0);
}

// What a position and its working orders come to has changed by so much.
static inline void hook_gross_changed(struct engine *e, const struct position *position, int64_t by)
{
    group_add(e, position, by);
}

// Limits of this scope have changed: for what others work out of them.
static inline void hook_limits_changed(struct engine *e, enum scope scope, uint16_t index)
{
    settle_limits(e, scope, index);
}

#endif
