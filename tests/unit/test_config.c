// SPDX-License-Identifier: Apache-2.0
// The configuration: what is read, what is refused, and that each refusal points at its line and column.
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

// Line numbers of the mistakes below count in this text.
static const char base[] =
    "run_directory: run\n"                                                                       // 1
    "journal_directory: journal\n"                                                               // 2
    "trading_date: 2024-02-29\n"                                                                 // 3
    "ack: matched\n"                                                                             // 4
    "dataplane:\n"                                                                               // 5
    "  main_lcore: 1\n"                                                                          // 6
    "  order_ring_depth: 4096\n"                                                                 // 7
    "  huge_pages: false\n"                                                                      // 8
    "journal:\n"                                                                                 // 9
    "  commit_kb: 64\n"                                                                          // 10
    "ports:\n"                                                                                   // 11
    "  - {name: a, profile: vhost, address: 10.0.0.1, mac: '02:00:00:00:00:0a'}\n"               // 12
    "  - {name: b, profile: vhost, address: 10.0.0.2}\n"                                         // 13
    "gateways:\n"                                                                                // 14
    "  - {lcore: 0, port: a, udp_port: 4000}\n"                                                  // 15
    "  - {lcore: 2, port: b, udp_port: 4000}\n"                                                  // 16
    "matchers:\n"                                                                                // 17
    "  - lcore: 0\n"                                                                             // 18
    "  - lcore: 2\n"                                                                             // 19
    "publishers:\n"                                                                              // 20
    "  - {lcore: 0, port: a, group: 233.54.12.1, udp_port: 5000}\n"                              // 21
    "  - {lcore: 2, port: b, group: 233.54.12.2, udp_port: 5000, request_port: 5001}\n"          // 22
    "symbols:\n"                                                                                 // 23
    "  - {name: ABC, tick: 0.05}\n"                                                              // 24
    "  - {name: XYZ, matcher: 1}\n"                                                              // 25
    "  - {name: abc, tick: 1, round_lot: 10}\n"                                                  // 26
    "accounts:\n"                                                                                // 27
    "  - {name: north, firm: NRTH}\n"                                                            // 28
    "  - {name: south, firm: SO}\n"                                                              // 29
    "sessions:\n"                                                                                // 30
    "  - {user: Trade1, account: north, password_hash: '$argon2id$v=19$m=8192,t=2,p=1$ab$cd'}\n" // 31
    "  - {user: x2, account: south, password_hash: '$argon2id$v=19$m=8192,t=2,p=1$ab$cd',\n"     // 32
    "     gateway: 1, matcher: 1, cancel_on_disconnect: true}\n";                                // 33

static char path[64];
static char error[512];

static int make_file(void **state)
{
    (void)state;
    strcpy(path, "/tmp/crosswire-config-XXXXXX");
    int fd = mkstemp(path);
    close(fd);
    return fd < 0;
}

static int drop_file(void **state)
{
    (void)state;
    return unlink(path);
}

static struct config *load_bytes(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    memset(error, 'x', sizeof error - 1);
    return config_load(path, error, sizeof error);
}

// The base text with the first `from` replaced.
static struct config *load_with(const char *from, const char *to)
{
    static char text[16384];
    const char *at = strstr(base, from);
    assert_non_null(at);
    int size = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - base), base, to, at + strlen(from));
    assert_true(size > 0 && (size_t)size < sizeof text);
    return load_bytes(text, (size_t)size);
}

// Fails unless the replacement is refused at `position` ("line:column") with words that `says` is part of.
static void refused(const char *from, const char *to, const char *position, const char *says)
{
    char head[128];
    struct config *config = load_with(from, to);
    if (config)
        fail_msg("taken: `%s` for `%s`", to, from);
    snprintf(head, sizeof head, "%s:%s: ", path, position);
    if (strncmp(error, head, strlen(head)) != 0 || !strstr(error, says) || strchr(error, '\n'))
        fail_msg("`%s` for `%s`\n  gave  %s\n  not   %s ... %s", to, from, error, head, says);
}

static struct config *accepted(const char *from, const char *to)
{
    struct config *config = load_with(from, to);
    if (!config)
        fail_msg("refused: %s", error);
    return config;
}

// ---- what is read ---------------------------------------------------------------------------------------------------

static void values_references_and_resolved_fields_are_filled(void **state)
{
    (void)state;
    struct config *config = accepted("", "");
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
        accepted("dataplane:\n  main_lcore: 1\n  order_ring_depth: 4096\n  huge_pages: false\n", "");
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
    struct config *config = accepted("journal:\n", "schedule: {venue_close: 20:00:00, pre_market: 04:00:00, "
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
    struct config *config = accepted("firm: NRTH}", "firm: NRTH, organisation: POLE}");
    assert_memory_equal(config->accounts[0].wire_organisation, "POLE            ", 16);
    config_free(config);
    config = accepted("{user: x2,", "{user: x2, post_only: cancel, aiq: d,");
    assert_true(config->sessions[1].post_only_cancels);
    assert_int_equal(config->sessions[1].aiq_default, 'd');
    assert_false(config->sessions[0].post_only_cancels);
    config_free(config);
}

static void zero_and_false_that_were_written_are_no_defaults(void **state)
{
    (void)state;
    struct config *config = accepted("journal:\n", "control: {login_attempts_per_minute: 0}\njournal:\n");
    assert_int_equal(config->control.login_attempts_per_minute, 0);
    assert_false(config->dataplane.huge_pages);
    config_free(config);
}

static void today_is_the_date_of_utc(void **state)
{
    (void)state;
    time_t before = time(NULL);
    struct config *config = accepted("2024-02-29", "today");
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
    struct config *one = accepted("", ""), *same = accepted("ack: matched", "ack:  matched # as ever"),
                  *day = accepted("2024-02-29", "2024-02-28"), *tick = accepted("tick: 0.05", "tick: 0.04"),
                  *fewer = accepted("  - {name: abc, tick: 1, round_lot: 10}\n", ""),
                  *live = accepted("journal:\n", "control: {login_attempts_per_minute: 7}\njournal:\n");
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

// Fails unless the running base configuration refuses the replacement, with words that `says` is part of.
static void not_at_run_time(const char *from, const char *to, const char *says)
{
    char text[256] = "";
    struct config *running = accepted("", ""), *next = accepted(from, to);
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
    struct config *running = accepted("journal:\n", "schedule: {market_close: 16:00:00}\njournal:\n");
    struct config *next =
        accepted("journal:\n", "schedule: {market_close: 17:30:00, venue_close: 18:00:00}\n"
                               "control: {login_attempts_per_minute: 7, password_file: x}\njournal:\n");
    assert_true(config_fits(running, next, text, sizeof text));
    config_take_over(running, next);
    assert_int_equal(running->control.login_attempts_per_minute, 7);
    assert_string_equal(running->control.password_file, "x");
    assert_int_equal(running->phases_count, 2);
    assert_int_equal(running->phases[0].time_ns, 63000 * UINT64_C(1000000000));
    assert_string_equal(next->schedule.market_close, "16:00:00");
    config_free(next);
    next = accepted("journal:\n", "schedule: {market_close: 17:30:00, venue_close: 18:00:00}\n"
                                  "control: {login_attempts_per_minute: 7, password_file: x}\njournal:\n");
    assert_true(config_fits(running, next, text, sizeof text)); // and the next reload compares with what was taken
    config_free(next);
    config_free(running);
}

static void a_session_without_a_hash_needs_a_password_file(void **state)
{
    (void)state;
    static const char hash[] = ", password_hash: '$argon2id$v=19$m=8192,t=2,p=1$ab$cd'}";
    refused(hash, "}", "31:5", "xwctl hash-password");
    static char text[8192];
    const char *at = strstr(base, hash);
    snprintf(text, sizeof text, "control: {password_file: /etc/x}\n%.*s}%s", (int)(at - base), base, at + strlen(hash));
    struct config *config = load_bytes(text, strlen(text));
    assert_non_null(config);
    assert_string_equal(config->sessions[0].password_hash, "");
    config_free(config);
}

static void roles_of_one_lcore_idle_in_one_way(void **state)
{
    (void)state;
    struct config *config = accepted("  main_lcore: 1\n", "  main_lcore: 1\n  idle: yield\n");
    assert_int_equal(config->gateways[0].idle_policy, IDLE_YIELD);
    assert_int_equal(config->publishers[1].idle_policy, IDLE_YIELD);
    config_free(config);
    config = accepted("", "");
    assert_int_equal(config->matchers[0].idle_policy, IDLE_SPIN);
    config_free(config);
    refused("  main_lcore: 1\n", "  main_lcore: 1\n  idle: sleep\n", "7:9", "write spin, pause, umwait or yield");
    refused("  - {lcore: 2, port: b, udp_port: 4000}\n", "  - {lcore: 2, port: b, udp_port: 4000, idle: pause}\n",
            "19:5", "another role of lcore 2 has `pause`");
}

static void what_trips_what_is_read_and_each_mistake_is_pointed_at(void **state)
{
    (void)state;
    struct config *config = accepted("ports:\n", "modes: [{name: slow, rate: 10}]\n"
                                                 "trips: [{condition: latency, threshold: 500, action: throttle,"
                                                 " mode: slow, recovery: aggressive}]\nports:\n");
    assert_int_equal(config->trips[0].is, TRIP_LATENCY);
    assert_int_equal(config->trips[0].does, TRIP_THROTTLE);
    assert_int_equal(config->trips[0].recovers, TRIP_AGGRESSIVE);
    assert_int_equal(config->trips[0].mode_index, 0);
    assert_int_equal(config->trips[0].window_ms, 1000);
    config_free(config);
    config = accepted("", "");
    assert_int_equal(config->trips_count + config->modes_count, 0);
    config_free(config);
    static const struct {
        const char *trip, *position, *says;
    } wrong[] = {
        {"{threshold: 1}", "11:9", "`condition` is missing"},
        {"{condition: latency}", "11:9", "`threshold` is missing"},
        {"{condition: sunspots, threshold: 1}", "11:21", "`condition` is `sunspots`"},
        {"{condition: latency, threshold: 0}", "11:41", "out of bounds"},
        {"{condition: backlog, threshold: 101}", "11:41", "give 1 to 100"},
        {"{condition: reject_ratio, threshold: 101}", "11:46", "give 1 to 100"},
        {"{condition: bad_logins, threshold: 256}", "11:44", "give 1 to 255"},
        {"{condition: backlog, threshold: 9, action: shout}", "11:52", "write alert, throttle"},
        {"{condition: backlog, threshold: 9, recovery: soon}", "11:54", "write manual, standard or aggressive"},
        {"{condition: backlog, threshold: 9, action: throttle}", "11:9", "not under `modes:`"},
        {"{condition: backlog, threshold: 9, mode: slow}", "11:50", "leave it out"},
        {"{condition: backlog, threshold: 9, action: halt}", "11:9", "write manual"},
        {"{condition: bad_logins, threshold: 9, action: halt}", "11:55", "closes the port"},
        {"{condition: control_lost, threshold: 9, action: throttle}", "11:57", "without control knows"},
        {"{condition: backlog, threshold: 9}, {condition: backlog, threshold: 8}", "11:57", "a `name` of its own"},
        {"{condition: latency, threshold: 9}, {name: b, condition: latency, threshold: 8}", "11:66", "keep one"},
    };
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "trips: [%s]\nports:\n", wrong[i].trip);
        refused("ports:\n", text, wrong[i].position, wrong[i].says);
    }
    refused("ports:\n", "modes: [{name: idle}]\nports:\n", "11:16", "changes nothing");
    refused("ports:\n", "modes: [{name: a, rate: 1}, {name: a, rate: 2}]\nports:\n", "11:36", "another name");
}

static void the_example_is_read(void **state)
{
    (void)state;
    char example[512];
    const char *root = getenv("XW_ROOT");
    snprintf(example, sizeof example, "%s/control/crosswire.yaml", root ? root : ".");
    struct config *config = config_load(example, error, sizeof error);
    if (!config)
        fail_msg("%s", error);
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

// ---- what is refused ------------------------------------------------------------------------------------------------

static void an_unknown_key_is_refused_with_the_nearest_one(void **state)
{
    (void)state;
    refused("main_lcore", "mian_lcore", "6:3", "did you mean `main_lcore`?");
    refused("ack:", "akc:", "4:1", "did you mean `ack`?");
    refused("matchers:", "machers:", "17:1", "did you mean `matchers`?");
    refused("{name: b,", "{nmae: b,", "13:6", "did you mean `name`?");
    refused("ack: matched\n", "ack: matched\nburst: 3\n", "5:1", "put it under `dataplane:`");
    refused("  commit_kb: 64\n", "  commit_kb: 64\n  trading_date: today\n", "11:3", "put it at the top level");
}

static void a_key_given_twice_is_refused(void **state)
{
    (void)state;
    refused("ack: matched\n", "ack: matched\nack: durable\n", "5:1", "given twice");
    refused("  main_lcore: 1\n", "  main_lcore: 1\n  main_lcore: 3\n", "7:3", "given twice");
    refused("journal:\n", "matchers: [{lcore: 0}]\njournal:\n", "18:1", "given twice");
}

static void a_missing_key_is_refused_where_it_is_missing(void **state)
{
    (void)state;
    refused("run_directory: run\n", "", "1:1", "`run_directory` is missing");
    refused("udp_port: 4000", "queue: 0", "15:5", "`udp_port` is missing in an entry of gateways");
    refused("accounts:\n  - {name: north, firm: NRTH}\n  - {name: south, firm: SO}\n", "", "1:1",
            "`accounts` is missing");
}

static void a_wrong_type_is_refused(void **state)
{
    (void)state;
    refused("main_lcore: 1", "main_lcore: one", "6:15", "whole number");
    refused("main_lcore: 1", "main_lcore: -1", "6:15", "whole number");
    refused("main_lcore: 1", "main_lcore: 1.5", "6:15", "whole number");
    refused("main_lcore: 1", "main_lcore: 0x3", "6:15", "whole number"); // libcyaml would read hexadecimal
    refused("main_lcore: 1", "main_lcore: 010", "6:15", "whole number"); // and octal
    refused("main_lcore: 1", "main_lcore: ''", "6:15", "whole number");
    refused("main_lcore: 1", "main_lcore: [1]", "6:15", "a list");
    refused("huge_pages: false", "huge_pages: maybe", "8:15", "true or false");
    refused("huge_pages: false", "huge_pages: no", "8:15", "true or false");
    refused("ack: matched", "ack: {a: b}", "4:6", "a block of keys");
    refused("matchers:\n  - lcore: 0\n  - lcore: 2\n", "matchers: 2\n", "17:11", "no list");
    refused("  - lcore: 0\n", "  - 0\n", "18:5", "no block of keys");
    refused("journal:\n  commit_kb: 64\n", "journal: 64\n", "9:10", "no block of keys");
}

static void a_value_out_of_bounds_is_refused_with_bounds_and_unit(void **state)
{
    (void)state;
    refused("main_lcore: 1", "main_lcore: 128", "6:15", "give 0 to 127 (lcore)");
    refused("commit_kb: 64", "commit_kb: 3", "10:14", "give 4 to 4096 (KiB)");
    refused("commit_kb: 64", "commit_kb: 6", "10:14", "a multiple of 4");
    refused("commit_kb: 64", "commit_kb: 1024\n  segment_mb: 1", "10:14", "give at most 512");
    refused("main_lcore: 1", "main_lcore: 1\n  heartbeat_ms: 10000", "7:17", "`session_timeout_ms`");
    refused("commit_kb: 64", "commit_kb: 8192", "10:14", "give 4 to 4096 (KiB)");
    refused("udp_port: 4000", "udp_port: 65536", "15:35", "give 1 to 65535 (UDP port)");
    refused("udp_port: 4000", "udp_port: 99999999999999999999999999", "15:35", "out of bounds");
    refused("user: Trade1", "user: Trade12", "31:12", "give 1 to 6");
    refused("run_directory: run", "run_directory: ''", "1:16", "give 1 to 180");
}

static void a_schedule_or_a_conduct_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    refused("journal:\n", "schedule: {market_open: 9:30:00}\njournal:\n", "9:25", "write HH:MM:SS");
    refused("journal:\n", "schedule: {market_open: '24:00:00'}\njournal:\n", "9:25", "write HH:MM:SS");
    refused("journal:\n", "schedule: {market_open: '10:00:00', market_close: '09:30:00'}\njournal:\n", "9:51",
            "not after the phase before it");
    refused("journal:\n", "bands: {tier1_percent: 101}\njournal:\n", "9:24", "write 0.0001 to 100");
    refused("journal:\n", "market_wide: {close: 4321.5}\njournal:\n", "9:22", "give some an `index_weight`");
    refused("{user: x2,", "{user: x2, post_only: sli,", "32:27", "give 5 to 6");
    refused("{user: x2,", "{user: x2, post_only: sleep,", "32:27", "write slide, or cancel");
    refused("{user: x2,", "{user: x2, aiq: q,", "32:21", "an AIQ strategy");
}

static void a_ring_depth_that_is_no_power_of_two_is_refused_with_the_nearest(void **state)
{
    (void)state;
    refused("order_ring_depth: 4096", "order_ring_depth: 4095", "7:21", "the nearest is 4096");
    refused("order_ring_depth: 4096", "order_ring_depth: 5000", "7:21", "the nearest is 4096");
    refused("order_ring_depth: 4096", "order_ring_depth: 7000", "7:21", "the nearest is 8192");
}

static void names_that_occur_twice_are_refused(void **state)
{
    (void)state;
    refused("{name: b,", "{name: a,", "13:12", "entry 2 is that of entry 1");
    refused("{name: abc,", "{name: XYZ,", "26:12", "entry 3 is that of entry 2");
    refused("{name: south,", "{name: north,", "29:12", "entry 2 is that of entry 1");
    refused("{user: x2,", "{user: tRADE1,", "32:12", "entry 2 is that of entry 1"); // without case
}

static void references_to_nothing_are_refused(void **state)
{
    (void)state;
    refused("{lcore: 0, port: a,", "{lcore: 0, port: c,", "15:22", "not under `ports:`");
    refused("port: b, group", "port: c, group", "22:22", "not under `ports:`");
    refused("account: north", "account: nort", "31:29", "not under `accounts:`");
    refused("gateway: 1", "gateway: 2", "33:15", "give 0 to 1");
    refused("gateway: 1, matcher: 1", "gateway: 1, matcher: 2", "33:27", "give 0 to 1");
    refused("XYZ, matcher: 1", "XYZ, matcher: 2", "25:26", "give 0 to 1");
}

static void roles_that_can_not_run_together_are_refused(void **state)
{
    (void)state;
    refused("  - lcore: 2\n", "", "20:3", "2 publishers for 1 matchers");
    refused("main_lcore: 1", "main_lcore: 2", "19:12", "EAL's main thread");
    refused("main_lcore: 1", "main_lcore: 0", "18:12", "EAL's main thread");
    refused("{lcore: 2, port: b, udp_port: 4000}", "{lcore: 2, port: a, udp_port: 4001}", "16:5",
            "is used on lcore 0 too");
    refused("{lcore: 2, port: b, udp_port: 4000}", "{lcore: 0, port: a, udp_port: 4000}", "16:35",
            "gateway 0's already");
    refused("{lcore: 2, port: b, group", "{lcore: 3, port: b, group", "22:5", "entry 2 of gateways");
    refused("request_port: 5001", "request_port: 4000", "22:75", "gateway 1's udp_port");
    refused("233.54.12.2", "233.54.12.1", "22:55", "publisher 0's already");
}

static void roles_on_one_lcore_may_share_a_queue(void **state)
{
    (void)state;
    struct config *config =
        accepted("{lcore: 2, port: b, udp_port: 4000}", "{lcore: 2, port: b, udp_port: 4000, queue: 0}");
    assert_int_equal(config->gateways[1].queue, config->publishers[1].queue);
    config_free(config);
}

static void malformed_text_is_refused(void **state)
{
    (void)state;
    refused("02:00:00:00:00:0a", "02:00:00:00:00", "12:55", "`mac` is");
    refused("02:00:00:00:00:0a", "02:00:00:00:00:0g", "12:55", "`mac` is");
    refused("02:00:00:00:00:0a", "03:00:00:00:00:0a", "12:55", "unicast");
    refused("address: 10.0.0.1", "address: 10.0.0.256", "12:40", "IPv4");
    refused("address: 10.0.0.1", "address: 0.0.0.0", "12:40", "IPv4");
    refused("group: 233.54.12.1", "group: 233.54.12", "21:32", "IPv4");
    refused("profile: vhost", "profile: ../vhost", "12:24", "without .yaml");
    refused("address: 10.0.0.1, mac: '02:00:00:00:00:0a'}\n  - {name: b, profile: vhost,",
            "address: 10.0.0.1, device: w.sock}\n  - {name: b, profile: vhost, device: w.sock,", "13:39",
            "that of port a too; give each port its own");
    refused("run_directory: run", "instance: a/b\nrun_directory: run", "1:11", "letters, digits");
    refused("name: ABC", "name: 'A C'", "24:12", "without blanks");
    refused("user: x2", "user: x 2", "32:12", "letters and digits");
    refused("password_hash: '$argon2id$v=19$m=8192,t=2,p=1$ab$cd'}",
            "password_hash: plain-text-password-in-the-open-0}", "31:51", "xwctl hash-password");
    refused("ack: matched", "ack: \"mat\\0ched\"", "4:6", "control character");
}

static void a_tick_that_is_no_price_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"0",   "0.0000", "0.00001",     "1.", ".5",   "1.2.3",      "-1",
                               "1e3", "a",      "199999.9901", "''", "0x10", "99999999999"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "tick: %s", bad[i]);
        refused("tick: 0.05", text, "24:23", "`tick` is");
    }
    struct config *config = accepted("tick: 0.05", "tick: 199999.99");
    assert_int_equal(config->symbols[0].tick_price, 1999999900);
    config_free(config);
    config = accepted("tick: 0.05", "tick: 0.0001");
    assert_int_equal(config->symbols[0].tick_price, 1);
    config_free(config);
}

static void a_date_that_is_no_day_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "2024-04-31",
                               "2024-1-010", "1999-01-01", "2024/02/29", "yesterday"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused("2024-02-29", bad[i], "3:15", "YYYY-MM-DD");
}

static void a_replicated_ack_is_refused_until_it_exists(void **state)
{
    (void)state;
    refused("ack: matched", "ack: replicated", "4:6", "does not exist yet");
    refused("ack: matched", "ack: sometimes", "4:6", "write durable, or matched");
}

static void broken_yaml_is_refused_where_it_breaks(void **state)
{
    (void)state;
    refused("ack: matched", "ack: [matched", "5:10", "make it a YAML document");
    refused("ack: matched", "\tack: matched", "4:1", "YAML");
    refused("ack: matched", "ack: &a matched\ninstance: *b", "5:11", "alias");
    refused("ack: matched",
            "ack: mat\xff"
            "ched",
            "4:9", "YAML");
}

static void aliases_and_second_documents_are_refused(void **state)
{
    (void)state;
    refused("trading_date: 2024-02-29\nack: matched", "trading_date: &a today\nack: *a", "3:15", "alias");
    refused("matchers:\n  - lcore: 0\n  - lcore: 2\n", "matchers: &m [*m]\n", "17:11", "alias");
    refused("sessions:", "---\nsessions:", "31:1", "second document");
    struct config *config = load_bytes("&a {run_directory: *a}\n", 23);
    assert_null(config);
    assert_non_null(strstr(error, "alias"));
}

static void a_file_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_null(load_bytes("", 0));
    assert_non_null(strstr(error, ":1:1: the file is empty"));
    assert_null(load_bytes("just words\n", 11));
    assert_non_null(strstr(error, ":1:1: the file is no block of keys"));
    assert_null(config_load("/nonexistent.yaml", error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent.yaml: can not be opened: No such file"));
    assert_null(config_load("/tmp", error, sizeof error));
    assert_non_null(strstr(error, "/tmp: can not be read"));
    assert_null(config_load("/dev/zero", error, sizeof error));
    assert_non_null(strstr(error, "larger than 4 MiB"));
}

static void a_small_error_buffer_is_not_overrun(void **state)
{
    (void)state;
    char small[24];
    memset(small, 'x', sizeof small);
    assert_null(load_bytes("a: b\n", 5));
    assert_null(config_load(path, small, 20));
    assert_memory_equal(small + 20, "xxxx", 4);
    assert_true(memchr(small, '\0', 20) != NULL);
}

static void thousands_of_entries_are_read_in_reasonable_time(void **state)
{
    (void)state;
    enum { SYMBOLS = 8000 };
    const char *at = strstr(base, "accounts:");
    char *text = malloc(sizeof base + SYMBOLS * 64);
    assert_non_null(text);
    size_t used = (size_t)(at - base);
    memcpy(text, base, used);
    for (int i = 0; i < SYMBOLS; i++)
        used += (size_t)sprintf(text + used, "  - {name: S%d, matcher: 0}\n", i);
    used += (size_t)sprintf(text + used, "%s", at);
    struct config *config = load_bytes(text, used);
    free(text);
    if (!config)
        fail_msg("%s", error);
    assert_int_equal(config->symbols_count, SYMBOLS + 3);
    assert_int_equal(config->symbols[SYMBOLS + 2].locate, SYMBOLS + 2);
    config_free(config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_file, drop_file)
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
        TEST(what_trips_what_is_read_and_each_mistake_is_pointed_at),
        TEST(the_example_is_read),
        TEST(every_key_of_the_table_lies_inside_its_structure),
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
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
