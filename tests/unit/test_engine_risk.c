// SPDX-License-Identifier: Apache-2.0
// Random days with random limits and starting positions: what risk keeps is always what orders and trades come to, no
// order brings anything above its limit, and a restored engine goes on with the same.
//   XW_SEED=n that day alone    XW_DAYS=n how many days
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/snapshot.h"
#include "tests/support/engine_rig.h"
#include "tests/support/random_flow.h"

#define DAY_COMMANDS 1500
#define ACCOUNTS 4

// Orders whose price bounds what they can cost. The others are held to limits of quantities alone.
#define FLOW_PRICED (FLOW_HIDDEN | FLOW_ATTRIBUTED | FLOW_RESERVE | FLOW_MINIMUM | FLOW_POST_ONLY | FLOW_AIQ | FLOW_ISO)

static uint64_t draw(uint64_t *state, uint64_t below)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % below;
}

// A limit of any scope, mostly so low that it matters.
static struct command draw_limit(uint64_t *state, const struct rig_day *day)
{
    static const struct {
        enum limit limit;
        const char *scopes;
        uint64_t most;
    } table[] = {{LIMIT_GROSS_NOTIONAL, "FA", 400000000},
                 {LIMIT_NET_NOTIONAL, "FA", 200000000},
                 {LIMIT_LONG_POSITION, "AP", 2000},
                 {LIMIT_SHORT_POSITION, "AP", 2000},
                 {LIMIT_DAY_QUANTITY, "FAS", 60000},
                 {LIMIT_DAY_VALUE, "FAS", 600000000},
                 {LIMIT_WORKING_ORDERS, "FAS", 40},
                 {LIMIT_MAX_QUANTITY, "FASY", 1000},
                 {LIMIT_MAX_NOTIONAL, "FASY", 10000000},
                 {LIMIT_FAT_FINGER, "FASY", 200000},
                 {LIMIT_FAT_FINGER_TICKS, "FASY", 100},
                 {LIMIT_COLLAR, "VFASY", 200000},
                 {LIMIT_CAPITAL, "FA", 1000000000},
                 {LIMIT_POSITION_SHARE, "A", 500000},
                 {LIMIT_FORBIDDEN, "VFASY", 1 << 14},
                 {LIMIT_ORDER_RATE, "S", 10000000},
                 {LIMIT_ORDER_BURST, "S", 20},
                 {LIMIT_MESSAGE_RATE, "S", 10000000},
                 {LIMIT_SYMBOL_RATE, "Y", 10000000},
                 {LIMIT_DUPLICATES, "AS", 4},
                 {LIMIT_REPEATED_EXECUTIONS, "A", 10},
                 {LIMIT_MMP_FILLS, "S", 6},
                 {LIMIT_MMP_QUANTITY, "S", 2000},
                 {LIMIT_LOSS, "FA", 30000000},
                 {LIMIT_DRAWDOWN, "FA", 200000},
                 {LIMIT_CORRELATION, "A", 1000000},
                 {LIMIT_ALERT, "VFA", 1000000},
                 {LIMIT_SLOW, "VFA", 1000000},
                 {LIMIT_SLOW_RATE, "VFA", 50000000}};
    static const char letters[] = "?VFASYP";
    struct command c = {.type = CMD_LIMIT, .session = SESSION_NONE};
    unsigned row = (unsigned)draw(state, sizeof table / sizeof *table);
    if (table[row].limit == LIMIT_FORBIDDEN && draw(state, 4)) // seldom
        row = 2;
    c.limit.limit = (uint8_t)table[row].limit;
    char letter = table[row].scopes[draw(state, strlen(table[row].scopes))];
    c.limit.scope = (uint8_t)(strchr(letters, letter) - letters);
    c.limit.index = (uint16_t)(letter == 'V'   ? 0
                               : letter == 'S' ? draw(state, day->sessions)
                               : letter == 'Y' ? 1 + draw(state, day->symbols)
                                               : draw(state, ACCOUNTS));
    c.limit.locate = letter == 'P' ? (uint16_t)(1 + draw(state, day->symbols)) : LOCATE_NONE;
    c.limit.value = draw(state, 3) == 0 ? LIMIT_UNSET : draw(state, table[row].most);
    return c;
}

// Modes, groups, ticks that mark and ease, and resets of what limits have killed.
static struct command draw_other(uint64_t *state, const struct rig_day *day)
{
    struct command c = {.type = CMD_TICK, .session = SESSION_NONE};
    switch (draw(state, 4)) {
    case 0:
        c.type = CMD_MODE;
        c.mode.mode = (uint8_t)draw(state, 3);
        c.mode.on = draw(state, 2) != 0;
        c.mode.percent = 50 + (uint32_t)draw(state, 52);
        c.mode.rate = (uint32_t)draw(state, 2) * 10000000;
        c.mode.block = draw(state, 8) == 0;
        break;
    case 1:
        c.type = CMD_GROUP;
        c.group.locate = (uint16_t)(1 + draw(state, day->symbols));
        c.group.group = (uint16_t)draw(state, 3);
        break;
    case 2:
        c.type = CMD_RESET;
        c.kill.scope = draw(state, 2) ? SCOPE_ACCOUNT : SCOPE_FIRM;
        c.kill.index = (uint16_t)draw(state, ACCOUNTS);
        break;
    default:
        break;
    }
    return c;
}

// The flow's command, or in its place one of risk.
static struct command draw_command(uint64_t *state, const struct rig_day *day, const struct command *flow)
{
    switch (draw(state, 20)) {
    case 0:
        return draw_limit(state, day);
    case 1:
        return draw_other(state, day);
    default:
        return *flow;
    }
}

static struct command draw_position(uint64_t *state, const struct rig_day *day)
{
    struct command c = {.type = CMD_POSITION, .session = SESSION_NONE};
    int64_t sign = draw(state, 2) ? 1 : -1;
    c.position.account = (uint16_t)draw(state, ACCOUNTS);
    c.position.locate = (uint16_t)(1 + draw(state, day->symbols));
    c.position.quantity = sign * (int64_t)draw(state, 1000);
    c.position.cost = c.position.quantity ? sign * (int64_t)draw(state, 10000000) : 0;
    return c;
}

struct opening {
    struct rig *rig;
    const struct rig_day *day;
    uint64_t *state;
};

static void open_with_positions(void *context, struct command *c)
{
    struct opening *opening = context;
    for (unsigned i = 0; c->type == CMD_START && i < 6; i++) {
        struct command position = draw_position(opening->state, opening->day);
        rig_step(opening->rig, &position);
    }
    rig_step(opening->rig, c);
}

static struct rig_day day_of(uint64_t seed, unsigned kinds)
{
    struct rig_day day = flow_day(seed, kinds);
    day.max_positions = seed % 5 == 0 ? 6 : 64;
    return day;
}

// ---- what has come together, of everybody
// ----------------------------------------------------------------------------

struct figure {
    enum scope scope;
    uint16_t index, locate;
    enum limit limit;
    uint64_t used;
};

struct figures {
    struct figure figure[512];
    unsigned count;
};

static void look_at(const struct rig *rig, struct figures *all, enum scope scope, uint16_t index, uint16_t locate,
                    enum limit limit)
{
    struct figure figure = {scope, index, locate, limit, 0};
    if (engine_limit_use(rig->engine, scope, index, locate, limit, &figure.used))
        all->figure[all->count++] = figure;
    assert_true(all->count < sizeof all->figure / sizeof *all->figure);
}

static void look(const struct rig *rig, const struct rig_day *day, bool money, struct figures *all)
{
    static const enum limit limits[] = {LIMIT_DAY_QUANTITY, LIMIT_WORKING_ORDERS, LIMIT_GROSS_NOTIONAL,
                                        LIMIT_NET_NOTIONAL, LIMIT_DAY_VALUE};
    all->count = 0;
    for (unsigned i = 0; i < (money ? 5 : 2); i++) {
        for (uint16_t account = 0; account < ACCOUNTS; account++) {
            look_at(rig, all, SCOPE_ACCOUNT, account, 0, limits[i]);
            look_at(rig, all, SCOPE_FIRM, account, 0, limits[i]);
        }
        for (uint16_t session = 0; session < day->sessions; session++)
            look_at(rig, all, SCOPE_SESSION, session, 0, limits[i]);
    }
    for (uint16_t account = 0; account < ACCOUNTS; account++)
        for (uint16_t locate = 1; locate <= day->symbols; locate++) {
            look_at(rig, all, SCOPE_POSITION, account, locate, LIMIT_LONG_POSITION);
            look_at(rig, all, SCOPE_POSITION, account, locate, LIMIT_SHORT_POSITION);
        }
}

static uint64_t limit_of(const struct rig *rig, const struct figure *figure)
{
    uint64_t most = engine_limit(rig->engine, figure->scope, figure->index, figure->locate, figure->limit);
    if (figure->scope == SCOPE_POSITION) {
        uint64_t account = engine_limit(rig->engine, SCOPE_ACCOUNT, figure->index, 0, figure->limit);
        most = account < most ? account : most;
    }
    return most;
}

// Nothing has come above its limit that was not there before, and what was there has not grown.
static void assert_held(const struct rig *rig, const struct figures *before, const struct figures *after, uint64_t seed,
                        size_t at)
{
    for (unsigned i = 0; i < after->count; i++) {
        const struct figure *figure = &after->figure[i];
        uint64_t most = limit_of(rig, figure);
        if (figure->used > most && figure->used > before->figure[i].used)
            fail_msg("seed %llu, command %zu: limit %d of scope %d %u:%u is %llu, and %llu became %llu",
                     (unsigned long long)seed, at, figure->limit, figure->scope, figure->index, figure->locate,
                     (unsigned long long)most, (unsigned long long)before->figure[i].used,
                     (unsigned long long)figure->used);
    }
}

static unsigned refused_for_limits;
static unsigned alerts[128]; // by kind

static void count_alerts(const struct rig *rig)
{
    for (size_t i = 0; i < rig->count; i++)
        if (rig->events[i].type == EV_ALERT)
            alerts[rig->events[i].reason & 127]++;
}

static void play(uint64_t seed, unsigned kinds, bool money)
{
    struct command *commands = malloc(DAY_COMMANDS * sizeof *commands);
    struct rig_day day = day_of(seed, kinds);
    struct rig rig;
    uint64_t state = seed * 77;
    static struct figures before, after;
    flow_draw(seed, kinds, &day, commands, DAY_COMMANDS);
    rig_new(&rig, &day, 0);
    rig_opening(&day, open_with_positions, &(struct opening){&rig, &day, &state});
    for (size_t i = 0; i < DAY_COMMANDS; i++) {
        struct command c = draw_command(&state, &day, &commands[i]);
        if (money && (c.type == CMD_ENTER || c.type == CMD_REPLACE) && c.price > PRICE_MAX)
            continue;
        look(&rig, &day, money, &before);
        rig_step(&rig, &c);
        look(&rig, &day, money, &after);
        assert_held(&rig, &before, &after, seed, i);
        count_alerts(&rig);
        refused_for_limits += engine_limit_refused(rig.engine) != LIMITS;
        const char *broken = engine_check(rig.engine);
        if (broken)
            fail_msg("seed %llu, command %zu: %s", (unsigned long long)seed, i, broken);
    }
    rig_free(&rig);
    free(commands);
}

static void play_days(unsigned kinds, bool money, uint64_t usual)
{
    const char *seed = getenv("XW_SEED"), *days = getenv("XW_DAYS");
    refused_for_limits = 0;
    for (uint64_t i = 1; !seed && i <= (days ? strtoull(days, NULL, 0) : usual); i++)
        play(i, kinds, money);
    if (seed)
        play(strtoull(seed, NULL, 0), kinds, money);
    assert_true(refused_for_limits > 0);
    printf("%u orders were refused for a limit; alerts:", refused_for_limits);
    for (const char *kind = "ascekzrmd"; *kind; kind++)
        printf(" %c %u", *kind, alerts[(unsigned char)*kind]);
    printf("\n");
    for (const char *kind = "asekzrmd"; *kind && !seed && !days; kind++) // the days are not about nothing
        assert_true(alerts[(unsigned char)*kind] > 0);
}

static void no_order_brings_money_above_its_limit(void **state)
{
    (void)state;
    play_days(FLOW_PRICED, true, 60);
}

static void no_order_brings_shares_above_their_limit(void **state)
{
    (void)state;
    play_days(FLOW_ALL & ~(unsigned)FLOW_BREAK, false, 60);
}

// ---- snapshots

static void play_twins(uint64_t seed)
{
    struct rig_snapshot stream = {0}, again = {0};
    struct command *commands = malloc(DAY_COMMANDS * sizeof *commands);
    struct rig_day day = day_of(seed, FLOW_ALL);
    struct rig rig, twin;
    bool has_twin = false;
    uint64_t state = seed * 77;
    flow_draw(seed, FLOW_ALL, &day, commands, DAY_COMMANDS);
    rig_new(&rig, &day, 0);
    rig_opening(&day, open_with_positions, &(struct opening){&rig, &day, &state});
    for (size_t i = 0; i < DAY_COMMANDS; i++) {
        struct command c = draw_command(&state, &day, &commands[i]), same = c;
        if (i % 250 == 100 && snapshot_possible(rig.engine)) {
            rig_snapshot_take(&stream, i % 500 == 100 && has_twin ? twin.engine : rig.engine);
            if (has_twin)
                rig_free(&twin);
            rig_restore(&twin, &day, &stream);
            has_twin = true;
            rig_snapshot_take(&again, twin.engine);
            assert_int_equal(stream.count, again.count);
            assert_memory_equal(stream.records, again.records, stream.count * sizeof *stream.records);
        }
        rig_step(&rig, &c);
        if (!has_twin)
            continue;
        rig_step(&twin, &same);
        if (engine_event_hash(rig.engine) != engine_event_hash(twin.engine))
            fail_msg("seed %llu, command %zu: the restored engine says something else", (unsigned long long)seed, i);
    }
    assert_true(has_twin);
    rig_free(&rig);
    rig_free(&twin);
    free(stream.records);
    free(again.records);
    free(commands);
}

static void a_restored_engine_has_the_same_limits_and_positions(void **state)
{
    (void)state;
    const char *seed = getenv("XW_SEED"), *days = getenv("XW_DAYS");
    for (uint64_t i = 1; !seed && i <= (days ? strtoull(days, NULL, 0) : 60); i++)
        play_twins(i);
    if (seed)
        play_twins(strtoull(seed, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_order_brings_money_above_its_limit),
        cmocka_unit_test(no_order_brings_shares_above_their_limit),
        cmocka_unit_test(a_restored_engine_has_the_same_limits_and_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
