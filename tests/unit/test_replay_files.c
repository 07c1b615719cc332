// SPDX-License-Identifier: Apache-2.0
// The tool's flows, its histogram, its record and its trades.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "perf/capture_symbols.h"
#include "perf/flow.h"
#include "perf/histogram.h"
#include "perf/record.h"
#include "perf/stream_file.h"
#include "perf/trades.h"

static struct histogram histogram;

static void a_percentile_is_right_to_three_digits(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof histogram);
    for (uint64_t value = 1; value <= 100000; value++)
        histogram_record(&histogram, value * 1000);
    static const double percentiles[] = {1, 50, 90, 99, 99.9};
    for (unsigned i = 0; i < 5; i++) {
        double want = percentiles[i] * 1e6, got = (double)histogram_percentile(&histogram, percentiles[i]);
        assert_true(got >= want && got <= want * 1.001);
    }
    assert_int_equal(histogram_percentile(&histogram, 100), 100000000);
    assert_int_equal(histogram.max, 100000000);
}

static void a_value_above_the_range_is_kept_as_the_maximum(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof histogram);
    histogram_record(&histogram, UINT64_MAX / 2);
    assert_int_equal(histogram_percentile(&histogram, 50), UINT64_MAX / 2);
}

static void the_distribution_text_counts_everything_once(void **state)
{
    (void)state;
    char *text = NULL, head[128];
    size_t size = 0;
    memset(&histogram, 0, sizeof histogram);
    for (uint64_t value = 1; value <= 1000; value++)
        histogram_record(&histogram, value);
    FILE *file = open_memstream(&text, &size);
    assert_int_equal(histogram_write_hdr(&histogram, file), 0);
    fclose(file);
    snprintf(head, sizeof head, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    assert_memory_equal(text, head, strlen(head));
    assert_non_null(strstr(text, "     500.000 0.500000000000        500           2.00\n"));
    assert_non_null(strstr(text, "    1000.000 1.000000000000       1000\n#[Mean"));
    free(text);
}

static void a_made_up_day_has_the_shares_it_promises_and_is_the_same_again(void **state)
{
    (void)state;
    struct flow_plan plan = {.seed = 5, .orders = 60000, .sessions = 4, .symbols = 4, .resting = 4000};
    struct flow first, second;
    assert_int_equal(flow_generate(&first, &plan), 0);
    assert_int_equal(flow_generate(&second, &plan), 0);
    assert_int_equal(first.count, plan.orders);
    assert_memory_equal(first.intents, second.intents, first.count * sizeof *first.intents);
    unsigned kinds[INTENT_KINDS] = {0}, immediate = 0, sessions[4] = {0};
    uint32_t id = 0;
    for (uint64_t i = 0; i < first.count; i++) {
        const struct intent *intent = &first.intents[i];
        kinds[intent->kind]++;
        immediate += intent->tif == '3';
        sessions[intent->session]++;
        if (intent->id)
            assert_int_equal(intent->id, ++id); // dense and ascending
        assert_true(intent->target < first.orders + 1);
        assert_int_equal(intent->price % 100, 0);
    }
    assert_in_range(kinds[INTENT_ENTER] * 100 / first.count, 45, 58); // the opening book is all adds
    assert_in_range(kinds[INTENT_CANCEL] * 100 / first.count, 32, 42);
    assert_in_range(kinds[INTENT_REPLACE] * 100 / first.count, 8, 11);
    assert_in_range(immediate * 1000 / first.count, 15, 35);
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(sessions[i] * 100 / first.count, 20, 30);
    flow_free(&first);
    flow_free(&second);
}

static void a_day_of_all_types_has_some_of_each(void **state)
{
    (void)state;
    struct flow flow;
    uint64_t of_type[INTENT_TYPES] = {0}, enters = 0;
    struct flow_plan plan = {
        .seed = 5, .orders = 60000, .sessions = 4, .symbols = 4, .resting = 4000, .all_types = true};
    assert_int_equal(flow_generate(&flow, &plan), 0);
    for (uint64_t i = 0; i < flow.count; i++) {
        assert_true(flow.intents[i].type < INTENT_TYPES);
        if (flow.intents[i].kind != INTENT_ENTER)
            continue;
        of_type[flow.intents[i].type]++;
        enters++;
    }
    for (unsigned type = 0; type < INTENT_TYPES; type++)
        assert_in_range(of_type[type], enters / 1000, enters);
    assert_in_range(of_type[TYPE_PLAIN], enters * 7 / 10, enters * 9 / 10);
    flow_free(&flow);
}

static void a_session_only_trades_what_it_may_reach(void **state)
{
    (void)state;
    struct flow_plan plan = {
        .seed = 5, .orders = 20000, .sessions = 2, .symbols = 4, .resting = 1000, .reach = {0x5, 0xa}};
    struct flow flow;
    assert_int_equal(flow_generate(&flow, &plan), 0);
    for (uint64_t i = 0; i < flow.count; i++)
        assert_true(plan.reach[flow.intents[i].session] >> flow.intents[i].symbol & 1);
    flow_free(&flow);
}

static char path[64];

static void write_file(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void a_stream_file_that_is_cut_or_senseless_is_refused(void **state)
{
    (void)state;
    struct {
        struct stream_header header;
        struct stream_record records[2];
    } file = {
        .header = {.magic = STREAM_MAGIC, .version = 1, .record_size = 32, .records = 2, .symbols = 1, .max_id = 2},
        .records = {{.type = STREAM_ADD, .quantity = 5, .price = 7, .id = 1},
                    {.type = STREAM_REPLACE, .side = 1, .quantity = 6, .price = 8, .id = 1, .new_id = 2}}};
    struct flow flow;
    char error[256];
    write_file(&file, sizeof file);
    assert_true(flow_is_stream(path));
    assert_int_equal(flow_read_stream(&flow, path, error, sizeof error), 0);
    assert_int_equal(flow.count, 2);
    assert_int_equal(flow.intents[0].price, 700);
    assert_int_equal(flow.intents[1].target, 1);
    assert_int_equal(flow.intents[1].id, 2);
    flow_free(&flow);
    write_file(&file, sizeof file - 1);
    assert_int_equal(flow_read_stream(&flow, path, error, sizeof error), -1);
    file.records[1].new_id = 3; // above what the header promises
    write_file(&file, sizeof file);
    assert_int_equal(flow_read_stream(&flow, path, error, sizeof error), -1);
    file.records[1].new_id = 2;
    file.records[1].type = 9;
    write_file(&file, sizeof file);
    assert_int_equal(flow_read_stream(&flow, path, error, sizeof error), -1);
    file.header.magic++;
    write_file(&file, sizeof file);
    assert_false(flow_is_stream(path));
    assert_int_equal(flow_read_stream(&flow, path, error, sizeof error), -1);
}

static void a_record_shows_bytes_that_changed_and_what_is_missing(void **state)
{
    (void)state;
    const char *paths[] = {path};
    struct record_findings findings;
    char error[256], *text = NULL;
    size_t size = 0;
    unlink(path);
    struct record *record = record_open(path);
    assert_non_null(record);
    record_append(record, "TRADE1", "260115XW00", 1, "first", 5);
    record_append(record, "TRADE1", "260115XW00", 2, "second", 6);
    record_append(record, "TRADE1", "260115XW00", 1, "first", 5);
    record_append(record, "TRADE2", "260115XW00", 1, "other", 5);
    assert_int_equal(record_close(record), 0);
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(record_verify(paths, 1, &findings, out, error, sizeof error), 0);
    assert_int_equal(findings.messages, 4);
    assert_int_equal(findings.streams, 2);
    assert_int_equal(findings.repeated, 1);
    assert_int_equal(findings.differing, 0);
    assert_int_equal(findings.missing, 0);
    record = record_open(path); // what an earlier run wrote stays
    record_append(record, "TRADE1", "260115XW00", 2, "SECOND", 6);
    record_append(record, "TRADE1", "260115XW00", 5, "fifth", 5);
    assert_int_equal(record_close(record), 0);
    assert_int_equal(record_verify(paths, 1, &findings, out, error, sizeof error), 0);
    assert_int_equal(findings.differing, 1);
    assert_int_equal(findings.missing, 2);
    fclose(out);
    free(text);
}

static void two_halves_make_a_trade_in_match_order(void **state)
{
    (void)state;
    struct trades trades = {0};
    struct trade_list list;
    char text[256];
    trades_note(&trades, &(struct fill){.match = 2, .id = 9, .quantity = 5, .price = 700, .liquidity = 'R'});
    trades_note(&trades, &(struct fill){.match = 2, .id = 4, .quantity = 5, .price = 700, .liquidity = 'A'});
    trades_note(&trades, &(struct fill){.match = 1, .id = 3, .quantity = 1, .price = 800, .liquidity = 'A'});
    trades_note(&trades, &(struct fill){.match = 1, .id = 8, .quantity = 1, .price = 800, .liquidity = 'R'});
    trades_note(&trades, &(struct fill){.match = 3, .id = 7, .quantity = 1, .price = 800, .liquidity = 'R'});
    assert_int_equal(trades_pair(&trades, &list), 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.halves, 1);
    assert_int_equal(list.differing, 0);
    assert_int_equal(list.trades[0].maker, 3);
    assert_int_equal(list.trades[1].maker, 4);
    assert_int_equal(list.trades[1].taker, 9);
    struct stream_trade expected[] = {{3, 8, 1, 8, 0}, {4, 9, 5, 7, 0}};
    write_file(expected, sizeof expected);
    assert_int_equal(trades_compare(&list, path, text, sizeof text), 0);
    expected[1].quantity = 6;
    write_file(expected, sizeof expected);
    assert_int_equal(trades_compare(&list, path, text, sizeof text), 1);
    write_file(expected, sizeof expected[0]);
    assert_int_equal(trades_compare(&list, path, text, sizeof text), 1);
    free(list.trades);
    trades_free(&trades);
}

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/test_replay.%d", (int)getpid());
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void a_captures_symbols_are_counted_and_the_unlisted_ones_told(void **state)
{
    (void)state;
    static const char *const names[] = {"MSFT    ", "AAPL    ", "MSFT    ", "ZVZZTABC", "A B     "};
    uint8_t raw[6 * 47] = {0};
    struct intent intents[6];
    for (unsigned i = 0; i < 5; i++) {
        raw[i * 47] = 'O';
        memcpy(raw + i * 47 + 10, names[i], 8);
        intents[i] = (struct intent){.kind = INTENT_RAW, .raw_size = 47, .raw_offset = i * 47};
    }
    // A cancel names none, whatever stands behind it.
    raw[5 * 47] = 'X';
    memcpy(raw + 5 * 47 + 10, "NONE    ", 8);
    intents[5] = (struct intent){.kind = INTENT_RAW, .raw_size = 47, .raw_offset = 5 * 47};
    struct flow flow = {.intents = intents, .count = 6, .raw = raw, .raw_size = sizeof raw};
    struct symbol_counts counts;
    char *text;
    size_t size;
    assert_int_equal(capture_symbols_count(&counts, &flow), 0);
    FILE *out = open_memstream(&text, &size);
    capture_symbols_print(&counts, out);
    fclose(out);
    assert_string_equal(text, "MSFT 2\nAAPL 1\nZVZZTABC 1\n");
    free(text);
    static const char known[2][9] = {"MSFT", "ZVZZTABC"};
    out = open_memstream(&text, &size);
    assert_int_equal(capture_symbols_unknown(&counts, known, 2, out), 2);
    fclose(out);
    assert_string_equal(text,
                        "2 of 5 orders are for 2 symbols that this run does not list, and are rejected: AAPL (1)\n");
    free(text);
    static const char all[4][9] = {"MSFT", "ZVZZTABC", "AAPL", "A B"};
    assert_int_equal(capture_symbols_unknown(&counts, all, 4, stdout), 0);
    capture_symbols_free(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_percentile_is_right_to_three_digits),
        cmocka_unit_test(a_value_above_the_range_is_kept_as_the_maximum),
        cmocka_unit_test(the_distribution_text_counts_everything_once),
        cmocka_unit_test(a_made_up_day_has_the_shares_it_promises_and_is_the_same_again),
        cmocka_unit_test(a_day_of_all_types_has_some_of_each),
        cmocka_unit_test(a_session_only_trades_what_it_may_reach),
        cmocka_unit_test(a_stream_file_that_is_cut_or_senseless_is_refused),
        cmocka_unit_test(a_record_shows_bytes_that_changed_and_what_is_missing),
        cmocka_unit_test(two_halves_make_a_trade_in_match_order),
        cmocka_unit_test(a_captures_symbols_are_counted_and_the_unlisted_ones_told),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
