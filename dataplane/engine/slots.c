// SPDX-License-Identifier: Apache-2.0
#include "engine/slots.h"

#define REFILL 64u // what a step may spend

bool slots_refill(struct engine *e)
{
    uint32_t left = e->fresh_limit - e->fresh_slot;
    uint32_t count = left < REFILL ? left : REFILL;
    for (uint32_t i = 0; i < count; i++) { // the lowest on top
        uint32_t slot = e->fresh_slot + 1 + i;
        e->free_slots[count - i] = slot;
        e->orders[slot].key = ORDER_FREE;
    }
    e->fresh_slot += count;
    e->free_count = count;
    return count != 0;
}
