// SPDX-License-Identifier: Apache-2.0
#include "engine/conditional.h"

#include "engine/book.h"
#include "engine/triggers.h"

static void append(struct engine *e, uint32_t *oldest, uint32_t *newest, uint32_t special)
{
    struct special *s = &e->specials[special];
    s->next = 0;
    s->prev = *newest;
    if (s->prev)
        e->specials[s->prev].next = special;
    else
        *oldest = special;
    *newest = special;
}

// Before the first that it comes before: best price first, then entry. The newest order is the last of its price.
static void insert_discretion(struct engine *e, uint32_t *first, uint32_t special, unsigned side)
{
    struct special *s = &e->specials[special];
    uint32_t rank = price_rank(side, e->orders[s->slot].price), prev = 0, at = *first;
    while (at && price_rank(side, e->orders[e->specials[at].slot].price) >= rank) {
        prev = at;
        at = e->specials[at].next;
    }
    s->prev = prev;
    s->next = at;
    if (at)
        e->specials[at].prev = special;
    if (prev)
        e->specials[prev].next = special;
    else
        *first = special;
}

static void add_peg(struct engine *e, uint16_t locate, uint32_t special)
{
    struct book_back *back = &e->backs[locate];
    struct book *book = &e->books[locate];
    append(e, &back->pegs, &back->pegs_newest, special);
    book->watch |= WATCH_PEGS;
    if (back->looked[BUY] != book->best[BUY] || back->looked[SELL] != book->best[SELL])
        book_dirty(e, locate);
}

void conditional_add(struct engine *e, uint32_t special)
{
    struct special *s = &e->specials[special];
    const struct order *order = &e->orders[s->slot];
    struct book_back *back = &e->backs[order->locate];
    unsigned side = side_of(order->side);
    xw_assert(s->kinds == KIND_PEG || s->kinds == KIND_DISCRETION || s->kinds == KIND_STOP);
    back->conditional++;
    e->conditional_live++;
    e->levels_used++;
    if (s->kinds == KIND_PEG) {
        add_peg(e, order->locate, special);
    } else if (s->kinds == KIND_DISCRETION) {
        insert_discretion(e, &back->discretion[side], special, side);
        book_note_uncommon(e, order->locate, side);
    } else {
        triggers_settle(e, order->locate);
        append(e, &back->stops[side], &back->stops_newest[side], special);
        triggers_watch(e, order->locate, special);
        e->books[order->locate].watch |= WATCH_STOPS;
    }
}

// What was before and behind it are neighbours now; `none` takes the place of a newest that the list does not have.
static void unlink_from(struct engine *e, uint32_t *oldest, uint32_t *newest, const struct special *s)
{
    if (s->prev)
        e->specials[s->prev].next = s->next;
    else
        *oldest = s->next;
    if (s->next)
        e->specials[s->next].prev = s->prev;
    else
        *newest = s->prev;
}

void conditional_remove(struct engine *e, uint32_t special)
{
    struct special *s = &e->specials[special];
    if (s->kinds == 0)
        return;
    const struct order *order = &e->orders[s->slot];
    struct book_back *back = &e->backs[order->locate];
    struct book *book = &e->books[order->locate];
    unsigned side = side_of(order->side);
    uint32_t none = 0;
    if (e->after.cursor == special)
        e->after.cursor = s->next;
    if (s->kinds == KIND_PEG) {
        unlink_from(e, &back->pegs, &back->pegs_newest, s);
        book->watch &= (uint8_t)(back->pegs ? UINT8_MAX : ~WATCH_PEGS);
    } else if (s->kinds == KIND_DISCRETION) {
        unlink_from(e, &back->discretion[side], &none, s);
        book_note_uncommon(e, order->locate, side);
    } else {
        if (s->triggered)
            unlink_from(e, &back->triggered, &none, s);
        else
            unlink_from(e, &back->stops[side], &back->stops_newest[side], s);
        bool any = back->stops[BUY] || back->stops[SELL] || back->triggered;
        book->watch &= (uint8_t)(any ? UINT8_MAX : ~WATCH_STOPS);
    }
    back->conditional--;
    e->conditional_live--;
    e->levels_used--;
    s->kinds = 0;
    s->triggered = 0;
    s->next = s->prev = 0;
}
