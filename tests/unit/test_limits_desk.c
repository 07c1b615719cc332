// SPDX-License-Identifier: Apache-2.0
// The limits desk with two matching cores that take what they are given: order, parts, two persons, and changes that
// end in the middle, at every command.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sysexits.h>

#include "control/limits/desk.h"
#include "control/limits/names.h"
#include "control/limits/table.h"
#include "tests/unit/limits_venue.h"

#define RISK "engine: {max_positions: 16}\n"

enum { CORES = 2, JOURNAL = 256 };

static struct config *config;
static struct limits_desk *desk;
static struct command journal[JOURNAL]; // of both cores, in the order of giving; `session` is the core
static unsigned written;
static uint64_t now_ns;

static void open_desk(const char *risk, const char *limits)
{
    char path[32], error[512] = "";
    config = load_venue(risk);
    write_new(path, limits);
    desk = limits_desk_new(config, path, error, sizeof error);
    unlink(path);
    if (!desk)
        fail_msg("%s", error);
    written = 0;
    now_ns = 1000;
}

static void close_desk(void)
{
    limits_desk_free(desk);
    config_free(config);
}

static void take(unsigned core, struct command command)
{
    limits_desk_note(desk, core, &command);
    assert_true(written < JOURNAL);
    command.session = (uint16_t)core;
    journal[written++] = command;
}

static void start_day(void)
{
    for (unsigned core = 0; core < CORES; core++)
        take(core, (struct command){.type = CMD_START});
}

// Gives at most `most` commands, one core after the other, durably; returns how many.
static unsigned give(unsigned most)
{
    unsigned given = 0;
    for (unsigned rounds = 0; rounds < 1000 && !limits_desk_idle(desk); rounds++) {
        struct command command;
        for (unsigned core = 0; core < CORES; core++)
            while (given < most && limits_desk_next(desk, core, &command)) {
                take(core, command);
                given++;
            }
        if (given == most)
            break;
        limits_desk_poll(desk, true, now_ns);
    }
    return given;
}

static void reconcile(void)
{
    limits_desk_reconcile(desk, now_ns);
}

// Control is another one, that knows the journal alone.
static void restart(const char *risk, const char *limits)
{
    char path[32], error[512];
    limits_desk_free(desk);
    config_free(config);
    config = load_venue(risk);
    write_new(path, limits);
    desk = limits_desk_new(config, path, error, sizeof error);
    unlink(path);
    assert_non_null(desk);
    limits_desk_begin(desk);
    for (unsigned i = 0; i < written; i++)
        limits_desk_note(desk, journal[i].session, &journal[i]);
    reconcile();
}

static struct limits_counts reload(const char *limits, const char *by)
{
    char path[32], error[512];
    struct config next = *config;
    write_new(path, limits);
    next.risk.limits = path;
    struct limits_file *file = limits_desk_read(desk, &next, error, sizeof error);
    unlink(path);
    if (!file)
        fail_msg("%s", error);
    return limits_desk_take(desk, file, by, now_ns);
}

// What core `core` was told last of an account's limit.
static uint64_t told(unsigned core, uint16_t account, enum limit limit)
{
    uint64_t value = LIMIT_UNSET;
    for (unsigned i = 0; i < written; i++)
        if (journal[i].type == CMD_LIMIT && journal[i].session == core && journal[i].limit.scope == SCOPE_ACCOUNT &&
            journal[i].limit.index == account && journal[i].limit.limit == limit)
            value = journal[i].limit.value;
    return value;
}

static void a_day_begins_with_the_file_before_it_starts(void **state)
{
    (void)state;
    open_desk(RISK, "venue: {alert_percent: 80}\n"
                    "accounts:\n  - {account: NORTH, max_quantity: 100, gross_notional: 0.0007}\n"
                    "  - {account: WEST, max_quantity: 7}\n"
                    "symbols:\n  - {symbol: ALPHA, max_quantity: 50, reference: 1.5}\n"
                    "positions:\n  - {account: EAST, symbol: XWIRE, quantity: 10, cost: 100}\n"
                    "groups:\n  - {group: one, symbols: [ALPHA]}\n");
    limits_desk_begin(desk);
    reconcile();
    assert_true(limits_desk_holds_start(desk, 0));
    assert_int_equal(give(JOURNAL), 4 + 6);
    assert_false(limits_desk_holds_start(desk, 0));
    // Facts come before limits, each core has its own symbols, sums are divided to the last unit.
    static const uint8_t order[] = {CMD_POSITION, CMD_LIMIT, CMD_LIMIT, CMD_LIMIT, CMD_REFERENCE,
                                    CMD_GROUP,    CMD_LIMIT, CMD_LIMIT, CMD_LIMIT, CMD_LIMIT};
    for (unsigned i = 0; i < written; i++) {
        assert_int_equal(journal[i].type, order[i]);
        assert_int_equal(journal[i].session, i >= 4);
    }
    assert_int_equal(journal[4].reference.locate, 1);
    assert_int_equal(told(0, 0, LIMIT_GROSS_NOTIONAL), 4);
    assert_int_equal(told(1, 0, LIMIT_GROSS_NOTIONAL), 3);
    assert_int_equal(told(0, 0, LIMIT_MAX_QUANTITY), 100);
    assert_int_equal(told(1, 0, LIMIT_MAX_QUANTITY), 100);
    assert_int_equal(told(0, 3, LIMIT_MAX_QUANTITY), LIMIT_UNSET); // WEST has no session
    close_desk();
}

static void what_gives_less_room_comes_first_and_durably(void **state)
{
    (void)state;
    struct command command;
    open_desk(RISK, "accounts:\n  - {account: NORTH, max_quantity: 100, loss: 5, working_orders: 10}\n");
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    start_day();
    const unsigned before = written;
    reload("accounts:\n  - {account: NORTH, max_quantity: 200, loss: 4, shares: [70, 30], working_orders: 10}\n", "X");
    // Core 1 gets less of the working orders, both get less loss; nothing else before all of that is durable.
    for (unsigned rounds = 0; rounds < 20; rounds++) {
        for (unsigned core = 0; core < CORES; core++)
            while (limits_desk_next(desk, core, &command))
                take(core, command);
        limits_desk_poll(desk, false, now_ns);
    }
    for (unsigned i = before; i < written; i++)
        assert_true(journal[i].limit.limit == LIMIT_LOSS ||
                    (journal[i].limit.limit == LIMIT_WORKING_ORDERS && journal[i].session == 1));
    assert_int_equal(told(1, 0, LIMIT_WORKING_ORDERS), 3);
    assert_int_equal(told(0, 0, LIMIT_WORKING_ORDERS), 5);
    assert_true(limits_desk_waits(desk) != 0);
    assert_false(limits_desk_idle(desk));
    give(JOURNAL);
    assert_int_equal(told(0, 0, LIMIT_WORKING_ORDERS), 7);
    assert_int_equal(told(0, 0, LIMIT_MAX_QUANTITY), 200);
    assert_true(limits_desk_idle(desk));
    close_desk();
}

static void whatever_a_kill_cuts_the_parts_never_exceed_the_whole_and_the_rest_comes(void **state)
{
    (void)state;
    static const char *const was = "accounts:\n  - {account: NORTH, working_orders: 101, shares: [10, 90], "
                                   "max_quantity: 5, loss: 7.7777}\n",
                             *const is = "accounts:\n  - {account: NORTH, working_orders: 99, shares: [95, 5], "
                                         "max_quantity: 9, gross_notional: 3.3333}\n";
    for (unsigned cut = 0; cut < 16; cut++) {
        open_desk("", was);
        limits_desk_begin(desk);
        reconcile();
        give(JOURNAL);
        start_day();
        const unsigned before = written;
        reload(is, "X");
        give(cut);
        restart(RISK, is);
        give(JOURNAL);
        assert_true(limits_desk_idle(desk));
        assert_int_equal(told(0, 0, LIMIT_WORKING_ORDERS) + told(1, 0, LIMIT_WORKING_ORDERS), 99);
        assert_int_equal(told(1, 0, LIMIT_WORKING_ORDERS), 4);
        assert_int_equal(told(0, 0, LIMIT_MAX_QUANTITY), 9);
        assert_int_equal(told(1, 0, LIMIT_MAX_QUANTITY), 9);
        assert_int_equal(told(0, 0, LIMIT_LOSS), LIMIT_UNSET);
        assert_int_equal(told(0, 0, LIMIT_GROSS_NOTIONAL) + told(1, 0, LIMIT_GROSS_NOTIONAL), 33333);
        // At no command were there more than the greater of the wholes.
        uint64_t parts[CORES] = {10, 91};
        for (unsigned i = before; i < written; i++) {
            if (journal[i].type != CMD_LIMIT || journal[i].limit.limit != LIMIT_WORKING_ORDERS)
                continue;
            parts[journal[i].session] = journal[i].limit.value;
            assert_true(parts[0] + parts[1] <= 101);
        }
        close_desk();
    }
}

static void what_an_operator_set_outlives_a_restart_but_not_a_reload(void **state)
{
    (void)state;
    static const char *const file = "accounts:\n  - {account: NORTH, max_quantity: 100, working_orders: 9}\n";
    open_desk(RISK, file);
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    start_day();
    struct limits_answer answer = limits_desk_set(desk, "account", "NORTH", "working_orders", "20", "ANN", now_ns);
    assert_int_equal(answer.exit, EX_OK);
    assert_true(answer.changed);
    assert_string_equal(answer.before, "9");
    give(3); // of 2 parts: all
    answer = limits_desk_set(desk, "account", "NORTH", "max_quantity", "none", "ANN", now_ns);
    give(1); // of two cores one
    restart(RISK, file);
    give(JOURNAL);
    assert_int_equal(told(0, 0, LIMIT_WORKING_ORDERS) + told(1, 0, LIMIT_WORKING_ORDERS), 20);
    assert_int_equal(told(0, 0, LIMIT_MAX_QUANTITY), LIMIT_UNSET);
    assert_int_equal(told(1, 0, LIMIT_MAX_QUANTITY), LIMIT_UNSET); // the rest of what was begun
    struct limits_counts counts = reload(file, "X");
    assert_int_equal(counts.changed, 2);
    give(JOURNAL);
    assert_int_equal(told(1, 0, LIMIT_MAX_QUANTITY), 100);
    assert_int_equal(told(0, 0, LIMIT_WORKING_ORDERS) + told(1, 0, LIMIT_WORKING_ORDERS), 9);
    // A start with another file is as good as a reload: the one that was asked for may have been cut before anything
    // was given.
    limits_desk_set(desk, "account", "NORTH", "working_orders", "20", "ANN", now_ns);
    give(JOURNAL);
    restart(RISK, "accounts:\n  - {account: NORTH, max_quantity: 99, working_orders: 9}\n");
    give(JOURNAL);
    assert_int_equal(told(1, 0, LIMIT_MAX_QUANTITY), 99);
    assert_int_equal(told(0, 0, LIMIT_WORKING_ORDERS) + told(1, 0, LIMIT_WORKING_ORDERS), 9);
    close_desk();
}

static void a_raise_needs_another_person_and_less_room_nobody(void **state)
{
    (void)state;
    static const char *const risk = RISK "risk: {second_person: true, approval_seconds: 60}\n";
    open_desk(risk,
              "accounts:\n  - {account: SOUTH, max_quantity: 100}\nsessions:\n  - {session: TRADE3, order_rate: 5}\n");
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    start_day();
    // Less, at once.
    struct limits_answer answer = limits_desk_set(desk, "account", "SOUTH", "max_quantity", "50", "ANN", now_ns);
    assert_true(answer.changed && answer.pending == 0);
    give(JOURNAL);
    // More waits; its own author can not agree.
    answer = limits_desk_set(desk, "account", "SOUTH", "max_quantity", "70", "ANN", now_ns);
    const uint32_t id = answer.pending;
    assert_true(id != 0 && !answer.changed);
    assert_int_equal(give(JOURNAL), 0);
    assert_int_equal(limits_desk_approve(desk, id, "Ann").exit, EX_NOPERM);
    assert_int_equal(limits_desk_approve(desk, id + 1, "BOB").exit, EX_NOINPUT);
    answer = limits_desk_approve(desk, id, "BOB");
    assert_int_equal(answer.exit, EX_OK);
    assert_string_equal(answer.first, "account SOUTH max_quantity 50 -> 70");
    assert_int_equal(answer.limits, 1);
    give(JOURNAL);
    assert_int_equal(told(1, 1, LIMIT_MAX_QUANTITY), 70);
    assert_memory_equal(journal[written - 1].limit.by, "ANN", 4);
    assert_memory_equal(journal[written - 1].limit.second, "BOB", 4);
    assert_int_equal(limits_desk_approve(desk, id, "BOB").exit, EX_NOINPUT);
    // A burst is a raise where it is more than the rate, which it is when it is not given.
    answer = limits_desk_set(desk, "session", "TRADE3", "order_burst", "4", "ANN", now_ns);
    assert_true(answer.changed);
    give(JOURNAL);
    answer = limits_desk_set(desk, "session", "TRADE3", "order_burst", "6", "ANN", now_ns);
    assert_true(answer.pending != 0);
    assert_int_equal(limits_desk_reject(desk, answer.pending, "ANN").exit, EX_OK);
    // What has been lowered since, or has waited too long, can not be approved any more.
    answer = limits_desk_set(desk, "account", "SOUTH", "max_quantity", "none", "ANN", now_ns);
    limits_desk_set(desk, "account", "SOUTH", "max_quantity", "1", "EVE", now_ns);
    assert_int_equal(limits_desk_approve(desk, answer.pending, "BOB").exit, EX_NOINPUT);
    answer = limits_desk_set(desk, "account", "SOUTH", "max_quantity", "none", "ANN", now_ns);
    now_ns += UINT64_C(60000000000);
    limits_desk_poll(desk, false, now_ns);
    assert_int_equal(limits_desk_approve(desk, answer.pending, "BOB").exit, EX_NOINPUT);
    close_desk();
}

static void a_reload_gives_less_room_at_once_and_more_when_two_agree(void **state)
{
    (void)state;
    static const char *const risk = RISK "risk: {second_person: true}\n";
    static const char *const next = "accounts:\n  - {account: NORTH, max_quantity: 200, loss: 3}\n"
                                    "symbols:\n  - {symbol: XWIRE, reference: 11}\n";
    open_desk(risk, "accounts:\n  - {account: NORTH, max_quantity: 100, loss: 5}\n"
                    "symbols:\n  - {symbol: XWIRE, reference: 10}\n");
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    start_day();
    struct limits_counts counts = reload(next, "CAROL");
    assert_int_equal(counts.changed, 1);
    assert_int_equal(counts.waiting, 2); // a reference works both ways
    give(JOURNAL);
    assert_int_equal(told(0, 0, LIMIT_LOSS) + told(1, 0, LIMIT_LOSS), 30000);
    assert_int_equal(told(0, 0, LIMIT_MAX_QUANTITY), 100);
    // The same file again does not ask again; a restart does.
    const uint32_t id = limits_desk_pending(desk, 0)->id;
    reload(next, "CAROL");
    assert_int_equal(limits_desk_pending(desk, 0)->id, id);
    assert_int_equal(limits_desk_approve(desk, id, "CAROL").exit, EX_NOPERM);
    restart(risk, next);
    give(JOURNAL);
    assert_int_equal(told(0, 0, LIMIT_MAX_QUANTITY), 100);
    assert_int_equal(limits_desk_pending(desk, 0)->wants.count, 2);
    // Who had asked is not known to the desk: until the journal says so nobody may agree, and then not he himself.
    const struct limits_pending *waits = limits_desk_pending(desk, 0);
    limits_desk_await_author(desk);
    assert_int_equal(limits_desk_approve(desk, waits->id, "CAROL").exit, EX_TEMPFAIL);
    limits_desk_author(desk, waits->digest + 1, "DAVE"); // of another file
    limits_desk_author(desk, waits->digest, "CAROL");
    assert_int_equal(limits_desk_approve(desk, waits->id, "carol").exit, EX_NOPERM);
    assert_int_equal(limits_desk_approve(desk, waits->id, "file").exit, EX_USAGE);
    assert_int_equal(limits_desk_approve(desk, waits->id, "DAVE").exit, EX_OK);
    give(JOURNAL);
    assert_int_equal(told(0, 0, LIMIT_MAX_QUANTITY), 200);
    assert_int_equal(journal[written - 1].type == CMD_REFERENCE || told(1, 0, LIMIT_MAX_QUANTITY) == 200, 1);
    close_desk();
}

static void what_a_file_raises_for_nobody_takes_two(void **state)
{
    (void)state;
    static const char *const risk = RISK "risk: {second_person: true}\n";
    open_desk(risk, "accounts:\n  - {account: NORTH, max_quantity: 100}\n");
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    start_day();
    reload("accounts:\n  - {account: NORTH, max_quantity: 200}\n", LIMITS_FILE); // a signal
    give(JOURNAL);
    const uint32_t id = limits_desk_pending(desk, 0)->id;
    const struct limits_answer first = limits_desk_approve(desk, id, "ANN");
    assert_int_equal(first.exit, EX_OK);
    assert_int_equal(first.pending, id);
    assert_false(first.changed);
    assert_int_equal(limits_desk_approve(desk, id, "ANN").exit, EX_NOPERM);
    give(JOURNAL);
    assert_int_equal(told(0, 0, LIMIT_MAX_QUANTITY), 100);
    assert_true(limits_desk_approve(desk, id, "BOB").changed);
    give(JOURNAL);
    assert_int_equal(told(0, 0, LIMIT_MAX_QUANTITY), 200);
    // One who reloads the same file while it waits is who has asked.
    reload("accounts:\n  - {account: NORTH, max_quantity: 300}\n", LIMITS_FILE);
    reload("accounts:\n  - {account: NORTH, max_quantity: 300}\n", "EVE");
    assert_string_equal(limits_desk_pending(desk, 0)->by, "EVE");
    close_desk();
}

static void what_makes_no_sense_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *scope, *name, *limit, *value, *words;
        int exit;
    } asks[] = {
        {"desk", "NORTH", "loss", "1", "no scope", EX_USAGE},
        {"account", "NORTH", "los", "1", "no limit", EX_USAGE},
        {"session", "TRADE1", "loss", "1", "has no `loss`", EX_USAGE},
        {"account", "NORHT", "loss", "1", "no account `NORHT`: it has NORTH, SOUTH", EX_NOINPUT},
        {"firm", "NORHT", "loss", "1", "no firm `NORHT`: it has ", EX_NOINPUT},
        {"session", "TRAED1", "order_rate", "1", "no session `TRAED1`: it has TRADE1", EX_NOINPUT},
        {"position", "NORTH", "long_position", "1", "no position `NORTH`: say ACCOUNT:SYMBOL", EX_NOINPUT},
        {"position", "NORHT:XWIRE", "long_position", "1", "no account `NORHT`: it has NORTH", EX_NOINPUT},
        {"position", "NORTH:XWIER", "long_position", "1", "no symbol `XWIER`: it has ", EX_NOINPUT},
        {"account", "WEST", "loss", "1", "has no session", EX_DATAERR},
        {"account", "NORTH", "loss", "-1", "negative", EX_DATAERR},
        {"account", "NORTH", "loss", "100000000000000.0001", "out of bounds", EX_DATAERR},
        {"account", "NORTH", "forbidden", "iso,market,", "no permission", EX_DATAERR},
        {"session", "TRADE1", "order_burst", "5", "says nothing without `order_rate`", EX_DATAERR},
        {"account", "NORTH", "capital", "none", "says nothing without `capital`", EX_DATAERR},
    };
    open_desk(RISK, "accounts:\n  - {account: NORTH, capital: 5, drawdown_percent: 3}\n");
    struct limits_answer answer = limits_desk_set(desk, "account", "NORTH", "loss", "1", "ANN", now_ns);
    assert_int_equal(answer.exit, EX_UNAVAILABLE); // no core is there
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    start_day();
    for (unsigned i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        answer = limits_desk_set(desk, asks[i].scope, asks[i].name, asks[i].limit, asks[i].value, "ANN", now_ns);
        if (answer.exit != asks[i].exit || !strstr(answer.text, asks[i].words) || answer.changed)
            fail_msg("%s %s %s: %d %s", asks[i].scope, asks[i].limit, asks[i].value, answer.exit, answer.text);
    }
    assert_int_equal(limits_desk_set(desk, "account", "NORTH", "loss", "1", "file", now_ns).exit, EX_USAGE);
    assert_int_equal(give(JOURNAL), 0);
    close_desk();
}

static void a_name_is_found_in_any_case_unless_two_differ_in_nothing_else(void **state)
{
    (void)state;
    open_desk(RISK, "accounts:\n  - {account: NORTH, max_quantity: 100}\n");
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    start_day();
    struct limits_answer answer = limits_desk_set(desk, "account", "north", "max_quantity", "50", "ANN", now_ns);
    assert_int_equal(answer.exit, EX_OK);
    assert_string_equal(answer.whom, "account NORTH");
    assert_string_equal(answer.before, "100");
    answer = limits_desk_set(desk, "position", "North:xwire", "long_position", "5", "ANN", now_ns);
    assert_int_equal(answer.exit, EX_OK);
    assert_string_equal(answer.whom, "position NORTH:XWIRE");
    close_desk();
    // Some venues tell a preferred share by a small letter.
    struct config_symbol symbols[] = {{.name = "ABCp"}, {.name = "ABCP"}, {.name = "XYZp"}};
    const struct config shares = {.symbols = symbols, .symbols_count = 3};
    assert_int_equal(names_find(&shares, SCOPE_SYMBOL, "ABCP"), 1);
    assert_int_equal(names_find(&shares, SCOPE_SYMBOL, "ABCp"), 0);
    assert_int_equal(names_find(&shares, SCOPE_SYMBOL, "abcp"), -1);
    assert_int_equal(names_find(&shares, SCOPE_SYMBOL, "XYZP"), 2);
    struct config_account accounts[] = {{.name = "A", .firm = "NRTH"}, {.name = "B", .firm = "NRTH"}};
    const struct config firms = {.accounts = accounts, .accounts_count = 2};
    assert_int_equal(names_find(&firms, SCOPE_FIRM, "nrth"), 0);
}

static void a_day_without_risk_takes_no_limits(void **state)
{
    (void)state;
    open_desk("", "venue: {}\n");
    limits_desk_begin(desk);
    reconcile();
    start_day();
    struct limits_answer answer = limits_desk_set(desk, "account", "NORTH", "loss", "1", "ANN", now_ns);
    assert_int_equal(answer.exit, EX_UNAVAILABLE);
    assert_non_null(strstr(answer.text, "no risk is checked on this day: name a file risk.limits"));
    close_desk();
}

static void whether_risk_is_checked_is_said_for_the_whole_day_and_both_processes(void **state)
{
    (void)state;
    char text[256];
    struct config *none = load_venue(""), *one = load_venue("risk: {limits: /l.yaml}\n"),
                  *other = load_venue("risk: {limits: /m.yaml}\n");
    assert_int_not_equal(none->hash, one->hash);
    assert_int_equal(one->hash, other->hash);
    assert_true(config_fits(one, other, text, sizeof text));
    assert_false(config_fits(none, one, text, sizeof text));
    assert_non_null(strstr(text, "whether risk is checked can not change while it runs"));
    assert_false(config_fits(one, none, text, sizeof text));
    config_free(none);
    config_free(one);
    config_free(other);
}

static void positions_are_those_that_the_day_began_with(void **state)
{
    (void)state;
    char path[32], error[512];
    open_desk(RISK, "positions:\n  - {account: NORTH, symbol: XWIRE, quantity: 5, cost: 5}\n");
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    start_day();
    struct config next = *config;
    write_new(path, "positions:\n  - {account: NORTH, symbol: XWIRE, quantity: 6, cost: 5}\n");
    next.risk.limits = path;
    assert_null(limits_desk_read(desk, &next, error, sizeof error));
    assert_non_null(strstr(error, "position NORTH:XWIRE are not those that the day began with: put them back"));
    unlink(path);
    close_desk();
}

static const char *before_and_after(const char *limit, const char *value)
{
    static char text[400];
    const struct limits_answer answer = limits_desk_set(desk, "account", "NORTH", limit, value, "ALICE", now_ns);
    assert_int_equal(answer.exit, 0);
    snprintf(text, sizeof text, "%s -> %s", answer.before, answer.after);
    give(JOURNAL);
    return text;
}

// An account's share is of its own capital, or of its firm's, and neither may be taken away under it; an alert comes
// before orders are slowed.
static void what_accounts_firms_and_the_venue_say_together_makes_sense(void **state)
{
    (void)state;
    static const struct {
        const char *scope, *name, *limit, *value, *words; // NULL: it is done
    } asks[] = {
        {"account", "SOUTH", "position_share_percent", "3",
         "account SOUTH: then `position_share_percent` says nothing"},
        {"firm", "NRTH", "capital", "none", "account NORTH: then `position_share_percent` says nothing"},
        {"account", "NORTH", "capital", "50", NULL},
        {"firm", "NRTH", "capital", "none", NULL},
        {"account", "NORTH", "capital", "none", "account NORTH: then `position_share_percent` says nothing"},
        {"firm", "NRTH", "capital", "7", NULL},
        {"account", "NORTH", "capital", "none", NULL},
        {"account", "NORTH", "position_share_percent", "none", NULL},
        {"venue", "", "slow_rate", "5", NULL},
        {"venue", "", "slow_percent", "70", "`slow_percent` is not above `alert_percent`"},
        {"venue", "", "alert_percent", "60", NULL},
        {"venue", "", "slow_percent", "70", NULL},
        {"account", "NORTH", "slow_rate", "5", NULL},
        {"account", "NORTH", "slow_percent", "60", "account NORTH: then"},
        {"venue", "", "alert_percent", "none", "`slow_percent` is not above `alert_percent`"},
        {"firm", "NRTH", "capital", "none", NULL},
    };
    open_desk("risk: {}\nengine: {max_positions: 16}\n",
              "accounts:\n  - {account: NORTH, position_share_percent: 5}\nfirms:\n  - {firm: NRTH, capital: 100}\n");
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    start_day();
    for (unsigned i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        const struct limits_answer answer =
            limits_desk_set(desk, asks[i].scope, asks[i].name, asks[i].limit, asks[i].value, "ANN", now_ns);
        if (answer.exit != (asks[i].words ? EX_DATAERR : EX_OK) || answer.changed != !asks[i].words ||
            (asks[i].words && !strstr(answer.text, asks[i].words)))
            fail_msg("%u: %s %s: %d %s", i, asks[i].name, asks[i].limit, answer.exit, answer.text);
        give(JOURNAL);
    }
    close_desk();
}

// Whatever the file says then, and whoever wants more: the next date begins with it.
static void a_day_that_has_ended_is_told_no_limit(void **state)
{
    (void)state;
    static const char before[] = "accounts:\n  - {account: NORTH, max_quantity: 100, gross_notional: 7}\n";
    static const char after[] = "accounts:\n  - {account: NORTH, max_quantity: 50, gross_notional: 9}\n";
    open_desk(RISK, before);
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    start_day();
    take(0, (struct command){.type = CMD_END_DAY});
    struct limits_counts counts = reload(after, "ALICE"); // one of two has not ended yet: it is told
    assert_int_equal(counts.changed, 2);
    const unsigned first = written;
    give(JOURNAL);
    assert_true(limits_desk_idle(desk));
    assert_int_equal(written, first + 2);
    assert_int_equal(told(0, 0, LIMIT_MAX_QUANTITY), 100);
    assert_int_equal(told(1, 0, LIMIT_MAX_QUANTITY), 50);
    take(1, (struct command){.type = CMD_END_DAY});
    const unsigned last = written;
    counts = reload(before, "ALICE");
    assert_int_equal(counts.changed + counts.waiting, 0);
    assert_int_equal(give(JOURNAL), 0);
    assert_true(limits_desk_idle(desk));
    restart(RISK, after);
    assert_int_equal(give(JOURNAL), 0);
    assert_true(limits_desk_idle(desk));
    assert_int_equal(limits_desk_pending(desk, 0)->id, 0);
    assert_int_equal(written, last);
    close_desk();
}

static void what_holds_by_default_is_told_as_before_and_after(void **state)
{
    (void)state;
    open_desk(RISK, "firms:\n  - {firm: NRTH, capital: 1000}\n"
                    "accounts:\n  - {account: NORTH, capital: 100, gross_notional: 1000, working_orders: 5}\n");
    limits_desk_begin(desk);
    reconcile();
    give(JOURNAL);
    assert_string_equal(before_and_after("drawdown_percent", "10"), "15 by default -> 10");
    assert_string_equal(before_and_after("drawdown_percent", "none"), "10 -> 15 by default");
    assert_string_equal(before_and_after("position_share_percent", "3"), "2 by default -> 3");
    assert_string_equal(before_and_after("correlation_percent", "60"), "none -> 60"); // no groups
    assert_string_equal(before_and_after("alert_percent", "60"), "70 by default -> 60");
    assert_string_equal(before_and_after("working_orders", "none"), "5 -> none");
    // The firm's capital is what the account's shares are of, not its drawdown.
    assert_string_equal(before_and_after("drawdown_percent", "12"), "15 by default -> 12");
    assert_string_equal(before_and_after("drawdown_percent", "none"), "12 -> 15 by default");
    assert_string_equal(before_and_after("position_share_percent", "none"), "3 -> 2 by default");
    assert_string_equal(before_and_after("capital", "none"), "100.00 -> none");
    close_desk();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_accounts_firms_and_the_venue_say_together_makes_sense),
        cmocka_unit_test(a_day_that_has_ended_is_told_no_limit),
        cmocka_unit_test(what_holds_by_default_is_told_as_before_and_after),
        cmocka_unit_test(a_day_begins_with_the_file_before_it_starts),
        cmocka_unit_test(what_gives_less_room_comes_first_and_durably),
        cmocka_unit_test(whatever_a_kill_cuts_the_parts_never_exceed_the_whole_and_the_rest_comes),
        cmocka_unit_test(what_an_operator_set_outlives_a_restart_but_not_a_reload),
        cmocka_unit_test(a_raise_needs_another_person_and_less_room_nobody),
        cmocka_unit_test(a_reload_gives_less_room_at_once_and_more_when_two_agree),
        cmocka_unit_test(what_a_file_raises_for_nobody_takes_two),
        cmocka_unit_test(what_makes_no_sense_is_refused_and_changes_nothing),
        cmocka_unit_test(a_name_is_found_in_any_case_unless_two_differ_in_nothing_else),
        cmocka_unit_test(a_day_without_risk_takes_no_limits),
        cmocka_unit_test(whether_risk_is_checked_is_said_for_the_whole_day_and_both_processes),
        cmocka_unit_test(positions_are_those_that_the_day_began_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
