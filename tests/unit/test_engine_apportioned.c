// SPDX-License-Identifier: Apache-2.0
// Credit that is apportioned over two matching cores: random days on both, commands of the two in any order, limits
// that change on the way and reach one core before the other. What an account and a firm come to on both together is
// never above the whole limit, but for what was there when it was lowered.
//   XW_SEED=n that day alone    XW_DAYS=n how many days
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/limits/rules.h"
#include "tests/support/engine_rig.h"
#include "tests/support/random_flow.h"
#include "tests/unit/limits_venue.h"

#define CORES 2
#define DAY_COMMANDS 1500

// Orders whose price bounds what they can cost.
#define FLOW_PRICED (FLOW_HIDDEN | FLOW_ATTRIBUTED | FLOW_RESERVE | FLOW_MINIMUM | FLOW_POST_ONLY | FLOW_AIQ | FLOW_ISO)

static const struct {
    enum limit limit;
    uint64_t most;
} limits[] = {{LIMIT_GROSS_NOTIONAL, 600000000},
              {LIMIT_NET_NOTIONAL, 400000000},
              {LIMIT_DAY_QUANTITY, 60000},
              {LIMIT_DAY_VALUE, 800000000},
              {LIMIT_WORKING_ORDERS, 60}};
#define ROWS (sizeof limits / sizeof limits[0])

static const enum scope scopes[] = {SCOPE_ACCOUNT, SCOPE_FIRM}; // of index 0: both have sessions on both cores
#define SCOPES (sizeof scopes / sizeof scopes[0])

static uint64_t draw(uint64_t *state, uint64_t below)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % below;
}

struct credit {
    uint64_t whole; // LIMIT_UNSET none
    struct command told[CORES];
    bool due[CORES];       // that core has still to be told
    uint64_t there[CORES]; // what was above its part when that was set, and is still there
};

struct venue {
    struct rig rig[CORES];
    struct credit credit[SCOPES][ROWS];
    uint64_t state, seed;
    size_t at;
};

static struct limits_venue who;
static unsigned refused, tight; // orders; steps after which less than a twentieth of a limit was left

static uint64_t used(const struct venue *v, unsigned core, unsigned scope, unsigned row)
{
    uint64_t use = 0;
    assert_true(engine_limit_use(v->rig[core].engine, scopes[scope], 0, LOCATE_NONE, limits[row].limit, &use));
    return use;
}

// The parts of the whole come to the whole.
static void draw_whole(struct venue *v, unsigned scope, unsigned row)
{
    struct credit *credit = &v->credit[scope][row];
    struct limits_rule rule = {.key = limits_key(RULE_LIMIT, scopes[scope], 0, 0, limits[row].limit),
                               .value = 1 + draw(&v->state, limits[row].most)};
    struct limits_shares shares = {.scope = (uint8_t)scopes[scope], .percent = {(uint8_t)draw(&v->state, 101)}};
    shares.percent[1] = (uint8_t)(100 - shares.percent[0]);
    bool equal = draw(&v->state, 2);
    uint64_t sum = 0;
    for (unsigned core = 0; core < CORES; core++) {
        struct limits_rule part = limits_part(&who, &rule, equal ? NULL : &shares, core);
        credit->told[core] = limits_command(&who, &part);
        credit->due[core] = true;
        sum += part.value;
    }
    credit->whole = rule.value;
    assert_true(sum == rule.value);
}

static void tell(struct venue *v, unsigned core)
{
    for (unsigned scope = 0; scope < SCOPES; scope++)
        for (unsigned row = 0; row < ROWS; row++) {
            struct credit *credit = &v->credit[scope][row];
            if (!credit->due[core])
                continue;
            struct command c = credit->told[core];
            rig_step(&v->rig[core], &c);
            credit->due[core] = false;
            credit->there[core] = used(v, core, scope, row);
        }
}

static void check(struct venue *v, unsigned scope, unsigned row)
{
    struct credit *credit = &v->credit[scope][row];
    uint64_t total = 0, most = 0;
    bool known = true;
    for (unsigned core = 0; core < CORES; core++) {
        uint64_t use = used(v, core, scope, row);
        uint64_t part = engine_limit(v->rig[core].engine, scopes[scope], 0, LOCATE_NONE, limits[row].limit);
        credit->there[core] = use < credit->there[core] ? use : credit->there[core];
        known &= part != LIMIT_UNSET && !credit->due[core];
        total += use;
        most += part > credit->there[core] ? part : credit->there[core];
    }
    if (!known)
        return;
    tight += total <= credit->whole && total > credit->whole - credit->whole / 20;
    if (total > (most > credit->whole ? most : credit->whole))
        fail_msg("seed %llu, command %zu: limit %d of scope %d is %llu, and both cores together have %llu",
                 (unsigned long long)v->seed, v->at, limits[row].limit, scopes[scope],
                 (unsigned long long)credit->whole, (unsigned long long)total);
}

static void play(uint64_t seed)
{
    static struct command commands[CORES][DAY_COMMANDS];
    struct venue v = {.state = seed * 31, .seed = seed};
    struct rig_day day = flow_day(seed, FLOW_PRICED);
    size_t next[CORES] = {0};
    day.max_positions = 64;
    day.accounts = 4;
    for (unsigned core = 0; core < CORES; core++) {
        flow_draw(seed + 1000000 * core, FLOW_PRICED, &day, commands[core], DAY_COMMANDS);
        rig_open(&v.rig[core], &day);
    }
    while (next[0] < DAY_COMMANDS - 1 || next[1] < DAY_COMMANDS - 1) { // the last one ends the day
        unsigned core = (unsigned)draw(&v.state, CORES);
        core = next[core] < DAY_COMMANDS - 1 ? core : 1 - core;
        struct command *c = &commands[core][next[core]++];
        v.at++;
        if (draw(&v.state, 40) == 0)
            draw_whole(&v, (unsigned)draw(&v.state, SCOPES), (unsigned)draw(&v.state, ROWS));
        if (draw(&v.state, 10) == 0)
            tell(&v, (unsigned)draw(&v.state, CORES));
        if ((c->type == CMD_ENTER || c->type == CMD_REPLACE) && c->price > PRICE_MAX)
            continue;
        rig_step(&v.rig[core], c);
        refused += engine_limit_refused(v.rig[core].engine) != LIMITS;
        for (unsigned i = 0; i < SCOPES * ROWS; i++)
            check(&v, i / ROWS, i % ROWS);
    }
    for (unsigned core = 0; core < CORES; core++) {
        assert_null(engine_check(v.rig[core].engine));
        rig_free(&v.rig[core]);
    }
}

static void two_cores_together_never_come_above_the_whole_limit(void **state)
{
    (void)state;
    const char *seed = getenv("XW_SEED"), *days = getenv("XW_DAYS");
    struct config *config = load_venue("");
    assert_true(limits_venue_init(&who, config));
    for (uint64_t i = 1; !seed && i <= (days ? strtoull(days, NULL, 0) : 60); i++)
        play(i);
    if (seed)
        play(strtoull(seed, NULL, 0));
    printf("%u orders were refused for a limit; %u times hardly anything was left of one\n", refused, tight);
    assert_true(seed || (refused > 100 && tight > 100)); // the days are not about nothing
    limits_venue_free(&who);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_cores_together_never_come_above_the_whole_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
