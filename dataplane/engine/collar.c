// SPDX-License-Identifier: Apache-2.0
#include "engine/collar.h"

#include "engine/risk.h"
#include "engine/single.h"

// What the order's price is held against, 0 for nothing: its stop price, the best displayed price of the other side, or
// the mark.
static uint32_t collar_from(const struct engine *e, const struct risk_order *o)
{
    const struct book *book = &e->books[o->locate];
    if (o->waits)
        return o->stop;
    if (o->side == BUY && book->best[SELL] != NO_ASK)
        return book->best[SELL];
    if (o->side == SELL && book->best[BUY] != NO_BID)
        return book->best[BUY];
    return risk_mark(e, o->locate);
}

uint8_t collar_check(struct engine *e, const struct risk_order *o)
{
    const uint32_t from = collar_from(e, o);
    if (from == 0 || o->reach > PRICE_MAX)
        return REJECT_NONE;
    const int64_t beyond = side_turn(o->side, (int64_t)o->reach - from);
    if (beyond <= 0)
        return REJECT_NONE;
    const uint64_t ppm = ((uint64_t)beyond * MILLION + from - 1) / from; // rounded up: above the limit when beyond is
    return single_reached(e, o, LIMIT_COLLAR, ppm, REJECT_MARKET_IMPACT);
}

_Static_assert(2 * (uint64_t)PRICE_MAX < LIMIT_MARKET_BUY, "twice what it is held against is a price, and nearer");

uint32_t collar_limit(const struct engine *e, const struct risk_order *o, uint32_t limit)
{
    const uint64_t ppm = single_most(e, o, LIMIT_COLLAR), from = collar_from(e, o);
    if (ppm == LIMIT_UNSET || from == 0)
        return limit;
    const uint64_t span = from * ppm / MILLION; // at most `from`: the lower edge is 0 or more
    if (o->side == BUY)
        return (uint32_t)(from + span);
    return from - span > limit ? (uint32_t)(from - span) : limit;
}
