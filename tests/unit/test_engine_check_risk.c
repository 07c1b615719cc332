// SPDX-License-Identifier: Apache-2.0
// The invariants of risk, of the market's state and of kills can fail: as test_engine_check.c has it for the book.
#include "engine/lease.h"
#include "engine/losses.h"
#include "tests/unit/breaks.h"
#include "tests/unit/venue_with_gaps.h"

static void positions_of_before(void)
{
    step(position_of(0, 1, 1000, 1000 * (int64_t)PRICE));
    step(position_of(1, 1, -1000, -1000 * (int64_t)PRICE));
    step(position_of(1, 2, 0, 0));
}

// Account 0 is long and at a loss, with its groups kept; symbol 2 is in a limit state, 3 to 5 have each one best price
// away from the reference, 6 is paused; session 1's sales are killed.
static int set_up(void **state)
{
    (void)state;
    open_with_gaps(positions_of_before);
    step(group_of(1, 1));
    step(group_of(2, 2));
    step(limit_of(SCOPE_ACCOUNT, 0, LIMIT_GROSS_NOTIONAL, 1200 * (uint64_t)PRICE));
    step(limit_of(SCOPE_ACCOUNT, 0, LIMIT_CORRELATION, 950000));
    step(limit_of(SCOPE_ACCOUNT, 0, LIMIT_LOSS, 1000 * (uint64_t)PRICE));
    step(limit_of(SCOPE_SESSION, 0, LIMIT_ORDER_RATE, 1000));
    step(limit_of(SCOPE_SESSION, 0, LIMIT_DUPLICATES, 30));
    entered(0, 'B', 100, 1, -10, 'Y');
    entered(0, 'B', 1, 1, -5, 'Y'); // trades: marks the position below its cost
    entered(1, 'S', 1, 1, -5, 'Y');
    for (uint16_t locate = 2; locate <= 6; locate++) {
        step(bands_of(locate, locate == 6 ? 0 : 100000, locate == 6 ? 10000 : 0));
        step(reference_of(locate, PRICE));
    }
    entered(0, 'B', 1, 2, 1000, 'Y');
    entered(3, 'B', 1, 3, 5, 'N');
    entered(3, 'S', 1, 4, -5, 'Y');
    entered(3, 'S', 1, 5, -5, 'N');
    for (int ticks = 0; ticks <= 200; ticks += 200) {
        entered(3, 'S', 1, 6, ticks, 'Y');
        entered(1, 'B', 1, 6, ticks, 'Y');
    }
    step((struct command){.type = CMD_TICK, .session = SESSION_NONE});
    step(kill_of(SCOPE_SESSION, 1, 'S'));
    lease_end_party(e, party_of_firm(e, 0)); // so that parties say themselves what they come to
    lease_end_party(e, party_of_firm(e, 1));
    assert_null(engine_check(e));
    assert_int_equal(e->markets[2].limit_side, 'B');
    assert_true(e->standings[0].grouped && e->standings[0].result < 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_null(engine_check(e)); // every place was mended
    rig_free(&rig);
    return 0;
}

static struct position *position(uint16_t account, uint16_t locate)
{
    uint32_t number = position_find(e, account, locate);
    assert_int_not_equal(number, 0);
    return &e->risk.positions[number];
}

static struct order *oldest(uint16_t session)
{
    return &e->orders[session_oldest(e, session)];
}

static void figures_are_sums_of_orders_and_trades(void **state)
{
    (void)state;
    const char *own = "what a session has working is not the sum of its orders";
    BREAKS(e->parties[party_of_session(e, 0)].room[FIGURE_DAY_VALUE], 0, own);
    BREAKS(e->parties[party_of_session(e, 0)].room[FIGURE_GROSS], 0, own);
    BREAKS(e->parties[party_of_account(1)].room[FIGURE_NET_BUY], 0,
           "what an account has at risk is not the sum of its sessions and positions");
    BREAKS(e->parties[party_of_firm(e, 0)].room[FIGURE_ORDERS], 0,
           "what a firm has at risk is not the sum of its accounts");
    const char *strange = "an order counts for a position that is not its account's in its symbol";
    BREAKS(oldest(0)->position, 0, strange);
    BREAKS(oldest(0)->position, position_find(e, 1, 1), strange);
    BREAKS(oldest(0)->position, position_find(e, 0, 2), strange);
    BREAKS(e->risk.positions_limit, 1, "there are more positions than the day has room for");
}

static void leases_are_what_their_firm_gave(void **state)
{
    (void)state;
    const char *not_given = "a session has a lease that its firm has not given";
    BREAKS(*(uint64_t *)&e->risk.lines[0].room[0], 5, not_given);
    BREAKS(*(uint64_t *)&e->risk.lines[0].room[1], 5, not_given);
    rig_free(&rig);
    open_with_gaps(NULL); // without limits that are near: the first order is given a lease
    entered(0, 'B', 1, 1, -20, 'Y');
    struct session_line *line = &e->risk.lines[0];
    assert_true(lease_holds(e, line));
    BREAKS(*(uint64_t *)line->room, UINT64_MAX, "a session has taken more than its lease");
    const char *more = "leases come to more than their party has";
    BREAKS(*(uint64_t *)line->given, INT64_MAX, more);
    BREAKS(e->parties[line->account].room[FIGURE_DAY_VALUE], 0, more);
    BREAKS(e->parties[line->firm].room[FIGURE_DAY_VALUE], 0, more);
    BREAKS(line->firm_quantity, 0, "a firm has more of the day than its sessions know");
}

static void positions_add_up(void **state)
{
    (void)state;
    const char *up = "an account's positions do not add up to what its sessions have";
    BREAKS(position(0, 1)->day, 7, up);
    BREAKS(position(1, 1)->locate, 5, "a position is not found by its account and symbol");
    const char *sign = "a position's cost has not its sign";
    BREAKS(position(1, 1)->cost, 1, sign);
    BREAKS(position(1, 2)->cost, 1, sign);
    // What is said of results, groups and exposures comes first: looked at alone.
    struct position *bought = position(0, 1);
    bought->cost = -bought->cost;
    assert_string_equal(risk_check_sums(e), sign);
    bought->cost = -bought->cost;
    for (unsigned side = BUY; side <= SELL; side++) {
        bought->notional[side]++;
        assert_string_equal(risk_check_sums(e), up);
        bought->notional[side]--;
        bought->working[side]++;
        assert_string_equal(risk_check_sums(e), up);
        bought->working[side]--;
    }
}

static void results_and_groups_add_up(void **state)
{
    (void)state;
    const char *result = "an account's result is not the sum of its positions'";
    BREAKS(e->standings[0].result, e->standings[0].result + 1, result);
    BREAKS(position(0, 1)->cash, 5, result);
    BREAKS(position(0, 1)->state, POSITION_BEGUN, "a position is in another group than its symbol");
    BREAKS(e->groups[1], e->groups[1] + 1, "a group of symbols does not add up to its positions and working orders");
    const char *peak = "a result is above its peak";
    BREAKS(e->standings[0].peak, e->standings[0].result - 1, peak);
    BREAKS(e->standings[0].peak, -1, peak);
    const char *low = "a result has reached a level that nobody has looked at";
    BREAKS(e->standings[0].low, e->standings[0].result, low);
    BREAKS(e->standings[3].low, 0, low);
    const uint32_t firm = party_of_firm(e, 1);
    BREAKS(e->standings[firm].result, e->standings[firm].result - 1,
           "the firms' results are not those of the accounts");
    // While symbols move to another group neither is looked at, nor levels while work is under way.
    e->settling.regroup_locate = 1;
    position(0, 1)->state = POSITION_BEGUN;
    assert_null(losses_check(e));
    position(0, 1)->state |= POSITION_GROUPED;
    e->settling.regroup_locate = LOCATE_NONE;
}

static void nothing_waits_between_commands(void **state)
{
    (void)state;
    const char *told = "the count of parties that something is told of is wrong";
    BREAKS(e->settling.told, e->settling.told + 1, told);
    BREAKS(e->slowing, e->slowing + 1, told);
    const char *waits = "something waits to be settled between two commands";
    BREAKS(e->unsettled, true, waits);
    BREAKS(e->settling.count, 1, waits);
    BREAKS(e->settling.walking, true, waits);
    BREAKS(e->settling.marks_left, 1, waits);
    BREAKS(e->settling.marks_next, 99, "marks stand at a position that is none");
    BREAKS(e->kills_pending, 1, "a kill has not been carried out");
    BREAKS(e->paces[0].turned, 1, "a session waits to be settled between two commands");
    e->unsettled = true;
    e->kills_pending = 1;
    e->paces[0].turned = 1;
    e->left.work = WORK_AFTER; // so much the less then
    assert_null(settle_check(e));
    assert_null(kill_check(e));
    assert_null(rates_check(e));
    assert_null(losses_check(e));
    e->left.work = WORK_NONE;
    e->paces[0].turned = 0;
    e->kills_pending = 0;
    e->unsettled = false;
}

static void what_counts_in_time_is_within_its_bounds(void **state)
{
    (void)state;
    struct alike *alike = &e->alikes[0];
    unsigned at = 0;
    while (!alike->places[at].instrument)
        at++;
    BREAKS(e->risk.lines[0].alike.next, ALIKE_PLACES, "a session's places of orders alike have no next");
    BREAKS(e->risk.lines[0].tags.tags[at], e->risk.lines[0].tags.tags[at] + 1,
           "a place of orders alike has the tag of another kind");
    BREAKS(e->sessions[0].paced.due[PACED_ORDERS], UINT64_MAX / 2, "a session has taken more orders than its burst");
}

static void bands_are_where_prices_are(void **state)
{
    (void)state;
    struct market *two = &e->markets[2];
    const char *around = "bands are not around their reference";
    BREAKS(two->lower, two->upper + 1, around);
    BREAKS(two->reference, two->lower - TICK, around);
    BREAKS(two->reference, two->upper + TICK, around);
    BREAKS(e->markets[1].lower, 1, around);
    BREAKS(e->markets[1].upper, PRICE_MAX, around);
    BREAKS(two->reference, PRICE + 1, "a reference is off the tick");
    const char *beyond = "an order stands beyond the bands";
    BREAKS(two->upper, two->upper - TICK, beyond);
    BREAKS(e->markets[3].upper, PRICE + 4 * TICK, beyond);
    BREAKS(e->markets[4].lower, PRICE - 4 * TICK, beyond);
    BREAKS(e->markets[5].lower, PRICE - 4 * TICK, beyond);
    BREAKS(two->limit_side, 0, "the limit state is not that of the best prices");
    const char *missed = "the end of a pause or a limit state would be missed";
    BREAKS(e->market.due_ns, UINT64_MAX, missed);
    BREAKS(e->market.due_ns, e->markets[6].pause_end_ns + 1, missed);
    const uint64_t end_ns = e->markets[6].pause_end_ns, due_ns = e->market.due_ns;
    e->markets[6].pause_end_ns = 1; // over: the next tick there can be is early enough
    e->market.due_ns = e->time_ns + 1;
    assert_null(market_invariants(e));
    e->markets[6].pause_end_ns = end_ns;
    e->market.due_ns = due_ns;
}

static void a_symbol_trades_or_does_not(void **state)
{
    (void)state;
    const char *marked = "a book does not say whether its market is watched";
    BREAKS(e->books[2].watch, 0, marked);
    BREAKS(e->books[2].uncommon[BUY], e->books[2].uncommon[BUY] & ~UNCOMMON_MARKET, marked);
    BREAKS(e->books[2].uncommon[SELL], e->books[2].uncommon[SELL] & ~UNCOMMON_MARKET, marked);
    BREAKS(e->markets[1].told, STATE_HALTED, marked);
    BREAKS(e->markets[2].tripped, true, "a price has moved too fast, and no pause has followed");
    const char *trades = "a symbol trades although it is halted, or the other way round";
    BREAKS(e->markets[1].halt, STATE_HALTED, trades);
    BREAKS(e->markets[1].pause_end_ns, UINT64_MAX, trades);
    BREAKS(e->market.halt_end_ns, UINT64_MAX, trades);
    BREAKS(e->markets[6].pause_end_ns, 0, trades);
    BREAKS(e->market.watched, 9, "the symbols that are watched are miscounted");
    e->left.work = WORK_AFTER; // what follows a trade may still be to come
    e->markets[2].tripped = true;
    assert_null(market_invariants(e));
    e->markets[2].tripped = false;
    e->left.work = WORK_NONE;
}

static void kills_are_where_they_belong(void **state)
{
    (void)state;
    uint8_t *symbol = &e->blocks[e->symbol_blocks + 1], *session = &e->blocks[e->session_blocks];
    BREAKS(*symbol, 1u << KILL_EMPTY_SHIFT, "a scope that is not blocked is said to stay empty");
    const char *rests = "an order rests in a scope that is killed";
    BREAKS(*symbol, 3u << KILL_EMPTY_SHIFT | 3u, rests);
    BREAKS(*session, 3u << KILL_EMPTY_SHIFT | 3u, rests);
    BREAKS(*session, 3u, "a session does not say which kills concern it");
    BREAKS(e->sessions[0].disabled, 1u << DISABLED_KILL_SHIFT, "a session does not say which kills concern it");
    const char *book = "a book does not say whether its symbol is killed";
    BREAKS(*symbol, 3u, book);
    BREAKS(e->books[1].uncommon[SELL], UNCOMMON_KILLED, book);
}

static void many_places_were_broken(void **state)
{
    (void)state;
    printf("%u places\n", broken_places);
    assert_true(broken_places >= 60);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(figures_are_sums_of_orders_and_trades),
        TEST(leases_are_what_their_firm_gave),
        TEST(positions_add_up),
        TEST(results_and_groups_add_up),
        TEST(nothing_waits_between_commands),
        TEST(what_counts_in_time_is_within_its_bounds),
        TEST(bands_are_where_prices_are),
        TEST(a_symbol_trades_or_does_not),
        TEST(kills_are_where_they_belong),
        cmocka_unit_test(many_places_were_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
