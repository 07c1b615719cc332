// SPDX-License-Identifier: Apache-2.0
#include "engine/losses.h"

#include "engine/lease.h"
#include "engine/mode.h"
#include "engine/risk_limits.h"
#include "engine/settle.h"
#include "engine/single.h"

#define MS_NS UINT64_C(1000000)
#define MONEY_NEVER (-((wide_money)1 << 120)) // a result that nobody has
#define CAPITAL_MAX ((wide_money)1 << 60)     // a peak counts as no more

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

// ---- results --------------------------------------------------------------------------------------------------------

void losses_change(struct engine *e, uint16_t account, wide_money by)
{
    losses_result(e, party_of_account(account), party_of_firm(e, risk_firm(e, account)), by);
}

void losses_mark(struct engine *e, struct position *position, uint32_t mark)
{
    wide_money before = position_result(position);
    position->marked = mark;
    losses_change(e, position->account, position_result(position) - before);
}

// ---- repeated executions, market-maker protection -------------------------------------------------------------------

__attribute__((noinline)) void losses_repeated_tell(struct engine *e, uint16_t session, const struct position *position)
{
    single_near(e, session, position->locate, LIMIT_REPEATED_EXECUTIONS, e->standings[position->account].repeated,
                position->holding.repeated);
}

__attribute__((noinline)) void losses_mmp_reached(struct engine *e, uint16_t session, struct position *position)
{
    struct pace *pace = &e->paces[session];
    struct holding *holding = &position->holding;
    bool fills = holding->mmp_fills >= pace->mmp_fills;
    if ((pace->turned & TOLD_MMP) == 0) {
        pace->mmp_limit = fills ? LIMIT_MMP_FILLS : LIMIT_MMP_QUANTITY;
        pace->mmp_seen = fills ? holding->mmp_fills : holding->mmp_quantity;
    }
    pace->mmp_locate = position->locate;
    pace->turned |= TOLD_MMP;
    holding->mmp_fills = 0;
    settle_party(e, party_of_session(e, session));
}

// ---- groups ---------------------------------------------------------------------------------------------------------

// What a position and its working orders come to.
static uint64_t position_amount(const struct position *position)
{
    return magnitude(position->cost) + position->notional[BUY] + position->notional[SELL];
}

static uint64_t *group_room(const struct engine *e, const struct position *position)
{
    return &e->groups[position->account * GROUPS_ROW + e->symbol_paces[position->locate].group];
}

void group_change(struct engine *e, const struct position *position, int64_t by)
{
    *group_room(e, position) -= (uint64_t)by;
}

void group_begun(struct engine *e, struct position *position)
{
    if (e->standings[position->account].grouped && e->symbol_paces[position->locate].group)
        position->state |= POSITION_GROUPED;
}

uint64_t group_bound(const struct engine *e, uint32_t party)
{
    bool account = party < e->limit.max_accounts;
    return account && !e->standings[party].grouped ? e->standings[party].group_watch : UINT64_MAX;
}

// From here on they are kept: a look at each symbol, once an account.
static __attribute__((noinline, cold)) void groups_begin(struct engine *e, uint16_t account)
{
    struct standing *standing = &e->standings[account];
    standing->grouped = true;
    for (uint32_t group = 1; group <= RISK_GROUPS; group++)
        e->groups[account * GROUPS_ROW + group] = standing->group_watch;
    for (uint32_t locate = 1; locate <= e->limit.max_symbols; locate++) {
        uint32_t number = e->symbol_paces[locate].group ? position_find(e, account, (uint16_t)locate) : 0;
        struct position *position = &e->risk.positions[number];
        if (number == 0)
            continue;
        position->state |= POSITION_GROUPED;
        group_change(e, position, (int64_t)position_amount(position));
    }
    risk_watch(e, party_of_account(account));
}

// ---- checks ---------------------------------------------------------------------------------------------------------

// Whether the group has room; its level may be reached.
static bool group_has_room(struct engine *e, uint16_t session, const struct position *position, int64_t notional)
{
    const struct standing *standing = &e->standings[position->account];
    if (notional <= 0 || e->symbol_paces[position->locate].group == 0)
        return true;
    if (!standing->grouped) {
        const struct party *account = &e->parties[party_of_account(position->account)];
        if (lease_holds(e, &e->risk.lines[session]) || // the order has fitted into what is watched, which is no more
            party_figure(account, FIGURE_GROSS) + notional <= (int64_t)standing->group_watch)
            return true;
        groups_begin(e, position->account);
    }
    const uint64_t room = *group_room(e, position), amount = standing->group_watch - room + (uint64_t)notional;
    if (amount > standing->group_most)
        return false;
    if (notional > (int64_t)room)
        single_near(e, session, position->locate, LIMIT_CORRELATION, standing->group_most, amount);
    return true;
}

uint8_t losses_order(struct engine *e, uint16_t session, const struct position *position, int64_t notional)
{
    const struct standing *standing = &e->standings[position->account];
    const struct holding *holding = &position->holding;
    if (!group_has_room(e, session, position, notional)) {
        e->risk.refused = LIMIT_CORRELATION;
        return REJECT_AGGREGATE_EXPOSURE;
    }
    if (standing->repeated == UINT32_MAX)
        return REJECT_NONE;
    bool waits = position->state & POSITION_WAITS && e->time_ns - holding->quiet_from < standing->repeated_ns;
    if (!waits && standing->repeated != 0)
        return REJECT_NONE;
    e->risk.refused = LIMIT_REPEATED_EXECUTIONS;
    return REJECT_OTHER;
}

void group_set(struct engine *e, const struct command *c)
{
    uint16_t locate = c->group.locate, group = c->group.group;
    if (e->risk.positions_limit == 0 || e->day == DAY_ENDED || locate == LOCATE_NONE || locate > e->limit.max_symbols ||
        e->books[locate].tick == 0 || group > RISK_GROUPS || group == e->symbol_paces[locate].group)
        return;
    e->settling.regroup_locate = locate;
    e->settling.regroup_to = (uint8_t)group;
    e->settling.regroup_next = 0;
    e->unsettled = true;
}

static void regroup(struct engine *e, uint16_t account, uint16_t locate, uint32_t to)
{
    uint32_t number = position_find(e, account, locate);
    if (number == 0 || !e->standings[account].grouped)
        return;
    struct position *position = &e->risk.positions[number];
    uint64_t *row = &e->groups[account * GROUPS_ROW], amount = position_amount(position);
    row[e->symbol_paces[locate].group] += amount;
    row[to] -= amount;
    position->state = (position->state & ~(uint32_t)POSITION_GROUPED) | (to ? POSITION_GROUPED : 0u);
}

bool group_continue(struct engine *e, unsigned *looks)
{
    struct settling *s = &e->settling;
    if (s->regroup_locate == LOCATE_NONE)
        return true;
    for (; s->regroup_next < e->limit.max_accounts; s->regroup_next++) {
        if (*looks == 0)
            return false;
        --*looks;
        regroup(e, (uint16_t)s->regroup_next, s->regroup_locate, s->regroup_to);
    }
    e->symbol_paces[s->regroup_locate].group = s->regroup_to;
    s->regroup_locate = LOCATE_NONE;
    return true;
}

// ---- limits ---------------------------------------------------------------------------------------------------------

static uint64_t loss_of(wide_money result)
{
    return result >= 0 ? 0 : result < -(wide_money)INT64_MAX ? INT64_MAX : (uint64_t)-result;
}

bool losses_used(const struct engine *e, enum scope scope, uint16_t index, enum limit limit, uint64_t *used)
{
    if ((scope != SCOPE_ACCOUNT && scope != SCOPE_FIRM) || index >= e->limit.max_accounts)
        return false;
    uint32_t party = scope == SCOPE_ACCOUNT ? party_of_account(index) : party_of_firm(e, index);
    const struct standing *standing = &e->standings[party];
    *used = loss_of(limit == LIMIT_LOSS ? standing->result : standing->result - standing->peak);
    return true;
}

// An account's or a firm's.
static bool result_stage(const struct engine *e, uint32_t party, uint32_t staged, struct stage_use *use)
{
    enum scope scope;
    uint16_t index = party_index(e, party, &scope);
    const struct standing *standing = &e->standings[party];
    if (staged == STAGED_LOSS) {
        uint64_t most = risk_limit(e, scope, index, LIMIT_LOSS);
        *use = (struct stage_use){LIMIT_LOSS, most, loss_of(standing->result), (unsigned __int128)most * MILLION};
        return most != LIMIT_UNSET;
    }
    uint64_t capital = risk_limit(e, scope, index, LIMIT_CAPITAL);
    uint64_t ppm = risk_limit(e, scope, index, LIMIT_DRAWDOWN);
    if (capital == LIMIT_UNSET)
        return false;
    if (ppm == LIMIT_UNSET)
        ppm = mode_scaled(e, LIMIT_DRAWDOWN, LIMIT_UNSET_DRAWDOWN);
    uint64_t peak = capital + (uint64_t)(standing->peak < CAPITAL_MAX ? standing->peak : CAPITAL_MAX);
    unsigned __int128 millions = (unsigned __int128)peak * ppm;
    *use = (struct stage_use){LIMIT_DRAWDOWN, (uint64_t)(millions / MILLION),
                              loss_of(standing->result - standing->peak), millions};
    return true;
}

bool losses_stage(const struct engine *e, uint32_t party, uint32_t staged, struct stage_use *use)
{
    static const uint8_t limits[USES] = {[USE_GROSS] = LIMIT_GROSS_NOTIONAL,
                                         [USE_NET] = LIMIT_NET_NOTIONAL,
                                         [USE_DAY_QUANTITY] = LIMIT_DAY_QUANTITY,
                                         [USE_DAY_VALUE] = LIMIT_DAY_VALUE,
                                         [USE_ORDERS] = LIMIT_WORKING_ORDERS};
    enum scope scope;
    uint16_t index = party_index(e, party, &scope);
    if (staged >= USES)
        return scope != SCOPE_SESSION && result_stage(e, party, staged, use);
    use->limit = limits[staged];
    use->most = risk_limit(e, scope, index, use->limit);
    if (use->most == LIMIT_UNSET)
        return false;
    use->millions = (unsigned __int128)use->most * MILLION;
    use->used = party_used(e, party, (enum use)staged);
    return true;
}

// The result with which a level is reached.
static wide_money level_result(const struct engine *e, uint32_t party, const struct stage_use *use, uint64_t ppm)
{
    unsigned __int128 scaled = use->millions * ppm, level = scaled / (MILLION * MILLION);
    level += level * (MILLION * MILLION) < scaled;
    return (use->limit == LIMIT_DRAWDOWN ? e->standings[party].peak : 0) - (wide_money)level;
}

static wide_money highest(wide_money a, wide_money b)
{
    return a > b ? a : b;
}

void losses_watch(struct engine *e, uint32_t party)
{
    enum scope scope;
    uint16_t index = party_index(e, party, &scope);
    uint32_t told = e->told[party];
    wide_money low = MONEY_NEVER;
    for (uint32_t staged = STAGED_LOSS; staged < STAGED; staged++) {
        struct stage_use use;
        uint64_t slow = settle_slow_ppm(e, scope, index);
        if (!losses_stage(e, party, staged, &use))
            continue;
        low = highest(low, level_result(e, party, &use, MILLION));
        if ((told & TOLD_ALERTED(staged)) == 0 && use.most)
            low = highest(low, level_result(e, party, &use, settle_alert_ppm(e, scope, index)));
        if ((told & TOLD_SLOWED(staged)) == 0 && use.most && slow != LIMIT_UNSET)
            low = highest(low, level_result(e, party, &use, slow));
    }
    e->standings[party].low = low;
}

void losses_open(struct engine *e, uint16_t account)
{
    struct standing none = {
        .low = MONEY_NEVER, .group_most = GROUP_NEVER, .group_watch = GROUP_NEVER, .repeated = UINT32_MAX};
    e->standings[party_of_account(account)] = e->standings[party_of_firm(e, account)] = none;
}

static void group_most_set(struct engine *e, uint16_t account, uint64_t most)
{
    struct standing *standing = &e->standings[account];
    const uint64_t level = single_watch(most, settle_alert_ppm(e, SCOPE_ACCOUNT, account));
    const uint64_t watch = most == GROUP_NEVER ? GROUP_NEVER : level;
    for (uint32_t group = 1; standing->grouped && group <= RISK_GROUPS; group++)
        e->groups[account * GROUPS_ROW + group] += watch - standing->group_watch;
    standing->group_most = most;
    standing->group_watch = watch;
}

void losses_account(struct engine *e, uint16_t account)
{
    struct standing *standing = &e->standings[account];
    uint64_t gross = risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_GROSS_NOTIONAL);
    uint64_t ppm = risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_CORRELATION);
    uint64_t repeated = risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_REPEATED_EXECUTIONS);
    uint64_t ms = risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_REPEATED_MS);
    ppm = ppm == LIMIT_UNSET ? mode_scaled(e, LIMIT_CORRELATION, LIMIT_UNSET_CORRELATION) : ppm;
    group_most_set(e, account,
                   gross == LIMIT_UNSET ? GROUP_NEVER : (uint64_t)((unsigned __int128)gross * ppm / MILLION));
    standing->repeated = repeated < UINT32_MAX ? (uint32_t)repeated : UINT32_MAX;
    const uint64_t level = single_watch(repeated, settle_alert_ppm(e, SCOPE_ACCOUNT, account)) + 1;
    standing->repeated_tell = standing->repeated == 0 || level > UINT32_MAX ? 0 : (uint32_t)level;
    standing->repeated_ns = (ms == LIMIT_UNSET ? WINDOW_MS_DEFAULT : ms) * MS_NS;
}

// ---- invariants -----------------------------------------------------------------------------------------------------

static const char *check_account(const struct engine *e, uint16_t account)
{
    wide_money result = 0;
    uint64_t groups[GROUPS_ROW] = {0};
    for (uint32_t locate = 1; locate <= e->limit.max_symbols; locate++) {
        uint32_t number = position_find(e, account, (uint16_t)locate), group = e->symbol_paces[locate].group;
        if (number == 0)
            continue;
        const struct position *position = &e->risk.positions[number];
        result += position_result(position);
        groups[group] += position_amount(position);
        bool grouped = e->standings[account].grouped && group;
        if (e->settling.regroup_locate == LOCATE_NONE && ((position->state & POSITION_GROUPED) != 0) != grouped)
            return "a position is in another group than its symbol";
    }
    if (result != e->standings[account].result)
        return "an account's result is not the sum of its positions'";
    bool kept = e->standings[account].grouped && e->settling.regroup_locate == LOCATE_NONE;
    for (uint32_t group = 1; kept && group < GROUPS_ROW; group++)
        if (e->groups[account * GROUPS_ROW + group] + groups[group] != e->standings[account].group_watch)
            return "a group of symbols does not add up to its positions and working orders";
    return NULL;
}

// A limit of the result has been reached: it stays so, the kill is another's.
static bool is_over(const struct engine *e, uint32_t party)
{
    struct stage_use use;
    for (uint32_t staged = STAGED_LOSS; staged < STAGED; staged++)
        if (losses_stage(e, party, staged, &use) && stage_reached(&use, MILLION))
            return true;
    return false;
}

const char *losses_check(const struct engine *e)
{
    wide_money accounts = 0, firms = 0;
    for (uint32_t account = 0; account < e->limit.max_accounts; account++) {
        const char *broken = check_account(e, (uint16_t)account);
        if (broken)
            return broken;
        accounts += e->standings[account].result;
        firms += e->standings[party_of_firm(e, (uint16_t)account)].result;
    }
    for (uint32_t party = 0; party < 2u * e->limit.max_accounts; party++) {
        const struct standing *standing = &e->standings[party];
        if (!e->accounts[party % e->limit.max_accounts].open)
            continue;
        if (standing->peak < standing->result || standing->peak < 0)
            return "a result is above its peak";
        if (e->left.work == WORK_NONE && standing->result <= standing->low && !is_over(e, party))
            return "a result has reached a level that nobody has looked at";
    }
    return accounts == firms ? NULL : "the firms' results are not those of the accounts";
}
