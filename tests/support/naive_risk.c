// SPDX-License-Identifier: Apache-2.0
// The plain venue's limits: who has which, and what is added up.
#include "tests/support/naive_risk.h"

#include <stdlib.h>
#include <string.h>

#include "contract/assert.h"

#define MILLION 1000000

uint16_t naive_firm(const struct naive_venue *v, uint16_t account)
{
    uint16_t first = 0;
    while (!v->accounts[first].open || memcmp(v->accounts[first].firm, v->accounts[account].firm, 4))
        first++;
    return first;
}

uint16_t naive_account(const struct naive_venue *v, uint16_t session)
{
    return v->clients[session]->account;
}

bool naive_belongs(const struct naive_venue *v, enum scope scope, uint16_t index, uint16_t session)
{
    return scope == SCOPE_SESSION   ? session == index
           : scope == SCOPE_ACCOUNT ? naive_account(v, session) == index
                                    : naive_firm(v, naive_account(v, session)) == index;
}

// ---- limits

uint64_t naive_scaled(const struct naive_venue *v, enum limit limit, uint64_t value)
{
    uint64_t percent = v->risk->percent;
    if (value == LIMIT_UNSET || limit == LIMIT_CAPITAL || limit == LIMIT_ALERT || limit == LIMIT_SLOW ||
        limit == LIMIT_DUPLICATE_MS || limit == LIMIT_REPEATED_MS || limit == LIMIT_MMP_MS || limit == LIMIT_FORBIDDEN)
        return value;
    return (uint64_t)(((wide)value * percent + 99) / 100);
}

static struct naive_limits *limits_of(const struct naive_venue *v, enum scope scope, uint16_t index)
{
    struct naive_risk *risk = v->risk;
    xw_assert(index < NAIVE_MOST);
    return scope == SCOPE_VENUE     ? &risk->venue
           : scope == SCOPE_FIRM    ? &risk->firms[index].limits
           : scope == SCOPE_ACCOUNT ? &risk->accounts[index].limits
           : scope == SCOPE_SESSION ? &risk->sessions[index].limits
                                    : &risk->symbols[index];
}

uint64_t naive_limit(const struct naive_venue *v, enum scope scope, uint16_t index, enum limit limit)
{
    return naive_scaled(v, limit, limits_of(v, scope, index)->more[limit] - 1);
}

uint64_t naive_position_limit(const struct naive_venue *v, const struct naive_position *p, enum limit limit)
{
    return naive_scaled(v, limit, p->limits.more[limit] - 1);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t naive_alert_percent(const struct naive_venue *v, enum scope scope, uint16_t index)
{
    uint64_t percent = naive_limit(v, SCOPE_VENUE, 0, LIMIT_ALERT);
    if (scope == SCOPE_SESSION)
        return naive_alert_percent(v, SCOPE_ACCOUNT, naive_account(v, index));
    if (scope == SCOPE_ACCOUNT)
        percent = least(percent, naive_limit(v, SCOPE_ACCOUNT, index, LIMIT_ALERT));
    if (scope == SCOPE_ACCOUNT || scope == SCOPE_FIRM)
        percent = least(percent, naive_limit(v, SCOPE_FIRM, naive_firm(v, index), LIMIT_ALERT));
    return percent == LIMIT_UNSET ? 700000 : percent;
}

uint64_t naive_level(uint64_t limit, uint64_t percent)
{
    uint64_t level = (uint64_t)(((wide)limit * percent + MILLION - 1) / MILLION);
    return level ? level : 1;
}

void naive_alert(struct naive_venue *v, char kind, enum scope scope, uint16_t index, uint16_t locate, unsigned limit,
                 uint64_t before, uint64_t after, char reason)
{
    struct event *event = naive_event_add(v, EV_ALERT, 2);
    event->reason = kind;
    event->quantity = limit;
    event->price = index;
    event->locate = locate;
    event->alert_before = before;
    event->alert_after = after;
    event->alert_scope = (uint8_t)scope;
    event->alert_reason = reason;
}

enum unit { QUANTITY, MONEY, PPM, COUNT, TICKS, MS, MASK };

static bool value_ok(enum limit limit, uint64_t value)
{
#define LIMIT(name, key, scopes, unit, reject, help) unit,
    static const enum unit units[] = {
#include "contract/limits.def"
    };
#undef LIMIT
    static const uint64_t most[] = {[QUANTITY] = UINT64_C(1000000000000),
                                    [COUNT] = UINT64_C(1000000000000),
                                    [MONEY] = UINT64_C(1000000000000000000),
                                    [PPM] = 1000000,
                                    [TICKS] = 2000000000,
                                    [MS] = 86400000,
                                    [MASK] = (1 << 14) - 1};
    bool rate = limit == LIMIT_ORDER_RATE || limit == LIMIT_ORDER_BURST || limit == LIMIT_SYMBOL_RATE ||
                limit == LIMIT_MESSAGE_RATE || limit == LIMIT_SLOW_RATE;
    if (value == LIMIT_UNSET)
        return true;
    if (rate)
        return value >= 1 && value <= 1000000000;
    return value <= most[units[limit]] && (units[limit] != MS || value >= 1);
}

// Whether the scope exists and the table names it for the limit.
static bool scope_ok(const struct naive_venue *v, enum limit limit, enum scope scope, uint16_t index, uint16_t locate)
{
#define LIMIT(name, key, scopes, unit, reject, help) scopes,
    static const char *const scopes[] = {
#include "contract/limits.def"
    };
#undef LIMIT
    if (limit >= LIMITS || scope < SCOPE_VENUE || scope > SCOPE_POSITION || !strchr(scopes[limit], "?VFASYP"[scope]))
        return false;
    switch (scope) {
    case SCOPE_FIRM:
        return v->accounts[index].open && naive_firm(v, index) == index;
    case SCOPE_ACCOUNT:
        return v->accounts[index].open;
    case SCOPE_SESSION:
        return v->clients[index] != NULL;
    case SCOPE_SYMBOL:
        return index && v->symbols[index].open;
    case SCOPE_POSITION:
        return v->accounts[index].open && locate && v->symbols[locate].open;
    default:
        return index == 0;
    }
}

static void set_limit(struct naive_venue *v, const struct command *c)
{
    enum limit limit = (enum limit)c->limit.limit;
    enum scope scope = (enum scope)c->limit.scope;
    uint16_t index = c->limit.index;
    if (!scope_ok(v, limit, scope, index, c->limit.locate) || !value_ok(limit, c->limit.value))
        return;
    struct naive_position *p = NULL;
    if (scope == SCOPE_POSITION && !(p = naive_position_begun(v, index, c->limit.locate)))
        return;
    uint64_t *more = p ? &p->limits.more[limit] : &limits_of(v, scope, index)->more[limit];
    uint64_t before = *more - 1;
    if (before == c->limit.value)
        return;
    *more = c->limit.value + 1;
    naive_alert(v, 'c', scope, index, p ? c->limit.locate : 0, limit, before, c->limit.value, 0);
    naive_rates_renew(v);
}

// ---- positions

struct naive_position *naive_position(struct naive_venue *v, uint16_t account, uint16_t locate)
{
    for (size_t i = 0; i < v->risk->positions_count; i++)
        if (v->risk->positions[i].account == account && v->risk->positions[i].locate == locate)
            return &v->risk->positions[i];
    return NULL;
}

struct naive_position *naive_position_begun(struct naive_venue *v, uint16_t account, uint16_t locate)
{
    struct naive_position *p = naive_position(v, account, locate);
    if (p || v->risk->positions_count == v->open.day.max_positions)
        return p;
    p = &v->risk->positions[v->risk->positions_count++];
    *p = (struct naive_position){.account = account, .locate = locate};
    return p;
}

static wide size_of(wide value)
{
    return value < 0 ? -value : value;
}

static void begin_position(struct naive_venue *v, const struct command *c)
{
    uint16_t account = c->position.account, locate = c->position.locate;
    wide quantity = c->position.quantity, cost = c->position.cost, sum = size_of(cost);
    if (v->day != 1 || !v->accounts[account].open || !locate || !v->symbols[locate].open)
        return;
    if (size_of(quantity) > (wide)1000000000000 || size_of(cost) > (wide)1000000000000000000 ||
        (quantity == 0 && cost != 0) || (quantity > 0 && cost < 0) || (quantity < 0 && cost > 0))
        return;
    for (size_t i = 0; i < v->risk->positions_count; i++) {
        const struct naive_position *p = &v->risk->positions[i];
        if (naive_firm(v, p->account) == naive_firm(v, account) && (p->account != account || p->locate != locate))
            sum += size_of(p->cost);
    }
    struct naive_position *p = sum > (wide)1000000000000000000 ? NULL : naive_position_begun(v, account, locate);
    if (!p)
        return;
    naive_mark_position(v, p, 0);
    v->risk->accounts[account].net += cost - p->cost;
    v->risk->firms[naive_firm(v, account)].net += cost - p->cost;
    p->quantity = quantity;
    p->cost = cost;
    p->cash = -cost;
}

uint32_t naive_mark(const struct naive_venue *v, uint16_t locate)
{
    return v->symbols[locate].traded ? v->symbols[locate].last : v->symbols[locate].close;
}

// `bought`: quantity with its sign.
static void move_position(struct naive_position *p, wide bought, uint32_t price)
{
    wide closes = p->quantity > 0 && bought < 0   ? least((uint64_t)-bought, (uint64_t)p->quantity)
                  : p->quantity < 0 && bought > 0 ? least((uint64_t)bought, (uint64_t)-p->quantity)
                                                  : 0;
    int sign = p->quantity < 0 ? -1 : 1;
    p->cash -= bought * price;
    if (closes == size_of(p->quantity))
        p->cost = 0;
    else
        p->cost -= sign * (size_of(p->cost) / size_of(p->quantity) * closes);
    p->cost += (bought + sign * closes) * price;
    p->quantity += bought;
}

void naive_position_trades(struct naive_venue *v, uint16_t session, uint16_t locate, wide bought, uint32_t price,
                           int executed)
{
    uint16_t account = naive_account(v, session);
    struct naive_position *p = naive_position(v, account, locate);
    uint64_t quantity = (uint64_t)size_of(bought);
    move_position(p, bought, price);
    v->risk->accounts[account].net += bought * price;
    v->risk->firms[naive_firm(v, account)].net += bought * price;
    if (executed > 0) {
        p->executed += quantity;
        v->risk->traders[session].quantity += quantity;
        v->risk->traders[session].value += (wide)quantity * price;
    } else {
        p->executed -= quantity;
        v->risk->traders[session].quantity -= quantity;
        v->risk->traders[session].value -= (wide)quantity * price;
    }
}

// ---- what it comes to

wide naive_cost_price(const struct resting *o)
{
    uint32_t price = o->in_book ? o->price : o->asked;
    return price > 1999999900 ? 0 : price;
}

static void add_order(struct naive_sums *sums, const struct resting *o)
{
    sums->quantity[naive_buys(o)] += o->open;
    sums->notional[naive_buys(o)] += o->open * naive_cost_price(o);
    sums->orders++;
}

struct naive_sums naive_sums(const struct naive_venue *v, enum scope scope, uint16_t index)
{
    struct naive_sums sums = {0};
    for (size_t i = 0; i < v->live; i++)
        if (naive_belongs(v, scope, index, v->orders[i]->session))
            add_order(&sums, v->orders[i]);
    for (uint16_t session = 0; session <= v->last_session; session++)
        if (v->clients[session] && naive_belongs(v, scope, index, session)) {
            sums.executed += v->risk->traders[session].quantity;
            sums.value += v->risk->traders[session].value;
        }
    return sums;
}

struct naive_sums naive_position_sums(const struct naive_venue *v, uint16_t account, uint16_t locate)
{
    struct naive_sums sums = {0};
    for (size_t i = 0; i < v->live; i++)
        if (v->orders[i]->locate == locate && naive_account(v, v->orders[i]->session) == account)
            add_order(&sums, v->orders[i]);
    return sums;
}

wide naive_gross(const struct naive_venue *v, enum scope scope, uint16_t index)
{
    wide gross = 0;
    for (size_t i = 0; i < v->risk->positions_count; i++) {
        const struct naive_position *p = &v->risk->positions[i];
        if (scope == SCOPE_ACCOUNT ? p->account == index : naive_firm(v, p->account) == index)
            gross += size_of(p->cost);
    }
    return gross;
}

wide naive_net(const struct naive_venue *v, enum scope scope, uint16_t index)
{
    return scope == SCOPE_ACCOUNT ? v->risk->accounts[index].net : v->risk->firms[index].net;
}

void naive_risk_open(struct naive_venue *v)
{
    if (v->open.day.max_positions == 0)
        return;
    v->risk = calloc(1, sizeof *v->risk);
    v->risk->percent = 100;
    v->risk->positions = calloc(v->open.day.max_positions, sizeof *v->risk->positions);
}

void naive_risk_free(struct naive_venue *v)
{
    if (v->risk)
        free(v->risk->positions);
    free(v->risk);
}

void naive_risk_command(struct naive_venue *v, const struct command *c)
{
    if (!v->risk || (v->day != 1 && v->day != 2))
        return;
    if (c->type == CMD_LIMIT)
        set_limit(v, c);
    else if (c->type == CMD_POSITION)
        begin_position(v, c);
    else if (c->type == CMD_MODE)
        naive_mode(v, c);
    else if (c->type == CMD_GROUP && c->group.locate && v->symbols[c->group.locate].open && c->group.group <= 32)
        v->risk->groups[c->group.locate] = c->group.group;
}
