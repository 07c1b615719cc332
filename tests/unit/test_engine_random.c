// SPDX-License-Identifier: Apache-2.0
// Random streams through the engine and through the plainest venue there is: every event must be the same, field by
// field. A failure prints its seed; XW_SEED=n runs that seed alone, XW_COMMANDS=n sets the length.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/engine_rig.h"
#include "tests/support/naive_venue.h"

struct random {
    uint64_t state;
};

static uint32_t draw(struct random *r, uint32_t below)
{
    r->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = r->state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return (uint32_t)((z >> 32) * below >> 32);
}

static bool chance(struct random *r, uint32_t permille)
{
    return draw(r, 1000) < permille;
}

#define SESSIONS 5
#define SYMBOLS 3
#define REMEMBER 64

struct flow {
    struct random r;
    struct rig_day day;
    uint32_t next[SESSIONS][256];
    uint32_t recent[SESSIONS][REMEMBER]; // numbers used on the channel that goes with it
    uint8_t recent_channel[SESSIONS][REMEMBER];
    uint32_t centre[SYMBOLS + 1];
    unsigned wild; // permille of odd values
};

static uint8_t draw_channel(struct flow *f)
{
    return chance(&f->r, 850) ? 0 : (uint8_t[]){1, 7, 255}[draw(&f->r, 3)];
}

// A number above the last, with gaps of every size; seldom one that was used.
static uint32_t draw_number(struct flow *f, uint16_t session, uint8_t channel)
{
    uint32_t *next = &f->next[session][channel];
    if (chance(&f->r, 20) && *next)
        return draw(&f->r, 2) ? *next : draw(&f->r, *next);
    uint32_t gap = chance(&f->r, 10) ? 1 + draw(&f->r, 20000) : 1 + draw(&f->r, 3);
    *next += gap;
    unsigned at = draw(&f->r, REMEMBER);
    f->recent[session][at] = *next;
    f->recent_channel[session][at] = channel;
    return *next;
}

static uint32_t draw_price(struct flow *f, uint16_t locate)
{
    uint32_t tick = f->day.ticks[(locate - 1) % 4];
    if (chance(&f->r, f->wild))
        return (uint32_t[]){0,
                            1,
                            PRICE_MAX,
                            PRICE_MAX + 1,
                            PRICE_MARKET,
                            PRICE_MARKET_CROSS,
                            PRICE_INVALID,
                            f->centre[locate] * tick + 1}[draw(&f->r, 8)];
    if (chance(&f->r, 30))
        return (1 + draw(&f->r, PRICE_MAX / tick)) * tick; // anywhere
    if (chance(&f->r, 5))
        f->centre[locate] = 100 + draw(&f->r, 30000);
    int32_t away = (int32_t)draw(&f->r, 9) - 4;
    if (chance(&f->r, 100))
        away *= 20;
    return (f->centre[locate] + (uint32_t)away) * tick;
}

static uint32_t draw_quantity(struct flow *f)
{
    if (chance(&f->r, f->wild))
        return (uint32_t[]){0, 999999, 1000000, UINT32_MAX}[draw(&f->r, 4)];
    return 1 + draw(&f->r, chance(&f->r, 100) ? 5000 : 300);
}

static void draw_options(struct flow *f, struct command *c)
{
    struct random *r = &f->r;
    if (chance(r, 20)) {
        c->options |= OPTION(TAG_FIRM);
        memcpy(c->firm, (const char *[]){"ALFA", "BETA", "    ", "NONE"}[draw(r, 4)], 4);
    }
    if (chance(r, 20)) {
        c->options |= OPTION(TAG_CUSTOMER_TYPE);
        c->customer_type = "RN "[draw(r, 3)];
    }
    if (chance(r, 50) && c->type == CMD_ENTER) {
        c->options |= OPTION(TAG_GROUP_ID);
        c->group_id = (uint16_t)draw(r, 3);
    }
    if (chance(r, 20)) {
        c->options |= OPTION(TAG_SHARES_LOCATED);
        c->shares_located = "YN"[draw(r, 2)];
    }
    if (chance(r, 20)) {
        c->options |= OPTION(TAG_TRADE_NOW);
        c->trade_now = "YN "[draw(r, 3)];
    }
    if (chance(r, 10)) {
        c->options |= OPTION(TAG_LOCATE_BROKER);
        memcpy(c->locate_broker, "LOCB", 4);
    }
}

// Tags with the value that changes nothing, or with one that the engine refuses.
static void draw_refused_options(struct flow *f, struct command *c)
{
    struct random *r = &f->r;
    uint32_t some = draw(r, 2);
    switch (draw(r, 15)) {
    case 0:
        c->options |= OPTION(TAG_MIN_QTY);
        c->min_qty = some * 100;
        break;
    case 1:
        c->options |= OPTION(TAG_MAX_FLOOR);
        c->max_floor = some * 100;
        break;
    case 2:
        c->options |= OPTION(TAG_PRICE_TYPE);
        c->price_type = "LLPMRQm"[draw(r, 7)];
        break;
    case 3:
        c->options |= OPTION(TAG_PEG_OFFSET);
        c->peg_offset = -(int32_t)some;
        break;
    case 4:
        c->options |= OPTION(TAG_DISCRETION_PRICE);
        c->discretion_price = some;
        break;
    case 5:
        c->options |= OPTION(TAG_DISCRETION_PRICE_TYPE);
        c->discretion_price_type = "LP"[some];
        break;
    case 6:
        c->options |= OPTION(TAG_DISCRETION_PEG_OFFSET);
        c->discretion_peg_offset = (int32_t)some;
        break;
    case 7:
        c->options |= OPTION(TAG_POST_ONLY);
        c->post_only = "NP"[some];
        break;
    case 8:
        c->options |= OPTION(TAG_RANDOM_RESERVES);
        c->random_reserves = some;
        break;
    case 9:
        c->options |= OPTION(TAG_EXPIRE_TIME);
        c->expire_s = 10;
        break;
    case 10:
        c->options |= OPTION(TAG_HANDLE_INST);
        c->handle_inst = " IOTQBD"[draw(r, 7)];
        break;
    case 11:
        c->options |= OPTION(TAG_AIQ_STRATEGY);
        c->aiq_strategy = "N*YD"[draw(r, 4)];
        break;
    case 12:
        c->options |= OPTION(TAG_AIQ_GROUP);
        memcpy(c->aiq_group, "AB", 2);
        break;
    case 13:
        c->tif = "356E0"[draw(r, 5)];
        break;
    case 14:
        c->display = "NAYZ"[draw(r, 4)];
        c->iso = "YN"[draw(r, 2)];
        if (c->type == CMD_ENTER)
            c->cross = "NOCHSREA"[draw(r, 8)];
        break;
    }
}

static void draw_common(struct flow *f, struct command *c)
{
    c->tif = chance(&f->r, 100) ? '3' : '0';
    c->display = 'Y';
    c->iso = 'N';
    for (int i = 0; i < 14; i++)
        c->cl_ord_id[i] = (char)('A' + draw(&f->r, 26));
    if (chance(&f->r, 200))
        draw_options(f, c);
    if (chance(&f->r, f->wild))
        draw_refused_options(f, c);
    if (chance(&f->r, f->wild))
        c->refuse = (uint8_t)(1 + draw(&f->r, 0x33));
}

static void draw_enter(struct flow *f, struct command *c)
{
    uint16_t locate = (uint16_t)(1 + draw(&f->r, SYMBOLS));
    c->type = CMD_ENTER;
    c->user_ref = draw_number(f, c->session, c->user_ref_idx);
    c->locate = locate;
    rig_symbol(locate, c->symbol);
    c->side = "BBBSSTE"[draw(&f->r, 7)];
    if (chance(&f->r, f->wild))
        c->side = "QZ "[draw(&f->r, 3)];
    if (chance(&f->r, f->wild))
        c->locate = (uint16_t[]){0, SYMBOLS + 1, (uint16_t)(locate % SYMBOLS + 1), 65535}[draw(&f->r, 4)];
    c->quantity = draw_quantity(f);
    c->price = draw_price(f, locate);
    c->capacity = "APRO"[draw(&f->r, 4)];
    c->cross = 'N';
    draw_common(f, c);
}

static void draw_target(struct flow *f, struct command *c, uint32_t *user_ref)
{
    unsigned at = draw(&f->r, REMEMBER);
    *user_ref = f->recent[c->session][at];
    c->user_ref_idx = f->recent_channel[c->session][at];
    if (chance(&f->r, f->wild))
        c->user_ref_idx ^= 1;
}

static void draw_message(struct flow *f, struct command *c)
{
    struct random *r = &f->r;
    uint32_t kind = draw(r, 1000);
    if (kind < 480) {
        draw_enter(f, c);
    } else if (kind < 640) {
        c->type = CMD_REPLACE;
        draw_target(f, c, &c->orig_user_ref);
        c->user_ref = draw_number(f, c->session, c->user_ref_idx);
        c->quantity = draw_quantity(f) + (chance(r, 500) ? 200 : 0);
        c->price = draw_price(f, (uint16_t)(1 + draw(r, SYMBOLS)));
        draw_common(f, c);
        if (chance(r, 50)) {
            c->options |= OPTION(TAG_SIDE);
            c->side = "BSTE"[draw(r, 4)];
        }
    } else if (kind < 900) {
        c->type = CMD_CANCEL;
        draw_target(f, c, &c->user_ref);
        c->quantity = chance(r, 600) ? 0 : draw(r, 400);
        c->refuse = chance(r, f->wild) ? 0x0F : 0;
    } else if (kind < 980) {
        c->type = CMD_MODIFY;
        draw_target(f, c, &c->user_ref);
        c->quantity = chance(r, 50) ? 0 : draw(r, 600);
        c->side = "BSTE"[draw(r, 4)];
        c->refuse = chance(r, f->wild) ? 0x0F : 0;
        draw_options(f, c);
    } else if (kind < 988) {
        c->type = CMD_QUERY;
    } else {
        c->type = kind < 994 ? CMD_MASS_CANCEL : kind < 995 ? CMD_DISABLE : CMD_ENABLE;
        c->user_ref = draw_number(f, c->session, c->user_ref_idx);
        memcpy(c->firm, (const char *[]){"ALFA", "BETA", "    "}[draw(r, 3)], 4);
        memset(c->symbol, ' ', 8);
        if (c->type == CMD_MASS_CANCEL && chance(r, 800)) {
            c->locate = (uint16_t)(1 + draw(r, SYMBOLS));
            rig_symbol(c->locate, c->symbol);
            if (chance(r, 100))
                c->locate = 0;
        }
        if (c->type == CMD_MASS_CANCEL && chance(r, 500)) {
            c->options |= OPTION(TAG_GROUP_ID);
            c->group_id = (uint16_t)draw(r, 3);
        }
        if (c->type == CMD_MASS_CANCEL && chance(r, 500)) {
            c->options |= OPTION(TAG_SIDE);
            c->side = "BSTE"[draw(r, 4)];
        }
        c->refuse = chance(r, f->wild) ? 0x0C : 0;
    }
}

static void draw_command(struct flow *f, struct command *c)
{
    memset(c, 0, sizeof *c);
    c->session = (uint16_t)draw(&f->r, SESSIONS);
    if (chance(&f->r, 4)) {
        static const uint8_t types[] = {CMD_SESSION_DOWN, CMD_TICK,  CMD_CLOCK, CMD_OPEN_DAY,
                                        CMD_OPEN_SYMBOL,  CMD_START, 99};
        unsigned pick = draw(&f->r, 20);
        c->type = pick < sizeof types ? types[pick] : CMD_SESSION_UP;
        if (c->type == CMD_OPEN_SYMBOL)
            c->open_symbol.locate = 1;
        return;
    }
    if (chance(&f->r, 1))
        c->session = SESSIONS; // not opened
    else
        c->user_ref_idx = draw_channel(f);
    if (c->session == SESSIONS) {
        c->type = CMD_QUERY;
        return;
    }
    draw_message(f, c);
}

struct pair {
    struct rig rig;
    struct naive_venue *naive;
    uint64_t seed;
    uint64_t commands;
};

static void compare(struct pair *pair, struct command *c)
{
    rig_step(&pair->rig, c);
    size_t count;
    const struct event *want = naive_step(pair->naive, c, &count);
    const char *what = NULL;
    size_t i = 0;
    for (; i < count && i < pair->rig.count && !what; i++)
        what = event_difference(&want[i], &pair->rig.events[i]);
    if (!what && count != pair->rig.count)
        what = "number of events";
    if (!what && (int)naive_outcome(pair->naive) != (int)engine_outcome(pair->rig.engine))
        what = "outcome";
    if (!what && naive_live_orders(pair->naive) != engine_live_orders(pair->rig.engine))
        what = "number of live orders";
    if (what)
        fail_msg(
            "seed %llu, command %llu of type %u: %s differs (event %zu; naive %zu events, engine %zu; outcome %d, %d)",
            (unsigned long long)pair->seed, (unsigned long long)c->seq, c->type, what, i, count, pair->rig.count,
            (int)naive_outcome(pair->naive), (int)engine_outcome(pair->rig.engine));
    pair->commands++;
}

static void compare_opening(void *context, struct command *c)
{
    compare(context, c);
}

static void check(const struct pair *pair)
{
    const char *broken = engine_check(pair->rig.engine);
    if (broken)
        fail_msg("seed %llu, after %llu commands: %s", (unsigned long long)pair->seed,
                 (unsigned long long)pair->commands, broken);
}

// Plays one day of `commands` random commands. `check_every`: commands between two walks over the engine's invariants.
static void play(uint64_t seed, uint64_t commands, unsigned check_every, struct rig_day day)
{
    struct flow *f = calloc(1, sizeof *f);
    f->r.state = seed;
    f->day = day;
    f->wild = 5 + draw(&f->r, 30);
    for (uint16_t locate = 1; locate <= SYMBOLS; locate++)
        f->centre[locate] = 1000;
    struct pair pair = {.seed = seed, .naive = naive_new()};
    rig_new(&pair.rig, &day, 0);
    rig_opening(&day, compare_opening, &pair);
    struct command c;
    for (uint64_t i = 0; i < commands; i++) {
        draw_command(f, &c);
        compare(&pair, &c);
        if (i % check_every == 0)
            check(&pair);
    }
    c = (struct command){.type = CMD_END_DAY, .session = SESSION_NONE};
    compare(&pair, &c);
    check(&pair);
    assert_int_equal(engine_live_orders(pair.rig.engine), 0);
    rig_free(&pair.rig);
    naive_free(pair.naive);
    free(f);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

static const struct rig_day plain_day = {.max_orders = 4096,
                                         .max_levels = 2048,
                                         .symbols = SYMBOLS,
                                         .sessions = SESSIONS,
                                         .ticks = {100, 1, 50, 5000},
                                         .core = 2,
                                         .lookup_key = 77};

static void a_million_random_commands_give_the_naive_venues_events(void **state)
{
    (void)state;
    uint64_t seed = setting("XW_SEED", 0);
    uint64_t commands = setting("XW_COMMANDS", 100000);
    for (uint64_t i = seed ? seed : 1; i <= (seed ? seed : 11); i++)
        play(i, commands, 20000, plain_day);
}

static void invariants_hold_after_every_command(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed <= 104; seed++)
        play(seed, 5000, 1, plain_day);
}

static void tiny_tables_reject_as_the_naive_venue_does(void **state)
{
    (void)state;
    struct rig_day tiny = plain_day;
    for (uint64_t seed = 201; seed <= 220; seed++) {
        tiny.max_orders = 5 + (uint32_t)seed % 30;
        tiny.max_levels = 2 + (uint32_t)seed % 13;
        play(seed, 5000, 100, tiny);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_random_commands_give_the_naive_venues_events),
        cmocka_unit_test(invariants_hold_after_every_command),
        cmocka_unit_test(tiny_tables_reject_as_the_naive_venue_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
