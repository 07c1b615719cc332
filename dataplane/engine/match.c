// SPDX-License-Identifier: Apache-2.0
// Matching: the incoming order takes the best contra price first, within it the oldest order, each at the maker's
// price.
#include "engine/market.h"
#include "engine/match_general.h"
#include "engine/orders.h"
#include "engine/place.h"
#include "engine/prefetch.h"
#include "engine/trades.h"
#include "engine/triggers.h"

static inline void emit_trade(struct engine *e, struct out *out, const struct incoming *in, const struct order *maker,
                              uint32_t quantity, const struct book *book)
{
    struct line second = {{trade_record(e, in, maker, quantity, maker->price, 'A'), word_at(book->name),
                           (uint64_t)'R' | (uint64_t)'A' << 8 | (uint64_t)(uint8_t)maker->side << 16}};
    emit_two(out,
             (struct head){.type = EV_TRADE,
                           .lines = 2,
                           .flags = EV_MD_EXECUTE,
                           .terms = in->terms,
                           .key = in->key,
                           .other = maker->key,
                           .ref = maker->ref,
                           .quantity = quantity,
                           .price = maker->price},
             second);
}

// Fills from the head of the best level until the order, the level or the room for events is used up. False: a maker
// is not plain, the general way goes on.
static inline __attribute__((always_inline)) bool fill_level(struct engine *e, struct out *out, struct book *book,
                                                             uint32_t id, bool risk)
{
    struct incoming *in = &e->in;
    struct level *level = &e->levels[id];
    uint32_t slot = level->head;
    bool plain = true;
    while (slot && in->quantity && !out_full(out)) {
        struct order *maker = &e->orders[slot];
        if (__builtin_expect(maker->special != 0, 0)) {
            plain = false;
            break;
        }
        uint32_t fill = in->quantity < maker->quantity ? in->quantity : maker->quantity;
        struct lookup_place place = lookup_place(e, maker->key);
        __builtin_prefetch(&e->buckets[lookup_first(e, place)], 1);
        __builtin_prefetch(&e->orders[maker->next], 1);
        if (risk)
            risk_look_at_next(e, in, maker);
        emit_trade(e, out, in, maker, fill, book);
        in->quantity -= fill;
        in->executed += fill;
        level->quantity -= fill;
        if (risk) {
            risk_taker_trade(e, in, fill, maker->price);
            risk_maker_trade(e, key_session(maker->key), maker->position, side_of(maker->side), fill, maker->price,
                             fill == maker->quantity);
        } else {
            risk_take(e, key_session(maker->key), side_of(maker->side), fill, maker->price, 0, 0, false);
        }
        if (fill < maker->quantity) {
            maker->quantity -= fill;
            maker->executed += fill;
            break;
        }
        uint32_t next = maker->next;
        lookup_remove(e, slot, place);
        session_remove(e, maker);
        slot_release(e, slot);
        level->head = next;
        if (next)
            e->orders[next].prev = 0;
        slot = next;
    }
    if (slot == 0) {
        level->tail = 0;
        book_level_empty(e, id, in->locate, side_of(in->side) ^ 1);
    }
    return plain;
}

static __attribute__((noinline)) void trades_watched(struct engine *e, const struct book *book, uint16_t locate,
                                                     uint32_t price, uint32_t count)
{
    if (book->watch & WATCH_STOPS)
        triggers_trade(e, locate, price);
    if (book->watch & WATCH_MARKET)
        market_trade(e, locate, price, count);
}

// Trades have happened at this price, `match` being the first one's number.
static inline void note_trades(struct engine *e, struct book *book, uint16_t locate, uint32_t price, uint64_t match)
{
    book->last_trade = price;
    if (__builtin_expect(book->watch & WATCH_TRADES, 0))
        trades_watched(e, book, locate, price, (uint32_t)(e->next_match - match));
}

// Puts what is left of the incoming order into the book; there is room in every table, entry has made sure.
static void rest(struct engine *e, struct out *out)
{
    struct incoming *in = &e->in;
    uint32_t slot = slot_take(e);
    struct bucket_place place = lookup_room(e, in->key);
    risk_add(e, key_session(in->key), side_of(in->side), in->quantity, in->price, in->position, 1, risk_on(e));
    order_place(e, in, side_of(in->side), &e->sessions[key_session(in->key)].orders, place,
                lookup_insert(e, place, in->key, slot), slot);
    emit_added(e, out, &e->orders[slot]);
}

static __attribute__((noinline)) void match_otherwise(struct engine *e, struct out *out)
{
    e->specials[0] = (struct special){0};
    general_begin(e);
    e->left.work = match_general(e, out) ? WORK_NONE : WORK_GENERAL;
}

// What the next order that takes from this side will touch first.
static LOOK void look_at_touch(const struct engine *e, const struct book *book, unsigned side)
{
    const struct order *order = &e->orders[e->levels[book->best_level[side]].head];
    __builtin_prefetch(&e->buckets[lookup_first(e, lookup_place(e, order->key))], 1);
    __builtin_prefetch(&e->members_live[order->member >> MEMBER_SHIFT], 1);
    __builtin_prefetch(&e->orders[order->next], 1);
}

static inline __attribute__((always_inline)) void match_plain(struct engine *e, struct out *out, bool risk)
{
    struct incoming *in = &e->in;
    struct book *book = &e->books[in->locate];
    unsigned side = side_of(in->side);
    bool plain = true;
    while (plain && in->quantity && !out_full(out) && book_crosses(book, side, in->limit)) {
        uint32_t price = book->best[side ^ 1], before = in->quantity;
        uint64_t match = e->next_match;
        plain = fill_level(e, out, book, book->best_level[side ^ 1], risk);
        if (in->quantity != before)
            note_trades(e, book, in->locate, price, match);
    }
    look_at_touch(e, book, side ^ 1);
    if (__builtin_expect(!plain, 0)) {
        match_otherwise(e, out);
        return;
    }
    if (in->quantity && out_full(out)) {
        e->left.work = WORK_MATCH;
        return;
    }
    e->left.work = WORK_NONE;
    if (in->quantity == 0)
        return;
    if (in->rests)
        rest(e, out);
    else
        incoming_cancel(e, out, 'I');
}

static __attribute__((noinline)) void match_with_risk(struct engine *e, struct out *out)
{
    match_plain(e, out, true);
}

void order_match(struct engine *e, struct out *out)
{
    if (risk_on(e))
        match_with_risk(e, out);
    else
        match_plain(e, out, false);
}
