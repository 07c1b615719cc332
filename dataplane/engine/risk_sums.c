// SPDX-License-Identifier: Apache-2.0
// Reads what risk keeps for tools, and proves it from the orders and trades for tests and debug builds.
#include "engine/place.h"
#include "engine/risk_limits.h"

// ---- what a limit has come to
// ----------------------------------------------------------------------------------------

static uint64_t party_use(const struct party *party, enum limit limit)
{
    uint64_t working = party->side[BUY].notional + party->side[SELL].notional;
    int64_t bought = party->net + (int64_t)party->side[BUY].notional;
    int64_t sold = (int64_t)party->side[SELL].notional - party->net;
    int64_t net = bought > sold ? bought : sold;
    switch (limit) {
    case LIMIT_GROSS_NOTIONAL:
        return party->gross + working;
    case LIMIT_NET_NOTIONAL:
        return net > 0 ? (uint64_t)net : 0;
    case LIMIT_DAY_QUANTITY:
        return party->day_quantity + party->side[BUY].quantity + party->side[SELL].quantity;
    case LIMIT_DAY_VALUE:
        return party->day_value + working;
    default:
        return party->orders;
    }
}

static uint64_t position_use(const struct position *position, enum limit limit)
{
    int64_t worst = limit == LIMIT_LONG_POSITION ? position->quantity + position->working[BUY]
                                                 : (int64_t)position->working[SELL] - position->quantity;
    return worst > 0 ? (uint64_t)worst : 0;
}

bool engine_limit_use(const struct engine *e, enum scope scope, uint16_t index, uint16_t locate, enum limit limit,
                      uint64_t *used)
{
    bool held = limit == LIMIT_LONG_POSITION || limit == LIMIT_SHORT_POSITION;
    bool added = limit == LIMIT_DAY_QUANTITY || limit == LIMIT_DAY_VALUE || limit == LIMIT_WORKING_ORDERS;
    bool money = limit == LIMIT_GROSS_NOTIONAL || limit == LIMIT_NET_NOTIONAL;
    if (e->risk.positions_limit == 0 || (!held && !added && !money))
        return false;
    if (held) {
        if (scope != SCOPE_POSITION || index >= e->limit.max_accounts || locate > e->limit.max_symbols)
            return false;
        *used = position_use(&e->risk.positions[position_find(e, index, locate)], limit);
        return true;
    }
    uint32_t party;
    if (scope == SCOPE_ACCOUNT && index < e->limit.max_accounts)
        party = party_of_account(index);
    else if (scope == SCOPE_FIRM && index < e->limit.max_accounts)
        party = party_of_firm(e, index);
    else if (scope == SCOPE_SESSION && index < e->limit.max_sessions && added)
        party = party_of_session(e, index);
    else
        return false;
    *used = party_use(&e->parties[party], limit);
    return true;
}

uint64_t engine_limit(const struct engine *e, enum scope scope, uint16_t index, uint16_t locate, enum limit limit)
{
    if (e->risk.positions_limit == 0 || limit >= LIMITS)
        return LIMIT_UNSET;
    if (scope != SCOPE_POSITION)
        return risk_limit_as_set(e, scope, index, limit);
    uint32_t number = index < e->limit.max_accounts ? position_find(e, index, locate) : 0;
    if (number == 0 || (limit != LIMIT_LONG_POSITION && limit != LIMIT_SHORT_POSITION))
        return LIMIT_UNSET;
    return e->risk.backs[number].most[limit == LIMIT_LONG_POSITION ? BUY : SELL];
}

enum limit engine_limit_refused(const struct engine *e)
{
    return e->outcome == OUTCOME_REJECTED && e->risk.checked == e->sequence ? e->risk.refused : LIMITS;
}

// ---- invariants
// ------------------------------------------------------------------------------------------------------

static bool same_party(const struct party *a, const struct party *b)
{
    return a->side[BUY].quantity == b->side[BUY].quantity && a->side[BUY].notional == b->side[BUY].notional &&
           a->side[SELL].quantity == b->side[SELL].quantity && a->side[SELL].notional == b->side[SELL].notional &&
           a->day_quantity == b->day_quantity && a->day_value == b->day_value && a->gross == b->gross &&
           a->net == b->net && a->orders == b->orders;
}

static void add_party(struct party *to, const struct party *from)
{
    for (unsigned side = BUY; side <= SELL; side++) {
        to->side[side].quantity += from->side[side].quantity;
        to->side[side].notional += from->side[side].notional;
    }
    to->day_quantity += from->day_quantity;
    to->day_value += from->day_value;
    to->orders += from->orders;
}

// What the session's orders come to. Orders of another account's position are counted in `*strange`.
static void sum_session(const struct engine *e, uint16_t session, struct party *sum, uint32_t *strange)
{
    for (uint32_t slot = session_oldest(e, session); slot; slot = session_next(e, slot)) {
        const struct order *order = &e->orders[slot];
        const struct position *position = &e->risk.positions[order->position];
        unsigned side = side_of(order->side);
        sum->side[side].quantity += order_open(e, order);
        sum->side[side].notional += (uint64_t)order_open(e, order) * risk_price(order);
        sum->orders++;
        *strange += order->position == 0 || position->account != e->sessions[session].account ||
                    position->locate != order->locate;
    }
}

static const char *check_sessions(const struct engine *e)
{
    for (uint32_t i = 0; i < e->limit.max_sessions; i++) {
        uint16_t session = (uint16_t)i;
        const struct party *own = &e->parties[party_of_session(e, session)];
        if (!e->sessions[session].open)
            continue;
        struct party sum = {.day_quantity = own->day_quantity, .day_value = own->day_value};
        uint32_t strange = 0;
        sum_session(e, session, &sum, &strange);
        if (strange)
            return "an order counts for a position that is not its account's in its symbol";
        if (!same_party(own, &sum))
            return "what a session has working is not the sum of its orders";
    }
    return NULL;
}

// Accounts are the sums of their sessions and positions.
static const char *check_account(const struct engine *e, uint16_t account)
{
    struct party sum = {0}, positions = {0};
    uint64_t day = 0;
    int64_t cash = 0;
    for (uint32_t session = 0; session < e->limit.max_sessions; session++)
        if (e->sessions[session].open && e->sessions[session].account == account)
            add_party(&sum, &e->parties[party_of_session(e, (uint16_t)session)]);
    for (uint32_t number = 1; number <= e->risk.positions_count; number++) {
        const struct position *position = &e->risk.positions[number];
        if (position->account != account)
            continue;
        if (position_find(e, account, position->locate) != number)
            return "a position is not found by its account and symbol";
        if ((position->quantity > 0 && position->cost < 0) || (position->quantity < 0 && position->cost > 0) ||
            (position->quantity == 0 && position->cost != 0))
            return "a position's cost has not its sign";
        sum.gross += (uint64_t)(position->cost < 0 ? -position->cost : position->cost);
        cash += position->cash;
        day += position->day;
        for (unsigned side = BUY; side <= SELL; side++) {
            positions.side[side].quantity += position->working[side];
            positions.side[side].notional += position->notional[side];
        }
    }
    sum.net = -cash;
    const struct party *has = &e->parties[party_of_account(account)];
    if (!same_party(has, &sum))
        return "what an account has at risk is not the sum of its sessions and positions";
    if (day != sum.day_quantity || memcmp(sum.side, positions.side, sizeof sum.side) != 0)
        return "an account's positions do not add up to what its sessions have";
    return NULL;
}

static const char *check_firm(const struct engine *e, uint16_t firm)
{
    struct party sum = {0};
    for (uint32_t account = 0; account < e->limit.max_accounts; account++) {
        const struct party *party = &e->parties[party_of_account((uint16_t)account)];
        if (!e->accounts[account].open || risk_firm(e, (uint16_t)account) != firm)
            continue;
        add_party(&sum, party);
        sum.gross += party->gross;
        sum.net += party->net;
    }
    return same_party(&e->parties[party_of_firm(e, firm)], &sum)
               ? NULL
               : "what a firm has at risk is not the sum of its accounts";
}

const char *risk_check_sums(const struct engine *e)
{
    if (e->risk.positions_limit == 0)
        return NULL;
    if (e->risk.positions_count > e->risk.positions_limit)
        return "there are more positions than the day has room for";
    const char *broken = check_sessions(e);
    for (uint32_t account = 0; !broken && account < e->limit.max_accounts; account++) {
        if (!e->accounts[account].open)
            continue;
        broken = check_account(e, (uint16_t)account);
        if (!broken && risk_firm(e, (uint16_t)account) == account)
            broken = check_firm(e, (uint16_t)account);
    }
    return broken;
}
