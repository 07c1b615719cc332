// SPDX-License-Identifier: Apache-2.0
// The client's OUCH encoder and decoder against messages written by hand from the protocol's text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "client/ouch.h"
#include "tests/unit/bytes.h"
#include "tests/unit/ouch_text.h"

static size_t encode(char type, uint8_t *out, const struct xw_options *options)
{
    struct xw_enter enter = {.user_ref = 7, .side = 'B', .quantity = 100, .symbol = "ABC", .price = 100000};
    struct xw_replace replace = {
        .orig_user_ref = 7, .user_ref = 8, .quantity = 200, .price = 100001, .tif = '3', .display = 'N'};
    enter.cl_ord_id = "MY-ORDER-00001";
    replace.cl_ord_id = "MY-ORDER-00002";
    switch (type) {
    case 'O':
        return xw_ouch_enter(out, &enter, options);
    case 'U':
        return xw_ouch_replace(out, &replace, options);
    case 'X':
        return xw_ouch_cancel(out, 7, 50, options);
    case 'M':
        return xw_ouch_modify(out, 7, 'T', 100, options);
    case 'C':
        return xw_ouch_mass_cancel(out, 9, "FIRM", "ABC", options);
    case 'D':
        return xw_ouch_disable(out, 10, "FIRM", options);
    case 'E':
        return xw_ouch_enable(out, 11, "FIRM", options);
    default:
        return xw_ouch_query(out, options);
    }
}

static void every_request_is_as_the_text_says(void **state)
{
    (void)state;
    for (size_t m = 0; m < IN_TEXTS; m++) {
        uint8_t expected[512], out[XW_OUCH_REQUEST_MAX];
        size_t size = bytes(in_texts[m].text, expected);
        if (!in_texts[m].optional)
            size += bytes("0000", expected + size);
        assert_int_equal(encode(in_texts[m].type, out, NULL), size);
        assert_memory_equal(out, expected, size);
    }
}

static void every_request_carries_its_options(void **state)
{
    (void)state;
    struct xw_options options = {0};
    xw_option_text(&options, TAG_FIRM, "AB", 4);
    xw_option_u32(&options, TAG_PEG_OFFSET, (uint32_t)-100);
    xw_option_char(&options, TAG_POST_ONLY, 'P');
    xw_option_u64(&options, TAG_DISCRETION_PRICE, 100002);
    xw_option_u16(&options, TAG_GROUP_ID, 0x0102);
    xw_option_u8(&options, TAG_USER_REF_IDX, 5);
    xw_option_raw(&options, 99, "", 0);
    static const char text[] =
        "0022 05 02 'AB  ' 05 07 FFFFFF9C 02 0C 'P' 09 09 00000000000186A2 03 18 0102 02 1C 05 01 63";
    for (size_t m = 0; m < IN_TEXTS; m++) {
        uint8_t expected[512], out[XW_OUCH_REQUEST_MAX];
        size_t size = bytes(in_texts[m].text, expected);
        size += bytes(text, expected + size);
        assert_int_equal(encode(in_texts[m].type, out, &options), size);
        assert_memory_equal(out, expected, size);
    }
}

static void blank_texts_are_spaces_and_usual_characters_fill_in(void **state)
{
    (void)state;
    uint8_t expected[512], out[XW_OUCH_REQUEST_MAX];
    struct xw_enter enter = {.user_ref = 1, .quantity = 1, .price = 1};
    size_t size = bytes(
        "'O' 00000001 'B' 00000001 '        ' 0000000000000001 '0' 'Y' 'P' 'N' 'N' '              ' 0000", expected);
    assert_int_equal(xw_ouch_enter(out, &enter, NULL), size);
    assert_memory_equal(out, expected, size);
}

static struct xw_ouch decode_text(char type, const char *rest, uint8_t *message)
{
    struct xw_ouch out = {0};
    for (size_t i = 0; i < OUT_TEXTS; i++) {
        if (out_texts[i].type != type)
            continue;
        size_t size = bytes(out_texts[i].text, message);
        size += bytes(rest, message + size);
        assert_true(xw_ouch_decode(message, size, &out));
        assert_int_equal(out.type, type);
        assert_int_equal(out.time_ns, TIME_0930);
        return out;
    }
    fail();
    return out;
}

static void accepted_and_replaced_are_read_field_by_field(void **state)
{
    (void)state;
    uint8_t message[512];
    struct xw_ouch a = decode_text('A', "0000", message);
    assert_int_equal(a.user_ref, 7);
    assert_int_equal(a.side, 'B');
    assert_int_equal(a.quantity, 100);
    assert_string_equal(a.symbol, "ABC");
    assert_int_equal(a.price, 100000);
    assert_int_equal(a.tif, '0');
    assert_int_equal(a.display, 'Y');
    assert_int_equal(a.order_ref, 0x42);
    assert_int_equal(a.capacity, 'P');
    assert_int_equal(a.iso, 'N');
    assert_int_equal(a.cross, 'N');
    assert_int_equal(a.state, 'L');
    assert_string_equal(a.cl_ord_id, "MY-ORDER-00001");
    assert_int_equal(a.user_ref_idx, 0);
    struct xw_ouch u = decode_text('U', "0006 05 02 'FIRM'", message);
    assert_int_equal(u.orig_user_ref, 7);
    assert_int_equal(u.user_ref, 8);
    assert_int_equal(u.side, 'S');
    assert_int_equal(u.quantity, 200);
    assert_int_equal(u.price, 100001);
    assert_int_equal(u.tif, '3');
    assert_int_equal(u.order_ref, 0x43);
    assert_int_equal(u.capacity, 'A');
    assert_int_equal(u.iso, 'Y');
    assert_int_equal(u.cross, 'O');
    assert_int_equal(u.state, 'L');
    assert_string_equal(u.cl_ord_id, "MY-ORDER-00002");
    size_t size;
    const uint8_t *firm = xw_ouch_option(&u, TAG_FIRM, &size);
    assert_non_null(firm);
    assert_int_equal(size, 4);
    assert_memory_equal(firm, "FIRM", 4);
    assert_null(xw_ouch_option(&u, TAG_MIN_QTY, NULL));
}

static void stop_price_and_trail_amount_go_out_as_their_own_tags_and_come_back(void **state)
{
    (void)state;
    uint8_t expected[512], out[XW_OUCH_REQUEST_MAX], message[512];
    struct xw_options options = {0};
    xw_option_stop_price(&options, 100003);
    xw_option_trail_amount(&options, 100);
    for (size_t m = 0; m < 2; m++) { // O and U
        size_t size = bytes(in_texts[m].text, expected);
        size += bytes("0014 09 C8 00000000000186A3 09 C9 0000000000000064", expected + size);
        assert_int_equal(encode(in_texts[m].type, out, &options), size);
        assert_memory_equal(out, expected, size);
    }
    for (const char *type = "AU"; *type != '\0'; type++) {
        struct xw_ouch m = decode_text(*type, "000A 09 C8 00000000000186A3", message);
        assert_true(m.stop_price == 100003 && m.trail_amount == 0);
        m = decode_text(*type, "000A 09 C9 0000000000000064", message);
        assert_true(m.stop_price == 0 && m.trail_amount == 100);
        m = decode_text(*type, "0006 05 C8 000186A3", message); // of another size: none
        assert_true(m.stop_price == 0);
    }
}

static void a_restated_order_tells_what_is_displayed_and_its_new_reference(void **state)
{
    (void)state;
    uint8_t message[512];
    struct xw_ouch m = decode_text('R', "0013 09 01 0000000000000042 05 16 00000064 02 1C 05", message);
    assert_true(m.order_ref == 0x42 && m.display_quantity == 100 && m.user_ref_idx == 5);
}

static void the_other_answers_are_read_field_by_field(void **state)
{
    (void)state;
    uint8_t message[512];
    assert_int_equal(decode_text('S', "", message).reason, 'S');
    struct xw_ouch m = decode_text('C', "", message);
    assert_true(m.user_ref == 7 && m.quantity == 50 && m.reason == 'U');
    m = decode_text('D', "", message);
    assert_true(m.user_ref == 7 && m.quantity == 50 && m.reason == 'Q' && m.prevented == 0x33 && m.price == 100000 &&
                m.liquidity == 'R' && m.aiq_strategy == 'Y');
    m = decode_text('E', "0000", message);
    assert_true(m.user_ref == 7 && m.quantity == 20 && m.price == 100000 && m.liquidity == 'R' && m.match == 0x99);
    m = decode_text('B', "", message);
    assert_true(m.user_ref == 7 && m.match == 0x99 && m.reason == 'E');
    assert_string_equal(m.cl_ord_id, "MY-ORDER-00001");
    m = decode_text('J', "", message);
    assert_true(m.user_ref == 7 && m.reject == 0x17);
    assert_string_equal(m.cl_ord_id, "MY-ORDER-00001");
    assert_string_equal(xw_ouch_reject_text(m.reject), "invalid symbol");
    assert_int_equal(decode_text('P', "", message).user_ref, 7);
    assert_int_equal(decode_text('I', "", message).user_ref, 7);
    m = decode_text('T', "", message);
    assert_true(m.user_ref == 7 && m.price == 100000 && m.display == 'Y' && m.order_ref == 0x44);
    m = decode_text('M', "", message);
    assert_true(m.user_ref == 7 && m.side == 'T' && m.quantity == 100);
    m = decode_text('R', "0000", message);
    assert_true(m.user_ref == 7 && m.reason == 'R');
    m = decode_text('X', "0000", message);
    assert_int_equal(m.user_ref, 9);
    assert_string_equal(m.firm, "FIRM");
    assert_string_equal(m.symbol, "ABC");
    m = decode_text('G', "0000", message);
    assert_int_equal(m.user_ref, 10);
    assert_string_equal(m.firm, "FIRM");
    assert_int_equal(decode_text('K', "0000", message).user_ref, 11);
    assert_int_equal(decode_text('Q', "", message).user_ref, 12);
}

static void the_channel_is_read_from_every_appendage(void **state)
{
    (void)state;
    uint8_t message[512];
    for (size_t i = 0; i < OUT_TEXTS; i++)
        if (out_texts[i].appendage != 'N')
            assert_int_equal(decode_text(out_texts[i].type, "0009 05 0F 0000003C 02 1C 05", message).user_ref_idx, 5);
}

static void every_truncation_of_every_answer_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < OUT_TEXTS; i++) {
        uint8_t message[512];
        size_t fixed = bytes(out_texts[i].text, message);
        size_t whole = fixed;
        if (out_texts[i].appendage != 'N')
            whole += bytes("0009 05 0F 0000003C 02 1C 05", message + fixed);
        for (size_t size = 0; size < whole + 2; size++) {
            struct xw_ouch out;
            uint8_t *copy = malloc(size + (size == 0));
            assert_non_null(copy);
            memcpy(copy, message, size);
            bool complete = size == whole || (out_texts[i].appendage == 'O' && size == fixed);
            assert_int_equal(xw_ouch_decode(copy, size, &out), complete);
            free(copy);
        }
    }
}

static void an_unknown_answer_is_refused(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t message[64] = {(uint8_t)type};
        struct xw_ouch out;
        bool known = type != 0 && strchr("SAUCDEBJPITMRXGKQ", (int)type) != NULL;
        if (!known)
            assert_false(xw_ouch_decode(message, sizeof message, &out));
    }
}

static void an_appendage_whose_elements_overrun_is_refused(void **state)
{
    (void)state;
    static const char *const rests[] = {"0001 00", "0002 03 1C", "0003 FF 1C 05", "0004 02 1C 05 00"};
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        uint8_t message[512];
        struct xw_ouch out;
        size_t size = bytes(out_texts[1].text, message);
        size += bytes(rests[i], message + size);
        assert_false(xw_ouch_decode(message, size, &out));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_is_as_the_text_says),
        cmocka_unit_test(every_request_carries_its_options),
        cmocka_unit_test(blank_texts_are_spaces_and_usual_characters_fill_in),
        cmocka_unit_test(accepted_and_replaced_are_read_field_by_field),
        cmocka_unit_test(stop_price_and_trail_amount_go_out_as_their_own_tags_and_come_back),
        cmocka_unit_test(a_restated_order_tells_what_is_displayed_and_its_new_reference),
        cmocka_unit_test(the_other_answers_are_read_field_by_field),
        cmocka_unit_test(the_channel_is_read_from_every_appendage),
        cmocka_unit_test(every_truncation_of_every_answer_is_refused),
        cmocka_unit_test(an_unknown_answer_is_refused),
        cmocka_unit_test(an_appendage_whose_elements_overrun_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
