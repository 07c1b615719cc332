// SPDX-License-Identifier: Apache-2.0
#include "engine/pegs.h"

#include "engine/book.h"
#include "engine/market.h"

// Halfway between the best prices, rounded away from the contra side to what a hidden order may stand at.
static int64_t midpoint(const struct book *book, unsigned side)
{
    uint64_t step = book_step(book, side | HIDDEN);
    uint64_t sum = (uint64_t)book->best[BUY] + book->best[SELL];
    uint64_t steps = side == BUY ? sum / 2 / step : (sum + 2 * step - 1) / (2 * step);
    return (int64_t)(steps * step);
}

uint32_t peg_price(const struct engine *e, uint16_t locate, unsigned side, char type, int32_t offset, uint32_t cap)
{
    const struct book *book = &e->books[locate];
    bool bid = book->best[BUY] != NO_BID, ask = book->best[SELL] != NO_ASK;
    unsigned reference = type == 'R' ? side : side ^ 1;
    bool known = type == 'R' || type == 'P' ? (reference == BUY ? bid : ask) : bid && ask;
    if (!known)
        return 0;
    int64_t price = type == 'R' || type == 'P' ? book->best[reference] : midpoint(book, side);
    price += side == BUY ? offset : -(int64_t)offset;
    if (cap && (side == BUY ? price > cap : price < cap))
        price = cap;
    return price < book->tick || price > PRICE_MAX ? 0 : market_cap(e, book, locate, side, (uint32_t)price);
}

uint32_t discretion_price(const struct engine *e, const struct special *special, uint16_t locate, unsigned side,
                          uint32_t price)
{
    uint32_t reach = special->discretion_price;
    if (special->discretion_type != 'L')
        reach = peg_price(e, locate, side, special->discretion_type, special->discretion_peg_offset, reach);
    if (reach)
        reach = market_cap(e, &e->books[locate], locate, side, reach);
    return reach && price_rank(side, reach) > price_rank(side, price) ? reach : price;
}

uint32_t discretion_next(const struct engine *e, uint16_t locate, unsigned side, uint32_t limit, uint32_t after)
{
    uint32_t at = after ? e->specials[after].next : e->backs[locate].discretion[side];
    for (; at; at = e->specials[at].next) {
        const struct special *special = &e->specials[at];
        uint32_t reach = discretion_price(e, special, locate, side, e->orders[special->slot].price);
        if (price_rank(side, reach) >= price_rank(side, limit))
            return at;
    }
    return 0;
}

void pegs_look(struct engine *e, uint16_t locate)
{
    struct book_back *back = &e->backs[locate];
    if (back->pegs)
        return;
    back->looked[BUY] = e->books[locate].best[BUY];
    back->looked[SELL] = e->books[locate].best[SELL];
}
