// SPDX-License-Identifier: Apache-2.0
// The plain venue's risk in time: buckets, orders alike, slowing, modes.
#include <string.h>

#include "tests/support/naive_risk.h"

#define SECOND UINT64_C(1000000000)

// ---- buckets

struct pace { // of a bucket, as it is now
    uint64_t rate, burst, step;
};

static struct pace pace_of(uint64_t rate, uint64_t burst)
{
    if (rate == LIMIT_UNSET)
        return (struct pace){.rate = rate};
    burst = burst == LIMIT_UNSET ? rate : burst;
    return (struct pace){rate, burst > 1000000 ? 1000000 : burst, rate ? (SECOND + rate - 1) / rate : 0};
}

static struct pace order_pace(const struct naive_venue *v, uint16_t session)
{
    return pace_of(naive_limit(v, SCOPE_SESSION, session, LIMIT_ORDER_RATE),
                   naive_limit(v, SCOPE_SESSION, session, LIMIT_ORDER_BURST));
}

static struct pace message_pace(const struct naive_venue *v, uint16_t session)
{
    return pace_of(naive_limit(v, SCOPE_SESSION, session, LIMIT_MESSAGE_RATE), LIMIT_UNSET);
}

static struct pace symbol_pace(const struct naive_venue *v, uint16_t locate)
{
    return pace_of(naive_limit(v, SCOPE_SYMBOL, locate, LIMIT_SYMBOL_RATE), LIMIT_UNSET);
}

static bool has_token(const struct naive_venue *v, const struct naive_bucket *b, const struct pace *pace)
{
    if (pace->rate == LIMIT_UNSET)
        return true;
    if (pace->rate == 0 || pace->burst == 0)
        return false;
    return b->due <= v->now + (pace->burst - 1) * pace->step;
}

static uint64_t out(const struct naive_venue *v, const struct naive_bucket *b)
{
    return b->due > v->now ? b->due - v->now : 0;
}

// Takes a token; the level is told when it is crossed.
static void take(const struct naive_venue *v, struct naive_bucket *b, const struct pace *pace, uint64_t percent)
{
    if (pace->rate == LIMIT_UNSET)
        return;
    b->due = (b->due > v->now ? b->due : v->now) + pace->step;
    uint64_t level = naive_level(pace->burst * pace->step, percent);
    if (!b->told && out(v, b) >= level) {
        b->told = true;
        b->pending = 'a';
    } else if (b->told && out(v, b) < level - level / 10) {
        b->told = false;
        b->pending = 'e';
    }
}

static void renew(const struct naive_venue *v, struct naive_bucket *b, struct pace pace)
{
    if (pace.step == 0 || pace.burst == 0) {
        b->told = false;
        return;
    }
    uint64_t most = v->now + pace.burst * pace.step;
    b->due = b->due < most ? b->due : most;
}

void naive_rates_renew(struct naive_venue *v)
{
    for (uint16_t session = 0; session <= v->last_session; session++) {
        if (!v->clients[session])
            continue;
        renew(v, &v->risk->traders[session].orders, order_pace(v, session));
        renew(v, &v->risk->traders[session].messages, message_pace(v, session));
    }
    for (uint16_t locate = 1; locate <= v->last_locate; locate++)
        renew(v, &v->risk->symbol_rates[locate], symbol_pace(v, locate));
}

// ---- slowed

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool told_slow(const struct naive_party *party)
{
    for (int i = 0; i < NAIVE_STAGES; i++)
        if (party->told[i][1])
            return true;
    return false;
}

// LIMIT_UNSET: not slowed.
static uint64_t slow_rate(const struct naive_venue *v, uint16_t session)
{
    uint16_t account = v->clients[session]->account, firm = naive_firm(v, account);
    uint64_t of_firm =
        least(naive_limit(v, SCOPE_VENUE, 0, LIMIT_SLOW_RATE), naive_limit(v, SCOPE_FIRM, firm, LIMIT_SLOW_RATE));
    uint64_t of_account = least(of_firm, naive_limit(v, SCOPE_ACCOUNT, account, LIMIT_SLOW_RATE));
    uint64_t rate = LIMIT_UNSET;
    if (told_slow(&v->risk->accounts[account]))
        rate = of_account;
    if (told_slow(&v->risk->firms[firm]))
        rate = least(rate, of_firm);
    for (int i = 0; i < 256; i++)
        if (v->risk->modes[i].on && v->risk->modes[i].rate)
            rate = least(rate, v->risk->modes[i].rate);
    return rate;
}

// ---- orders alike

static uint64_t alike_limit(const struct naive_venue *v, uint16_t session)
{
    return least(naive_limit(v, SCOPE_SESSION, session, LIMIT_DUPLICATES),
                 naive_limit(v, SCOPE_ACCOUNT, v->clients[session]->account, LIMIT_DUPLICATES));
}

static bool alike(struct naive_venue *v, const struct command *c)
{
    struct naive_trader *trader = &v->risk->traders[c->session];
    uint64_t limit = alike_limit(v, c->session);
    uint64_t ms = naive_limit(v, SCOPE_SESSION, c->session, LIMIT_DUPLICATE_MS);
    if (ms == LIMIT_UNSET)
        ms = naive_limit(v, SCOPE_ACCOUNT, v->clients[c->session]->account, LIMIT_DUPLICATE_MS);
    if (ms == LIMIT_UNSET)
        ms = 1000;
    if (limit == LIMIT_UNSET)
        return false;
    if (limit == 0)
        return true;
    struct naive_kind *kind = NULL;
    for (int i = 0; i < 32 && !kind; i++) {
        struct naive_kind *k = &trader->kinds[i];
        if (k->used && k->locate == c->locate && k->side == c->side && k->quantity == c->quantity &&
            k->price == c->price)
            kind = k;
    }
    if (kind && v->now - kind->began_ns < ms * 1000000) {
        if (kind->count >= limit)
            return true;
        kind->count++;
    } else {
        if (!kind) {
            kind = &trader->kinds[trader->next_kind];
            trader->next_kind = (trader->next_kind + 1) % 32;
        }
        *kind = (struct naive_kind){true, c->locate, c->side, c->quantity, c->price, v->now, 1};
    }
    uint64_t percent = naive_alert_percent(v, SCOPE_SESSION, c->session);
    if (kind->count >= 2 && (wide)kind->count == ((wide)limit * percent + 999999) / 1000000) {
        trader->alike = kind->count;
        trader->alike_limit = limit;
    }
    return false;
}

// ---- checks 4 and 5

int naive_rates_check(struct naive_venue *v, const struct command *c, const struct resting *o)
{
    struct naive_trader *trader = &v->risk->traders[o->session];
    struct pace orders = order_pace(v, o->session), messages = message_pace(v, o->session);
    struct pace symbol = symbol_pace(v, o->locate), slow = pace_of(slow_rate(v, o->session), LIMIT_UNSET);
    uint64_t percent = naive_alert_percent(v, SCOPE_SESSION, o->session);
    if (slow.rate != LIMIT_UNSET && slow.rate != trader->slow_rate) {
        trader->slow_rate = slow.rate;
        renew(v, &trader->slow, slow);
    }
    if (!has_token(v, &trader->orders, &orders) || !has_token(v, &trader->messages, &messages) ||
        !has_token(v, &trader->slow, &slow))
        return 0x29;
    if (!has_token(v, &v->risk->symbol_rates[o->locate], &symbol))
        return 0x28;
    take(v, &trader->orders, &orders, percent);
    take(v, &trader->messages, &messages, percent);
    take(v, &trader->slow, &slow, percent);
    take(v, &v->risk->symbol_rates[o->locate], &symbol, naive_alert_percent(v, SCOPE_VENUE, 0));
    return c->type == CMD_ENTER && alike(v, c) ? 0x2A : 0;
}

void naive_rates_message(struct naive_venue *v, const struct command *c)
{
    struct naive_trader *trader = &v->risk->traders[c->session];
    struct pace messages = message_pace(v, c->session);
    if (has_token(v, &trader->messages, &messages))
        take(v, &trader->messages, &messages, naive_alert_percent(v, SCOPE_SESSION, c->session));
}

// ---- what is told

static void tell(struct naive_venue *v, struct naive_bucket *b, enum scope scope, uint16_t index, enum limit limit,
                 struct pace pace)
{
    if (b->pending)
        naive_alert(v, b->pending, scope, index, scope == SCOPE_SYMBOL ? index : 0, limit, pace.rate,
                    (out(v, b) + pace.step - 1) / pace.step, b->pending == 'e' ? 'a' : 0);
    b->pending = 0;
}

void naive_rates_tell_symbols(struct naive_venue *v)
{
    for (uint16_t locate = 1; locate <= v->last_locate; locate++)
        tell(v, &v->risk->symbol_rates[locate], SCOPE_SYMBOL, locate, LIMIT_SYMBOL_RATE, symbol_pace(v, locate));
}

void naive_rates_tell(struct naive_venue *v, uint16_t session)
{
    struct naive_trader *trader = &v->risk->traders[session];
    tell(v, &trader->orders, SCOPE_SESSION, session, LIMIT_ORDER_RATE, order_pace(v, session));
    tell(v, &trader->messages, SCOPE_SESSION, session, LIMIT_MESSAGE_RATE, message_pace(v, session));
    if (trader->alike)
        naive_alert(v, 'a', SCOPE_SESSION, session, 0, LIMIT_DUPLICATES, trader->alike_limit, trader->alike, 0);
    trader->alike = 0;
    if (trader->single.due)
        naive_alert(v, 'a', SCOPE_SESSION, session, trader->single.locate, trader->single.limit, trader->single.before,
                    trader->single.after, 0);
    trader->single.due = false;
}

// ---- modes

bool naive_mode_blocks(const struct naive_venue *v)
{
    for (int i = 0; i < 256; i++)
        if (v->risk->modes[i].on && v->risk->modes[i].block)
            return true;
    return false;
}

void naive_mode(struct naive_venue *v, const struct command *c)
{
    uint8_t i = c->mode.mode;
    bool on = v->risk->modes[i].on;
    if (c->mode.percent > 100 || (!on && !c->mode.on))
        return;
    if (on && c->mode.on && v->risk->modes[i].percent == c->mode.percent && v->risk->modes[i].rate == c->mode.rate &&
        v->risk->modes[i].block == (c->mode.block != 0))
        return;
    v->risk->modes[i].on = c->mode.on;
    v->risk->modes[i].percent = c->mode.percent;
    v->risk->modes[i].rate = c->mode.rate;
    v->risk->modes[i].block = c->mode.block != 0;
    v->risk->percent = 100;
    for (int j = 0; j < 256; j++)
        if (v->risk->modes[j].on && v->risk->modes[j].percent < v->risk->percent)
            v->risk->percent = v->risk->modes[j].percent;
    naive_alert(v, 'd', SCOPE_VENUE, i, 0, LIMITS, on, c->mode.on != 0, 0);
    naive_rates_renew(v);
}
