// SPDX-License-Identifier: Apache-2.0
// The plain venue's kill switch: a list of what is blocked, and cancels one by one.
#include <string.h>

#include "tests/support/naive_state.h"

// There is one venue, whatever number it is called by.
static uint16_t index_of(const struct command *c)
{
    return c->kill.scope == SCOPE_VENUE ? 0 : c->kill.index;
}

static bool is_scope(const struct naive_venue *v, const struct command *c)
{
    uint16_t index = c->kill.index;
    switch (c->kill.scope) {
    case SCOPE_VENUE:
        return true;
    case SCOPE_FIRM:
        for (uint16_t i = 0; i < index; i++)
            if (v->accounts[i].open && !memcmp(v->accounts[i].firm, v->accounts[index].firm, 4))
                return false;
        return v->accounts[index].open;
    case SCOPE_ACCOUNT:
        return v->accounts[index].open;
    case SCOPE_SESSION:
        return v->clients[index] != NULL;
    case SCOPE_SYMBOL:
        return index != 0 && v->symbols[index].open;
    default:
        return false;
    }
}

// Whether an order of this session, symbol and side falls under it.
static bool concerns(const struct naive_venue *v, const struct naive_block *b, uint16_t session, uint16_t locate,
                     bool buys)
{
    uint16_t account = v->clients[session]->account;
    if (b->buys != buys)
        return false;
    if (b->scope == SCOPE_FIRM)
        return !memcmp(v->accounts[account].firm, v->accounts[b->index].firm, 4);
    return b->scope == SCOPE_VENUE || (b->scope == SCOPE_ACCOUNT && b->index == account) ||
           (b->scope == SCOPE_SESSION && b->index == session) || (b->scope == SCOPE_SYMBOL && b->index == locate);
}

bool naive_killed(const struct naive_venue *v, const struct resting *o)
{
    for (size_t i = 0; i < v->blocks_count; i++)
        if (concerns(v, &v->blocks[i], o->session, o->locate, naive_buys(o)))
            return true;
    return false;
}

static bool same(const struct naive_block *a, const struct naive_block *b)
{
    return a->scope == b->scope && a->index == b->index && a->buys == b->buys && a->source == b->source;
}

static void block(struct naive_venue *v, const struct naive_block *b)
{
    for (size_t i = 0; i < v->blocks_count; i++)
        if (same(&v->blocks[i], b))
            return;
    v->blocks[v->blocks_count++] = *b;
}

static bool unblock(struct naive_venue *v, const struct naive_block *b)
{
    for (size_t i = 0; i < v->blocks_count; i++)
        if (same(&v->blocks[i], b)) {
            v->blocks[i] = v->blocks[--v->blocks_count];
            return true;
        }
    return false;
}

static void say_alert(struct naive_venue *v, char kind, uint64_t before, uint64_t after)
{
    const struct command *c = v->command;
    struct event *event = naive_event_add(v, EV_ALERT, 2);
    event->reason = kind;
    event->quantity = LIMITS;
    event->price = index_of(c);
    event->alert_before = before;
    event->alert_after = after;
    event->alert_scope = c->kill.scope;
    event->alert_reason = c->kill.side;
}

// Which of a symbol's orders goes first: 0 in the book, displayed; 1 not displayed; 2 stops; 3 the rest, which wait.
static int rank(const struct resting *o)
{
    return o->in_book ? !o->displayed : o->waits ? 2 : 3;
}

static bool before(const struct resting *a, const struct resting *b)
{
    int x = rank(a), y = rank(b);
    if ((x < 2) != (y < 2))
        return x < 2;
    if (x < 3 && y < 3 && naive_buys(a) != naive_buys(b))
        return naive_buys(a);
    if (x != y)
        return x < y;
    if (x < 2 && a->price != b->price)
        return naive_buys(a) ? a->price > b->price : a->price < b->price;
    return x < 2 ? a->since < b->since : a->entered < b->entered;
}

// The next order to cancel: by session and age, or by place in the book. NULL: none is left.
static struct resting *next_killed(struct naive_venue *v, uint8_t scope, uint16_t index, char side)
{
    struct resting *next = NULL;
    for (size_t i = 0; i < v->live; i++) {
        struct resting *o = v->orders[i];
        struct naive_block of = {.scope = scope, .index = index, .buys = naive_buys(o)};
        if ((side && (side == 'B') != naive_buys(o)) || !concerns(v, &of, o->session, o->locate, naive_buys(o)))
            continue;
        bool earlier = !next;
        if (next && scope == SCOPE_SYMBOL)
            earlier = before(o, next);
        else if (next)
            earlier = o->session < next->session;
        next = earlier ? o : next;
    }
    return next;
}

static uint64_t cancel_killed(struct naive_venue *v, uint8_t scope, uint16_t index, char side)
{
    uint64_t canceled = 0;
    for (struct resting *o; (o = next_killed(v, scope, index, side)) != NULL; canceled++)
        naive_cancel_whole(v, o, 'S');
    return canceled;
}

void naive_kill(struct naive_venue *v, const struct command *c)
{
    unsigned source = c->kill.source ? c->kill.source : KILL_BY_OPERATOR;
    if ((v->day != 1 && v->day != 2) || !is_scope(v, c) || c->kill.actions == 0 || c->kill.actions > 3 || source > 7 ||
        (c->kill.side && !strchr("BS", c->kill.side)))
        return;
    say_alert(v, 'k', c->kill.id, c->kill.actions + source * 256);
    for (unsigned i = 0; i < 6 && c->kill.actions & KILL_BLOCK; i++) {
        struct naive_block b = {.scope = c->kill.scope, .index = index_of(c), .buys = i % 2, .source = 1u << i / 2};
        if (source & b.source && (!c->kill.side || (c->kill.side == 'B') == b.buys))
            block(v, &b);
    }
    if ((c->kill.actions & KILL_CANCEL) == 0)
        return;
    say_alert(v, 'z', c->kill.id, cancel_killed(v, c->kill.scope, index_of(c), c->kill.side));
}

// ---- kills by limits

static bool has_killed(const struct naive_venue *v, uint8_t scope, uint16_t index)
{
    for (unsigned buys = 0; buys < 2; buys++) {
        struct naive_block b = {.scope = scope, .index = index, .buys = buys, .source = KILL_BY_LIMIT};
        bool there = false;
        for (size_t i = 0; i < v->blocks_count; i++)
            there = there || same(&v->blocks[i], &b);
        if (!there)
            return false;
    }
    return true;
}

void naive_kill_request(struct naive_venue *v, enum scope scope, uint16_t index, unsigned limit, uint64_t before,
                        uint64_t after)
{
    if (has_killed(v, (uint8_t)scope, index))
        return;
    for (unsigned buys = 0; buys < 2; buys++)
        block(v, &(struct naive_block){.scope = (uint8_t)scope, .index = index, .buys = buys, .source = KILL_BY_LIMIT});
    v->requests[v->requests_count++] = (struct naive_request){(uint8_t)scope, index, limit, before, after};
}

static void say_limit_alert(struct naive_venue *v, const struct naive_request *r, char kind, uint64_t before,
                            uint64_t after)
{
    struct event *event = naive_event_add(v, EV_ALERT, 2);
    event->reason = kind;
    event->quantity = r->limit;
    event->price = r->index;
    event->alert_scope = r->scope;
    event->alert_before = before;
    event->alert_after = after;
}

void naive_kills_requested(struct naive_venue *v)
{
    while (v->requests_count) {
        size_t next = 0;
        for (size_t i = 1; i < v->requests_count; i++) {
            const struct naive_request *a = &v->requests[i], *b = &v->requests[next];
            if (a->index < b->index || (a->index == b->index && a->scope > b->scope)) // accounts before firms
                next = i;
        }
        struct naive_request r = v->requests[next];
        v->requests[next] = v->requests[--v->requests_count];
        say_limit_alert(v, &r, 'k', r.before, r.after);
        say_limit_alert(v, &r, 'z', 0, cancel_killed(v, r.scope, r.index, 0));
    }
}

void naive_reset(struct naive_venue *v, const struct command *c)
{
    uint64_t lifted = 0;
    if ((v->day != 1 && v->day != 2) || !is_scope(v, c) || (c->kill.side && !strchr("BS", c->kill.side)))
        return;
    for (unsigned i = 0; i < 6; i++) {
        struct naive_block b = {
            .scope = c->kill.scope, .index = index_of(c), .buys = i % 2 == 0, .source = 1u << i / 2};
        bool meant =
            (!c->kill.source || c->kill.source & b.source) && (!c->kill.side || (c->kill.side == 'B') == b.buys);
        if (meant && unblock(v, &b))
            lifted |= 1u << i;
    }
    say_alert(v, 'r', c->kill.id, lifted);
}
