// SPDX-License-Identifier: Apache-2.0
// Random days with halts, bands, velocity and market-wide halts in between, judged by what the feed says alone: no
// trade outside of the bands, none of a symbol that is not trading, no order accepted there. The engine's own
// invariants are walked all the time.
//   XW_SEED=n that day alone    XW_DAYS=n how many days
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/engine_rig.h"
#include "tests/support/market_flow.h"
#include "tests/support/scenario.h"

#define DAY_COMMANDS 3000
#define SYMBOLS_MOST 4

// What a reader of the feed knows of a symbol.
struct known {
    char state;
    uint32_t lower, upper;
};

static struct {
    struct known symbols[SYMBOLS_MOST + 1];
    unsigned trades, banded, halted, refused, moved, limit_states;
    char regular;
} feed;

static void forget_bands(void)
{
    for (unsigned i = 0; i <= SYMBOLS_MOST; i++) {
        feed.symbols[i].lower = 0;
        feed.symbols[i].upper = UINT32_MAX;
    }
}

static const char *judge(const struct event *e)
{
    struct known *known = &feed.symbols[e->locate];
    switch (e->type) {
    case EV_TRADING_ACTION:
        known->state = e->reason;
        feed.halted += e->reason != 'T';
        break;
    case EV_BAND:
        known->lower = e->lower;
        known->upper = e->upper;
        feed.moved++;
        break;
    case EV_SYSTEM: // bands are of regular hours
        if (e->reason == 'M' || e->reason == 'Q')
            forget_bands();
        break;
    case EV_ALERT:
        feed.limit_states += e->reason == ALERT_LIMIT_STATE;
        break;
    case EV_TRADE:
        if (e->ref == 0) // of an adjustment: at whatever price the operator says
            break;
        feed.trades++;
        feed.banded += known->upper != UINT32_MAX;
        if (known->state != 'T')
            return "a trade of a symbol that is not trading";
        if (e->price < known->lower || e->price > known->upper)
            return "a trade outside of the bands";
        break;
    case EV_ACCEPTED:
    case EV_REPLACED:
    case EV_BOOK_ADD:
    case EV_PRIORITY:
        if (known->state != 'T')
            return "an order of a symbol that is not trading";
        break;
    case EV_REJECTED:
        feed.refused += (uint8_t)e->reason == 0x07 || (uint8_t)e->reason == 0x21 || (uint8_t)e->reason == 0x23;
        break;
    }
    return NULL;
}

static void step(void *context, struct command *c)
{
    struct rig *rig = context;
    rig_step(rig, c);
    for (size_t i = 0; i < rig->count; i++) {
        const char *wrong = judge(&rig->events[i]);
        char text[256];
        scenario_event_text(&rig->events[i], text, sizeof text);
        if (wrong)
            fail_msg("%s: %s", wrong, text);
    }
}

// Bands that are told with a velocity alone in force are none.
static void play(uint64_t seed)
{
    static struct command commands[DAY_COMMANDS];
    struct rig_day day = flow_day(seed, FLOW_ALL);
    struct rig rig;
    forget_bands();
    flow_draw(seed, FLOW_ALL, &day, commands, DAY_COMMANDS);
    market_flow(seed, &day, commands, DAY_COMMANDS);
    rig_new(&rig, &day, 0);
    rig_opening(&day, step, &rig);
    for (size_t i = 0; i < DAY_COMMANDS; i++) {
        struct command c = commands[i];
        if (c.type == CMD_BANDS && c.bands.percent == 0) // tells nobody that there are none any more
            feed.symbols[c.bands.locate] = (struct known){feed.symbols[c.bands.locate].state, 0, UINT32_MAX};
        step(&rig, &c);
        const char *broken = engine_check(rig.engine);
        if (broken)
            fail_msg("seed %llu, command %zu: %s", (unsigned long long)seed, i, broken);
    }
    rig_free(&rig);
}

static void nothing_trades_outside_of_the_bands_or_while_halted(void **state)
{
    (void)state;
    const char *seed = getenv("XW_SEED"), *days = getenv("XW_DAYS");
    uint64_t first = seed ? strtoull(seed, NULL, 0) : 1;
    uint64_t count = seed ? 1 : days ? strtoull(days, NULL, 0) : 150;
    for (uint64_t i = 0; i < count; i++)
        play(first + i);
    printf("%u trades, %u of them in bands that %u messages told; %u halts and pauses, %u limit states, %u refusals\n",
           feed.trades, feed.banded, feed.moved, feed.halted, feed.limit_states, feed.refused);
    assert_true(seed || days ||
                (feed.trades > 10000 && feed.banded > 1000 && feed.halted > 100 && feed.limit_states > 100 &&
                 feed.refused > 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_trades_outside_of_the_bands_or_while_halted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
