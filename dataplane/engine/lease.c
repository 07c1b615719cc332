// SPDX-License-Identifier: Apache-2.0
#include "engine/lease.h"

#include "engine/settle.h"

#define LEASE_SESSIONS 256u // a firm of more sessions is never leased: all of them are looked at in one go
#define LEASE_PAUSE 64u     // commands a session of the firm from the end of its leases to the next
#define LEASE_QUANTITY (INT64_C(1) << 20) // shares a firm at least, where its share of a day's volume is limited

#define NONE_LANE (UINT64_C(3) << 62) // far below 0, whatever one command takes
#define NONE                                       \
    (risk_lanes)                                   \
    {                                              \
        NONE_LANE, NONE_LANE, NONE_LANE, NONE_LANE \
    }

// What of its lanes a session has figures of its own for: it has no positions, hence neither gross nor net.
static const risk_lanes session_lanes[2] = {{0, UINT64_MAX, UINT64_MAX, UINT64_MAX}, {0, 0, UINT64_MAX, UINT64_MAX}};

static struct lease_holder *holder_of(struct engine *e, const struct session_line *line)
{
    return &e->risk.holders[line->firm - e->limit.max_accounts];
}

static uint32_t own_party(const struct engine *e, const struct session_line *line)
{
    return 2 * (uint32_t)e->limit.max_accounts + (uint32_t)(line - e->risk.lines);
}

// The session's parties come to what it has taken since.
static void pass_on(struct engine *e, struct session_line *line)
{
    struct party *own = &e->parties[own_party(e, line)], *account = &e->parties[line->account],
                 *firm = &e->parties[line->firm];
    for (unsigned i = 0; i < 2; i++) {
        risk_lanes change = line->room[i] - line->given[i];
        own->lanes[i] += change & session_lanes[i];
        account->lanes[i] += change;
        firm->lanes[i] += change;
        line->room[i] = line->given[i];
    }
}

static void take_away(struct session_line *line)
{
    line->room[0] = line->room[1] = line->given[0] = line->given[1] = NONE;
    line->firm_quantity = (uint32_t)RISK_QUANTITY_MAX;
}

static void lease_end(struct engine *e, struct lease_holder *holder)
{
    if (!holder->leased)
        return;
    for (uint32_t at = holder->first; at; at = e->risk.siblings[at - 1]) {
        pass_on(e, &e->risk.lines[at - 1]);
        take_away(&e->risk.lines[at - 1]);
    }
    holder->leased = false;
    holder->again = e->sequence + (uint64_t)LEASE_PAUSE * holder->sessions;
}

__attribute__((noinline)) void lease_short(struct engine *e, struct session_line *line)
{
    struct lease_holder *holder = holder_of(e, line);
    if (holder->leased)
        lease_end(e, holder);
    else
        pass_on(e, line);
}

// ---- giving ---------------------------------------------------------------------------------------------------------

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// What the firm's sessions may take together of its room. Where its share of a day's volume is limited it is kept near
// to what it has today, which orders are quickly compared with.
static int64_t firm_room(const struct engine *e, const struct session_line *line, enum figure figure)
{
    const struct party *firm = &e->parties[line->firm];
    int64_t room = (int64_t)firm->room[figure], today = party_figure(firm, figure);
    if (figure != FIGURE_DAY_QUANTITY || !(line->limits.forbidden & LOOK_FIRM_VOLUME))
        return room;
    return least(room, today > LEASE_QUANTITY ? today : LEASE_QUANTITY);
}

// The session's even part of what its account and its firm have. False: there is none of some figure.
static bool give(struct engine *e, struct session_line *line)
{
    const uint16_t account_index = (uint16_t)line->account;
    const struct party *own = &e->parties[own_party(e, line)], *account = &e->parties[line->account];
    const int64_t accounts = e->risk.holders[account_index].own, firms = holder_of(e, line)->sessions;
    bool all = true;
    for (enum figure figure = 0; figure < FIGURES; figure++) {
        const int64_t mine = (int64_t)own->room[figure], account_has = (int64_t)account->room[figure];
        const int64_t firm_has = firm_room(e, line, figure);
        all &= (mine | account_has | firm_has) >= 0;
        line->given[figure / 4][figure % 4] = (uint64_t)least(mine, least(account_has / accounts, firm_has / firms));
    }
    line->room[0] = line->given[0];
    line->room[1] = line->given[1];
    int64_t together = firm_room(e, line, FIGURE_DAY_QUANTITY);
    line->firm_quantity = (uint32_t)(party_figure(&e->parties[line->firm], FIGURE_DAY_QUANTITY) + together);
    return all;
}

static void lease_begin(struct engine *e, struct lease_holder *holder)
{
    bool all = holder->sessions <= LEASE_SESSIONS;
    holder->again = e->sequence + (uint64_t)LEASE_PAUSE * holder->sessions;
    for (uint32_t at = holder->first; all && at; at = e->risk.siblings[at - 1])
        all = give(e, &e->risk.lines[at - 1]);
    holder->leased = all;
    for (uint32_t at = holder->first; !all && at; at = e->risk.siblings[at - 1])
        take_away(&e->risk.lines[at - 1]);
}

static bool above(const struct party *party, risk_lanes low, risk_lanes high)
{
    return lease_exceeded((party->lanes[0] + low) | (party->lanes[1] + high));
}

__attribute__((noinline)) bool lease_fits_closely(struct engine *e, struct session_line *line, risk_lanes low,
                                                  risk_lanes high)
{
    struct lease_holder *holder = holder_of(e, line);
    lease_end(e, holder);
    if (above(&e->parties[own_party(e, line)], low & session_lanes[0], high & session_lanes[1]) ||
        above(&e->parties[line->account], low, high) || above(&e->parties[line->firm], low, high))
        return false;
    if (e->sequence >= holder->again)
        lease_begin(e, holder);
    return true;
}

// ---- the others -----------------------------------------------------------------------------------------------------

// The index of a party's firm.
static uint16_t firm_of(const struct engine *e, uint32_t party)
{
    enum scope scope;
    uint16_t index = party_index(e, party, &scope);
    if (scope == SCOPE_FIRM)
        return index;
    return e->risk.firms[scope == SCOPE_SESSION ? e->sessions[index].account : index];
}

void lease_end_party(struct engine *e, uint32_t party)
{
    lease_end(e, &e->risk.holders[firm_of(e, party)]);
}

int64_t lease_figure(const struct engine *e, uint32_t party, enum figure figure)
{
    const struct lease_holder *holder = &e->risk.holders[firm_of(e, party)];
    int64_t sum = party_figure(&e->parties[party], figure);
    for (uint32_t at = holder->leased ? holder->first : 0; at; at = e->risk.siblings[at - 1]) {
        const struct session_line *line = &e->risk.lines[at - 1];
        uint64_t taken = line->given[figure / 4][figure % 4] - line->room[figure / 4][figure % 4];
        if (own_party(e, line) == party)
            taken &= session_lanes[figure / 4][figure % 4];
        if (own_party(e, line) == party || line->account == party || line->firm == party)
            sum += (int64_t)taken;
    }
    return sum;
}

void lease_open(struct engine *e, uint16_t session)
{
    struct session_line *line = &e->risk.lines[session];
    struct lease_holder *holder = holder_of(e, line);
    take_away(line);
    e->risk.siblings[session] = holder->first;
    holder->first = session + 1u;
    holder->sessions++;
    e->risk.holders[(uint16_t)line->account].own++;
}

// ---- invariants -----------------------------------------------------------------------------------------------------

static bool same(risk_lanes a, risk_lanes b)
{
    risk_lanes difference = a ^ b;
    return (difference[0] | difference[1] | difference[2] | difference[3]) == 0;
}

// What the sessions of a party were given together has room in it.
static bool covered(const struct engine *e, const struct lease_holder *holder, uint32_t party)
{
    for (enum figure figure = 0; figure < FIGURES; figure++) {
        uint64_t left = e->parties[party].room[figure];
        for (uint32_t at = holder->first; at; at = e->risk.siblings[at - 1]) {
            const struct session_line *line = &e->risk.lines[at - 1];
            if (own_party(e, line) == party || line->account == party || line->firm == party)
                left -= line->given[figure / 4][figure % 4];
        }
        if ((int64_t)left < 0)
            return false;
    }
    return true;
}

const char *lease_check(const struct engine *e)
{
    for (uint32_t session = 0; session < e->limit.max_sessions; session++) {
        const struct session_line *line = &e->risk.lines[session];
        if (!e->sessions[session].open)
            continue;
        const struct lease_holder *holder = &e->risk.holders[line->firm - e->limit.max_accounts];
        if (!holder->leased && !(same(line->room[0], NONE) && same(line->room[1], NONE)))
            return "a session has a lease that its firm has not given";
        if (!holder->leased)
            continue;
        if (lease_exceeded(line->room[0] | line->room[1]))
            return "a session has taken more than its lease";
        if (!covered(e, holder, own_party(e, line)) || !covered(e, holder, line->account) ||
            !covered(e, holder, line->firm))
            return "leases come to more than their party has";
        if ((int64_t)line->firm_quantity < lease_figure(e, line->firm, FIGURE_DAY_QUANTITY))
            return "a firm has more of the day than its sessions know";
    }
    return NULL;
}
