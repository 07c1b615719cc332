// SPDX-License-Identifier: Apache-2.0
// Order slots: a stack of free ones, and each session's list of its orders, oldest first.
#ifndef CROSSWIRE_ENGINE_SLOTS_H
#define CROSSWIRE_ENGINE_SLOTS_H

#include "engine/state.h"

static inline uint32_t slot_take(struct engine *e)
{
    e->live++;
    if (e->free_count == 0)
        return ++e->fresh_slot;
    uint32_t slot = e->free_slots[e->free_count--];
    // The next order will want the one below; below the lowest stands a 0.
    __builtin_prefetch(&e->orders[e->free_slots[e->free_count]], 1);
    return slot;
}

static inline void slot_release(struct engine *e, uint32_t slot)
{
    e->orders[slot].key = 0;
    e->free_slots[++e->free_count] = slot;
    e->live--;
}

static inline void session_append(struct engine *e, struct session *session, uint32_t slot)
{
    uint32_t newest = session->newest;
    e->links[slot] = (struct session_link){.next = 0, .prev = newest};
    if (newest)
        e->links[newest].next = slot;
    else
        session->oldest = slot;
    session->newest = slot;
}

static inline void session_unlink(struct engine *e, struct session *session, uint32_t slot)
{
    struct session_link link = e->links[slot];
    if (link.prev)
        e->links[link.prev].next = link.next;
    else
        session->oldest = link.next;
    if (link.next)
        e->links[link.next].prev = link.prev;
    else
        session->newest = link.prev;
}

#endif
