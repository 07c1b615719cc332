// SPDX-License-Identifier: Apache-2.0
// What xwctl shows and exports of records: hostile texts, and requests that come back byte for byte.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/ouch.h"
#include "contract/ouch_in.h"
#include "contract/wire.h"
#include "control/ctl/export.h"
#include "control/ctl/row.h"
#include "tests/unit/bytes.h"
#include "tests/unit/ouch_text.h"

// The rows' text in one format; the caller frees.
static char *printed(enum row_format format, const struct command *record)
{
    static struct row row;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    row_of_record(&row, record, NULL);
    row_print(out, format, &row);
    fclose(out);
    return text;
}

static struct command enter_named(const char cl_ord_id[14])
{
    struct command c = {.seq = UINT64_C(1) << COMMAND_SEQ_BITS | 42,
                        .time_ns = UINT64_C(37867123456789),
                        .type = CMD_ENTER,
                        .session = 3,
                        .user_ref = 7,
                        .quantity = 100,
                        .price = 1000050,
                        .side = 'B'};
    memcpy(c.symbol, "ABC     ", 8);
    memcpy(c.cl_ord_id, cl_ord_id, 14);
    return c;
}

static void a_record_is_one_line_of_text(void **state)
{
    (void)state;
    struct command c = enter_named("MY ORDER\n\x01 END");
    char *text = printed(ROW_TEXT, &c);
    assert_string_equal(
        text, "1 42 10:31:07.123456789 enter prev_hash=00000000 session=3 user_ref=7 side=B quantity=100 symbol=ABC "
              "price=100.0050 cl_ord_id=MY_ORDER??_END\n");
    free(text);
}

static void quotes_and_commas_survive_csv(void **state)
{
    (void)state;
    struct command c = enter_named("A,\"B\",C       ");
    char *text = printed(ROW_CSV, &c);
    assert_non_null(strstr(text, ",\"A,\"\"B\"\",C\","));
    free(text);
}

static void what_is_no_text_is_still_json(void **state)
{
    (void)state;
    struct command c = enter_named("\"\\\n\xff\x80       \t ");
    char *text = printed(ROW_JSON, &c);
    assert_non_null(strstr(text, "\"seq\":42,\"time_ns\":37867123456789,\"type\":\"enter\""));
    for (const char *at = text; *at; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at <= '~')); // escaped, all of it
    free(text);
}

static void every_line_of_csv_has_the_fields_of_its_head(void **state)
{
    (void)state;
    char *head;
    size_t size, commas = 0, of_head = 0;
    struct command c = enter_named("PLAIN         ");
    FILE *out = open_memstream(&head, &size);
    row_print_names(out);
    fclose(out);
    char *text = printed(ROW_CSV, &c);
    for (const char *at = head; *at; at++)
        of_head += *at == ',';
    for (const char *at = text; *at; at++)
        commas += *at == ',';
    assert_int_equal(commas, of_head);
    assert_int_equal(of_head + 1, ROW_COLUMNS);
    free(text);
    free(head);
}

// Decodes a request and makes it again; false when its value is one that this message may not have.
static bool expect_same(const uint8_t *message, size_t size)
{
    struct command command = {0};
    uint8_t again[XW_OUCH_REQUEST_MAX];
    assert_int_equal(ouch_in_decode(message, size, &command), OUCH_IN_OK);
    if (command.refuse)
        return false;
    assert_int_equal(ctl_request_of(&command, again), size);
    assert_memory_equal(again, message, size);
    return true;
}

static void every_request_comes_back_with_every_option(void **state)
{
    (void)state;
    unsigned tried = 0;
    for (size_t m = 0; m < IN_TEXTS; m++) {
        uint8_t message[512];
        size_t fixed = bytes(in_texts[m].text, message);
        if (!in_texts[m].optional)
            put_be16(message + fixed, 0);
        assert_true(expect_same(message, fixed + (in_texts[m].optional ? 0 : 2)));
        for (size_t t = 0; t < sizeof tag_texts / sizeof tag_texts[0]; t++) {
            if (!strchr(tag_texts[t].in, in_texts[m].type))
                continue;
            size_t value = bytes(tag_texts[t].value, message + fixed + 4);
            put_be16(message + fixed, (uint16_t)(value + 2));
            message[fixed + 2] = (uint8_t)(value + 1);
            message[fixed + 3] = tag_texts[t].tag;
            tried += expect_same(message, fixed + 4 + value);
        }
    }
    assert_true(tried > 30);
}

static void what_is_no_request_makes_no_message(void **state)
{
    (void)state;
    uint8_t out[XW_OUCH_REQUEST_MAX];
    for (unsigned type = CMD_SESSION_UP; type <= CMD_CLOCK; type++)
        assert_int_equal(ctl_request_of(&(struct command){.type = (uint8_t)type}, out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_one_line_of_text),
        cmocka_unit_test(quotes_and_commas_survive_csv),
        cmocka_unit_test(what_is_no_text_is_still_json),
        cmocka_unit_test(every_line_of_csv_has_the_fields_of_its_head),
        cmocka_unit_test(every_request_comes_back_with_every_option),
        cmocka_unit_test(what_is_no_request_makes_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
