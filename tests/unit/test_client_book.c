// SPDX-License-Identifier: Apache-2.0
// The client's ITCH decoder against hand-written messages, and its books against a slow, obvious one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "client/book.h"
#include "client/itch.h"
#include "tests/unit/bytes.h"
#include "tests/unit/itch_text.h"

static struct xw_itch decoded(const char *text)
{
    static uint8_t message[128];
    struct xw_itch out;
    assert_true(xw_itch_decode(message, bytes(text, message), &out));
    assert_int_equal(out.time_ns, ITCH_TIME);
    return out;
}

static void every_book_message_is_read_field_by_field(void **state)
{
    (void)state;
    struct xw_itch m = decoded(ITCH_ADD);
    assert_true(m.type == 'A' && m.locate == 3 && m.ref == 0x42 && m.side == 'B' && m.shares == 100);
    assert_true(m.price == 100000);
    assert_string_equal(m.symbol, "ABC");
    m = decoded(ITCH_ADD_FIRM);
    assert_true(m.type == 'F' && m.ref == 0x42 && m.shares == 100 && m.price == 100000);
    assert_string_equal(m.attribution, "FIRM");
    m = decoded(ITCH_EXECUTED);
    assert_true(m.type == 'E' && m.ref == 0x42 && m.shares == 20 && m.match == 0x99);
    m = decoded(ITCH_EXECUTED_PRICE);
    assert_true(m.type == 'C' && m.ref == 0x42 && m.shares == 20 && m.match == 0x99 && m.printable == 'Y');
    assert_int_equal(m.price, 100000);
    m = decoded(ITCH_CANCEL);
    assert_true(m.type == 'X' && m.ref == 0x42 && m.shares == 20);
    m = decoded(ITCH_DELETE);
    assert_true(m.type == 'D' && m.ref == 0x42);
    m = decoded(ITCH_REPLACE);
    assert_true(m.type == 'U' && m.ref == 0x42 && m.new_ref == 0x43 && m.shares == 200 && m.price == 100001);
    m = decoded(ITCH_TRADE);
    assert_true(m.type == 'P' && m.side == 'B' && m.shares == 20 && m.price == 100000 && m.match == 0x99);
    m = decoded(ITCH_CROSS);
    assert_true(m.type == 'Q' && m.shares == 0x100000014 && m.price == 100000 && m.match == 0x99 && m.code == 'O');
    m = decoded(ITCH_BROKEN);
    assert_true(m.type == 'B' && m.match == 0x99);
    m = decoded(ITCH_DIRECTORY);
    assert_true(m.type == 'R' && m.locate == 3 && m.round_lot == 100);
    assert_string_equal(m.symbol, "ABC");
    assert_int_equal(decoded(ITCH_ACTION).code, 'T');
    assert_string_equal(decoded(ITCH_ACTION).reason, "");
    assert_string_equal(decoded(ITCH_HALT).reason, "LUDP");
    assert_int_equal(decoded(ITCH_SHORT_SALE).code, '1');
    assert_int_equal(decoded(ITCH_BREACHED).code, '2');
    assert_int_equal(decoded(ITCH_LEVELS).levels[2], 0x303);
    assert_true(decoded(ITCH_BANDS).price == 100000 && decoded(ITCH_BANDS).upper == 105000 &&
                decoded(ITCH_BANDS).lower == 95000);
    assert_int_equal(decoded(ITCH_SYSTEM).code, 'O');
}

static void every_other_size_of_every_type_is_refused(void **state)
{
    (void)state;
    static const char types[] = "SRHYLVWKJhAFECXDUPQBINO";
    static const uint8_t sizes[] = {12, 39, 25, 20, 26, 35, 12, 28, 35, 21, 36, 40,
                                    31, 36, 23, 19, 35, 44, 40, 19, 50, 20, 48};
    for (unsigned type = 0; type < 256; type++)
        for (size_t size = 0; size < 64; size++) {
            uint8_t *message = calloc(1, size + (size == 0));
            assert_non_null(message);
            message[0] = (uint8_t)type;
            const char *known = type != 0 ? strchr(types, (int)type) : NULL;
            struct xw_itch out;
            assert_int_equal(xw_itch_decode(message, size, &out), known != NULL && size == sizes[known - types]);
            free(message);
        }
}

static struct xw_itch add(uint64_t ref, char side, uint32_t shares, uint32_t price)
{
    struct xw_itch m = {.type = 'A', .locate = 3, .ref = ref, .side = side, .shares = shares, .price = price};
    strcpy(m.symbol, "ABC");
    return m;
}

static bool apply(struct xw_book *book, struct xw_itch message)
{
    return xw_book_apply(book, &message);
}

static void the_book_knows_the_state_of_the_market(void **state)
{
    (void)state;
    struct xw_book *book = xw_book_open();
    assert_int_equal(xw_book_breached(book), 0);
    assert_int_equal(xw_book_bands(book, 3).upper, 0);
    static const char *const messages[] = {ITCH_HALT, ITCH_SHORT_SALE, ITCH_BANDS, ITCH_LEVELS, ITCH_BREACHED};
    for (unsigned i = 0; i < 5; i++)
        assert_true(apply(book, decoded(messages[i])));
    assert_int_equal(xw_book_trading_state(book, 3), 'P');
    assert_string_equal(xw_book_halt_reason(book, 3), "LUDP");
    assert_string_equal(xw_book_symbol(book, 3), "ABC");
    assert_int_equal(xw_book_short_sale(book, 3), '1');
    assert_true(xw_book_bands(book, 3).lower == 95000 && xw_book_bands(book, 3).reference == 100000);
    assert_int_equal(xw_book_breached(book), '2');
    assert_int_equal(xw_book_short_sale(book, 4), 0);
    xw_book_close(book);
}

static void levels_come_best_first_and_hold_the_sum_of_their_orders(void **state)
{
    (void)state;
    struct xw_book *book = xw_book_open();
    assert_true(apply(book, add(1, 'B', 100, 1000)));
    assert_true(apply(book, add(2, 'B', 200, 1100)));
    assert_true(apply(book, add(3, 'B', 300, 1000)));
    assert_true(apply(book, add(4, 'S', 400, 1300)));
    assert_true(apply(book, add(5, 'S', 500, 1200)));
    struct xw_level l[4];
    assert_int_equal(xw_book_levels(book, 3, 'B', l, 4), 2);
    assert_true(l[0].price == 1100 && l[0].orders == 1 && l[0].shares == 200);
    assert_true(l[1].price == 1000 && l[1].orders == 2 && l[1].shares == 400);
    assert_int_equal(xw_book_levels(book, 3, 'S', l, 1), 1);
    assert_true(l[0].price == 1200 && l[0].shares == 500);
    assert_int_equal(xw_book_levels(book, 4, 'S', l, 4), 0);
    assert_int_equal(xw_book_levels(book, 60000, 'S', l, 4), 0);
    assert_false(xw_book_crossed(book, 3));
    assert_true(apply(book, add(6, 'B', 1, 1200)));
    assert_true(xw_book_crossed(book, 3));
    assert_string_equal(xw_book_symbol(book, 3), "ABC");
    assert_int_equal(xw_book_locate(book, "ABC"), 3);
    assert_int_equal(xw_book_locate(book, "ABCD"), 0);
    assert_int_equal(xw_book_highest_locate(book), 3);
    xw_book_close(book);
}

static void prints_count_as_volume_and_last_price_when_they_should(void **state)
{
    (void)state;
    struct xw_book *book = xw_book_open();
    apply(book, add(1, 'B', 100, 1000));
    assert_true(apply(book, (struct xw_itch){.type = 'E', .locate = 3, .ref = 1, .shares = 10}));
    assert_int_equal(xw_book_volume(book, 3), 10);
    assert_int_equal(xw_book_last_price(book, 3), 1000);
    assert_true(
        apply(book, (struct xw_itch){.type = 'C', .locate = 3, .ref = 1, .shares = 5, .price = 990, .printable = 'N'}));
    assert_int_equal(xw_book_volume(book, 3), 10);
    assert_true(
        apply(book, (struct xw_itch){.type = 'C', .locate = 3, .ref = 1, .shares = 5, .price = 990, .printable = 'Y'}));
    assert_int_equal(xw_book_volume(book, 3), 15);
    assert_int_equal(xw_book_last_price(book, 3), 990);
    assert_true(apply(book, (struct xw_itch){.type = 'P', .locate = 3, .shares = 7, .price = 995}));
    assert_int_equal(xw_book_volume(book, 3), 22);
    assert_int_equal(xw_book_find(book, 1).shares, 80);
    assert_true(apply(book, (struct xw_itch){.type = 'H', .locate = 3, .code = 'H', .symbol = "ABC"}));
    assert_int_equal(xw_book_trading_state(book, 3), 'H');
    xw_book_close(book);
}

static void a_message_that_contradicts_the_book_is_told(void **state)
{
    (void)state;
    struct xw_book *book = xw_book_open();
    assert_true(apply(book, add(1, 'B', 100, 1000)));
    assert_false(apply(book, add(1, 'B', 100, 1000)));
    assert_false(apply(book, add(0, 'B', 100, 1000)));
    assert_false(apply(book, add(2, 'B', 0, 1000)));
    assert_false(apply(book, add(2, 'T', 1, 1000)));
    assert_false(apply(book, (struct xw_itch){.type = 'E', .ref = 9, .shares = 1}));
    assert_false(apply(book, (struct xw_itch){.type = 'X', .ref = 9, .shares = 1}));
    assert_false(apply(book, (struct xw_itch){.type = 'D', .ref = 9}));
    assert_false(apply(book, (struct xw_itch){.type = 'U', .ref = 9, .new_ref = 10, .shares = 1, .price = 1}));
    assert_false(apply(book, (struct xw_itch){.type = 'U', .ref = 1, .new_ref = 0, .shares = 1, .price = 1}));
    assert_true(apply(book, add(2, 'B', 100, 1000)));
    assert_false(apply(book, (struct xw_itch){.type = 'U', .ref = 1, .new_ref = 2, .shares = 1, .price = 1}));
    assert_int_equal(xw_book_orders(book), 2);
    assert_false(apply(book, (struct xw_itch){.type = 'X', .ref = 1, .shares = 101}));
    assert_int_equal(xw_book_orders(book), 1);
    xw_book_close(book);
}

// ---- a random stream against the obvious book: an array of orders, summed up anew for every question ----

#define REFS 4000

struct plain {
    uint32_t shares, price;
    uint16_t locate;
    char side;
};

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*seed >> 33) % below;
}

static void assert_same_side(const struct xw_book *book, const struct plain *orders, uint16_t locate, char side)
{
    uint64_t shares[64] = {0};
    uint32_t counts[64] = {0};
    for (uint64_t ref = 1; ref < REFS; ref++)
        if (orders[ref].shares != 0 && orders[ref].locate == locate && orders[ref].side == side) {
            shares[orders[ref].price] += orders[ref].shares;
            counts[orders[ref].price]++;
        }
    struct xw_level levels[64];
    unsigned count = xw_book_levels(book, locate, side, levels, 64), at = 0;
    for (unsigned i = 0; i < 64; i++) {
        unsigned price = side == 'B' ? 63 - i : i;
        if (counts[price] == 0)
            continue;
        assert_true(at < count);
        assert_int_equal(levels[at].price, price);
        assert_int_equal(levels[at].orders, counts[price]);
        assert_int_equal(levels[at].shares, shares[price]);
        at++;
    }
    assert_int_equal(at, count);
}

static struct xw_itch random_message(uint64_t *seed, struct plain *orders, uint64_t *next_ref)
{
    uint64_t ref = 1 + draw(seed, (uint32_t)*next_ref + 1);
    struct plain *order = &orders[ref];
    struct xw_itch m = {.ref = ref, .locate = order->locate};
    unsigned what = draw(seed, 8);
    if (order->shares == 0 || what < 3) {
        m = add(++*next_ref, draw(seed, 2) != 0 ? 'B' : 'S', 1 + draw(seed, 500), 1 + draw(seed, 60));
        m.locate = (uint16_t)(1 + draw(seed, 3));
        orders[m.ref] = (struct plain){(uint32_t)m.shares, m.price, m.locate, m.side};
    } else if (what < 6) {
        m.type = what == 3 ? 'E' : what == 4 ? 'X' : 'D';
        m.shares = what == 5 ? 0 : 1 + draw(seed, order->shares);
        order->shares -= what == 5 ? order->shares : (uint32_t)m.shares;
    } else {
        m.type = 'U';
        m.new_ref = ++*next_ref;
        m.shares = 1 + draw(seed, 500);
        m.price = 1 + draw(seed, 60);
        orders[m.new_ref] = (struct plain){(uint32_t)m.shares, m.price, order->locate, order->side};
        order->shares = 0;
    }
    return m;
}

static void a_random_stream_gives_the_levels_of_the_obvious_book(void **state)
{
    (void)state;
    for (uint64_t seed_start = 1; seed_start <= 4; seed_start++) {
        static struct plain orders[REFS];
        memset(orders, 0, sizeof orders);
        uint64_t seed = seed_start, next_ref = 0;
        struct xw_book *book = xw_book_open();
        for (unsigned step = 0; next_ref < REFS - 2; step++) {
            assert_true(apply(book, random_message(&seed, orders, &next_ref)));
            if (step % 97 != 0)
                continue;
            for (uint16_t locate = 1; locate <= 3; locate++) {
                assert_same_side(book, orders, locate, 'B');
                assert_same_side(book, orders, locate, 'S');
            }
        }
        uint64_t live = 0;
        for (uint64_t ref = 1; ref < REFS; ref++) {
            live += orders[ref].shares != 0;
            assert_int_equal(xw_book_find(book, ref).shares, orders[ref].shares);
        }
        assert_int_equal(xw_book_orders(book), live);
        xw_book_close(book);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_book_message_is_read_field_by_field),
        cmocka_unit_test(every_other_size_of_every_type_is_refused),
        cmocka_unit_test(levels_come_best_first_and_hold_the_sum_of_their_orders),
        cmocka_unit_test(the_book_knows_the_state_of_the_market),
        cmocka_unit_test(prints_count_as_volume_and_last_price_when_they_should),
        cmocka_unit_test(a_message_that_contradicts_the_book_is_told),
        cmocka_unit_test(a_random_stream_gives_the_levels_of_the_obvious_book),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
