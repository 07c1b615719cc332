// SPDX-License-Identifier: Apache-2.0
// A resting order enters and leaves all the tables together.
#ifndef CROSSWIRE_ENGINE_PLACE_H
#define CROSSWIRE_ENGINE_PLACE_H

#include "engine/book.h"
#include "engine/lookup.h"
#include "engine/risk.h"
#include "engine/slots.h"

// The price at which an order counts: none for a market order that waits for its trigger.
static inline uint32_t risk_price(const struct order *order)
{
    return order->price <= PRICE_MAX ? order->price : 0;
}

static inline uint32_t order_open(const struct engine *e, const struct order *order)
{
    return order->quantity + e->specials[order->special].reserve * (order->special != 0);
}

// The same for any order as it stands in its slot; `orders` as there.
static inline void order_risk_add(struct engine *e, const struct order *order, int orders)
{
    risk_add(e, key_session(order->key), side_of(order->side), order_open(e, order), risk_price(order), order->position,
             orders, risk_on(e));
}

static inline void order_risk_take(struct engine *e, const struct order *order, int orders)
{
    risk_take(e, key_session(order->key), side_of(order->side), order_open(e, order), risk_price(order),
              order->position, orders, risk_on(e));
}

// Puts the plain order of `in`, whose side is `side` and whose session's orders are `own`, into its slot and all tables
// but the live-order table, in which it stands at `place`, and what is counted of it.
static inline __attribute__((always_inline)) void order_place(struct engine *e, const struct incoming *in,
                                                              unsigned side, struct session_orders *own,
                                                              struct bucket_place place, uint8_t flags, uint32_t slot)
{
    uint16_t locate = terms_locate(in->terms);
    uint64_t *to = (uint64_t *)&e->orders[slot]; // in whole words
    to[0] = in->key;
    to[1] = in->ref;
    to[4] = in->quantity | (uint64_t)in->price << 32;
    to[5] = in->terms;
    to[7] = (uint64_t)in->position << 32;
    uint32_t level = book_level_make(e, locate, side, in->tick_index);
    to[2] = (uint64_t)book_join(e, locate, side, in->price, in->quantity, level, slot) << 32;
    to[3] = level | (uint64_t)in->executed << 32;
    to[6] =
        session_enter(e, own, slot) | (uint64_t)in->group_id << 32 | (uint64_t)flags << 48 | (uint64_t)place.way << 56;
}

// The echo of the order e->in that has come to `slot`, when it has one.
static inline void order_keep_echo(struct engine *e, uint8_t flags, uint32_t slot)
{
    if (flags & ORDER_HAS_ECHO)
        e->echoes[slot] = e->in_echo;
}

// What an order leaves behind empty.
struct emptied {
    bool block; // its session's
    bool level;
};

// Takes a plain order out of everything but its slot and what is counted of it; order_emptied is to follow. `place` is
// its key's.
static inline __attribute__((always_inline)) struct emptied order_leave(struct engine *e, uint32_t slot,
                                                                        struct lookup_place place)
{
    const struct order *order = &e->orders[slot];
    lookup_remove(e, slot, place);
    struct emptied emptied;
    emptied.block = session_leave(e, order);
    emptied.level = book_leave(e, order);
    return emptied;
}

// Gives back what the order of that session has left empty; its slot may be free by now.
static inline void order_emptied(struct engine *e, const struct order *order, struct session_orders *own,
                                 struct emptied emptied)
{
    if (emptied.block)
        members_end(e, own, order->member >> MEMBER_SHIFT);
    if (emptied.level)
        book_level_empty(e, order->level, order->locate, side_of(order->side));
}

// Takes a plain order out of everything.
static inline void order_drop(struct engine *e, uint32_t slot)
{
    const struct order *order = &e->orders[slot];
    risk_take(e, key_session(order->key), side_of(order->side), order->quantity, order->price, order->position, 1,
              risk_on(e));
    struct session_orders *own = &e->sessions[key_session(order->key)].orders;
    order_emptied(e, order, own, order_leave(e, slot, lookup_place(e, order->key)));
    slot_release(e, slot);
}

#endif
