// SPDX-License-Identifier: Apache-2.0
// What control may say of limits, positions, kills, modes, groups and the market, and what it may not: what names
// something that there is not, comes at another time of the day or is beyond its bounds changes nothing at all; what
// lies at a bound is taken. The same of the records of a snapshot.
#include <stdlib.h>

#include "engine/snapshot.h"
#include "tests/unit/venue_with_gaps.h"

static struct rig_snapshot before, after;

// The payloads of all records but the last, which has the sequence: true when they are the same.
static bool same_state(void)
{
    if (before.count != after.count)
        return false;
    for (size_t i = 0; i + 1 < before.count; i++)
        if (before.records[i].type != after.records[i].type ||
            memcmp(before.records[i].payload, after.records[i].payload, sizeof before.records[i].payload) != 0)
            return false;
    return true;
}

static struct command with_reference(uint64_t adv, uint8_t tier, char reg_sho, uint32_t price)
{
    struct command c = reference_of(1, price);
    c.reference.adv = adv;
    c.reference.tier = tier;
    c.reference.reg_sho = reg_sho;
    return c;
}

static struct command mode_of(uint8_t on, uint32_t percent, uint32_t rate)
{
    struct command c = {.type = CMD_MODE, .session = SESSION_NONE};
    c.mode.rate = rate;
    c.mode.mode = 3;
    c.mode.on = on;
    c.mode.percent = percent;
    return c;
}

static struct command kill_with(uint8_t actions, uint8_t source, char side)
{
    struct command c = kill_of(SCOPE_ACCOUNT, 0, side);
    c.kill.actions = actions;
    c.kill.source = source;
    return c;
}

static struct command reset_of(enum scope scope, uint16_t index, char side)
{
    struct command c = kill_of(scope, index, side);
    c.type = CMD_RESET;
    return c;
}

enum band { PERCENT, WIDE, VELOCITY, LIMIT_STATE_MS, PAUSE_MS, VELOCITY_MS };

static struct command bands_with(enum band field, uint32_t value)
{
    struct command c = bands_of(1, 100000, 100000);
    uint32_t *fields[] = {&c.bands.percent,        &c.bands.wide_percent, &c.bands.velocity_percent,
                          &c.bands.limit_state_ms, &c.bands.pause_ms,     &c.bands.velocity_ms};
    *fields[field] = value;
    return c;
}

static struct command position_limit(uint16_t account, uint16_t locate)
{
    struct command c = limit_of(SCOPE_POSITION, account, LIMIT_LONG_POSITION, 5);
    c.limit.locate = locate;
    return c;
}

static void play_ignored(const struct command *commands, size_t count, const char *when)
{
    for (size_t i = 0; i < count; i++) {
        step(commands[i]);
        if (rig.count != 0)
            fail_msg("command %zu of those %s, of type %u, has %zu events", i, when, commands[i].type, rig.count);
        assert_null(engine_check(e));
    }
}

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define DAY_MS 86400000u
#define ADV_MOST UINT64_C(1000000000000)

static void what_there_is_not_is_not_changed(void **state)
{
    (void)state;
    open_with_gaps(NULL);
    const struct command commands[] = {
        kill_of(SCOPE_ACCOUNT, ACCOUNT_GAP, 0),
        kill_of(SCOPE_ACCOUNT, 99, 0),
        kill_of(SCOPE_FIRM, ACCOUNT_GAP, 0),
        kill_of(SCOPE_FIRM, 3, 0),
        kill_of(SCOPE_FIRM, 99, 0),
        kill_of(SCOPE_SESSION, SESSION_GAP, 0),
        kill_of(SCOPE_SESSION, 99, 0),
        kill_of(SCOPE_SYMBOL, LOCATE_NONE, 0),
        kill_of(SCOPE_SYMBOL, SYMBOL_GAP, 0),
        kill_of(SCOPE_SYMBOL, 99, 0),
        kill_of((enum scope)99, 0, 0),
        kill_of(SCOPE_VENUE, 0, 'X'),
        kill_with(0, 0, 0),
        kill_with(4, 0, 0),
        kill_with(3, 8, 0),
        reset_of(SCOPE_SESSION, SESSION_GAP, 0),
        reset_of(SCOPE_SESSION, 0, 'X'),
        limit_of((enum scope)99, 0, LIMIT_ALERT, 5),
        limit_of(SCOPE_VENUE, 1, LIMIT_ALERT, 5),
        limit_of(SCOPE_FIRM, ACCOUNT_GAP, LIMIT_LOSS, 5),
        limit_of(SCOPE_FIRM, 3, LIMIT_LOSS, 5),
        limit_of(SCOPE_FIRM, 99, LIMIT_LOSS, 5),
        limit_of(SCOPE_ACCOUNT, ACCOUNT_GAP, LIMIT_LOSS, 5),
        limit_of(SCOPE_ACCOUNT, 99, LIMIT_LOSS, 5),
        limit_of(SCOPE_SESSION, SESSION_GAP, LIMIT_ORDER_RATE, 5),
        limit_of(SCOPE_SESSION, 99, LIMIT_ORDER_RATE, 5),
        limit_of(SCOPE_SYMBOL, LOCATE_NONE, LIMIT_SYMBOL_RATE, 5),
        limit_of(SCOPE_SYMBOL, SYMBOL_GAP, LIMIT_SYMBOL_RATE, 5),
        limit_of(SCOPE_SYMBOL, 99, LIMIT_SYMBOL_RATE, 5),
        limit_of(SCOPE_SESSION, 0, LIMIT_LOSS, 5),
        limit_of(SCOPE_ACCOUNT, 0, LIMITS, 5),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_LOSS, (uint64_t)RISK_COST_MAX + 1),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_LONG_POSITION, (uint64_t)RISK_POSITION_MAX + 1),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_DRAWDOWN, 1000001),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_FAT_FINGER_TICKS, (uint64_t)PRICE_MARKET + 1),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_DUPLICATE_MS, 0),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_DUPLICATE_MS, DAY_MS + 1),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_FORBIDDEN, (uint64_t)FORBID_WITHOUT_STOP_LOSS << 1),
        limit_of(SCOPE_SESSION, 0, LIMIT_ORDER_RATE, 0),
        limit_of(SCOPE_SESSION, 0, LIMIT_ORDER_RATE, UINT64_C(1000000001)),
        position_limit(ACCOUNT_GAP, 1),
        position_limit(99, 1),
        position_limit(0, SYMBOL_GAP),
        position_limit(0, LOCATE_NONE),
        position_limit(0, 99),
        position_of(0, 1, 5, 5), // the day has started
        group_of(LOCATE_NONE, 1),
        group_of(SYMBOL_GAP, 1),
        group_of(99, 1),
        group_of(1, RISK_GROUPS + 1),
        reference_of(LOCATE_NONE, PRICE),
        reference_of(SYMBOL_GAP, PRICE),
        reference_of(99, PRICE),
        with_reference(0, 0, 0, PRICE_MAX + 1),
        with_reference(ADV_MOST + 1, 0, 0, PRICE),
        with_reference(0, 3, 0, PRICE),
        with_reference(0, 0, 'X', PRICE),
        halt_of(SYMBOL_GAP, STATE_HALTED),
        halt_of(99, STATE_HALTED),
        halt_of(1, 'X'),
        halt_of(LOCATE_NONE, 'X'),
        index_of(8000, 4),
        index_of(9301, 1),
        index_of(8701, 2),
        index_of(8001, 3),
        bands_of(LOCATE_NONE, 100000, 0),
        bands_of(SYMBOL_GAP, 100000, 0),
        bands_of(99, 100000, 0),
        bands_with(PERCENT, 1000001),
        bands_with(WIDE, 1000001),
        bands_with(VELOCITY, 1000001),
        bands_with(LIMIT_STATE_MS, DAY_MS + 1),
        bands_with(PAUSE_MS, DAY_MS + 1),
        bands_with(PAUSE_MS, 0),
        bands_with(VELOCITY_MS, DAY_MS + 1),
        bands_with(VELOCITY_MS, 7),
        mode_of(1, 101, 0),
        mode_of(0, 50, 0), // is off already
    };
    rig_snapshot_take(&before, e);
    play_ignored(commands, COUNT(commands), "that name what there is not");
    rig_snapshot_take(&after, e);
    assert_true(same_state());
    rig_free(&rig);
}

static void what_lies_at_a_bound_is_taken(void **state)
{
    (void)state;
    const struct command commands[] = {
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_LOSS, (uint64_t)RISK_COST_MAX),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_LONG_POSITION, (uint64_t)RISK_POSITION_MAX),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_DRAWDOWN, 1000000),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_FAT_FINGER_TICKS, PRICE_MARKET),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_DUPLICATE_MS, 1),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_DUPLICATE_MS, DAY_MS),
        limit_of(SCOPE_ACCOUNT, 0, LIMIT_FORBIDDEN, (uint64_t)FORBID_WITHOUT_STOP_LOSS),
        limit_of(SCOPE_SESSION, 0, LIMIT_ORDER_RATE, 1),
        limit_of(SCOPE_SESSION, 0, LIMIT_ORDER_RATE, UINT64_C(1000000000)),
        position_limit(0, 1),
        with_reference(ADV_MOST, 0, 0, 0),
        with_reference(0, 1, 0, 0),
        with_reference(0, 2, 0, 0),
        with_reference(0, 0, 0, PRICE_MAX),
        group_of(1, RISK_GROUPS),
        bands_with(PERCENT, 1000000),
        bands_with(WIDE, 1000000),
        bands_with(VELOCITY, 1000000),
        bands_with(LIMIT_STATE_MS, DAY_MS),
        bands_with(PAUSE_MS, DAY_MS),
        bands_with(PAUSE_MS, 1),
        bands_with(VELOCITY_MS, DAY_MS),
        bands_with(VELOCITY_MS, 8),
        mode_of(1, 100, 0),
        mode_of(1, 100, 5),
        mode_of(1, 100, 6),
        mode_of(1, 0, 0),
        index_of(9300, 1),
        index_of(8700, 2),
        index_of(8000, 3),
        limit_of(SCOPE_VENUE, 0, LIMIT_SLOW, 500000),
        limit_of(SCOPE_VENUE, 0, LIMIT_SLOW_RATE, 10),
        limit_of(SCOPE_ACCOUNT, 1, LIMIT_LOSS, 0), // has no level, and is reached at once
    };
    open_with_gaps(NULL);
    for (size_t i = 0; i < COUNT(commands); i++) {
        rig_snapshot_take(&before, e);
        step(commands[i]);
        rig_snapshot_take(&after, e);
        if (same_state())
            fail_msg("command %zu of type %u changes nothing", i, commands[i].type);
        assert_null(engine_check(e));
    }
    assert_true(engine_mode_on(e, 3));
    assert_false(engine_mode_on(e, 4));
    assert_false(engine_mode_on(e, MODES));
    rig_free(&rig);
}

static void positions_that_are_none(void)
{
    const struct command commands[] = {
        position_of(ACCOUNT_GAP, 1, 5, 5),
        position_of(99, 1, 5, 5),
        position_of(0, LOCATE_NONE, 5, 5),
        position_of(0, SYMBOL_GAP, 5, 5),
        position_of(0, 99, 5, 5),
        position_of(0, 1, RISK_POSITION_MAX + 1, 5),
        position_of(0, 1, -RISK_POSITION_MAX - 1, -5),
        position_of(0, 1, 5, RISK_COST_MAX + 1),
        position_of(0, 1, -5, -RISK_COST_MAX - 1),
        position_of(0, 1, 5, -5),
        position_of(0, 1, -5, 5),
        position_of(0, 1, 0, 5),
        position_of(0, 1, 0, -5),
    };
    play_ignored(commands, COUNT(commands), "of before the start");
    assert_int_equal(e->risk.positions_count, 0);
}

// The sum of a firm's costs: what is said again takes the place of what was said before.
static void costs_of_a_firm(void)
{
    const int64_t half = RISK_COST_MAX / 2;
    step(position_of(0, 1, 5, half));
    step(position_of(3, 1, -5, -half));
    step(position_of(0, 2, 5, 1)); // above
    assert_int_equal(e->risk.positions_count, 2);
    step(position_of(0, 1, 5, half + 1)); // above
    assert_true(e->risk.positions[position_find(e, 0, 1)].cost == half);
    step(position_of(0, 1, 5, half - 1));
    assert_true(e->risk.positions[position_find(e, 0, 1)].cost == half - 1);
    step(position_of(0, 2, 5, 1));
    assert_int_equal(e->risk.positions_count, 3);
    step(position_of(0, 1, 5, half)); // above again
    assert_true(e->risk.positions[position_find(e, 0, 1)].cost == half - 1);
    step(position_of(1, 1, RISK_POSITION_MAX, RISK_COST_MAX)); // of another firm
    step(position_of(1, 1, -RISK_POSITION_MAX, -RISK_COST_MAX));
    assert_int_equal(e->risk.positions_count, 4);
}

static void a_position_is_a_position(void **state)
{
    (void)state;
    open_with_gaps(positions_that_are_none);
    rig_free(&rig);
    open_with_gaps(costs_of_a_firm);
    assert_null(engine_check(e));
    rig_free(&rig);
}

static void nothing_is_said_before_a_day_or_after_it(void **state)
{
    (void)state;
    const struct command commands[] = {
        kill_of(SCOPE_VENUE, 0, 0), reset_of(SCOPE_VENUE, 0, 0), limit_of(SCOPE_VENUE, 0, LIMIT_ALERT, 5),
        reference_of(1, PRICE),     halt_of(1, STATE_HALTED),    index_of(8000, 3),
        bands_of(1, 100000, 0),
    };
    const struct command at_its_end[] = {mode_of(1, 50, 0), group_of(1, 1), position_of(0, 1, 5, 5)};
    rig_new(&rig, &gap_day, 0);
    e = rig.engine;
    play_ignored(commands, COUNT(commands), "of before the day");
    rig_free(&rig);
    open_with_gaps(NULL);
    step((struct command){.type = CMD_END_DAY, .session = SESSION_NONE});
    rig_snapshot_take(&before, e);
    play_ignored(commands, COUNT(commands), "of after the day");
    play_ignored(at_its_end, COUNT(at_its_end), "of after the day");
    rig_snapshot_take(&after, e);
    assert_true(same_state());
    rig_free(&rig);
}

static void a_day_without_risk_has_none(void **state)
{
    (void)state;
    struct rig_day without = gap_day;
    uint64_t used;
    without.max_positions = 0;
    rig_open(&rig, &without);
    e = rig.engine;
    const struct command commands[] = {limit_of(SCOPE_VENUE, 0, LIMIT_ALERT, 5), position_of(0, 1, 5, 5),
                                       mode_of(1, 50, 0), group_of(1, 1)};
    play_ignored(commands, COUNT(commands), "of risk");
    assert_true(engine_limit(e, SCOPE_VENUE, 0, 0, LIMIT_ALERT) == LIMIT_UNSET);
    assert_false(engine_limit_use(e, SCOPE_ACCOUNT, 0, 0, LIMIT_LOSS, &used));
    assert_false(engine_limit_use(e, SCOPE_ACCOUNT, 0, 0, LIMIT_GROSS_NOTIONAL, &used));
    rig_free(&rig);
}

// What tools ask for: no figure of what there is not.
static void what_there_is_not_has_no_figure(void **state)
{
    (void)state;
    static const struct {
        enum scope scope;
        uint16_t index, locate;
        enum limit limit;
        bool is;
    } uses[] = {
        {SCOPE_ACCOUNT, 0, 0, LIMIT_LOSS, true},
        {SCOPE_FIRM, 0, 0, LIMIT_DRAWDOWN, true},
        {SCOPE_SESSION, 0, 0, LIMIT_LOSS, false},
        {SCOPE_ACCOUNT, 99, 0, LIMIT_LOSS, false},
        {SCOPE_ACCOUNT, 0, 0, LIMIT_GROSS_NOTIONAL, true},
        {SCOPE_ACCOUNT, 99, 0, LIMIT_GROSS_NOTIONAL, false},
        {SCOPE_FIRM, 0, 0, LIMIT_NET_NOTIONAL, true},
        {SCOPE_FIRM, 99, 0, LIMIT_NET_NOTIONAL, false},
        {SCOPE_SESSION, 0, 0, LIMIT_DAY_VALUE, true},
        {SCOPE_SESSION, 99, 0, LIMIT_DAY_VALUE, false},
        {SCOPE_SESSION, 0, 0, LIMIT_GROSS_NOTIONAL, false},
        {SCOPE_VENUE, 0, 0, LIMIT_DAY_VALUE, false},
        {SCOPE_POSITION, 0, 1, LIMIT_LONG_POSITION, true},
        {SCOPE_POSITION, 0, 1, LIMIT_SHORT_POSITION, true},
        {SCOPE_POSITION, 99, 1, LIMIT_LONG_POSITION, false},
        {SCOPE_POSITION, 0, 99, LIMIT_LONG_POSITION, false},
        {SCOPE_ACCOUNT, 0, 1, LIMIT_LONG_POSITION, false},
        {SCOPE_ACCOUNT, 0, 0, LIMIT_MAX_QUANTITY, false},
    };
    open_with_gaps(NULL);
    for (size_t i = 0; i < COUNT(uses); i++) {
        uint64_t used = 7;
        if (engine_limit_use(e, uses[i].scope, uses[i].index, uses[i].locate, uses[i].limit, &used) != uses[i].is ||
            used != (uses[i].is ? 0 : 7))
            fail_msg("use %zu", i);
    }
    step(position_limit(0, 1));
    assert_int_equal(engine_limit(e, SCOPE_POSITION, 0, 1, LIMIT_LONG_POSITION), 5);
    assert_true(engine_limit(e, SCOPE_POSITION, 0, 1, LIMIT_SHORT_POSITION) == LIMIT_UNSET);
    assert_true(engine_limit(e, SCOPE_POSITION, 0, 1, LIMIT_GROSS_NOTIONAL) == LIMIT_UNSET);
    assert_true(engine_limit(e, SCOPE_POSITION, 0, LOCATE_NONE, LIMIT_LONG_POSITION) == LIMIT_UNSET);
    assert_true(engine_limit(e, SCOPE_POSITION, 0, 99, LIMIT_LONG_POSITION) == LIMIT_UNSET);
    assert_true(engine_limit(e, SCOPE_POSITION, 99, 1, LIMIT_LONG_POSITION) == LIMIT_UNSET);
    assert_true(engine_limit(e, SCOPE_VENUE, 0, 0, LIMITS) == LIMIT_UNSET);
    assert_true(engine_limit(e, (enum scope)99, 0, 0, LIMIT_ALERT) == LIMIT_UNSET);
    rig_free(&rig);
}

// Of a firm's accounts those that are not there have nothing.
static void a_firm_s_volume_is_that_of_the_accounts_it_has(void **state)
{
    (void)state;
    open_with_gaps(NULL);
    step(with_reference(1000, 0, 0, PRICE));
    step(limit_of(SCOPE_FIRM, 0, LIMIT_ADV, 100000));
    entered(0, 'B', 60, 1, 0, 'Y');
    entered(3, 'B', 40, 1, 0, 'Y');
    step(rig_enter(3, ++user_refs[3], 'B', 1, 1, PRICE));
    assert_int_equal(engine_outcome(e), OUTCOME_REJECTED);
    assert_int_equal(engine_limit_refused(e), LIMIT_ADV);
    rig_free(&rig);
}

// A group above its limit, which was lowered: what adds nothing to it may still come.
static void what_adds_nothing_is_not_held_to_a_group_s_limit(void **state)
{
    (void)state;
    open_with_gaps(NULL);
    step(group_of(1, 1));
    step(limit_of(SCOPE_ACCOUNT, 0, LIMIT_GROSS_NOTIONAL, 1000 * (uint64_t)PRICE));
    entered(0, 'B', 600, 1, 0, 'Y');
    step(limit_of(SCOPE_ACCOUNT, 0, LIMIT_CORRELATION, 100000));
    step(rig_replace(0, 1, 2, 600, PRICE)); // as it was
    assert_int_equal(engine_outcome(e), OUTCOME_ACCEPTED);
    step(rig_replace(0, 2, 3, 601, PRICE));
    assert_int_equal(engine_outcome(e), OUTCOME_REJECTED);
    assert_int_equal(engine_limit_refused(e), LIMIT_CORRELATION);
    step(rig_replace(0, 2, 4, 599, PRICE));
    assert_int_equal(engine_outcome(e), OUTCOME_ACCEPTED);
    rig_free(&rig);
}

// ---- records of a snapshot ------------------------------------------------------------------------------------------

static void positions_of_before(void)
{
    step(position_of(0, 1, 5, 5));
    step(position_of(3, 1, -5, -5));
}

#define FIELD(field) offsetof(struct command, field), sizeof((struct command *)0)->field
#define REFUSES(type, field, value, sentence)          \
    {                                                  \
        type, UINT8_MAX, FIELD(field), value, sentence \
    }
#define REFUSES_PART(part, field, value)                                                                 \
    {                                                                                                    \
        CMD_RESTORE_MARKET, part, FIELD(field), value, "it has a state of the market that no engine has" \
    }

// The first record of that type, and of the market's of that part, with another value: refused there and then.
static void what_no_engine_holds_is_refused(void **state)
{
    (void)state;
    static const char limits[] = "it has limits that can not be set", executed[] = "it has executions of no session",
                      positions[] = "it has a position that no engine holds",
                      rates[] = "it has counted something that is not there",
                      kills[] = "it has a kill of what it does not have";
    const struct {
        uint8_t type, part;
        size_t at, size;
        uint64_t value;
        const char *sentence;
    } rows[] = {
        REFUSES(CMD_RESTORE_KILL, restore_kill.scope, 99, kills),
        REFUSES(CMD_RESTORE_KILL, restore_kill.index, 99, kills),
        REFUSES(CMD_RESTORE_KILL, restore_kill.blocks, 0, kills),
        REFUSES(CMD_RESTORE_LIMITS, restore_limits.count, RESTORE_LIMITS + 1, limits),
        REFUSES(CMD_RESTORE_LIMITS, restore_limits.values[0], UINT64_MAX, limits),
        REFUSES(CMD_RESTORE_LIMITS, restore_limits.values[0], UINT64_MAX / 2, limits),
        REFUSES(CMD_RESTORE_LIMITS, restore_limits.limits[0], LIMITS, limits),
        REFUSES(CMD_RESTORE_LIMITS, restore_limits.limits[1], LIMIT_CAPITAL, limits), // twice
        REFUSES(CMD_RESTORE_LIMITS, restore_limits.scope, 99, limits),
        REFUSES(CMD_RESTORE_LIMITS, restore_limits.index, 99, limits),
        REFUSES(CMD_RESTORE_EXECUTED, restore_executed.count, RESTORE_EXECUTED + 1, executed),
        REFUSES(CMD_RESTORE_EXECUTED, restore_executed.sessions[0], 99, executed),
        REFUSES(CMD_RESTORE_EXECUTED, restore_executed.sessions[0], SESSION_GAP, executed),
        REFUSES(CMD_RESTORE_EXECUTED, restore_executed.quantity[0], RISK_QUANTITY_MAX + 1, executed),
        REFUSES(CMD_RESTORE_EXECUTED, restore_executed.value[0], INT64_MAX, executed),
        REFUSES(CMD_RESTORE_POSITIONS, restore_positions.count, RESTORE_POSITIONS + 1, positions),
        REFUSES(CMD_RESTORE_POSITIONS, restore_positions.positions[0].account, 99, positions),
        REFUSES(CMD_RESTORE_POSITIONS, restore_positions.positions[0].account, ACCOUNT_GAP, positions),
        REFUSES(CMD_RESTORE_POSITIONS, restore_positions.positions[0].locate, LOCATE_NONE, positions),
        REFUSES(CMD_RESTORE_POSITIONS, restore_positions.positions[0].locate, SYMBOL_GAP, positions),
        REFUSES(CMD_RESTORE_POSITIONS, restore_positions.positions[0].locate, 99, positions),
        REFUSES(CMD_RESTORE_POSITIONS, restore_positions.positions[1].account, 0, positions), // twice
        REFUSES(CMD_RESTORE_RATES, restore_rates.kind, 99, rates),
        REFUSES(CMD_RESTORE_RATES, restore_rates.index, 9999, rates),
        REFUSES(CMD_RESTORE_RATES, restore_rates.values[0], 101, rates), // a mode's percent
        REFUSES_PART(MARKET_VENUE, restore_market.venue.breached, 4),
        REFUSES_PART(MARKET_STATE, restore_market.part, 99),
        REFUSES_PART(MARKET_STATE, restore_market.locate, LOCATE_NONE),
        REFUSES_PART(MARKET_STATE, restore_market.locate, SYMBOL_GAP),
        REFUSES_PART(MARKET_STATE, restore_market.locate, 99),
        REFUSES_PART(MARKET_BANDS, restore_market.bands.interval, MARKET_INTERVALS_KEPT),
        REFUSES_PART(MARKET_BANDS, restore_market.bands.step, MARKET_STEPS_KEPT),
        REFUSES_PART(MARKET_BANDS, restore_market.bands.velocity_ms, 7),
        REFUSES_PART(MARKET_INTERVALS, restore_market.first, MARKET_INTERVALS_KEPT),
        REFUSES_PART(MARKET_STEPS, restore_market.first, MARKET_STEPS_KEPT),
    };
    struct rig_snapshot stream = {0};
    open_with_gaps(positions_of_before);
    step(limit_of(SCOPE_ACCOUNT, 0, LIMIT_CAPITAL, 1000 * (uint64_t)PRICE));
    step(limit_of(SCOPE_ACCOUNT, 0, LIMIT_LOSS, 1000 * (uint64_t)PRICE));
    step(mode_of(1, 50, 0));
    step(bands_of(1, 100000, 100000));
    entered(0, 'B', 1, 1, 0, 'Y');
    entered(1, 'S', 1, 1, 0, 'Y');
    step(kill_of(SCOPE_SYMBOL, 2, 0));
    rig_snapshot_take(&stream, e);
    rig_free(&rig);
    for (size_t row = 0; row < COUNT(rows); row++) {
        struct restore restore;
        size_t at = 0;
        rig_new(&rig, &gap_day, 0);
        restore_begin(&restore, rig.engine);
        for (; stream.records[at].type != rows[row].type ||
               (rows[row].part != UINT8_MAX && stream.records[at].restore_market.part != rows[row].part);
             at++)
            assert_int_equal(restore_take(&restore, &stream.records[at]), RESTORE_MORE);
        struct command c = stream.records[at];
        memcpy((char *)&c + rows[row].at, &rows[row].value, rows[row].size);
        if (restore_take(&restore, &c) != RESTORE_REFUSED || strcmp(restore.refused, rows[row].sentence) != 0)
            fail_msg("row %zu: \"%s\" is said, not \"%s\"", row, restore.refused ? restore.refused : "nothing",
                     rows[row].sentence);
        rig_free(&rig);
    }
    free(stream.records);
}

static int forget_snapshots(void **state)
{
    (void)state;
    free(before.records);
    free(after.records);
    return 0;
}

// The records of its snapshot, and before its first order one of risk.
static void a_day_without_risk_takes_no_record_of_it(void **state)
{
    (void)state;
    static const uint8_t types[] = {CMD_RESTORE_EXECUTED, CMD_RESTORE_POSITIONS, CMD_RESTORE_RATES};
    struct rig_day plain = gap_day;
    struct rig_snapshot stream = {0};
    plain.max_positions = 0;
    rig_open(&rig, &plain);
    step(rig_enter(0, 1, 'B', 1, 1, PRICE));
    rig_snapshot_take(&stream, rig.engine);
    rig_free(&rig);
    for (size_t i = 0; i < COUNT(types); i++) {
        struct restore restore;
        struct command c = {.type = types[i], .session = SESSION_NONE};
        c.restore_positions.count = types[i] == CMD_RESTORE_POSITIONS;
        rig_new(&rig, &plain, 0);
        restore_begin(&restore, rig.engine);
        for (size_t at = 0; stream.records[at].type != CMD_RESTORE_ORDER; at++)
            assert_int_equal(restore_take(&restore, &stream.records[at]), RESTORE_MORE);
        assert_int_equal(restore_take(&restore, &c), RESTORE_REFUSED);
        rig_free(&rig);
    }
    free(stream.records);
}

static void a_position_more_than_there_is_room_for_is_refused(void **state)
{
    (void)state;
    struct rig_day narrow = gap_day;
    struct rig_snapshot stream = {0};
    struct restore restore;
    size_t at = 0;
    narrow.max_positions = 1;
    rig_open(&rig, &narrow);
    step(rig_enter(0, 1, 'B', 1, 1, PRICE));
    rig_snapshot_take(&stream, rig.engine);
    rig_free(&rig);
    rig_new(&rig, &narrow, 0);
    restore_begin(&restore, rig.engine);
    for (; stream.records[at].type != CMD_RESTORE_POSITIONS; at++)
        assert_int_equal(restore_take(&restore, &stream.records[at]), RESTORE_MORE);
    struct command c = stream.records[at];
    c.restore_positions.positions[1] = c.restore_positions.positions[0];
    c.restore_positions.positions[1].locate = 2;
    c.restore_positions.count = 2;
    assert_int_equal(restore_take(&restore, &c), RESTORE_REFUSED);
    rig_free(&rig);
    free(stream.records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_there_is_not_is_not_changed),
        cmocka_unit_test(what_lies_at_a_bound_is_taken),
        cmocka_unit_test(a_position_is_a_position),
        cmocka_unit_test(nothing_is_said_before_a_day_or_after_it),
        cmocka_unit_test(a_day_without_risk_has_none),
        cmocka_unit_test(what_there_is_not_has_no_figure),
        cmocka_unit_test(a_firm_s_volume_is_that_of_the_accounts_it_has),
        cmocka_unit_test(what_adds_nothing_is_not_held_to_a_group_s_limit),
        cmocka_unit_test(what_no_engine_holds_is_refused),
        cmocka_unit_test(a_day_without_risk_takes_no_record_of_it),
        cmocka_unit_test(a_position_more_than_there_is_room_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, forget_snapshots);
}
