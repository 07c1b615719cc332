// SPDX-License-Identifier: Apache-2.0
// Events are enough: from them alone, without ever asking the book, are built the whole displayed book in its order
// (L3), its levels (L2) and best prices (L1), what every session has open and executed (drop copy), and positions. On
// random days of every order type, with busts, adjustments, halts and kills, all of it is the engine's after every
// command, and no share is lost: what was accepted is executed, canceled or open.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/book.h"
#include "engine/lookup.h"
#include "engine/place.h"
#include "engine/positions.h"
#include "tests/support/market_flow.h"
#include "tests/support/random_flow.h"

#define DAYS 40
#define COMMANDS 3000
#define MOST 8192
#define ACCOUNTS 4
#define SYMBOLS 3

// ---- what is built

struct shown { // an order of the feed
    uint64_t ref, since;
    uint32_t quantity, price;
    uint16_t locate;
    bool buys;
};

struct owned { // an order of a session
    uint64_t ref;
    uint32_t user_ref, open, executed, canceled, accepted;
    uint16_t session, locate;
    uint8_t channel;
    char side;
};

static struct {
    struct shown feed[MOST];
    size_t shown;
    struct owned orders[MOST];
    size_t owned;
    int64_t positions[ACCOUNTS][SYMBOLS + 1];
    uint64_t clock, trades, broken, restated;
} built;

static struct rig rig;
static uint64_t seed, at;

#define WRONG(...)                                                                                  \
    do {                                                                                            \
        print_error("seed %llu, command %llu: ", (unsigned long long)seed, (unsigned long long)at); \
        fail_msg(__VA_ARGS__);                                                                      \
    } while (0)

// ---- the feed: by MD flags alone

static struct shown *shown_find(uint64_t ref)
{
    for (size_t i = 0; i < built.shown; i++)
        if (built.feed[i].ref == ref)
            return &built.feed[i];
    WRONG("the feed names reference %llu, which it has not added", (unsigned long long)ref);
    return NULL;
}

static void shown_add(uint64_t ref, uint16_t locate, char side, uint32_t quantity, uint32_t price)
{
    if (built.shown == MOST || quantity == 0)
        WRONG("an add of %u", quantity);
    built.feed[built.shown++] = (struct shown){ref, ++built.clock, quantity, price, locate, side == 'B'};
}

static void shown_reduce(uint64_t ref, uint32_t quantity)
{
    struct shown *s = shown_find(ref);
    if (quantity > s->quantity)
        WRONG("%u of %u are taken from the feed", quantity, s->quantity);
    s->quantity -= quantity;
    if (s->quantity == 0)
        *s = built.feed[--built.shown];
}

static void take_feed(const struct event *e)
{
    if (e->flags & EV_MD_ADD)
        shown_add(e->ref, e->locate, e->side, e->type == EV_RESTATED ? e->display_quantity : e->quantity, e->price);
    if (e->flags & EV_MD_REPLACE) {
        shown_reduce(e->old_ref, shown_find(e->old_ref)->quantity);
        shown_add(e->ref, e->locate, e->side, e->quantity, e->price);
    }
    if (e->flags & EV_MD_DELETE) {
        uint64_t ref = e->type == EV_REPLACED ? e->old_ref : e->ref;
        shown_reduce(ref, shown_find(ref)->quantity);
    }
    if (e->flags & (EV_MD_REDUCE | EV_MD_EXECUTE))
        shown_reduce(e->ref, e->quantity);
}

// ---- sessions: by what is told to them

static struct owned *owned_find(uint16_t session, uint8_t channel, uint32_t user_ref)
{
    for (size_t i = built.owned; i-- > 0;)
        if (built.orders[i].user_ref == user_ref && built.orders[i].session == session &&
            built.orders[i].channel == channel)
            return &built.orders[i];
    WRONG("session %u is told of order %u, which it does not have", session, user_ref);
    return NULL;
}

// Every share has gone one way.
static void owned_close(struct owned *o)
{
    if (o->open)
        return;
    if (o->accepted != o->executed + o->canceled)
        WRONG("of %u shares %u were executed and %u canceled", o->accepted, o->executed, o->canceled);
    *o = built.orders[--built.owned];
}

static void owned_loses(struct owned *o, uint32_t quantity, bool executed)
{
    if (quantity > o->open)
        WRONG("%u of %u open shares of order %u are gone", quantity, o->open, o->user_ref);
    o->open -= quantity;
    o->executed += executed ? quantity : 0;
    o->canceled += executed ? 0 : quantity;
    owned_close(o);
}

static void owned_begin(const struct event *e)
{
    struct owned *o = &built.orders[built.owned];
    if (built.owned == MOST)
        WRONG("too many orders");
    *o = (struct owned){.ref = e->ref,
                        .user_ref = e->user_ref,
                        .open = e->quantity,
                        .accepted = e->quantity,
                        .session = e->session,
                        .locate = e->locate,
                        .channel = e->user_ref_idx,
                        .side = e->side};
    if (e->type == EV_REPLACED) { // a chain goes on: what it has executed stays so
        struct owned *original = owned_find(e->session, e->user_ref_idx, e->other_user_ref);
        o->executed = original->executed;
        o->canceled = original->canceled;
        o->accepted = o->open + o->executed + o->canceled;
        *original = *o;
        return;
    }
    built.owned++;
}

static void position_moves(uint16_t session, uint16_t locate, char side, int64_t quantity)
{
    built.positions[session % ACCOUNTS][locate] += side == 'B' ? quantity : -quantity;
}

static void take_trade(const struct event *e)
{
    built.trades++;
    position_moves(e->session, e->locate, e->side, e->quantity);
    position_moves(e->other_session, e->locate, e->maker_side, e->quantity);
    if (e->ref == 0) // of an adjustment: no order has part in it
        return;
    owned_loses(owned_find(e->session, e->user_ref_idx, e->user_ref), e->quantity, true);
    owned_loses(owned_find(e->other_session, e->other_user_ref_idx, e->other_user_ref), e->quantity, true);
}

static void take_event(const struct event *e)
{
    take_feed(e);
    if (e->session == SESSION_NONE)
        return;
    struct owned *o;
    switch (e->type) {
    case EV_ACCEPTED:
    case EV_REPLACED:
        owned_begin(e);
        break;
    case EV_CANCELED:
    case EV_AIQ_CANCELED:
        owned_loses(owned_find(e->session, e->user_ref_idx, e->user_ref),
                    e->type == EV_CANCELED ? e->quantity : e->prevented_qty, e->reason == 'Q');
        break;
    case EV_TRADE:
        take_trade(e);
        break;
    case EV_MODIFIED:
        o = owned_find(e->session, e->user_ref_idx, e->user_ref);
        o->side = e->side;
        owned_loses(o, o->open - e->quantity, false);
        break;
    case EV_RESTATED:
    case EV_PRIORITY:
        built.restated++;
        owned_find(e->session, e->user_ref_idx, e->user_ref)->ref = e->ref;
        break;
    case EV_BROKEN: // one event a party
        built.broken++;
        position_moves(e->session, e->locate, e->side, -(int64_t)e->quantity);
        break;
    default:
        break;
    }
}

// ---- what the engine has

// The feed's order behind `since` at that place; NULL: there is none.
static const struct shown *shown_next(uint16_t locate, bool buys, uint32_t price, uint64_t since)
{
    const struct shown *next = NULL;
    for (size_t i = 0; i < built.shown; i++) {
        const struct shown *s = &built.feed[i];
        if (s->locate == locate && s->buys == buys && s->price == price && s->since > since &&
            (!next || s->since < next->since))
            next = s;
    }
    return next;
}

// One price: its orders one by one, in their order, and what they come to.
static size_t same_level(uint16_t locate, bool buys, const struct engine_level *level, uint32_t slot)
{
    const struct engine *e = rig.engine;
    uint64_t since = 0, quantity = 0;
    size_t orders = 0;
    for (; slot; slot = e->orders[slot].next, orders++) {
        const struct order *order = &e->orders[slot];
        const struct shown *s = shown_next(locate, buys, level->price, since);
        if (!s || s->ref != order->ref || s->quantity != order->quantity)
            WRONG("order %zu at %u is reference %llu of %u, the feed has %llu of %u", orders, level->price,
                  (unsigned long long)order->ref, order->quantity, s ? (unsigned long long)s->ref : 0,
                  s ? s->quantity : 0);
        since = s->since;
        quantity += s->quantity;
    }
    if (shown_next(locate, buys, level->price, since) || quantity != level->quantity || orders != level->orders)
        WRONG("the feed has another level at %u", level->price);
    return orders;
}

static void same_books(void)
{
    struct engine *e = rig.engine;
    static struct engine_level levels[MOST];
    size_t seen = 0;
    for (uint16_t locate = 1; locate <= SYMBOLS; locate++)
        for (unsigned side = BUY; side <= SELL; side++) {
            unsigned count = engine_levels(e, locate, side == BUY ? 'B' : 'S', levels, MOST);
            uint32_t best = side == BUY ? NO_BID : NO_ASK;
            for (size_t i = 0; i < built.shown; i++) {
                const struct shown *s = &built.feed[i];
                if (s->locate == locate && s->buys == (side == BUY) &&
                    price_rank(side, s->price) > price_rank(side, best))
                    best = s->price;
            }
            if (best != e->books[locate].best[side])
                WRONG("the feed's best price is %u, the engine's %u", best, e->books[locate].best[side]);
            for (unsigned i = 0; i < count; i++) {
                uint32_t id = book_level(e, locate, side, book_tick_index(&e->books[locate], levels[i].price));
                seen += same_level(locate, side == BUY, &levels[i], e->levels[id].head);
            }
        }
    if (seen != built.shown)
        WRONG("the feed has %zu orders, the engine shows %zu", built.shown, seen);
}

static void same_sessions(void)
{
    const struct engine *e = rig.engine;
    for (size_t i = 0; i < built.owned; i++) {
        const struct owned *o = &built.orders[i];
        const struct order *order = &e->orders[lookup_slot(e, order_key(o->session, o->channel, o->user_ref))];
        if (o->open != order_open(e, order) || o->executed != order->executed || o->side != order->side ||
            o->locate != order->locate || o->ref != order->ref)
            WRONG("order %u has %u open and %u executed, its session was told of %u and %u", o->user_ref,
                  order_open(e, order), order->executed, o->open, o->executed);
    }
    if (engine_live_orders(e) != built.owned)
        WRONG("%u orders live, sessions were told of %zu", engine_live_orders(e), built.owned);
}

static void same_positions(void)
{
    const struct engine *e = rig.engine;
    for (uint16_t account = 0; account < ACCOUNTS; account++)
        for (uint16_t locate = 1; locate <= SYMBOLS; locate++) {
            uint32_t number = position_find(e, account, locate);
            int64_t quantity = number ? e->risk.positions[number].quantity : 0;
            if (quantity != built.positions[account][locate])
                WRONG("account %u has %lld of symbol %u, by the events %lld", account, (long long)quantity, locate,
                      (long long)built.positions[account][locate]);
        }
}

static void step(void *context, struct command *c)
{
    (void)context;
    rig_step(&rig, c);
    for (size_t i = 0; i < rig.count; i++)
        take_event(&rig.events[i]);
    if (engine_day_open(rig.engine)) {
        same_books();
        same_sessions();
        same_positions();
    }
}

static void everything_is_built_from_events_alone(void **state)
{
    (void)state;
    struct command *commands = malloc(COMMANDS * sizeof *commands);
    uint64_t trades = 0, broken = 0, restated = 0;
    for (seed = 1; seed <= DAYS; seed++) {
        unsigned kinds = FLOW_ALL | FLOW_KILL;
        struct rig_day day = flow_day(seed, kinds);
        day.max_positions = ACCOUNTS * SYMBOLS; // without limits: risk refuses nothing
        flow_draw(seed, kinds, &day, commands, COMMANDS);
        if (seed % 2)
            market_flow(seed, &day, commands, COMMANDS);
        memset(&built, 0, sizeof built);
        rig_new(&rig, &day, 0);
        rig_opening(&day, step, NULL);
        for (at = 0; at < COMMANDS; at++)
            step(NULL, &commands[at]);
        if (built.owned || built.shown)
            WRONG("the day is over, and something lives");
        trades += built.trades;
        broken += built.broken;
        restated += built.restated;
        rig_free(&rig);
    }
    free(commands);
    printf("%llu trades, %llu told of broken ones, %llu new references\n", (unsigned long long)trades,
           (unsigned long long)broken, (unsigned long long)restated);
    assert_true(trades > 10000 && broken > 300 && restated > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_built_from_events_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
