// SPDX-License-Identifier: Apache-2.0
// The state of the market: halts, pauses, price bands, velocity, market-wide levels, short-sale restriction. The rules:
// market.md. Symbols that have none of it cost their plain orders nothing: one bit of book.uncommon, which they test
// anyway, sends the others to market_plain.
//
//   HALT, BANDS, REFERENCE, INDEX, PHASE, START, a TICK that is due -> walk over the symbols (WORK_MARKET)
//   trades and best prices of a watched book -> book_dirty -> market_after, when pegs and stops are done
#ifndef CROSSWIRE_ENGINE_MARKET_H
#define CROSSWIRE_ENGINE_MARKET_H

#include "engine/emit.h"
#include "engine/state.h"

// Whether the symbol takes no orders, and its pegs and stops stand still.
static inline bool market_stopped(const struct market *market)
{
    return market->told != STATE_TRADING;
}

// The same for what a command sets in motion: a pause that it has brought about counts already.
static inline bool market_stands_still(const struct engine *e, const struct book *book, uint16_t locate)
{
    if (__builtin_expect((book->uncommon[0] & UNCOMMON_MARKET) == 0, 1))
        return false;
    return market_stopped(&e->markets[locate]) || e->markets[locate].tripped;
}

static inline bool market_restricted(const struct market *market)
{
    return market->reg_sho == SHO_INTRADAY || market->reg_sho == SHO_REMAINS;
}

// Whether an order of a book with UNCOMMON_MARKET needs none of the checks below. `price` is a limit price.
static inline bool market_plain(const struct engine *e, uint16_t locate, char side, uint32_t price)
{
    const struct market *market = &e->markets[locate];
    bool inside = side == 'B' ? price <= market->upper : price >= market->lower;
    return inside && !market_stopped(market) && !(side == 'T' && market_restricted(market));
}

// `price` as far as the bands let an order of that side (BUY, SELL) take or stand.
static inline uint32_t market_cap(const struct engine *e, const struct book *book, uint16_t locate, unsigned side,
                                  uint32_t price)
{
    if (__builtin_expect((book->watch & WATCH_MARKET) == 0, 1))
        return price;
    const struct market *market = &e->markets[locate];
    if (side == BUY)
        return price < market->upper ? price : market->upper;
    return price > market->lower ? price : market->lower;
}

// An order as the checks see it, an Enter's or what a Replace makes of it.
struct market_order {
    uint16_t locate;
    char side;                      // B S T E
    char price_type;                // L P M R m
    bool market, waits, discretion; // a market price; a trigger; discretion
    uint32_t price;
    int32_t peg_offset;
};

// REJECT_NONE, or why the order is not taken: the symbol is not trading; its price is beyond the bands, or it is a
// short sale that is restricted.
uint8_t market_check_halted(const struct engine *e, uint16_t locate);
uint8_t market_check(const struct engine *e, const struct market_order *order);

// `count` trades of a book with WATCH_MARKET at this price.
void market_trade(struct engine *e, uint16_t locate, uint32_t price, uint32_t count);

// A best displayed price of a book with WATCH_MARKET is another one: the book becomes dirty when the limit state may
// begin or end.
void market_best(struct engine *e, uint16_t locate);

// A dirty book whose pegs and stops are done, or stand still. False: goes on in a later step.
bool market_after(struct engine *e, uint16_t locate, struct out *out);

// CMD_REFERENCE, CMD_HALT, CMD_INDEX, CMD_BANDS. One that makes no sense changes nothing.
void market_command(struct engine *e, const struct command *c, struct out *out);

// The symbol's average daily volume; risk has it where an order looks.
static inline void market_volume_known(struct engine *e, uint16_t locate, uint64_t adv)
{
    e->markets[locate].adv = adv;
    if (e->risk.positions_limit == 0)
        return;
    e->symbol_paces[locate].adv = adv;
    symbol_forget(&e->symbol_paces[locate]);
}

// The state of a symbol that has just been opened.
void market_opened(struct market *market);

// The day has started or the phase has changed; time has come to a tick.
void market_phase(struct engine *e, struct out *out);
void market_tick(struct engine *e, struct out *out);

// WORK_MARKET.
void market_continue(struct engine *e, struct out *out);

// H, as it stands.
void market_tell(const struct engine *e, uint16_t locate, struct out *out);

// Sets the bits of book.watch and book.uncommon from the symbol's state.
void market_mark(struct engine *e, uint16_t locate);

// NULL, or which invariant is broken.
const char *market_invariants(const struct engine *e);

#endif
