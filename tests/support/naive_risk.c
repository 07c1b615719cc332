// SPDX-License-Identifier: Apache-2.0
// The plain venue's limits: who has which, what is added up, and what an order comes to.
#include "tests/support/naive_risk.h"

#include <stdlib.h>
#include <string.h>

#include "contract/assert.h"
#include "tests/support/naive_market.h"

#define MILLION 1000000
#define MOST_SHARES UINT64_C(4000000000)

uint16_t naive_firm(const struct naive_venue *v, uint16_t account)
{
    uint16_t first = 0;
    while (!v->accounts[first].open || memcmp(v->accounts[first].firm, v->accounts[account].firm, 4))
        first++;
    return first;
}

static uint16_t account_of(const struct naive_venue *v, uint16_t session)
{
    return v->clients[session]->account;
}

bool naive_belongs(const struct naive_venue *v, enum scope scope, uint16_t index, uint16_t session)
{
    return scope == SCOPE_SESSION   ? session == index
           : scope == SCOPE_ACCOUNT ? account_of(v, session) == index
                                    : naive_firm(v, account_of(v, session)) == index;
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
        return naive_alert_percent(v, SCOPE_ACCOUNT, account_of(v, index));
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
    uint16_t account = account_of(v, session);
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

static struct naive_sums position_sums(const struct naive_venue *v, uint16_t account, uint16_t locate)
{
    struct naive_sums sums = {0};
    for (size_t i = 0; i < v->live; i++)
        if (v->orders[i]->locate == locate && account_of(v, v->orders[i]->session) == account)
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

// ---- the order alone

// The best price of a side, displayed or not; `shown`: of one of the two.
static uint32_t best_of(const struct naive_venue *v, uint16_t locate, bool buys, bool shown)
{
    uint32_t best = 0;
    for (size_t i = 0; i < v->live; i++) {
        const struct resting *o = v->orders[i];
        if (o->locate == locate && o->in_book && o->displayed == shown && naive_buys(o) == buys &&
            (!best || (buys ? o->price > best : o->price < best)))
            best = o->price;
    }
    return best;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static bool no_price(const struct resting *o)
{
    return o->asked > 1999999900;
}

static uint32_t discretion_price(const struct resting *o)
{
    return naive_has(&o->terms, 9) ? o->terms.discretion_price : 0;
}

static uint32_t counted_price(const struct naive_venue *v, const struct resting *o)
{
    uint32_t price = no_price(o) ? naive_mark(v, o->locate) : o->price;
    if (!naive_buys(o) || no_price(o))
        price = higher(
            price, higher(best_of(v, o->locate, !naive_buys(o), true), best_of(v, o->locate, !naive_buys(o), false)));
    if (naive_buys(o) && !no_price(o))
        price = higher(price, discretion_price(o));
    return price;
}

// How far the order's price goes beyond what it is measured from; 0: not at all, or it is not asked.
static wide price_beyond(const struct naive_venue *v, const struct resting *o, uint32_t *from)
{
    uint32_t price = o->price;
    *from = o->trigger == 'S' ? o->terms.trigger : naive_mark(v, o->locate);
    if (no_price(o) || !*from || o->trigger == 'T')
        return 0;
    if (naive_buys(o))
        price = higher(price, discretion_price(o));
    wide beyond = naive_buys(o) ? (wide)price - *from : (wide)*from - price;
    return beyond > 0 ? beyond : 0;
}

struct asker { // whose limits an order has to keep
    enum scope scope;
    uint16_t index;
};

static void askers_of(const struct naive_venue *v, const struct resting *o, struct asker askers[3])
{
    uint16_t account = account_of(v, o->session);
    askers[0] = (struct asker){SCOPE_SESSION, o->session};
    askers[1] = (struct asker){SCOPE_ACCOUNT, account};
    askers[2] = (struct asker){SCOPE_FIRM, naive_firm(v, account)};
}

static bool above(wide use, uint64_t limit)
{
    return limit != LIMIT_UNSET && use > (wide)limit;
}

// One limit of a single order: whether it refuses; otherwise its alert level may be told.
static bool alone_refused(struct naive_venue *v, const struct resting *o, enum limit limit, wide used)
{
    struct naive_trader *trader = &v->risk->traders[o->session];
    struct asker askers[3];
    uint64_t own = LIMIT_UNSET, symbol = naive_limit(v, SCOPE_SYMBOL, o->locate, limit);
    askers_of(v, o, askers);
    for (int i = 0; i < 3; i++)
        own = least(own, naive_limit(v, askers[i].scope, askers[i].index, limit));
    if (above(used, own) || above(used, symbol))
        return true;
    uint64_t own_level = naive_level(own, naive_alert_percent(v, SCOPE_SESSION, o->session));
    uint64_t symbol_level = naive_level(symbol, naive_alert_percent(v, SCOPE_VENUE, 0));
    const bool near_own = own != LIMIT_UNSET && own && used >= own_level;
    const bool near_symbol = symbol != LIMIT_UNSET && symbol && used >= symbol_level;
    if ((!near_own && !near_symbol) || v->now < trader->single.quiet_until)
        return false;
    trader->single.due = true;
    trader->single.quiet_until = v->now + 1000000000;
    trader->single.locate = o->locate;
    trader->single.limit = limit;
    trader->single.before = near_own ? own : symbol;
    trader->single.after = (uint64_t)used;
    return false;
}

static int alone_code(struct naive_venue *v, const struct resting *o)
{
    uint32_t from;
    if (alone_refused(v, o, LIMIT_MAX_QUANTITY, o->open))
        return 0x31;
    if (alone_refused(v, o, LIMIT_MAX_NOTIONAL, (wide)o->open * counted_price(v, o)))
        return 0x30;
    const wide beyond = price_beyond(v, o, &from), tick = v->symbols[o->locate].tick;
    if (beyond && (alone_refused(v, o, LIMIT_FAT_FINGER, (beyond * MILLION + from - 1) / from) ||
                   alone_refused(v, o, LIMIT_FAT_FINGER_TICKS, (beyond + tick - 1) / tick)))
        return 0x26;
    return 0;
}

// ---- what is forbidden

static bool without_stop_loss(const struct naive_venue *v, const struct resting *o, const struct resting *original)
{
    uint16_t account = account_of(v, o->session);
    const struct naive_position *p = naive_position((struct naive_venue *)v, account, o->locate);
    wide comes = o->open, stops = 0;
    if (p)
        comes += naive_buys(o) ? p->quantity : -p->quantity;
    if (o->trigger)
        return false;
    for (size_t i = 0; i < v->live; i++) {
        const struct resting *a = v->orders[i];
        if (a->locate != o->locate || account_of(v, a->session) != account)
            continue;
        if (naive_buys(a) == naive_buys(o))
            comes += a->waits || a == original ? 0 : a->open;
        else
            stops += a->waits ? a->open : 0;
    }
    return comes > 0 && comes > stops;
}

static uint64_t bits_of(const struct naive_venue *v, enum scope scope, uint16_t index)
{
    uint64_t bits = naive_limit(v, scope, index, LIMIT_FORBIDDEN);
    return bits == LIMIT_UNSET ? 0 : bits;
}

static int permission_code(const struct naive_venue *v, const struct command *c, const struct resting *o,
                           const struct resting *original)
{
    struct asker askers[3];
    uint64_t bits = bits_of(v, SCOPE_VENUE, 0) | bits_of(v, SCOPE_SYMBOL, o->locate);
    askers_of(v, o, askers);
    for (int i = 0; i < 3; i++)
        bits |= bits_of(v, askers[i].scope, askers[i].index);
    bool located = naive_has(c, 25) && c->shares_located == 'Y', peg = o->type != 'L';
    if (bits & FORBID_ALL)
        return 0x22;
    if (bits & FORBID_MARKET && no_price(o) && !peg)
        return 0x2C;
    if (bits & FORBID_ISO && c->iso == 'Y')
        return 0x08;
    if (bits & FORBID_PRE_MARKET && v->phase == 'P')
        return 0x2D;
    if (bits & FORBID_POST_MARKET && v->phase == 'A')
        return 0x2E;
    if ((bits & FORBID_HIDDEN && o->display == 'N' && !peg) || (bits & FORBID_PEG && peg) ||
        (bits & FORBID_STOP && o->trigger) ||
        (bits & FORBID_RESERVE && naive_has(&o->terms, 5) && o->terms.max_floor) ||
        (bits & FORBID_IOC && o->tif == '3'))
        return 0x24;
    if (bits & FORBID_SHORT && o->side == 'T')
        return 0x23;
    if (bits & FORBID_SHORT_EXEMPT && o->side == 'E')
        return 0x2F;
    if (bits & FORBID_SHORT_UNLOCATED && (o->side == 'T' || o->side == 'E') && !located)
        return 0x27;
    return bits & FORBID_WITHOUT_STOP_LOSS && without_stop_loss(v, o, original) ? 0x0F : 0;
}

// ---- what it comes to with the order

struct coming {
    const struct resting *o;
    bool buys;
    wide quantity, notional; // that come, less what goes
    int orders;
};

static wide largest(wide a, wide b)
{
    return a > b ? a : b;
}

static int totals_code(const struct naive_venue *v, const struct coming *n, const struct asker askers[3])
{
    struct naive_sums sums[3];
    for (int i = 0; i < 3; i++)
        sums[i] = naive_sums(v, askers[i].scope, askers[i].index);
    for (int i = 0; i < 3; i++) {
        wide use = sums[i].executed + sums[i].quantity[0] + sums[i].quantity[1] + n->quantity;
        if (above(use, naive_limit(v, askers[i].scope, askers[i].index, LIMIT_DAY_QUANTITY)) || above(use, MOST_SHARES))
            return 0x1E;
    }
    for (int i = 0; i < 3; i++)
        if (above(sums[i].value + sums[i].notional[0] + sums[i].notional[1] + n->notional,
                  naive_limit(v, askers[i].scope, askers[i].index, LIMIT_DAY_VALUE)))
            return 0x1F;
    for (int i = 0; i < 3; i++)
        if (above((wide)sums[i].orders + n->orders,
                  naive_limit(v, askers[i].scope, askers[i].index, LIMIT_WORKING_ORDERS)))
            return 0x0F;
    for (int i = 1; i < 3; i++)
        if (above(naive_gross(v, askers[i].scope, askers[i].index) + sums[i].notional[0] + sums[i].notional[1] +
                      n->notional,
                  naive_limit(v, askers[i].scope, askers[i].index, LIMIT_GROSS_NOTIONAL)))
            return 0x20;
    for (int i = 1; i < 3; i++) {
        wide net = naive_net(v, askers[i].scope, askers[i].index);
        wide use = (n->buys ? net : -net) + sums[i].notional[n->buys] + n->notional;
        if (above(largest(use, 0), naive_limit(v, askers[i].scope, askers[i].index, LIMIT_NET_NOTIONAL)))
            return 0x20;
    }
    return 0;
}

static bool above_share(const struct naive_venue *v, const struct naive_position *p, const struct naive_sums *working,
                        const struct coming *n)
{
    uint64_t capital = naive_limit(v, SCOPE_ACCOUNT, p->account, LIMIT_CAPITAL);
    uint64_t share = naive_limit(v, SCOPE_ACCOUNT, p->account, LIMIT_POSITION_SHARE);
    if (capital == LIMIT_UNSET)
        capital = naive_limit(v, SCOPE_FIRM, naive_firm(v, p->account), LIMIT_CAPITAL);
    if (capital == LIMIT_UNSET)
        return false;
    if (share == LIMIT_UNSET)
        share = 20000;
    wide sign = n->buys ? 1 : -1;
    if (sign * p->quantity + working->quantity[n->buys] + n->quantity <= 0)
        return false;
    return largest(sign * p->cost, 0) + working->notional[n->buys] + n->notional > (wide)capital * share / MILLION;
}

static bool above_group(const struct naive_venue *v, const struct naive_position *p, const struct coming *n)
{
    uint64_t gross = naive_limit(v, SCOPE_ACCOUNT, p->account, LIMIT_GROSS_NOTIONAL);
    uint64_t percent = naive_limit(v, SCOPE_ACCOUNT, p->account, LIMIT_CORRELATION);
    uint16_t group = v->risk->groups[p->locate];
    if (group == 0 || gross == LIMIT_UNSET || n->notional <= 0)
        return false;
    if (percent == LIMIT_UNSET)
        percent = naive_scaled(v, LIMIT_CORRELATION, 700000);
    wide sum = n->notional;
    for (size_t i = 0; i < v->risk->positions_count; i++) {
        const struct naive_position *other = &v->risk->positions[i];
        if (other->account != p->account || v->risk->groups[other->locate] != group)
            continue;
        struct naive_sums working = position_sums(v, p->account, other->locate);
        sum += size_of(other->cost) + working.notional[0] + working.notional[1];
    }
    return sum > (wide)gross * percent / MILLION;
}

// An account's or its firm's part of what the symbol trades on an average day.
static bool above_volume(const struct naive_venue *v, const struct naive_position *p, const struct coming *n,
                         enum scope scope, uint16_t index)
{
    uint64_t percent = naive_limit(v, scope, index, LIMIT_ADV), adv = v->symbols[p->locate].adv;
    wide day = n->quantity;
    for (size_t i = 0; i < v->risk->positions_count; i++) {
        const struct naive_position *other = &v->risk->positions[i];
        if (other->locate != p->locate ||
            (scope == SCOPE_ACCOUNT ? other->account != index : naive_firm(v, other->account) != index))
            continue;
        struct naive_sums working = position_sums(v, other->account, p->locate);
        day += (wide)other->executed + working.quantity[0] + working.quantity[1];
    }
    return percent != LIMIT_UNSET && adv && day * MILLION > (wide)adv * percent;
}

static int sums_code(struct naive_venue *v, const struct resting *o, const struct resting *original)
{
    struct asker askers[3];
    askers_of(v, o, askers);
    struct naive_position *p = naive_position_begun(v, askers[1].index, o->locate);
    if (!p)
        return 0x0A;
    struct coming n = {.o = o,
                       .buys = naive_buys(o),
                       .quantity = o->open,
                       .notional = (wide)o->open * counted_price(v, o),
                       .orders = original ? 0 : 1};
    if (original) {
        n.quantity -= original->open;
        n.notional -= original->open * naive_cost_price(original);
    }
    struct naive_sums working = position_sums(v, p->account, o->locate);
    enum limit side = n.buys ? LIMIT_LONG_POSITION : LIMIT_SHORT_POSITION;
    wide worst = (n.buys ? p->quantity : -p->quantity) + working.quantity[n.buys] + n.quantity;
    if (above(worst, naive_limit(v, SCOPE_ACCOUNT, p->account, side)) || above(worst, naive_position_limit(v, p, side)))
        return 0x1E;
    int code = totals_code(v, &n, askers);
    if (code)
        return code;
    if (above_volume(v, p, &n, SCOPE_ACCOUNT, p->account) || above_volume(v, p, &n, SCOPE_FIRM, askers[2].index))
        return 0x25;
    if (above_share(v, p, &working, &n) || above_group(v, p, &n))
        return 0x20;
    return naive_repeated_check(v, p);
}

// ---- all of it

int naive_risk_check(struct naive_venue *v, const struct command *c, const struct resting *o,
                     const struct resting *original)
{
    if (naive_killed(v, o) || (v->risk && naive_mode_blocks(v)))
        return 0x0F;
    if (naive_halted(v, o->locate))
        return 0x07;
    if (!v->risk)
        return naive_market_check(v, o);
    int code = permission_code(v, c, o, original);
    if (!code)
        code = naive_rates_check(v, c, o);
    if (!code)
        code = alone_code(v, o);
    if (!code)
        code = naive_market_check(v, o);
    return code ? code : sums_code(v, o, original);
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
