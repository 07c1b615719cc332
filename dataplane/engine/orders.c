// SPDX-License-Identifier: Apache-2.0
// Enter, Replace, Cancel and Modify: what plain orders seldom come to (plain.h), and what is not plain.
#include "engine/orders.h"

#include "contract/fault.h"
#include "engine/afterwork.h"
#include "engine/market.h"
#include "engine/numbers.h"
#include "engine/options.h"
#include "engine/place.h"
#include "engine/plain.h"
#include "engine/risk_plain.h"
#include "engine/special.h"
#include "engine/terms.h"

// Something about the contra side is uncommon: the plain way may still be right when that is the market's state alone.
__attribute__((noinline)) bool plain_uncommon_fits(const struct engine *e, uint8_t uncommon, uint64_t terms,
                                                   uint32_t price)
{
    return uncommon == UNCOMMON_MARKET && market_plain(e, terms_locate(terms), terms_side(terms), price);
}

// An Enter of any kind from a session that may trade: every check in its order.
unsigned order_enter_any(struct engine *e, const struct command *c, struct event *events)
{
    struct out out = out_open(e, events);
    e->outcome = OUTCOME_NO_EFFECT;
    if (!session_may_trade(e, c))
        return 0;
    e->outcome = OUTCOME_DUPLICATE;
    if (!number_take(e, c) && !FAULT(duplicate_accepted))
        return 0;
    special_enter(e, c, &out);
    return step_close(e, &out);
}

// What risk asks of a plain order that cannot be passed at a glance. With `rests` it is counted.
static __attribute__((noinline)) admission admit_closely(struct engine *e, const struct command *c, uint64_t terms,
                                                         uint32_t original, uint32_t quantity, bool rests)
{
    struct risk_order order = {.command = c,
                               .original = original,
                               .session = c->session,
                               .account = e->sessions[c->session].account,
                               .locate = terms_locate(terms),
                               .side = side_of(terms_side(terms)),
                               .side_name = terms_side(terms),
                               .quantity = quantity,
                               .price = c->price,
                               .reach = c->price,
                               .asks = plain_asks(e, terms)};
    uint8_t reason = risk_check(e, &order);
    if (reason == REJECT_NONE && rests) {
        if (original)
            order_risk_take(e, &e->orders[original], 1);
        risk_add(e, c->session, order.side, quantity, c->price, order.position, 1, true);
    }
    return admitted_of(reason, order.position);
}

// The order as it is looked at. Its position is one at a glance only where each has a place of its own.
static inline __attribute__((always_inline)) struct risk_plain plain_order(const struct engine *e,
                                                                           const struct command *c, uint64_t terms,
                                                                           unsigned side, uint32_t original,
                                                                           uint32_t quantity, bool rests)
{
    const struct order *from = &e->orders[original];
    struct risk_plain order = {.terms = terms,
                               .session = c->session,
                               .side = side,
                               .quantity = quantity,
                               .price = c->price,
                               .counted = c->price,
                               .orders = original == 0};
    if (original) {
        order.position = from->position;
        order.open = from->quantity;
        order.open_price = from->price;
    } else {
        order.position = position_own(&e->risk, e->sessions[c->session].account, terms_locate(terms));
    }
    const struct book *book = &e->books[terms_locate(terms)];
    if (!rests && side == SELL && order.counted < book->best[BUY])
        order.counted = book->best[BUY];
    return order;
}

// The same with what its session, symbol and parties have, and closely when that does not do.
static __attribute__((noinline)) admission admit_again(struct engine *e, const struct command *c, uint64_t terms,
                                                       uint32_t original, uint32_t quantity, bool rests)
{
    struct risk_plain order = plain_order(e, c, terms, side_of(terms_side(terms)), original, quantity, rests);
    if (original == 0 && e->risk.row == 0)
        order.position = position_find(e, e->sessions[c->session].account, terms_locate(terms));
    if (rests ? risk_pass(e, order, true, ONCE_MORE) : risk_pass(e, order, false, ONCE_MORE))
        return admitted_of(REJECT_NONE, order.position);
    return admit_closely(e, c, terms, original, quantity, rests);
}

// `original` is the slot of the order that this one replaces, 0 for an Enter. With `rests` it is counted: position and
// parties have it, and its original no more. Without a call but the last, so that registers do.
static inline __attribute__((always_inline)) admission admit(struct engine *e, const struct command *c, uint64_t terms,
                                                             unsigned side, uint32_t original, uint32_t quantity,
                                                             bool rests)
{
    const struct risk_plain order = plain_order(e, c, terms, side, original, quantity, rests);
    if (__builtin_expect(original == 0 && e->risk.row == 0, 0) ||
        __builtin_expect(!risk_pass(e, order, rests, AT_A_GLANCE), 0))
        return admit_again(e, c, terms, original, quantity, rests);
    return admitted_of(REJECT_NONE, order.position);
}

// Functions of their own, because registers are few.
__attribute__((noinline)) admission plain_admit_enter(struct engine *e, const struct command *c, uint64_t terms,
                                                      unsigned side)
{
    return admit(e, c, terms, side, 0, c->quantity, true);
}

__attribute__((noinline)) admission plain_admit_replace(struct engine *e, const struct command *c, uint64_t terms,
                                                        unsigned side, uint32_t original, uint32_t quantity)
{
    return admit(e, c, terms, side, original, quantity, true);
}

static __attribute__((noinline)) admission admit_taking(struct engine *e, const struct command *c, uint64_t terms,
                                                        unsigned side, uint32_t original, uint32_t quantity)
{
    risk_look_at_first(e, &e->books[terms_locate(terms)], side ^ 1);
    risk_look_at_taker(e, c->session,
                       position_own(&e->risk, e->sessions[c->session].account, terms_locate(terms)) &
                           -(uint32_t)(e->risk.row != 0));
    return admit(e, c, terms, side, original, quantity, false);
}

// An order that risk refuses: it has its number, and a replaced one stays.
__attribute__((noinline, cold)) unsigned plain_refuse(struct engine *e, const struct command *c, uint8_t reason,
                                                      struct event *events)
{
    struct out out = out_open(e, events);
    emit_rejected(&out, c, reason);
    e->outcome = OUTCOME_REJECTED;
    return step_close(e, &out);
}

// A plain order that meets the contra side, or is not to rest.
__attribute__((noinline)) unsigned plain_enter_taking(struct engine *e, const struct command *c, uint32_t tick_index,
                                                      struct event *events)
{
    uint64_t terms = terms_word(c);
    admission admitted = 0;
    if (risk_on(e))
        admitted = admit_taking(e, c, terms, side_of(terms_side(terms)), 0, c->quantity);
    if (UNLIKELY(admitted_reason(admitted) != REJECT_NONE))
        return plain_refuse(e, c, admitted_reason(admitted), events);
    struct out out = out_open(e, events);
    e->outcome = OUTCOME_ACCEPTED;
    e->in = (struct incoming){.key = command_key(c),
                              .ref = e->next_ref++,
                              .limit = c->price,
                              .tick_index = tick_index,
                              .quantity = c->quantity,
                              .price = c->price,
                              .terms = terms,
                              .rests = c->tif == '0',
                              .position = admitted_position(admitted)};
    emit_accepted(&out, c, terms, e->in.ref, 0);
    order_match(e, &out);
    return step_close(e, &out);
}

unsigned order_enter_risk(struct engine *e, const struct command *c, const struct engine_aim *aim, struct event *events)
{
    bool straight;
    return plain_enter(e, c, aim, events, true, &straight);
}

unsigned order_enter(struct engine *e, const struct command *c, struct event *events)
{
    bool straight;
    return plain_enter(e, c, NULL, events, false, &straight);
}

// A Replace of any kind whose number is fresh and whose original, in `slot`, is live: every check in its order.
__attribute__((noinline)) unsigned plain_replace_any(struct engine *e, const struct command *c, uint32_t slot,
                                                     struct event *events)
{
    struct out out = out_open(e, events);
    if (e->sessions[c->session].disabled & DISABLED_BY_USER) { // outcome (c)
        number_take(e, c);
        emit_rejected(&out, c, REJECT_FIRM);
        e->outcome = OUTCOME_REJECTED;
        return step_close(e, &out);
    }
    e->outcome = OUTCOME_NONE;
    special_replace(e, c, slot, &out);
    return step_close(e, &out);
}

// A plain replacement that meets the contra side, or is not to rest.
__attribute__((noinline)) unsigned plain_replace_taking(struct engine *e, const struct command *c, uint32_t slot,
                                                        uint32_t tick_index, struct event *events)
{
    const struct order *order = &e->orders[slot];
    uint64_t terms = replace_terms(c, order->terms);
    uint32_t quantity = c->quantity - order->executed;
    admission admitted = 0;
    if (risk_on(e))
        admitted = admit_taking(e, c, terms, side_of(terms_side(terms)), slot, quantity);
    if (UNLIKELY(admitted_reason(admitted) != REJECT_NONE))
        return plain_refuse(e, c, admitted_reason(admitted), events);
    struct out out = out_open(e, events);
    e->outcome = OUTCOME_ACCEPTED;
    e->in = (struct incoming){.key = command_key(c),
                              .ref = e->next_ref++,
                              .limit = c->price,
                              .tick_index = tick_index,
                              .quantity = quantity,
                              .price = c->price,
                              .terms = terms,
                              .executed = order->executed,
                              .group_id = order->group_id,
                              .rests = c->tif == '0',
                              .position = admitted_position(admitted)};
    emit_replaced(&out, c, &e->in, word_at(e->books[terms_locate(terms)].name), order->ref, EV_MD_DELETE);
    order_drop(e, slot);
    order_match(e, &out);
    return step_close(e, &out);
}

unsigned order_replace_risk(struct engine *e, const struct command *c, const struct engine_aim *aim,
                            struct event *events)
{
    bool straight;
    return plain_replace(e, c, aim, events, true, &straight);
}

unsigned order_replace(struct engine *e, const struct command *c, struct event *events)
{
    bool straight;
    return plain_replace(e, c, NULL, events, false, &straight);
}

// Reduces the open quantity in place; the order keeps its priority.
static void reduce(struct engine *e, struct order *order, uint32_t by)
{
    risk_take(e, key_session(order->key), side_of(order->side), by, order->price, order->position, 0, risk_on(e));
    order->quantity -= by;
    e->levels[order->level].quantity -= by;
}

// A Cancel of an order that is not plain, or that leaves something of it.
__attribute__((noinline)) unsigned plain_cancel_any(struct engine *e, const struct command *c, uint32_t slot,
                                                    struct event *events)
{
    struct order *order = &e->orders[slot];
    struct out out = out_open(e, events);
    if (order->special) {
        special_cancel(e, c, slot, &out);
        return step_close(e, &out);
    }
    uint32_t less = order->quantity - order_remaining(order, order->quantity, c->quantity);
    e->outcome = less ? OUTCOME_ACCEPTED : OUTCOME_NO_EFFECT;
    if (less) {
        emit_canceled(&out, order, less, 'U', EV_MD_REDUCE);
        reduce(e, order, less);
    }
    return step_close(e, &out);
}

// A Cancel of an order that is not live: all that it may leave is that its session's messages have come to a level.
__attribute__((noinline)) unsigned plain_cancel_nothing(struct engine *e, struct event *events)
{
    struct out out = out_open(e, events);
    return step_close(e, &out);
}

// The end of a Cancel whose order has left something empty. Behind everything else, so that the common way calls
// nothing.
__attribute__((noinline)) unsigned plain_cancel_emptied(struct engine *e, uint32_t slot, uint16_t session,
                                                        struct emptied emptied, struct event *events)
{
    order_emptied(e, &e->orders[slot], &e->sessions[session].orders, emptied);
    return step_end(e, events, 1);
}

unsigned order_cancel_risk(struct engine *e, const struct command *c, const struct engine_aim *aim,
                           struct event *events)
{
    bool straight;
    return plain_cancel(e, c, aim, events, true, &straight);
}

unsigned order_cancel(struct engine *e, const struct command *c, struct event *events)
{
    bool straight;
    return plain_cancel(e, c, NULL, events, false, &straight);
}

void emit_modified(struct out *out, const struct order *order, const struct command *c, uint32_t open)
{
    struct event event = {.type = EV_MODIFIED,
                          .lines = 2,
                          .session = c->session,
                          .locate = order->locate,
                          .user_ref = c->user_ref,
                          .ref = order->ref,
                          .quantity = open,
                          .price = order->price,
                          .user_ref_idx = c->user_ref_idx,
                          .side = order->side};
    event.options = c->options & (OPTION(TAG_SHARES_LOCATED) | OPTION(TAG_LOCATE_BROKER));
    event.shares_located = c->shares_located;
    if (event.options & OPTION(TAG_LOCATE_BROKER)) {
        event.lines = 3;
        memcpy(event.locate_broker, c->locate_broker, sizeof event.locate_broker);
    }
    emit_event(out, &event);
}

void order_modify(struct engine *e, const struct command *c, struct out *out)
{
    e->outcome = OUTCOME_NO_EFFECT;
    uint32_t slot = lookup_slot(e, command_key(c));
    if (slot == 0 || c->refuse != REJECT_NONE)
        return;
    struct order *order = &e->orders[slot];
    if (order->special) {
        special_modify(e, c, slot, out);
        return;
    }
    char side = order_side_change(order->side, c->side);
    uint32_t remaining = order_remaining(order, order->quantity, c->quantity);
    if (side == 0 || (side == order->side && remaining == order->quantity))
        return;
    e->outcome = OUTCOME_ACCEPTED;
    if (remaining == 0) {
        emit_canceled(out, order, order->quantity, 'U', EV_MD_DELETE);
        order_drop(e, slot);
        return;
    }
    uint32_t less = order->quantity - remaining;
    order->side = side;
    reduce(e, order, less);
    emit_modified(out, order, c, order->quantity);
    if (less) // OUCH says what is left, ITCH what has gone
        emit_less(out, order, less);
}
