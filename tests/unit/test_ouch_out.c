// SPDX-License-Identifier: Apache-2.0
// The venue's OUCH encoder against messages written by hand from the protocol's text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "contract/command.h"
#include "contract/ouch_out.h"
#include "contract/reject.h"
#include "contract/wire.h"
#include "tests/unit/bytes.h"
#include "tests/unit/ouch_text.h"

#define TEXT(field, text) memcpy(field, text, sizeof field)

// The event that makes out_texts' message of this type, every line in use, every option's field filled.
static struct event event_for(char type)
{
    struct event e;
    memset(&e, 0, sizeof e);
    e.time_ns = TIME_0930;
    e.lines = 3;
    e.user_ref = 7;
    e.quantity = 50;
    e.price = 100000;
    e.side = 'B';
    e.peg_offset = (uint32_t)-100;
    e.discretion_price = 100002;
    e.discretion_peg_offset = 100;
    e.random_reserves = 10;
    e.expire_s = 60;
    e.display_quantity = 100;
    e.display_price = 100000;
    e.prevented_qty = 0x33;
    TEXT(e.route, "RTE1");
    TEXT(e.locate_broker, "BRKR");
    e.discretion_price_type = 'P';
    e.secondary_ref = 0x42;
    e.trigger = 100003;
    e.trigger_type = 'S';
    if (type == 'E' || type == 'B') {
        e.match = 0x99;
        TEXT(e.trade_symbol, "ABC     ");
        e.taker_liquidity = 'R';
        e.maker_liquidity = 'A';
        TEXT(e.broken_cl_ord_id, "MY-ORDER-00001");
        return e;
    }
    TEXT(e.symbol, "ABC     ");
    TEXT(e.cl_ord_id, "MY-ORDER-00001");
    TEXT(e.firm, "FIRM");
    e.tif = '0';
    e.display = 'Y';
    e.capacity = 'P';
    e.iso = 'N';
    e.cross = 'N';
    e.min_qty = 100;
    e.max_floor = 50;
    e.group_id = 0x0102;
    e.price_type = 'M';
    e.post_only = 'P';
    e.customer_type = 'R';
    e.handle_inst = 'I';
    e.trade_now = 'Y';
    e.shares_located = 'Y';
    e.bbo_weight = '2';
    e.aiq_strategy = 'Y';
    TEXT(e.aiq_group, "G1");
    return e;
}

static struct event filled(char type)
{
    struct event e = event_for(type);
    switch (type) {
    case 'S':
        e.type = EV_SYSTEM;
        e.reason = 'S';
        break;
    case 'A':
        e.type = EV_ACCEPTED;
        e.quantity = 100;
        e.ref = 0x42;
        break;
    case 'U':
        e.type = EV_REPLACED;
        e.user_ref = 8;
        e.other_user_ref = 7;
        e.side = 'S';
        e.quantity = 200;
        e.price = 100001;
        e.tif = '3';
        e.display = 'N';
        e.ref = 0x43;
        e.capacity = 'A';
        e.iso = 'Y';
        e.cross = 'O';
        TEXT(e.cl_ord_id, "MY-ORDER-00002");
        break;
    case 'C':
        e.type = EV_CANCELED;
        e.reason = 'U';
        break;
    case 'D':
        e.type = EV_AIQ_CANCELED;
        e.reason = 'Q';
        e.taker_liquidity = 'R';
        break;
    case 'E':
        e.type = EV_TRADE;
        e.quantity = 20;
        e.other_user_ref = 0x21;
        break;
    case 'B':
        e.type = EV_BROKEN;
        e.reason = 'E';
        break;
    case 'J':
        e.type = EV_REJECTED;
        e.reason = REJECT_SYMBOL;
        break;
    case 'P':
        e.type = EV_CANCEL_PENDING;
        break;
    case 'I':
        e.type = EV_CANCEL_REJECT;
        break;
    case 'T':
        e.type = EV_PRIORITY;
        e.ref = 0x44;
        break;
    case 'M':
        e.type = EV_MODIFIED;
        e.side = 'T';
        e.quantity = 100;
        break;
    case 'R':
        e.type = EV_RESTATED;
        e.reason = 'R';
        break;
    case 'X':
        e.type = EV_MASS_CANCEL;
        e.user_ref = 9;
        e.side = 'S';
        break;
    case 'G':
        e.type = EV_DISABLED;
        e.user_ref = 10;
        break;
    case 'K':
        e.type = EV_ENABLED;
        e.user_ref = 11;
        break;
    case 'Q':
        e.type = EV_QUERY;
        e.user_ref = 12;
        break;
    default:
        fail();
    }
    return e;
}

static void assert_encodes(const struct event *event, enum ouch_party party, const char *fixed, const char *rest)
{
    uint8_t expected[512], out[OUCH_OUT_MAX + 16];
    memset(out, 0xA5, sizeof out);
    size_t size = bytes(fixed, expected);
    size += bytes(rest, expected + size);
    assert_true(size <= OUCH_OUT_MAX);
    assert_int_equal(ouch_out_encode(event, party, out), size);
    assert_memory_equal(out, expected, size);
    for (size_t i = size; i < sizeof out; i++)
        assert_int_equal(out[i], 0xA5);
}

static void every_message_without_options_is_as_the_text_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < OUT_TEXTS; i++) {
        struct event event = filled(out_texts[i].type);
        assert_encodes(&event, OUCH_TAKER, out_texts[i].text, out_texts[i].appendage == 'A' ? "0000" : "");
    }
}

static void a_channel_other_than_0_is_echoed_on_every_message_but_the_system_event(void **state)
{
    (void)state;
    for (size_t i = 0; i < OUT_TEXTS; i++) {
        struct event event = filled(out_texts[i].type);
        event.user_ref_idx = 5;
        assert_encodes(&event, OUCH_TAKER, out_texts[i].text, out_texts[i].appendage == 'N' ? "" : "0003 02 1C 05");
    }
}

static void both_parties_of_a_trade_get_their_own_number_liquidity_and_channel(void **state)
{
    (void)state;
    struct event event = filled('E');
    event.user_ref_idx = 5;
    event.other_user_ref_idx = 6;
    assert_encodes(&event, OUCH_MAKER, "'E' " AT_0930 "00000021 00000014 00000000000186A0 'A' 0000000000000099",
                   "0003 02 1C 06");
    event.other_user_ref_idx = 0;
    assert_encodes(&event, OUCH_MAKER, "'E' " AT_0930 "00000021 00000014 00000000000186A0 'A' 0000000000000099",
                   "0000");
    assert_encodes(&event, OUCH_TAKER, out_texts[5].text, "0003 02 1C 05");
}

static const char *tag_value(unsigned tag)
{
    for (size_t i = 0; i < TAG_TEXTS; i++)
        if (tag_texts[i].tag == tag)
            return tag_texts[i].value;
    return NULL;
}

// Which options each message may echo, from the text; UserRefIdx has its own test.
static bool may_echo(char type, unsigned tag)
{
    switch (type) {
    case 'A':
        return (tag >= 2 && tag <= 7) || (tag >= 9 && tag <= 18) || tag == 24 || tag == 25 || tag == 29 || tag == 30 ||
               tag == 200 || tag == 201;
    case 'U':
        return tag == 2 || tag == 3 || tag == 5 || tag == 6 || tag == 12 || (tag >= 15 && tag <= 18) || tag == 29 ||
               tag == 30 || tag == 200 || tag == 201;
    case 'M':
        return tag == 25 || tag == 26;
    case 'R':
        return tag == 22 || tag == 23 || tag == 1;
    case 'X':
        return tag == 24 || tag == 27;
    default:
        return false;
    }
}

static void every_option_on_every_message_is_echoed_as_the_text_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < OUT_TEXTS; i++) {
        char type = out_texts[i].type;
        if (type == 'E' || type == 'B' || type == 'S')
            continue; // their event has no options
        for (unsigned bit = 0; bit < 32; bit++) {
            unsigned tag = bit == 19 ? 200 : bit == 20 ? 201 : bit;
            if (tag == TAG_USER_REF_IDX)
                continue;
            struct event event = filled(type);
            event.options = OPTION(bit);
            event.trigger = tag == 201 ? 100 : 100003;
            event.user_ref_idx = 5;
            uint8_t value[16];
            char rest[64] = "0003 02 1C 05";
            if (may_echo(type, tag)) {
                unsigned size = (unsigned)bytes(tag_value(tag), value);
                const char *form = bit < TAG_USER_REF_IDX ? "%04X %02X %02X %s 02 1C 05" : "%04X 02 1C 05 %02X %02X %s";
                snprintf(rest, sizeof rest, form, size + 5, size + 1, tag, tag_value(tag));
            }
            assert_encodes(&event, OUCH_TAKER, out_texts[i].text, rest);
        }
    }
}

static void a_restated_order_tells_what_is_displayed_and_its_new_reference(void **state)
{
    (void)state;
    struct event event = filled('R');
    event.options = OPTION(TAG_DISPLAY_QUANTITY) | OPTION(TAG_SECONDARY_REF);
    assert_encodes(&event, OUCH_TAKER, "'R' " AT_0930 "00000007 'R'", "0010 09 01 0000000000000042 05 16 00000064");
    event.user_ref_idx = 5;
    assert_encodes(&event, OUCH_TAKER, "'R' " AT_0930 "00000007 'R'",
                   "0013 09 01 0000000000000042 05 16 00000064 02 1C 05");
}

static void options_come_in_the_order_of_their_tags(void **state)
{
    (void)state;
    struct event event = filled('A');
    event.options = OPTION(TAG_AIQ_STRATEGY) | OPTION(TAG_FIRM) | OPTION(TAG_EXPIRE_TIME);
    assert_encodes(&event, OUCH_TAKER, out_texts[1].text, "000F 05 02 'FIRM' 05 0F 0000003C 02 1D 'Y'");
}

static void the_message_with_every_option_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < OUT_TEXTS; i++) {
        struct event event = filled(out_texts[i].type);
        uint8_t out[OUCH_OUT_MAX];
        if (event.type != EV_TRADE && event.type != EV_BROKEN)
            event.options = UINT32_MAX;
        event.user_ref_idx = 255;
        assert_in_range(ouch_out_encode(&event, OUCH_TAKER, out), 10, OUCH_OUT_MAX);
    }
}

static void lines_that_an_event_does_not_have_are_not_read(void **state)
{
    (void)state;
    struct event event = filled('C');
    event.lines = 1;
    event.user_ref_idx = 5;
    memset((char *)&event + 64, 0xFF, 128);
    assert_encodes(&event, OUCH_TAKER, out_texts[3].text, "0003 02 1C 05");
    event = filled('M');
    event.lines = 1;
    event.user_ref_idx = 5;
    memset((char *)&event + 64, 0xFF, 128);
    assert_encodes(&event, OUCH_TAKER, out_texts[11].text, "0003 02 1C 05");
    event = filled('A');
    event.lines = 2;
    event.options = OPTION(TAG_PEG_OFFSET) | OPTION(TAG_FIRM) | OPTION(TAG_ROUTE);
    memset((char *)&event + 128, 0xFF, 64);
    assert_encodes(&event, OUCH_TAKER, out_texts[1].text, "0006 05 02 'FIRM'");
    event = filled('D');
    event.lines = 2;
    memset((char *)&event + 128, 0xFF, 64);
    assert_encodes(&event, OUCH_TAKER, "'D' " AT_0930 "00000007 00000032 'Q' 00000000 00000000000186A0 'R' 'Y'", "");
}

static void fields_that_nobody_filled_go_out_as_spaces(void **state)
{
    (void)state;
    struct event event = {.type = EV_REJECTED, .lines = 2, .time_ns = TIME_0930, .user_ref = 7, .reason = REJECT_OTHER};
    assert_encodes(&event, OUCH_TAKER, "'J' " AT_0930 "00000007 000F '              '", "");
    event = (struct event){.type = EV_MASS_CANCEL, .lines = 2, .time_ns = TIME_0930, .user_ref = 7};
    assert_encodes(&event, OUCH_TAKER, "'X' " AT_0930 "00000007 '    ' '        '", "0000");
}

static void a_client_order_id_comes_back_byte_for_byte(void **state)
{
    (void)state;
    struct event event = {.type = EV_REJECTED, .lines = 2, .time_ns = TIME_0930, .user_ref = 7, .reason = (char)0xFE};
    memcpy(event.cl_ord_id, "\x00\xFF\x01 \x7F", 5);
    assert_encodes(&event, OUCH_TAKER, "'J' " AT_0930 "00000007 00FE 00FF01 20 7F 000000000000000000", "");
}

static void events_of_the_market_data_alone_make_no_message(void **state)
{
    (void)state;
    static const uint8_t types[] = {EV_NONE, EV_BOOK_ADD, EV_SYMBOL, EV_TRADING_ACTION, EV_DAY_OPEN, EV_DAY_END, 200};
    uint8_t out[OUCH_OUT_MAX];
    for (size_t i = 0; i < sizeof types; i++) {
        struct event event = filled('A');
        event.type = types[i];
        assert_int_equal(ouch_out_encode(&event, OUCH_TAKER, out), 0);
    }
    struct event event = filled('S');
    event.flags = EV_MD_OTHER;
    assert_int_equal(ouch_out_encode(&event, OUCH_TAKER, out), 0);
    event.flags = EV_REPLAYED;
    assert_int_equal(ouch_out_encode(&event, OUCH_TAKER, out), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_without_options_is_as_the_text_says),
        cmocka_unit_test(a_channel_other_than_0_is_echoed_on_every_message_but_the_system_event),
        cmocka_unit_test(both_parties_of_a_trade_get_their_own_number_liquidity_and_channel),
        cmocka_unit_test(every_option_on_every_message_is_echoed_as_the_text_says),
        cmocka_unit_test(a_restated_order_tells_what_is_displayed_and_its_new_reference),
        cmocka_unit_test(options_come_in_the_order_of_their_tags),
        cmocka_unit_test(the_message_with_every_option_fits),
        cmocka_unit_test(lines_that_an_event_does_not_have_are_not_read),
        cmocka_unit_test(fields_that_nobody_filled_go_out_as_spaces),
        cmocka_unit_test(a_client_order_id_comes_back_byte_for_byte),
        cmocka_unit_test(events_of_the_market_data_alone_make_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
