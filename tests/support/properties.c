// SPDX-License-Identifier: Apache-2.0
#include "tests/support/properties.h"

#include <string.h>

#include "contract/assert.h"

#define ROOM (sizeof((struct properties *)0)->worst[0] / sizeof(struct worst))

// ---- no account's worst case is above its limit

static void add(struct worst *all, size_t *count, wide use, uint64_t limit)
{
    xw_assert(*count < ROOM);
    all[(*count)++] = (struct worst){use, limit};
}

static wide larger(wide a, wide b)
{
    return a > b ? a : b;
}

static void add_party(const struct naive_venue *v, enum scope scope, uint16_t index, unsigned which, struct worst *all,
                      size_t *count)
{
    struct naive_sums sums = naive_sums(v, scope, index);
    wide notional = sums.notional[0] + sums.notional[1];
    add(all, count, sums.executed + sums.quantity[0] + sums.quantity[1],
        naive_limit(v, scope, index, LIMIT_DAY_QUANTITY));
    add(all, count, (wide)sums.orders, naive_limit(v, scope, index, LIMIT_WORKING_ORDERS));
    if ((which & PROPERTY_MONEY) == 0)
        return;
    add(all, count, sums.value + notional, naive_limit(v, scope, index, LIMIT_DAY_VALUE));
    if (scope == SCOPE_SESSION)
        return;
    wide net = naive_net(v, scope, index);
    add(all, count, naive_gross(v, scope, index) + notional, naive_limit(v, scope, index, LIMIT_GROSS_NOTIONAL));
    add(all, count, larger(net + sums.notional[1], sums.notional[0] - net),
        naive_limit(v, scope, index, LIMIT_NET_NOTIONAL));
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// All buys of a position filled; all sells.
static void add_position(const struct naive_venue *v, const struct naive_position *p, struct worst *all, size_t *count)
{
    wide worst[2] = {-p->quantity, p->quantity};
    for (size_t i = 0; i < v->live; i++) {
        const struct resting *o = v->orders[i];
        if (o->locate == p->locate && v->clients[o->session]->account == p->account)
            worst[naive_buys(o)] += o->open;
    }
    for (int buys = 0; buys < 2; buys++) {
        enum limit limit = buys ? LIMIT_LONG_POSITION : LIMIT_SHORT_POSITION;
        add(all, count, worst[buys],
            least(naive_limit(v, SCOPE_ACCOUNT, p->account, limit), naive_position_limit(v, p, limit)));
    }
}

static size_t add_all(const struct naive_venue *v, unsigned which, struct worst *all)
{
    size_t count = 0;
    for (uint16_t session = 0; session <= v->last_session; session++)
        if (v->clients[session])
            add_party(v, SCOPE_SESSION, session, which, all, &count);
    for (uint16_t account = 0; account < NAIVE_MOST; account++)
        if (v->accounts[account].open) {
            add_party(v, SCOPE_ACCOUNT, account, which, all, &count);
            if (naive_firm(v, account) == account)
                add_party(v, SCOPE_FIRM, account, which, all, &count);
        }
    for (size_t i = 0; i < v->risk->positions_count; i++) // in the order in which they have begun
        add_position(v, &v->risk->positions[i], all, &count);
    return count;
}

// What is above its limit was there before that was set, and has not grown.
static const char *check_worst(struct properties *p, const struct naive_venue *v, unsigned which)
{
    size_t before = p->count;
    memcpy(p->worst[0], p->worst[1], before * sizeof p->worst[0][0]);
    p->count = add_all(v, which, p->worst[1]);
    for (size_t i = 0; i < p->count && v->day == 2; i++) {
        const struct worst *now = &p->worst[1][i];
        if (now->limit != LIMIT_UNSET && now->use > (wide)now->limit && i < before && now->use > p->worst[0][i].use)
            return "a worst case has grown above its limit";
    }
    return NULL;
}

// ---- what was killed does not trade before its reset

static struct dead *dead_of(struct properties *p, uint8_t scope, uint16_t index, bool buys)
{
    for (size_t i = 0; i < p->dead_count; i++)
        if (p->dead[i].scope == scope && p->dead[i].index == index && p->dead[i].buys == buys)
            return &p->dead[i];
    xw_assert(p->dead_count < sizeof p->dead / sizeof p->dead[0]);
    p->dead[p->dead_count] = (struct dead){.scope = scope, .index = index, .buys = buys};
    return &p->dead[p->dead_count++];
}

static void killed(struct properties *p, const struct event *e)
{
    bool by_limit = e->quantity < LIMITS;
    unsigned actions = by_limit ? 3 : e->alert_after & 3, sources = by_limit ? 2 : (unsigned)(e->alert_after >> 8);
    for (int buys = 0; buys < 2; buys++) {
        struct dead *dead = dead_of(p, e->alert_scope, (uint16_t)e->price, buys);
        if (e->alert_reason && (e->alert_reason == 'B') != buys)
            continue;
        if (actions & 1)
            dead->blocks |= sources;
        dead->canceled |= dead->blocks ? actions >> 1 : 0; // also what was blocked before
    }
}

static void reset(struct properties *p, const struct event *e)
{
    for (int buys = 0; buys < 2; buys++) {
        struct dead *dead = dead_of(p, e->alert_scope, (uint16_t)e->price, buys);
        for (unsigned source = 0; source < 3; source++)
            if (e->alert_after >> (2 * source + !buys) & 1)
                dead->blocks &= ~(1u << source);
        if (dead->blocks == 0)
            dead->canceled = 0;
    }
}

// Whether something blocks it; with `canceled`, whether nothing of it can rest either.
static bool is_dead(const struct properties *p, const struct naive_venue *v, uint16_t session, uint16_t locate,
                    bool buys, bool canceled)
{
    for (size_t i = 0; i < p->dead_count; i++) {
        const struct dead *d = &p->dead[i];
        bool its = d->scope == SCOPE_VENUE    ? true
                   : d->scope == SCOPE_SYMBOL ? d->index == locate
                                              : naive_belongs(v, (enum scope)d->scope, d->index, session);
        if (its && d->buys == buys && d->blocks && (d->canceled || !canceled))
            return true;
    }
    return false;
}

static const char *check_dead(struct properties *p, const struct naive_venue *v, const struct event *e)
{
    if (e->type == EV_ALERT && e->reason == ALERT_KILLED)
        killed(p, e);
    else if (e->type == EV_ALERT && e->reason == ALERT_RESET)
        reset(p, e);
    else if (e->type == EV_TRADE && (e->flags & EV_MD_ANY) && v->command->type != CMD_ADJUST &&
             (is_dead(p, v, e->session, e->locate, e->side == 'B', true) ||
              is_dead(p, v, e->other_session, e->locate, e->maker_side == 'B', true)))
        return "what was killed has traded before its reset";
    else if ((e->type == EV_ACCEPTED || e->type == EV_REPLACED) &&
             is_dead(p, v, e->session, e->locate, e->side == 'B', false))
        return "an order of what is blocked is taken";
    return NULL;
}

const char *properties_check(struct properties *p, struct naive_venue *v, unsigned which, const struct event *events,
                             size_t count)
{
    const char *broken = NULL;
    for (size_t i = 0; i < count && !broken; i++)
        broken = check_dead(p, v, &events[i]);
    if (!broken && which && v->risk)
        broken = check_worst(p, v, which);
    return broken;
}
