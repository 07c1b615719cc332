// SPDX-License-Identifier: Apache-2.0
// Reads what risk keeps for tools, and proves it from the orders and trades for tests and debug builds.
#include "engine/place.h"
#include "engine/risk_limits.h"

// ---- what a limit has come to
// ----------------------------------------------------------------------------------------

static uint64_t position_use(const struct position *position, enum limit limit)
{
    int64_t worst = limit == LIMIT_LONG_POSITION ? position->quantity + position->working[BUY]
                                                 : (int64_t)position->working[SELL] - position->quantity;
    return worst > 0 ? (uint64_t)worst : 0;
}

bool engine_limit_use(const struct engine *e, enum scope scope, uint16_t index, uint16_t locate, enum limit limit,
                      uint64_t *used)
{
    if (e->risk.positions_limit && (limit == LIMIT_LOSS || limit == LIMIT_DRAWDOWN))
        return losses_used(e, scope, index, limit, used);
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
    enum use use = 0;
    while (use_limit(use) != limit)
        use++;
    *used = party_used(e, party, use);
    return true;
}

bool engine_drawdown(const struct engine *e, enum scope scope, uint16_t index, uint64_t *used, uint64_t *most)
{
    struct stage_use use;
    uint64_t lost;
    if (!e->risk.positions_limit || !losses_used(e, scope, index, LIMIT_DRAWDOWN, &lost) ||
        !losses_stage(e, scope == SCOPE_ACCOUNT ? party_of_account(index) : party_of_firm(e, index), STAGED_DRAWDOWN,
                      &use))
        return false;
    *used = use.used;
    *most = use.most;
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

struct sums {
    int64_t figure[FIGURES];
};

static bool same_figures(const struct engine *e, uint32_t party, const struct sums *b)
{
    for (enum figure i = 0; i < FIGURES; i++)
        if (lease_figure(e, party, i) != b->figure[i])
            return false;
    return true;
}

static void add_party(struct sums *to, const struct engine *e, uint32_t party)
{
    for (enum figure i = 0; i < FIGURES; i++)
        to->figure[i] += lease_figure(e, party, i);
}

// What the session's orders come to. Orders of another account's position are counted in `*strange`.
static void sum_session(const struct engine *e, uint16_t session, struct sums *sum, uint32_t *strange)
{
    for (uint32_t slot = session_oldest(e, session); slot; slot = session_next(e, slot)) {
        const struct order *order = &e->orders[slot];
        const struct position *position = &e->risk.positions[order->position];
        unsigned side = side_of(order->side);
        int64_t quantity = order_open(e, order), notional = quantity * risk_price(order);
        sum->figure[FIGURE_GROSS] += notional;
        sum->figure[FIGURE_DAY_VALUE] += notional;
        sum->figure[FIGURE_DAY_QUANTITY] += quantity;
        sum->figure[FIGURE_ORDERS]++;
        sum->figure[FIGURE_NET_BUY + side] += notional;
        *strange += order->position == 0 || position->account != e->sessions[session].account ||
                    position->locate != order->locate;
    }
}

static const char *check_sessions(const struct engine *e)
{
    for (uint32_t i = 0; i < e->limit.max_sessions; i++) {
        uint16_t session = (uint16_t)i;
        const uint32_t own = party_of_session(e, session);
        if (!e->sessions[session].open)
            continue;
        int64_t quantity = lease_figure(e, own, FIGURE_QUANTITY), value = lease_figure(e, own, FIGURE_VALUE);
        struct sums sum = {.figure = {[FIGURE_DAY_VALUE] = value,
                                      [FIGURE_DAY_QUANTITY] = quantity,
                                      [FIGURE_QUANTITY] = quantity,
                                      [FIGURE_VALUE] = value}};
        uint32_t strange = 0;
        sum_session(e, session, &sum, &strange);
        if (strange)
            return "an order counts for a position that is not its account's in its symbol";
        sum.figure[FIGURE_GROSS] = sum.figure[FIGURE_NET_BUY] = sum.figure[FIGURE_NET_SELL] = 0; // a session has none
        if (!same_figures(e, own, &sum))
            return "what a session has working is not the sum of its orders";
    }
    return NULL;
}

// Accounts are the sums of their sessions and positions.
static const char *check_account(const struct engine *e, uint16_t account)
{
    struct sums sum = {0}, orders = {0};
    uint32_t strange = 0;
    int64_t quantity = 0, working = 0, notional[2] = {0}, cash = 0, cost = 0;
    for (uint32_t session = 0; session < e->limit.max_sessions; session++) {
        if (!e->sessions[session].open || e->sessions[session].account != account)
            continue;
        add_party(&sum, e, party_of_session(e, (uint16_t)session));
        sum_session(e, (uint16_t)session, &orders, &strange);
    }
    for (uint32_t at = 1; at <= e->risk.positions_count; at++) {
        uint32_t number = e->risk.begun[at];
        const struct position *position = &e->risk.positions[number];
        if (position->account != account)
            continue;
        if (position_find(e, account, position->locate) != number)
            return "a position is not found by its account and symbol";
        if ((position->quantity > 0 && position->cost < 0) || (position->quantity < 0 && position->cost > 0) ||
            (position->quantity == 0 && position->cost != 0))
            return "a position's cost has not its sign";
        cost += position->cost < 0 ? -position->cost : position->cost;
        cash += position->cash;
        quantity += position->day;
        working += (int64_t)position->working[BUY] + position->working[SELL];
        notional[BUY] += (int64_t)position->notional[BUY];
        notional[SELL] += (int64_t)position->notional[SELL];
    }
    if (quantity != sum.figure[FIGURE_QUANTITY] || working != sum.figure[FIGURE_DAY_QUANTITY] - quantity ||
        notional[BUY] != orders.figure[FIGURE_NET_BUY] || notional[SELL] != orders.figure[FIGURE_NET_SELL])
        return "an account's positions do not add up to what its sessions have";
    sum.figure[FIGURE_GROSS] = cost + notional[BUY] + notional[SELL];
    sum.figure[FIGURE_NET_BUY] = notional[BUY] - cash;
    sum.figure[FIGURE_NET_SELL] = notional[SELL] + cash;
    return same_figures(e, party_of_account(account), &sum)
               ? NULL
               : "what an account has at risk is not the sum of its sessions and positions";
}

static const char *check_firm(const struct engine *e, uint16_t firm)
{
    struct sums sum = {0};
    for (uint32_t account = 0; account < e->limit.max_accounts; account++) {
        if (!e->accounts[account].open || risk_firm(e, (uint16_t)account) != firm)
            continue;
        add_party(&sum, e, party_of_account((uint16_t)account));
    }
    return same_figures(e, party_of_firm(e, firm), &sum) ? NULL
                                                         : "what a firm has at risk is not the sum of its accounts";
}

const char *risk_check_sums(const struct engine *e)
{
    if (e->risk.positions_limit == 0)
        return NULL;
    if (e->risk.positions_count > e->risk.positions_limit)
        return "there are more positions than the day has room for";
    const char *broken = lease_check(e);
    if (!broken)
        broken = check_sessions(e);
    for (uint32_t account = 0; !broken && account < e->limit.max_accounts; account++) {
        if (!e->accounts[account].open)
            continue;
        broken = check_account(e, (uint16_t)account);
        if (!broken && risk_firm(e, (uint16_t)account) == account)
            broken = check_firm(e, (uint16_t)account);
    }
    return broken;
}
