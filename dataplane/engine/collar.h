// SPDX-License-Identifier: Apache-2.0
// The price collar of an order (risk.md section 6): how far through the best price of the other side it may go.
#ifndef CROSSWIRE_ENGINE_COLLAR_H
#define CROSSWIRE_ENGINE_COLLAR_H

#include "engine/book.h"
#include "engine/positions.h"
#include "engine/risk_hooks.h"

// Whether a best price is one.
static inline bool collar_price(uint32_t best)
{
    return best + 1 >= 2; // 0 and UINT32_MAX: there is none
}

// Whether an order of this side (BUY, SELL) at a limit price goes no farther than the best displayed price of the other
// side, which there is: then it is inside of any collar.
static inline bool collar_inside(const struct book *book, unsigned side, uint32_t price)
{
    uint32_t best = book->best[side ^ 1];
    return side_turn(side, (int64_t)price - best) <= 0 && collar_price(best);
}

// REJECT_NONE, or the reason; of an order that a collar applies to.
uint8_t collar_check(struct engine *e, const struct risk_order *o);

// How far a market order without a trigger takes: `limit`, or the collar's edge when that is nearer.
uint32_t collar_limit(const struct engine *e, const struct risk_order *o, uint32_t limit);

#endif
