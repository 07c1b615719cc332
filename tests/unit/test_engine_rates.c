// SPDX-License-Identifier: Apache-2.0
// Token buckets and the places of orders alike, against the obvious way to count.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/alike.h"
#include "engine/tokens.h"

#define SECOND UINT64_C(1000000000)

static bool take(struct tokens *tokens, const struct tokens_rest *rest, uint64_t now)
{
    if (!tokens_pass(tokens, rest, now))
        return false;
    tokens_take(tokens, rest, now);
    return true;
}

static void a_bucket_gives_its_burst_and_then_its_rate(void **state)
{
    (void)state;
    struct tokens tokens = {0};
    struct tokens_rest rest = {0};
    tokens_set(&tokens, &rest, 10, 3, 5);
    uint64_t now = 7 * SECOND;
    for (unsigned i = 0; i < 3; i++)
        assert_true(take(&tokens, &rest, now));
    assert_false(take(&tokens, &rest, now));
    assert_false(take(&tokens, &rest, now + SECOND / 10 - 1));
    assert_true(take(&tokens, &rest, now + SECOND / 10));
    assert_false(take(&tokens, &rest, now + SECOND / 10));
    now += 60 * SECOND; // never more than the burst, however long it waited
    for (unsigned i = 0; i < 3; i++)
        assert_true(take(&tokens, &rest, now));
    assert_false(take(&tokens, &rest, now));
}

static void a_bucket_without_a_burst_has_its_rate(void **state)
{
    (void)state;
    struct tokens tokens = {0};
    struct tokens_rest rest = {0};
    tokens_set(&tokens, &rest, 4, UINT64_MAX, 0);
    for (unsigned i = 0; i < 4; i++)
        assert_true(take(&tokens, &rest, SECOND));
    assert_false(take(&tokens, &rest, SECOND));
}

static void no_rate_is_no_limit_and_a_rate_of_none_lets_nothing_pass(void **state)
{
    (void)state;
    struct tokens tokens = {0};
    struct tokens_rest rest = {0};
    tokens_set(&tokens, &rest, UINT64_MAX, UINT64_MAX, 0);
    for (unsigned i = 0; i < 100000; i++)
        assert_true(take(&tokens, &rest, 1));
    tokens_set(&tokens, &rest, 0, 5, 0);
    assert_false(take(&tokens, &rest, 86400 * SECOND));
    tokens_set(&tokens, &rest, 5, 0, 0);
    assert_false(take(&tokens, &rest, 86400 * SECOND));
    tokens_set(&tokens, &rest, UINT64_MAX - 1, UINT64_MAX - 1, 0);
    for (unsigned i = 0; i < 100000; i++)
        assert_true(take(&tokens, &rest, 1));
}

static void a_bucket_that_is_made_smaller_owes_no_more_than_it_holds(void **state)
{
    (void)state;
    struct tokens tokens = {0};
    struct tokens_rest rest = {0};
    tokens_set(&tokens, &rest, 1, 100, 0);
    for (unsigned i = 0; i < 100; i++)
        assert_true(take(&tokens, &rest, SECOND));
    tokens_set(&tokens, &rest, 10, 10, SECOND); // as if it were empty, not in debt for 100 seconds
    assert_false(take(&tokens, &rest, SECOND));
    assert_true(take(&tokens, &rest, SECOND + SECOND / 10));
}

static void no_second_sees_more_than_burst_and_rate(void **state)
{
    (void)state;
    static uint64_t taken[200000];
    for (uint64_t rate = 1; rate < 2000; rate = rate * 3 + 1) {
        struct tokens tokens = {0};
        struct tokens_rest rest = {0};
        uint64_t now = SECOND, draw = rate, burst = rate / 2 + 1;
        size_t count = 0, first = 0;
        tokens_set(&tokens, &rest, rate, burst, now);
        for (unsigned i = 0; i < 50000; i++) {
            draw = draw * UINT64_C(6364136223846793005) + 1442695040888963407u;
            now += (draw >> 40) * 2000 / (rate + 1);
            if (!take(&tokens, &rest, now))
                continue;
            taken[count++] = now;
            while (now - taken[first] >= SECOND)
                first++;
            assert_true(count - first <= rate + burst);
        }
        assert_true(count > 100);
    }
}

// ---- orders alike ---------------------------------------------------------------------------------------------------

static void orders_alike_are_counted_from_the_first(void **state)
{
    (void)state;
    struct alike alike = {0};
    struct alike_tags tags = {0};
    struct alike_limit limit = {.most = 3, .window_ns = 1000};
    for (unsigned i = 0; i < 3; i++)
        assert_true(alike_take(&tags, &alike, &limit, 1, 100, 10000, 50 + i));
    assert_false(alike_take(&tags, &alike, &limit, 1, 100, 10000, 1049));
    assert_true(alike_take(&tags, &alike, &limit, 1, 101, 10000, 1049)); // one field is another
    assert_true(alike_take(&tags, &alike, &limit, 1, 100, 10001, 1049));
    assert_true(alike_take(&tags, &alike, &limit, 2, 100, 10000, 1049));
    assert_true(alike_take(&tags, &alike, &limit, 1, 100, 10000, 1050)); // the time is over
}

static void none_alike_lets_nothing_pass(void **state)
{
    (void)state;
    struct alike alike = {0};
    struct alike_tags tags = {0};
    struct alike_limit limit = {.most = 0, .window_ns = 1000};
    assert_false(alike_take(&tags, &alike, &limit, 1, 100, 10000, 50));
}

struct naive_place {
    uint32_t instrument, quantity, price;
    uint64_t began;
    uint64_t count;
};

static bool naive_take(struct naive_place *places, unsigned *next, const struct alike_limit *limit,
                       const struct naive_place *order)
{
    for (unsigned i = 0; i < ALIKE_PLACES; i++) {
        struct naive_place *place = &places[i];
        if (place->instrument != order->instrument || place->quantity != order->quantity ||
            place->price != order->price)
            continue;
        if (order->began - place->began >= limit->window_ns)
            *place = *order;
        return ++place->count <= limit->most || (place->count--, false);
    }
    places[*next] = *order;
    places[*next].count = 1;
    *next = (*next + 1) % ALIKE_PLACES;
    return true;
}

static void the_last_kinds_of_order_have_a_place(void **state)
{
    (void)state;
    struct alike alike = {0};
    struct alike_tags tags = {0};
    struct alike_limit limit = {.most = 2, .window_ns = 40};
    struct naive_place places[ALIKE_PLACES] = {0};
    unsigned next = 0, refused = 0;
    uint64_t draw = 1;
    for (uint64_t now = 1; now < 200000; now++) {
        draw = draw * UINT64_C(6364136223846793005) + 1442695040888963407u;
        struct naive_place order = {.instrument = 1 + (uint32_t)(draw >> 60) % 3,
                                    .quantity = 1 + (uint32_t)(draw >> 50) % 4,
                                    .price = 1 + (uint32_t)(draw >> 40) % 4,
                                    .began = now};
        bool expected = naive_take(places, &next, &limit, &order);
        assert_int_equal(alike_take(&tags, &alike, &limit, order.instrument, order.quantity, order.price, now) != 0,
                         expected);
        refused += !expected;
    }
    assert_true(refused > 1000);
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % below;
}

static void what_a_bucket_lets_pass_unseen_passes_and_tells_nothing(void **state)
{
    (void)state;
    uint64_t seed = 11, unseen = 0, seen = 0;
    for (unsigned i = 0; i < 300; i++) {
        struct tokens tokens = {0};
        struct tokens_rest rest = {0};
        uint64_t now = draw(&seed, 1000), ppm = draw(&seed, 1000001);
        tokens_set(&tokens, &rest, draw(&seed, 8) ? draw(&seed, 1000) : UINT64_MAX, draw(&seed, 20), now);
        tokens_watch(&tokens, &rest, ppm);
        for (unsigned k = 0; k < 200; k++) {
            now += draw(&seed, 3) ? 0 : draw(&seed, SECOND / 20);
            struct tokens plainly = tokens;
            bool may = tokens_ahead(&tokens, now) <= tokens.watch, passes = tokens_pass(&tokens, &rest, now);
            bool tells = passes && tokens_take(&tokens, &rest, now);
            if (may) {
                assert_true(passes && !tells);
                tokens_take_plainly(&plainly, now);
                assert_int_equal(plainly.due, tokens.due);
                unseen++;
            } else if (passes && !tells && rest.low == 0) {
                seen++; // as strict as need be: nothing else is looked at closely
            }
            if (tells)
                tokens_turn(&tokens, &rest, ppm);
        }
    }
    assert_true(unseen > 10000);
    assert_int_equal(seen, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_bucket_lets_pass_unseen_passes_and_tells_nothing),
        cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
        cmocka_unit_test(a_bucket_without_a_burst_has_its_rate),
        cmocka_unit_test(no_rate_is_no_limit_and_a_rate_of_none_lets_nothing_pass),
        cmocka_unit_test(a_bucket_that_is_made_smaller_owes_no_more_than_it_holds),
        cmocka_unit_test(no_second_sees_more_than_burst_and_rate),
        cmocka_unit_test(orders_alike_are_counted_from_the_first),
        cmocka_unit_test(none_alike_lets_nothing_pass),
        cmocka_unit_test(the_last_kinds_of_order_have_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
