// SPDX-License-Identifier: Apache-2.0
// The client's checks: what counts as answered, silent by rule, lost, and wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "contract/command.h"
#include "contract/wire.h"
#include "perf/histogram.h"
#include "perf/orders.h"

static struct orders orders;
static struct fill last_fill;
static struct request lost[16];
static unsigned fills, losses;

static void on_fill(void *context, const struct fill *fill)
{
    (void)context;
    last_fill = *fill;
    fills++;
}

static void on_lost(void *context, const struct request *request)
{
    (void)context;
    lost[losses++] = *request;
}

static int begin(void **state)
{
    (void)state;
    memset(&orders, 0, sizeof orders);
    fills = losses = 0;
    orders.user = "TEST";
    orders.hooks = (struct orders_hooks){.fill = on_fill, .lost = on_lost};
    return orders_init(&orders, 1000, 64);
}

static int end(void **state)
{
    (void)state;
    orders_free(&orders);
    return 0;
}

// ---- the two sides
// ---------------------------------------------------------------------------------------------------

static void enter(uint32_t ref, char side, uint32_t quantity, uint32_t price)
{
    struct request request = {.kind = INTENT_ENTER, .ref = ref, .times = 1};
    orders_enter(&orders, ref, ref + 100, side, 0, price, quantity);
    orders_sent(&orders, &request, false);
}

static void cancel(uint32_t ref)
{
    struct request request = {.kind = INTENT_CANCEL, .target = ref, .times = 1};
    orders_sent(&orders, &request, false);
}

static void replace(uint32_t target, uint32_t ref, uint32_t quantity, uint32_t price)
{
    struct request request = {.kind = INTENT_REPLACE, .target = target, .ref = ref, .times = 1};
    orders_enter(&orders, ref, ref + 100, orders_find(&orders, target)->side, 0, price, quantity);
    orders_sent(&orders, &request, false);
}

static void query(void)
{
    struct request request = {.kind = INTENT_RAW, .expects = 'Q', .times = 1};
    orders_sent(&orders, &request, true);
}

static void accepted(uint32_t ref, char side, uint32_t quantity)
{
    uint8_t m[64] = {'A'};
    put_be32(m + 9, ref);
    m[13] = (uint8_t)side;
    put_be32(m + 14, quantity);
    m[47] = 'L';
    orders_take(&orders, m, sizeof m, 1);
}

static void replaced(uint32_t target, uint32_t ref, uint32_t quantity)
{
    uint8_t m[68] = {'U'};
    put_be32(m + 9, target);
    put_be32(m + 13, ref);
    put_be32(m + 18, quantity);
    m[51] = 'L';
    orders_take(&orders, m, sizeof m, 1);
}

static void canceled(uint32_t ref, uint32_t quantity, char reason)
{
    uint8_t m[18] = {'C'};
    put_be32(m + 9, ref);
    put_be32(m + 13, quantity);
    m[17] = (uint8_t)reason;
    orders_take(&orders, m, sizeof m, 1);
}

static void executed(uint32_t ref, uint32_t quantity, uint32_t price)
{
    uint8_t m[36] = {'E'};
    put_be32(m + 9, ref);
    put_be32(m + 13, quantity);
    put_be64(m + 17, price);
    m[25] = 'A';
    put_be64(m + 26, 7);
    orders_take(&orders, m, sizeof m, 1);
}

static void decremented(uint32_t ref, uint32_t quantity, uint32_t prevented)
{
    uint8_t m[32] = {'D'};
    put_be32(m + 9, ref);
    put_be32(m + 13, quantity);
    m[17] = 'Q';
    put_be32(m + 18, prevented);
    orders_take(&orders, m, sizeof m, 1);
}

static void restated(uint32_t ref, uint32_t displayed)
{
    uint8_t m[32] = {'R'};
    put_be32(m + 9, ref);
    m[13] = 'R';
    put_be16(m + 14, 16);
    m[16] = 9;
    m[17] = TAG_SECONDARY_REF;
    put_be64(m + 18, 77);
    m[26] = 5;
    m[27] = TAG_DISPLAY_QUANTITY;
    put_be32(m + 28, displayed);
    orders_take(&orders, m, sizeof m, 1);
}

static void released(uint32_t ref)
{
    uint8_t m[30] = {'T'};
    put_be32(m + 9, ref);
    put_be64(m + 22, 78);
    orders_take(&orders, m, sizeof m, 1);
}

static void broken(uint32_t ref)
{
    uint8_t m[36] = {'B'};
    put_be32(m + 9, ref);
    orders_take(&orders, m, sizeof m, 1);
}

static void queried(void)
{
    uint8_t m[13] = {'Q'};
    orders_take(&orders, m, sizeof m, 1);
}

// ---- tests
// -----------------------------------------------------------------------------------------------------------

static void an_order_and_its_cancel_are_answered(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    cancel(1);
    accepted(1, 'B', 100);
    assert_int_equal(orders.outstanding, 1);
    canceled(1, 100, 'U');
    assert_int_equal(orders.outstanding, 0);
    assert_int_equal(orders.counts.sent, 2);
    assert_int_equal(orders.counts.accepted, 2);
    assert_int_equal(orders.counts.violations, 0);
}

static void a_cancel_that_comes_too_late_is_silent_by_rule(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    accepted(1, 'B', 100);
    cancel(1); // crosses with the execution
    executed(1, 100, 5000);
    assert_int_equal(orders.outstanding, 0);
    assert_int_equal(orders.counts.silent, 1);
    cancel(1); // known to be dead when sent
    assert_int_equal(orders.outstanding, 0);
    assert_int_equal(orders.counts.silent, 2);
    assert_int_equal(losses, 0);
}

static void a_replace_of_a_dead_order_makes_no_order(void **state)
{
    (void)state;
    enter(1, 'S', 100, 5000);
    accepted(1, 'S', 100);
    replace(1, 2, 300, 5100);
    executed(1, 100, 5000);
    assert_int_equal(orders.counts.silent, 1);
    assert_int_equal(orders_find(&orders, 2)->state, ORDER_DEAD);
    orders_close(&orders);
    assert_int_equal(orders.counts.violations, 0);
}

static void a_later_answer_shows_that_an_order_was_lost(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    enter(2, 'B', 100, 5000);
    accepted(2, 'B', 100);
    assert_int_equal(losses, 1);
    assert_int_equal(lost[0].ref, 1);
    assert_int_equal(orders.counts.lost, 1);
    assert_int_equal(orders.outstanding, 0);
}

static void an_order_that_was_only_overtaken_is_not_lost(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    query();
    queried(); // has overtaken the order
    assert_int_equal(losses, 1);
    accepted(1, 'B', 100);
    assert_int_equal(orders.counts.violations, 0);
    assert_int_equal(orders.counts.accepted, 1);
    assert_int_equal(orders_find(&orders, 1)->state, ORDER_LIVE);
}

static void the_answer_to_what_was_sent_twice_tells_nothing_of_what_was_sent_between(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    query();
    queried();
    enter(2, 'B', 200, 5000);
    lost[0].times++;
    orders_sent(&orders, &lost[0], true);
    accepted(1, 'B', 100); // to the first sending, which came late
    assert_int_equal(losses, 1);
    accepted(2, 'B', 200);
    assert_int_equal(losses, 1);
    assert_int_equal(orders.outstanding, 0);
    assert_int_equal(orders.counts.violations, 0);
}

static void a_query_settles_what_is_before_it(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    accepted(1, 'B', 100);
    cancel(1);
    query();
    queried();
    assert_int_equal(losses, 1); // its order lives, so OUCH owed an answer
    assert_int_equal(lost[0].target, 1);
    assert_int_equal(orders.counts.sent, 2);
}

static void a_replacement_exposes_the_chain_less_what_was_executed(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    accepted(1, 'B', 100);
    executed(1, 30, 5000);
    replace(1, 2, 130, 4900);
    replaced(1, 2, 100);
    assert_int_equal(orders.counts.violations, 0);
    assert_int_equal(orders_find(&orders, 2)->executed, 30);
    replace(2, 3, 230, 4900);
    replaced(2, 3, 230); // wrong: 30 of it are executed
    assert_int_equal(orders.counts.violations, 1);
}

static void a_replace_that_only_cancels_is_rejected(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    accepted(1, 'B', 100);
    replace(1, 2, 100, 5001);
    cancel(2); // of the order that will never be
    canceled(1, 100, 'U');
    assert_int_equal(orders.counts.rejected, 1);
    assert_int_equal(orders.counts.silent, 1);
    assert_int_equal(orders.outstanding, 0);
}

static void the_answer_of_an_earlier_query_settles_nothing_after_it(void **state)
{
    (void)state;
    query();
    enter(1, 'B', 100, 5000);
    struct request second = {.kind = INTENT_RAW, .expects = 'Q', .index = 7, .times = 1};
    orders_sent(&orders, &second, true);
    queried();
    assert_int_equal(losses, 0);
    assert_int_equal(orders.outstanding, 2);
    accepted(1, 'B', 100);
    assert_int_equal(orders.counts.violations, 0);
}

static void more_executed_than_open_is_a_violation(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    accepted(1, 'B', 100);
    executed(1, 60, 5000);
    assert_int_equal(orders.counts.violations, 0);
    executed(1, 60, 5000);
    assert_int_equal(orders.counts.violations, 1);
    assert_int_equal(fills, 1);
    assert_int_equal(last_fill.id, 101);
}

static void an_execution_beyond_the_limit_is_a_violation(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    accepted(1, 'B', 100);
    executed(1, 10, 5001);
    assert_int_equal(orders.counts.violations, 1);
}

static void an_answer_that_nobody_asked_for_is_a_violation(void **state)
{
    (void)state;
    accepted(9, 'B', 100);
    enter(1, 'B', 100, 5000);
    accepted(1, 'B', 100);
    accepted(1, 'B', 100);
    assert_int_equal(orders.counts.violations, 2);
}

static void only_a_crossing_order_that_is_not_settled_may_trade(void **state)
{
    (void)state;
    enter(1, 'S', 100, 5000);
    assert_true(orders_may_trade(&orders, 1)); // outstanding itself
    accepted(1, 'S', 100);
    enter(2, 'B', 100, 4999);
    accepted(2, 'B', 100);
    assert_false(orders_may_trade(&orders, 1));
    enter(3, 'B', 40, 5000);
    assert_true(orders_may_trade(&orders, 1));
    accepted(3, 'B', 40);
    assert_true(orders_may_trade(&orders, 1)); // its trades may still come
    executed(1, 40, 5000);
    executed(3, 40, 5000);
    assert_false(orders_may_trade(&orders, 1));
}

static void what_concerns_an_earlier_run_is_only_counted(void **state)
{
    (void)state;
    orders.first_ref = 10;
    executed(3, 40, 5000);
    canceled(4, 40, 'U');
    assert_int_equal(orders.counts.violations, 0);
    assert_int_equal(orders.counts.messages['E'], 1);
}

static void a_decrement_counts_as_executed_for_the_chain(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    accepted(1, 'B', 100);
    decremented(1, 40, 40);
    canceled(1, 10, 'Q'); // without details
    replace(1, 2, 200, 4900);
    replaced(1, 2, 150);
    assert_int_equal(orders.counts.violations, 0);
    decremented(2, 150, 150);
    assert_int_equal(orders_find(&orders, 2)->state, ORDER_DEAD);
    orders_close(&orders);
    assert_int_equal(orders.counts.violations, 0);
    decremented(2, 1, 1);
    assert_int_equal(orders.counts.violations, 1);
}

static void a_cancel_that_the_venue_makes_answers_no_request(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    accepted(1, 'B', 100);
    cancel(1);
    canceled(1, 100, 'E');
    assert_int_equal(orders.counts.silent, 1);
    assert_int_equal(orders.counts.accepted, 1);
    assert_int_equal(orders.outstanding, 0);
}

static void restatements_releases_and_broken_trades_are_of_orders_that_can_have_them(void **state)
{
    (void)state;
    enter(1, 'B', 100, 5000);
    restated(1, 10);
    released(1); // both before it lives
    assert_int_equal(orders.counts.violations, 2);
    accepted(1, 'B', 100);
    restated(1, 100);
    released(1);
    assert_int_equal(orders.counts.violations, 2);
    restated(1, 101);
    broken(1);
    assert_int_equal(orders.counts.violations, 4);
    executed(1, 100, 5000);
    broken(1); // long gone, its trade is not
    assert_int_equal(orders.counts.violations, 4);
    released(1);
    assert_int_equal(orders.counts.violations, 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(an_order_and_its_cancel_are_answered),
        TEST(a_cancel_that_comes_too_late_is_silent_by_rule),
        TEST(a_replace_of_a_dead_order_makes_no_order),
        TEST(a_later_answer_shows_that_an_order_was_lost),
        TEST(an_order_that_was_only_overtaken_is_not_lost),
        TEST(the_answer_to_what_was_sent_twice_tells_nothing_of_what_was_sent_between),
        TEST(a_query_settles_what_is_before_it),
        TEST(a_replacement_exposes_the_chain_less_what_was_executed),
        TEST(a_replace_that_only_cancels_is_rejected),
        TEST(the_answer_of_an_earlier_query_settles_nothing_after_it),
        TEST(more_executed_than_open_is_a_violation),
        TEST(an_execution_beyond_the_limit_is_a_violation),
        TEST(an_answer_that_nobody_asked_for_is_a_violation),
        TEST(only_a_crossing_order_that_is_not_settled_may_trade),
        TEST(a_decrement_counts_as_executed_for_the_chain),
        TEST(a_cancel_that_the_venue_makes_answers_no_request),
        TEST(restatements_releases_and_broken_trades_are_of_orders_that_can_have_them),
        TEST(what_concerns_an_earlier_run_is_only_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
