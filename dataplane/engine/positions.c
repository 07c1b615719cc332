// SPDX-License-Identifier: Apache-2.0
#include "engine/positions.h"

uint32_t position_take(struct engine *e, uint16_t account, uint16_t locate)
{
    struct risk *risk = &e->risk;
    uint32_t key = position_key(account, locate), place = position_place(risk, account, locate);
    for (; risk->index[place]; place = (place + 1) & risk->index_mask)
        if (risk->index[place] >> 32 == key)
            return (uint32_t)risk->index[place];
    if (risk->positions_count >= risk->positions_limit)
        return 0;
    uint32_t number = ++risk->positions_count;
    risk->index[place] = (uint64_t)key << 32 | number;
    risk->positions[number] = (struct position){
        .account = account, .locate = locate, .group = account * GROUPS_ROW + e->symbol_paces[locate].group};
    risk->backs[number] = (struct position_back){.most = {LIMIT_UNSET, LIMIT_UNSET}};
    return number;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
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
    else if ((int64_t)quantity < -held) // the only division: the average price, rounded down, of what is closed
        position->cost += side_turn(side, (int64_t)(magnitude(position->cost) / (uint64_t)-held * quantity));
    else
        position->cost = side_turn(side, (held + (int64_t)quantity) * price);
    return (int64_t)magnitude(position->cost) - before;
}
