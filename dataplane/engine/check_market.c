// SPDX-License-Identifier: Apache-2.0
// Invariants of the market's state.
#include "engine/bands.h"
#include "engine/market.h"

// The best price of a side, displayed or not.
static bool beyond(const struct book *book, const struct market *m)
{
    return book->best[BUY] > m->upper || book->best[BUY | HIDDEN] > m->upper || book->best[SELL] < m->lower ||
           book->best[SELL | HIDDEN] < m->lower;
}

static bool marked(const struct engine *e, const struct book *book, const struct market *m)
{
    bool watched = e->phase == PHASE_REGULAR && (m->percent || m->velocity_percent);
    uint8_t uncommon = watched || market_stopped(m) || market_restricted(m) ? UNCOMMON_MARKET : 0;
    return ((book->watch & WATCH_MARKET) != 0) == watched && (book->uncommon[BUY] & UNCOMMON_MARKET) == uncommon &&
           (book->uncommon[SELL] & UNCOMMON_MARKET) == uncommon;
}

static const char *check_symbol(const struct engine *e, uint16_t locate)
{
    const struct book *book = &e->books[locate];
    const struct market *m = &e->markets[locate];
    bool in_force = bands_in_force(e, m), trading = !market_stopped(m);
    if (m->lower > m->upper || (!in_force && (m->lower != 0 || m->upper != UINT32_MAX)) ||
        (in_force && (m->reference < m->lower || m->reference > m->upper)))
        return "bands are not around their reference";
    if (m->reference % book->tick != 0)
        return "a reference is off the tick";
    if (beyond(book, m))
        return "an order stands beyond the bands";
    if (!marked(e, book, m))
        return "a book does not say whether its market is watched";
    if (m->tripped)
        return "a price has moved too fast, and no pause has followed";
    if (trading != (m->halt == STATE_TRADING && m->pause_end_ns == 0 && e->market.halt_end_ns == 0))
        return "a symbol trades although it is halted, or the other way round";
    if (m->limit_side != (trading ? bands_limit_side(e, locate) : 0))
        return "the limit state is not that of the best prices";
    if ((m->pause_end_ns && e->market.due_ns > m->pause_end_ns && e->market.due_ns > e->time_ns + 1) ||
        (m->limit_side && e->market.due_ns == UINT64_MAX))
        return "the end of a pause or a limit state would be missed";
    return NULL;
}

const char *market_invariants(const struct engine *e)
{
    uint32_t watched = 0;
    for (uint32_t locate = 1; locate <= e->limit.max_symbols; locate++) {
        const struct market *m = &e->markets[locate];
        if (e->books[locate].tick == 0)
            continue;
        const char *broken = e->left.work == WORK_NONE ? check_symbol(e, (uint16_t)locate) : NULL;
        if (broken)
            return broken;
        watched += m->percent || m->velocity_percent;
    }
    return watched == e->market.watched ? NULL : "the symbols that are watched are miscounted";
}
