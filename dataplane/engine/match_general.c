// SPDX-License-Identifier: Apache-2.0
// One taker against everything: the displayed side is taken from its head; on the hidden side a cursor moves on,
// because orders whose minimum is too large are passed over and, as the taker only shrinks, are passed over for good.
#include "engine/match_general.h"

#include "engine/aiq.h"
#include "engine/conditional.h"
#include "engine/market.h"
#include "engine/match_count.h"
#include "engine/pegs.h"
#include "engine/place.h"
#include "engine/special.h"
#include "engine/trades.h"
#include "engine/triggers.h"
#include "engine/wish.h"

// A maker is met only when there is room for all that may come of it: both decrements, the maker's refresh, the end of
// the taker.
#define MEETING_EVENTS 4

static bool room(const struct out *out)
{
    return out->count + MEETING_EVENTS <= ENGINE_EVENTS_MAX;
}

// As far as the bands let it. What is left of a released stop whose limit lies beyond them can not rest.
static void cap_taker(struct engine *e, const struct book *book)
{
    struct incoming *in = &e->in;
    unsigned side = side_of(in->side);
    in->limit = market_cap(e, book, in->locate, side, in->limit);
    if (in->price <= PRICE_MAX && price_rank(side, in->price) > price_rank(side, in->limit))
        in->rests = false;
}

void general_begin(struct engine *e)
{
    const struct special *s = &e->specials[e->in.special];
    const struct book *book = &e->books[e->in.locate];
    if (book->watch & WATCH_MARKET)
        cap_taker(e, book);
    e->walk = (struct walk){.stage = s->post_only == 'P' ? WALK_OVER : s->min_qty ? WALK_COUNT : WALK_TAKE};
}

void general_retake(struct engine *e, uint32_t slot, uint32_t limit, uint32_t price, bool rests)
{
    special_leave(e, slot);
    const struct order *order = &e->orders[slot];
    e->in = (struct incoming){.key = order->key,
                              .ref = order->ref,
                              .limit = limit,
                              .price = price,
                              .quantity = order->quantity,
                              .executed = order->executed,
                              .terms = order->terms,
                              .group_id = order->group_id,
                              .rests = rests,
                              .unplain = true,
                              .slot = slot,
                              .special = order->special,
                              .position = order->position};
    general_begin(e);
}

static void emit_taker_canceled(const struct engine *e, struct out *out, uint32_t quantity, char reason)
{
    const struct incoming *in = &e->in;
    emit_one(out, (struct head){.type = EV_CANCELED,
                                .lines = 1,
                                .reason = reason,
                                .terms = in->terms,
                                .key = in->key,
                                .ref = in->ref,
                                .quantity = quantity,
                                .price = in->price});
}

void incoming_cancel(struct engine *e, struct out *out, char reason)
{
    emit_taker_canceled(e, out, e->in.quantity, reason);
    e->in.quantity = 0;
    if (e->in.slot)
        special_drop(e, e->in.slot);
}

void incoming_wait(struct engine *e)
{
    conditional_add(e, e->orders[special_place(e)].special);
}

// The firm that market data names: of an attributable order its account's.
static uint32_t firm_shown(const struct engine *e, const struct order *order)
{
    uint32_t firm = 0;
    if (order->display == 'A')
        memcpy(&firm, e->accounts[e->sessions[key_session(order->key)].account].firm, sizeof firm);
    return firm;
}

void emit_added(const struct engine *e, struct out *out, const struct order *order)
{
    uint64_t display = order->display == 'A' ? (uint64_t)'A' << 8 : 0;
    struct line second = {
        {word_at(e->books[order->locate].name), 0, 0, 0, display, (uint64_t)firm_shown(e, order) << 32}};
    emit_two(out,
             (struct head){.type = EV_BOOK_ADD,
                           .lines = 2,
                           .flags = EV_MD_ADD,
                           .terms = order->terms,
                           .key = order->key | KEY_NOBODY,
                           .ref = order->ref,
                           .quantity = order->quantity,
                           .price = order->price},
             second);
}

static void emit_restated(const struct engine *e, struct out *out, const struct order *order)
{
    struct event event = {.type = EV_RESTATED,
                          .lines = 3,
                          .flags = EV_MD_ADD,
                          .reason = 'R',
                          .session = key_session(order->key),
                          .locate = order->locate,
                          .user_ref = key_user_ref(order->key),
                          .ref = order->ref,
                          .quantity = order->quantity,
                          .price = order->price,
                          .user_ref_idx = key_channel(order->key),
                          .side = order->side};
    memcpy(event.symbol, e->books[order->locate].name, sizeof event.symbol);
    event.options = OPTION(TAG_SECONDARY_REF) | OPTION(TAG_DISPLAY_QUANTITY);
    event.display_quantity = order->quantity;
    event.secondary_ref = order->ref;
    event.display = order->display == 'A' ? 'A' : 0;
    uint32_t firm = firm_shown(e, order);
    memcpy(event.firm, &firm, sizeof event.firm);
    emit_event(out, &event);
}

struct liquidity {
    char taker, maker;
};

static struct liquidity liquidity_of(const struct engine *e, const struct order *maker)
{
    char type = maker->special ? e->specials[maker->special].price_type : 'L';
    if (type == 'M' || type == 'm')
        return (struct liquidity){'m', 'k'};
    return (struct liquidity){'R', maker->display == 'N' ? 'J' : 'A'};
}

// The displayed part is used up: the next one, or the order's end. `slot` has nothing left in its level.
static void refresh_or_drop(struct engine *e, struct out *out, uint32_t slot)
{
    struct order *order = &e->orders[slot];
    if (order->special == 0) {
        order_drop(e, slot);
    } else if (e->specials[order->special].reserve == 0) {
        special_drop(e, slot);
    } else {
        special_leave(e, slot);
        reserve_draw(e, slot);
        order->ref = e->next_ref++;
        special_join(e, slot);
        emit_restated(e, out, order);
    }
}

static void shrink_maker(struct engine *e, struct order *maker, uint32_t quantity)
{
    risk_take(e, key_session(maker->key), side_of(maker->side), quantity, maker->price, maker->position, 0, risk_on(e));
    maker->quantity -= quantity;
    maker->executed += quantity;
    e->levels[maker->level].quantity -= quantity;
    e->in.quantity -= quantity;
    e->in.executed += quantity;
}

static void trade(struct engine *e, struct out *out, uint32_t slot, uint32_t price, bool by_discretion)
{
    const struct incoming *in = &e->in;
    struct order *maker = &e->orders[slot];
    struct book *book = &e->books[in->locate];
    uint32_t quantity = in->quantity < maker->quantity ? in->quantity : maker->quantity;
    bool shown = maker->display != 'N';
    struct liquidity liquidity = liquidity_of(e, maker);
    uint64_t match = trade_record(e, in, maker, quantity, price, liquidity.maker);
    struct line second = {{match, word_at(book->name),
                           (uint64_t)(uint8_t)liquidity.taker | (uint64_t)(uint8_t)liquidity.maker << 8 |
                               (uint64_t)(uint8_t)maker->side << 16 | (uint64_t)(shown && by_discretion) << 24}};
    emit_two(out,
             (struct head){.type = EV_TRADE,
                           .lines = 2,
                           .flags = shown ? EV_MD_EXECUTE : EV_MD_OTHER,
                           .terms = in->terms,
                           .key = in->key,
                           .other = maker->key,
                           .ref = maker->ref,
                           .quantity = quantity,
                           .price = price},
             second);
    book->last_trade = price;
    if (book->watch & WATCH_STOPS)
        triggers_trade(e, in->locate, price);
    if (book->watch & WATCH_MARKET)
        market_trade(e, in->locate, price, 1);
    shrink_maker(e, maker, quantity);
    if (risk_on(e))
        risk_trade(e, in, maker, quantity, price);
    risk_look(e, key_session(in->key));
    risk_look(e, key_session(maker->key));
    if (maker->quantity == 0)
        refresh_or_drop(e, out, slot);
}

// One side's loss by decrement. With details an event of its own kind.
static void emit_decrement(struct out *out, struct head head, bool details, char liquidity, char strategy)
{
    head.type = details ? EV_AIQ_CANCELED : EV_CANCELED;
    head.lines = details ? 3 : 1;
    head.reason = 'Q';
    struct event event = {0};
    store_line(&event, head_line(out, head));
    if (details) {
        event.taker_liquidity = liquidity;
        event.aiq_strategy = strategy;
        event.prevented_qty = head.quantity;
    }
    emit_event(out, &event);
}

static void decrement(struct engine *e, struct out *out, uint32_t slot, uint32_t price, bool details)
{
    const struct incoming *in = &e->in;
    struct order *maker = &e->orders[slot];
    char strategy = e->specials[in->special].aiq_strategy;
    struct liquidity liquidity = liquidity_of(e, maker);
    uint32_t quantity = in->quantity < maker->quantity ? in->quantity : maker->quantity;
    uint8_t shown = maker->display == 'N' ? 0 : quantity == maker->quantity ? EV_MD_DELETE : EV_MD_REDUCE;
    struct head taker = {
        .terms = in->terms, .key = in->key, .ref = in->ref, .quantity = quantity, .price = details ? price : in->price};
    struct head other = {.flags = shown,
                         .terms = maker->terms,
                         .key = maker->key,
                         .ref = maker->ref,
                         .quantity = quantity,
                         .price = details ? price : maker->price};
    emit_decrement(out, taker, details, liquidity.taker, strategy);
    emit_decrement(out, other, details, liquidity.maker, strategy);
    shrink_maker(e, maker, quantity);
    if (maker->quantity == 0)
        refresh_or_drop(e, out, slot);
}

// The taker meets the resting order: they trade, or what rule 11 says. What is left of the taker when it is canceled
// is nothing.
static void meet(struct engine *e, struct out *out, uint32_t slot, uint32_t price, bool by_discretion)
{
    struct incoming *in = &e->in;
    enum aiq_action action = aiq_meet(e, key_session(in->key), &e->specials[in->special], &e->orders[slot]);
    if (action == AIQ_TRADE) {
        trade(e, out, slot, price, by_discretion);
        return;
    }
    if (action == AIQ_DECREMENT || action == AIQ_DECREMENT_QUIET) {
        decrement(e, out, slot, price, action == AIQ_DECREMENT);
        return;
    }
    if (action != AIQ_NEWEST)
        order_cancel_whole(e, out, slot, 'Q');
    if (action != AIQ_OLDEST) {
        emit_taker_canceled(e, out, in->quantity, 'Q');
        in->quantity = 0;
    }
}

// Meets the contra orders that the limit crosses. False: the step has to end first.
static bool take(struct engine *e, struct out *out, unsigned *looks)
{
    const struct incoming *in = &e->in;
    struct walk *walk = &e->walk;
    const struct book *book = &e->books[in->locate];
    unsigned side = side_of(in->side), contra = side ^ 1;
    if (!walk->begun) {
        walk->begun = true;
        walk->hidden = hidden_first(e, book, contra);
    }
    while (in->quantity) {
        const struct order *hidden = &e->orders[walk->hidden];
        bool shown = book_crosses(book, side, in->limit);
        bool behind = walk->hidden && price_rank(side, in->limit) >= price_rank(side, hidden->price);
        if (!shown && !behind)
            return true;
        if (!room(out) || *looks == 0)
            return false;
        --*looks;
        if (shown && (!behind || price_rank(contra, book->best[contra]) >= price_rank(contra, hidden->price))) {
            uint32_t slot = e->levels[book->best_level[contra]].head;
            meet(e, out, slot, e->orders[slot].price, false);
            continue;
        }
        uint32_t slot = walk->hidden, next = hidden_next(e, slot), quantity = hidden->quantity;
        uint32_t least = e->specials[hidden->special].min_qty;
        least = least < quantity ? least : quantity;
        walk->hidden = next;
        if (least <= in->quantity)
            meet(e, out, slot, hidden->price, false);
    }
    return true;
}

// Contra orders that reach the taker's limit by discretion. A taker with a minimum takes what its count knows, no more.
static bool take_discretion(struct engine *e, struct out *out, unsigned *looks)
{
    const struct incoming *in = &e->in;
    unsigned contra = side_of(in->side) ^ 1;
    if (in->price > PRICE_MAX) // a market order
        return true;
    while (in->quantity && e->backs[in->locate].discretion[contra]) {
        if (!room(out) || *looks == 0)
            return false;
        uint32_t cost = e->backs[in->locate].conditional;
        *looks = *looks > cost ? *looks - cost : 0;
        uint32_t special = discretion_next(e, in->locate, contra, in->limit, 0);
        while (e->specials[in->special].min_qty && special && e->specials[special].discretion_type != 'L')
            special = discretion_next(e, in->locate, contra, in->limit, special);
        if (special == 0)
            return true;
        meet(e, out, e->specials[special].slot, in->limit, true);
    }
    return true;
}

// What is left of the taker comes to rest.
static void rest(struct engine *e, struct out *out)
{
    struct incoming *in = &e->in;
    bool new = in->slot == 0;
    uint32_t slot = new ? special_place(e) : in->slot;
    struct order *order = &e->orders[slot];
    struct special *s = &e->specials[order->special];
    order_risk_take(e, order, 0);
    order->quantity = in->quantity;
    order->executed = in->executed;
    order->price = in->price;
    if (order->special && s->refreshes) {
        s->reserve = order->quantity;
        reserve_draw(e, slot);
    }
    order_risk_add(e, order, 0);
    risk_look(e, key_session(order->key));
    special_join(e, slot);
    if (new && order->special && s->kinds)
        conditional_add(e, order->special);
    if (order->display != 'N' && !in->added)
        emit_added(e, out, order);
}

static void finish(struct engine *e, struct out *out)
{
    struct incoming *in = &e->in;
    e->walk.begun = false;
    if (in->quantity == 0) {
        if (in->slot)
            special_drop(e, in->slot);
    } else if (in->rests) {
        rest(e, out);
    } else {
        incoming_cancel(e, out, 'I');
    }
}

bool match_general(struct engine *e, struct out *out)
{
    struct walk *walk = &e->walk;
    unsigned looks = WALK_MAX;
    if (walk->stage == WALK_COUNT && !count_minimum(e, &looks))
        return false;
    if (walk->stage == WALK_TAKE) {
        if (!take(e, out, &looks))
            return false;
        walk->stage = WALK_DISCRETION;
    }
    if (walk->stage == WALK_DISCRETION) {
        if (!take_discretion(e, out, &looks))
            return false;
        walk->stage = WALK_OVER;
    }
    if (!room(out))
        return false;
    finish(e, out);
    return true;
}
