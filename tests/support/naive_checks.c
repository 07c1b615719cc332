// SPDX-License-Identifier: Apache-2.0
// What the plain venue asks of an order before it is taken: alone, and with all that it comes to.
#include "tests/support/naive_market.h"
#include "tests/support/naive_risk.h"

#define MILLION 1000000
#define MOST_SHARES UINT64_C(4000000000)

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static wide size_of(wide value)
{
    return value < 0 ? -value : value;
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
    uint16_t account = naive_account(v, o->session);
    askers[0] = (struct asker){SCOPE_SESSION, o->session};
    askers[1] = (struct asker){SCOPE_ACCOUNT, account};
    askers[2] = (struct asker){SCOPE_FIRM, naive_firm(v, account)};
}

static bool above(wide use, uint64_t limit)
{
    return limit != LIMIT_UNSET && use > (wide)limit;
}

// Whether the use is at the alert level of a session, account and firm; or of the venue.
static bool is_near(wide used, uint64_t limit, uint64_t percent)
{
    return limit != LIMIT_UNSET && limit && used >= naive_level(limit, percent);
}

static void tell(struct naive_venue *v, uint16_t session, uint16_t locate, enum limit limit, uint64_t before, wide used)
{
    struct naive_trader *trader = &v->risk->traders[session];
    if (v->now < trader->single.quiet_until)
        return;
    trader->single.due = true;
    trader->single.quiet_until = v->now + 1000000000;
    trader->single.locate = locate;
    trader->single.limit = limit;
    trader->single.before = before;
    trader->single.after = (uint64_t)used;
}

void naive_near(struct naive_venue *v, uint16_t session, uint16_t locate, enum limit limit, uint64_t most, wide used)
{
    if (is_near(used, most, naive_alert_percent(v, SCOPE_SESSION, session)))
        tell(v, session, locate, limit, most, used);
}

// One limit of a single order: whether it refuses; otherwise its alert level may be told.
static bool alone_refused(struct naive_venue *v, const struct resting *o, enum limit limit, wide used)
{
    struct asker askers[3];
    uint64_t own = naive_limit(v, SCOPE_VENUE, 0, limit), symbol = naive_limit(v, SCOPE_SYMBOL, o->locate, limit);
    askers_of(v, o, askers);
    for (int i = 0; i < 3; i++)
        own = least(own, naive_limit(v, askers[i].scope, askers[i].index, limit));
    if (above(used, own) || above(used, symbol))
        return true;
    if (is_near(used, own, naive_alert_percent(v, SCOPE_SESSION, o->session)))
        tell(v, o->session, o->locate, limit, own, used);
    else if (is_near(used, symbol, naive_alert_percent(v, SCOPE_VENUE, 0)))
        tell(v, o->session, o->locate, limit, symbol, used);
    return false;
}

// One of what it all comes to: the same, without a symbol's.
static bool together_refused(struct naive_venue *v, const struct resting *o, enum limit limit, uint64_t most, wide used)
{
    if (above(used, most))
        return true;
    naive_near(v, o->session, o->locate, limit, most, used);
    return false;
}

// What the price of the order is held against by collars; 0: nothing.
static uint32_t collared_from(const struct naive_venue *v, const struct resting *o)
{
    if (o->trigger)
        return o->trigger == 'S' ? o->terms.trigger : 0;
    const uint32_t best = best_of(v, o->locate, !naive_buys(o), true);
    return best ? best : naive_mark(v, o->locate);
}

static bool beyond_collar(struct naive_venue *v, const struct resting *o)
{
    const wide from = collared_from(v, o);
    if (!from || no_price(o))
        return false;
    const wide beyond = naive_buys(o) ? (wide)higher(o->price, discretion_price(o)) - from : from - o->price;
    return beyond > 0 && alone_refused(v, o, LIMIT_COLLAR, (beyond * MILLION + from - 1) / from);
}

// A market order goes to the collar's edge, and no farther.
static uint32_t collars_edge(const struct naive_venue *v, const struct resting *o)
{
    struct asker askers[3];
    uint64_t most =
        least(naive_limit(v, SCOPE_VENUE, 0, LIMIT_COLLAR), naive_limit(v, SCOPE_SYMBOL, o->locate, LIMIT_COLLAR));
    askers_of(v, o, askers);
    for (int i = 0; i < 3; i++)
        most = least(most, naive_limit(v, askers[i].scope, askers[i].index, LIMIT_COLLAR));
    const wide from = collared_from(v, o), span = from * most / MILLION;
    if (most == LIMIT_UNSET || !o->market || o->trigger || !from)
        return 0;
    return naive_buys(o) ? (uint32_t)(from + span) : from > span ? (uint32_t)(from - span) : 1;
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
    return beyond_collar(v, o) ? 0x21 : 0;
}

// ---- what is forbidden

static bool without_stop_loss(const struct naive_venue *v, const struct resting *o, const struct resting *original)
{
    uint16_t account = naive_account(v, o->session);
    const struct naive_position *p = naive_position((struct naive_venue *)v, account, o->locate);
    wide comes = o->open, stops = 0;
    if (p)
        comes += naive_buys(o) ? p->quantity : -p->quantity;
    if (o->trigger)
        return false;
    for (size_t i = 0; i < v->live; i++) {
        const struct resting *a = v->orders[i];
        if (a->locate != o->locate || naive_account(v, a->session) != account)
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

static bool above_share(struct naive_venue *v, const struct naive_position *p, const struct naive_sums *working,
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
    return together_refused(v, n->o, LIMIT_POSITION_SHARE, (uint64_t)((wide)capital * share / MILLION),
                            largest(sign * p->cost, 0) + working->notional[n->buys] + n->notional);
}

static bool above_group(struct naive_venue *v, const struct naive_position *p, const struct coming *n)
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
        struct naive_sums working = naive_position_sums(v, p->account, other->locate);
        sum += size_of(other->cost) + working.notional[0] + working.notional[1];
    }
    return together_refused(v, n->o, LIMIT_CORRELATION, (uint64_t)((wide)gross * percent / MILLION), sum);
}

// An account's or its firm's part of what the symbol trades on an average day.
static bool above_volume(struct naive_venue *v, const struct naive_position *p, const struct coming *n,
                         enum scope scope, uint16_t index)
{
    uint64_t percent = naive_limit(v, scope, index, LIMIT_ADV), adv = v->symbols[p->locate].adv;
    wide day = n->quantity;
    for (size_t i = 0; i < v->risk->positions_count; i++) {
        const struct naive_position *other = &v->risk->positions[i];
        if (other->locate != p->locate ||
            (scope == SCOPE_ACCOUNT ? other->account != index : naive_firm(v, other->account) != index))
            continue;
        struct naive_sums working = naive_position_sums(v, other->account, p->locate);
        day += (wide)other->executed + working.quantity[0] + working.quantity[1];
    }
    return adv && together_refused(v, n->o, LIMIT_ADV, percent, (day * MILLION + adv - 1) / adv);
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
    struct naive_sums working = naive_position_sums(v, p->account, o->locate);
    enum limit side = n.buys ? LIMIT_LONG_POSITION : LIMIT_SHORT_POSITION;
    wide worst = (n.buys ? p->quantity : -p->quantity) + working.quantity[n.buys] + n.quantity;
    uint64_t most = least(naive_limit(v, SCOPE_ACCOUNT, p->account, side), naive_position_limit(v, p, side));
    if (together_refused(v, o, side, most, worst))
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

int naive_risk_check(struct naive_venue *v, const struct command *c, struct resting *o, const struct resting *original)
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
    o->edge = collars_edge(v, o);
    return code ? code : sums_code(v, o, original);
}
