// SPDX-License-Identifier: Apache-2.0
// What trades and starting positions do to what risk keeps.
#include "engine/risk.h"

#include "engine/place.h"
#include "engine/risk_limits.h"

// What takes room of a session's parties; the session has no positions, hence lanes of its own.
static inline void parties_take(struct engine *e, const struct session_line *line, const risk_lanes own[2],
                                const risk_lanes above[2])
{
    struct party *session = &e->parties[line->own], *account = &e->parties[line->account],
                 *firm = &e->parties[line->firm];
    for (unsigned i = 0; i < 2; i++) {
        session->lanes[i] -= own[i];
        account->lanes[i] -= above[i];
        firm->lanes[i] -= above[i];
    }
}

void risk_party_trade(struct engine *e, uint16_t session, uint32_t number, unsigned side, uint32_t quantity,
                      uint32_t price, bool maker, enum trade_way way)
{
    struct position *position = &e->risk.positions[number];
    bool undo = way == TRADE_UNDONE;
    uint64_t value = (uint64_t)quantity * price, counted = undo ? -value : value;
    uint64_t shares = undo ? -(uint64_t)quantity : quantity;
    unsigned moved = side ^ (unsigned)undo;
    uint64_t net = (uint64_t)side_turn(moved, (int64_t)value);
    uint64_t gross = (uint64_t)position_trade(position, moved, quantity, price);
    risk_lanes executed = {0, 0, shares, counted}, own = {0, counted, shares, 0};
    position->day += (uint32_t)shares;
    parties_take(e, &e->risk.lines[session], (risk_lanes[]){own, executed},
                 (risk_lanes[]){own + (risk_lanes){gross, 0, 0, 0}, executed + (risk_lanes){net, -net, 0, 0}});
    hook_gross_changed(e, position, (int64_t)gross);
    hook_traded(e, session, number, quantity, price, maker, way != TRADE_NEW);
}

void risk_maker_trade(struct engine *e, uint16_t session, uint32_t number, unsigned side, uint32_t quantity,
                      uint32_t price, int orders)
{
    struct position *position = &e->risk.positions[number];
    uint64_t value = (uint64_t)quantity * price, ended = (uint64_t)orders;
    uint64_t gross = (uint64_t)position_trade(position, side, quantity, price) - value;
    uint64_t sold = value & -(uint64_t)side;
    risk_lanes executed = {0, 0, quantity, value};
    position->day += quantity;
    position->working[side] -= quantity;
    position->notional[side] -= value;
    parties_take(e, &e->risk.lines[session], (risk_lanes[]){{-value, 0, 0, -ended}, executed},
                 (risk_lanes[]){{gross, 0, 0, -ended}, {-sold, sold - value, quantity, value}});
    hook_gross_changed(e, position, (int64_t)gross);
    hook_traded(e, session, number, quantity, price, true, false);
}

static void both_parties(struct engine *e, const struct trade *trade, enum trade_way way)
{
    uint64_t keys[] = {trade->taker, trade->maker};
    char sides[] = {trade->taker_side, trade->maker_side};
    if (e->risk.positions_limit == 0)
        return;
    for (unsigned i = 0; i < 2; i++) {
        uint16_t session = key_session(keys[i]);
        uint32_t position = position_find(e, e->sessions[session].account, trade->locate);
        risk_party_trade(e, session, position, side_of(sides[i]), trade->quantity, trade->price, i == 1, way);
    }
}

void risk_trade_undo(struct engine *e, const struct trade *trade)
{
    both_parties(e, trade, TRADE_UNDONE);
}

void risk_trade_redo(struct engine *e, const struct trade *trade)
{
    both_parties(e, trade, TRADE_REDONE);
}

bool risk_trade_fits(const struct engine *e, const struct trade *trade, uint32_t quantity)
{
    uint64_t keys[] = {trade->taker, trade->maker};
    if (e->risk.positions_limit == 0)
        return true;
    for (unsigned i = 0; i < 2; i++) {
        const struct party *firm = &e->parties[e->risk.lines[key_session(keys[i])].firm];
        uint64_t used = (uint64_t)party_figure(firm, FIGURE_DAY_QUANTITY);
        if (used + 2 * (uint64_t)quantity > RISK_QUANTITY_MAX + 2 * (uint64_t)trade->quantity) // both may be one firm
            return false;
    }
    return true;
}

void risk_position(struct engine *e, const struct command *c)
{
    int64_t quantity = c->position.quantity, cost = c->position.cost;
    uint16_t account = c->position.account, locate = c->position.locate;
    if (e->day != DAY_OPENING || e->risk.positions_limit == 0 || account >= e->limit.max_accounts ||
        !e->accounts[account].open || locate == LOCATE_NONE || locate > e->limit.max_symbols ||
        e->books[locate].tick == 0 || quantity > RISK_POSITION_MAX || quantity < -RISK_POSITION_MAX ||
        cost > RISK_COST_MAX || cost < -RISK_COST_MAX || (quantity > 0 && cost < 0) || (quantity < 0 && cost > 0) ||
        (quantity == 0 && cost != 0))
        return;
    struct party *parties[] = {&e->parties[party_of_account(account)],
                               &e->parties[party_of_firm(e, risk_firm(e, account))]};
    struct position *position = &e->risk.positions[position_find(e, account, locate)];
    uint64_t before = (uint64_t)(position->cost < 0 ? -position->cost : position->cost);
    uint64_t after = (uint64_t)(cost < 0 ? -cost : cost);
    if ((uint64_t)party_figure(parties[1], FIGURE_GROSS) - before + after >
        (uint64_t)RISK_COST_MAX) // an account's is never more than its firm's
        return;
    uint32_t number = position_take(e, account, locate);
    if (number == 0)
        return;
    position = &e->risk.positions[number];
    for (unsigned i = 0; i < 2; i++) {
        party_add(parties[i], FIGURE_GROSS, (int64_t)(after - before));
        party_add(parties[i], FIGURE_NET_BUY, cost - position->cost);
        party_add(parties[i], FIGURE_NET_SELL, position->cost - cost);
    }
    hook_gross_changed(e, position, (int64_t)(after - before));
    position->quantity = quantity;
    position->cost = cost;
    position->cash = -cost;
    hook_position_set(e, number);
}
