// SPDX-License-Identifier: Apache-2.0
// What a configuration is refused for: each refusal points at its line and column.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/config_text.h"

static void an_unknown_key_is_refused_with_the_nearest_one(void **state)
{
    (void)state;
    config_refused("main_lcore", "mian_lcore", "6:3", "did you mean `main_lcore`?");
    config_refused("ack:", "akc:", "4:1", "did you mean `ack`?");
    config_refused("matchers:", "machers:", "17:1", "did you mean `matchers`?");
    config_refused("{name: b,", "{nmae: b,", "13:6", "did you mean `name`?");
    config_refused("ack: matched\n", "ack: matched\nburst: 3\n", "5:1", "put it under `dataplane:`");
    config_refused("  commit_kb: 64\n", "  commit_kb: 64\n  trading_date: today\n", "11:3", "put it at the top level");
}

static void a_key_given_twice_is_refused(void **state)
{
    (void)state;
    config_refused("ack: matched\n", "ack: matched\nack: durable\n", "5:1", "given twice");
    config_refused("  main_lcore: 1\n", "  main_lcore: 1\n  main_lcore: 3\n", "7:3", "given twice");
    config_refused("journal:\n", "matchers: [{lcore: 0}]\njournal:\n", "18:1", "given twice");
}

static void a_missing_key_is_refused_where_it_is_missing(void **state)
{
    (void)state;
    config_refused("run_directory: run\n", "", "1:1", "`run_directory` is missing");
    config_refused("udp_port: 4000", "queue: 0", "15:5", "`udp_port` is missing in an entry of gateways");
    config_refused("accounts:\n  - {name: north, firm: NRTH}\n  - {name: south, firm: SO}\n", "", "1:1",
                   "`accounts` is missing");
}

static void a_wrong_type_is_refused(void **state)
{
    (void)state;
    config_refused("main_lcore: 1", "main_lcore: one", "6:15", "whole number");
    config_refused("main_lcore: 1", "main_lcore: -1", "6:15", "whole number");
    config_refused("main_lcore: 1", "main_lcore: 1.5", "6:15", "whole number");
    config_refused("main_lcore: 1", "main_lcore: 0x3", "6:15", "whole number"); // libcyaml would read hexadecimal
    config_refused("main_lcore: 1", "main_lcore: 010", "6:15", "whole number"); // and octal
    config_refused("main_lcore: 1", "main_lcore: ''", "6:15", "whole number");
    config_refused("main_lcore: 1", "main_lcore: [1]", "6:15", "a list");
    config_refused("huge_pages: false", "huge_pages: maybe", "8:15", "true or false");
    config_refused("huge_pages: false", "huge_pages: no", "8:15", "true or false");
    config_refused("ack: matched", "ack: {a: b}", "4:6", "a block of keys");
    config_refused("matchers:\n  - lcore: 0\n  - lcore: 2\n", "matchers: 2\n", "17:11", "no list");
    config_refused("  - lcore: 0\n", "  - 0\n", "18:5", "no block of keys");
    config_refused("journal:\n  commit_kb: 64\n", "journal: 64\n", "9:10", "no block of keys");
}

static void a_value_out_of_bounds_is_refused_with_bounds_and_unit(void **state)
{
    (void)state;
    config_refused("main_lcore: 1", "main_lcore: 128", "6:15", "give 0 to 127 (lcore)");
    config_refused("commit_kb: 64", "commit_kb: 3", "10:14", "give 4 to 4096 (KiB)");
    config_refused("commit_kb: 64", "commit_kb: 6", "10:14", "a multiple of 4");
    config_refused("commit_kb: 64", "commit_kb: 1024\n  segment_mb: 1", "10:14", "give at most 512");
    config_refused("main_lcore: 1", "main_lcore: 1\n  heartbeat_ms: 10000", "7:17", "`session_timeout_ms`");
    config_refused("commit_kb: 64", "commit_kb: 8192", "10:14", "give 4 to 4096 (KiB)");
    config_refused("udp_port: 4000", "udp_port: 65536", "15:35", "give 1 to 65535 (UDP port)");
    config_refused("udp_port: 4000", "udp_port: 99999999999999999999999999", "15:35", "out of bounds");
    config_refused("user: Trade1", "user: Trade12", "31:12", "give 1 to 6");
    config_refused("run_directory: run", "run_directory: ''", "1:16", "give 1 to 180");
}

static void a_schedule_or_a_conduct_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    config_refused("journal:\n", "schedule: {market_open: 9:30:00}\njournal:\n", "9:25", "write HH:MM:SS");
    config_refused("journal:\n", "schedule: {market_open: '24:00:00'}\njournal:\n", "9:25", "write HH:MM:SS");
    config_refused("journal:\n", "schedule: {market_open: '10:00:00', market_close: '10:00:00'}\njournal:\n", "9:51",
                   "not after the phase before it");
    config_refused("journal:\n", "schedule: {market_open: '16:00:00', market_close: '09:30:00'}\njournal:\n", "9:51",
                   "not after the phase before it");
    config_refused("journal:\n", "bands: {tier1_percent: -5}\njournal:\n", "9:24", "write 0.0001 to 100");
    config_refused("journal:\n", "bands: {tier2_percent: 101}\njournal:\n", "9:24", "write 0.0001 to 100");
    config_refused("journal:\n", "bands: {velocity_percent: much}\njournal:\n", "9:27", "write 0.0001 to 100");
    config_refused("journal:\n", "market_wide: {close: 0}\njournal:\n", "9:22", "a decimal above 0");
    config_refused("journal:\n", "market_wide: {close: 4321.5}\njournal:\n", "9:22", "give some an `index_weight`");
    config_refused("{user: x2,", "{user: x2, post_only: sli,", "32:27", "give 5 to 6");
    config_refused("{user: x2,", "{user: x2, post_only: sleep,", "32:27", "write slide, or cancel");
    config_refused("{user: x2,", "{user: x2, aiq: q,", "32:21", "an AIQ strategy");
}

static void a_ring_depth_that_is_no_power_of_two_is_refused_with_the_nearest(void **state)
{
    (void)state;
    config_refused("order_ring_depth: 4096", "order_ring_depth: 4095", "7:21", "the nearest is 4096");
    config_refused("order_ring_depth: 4096", "order_ring_depth: 5000", "7:21", "the nearest is 4096");
    config_refused("order_ring_depth: 4096", "order_ring_depth: 7000", "7:21", "the nearest is 8192");
}

static void names_that_occur_twice_are_refused(void **state)
{
    (void)state;
    config_refused("{name: b,", "{name: a,", "13:12", "entry 2 is that of entry 1");
    config_refused("{name: abc,", "{name: XYZ,", "26:12", "entry 3 is that of entry 2");
    config_refused("{name: south,", "{name: north,", "29:12", "entry 2 is that of entry 1");
    config_refused("{user: x2,", "{user: tRADE1,", "32:12", "entry 2 is that of entry 1"); // without case
}

static void references_to_nothing_are_refused(void **state)
{
    (void)state;
    config_refused("{lcore: 0, port: a,", "{lcore: 0, port: c,", "15:22", "not under `ports:`");
    config_refused("port: b, group", "port: c, group", "22:22", "not under `ports:`");
    config_refused("account: north", "account: nort", "31:29", "not under `accounts:`");
    config_refused("gateway: 1", "gateway: 2", "33:15", "give 0 to 1");
    config_refused("gateway: 1, matcher: 1", "gateway: 1, matcher: 2", "33:27", "give 0 to 1");
    config_refused("XYZ, matcher: 1", "XYZ, matcher: 2", "25:26", "give 0 to 1");
}

static void roles_that_can_not_run_together_are_refused(void **state)
{
    (void)state;
    config_refused("  - lcore: 2\n", "", "20:3", "2 publishers for 1 matchers");
    config_refused("main_lcore: 1", "main_lcore: 2", "19:12", "EAL's main thread");
    config_refused("main_lcore: 1", "main_lcore: 0", "18:12", "EAL's main thread");
    config_refused("{lcore: 2, port: b, udp_port: 4000}", "{lcore: 2, port: a, udp_port: 4001}", "16:5",
                   "is used on lcore 0 too");
    config_refused("{lcore: 2, port: b, udp_port: 4000}", "{lcore: 0, port: a, udp_port: 4000}", "16:35",
                   "gateway 0's already");
    config_refused("{lcore: 2, port: b, group", "{lcore: 3, port: b, group", "22:5", "entry 2 of gateways");
    config_refused("request_port: 5001", "request_port: 4000", "22:75", "gateway 1's udp_port");
    config_refused("233.54.12.2", "233.54.12.1", "22:55", "publisher 0's already");
}

static void roles_on_one_lcore_may_share_a_queue(void **state)
{
    (void)state;
    struct config *config =
        config_accepted("{lcore: 2, port: b, udp_port: 4000}", "{lcore: 2, port: b, udp_port: 4000, queue: 0}");
    assert_int_equal(config->gateways[1].queue, config->publishers[1].queue);
    config_free(config);
}

static void malformed_text_is_refused(void **state)
{
    (void)state;
    config_refused("02:00:00:00:00:0a", "02:00:00:00:00", "12:55", "`mac` is");
    config_refused("02:00:00:00:00:0a", "02:00:00:00:00:0g", "12:55", "`mac` is");
    config_refused("02:00:00:00:00:0a", "03:00:00:00:00:0a", "12:55", "unicast");
    config_refused("address: 10.0.0.1", "address: 10.0.0.256", "12:40", "IPv4");
    config_refused("address: 10.0.0.1", "address: 0.0.0.0", "12:40", "IPv4");
    config_refused("group: 233.54.12.1", "group: 233.54.12", "21:32", "IPv4");
    config_refused("profile: vhost", "profile: ../vhost", "12:24", "without .yaml");
    config_refused("address: 10.0.0.1, mac: '02:00:00:00:00:0a'}\n  - {name: b, profile: vhost,",
                   "address: 10.0.0.1, device: w.sock}\n  - {name: b, profile: vhost, device: w.sock,", "13:39",
                   "that of port a too; give each port its own");
    config_refused("run_directory: run", "instance: a/b\nrun_directory: run", "1:11", "letters, digits");
    config_refused("name: ABC", "name: 'A C'", "24:12", "without blanks");
    config_refused("user: x2", "user: x 2", "32:12", "letters and digits");
    config_refused("password_hash: '$argon2id$v=19$m=8192,t=2,p=1$ab$cd'}",
                   "password_hash: plain-text-password-in-the-open-0}", "31:51", "xwctl hash-password");
    config_refused("ack: matched", "ack: \"mat\\0ched\"", "4:6", "control character");
}

static void a_tick_that_is_no_price_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"0",   "0.0000", "0.00001",     "1.", ".5",   "1.2.3",      "-1",
                               "1e3", "a",      "199999.9901", "''", "0x10", "99999999999"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "tick: %s", bad[i]);
        config_refused("tick: 0.05", text, "24:23", "`tick` is");
    }
    struct config *config = config_accepted("tick: 0.05", "tick: 199999.99");
    assert_int_equal(config->symbols[0].tick_price, 1999999900);
    config_free(config);
    config = config_accepted("tick: 0.05", "tick: 0.0001");
    assert_int_equal(config->symbols[0].tick_price, 1);
    config_free(config);
}

static void a_date_that_is_no_day_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "2024-04-31",
                               "2024-1-010", "1999-01-01", "2024/02/29", "yesterday"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        config_refused("2024-02-29", bad[i], "3:15", "YYYY-MM-DD");
}

static void a_replicated_ack_is_refused_until_it_exists(void **state)
{
    (void)state;
    config_refused("ack: matched", "ack: replicated", "4:6", "does not exist yet");
    config_refused("ack: matched", "ack: sometimes", "4:6", "write durable, or matched");
}

static void broken_yaml_is_refused_where_it_breaks(void **state)
{
    (void)state;
    config_refused("ack: matched", "ack: [matched", "5:10", "make it a YAML document");
    config_refused("ack: matched", "\tack: matched", "4:1", "YAML");
    config_refused("ack: matched", "ack: &a matched\ninstance: *b", "5:11", "alias");
    config_refused("ack: matched",
                   "ack: mat\xff"
                   "ched",
                   "4:9", "YAML");
}

static void aliases_and_second_documents_are_refused(void **state)
{
    (void)state;
    config_refused("trading_date: 2024-02-29\nack: matched", "trading_date: &a today\nack: *a", "3:15", "alias");
    config_refused("matchers:\n  - lcore: 0\n  - lcore: 2\n", "matchers: &m [*m]\n", "17:11", "alias");
    config_refused("sessions:", "---\nsessions:", "31:1", "second document");
    struct config *config = config_take("&a {run_directory: *a}\n", 23);
    assert_null(config);
    assert_non_null(strstr(config_error, "alias"));
}

static void a_file_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_null(config_take("", 0));
    assert_non_null(strstr(config_error, ":1:1: the file is empty"));
    assert_null(config_take("just words\n", 11));
    assert_non_null(strstr(config_error, ":1:1: the file is no block of keys"));
    assert_null(config_load("/nonexistent.yaml", config_error, sizeof config_error));
    assert_non_null(strstr(config_error, "/nonexistent.yaml: can not be opened: No such file"));
    assert_null(config_load("/tmp", config_error, sizeof config_error));
    assert_non_null(strstr(config_error, "/tmp: can not be read"));
    assert_null(config_load("/dev/zero", config_error, sizeof config_error));
    assert_non_null(strstr(config_error, "larger than 4 MiB"));
}

static void a_small_error_buffer_is_not_overrun(void **state)
{
    (void)state;
    char small[24];
    memset(small, 'x', sizeof small);
    assert_null(config_take("a: b\n", 5));
    assert_null(config_load(config_path, small, 20));
    assert_memory_equal(small + 20, "xxxx", 4);
    assert_true(memchr(small, '\0', 20) != NULL);
}

static void thousands_of_entries_are_read_in_reasonable_time(void **state)
{
    (void)state;
    enum { SYMBOLS = 8000 };
    const char *at = strstr(config_base, "accounts:");
    char *text = malloc(strlen(config_base) + SYMBOLS * 64);
    assert_non_null(text);
    size_t used = (size_t)(at - config_base);
    memcpy(text, config_base, used);
    for (int i = 0; i < SYMBOLS; i++)
        used += (size_t)sprintf(text + used, "  - {name: S%d, matcher: 0}\n", i);
    used += (size_t)sprintf(text + used, "%s", at);
    struct config *config = config_take(text, used);
    free(text);
    if (!config)
        fail_msg("%s", config_error);
    assert_int_equal(config->symbols_count, SYMBOLS + 3);
    assert_int_equal(config->symbols[SYMBOLS + 2].locate, SYMBOLS + 2);
    config_free(config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_make, config_drop)
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_key_is_refused_with_the_nearest_one),
        TEST(a_key_given_twice_is_refused),
        TEST(a_missing_key_is_refused_where_it_is_missing),
        TEST(a_wrong_type_is_refused),
        TEST(a_value_out_of_bounds_is_refused_with_bounds_and_unit),
        TEST(a_ring_depth_that_is_no_power_of_two_is_refused_with_the_nearest),
        TEST(a_schedule_or_a_conduct_that_makes_no_sense_is_refused),
        TEST(names_that_occur_twice_are_refused),
        TEST(references_to_nothing_are_refused),
        TEST(roles_that_can_not_run_together_are_refused),
        TEST(roles_on_one_lcore_may_share_a_queue),
        TEST(malformed_text_is_refused),
        TEST(a_tick_that_is_no_price_is_refused),
        TEST(a_date_that_is_no_day_is_refused),
        TEST(a_replicated_ack_is_refused_until_it_exists),
        TEST(broken_yaml_is_refused_where_it_breaks),
        TEST(aliases_and_second_documents_are_refused),
        TEST(a_file_that_is_none_is_refused),
        TEST(a_small_error_buffer_is_not_overrun),
        TEST(thousands_of_entries_are_read_in_reasonable_time),
    };
    return cmocka_run_group_tests_name("config_refusals", tests, NULL, NULL);
}
