// SPDX-License-Identifier: Apache-2.0
// The configuration: what is read, and what may change at run time.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract/config.h"
#include "contract/config_table.h"
#include "tests/support/config_text.h"

// ---- what is read ---------------------------------------------------------------------------------------------------

static void values_references_and_resolved_fields_are_filled(void **state)
{
    (void)state;
    struct config *config = config_accepted("", "");
    assert_int_equal(config->date, 20240229);
    assert_int_equal(config->ack_mode, ACK_MATCHED);
    assert_string_equal(config->run_directory, "run");
    assert_int_equal(config->ports_count, 2);
    assert_int_equal(config->ports[0].ip, 0x0A000001);
    assert_true(config->ports[0].has_mac);
    assert_memory_equal(config->ports[0].mac_bytes, "\x02\0\0\0\0\x0a", 6);
    assert_false(config->ports[1].has_mac);
    assert_int_equal(config->gateways_count, 2);
    assert_int_equal(config->gateways[1].port_index, 1);
    assert_int_equal(config->matchers[1].lcore, 2);
    assert_int_equal(config->publishers[1].group_ip, 0xE9360C02);
    assert_int_equal(config->publishers[1].request_port, 5001);
    assert_int_equal(config->symbols_count, 3);
    assert_memory_equal(config->symbols[0].wire_name, "ABC     ", 8);
    assert_int_equal(config->symbols[0].tick_price, 500);
    assert_int_equal(config->symbols[2].tick_price, 10000);
    assert_int_equal(config->symbols[0].locate, 1);
    assert_int_equal(config->symbols[1].locate, 1); // the first of its own core
    assert_int_equal(config->symbols[2].locate, 2);
    assert_memory_equal(config->accounts[1].wire_firm, "SO  ", 4);
    assert_memory_equal(config->sessions[0].wire_user, "TRADE1", 6);
    assert_memory_equal(config->sessions[1].wire_user, "X2    ", 6);
    assert_int_equal(config->sessions[1].account_index, 1);
    assert_int_equal(config->sessions[1].gateway, 1);
    assert_true(config->sessions[1].cancel_on_disconnect);
    config_free(config);
}

static void keys_left_out_have_the_defaults_of_the_table(void **state)
{
    (void)state;
    struct config *config =
        config_accepted("dataplane:\n  main_lcore: 1\n  order_ring_depth: 4096\n  huge_pages: false\n", "");
    assert_string_equal(config->instance, "crosswire");
    assert_string_equal(config->dataplane.eal, "");
    assert_true(config->dataplane.huge_pages);
    assert_int_equal(config->dataplane.main_lcore, 1);
    assert_int_equal(config->dataplane.burst, 64);
    assert_int_equal(config->dataplane.order_ring_depth, 4096);
    assert_int_equal(config->dataplane.event_ring_depth, 16384);
    assert_int_equal(config->dataplane.journal_ring_depth, 65536);
    assert_int_equal(config->journal.segment_mb, 64);
    assert_int_equal(config->journal.commit_kb, 64);
    assert_int_equal(config->engine.max_orders, 1 << 20);
    assert_int_equal(config->engine.max_levels, 1 << 17);
    assert_int_equal(config->engine.max_trades, 1 << 20);
    assert_int_equal(config->engine.max_special, 0);
    assert_int_equal(config->engine.max_conditional, 1024);
    assert_int_equal(config->engine.tick_ms, 1000);
    assert_int_equal(config->phases_count, 0);
    assert_memory_equal(config->accounts[0].wire_organisation, "                ", 16);
    assert_false(config->sessions[0].post_only_cancels);
    assert_int_equal(config->sessions[0].aiq_default, 'N');
    assert_string_equal(config->symbols[1].tick, "0.01");
    assert_int_equal(config->symbols[1].round_lot, 100);
    assert_int_equal(config->symbols[2].round_lot, 10);
    assert_false(config->sessions[0].cancel_on_disconnect);
    config_free(config);
}

static void the_schedule_is_a_list_of_phases(void **state)
{
    (void)state;
    struct config *config = config_accepted("journal:\n", "schedule: {venue_close: 20:00:00, pre_market: 04:00:00, "
                                                          "market_open: '09:30:00'}\njournal:\n");
    assert_int_equal(config->phases_count, 3);
    assert_int_equal(config->phases[0].phase, 'P');
    assert_int_equal(config->phases[0].time_ns, UINT64_C(14400000000000));
    assert_int_equal(config->phases[1].phase, 'R');
    assert_int_equal(config->phases[1].time_ns, UINT64_C(34200000000000));
    assert_int_equal(config->phases[2].phase, 'X');
    config_free(config);
}

static void what_accounts_and_sessions_say_of_orders_is_resolved(void **state)
{
    (void)state;
    struct config *config = config_accepted("firm: NRTH}", "firm: NRTH, organisation: POLE}");
    assert_memory_equal(config->accounts[0].wire_organisation, "POLE            ", 16);
    config_free(config);
    config = config_accepted("{user: x2,", "{user: x2, post_only: cancel, aiq: d,");
    assert_true(config->sessions[1].post_only_cancels);
    assert_int_equal(config->sessions[1].aiq_default, 'd');
    assert_false(config->sessions[0].post_only_cancels);
    config_free(config);
}

static void zero_and_false_that_were_written_are_no_defaults(void **state)
{
    (void)state;
    struct config *config = config_accepted("journal:\n", "control: {login_attempts_per_minute: 0}\njournal:\n");
    assert_int_equal(config->control.login_attempts_per_minute, 0);
    assert_false(config->dataplane.huge_pages);
    config_free(config);
}

static void today_is_the_date_of_utc(void **state)
{
    (void)state;
    time_t before = time(NULL);
    struct config *config = config_accepted("2024-02-29", "today");
    time_t after = time(NULL);
    struct tm from = *gmtime(&before), to = *gmtime(&after);
    uint32_t first = (uint32_t)((from.tm_year + 1900) * 10000 + (from.tm_mon + 1) * 100 + from.tm_mday);
    uint32_t last = (uint32_t)((to.tm_year + 1900) * 10000 + (to.tm_mon + 1) * 100 + to.tm_mday);
    assert_in_range(config->date, first, last);
    config_free(config);
}

static void the_hash_covers_what_can_not_change_at_run_time(void **state)
{
    (void)state;
    struct config *one = config_accepted("", ""), *same = config_accepted("ack: matched", "ack:  matched # as ever"),
                  *day = config_accepted("2024-02-29", "2024-02-28"),
                  *tick = config_accepted("tick: 0.05", "tick: 0.04"),
                  *fewer = config_accepted("  - {name: abc, tick: 1, round_lot: 10}\n", ""),
                  *live = config_accepted("journal:\n", "control: {login_attempts_per_minute: 7}\njournal:\n");
    assert_int_equal(one->hash, same->hash);
    assert_int_equal(one->hash, live->hash);
    assert_int_not_equal(one->hash, day->hash);
    assert_int_not_equal(one->hash, tick->hash);
    assert_int_not_equal(one->hash, fewer->hash);
    config_free(one);
    config_free(same);
    config_free(day);
    config_free(tick);
    config_free(fewer);
    config_free(live);
}

// ---- what may change at run time ------------------------------------------------------------------------------------

// Fails unless the running config_base configuration refuses the replacement, with words that `says` is part of.
static void not_at_run_time(const char *from, const char *to, const char *says)
{
    char text[256] = "";
    struct config *running = config_accepted("", ""), *next = config_accepted(from, to);
    if (config_fits(running, next, text, sizeof text))
        fail_msg("may change: `%s` to `%s`", from, to);
    if (!strstr(text, says) || strchr(text, '\n'))
        fail_msg("`%s` for `%s` gave %s", to, from, text);
    config_free(running);
    config_free(next);
}

static void a_key_of_a_running_core_names_itself(void **state)
{
    (void)state;
    not_at_run_time("ack: matched", "ack: durable", "`ack` can not change");
    not_at_run_time("order_ring_depth: 4096", "order_ring_depth: 512",
                    "`order_ring_depth` of `dataplane` can not change");
    not_at_run_time("huge_pages: false", "huge_pages: true", "`huge_pages` of `dataplane`");
    not_at_run_time("tick: 0.05", "tick: 0.04", "`tick` of entry 1 of `symbols` can not change");
    not_at_run_time("  - {name: abc, tick: 1, round_lot: 10}\n", "", "`symbols` has 2 entries and had 3");
    not_at_run_time("journal:\n", "schedule: {market_open: 09:30:00}\njournal:\n", "`schedule`");
}

static void live_keys_are_taken_over_whole(void **state)
{
    (void)state;
    char text[256];
    struct config *running = config_accepted("journal:\n", "schedule: {market_close: 16:00:00}\njournal:\n");
    struct config *next =
        config_accepted("journal:\n", "schedule: {market_close: 17:30:00, venue_close: 18:00:00}\n"
                                      "control: {login_attempts_per_minute: 7, password_file: x}\njournal:\n");
    assert_true(config_fits(running, next, text, sizeof text));
    config_take_over(running, next);
    assert_int_equal(running->control.login_attempts_per_minute, 7);
    assert_string_equal(running->control.password_file, "x");
    assert_int_equal(running->phases_count, 2);
    assert_int_equal(running->phases[0].time_ns, 63000 * UINT64_C(1000000000));
    assert_string_equal(next->schedule.market_close, "16:00:00");
    config_free(next);
    next = config_accepted("journal:\n", "schedule: {market_close: 17:30:00, venue_close: 18:00:00}\n"
                                         "control: {login_attempts_per_minute: 7, password_file: x}\njournal:\n");
    assert_true(config_fits(running, next, text, sizeof text)); // and the next reload compares with what was taken
    config_free(next);
    config_free(running);
}

static void a_session_without_a_hash_needs_a_password_file(void **state)
{
    (void)state;
    static const char hash[] = ", password_hash: '$argon2id$v=19$m=8192,t=2,p=1$ab$cd'}";
    config_refused(hash, "}", "31:5", "xwctl hash-password");
    static char text[8192];
    const char *at = strstr(config_base, hash);
    snprintf(text, sizeof text, "control: {password_file: /etc/x}\n%.*s}%s", (int)(at - config_base), config_base,
             at + strlen(hash));
    struct config *config = config_take(text, strlen(text));
    assert_non_null(config);
    assert_string_equal(config->sessions[0].password_hash, "");
    config_free(config);
}

static void roles_of_one_lcore_idle_in_one_way(void **state)
{
    (void)state;
    struct config *config = config_accepted("  main_lcore: 1\n", "  main_lcore: 1\n  idle: yield\n");
    assert_int_equal(config->gateways[0].idle_policy, IDLE_YIELD);
    assert_int_equal(config->publishers[1].idle_policy, IDLE_YIELD);
    config_free(config);
    config = config_accepted("", "");
    assert_int_equal(config->matchers[0].idle_policy, IDLE_SPIN);
    config_free(config);
    config_refused("  main_lcore: 1\n", "  main_lcore: 1\n  idle: sleep\n", "7:9",
                   "write spin, pause, umwait or yield");
    config_refused("  - {lcore: 2, port: b, udp_port: 4000}\n",
                   "  - {lcore: 2, port: b, udp_port: 4000, idle: pause}\n", "19:5",
                   "another role of lcore 2 has `pause`");
}

static void the_example_is_read(void **state)
{
    (void)state;
    char example[512];
    const char *root = getenv("XW_ROOT");
    snprintf(example, sizeof example, "%s/control/crosswire.yaml", root ? root : ".");
    struct config *config = config_load(example, config_error, sizeof config_error);
    if (!config)
        fail_msg("%s", config_error);
    assert_int_equal(config->sessions_count, 4);
    assert_int_equal(config->accounts_count, 2);
    assert_int_equal(config->matchers_count, 1);
    assert_int_equal(config->gateways[0].lcore, 0);
    assert_int_equal(config->dataplane.main_lcore, 1);
    config_free(config);
}

static void every_key_of_the_table_lies_inside_its_structure(void **state)
{
    (void)state;
    for (int section = 0; section < CONFIG_SECTIONS; section++) {
        const struct config_section_info info = config_section_info((enum config_section)section);
        assert_true(info.keys > 0);
        for (unsigned i = info.first; i < info.first + info.keys; i++) {
            const struct config_key *key = &config_keys[i];
            assert_int_equal(key->section, section);
            assert_true(key->offset < info.size);
            assert_true(key->min <= key->max && key->max <= UINT32_MAX);
            if (key->kind == KIND_TEXT && key->text && key->text[0])
                assert_in_range(strlen(key->text), key->min, key->max);
            if (key->kind != KIND_TEXT && key->number != CONFIG_REQUIRED)
                assert_in_range(key->number, key->min, key->max);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_make, config_drop)
    const struct CMUnitTest tests[] = {
        TEST(values_references_and_resolved_fields_are_filled),
        TEST(keys_left_out_have_the_defaults_of_the_table),
        TEST(the_schedule_is_a_list_of_phases),
        TEST(what_accounts_and_sessions_say_of_orders_is_resolved),
        TEST(zero_and_false_that_were_written_are_no_defaults),
        TEST(today_is_the_date_of_utc),
        TEST(the_hash_covers_what_can_not_change_at_run_time),
        TEST(a_key_of_a_running_core_names_itself),
        TEST(live_keys_are_taken_over_whole),
        TEST(a_session_without_a_hash_needs_a_password_file),
        TEST(roles_of_one_lcore_idle_in_one_way),
        TEST(the_example_is_read),
        TEST(every_key_of_the_table_lies_inside_its_structure),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
