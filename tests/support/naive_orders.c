// SPDX-License-Identifier: Apache-2.0
// Enter and Replace with all that is checked, Cancel and Modify.
#include <string.h>

#include "tests/support/naive_state.h"

static bool is_market(uint32_t price)
{
    return price == 2000000000u || price == 0x7FFFFFFFu;
}

static bool one_of(char c, const char *list)
{
    return c && strchr(list, c);
}

bool naive_firm_ok(struct naive_venue *v, const struct command *c)
{
    return !memcmp(c->firm, "    ", 4) || !memcmp(c->firm, "\0\0\0", 4) ||
           !memcmp(c->firm, v->accounts[v->clients[c->session]->account].firm, 4);
}

bool naive_new_number(struct naive_venue *v)
{
    uint32_t *last = &v->clients[v->command->session]->last[v->command->user_ref_idx];
    if (v->command->user_ref <= *last) {
        v->outcome = NAIVE_DUPLICATE;
        return false;
    }
    *last = v->command->user_ref;
    return true;
}

// ---- what an order asks for

// Options left out count as their default.
struct asks {
    uint32_t min, floor, random, discretion_price;
    int32_t peg, discretion_peg;
    char type, discretion_type, strategy;
    bool post, discretion, pegged, stop, trail, market;
};

static struct asks asks_of(const struct command *t, uint32_t price)
{
    struct asks a = {.type = 'L', .discretion_type = 'L', .market = is_market(price)};
    if (naive_has(t, 3))
        a.min = t->min_qty;
    if (naive_has(t, 5))
        a.floor = t->max_floor;
    if (naive_has(t, 6))
        a.type = t->price_type;
    if (naive_has(t, 7))
        a.peg = t->peg_offset;
    if (naive_has(t, 9))
        a.discretion_price = t->discretion_price;
    if (naive_has(t, 10))
        a.discretion_type = t->discretion_price_type;
    if (naive_has(t, 11))
        a.discretion_peg = t->discretion_peg_offset;
    if (naive_has(t, 13))
        a.random = t->random_reserves;
    a.post = naive_has(t, 12) && t->post_only == 'P';
    a.discretion = a.discretion_price || a.discretion_type != 'L' || a.discretion_peg;
    a.pegged = one_of(a.type, "RPMm");
    a.stop = naive_has(t, 19);
    a.trail = naive_has(t, 20);
    a.strategy = naive_has(t, 29) ? t->aiq_strategy : '*';
    return a;
}

static int time_code(struct naive_venue *v, const struct command *c, bool has_time)
{
    if (v->phase == 'X')
        return 0x02;
    if (c->tif == '0' && v->phase != 'R')
        return v->phase == 'P' ? 0x2D : 0x2E;
    if ((c->tif == 'E' && v->phase != 'A') || !one_of(c->tif, "0356E"))
        return 0x0F;
    return c->tif == '6' ? has_time || naive_has(c, 15) ? 0 : 0x0F : naive_has(c, 15) ? 0x0F : 0;
}

static bool bad_price(uint32_t price, uint32_t tick)
{
    return price == 0 || price > 1999999900 || price % tick;
}

static int shape_code(const struct command *c, const struct asks *a, char handle)
{
    if (!one_of(c->display, "YNA"))
        return 0x03;
    if (c->iso == 'Y' && a->type != 'L')
        return 0x08;
    if (c->type == CMD_ENTER && c->cross != 'N')
        return c->cross == 'R' ? 0x1A : 0x14;
    if (handle != ' ')
        return one_of(handle, "OTQ") ? 0x1A : 0x14;
    return naive_has(c, 14) ? 0x16 : 0;
}

static int amount_code(const struct command *c, const struct asks *a)
{
    if (a->min && (a->min > c->quantity || (c->tif != '3' && c->display != 'N' && !a->pegged)))
        return 0x0D;
    if (a->floor && (c->display == 'N' || a->pegged || a->min || a->post))
        return 0x04;
    return a->random && a->random >= a->floor ? 0x04 : 0;
}

static int peg_code(const struct asks *a, uint32_t tick)
{
    bool mid = a->type == 'M' || a->type == 'm';
    if (a->type == 'Q')
        return 0x05;
    if (a->peg && (a->type == 'L' || mid || a->peg % (int64_t)tick))
        return 0x11;
    return a->pegged && a->post ? mid ? 0x1B : 0x11 : 0;
}

static int discretion_code(const struct command *c, const struct asks *a, bool buys, uint32_t tick)
{
    uint32_t price = a->discretion_price;
    if (!a->discretion)
        return 0;
    if (a->type != 'L' || (a->discretion_peg && a->discretion_type == 'L') || a->discretion_peg % (int64_t)tick)
        return 0x11;
    if (a->post || a->min || a->floor || c->tif == '3' || a->stop || a->trail || a->market)
        return 0x0F;
    if (price > 1999999900 || price % tick)
        return 0x1D;
    return a->discretion_type == 'L' && (buys ? price <= c->price : price >= c->price) ? 0x1D : 0;
}

static int trigger_code(const struct command *c, const struct asks *a, uint32_t trigger, uint32_t tick)
{
    if (a->post && (c->tif == '3' || a->market || a->stop || a->trail))
        return 0x0F;
    if (!a->stop && !a->trail)
        return 0;
    if ((a->stop && a->trail) || a->min || a->floor || a->type != 'L')
        return 0x0F;
    return bad_price(trigger, tick) ? 0x1D : 0;
}

// Rule 2 from the phase on, but for the tables. `o` has terms, side and symbol.
static int terms_code(struct naive_venue *v, const struct command *c, const struct resting *o, bool has_time)
{
    struct asks a = asks_of(&o->terms, c->price);
    uint32_t tick = v->symbols[o->locate].tick;
    int code = time_code(v, c, has_time);
    if (!code && !a.market && bad_price(c->price, tick))
        code = 0x1D;
    if (!code)
        code = shape_code(c, &a, naive_has(&o->terms, 17) ? o->terms.handle_inst : ' ');
    if (!code)
        code = amount_code(c, &a);
    if (!code)
        code = peg_code(&a, tick);
    if (!code)
        code = discretion_code(c, &a, naive_buys(o), tick);
    if (!code)
        code = trigger_code(c, &a, o->terms.trigger, tick);
    if (!code && !one_of(a.strategy, "N*YDOWRydowrZEPXS01245"))
        code = 0x40;
    return code;
}

// Fills in what follows from valid terms.
static void settle(struct naive_venue *v, struct resting *o, const struct command *c)
{
    struct asks a = asks_of(&o->terms, c->price);
    o->price = o->asked = c->price;
    o->tif = c->tif;
    o->display = a.pegged ? 'N' : c->display;
    o->displayed = o->display != 'N';
    o->type = a.type;
    o->market = a.market && !a.pegged;
    o->min = a.min;
    o->floor = a.floor < o->open ? a.floor : 0;
    o->post = a.post;
    o->discretion = a.discretion;
    o->trigger = a.stop ? 'S' : a.trail ? 'T' : 0;
    o->strategy = a.strategy == '*' ? v->clients[o->session]->strategy : a.strategy;
    o->conditional = a.pegged || a.discretion || o->trigger;
    o->plain =
        o->display == 'Y' && !o->min && !a.floor && !o->conditional && !o->post && o->strategy == 'N' && o->tif != '6';
}

static bool may_rest(const struct resting *o)
{
    return o->tif != '3' && !o->market;
}

// Rule 7. Returns whether the order may live: false, it is to be canceled after it has been accepted.
static bool slide(struct naive_venue *v, struct resting *o)
{
    uint32_t best = 0, tick = v->symbols[o->locate].tick;
    for (size_t i = 0; o->post && i < v->live; i++) {
        const struct resting *m = v->orders[i];
        if (m->in_book && m->locate == o->locate && naive_buys(m) != naive_buys(o) && !m->min &&
            (naive_buys(o) ? m->price <= o->price && (!best || m->price < best)
                           : m->price >= o->price && m->price > best))
            best = m->price;
    }
    if (!best)
        return true;
    uint32_t price = naive_buys(o) ? (best - 1) / tick * tick : (best / tick + 1) * tick;
    if (v->clients[o->session]->post_only_cancels || bad_price(price, tick))
        return false;
    o->price = price;
    return true;
}

// ---- room in the tables

static bool same_level(const struct resting *a, const struct resting *b)
{
    return a->locate == b->locate && a->price == b->price && naive_buys(a) == naive_buys(b) &&
           a->displayed == b->displayed;
}

// Levels in use when `gone` is not there; and whether `o`'s is among them.
static size_t count_levels(struct naive_venue *v, const struct resting *gone, const struct resting *o, bool *present)
{
    size_t levels = 0;
    *present = false;
    for (size_t i = 0; i < v->live; i++) {
        const struct resting *a = v->orders[i];
        if (a == gone || !a->in_book)
            continue;
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = v->orders[j] == gone || !v->orders[j]->in_book || !same_level(v->orders[j], a);
        levels += first;
        if (same_level(a, o))
            *present = true;
    }
    return levels;
}

static bool room_for(struct naive_venue *v, const struct resting *o, const struct resting *gone)
{
    size_t live = 0, special = 0, conditional = 0, here = 0;
    if (!may_rest(o) && !o->conditional)
        return true;
    for (size_t i = 0; i < v->live; i++) {
        const struct resting *a = v->orders[i];
        if (a == gone)
            continue;
        live++;
        special += !a->plain;
        conditional += a->conditional;
        here += a->conditional && a->locate == o->locate;
    }
    if (live >= v->open.day.max_orders || (!o->plain && special >= v->open.day.max_special) ||
        (o->conditional && here >= v->open.day.max_conditional))
        return false;
    if (live + conditional < v->open.day.max_levels)
        return true;
    bool present;
    size_t levels = count_levels(v, gone, o, &present);
    return levels + conditional < v->open.day.max_levels || (!o->conditional && o->displayed && present);
}

// ---- Enter

static int enter_code(struct naive_venue *v, const struct command *c, struct resting *o, bool *lives)
{
    const struct symbol *symbol = &v->symbols[c->locate];
    if (c->refuse)
        return c->refuse;
    if (v->clients[c->session]->disabled || (naive_has(c, 2) && !naive_firm_ok(v, c)))
        return 0x0C;
    if (c->locate == 0 || !symbol->open || memcmp(symbol->name, c->symbol, 8))
        return 0x17;
    if (!one_of(c->side, "BSTE"))
        return 0x09;
    if (c->quantity == 0 || c->quantity > 999999)
        return 0x13;
    int code = terms_code(v, c, o, false);
    if (code)
        return code;
    settle(v, o, c);
    *lives = slide(v, o);
    code = naive_risk_check(v, c, o, NULL);
    if (code)
        return code;
    return room_for(v, o, NULL) ? 0 : 0x0A;
}

// Rule 3's test: the feed may learn of the order from its Accepted or Replaced.
static bool only_rests(struct naive_venue *v, const struct resting *o)
{
    if (!o->plain || !may_rest(o) || naive_crosses(v, o))
        return false;
    for (size_t i = 0; i < v->live; i++) {
        const struct resting *m = v->orders[i];
        if (m->discretion && m->locate == o->locate && naive_buys(m) != naive_buys(o))
            return false;
    }
    return true;
}

// After Accepted or Replaced: waits, takes, rests, or goes.
static void begin(struct naive_venue *v, struct resting *o, bool lives, bool announced)
{
    if (!lives) {
        naive_say_canceled(v, o, o->open, 'G', 0);
        naive_drop(v, o);
        return;
    }
    if (o->trigger && !naive_stop_begins(v, o)) {
        o->waits = true;
        return;
    }
    if (o->trigger) {
        o->trigger = 0;
        o->conditional = false;
        v->symbols[o->locate].pegs_and_stops--;
        naive_take(v, o, naive_stop_rests(v, o), announced);
        return;
    }
    if (o->type == 'L') {
        naive_take(v, o, may_rest(o), announced);
        return;
    }
    uint32_t price = naive_peg_price(v, o);
    if (price) {
        o->price = price;
        naive_take(v, o, o->tif != '3', false);
    } else if (o->tif == '3') {
        naive_say_canceled(v, o, o->open, 'I', 0);
        naive_drop(v, o);
    }
}

void naive_enter(struct naive_venue *v, const struct command *c)
{
    if (!naive_new_number(v))
        return;
    bool lives;
    struct resting o = {.user_ref = c->user_ref,
                        .open = c->quantity,
                        .session = c->session,
                        .locate = c->locate,
                        .group = naive_has(c, 24) ? c->group_id : 0,
                        .channel = c->user_ref_idx,
                        .side = c->side,
                        .capacity = c->capacity,
                        .terms = *c};
    int code = enter_code(v, c, &o, &lives);
    if (code) {
        naive_say_rejected(v, code);
        return;
    }
    v->outcome = NAIVE_ACCEPTED;
    o.ref = v->next_ref++;
    o.expires = v->now + c->expire_s * UINT64_C(1000000000);
    struct event *event = naive_say_live(v, EV_ACCEPTED, &o);
    bool announced = only_rests(v, &o);
    event->flags = announced ? EV_MD_ADD : 0;
    begin(v, naive_add(v, &o), lives, announced);
}

// ---- Replace

static bool side_may_become(char now, char asked)
{
    return now == asked || (now == 'S' && asked == 'T') || (now == 'S' && asked == 'E') || (now == 'E' && asked == 'T');
}

// Overlays the options that a replace sends on what the order had.
static void overlay(struct command *had, const struct command *c, const struct resting *original)
{
#define TAKE(tag, field)                                   \
    if (naive_has(c, tag)) {                               \
        memcpy(&had->field, &c->field, sizeof had->field); \
        had->options |= 1u << (tag);                       \
    }
    if (naive_has(c, 19) || naive_has(c, 20) || !original->trigger)
        had->options &= ~(1u << 19 | 1u << 20);
    if (c->tif != '6')
        had->options &= ~(1u << 15);
    TAKE(2, firm)
    TAKE(3, min_qty)
    TAKE(5, max_floor)
    TAKE(6, price_type)
    TAKE(7, peg_offset)
    TAKE(9, discretion_price)
    TAKE(10, discretion_price_type)
    TAKE(11, discretion_peg_offset)
    TAKE(12, post_only)
    TAKE(13, random_reserves)
    TAKE(15, expire_s)
    TAKE(16, trade_now)
    TAKE(17, handle_inst)
    TAKE(19, trigger)
    TAKE(20, trigger)
    TAKE(29, aiq_strategy)
    TAKE(30, aiq_group)
#undef TAKE
}

static bool replacement_bad(struct naive_venue *v, const struct command *c, struct resting *o,
                            const struct resting *original, bool *lives, int *refused)
{
    if (c->refuse || !side_may_become(original->side, o->side) || c->quantity > 999999 ||
        c->quantity <= original->executed || terms_code(v, c, o, original->tif == '6'))
        return true;
    o->open = c->quantity - original->executed;
    settle(v, o, c);
    *lives = slide(v, o);
    *refused = naive_risk_check(v, c, o, original);
    return *refused || !room_for(v, o, original);
}

void naive_replace(struct naive_venue *v, const struct command *c)
{
    struct client *client = v->clients[c->session];
    if (c->user_ref <= client->last[c->user_ref_idx]) {
        v->outcome = NAIVE_DUPLICATE;
        return;
    }
    struct resting *original = naive_find(v, c->session, c->user_ref_idx, c->orig_user_ref);
    if (!original) {
        v->outcome = NAIVE_NO_EFFECT;
        return;
    }
    if (client->disabled) {
        naive_new_number(v);
        naive_say_rejected(v, 0x0C);
        return;
    }
    bool lives;
    int refused = 0; // by risk: the original stays
    struct resting o = {.user_ref = c->user_ref,
                        .executed = original->executed,
                        .session = c->session,
                        .locate = original->locate,
                        .group = original->group,
                        .channel = c->user_ref_idx,
                        .side = naive_has(c, 27) ? c->side : original->side,
                        .capacity = original->capacity,
                        .terms = original->terms};
    overlay(&o.terms, c, original);
    if (replacement_bad(v, c, &o, original, &lives, &refused)) {
        if (refused) {
            naive_new_number(v);
            naive_say_rejected(v, refused);
            return;
        }
        naive_cancel_whole(v, original, 'U');
        v->outcome = NAIVE_REJECTED;
        return;
    }
    naive_new_number(v);
    v->outcome = NAIVE_ACCEPTED;
    uint64_t old_ref = original->ref;
    bool was_plain = original->plain, was_seen = naive_seen(original);
    o.expires = naive_has(c, 15) ? v->now + c->expire_s * UINT64_C(1000000000) : original->expires;
    naive_drop(v, original);
    o.ref = v->next_ref++;
    struct event *event = naive_say_live(v, EV_REPLACED, &o);
    event->other_user_ref = c->orig_user_ref;
    event->old_ref = old_ref;
    bool announced = was_plain && only_rests(v, &o);
    event->flags = announced ? EV_MD_REPLACE : was_seen ? EV_MD_DELETE : 0;
    begin(v, naive_add(v, &o), lives, announced);
}

// ---- Cancel and Modify

static uint32_t may_stay(const struct resting *o, uint32_t total)
{
    uint32_t stay = total > o->executed ? total - o->executed : 0;
    return stay < o->open ? stay : o->open;
}

// Leaves `stay` of the order, the reserve goes first. Returns what was displayed and goes.
static uint32_t shrink(struct resting *o, uint32_t stay)
{
    uint32_t gone = 0;
    o->open = stay;
    if (o->in_book && o->shown > stay) {
        gone = o->displayed ? o->shown - stay : 0;
        o->shown = stay;
    }
    return gone;
}

static void say_gone(struct naive_venue *v, const struct resting *o, uint32_t quantity)
{
    naive_say_canceled(v, o, quantity, 'U', EV_MD_REDUCE);
    v->events[v->count - 1].session = SESSION_NONE;
}

void naive_cancel(struct naive_venue *v, const struct command *c)
{
    struct resting *o = naive_find(v, c->session, c->user_ref_idx, c->user_ref);
    v->outcome = NAIVE_NO_EFFECT;
    if (!o || c->refuse || may_stay(o, c->quantity) == o->open)
        return;
    v->outcome = NAIVE_ACCEPTED;
    uint32_t stay = may_stay(o, c->quantity), less = o->open - stay;
    if (!stay) {
        naive_cancel_whole(v, o, 'U');
        return;
    }
    uint32_t gone = shrink(o, stay);
    naive_say_canceled(v, o, less, 'U', gone == less ? EV_MD_REDUCE : 0);
    if (gone && gone < less)
        say_gone(v, o, gone);
}

void naive_modify(struct naive_venue *v, const struct command *c)
{
    struct resting *o = naive_find(v, c->session, c->user_ref_idx, c->user_ref);
    v->outcome = NAIVE_NO_EFFECT;
    if (!o || c->refuse || !side_may_become(o->side, c->side))
        return;
    uint32_t stay = may_stay(o, c->quantity);
    if (stay == o->open && o->side == c->side)
        return;
    v->outcome = NAIVE_ACCEPTED;
    if (!stay) {
        naive_cancel_whole(v, o, 'U');
        return;
    }
    uint32_t gone = shrink(o, stay);
    o->side = c->side;
    struct event *event = naive_event_of(v, EV_MODIFIED, naive_has(c, 26) ? 3 : 2, o);
    event->quantity = stay;
    event->options = (c->options & (1u << 25 | 1u << 26));
    event->shares_located = naive_has(c, 25) ? c->shares_located : 0;
    if (naive_has(c, 26))
        memcpy(event->locate_broker, c->locate_broker, 4);
    if (gone)
        say_gone(v, o, gone);
}
