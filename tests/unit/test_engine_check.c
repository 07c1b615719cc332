// SPDX-License-Identifier: Apache-2.0
// The invariants of debug builds can fail: an engine that is sound is broken in one place at a time, and the walk says
// which rule that breaks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/book.h"
#include "engine/lookup.h"
#include "engine/slots.h"
#include "tests/support/engine_rig.h"
#include "tests/unit/breaks.h"

#define TICK 100u
#define PRICE 1000000u // the middle

static const struct rig_day day = {.max_orders = 64,
                                   .max_levels = 128,
                                   .symbols = 2,
                                   .sessions = 3,
                                   .ticks = {TICK, TICK, TICK, TICK},
                                   .lookup_key = 3};

static struct rig rig;
static struct engine *e;
static uint32_t user_refs[3];

static void enter(struct command c)
{
    c.user_ref = ++user_refs[c.session];
    rig_step(&rig, &c);
    assert_int_equal(engine_outcome(e), OUTCOME_ACCEPTED);
}

static struct command of(uint16_t session, char side, uint32_t quantity, int ticks)
{
    return rig_enter(session, 0, side, quantity, 1, (uint32_t)((int)PRICE + ticks * (int)TICK));
}

static struct command with(struct command c, unsigned tag, uint32_t value)
{
    c.options |= OPTION(tag);
    switch (tag) {
    case TAG_MAX_FLOOR:
        c.max_floor = value;
        break;
    case TAG_MIN_QTY:
        c.min_qty = value;
        c.display = 'N';
        break;
    case TAG_PRICE_TYPE:
        c.price_type = (char)value;
        c.price = PRICE_MARKET;
        break;
    case TAG_DISCRETION_PRICE:
        c.discretion_price = value;
        break;
    case TAG_EXPIRE_TIME:
        c.expire_s = value;
        c.tif = '6';
        break;
    default:
        c.trigger = value;
    }
    return c;
}

// Orders of every kind in symbol 1; the numbers are those of the comments.
static int set_up(void **state)
{
    (void)state;
    rig_open(&rig, &day);
    e = rig.engine;
    memset(user_refs, 0, sizeof user_refs);
    enter(of(0, 'B', 10, -1));                                              // s0 1
    enter(of(0, 'B', 20, -1));                                              // s0 2
    enter(of(0, 'B', 30, -20));                                             // s0 3
    enter(of(1, 'S', 10, 1));                                               // s1 1
    enter(with(of(0, 'B', 50, -3), TAG_MAX_FLOOR, 10));                     // s0 4
    enter(with(of(1, 'S', 40, 5), TAG_MIN_QTY, 40));                        // s1 2
    enter(with(of(1, 'S', 40, 6), TAG_MIN_QTY, 40));                        // s1 3
    enter(with(of(0, 'B', 5, 0), TAG_PRICE_TYPE, 'R'));                     // s0 5
    enter(with(of(0, 'B', 5, 0), TAG_PRICE_TYPE, 'R'));                     // s0 6
    enter(with(of(0, 'B', 5, -9), TAG_DISCRETION_PRICE, PRICE - 8 * TICK)); // s0 7
    enter(with(of(0, 'B', 5, -9), TAG_DISCRETION_PRICE, PRICE - 8 * TICK)); // s0 8
    enter(of(2, 'S', 5, -1));                                               // s2 1, a trade with s0 1
    enter(with(of(1, 'S', 5, -90), TAG_STOP_PRICE, PRICE - 50 * TICK));     // s1 4
    enter(with(of(1, 'S', 5, -90), TAG_TRAIL_AMOUNT, 60 * TICK));           // s1 5
    enter(with(of(0, 'B', 5, 90), TAG_STOP_PRICE, PRICE + 50 * TICK));      // s0 9
    enter(with(of(0, 'B', 5, 90), TAG_TRAIL_AMOUNT, 60 * TICK));            // s0 10
    enter(with(of(0, 'B', 5, -30), TAG_EXPIRE_TIME, 100));                  // s0 11
    enter(with(of(0, 'B', 5, -30), TAG_EXPIRE_TIME, 200));                  // s0 12
    enter(with(of(0, 'B', 5, -30), TAG_EXPIRE_TIME, 200));                  // s0 13
    assert_null(engine_check(e));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_null(engine_check(e)); // every place was mended
    rig_free(&rig);
    return 0;
}

static struct order *order(uint16_t session, uint32_t user_ref)
{
    uint32_t slot = lookup_slot(e, order_key(session, 0, user_ref));
    assert_int_not_equal(slot, 0);
    return &e->orders[slot];
}

static struct special *special(uint16_t session, uint32_t user_ref)
{
    return &e->specials[order(session, user_ref)->special];
}

static struct level *level(uint16_t session, uint32_t user_ref)
{
    return &e->levels[order(session, user_ref)->level];
}

static struct page *page(uint16_t session, uint32_t user_ref)
{
    return &e->pages[order(session, user_ref)->level >> PAGE_SHIFT];
}

static void sums_of_levels_are_sums_of_orders(void **state)
{
    (void)state;
    const char *sum = "a level's quantity is not the sum of its orders";
    BREAKS(level(0, 1)->quantity, level(0, 1)->quantity + 1, sum);
    BREAKS(order(0, 2)->quantity, order(0, 2)->quantity - 1, sum);
    BREAKS(level(1, 2)->quantity, 0, sum);
    const char *bitmap = "a page's bitmap disagrees with its levels";
    BREAKS(page(0, 3)->occupied, page(0, 3)->occupied | 1u << 15 | 1u, bitmap);
    BREAKS(level(0, 3)->tail, 0, bitmap);
    BREAKS(level(0, 1)->tail, level(0, 1)->head, "a level's tail is not its last order");
    BREAKS(e->levels_used, e->levels_used + 1, "the count of levels in use is wrong");
    BREAKS(e->books[1].best[BUY], PRICE - 2 * TICK, "a best price is not the best price");
    BREAKS(e->books[1].best[SELL | HIDDEN], PRICE, "a best price is not the best price");
    BREAKS(e->books[1].best_level[SELL], order(0, 1)->level, "a best price is not the best price");
    BREAKS(e->books[2].best[SELL], PRICE, "a best price is not the best price");
}

static void quantities_are_within_what_may_execute(void **state)
{
    (void)state;
    const char *open = "an order's chain may execute more than OUCH allows, or has nothing open";
    BREAKS(order(0, 3)->quantity, 0, open);
    BREAKS(order(0, 3)->quantity, QUANTITY_MAX + 1, open);
    BREAKS(order(0, 3)->executed, QUANTITY_MAX, open);
    const char *exposure = "an account's exposure is not the sum of its orders";
    BREAKS(e->sessions[0].exposure.quantity[BUY], 0, exposure);
    BREAKS(e->sessions[1].exposure.notional[SELL], 0, exposure);
    BREAKS(special(0, 4)->reserve, 39, exposure);
}

static void no_order_is_in_two_places_or_in_none(void **state)
{
    (void)state;
    const char *other = "an order stands in a level that is not its own";
    BREAKS(order(0, 2)->level, order(0, 3)->level, other);
    BREAKS(order(0, 2)->price, PRICE - 2 * TICK, other);
    BREAKS(order(0, 2)->locate, 2, other);
    BREAKS(order(0, 2)->side, 'S', other);
    BREAKS(order(0, 2)->display, 'N', other);
    BREAKS(order(0, 2)->prev, 0, "a level's queue is not linked both ways");
    BREAKS(order(0, 1)->next, 0, "a level's tail is not its last order");
    BREAKS(order(0, 1)->key, ORDER_FREE, "a free slot stands in a level");
    BREAKS(order(0, 1)->key, order(0, 1)->key + 1000, "a resting order is not found by its number");
    struct bucket *bucket = &e->buckets[lookup_first(e, lookup_place(e, order(0, 9)->key))];
    BREAKS(bucket->slots[order(0, 9)->way], lookup_slot(e, order_key(0, 0, 10)),
           "the table of live orders names an order that is not live");
    BREAKS(bucket->taken, 0, "the table of live orders does not hold every live order");
    BREAKS(bucket->tags[0], (uint8_t)(bucket->tags[0] + 1), "an order stands under a tag that is not its own");
    BREAKS(bucket->away, 1, "buckets miscount the orders that stand elsewhere");
    uint32_t block = order(0, 2)->member >> MEMBER_SHIFT;
    BREAKS(e->members[order(0, 2)->member], lookup_slot(e, order_key(1, 0, 1)),
           "a session's list holds what is not its order");
    BREAKS(e->member_blocks[block].prev, 7, "a session's blocks are not joined both ways");
    BREAKS(e->sessions[0].orders.newest, 0, "a session's newest order is not the last of its list");
    const char *next = "a session's next place is not behind its newest order";
    BREAKS(e->sessions[0].orders.next, e->sessions[0].orders.next - 1, next);
    BREAKS(e->sessions[0].orders.next, e->sessions[0].orders.newest << MEMBER_SHIFT, next);
    BREAKS(e->members[e->sessions[0].orders.next + 1], 3, next);
    BREAKS(e->member_blocks_used, e->member_blocks_used + 1, "sessions have not as many blocks as are in use");
    BREAKS(e->sessions[1].orders.oldest, 0, "sessions do not list every live order");
    BREAKS(e->last_ref[0], 5, "an order rests under a number that its channel has not used");
    BREAKS(order(0, 9)->level, order(0, 3)->level, "books, slots and the count of live orders disagree");
    BREAKS(special(0, 9)->kinds, KIND_DISCRETION, "an order is outside the book that neither waits nor takes");
    BREAKS(e->free_count, e->free_count - 1, "books, slots and the count of live orders disagree");
}

static void pages_are_in_order(void **state)
{
    (void)state;
    const char *tree = "a tree of pages is out of order or out of balance";
    BREAKS(page(0, 3)->number, page(0, 1)->number + 1, tree);
    BREAKS(page(0, 3)->kept, 1, "pages are kept that nobody knows of");
    BREAKS(page(0, 3)->rank, 3, tree);
    BREAKS(page(0, 3)->rank, 0, tree);
    const char *list = "a side's list of pages disagrees with its tree";
    BREAKS(page(0, 3)->locate, 2, list);
    BREAKS(page(0, 3)->side, SELL, list);
    BREAKS(page(0, 1)->prev, 0, list);
    BREAKS(page(0, 1)->next, order(0, 3)->level >> PAGE_SHIFT, list);
}

// The offer comes down to the bid with all that belongs to it.
static void the_book_is_never_crossed(void **state)
{
    (void)state;
    struct order *offer = order(1, 1);
    struct page *its = page(1, 1), was_page = *its;
    struct order was = *offer;
    struct book *book = &e->books[1], was_book = *book;
    struct level levels[PAGE_LEVELS], *run = level(1, 1) - (offer->level & (PAGE_LEVELS - 1));
    memcpy(levels, run, sizeof levels);
    uint32_t index = (PRICE - TICK) / TICK;
    its->number = index >> PAGE_SHIFT;
    its->occupied = (uint16_t)(1u << (index & (PAGE_LEVELS - 1)));
    memset(run, 0, sizeof levels);
    run[index & (PAGE_LEVELS - 1)] = levels[was.level & (PAGE_LEVELS - 1)];
    offer->price = PRICE - TICK;
    offer->level = (was.level & ~(PAGE_LEVELS - 1)) | (index & (PAGE_LEVELS - 1));
    book->best[SELL] = offer->price;
    book->best_level[SELL] = offer->level;
    breaks_say(e, "an offer at the bid", "the book is crossed");
    e->left.work = WORK_MATCH; // not while it is being matched
    assert_string_not_equal(engine_check(e), "the book is crossed");
    e->left.work = WORK_NONE;
    memcpy(run, levels, sizeof levels);
    *its = was_page;
    *offer = was;
    *book = was_book;
}

static void sessions_list_their_orders(void **state)
{
    (void)state;
    BREAKS(e->sessions[1].open, 0, "sessions do not list every live order");
    BREAKS(order(0, 9)->key, order_key(1, 0, 9), "a session's list holds what is not its order");
}

static void special_parts_belong_to_their_orders(void **state)
{
    (void)state;
    const char *flags = "an order's flags do not say whether it is special";
    BREAKS(order(0, 1)->flags, ORDER_SPECIAL, flags);
    BREAKS(order(0, 9)->flags, 0, flags);
    BREAKS(special(0, 9)->slot, 1, "an order and its special part do not name each other");
    const char *reserve = "a reserve without a displayed part";
    BREAKS(special(0, 4)->refreshes, 0, reserve);
    BREAKS(special(0, 9)->reserve, 1, reserve);
    BREAKS(special(0, 11)->min_qty, 1, "a displayed order has a minimum");
    BREAKS(special(0, 11)->heap, 0, "an order that expires is not in the heap, or another is");
    BREAKS(special(0, 9)->heap, 1, "an order that expires is not in the heap, or another is");
    BREAKS(special(1, 2)->max_floor, 1, "a hidden order has a displayed part");
    BREAKS(e->special_live, e->special_live + 1, "special orders are miscounted");
    BREAKS(e->fresh_special, e->fresh_special + 1, "special orders are miscounted");
    BREAKS(e->free_special, e->fresh_special + 1, "the list of free special orders leads astray");
}

static void conditional_orders_are_where_they_are_looked_for(void **state)
{
    (void)state;
    struct book_back *back = &e->backs[1];
    const char *both = "a list of conditional orders is not linked both ways";
    BREAKS(special(0, 6)->prev, 0, both);
    BREAKS(special(0, 8)->prev, 0, both);
    BREAKS(special(0, 10)->prev, 0, both);
    BREAKS(back->pegs_newest, back->pegs, "a list of pegs has another newest one");
    BREAKS(back->stops_newest[SELL], back->stops[SELL], "a list of stops has another newest one");
    BREAKS(back->discretion[SELL], back->discretion[BUY],
           "a list of discretionary orders holds what is none that rests");
    BREAKS(back->stops[SELL], back->stops[BUY], "a list of stops holds what is no stop that waits");
    BREAKS(back->pegs, back->stops[BUY], "a list of pegs holds what is no peg");
    BREAKS(special(0, 5)->entered, special(0, 6)->entered, "pegs are not in the order of entry");
    BREAKS(special(0, 7)->entered, special(0, 8)->entered, "discretionary orders are not listed by price and entry");
    BREAKS(special(0, 9)->entered, special(0, 10)->entered, "stops are not in the order of entry");
    BREAKS(special(0, 5)->peg_offset, -(int)TICK, "a peg is not where its references put it");
    BREAKS(back->conditional, back->conditional + 1, "a symbol miscounts its conditional orders");
    BREAKS(e->conditional_live, e->conditional_live + 1, "the count of levels in use is wrong");
    const char *watch = "a book watches for orders that it does not have, or not for those that it has";
    BREAKS(e->books[1].watch, WATCH_PEGS, watch);
    BREAKS(e->books[1].watch, WATCH_STOPS, watch);
    BREAKS(e->books[2].watch, WATCH_PEGS, watch);
    BREAKS(e->books[2].watch, WATCH_STOPS, watch);
    BREAKS(back->looked[BUY], PRICE, "pegs were not looked at when the best prices changed");
    BREAKS(back->looked[SELL], PRICE, "pegs were not looked at when the best prices changed");
    const char *uncommon = "a side does not say whether hidden or discretionary orders rest on it";
    BREAKS(e->books[1].uncommon[BUY], 0, uncommon);
    BREAKS(e->books[2].uncommon[SELL], 1, uncommon);
    e->conditional_live += 2; // so that a list that is longer has an end
    e->levels_used += 2;
    BREAKS(back->triggered, back->stops[BUY], "a list of triggered stops holds what is none");
    e->conditional_live -= 2;
    e->levels_used -= 2;
    const char *dirty = "books to look at are miscounted or forgotten";
    BREAKS(e->dirty[0], 2, dirty);
    BREAKS(e->dirty_books, 1, dirty);
}

static void stops_are_noticed(void **state)
{
    (void)state;
    struct book_back *back = &e->backs[1];
    BREAKS(special(1, 4)->stop, PRICE, "a stop has a wrong stop price");
    BREAKS(special(1, 5)->extreme, 0, "a stop has a wrong stop price");
    const char *unseen = "a stop would not be noticed";
    BREAKS(back->buy_from, PRICE + 51 * TICK, unseen);
    BREAKS(back->rise_from, 61 * TICK, unseen);
    BREAKS(back->sell_from, PRICE - 51 * TICK, unseen);
    BREAKS(back->fall_from, 61 * TICK, unseen);
}

static void expiries_are_in_order(void **state)
{
    (void)state;
    const char *heap = "the heap of expiries holds what does not expire, or at another place";
    BREAKS(special(0, 12)->heap, 3, heap);
    BREAKS(e->heap[3], e->heap[2], heap);
    const char *wrong = "the heap of expiries is out of order";
    BREAKS(special(0, 11)->expire_ns, special(0, 12)->expire_ns + 1, wrong);
    BREAKS(e->heap_count, e->heap_count - 1, "an order that expires is not in the heap of expiries");
}

static void trades_are_trades(void **state)
{
    (void)state;
    const char *none = "the table of trades holds what is no trade";
    struct trade *trade = &e->trades[0];
    BREAKS(trade->taker, trade->maker, none);
    BREAKS(trade->taker, 0, none);
    BREAKS(trade->maker, 0, none);
    BREAKS(trade->quantity, 0, none);
    BREAKS(trade->quantity, QUANTITY_MAX + 1, none);
    BREAKS(trade->price, 0, none);
    BREAKS(trade->price, PRICE_MAX + 1, none);
    BREAKS(trade->locate, 0, none);
    BREAKS(trade->locate, 3, none);
    BREAKS(trade->maker_side, 'S', none);
    BREAKS(e->trades[1].taker, 1, "the table of trades holds more than the day's match numbers");
}

static void many_places_were_broken(void **state)
{
    (void)state;
    printf("%u places\n", broken_places);
    assert_true(broken_places >= 80);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sums_of_levels_are_sums_of_orders),
        TEST(quantities_are_within_what_may_execute),
        TEST(no_order_is_in_two_places_or_in_none),
        TEST(pages_are_in_order),
        TEST(the_book_is_never_crossed),
        TEST(sessions_list_their_orders),
        TEST(special_parts_belong_to_their_orders),
        TEST(conditional_orders_are_where_they_are_looked_for),
        TEST(stops_are_noticed),
        TEST(expiries_are_in_order),
        TEST(trades_are_trades),
        cmocka_unit_test(many_places_were_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
