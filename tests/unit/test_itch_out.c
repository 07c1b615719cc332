// SPDX-License-Identifier: Apache-2.0
// The venue's ITCH encoder against messages written by hand from the protocol's text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "contract/command.h"
#include "contract/itch_out.h"
#include "tests/unit/bytes.h"
#include "tests/unit/itch_text.h"

static void assert_encodes(const struct event *event, const char *text)
{
    uint8_t expected[128], out[ITCH_OUT_MAX + 16];
    memset(out, 0xA5, sizeof out);
    size_t size = bytes(text, expected);
    assert_true(size <= ITCH_OUT_MAX);
    assert_int_equal(itch_out_encode(event, out), size);
    assert_memory_equal(out, expected, size);
    for (size_t i = size; i < sizeof out; i++)
        assert_int_equal(out[i], 0xA5);
}

static struct event order_event(uint8_t type, uint8_t flags)
{
    struct event e = {.type = type, .lines = 2, .flags = flags, .time_ns = ITCH_TIME, .locate = 3};
    e.ref = 0x42;
    e.quantity = 100;
    e.price = 100000;
    e.side = 'B';
    e.display = 'Y';
    memcpy(e.symbol, "ABC     ", 8);
    return e;
}

static struct event trade_event(uint8_t flags)
{
    struct event e = {.type = EV_TRADE, .lines = 2, .flags = flags, .time_ns = ITCH_TIME, .locate = 3};
    e.ref = 0x42;
    e.quantity = 20;
    e.price = 100000;
    e.side = 'S';
    e.match = 0x99;
    memcpy(e.trade_symbol, "ABC     ", 8);
    return e;
}

static void an_order_that_rests_is_added_whichever_event_tells_it(void **state)
{
    (void)state;
    static const uint8_t types[] = {EV_ACCEPTED, EV_BOOK_ADD, EV_RESTATED};
    for (size_t i = 0; i < sizeof types; i++) {
        struct event e = order_event(types[i], EV_MD_ADD);
        assert_encodes(&e, ITCH_ADD);
        for (const char *side = "STE"; *side != '\0'; side++) {
            e.side = *side;
            assert_encodes(&e, ITCH_ADD_SELL);
        }
    }
}

static void an_attributable_order_names_its_firm(void **state)
{
    (void)state;
    struct event e = order_event(EV_ACCEPTED, EV_MD_ADD);
    e.display = 'A';
    assert_encodes(&e, ITCH_ADD);
    memcpy(e.firm, "    ", 4);
    assert_encodes(&e, ITCH_ADD);
    memcpy(e.firm, "FIRM", 4);
    assert_encodes(&e, ITCH_ADD_FIRM);
    e.type = EV_RESTATED;
    assert_encodes(&e, ITCH_ADD_FIRM);
    e.display = 'Y';
    assert_encodes(&e, ITCH_ADD);
}

static void an_execution_names_the_order_and_the_match(void **state)
{
    (void)state;
    struct event e = trade_event(EV_MD_EXECUTE);
    memset((char *)&e + 128, 0xFF, 64); // a third line that the event does not have
    assert_encodes(&e, ITCH_EXECUTED);
    e.off_price = 1; // the price of another one than the one displayed
    assert_encodes(&e, ITCH_EXECUTED_PRICE);
}

static void a_trade_with_a_hidden_order_tells_neither_order_nor_side(void **state)
{
    (void)state;
    struct event e = trade_event(EV_MD_OTHER);
    assert_encodes(&e, ITCH_TRADE);
}

static void a_cancel_is_a_delete_or_a_reduction_as_its_flag_says(void **state)
{
    (void)state;
    static const uint8_t types[] = {EV_CANCELED, EV_AIQ_CANCELED};
    for (size_t i = 0; i < sizeof types; i++) {
        struct event e = order_event(types[i], EV_MD_DELETE);
        e.lines = types[i] == EV_CANCELED ? 1 : 3;
        e.quantity = e.prevented_qty = 20;
        assert_encodes(&e, ITCH_DELETE);
        e.flags = EV_MD_REDUCE;
        assert_encodes(&e, ITCH_CANCEL);
    }
}

static void a_replace_keeps_the_book_in_step(void **state)
{
    (void)state;
    struct event e = order_event(EV_REPLACED, EV_MD_REPLACE);
    e.old_ref = 0x42;
    e.ref = 0x43;
    e.quantity = 200;
    e.price = 100001;
    assert_encodes(&e, ITCH_REPLACE);
    e.flags = EV_MD_DELETE; // it trades on entry: the old order goes, the new one comes later
    assert_encodes(&e, ITCH_DELETE);
}

static void the_day_is_told_by_system_events_directory_and_trading_actions(void **state)
{
    (void)state;
    struct event e = order_event(EV_SYSTEM, EV_MD_OTHER);
    e.reason = 'O';
    assert_encodes(&e, ITCH_SYSTEM);
    e = order_event(EV_SYMBOL, EV_MD_OTHER);
    e.lines = 3;
    e.round_lot = 100;
    assert_encodes(&e, ITCH_DIRECTORY);
    e = order_event(EV_TRADING_ACTION, EV_MD_OTHER);
    e.reason = 'T';
    assert_encodes(&e, ITCH_ACTION);
    e.reason = 'P';
    memcpy(e.action_reason, "LUDP", 4);
    assert_encodes(&e, ITCH_HALT);
    e = order_event(EV_REG_SHO, EV_MD_OTHER);
    e.reason = '1';
    assert_encodes(&e, ITCH_SHORT_SALE);
    e = order_event(EV_BAND, EV_MD_OTHER);
    e.upper = 105000;
    e.lower = 95000;
    assert_encodes(&e, ITCH_BANDS);
    e = (struct event){.type = EV_MARKET_WIDE, .lines = 2, .flags = EV_MD_OTHER, .time_ns = ITCH_TIME};
    e.levels[0] = 0x101;
    e.levels[1] = 0x202;
    e.levels[2] = 0x303;
    assert_encodes(&e, ITCH_LEVELS);
    e = (struct event){.type = EV_MARKET_WIDE, .lines = 2, .flags = EV_MD_OTHER, .time_ns = ITCH_TIME, .reason = '2'};
    assert_encodes(&e, ITCH_BREACHED);
    e = trade_event(EV_MD_OTHER);
    e.type = EV_BROKEN;
    assert_encodes(&e, ITCH_BROKEN);
}

static void an_event_without_a_market_data_flag_makes_no_message(void **state)
{
    (void)state;
    uint8_t out[ITCH_OUT_MAX];
    for (unsigned type = 0; type < 64; type++) {
        struct event e = order_event((uint8_t)type, 0);
        assert_int_equal(itch_out_encode(&e, out), 0);
        e.flags = EV_REPLAYED;
        assert_int_equal(itch_out_encode(&e, out), 0);
    }
    struct event e = order_event(EV_DAY_OPEN, EV_MD_OTHER);
    assert_int_equal(itch_out_encode(&e, out), 0);
    e.type = EV_DAY_END;
    assert_int_equal(itch_out_encode(&e, out), 0);
}

static void a_replayed_event_makes_the_same_bytes(void **state)
{
    (void)state;
    struct event e = order_event(EV_ACCEPTED, EV_MD_ADD | EV_REPLAYED);
    assert_encodes(&e, ITCH_ADD);
}

static void a_mold_header_is_as_the_text_says(void **state)
{
    (void)state;
    uint8_t expected[MOLD_HEADER], out[MOLD_HEADER];
    assert_int_equal(bytes("'261121XW00' 0000000000000102 0304", expected), MOLD_HEADER);
    mold_header(out, "261121XW00", 0x0102, 0x0304);
    assert_memory_equal(out, expected, MOLD_HEADER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_that_rests_is_added_whichever_event_tells_it),
        cmocka_unit_test(an_attributable_order_names_its_firm),
        cmocka_unit_test(an_execution_names_the_order_and_the_match),
        cmocka_unit_test(a_trade_with_a_hidden_order_tells_neither_order_nor_side),
        cmocka_unit_test(a_cancel_is_a_delete_or_a_reduction_as_its_flag_says),
        cmocka_unit_test(a_replace_keeps_the_book_in_step),
        cmocka_unit_test(the_day_is_told_by_system_events_directory_and_trading_actions),
        cmocka_unit_test(an_event_without_a_market_data_flag_makes_no_message),
        cmocka_unit_test(a_replayed_event_makes_the_same_bytes),
        cmocka_unit_test(a_mold_header_is_as_the_text_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
