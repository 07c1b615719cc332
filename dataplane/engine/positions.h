// SPDX-License-Identifier: Apache-2.0
// The positions: an account in a symbol. Where the day has room for each account in each symbol, each has a place of
// its own, which nothing has to look for; otherwise they stand in the order of their coming and are found by open
// addressing. None is taken away during a day.
#ifndef CROSSWIRE_ENGINE_POSITIONS_H
#define CROSSWIRE_ENGINE_POSITIONS_H

#include "engine/state.h"

// Places of the index for `positions`: at most half of them are taken.
static inline uint32_t positions_index(uint32_t positions)
{
    uint32_t places = 16;
    while (places < 2 * (uint64_t)positions)
        places *= 2;
    return places;
}

static inline uint32_t position_key(uint16_t account, uint16_t locate)
{
    return (uint32_t)account << 16 | locate; // never 0: locates begin at 1
}

static inline uint32_t position_place(const struct risk *risk, uint16_t account, uint16_t locate)
{
    uint64_t mixed = account * UINT64_C(0x9E3779B97F4A7C15) + locate * UINT64_C(0xC2B2AE3D27D4EB4F);
    return (uint32_t)(mixed >> 32) & risk->index_mask;
}

// Where the account's position in the symbol stands, or would, when each has a place of its own.
static inline uint32_t position_own(const struct risk *risk, uint16_t account, uint16_t locate)
{
    return account * risk->row + locate;
}

// A number of the side `side` seen as of buys: sells turn round. Sides can not be foreseen: this costs no branch.
static inline int64_t side_turn(unsigned side, int64_t number)
{
    int64_t mask = -(int64_t)side;
    return (number ^ mask) - mask;
}

// The account's position in the symbol, 0 when it has none yet.
uint32_t position_find(const struct engine *e, uint16_t account, uint16_t locate);

// The same; it begins one when there is none. 0: the table is full.
uint32_t position_take(struct engine *e, uint16_t account, uint16_t locate);

static inline uint64_t product_high(uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)a * b >> 64);
}

// cost / held rounded down, of less than 2^63 and 2 to 2^62 shares, where both parts are a price's size without a
// division: a reciprocal from a line, three steps of Newton's that double its digits to 32 bits, and the remainder says
// by how much it is off.
static inline uint64_t average_price(uint64_t cost, uint64_t held)
{
    unsigned shift = (unsigned)__builtin_clzll(held);
    uint64_t scaled = held << shift; // from 1/2 to 1
    uint64_t reciprocal = UINT64_C(0xB4B4B4B4B4B4B4B4) - product_high(scaled, UINT64_C(0x7878787878787878)); // 62 bits
    for (unsigned i = 0; i < 3; i++)
        reciprocal = product_high(reciprocal, (UINT64_C(1) << 63) - product_high(scaled, reciprocal)) << 2;
    uint64_t average = product_high(cost, reciprocal) >> (62 - shift);
    uint64_t rest = cost - average * held;
    average += rest - held < UINT64_C(1) << 62; // one too low
    average -= rest >> 63;                      // one too high
    if (__builtin_expect(cost - average * held >= held, 0))
        return cost / held; // no price: a position that came so with the day
    return average;
}

// A trade of `quantity` at `price` on that side: quantity, average cost, cash. Returns what the position's |cost| has
// become larger by. Everything is seen as of buys.
static inline __attribute__((always_inline)) int64_t position_trade(struct position *position, unsigned side,
                                                                    uint32_t quantity, uint32_t price)
{
    const int64_t held = side_turn(side, position->quantity), before = side_turn(side, position->cost);
    const int64_t value = (int64_t)((uint64_t)quantity * price), after = held + (int64_t)quantity;
    int64_t cost, larger;
    if (held >= 0) {
        cost = before + value;
        larger = value;
    } else if (after < 0) {
        larger = -(int64_t)(average_price((uint64_t)-before, (uint64_t)-held) * quantity);
        cost = before - larger;
    } else {
        cost = after * price;
        larger = cost + before;
    }
    position->cash -= side_turn(side, value);
    position->quantity = side_turn(side, after);
    position->cost = side_turn(side, cost);
    return larger;
}

#endif
