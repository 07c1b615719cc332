// SPDX-License-Identifier: Apache-2.0
#include "engine/slots.h"

#include <string.h>

#include "contract/assert.h"

#define REFILL 64u // what a step may spend
#define MERGE_LOOKS 16u
#define MERGES 2u

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

// Takes a block behind a session's newest.
static uint32_t members_take(struct engine *e, struct session_orders *own)
{
    uint32_t newest = own->newest, block = e->free_member_block;
    if (block)
        e->free_member_block = e->member_blocks[block].next;
    else
        block = ++e->fresh_member_block;
    e->member_blocks_used++;
    e->member_blocks[block] = (struct member_block){.prev = newest};
    if (newest)
        e->member_blocks[newest].next = block;
    else
        own->oldest = block;
    own->newest = block;
    return block;
}

void members_end(struct engine *e, struct session_orders *own, uint32_t block)
{
    if (own->newest == block)
        return;
    uint32_t next = e->member_blocks[block].next, prev = e->member_blocks[block].prev;
    e->member_blocks[next].prev = prev;
    if (prev)
        e->member_blocks[prev].next = next;
    else
        own->oldest = next;
    e->member_blocks[block].next = e->free_member_block;
    e->free_member_block = block;
    e->member_blocks_used--;
}

// Moves the orders of `from` to the places from `to` on. Returns the place behind the last.
static uint32_t members_move(struct engine *e, uint32_t from, uint32_t to)
{
    for (uint64_t live = e->members_live[from]; live; live &= live - 1) {
        uint32_t slot = e->members[from << MEMBER_SHIFT | (unsigned)__builtin_ctzll(live)];
        e->members[to] = slot;
        e->orders[slot].member = to++;
    }
    return to;
}

// Puts the orders of the block and of the one behind it into one, when they fit and neither is its session's newest:
// that takes orders yet. Returns whether a block is free then.
static bool members_merge(struct engine *e, uint32_t block)
{
    uint32_t next = e->member_blocks[block].next;
    uint64_t live = e->members_live[block], behind = e->members_live[next];
    if (live == 0 || next == 0 || e->member_blocks[next].next == 0 ||
        (unsigned)(__builtin_popcountll(live) + __builtin_popcountll(behind)) >= MEMBER_WAYS)
        return false;
    uint32_t first = block << MEMBER_SHIFT | 1, end = members_move(e, next, members_move(e, block, first));
    e->members_live[block] = UINT64_MAX >> (MEMBER_WAYS - (end - first)) << 1;
    e->members_live[next] = 0;
    members_end(e, &e->sessions[key_session(e->orders[e->members[first]].key)].orders, next);
    return true;
}

// Merges blocks when few are left, some at a time, so that a step's work is bounded.
//
// Why one is always found: n blocks of a session have n - 2 pairs of neighbours without its newest, so that with every
// block in use there are more than max_orders / 16 pairs. A pair that does not fit into one block has 64 orders or
// more, and an order stands in two pairs at the most: of such there are max_orders / 32 at the most.
static void members_thin(struct engine *e)
{
    uint32_t most = member_blocks_most(e->limit.max_orders, e->limit.max_sessions);
    unsigned merged = 0;
    for (uint32_t looks = 0; e->member_blocks_used == most ||
                             (e->member_blocks_used > most - most / 8 && looks < MERGE_LOOKS && merged < MERGES);
         looks++) {
        xw_assert(looks <= 2 * most);
        e->member_hand = e->member_hand < e->fresh_member_block ? e->member_hand + 1 : 1;
        merged += members_merge(e, e->member_hand);
    }
}

void members_begin(struct engine *e, struct session_orders *own)
{
    uint32_t block = own->newest;
    members_thin(e);
    if (block == 0 || e->members_live[block] != 0)
        block = members_take(e, own);
    e->members_live[block] = UINT64_MAX << 1;
    memset(&e->members[block << MEMBER_SHIFT], 0, MEMBER_WAYS * sizeof *e->members);
    own->next = block << MEMBER_SHIFT | 1;
}
