// SPDX-License-Identifier: Apache-2.0
#include "engine/settle.h"

#include "engine/alert.h"
#include "engine/kill.h"
#include "engine/lease.h"
#include "engine/losses.h"
#include "engine/rates.h"
#include "engine/risk_limits.h"
#include "engine/single.h"
#include "engine/slots.h"
#include "engine/special.h"

#define MARKS_A_TICK 8192u       // positions
#define LOOK_EVENTS (3 * STAGED) // that looking at one party may emit: a level, slowed or eased, killed

static uint32_t parties_count(const struct engine *e)
{
    return 2 * (uint32_t)e->limit.max_accounts + e->limit.max_sessions;
}

uint16_t party_index(const struct engine *e, uint32_t party, enum scope *scope)
{
    uint32_t accounts = e->limit.max_accounts;
    *scope = party < accounts ? SCOPE_ACCOUNT : party < 2 * accounts ? SCOPE_FIRM : SCOPE_SESSION;
    return (uint16_t)(party < accounts ? party : party < 2 * accounts ? party - accounts : party - 2 * accounts);
}

// The tightest of the scope's and those above it, down to the account.
static uint64_t tightest(const struct engine *e, enum scope scope, uint16_t index, enum limit limit)
{
    uint64_t least = risk_limit(e, SCOPE_VENUE, 0, limit);
    uint16_t account = scope == SCOPE_SESSION ? e->sessions[index].account : index;
    if (scope == SCOPE_VENUE)
        return least;
    if (scope != SCOPE_FIRM) {
        uint64_t own = risk_limit(e, SCOPE_ACCOUNT, account, limit);
        least = own < least ? own : least;
    }
    uint64_t firm = risk_limit(e, SCOPE_FIRM, scope == SCOPE_FIRM ? index : risk_firm(e, account), limit);
    return firm < least ? firm : least;
}

uint64_t settle_alert_ppm(const struct engine *e, enum scope scope, uint16_t index)
{
    uint64_t ppm = tightest(e, scope, index, LIMIT_ALERT);
    return ppm == LIMIT_UNSET ? LIMIT_UNSET_ALERT : ppm;
}

uint64_t settle_slow_ppm(const struct engine *e, enum scope scope, uint16_t index)
{
    if (scope == SCOPE_SESSION || tightest(e, scope, index, LIMIT_SLOW_RATE) == LIMIT_UNSET)
        return LIMIT_UNSET;
    return tightest(e, scope, index, LIMIT_SLOW);
}

uint64_t settle_slow_rate(const struct engine *e, uint16_t account)
{
    uint16_t firm = risk_firm(e, account);
    uint64_t rate = LIMIT_UNSET, above = LIMIT_UNSET;
    if (e->told[party_of_account(account)] & TOLD_SLOWED_ANY)
        rate = tightest(e, SCOPE_ACCOUNT, account, LIMIT_SLOW_RATE);
    if (e->told[party_of_firm(e, firm)] & TOLD_SLOWED_ANY)
        above = tightest(e, SCOPE_FIRM, firm, LIMIT_SLOW_RATE);
    return rate < above ? rate : above;
}

void settle_limits(struct engine *e, enum scope scope, uint16_t index)
{
    switch (scope) {
    case SCOPE_SESSION:
        rates_session(e, index);
        settle_party(e, party_of_session(e, index));
        return;
    case SCOPE_ACCOUNT:
        losses_account(e, index);
        settle_party(e, party_of_account(index));
        return;
    case SCOPE_FIRM:
        settle_party(e, party_of_firm(e, index));
        return;
    default:
        rates_symbol(e, index);
        return;
    }
}

// ---- stages of accounts, firms and sessions -------------------------------------------------------------------------

// The least use that reaches the level.
static uint64_t level_of(const struct stage_use *use, uint64_t ppm)
{
    unsigned __int128 unit = (unsigned __int128)MILLION * MILLION, level = (use->millions * ppm + unit - 1) / unit;
    return level ? (uint64_t)level : 1;
}

static bool reached(const struct stage_use *use, uint64_t ppm)
{
    return ppm != LIMIT_UNSET && use->most && use->used && stage_reached(use, ppm);
}

static bool eased(const struct stage_use *use, uint64_t ppm)
{
    if (ppm == LIMIT_UNSET)
        return true;
    uint64_t level = level_of(use, ppm);
    return use->used < level - level / 10;
}

uint64_t settle_stage_at(const struct engine *e, uint32_t party, enum use of)
{
    enum scope scope;
    uint16_t index = party_index(e, party, &scope);
    uint32_t told = e->told[party];
    uint64_t slow = settle_slow_ppm(e, scope, index), at = UINT64_MAX;
    struct stage_use use;
    if (!losses_stage(e, party, of, &use) || use.most == 0)
        return at;
    if ((told & TOLD_ALERTED(of)) == 0)
        at = level_of(&use, settle_alert_ppm(e, scope, index));
    if ((told & TOLD_SLOWED(of)) == 0 && slow != LIMIT_UNSET) {
        uint64_t level = level_of(&use, slow);
        at = level < at ? level : at;
    }
    return at;
}

// One party as it is looked at.
struct look {
    struct out *out;
    uint64_t alert, slow; // PPM
    uint32_t told;        // as it will be
    uint32_t party;
    enum scope scope;
    uint16_t index;
    bool eases;
};

static void say(const struct look *look, enum alert_kind kind, const struct stage_use *use, char reason)
{
    emit_alert(look->out, kind, look->scope, look->index, LOCATE_NONE, use->limit, use->most, use->used, reason);
}

// A level that is told once it is reached, until it has eased.
static void look_level(struct look *look, const struct stage_use *use, uint32_t bit, uint64_t ppm, enum alert_kind kind)
{
    if ((look->told & bit) == 0) {
        if (!reached(use, ppm))
            return;
        look->told |= bit;
        say(look, kind, use, 0);
    } else if (look->eases && eased(use, ppm)) {
        look->told &= ~bit;
        say(look, ALERT_EASED, use, (char)kind);
    }
}

static void look_stage(struct engine *e, struct look *look, uint32_t staged)
{
    struct stage_use use;
    if (!losses_stage(e, look->party, staged, &use)) { // there is no such limit any more
        look->told &= ~(TOLD_ALERTED(staged) | TOLD_SLOWED(staged));
        return;
    }
    look_level(look, &use, TOLD_ALERTED(staged), look->alert, ALERT_LEVEL);
    look_level(look, &use, TOLD_SLOWED(staged), look->slow, ALERT_SLOWED);
    if (staged >= STAGED_LOSS && stage_reached(&use, MILLION))
        kill_request(e, look->scope, look->index, use.limit, use.most, use.used);
}

static void look_at(struct engine *e, struct out *out, uint32_t party)
{
    struct look look = {.out = out, .told = e->told[party], .party = party, .eases = e->settling.eases};
    uint32_t before = look.told;
    lease_end_party(e, party);
    look.index = party_index(e, party, &look.scope);
    look.alert = settle_alert_ppm(e, look.scope, look.index);
    look.slow = settle_slow_ppm(e, look.scope, look.index);
    for (uint32_t staged = 0; staged < STAGED; staged++)
        look_stage(e, &look, staged);
    e->told[party] = look.told;
    e->settling.told += (look.told != 0) - (before != 0);
    e->slowing += ((look.told & TOLD_SLOWED_ANY) != 0) - ((before & TOLD_SLOWED_ANY) != 0);
    if (look.scope != SCOPE_SESSION)
        losses_watch(e, party);
    if (look.told != before)
        risk_watch(e, party);
}

// ---- rates, market-maker protection ---------------------------------------------------------------------------------

static void say_rate(const struct engine *e, struct out *out, struct tokens *tokens, struct tokens_rest *rest,
                     enum scope scope, uint16_t index, enum limit limit, uint64_t ppm)
{
    bool up = tokens_turn(tokens, rest, ppm);
    emit_alert(out, up ? ALERT_LEVEL : ALERT_EASED, scope, index, scope == SCOPE_SYMBOL ? index : LOCATE_NONE, limit,
               risk_limit(e, scope, index, limit), tokens_used(tokens, e->time_ns), up ? 0 : ALERT_LEVEL);
}

static void say_session(struct engine *e, struct out *out, uint16_t session)
{
    const struct session_line *line = &e->risk.lines[session];
    struct tokens_pair *paced = &e->sessions[session].paced;
    struct pace *pace = &e->paces[session];
    uint64_t ppm = settle_alert_ppm(e, SCOPE_SESSION, session);
    struct tokens orders = tokens_of(paced, PACED_ORDERS), messages = tokens_of(paced, PACED_MESSAGES);
    if (pace->turned & TOLD_ORDERS)
        say_rate(e, out, &orders, &pace->orders, SCOPE_SESSION, session, LIMIT_ORDER_RATE, ppm);
    if (pace->turned & TOLD_MESSAGES)
        say_rate(e, out, &messages, &pace->messages, SCOPE_SESSION, session, LIMIT_MESSAGE_RATE, ppm);
    tokens_put(paced, PACED_ORDERS, orders);
    tokens_put(paced, PACED_MESSAGES, messages);
    if (pace->turned & TOLD_ALIKE)
        emit_alert(out, ALERT_LEVEL, SCOPE_SESSION, session, LOCATE_NONE, LIMIT_DUPLICATES, line->alike.most,
                   pace->alike_tell, 0);
    single_say(e, out, session);
    if (pace->turned & TOLD_MMP) {
        emit_alert(out, ALERT_MMP, SCOPE_SESSION, session, pace->mmp_locate, (enum limit)pace->mmp_limit,
                   pace->mmp_limit == LIMIT_MMP_FILLS ? pace->mmp_fills : pace->mmp_quantity, pace->mmp_seen, 0);
        e->settling.cursor = session_oldest(e, session);
        e->settling.walking = true;
    }
    pace->turned = 0;
}

// The quotes that market-maker protection cancels: the session's orders of the symbol, oldest first.
static bool cancel_quotes(struct engine *e, struct out *out, uint16_t session, unsigned *looks)
{
    struct settling *s = &e->settling;
    while (s->cursor) {
        if (*looks == 0 || out_full(out))
            return false;
        --*looks;
        uint32_t slot = s->cursor;
        s->cursor = session_next(e, slot);
        if (e->orders[slot].locate == e->paces[session].mmp_locate)
            order_cancel_whole(e, out, slot, 'Z');
    }
    s->walking = false;
    return true;
}

// ---- what waits -----------------------------------------------------------------------------------------------------

void settle_tick(struct engine *e)
{
    struct settling *s = &e->settling;
    uint32_t positions = e->risk.positions_count;
    s->marks_left = positions < MARKS_A_TICK ? positions : MARKS_A_TICK;
    s->eases = s->told != 0;
    s->eases_next = s->eases ? 0 : UINT32_MAX;
    e->unsettled |= (s->marks_left != 0) | s->eases;
}

static bool mark_positions(struct engine *e, unsigned *looks)
{
    struct settling *s = &e->settling;
    for (; s->marks_left; s->marks_left--) {
        if (*looks == 0)
            return false;
        --*looks;
        s->marks_next = s->marks_next < e->risk.positions_count ? s->marks_next + 1 : 1;
        struct position *position = &e->risk.positions[e->risk.begun[s->marks_next]];
        losses_mark(e, position, risk_mark(e, position->locate));
    }
    return true;
}

// All that something is told of are looked at in a tick.
static bool find_told(struct engine *e, unsigned *looks)
{
    struct settling *s = &e->settling;
    for (; s->eases && s->eases_next < parties_count(e); s->eases_next++) {
        if (*looks == 0)
            return false;
        --*looks;
        if (e->told[s->eases_next])
            settle_party(e, s->eases_next);
    }
    return true;
}

// The party, of those that wait, with the lowest number; there is one.
static uint32_t next_waiting(struct engine *e)
{
    struct settling *s = &e->settling;
    while (s->waiting[s->first] == 0)
        s->first++;
    return s->first * 64 + (uint32_t)__builtin_ctzll(s->waiting[s->first]);
}

static bool settle_one(struct engine *e, struct out *out, uint32_t party, unsigned *looks)
{
    struct settling *s = &e->settling;
    enum scope scope;
    uint16_t index = party_index(e, party, &scope);
    if (!s->walking) {
        if (out->count + LOOK_EVENTS > ENGINE_EVENTS_MAX || *looks == 0)
            return false;
        --*looks;
        look_at(e, out, party);
        if (scope == SCOPE_SESSION)
            say_session(e, out, index);
    }
    if (s->walking && !cancel_quotes(e, out, index, looks))
        return false;
    s->waiting[party / 64] &= ~(UINT64_C(1) << party % 64);
    s->count--;
    return true;
}

bool settle_run(struct engine *e, struct out *out, unsigned *looks)
{
    struct settling *s = &e->settling;
    if (!group_continue(e, looks) || !mark_positions(e, looks) || !find_told(e, looks))
        return false;
    xw_assert(s->symbol == LOCATE_NONE ||
              !out_full(out)); // it is an order's, and this the first that comes behind that
    if (s->symbol)
        say_rate(e, out, &e->symbol_paces[s->symbol].orders, &e->symbol_paces[s->symbol].rest, SCOPE_SYMBOL, s->symbol,
                 LIMIT_SYMBOL_RATE, settle_alert_ppm(e, SCOPE_VENUE, 0));
    s->symbol = LOCATE_NONE;
    while (s->count)
        if (!settle_one(e, out, next_waiting(e), looks))
            return false;
    s->first = UINT32_MAX;
    s->eases = false;
    e->unsettled = false;
    return true;
}

void settle_forget(struct engine *e)
{
    struct settling *s = &e->settling;
    memset(s->waiting, 0, (parties_count(e) / 64 + 1) * sizeof *s->waiting);
    s->count = 0;
    e->unsettled = false;
}

const char *settle_check(const struct engine *e)
{
    const struct settling *s = &e->settling;
    uint32_t told = 0, slowing = e->mode.rate != 0;
    for (uint32_t party = 0; party < parties_count(e); party++) {
        told += e->told[party] != 0;
        slowing += (e->told[party] & TOLD_SLOWED_ANY) != 0;
    }
    if (told != s->told || slowing != e->slowing)
        return "the count of parties that something is told of is wrong";
    if (e->left.work == WORK_NONE && (e->unsettled || s->count || s->walking || s->marks_left))
        return "something waits to be settled between two commands";
    return s->marks_next > e->risk.positions_count ? "marks stand at a position that is none" : NULL;
}
