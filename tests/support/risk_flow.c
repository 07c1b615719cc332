// SPDX-License-Identifier: Apache-2.0
#include "tests/support/risk_flow.h"

#include <string.h>

#define MS UINT64_C(1000000)
#define BEFORE 16 // commands before the start
#define LAST 8    // sessions whose last Enter is remembered

struct taste {
    uint64_t state;
    const struct rig_day *day;
    uint32_t rows[8]; // of the table, that this day is about
    unsigned rows_count;
    uint32_t often, generous; // permille of commands, of values that are larger
    uint32_t passing;         // permille of commands before which time passes
    uint64_t pace_ns;
    uint32_t alike; // permille of Enters that are as the one before
};

static uint64_t draw(uint64_t *state, uint64_t below)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % below;
}

static const struct {
    enum limit limit;
    unsigned kind;
    const char *scopes;
    uint64_t least, most; // of a tight one
} table[] = {{LIMIT_MAX_QUANTITY, RISK_SUMS, "FASY", 0, 400},
             {LIMIT_MAX_NOTIONAL, RISK_SUMS, "FASY", 0, 40000000},
             {LIMIT_FAT_FINGER, RISK_SUMS, "FASY", 0, 10000},
             {LIMIT_FAT_FINGER_TICKS, RISK_SUMS, "FASY", 0, 10},
             {LIMIT_COLLAR, RISK_SUMS, "VFASY", 0, 10000},
             {LIMIT_GROSS_NOTIONAL, RISK_SUMS | RISK_LOSSES, "FA", 0, 400000000},
             {LIMIT_NET_NOTIONAL, RISK_SUMS | RISK_LOSSES, "FA", 0, 200000000},
             {LIMIT_LONG_POSITION, RISK_SUMS, "AP", 0, 2000},
             {LIMIT_SHORT_POSITION, RISK_SUMS, "AP", 0, 2000},
             {LIMIT_DAY_QUANTITY, RISK_SUMS | RISK_LOSSES, "FAS", 0, 60000},
             {LIMIT_DAY_VALUE, RISK_SUMS | RISK_LOSSES, "FAS", 0, 3000000000},
             {LIMIT_WORKING_ORDERS, RISK_SUMS | RISK_LOSSES, "FAS", 0, 40},
             {LIMIT_ADV, RISK_SUMS, "FA", 0, 1000000},
             {LIMIT_CAPITAL, RISK_SUMS | RISK_LOSSES, "FA", 0, 1000000000},
             {LIMIT_POSITION_SHARE, RISK_SUMS, "A", 0, 500000},
             {LIMIT_FORBIDDEN, RISK_SUMS, "VFASY", 0, 0},
             {LIMIT_ORDER_RATE, RISK_RATES, "S", 1, 2000},
             {LIMIT_ORDER_BURST, RISK_RATES, "S", 1, 8},
             {LIMIT_SYMBOL_RATE, RISK_RATES, "Y", 1, 4000},
             {LIMIT_MESSAGE_RATE, RISK_RATES, "S", 1, 2000},
             {LIMIT_DUPLICATES, RISK_RATES, "AS", 0, 4},
             {LIMIT_DUPLICATE_MS, RISK_RATES, "AS", 1, 300},
             {LIMIT_REPEATED_EXECUTIONS, RISK_RATES, "A", 0, 8},
             {LIMIT_REPEATED_MS, RISK_RATES, "A", 1, 100},
             {LIMIT_MMP_FILLS, RISK_RATES, "S", 0, 5},
             {LIMIT_MMP_QUANTITY, RISK_RATES, "S", 0, 1500},
             {LIMIT_MMP_MS, RISK_RATES, "S", 1, 100},
             {LIMIT_LOSS, RISK_LOSSES, "FA", 0, 30000000},
             {LIMIT_DRAWDOWN, RISK_LOSSES, "FA", 0, 200000},
             {LIMIT_CORRELATION, RISK_LOSSES, "A", 0, 1000000},
             {LIMIT_ALERT, RISK_SUMS | RISK_RATES | RISK_LOSSES, "VFA", 0, 1000000},
             {LIMIT_SLOW, RISK_LOSSES, "VFA", 0, 1000000},
             {LIMIT_SLOW_RATE, RISK_LOSSES, "VFA", 1, 300}};

#define ROWS (sizeof table / sizeof table[0])

void risk_flow_day(uint64_t seed, struct rig_day *day)
{
    uint64_t state = seed ^ UINT64_C(0x7269736B);
    day->max_positions = draw(&state, 5) == 0 ? 1 + (uint32_t)draw(&state, 10) : 64;
}

static uint32_t row_of(enum limit limit)
{
    uint32_t row = 0;
    while (table[row].limit != limit)
        row++;
    return row;
}

static void set_taste(struct taste *t, unsigned kinds)
{
    t->rows_count = 0;
    while (t->rows_count < sizeof t->rows / sizeof t->rows[0]) {
        uint32_t row = (uint32_t)draw(&t->state, ROWS);
        if (table[row].kind & kinds)
            t->rows[t->rows_count++] = row;
    }
    if (kinds & RISK_LOSSES && draw(&t->state, 2)) { // a day of slowing
        t->rows[0] = t->rows[3] = row_of(LIMIT_SLOW);
        t->rows[1] = t->rows[4] = row_of(LIMIT_SLOW_RATE);
        t->rows[2] = t->rows[5] =
            row_of((enum limit[]){LIMIT_GROSS_NOTIONAL, LIMIT_NET_NOTIONAL, LIMIT_DAY_QUANTITY, LIMIT_DAY_VALUE,
                                  LIMIT_WORKING_ORDERS, LIMIT_LOSS, LIMIT_CAPITAL}[draw(&t->state, 7)]);
    }
    t->alike = kinds & RISK_RATES ? (uint32_t)draw(&t->state, 300) : 0;
    t->often = 5 + (uint32_t)draw(&t->state, 60);
    t->generous = (uint32_t)draw(&t->state, 700);
    t->passing = (uint32_t)draw(&t->state, 500);
    t->pace_ns = MS << draw(&t->state, 5);
}

// A scope that the letter names, seldom one that there is not.
static void draw_scope(struct taste *t, struct command *c, char letter)
{
    static const char letters[] = "?VFASYP";
    uint64_t *state = &t->state;
    uint64_t most = letter == 'S' ? t->day->sessions : letter == 'Y' ? t->day->symbols : t->day->accounts;
    c->limit.scope = (uint8_t)(strchr(letters, letter) - letters);
    c->limit.index = (uint16_t)((letter == 'Y') + draw(state, draw(state, 50) ? most : most + 2));
    c->limit.locate = letter == 'P' ? (uint16_t)(1 + draw(state, t->day->symbols)) : LOCATE_NONE;
}

static uint64_t draw_value(struct taste *t, uint32_t row)
{
    uint64_t *state = &t->state, least = table[row].least, most = table[row].most;
    if (draw(state, 4) == 0)
        return LIMIT_UNSET;
    if (table[row].limit == LIMIT_FORBIDDEN)
        return t->day->phase == PHASE_PRE && draw(state, 2) ? FORBID_PRE_MARKET
               : draw(state, 3)                             ? UINT64_C(1) << draw(state, FORBID_BITS + 1)
                                                            : 0;
    if (draw(state, 100) == 0)
        return (uint64_t[]){0,
                            1,
                            LIMIT_MOST_MONEY,
                            LIMIT_MOST_QUANTITY,
                            LIMIT_MOST_RATE,
                            LIMIT_MOST_RATE + 1,
                            LIMIT_MOST_MONEY + 1,
                            LIMIT_MOST_MS + 1,
                            LIMIT_MOST_PPM + 1,
                            LIMIT_UNSET - 1}[draw(state, 10)];
    if (table[row].limit == LIMIT_ORDER_RATE && draw(state, 4) == 0) // a token comes back in as long as a command takes
        return 10000000 + draw(state, 90000000);
    if (least == 1 && table[row].limit != LIMIT_DUPLICATE_MS) // rates and windows: of every size
        most >>= draw(state, 11);
    if (most < least)
        most = least;
    if (draw(state, 1000) < t->generous && most <= LIMIT_MOST_PPM)
        most *= 10;
    return least + draw(state, most - least + 1);
}

static void draw_limit(struct taste *t, struct command *c)
{
    uint32_t row = draw(&t->state, 3) ? t->rows[draw(&t->state, t->rows_count)] : (uint32_t)draw(&t->state, ROWS);
    c->type = CMD_LIMIT;
    c->limit.limit = draw(&t->state, 200) ? (uint8_t)table[row].limit : (uint8_t)(LIMITS + draw(&t->state, 3));
    draw_scope(t, c, table[row].scopes[draw(&t->state, strlen(table[row].scopes))]);
    if (draw(&t->state, 60) == 0)
        draw_scope(t, c, "VFASYP"[draw(&t->state, 6)]);
    c->limit.value = draw_value(t, row);
}

static void draw_mode(struct taste *t, struct command *c)
{
    uint64_t *state = &t->state;
    c->type = CMD_MODE;
    c->mode.mode = (uint8_t)(draw(state, 3) * 50);
    c->mode.on = draw(state, 3) == 0;
    c->mode.percent = draw(state, 20) ? 50 + (uint32_t)draw(state, 52) : (uint32_t)draw(state, 30);
    c->mode.rate = draw(state, 2) ? 1 + (uint32_t)draw(state, 2000) : 0;
    c->mode.block = draw(state, 8) == 0;
}

static void draw_reference(struct taste *t, struct command *c)
{
    uint64_t *state = &t->state;
    c->type = CMD_REFERENCE;
    c->reference.locate = (uint16_t)(1 + draw(state, t->day->symbols));
    c->reference.adv = draw(state, 2) ? draw(state, 40000) : 0;
    if (draw(state, 2))
        c->reference.reference = (uint32_t)(990 + draw(state, 21)) * t->day->ticks[(c->reference.locate - 1) % 4];
}

static void draw_kill(struct taste *t, struct command *c)
{
    uint64_t *state = &t->state;
    c->type = draw(state, 8) ? CMD_RESET : CMD_KILL;
    c->kill.scope = (uint8_t)(draw(state, 4) ? SCOPE_FIRM + draw(state, 2) : SCOPE_VENUE + draw(state, 5));
    c->kill.index = (uint16_t)draw(state, t->day->accounts + 1u);
    c->kill.actions = (uint8_t)(1 + draw(state, 3));
    c->kill.source = (uint8_t)(draw(state, 2) ? 0 : KILL_BY_LIMIT);
    c->kill.id = draw(state, 1000);
}

static void draw_position(struct taste *t, struct command *c)
{
    uint64_t *state = &t->state;
    int64_t sign = draw(state, 2) ? 1 : -1;
    c->type = CMD_POSITION;
    c->position.account = (uint16_t)draw(state, t->day->accounts);
    c->position.locate = (uint16_t)(1 + draw(state, t->day->symbols));
    c->position.quantity = sign * (int64_t)draw(state, draw(state, 20) ? 1500 : 2000000000000);
    c->position.cost = draw(state, 30) ? sign * (int64_t)draw(state, 100000000) : -sign * (int64_t)draw(state, 3);
    if (draw(state, 30) == 0)
        c->position.cost *= 9999999999;
}

static void draw_risk(struct taste *t, unsigned kinds, struct command *c)
{
    uint64_t time_ns = c->time_ns, *state = &t->state;
    *c = (struct command){.session = SESSION_NONE, .time_ns = time_ns};
    uint32_t which = (uint32_t)draw(state, 100);
    if (which < 55)
        draw_limit(t, c);
    else if (which < 60 && kinds & RISK_LOSSES)
        draw_mode(t, c);
    else if (which < 65) {
        c->type = CMD_GROUP;
        c->group.locate = (uint16_t)(draw(state, 30) ? 1 + draw(state, t->day->symbols) : draw(state, 9));
        c->group.group = (uint16_t)(draw(state, 20) ? draw(state, 3) : draw(state, 40));
    } else if (which < 70)
        draw_reference(t, c);
    else if (which < 85)
        draw_kill(t, c);
    else
        c->type = CMD_TICK;
}

// Makes the Enter one of the same kind as the one before of its session.
static void make_alike(struct taste *t, struct command *c, struct command *last)
{
    if (c->session >= t->day->sessions)
        return;
    struct command *of = &last[c->session % LAST];
    if (of->type == CMD_ENTER && draw(&t->state, 1000) < t->alike) {
        memcpy(c->symbol, of->symbol, sizeof c->symbol);
        c->locate = of->locate;
        c->side = of->side;
        c->quantity = of->quantity;
        c->price = of->price;
    }
    *of = *c;
}

void risk_flow(uint64_t seed, unsigned kinds, const struct rig_day *day, struct command *commands, size_t count)
{
    struct taste t = {.state = seed ^ UINT64_C(0x7269736B00), .day = day};
    struct command last[LAST] = {0};
    uint64_t now_ns = 0;
    set_taste(&t, kinds);
    size_t before = draw(&t.state, BEFORE);
    for (size_t i = 0; i + 1 < count; i++) {
        struct command *c = &commands[i];
        if (i < before) {
            draw_risk(&t, kinds, c);
            if (i % 2 || i + 1 == before) {
                *c = (struct command){.session = SESSION_NONE};
                draw_position(&t, c);
            }
            continue;
        }
        if (draw(&t.state, 1000) < t.often)
            draw_risk(&t, kinds, c);
        if (c->type == CMD_ENTER)
            make_alike(&t, c, last);
        now_ns = c->time_ns > now_ns ? c->time_ns : now_ns;
        if (draw(&t.state, 1000) < t.passing)
            c->time_ns = now_ns += draw(&t.state, t.pace_ns);
    }
}
