// SPDX-License-Identifier: Apache-2.0
// What an Enter Order or a Replace asks for as a whole: its command and, for a Replace, what it inherits. The checks of
// rules.md section 2 from 7 on.
#ifndef CROSSWIRE_ENGINE_WISH_H
#define CROSSWIRE_ENGINE_WISH_H

#include "engine/emit.h"
#include "engine/state.h"

// The instructions themselves stand in e->specials[0].
struct wish {
    const struct command *command;
    const struct session *session;
    uint32_t original; // slot of the order to be replaced, 0 for an Enter
    uint16_t locate;
    unsigned side;
    char side_name;
    char display;      // N for a peg
    uint32_t quantity; // not executed by the chain
    uint32_t limit;    // price as entered, or LIMIT_MARKET_BUY, LIMIT_MARKET_SELL
    uint32_t price;    // as entered, then after rule 7
    bool market;
    bool peg;
    bool both_triggers;
    bool plain;
    bool cancels;  // post-only and would trade: canceled after its Accepted
    uint8_t kinds; // conditional
};

// Fills in the wish and e->specials[0]: the defaults or what the original has, and what the command sends over it.
// `side_name` is the side after a Replace's change.
void wish_fill(struct engine *e, struct wish *wish, const struct command *c, uint32_t original, char side_name);

// Checks 7 to 18.
uint8_t wish_check(const struct engine *e, const struct wish *wish);

// Rule 7: the price of a post-only order, or that it is canceled. False when the search goes on in another step
// (e->walk).
bool wish_slide(struct engine *e, struct wish *wish);

// Check 19.
bool wish_full(const struct engine *e, const struct wish *wish);

// The next worse hidden order than this one, 0 for none.
uint32_t hidden_next(const struct engine *e, uint32_t slot);

static inline uint32_t hidden_first(const struct engine *e, const struct book *book, unsigned side)
{
    uint32_t level = book->best_level[side | HIDDEN];
    return level ? e->levels[level].head : 0;
}

#define WALK_MAX 2048 // orders that a step looks at before it pauses

#endif
