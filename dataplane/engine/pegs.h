// SPDX-License-Identifier: Apache-2.0
// Pegged prices, and the orders whose price or discretion follows the book (rules.md sections 8 and 9).
#ifndef CROSSWIRE_ENGINE_PEGS_H
#define CROSSWIRE_ENGINE_PEGS_H

#include "engine/state.h"

// The limit price of a peg, 0 for a market price: no cap.
static inline uint32_t peg_cap(const struct special *special)
{
    return special->asked > PRICE_MAX ? 0 : special->asked;
}

// The price of a peg now, 0 when it has none. `type` is P M R m.
uint32_t peg_price(const struct engine *e, uint16_t locate, unsigned side, char type, int32_t offset, uint32_t cap);

// Up to what price (a buy) or down to what price (a sell) the order trades now: its discretion price when that is
// better than `price`, else `price`.
uint32_t discretion_price(const struct engine *e, const struct special *special, uint16_t locate, unsigned side,
                          uint32_t price);

// The discretionary order of `side` that trades next with a taker of the other side whose limit is `limit`: the first
// of its list that reaches; pool index, 0 for none. `after`: behind this one (0: from the list's start).
uint32_t discretion_next(const struct engine *e, uint16_t locate, unsigned side, uint32_t limit, uint32_t after);

// Called just before the price of a new or replaced peg is computed: with no peg in the book, the best prices of this
// moment are the ones that pegs were last looked at with.
void pegs_look(struct engine *e, uint16_t locate);

#endif
