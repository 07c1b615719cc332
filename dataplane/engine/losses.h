// SPDX-License-Identifier: Apache-2.0
// What executions do to an account: its result, realised and marked, repeated executions, market-maker protection; and
// the part of it that one group of correlated symbols may be (risk.md sections 6 to 8).
#ifndef CROSSWIRE_ENGINE_LOSSES_H
#define CROSSWIRE_ENGINE_LOSSES_H

#include "engine/settle.h"
#include "engine/state.h"

#define MILLION UINT64_C(1000000)

// The result of an account or a firm changes by so much.
static inline __attribute__((always_inline)) void result_add(struct engine *e, uint32_t party, wide_money by)
{
    struct standing *standing = &e->standings[party];
    const wide_money result = standing->result + by;
    standing->result = result;
    if (result > standing->peak) {
        standing->low += result - standing->peak; // no level rises by more than the peak does
        standing->peak = result;
    }
    if (__builtin_expect(result <= standing->low, 0))
        settle_party(e, party);
}

// The same of both, which are given as parties.
static inline __attribute__((always_inline)) void losses_result(struct engine *e, uint32_t account, uint32_t firm,
                                                                wide_money by)
{
    if (by == 0)
        return;
    result_add(e, account, by);
    result_add(e, firm, by);
}

void losses_change(struct engine *e, uint16_t account, wide_money by);

// The count of repeated executions has come to its alert level; that of market-maker protection to its limit.
void losses_repeated_tell(struct engine *e, uint16_t session, const struct position *position);
void losses_mmp_reached(struct engine *e, uint16_t session, struct position *position);

static inline __attribute__((always_inline)) void
repeated_count(struct engine *e, uint16_t session, struct position *position, const struct standing *account)
{
    struct holding *holding = &position->holding;
    const uint64_t now = e->time_ns;
    const bool waits = position->state & POSITION_WAITS;
    if (__builtin_expect(waits, 0) && now - holding->quiet_from < account->repeated_ns) {
        holding->quiet_from = now;
        return;
    }
    uint32_t repeated = holding->repeated;
    if (waits || repeated == 0 || now - holding->repeated_began >= account->repeated_ns) {
        holding->repeated_began = now;
        repeated = 0;
        position->state &= ~(uint32_t)POSITION_WAITS;
    }
    holding->repeated = ++repeated;
    if (__builtin_expect(repeated == account->repeated_tell, 0))
        losses_repeated_tell(e, session, position);
    if (__builtin_expect(repeated >= account->repeated, 0)) {
        holding->quiet_from = now;
        position->state |= POSITION_WAITS;
    }
}

static inline __attribute__((always_inline)) void mmp_count(struct engine *e, uint16_t session,
                                                            struct position *position, uint32_t quantity)
{
    const struct pace *pace = &e->paces[session];
    struct holding *holding = &position->holding;
    if ((pace->mmp_fills & pace->mmp_quantity) == LIMIT_UNSET)
        return;
    uint32_t fills = holding->mmp_fills;
    uint64_t shares = holding->mmp_quantity;
    if (fills == 0 || e->time_ns - holding->mmp_began >= pace->mmp_ns) {
        holding->mmp_began = e->time_ns;
        fills = 0;
        shares = 0;
    }
    holding->mmp_fills = ++fills;
    holding->mmp_quantity = shares += quantity;
    if (__builtin_expect(fills >= pace->mmp_fills || shares >= pace->mmp_quantity, 0))
        losses_mmp_reached(e, session, position);
}

// A party to a new trade, after its position has changed: repeated executions, market-maker protection.
static inline __attribute__((always_inline)) void
losses_executed(struct engine *e, uint16_t session, struct position *position, uint32_t quantity, bool maker)
{
    const struct standing *account = &e->standings[position->account];
    if (account->repeated != UINT32_MAX)
        repeated_count(e, session, position, account);
    if (maker)
        mmp_count(e, session, position, quantity);
}

// Marks a position at `mark`, 0: it counts nothing.
void losses_mark(struct engine *e, struct position *position, uint32_t mark);

// What the position counts in its account's result.
static inline wide_money position_result(const struct position *position)
{
    return position->marked ? (wide_money)position->quantity * position->marked + position->cash : 0;
}

// The rest of check 7 for an order that adds `notional` to what its account has in the symbol: REJECT_NONE or the
// reason.
uint8_t losses_order(struct engine *e, uint16_t session, const struct position *position, int64_t notional);

// An account's groups are kept from the first order on with which its gross could be more than a group may be: no group
// is more than the whole. What of an account's gross needs no look at its groups; UINT64_MAX: they are kept.
uint64_t group_bound(const struct engine *e, uint32_t party);

void group_change(struct engine *e, const struct position *position, int64_t by);

// What a position and its working orders come to has changed by so much.
static inline void group_add(struct engine *e, const struct position *position, int64_t by)
{
    if (__builtin_expect(position->state & POSITION_GROUPED, 0))
        group_change(e, position, by);
}

// A position has begun.
void group_begun(struct engine *e, struct position *position);

// CMD_GROUP. What is no symbol or no group changes nothing.
void group_set(struct engine *e, const struct command *c);

// Goes on with a change of groups, an account a look; true when it is done.
bool group_continue(struct engine *e, unsigned *looks);

// An account comes: its standing, and that of a firm of that index, is without limits and result.
void losses_open(struct engine *e, uint16_t account);

// Works the account's limits out of those in force; `party` an account or a firm for the result alone.
void losses_account(struct engine *e, uint16_t account);
void losses_watch(struct engine *e, uint32_t party);

// What a stage is about: `used` of a limit, which is `millions` / 10^6 exactly. False: there is no such limit.
struct stage_use {
    enum limit limit;
    uint64_t most, used;
    unsigned __int128 millions;
};
bool losses_stage(const struct engine *e, uint32_t party, uint32_t staged, struct stage_use *use);

// used >= limit * ppm / 10^6. Limits are at most 10^18, uses below 2^63.
static inline bool stage_reached(const struct stage_use *use, uint64_t ppm)
{
    return (unsigned __int128)use->used * MILLION * MILLION >= use->millions * ppm;
}

// What has been lost, or lost since the peak, by an account or a firm. False: no such.
bool losses_used(const struct engine *e, enum scope scope, uint16_t index, enum limit limit, uint64_t *used);

// NULL, or what is wrong.
const char *losses_check(const struct engine *e);

#endif
