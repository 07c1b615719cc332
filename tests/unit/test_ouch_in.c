// SPDX-License-Identifier: Apache-2.0
// The venue's OUCH decoder against messages written by hand from the protocol's text.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "contract/ouch_in.h"
#include "contract/reject.h"
#include "tests/unit/bytes.h"
#include "tests/unit/ouch_text.h"

static const uint8_t command_types[] = {CMD_ENTER,       CMD_REPLACE, CMD_CANCEL, CMD_MODIFY,
                                        CMD_MASS_CANCEL, CMD_DISABLE, CMD_ENABLE, CMD_QUERY};

// The decoder sees a copy of exactly the message's size, so that a sanitizer catches a byte too many.
static enum ouch_in_result decode(const uint8_t *message, size_t size, struct command *command)
{
    uint8_t *copy = malloc(size + (size == 0));
    assert_non_null(copy);
    memcpy(copy, message, size);
    memset(command, 0xA5, sizeof *command);
    enum ouch_in_result result = ouch_in_decode(copy, size, command);
    free(copy);
    return result;
}

// Decodes a message written as text with an appendage written as text.
static struct command decoded(const char *fixed, const char *options)
{
    uint8_t message[512], appendage[256];
    size_t size = bytes(fixed, message);
    size_t length = bytes(options, appendage);
    message[size] = (uint8_t)(length >> 8);
    message[size + 1] = (uint8_t)length;
    memcpy(message + size + 2, appendage, length);
    struct command command;
    assert_int_equal(decode(message, size + 2 + length, &command), OUCH_IN_OK);
    return command;
}

static const struct tag_text *tag_text(unsigned tag)
{
    for (size_t i = 0; i < TAG_TEXTS; i++)
        if (tag_texts[i].tag == tag)
            return &tag_texts[i];
    return NULL;
}

// Writes one element with the value given as text.
static size_t element(unsigned tag, const char *value, uint8_t *out)
{
    size_t size = bytes(value, out + 2);
    out[0] = (uint8_t)(size + 1);
    out[1] = (uint8_t)tag;
    return size + 2;
}

// A message of in_texts with one raw appendage.
static size_t with_appendage(const struct in_text *text, const uint8_t *appendage, size_t length, uint8_t *out)
{
    size_t size = bytes(text->text, out);
    assert_int_equal(size, text->fixed);
    out[size] = (uint8_t)(length >> 8);
    out[size + 1] = (uint8_t)length;
    if (length > 0)
        memcpy(out + size + 2, appendage, length);
    return size + 2 + length;
}

static void an_enter_order_is_read_field_by_field(void **state)
{
    (void)state;
    struct command c = decoded(in_texts[0].text, "");
    assert_int_equal(c.type, CMD_ENTER);
    assert_int_equal(c.refuse, REJECT_NONE);
    assert_int_equal(c.user_ref, 7);
    assert_int_equal(c.side, 'B');
    assert_int_equal(c.quantity, 100);
    assert_memory_equal(c.symbol, "ABC     ", 8);
    assert_int_equal(c.price, 100000);
    assert_int_equal(c.tif, '0');
    assert_int_equal(c.display, 'Y');
    assert_int_equal(c.capacity, 'P');
    assert_int_equal(c.iso, 'N');
    assert_int_equal(c.cross, 'N');
    assert_memory_equal(c.cl_ord_id, "MY-ORDER-00001", 14);
    assert_int_equal(c.options, 0);
    assert_int_equal(c.locate, LOCATE_NONE);
    assert_int_equal(c.orig_user_ref, 0);
    assert_int_equal(c.expire_s, 0);
}

static void a_replace_is_read_field_by_field(void **state)
{
    (void)state;
    struct command c = decoded(in_texts[1].text, "");
    assert_int_equal(c.type, CMD_REPLACE);
    assert_int_equal(c.refuse, REJECT_NONE);
    assert_int_equal(c.orig_user_ref, 7);
    assert_int_equal(c.user_ref, 8);
    assert_int_equal(c.quantity, 200);
    assert_int_equal(c.price, 100001);
    assert_int_equal(c.tif, '3');
    assert_int_equal(c.display, 'N');
    assert_int_equal(c.iso, 'N');
    assert_memory_equal(c.cl_ord_id, "MY-ORDER-00002", 14);
    assert_int_equal(c.side, 0);
}

static void the_short_messages_are_read_field_by_field(void **state)
{
    (void)state;
    struct command c = decoded(in_texts[2].text, "");
    assert_int_equal(c.type, CMD_CANCEL);
    assert_int_equal(c.user_ref, 7);
    assert_int_equal(c.quantity, 50);
    c = decoded(in_texts[3].text, "");
    assert_int_equal(c.type, CMD_MODIFY);
    assert_int_equal(c.user_ref, 7);
    assert_int_equal(c.side, 'T');
    assert_int_equal(c.quantity, 100);
    c = decoded(in_texts[4].text, "");
    assert_int_equal(c.type, CMD_MASS_CANCEL);
    assert_int_equal(c.user_ref, 9);
    assert_memory_equal(c.firm, "FIRM", 4);
    assert_memory_equal(c.symbol, "ABC     ", 8);
    c = decoded(in_texts[5].text, "");
    assert_int_equal(c.type, CMD_DISABLE);
    assert_int_equal(c.user_ref, 10);
    c = decoded(in_texts[6].text, "");
    assert_int_equal(c.type, CMD_ENABLE);
    assert_int_equal(c.user_ref, 11);
    assert_memory_equal(c.firm, "FIRM", 4);
    c = decoded(in_texts[7].text, "");
    assert_int_equal(c.type, CMD_QUERY);
    assert_int_equal(c.refuse, REJECT_NONE);
}

static void a_mass_cancel_of_any_symbol_and_firm_is_not_refused(void **state)
{
    (void)state;
    struct command c = decoded("'C' 00000009 '    ' '        '", "");
    assert_int_equal(c.refuse, REJECT_NONE);
}

static void every_option_lands_in_its_field(void **state)
{
    (void)state;
    struct command c = decoded(
        "'O' 00000007 'B' 00000064 'ABC     ' 00000000000186A0 '6' 'Y' 'P' 'N' 'O' 'MY-ORDER-00001'",
        "05 02 'FIRM' 05 03 00000064 02 04 'R' 05 05 00000032 02 06 'm' 05 07 FFFFFF9C 09 09 00000000000186A2 "
        "02 0A 'M' 05 0B FFFFFFFF 02 0C 'P' 05 0D 0000000A 05 0F 0001517F 02 10 'Y' 02 11 'I' 03 18 0102 02 19 'Y' "
        "05 1A 'BRKR' 02 1C 05 02 1D '*' 03 1E 'G1' 09 C8 00000000000186A3 09 C9 0000000000000064");
    assert_int_equal(c.refuse, REJECT_NONE);
    assert_memory_equal(c.firm, "FIRM", 4);
    assert_int_equal(c.min_qty, 100);
    assert_int_equal(c.customer_type, 'R');
    assert_int_equal(c.max_floor, 50);
    assert_int_equal(c.price_type, 'm');
    assert_int_equal(c.peg_offset, -100);
    assert_int_equal(c.discretion_price, 100002);
    assert_int_equal(c.discretion_price_type, 'M');
    assert_int_equal(c.discretion_peg_offset, -1);
    assert_int_equal(c.post_only, 'P');
    assert_int_equal(c.random_reserves, 10);
    assert_int_equal(c.expire_s, 86399);
    assert_int_equal(c.trade_now, 'Y');
    assert_int_equal(c.handle_inst, 'I');
    assert_int_equal(c.group_id, 0x0102);
    assert_int_equal(c.shares_located, 'Y');
    assert_memory_equal(c.locate_broker, "BRKR", 4);
    assert_int_equal(c.user_ref_idx, 5);
    assert_int_equal(c.aiq_strategy, '*');
    assert_memory_equal(c.aiq_group, "G1", 2);
    assert_int_equal(c.trigger, 100); // of both the last; the engine refuses them
    uint32_t expected = 0;
    for (size_t i = 0; i < TAG_TEXTS; i++)
        if (strchr(tag_texts[i].in, 'O') != NULL)
            expected |= tag_bit(tag_texts[i].tag);
    assert_int_equal(c.options, expected);
}

static void the_largest_enter_order_that_is_read_is_160_bytes(void **state)
{
    (void)state;
    uint8_t appendage[256], message[512];
    size_t length = 0;
    for (size_t i = 0; i < TAG_TEXTS; i++)
        if (strchr(tag_texts[i].in, 'O') != NULL)
            length += element(tag_texts[i].tag, tag_texts[i].value, appendage + length);
    struct in_text enter = in_texts[0];
    enter.text = "'O' 00000007 'B' 00000064 'ABC     ' 00000000000186A0 '0' 'Y' 'P' 'N' 'O' 'MY-ORDER-00001'";
    size_t size = with_appendage(&enter, appendage, length, message);
    assert_int_equal(size, 160);
    struct command command;
    assert_int_equal(decode(message, size, &command), OUCH_IN_OK);
    assert_int_equal(command.refuse, REJECT_NONE);
}

static void side_comes_as_an_option_on_replace_and_mass_cancel(void **state)
{
    (void)state;
    assert_int_equal(decoded(in_texts[1].text, "02 1B 'E'").side, 'E');
    struct command c = decoded(in_texts[4].text, "02 1B 'S' 03 18 0000");
    assert_int_equal(c.side, 'S');
    assert_int_equal(c.group_id, 0);
    assert_int_equal(c.options, OPTION(TAG_SIDE) | OPTION(TAG_GROUP_ID));
}

static void every_option_on_every_message_is_taken_or_refused_as_the_table_says(void **state)
{
    (void)state;
    for (size_t m = 0; m < IN_TEXTS; m++)
        for (unsigned tag = 0; tag < 256; tag++) {
            const struct tag_text *rule = tag_text(tag);
            bool allowed = rule != NULL && strchr(rule->in, in_texts[m].type) != NULL;
            uint8_t appendage[64], message[512];
            size_t length = element(tag, rule != NULL ? rule->value : "'Y'", appendage);
            size_t size = with_appendage(&in_texts[m], appendage, length, message);
            struct command command;
            assert_int_equal(decode(message, size, &command), OUCH_IN_OK);
            assert_int_equal(command.type, command_types[m]);
            assert_int_equal(command.refuse, allowed ? REJECT_NONE : REJECT_OTHER);
            assert_int_equal(command.options, allowed ? tag_bit(tag) : 0);
        }
}

static void an_option_value_of_another_size_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < TAG_TEXTS; i++) {
        uint8_t value[16];
        size_t right = bytes(tag_texts[i].value, value);
        const struct in_text *text = strchr(tag_texts[i].in, 'U') != NULL ? &in_texts[1] : &in_texts[0];
        for (size_t wrong = 0; wrong < 12; wrong++) {
            uint8_t appendage[32] = {(uint8_t)(wrong + 1), tag_texts[i].tag}, message[512];
            struct command command;
            if (wrong == right)
                continue;
            size_t size = with_appendage(text, appendage, wrong + 2, message);
            assert_int_equal(decode(message, size, &command), OUCH_IN_OK);
            assert_int_equal(command.refuse, REJECT_OTHER);
            assert_int_equal(command.options, 0);
        }
    }
}

static void an_option_sent_twice_is_refused_and_the_first_stands(void **state)
{
    (void)state;
    struct command c = decoded(in_texts[0].text, "02 1C 05 02 1C 06");
    assert_int_equal(c.refuse, REJECT_OTHER);
    assert_int_equal(c.user_ref_idx, 5);
}

// Field by field: the legal characters, and the reason for any other.
static void every_other_value_of_a_character_field_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        size_t message, offset;
        const char *legal;
        uint8_t refuse;
    } fields[] = {
        {0, 5, "BSTE", REJECT_SIDE},   {0, 26, "0356E", REJECT_OTHER}, {0, 27, "YNA", REJECT_DISPLAY},
        {0, 28, "APRO", REJECT_OTHER}, {0, 29, "YN", REJECT_ISO},      {0, 30, "NOCHSREA", REJECT_CROSS_ORDER},
        {1, 21, "0356", REJECT_OTHER}, {1, 22, "YNA", REJECT_DISPLAY}, {1, 23, "YN", REJECT_ISO},
        {3, 5, "BSTE", REJECT_SIDE},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        for (unsigned value = 0; value < 256; value++) {
            uint8_t message[512], expire[] = {5, TAG_EXPIRE_TIME, 0, 0, 0, 60};
            bool takes_expire = fields[i].message <= 1; // TIF 6 needs it
            size_t size =
                with_appendage(&in_texts[fields[i].message], expire, takes_expire ? sizeof expire : 0, message);
            message[fields[i].offset] = (uint8_t)value;
            struct command command;
            assert_int_equal(decode(message, size, &command), OUCH_IN_OK);
            bool legal = value != 0 && strchr(fields[i].legal, (int)value) != NULL;
            assert_int_equal(command.refuse, legal ? REJECT_NONE : fields[i].refuse);
        }
}

static void every_other_value_of_a_character_option_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        uint8_t tag;
        const char *legal;
        uint8_t refuse;
    } tags[] = {
        {4, "RN ", REJECT_RETAIL}, {6, "LPMRQm", REJECT_PEG_TYPE}, {10, "LPMR", REJECT_PEG_TYPE},
        {12, "PN", REJECT_OTHER},  {16, "YN ", REJECT_OTHER},      {17, "IOTQBD", REJECT_OTHER},
        {25, "YN", REJECT_OTHER},  {27, "BSTE", REJECT_SIDE},      {29, "N*YDOWRydowrZEPXS01245", REJECT_AIQ},
    };
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        for (unsigned value = 0; value < 256; value++) {
            uint8_t message[512], appendage[] = {2, tags[i].tag, (uint8_t)value};
            size_t size = with_appendage(&in_texts[tags[i].tag != 4], appendage, sizeof appendage, message);
            struct command command;
            assert_int_equal(decode(message, size, &command), OUCH_IN_OK);
            bool legal = value != 0 && strchr(tags[i].legal, (int)value) != NULL;
            assert_int_equal(command.refuse, legal ? REJECT_NONE : tags[i].refuse);
        }
}

static void numbers_are_refused_just_past_their_limits(void **state)
{
    (void)state;
    static const struct {
        const char *fixed, *options;
        uint8_t refuse;
    } rows[] = {
#define ENTER(quantity, price) "'O' 00000007 'B' " quantity " 'ABC     ' " price " '0' 'Y' 'P' 'N' 'N' 'MY-ORDER-00001'"
        {ENTER("00000000", "00000000000186A0"), "", REJECT_QUANTITY},
        {ENTER("00000001", "00000000000186A0"), "", REJECT_NONE},
        {ENTER("000F423F", "00000000000186A0"), "", REJECT_NONE},
        {ENTER("000F4240", "00000000000186A0"), "", REJECT_QUANTITY},
        {ENTER("FFFFFFFF", "00000000000186A0"), "", REJECT_QUANTITY},
        {ENTER("00000064", "0000000000000000"), "", REJECT_PRICE},
        {ENTER("00000064", "0000000000000001"), "", REJECT_NONE},
        {ENTER("00000064", "000000007735900C"), "", REJECT_NONE}, // below the highest limit price
        {ENTER("00000064", "000000007735939C"), "", REJECT_NONE}, // 199,999.9900
        {ENTER("00000064", "000000007735939D"), "", REJECT_PRICE},
        {ENTER("00000064", "0000000077359400"), "", REJECT_NONE}, // market
        {ENTER("00000064", "0000000077359401"), "", REJECT_PRICE},
        {ENTER("00000064", "000000007FFFFFFF"), "", REJECT_NONE}, // market, in a cross
        {ENTER("00000064", "00000000FFFFFFFF"), "", REJECT_PRICE},
        {ENTER("00000064", "00000001000186A0"), "", REJECT_PRICE}, // past 32 bits
        {ENTER("00000064", "FFFFFFFFFFFFFFFF"), "", REJECT_PRICE},
#define GOOD ENTER("00000064", "00000000000186A0")
        {GOOD, "05 03 000F423F", REJECT_NONE},
        {GOOD, "05 03 000F4240", REJECT_MIN_QUANTITY},
        {GOOD, "05 05 000F423F", REJECT_NONE},
        {GOOD, "05 05 000F4240", REJECT_MAX_FLOOR},
        {GOOD, "05 0D 000F4240", REJECT_MAX_FLOOR},
        {GOOD, "05 07 7FFFFFFF", REJECT_NONE},
        {GOOD, "09 09 000000007735939C", REJECT_NONE},
        {GOOD, "09 09 000000007735939D", REJECT_PRICE},
        {GOOD, "09 09 0000000100000001", REJECT_PRICE},
        {GOOD, "05 0F 00000000", REJECT_OTHER},
        {GOOD, "05 0F 00000001", REJECT_NONE},
        {GOOD, "05 0F 0001517F", REJECT_NONE},
        {GOOD, "05 0F 00015180", REJECT_OTHER},
        {GOOD, "03 18 FFFF", REJECT_NONE},
        {GOOD, "09 C8 000000007735939C", REJECT_NONE},
        {GOOD, "09 C8 000000007735939D", REJECT_PRICE},
        {GOOD, "09 C9 000000007735939C", REJECT_NONE},
        {GOOD, "09 C9 FFFFFFFFFFFFFFFF", REJECT_PRICE},
        {GOOD, "09 C8 0000000000000000", REJECT_NONE}, // rule 2 has reasons that come before
        {GOOD, "09 13 00000000000186A0", REJECT_OTHER},
        {GOOD, "09 14 00000000000186A0", REJECT_OTHER},
        {GOOD, "02 1C FF", REJECT_NONE},
        {GOOD, "05 02 'FIR' 07", REJECT_FIRM},
        {GOOD, "05 02 '    '", REJECT_NONE},
        {GOOD, "03 1E 'A' FF", REJECT_AIQ},
        {GOOD, "05 1A 00000000", REJECT_OTHER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(decoded(rows[i].fixed, rows[i].options).refuse, rows[i].refuse);
    assert_int_equal(decoded(ENTER("00000064", "00000001000186A0"), "").price, PRICE_INVALID);
    assert_int_equal(decoded(ENTER("00000064", "00000000FFFFFFFF"), "").price, PRICE_INVALID);
    assert_int_equal(decoded(GOOD, "09 09 0000000100000001").discretion_price, PRICE_INVALID);
}

static void a_symbol_that_is_blank_or_not_text_is_refused(void **state)
{
    (void)state;
    static const char *const symbols[] = {"'        '", "' ABC    '", "'ABC' 0000000000", "'ABC    ' 80",
                                          "'ABC    ' 7F"};
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "'O' 00000007 'B' 00000064 %s 00000000000186A0 '0' 'Y' 'P' 'N' 'N' 'MY-ORDER-00001'", symbols[i]);
        assert_int_equal(decoded(text, "").refuse, REJECT_SYMBOL);
    }
}

static void a_symbol_takes_every_printable_character_and_no_other_in_every_place(void **state)
{
    (void)state;
    for (size_t place = 0; place < 8; place++)
        for (unsigned value = 0; value < 256; value++) {
            uint8_t enter[512], mass_cancel[512];
            size_t enter_size = with_appendage(&in_texts[0], NULL, 0, enter);
            size_t mass_size = with_appendage(&in_texts[4], NULL, 0, mass_cancel);
            enter[10 + place] = mass_cancel[9 + place] = (uint8_t)value;
            bool text = value >= 0x20 && value <= 0x7E;
            struct command command;
            assert_int_equal(decode(enter, enter_size, &command), OUCH_IN_OK);
            bool legal = text && (place > 0 || value != ' ');
            assert_int_equal(command.refuse, legal ? REJECT_NONE : REJECT_SYMBOL);
            assert_int_equal(decode(mass_cancel, mass_size, &command), OUCH_IN_OK);
            assert_int_equal(command.refuse, text ? REJECT_NONE : REJECT_SYMBOL);
        }
}

static void a_client_order_id_may_hold_any_bytes(void **state)
{
    (void)state;
    struct command c = decoded("'O' 00000007 'B' 00000064 'ABC     ' 00000000000186A0 '0' 'Y' 'P' 'N' 'N' "
                               "00FF0102030405060708090A0B0C",
                               "");
    assert_int_equal(c.refuse, REJECT_NONE);
    assert_int_equal((uint8_t)c.cl_ord_id[1], 0xFF);
}

static void a_stop_price_and_a_trail_amount_are_triggers(void **state)
{
    (void)state;
    for (size_t m = 0; m < 2; m++) {
        struct command c = decoded(in_texts[m].text, "09 C8 00000000000186A3");
        assert_int_equal(c.refuse, REJECT_NONE);
        assert_int_equal(c.trigger, 100003);
        assert_int_equal(c.options, OPTION(TAG_STOP_PRICE));
        c = decoded(in_texts[m].text, "09 C9 0000000000000064");
        assert_int_equal(c.trigger, 100);
        assert_int_equal(c.options, OPTION(TAG_TRAIL_AMOUNT));
    }
    assert_int_equal(decoded(in_texts[0].text, "09 C8 0000000100000001").trigger, PRICE_INVALID);
}

static void whether_an_expire_time_fits_the_time_in_force_is_left_to_the_engine(void **state)
{
    (void)state;
    static const char enter[] =
        "'O' 00000007 'B' 00000064 'ABC     ' 00000000000186A0 '6' 'Y' 'P' 'N' 'N' 'MY-ORDER-00001'";
    static const char replace[] = "'U' 00000007 00000008 000000C8 00000000000186A1 '6' 'N' 'N' 'MY-ORDER-00002'";
    assert_int_equal(decoded(enter, "").refuse, REJECT_NONE);
    assert_int_equal(decoded(enter, "05 0F 0000003C").refuse, REJECT_NONE);
    assert_int_equal(decoded(in_texts[0].text, "05 0F 0000003C").refuse, REJECT_NONE);
    assert_int_equal(decoded(replace, "").refuse, REJECT_NONE);
}

static void which_handling_instruction_belongs_to_which_cross_is_left_to_the_engine(void **state)
{
    (void)state;
    static const char handlings[] = "IOTQBD", crosses[] = "NOCHSREA";
    for (size_t h = 0; h < 6; h++)
        for (size_t x = 0; x < 8; x++) {
            char fixed[160], option[16];
            snprintf(fixed, sizeof fixed,
                     "'O' 00000007 'B' 00000064 'ABC     ' 00000000000186A0 '0' 'Y' 'P' 'N' '%c' 'MY-ORDER-00001'",
                     crosses[x]);
            snprintf(option, sizeof option, "02 11 '%c'", handlings[h]);
            assert_int_equal(decoded(fixed, option).refuse, REJECT_NONE);
        }
}

static void the_first_problem_in_field_order_is_the_reason(void **state)
{
    (void)state;
    // Everything is wrong; mended one by one from the front, the next one shows.
    static const struct {
        const char *good;
        uint8_t refuse;
        size_t offset, size;
    } steps[] = {
        {"'B'", REJECT_SIDE, 5, 1},           {"00000064", REJECT_QUANTITY, 6, 4},
        {"'ABC     '", REJECT_SYMBOL, 10, 8}, {"00000000000186A0", REJECT_PRICE, 18, 8},
        {"'0'", REJECT_OTHER, 26, 1},         {"'Y'", REJECT_DISPLAY, 27, 1},
        {"'P'", REJECT_OTHER, 28, 1},         {"'N'", REJECT_ISO, 29, 1},
        {"'N'", REJECT_CROSS_ORDER, 30, 1},   {"05 03 00000001", REJECT_MIN_QUANTITY, 47, 6},
        {"02 1D 'N'", REJECT_AIQ, 53, 3},
    };
    uint8_t message[512];
    size_t size = bytes("'O' 00000007 '?' FFFFFFFF 0000000000000000 FFFFFFFFFFFFFFFF '?' '?' '?' '?' '?' "
                        "'MY-ORDER-00001' 0009 05 03 FFFFFFFF 02 1D '?'",
                        message);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct command command;
        assert_int_equal(decode(message, size, &command), OUCH_IN_OK);
        assert_int_equal(command.refuse, steps[i].refuse);
        assert_int_equal(bytes(steps[i].good, message + steps[i].offset), steps[i].size);
    }
    struct command command;
    assert_int_equal(decode(message, size, &command), OUCH_IN_OK);
    assert_int_equal(command.refuse, REJECT_NONE);
}

static void the_channel_is_known_behind_a_problem(void **state)
{
    (void)state;
    struct command c =
        decoded("'O' 00000007 '?' 00000064 'ABC     ' 00000000000186A0 '0' 'Y' 'P' 'N' 'N' 'MY-ORDER-00001'",
                "02 63 'Y' 02 1C 09");
    assert_int_equal(c.refuse, REJECT_SIDE);
    assert_int_equal(c.user_ref_idx, 9);
}

static void user_ref_num_zero_is_left_to_the_engine(void **state)
{
    (void)state;
    struct command c =
        decoded("'O' 00000000 'B' 00000064 'ABC     ' 00000000000186A0 '0' 'Y' 'P' 'N' 'N' 'MY-ORDER-00001'", "");
    assert_int_equal(c.refuse, REJECT_NONE);
    assert_int_equal(c.user_ref, 0);
}

static void every_truncation_of_every_message_is_a_wrong_length(void **state)
{
    (void)state;
    for (size_t m = 0; m < IN_TEXTS; m++) {
        uint8_t appendage[512], message[1024];
        size_t length = 0;
        for (size_t i = 0; i < TAG_TEXTS; i++)
            if (strchr(tag_texts[i].in, in_texts[m].type) != NULL)
                length += element(tag_texts[i].tag, tag_texts[i].value, appendage + length);
        size_t whole = with_appendage(&in_texts[m], appendage, length, message);
        for (size_t size = 0; size <= whole + 3; size++) {
            struct command command;
            bool complete = size == whole || (in_texts[m].optional && size == in_texts[m].fixed);
            message[whole] = 0;
            assert_int_equal(decode(message, size, &command), complete ? OUCH_IN_OK : OUCH_IN_LENGTH);
        }
    }
}

static void an_appendage_that_does_not_add_up_is_a_wrong_length(void **state)
{
    (void)state;
    static const char *const appendages[] = {
        "00",                   // an element without a tag
        "02 1C 05 00",          // behind a good one
        "03 1C 05",             // an element that ends behind the message
        "FF 1C 05",             // likewise
        "02 1C 05 02 1C",       // the last one cut
        "01",                   // a length with nothing behind it
        "02 63 'Y' 05 0F 0000", // a bad option does not hide it
    };
    for (size_t m = 0; m < IN_TEXTS; m++)
        for (size_t i = 0; i < sizeof appendages / sizeof appendages[0]; i++) {
            uint8_t appendage[64], message[512];
            size_t length = bytes(appendages[i], appendage);
            size_t size = with_appendage(&in_texts[m], appendage, length, message);
            struct command command;
            assert_int_equal(decode(message, size, &command), OUCH_IN_LENGTH);
        }
}

static void an_appendage_length_that_disagrees_with_the_message_is_a_wrong_length(void **state)
{
    (void)state;
    for (size_t m = 0; m < IN_TEXTS; m++) {
        uint8_t appendage[] = {2, TAG_USER_REF_IDX, 5}, message[512];
        size_t size = with_appendage(&in_texts[m], appendage, sizeof appendage, message);
        for (unsigned claimed = 0; claimed < 65536; claimed += claimed < 300 ? 1 : 4093) {
            message[in_texts[m].fixed] = (uint8_t)(claimed >> 8);
            message[in_texts[m].fixed + 1] = (uint8_t)claimed;
            struct command command;
            assert_int_equal(decode(message, size, &command), claimed == 3 ? OUCH_IN_OK : OUCH_IN_LENGTH);
        }
    }
}

static void an_unknown_type_is_told_apart_from_a_wrong_length(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t message[64] = {(uint8_t)type};
        struct command command;
        bool known = type != 0 && strchr("OUXMCDEQ", (int)type) != NULL;
        if (!known)
            assert_int_equal(decode(message, sizeof message, &command), OUCH_IN_TYPE);
        else
            assert_int_not_equal(decode(message, sizeof message, &command), OUCH_IN_TYPE);
    }
    struct command command;
    assert_int_equal(decode((const uint8_t *)"", 0, &command), OUCH_IN_LENGTH);
}

static void what_the_caller_owns_is_left_alone(void **state)
{
    (void)state;
    uint8_t message[64];
    size_t size = bytes("'Q'", message);
    struct command command = {.seq = 1, .time_ns = 2, .prev_hash = 3, .session = 4};
    assert_int_equal(ouch_in_decode(message, size, &command), OUCH_IN_OK);
    assert_int_equal(command.seq, 1);
    assert_int_equal(command.time_ns, 2);
    assert_int_equal(command.prev_hash, 3);
    assert_int_equal(command.session, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_enter_order_is_read_field_by_field),
        cmocka_unit_test(a_replace_is_read_field_by_field),
        cmocka_unit_test(the_short_messages_are_read_field_by_field),
        cmocka_unit_test(a_mass_cancel_of_any_symbol_and_firm_is_not_refused),
        cmocka_unit_test(every_option_lands_in_its_field),
        cmocka_unit_test(the_largest_enter_order_that_is_read_is_160_bytes),
        cmocka_unit_test(side_comes_as_an_option_on_replace_and_mass_cancel),
        cmocka_unit_test(every_option_on_every_message_is_taken_or_refused_as_the_table_says),
        cmocka_unit_test(an_option_value_of_another_size_is_refused),
        cmocka_unit_test(an_option_sent_twice_is_refused_and_the_first_stands),
        cmocka_unit_test(every_other_value_of_a_character_field_is_refused_with_its_reason),
        cmocka_unit_test(every_other_value_of_a_character_option_is_refused_with_its_reason),
        cmocka_unit_test(numbers_are_refused_just_past_their_limits),
        cmocka_unit_test(a_symbol_that_is_blank_or_not_text_is_refused),
        cmocka_unit_test(a_symbol_takes_every_printable_character_and_no_other_in_every_place),
        cmocka_unit_test(a_client_order_id_may_hold_any_bytes),
        cmocka_unit_test(a_stop_price_and_a_trail_amount_are_triggers),
        cmocka_unit_test(whether_an_expire_time_fits_the_time_in_force_is_left_to_the_engine),
        cmocka_unit_test(which_handling_instruction_belongs_to_which_cross_is_left_to_the_engine),
        cmocka_unit_test(the_first_problem_in_field_order_is_the_reason),
        cmocka_unit_test(the_channel_is_known_behind_a_problem),
        cmocka_unit_test(user_ref_num_zero_is_left_to_the_engine),
        cmocka_unit_test(every_truncation_of_every_message_is_a_wrong_length),
        cmocka_unit_test(an_appendage_that_does_not_add_up_is_a_wrong_length),
        cmocka_unit_test(an_appendage_length_that_disagrees_with_the_message_is_a_wrong_length),
        cmocka_unit_test(an_unknown_type_is_told_apart_from_a_wrong_length),
        cmocka_unit_test(what_the_caller_owns_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
