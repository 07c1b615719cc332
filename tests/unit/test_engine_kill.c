// SPDX-License-Identifier: Apache-2.0
// The kill switch where tables can not go: kills that a limit asks for in the middle of a command, and walks longer
// than a step.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "contract/reject.h"
#include "engine/kill.h"
#include "tests/support/both_venues.h"
#include "tests/unit/command_of.h"

#define MANY 5000u
#define PRICE 100000u
#define ACCOUNTS 60u

static const struct rig_day day = {.max_orders = 2 * MANY,
                                   .max_levels = 2 * MANY,
                                   .symbols = 3,
                                   .sessions = 4,
                                   .accounts = 2,
                                   .ticks = {100, 100, 100, 100},
                                   .lookup_key = 3};

static struct rig rig;

static void step(struct command c)
{
    rig_step(&rig, &c);
    const char *broken = engine_check(rig.engine);
    if (broken)
        fail_msg("%s", broken);
}

static void quick(struct command c)
{
    rig_step(&rig, &c);
}

// The n-th alert of the last command, NULL when there are not as many.
static const struct event *alert(unsigned n)
{
    for (size_t i = 0; i < rig.count; i++)
        if (rig.events[i].type == EV_ALERT && n-- == 0)
            return &rig.events[i];
    return NULL;
}

static unsigned count(uint8_t type)
{
    unsigned found = 0;
    for (size_t i = 0; i < rig.count; i++)
        found += rig.events[i].type == type;
    return found;
}

static struct command stop(uint16_t session, uint32_t user_ref, char side, uint32_t price, uint32_t trigger)
{
    struct command c = rig_enter(session, user_ref, side, 10, 1, price);
    c.options |= OPTION(TAG_STOP_PRICE);
    c.trigger = trigger;
    return c;
}

static void a_kill_longer_than_a_step_counts_zero_at_its_end(void **state)
{
    (void)state;
    const enum scope scopes[] = {SCOPE_VENUE, SCOPE_FIRM, SCOPE_ACCOUNT, SCOPE_SESSION, SCOPE_SYMBOL};
    for (unsigned s = 0; s < 5; s++) {
        rig_open(&rig, &day);
        for (uint32_t i = 1; i <= MANY; i++)
            quick(rig_enter(0, i, 'B', 10, 1, PRICE - i % 50 * 100));
        step(kill_of(scopes[s], scopes[s] == SCOPE_SYMBOL, 0));
        assert_int_equal(count(EV_CANCELED), MANY);
        assert_true(rig.steps >= MANY / ENGINE_EVENTS_MAX);
        assert_int_equal(alert(0)->reason, ALERT_KILLED);
        assert_int_equal(alert(1)->reason, ALERT_ZERO);
        assert_int_equal(alert(1)->alert_after, MANY);
        assert_ptr_equal(alert(1), &rig.events[rig.count - 1]);
        assert_int_equal(engine_live_orders(rig.engine), 0);
        rig_free(&rig);
    }
}

// Orders of the other side are looked at, in pieces, and stay.
static void one_side_of_a_long_list_is_killed(void **state)
{
    (void)state;
    rig_open(&rig, &day);
    for (uint32_t i = 1; i <= MANY; i++)
        quick(rig_enter(0, i, i % 1000 ? 'B' : 'S', 10, 1, i % 1000 ? PRICE : PRICE + 1000));
    struct command c = kill_of(SCOPE_ACCOUNT, 0, 0);
    c.kill.side = 'S';
    step(c);
    assert_int_equal(count(EV_CANCELED), MANY / 1000);
    assert_int_equal(alert(1)->alert_after, MANY / 1000);
    assert_true(rig.steps > 2 * MANY / 2048);
    assert_int_equal(engine_live_orders(rig.engine), MANY - MANY / 1000);
    rig_free(&rig);
}

// As a loss limit does that a trade brings about: kill_request in the middle of a command. Here between two commands,
// whose afterwork it then precedes.
static void a_limit_kills_before_the_next_stop_takes(void **state)
{
    (void)state;
    rig_open(&rig, &day);
    step(rig_enter(1, 1, 'S', 10, 1, PRICE));
    step(rig_enter(1, 2, 'S', 10, 1, PRICE + 100));
    step(rig_enter(1, 3, 'S', 10, 1, PRICE + 200));
    step(stop(0, 1, 'B', PRICE + 200, PRICE));
    step(stop(0, 2, 'B', PRICE + 200, PRICE));
    kill_request(rig.engine, SCOPE_ACCOUNT, 0, LIMIT_LOSS, 1000, 1500);
    kill_request(rig.engine, SCOPE_ACCOUNT, 0, LIMIT_DRAWDOWN, 1, 2); // is killed already
    step(rig_enter(3, 1, 'B', 10, 1, PRICE));                         // its trade triggers both stops
    assert_int_equal(count(EV_TRADE), 1);
    assert_int_equal(count(EV_CANCELED), 2);
    assert_int_equal(alert(0)->reason, ALERT_KILLED);
    assert_int_equal(alert(0)->quantity, LIMIT_LOSS);
    assert_int_equal(alert(0)->alert_before, 1000);
    assert_int_equal(alert(0)->alert_after, 1500);
    assert_int_equal(alert(1)->reason, ALERT_ZERO);
    assert_int_equal(alert(1)->alert_after, 2);
    assert_null(alert(2));
    step(rig_enter(0, 3, 'B', 10, 1, PRICE));
    assert_int_equal(rig.events[0].type, EV_REJECTED);
    assert_int_equal((uint8_t)rig.events[0].reason, REJECT_OTHER);
    // What an operator resets of his own is not what the limit has blocked.
    struct command c = kill_of(SCOPE_ACCOUNT, 0, 0);
    c.type = CMD_RESET;
    c.kill.source = KILL_BY_OPERATOR;
    step(c);
    step(rig_enter(0, 4, 'B', 10, 1, PRICE));
    assert_int_equal(rig.events[0].type, EV_REJECTED);
    c.kill.source = 0;
    step(c);
    step(rig_enter(0, 5, 'B', 10, 1, PRICE));
    assert_int_equal(rig.events[0].type, EV_ACCEPTED);
    rig_free(&rig);
}

static void several_limits_kill_in_the_order_of_accounts(void **state)
{
    (void)state;
    rig_open(&rig, &day);
    step(rig_enter(0, 1, 'B', 10, 1, PRICE));
    step(rig_enter(1, 1, 'B', 10, 1, PRICE));
    kill_request(rig.engine, SCOPE_FIRM, 1, LIMIT_LOSS, 0, 0);
    kill_request(rig.engine, SCOPE_ACCOUNT, 1, LIMIT_LOSS, 0, 0);
    kill_request(rig.engine, SCOPE_FIRM, 0, LIMIT_LOSS, 0, 0);
    struct command tick = {.type = CMD_TICK, .session = SESSION_NONE};
    step(tick);
    const struct {
        uint8_t scope;
        uint32_t index;
    } want[] = {{SCOPE_FIRM, 0}, {SCOPE_ACCOUNT, 1}, {SCOPE_FIRM, 1}};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(alert(2 * i)->alert_scope, want[i].scope);
        assert_int_equal(alert(2 * i)->price, want[i].index);
        assert_int_equal(alert(2 * i + 1)->reason, ALERT_ZERO);
    }
    assert_int_equal(engine_live_orders(rig.engine), 0);
    rig_free(&rig);
}

// One trade, and the tick behind it marks all positions: more accounts reach their loss limits at once than a step can
// tell of, so that kills wait while others are still being found.
static void limits_that_many_accounts_reach_at_once_kill_all_of_them(void **state)
{
    (void)state;
    struct rig_day many = day;
    many.sessions = many.accounts = ACCOUNTS;
    many.max_positions = ACCOUNTS;
    static struct command commands[3 * ACCOUNTS + 3];
    size_t count = 0;
    for (uint16_t i = 0; i < ACCOUNTS; i++)
        commands[count++] = position_of(i, 1, 100, 100 * 2 * (int64_t)PRICE);
    for (uint16_t i = 0; i < ACCOUNTS; i++)
        commands[count++] = limit_of(SCOPE_ACCOUNT, i, LIMIT_LOSS, 50 * PRICE);
    for (uint16_t i = 0; i < ACCOUNTS; i++)
        commands[count++] = rig_enter(i, 1, 'B', 1, 1, PRICE - 100 * (1 + i));
    commands[count++] = rig_enter(0, 2, 'B', 1, 1, PRICE);
    commands[count++] = rig_enter(1, 2, 'S', 1, 1, PRICE);
    commands[count++] = (struct command){.type = CMD_TICK, .session = SESSION_NONE};
    struct both_seen seen = {0};
    assert_true(both_play(0, &many, commands, count, 1, &seen));
    assert_int_equal(seen.alerts[ALERT_KILLED][LIMIT_LOSS], ACCOUNTS);
    assert_int_equal(seen.alerts[ALERT_ZERO][LIMIT_LOSS], ACCOUNTS);
    assert_int_equal(seen.events[EV_CANCELED], ACCOUNTS);
    assert_in_range(seen.steps, 3, ACCOUNTS);
}

// The opening, with a kill of account 0 before any session is opened.
static void open_after_kill(void *context, struct command *c)
{
    (void)context;
    if (c->type == CMD_OPEN_SESSION && c->session == 0) {
        struct command first = kill_of(SCOPE_ACCOUNT, 0, 0);
        rig_step(&rig, &first);
    }
    rig_step(&rig, c);
}

static void what_is_blocked_when_the_day_is_opened_concerns_later_sessions(void **state)
{
    (void)state;
    rig_new(&rig, &day, 0);
    rig_opening(&day, open_after_kill, NULL);
    step(rig_enter(0, 1, 'B', 10, 1, PRICE));
    assert_int_equal(rig.events[0].type, EV_REJECTED);
    step(rig_enter(1, 1, 'B', 10, 1, PRICE));
    assert_int_equal(rig.events[0].type, EV_ACCEPTED);
    rig_free(&rig);
}

// ---- long lists -----------------------------------------------------------------------------------------------------

static struct command day_commands[4096];
static size_t day_count;

static void day_add(struct command c)
{
    day_commands[day_count++] = c;
}

static struct command bought_at_once(uint16_t session, uint32_t user_ref, uint32_t quantity, uint32_t price)
{
    struct command c = rig_enter(session, user_ref, 'B', quantity, 1, price);
    c.tif = '3';
    return c;
}

static struct command buy_peg(uint16_t session, uint32_t user_ref)
{
    struct command c = rig_enter(session, user_ref, 'B', 1, 1, PRICE_MARKET);
    c.options |= OPTION(TAG_PRICE_TYPE);
    c.price_type = 'R';
    return c;
}

static struct command velocity_of_one_percent(void)
{
    struct command c = {.type = CMD_BANDS, .session = SESSION_NONE};
    c.bands.locate = 1;
    c.bands.velocity_percent = 10000;
    c.bands.velocity_ms = 1000;
    c.bands.pause_ms = 60000;
    return c;
}

// Of one symbol, more than a step can tell of each: sales in the book, stops that wait, stops that are triggered and
// stand still, because the first of them to be released has moved the price too fast, pegs that have no price because
// nobody bids. Killed the one side and then the other, by the engine and by the naive venue.
static void a_symbol_s_kill_takes_each_of_its_lists_in_pieces(void **state)
{
    (void)state;
    enum { PEGS = 150, EACH = 150 };
    struct rig_day crowded = day;
    crowded.max_conditional = PEGS + 2 * EACH;
    uint32_t number = 0;
    day_count = 0;
    day_add(velocity_of_one_percent());
    for (uint32_t i = 1; i <= PEGS; i++)
        day_add(buy_peg(0, i));
    for (uint32_t i = 0; i < EACH; i++)
        day_add(stop(1, ++number, 'S', PRICE / 2, PRICE / 2));
    for (uint32_t i = 0; i < EACH; i++)
        day_add(stop(1, ++number, 'S', PRICE / 2, PRICE - PRICE / 200));
    day_add(rig_enter(1, ++number, 'S', 1, 1, PRICE));
    day_add(bought_at_once(2, 1, 1, PRICE));
    for (uint32_t i = 0; i < EACH; i++)
        day_add(rig_enter(1, ++number, 'S', 1, 1, PRICE - PRICE / 200));
    struct command c = rig_enter(2, 2, 'B', 11, 1, PRICE - PRICE / 50);
    c.display = 'N'; // nothing that pegs would follow
    day_add(c);
    day_add(bought_at_once(2, 3, 1, PRICE)); // triggers the stops
    c = kill_of(SCOPE_SYMBOL, 1, 0);
    c.kill.side = 'S';
    day_add(c);
    c.kill.side = 'B';
    day_add(c);
    struct both_seen seen = {0};
    assert_true(both_play(0, &crowded, day_commands, day_count, 100, &seen));
    assert_int_equal(seen.alerts[ALERT_STATE][LIMITS], 1);
    assert_int_equal(seen.alerts[ALERT_ZERO][LIMITS], 2);
    assert_int_equal(seen.events[EV_CANCELED], PEGS + 1 + EACH - 1 + 2 * EACH - 1);
    assert_in_range(seen.steps, 3 * EACH / ENGINE_EVENTS_MAX, 3 * EACH);
}

// More of the other side in a list than a step looks at: they stay.
static void one_side_of_a_long_list_outside_of_the_book_is_killed(void **state)
{
    (void)state;
    enum { PEGS = 2100 };
    struct rig_day crowded = day;
    crowded.max_conditional = PEGS + 1;
    rig_open(&rig, &crowded);
    for (uint32_t i = 1; i <= PEGS; i++)
        quick(buy_peg(0, i));
    struct command c = buy_peg(1, 1);
    c.side = 'S';
    quick(c);
    c = kill_of(SCOPE_SYMBOL, 1, 0);
    c.kill.side = 'S';
    step(c);
    assert_int_equal(count(EV_CANCELED), 1);
    assert_in_range(rig.steps, 2, 3);
    assert_int_equal(engine_live_orders(rig.engine), PEGS);
    rig_free(&rig);
}

// As many as fill a step to its last event, one less and more: of a session, where they are counted again, and a
// symbol.
static void zero_is_said_whatever_room_the_last_step_has(void **state)
{
    (void)state;
    uint32_t number = 0, killed = 0;
    day_count = 0;
    for (uint32_t orders = ENGINE_EVENTS_MAX - 4; orders < ENGINE_EVENTS_MAX + 4; orders++) {
        for (unsigned by_symbol = 0; by_symbol < 2; by_symbol++) {
            for (uint32_t i = 0; i < orders; i++)
                day_add(rig_enter(0, ++number, 'B', 1, 1, PRICE));
            struct command c = kill_of(by_symbol ? SCOPE_SYMBOL : SCOPE_SESSION, by_symbol ? 1 : 0, 0);
            c.kill.actions = KILL_CANCEL;
            day_add(c);
            killed++;
        }
    }
    struct both_seen seen = {0};
    assert_true(both_play(0, &day, day_commands, day_count, 50, &seen));
    assert_int_equal(seen.alerts[ALERT_ZERO][LIMITS], killed);
    assert_int_equal(seen.events[EV_CANCELED], number);
}

// A walk that has come to its end too early is found by the count: nobody is told that nothing rests.
static void zero_is_not_said_of_what_is_not_empty(void **state)
{
    (void)state;
    const enum scope scopes[] = {SCOPE_SESSION, SCOPE_SYMBOL};
    for (unsigned i = 0; i < 2; i++) {
        struct event events[ENGINE_EVENTS_MAX];
        rig_open(&rig, &day);
        for (uint32_t order = 1; order <= 2 * ENGINE_EVENTS_MAX; order++)
            quick(rig_enter(0, order, 'B', 10, 1, PRICE));
        struct command c = kill_of(scopes[i], scopes[i] == SCOPE_SYMBOL, 0);
        c.seq = engine_sequence(rig.engine) + 1;
        c.time_ns = rig.time_ns + 10;
        assert_int_equal(engine_step(rig.engine, &c, events), ENGINE_EVENTS_MAX);
        assert_true(engine_unfinished(rig.engine));
        struct kill *kill = &rig.engine->kill;
        kill->slot = 0;
        kill->session = rig.engine->limit.max_sessions; // behind the last
        if (scopes[i] == SCOPE_SYMBOL)
            kill->stage = 1; // behind the book
        assert_int_equal(engine_continue(rig.engine, events), 0);
        assert_false(engine_unfinished(rig.engine));
        assert_int_equal(engine_live_orders(rig.engine), ENGINE_EVENTS_MAX + 1);
        assert_int_equal(engine_venue_blocked(rig.engine), 0);
        assert_null(engine_check(rig.engine));
        rig_free(&rig);
    }
}

// Whether a kill of the symbol that believes all its lists to be empty says so.
static bool says_zero_at_the_end(void)
{
    struct event events[ENGINE_EVENTS_MAX];
    rig.engine->kill = (struct kill){.scope = SCOPE_SYMBOL, .index = 1, .sides = 3, .stage = 2}; // behind the pegs
    rig.engine->left.work = WORK_KILL;
    bool says = engine_continue(rig.engine, events) != 0;
    rig.hash = engine_event_hash(rig.engine);
    return says;
}

static void each_list_of_a_symbol_is_counted(void **state)
{
    (void)state;
    rig_open(&rig, &day);
    assert_true(says_zero_at_the_end());
    step(buy_peg(0, 1)); // without a price: in no book
    assert_false(says_zero_at_the_end());
    struct book_back *back = &rig.engine->backs[1];
    back->triggered = back->pegs; // as if it were a stop that stands still
    back->pegs = 0;
    assert_false(says_zero_at_the_end());
    back->pegs = back->triggered;
    back->triggered = 0;
    step(rig_simple(CMD_CANCEL, 0, 1, 0));
    assert_true(says_zero_at_the_end());
    step(stop(0, 2, 'B', PRICE, PRICE));
    assert_false(says_zero_at_the_end());
    step(rig_simple(CMD_CANCEL, 0, 2, 0));
    struct command c = rig_enter(0, 3, 'S', 10, 1, PRICE);
    c.display = 'N';
    step(c);
    assert_false(says_zero_at_the_end());
    rig_free(&rig);
}

static void the_venue_s_blocks_are_told_by_who_asked_for_them(void **state)
{
    (void)state;
    rig_open(&rig, &day);
    struct command c = kill_of(SCOPE_VENUE, 7, 0); // an index that is not looked at
    c.kill.source = KILL_BY_BREAKER;
    step(c);
    assert_int_equal(engine_venue_blocked(rig.engine), KILL_BY_BREAKER);
    c.kill.source = KILL_BY_OPERATOR;
    c.kill.side = 'S';
    step(c);
    assert_int_equal(engine_venue_blocked(rig.engine), KILL_BY_BREAKER | KILL_BY_OPERATOR);
    c.type = CMD_RESET;
    c.kill.source = KILL_BY_BREAKER;
    c.kill.side = 0;
    step(c);
    assert_int_equal(engine_venue_blocked(rig.engine), KILL_BY_OPERATOR);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_longer_than_a_step_counts_zero_at_its_end),
        cmocka_unit_test(one_side_of_a_long_list_is_killed),
        cmocka_unit_test(a_limit_kills_before_the_next_stop_takes),
        cmocka_unit_test(several_limits_kill_in_the_order_of_accounts),
        cmocka_unit_test(limits_that_many_accounts_reach_at_once_kill_all_of_them),
        cmocka_unit_test(what_is_blocked_when_the_day_is_opened_concerns_later_sessions),
        cmocka_unit_test(a_symbol_s_kill_takes_each_of_its_lists_in_pieces),
        cmocka_unit_test(one_side_of_a_long_list_outside_of_the_book_is_killed),
        cmocka_unit_test(zero_is_said_whatever_room_the_last_step_has),
        cmocka_unit_test(zero_is_not_said_of_what_is_not_empty),
        cmocka_unit_test(each_list_of_a_symbol_is_counted),
        cmocka_unit_test(the_venue_s_blocks_are_told_by_who_asked_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
