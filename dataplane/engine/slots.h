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
    uint32_t count = e->free_count--;
    // The next order will want the one below; below the lowest stands a 0.
    __builtin_prefetch(&e->orders[e->free_slots[count - 1]], 1);
    return e->free_slots[count];
}

static inline void slot_release(struct engine *e, uint32_t slot)
{
    e->orders[slot].key = ORDER_FREE;
    e->free_slots[++e->free_count] = slot;
}

// A session's own link: its `next` is the oldest order, its `prev` the newest.
static inline uint32_t session_own_link(const struct engine *e, uint32_t session)
{
    return e->session_links + session;
}

static inline void session_append(struct engine *e, uint32_t session, uint32_t slot)
{
    struct session_link *links = e->links;
    uint32_t own = session_own_link(e, session), newest = links[own].prev;
    links[slot].next = own;
    links[slot].prev = newest;
    links[newest].next = slot;
    links[own].prev = slot;
}

static inline void session_unlink(struct engine *e, uint32_t slot)
{
    struct session_link *links = e->links;
    uint32_t next = links[slot].next, prev = links[slot].prev;
    links[prev].next = next;
    links[next].prev = prev;
}

// The order after `slot` of its session, 0 after the newest.
static inline uint32_t session_next(const struct engine *e, uint32_t slot)
{
    uint32_t next = e->links[slot].next;
    return next < e->session_links ? next : 0;
}

static inline uint32_t session_oldest(const struct engine *e, uint32_t session)
{
    return session_next(e, session_own_link(e, session));
}

#endif
