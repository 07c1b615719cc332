// SPDX-License-Identifier: Apache-2.0
// What trades do to stops is kept in four numbers a symbol until somebody must know: the lowest and the highest price,
// the deepest fall below a price before it and the highest rise above one, since the stops were last settled. They tell
// of every stop, trailing ones included, whether one of the trades has triggered it: a trailing sell's stop price is
// passed when a trade is lower than the best of before by its amount, or when a fall among the trades was as deep. So a
// trade costs a few comparisons with the nearest that could trigger, however many stops wait.
#include "engine/triggers.h"

static void forget_trades(struct book_back *back)
{
    back->low = UINT32_MAX;
    back->high = back->fall = back->rise = 0;
    back->buy_from = back->fall_from = back->rise_from = UINT32_MAX;
    back->sell_from = 0;
}

static bool anything_reached(const struct book_back *back)
{
    return back->high >= back->buy_from || back->low <= back->sell_from || back->fall >= back->fall_from ||
           back->rise >= back->rise_from;
}

void triggers_trade(struct engine *e, uint16_t locate, uint32_t price)
{
    struct book_back *back = &e->backs[locate];
    back->low = price < back->low ? price : back->low;
    back->high = price > back->high ? price : back->high;
    back->fall = back->high - price > back->fall ? back->high - price : back->fall;
    back->rise = price - back->low > back->rise ? price - back->low : back->rise;
    if (anything_reached(back))
        book_dirty(e, locate);
}

static void follow(struct special *s, unsigned side, uint32_t price)
{
    if (s->extreme == 0 || (side == SELL ? price > s->extreme : price < s->extreme))
        s->extreme = price;
    if (side == BUY)
        s->stop = s->extreme + s->trigger;
    else
        s->stop = s->extreme > s->trigger ? s->extreme - s->trigger : 0;
}

bool trigger_begin(const struct engine *e, struct special *special, uint16_t locate, unsigned side)
{
    uint32_t last = e->books[locate].last_trade;
    special->triggered = 0;
    special->extreme = 0;
    special->stop = special->trigger_type == 'S' ? special->trigger : 0;
    if (special->trigger_type == 'T' && last)
        follow(special, side, last);
    if (last == 0 || special->stop == 0)
        return false;
    return side == BUY ? last >= special->stop : last <= special->stop;
}

void triggers_watch(struct engine *e, uint16_t locate, uint32_t special)
{
    const struct special *s = &e->specials[special];
    struct book_back *back = &e->backs[locate];
    bool buy = side_of(e->orders[s->slot].side) == BUY;
    if (buy && s->stop && s->stop < back->buy_from)
        back->buy_from = s->stop;
    if (!buy && s->stop > back->sell_from)
        back->sell_from = s->stop;
    uint32_t *from = buy ? &back->rise_from : &back->fall_from;
    if (s->trigger_type == 'T' && s->trigger < *from)
        *from = s->trigger;
}

static bool reached(const struct book_back *back, const struct special *s, unsigned side)
{
    if (s->stop && (side == BUY ? back->high >= s->stop : back->low <= s->stop))
        return true;
    return s->trigger_type == 'T' && (side == BUY ? back->rise : back->fall) >= s->trigger;
}

// Moves a stop to those that are to be released, in the order of entry; it comes behind `*behind`.
static void mark(struct engine *e, struct book_back *back, uint32_t special, unsigned side, uint32_t *behind)
{
    struct special *specials = e->specials, *s = &specials[special];
    if (s->prev)
        specials[s->prev].next = s->next;
    else
        back->stops[side] = s->next;
    if (s->next)
        specials[s->next].prev = s->prev;
    else
        back->stops_newest[side] = s->prev;
    uint32_t prev = *behind, at = prev ? specials[prev].next : back->triggered;
    while (at && specials[at].entered < s->entered) {
        prev = at;
        at = specials[at].next;
    }
    s->prev = prev;
    s->next = at;
    if (at)
        specials[at].prev = special;
    if (prev)
        specials[prev].next = special;
    else
        back->triggered = special;
    s->triggered = 1;
    *behind = special;
}

void triggers_settle(struct engine *e, uint16_t locate)
{
    struct book_back *back = &e->backs[locate];
    struct book_back trades = *back;
    if (trades.high == 0 && e->books[locate].watch & WATCH_STOPS)
        return;
    forget_trades(back);
    for (unsigned side = BUY; side <= SELL; side++) {
        uint32_t behind = 0;
        for (uint32_t at = back->stops[side], next; at; at = next) {
            struct special *s = &e->specials[at];
            next = s->next;
            if (reached(&trades, s, side)) {
                mark(e, back, at, side, &behind);
                continue;
            }
            if (s->trigger_type == 'T')
                follow(s, side, side == SELL ? trades.high : trades.low);
            triggers_watch(e, locate, at);
        }
    }
}

uint32_t triggers_first(struct engine *e, uint16_t locate, unsigned *looks)
{
    struct book_back *back = &e->backs[locate];
    if (anything_reached(back)) {
        *looks = *looks > back->conditional ? *looks - back->conditional : 0;
        triggers_settle(e, locate);
    }
    return back->triggered;
}
