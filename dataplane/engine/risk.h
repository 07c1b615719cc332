// SPDX-License-Identifier: Apache-2.0
// Pre-trade risk on the way of an order (risk.md): checked once before it is taken, counted while it lives, and when it
// trades.
#ifndef CROSSWIRE_ENGINE_RISK_H
#define CROSSWIRE_ENGINE_RISK_H

#include "engine/positions.h"
#include "engine/risk_hooks.h"

static inline uint16_t risk_firm(const struct engine *e, uint16_t account)
{
    return e->risk.firms[account];
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

// What a live order of the session adds: `quantity` at `price` begins to be open.
static inline __attribute__((always_inline)) void risk_add(struct engine *e, uint16_t session, unsigned side,
                                                           uint32_t quantity, uint32_t price, uint32_t number)
{
    const struct session *from = &e->sessions[session];
    uint64_t notional = (uint64_t)quantity * price;
    struct party *account = &e->parties[from->account];
    account->side[side].quantity += quantity;
    account->side[side].notional += notional;
    if (from->risk == 0)
        return;
    const struct session_line *line = &e->risk.lines[session];
    struct party *firm = &e->parties[line->firm], *own = &e->parties[line->own];
    struct position *position = &e->risk.positions[number];
    firm->side[side].quantity += quantity;
    firm->side[side].notional += notional;
    own->side[side].quantity += quantity;
    own->side[side].notional += notional;
    position->working[side] += quantity;
    position->notional[side] += notional;
    hook_gross_changed(e, from->account, position->locate, (int64_t)notional);
}

// The opposite: it was canceled, executed or replaced.
static inline __attribute__((always_inline)) void risk_take(struct engine *e, uint16_t session, unsigned side,
                                                            uint32_t quantity, uint32_t price, uint32_t number)
{
    const struct session *from = &e->sessions[session];
    uint64_t notional = (uint64_t)quantity * price;
    struct party *account = &e->parties[from->account];
    account->side[side].quantity -= quantity;
    account->side[side].notional -= notional;
    if (from->risk == 0)
        return;
    const struct session_line *line = &e->risk.lines[session];
    struct party *firm = &e->parties[line->firm], *own = &e->parties[line->own];
    struct position *position = &e->risk.positions[number];
    firm->side[side].quantity -= quantity;
    firm->side[side].notional -= notional;
    own->side[side].quantity -= quantity;
    own->side[side].notional -= notional;
    position->working[side] -= quantity;
    position->notional[side] -= notional;
    hook_gross_changed(e, from->account, position->locate, -(int64_t)notional);
}

// An order of the session begins (1) or ends (-1) to live.
static inline __attribute__((always_inline)) void risk_live(struct engine *e, uint16_t session, int by)
{
    if (e->sessions[session].risk == 0)
        return;
    const struct session_line *line = &e->risk.lines[session];
    e->parties[line->account].orders += (uint32_t)by;
    e->parties[line->firm].orders += (uint32_t)by;
    e->parties[line->own].orders += (uint32_t)by;
}

// One party's side of a trade: `session` has bought or sold.
enum trade_way { TRADE_NEW, TRADE_UNDONE, TRADE_REDONE }; // the latter by a break or an adjustment
void risk_party_trade(struct engine *e, uint16_t session, uint32_t position, unsigned side, uint32_t quantity,
                      uint32_t price, bool maker, enum trade_way way);

// A trade of the incoming order with `maker`.
static inline __attribute__((always_inline)) void
risk_trade(struct engine *e, const struct incoming *in, const struct order *maker, uint32_t quantity, uint32_t price)
{
    if (e->risk.positions_limit == 0)
        return;
    risk_party_trade(e, (uint16_t)(in->key >> 32), in->position, in->side == 'B' ? BUY : SELL, quantity, price, false,
                     TRADE_NEW);
    risk_party_trade(e, (uint16_t)(maker->key >> 32), maker->position, maker->side == 'B' ? BUY : SELL, quantity, price,
                     true, TRADE_NEW);
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
