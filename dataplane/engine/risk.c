// SPDX-License-Identifier: Apache-2.0
// What trades and starting positions do to what risk keeps.
#include "engine/risk.h"

#include "engine/place.h"
#include "engine/risk_limits.h"

// What an execution at `price` makes of the account's result: the position, as it was before, at that price and not at
// the one that it has been marked at. The execution itself brings as much cash as it takes shares.
static inline wide_money result_change(const struct position *position, uint32_t price)
{
    wide_money change = (wide_money)position->quantity * ((int64_t)price - position->marked);
    return __builtin_expect(position->marked == 0, 0) ? change + position->cash : change;
}

// An execution: position, result, and what counts executions. Returns what |cost| becomes larger by.
static inline __attribute__((always_inline)) uint64_t execute(struct engine *e, uint16_t session,
                                                              struct position *position, unsigned side,
                                                              uint32_t quantity, uint32_t price, bool maker)
{
    wide_money change = result_change(position, price);
    position->marked = price;
    position->day += quantity;
    uint64_t gross = (uint64_t)position_trade(position, side, quantity, price);
    losses_result(e, party_of_account(position->account), party_of_firm(e, risk_firm(e, position->account)), change);
    hook_traded(e, session, position, quantity, maker);
    return gross;
}

void risk_party_trade(struct engine *e, uint16_t session, uint32_t number, unsigned side, uint32_t quantity,
                      uint32_t price, bool maker)
{
    struct position *position = &e->risk.positions[number];
    uint64_t value = (uint64_t)quantity * price, net = (uint64_t)side_turn(side, (int64_t)value);
    uint64_t gross = execute(e, session, position, side, quantity, price, maker);
    const uint64_t shares = quantity;
    hook_gross_changed(e, position, (int64_t)gross);
    lease_add(e, &e->risk.lines[session],
              (struct lease_change){{-gross, -value, -shares, 0}, {-net, net, -shares, -value}});
}

void risk_maker_trade(struct engine *e, uint16_t session, uint32_t number, unsigned side, uint32_t quantity,
                      uint32_t price, int orders)
{
    struct position *position = &e->risk.positions[number];
    uint64_t value = (uint64_t)quantity * price, ended = (uint64_t)orders;
    position->working[side] -= quantity;
    position->notional[side] -= value;
    uint64_t gross = execute(e, session, position, side, quantity, price, true) - value;
    uint64_t sold = value & -(uint64_t)side;
    const uint64_t shares = quantity;
    hook_gross_changed(e, position, (int64_t)gross);
    lease_add(e, &e->risk.lines[session],
              (struct lease_change){{-gross, 0, 0, ended}, {sold, value - sold, -shares, -value}});
}

// A trade of the session is undone, or a new one made of it, later: the position is marked as at a tick.
static void party_trade_later(struct engine *e, uint16_t session, uint32_t number, unsigned side, uint32_t quantity,
                              uint32_t price, bool undo)
{
    struct session_line *line = &e->risk.lines[session];
    struct position *position = &e->risk.positions[number];
    wide_money before = position_result(position);
    uint64_t value = (uint64_t)quantity * price, counted = undo ? -value : value;
    uint64_t shares = undo ? -(uint64_t)quantity : quantity;
    unsigned moved = side ^ (unsigned)undo;
    uint64_t net = (uint64_t)side_turn(moved, (int64_t)value);
    uint64_t gross = (uint64_t)position_trade(position, moved, quantity, price);
    position->day += (uint32_t)shares;
    position->marked = risk_mark(e, position->locate);
    hook_gross_changed(e, position, (int64_t)gross);
    lease_add(e, line, (struct lease_change){{-gross, -counted, -shares, 0}, {-net, net, -shares, -counted}});
    losses_change(e, position->account, position_result(position) - before);
    hook_stage_reached(e, party_of_session(e, session));
    hook_stage_reached(e, line->account);
    hook_stage_reached(e, line->firm);
}

static void both_parties(struct engine *e, const struct trade *trade, bool undo)
{
    uint64_t keys[] = {trade->taker, trade->maker};
    char sides[] = {trade->taker_side, trade->maker_side};
    if (e->risk.positions_limit == 0)
        return;
    for (unsigned i = 0; i < 2; i++) {
        uint16_t session = key_session(keys[i]);
        uint32_t position = position_find(e, e->sessions[session].account, trade->locate);
        party_trade_later(e, session, position, side_of(sides[i]), trade->quantity, trade->price, undo);
    }
}

void risk_trade_undo(struct engine *e, const struct trade *trade)
{
    both_parties(e, trade, true);
}

void risk_trade_redo(struct engine *e, const struct trade *trade)
{
    both_parties(e, trade, false);
}

bool risk_trade_fits(const struct engine *e, const struct trade *trade, uint32_t quantity)
{
    uint64_t keys[] = {trade->taker, trade->maker};
    if (e->risk.positions_limit == 0)
        return true;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t used = party_used(e, e->risk.lines[key_session(keys[i])].firm, USE_DAY_QUANTITY);
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
    hook_position_set(e, position);
    position->quantity = quantity;
    position->cost = cost;
    position->cash = -cost;
}
