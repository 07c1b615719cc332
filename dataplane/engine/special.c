// SPDX-License-Identifier: Apache-2.0
#include "engine/special.h"

#include "engine/conditional.h"
#include "engine/phases.h"
#include "engine/place.h"

uint32_t special_place(struct engine *e)
{
    const struct incoming *in = &e->in;
    struct bucket_place place = lookup_room(e, in->key);
    xw_assert(slot_room(e) && place.way < BUCKET_WAYS);
    uint32_t slot = slot_take(e);
    uint8_t flags = in->flags | lookup_insert(e, place, in->key, slot);
    e->orders[slot] = (struct order){.key = in->key,
                                     .ref = in->ref,
                                     .quantity = in->quantity,
                                     .price = in->price,
                                     .executed = in->executed,
                                     .terms = in->terms,
                                     .group_id = in->group_id,
                                     .flags = flags,
                                     .way = (uint8_t)place.way,
                                     .position = in->position};
    order_risk_add(e, &e->orders[slot], 1);
    order_keep_echo(e, in->flags, slot);
    e->orders[slot].member = session_enter(e, &e->sessions[key_session(in->key)].orders, slot);
    if (in->unplain) {
        uint32_t special = special_take(e, slot);
        if (in->tif == '6')
            expiry_add(e, special);
    }
    return slot;
}

// splitmix64
static uint64_t draw_next(struct engine *e)
{
    uint64_t z = e->generator += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void reserve_draw(struct engine *e, uint32_t slot)
{
    struct order *order = &e->orders[slot];
    struct special *s = &e->specials[order->special];
    uint32_t floor = s->max_floor;
    if (s->random_reserves)
        floor = floor - s->random_reserves + (uint32_t)(draw_next(e) >> 32) % (2 * s->random_reserves + 1);
    order->quantity = floor < s->reserve ? floor : s->reserve;
    s->reserve -= order->quantity;
}

uint32_t special_shrink(struct engine *e, uint32_t slot, uint32_t quantity)
{
    struct order *order = &e->orders[slot];
    struct special *s = &e->specials[order->special];
    uint32_t hidden = quantity < s->reserve ? quantity : s->reserve;
    risk_take(e, key_session(order->key), side_of(order->side), quantity, risk_price(order), order->position, 0,
              risk_on(e));
    s->reserve -= hidden;
    order->quantity -= quantity - hidden;
    if (order->level)
        e->levels[order->level].quantity -= quantity - hidden;
    return order->level && order->display != 'N' ? quantity - hidden : 0;
}

uint32_t special_take(struct engine *e, uint32_t slot)
{
    uint32_t index = e->free_special;
    if (index)
        e->free_special = e->specials[index].slot;
    else
        index = ++e->fresh_special;
    xw_assert(index <= e->limit.max_special);
    e->special_live++;
    e->specials[index] = e->specials[0];
    e->specials[index].slot = slot;
    e->orders[slot].special = index;
    e->orders[slot].flags |= ORDER_SPECIAL;
    return index;
}

void special_release(struct engine *e, uint32_t special)
{
    struct special *s = &e->specials[special];
    e->orders[s->slot].special = 0;
    e->orders[s->slot].flags &= (uint8_t)~ORDER_SPECIAL;
    *s = (struct special){.slot = e->free_special};
    e->free_special = special;
    e->special_live--;
}

void special_join(struct engine *e, uint32_t slot)
{
    struct order *order = &e->orders[slot];
    struct book *book = &e->books[order->locate];
    unsigned side = order_side(order);
    uint32_t index = order->price / book_step(book, side);
    uint32_t page = page_find(e, order->locate, side, index >> PAGE_SHIFT);
    if (page == 0)
        page = page_make(e, order->locate, side, index >> PAGE_SHIFT);
    unsigned offset = index & (PAGE_LEVELS - 1);
    uint32_t id = page << PAGE_SHIFT | offset;
    struct level *level = &e->levels[id];
    order->level = id;
    order->prev = level->tail;
    order->next = 0;
    level->tail = slot;
    level->quantity += order->quantity;
    if (order->prev) {
        e->orders[order->prev].next = slot;
        return;
    }
    level->head = slot;
    e->pages[page].occupied |= (uint16_t)(1u << offset);
    e->levels_used++;
    if (price_rank(side & SELL, order->price) > price_rank(side & SELL, book->best[side])) {
        book->best[side] = order->price;
        book->best_level[side] = id;
        if (side & HIDDEN)
            book_note_uncommon(e, order->locate, side & SELL);
        else if (book->watch & WATCH_BEST)
            book_best_moved(e, book, order->locate);
    }
}

void special_leave(struct engine *e, uint32_t slot)
{
    struct order *order = &e->orders[slot];
    if (order->level == 0)
        return;
    struct level *level = &e->levels[order->level];
    level->quantity -= order->quantity;
    e->orders[order->prev].next = order->next;
    e->orders[order->next].prev = order->prev;
    level->head = order->prev ? level->head : order->next;
    level->tail = order->next ? level->tail : order->prev;
    unsigned side = order_side(order);
    if ((order->next | order->prev) == 0) {
        book_level_empty(e, order->level, order->locate, side);
        if (side & HIDDEN)
            book_note_uncommon(e, order->locate, side & SELL);
    }
    order->level = order->next = order->prev = 0;
}

void special_drop(struct engine *e, uint32_t slot)
{
    uint32_t special = e->orders[slot].special;
    lookup_remove(e, slot, lookup_place(e, e->orders[slot].key));
    order_risk_take(e, &e->orders[slot], 1);
    session_remove(e, &e->orders[slot]);
    special_leave(e, slot);
    conditional_remove(e, special);
    expiry_remove(e, special);
    special_release(e, special);
    slot_release(e, slot);
}

void order_cancel_whole(struct engine *e, struct out *out, uint32_t slot, char reason)
{
    const struct order *order = &e->orders[slot];
    if (__builtin_expect(order->special == 0, 1)) {
        emit_canceled(out, order, order->quantity, reason, EV_MD_DELETE);
        order_drop(e, slot);
        return;
    }
    bool shown = order->level && order->display != 'N';
    uint32_t open = order->quantity + e->specials[order->special].reserve;
    emit_canceled(out, order, open, reason, shown ? EV_MD_DELETE : 0);
    special_drop(e, slot);
}
