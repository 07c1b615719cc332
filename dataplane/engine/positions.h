// SPDX-License-Identifier: Apache-2.0
// The table of positions: an account in a symbol, found by open addressing. Nothing is taken out of it during a day.
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

// Where there is a place for each account in each symbol, each has its own; otherwise they are scattered.
static inline uint32_t position_place(const struct risk *risk, uint16_t account, uint16_t locate)
{
    return (uint32_t)((account * risk->index_row + locate * risk->index_step) >> risk->index_shift) & risk->index_mask;
}

// A number of the side `side` seen as of buys: sells turn round. Sides can not be foreseen: this costs no branch.
static inline int64_t side_turn(unsigned side, int64_t number)
{
    int64_t mask = -(int64_t)side;
    return (number ^ mask) - mask;
}

// The account's position in the symbol, 0 when it has none yet.
static inline uint32_t position_find(const struct engine *e, uint16_t account, uint16_t locate)
{
    const struct risk *risk = &e->risk;
    uint32_t key = position_key(account, locate);
    for (uint32_t place = position_place(risk, account, locate);; place = (place + 1) & risk->index_mask) {
        uint64_t entry = risk->index[place];
        if (entry >> 32 == key)
            return (uint32_t)entry;
        if (entry == 0)
            return 0;
    }
}

// The same; it begins one when there is none. 0: the table is full.
uint32_t position_take(struct engine *e, uint16_t account, uint16_t locate);

// A trade of `quantity` at `price` on that side: quantity, average cost, cash. Returns what the position's |cost| has
// become larger by.
int64_t position_trade(struct position *position, unsigned side, uint32_t quantity, uint32_t price);

#endif
