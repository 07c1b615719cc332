// SPDX-License-Identifier: Apache-2.0
// Invariants of pegs, discretionary orders, stops, expiries and trades.
#include "engine/book.h"
#include "engine/conditional.h"
#include "engine/market.h"
#include "engine/pegs.h"
#include "engine/phases.h"
#include "engine/slots.h"
#include "engine/special.h"
#include "engine/trades.h"

// Walks one list. What an entry must be is told by `wrong`, which gets the one before it too (0: none).
typedef const char *wrong_entry(const struct engine *e, uint16_t locate, unsigned side, uint32_t special,
                                uint32_t prev);

static const char *check_list(const struct engine *e, uint16_t locate, unsigned side, uint32_t first,
                              wrong_entry *wrong, uint32_t *count, uint32_t *newest)
{
    uint32_t prev = 0;
    for (uint32_t at = first; at; prev = at, at = e->specials[at].next) {
        const struct special *s = &e->specials[at];
        if (s->prev != prev)
            return "a list of conditional orders is not linked both ways";
        if (s->slot == 0 || e->orders[s->slot].key == ORDER_FREE || e->orders[s->slot].special != at ||
            e->orders[s->slot].locate != locate)
            return "a list of conditional orders holds what is not its own";
        if (++*count > e->conditional_live)
            return "a list of conditional orders has no end";
        const char *broken = wrong(e, locate, side, at, prev);
        if (broken)
            return broken;
    }
    *newest = prev;
    return NULL;
}

// Between two commands, of a symbol whose pegs and stops move.
static bool idle(const struct engine *e, uint16_t locate)
{
    return e->left.work == WORK_NONE && !market_stands_still(e, &e->books[locate], locate);
}

static const char *wrong_peg(const struct engine *e, uint16_t locate, unsigned side, uint32_t special, uint32_t prev)
{
    (void)side;
    const struct special *s = &e->specials[special];
    const struct order *order = &e->orders[s->slot];
    if (s->kinds != KIND_PEG || order->display != 'N')
        return "a list of pegs holds what is no peg";
    if (prev && e->specials[prev].entered >= s->entered)
        return "pegs are not in the order of entry";
    uint32_t price = peg_price(e, locate, side_of(order->side), s->price_type, s->peg_offset, peg_cap(s));
    if (idle(e, locate) && price != (order->level ? order->price : 0))
        return "a peg is not where its references put it";
    return NULL;
}

static const char *wrong_discretion(const struct engine *e, uint16_t locate, unsigned side, uint32_t special,
                                    uint32_t prev)
{
    (void)locate;
    const struct special *s = &e->specials[special];
    const struct order *order = &e->orders[s->slot];
    if (s->kinds != KIND_DISCRETION || side_of(order->side) != side || order->level == 0)
        return "a list of discretionary orders holds what is none that rests";
    if (prev == 0)
        return NULL;
    uint32_t before = price_rank(side, e->orders[e->specials[prev].slot].price), own = price_rank(side, order->price);
    if (before < own || (before == own && e->specials[prev].entered >= s->entered))
        return "discretionary orders are not listed by price and entry";
    return NULL;
}

static const char *wrong_stop(const struct engine *e, uint16_t locate, unsigned side, uint32_t special, uint32_t prev)
{
    const struct special *s = &e->specials[special];
    const struct order *order = &e->orders[s->slot];
    const struct book_back *back = &e->backs[locate];
    if (s->kinds != KIND_STOP || s->triggered || side_of(order->side) != side || order->level != 0)
        return "a list of stops holds what is no stop that waits";
    if (prev && e->specials[prev].entered >= s->entered)
        return "stops are not in the order of entry";
    if (s->trigger_type == 'S' ? s->stop != s->trigger : (s->stop != 0) && s->extreme == 0)
        return "a stop has a wrong stop price";
    bool trails = s->trigger_type == 'T';
    if (side == BUY ? (s->stop && back->buy_from > s->stop) || (trails && back->rise_from > s->trigger)
                    : back->sell_from < s->stop || (trails && back->fall_from > s->trigger))
        return "a stop would not be noticed";
    return NULL;
}

static const char *wrong_triggered(const struct engine *e, uint16_t locate, unsigned side, uint32_t special,
                                   uint32_t prev)
{
    (void)side;
    const struct special *s = &e->specials[special];
    if (s->kinds != KIND_STOP || !s->triggered || e->orders[s->slot].level != 0)
        return "a list of triggered stops holds what is none";
    if (prev && e->specials[prev].entered >= s->entered)
        return "triggered stops are not in the order of entry";
    return idle(e, locate) ? "a triggered stop was forgotten" : NULL;
}

static const char *check_book(const struct engine *e, uint16_t locate)
{
    const struct book *book = &e->books[locate];
    const struct book_back *back = &e->backs[locate];
    uint32_t count = 0, newest;
    const char *broken = check_list(e, locate, 0, back->pegs, wrong_peg, &count, &newest);
    if (!broken && newest != back->pegs_newest)
        broken = "a list of pegs has another newest one";
    for (unsigned side = BUY; side <= SELL && !broken; side++) {
        broken = check_list(e, locate, side, back->discretion[side], wrong_discretion, &count, &newest);
        if (!broken)
            broken = check_list(e, locate, side, back->stops[side], wrong_stop, &count, &newest);
        if (!broken && newest != back->stops_newest[side])
            broken = "a list of stops has another newest one";
        if (!broken && (book->uncommon[side] & ~(UNCOMMON_KILLED | UNCOMMON_MARKET)) !=
                           (back->discretion[side] || book->best_level[side | HIDDEN]))
            broken = "a side does not say whether hidden or discretionary orders rest on it";
    }
    if (!broken)
        broken = check_list(e, locate, 0, back->triggered, wrong_triggered, &count, &newest);
    if (broken)
        return broken;
    if (count != back->conditional)
        return "a symbol miscounts its conditional orders";
    if (((book->watch & WATCH_PEGS) != 0) != (back->pegs != 0) ||
        ((book->watch & WATCH_STOPS) != 0) != (back->stops[BUY] || back->stops[SELL] || back->triggered))
        return "a book watches for orders that it does not have, or not for those that it has";
    if (idle(e, locate) && back->pegs &&
        (back->looked[BUY] != book->best[BUY] || back->looked[SELL] != book->best[SELL]))
        return "pegs were not looked at when the best prices changed";
    return NULL;
}

const char *conditional_check(const struct engine *e)
{
    uint32_t conditional = 0, dirty = 0;
    for (uint32_t locate = 1; locate <= e->limit.max_symbols; locate++) {
        if (e->books[locate].tick == 0)
            continue;
        const char *broken = check_book(e, (uint16_t)locate);
        if (broken)
            return broken;
        conditional += e->backs[locate].conditional;
    }
    for (uint64_t word = 0; word < dirty_words(e->limit.max_symbols); word++)
        dirty += (uint32_t)__builtin_popcountll(e->dirty[word]);
    if (conditional != e->conditional_live)
        return "conditional orders are miscounted";
    if (dirty != e->dirty_books || (dirty && e->left.work == WORK_NONE))
        return "books to look at are miscounted or forgotten";
    return NULL;
}

const char *expiry_check(const struct engine *e)
{
    for (uint32_t place = 1; place <= e->heap_count; place++) {
        const struct special *s = &e->specials[e->heap[place]];
        const struct special *above = &e->specials[e->heap[place / 2]];
        if (s->heap != place || s->slot == 0 || e->orders[s->slot].special != e->heap[place] ||
            e->orders[s->slot].tif != '6')
            return "the heap of expiries holds what does not expire, or at another place";
        if (place > 1 &&
            (above->expire_ns > s->expire_ns || (above->expire_ns == s->expire_ns && above->entered > s->entered)))
            return "the heap of expiries is out of order";
    }
    uint32_t expiring = 0;
    for (uint32_t session = 0; session < e->limit.max_sessions; session++)
        for (uint32_t slot = session_oldest(e, session); slot; slot = session_next(e, slot))
            expiring += e->orders[slot].tif == '6';
    return expiring == e->heap_count ? NULL : "an order that expires is not in the heap of expiries";
}

const char *trades_check(const struct engine *e)
{
    uint64_t made = e->next_match - e->first_match;
    uint64_t kept = made < e->limit.max_trades ? made : e->limit.max_trades;
    // The newest only: this runs after every command of a test.
    for (uint64_t i = kept > 16 ? kept - 16 : 0; i < kept; i++) {
        const struct trade *trade = &e->trades[i];
        if (trade->taker == 0 || trade->maker == 0 || trade->taker == trade->maker ||
            trade->quantity - 1 >= QUANTITY_MAX || trade->price - 1 >= PRICE_MAX || trade->locate == LOCATE_NONE ||
            trade->locate > e->limit.max_symbols || side_of(trade->taker_side) == side_of(trade->maker_side))
            return "the table of trades holds what is no trade";
    }
    if (made < e->limit.max_trades && e->trades[made].taker != 0)
        return "the table of trades holds more than the day's match numbers";
    return NULL;
}
