// SPDX-License-Identifier: Apache-2.0
#include "engine/special.h"

#include "engine/conditional.h"
#include "engine/phases.h"
#include "engine/place.h"

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
    return index;
}

void special_release(struct engine *e, uint32_t special)
{
    struct special *s = &e->specials[special];
    e->orders[s->slot].special = 0;
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
        else if (book->watch & WATCH_PEGS)
            book_dirty(e, order->locate);
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
    lookup_remove(e, slot);
    session_unlink(e, &e->sessions[key_session(e->orders[slot].key)], slot);
    special_leave(e, slot);
    conditional_remove(e, special);
    expiry_remove(e, special);
    special_release(e, special);
    slot_release(e, slot);
}

void order_cancel_whole(struct engine *e, struct out *out, uint32_t slot, char reason)
{
    const struct order *order = &e->orders[slot];
    uint16_t session = key_session(order->key);
    if (__builtin_expect(order->special == 0, 1)) {
        emit_canceled(out, order, session, order->quantity, reason, EV_MD_DELETE);
        order_drop(e, slot);
        return;
    }
    bool shown = order->level && order->display != 'N';
    uint32_t open = order->quantity + e->specials[order->special].reserve;
    emit_canceled(out, order, session, open, reason, shown ? EV_MD_DELETE : 0);
    special_drop(e, slot);
}
