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

// A trade of `quantity` at `price` on that side: quantity, average cost, cash. Returns what the position's |cost| has
// become larger by.
int64_t position_trade(struct position *position, unsigned side, uint32_t quantity, uint32_t price);

#endif
