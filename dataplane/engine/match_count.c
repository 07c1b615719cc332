// SPDX-License-Identifier: Apache-2.0
#include "engine/match_count.h"

#include "engine/aiq.h"
#include "engine/book.h"
#include "engine/market.h"
#include "engine/wish.h"

enum { PASS_SHOWN, PASS_PREVENTED, PASS_RESERVES, PASSES };

static void begin(struct engine *e)
{
    struct walk *walk = &e->walk;
    const struct incoming *in = &e->in;
    const struct book *book = &e->books[in->locate];
    unsigned contra = side_of(in->side) ^ 1;
    uint32_t minimum = e->specials[in->special].min_qty;
    walk->begun = true;
    walk->left = in->quantity;
    walk->need = minimum < in->quantity ? minimum : in->quantity;
    walk->level = book->best_level[contra];
    walk->slot = walk->level ? e->levels[walk->level].head : 0;
    walk->hidden = hidden_first(e, book, contra);
}

// Counts `quantity` of a maker. False: the count ends here.
static bool count(struct engine *e, const struct order *maker, uint32_t quantity)
{
    struct walk *walk = &e->walk;
    uint32_t taken = quantity < walk->left ? quantity : walk->left;
    switch (aiq_meet(e, key_session(e->in.key), &e->specials[e->in.special], maker)) {
    case AIQ_TRADE:
        walk->traded += taken;
        walk->left -= taken;
        break;
    case AIQ_DECREMENT:
    case AIQ_DECREMENT_QUIET:
        walk->left -= taken;
        break;
    case AIQ_OLDEST:
        break;
    default: // the taker goes
        return false;
    }
    return walk->left != 0 && walk->traded < walk->need;
}

// What this pass over a displayed level counts of the order.
static uint32_t part(const struct engine *e, const struct order *order, uint8_t pass)
{
    if (pass == PASS_SHOWN)
        return order->quantity;
    if (order->special == 0)
        return 0;
    bool trades = aiq_meet(e, key_session(e->in.key), &e->specials[e->in.special], order) == AIQ_TRADE;
    return trades == (pass == PASS_RESERVES) ? e->specials[order->special].reserve : 0;
}

// The next order of the displayed level, pass by pass; then the next level.
static bool count_shown(struct engine *e)
{
    struct walk *walk = &e->walk;
    const struct order *order = &e->orders[walk->slot];
    uint32_t quantity = part(e, order, walk->pass);
    walk->slot = order->next;
    if (walk->slot == 0 && ++walk->pass < PASSES)
        walk->slot = e->levels[walk->level].head;
    if (walk->slot == 0) {
        walk->pass = PASS_SHOWN;
        walk->level = book_level_after(e, walk->level >> PAGE_SHIFT, walk->level & (PAGE_LEVELS - 1));
        walk->slot = walk->level ? e->levels[walk->level].head : 0;
    }
    return quantity == 0 || count(e, order, quantity);
}

static bool count_hidden(struct engine *e)
{
    struct walk *walk = &e->walk;
    const struct order *order = &e->orders[walk->hidden];
    uint32_t least = e->specials[order->special].min_qty;
    walk->hidden = hidden_next(e, walk->hidden);
    if ((least < order->quantity ? least : order->quantity) > walk->left)
        return true;
    return count(e, order, order->quantity);
}

// Contra orders with a discretion price of their own that reach the limit, the ones that it crosses aside. At most
// max_conditional, in one go.
static void count_discretion(struct engine *e)
{
    const struct incoming *in = &e->in;
    unsigned side = side_of(in->side);
    uint32_t at = e->backs[in->locate].discretion[side ^ 1], limit = price_rank(side, in->limit);
    if (in->price > PRICE_MAX) // a market order
        return;
    for (; at; at = e->specials[at].next) {
        const struct special *s = &e->specials[at];
        const struct order *order = &e->orders[s->slot];
        if (s->discretion_type != 'L')
            continue;
        uint32_t reach = market_cap(e, &e->books[in->locate], in->locate, side ^ 1, s->discretion_price);
        if (limit >= price_rank(side, order->price) || limit < price_rank(side, reach))
            continue;
        if (!count(e, order, order->quantity))
            return;
    }
}

bool count_minimum(struct engine *e, unsigned *looks)
{
    struct walk *walk = &e->walk;
    const struct incoming *in = &e->in;
    unsigned side = side_of(in->side), contra = side ^ 1;
    uint32_t limit = price_rank(side, in->limit);
    if (!walk->begun)
        begin(e);
    for (bool more = true; more;) {
        uint32_t shown_price = e->orders[walk->slot].price, hidden_price = e->orders[walk->hidden].price;
        bool shown = walk->slot && limit >= price_rank(side, shown_price);
        bool hidden = walk->hidden && limit >= price_rank(side, hidden_price);
        if (!shown && !hidden) {
            count_discretion(e);
            break;
        }
        if (*looks == 0)
            return false;
        --*looks;
        if (shown && (!hidden || price_rank(contra, shown_price) >= price_rank(contra, hidden_price)))
            more = count_shown(e);
        else
            more = count_hidden(e);
    }
    walk->stage = walk->traded >= walk->need ? WALK_TAKE : WALK_OVER;
    walk->begun = false;
    return true;
}
