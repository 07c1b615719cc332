// SPDX-License-Identifier: Apache-2.0
// The plain venue: live orders, sessions as a whole, the day and its phases, broken trades.
#include <stdlib.h>
#include <string.h>

#include "tests/support/naive_market.h"
#include "tests/support/naive_risk.h"

struct naive_venue *naive_new(void)
{
    return calloc(1, sizeof(struct naive_venue));
}

void naive_free(struct naive_venue *v)
{
    for (size_t i = 0; i < v->live; i++)
        free(v->orders[i]);
    for (unsigned i = 0; i < v->spares; i++)
        free(v->spare[i]);
    for (int i = 0; i < 65536; i++)
        free(v->clients[i]);
    naive_risk_free(v);
    for (uint32_t i = 0; i <= v->last_locate; i++)
        naive_market_free(v, (uint16_t)i);
    free(v->orders);
    free(v->events);
    free(v->deals);
    free(v);
}

enum naive_outcome naive_outcome(const struct naive_venue *v)
{
    return v->outcome;
}

size_t naive_live_orders(const struct naive_venue *v)
{
    return v->live;
}

// ---- live orders

struct resting *naive_find(struct naive_venue *v, uint16_t session, uint8_t channel, uint32_t user_ref)
{
    for (size_t i = 0; i < v->live; i++)
        if (v->orders[i]->user_ref == user_ref && v->orders[i]->session == session && v->orders[i]->channel == channel)
            return v->orders[i];
    return NULL;
}

static bool follows(const struct resting *o) // something that is looked at after a command
{
    return o->type != 'L' || o->trigger;
}

struct resting *naive_add(struct naive_venue *v, const struct resting *o)
{
    if (v->live == v->room) {
        v->room = v->room ? v->room * 2 : 64;
        v->orders = realloc(v->orders, v->room * sizeof(struct resting *));
    }
    struct resting *own = v->spares ? v->spare[--v->spares] : malloc(sizeof *own);
    *own = *o;
    own->entered = ++v->moments;
    v->symbols[o->locate].pegs_and_stops += follows(o);
    v->expiring += o->tif == '6';
    return v->orders[v->live++] = own;
}

void naive_drop(struct naive_venue *v, struct resting *o)
{
    size_t i = 0;
    while (v->orders[i] != o)
        i++;
    memmove(v->orders + i, v->orders + i + 1, (v->live - i - 1) * sizeof(struct resting *));
    v->live--;
    v->symbols[o->locate].pegs_and_stops -= follows(o);
    v->expiring -= o->tif == '6';
    if (v->spares < sizeof v->spare / sizeof v->spare[0])
        v->spare[v->spares++] = o;
    else
        free(o);
}

bool naive_seen(const struct resting *o)
{
    return o->in_book && o->displayed;
}

void naive_cancel_whole(struct naive_venue *v, struct resting *o, char reason)
{
    naive_say_canceled(v, o, o->open, reason, naive_seen(o) ? EV_MD_DELETE : 0);
    naive_drop(v, o);
}

// ---- sessions

static struct event *say_response(struct naive_venue *v, enum event_type type)
{
    const struct command *c = v->command;
    struct event *event = naive_event_add(v, type, 2);
    event->session = c->session;
    event->user_ref = c->user_ref;
    event->user_ref_idx = c->user_ref_idx;
    memcpy(event->firm, c->firm, 4);
    return event;
}

// Cancels the orders of a session, oldest first, that the mass cancel `filter` (NULL: none) and the TIF (0: any) name.
static void cancel_orders(struct naive_venue *v, uint16_t session, char reason, const struct command *filter, char tif)
{
    bool any_symbol = !filter || !memcmp(filter->symbol, "        ", 8);
    for (size_t i = 0; i < v->live;) {
        struct resting *o = v->orders[i];
        bool named = o->session == session && (any_symbol || o->locate == filter->locate) && (!tif || o->tif == tif);
        if (named && filter && naive_has(filter, 24))
            named = o->group == filter->group_id;
        if (named && filter && naive_has(filter, 27))
            named = filter->side == 'S' ? o->side != 'B' : o->side == filter->side;
        if (named)
            naive_cancel_whole(v, o, reason);
        else
            i++;
    }
}

static void cancel_all(struct naive_venue *v, char tif)
{
    for (uint32_t session = 0; session <= v->last_session; session++)
        if (v->clients[session])
            cancel_orders(v, (uint16_t)session, 'E', NULL, tif);
}

static void firm_wide(struct naive_venue *v, const struct command *c)
{
    if (!naive_new_number(v))
        return;
    if (c->refuse || !naive_firm_ok(v, c)) {
        naive_say_rejected(v, c->refuse ? c->refuse : 0x0C);
        return;
    }
    if (c->type != CMD_MASS_CANCEL) {
        v->clients[c->session]->disabled = c->type == CMD_DISABLE;
        say_response(v, c->type == CMD_DISABLE ? EV_DISABLED : EV_ENABLED);
        v->outcome = NAIVE_ACCEPTED;
        return;
    }
    const struct symbol *symbol = &v->symbols[c->locate];
    bool named = memcmp(c->symbol, "        ", 8) != 0;
    if (named && (c->locate == 0 || !symbol->open || memcmp(symbol->name, c->symbol, 8))) {
        naive_say_rejected(v, 0x17);
        return;
    }
    v->outcome = NAIVE_ACCEPTED;
    struct event *event = say_response(v, EV_MASS_CANCEL);
    memcpy(event->symbol, c->symbol, 8);
    event->locate = c->locate;
    event->options |= c->options & (1u << 24 | 1u << 27);
    event->group_id = naive_has(c, 24) ? c->group_id : 0;
    event->side = naive_has(c, 27) ? c->side : 0;
    cancel_orders(v, c->session, 'U', c, 0);
}

static void query(struct naive_venue *v, const struct command *c)
{
    if (c->refuse) {
        v->outcome = NAIVE_NO_EFFECT;
        return;
    }
    v->outcome = NAIVE_ACCEPTED;
    struct event *event = naive_event_add(v, EV_QUERY, 1);
    event->session = c->session;
    event->user_ref_idx = c->user_ref_idx;
    event->user_ref = v->clients[c->session]->last[c->user_ref_idx] + 1;
}

static void order_message(struct naive_venue *v, const struct command *c)
{
    bool taken = v->day == 2 && v->clients[c->session] && v->clients[c->session]->up;
    if (taken && v->risk && c->type != CMD_ENTER && c->type != CMD_REPLACE)
        naive_rates_message(v, c);
    if (!taken)
        v->outcome = NAIVE_NO_EFFECT;
    else if (c->type == CMD_ENTER)
        naive_enter(v, c);
    else if (c->type == CMD_REPLACE)
        naive_replace(v, c);
    else if (c->type == CMD_CANCEL)
        naive_cancel(v, c);
    else if (c->type == CMD_MODIFY)
        naive_modify(v, c);
    else if (c->type == CMD_QUERY)
        query(v, c);
    else
        firm_wide(v, c);
}

// ---- the day

static void open_day(struct naive_venue *v, const struct command *c)
{
    v->day = 1;
    v->open = *c;
    v->next_ref = v->next_match = v->first_match = ((uint64_t)c->day.core + 1) * (UINT64_C(1) << 40) + 1;
    v->generator = c->day.seed;
    naive_risk_open(v);
    naive_say_day(v, EV_DAY_OPEN);
    naive_say_system(v, 'O', true);
}

static void open_symbol(struct naive_venue *v, const struct command *c)
{
    struct symbol *symbol = &v->symbols[c->open_symbol.locate];
    if (symbol->open)
        return;
    *symbol = (struct symbol){.open = true, .tick = c->open_symbol.tick};
    memcpy(symbol->name, c->open_symbol.name, 8);
    naive_market_open(v, c->open_symbol.locate);
    if (c->open_symbol.locate > v->last_locate)
        v->last_locate = c->open_symbol.locate;
    struct event *event = naive_event_add(v, EV_SYMBOL, 3);
    event->flags = EV_MD_OTHER;
    event->locate = c->open_symbol.locate;
    event->round_lot = c->open_symbol.round_lot;
    memcpy(event->symbol, symbol->name, 8);
}

static void open_account(struct naive_venue *v, const struct command *c)
{
    struct account *account = &v->accounts[c->open_account.account];
    account->open = true;
    memcpy(account->firm, c->open_account.firm, 4);
    memcpy(account->organisation, c->open_account.organisation, 16);
}

static void open_session(struct naive_venue *v, const struct command *c)
{
    if (!v->accounts[c->open_session.account].open)
        return;
    char strategy = c->open_session.aiq_default;
    struct client *client = v->clients[c->session] = calloc(1, sizeof *client);
    client->account = c->open_session.account;
    client->cancel_when_lost = c->open_session.cancel_on_disconnect == 1 || c->open_session.cancel_on_disconnect == 3;
    client->cancel_when_off = c->open_session.cancel_on_disconnect >= 2;
    client->post_only_cancels = c->open_session.post_only_cancels;
    client->strategy = strategy == 0 || strategy == '*' ? 'N' : strategy;
    if (c->session > v->last_session)
        v->last_session = c->session;
}

static void opening(struct naive_venue *v, const struct command *c)
{
    if (c->type == CMD_OPEN_DAY && v->day == 0)
        open_day(v, c);
    else if (v->day == 1 && c->type == CMD_OPEN_SYMBOL)
        open_symbol(v, c);
    else if (v->day == 1 && c->type == CMD_OPEN_ACCOUNT)
        open_account(v, c);
    else if (v->day == 1 && c->type == CMD_OPEN_SESSION)
        open_session(v, c);
}

static int place_of(char phase)
{
    const char *at = phase ? strchr("PRAX", phase) : NULL;
    return at ? 1 + (int)(at - "PRAX") : 0;
}

static void start(struct naive_venue *v, const struct command *c)
{
    char phase = c->phase.phase ? c->phase.phase : 'R';
    if (v->day != 1 || phase == 'X' || !place_of(phase))
        return;
    v->day = 2;
    v->phase = phase;
    for (uint32_t locate = 1; locate <= v->last_locate; locate++) {
        if (!v->symbols[locate].open)
            continue;
        naive_market_say_state(v, (uint16_t)locate);
    }
    naive_say_system(v, 'S', true);
    if (phase == 'R')
        naive_say_system(v, 'Q', true);
    naive_say_system(v, 'S', false);
    naive_market_phase(v);
}

static void change_phase(struct naive_venue *v, const struct command *c)
{
    char was = v->phase;
    if (v->day != 2 || place_of(c->phase.phase) <= place_of(was))
        return;
    v->phase = c->phase.phase;
    if (v->phase == 'X')
        cancel_all(v, 0);
    else if (was == 'R')
        cancel_all(v, '0');
    if (was == 'R')
        naive_say_system(v, 'M', true);
    if (v->phase == 'R')
        naive_say_system(v, 'Q', true);
    if (v->phase == 'X')
        naive_say_system(v, 'E', true);
    naive_market_phase(v);
}

static void end(struct naive_venue *v)
{
    if (v->day != 2)
        return;
    v->day = 3;
    cancel_all(v, 0);
    if (v->phase == 'R')
        naive_say_system(v, 'M', true);
    if (v->phase != 'X')
        naive_say_system(v, 'E', true);
    naive_say_system(v, 'C', true);
    naive_say_system(v, 'E', false);
    naive_say_day(v, EV_DAY_END);
}

static void expire(struct naive_venue *v)
{
    while (v->day == 2 && v->expiring) {
        struct resting *next = NULL;
        for (size_t i = 0; i < v->live; i++) {
            struct resting *o = v->orders[i];
            if (o->tif == '6' && o->expires <= v->now && (!next || o->expires < next->expires))
                next = o;
        }
        if (!next)
            return;
        naive_cancel_whole(v, next, 'T');
    }
}

static void tick(struct naive_venue *v)
{
    expire(v);
    naive_market_tick(v);
}

// ---- broken trades

static void say_broken(struct naive_venue *v, const struct event *trade, bool taker, char reason)
{
    struct event *event = naive_event_add(v, EV_BROKEN, 2);
    const struct command *c = v->command;
    event->flags = taker ? EV_MD_OTHER : 0;
    event->reason = reason;
    event->session = taker ? trade->session : trade->other_session;
    event->user_ref = taker ? trade->user_ref : trade->other_user_ref;
    event->user_ref_idx = taker ? trade->user_ref_idx : trade->other_user_ref_idx;
    event->side = taker ? trade->side : trade->maker_side;
    event->locate = trade->locate;
    event->quantity = trade->quantity;
    event->price = trade->price;
    event->match = trade->match;
    memcpy(event->trade_symbol, trade->trade_symbol, 8);
    memcpy(event->broken_cl_ord_id, taker ? c->trade.taker_cl_ord_id : c->trade.maker_cl_ord_id, 14);
}

static void break_trade(struct naive_venue *v, const struct command *c)
{
    uint64_t index = c->trade.match - v->first_match;
    bool adjust = c->type == CMD_ADJUST;
    bool bad = adjust ? c->trade.price == 0 || c->trade.price > 1999999900 || c->trade.quantity == 0 ||
                            c->trade.quantity > 999999
                      : !c->trade.reason || !strchr("ECSX", c->trade.reason);
    if (v->day != 2 || bad || c->trade.match < v->first_match || index >= v->deals_count || v->deals[index].broken)
        return;
    struct event trade = v->deals[index].event;
    if (adjust && !naive_risk_amends(v, &trade, c->trade.quantity))
        return;
    v->deals[index].broken = true;
    say_broken(v, &trade, true, adjust ? 'S' : c->trade.reason);
    say_broken(v, &trade, false, adjust ? 'S' : c->trade.reason);
    naive_risk_amend(v, &trade, -1);
    if (!adjust)
        return;
    struct event *event = naive_event_add(v, EV_TRADE, 2);
    uint64_t seq = event->cmd_seq;
    *event = trade;
    event->cmd_seq = seq;
    event->time_ns = v->now;
    event->flags = EV_MD_OTHER;
    event->ref = 0;
    event->off_price = 0;
    event->price = c->trade.price;
    event->quantity = c->trade.quantity;
    event->match = v->next_match++;
    naive_keep(v, event);
    naive_risk_amend(v, event, 1);
}

const struct event *naive_step(struct naive_venue *v, const struct command *c, size_t *count)
{
    struct client *client = v->clients[c->session];
    v->command = c;
    v->count = 0;
    v->outcome = NAIVE_NONE;
    v->now = c->time_ns;
    if (v->risk)
        v->risk->marked = false;
    if (c->type >= CMD_ENTER && c->type <= CMD_QUERY)
        order_message(v, c);
    else if (c->type >= CMD_OPEN_DAY && c->type <= CMD_OPEN_SESSION)
        opening(v, c);
    else if (c->type == CMD_START)
        start(v, c);
    else if (c->type == CMD_PHASE)
        change_phase(v, c);
    else if (c->type == CMD_END_DAY)
        end(v);
    else if (c->type == CMD_TICK)
        tick(v);
    else if (c->type == CMD_BREAK || c->type == CMD_ADJUST)
        break_trade(v, c);
    else if (c->type == CMD_KILL)
        naive_kill(v, c);
    else if (c->type == CMD_RESET)
        naive_reset(v, c);
    else if (c->type == CMD_LIMIT || c->type == CMD_POSITION || c->type == CMD_MODE || c->type == CMD_GROUP)
        naive_risk_command(v, c);
    else if (c->type == CMD_REFERENCE || c->type == CMD_BANDS || c->type == CMD_HALT || c->type == CMD_INDEX)
        naive_market_command(v, c);
    else if (c->type == CMD_SESSION_UP && client)
        client->up = true;
    else if (c->type == CMD_SESSION_DOWN && client && client->up) {
        client->up = false;
        if (c->link.down_reason == DOWN_LOGOFF ? client->cancel_when_off : client->cancel_when_lost)
            cancel_orders(v, c->session, 'Z', NULL, 0);
    }
    naive_settle(v);
    naive_after(v);
    *count = v->count;
    return v->events;
}
