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
    if (locate == LOCATE_NONE || locate > risk->row)
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
