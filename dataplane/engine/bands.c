// SPDX-License-Identifier: Apache-2.0
#include "engine/bands.h"

#include "engine/market.h"
#include "engine/place.h"
#include "engine/special.h"

#define PARTS UINT64_C(1000000) // of a whole
#define MS_NS UINT64_C(1000000)
#define INTERVAL_NS UINT64_C(10000000000)
#define DWELL_NS UINT64_C(30000000000)
#define CANCEL_EVENTS 1

uint32_t bands_on_tick(const struct book *book, uint32_t price)
{
    uint32_t tick = book->tick, most = PRICE_MAX / tick * tick;
    uint64_t near = ((uint64_t)price + tick / 2) / tick * tick;
    return near < tick ? tick : near > most ? most : (uint32_t)near;
}

bool bands_set(struct engine *e, uint16_t locate)
{
    struct market *m = &e->markets[locate];
    uint32_t tick = e->books[locate].tick, lower = 0, upper = UINT32_MAX;
    if (bands_in_force(e, m)) {
        uint64_t percent = m->wide ? m->wide_percent : m->percent; // at most a million: below 2^52
        uint64_t span = m->reference * percent / PARTS;
        uint64_t most = (m->reference + span) / tick * tick;
        uint64_t least = m->reference > span ? (m->reference - span + tick - 1) / tick * tick : 0;
        upper = most < PRICE_MAX ? (uint32_t)most : PRICE_MAX / tick * tick;
        lower = least > tick ? (uint32_t)least : tick;
    }
    bool changed = lower != m->lower || upper != m->upper;
    m->lower = lower;
    m->upper = upper;
    return changed;
}

static void forget_trades(struct market *m)
{
    memset(m->intervals, 0, sizeof m->intervals);
    m->interval_end_ns = 0;
    m->interval = 0;
}

void bands_refer(struct engine *e, uint16_t locate, uint32_t price)
{
    struct market *m = &e->markets[locate];
    m->reference = bands_on_tick(&e->books[locate], price);
    m->referenced_ns = e->time_ns;
    forget_trades(m);
}

// The mean of the trades of the interval at hand and the 29 before it, 0 when there were none.
static uint32_t mean(const struct engine *e, const struct market *m)
{
    unsigned __int128 sum = 0;
    uint64_t count = 0, now = e->time_ns / INTERVAL_NS;
    for (unsigned i = 0; i < MARKET_INTERVALS_KEPT; i++) {
        const struct interval *interval = &m->intervals[i];
        if (interval->number + UINT64_C(1) * MARKET_INTERVALS_KEPT <= now)
            continue;
        sum += interval->sum;
        count += interval->count;
    }
    return count ? (uint32_t)(sum / count) : 0;
}

void bands_follow(struct engine *e, uint16_t locate)
{
    struct market *m = &e->markets[locate];
    if (m->reference == 0 || e->time_ns - m->referenced_ns < DWELL_NS)
        return;
    uint32_t is = mean(e, m);
    if (is == 0)
        return;
    is = bands_on_tick(&e->books[locate], is);
    uint64_t away = is > m->reference ? is - m->reference : m->reference - is;
    if (away * 100 < m->reference)
        return;
    m->reference = is;
    m->referenced_ns = e->time_ns;
}

// The interval that the time is in, empty when it has only begun.
static void begin_interval(const struct engine *e, struct market *m)
{
    uint64_t number = e->time_ns / INTERVAL_NS;
    m->interval_end_ns = (number + 1) * INTERVAL_NS;
    m->interval = (uint8_t)(number % MARKET_INTERVALS_KEPT);
    m->intervals[m->interval] = (struct interval){.number = (uint32_t)number};
}

// The same of the velocity's eighths; low and high of those that still count.
static void begin_step(const struct engine *e, struct market *m)
{
    uint64_t length = m->velocity_ms * MS_NS / MARKET_STEPS_KEPT, number = e->time_ns / length;
    m->step_end_ns = (number + 1) * length;
    m->step = (uint8_t)(number % MARKET_STEPS_KEPT);
    m->steps[m->step] = (struct step){.low = UINT32_MAX, .number = (uint32_t)number};
    m->low = UINT32_MAX;
    m->high = 0;
    for (unsigned i = 0; i < MARKET_STEPS_KEPT; i++) {
        const struct step *step = &m->steps[i];
        if (step->number + UINT64_C(1) * MARKET_STEPS_KEPT <= number)
            continue;
        m->low = step->low < m->low ? step->low : m->low;
        m->high = step->high > m->high ? step->high : m->high;
    }
}

void velocity_forget(struct market *m)
{
    for (unsigned i = 0; i < MARKET_STEPS_KEPT; i++)
        m->steps[i] = (struct step){.low = UINT32_MAX};
    m->step_end_ns = 0;
    m->step = 0;
    m->low = UINT32_MAX;
    m->high = 0;
}

// Whether the price is further from the lowest or the highest of the velocity's time than it may be.
static bool too_fast(struct engine *e, struct market *m, uint32_t price)
{
    if (e->time_ns >= m->step_end_ns)
        begin_step(e, m);
    struct step *step = &m->steps[m->step];
    step->low = price < step->low ? price : step->low;
    step->high = price > step->high ? price : step->high;
    m->low = price < m->low ? price : m->low;
    m->high = price > m->high ? price : m->high;
    uint64_t most = m->velocity_percent; // at most a million, prices are below 2^31
    return (uint64_t)(price - m->low) * PARTS > m->low * most || (uint64_t)(m->high - price) * PARTS > m->high * most;
}

void market_trade(struct engine *e, uint16_t locate, uint32_t price, uint32_t count)
{
    struct market *m = &e->markets[locate];
    xw_assert(price >= m->lower && price <= m->upper);
    if (e->time_ns >= m->interval_end_ns)
        begin_interval(e, m);
    struct interval *interval = &m->intervals[m->interval];
    if (interval->count <= UINT32_MAX - count) {
        interval->count += count;
        interval->sum += (uint64_t)count * price;
    }
    if (m->reference == 0 && m->percent) {
        m->reference = bands_on_tick(&e->books[locate], price);
        m->referenced_ns = e->time_ns;
        book_dirty(e, locate);
    }
    if (m->velocity_percent && !m->tripped && too_fast(e, m, price)) {
        m->tripped = true;
        book_dirty(e, locate);
    }
}

char bands_limit_side(const struct engine *e, uint16_t locate)
{
    const struct market *m = &e->markets[locate];
    const struct book *book = &e->books[locate];
    if (!bands_in_force(e, m))
        return 0;
    return book->best[BUY] == m->upper ? 'B' : book->best[SELL] == m->lower ? 'S' : 0;
}

void market_best(struct engine *e, uint16_t locate)
{
    if (bands_limit_side(e, locate) != e->markets[locate].limit_side)
        book_dirty(e, locate);
}

// The order that stands furthest beyond the bands on a side of the book (BOOK_SIDES), 0 when none does.
static uint32_t first_beyond(const struct engine *e, uint16_t locate, unsigned side)
{
    const struct book *book = &e->books[locate];
    const struct market *m = &e->markets[locate];
    bool beyond = side & SELL ? book->best[side] < m->lower : book->best[side] > m->upper;
    return beyond ? e->levels[book->best_level[side]].head : 0;
}

static void peg_steps_back(struct engine *e, uint32_t slot)
{
    struct order *order = &e->orders[slot];
    special_leave(e, slot);
    order_risk_take(e, order, 0);
    order->price = e->specials[order->special].asked;
    order_risk_add(e, order, 0);
}

bool bands_enforce(struct engine *e, uint16_t locate, struct out *out)
{
    for (unsigned side = 0; side < BOOK_SIDES; side++) {
        for (uint32_t slot; (slot = first_beyond(e, locate, side)) != 0;) {
            const struct order *order = &e->orders[slot];
            if (order->special && e->specials[order->special].kinds & KIND_PEG) {
                peg_steps_back(e, slot);
                continue;
            }
            if (out->count + CANCEL_EVENTS > ENGINE_EVENTS_MAX)
                return false;
            order_cancel_whole(e, out, slot, 'K');
        }
    }
    return true;
}
