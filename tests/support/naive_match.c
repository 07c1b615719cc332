// SPDX-License-Identifier: Apache-2.0
// Who trades with whom: price, displayed first, time; minimum quantities, reserves, self-match prevention, discretion.
#include <stdlib.h>
#include <string.h>

#include "tests/support/naive_market.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t minimum(const struct resting *o)
{
    return least(o->min, o->open);
}

// How far the order goes as a taker.
static uint32_t limit_of(struct naive_venue *v, const struct resting *o)
{
    uint32_t limit = o->market ? o->edge ? o->edge : naive_buys(o) ? UINT32_MAX : 0 : naive_discretion(v, o);
    return naive_banded(v, o->locate, naive_buys(o), limit);
}

static bool contra(const struct resting *o, const struct resting *m)
{
    return m->in_book && m->locate == o->locate && naive_buys(m) != naive_buys(o);
}

static bool within(const struct resting *o, uint32_t limit, uint32_t price)
{
    return naive_buys(o) ? price <= limit : price >= limit;
}

// Whether `a` trades before `b`, both on one side.
static bool before(const struct resting *a, const struct resting *b)
{
    if (a->price != b->price)
        return naive_buys(a) ? a->price > b->price : a->price < b->price;
    if (a->displayed != b->displayed)
        return a->displayed;
    return a->since < b->since;
}

bool naive_crosses(struct naive_venue *v, const struct resting *o)
{
    for (size_t i = 0; i < v->live; i++)
        if (contra(o, v->orders[i]) && within(o, o->price, v->orders[i]->price))
            return true;
    return false;
}

// ---- self-match prevention

enum remedy { NO_REMEDY, BOTH_SILENT, BOTH_DETAILS, OLDEST, NEWEST, REMOVER };

static const char *const strategies[4] = {"YDOWR", "ydowr", "ZEPXS", "01245"}; // firm, organisation, group, any

static int level_of(char strategy, enum remedy *remedy)
{
    for (int level = 0; level < 4; level++) {
        const char *at = strategy ? strchr(strategies[level], strategy) : NULL;
        if (at) {
            *remedy = (enum remedy)(BOTH_SILENT + (at - strategies[level]));
            return level;
        }
    }
    return -1;
}

static bool blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] != ' ' && text[i] != 0)
            return false;
    return true;
}

static bool same_firm(const struct account *a, const struct account *b)
{
    return memcmp(a->firm, b->firm, 4) == 0;
}

static bool same_organisation(const struct account *a, const struct account *b)
{
    if (blank(a->organisation, 16) || blank(b->organisation, 16))
        return same_firm(a, b);
    return memcmp(a->organisation, b->organisation, 16) == 0;
}

static bool same_group(const struct resting *a, const struct resting *b)
{
    return naive_has(&a->terms, 30) && naive_has(&b->terms, 30) && !blank(a->terms.aiq_group, 2) &&
           memcmp(a->terms.aiq_group, b->terms.aiq_group, 2) == 0;
}

// What keeps the two from trading.
static enum remedy prevented(struct naive_venue *v, const struct resting *taker, const struct resting *maker)
{
    enum remedy remedy = NO_REMEDY, ignored;
    int level = level_of(taker->strategy, &remedy);
    if (level < 0 || level_of(maker->strategy, &ignored) != level)
        return NO_REMEDY;
    const struct account *a = &v->accounts[v->clients[taker->session]->account];
    const struct account *b = &v->accounts[v->clients[maker->session]->account];
    bool same = level == 0   ? same_firm(a, b)
                : level == 1 ? same_organisation(a, b)
                : level == 2 ? same_group(taker, maker)
                             : same_firm(a, b) || same_organisation(a, b) || same_group(taker, maker);
    return same ? remedy : NO_REMEDY;
}

static bool midpoint(const struct resting *o)
{
    return o->type == 'M' || o->type == 'm';
}

static char taker_liquidity(const struct resting *maker)
{
    return midpoint(maker) ? 'm' : 'R';
}

static char maker_liquidity(const struct resting *maker)
{
    return midpoint(maker) ? 'k' : maker->displayed ? 'A' : 'J';
}

// The maker has lost `quantity` of what it shows.
static void use_up(struct naive_venue *v, struct resting *m, uint32_t quantity);

static void say_lost(struct naive_venue *v, const struct resting *o, enum remedy remedy, char strategy, uint32_t price,
                     uint32_t quantity, char liquidity, int flag)
{
    if (remedy == BOTH_SILENT) {
        naive_say_canceled(v, o, quantity, 'Q', flag);
        return;
    }
    struct event *event = naive_event_of(v, EV_AIQ_CANCELED, 3, o);
    event->reason = 'Q';
    event->quantity = event->prevented_qty = quantity;
    event->price = price;
    event->taker_liquidity = liquidity;
    event->aiq_strategy = strategy;
    event->flags = (uint8_t)flag;
}

static void remedy_it(struct naive_venue *v, struct resting *o, struct resting *m, enum remedy remedy, uint32_t price)
{
    if (remedy == BOTH_SILENT || remedy == BOTH_DETAILS) {
        uint32_t lost = least(o->open, m->shown);
        int flag = !m->displayed ? 0 : lost == m->shown ? EV_MD_DELETE : EV_MD_REDUCE;
        say_lost(v, o, remedy, o->strategy, price, lost, taker_liquidity(m), 0);
        say_lost(v, m, remedy, o->strategy, price, lost, maker_liquidity(m), flag);
        o->open -= lost;
        o->executed += lost;
        use_up(v, m, lost);
        return;
    }
    if (remedy == OLDEST || remedy == REMOVER)
        naive_cancel_whole(v, m, 'Q');
    if (remedy == NEWEST || remedy == REMOVER) {
        naive_say_canceled(v, o, o->open, 'Q', 0);
        o->open = 0;
    }
}

// ---- trades

static uint32_t draw_floor(struct naive_venue *v, const struct resting *o)
{
    uint32_t spread = naive_has(&o->terms, 13) ? o->terms.random_reserves : 0;
    if (spread == 0)
        return o->floor;
    uint64_t z = v->generator += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return o->floor - spread + (uint32_t)(z >> 32) % (2 * spread + 1);
}

// Puts the order at the end of the queue of its price.
static void queue(struct naive_venue *v, struct resting *o)
{
    o->since = ++v->moments;
    o->shown = o->floor ? least(o->open, draw_floor(v, o)) : o->open;
    o->in_book = true;
}

static void use_up(struct naive_venue *v, struct resting *m, uint32_t quantity)
{
    m->open -= quantity;
    m->shown -= quantity;
    m->executed += quantity;
    if (m->open == 0) {
        naive_drop(v, m);
    } else if (m->shown == 0) {
        m->ref = v->next_ref++;
        queue(v, m);
        naive_say_shown(v, EV_RESTATED, m);
    }
}

void naive_keep(struct naive_venue *v, const struct event *event)
{
    if (v->deals_count >= v->open.day.max_trades)
        return;
    if (v->deals_count == v->deals_room) {
        v->deals_room = v->deals_room ? v->deals_room * 2 : 1024;
        v->deals = realloc(v->deals, v->deals_room * sizeof *v->deals);
    }
    v->deals[v->deals_count++] = (struct deal){.event = *event};
}

static void trade(struct naive_venue *v, struct resting *o, struct resting *m, uint32_t price, bool discretion)
{
    uint32_t fill = least(o->open, m->shown);
    struct event *event = naive_event_of(v, EV_TRADE, 2, o);
    event->flags = m->displayed ? EV_MD_EXECUTE : EV_MD_OTHER;
    event->ref = m->ref;
    event->price = price;
    event->quantity = fill;
    event->other_session = m->session;
    event->other_user_ref = m->user_ref;
    event->other_user_ref_idx = m->channel;
    event->match = v->next_match++;
    memcpy(event->trade_symbol, v->symbols[o->locate].name, 8);
    event->taker_liquidity = taker_liquidity(m);
    event->maker_liquidity = maker_liquidity(m);
    event->maker_side = m->side;
    event->off_price = discretion && m->displayed;
    naive_keep(v, event);
    struct event done = *event;
    o->open -= fill;
    o->executed += fill;
    use_up(v, m, fill);
    naive_stops_see(v, o->locate, price);
    naive_market_trade(v, o->locate, price);
    naive_risk_trade(v, &done);
}

static void meet(struct naive_venue *v, struct resting *o, struct resting *m, uint32_t price, bool discretion)
{
    enum remedy remedy = prevented(v, o, m);
    if (remedy)
        remedy_it(v, o, m, remedy, price);
    else
        trade(v, o, m, price, discretion);
}

// The maker whose turn it is, NULL when none.
static struct resting *next_maker(struct naive_venue *v, const struct resting *o, uint32_t limit)
{
    struct resting *next = NULL;
    for (size_t i = 0; i < v->live; i++) {
        struct resting *m = v->orders[i];
        if (contra(o, m) && within(o, limit, m->price) && minimum(m) <= o->open && (!next || before(m, next)))
            next = m;
    }
    return next;
}

static bool goes_to(struct naive_venue *v, const struct resting *m, uint32_t limit)
{
    return m->discretion && (naive_buys(m) ? naive_discretion(v, m) >= limit : naive_discretion(v, m) <= limit);
}

static bool fixed(const struct resting *m)
{
    return !naive_has(&m->terms, 10) || m->terms.discretion_price_type == 'L';
}

// The same among discretionary orders that come to meet the taker.
static struct resting *next_discretionary(struct naive_venue *v, const struct resting *o, uint32_t limit)
{
    struct resting *next = NULL;
    for (size_t i = 0; i < v->live; i++) {
        struct resting *m = v->orders[i];
        if (!contra(o, m) || !goes_to(v, m, limit) || (o->min && !fixed(m)))
            continue;
        if (!next || (m->price != next->price ? before(m, next) : m->entered < next->entered))
            next = m;
    }
    return next;
}

// ---- minimum quantity

struct tally {
    uint32_t left, traded;
    bool ended;
};

static uint32_t take_from(struct tally *t, uint32_t quantity)
{
    quantity = least(t->left, quantity);
    t->left -= quantity;
    return quantity;
}

static void count_one(struct naive_venue *v, struct tally *t, const struct resting *o, const struct resting *m,
                      uint32_t *own_reserve, uint32_t *reserve)
{
    switch (prevented(v, o, m)) {
    case NO_REMEDY:
        t->traded += take_from(t, m->shown);
        *reserve += m->open - m->shown;
        break;
    case BOTH_SILENT:
    case BOTH_DETAILS:
        take_from(t, m->shown);
        *own_reserve += m->open - m->shown;
        break;
    case OLDEST:
        break;
    case NEWEST:
    case REMOVER:
        t->ended = true;
    }
}

static int by_turn(const void *a, const void *b)
{
    return before(*(struct resting *const *)a, *(struct resting *const *)b) ? -1 : 1;
}

static int by_entry(const void *a, const void *b)
{
    const struct resting *x = *(struct resting *const *)a, *y = *(struct resting *const *)b;
    if (x->price != y->price)
        return before(x, y) ? -1 : 1;
    return x->entered < y->entered ? -1 : 1;
}

static void count_level(struct naive_venue *v, struct tally *t, const struct resting *o, struct resting **makers,
                        size_t count)
{
    uint32_t own_reserve = 0, reserve = 0;
    size_t i = 0;
    for (; i < count && makers[i]->displayed && !t->ended; i++)
        count_one(v, t, o, makers[i], &own_reserve, &reserve);
    if (t->ended)
        return;
    take_from(t, own_reserve);
    t->traded += take_from(t, reserve);
    for (; i < count && !t->ended; i++)
        if (minimum(makers[i]) <= t->left)
            count_one(v, t, o, makers[i], &own_reserve, &reserve);
}

// Whether as much as the order's minimum would trade now.
static bool enough(struct naive_venue *v, const struct resting *o, uint32_t limit)
{
    struct resting **makers = malloc((v->live + 1) * sizeof(struct resting *));
    struct tally t = {.left = o->open};
    size_t count = 0;
    for (size_t i = 0; i < v->live; i++)
        if (contra(o, v->orders[i]) && within(o, limit, v->orders[i]->price))
            makers[count++] = v->orders[i];
    qsort(makers, count, sizeof makers[0], by_turn);
    for (size_t from = 0, to; from < count && t.left && !t.ended; from = to) {
        for (to = from; to < count && makers[to]->price == makers[from]->price; to++)
            ;
        count_level(v, &t, o, makers + from, to - from);
    }
    count = 0;
    for (size_t i = 0; i < v->live && !o->market; i++) {
        struct resting *m = v->orders[i];
        if (contra(o, m) && !within(o, limit, m->price) && fixed(m) && goes_to(v, m, limit))
            makers[count++] = m;
    }
    qsort(makers, count, sizeof makers[0], by_entry);
    for (size_t i = 0; i < count && t.left && !t.ended; i++)
        count_one(v, &t, o, makers[i], &(uint32_t){0}, &(uint32_t){0});
    free(makers);
    return t.traded >= minimum(o);
}

// ---- the whole way of a taker

void naive_take(struct naive_venue *v, struct resting *o, bool rests, bool announced)
{
    uint32_t limit = limit_of(v, o);
    struct resting *m;
    if (!o->post && (o->min == 0 || enough(v, o, limit))) {
        while (o->open && (m = next_maker(v, o, limit)))
            meet(v, o, m, m->price, false);
        while (o->open && !o->market && (m = next_discretionary(v, o, limit)))
            meet(v, o, m, limit, true);
    }
    if (o->open == 0) {
        naive_drop(v, o);
    } else if (!rests) {
        naive_say_canceled(v, o, o->open, 'I', 0);
        naive_drop(v, o);
    } else {
        queue(v, o);
        if (o->displayed && !announced)
            naive_say_shown(v, EV_BOOK_ADD, o);
    }
}
