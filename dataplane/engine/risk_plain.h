// SPDX-License-Identifier: Apache-2.0
// All checks of risk.md for a plain order at a glance. Each is at least as strict as the one in risk_check.c and has no
// effect before all have passed; an order that one of them stops is looked at by that one, which decides. So what
// stands here changes no answer.
#ifndef CROSSWIRE_ENGINE_RISK_PLAIN_H
#define CROSSWIRE_ENGINE_RISK_PLAIN_H

#include "engine/collar.h"
#include "engine/risk.h"
#include "engine/terms.h"

// A plain order that is about to be taken, at `price`; of a Replace, `open` and `open_price` are the original's.
struct risk_plain {
    uint64_t terms;
    uint16_t session;
    unsigned side;
    uint32_t quantity, price;
    uint32_t counted;  // price that it counts at (risk.md section 4)
    uint32_t position; // number; 0: none yet
    uint32_t open, open_price;
    int orders; // 1: an Enter, 0: a Replace
};

// What any plain order may ask for.
#define PLAIN_ASKS                                                                                                \
    (LOOK_CLOSELY | FORBID_ALL | FORBID_WITHOUT_STOP_LOSS | FORBID_IOC | FORBID_PRE_MARKET | FORBID_POST_MARKET | \
     FORBID_SHORT | FORBID_SHORT_EXEMPT | FORBID_SHORT_UNLOCATED)

// The permissions that a plain order needs.
static inline uint32_t plain_asks(const struct engine *e, uint64_t terms)
{
    char side = terms_side(terms);
    uint32_t asks = FORBID_ALL | FORBID_WITHOUT_STOP_LOSS;
    asks |= (terms & TERM(tif, UINT8_MAX)) == TERM(tif, '3') ? FORBID_IOC : 0;
    asks |= e->phase == PHASE_PRE ? FORBID_PRE_MARKET : e->phase == PHASE_AFTER ? FORBID_POST_MARKET : 0;
    asks |= side == 'T' ? FORBID_SHORT | FORBID_SHORT_UNLOCATED : 0;
    return asks | (side == 'E' ? FORBID_SHORT_EXEMPT | FORBID_SHORT_UNLOCATED : 0);
}

#define OR_CLOSELY(condition)                 \
    do {                                      \
        if (__builtin_expect((condition), 0)) \
            return false;                     \
    } while (0)

// The position of the account in the symbol, begun or not, where it has a place of its own.
static inline uint32_t position_glance(const struct engine *e, uint32_t account, uint16_t locate)
{
    const struct risk *risk = &e->risk;
    return __builtin_expect(risk->row != 0, 1) ? position_own(risk, (uint16_t)account, locate)
                                               : position_find(e, (uint16_t)account, locate);
}

// Checks 3 and 6: permissions, and the order alone.
static inline __attribute__((always_inline)) bool plain_alone(const struct engine *e, struct risk_plain o,
                                                              const struct order_limits *session,
                                                              const struct order_limits *symbol, uint64_t notional)
{
    uint16_t locate = terms_locate(o.terms);
    const struct book *book = &e->books[locate];
    uint32_t forbidden = session->forbidden | symbol->forbidden;
    OR_CLOSELY(forbidden & PLAIN_ASKS && forbidden & (plain_asks(e, o.terms) | LOOK_CLOSELY));
    OR_CLOSELY(forbidden & LOOK_COLLAR && !collar_inside(book, o.side, o.price));
    OR_CLOSELY(o.quantity > session->quantity);
    OR_CLOSELY(o.quantity > symbol->quantity);
    OR_CLOSELY(notional > session->notional);
    OR_CLOSELY(notional > symbol->notional);
    uint32_t ppm = session->fat_ppm < symbol->fat_ppm ? session->fat_ppm : symbol->fat_ppm;
    uint32_t ticks = session->fat_ticks < symbol->fat_ticks ? session->fat_ticks : symbol->fat_ticks;
    if ((ppm & ticks) == LIMIT_UNSET32)
        return true;
    uint32_t mark = risk_mark(e, locate);
    int64_t beyond = side_turn(o.side, (int64_t)o.price - mark);
    OR_CLOSELY(beyond * 1000000 > (int64_t)((uint64_t)mark * ppm));
    OR_CLOSELY(beyond > (int64_t)((uint64_t)ticks * book->tick));
    return true;
}

// Check 7.7: of the position, then of all that the firm has today, whatever the symbol.
static inline __attribute__((always_inline)) bool plain_volume(const struct engine *e, uint64_t adv,
                                                               const struct session_line *line,
                                                               const struct position *position, int64_t quantity)
{
    uint64_t used = position->day + (uint64_t)quantity;
    used += (uint64_t)position->working[BUY] + position->working[SELL];
    if (line->limits.forbidden & LOOK_FIRM_VOLUME)
        used = (uint64_t)(party_figure(&e->parties[line->firm], FIGURE_DAY_QUANTITY) + quantity);
    return used * 1000000 <= adv * line->adv_ppm || adv == 0;
}

// Check 7, but for the parties: `quantity` and `notional` are what the order adds.
static inline __attribute__((always_inline)) bool plain_held(const struct engine *e, struct risk_plain o,
                                                             const struct session_line *line,
                                                             const struct position *position, int64_t quantity,
                                                             int64_t notional)
{
    unsigned side = o.side;
    OR_CLOSELY(position->state != POSITION_BEGUN);
    OR_CLOSELY(side_turn(side, position->quantity) + position->working[side] + quantity > line->most[side]);
    OR_CLOSELY(line->adv_ppm != LIMIT_UNSET32 &&
               !plain_volume(e, hook_adv(e, terms_locate(o.terms)), line, position, quantity));
    int64_t cost = side_turn(side, position->cost);
    uint64_t value = (uint64_t)(cost > 0 ? cost : 0) + position->notional[side] + (uint64_t)notional;
    OR_CLOSELY(value > line->share);
    return true;
}

// Check 4: no bucket is nearly empty.
static inline __attribute__((always_inline)) bool plain_paced(const struct engine *e, const struct session_line *line,
                                                              const struct tokens *symbol)
{
    uint64_t now = e->time_ns;
    OR_CLOSELY(tokens_ahead(&line->orders, now) > line->orders.watch);
    OR_CLOSELY(tokens_ahead(&line->messages, now) > line->messages.watch);
    OR_CLOSELY(tokens_ahead(symbol, now) > symbol->watch);
    return true;
}

// Check 5, which counts the order when it passes.
static inline __attribute__((always_inline)) bool plain_unlike(struct engine *e, struct risk_plain o,
                                                               struct alike_limit *limit)
{
    struct alike *alike = &e->alikes[o.session];
    uint64_t now = e->time_ns;
    struct alike_kind kind =
        alike_find(alike, rates_instrument(terms_locate(o.terms), terms_side(o.terms)), o.quantity, o.price);
    uint32_t count = alike_count(&kind, limit, now) + 1;
    OR_CLOSELY(count > limit->most);
    if (count == 1) {
        alike_begin(alike, limit, &kind, now);
        return true;
    }
    OR_CLOSELY(count == e->paces[o.session].alike_tell);
    kind.place->count = count;
    return true;
}

// All of them. True: the order may be taken, rates and duplicates have counted it, and with `rests` so have the
// position and the parties, a Replace's original being theirs no more.
static inline __attribute__((always_inline)) bool risk_pass(struct engine *e, struct risk_plain o, bool rests)
{
    struct session_line *line = &e->risk.lines[o.session];
    struct symbol_pace *symbol = &e->symbol_paces[terms_locate(o.terms)];
    uint64_t notional = (uint64_t)o.quantity * o.counted;
    OR_CLOSELY(e->slowing | e->mode.block);
    if (!plain_alone(e, o, &line->limits, &symbol->limits, notional))
        return false;
    if (!plain_paced(e, line, &symbol->orders))
        return false;
    uint64_t orders = tokens_taken(&line->orders, e->time_ns), messages = tokens_taken(&line->messages, e->time_ns);
    uint64_t symbols = tokens_taken(&symbol->orders, e->time_ns);
    struct position *position = &e->risk.positions[o.position];
    int64_t more = (int64_t)o.quantity - o.open;
    int64_t money = (int64_t)notional - (int64_t)((uint64_t)o.open * o.open_price);
    if (!plain_held(e, o, line, position, more, money))
        return false;
    struct party *own = &e->parties[line->own], *account = &e->parties[line->account], *firm = &e->parties[line->firm];
    risk_lanes taken[2];
    taken_lanes(taken, o.side, more, money, o.orders);
    risk_lanes left[] = {own->lanes[0] + taken[0], account->lanes[0] + taken[0], account->lanes[1] + taken[1],
                         firm->lanes[0] + taken[0], firm->lanes[1] + taken[1]};
    OR_CLOSELY(risk_exceeded(left[0] | left[1] | left[2] | left[3] | left[4]));
    if (o.orders && line->alike.most != ALIKE_ANY && !plain_unlike(e, o, &line->alike))
        return false;
    if (rests) {
        own->lanes[0] = left[0];
        account->lanes[0] = left[1];
        account->lanes[1] = left[2];
        firm->lanes[0] = left[3];
        firm->lanes[1] = left[4];
        position_add(e, position, o.side, more, money);
    }
    line->orders.due = orders;
    line->messages.due = messages;
    symbol->orders.due = symbols;
    return true;
}

#endif
