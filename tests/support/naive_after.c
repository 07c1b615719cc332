// SPDX-License-Identifier: Apache-2.0
// What follows a command: pegs move, stops are released. And the prices of both.
#include "tests/support/naive_market.h"

uint32_t naive_best(struct naive_venue *v, uint16_t locate, bool buys)
{
    uint32_t best = 0;
    for (size_t i = 0; i < v->live; i++) {
        const struct resting *o = v->orders[i];
        if (o->locate == locate && naive_seen(o) && naive_buys(o) == buys &&
            (best == 0 || (buys ? o->price > best : o->price < best)))
            best = o->price;
    }
    return best;
}

// A peg's price before any cap; false: its reference is missing.
static bool reference(struct naive_venue *v, const struct resting *o, char type, int32_t offset, int64_t *price)
{
    int64_t own = type == 'P' ? 0 : naive_best(v, o->locate, naive_buys(o));
    int64_t contra = type == 'R' ? 0 : naive_best(v, o->locate, !naive_buys(o));
    uint32_t tick = v->symbols[o->locate].tick;
    if ((type != 'P' && own == 0) || (type != 'R' && contra == 0))
        return false;
    if (type == 'R')
        *price = own;
    else if (type == 'P')
        *price = contra;
    else if (tick % 2 == 0)
        *price = (own + contra) / 2;
    else { // whole ticks, away from the contra side
        int64_t ticks = (own + contra) / tick;
        *price = (ticks / 2 + (naive_buys(o) ? 0 : ticks % 2)) * tick;
    }
    *price += naive_buys(o) ? offset : -(int64_t)offset;
    return true;
}

static bool in_range(struct naive_venue *v, const struct resting *o, int64_t price)
{
    return price >= v->symbols[o->locate].tick && price <= 1999999900;
}

uint32_t naive_peg_price(struct naive_venue *v, const struct resting *o)
{
    int64_t price;
    if (!reference(v, o, o->type, naive_has(&o->terms, 7) ? o->terms.peg_offset : 0, &price))
        return 0;
    if (o->asked <= 1999999900 && (naive_buys(o) ? price > o->asked : price < o->asked)) // market: no cap
        price = o->asked;
    if (!in_range(v, o, price))
        return 0;
    return naive_banded(v, o->locate, naive_buys(o), (uint32_t)price);
}

uint32_t naive_discretion(struct naive_venue *v, const struct resting *o)
{
    const struct command *c = &o->terms;
    uint32_t cap = naive_has(c, 9) ? c->discretion_price : 0;
    char type = naive_has(c, 10) ? c->discretion_price_type : 'L';
    if (!o->discretion)
        return o->price;
    if (type == 'L')
        return naive_banded(v, o->locate, naive_buys(o), cap);
    int64_t price;
    if (!reference(v, o, type, naive_has(c, 11) ? c->discretion_peg_offset : 0, &price))
        return o->price;
    if (cap && (naive_buys(o) ? price > cap : price < cap))
        price = cap;
    if (in_range(v, o, price))
        price = naive_banded(v, o->locate, naive_buys(o), (uint32_t)price);
    if (!in_range(v, o, price) || (naive_buys(o) ? price <= o->price : price >= o->price))
        return o->price;
    return (uint32_t)price;
}

static bool reached(struct naive_venue *v, const struct resting *o, uint32_t trade)
{
    int64_t stop = o->terms.trigger;
    if (o->trigger == 'T') {
        if (!o->extreme_known)
            return false;
        stop = naive_buys(o) ? o->extreme + stop : o->extreme - stop;
        if (stop < v->symbols[o->locate].tick)
            return false;
    }
    return naive_buys(o) ? trade >= stop : trade <= stop;
}

static void trail(struct resting *o, uint32_t trade)
{
    if (!o->extreme_known || (naive_buys(o) ? trade < o->extreme : trade > o->extreme))
        o->extreme = trade;
    o->extreme_known = true;
}

void naive_stops_see(struct naive_venue *v, uint16_t locate, uint32_t price)
{
    struct symbol *symbol = &v->symbols[locate];
    symbol->traded = true;
    symbol->last = price;
    for (size_t i = 0; i < v->live && symbol->pegs_and_stops; i++) {
        struct resting *o = v->orders[i];
        if (o->locate != locate || !o->waits)
            continue;
        trail(o, price);
        if (reached(v, o, price))
            o->triggered = true;
    }
}

bool naive_stop_begins(struct naive_venue *v, struct resting *o)
{
    const struct symbol *symbol = &v->symbols[o->locate];
    o->extreme_known = false;
    if (!symbol->traded)
        return false;
    trail(o, symbol->last);
    return reached(v, o, symbol->last);
}

static bool pegged(const struct resting *o)
{
    return o->type != 'L';
}

// The next peg of the symbol after moment `entered`.
static struct resting *next_peg(struct naive_venue *v, uint16_t locate, uint64_t entered)
{
    struct resting *next = NULL;
    for (size_t i = 0; i < v->live; i++) {
        struct resting *o = v->orders[i];
        if (o->locate == locate && pegged(o) && o->entered > entered && (!next || o->entered < next->entered))
            next = o;
    }
    return next;
}

static void look_at_pegs(struct naive_venue *v, uint16_t locate)
{
    uint32_t bid, ask;
    do {
        bid = naive_best(v, locate, true);
        ask = naive_best(v, locate, false);
        uint64_t entered = 0;
        for (struct resting *o; !naive_stands_still(v, locate) && (o = next_peg(v, locate, entered));) {
            entered = o->entered;
            uint32_t price = naive_peg_price(v, o);
            if (price == (o->in_book ? o->price : 0))
                continue;
            o->in_book = false;
            o->price = price ? price : o->asked;
            if (price)
                naive_take(v, o, true, false);
            naive_settle(v);
        }
    } while (!naive_stands_still(v, locate) &&
             (bid != naive_best(v, locate, true) || ask != naive_best(v, locate, false)));
}

static struct resting *first_triggered(struct naive_venue *v, uint16_t locate)
{
    struct resting *first = NULL;
    for (size_t i = 0; i < v->live; i++) {
        struct resting *o = v->orders[i];
        if (o->locate == locate && o->waits && o->triggered && (!first || o->entered < first->entered))
            first = o;
    }
    return first;
}

bool naive_stop_rests(const struct naive_venue *v, const struct resting *o)
{
    return o->tif != '3' && !o->market && !naive_beyond(v, o->locate, naive_buys(o), o->price);
}

static void release(struct naive_venue *v, struct resting *o)
{
    o->waits = o->conditional = false;
    v->symbols[o->locate].pegs_and_stops--;
    o->trigger = 0;
    o->ref = v->next_ref++;
    struct event *event = naive_event_of(v, EV_PRIORITY, 2, o);
    event->price = o->asked;
    event->display = o->display;
    event->quantity = o->open;
    naive_take(v, o, naive_stop_rests(v, o), false);
}

static void follow(struct naive_venue *v, uint16_t locate)
{
    if (v->symbols[locate].pegs_and_stops == 0 || naive_stands_still(v, locate))
        return;
    look_at_pegs(v, locate);
    for (struct resting *stop; !naive_stands_still(v, locate) && (stop = first_triggered(v, locate));) {
        release(v, stop);
        naive_settle(v);
        look_at_pegs(v, locate);
    }
}

void naive_after(struct naive_venue *v)
{
    for (uint32_t locate = 1; locate <= v->last_locate; locate++) {
        if (!v->symbols[locate].open || !v->symbols[locate].touched)
            continue;
        do
            follow(v, (uint16_t)locate);
        while (naive_market_after(v, (uint16_t)locate));
        v->symbols[locate].touched = naive_halted(v, (uint16_t)locate);
    }
}
