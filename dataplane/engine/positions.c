// SPDX-License-Identifier: Apache-2.0
#include "engine/positions.h"

#include "engine/losses.h"

static uint32_t find_scattered(const struct risk *risk, uint16_t account, uint16_t locate)
{
    uint32_t key = position_key(account, locate);
    for (uint32_t place = position_place(risk, account, locate);; place = (place + 1) & risk->index_mask) {
        uint64_t entry = risk->index[place];
        if (entry >> 32 == key)
            return (uint32_t)entry;
        if (entry == 0)
            return 0;
    }
}

uint32_t position_find(const struct engine *e, uint16_t account, uint16_t locate)
{
    const struct risk *risk = &e->risk;
    if (risk->row == 0)
        return find_scattered(risk, account, locate);
    if (account >= e->limit.max_accounts || locate == LOCATE_NONE || locate > risk->row)
        return 0;
    uint32_t number = position_own(risk, account, locate);
    return risk->positions[number].state ? number : 0;
}

static uint32_t take_scattered(struct risk *risk, uint16_t account, uint16_t locate)
{
    uint32_t place = position_place(risk, account, locate), number = risk->positions_count + 1;
    while (risk->index[place])
        place = (place + 1) & risk->index_mask;
    risk->index[place] = (uint64_t)position_key(account, locate) << 32 | number;
    return number;
}

uint32_t position_take(struct engine *e, uint16_t account, uint16_t locate)
{
    struct risk *risk = &e->risk;
    uint32_t number = position_find(e, account, locate);
    if (number)
        return number;
    if (risk->positions_count >= risk->positions_limit)
        return 0;
    number = risk->row ? position_own(risk, account, locate) : take_scattered(risk, account, locate);
    risk->begun[++risk->positions_count] = number;
    risk->positions[number] = (struct position){.account = account, .locate = locate, .state = POSITION_BEGUN};
    risk->backs[number] = (struct position_back){.most = {LIMIT_UNSET, LIMIT_UNSET}};
    group_begun(e, &risk->positions[number]);
    return number;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

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

int64_t position_trade(struct position *position, unsigned side, uint32_t quantity, uint32_t price)
{
    int64_t before = (int64_t)magnitude(position->cost);
    int64_t held = side_turn(side, position->quantity); // negative: the trade closes
    int64_t value = (int64_t)((uint64_t)quantity * price);
    position->cash -= side_turn(side, value);
    position->quantity += side_turn(side, quantity);
    if (held >= 0)
        position->cost += side_turn(side, value);
    else if ((int64_t)quantity < -held)
        position->cost += side_turn(side, (int64_t)(average_price((uint64_t)before, (uint64_t)-held) * quantity));
    else
        position->cost = side_turn(side, (held + (int64_t)quantity) * price);
    return (int64_t)magnitude(position->cost) - before;
}
