// SPDX-License-Identifier: Apache-2.0
// Enter and Replace: numbers, room in the tables, the way into the book.
#include <string.h>

#include "tests/support/naive_state.h"

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

static bool may_rest(const struct resting *o)
{
    return o->tif != '3' && !o->market;
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
    if (!c->side || !strchr("BSTE", c->side))
        return 0x09;
    if (c->quantity == 0 || c->quantity > 999999)
        return 0x13;
    int code = naive_terms_code(v, c, o, false);
    if (code)
        return code;
    naive_settle_terms(v, o, c);
    *lives = naive_slides(v, o);
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
    if (c->refuse || !naive_side_may_become(original->side, o->side) || c->quantity > 999999 ||
        c->quantity <= original->executed || naive_terms_code(v, c, o, original->tif == '6'))
        return true;
    o->open = c->quantity - original->executed;
    naive_settle_terms(v, o, c);
    *lives = naive_slides(v, o);
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
