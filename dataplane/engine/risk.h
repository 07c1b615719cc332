// SPDX-License-Identifier: Apache-2.0
// Pre-trade risk on the way of an order (risk.md): checked once before it is taken, counted while it lives, and when it
// trades.
#ifndef CROSSWIRE_ENGINE_RISK_H
#define CROSSWIRE_ENGINE_RISK_H

#include "engine/lease.h"
#include "engine/positions.h"
#include "engine/risk_hooks.h"

static inline uint16_t risk_firm(const struct engine *e, uint16_t account)
{
    return e->risk.firms[account];
}

// Whether this is a day with risk. The plain way is compiled for either.
static inline bool risk_on(const struct engine *e)
{
    return e->risk.positions_limit != 0;
}

// Parties by what they are.
static inline uint32_t party_of_account(uint16_t account)
{
    return account;
}

static inline uint32_t party_of_firm(const struct engine *e, uint16_t firm)
{
    return (uint32_t)e->limit.max_accounts + firm;
}

static inline uint32_t party_of_session(const struct engine *e, uint16_t session)
{
    return 2 * (uint32_t)e->limit.max_accounts + session;
}

// The price that a symbol's orders are measured by: the last sale, else the closing price of the day before, 0 none.
static inline uint32_t risk_mark(const struct engine *e, uint16_t locate)
{
    uint32_t last = e->books[locate].last_trade;
    return last ? last : hook_reference(e, locate);
}

// Checks 1 to 7 of risk.md, for an order that nothing else refuses but full tables; not on a day without risk. Finds or
// begins its position. Returns REJECT_NONE or the reason. Rates and duplicates count it: once an order.
uint8_t risk_check(struct engine *e, struct risk_order *order);

// What the session's parties come to may have grown without a check (risk.md section 4): levels are looked at.
void risk_look(struct engine *e, uint16_t session);

// What has come together of a use, in its limit's unit.
static inline uint64_t party_used(const struct engine *e, uint32_t party, enum use use)
{
    static const uint8_t figures[USES] = {[USE_GROSS] = FIGURE_GROSS,
                                          [USE_NET] = FIGURE_NET_BUY,
                                          [USE_DAY_QUANTITY] = FIGURE_DAY_QUANTITY,
                                          [USE_DAY_VALUE] = FIGURE_DAY_VALUE,
                                          [USE_ORDERS] = FIGURE_ORDERS};
    int64_t used = lease_figure(e, party, figures[use]);
    int64_t sold = use == USE_NET ? lease_figure(e, party, FIGURE_NET_SELL) : 0;
    used = sold > used ? sold : used;
    return used > 0 ? (uint64_t)used : 0;
}

// What an order takes of the room of its parties.
static inline __attribute__((always_inline)) struct lease_change taken_lanes(unsigned side, int64_t quantity,
                                                                             int64_t notional, int64_t orders)
{
    static const risk_lanes nets[] = {{UINT64_MAX, 0, 0, 0}, {0, UINT64_MAX, 0, 0}};
    uint64_t money = -(uint64_t)notional;
    return (struct lease_change){(risk_lanes){money, money, -(uint64_t)quantity, -(uint64_t)orders},
                                 (risk_lanes){money, money, 0, 0} & nets[side]};
}

// What an order adds to its position, a change of the open quantity being its own opposite.
static inline __attribute__((always_inline)) void position_add(struct engine *e, struct position *position,
                                                               unsigned side, int64_t quantity, int64_t notional)
{
    position->working[side] += (uint32_t)quantity;
    position->notional[side] += (uint64_t)notional;
    hook_gross_changed(e, position, notional);
}

// Live orders of the session become more, or less, by so much.
static inline __attribute__((always_inline)) void risk_move(struct engine *e, uint16_t session, unsigned side,
                                                            int64_t quantity, int64_t notional, uint32_t number,
                                                            int64_t orders)
{
    position_add(e, &e->risk.positions[number], side, quantity, notional);
    lease_add(e, &e->risk.lines[session], taken_lanes(side, quantity, notional, orders));
}

// On a day without risk: more, or less, is open.
static inline void exposure_add(struct exposure *exposure, unsigned side, uint32_t quantity, uint32_t price)
{
    exposure->quantity[side] += quantity;
    exposure->notional[side] += (uint64_t)quantity * price;
}

static inline void exposure_take(struct exposure *exposure, unsigned side, uint32_t quantity, uint32_t price)
{
    exposure->quantity[side] -= quantity;
    exposure->notional[side] -= (uint64_t)quantity * price;
}

// Of an order of the session `quantity` at `price` begins to be open; `orders` is 1 when it comes to live, else 0.
// `risk` is risk_on(), as a constant where time matters. Days with risk have the exposure from their positions.
static inline __attribute__((always_inline)) void risk_add(struct engine *e, uint16_t session, unsigned side,
                                                           uint32_t quantity, uint32_t price, uint32_t number,
                                                           int orders, bool risk)
{
    if (risk) {
        const int64_t notional = (int64_t)((uint64_t)quantity * price);
        risk_move(e, session, side, quantity, notional, number, orders);
        return;
    }
    exposure_add(&e->sessions[session].exposure, side, quantity, price);
}

// The opposite: it was canceled, executed or replaced; `orders` is 1 when it lives no more.
static inline __attribute__((always_inline)) void risk_take(struct engine *e, uint16_t session, unsigned side,
                                                            uint32_t quantity, uint32_t price, uint32_t number,
                                                            int orders, bool risk)
{
    if (risk) {
        const int64_t notional = (int64_t)((uint64_t)quantity * price);
        risk_move(e, session, side, -(int64_t)quantity, -notional, number, -orders);
        return;
    }
    exposure_take(&e->sessions[session].exposure, side, quantity, price);
}

// One party's side of a trade: `session` has bought or sold.
void risk_party_trade(struct engine *e, uint16_t session, uint32_t position, unsigned side, uint32_t quantity,
                      uint32_t price, bool maker);

// A resting order has traded `quantity`; `orders` is 1 when nothing is left of it. What was working is executed: of
// room that is less gross and less of the other side's net alone.
void risk_maker_trade(struct engine *e, uint16_t session, uint32_t position, unsigned side, uint32_t quantity,
                      uint32_t price, int orders);

// An order is about to be checked that may take: whom it will meet first, and what an execution counts in.
static inline __attribute__((always_inline)) void risk_look_at_first(const struct engine *e, const struct book *book,
                                                                     unsigned contra)
{
    const struct order *maker = &e->orders[e->levels[book->best_level[contra]].head];
    const uint16_t session = (uint16_t)(maker->key >> 32);
    __builtin_prefetch(&e->orders[maker->next], 1);
    __builtin_prefetch(&e->risk.positions[maker->position], 1);
    __builtin_prefetch(&e->risk.positions[maker->position].holding, 1);
    if (session >= e->limit.max_sessions) // an order that is nobody's: nothing rests there
        return;
    __builtin_prefetch(&e->risk.lines[session].room, 1);
    __builtin_prefetch(&e->paces[session]);
    __builtin_prefetch(&e->standings[e->sessions[session].account], 1);
}

// The same of the order itself, of that session.
static inline __attribute__((always_inline)) void risk_look_at_taker(const struct engine *e, uint16_t session,
                                                                     uint32_t position)
{
    const uint16_t account = e->sessions[session].account;
    __builtin_prefetch(&e->risk.positions[position].holding, 1);
    __builtin_prefetch(&e->standings[account], 1);
    __builtin_prefetch(&e->standings[party_of_firm(e, risk_firm(e, account))], 1);
}

// The next maker's position and line will be wanted soon, when this one is not enough.
static inline __attribute__((always_inline)) void risk_look_at_next(const struct engine *e, const struct incoming *in,
                                                                    const struct order *maker)
{
    if (in->quantity <= maker->quantity)
        return;
    const struct order *next = &e->orders[maker->next]; // fetched with this one: nothing waits for it
    __builtin_prefetch(&e->orders[next->next], 1);
    __builtin_prefetch(&e->risk.positions[next->position], 1);
    __builtin_prefetch(&e->risk.positions[next->position].holding, 1);
    __builtin_prefetch(&e->risk.lines[(uint16_t)(next->key >> 32)]);
}

// A trade of the incoming order with `maker`, on a day with risk: what the taker's part does, then the maker's.
static inline __attribute__((always_inline)) void risk_taker_trade(struct engine *e, const struct incoming *in,
                                                                   uint32_t quantity, uint32_t price)
{
    risk_party_trade(e, (uint16_t)(in->key >> 32), in->position, in->side == 'B' ? BUY : SELL, quantity, price, false);
}

static inline __attribute__((always_inline)) void
risk_trade(struct engine *e, const struct incoming *in, const struct order *maker, uint32_t quantity, uint32_t price)
{
    risk_taker_trade(e, in, quantity, price);
    risk_party_trade(e, (uint16_t)(maker->key >> 32), maker->position, maker->side == 'B' ? BUY : SELL, quantity, price,
                     true);
}

// The trade of the table is no more; an adjustment's new trade.
void risk_trade_undo(struct engine *e, const struct trade *trade);
void risk_trade_redo(struct engine *e, const struct trade *trade);

// Whether both parties have room for an adjustment to this quantity (RISK_QUANTITY_MAX).
bool risk_trade_fits(const struct engine *e, const struct trade *trade, uint32_t quantity);

// CMD_POSITION.
void risk_position(struct engine *e, const struct command *c);

// NULL, or what is wrong with what risk keeps.
const char *risk_check_sums(const struct engine *e);

#endif
