// SPDX-License-Identifier: Apache-2.0
// The limits file: what it says is taken to the last digit, and what makes no sense is refused whole, where it stands.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "control/limits/file.h"
#include "control/limits/table.h"
#include "tests/unit/limits_venue.h"

static struct config *config;
static struct limits_venue venue;
static char error[512];

static int set_up(void **state)
{
    (void)state;
    config = load_venue("");
    return limits_venue_init(&venue, config) ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    limits_venue_free(&venue);
    config_free(config);
    return 0;
}

static struct limits_file *read_text(const char *text)
{
    char path[32];
    write_new(path, text);
    error[0] = '\0';
    struct limits_file *file = limits_file_read(path, &venue, error, sizeof error);
    unlink(path);
    return file;
}

static uint64_t value_of(const struct limits_file *file, enum scope scope, const char *name, enum limit limit)
{
    uint16_t index, symbol;
    assert_true(limits_find_whom(&venue, scope, name, &index, &symbol));
    const struct limits_rule *rule = limits_find(&file->rules, limits_key(RULE_LIMIT, scope, index, symbol, limit));
    return rule ? rule->value : LIMIT_UNSET;
}

static void every_section_and_unit_is_read_to_the_last_digit(void **state)
{
    (void)state;
    struct limits_file *file =
        read_text("venue: {collar_percent: 0.0001, slow_percent: 92.5, slow_rate: 5, alert_percent: 80}\n"
                  "firms:\n  - {firm: SOTH, gross_notional: 99999999999999.9999}\n"
                  "accounts:\n"
                  "  - {account: NORTH, shares: [70, 30], net_notional: 0.0001, duplicates: 3, duplicate_ms: 2s}\n"
                  "  - account: EAST\n    capital: 1000000\n    drawdown_percent: 0.0001\n"
                  "    forbidden: [market, short_unlocated]\n"
                  "sessions:\n  - {session: trade3, order_rate: 1000000000, mmp_quantity: 5, mmp_ms: 1m}\n"
                  "symbols:\n  - {symbol: ALPHA, reference: 10.25, adv: 1000000000000, reg_sho: intraday, tier: 2, "
                  "restricted: true, forbidden: iso}\n"
                  "positions:\n  - {account: SOUTH, symbol: BRAVO, quantity: -100, cost: -1000.5, long_position: 0}\n"
                  "groups:\n  - {group: one, symbols: [XWIRE]}\n  - {group: two, symbols: [BRAVO, ALPHA]}\n");
    if (!file)
        fail_msg("%s", error);
    assert_int_equal(value_of(file, SCOPE_VENUE, "", LIMIT_COLLAR), 1);
    assert_int_equal(value_of(file, SCOPE_VENUE, "", LIMIT_SLOW), 925000);
    assert_int_equal(value_of(file, SCOPE_VENUE, "", LIMIT_ALERT), 800000);
    assert_int_equal(value_of(file, SCOPE_FIRM, "SOTH", LIMIT_GROSS_NOTIONAL), 999999999999999999);
    assert_int_equal(value_of(file, SCOPE_ACCOUNT, "NORTH", LIMIT_NET_NOTIONAL), 1);
    assert_int_equal(value_of(file, SCOPE_ACCOUNT, "NORTH", LIMIT_DUPLICATE_MS), 2000);
    assert_int_equal(value_of(file, SCOPE_ACCOUNT, "EAST", LIMIT_CAPITAL), 10000000000);
    assert_int_equal(value_of(file, SCOPE_ACCOUNT, "EAST", LIMIT_DRAWDOWN), 1);
    assert_int_equal(value_of(file, SCOPE_ACCOUNT, "EAST", LIMIT_FORBIDDEN), FORBID_MARKET | FORBID_SHORT_UNLOCATED);
    assert_int_equal(value_of(file, SCOPE_SESSION, "TRADE3", LIMIT_ORDER_RATE), 1000000000);
    assert_int_equal(value_of(file, SCOPE_SESSION, "TRADE3", LIMIT_MMP_MS), 60000);
    assert_int_equal(value_of(file, SCOPE_SYMBOL, "ALPHA", LIMIT_FORBIDDEN), FORBID_ALL | FORBID_ISO);
    assert_int_equal(value_of(file, SCOPE_POSITION, "SOUTH:BRAVO", LIMIT_LONG_POSITION), 0);
    assert_int_equal(value_of(file, SCOPE_ACCOUNT, "SOUTH", LIMIT_LONG_POSITION), LIMIT_UNSET);
    const struct limits_rule *facts =
        limits_find(&file->rules, limits_key(RULE_REFERENCE, SCOPE_SYMBOL, 0, 1, (enum limit)0));
    assert_int_equal(facts->value, 102500);
    assert_int_equal(facts->more, 1000000000000);
    assert_int_equal(facts->reg_sho, SHO_INTRADAY);
    assert_int_equal(facts->tier, 2);
    const struct limits_rule *position =
        limits_find(&file->rules, limits_key(RULE_POSITION, SCOPE_POSITION, 1, 2, (enum limit)0));
    assert_int_equal((int64_t)position->value, -100);
    assert_int_equal((int64_t)position->more, -10005000);
    assert_int_equal(limits_find(&file->rules, limits_key(RULE_GROUP, SCOPE_SYMBOL, 0, 2, (enum limit)0))->value, 2);
    const struct limits_shares *shares =
        limits_file_shares(file, limits_key(RULE_LIMIT, SCOPE_ACCOUNT, 0, 0, (enum limit)0));
    assert_int_equal(shares->percent[0], 70);
    assert_null(limits_file_shares(file, limits_key(RULE_LIMIT, SCOPE_FIRM, 0, 0, (enum limit)0)));
    limits_file_free(file);
}

static void what_is_wrong_is_told_with_its_place_and_what_mends_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place, *words, *mend;
    } files[] = {
        {"accounts:\n  - {account: NORHT, max_quantity: 1}\n", ":2:15: ", "no account `NORHT`", "name one of"},
        {"firms:\n  - {firm: NORTH, max_quantity: 1}\n", ":2:12: ", "no firm `NORTH`", "name one of"},
        {"sessions:\n  - {session: TRADE9, order_rate: 1}\n", ":2:15: ", "no session `TRADE9`", "name one of"},
        {"symbols:\n  - {symbol: xwire, max_quantity: 1}\n", ":2:14: ", "no symbol `xwire`", "name one of"},
        {"accounts:\n  - {account: NORTH, max_quantty: 1}\n", ":2:22: ", "unknown key `max_quantty`",
         "did you mean `max_quantity`?"},
        {"accounts:\n  - {account: NORTH, order_rate: 1}\n", ":2:22: ", "an account has no `order_rate`",
         "put it under `sessions`"},
        {"venue: {loss: 1}\n", ":1:9: ", "a venue has no `loss`", "put it under `firms`, `accounts`"},
        {"account:\n  - {account: NORTH}\n", ":1:1: ", "`account` is no section", "write venue, firms"},
        {"accounts:\n  - {account: NORTH, max_quantity: 1}\n  - {account: NORTH, loss: 1}\n",
         ":3:5: ", "account NORTH has an entry already, on line 2", "keep one"},
        {"firms:\n  - {firm: NRTH, loss: 1}\n  - {firm: NRTH, loss: 1}\n", ":3:5: ", "firm NRTH has an entry already",
         "keep one"},
        {"accounts:\n  - {account: NORTH, loss: 1, loss: 1}\n", ":2:31: ", "`loss` is given twice", "keep one"},
        {"venue: {}\nvenue: {}\n", ":2:1: ", "`venue` is given twice", "keep one"},
        {"groups:\n  - {group: a, symbols: [XWIRE]}\n  - {group: b, symbols: [XWIRE]}\n",
         ":3:26: ", "symbol XWIRE is in a group already, on line 2", "keep one"},
        {"positions:\n  - {account: NORTH, symbol: XWIRE, long_position: 1}\n"
         "  - {account: NORTH, symbol: XWIRE, short_position: 1}\n",
         ":3:5: ", "position NORTH:XWIRE has an entry already", "keep one"},
        {"accounts:\n  - {account: NORTH, max_quantity: -5}\n", ":2:36: ", "`-5`, negative", "give 0 to"},
        {"accounts:\n  - {account: NORTH, loss: -0.01}\n", ":2:28: ", "`-0.01`, negative", "give 0.00 to"},
        {"accounts:\n  - {account: NORTH, max_quantity: 1000000000001}\n", ":2:36: ", "out of bounds",
         "give 0 to 1000000000000"},
        {"accounts:\n  - {account: NORTH, loss: 100000000000000.0001}\n", ":2:28: ", "out of bounds", "give 0.00 to"},
        {"accounts:\n  - {account: NORTH, loss: 99999999999999999999999999999999999999}\n", ":2:28: ", "out of bounds",
         "give 0.00 to"},
        {"accounts:\n  - {account: NORTH, loss: 1.00001}\n", ":2:28: ", "`1.00001`", "at most 4 places"},
        {"accounts:\n  - {account: NORTH, loss: 1.}\n", ":2:28: ", "`1.`", "at most 4 places"},
        {"accounts:\n  - {account: NORTH, loss: 1e9}\n", ":2:28: ", "`1e9`", "at most 4 places"},
        {"accounts:\n  - {account: NORTH, max_quantity: 010}\n", ":2:36: ", "`010`", "whole shares"},
        {"accounts:\n  - {account: NORTH, fat_finger_percent: 100.0001}\n", ":2:42: ", "out of bounds",
         "give 0 to 100 (per cent"},
        {"sessions:\n  - {session: TRADE1, order_rate: 0}\n", ":2:35: ", "out of bounds", "give 1 to 1000000000"},
        {"sessions:\n  - {session: TRADE1, order_rate: 1000000001}\n", ":2:35: ", "out of bounds",
         "give 1 to 1000000000"},
        {"sessions:\n  - {session: TRADE1, order_burst: 10}\n", ":2:36: ", "says nothing without `order_rate`",
         "give both, or neither"},
        {"sessions:\n  - {session: TRADE1, mmp_fills: 10}\n", ":2:34: ", "says nothing without `mmp_ms`",
         "give both, or neither"},
        {"sessions:\n  - {session: TRADE1, mmp_ms: 10}\n", ":2:31: ", "without `mmp_fills` or `mmp_quantity`",
         "give both, or neither"},
        {"sessions:\n  - {session: TRADE1, mmp_fills: 1, mmp_ms: 0}\n", ":2:45: ", "out of bounds", "give 1ms to"},
        {"sessions:\n  - {session: TRADE1, mmp_fills: 1, mmp_ms: 1441m}\n", ":2:45: ", "out of bounds", "86400000ms"},
        {"sessions:\n  - {session: TRADE1, mmp_fills: 1, mmp_ms: 1h}\n", ":2:45: ", "`1h`", "250ms, 2s, 5m"},
        {"accounts:\n  - {account: NORTH, duplicates: 2}\n", ":2:34: ", "says nothing without `duplicate_ms`",
         "give both"},
        {"accounts:\n  - {account: NORTH, drawdown_percent: 2}\n", ":2:40: ", "says nothing without `capital`",
         "give both"},
        {"accounts:\n  - {account: NORTH, position_share_percent: 5}\nfirms:\n  - {firm: SOTH, capital: 5}\n",
         ":2:46: ", "says nothing without `capital` of the account or of its firm", "give one of them"},
        {"accounts:\n  - {account: EAST, slow_percent: 75, slow_rate: 1}\nvenue: {alert_percent: 80}\n",
         ":2:35: ", "is not above `alert_percent`", "an alert comes before"},
        {"venue: {slow_percent: 70, slow_rate: 1}\n", ":1:23: ", "is not above `alert_percent`", "70 when none"},
        {"venue: {slow_percent: 65, slow_rate: 1}\naccounts:\n  - {account: NORTH, alert_percent: 60}\n",
         ":1:23: ", "is not above `alert_percent`", "70 when none"}, // of its firm
        {"groups:\n  - {group: one, symbols: [XWIRE]}\n  - {group: one, symbols: [ALPHA]}\n",
         ":3:13: ", "group `one` has an entry already, on line 2", "keep one"},
        {"groups:\n  - {group: '', symbols: [XWIRE]}\n", ":2:13: ", "`group` is empty", "give it a name"},
        {"groups:\n  - {group: one, symbols: []}\n", ":2:27: ", "no list of symbols", "write [XWIRE, ALPHA]"},
        {"accounts:\n  - {account: NORTH, slow_percent: 70, slow_rate: 1, alert_percent: 80}\n",
         ":2:36: ", "is not above `alert_percent`", "an alert comes before"},
        {"accounts:\n  - {account: NORTH, forbidden: [market, markets]}\n", ":2:42: ", "no permission", "write market"},
        {"accounts:\n  - {account: NORTH, forbidden: [market, market]}\n", ":2:42: ", "given twice", "keep one"},
        {"symbols:\n  - {symbol: XWIRE, restricted: true, forbidden: [all]}\n", ":2:33: ", "says already", "keep one"},
        {"symbols:\n  - {symbol: XWIRE, restricted: yes}\n", ":2:33: ", "`yes`", "true or false"},
        {"symbols:\n  - {symbol: XWIRE, reg_sho: 1}\n", ":2:30: ", "`1`", "none, intraday or remains"},
        {"symbols:\n  - {symbol: XWIRE, tier: 3}\n", ":2:27: ", "`3`", "1 or 2"},
        {"symbols:\n  - {symbol: XWIRE, reference: 0}\n", ":2:32: ", "`0`", "a price above 0"},
        {"symbols:\n  - {symbol: XWIRE, adv: 0}\n", ":2:26: ", "says nothing", "leave it out"},
        {"positions:\n  - {account: NORTH, symbol: XWIRE, quantity: 5}\n", ":2:47: ", "nothing without `cost`",
         "give both"},
        {"positions:\n  - {account: NORTH, symbol: XWIRE, quantity: -5, cost: 5}\n", ":2:57: ", "another sign",
         "less than 0"},
        {"positions:\n  - {account: NORTH, symbol: XWIRE, quantity: 5, cost: 1000000.0001}\n",
         ":2:56: ", "more than 200,000.0000 a share", "all shares together"},
        {"positions:\n  - {account: NORTH, symbol: XWIRE, quantity: 1000000000000, cost: 90000000000000}\n"
         "  - {account: EAST, symbol: XWIRE, quantity: -1000000000000, cost: -90000000000000}\n",
         ":3:5: ", "costs of firm NRTH", "more than"},
        {"positions:\n  - {account: NORTH, quantity: 5, cost: 1}\n", ":2:5: ", "`symbol` is missing", "say whom"},
        {"accounts:\n  - {account: NORTH, shares: [70, 20], loss: 1}\n", ":2:30: ", "come to 90 per cent",
         "make it 100"},
        {"accounts:\n  - {account: NORTH, shares: [100], loss: 1}\n", ":2:30: ", "a list", "2 matching cores"},
        {"accounts:\n  - {account: SOUTH, shares: [50, 50], loss: 1}\n", ":2:31: ", "core 0 has no session",
         "give it 0"},
        {"accounts: {account: NORTH}\n", ":1:11: ", "no list", "start each entry"},
        {"accounts:\n  - NORTH\n", ":2:5: ", "no block of keys", "`key: value`"},
        {"accounts:\n  - {account: NORTH, loss: [1]}\n", ":2:28: ", "is a list", "one value"},
        {"venue: {forbidden: &a [iso]}\nsymbols:\n  - {symbol: XWIRE, forbidden: *a}\n", ":1:20: ", "an alias",
         "write the value out"},
        {"- 1\n", ":1:1: ", "no block of keys", "limits.yaml"},
        {"venue: {\n", ":2:1: ", "did not find expected", "YAML document"},
        {"", ": ", "empty", "examples"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct limits_file *file = read_text(files[i].text);
        if (file || !strstr(error, files[i].place) || !strstr(error, files[i].words) || !strstr(error, files[i].mend) ||
            strchr(error, '\n'))
            fail_msg("%s\ngot: %s\nwant: %s%s; %s", files[i].text, file ? "accepted" : error, files[i].place,
                     files[i].words, files[i].mend);
    }
}

static void without_a_file_there_are_no_rules_and_a_missing_one_is_told(void **state)
{
    (void)state;
    struct limits_file *file = limits_file_read("", &venue, error, sizeof error);
    assert_non_null(file);
    assert_int_equal(file->rules.count, 0);
    limits_file_free(file);
    assert_null(limits_file_read("/nowhere/limits.yaml", &venue, error, sizeof error));
    assert_non_null(strstr(error, "/nowhere/limits.yaml: can not be opened"));
}

static void what_an_operator_writes_is_read_back_from_what_is_shown(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 9999, 10000, 125000, 1000000, LIMIT_UNSET};
    char text[LIMIT_TEXT], why[384];
    for (int i = 0; i < LIMITS; i++) {
        const struct limit_info info = limit_info((enum limit)i);
        for (unsigned v = 0; v < sizeof values / sizeof values[0]; v++) {
            uint64_t again, value = values[v];
            if (value != LIMIT_UNSET &&
                (value < info.least || value > info.most || (info.unit == UNIT_MASK && value == 0)))
                continue;
            limit_format((enum limit)i, value, text);
            if (!limit_parse_word((enum limit)i, text, &again, why, sizeof why) || again != value)
                fail_msg("%s: %s is read as something else", info.key, text);
        }
    }
}

static void more_room_is_a_raise_whichever_way_the_numbers_go(void **state)
{
    (void)state;
    static const struct {
        enum limit limit;
        uint64_t from, to;
        bool raises;
    } rows[] = {
        {LIMIT_LOSS, 5, 6, true},
        {LIMIT_LOSS, 6, 5, false},
        {LIMIT_LOSS, LIMIT_UNSET, 5, false},
        {LIMIT_LOSS, 5, LIMIT_UNSET, true},
        {LIMIT_DUPLICATE_MS, 100, 50, true}, // counted over a shorter time
        {LIMIT_DUPLICATE_MS, 50, 100, false},
        {LIMIT_DUPLICATE_MS, 50, LIMIT_UNSET, true},
        {LIMIT_FORBIDDEN, FORBID_ISO, FORBID_ISO | FORBID_PEG, false},
        {LIMIT_FORBIDDEN, FORBID_ISO, FORBID_PEG, true},
        {LIMIT_FORBIDDEN, FORBID_ISO, LIMIT_UNSET, true},
        {LIMIT_FORBIDDEN, LIMIT_UNSET, FORBID_ISO, false},
        {LIMIT_DRAWDOWN, LIMIT_UNSET, 160000, true}, // 15 where nothing is said
        {LIMIT_DRAWDOWN, LIMIT_UNSET, 140000, false},
        {LIMIT_DRAWDOWN, 140000, LIMIT_UNSET, true},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(limit_raises(rows[i].limit, rows[i].from, rows[i].to), rows[i].raises);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_section_and_unit_is_read_to_the_last_digit),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place_and_what_mends_it),
        cmocka_unit_test(without_a_file_there_are_no_rules_and_a_missing_one_is_told),
        cmocka_unit_test(what_an_operator_writes_is_read_back_from_what_is_shown),
        cmocka_unit_test(more_room_is_a_raise_whichever_way_the_numbers_go),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
