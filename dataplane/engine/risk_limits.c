// SPDX-License-Identifier: Apache-2.0
#include "engine/risk_limits.h"

#include "engine/alert.h"
#include "engine/lease.h"
#include "engine/single.h"

#define LOOKS_MAX 2048u // lines that a step works out
#define PPM UINT64_C(1000000)

enum unit { QUANTITY, MONEY, PPM_UNIT, COUNT, TICKS, MS, MASK };

static const struct {
    const char *scopes;
    uint8_t unit; // enum unit
} table[LIMITS] = {
#define UNIT_QUANTITY QUANTITY
#define UNIT_MONEY MONEY
#define UNIT_PPM PPM_UNIT
#define UNIT_COUNT COUNT
#define UNIT_TICKS TICKS
#define UNIT_MS MS
#define UNIT_MASK MASK
#define LIMIT(name, key, scopes, unit, reject, help) [LIMIT_##name] = {scopes, UNIT_##unit},
#include "contract/limits.def"
#undef LIMIT
};

// Where the values of a scope stand; UINT32_MAX: there is no such venue, firm, account, session or symbol.
static uint32_t values_of(const struct engine *e, enum scope scope, uint16_t index)
{
    uint32_t accounts = e->limit.max_accounts, sessions = e->limit.max_sessions;
    switch (scope) {
    case SCOPE_VENUE:
        return index == 0 ? 0 : UINT32_MAX;
    case SCOPE_FIRM:
        return index < accounts && e->accounts[index].open && risk_firm(e, index) == index ? 1u + index : UINT32_MAX;
    case SCOPE_ACCOUNT:
        return index < accounts && e->accounts[index].open ? 1 + accounts + index : UINT32_MAX;
    case SCOPE_SESSION:
        return index < sessions && e->sessions[index].open ? 1 + 2 * accounts + index : UINT32_MAX;
    case SCOPE_SYMBOL:
        return index != LOCATE_NONE && index <= e->limit.max_symbols && e->books[index].tick
                   ? 1 + 2 * accounts + sessions + index
                   : UINT32_MAX;
    default:
        return UINT32_MAX;
    }
}

uint64_t risk_limit_as_set(const struct engine *e, enum scope scope, uint16_t index, enum limit limit)
{
    uint32_t at = values_of(e, scope, index);
    return at == UINT32_MAX ? LIMIT_UNSET : e->risk.limits[at][limit];
}

uint64_t risk_limit(const struct engine *e, enum scope scope, uint16_t index, enum limit limit)
{
    uint64_t value = risk_limit_as_set(e, scope, index, limit);
    return value == LIMIT_UNSET ? LIMIT_UNSET : hook_scaled(e, limit, value);
}

// ---- lines
// -----------------------------------------------------------------------------------------------------------

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint32_t narrow(uint64_t value)
{
    return value < LIMIT_UNSET32 ? (uint32_t)value : LIMIT_UNSET32;
}

static void tighten(const struct engine *e, struct order_limits *limits, struct fat_finger *fat, enum scope scope,
                    uint16_t index)
{
    uint64_t forbidden = risk_limit(e, scope, index, LIMIT_FORBIDDEN);
    limits->quantity = narrow(least(limits->quantity, risk_limit(e, scope, index, LIMIT_MAX_QUANTITY)));
    limits->notional = least(limits->notional, risk_limit(e, scope, index, LIMIT_MAX_NOTIONAL));
    fat->ppm = narrow(least(fat->ppm, risk_limit(e, scope, index, LIMIT_FAT_FINGER)));
    fat->ticks = narrow(least(fat->ticks, risk_limit(e, scope, index, LIMIT_FAT_FINGER_TICKS)));
    limits->forbidden |= forbidden == LIMIT_UNSET ? 0 : (uint32_t)forbidden;
    limits->forbidden |= risk_limit(e, scope, index, LIMIT_COLLAR) == LIMIT_UNSET ? 0 : LOOK_COLLAR;
}

// From limits to what is watched.
static void watch_singles(struct order_limits *limits, struct fat_finger *fat, uint64_t ppm)
{
    limits->notional = single_watch(limits->notional, ppm);
    if (limits->quantity != LIMIT_UNSET32)
        limits->quantity = (uint32_t)single_watch(limits->quantity, ppm);
    if (fat->ppm != LIMIT_UNSET32)
        fat->ppm = (uint32_t)single_watch(fat->ppm, ppm);
    if (fat->ticks != LIMIT_UNSET32)
        fat->ticks = (uint32_t)single_watch(fat->ticks, ppm);
}

static const struct order_limits unlimited = {LIMIT_UNSET, LIMIT_UNSET32, 0};
static const struct fat_finger unlimited_price = {LIMIT_UNSET32, LIMIT_UNSET32};

uint64_t risk_share(const struct engine *e, uint16_t account)
{
    uint64_t capital = risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_CAPITAL);
    uint64_t share = risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_POSITION_SHARE);
    if (capital == LIMIT_UNSET)
        capital = risk_limit(e, SCOPE_FIRM, risk_firm(e, account), LIMIT_CAPITAL);
    if (capital == LIMIT_UNSET)
        return LIMIT_UNSET;
    return (uint64_t)((unsigned __int128)capital * (share == LIMIT_UNSET ? LIMIT_UNSET_SHARE : share) / PPM);
}

// Of a position, which may also be below 0.
static int64_t watch_held(uint64_t limit, uint64_t ppm)
{
    return (int64_t)least(single_watch(limit, ppm), INT64_MAX);
}

static uint32_t narrower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void tightest_collar(struct engine *e, uint64_t limit, uint64_t ppm)
{
    uint32_t *tightest = &e->risk.tightest.collar_ppm;
    *tightest = narrower(*tightest, narrow(single_watch(limit, ppm)));
}

// Limits that become wider leave the tightest as they are until all are worked out.
static void tightest_add(struct engine *e, const struct session_line *line, uint16_t session, uint64_t ppm)
{
    struct tightest *tightest = &e->risk.tightest;
    const uint16_t account = e->sessions[session].account;
    tightest_collar(e, risk_limit(e, SCOPE_VENUE, 0, LIMIT_COLLAR), ppm);
    tightest_collar(e, risk_limit(e, SCOPE_FIRM, risk_firm(e, account), LIMIT_COLLAR), ppm);
    tightest_collar(e, risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_COLLAR), ppm);
    tightest_collar(e, risk_limit(e, SCOPE_SESSION, session, LIMIT_COLLAR), ppm);
    tightest->fat.ppm = narrower(tightest->fat.ppm, line->fat.ppm);
    tightest->fat.ticks = narrower(tightest->fat.ticks, line->fat.ticks);
    tightest->adv_ppm = narrower(tightest->adv_ppm, line->adv_ppm);
}

static void work_out_session(struct engine *e, uint16_t session)
{
    if (!e->sessions[session].open)
        return;
    struct session_line *line = &e->risk.lines[session];
    struct order_limits *limits = &line->limits;
    uint16_t account = e->sessions[session].account;
    const uint64_t ppm = settle_alert_ppm(e, SCOPE_SESSION, session);
    const uint64_t adv = least(risk_limit(e, SCOPE_FIRM, risk_firm(e, account), LIMIT_ADV),
                               risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_ADV));
    line->share = single_watch(risk_share(e, account), ppm);
    line->adv_ppm = narrow(single_watch(adv, ppm));
    line->most[BUY] = watch_held(risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_LONG_POSITION), ppm);
    line->most[SELL] = watch_held(risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_SHORT_POSITION), ppm);
    *limits = unlimited;
    line->fat = unlimited_price;
    tighten(e, limits, &line->fat, SCOPE_VENUE, 0);
    tighten(e, limits, &line->fat, SCOPE_FIRM, risk_firm(e, account));
    tighten(e, limits, &line->fat, SCOPE_ACCOUNT, account);
    tighten(e, limits, &line->fat, SCOPE_SESSION, session);
    if (risk_limit(e, SCOPE_ACCOUNT, account, LIMIT_REPEATED_EXECUTIONS) == 0)
        limits->forbidden |= LOOK_CLOSELY;
    if (risk_limit(e, SCOPE_FIRM, risk_firm(e, account), LIMIT_ADV) != LIMIT_UNSET)
        limits->forbidden |= LOOK_FIRM_VOLUME;
    watch_singles(limits, &line->fat, ppm);
    tightest_add(e, line, session, ppm);
    risk_watch(e, party_of_session(e, session));
    hook_limits_changed(e, SCOPE_SESSION, session);
}

static void work_out_symbol(struct engine *e, uint16_t locate)
{
    if (e->books[locate].tick == 0)
        return;
    struct symbol_pace *symbol = &e->symbol_paces[locate];
    symbol_forget(symbol);
    symbol->limits = unlimited;
    symbol->fat = unlimited_price;
    tighten(e, &symbol->limits, &symbol->fat, SCOPE_SYMBOL, locate);
    watch_singles(&symbol->limits, &symbol->fat, settle_alert_ppm(e, SCOPE_VENUE, 0));
    tightest_collar(e, risk_limit(e, SCOPE_SYMBOL, locate, LIMIT_COLLAR), settle_alert_ppm(e, SCOPE_VENUE, 0));
    hook_limits_changed(e, SCOPE_SYMBOL, locate);
}

static void work_out_account(struct engine *e, uint16_t account)
{
    if (!e->accounts[account].open)
        return;
    hook_limits_changed(e, SCOPE_ACCOUNT, account); // first: groups bound what is watched
    risk_watch(e, party_of_account(account));
}

static void work_out_firm(struct engine *e, uint16_t firm)
{
    if (!e->accounts[firm].open || risk_firm(e, firm) != firm)
        return;
    risk_watch(e, party_of_firm(e, firm));
    hook_limits_changed(e, SCOPE_FIRM, firm);
}

static const enum limit use_limits[USES] = {LIMIT_GROSS_NOTIONAL, LIMIT_NET_NOTIONAL, LIMIT_DAY_QUANTITY,
                                            LIMIT_DAY_VALUE, LIMIT_WORKING_ORDERS};

enum limit use_limit(enum use use)
{
    return use_limits[use];
}

uint64_t party_most(const struct engine *e, uint32_t party, enum use use)
{
    uint32_t accounts = e->limit.max_accounts;
    enum scope scope = party < accounts ? SCOPE_ACCOUNT : party < 2 * accounts ? SCOPE_FIRM : SCOPE_SESSION;
    uint32_t index = party < accounts ? party : party < 2 * accounts ? party - accounts : party - 2 * accounts;
    uint64_t most = risk_limit(e, scope, (uint16_t)index, use_limits[use]);
    return use == USE_DAY_QUANTITY ? least(most, RISK_QUANTITY_MAX) : most;
}

static int64_t watch_of(const struct engine *e, uint32_t party, enum use use)
{
    uint64_t stage = hook_stage_at(e, party, use);
    uint64_t most = least(party_most(e, party, use), stage == UINT64_MAX ? stage : stage - 1);
    return (int64_t)least(most, WATCH_NEVER);
}

void risk_watch(struct engine *e, uint32_t party)
{
    struct party *at = &e->parties[party];
    int64_t figures[FIGURES], *watch = at->watch;
    lease_end_party(e, party);
    for (enum figure figure = 0; figure < FIGURES; figure++)
        figures[figure] = party_figure(at, figure);
    watch[FIGURE_GROSS] = (int64_t)least((uint64_t)watch_of(e, party, USE_GROSS), group_bound(e, party));
    watch[FIGURE_DAY_VALUE] = watch_of(e, party, USE_DAY_VALUE);
    watch[FIGURE_DAY_QUANTITY] = watch_of(e, party, USE_DAY_QUANTITY);
    watch[FIGURE_ORDERS] = watch_of(e, party, USE_ORDERS);
    watch[FIGURE_NET_BUY] = watch[FIGURE_NET_SELL] = watch_of(e, party, USE_NET);
    watch[FIGURE_QUANTITY] = watch[FIGURE_VALUE] = WATCH_NEVER;
    for (enum figure figure = 0; figure < FIGURES; figure++)
        at->room[figure] = (uint64_t)watch[figure] - (uint64_t)figures[figure];
}

// Everything in one row: sessions, accounts, firms, symbols. False behind the last.
static bool work_out(struct engine *e, uint32_t at)
{
    uint32_t accounts = e->limit.max_accounts, sessions = e->limit.max_sessions;
    if (at == 0)
        e->risk.tightest = (struct tightest){unlimited_price, LIMIT_UNSET32, LIMIT_UNSET32};
    if (at < sessions)
        work_out_session(e, (uint16_t)at);
    else if ((at -= sessions) < accounts)
        work_out_account(e, (uint16_t)at);
    else if ((at -= accounts) < accounts)
        work_out_firm(e, (uint16_t)at);
    else if ((at -= accounts) < e->limit.max_symbols)
        work_out_symbol(e, (uint16_t)(at + 1));
    else
        return false;
    return true;
}

void risk_limits_work_out(struct engine *e)
{
    for (uint32_t at = 0; e->risk.positions_limit && work_out(e, at); at++) {
    }
}

void risk_limits_begin(struct engine *e)
{
    if (e->day != DAY_OPEN) // the start of the day works them out
        return;
    e->left = (struct unfinished){.work = WORK_LIMITS};
    risk_limits_continue(e);
}

void risk_limits_continue(struct engine *e)
{
    for (unsigned looks = 0; looks < LOOKS_MAX; looks++) {
        if (!work_out(e, e->left.cursor++)) {
            e->left.work = WORK_NONE;
            return;
        }
    }
}

static void work_out_scope(struct engine *e, enum scope scope, uint16_t index)
{
    switch (scope) {
    case SCOPE_VENUE:
        risk_limits_begin(e);
        return;
    case SCOPE_FIRM:
        work_out_firm(e, index);
        break;
    case SCOPE_SESSION:
        work_out_session(e, index);
        return;
    case SCOPE_SYMBOL:
        work_out_symbol(e, index);
        return;
    default:
        break;
    }
    for (uint32_t account = 0; account < e->limit.max_accounts; account++)
        if (account == index || (scope == SCOPE_FIRM && risk_firm(e, (uint16_t)account) == index))
            work_out_account(e, (uint16_t)account);
    for (uint32_t session = 0; session < e->limit.max_sessions; session++) {
        uint16_t account = e->sessions[session].account;
        if (account == index || (scope == SCOPE_FIRM && risk_firm(e, account) == index))
            work_out_session(e, (uint16_t)session);
    }
}

static void work_out_changed(struct engine *e, enum scope scope, uint16_t index)
{
    const struct tightest before = e->risk.tightest;
    if (e->day != DAY_OPEN)
        return;
    work_out_scope(e, scope, index);
    if (memcmp(&before, &e->risk.tightest, sizeof before) == 0)
        return;
    for (uint32_t locate = 1; locate <= e->limit.max_symbols; locate++)
        symbol_forget(&e->symbol_paces[locate]);
}

// ---- CMD_LIMIT
// -------------------------------------------------------------------------------------------------------

static bool value_fits(enum limit limit, uint64_t value)
{
    static const struct {
        uint64_t least, most;
    } bounds[] = {
        [QUANTITY] = {0, (uint64_t)RISK_POSITION_MAX},
        [MONEY] = {0, (uint64_t)RISK_COST_MAX},
        [PPM_UNIT] = {0, PPM},
        [COUNT] = {0, (uint64_t)RISK_POSITION_MAX},
        [TICKS] = {0, PRICE_MARKET},
        [MS] = {1, 86400000},
        [MASK] = {0, (FORBID_WITHOUT_STOP_LOSS << 1) - 1},
    };
    bool rate = limit == LIMIT_ORDER_RATE || limit == LIMIT_ORDER_BURST || limit == LIMIT_SYMBOL_RATE ||
                limit == LIMIT_MESSAGE_RATE || limit == LIMIT_SLOW_RATE;
    if (value == LIMIT_UNSET)
        return true;
    if (rate)
        return value >= 1 && value <= UINT64_C(1000000000);
    const unsigned unit = table[limit].unit;
    return value >= bounds[unit].least && value <= bounds[unit].most;
}

static char scope_letter(enum scope scope)
{
    static const char letters[] = {'?', 'V', 'F', 'A', 'S', 'Y', 'P'};
    return scope <= SCOPE_POSITION ? letters[scope] : '?';
}

static uint64_t *position_limit(struct engine *e, uint16_t account, uint16_t locate, enum limit limit)
{
    if (values_of(e, SCOPE_ACCOUNT, account) == UINT32_MAX || values_of(e, SCOPE_SYMBOL, locate) == UINT32_MAX)
        return NULL;
    uint32_t number = position_take(e, account, locate);
    if (number == 0)
        return NULL;
    e->risk.positions[number].state |= POSITION_BOUNDED;
    return &e->risk.backs[number].most[limit == LIMIT_LONG_POSITION ? BUY : SELL];
}

bool risk_limit_take(struct engine *e, enum scope scope, uint16_t index, uint16_t locate, enum limit limit,
                     uint64_t value, uint64_t *before)
{
    bool day = e->day == DAY_OPENING || e->day == DAY_OPEN;
    if (!day || e->risk.positions_limit == 0 || limit >= LIMITS || !strchr(table[limit].scopes, scope_letter(scope)) ||
        !value_fits(limit, value))
        return false;
    uint64_t *at;
    if (scope == SCOPE_POSITION) {
        at = position_limit(e, index, locate, limit);
    } else {
        uint32_t values = values_of(e, scope, index);
        at = values == UINT32_MAX ? NULL : &e->risk.limits[values][limit];
    }
    if (!at)
        return false;
    *before = *at;
    *at = value;
    return true;
}

void risk_limit_set(struct engine *e, const struct command *c, struct out *out)
{
    enum scope scope = c->limit.scope;
    enum limit limit = c->limit.limit;
    uint64_t before;
    if (!risk_limit_take(e, scope, c->limit.index, c->limit.locate, limit, c->limit.value, &before))
        return;
    if (before != c->limit.value)
        emit_alert(out, ALERT_CHANGED, scope, c->limit.index, scope == SCOPE_POSITION ? c->limit.locate : LOCATE_NONE,
                   limit, before, c->limit.value, 0);
    if (scope != SCOPE_POSITION)
        work_out_changed(e, scope, c->limit.index);
}

// ---- the day opens
// ---------------------------------------------------------------------------------------------------

static void unset(struct engine *e, uint32_t values)
{
    for (unsigned limit = 0; limit < LIMITS; limit++)
        e->risk.limits[values][limit] = LIMIT_UNSET;
}

void risk_open_day(struct engine *e)
{
    e->risk.positions_limit = e->limit.max_positions;
    e->risk.refused = LIMITS;
    mode_work_out(e);
    if (e->limit.max_positions == 0)
        return;
    struct risk *risk = &e->risk;
    risk->index_mask = positions_index(e->limit.max_positions) - 1;
    bool room = (uint64_t)e->limit.max_accounts * e->limit.max_symbols <= e->limit.max_positions;
    risk->row = room ? e->limit.max_symbols : 0;
    unset(e, 0);
}

void risk_open_symbol(struct engine *e, uint16_t locate)
{
    if (e->risk.positions_limit)
        unset(e, values_of(e, SCOPE_SYMBOL, locate));
}

void risk_open_account(struct engine *e, uint16_t account)
{
    if (e->risk.positions_limit == 0)
        return;
    uint16_t firm = 0;
    while (!e->accounts[firm].open || memcmp(e->accounts[firm].firm, e->accounts[account].firm, 4) != 0)
        firm++;
    e->risk.firms[account] = firm;
    losses_open(e, account);
    unset(e, values_of(e, SCOPE_ACCOUNT, account));
    if (firm == account)
        unset(e, values_of(e, SCOPE_FIRM, account));
}

void risk_open_session(struct engine *e, uint16_t session)
{
    if (e->risk.positions_limit == 0)
        return;
    uint16_t account = e->sessions[session].account;
    e->risk.lines[session] =
        (struct session_line){.account = party_of_account(account), .firm = party_of_firm(e, risk_firm(e, account))};
    lease_open(e, session);
    e->sessions[session].risk = RISK_ON;
    unset(e, values_of(e, SCOPE_SESSION, session));
}
