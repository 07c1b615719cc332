// SPDX-License-Identifier: Apache-2.0
#include "engine/risk_snapshot.h"

// The scopes that have limits, in the row of their values: venue, firms, accounts, sessions, symbols.
static enum scope scope_at(const struct engine *e, uint32_t at, uint16_t *index)
{
    uint32_t accounts = e->limit.max_accounts, sessions = e->limit.max_sessions;
    *index = 0;
    if (at == 0)
        return SCOPE_VENUE;
    if ((at -= 1) < 2 * accounts) {
        *index = (uint16_t)(at % accounts);
        return at < accounts ? SCOPE_FIRM : SCOPE_ACCOUNT;
    }
    at -= 2 * accounts;
    *index = (uint16_t)(at < sessions ? at : at - sessions);
    return at < sessions ? SCOPE_SESSION : SCOPE_SYMBOL;
}

static bool opened(const struct engine *e, enum scope scope, uint16_t index)
{
    switch (scope) {
    case SCOPE_VENUE:
        return true;
    case SCOPE_FIRM:
        return e->accounts[index].open && risk_firm(e, index) == index;
    case SCOPE_ACCOUNT:
        return e->accounts[index].open;
    case SCOPE_SESSION:
        return e->sessions[index].open;
    default:
        return index != LOCATE_NONE && e->books[index].tick != 0;
    }
}

bool risk_put_limits(const struct engine *e, uint32_t *at, uint32_t *within, struct command *c)
{
    uint32_t end = 1 + 2 * (uint32_t)e->limit.max_accounts + e->limit.max_sessions + e->limit.max_symbols + 1u;
    for (; e->risk.positions_limit && *at < end; ++*at, *within = 0) {
        uint16_t index;
        enum scope scope = scope_at(e, *at, &index);
        if (!opened(e, scope, index))
            continue;
        uint8_t count = 0;
        for (; *within < LIMITS && count < RESTORE_LIMITS; ++*within) {
            if (e->risk.limits[*at][*within] == LIMIT_UNSET)
                continue;
            c->restore_limits.values[count] = e->risk.limits[*at][*within];
            c->restore_limits.limits[count++] = (uint8_t)*within;
        }
        if (count == 0)
            continue;
        c->type = CMD_RESTORE_LIMITS;
        c->restore_limits.scope = (uint8_t)scope;
        c->restore_limits.index = index;
        c->restore_limits.count = count;
        return true;
    }
    return false;
}

bool risk_take_limits(struct engine *e, const struct command *c)
{
    uint64_t before;
    if (c->restore_limits.count > RESTORE_LIMITS)
        return false;
    for (unsigned i = 0; i < c->restore_limits.count; i++)
        if (c->restore_limits.values[i] == LIMIT_UNSET ||
            !risk_limit_take(e, c->restore_limits.scope, c->restore_limits.index, c->restore_limits.locate,
                             c->restore_limits.limits[i], c->restore_limits.values[i], &before) ||
            before != LIMIT_UNSET)
            return false;
    return true;
}

bool risk_put_executed(const struct engine *e, uint32_t *at, struct command *c)
{
    uint8_t count = 0;
    for (; e->risk.positions_limit && *at < e->limit.max_sessions && count < RESTORE_EXECUTED; ++*at) {
        uint32_t party = party_of_session(e, (uint16_t)*at);
        int64_t quantity = e->sessions[*at].open ? lease_figure(e, party, FIGURE_QUANTITY) : 0;
        int64_t value = quantity ? lease_figure(e, party, FIGURE_VALUE) : 0;
        if (quantity == 0)
            continue;
        c->restore_executed.sessions[count] = (uint16_t)*at;
        c->restore_executed.quantity[count] = (uint64_t)quantity;
        c->restore_executed.value[count++] = (uint64_t)value;
    }
    c->restore_executed.count = count;
    c->type = count ? CMD_RESTORE_EXECUTED : CMD_NONE;
    return count != 0;
}

bool risk_take_executed(struct engine *e, const struct command *c)
{
    if (e->risk.positions_limit == 0 || c->restore_executed.count > RESTORE_EXECUTED)
        return false;
    for (unsigned i = 0; i < c->restore_executed.count; i++) {
        uint16_t session = c->restore_executed.sessions[i];
        if (session >= e->limit.max_sessions || !e->sessions[session].open ||
            c->restore_executed.quantity[i] > RISK_QUANTITY_MAX || c->restore_executed.value[i] > INT64_MAX / 2)
            return false;
        const struct session_line *line = &e->risk.lines[session];
        uint32_t parties[] = {party_of_session(e, session), line->account, line->firm};
        for (unsigned k = 0; k < 3; k++) {
            struct party *party = &e->parties[parties[k]];
            party_add(party, FIGURE_QUANTITY, (int64_t)c->restore_executed.quantity[i]);
            party_add(party, FIGURE_VALUE, (int64_t)c->restore_executed.value[i]);
            party_add(party, FIGURE_DAY_QUANTITY, (int64_t)c->restore_executed.quantity[i]);
            party_add(party, FIGURE_DAY_VALUE, (int64_t)c->restore_executed.value[i]);
        }
    }
    return true;
}

// A position's own limits follow the record that it stands in: `*within` of its positions are behind.
static bool put_position_limits(const struct engine *e, uint32_t number, struct command *c)
{
    const struct position_back *back = &e->risk.backs[number];
    uint8_t count = 0;
    for (unsigned side = BUY; side <= SELL; side++) {
        if (back->most[side] == LIMIT_UNSET)
            continue;
        c->restore_limits.values[count] = back->most[side];
        c->restore_limits.limits[count++] = side == BUY ? LIMIT_LONG_POSITION : LIMIT_SHORT_POSITION;
    }
    if (count == 0)
        return false;
    c->type = CMD_RESTORE_LIMITS;
    c->restore_limits.scope = SCOPE_POSITION;
    c->restore_limits.index = e->risk.positions[number].account;
    c->restore_limits.locate = e->risk.positions[number].locate;
    c->restore_limits.count = count;
    return true;
}

bool risk_put_positions(const struct engine *e, uint32_t *at, uint32_t *within, struct command *c)
{
    while (*within) { // limits of those that the last record has
        uint32_t number = e->risk.begun[*at - (*within)--];
        if (put_position_limits(e, number, c))
            return true;
    }
    uint8_t count = 0;
    for (; *at <= e->risk.positions_count && count < RESTORE_POSITIONS; ++*at, count++) {
        const struct position *position = &e->risk.positions[e->risk.begun[*at]];
        c->restore_positions.positions[count].quantity = position->quantity;
        c->restore_positions.positions[count].cost = position->cost;
        c->restore_positions.positions[count].cash = position->cash;
        c->restore_positions.positions[count].day = position->day;
        c->restore_positions.positions[count].account = position->account;
        c->restore_positions.positions[count].locate = position->locate;
    }
    c->restore_positions.count = count;
    c->type = count ? CMD_RESTORE_POSITIONS : CMD_NONE;
    *within = count;
    return count != 0;
}

bool risk_take_positions(struct engine *e, const struct command *c)
{
    if (c->restore_positions.count > RESTORE_POSITIONS)
        return false;
    for (unsigned i = 0; i < c->restore_positions.count; i++) {
        uint16_t account = c->restore_positions.positions[i].account, locate = c->restore_positions.positions[i].locate;
        uint32_t before = e->risk.positions_count;
        if (e->risk.positions_limit == 0 || account >= e->limit.max_accounts || !e->accounts[account].open ||
            locate == LOCATE_NONE || locate > e->limit.max_symbols || e->books[locate].tick == 0 ||
            position_take(e, account, locate) == 0 || e->risk.positions_count != before + 1)
            return false;
        struct position *position = &e->risk.positions[e->risk.begun[before + 1]];
        position->quantity = c->restore_positions.positions[i].quantity;
        position->cost = c->restore_positions.positions[i].cost;
        position->cash = c->restore_positions.positions[i].cash;
        position->day = c->restore_positions.positions[i].day;
        uint32_t parties[] = {party_of_account(account), party_of_firm(e, risk_firm(e, account))};
        uint64_t gross = position->cost < 0 ? -(uint64_t)position->cost : (uint64_t)position->cost;
        for (unsigned k = 0; k < 2; k++) {
            struct party *party = &e->parties[parties[k]];
            party_add(party, FIGURE_GROSS, (int64_t)gross);
            party_add(party, FIGURE_NET_BUY, -position->cash);
            party_add(party, FIGURE_NET_SELL, position->cash);
        }
        hook_gross_changed(e, position, (int64_t)gross);
    }
    return true;
}

uint32_t risk_order_position(const struct engine *e, const struct order *order)
{
    return e->risk.positions_limit ? position_find(e, e->sessions[key_session(order->key)].account, order->locate) : 0;
}
