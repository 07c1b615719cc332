// SPDX-License-Identifier: Apache-2.0
// Order slots: a stack of free ones, and each session's list of its orders, oldest first.
#ifndef CROSSWIRE_ENGINE_SLOTS_H
#define CROSSWIRE_ENGINE_SLOTS_H

#include "engine/state.h"

// Puts slots that have never been used on the empty stack. False: there is none left.
bool slots_refill(struct engine *e);

// Whether an order may come; slot_take needs to be told so.
static inline bool slot_room(struct engine *e)
{
    return __builtin_expect(e->free_count != 0, 1) || slots_refill(e);
}

static inline uint32_t slot_take(struct engine *e)
{
    return e->free_slots[e->free_count--];
}

// The slot that the order after the next will want; below the lowest stands a 0.
static inline void slot_look_at_next(const struct engine *e)
{
    __builtin_prefetch(&e->orders[e->free_slots[e->free_count - (e->free_count != 0)]], 1);
}

static inline void slot_release(struct engine *e, uint32_t slot)
{
    e->orders[slot].key = ORDER_FREE;
    e->free_slots[++e->free_count] = slot;
}

// Blocks that the orders of so many sessions need at the most: while more are in use, some two neighbours' orders fit
// into one block (slots.c).
static inline uint32_t member_blocks_most(uint32_t max_orders, uint32_t max_sessions)
{
    return max_orders / (MEMBER_WAYS / 4) + 2 * max_sessions + 1;
}

// A block for what a session enters next, whose newest is used up.
void members_begin(struct engine *e, struct session_orders *own);

// The block has no orders any more.
void members_end(struct engine *e, struct session_orders *own, uint32_t block);

// Whether session_append may be called.
static inline bool session_room(const struct session_orders *own)
{
    return __builtin_expect(own->next % MEMBER_WAYS != 0, 1);
}

// Enters the order as its session's newest. Returns its place, which the order is to keep.
static inline uint32_t session_append(struct engine *e, struct session_orders *own, uint32_t slot)
{
    uint32_t member = own->next++;
    e->members[member] = slot;
    return member;
}

// The same when there may be no room in the session's newest block.
static inline uint32_t session_enter(struct engine *e, struct session_orders *own, uint32_t slot)
{
    if (!session_room(own))
        members_begin(e, own);
    return session_append(e, own, slot);
}

// Takes the order out of its session's list. Returns whether its block holds no order any more, for members_end.
static inline bool session_leave(struct engine *e, const struct order *order)
{
    uint32_t block = order->member >> MEMBER_SHIFT;
    uint64_t live = e->members_live[block] & ~(UINT64_C(1) << order->member % MEMBER_WAYS);
    e->members_live[block] = live;
    return __builtin_expect(live == 0, 0);
}

static inline void session_remove(struct engine *e, const struct order *order)
{
    if (session_leave(e, order))
        members_end(e, &e->sessions[key_session(order->key)].orders, order->member >> MEMBER_SHIFT);
}

// The first place of the block that holds an order. Behind a session's newest order, and of block 0, a place that holds
// none.
static inline uint32_t member_first(const struct engine *e, uint32_t block)
{
    uint64_t live = e->members_live[block];
    return live ? block << MEMBER_SHIFT | (unsigned)__builtin_ctzll(live) : 0;
}

// The place of the order after the one at `member` in its session; after the newest, one that holds none.
static inline uint32_t member_next(const struct engine *e, uint32_t member)
{
    uint32_t block = member >> MEMBER_SHIFT;
    uint64_t above = e->members_live[block] >> member % MEMBER_WAYS >> 1;
    if (above)
        return member + 1 + (unsigned)__builtin_ctzll(above);
    return member_first(e, e->member_blocks[block].next);
}

// The order after `slot` of its session, 0 after the newest.
static inline uint32_t session_next(const struct engine *e, uint32_t slot)
{
    return e->members[member_next(e, e->orders[slot].member)];
}

static inline uint32_t session_oldest(const struct engine *e, uint32_t session)
{
    return e->members[member_first(e, e->sessions[session].orders.oldest)];
}

#endif
