// SPDX-License-Identifier: Apache-2.0
// The plain venue's risk after executions: results, repeated executions, market-maker protection, stages, settling.
#include <string.h>

#include "contract/assert.h"
#include "tests/support/naive_risk.h"

#define MILLION 1000000

const enum limit naive_stages[NAIVE_STAGES] = {LIMIT_GROSS_NOTIONAL, LIMIT_NET_NOTIONAL,   LIMIT_DAY_QUANTITY,
                                               LIMIT_DAY_VALUE,      LIMIT_WORKING_ORDERS, LIMIT_LOSS,
                                               LIMIT_DRAWDOWN};

static wide largest(wide a, wide b)
{
    return a > b ? a : b;
}

// ---- results

void naive_mark_position(struct naive_venue *v, struct naive_position *p, uint32_t mark)
{
    struct naive_party *account = &v->risk->accounts[p->account];
    struct naive_party *firm = &v->risk->firms[naive_firm(v, p->account)];
    wide result = mark ? p->cash + p->quantity * mark : 0;
    account->result += result - p->result;
    firm->result += result - p->result;
    p->result = result;
    account->peak = largest(account->peak, account->result);
    firm->peak = largest(firm->peak, firm->result);
}

// ---- repeated executions

static uint64_t or_else(uint64_t value, uint64_t otherwise)
{
    return value == LIMIT_UNSET ? otherwise : value;
}

static uint64_t repeated_ns(const struct naive_venue *v, const struct naive_position *p)
{
    return or_else(naive_limit(v, SCOPE_ACCOUNT, p->account, LIMIT_REPEATED_MS), 1000) * 1000000;
}

static void repeat(struct naive_venue *v, uint16_t session, struct naive_position *p)
{
    uint64_t limit = naive_limit(v, SCOPE_ACCOUNT, p->account, LIMIT_REPEATED_EXECUTIONS);
    if (limit == LIMIT_UNSET)
        return;
    if (p->waits && v->now - p->last_ns < repeated_ns(v, p)) {
        p->last_ns = v->now;
        return;
    }
    if (p->waits || !p->counts || v->now - p->began_ns >= repeated_ns(v, p)) {
        p->counts = true;
        p->count = 0;
        p->began_ns = v->now;
    }
    p->waits = ++p->count >= limit;
    if (p->count == naive_level(limit, naive_alert_percent(v, SCOPE_ACCOUNT, p->account)))
        naive_near(v, session, p->locate, LIMIT_REPEATED_EXECUTIONS, limit, p->count);
    p->last_ns = v->now;
}

int naive_repeated_check(struct naive_venue *v, const struct naive_position *p)
{
    uint64_t limit = naive_limit(v, SCOPE_ACCOUNT, p->account, LIMIT_REPEATED_EXECUTIONS);
    if (limit == LIMIT_UNSET)
        return 0;
    return limit == 0 || (p->waits && v->now - p->last_ns < repeated_ns(v, p)) ? 0x0F : 0;
}

// ---- market-maker protection

static void protect(struct naive_venue *v, struct naive_position *p, uint16_t session, uint32_t quantity)
{
    uint64_t fills = naive_limit(v, SCOPE_SESSION, session, LIMIT_MMP_FILLS);
    uint64_t most = naive_limit(v, SCOPE_SESSION, session, LIMIT_MMP_QUANTITY);
    uint64_t ns = or_else(naive_limit(v, SCOPE_SESSION, session, LIMIT_MMP_MS), 1000) * 1000000;
    struct naive_trader *trader = &v->risk->traders[session];
    if (fills == LIMIT_UNSET && most == LIMIT_UNSET)
        return;
    if (!p->mmp_counts || v->now - p->mmp_began_ns >= ns) {
        p->mmp_counts = true;
        p->mmp_began_ns = v->now;
        p->mmp_count = p->mmp_quantity = 0;
    }
    p->mmp_count++;
    p->mmp_quantity += quantity;
    bool by_count = p->mmp_count >= fills; // LIMIT_UNSET is more than there can be
    if (!by_count && p->mmp_quantity < most)
        return;
    p->mmp_counts = false;
    if (trader->mmp.due)
        return;
    trader->mmp.due = true;
    trader->mmp.locate = p->locate;
    trader->mmp.limit = by_count ? LIMIT_MMP_FILLS : LIMIT_MMP_QUANTITY;
    trader->mmp.before = by_count ? fills : most;
    trader->mmp.after = by_count ? p->mmp_count : p->mmp_quantity;
}

static void protect_now(struct naive_venue *v, uint16_t session)
{
    struct naive_trader *trader = &v->risk->traders[session];
    if (!trader->mmp.due)
        return;
    trader->mmp.due = false;
    naive_alert(v, 'm', SCOPE_SESSION, session, trader->mmp.locate, trader->mmp.limit, trader->mmp.before,
                trader->mmp.after, 0);
    for (size_t i = 0; i < v->live;)
        if (v->orders[i]->session == session && v->orders[i]->locate == trader->mmp.locate)
            naive_cancel_whole(v, v->orders[i], 'Z');
        else
            i++;
}

// ---- executions

static wide signed_quantity(char side, uint32_t quantity)
{
    return side == 'B' ? (wide)quantity : -(wide)quantity;
}

void naive_risk_trade(struct naive_venue *v, const struct event *trade)
{
    for (int maker = 0; v->risk && maker < 2; maker++) {
        uint16_t session = maker ? trade->other_session : trade->session;
        char side = maker ? trade->maker_side : trade->side;
        naive_position_trades(v, session, trade->locate, signed_quantity(side, trade->quantity), trade->price, 1);
        struct naive_position *p = naive_position(v, v->clients[session]->account, trade->locate);
        naive_mark_position(v, p, trade->price);
        repeat(v, session, p);
        if (maker)
            protect(v, p, session, trade->quantity);
    }
}

// A trade is broken (`sign` -1), or its adjusted one comes in its place.
void naive_risk_amend(struct naive_venue *v, const struct event *trade, int sign)
{
    for (int maker = 0; v->risk && maker < 2; maker++) {
        uint16_t session = maker ? trade->other_session : trade->session;
        char side = maker ? trade->maker_side : trade->side;
        naive_position_trades(v, session, trade->locate, sign * signed_quantity(side, trade->quantity), trade->price,
                              sign);
        naive_mark_position(v, naive_position(v, v->clients[session]->account, trade->locate),
                            naive_mark(v, trade->locate));
    }
}

// Whether an adjustment brings nobody above the most shares of a day.
bool naive_risk_amends(struct naive_venue *v, const struct event *trade, uint32_t quantity)
{
    for (int maker = 0; v->risk && maker < 2; maker++) {
        uint16_t session = maker ? trade->other_session : trade->session;
        struct naive_sums sums = naive_sums(v, SCOPE_FIRM, naive_firm(v, v->clients[session]->account));
        if (sums.executed + sums.quantity[0] + sums.quantity[1] + 2 * ((wide)quantity - trade->quantity) >
            (wide)UINT64_C(4000000000))
            return false;
    }
    return true;
}

// ---- stages

static struct naive_party *party_of(const struct naive_venue *v, enum scope scope, uint16_t index)
{
    return scope == SCOPE_SESSION   ? &v->risk->sessions[index]
           : scope == SCOPE_ACCOUNT ? &v->risk->accounts[index]
                                    : &v->risk->firms[index];
}

// What a limit is measured by: `use` against `limit`, both times `scale`.
struct measure {
    bool there;
    wide use, limit;
    uint64_t told_limit, told_use;
};

// The most that an alert tells of a loss.
static uint64_t told(wide use)
{
    return use > INT64_MAX ? INT64_MAX : (uint64_t)use;
}

static struct measure measure(const struct naive_venue *v, enum scope scope, uint16_t index, enum limit limit,
                              const struct naive_sums *sums)
{
    const struct naive_party *party = party_of(v, scope, index);
    uint64_t value = naive_limit(v, scope, index, limit);
    struct measure m = {.there = value != LIMIT_UNSET};
    wide net = 0;
    switch (limit) {
    case LIMIT_GROSS_NOTIONAL:
        m.use = naive_gross(v, scope, index) + sums->notional[0] + sums->notional[1];
        break;
    case LIMIT_NET_NOTIONAL:
        net = naive_net(v, scope, index);
        m.use = largest(0, largest(net + sums->notional[1], sums->notional[0] - net));
        break;
    case LIMIT_DAY_QUANTITY:
        m.use = sums->executed + sums->quantity[0] + sums->quantity[1];
        break;
    case LIMIT_DAY_VALUE:
        m.use = sums->value + sums->notional[0] + sums->notional[1];
        break;
    case LIMIT_WORKING_ORDERS:
        m.use = (wide)sums->orders;
        break;
    case LIMIT_LOSS:
        m.use = largest(0, -party->result);
        break;
    default:
        break;
    }
    m.limit = value;
    m.told_limit = value;
    m.told_use = told(m.use);
    if (limit != LIMIT_DRAWDOWN)
        return m;
    uint64_t capital = naive_limit(v, scope, index, LIMIT_CAPITAL);
    wide peak = party->peak > (wide)1 << 60 ? (wide)1 << 60 : party->peak;
    m.there = capital != LIMIT_UNSET;
    if (!m.there)
        return m;
    value = value == LIMIT_UNSET ? naive_scaled(v, LIMIT_DRAWDOWN, 150000) : value;
    m.told_use = told(party->peak - party->result);
    m.told_limit = (uint64_t)(((wide)capital + peak) * value / MILLION);
    m.use = (party->peak - party->result) * MILLION;
    m.limit = ((wide)capital + peak) * value;
    return m;
}

// Levels of drawdown are exact, others rounded up.
static bool reaches(const struct measure *m, enum limit limit, uint64_t percent)
{
    if (m->told_limit == 0 || m->use <= 0)
        return false;
    return limit == LIMIT_DRAWDOWN ? m->use * MILLION >= m->limit * percent
                                   : m->use >= naive_level((uint64_t)m->limit, percent);
}

static bool eased(const struct measure *m, enum limit limit, uint64_t percent)
{
    if (limit == LIMIT_DRAWDOWN)
        return m->use * MILLION * 10 < m->limit * percent * 9;
    uint64_t level = naive_level((uint64_t)m->limit, percent);
    return m->use < level - level / 10;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// LIMIT_UNSET: nothing is slowed.
static uint64_t slow_percent(const struct naive_venue *v, enum scope scope, uint16_t index)
{
    uint16_t firm = scope == SCOPE_ACCOUNT ? naive_firm(v, index) : index;
    enum limit both[2] = {LIMIT_SLOW, LIMIT_SLOW_RATE};
    uint64_t found[2];
    if (scope == SCOPE_SESSION)
        return LIMIT_UNSET;
    for (int i = 0; i < 2; i++) {
        found[i] = least(naive_limit(v, SCOPE_VENUE, 0, both[i]), naive_limit(v, SCOPE_FIRM, firm, both[i]));
        if (scope == SCOPE_ACCOUNT)
            found[i] = least(found[i], naive_limit(v, SCOPE_ACCOUNT, index, both[i]));
    }
    return found[1] == LIMIT_UNSET ? LIMIT_UNSET : found[0];
}

static void look_at_level(struct naive_venue *v, enum scope scope, uint16_t index, int stage, bool slow,
                          const struct measure *m, bool tick)
{
    enum limit limit = naive_stages[stage];
    bool *told = &party_of(v, scope, index)->told[stage][slow];
    uint64_t percent = slow ? slow_percent(v, scope, index) : naive_alert_percent(v, scope, index);
    char kind = slow ? 's' : 'a';
    if (!*told && percent != LIMIT_UNSET && reaches(m, limit, percent)) {
        *told = true;
        naive_alert(v, kind, scope, index, 0, limit, m->told_limit, m->told_use, 0);
    } else if (*told && tick && eased(m, limit, percent)) {
        *told = false;
        naive_alert(v, 'e', scope, index, 0, limit, m->told_limit, m->told_use, kind);
    }
}

static void look_at_party(struct naive_venue *v, enum scope scope, uint16_t index, bool tick)
{
    struct naive_sums sums = naive_sums(v, scope, index);
    for (int i = 0; i < (scope == SCOPE_SESSION ? 5 : NAIVE_STAGES); i++) {
        if (scope == SCOPE_SESSION && i < 2)
            continue; // not of sessions
        struct measure m = measure(v, scope, index, naive_stages[i], &sums);
        bool *told = party_of(v, scope, index)->told[i];
        if (!m.there) {
            told[0] = told[1] = false;
            continue;
        }
        look_at_level(v, scope, index, i, false, &m, tick);
        look_at_level(v, scope, index, i, true, &m, tick);
        if (i >= 5 && m.use >= m.limit)
            naive_kill_request(v, scope, index, naive_stages[i], m.told_limit, m.told_use);
    }
}

// All of them, going on behind the last one of the tick before.
static void mark_positions(struct naive_venue *v)
{
    struct naive_risk *risk = v->risk;
    xw_assert(risk->positions_count <= 8192);
    for (size_t i = 0; i < risk->positions_count; i++) {
        risk->next_mark = risk->next_mark < risk->positions_count ? risk->next_mark : 0;
        struct naive_position *p = &risk->positions[risk->next_mark++];
        naive_mark_position(v, p, naive_mark(v, p->locate));
    }
}

// What waits is told and done, when a command's own work, or a peg's or stop's taking, is over.
void naive_settle(struct naive_venue *v)
{
    if (!v->risk || (v->day != 1 && v->day != 2))
        return;
    bool tick = v->command->type == CMD_TICK && !v->risk->marked;
    if (tick)
        mark_positions(v);
    v->risk->marked = true;
    if (v->day == 1)
        return;
    naive_rates_tell_symbols(v);
    for (uint16_t account = 0; account < NAIVE_MOST; account++)
        if (v->accounts[account].open)
            look_at_party(v, SCOPE_ACCOUNT, account, tick);
    for (uint16_t account = 0; account < NAIVE_MOST; account++)
        if (v->accounts[account].open && naive_firm(v, account) == account)
            look_at_party(v, SCOPE_FIRM, account, tick);
    for (uint16_t session = 0; session <= v->last_session; session++) {
        if (!v->clients[session])
            continue;
        look_at_party(v, SCOPE_SESSION, session, tick);
        naive_rates_tell(v, session);
        protect_now(v, session);
    }
    naive_kills_requested(v);
}
