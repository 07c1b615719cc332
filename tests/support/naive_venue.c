// SPDX-License-Identifier: Apache-2.0
#include "tests/support/naive_state.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct naive_venue *naive_new(void)
{
    return calloc(1, sizeof(struct naive_venue));
}

void naive_free(struct naive_venue *v)
{
    for (int i = 0; i < 65536; i++)
        free(v->clients[i]);
    free(v->orders);
    free(v->events);
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

// ---- the book
// --------------------------------------------------------------------------------------------------------

static struct resting *find(struct naive_venue *v, uint16_t session, uint8_t channel, uint32_t user_ref)
{
    for (size_t i = 0; i < v->live; i++)
        if (v->orders[i].user_ref == user_ref && v->orders[i].session == session && v->orders[i].channel == channel)
            return &v->orders[i];
    return NULL;
}

static void take_out(struct naive_venue *v, struct resting *o)
{
    size_t index = (size_t)(o - v->orders);
    memmove(o, o + 1, (v->live - index - 1) * sizeof *o);
    v->live--;
}

static void put_in(struct naive_venue *v, const struct resting *o)
{
    if (v->live == v->room) {
        v->room = v->room ? v->room * 2 : 64;
        v->orders = realloc(v->orders, v->room * sizeof *v->orders);
    }
    v->orders[v->live++] = *o;
}

static bool is_buy(const struct resting *o)
{
    return o->side == 'B';
}

static bool is_market(uint32_t price)
{
    return price == 2000000000u || price == 0x7FFFFFFFu;
}

// The order that `o` would trade with first, NULL when none.
static struct resting *contra(struct naive_venue *v, const struct resting *o)
{
    struct resting *best = NULL;
    for (size_t i = 0; i < v->live; i++) {
        struct resting *m = &v->orders[i];
        if (m->locate != o->locate || is_buy(m) == is_buy(o))
            continue;
        if (!is_market(o->price) && (is_buy(o) ? m->price > o->price : m->price < o->price))
            continue;
        if (!best || (is_buy(o) ? m->price < best->price : m->price > best->price))
            best = m;
    }
    return best;
}

// Distinct (symbol, side, price) of resting orders, not counting order `skip`; and whether `o`'s is among them.
static size_t count_levels(struct naive_venue *v, const struct resting *skip, const struct resting *o, bool *present)
{
    size_t levels = 0;
    *present = false;
    for (size_t i = 0; i < v->live; i++) {
        const struct resting *a = &v->orders[i];
        if (a == skip)
            continue;
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = &v->orders[j] == skip || v->orders[j].locate != a->locate || v->orders[j].price != a->price ||
                    is_buy(&v->orders[j]) != is_buy(a);
        levels += first;
        if (a->locate == o->locate && a->price == o->price && is_buy(a) == is_buy(o))
            *present = true;
    }
    return levels;
}

// Whether the tables have room for `o` to rest when `original` leaves.
static bool room_for(struct naive_venue *v, const struct resting *o, const struct resting *original)
{
    if (!original && v->live >= v->open.day.max_orders)
        return false;
    if (v->live < v->open.day.max_levels)
        return true;
    bool present;
    size_t levels = count_levels(v, original, o, &present);
    return present || levels < v->open.day.max_levels;
}

// Trades `o` as far as it goes; then it rests, or its rest is canceled. `o` is not in the array.
static void trade(struct naive_venue *v, struct resting *o, bool rests)
{
    struct resting *m;
    while (o->open && (m = contra(v, o))) {
        uint32_t fill = m->open < o->open ? m->open : o->open;
        struct event *event = naive_event_of(v, EV_TRADE, 2, o);
        event->flags = EV_MD_EXECUTE;
        event->ref = m->ref;
        event->price = m->price;
        event->quantity = fill;
        event->other_session = m->session;
        event->other_user_ref = m->user_ref;
        event->other_user_ref_idx = m->channel;
        event->match = v->next_match++;
        memcpy(event->trade_symbol, v->symbols[o->locate].name, 8);
        event->taker_liquidity = 'R';
        event->maker_liquidity = 'A';
        event->maker_side = m->side;
        o->open -= fill;
        o->executed += fill;
        m->open -= fill;
        m->executed += fill;
        if (!m->open)
            take_out(v, m);
    }
    if (!o->open)
        return;
    if (!rests) {
        naive_say_canceled(v, o, o->open, 'I', 0);
        return;
    }
    struct event *event = naive_event_of(v, EV_BOOK_ADD, 2, o);
    event->session = SESSION_NONE;
    event->quantity = o->open;
    event->flags = EV_MD_ADD;
    memcpy(event->symbol, v->symbols[o->locate].name, 8);
    put_in(v, o);
}

// ---- rules
// -----------------------------------------------------------------------------------------------------------

static bool blank(const char firm[4])
{
    return !memcmp(firm, "    ", 4) || !memcmp(firm, "\0\0\0", 4);
}

static bool firm_ok(struct naive_venue *v, const struct command *c)
{
    return blank(c->firm) || !memcmp(c->firm, v->firms[v->clients[c->session]->account], 4);
}

static bool has(const struct command *c, int tag)
{
    return c->options >> tag & 1;
}

static int price_code(struct naive_venue *v, uint16_t locate, uint32_t price)
{
    if (is_market(price))
        return 0;
    return price == 0 || price > 1999999900u || price % v->symbols[locate].tick ? 0x1D : 0;
}

// What this venue does not do, with OUCH's code.
static int asks_too_much(const struct command *c)
{
    if (c->tif != '0' && c->tif != '3')
        return 0x0F;
    if (c->display != 'Y')
        return 0x03;
    if (c->iso == 'Y')
        return 0x08;
    if (c->type == CMD_ENTER && c->cross != 'N')
        return c->cross == 'R' ? 0x1A : 0x14;
    if (has(c, 3) && c->min_qty)
        return 0x0D;
    if (has(c, 5) && c->max_floor)
        return 0x04;
    if (has(c, 6) && c->price_type != 'L')
        return 0x11;
    if (has(c, 7) && c->peg_offset)
        return 0x11;
    if (has(c, 9) && c->discretion_price)
        return 0x0F;
    if (has(c, 10) && c->discretion_price_type != 'L')
        return 0x11;
    if (has(c, 11) && c->discretion_peg_offset)
        return 0x11;
    if (has(c, 12) && c->post_only != 'N')
        return 0x0F;
    if (has(c, 13) && c->random_reserves)
        return 0x04;
    if (has(c, 14))
        return 0x16;
    if (has(c, 15))
        return 0x0F;
    if (has(c, 17) && c->handle_inst != ' ')
        return strchr("OTQ", c->handle_inst) ? 0x1A : 0x14;
    if (has(c, 29) && c->aiq_strategy != 'N' && c->aiq_strategy != '*')
        return 0x40;
    return 0;
}

static int enter_code(struct naive_venue *v, const struct command *c, const struct resting *o)
{
    const struct symbol *symbol = &v->symbols[c->locate];
    if (c->refuse)
        return c->refuse;
    if (v->clients[c->session]->disabled || (has(c, 2) && !firm_ok(v, c)))
        return 0x0C;
    if (c->locate == 0 || !symbol->open || memcmp(symbol->name, c->symbol, 8))
        return 0x17;
    if (!c->side || !strchr("BSTE", c->side))
        return 0x09;
    if (c->quantity == 0 || c->quantity > 999999)
        return 0x13;
    int code = price_code(v, c->locate, c->price);
    if (!code)
        code = asks_too_much(c);
    if (!code && c->tif == '0' && !is_market(c->price) && !room_for(v, o, NULL))
        code = 0x0A;
    return code;
}

// Uses up the command's number; false when it was used before.
static bool new_number(struct naive_venue *v)
{
    uint32_t *last = &v->clients[v->command->session]->last[v->command->user_ref_idx];
    if (v->command->user_ref <= *last) {
        v->outcome = NAIVE_DUPLICATE;
        return false;
    }
    *last = v->command->user_ref;
    return true;
}

static void enter(struct naive_venue *v, const struct command *c)
{
    if (!new_number(v))
        return;
    struct resting o = {.user_ref = c->user_ref,
                        .price = c->price,
                        .open = c->quantity,
                        .session = c->session,
                        .locate = c->locate,
                        .group = has(c, 24) ? c->group_id : 0,
                        .channel = c->user_ref_idx,
                        .side = c->side,
                        .capacity = c->capacity,
                        .echo = *c};
    int code = enter_code(v, c, &o);
    if (code) {
        naive_say_rejected(v, code);
        return;
    }
    v->outcome = NAIVE_ACCEPTED;
    o.ref = v->next_ref++;
    bool rests = c->tif == '0' && !is_market(c->price);
    struct event *event = naive_say_live(v, EV_ACCEPTED, &o);
    if (rests && !contra(v, &o)) {
        event->flags = EV_MD_ADD;
        put_in(v, &o);
        return;
    }
    trade(v, &o, rests);
}

static bool side_may_become(char now, char asked)
{
    return now == asked || (now == 'S' && asked == 'T') || (now == 'S' && asked == 'E') || (now == 'E' && asked == 'T');
}

// Overlays what a replace sends on what the order had.
static void overlay(struct command *had, const struct command *c)
{
    struct event both = {0};
    naive_echo_shared(&both, had, UINT32_MAX);
    naive_echo_shared(&both, c, NAIVE_ECHO_U);
    had->options |= c->options & NAIVE_ECHO_U;
    memcpy(had->firm, both.firm, 4);
    had->price_type = both.price_type;
    had->post_only = both.post_only;
    had->trade_now = both.trade_now;
    had->handle_inst = both.handle_inst;
    had->aiq_strategy = both.aiq_strategy;
    memcpy(had->aiq_group, both.aiq_group, 2);
}

static void replace(struct naive_venue *v, const struct command *c)
{
    struct client *client = v->clients[c->session];
    if (c->user_ref <= client->last[c->user_ref_idx]) {
        v->outcome = NAIVE_DUPLICATE;
        return;
    }
    struct resting *original = find(v, c->session, c->user_ref_idx, c->orig_user_ref);
    if (!original) {
        v->outcome = NAIVE_NO_EFFECT;
        return;
    }
    if (client->disabled) {
        new_number(v);
        naive_say_rejected(v, 0x0C);
        return;
    }
    struct resting o = *original;
    o.user_ref = c->user_ref;
    o.price = c->price;
    o.open = c->quantity - original->executed;
    if (has(c, 27))
        o.side = c->side;
    overlay(&o.echo, c);
    bool rests = c->tif == '0' && !is_market(c->price);
    bool bad = c->refuse || !side_may_become(original->side, o.side) || c->quantity > 999999 ||
               c->quantity <= original->executed || price_code(v, o.locate, c->price) || asks_too_much(c) ||
               (rests && !room_for(v, &o, original));
    if (bad) {
        naive_say_canceled(v, original, original->open, 'U', EV_MD_DELETE);
        take_out(v, original);
        v->outcome = NAIVE_REJECTED;
        return;
    }
    new_number(v);
    v->outcome = NAIVE_ACCEPTED;
    uint64_t old_ref = original->ref;
    take_out(v, original);
    o.ref = v->next_ref++;
    struct event *event = naive_say_live(v, EV_REPLACED, &o);
    event->other_user_ref = c->orig_user_ref;
    event->old_ref = old_ref;
    if (rests && !contra(v, &o)) {
        event->flags = EV_MD_REPLACE;
        put_in(v, &o);
        return;
    }
    event->flags = EV_MD_DELETE;
    trade(v, &o, rests);
}

static uint32_t may_stay(const struct resting *o, uint32_t total)
{
    uint32_t stay = total > o->executed ? total - o->executed : 0;
    return stay < o->open ? stay : o->open;
}

static void cancel(struct naive_venue *v, const struct command *c)
{
    struct resting *o = find(v, c->session, c->user_ref_idx, c->user_ref);
    v->outcome = NAIVE_NO_EFFECT;
    if (!o || c->refuse || may_stay(o, c->quantity) == o->open)
        return;
    v->outcome = NAIVE_ACCEPTED;
    uint32_t stay = may_stay(o, c->quantity);
    naive_say_canceled(v, o, o->open - stay, 'U', stay ? EV_MD_REDUCE : EV_MD_DELETE);
    o->open = stay;
    if (!stay)
        take_out(v, o);
}

static void modify(struct naive_venue *v, const struct command *c)
{
    struct resting *o = find(v, c->session, c->user_ref_idx, c->user_ref);
    v->outcome = NAIVE_NO_EFFECT;
    if (!o || c->refuse || !side_may_become(o->side, c->side))
        return;
    uint32_t stay = may_stay(o, c->quantity), gone = o->open - stay;
    if (!gone && o->side == c->side)
        return;
    v->outcome = NAIVE_ACCEPTED;
    if (!stay) {
        naive_say_canceled(v, o, gone, 'U', EV_MD_DELETE);
        take_out(v, o);
        return;
    }
    o->side = c->side;
    o->open = stay;
    struct event *event = naive_event_of(v, EV_MODIFIED, has(c, 26) ? 3 : 2, o);
    event->quantity = stay;
    event->options = (c->options & (1u << 25 | 1u << 26)) | (c->user_ref_idx ? 1u << 28 : 0);
    event->shares_located = has(c, 25) ? c->shares_located : 0;
    if (has(c, 26))
        memcpy(event->locate_broker, c->locate_broker, 4);
    if (gone) {
        naive_say_canceled(v, o, gone, 'U', EV_MD_REDUCE);
        v->events[v->count - 1].session = SESSION_NONE;
    }
}

static struct event *say_response(struct naive_venue *v, enum event_type type)
{
    const struct command *c = v->command;
    struct event *event = naive_event_add(v, type, 2);
    event->session = c->session;
    event->user_ref = c->user_ref;
    event->user_ref_idx = c->user_ref_idx;
    event->options = c->user_ref_idx ? 1u << 28 : 0;
    memcpy(event->firm, c->firm, 4);
    return event;
}

// Cancels the orders of a session, oldest first, that the mass cancel `filter` (or everything: NULL) names.
static void cancel_orders(struct naive_venue *v, uint16_t session, char reason, const struct command *filter)
{
    bool any_symbol = !filter || !memcmp(filter->symbol, "        ", 8);
    for (size_t i = 0; i < v->live;) {
        struct resting *o = &v->orders[i];
        bool named = o->session == session && (any_symbol || o->locate == filter->locate);
        if (named && filter && has(filter, 24))
            named = o->group == filter->group_id;
        if (named && filter && has(filter, 27))
            named = filter->side == 'S' ? o->side != 'B' : o->side == filter->side;
        if (!named) {
            i++;
            continue;
        }
        naive_say_canceled(v, o, o->open, reason, EV_MD_DELETE);
        take_out(v, o);
    }
}

static void firm_wide(struct naive_venue *v, const struct command *c)
{
    if (!new_number(v))
        return;
    if (c->refuse || !firm_ok(v, c)) {
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
    event->group_id = has(c, 24) ? c->group_id : 0;
    event->side = has(c, 27) ? c->side : 0;
    cancel_orders(v, c->session, 'U', c);
}

static void order_message(struct naive_venue *v, const struct command *c)
{
    if (v->day != 2 || !v->clients[c->session] || !v->clients[c->session]->up) {
        v->outcome = NAIVE_NO_EFFECT;
        return;
    }
    if (c->type == CMD_ENTER)
        enter(v, c);
    else if (c->type == CMD_REPLACE)
        replace(v, c);
    else if (c->type == CMD_CANCEL)
        cancel(v, c);
    else if (c->type == CMD_MODIFY)
        modify(v, c);
    else if (c->type != CMD_QUERY)
        firm_wide(v, c);
    else if (c->refuse)
        v->outcome = NAIVE_NO_EFFECT;
    else {
        v->outcome = NAIVE_ACCEPTED;
        struct event *event = naive_event_add(v, EV_QUERY, 1);
        event->session = c->session;
        event->user_ref_idx = c->user_ref_idx;
        event->user_ref = v->clients[c->session]->last[c->user_ref_idx] + 1;
    }
}

static void opening(struct naive_venue *v, const struct command *c)
{
    if (c->type == CMD_OPEN_DAY && v->day == 0) {
        v->day = 1;
        v->open = *c;
        v->next_ref = v->next_match = ((uint64_t)c->day.core + 1) * (UINT64_C(1) << 40) + 1;
        naive_say_day(v, EV_DAY_OPEN);
        naive_say_system(v, 'O', true);
    } else if (v->day == 1 && c->type == CMD_OPEN_SYMBOL && !v->symbols[c->open_symbol.locate].open) {
        struct symbol *symbol = &v->symbols[c->open_symbol.locate];
        *symbol = (struct symbol){.open = true, .tick = c->open_symbol.tick};
        memcpy(symbol->name, c->open_symbol.name, 8);
        struct event *event = naive_event_add(v, EV_SYMBOL, 3);
        event->flags = EV_MD_OTHER;
        event->locate = c->open_symbol.locate;
        event->round_lot = c->open_symbol.round_lot;
        memcpy(event->symbol, symbol->name, 8);
    } else if (v->day == 1 && c->type == CMD_OPEN_ACCOUNT) {
        memcpy(v->firms[c->open_account.account], c->open_account.firm, 4);
        v->accounts[c->open_account.account] = true;
    } else if (v->day == 1 && c->type == CMD_OPEN_SESSION && v->accounts[c->open_session.account]) {
        struct client *client = v->clients[c->session] = calloc(1, sizeof *client);
        client->account = c->open_session.account;
        client->cancel_on_disconnect = c->open_session.cancel_on_disconnect;
    }
}

static void start(struct naive_venue *v)
{
    if (v->day != 1)
        return;
    v->day = 2;
    for (uint32_t locate = 1; locate < 65536; locate++) {
        if (!v->symbols[locate].open)
            continue;
        struct event *event = naive_event_add(v, EV_TRADING_ACTION, 2);
        event->flags = EV_MD_OTHER;
        event->reason = 'T';
        event->locate = (uint16_t)locate;
        memcpy(event->symbol, v->symbols[locate].name, 8);
    }
    naive_say_system(v, 'S', true);
    naive_say_system(v, 'Q', true);
    naive_say_system(v, 'S', false);
}

static void end(struct naive_venue *v)
{
    if (v->day != 2)
        return;
    v->day = 3;
    for (uint32_t session = 0; session < 65536; session++)
        if (v->clients[session])
            cancel_orders(v, (uint16_t)session, 'E', NULL);
    naive_say_system(v, 'M', true);
    naive_say_system(v, 'E', true);
    naive_say_system(v, 'C', true);
    naive_say_system(v, 'E', false);
    naive_say_day(v, EV_DAY_END);
}

const struct event *naive_step(struct naive_venue *v, const struct command *c, size_t *count)
{
    struct client *client = v->clients[c->session];
    v->command = c;
    v->count = 0;
    v->outcome = NAIVE_NONE;
    v->now = c->time_ns;
    if (c->type >= CMD_ENTER && c->type <= CMD_QUERY)
        order_message(v, c);
    else if (c->type >= CMD_OPEN_DAY && c->type <= CMD_OPEN_SESSION)
        opening(v, c);
    else if (c->type == CMD_START)
        start(v);
    else if (c->type == CMD_END_DAY)
        end(v);
    else if (c->type == CMD_SESSION_UP && client)
        client->up = true;
    else if (c->type == CMD_SESSION_DOWN && client && client->up) {
        client->up = false;
        if (client->cancel_on_disconnect)
            cancel_orders(v, c->session, 'Z', NULL);
    }
    *count = v->count;
    return v->events;
}
