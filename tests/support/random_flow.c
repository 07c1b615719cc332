// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_flow.h"

#include <string.h>

#include "contract/assert.h"

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

static char pick(struct random *r, const char *from)
{
    return from[draw(r, (uint32_t)strlen(from))];
}

#define SESSIONS 6
#define SYMBOLS 3
#define REMEMBER 12
#define KINDS 13

struct flow {
    struct random r;
    const struct rig_day *day;
    unsigned kinds;
    uint32_t next[SESSIONS][256];
    struct command recent[SESSIONS][REMEMBER]; // the last orders entered and replaced
    unsigned recent_at[SESSIONS];
    uint32_t centre[SYMBOLS + 1];
    uint32_t taste[KINDS]; // permille of each kind
    uint32_t tastes;
    uint32_t usual;    // quantities go up to it
    uint32_t wild;     // permille of odd values
    uint32_t drifting; // permille of the centre's moves
    uint32_t ioc, market, patient;
    uint64_t time_ns;
    uint64_t done, count;
    char phase;
};

unsigned flow_kinds(const char *names)
{
    static const char *const known[] = {"hidden",     "attributed", "reserve", "minimum", "postonly", "peg",
                                        "discretion", "stop",       "time",    "aiq",     "break",    "odd",
                                        "iso",        "kill",       "all",     "none"};
    unsigned kinds = 0;
    while (*names) {
        size_t length = strcspn(names, ","), i = 0;
        while (i < sizeof known / sizeof known[0] &&
               (strlen(known[i]) != length || strncmp(known[i], names, length) != 0))
            i++;
        xw_assert(i < sizeof known / sizeof known[0]);
        kinds |= i == KINDS + 1 ? FLOW_ALL | FLOW_KILL : i == KINDS + 2 ? 0 : 1u << i;
        names += length + (names[length] == ',');
    }
    return kinds;
}

// ---- the day
// ---------------------------------------------------------------------------------------------------------

struct rig_day flow_day(uint64_t seed, unsigned kinds)
{
    struct random r = {seed ^ UINT64_C(0xD1B54A32D192ED03)};
    struct rig_day day = {.max_orders = 100 + draw(&r, 200),
                          .max_levels = 600,
                          .symbols = SYMBOLS,
                          .sessions = SESSIONS,
                          .accounts = 4,
                          .ticks = {100, 1, 25, 5000},
                          .core = (uint8_t)draw(&r, 3),
                          .lookup_key = 77,
                          .max_special = 512,
                          .max_conditional = 512,
                          .max_trades = chance(&r, 200) ? 50 : 4096,
                          .seed = draw(&r, UINT32_MAX),
                          .phase = 'R'};
    if (chance(&r, 250)) { // tables that fill
        day.max_orders = 4 + draw(&r, 40);
        day.max_levels = 3 + draw(&r, 20);
        day.max_special = 2 + draw(&r, 20);
        day.max_conditional = 1 + draw(&r, 12);
    }
    if (kinds & FLOW_TIME)
        day.phase = pick(&r, "PRRRRRRA");
    if (kinds & FLOW_POST_ONLY)
        day.post_only_cancels = draw(&r, 1 << SESSIONS);
    for (int i = 0; i < SESSIONS && kinds & FLOW_AIQ; i++)
        day.aiq_default[i] = chance(&r, 800) ? "N*\0"[draw(&r, 3)] : pick(&r, "YDOWRydowrZEPXS01245");
    return day;
}

static void set_tastes(struct flow *f)
{
    for (int i = 0; i < KINDS; i++) {
        if (f->kinds >> i & 1)
            f->taste[i] = chance(&f->r, 500) ? draw(&f->r, 60) : chance(&f->r, 500) ? draw(&f->r, 400) : 0;
        f->tastes += f->taste[i];
    }
    if (chance(&f->r, 100)) // a day of one kind
        for (int i = 0, only = (int)draw(&f->r, KINDS); i < KINDS; i++)
            if (i != only)
                f->taste[i] /= 8;
    f->wild = chance(&f->r, 500) ? draw(&f->r, 8) : draw(&f->r, 40);
    f->usual = chance(&f->r, 300) ? 12 : chance(&f->r, 500) ? 100 : 600;
    f->drifting = chance(&f->r, 300) ? 100 : draw(&f->r, 10);
    f->ioc = draw(&f->r, 200);
    f->market = draw(&f->r, 50);
    f->patient = draw(&f->r, 800);
    for (uint16_t locate = 1; locate <= SYMBOLS; locate++)
        f->centre[locate] = chance(&f->r, 100) ? 3 + draw(&f->r, 5) : 1000; // the lowest prices now and then
}

// ---- values
// ----------------------------------------------------------------------------------------------------------

static bool tempted(struct flow *f, unsigned kind)
{
    return chance(&f->r, f->taste[__builtin_ctz(kind)]);
}

static uint8_t draw_channel(struct flow *f)
{
    return chance(&f->r, 900) ? 0 : (uint8_t[]){1, 7, 255}[draw(&f->r, 3)];
}

// A number above the last, with gaps of every size; seldom one that was used.
static uint32_t draw_number(struct flow *f, uint16_t session, uint8_t channel)
{
    uint32_t *next = &f->next[session][channel];
    if (chance(&f->r, 10) && *next)
        return draw(&f->r, 2) ? *next : draw(&f->r, *next);
    *next += chance(&f->r, 10) ? 1 + draw(&f->r, 20000) : 1 + draw(&f->r, 3);
    return *next;
}

static uint32_t tick_of(const struct flow *f, uint16_t locate)
{
    return f->day->ticks[(locate - 1) % 4];
}

static uint32_t near_price(struct flow *f, uint16_t locate, int32_t least, int32_t most)
{
    int64_t ticks = (int64_t)f->centre[locate] + least + (int64_t)draw(&f->r, (uint32_t)(most - least + 1));
    return (uint32_t)(ticks < 1 ? 1 : ticks) * tick_of(f, locate);
}

static uint32_t draw_price(struct flow *f, uint16_t locate, char side)
{
    uint32_t tick = tick_of(f, locate);
    if (chance(&f->r, f->wild / 4))
        return (uint32_t[]){0,
                            1,
                            PRICE_MAX,
                            PRICE_MAX / tick * tick,
                            PRICE_MAX + 1,
                            PRICE_MARKET,
                            PRICE_MARKET_CROSS,
                            PRICE_INVALID,
                            f->centre[locate] * tick + 1}[draw(&f->r, 9)];
    if (chance(&f->r, 5))
        return (1 + draw(&f->r, PRICE_MAX / tick)) * tick; // anywhere
    if (chance(&f->r, f->drifting))
        f->centre[locate] += draw(&f->r, 5) - (f->centre[locate] > 3 ? 2 : 0);
    if (chance(&f->r, 1))
        f->centre[locate] = 3 + draw(&f->r, 30000);
    if (chance(&f->r, 50))
        return near_price(f, locate, -40, 40);
    if (chance(&f->r, f->patient)) // away from the contra side
        return side == 'B' ? near_price(f, locate, -6, 0) : near_price(f, locate, 0, 6);
    return near_price(f, locate, -4, 4);
}

static uint32_t draw_quantity(struct flow *f)
{
    if (chance(&f->r, f->wild / 4))
        return (uint32_t[]){0, 999999, 1000000, UINT32_MAX}[draw(&f->r, 4)];
    return 1 + draw(&f->r, chance(&f->r, 100) ? f->usual * 8 : f->usual);
}

// ---- terms of an order
// -----------------------------------------------------------------------------------------------

static void draw_echoed(struct flow *f, struct command *c)
{
    struct random *r = &f->r;
    if (chance(r, 20)) {
        c->options |= OPTION(TAG_FIRM);
        memcpy(c->firm, (const char *[]){"ALFA", "BETA", "    ", "NONE"}[draw(r, 4)], 4);
    }
    if (chance(r, 20)) {
        c->options |= OPTION(TAG_CUSTOMER_TYPE);
        c->customer_type = pick(r, "RN ");
    }
    if (chance(r, 50) && c->type == CMD_ENTER) {
        c->options |= OPTION(TAG_GROUP_ID);
        c->group_id = (uint16_t)draw(r, 3);
    }
    if (chance(r, 20)) {
        c->options |= OPTION(TAG_SHARES_LOCATED);
        c->shares_located = pick(r, "YN");
    }
    if (chance(r, 20)) {
        c->options |= OPTION(TAG_TRADE_NOW);
        c->trade_now = pick(r, "YN ");
    }
    if (chance(r, 10)) {
        c->options |= OPTION(TAG_LOCATE_BROKER);
        memcpy(c->locate_broker, "LOCB", 4);
    }
}

static int32_t draw_offset(struct flow *f, uint32_t tick)
{
    return chance(&f->r, 400) ? 0 : ((int32_t)draw(&f->r, 9) - 4) * (int32_t)tick;
}

static void ask_minimum(struct flow *f, struct command *c)
{
    c->options |= OPTION(TAG_MIN_QTY);
    c->min_qty = chance(&f->r, 400) ? c->quantity : 1 + draw(&f->r, c->quantity + chance(&f->r, 20));
    if (chance(&f->r, 500))
        c->tif = '3';
    else if (!chance(&f->r, 30))
        c->display = 'N';
}

static void ask_reserve(struct flow *f, struct command *c)
{
    c->options |= OPTION(TAG_MAX_FLOOR);
    c->max_floor = 1 + draw(&f->r, chance(&f->r, 900) ? c->quantity / 4 + 1 : c->quantity + 5);
    c->quantity += draw(&f->r, f->usual);
    if (chance(&f->r, 400)) {
        c->options |= OPTION(TAG_RANDOM_RESERVES);
        c->random_reserves = draw(&f->r, c->max_floor + chance(&f->r, 30));
    }
}

static void ask_peg(struct flow *f, struct command *c, uint32_t tick)
{
    c->options |= OPTION(TAG_PRICE_TYPE);
    c->price_type = pick(&f->r, "RPMm");
    if (chance(&f->r, 400))
        c->price = PRICE_MARKET;
    if (c->price_type == 'R' || c->price_type == 'P') {
        c->options |= OPTION(TAG_PEG_OFFSET);
        c->peg_offset = draw_offset(f, tick);
    }
    c->tif = chance(&f->r, 100) ? '3' : c->tif;
    if (chance(&f->r, 200)) {
        c->options |= OPTION(TAG_MIN_QTY);
        c->min_qty = 1 + draw(&f->r, c->quantity);
    }
}

static void ask_discretion(struct flow *f, struct command *c, uint32_t tick)
{
    bool up = c->side == 'B' || (c->side == 0 && draw(&f->r, 2));
    uint32_t step = (1 + draw(&f->r, 5)) * tick;
    c->options |= OPTION(TAG_DISCRETION_PRICE_TYPE);
    c->discretion_price_type = pick(&f->r, "LLLPMR");
    if (c->discretion_price_type == 'L' || chance(&f->r, 300)) {
        c->options |= OPTION(TAG_DISCRETION_PRICE);
        c->discretion_price = up ? c->price + step : c->price > step ? c->price - step : tick;
    }
    if (c->discretion_price_type != 'L' && chance(&f->r, 700)) {
        c->options |= OPTION(TAG_DISCRETION_PEG_OFFSET);
        c->discretion_peg_offset = draw_offset(f, tick);
    }
    if (c->tif == '3' && !chance(&f->r, 20))
        c->tif = '0';
}

static void ask_stop(struct flow *f, struct command *c, uint16_t locate, uint32_t tick)
{
    bool trail = chance(&f->r, 400);
    c->options |= OPTION(trail ? TAG_TRAIL_AMOUNT : TAG_STOP_PRICE);
    c->trigger = trail ? (1 + draw(&f->r, 5)) * tick : near_price(f, locate, -4, 4);
    if (chance(&f->r, 300))
        c->price = PRICE_MARKET;
    if (chance(&f->r, 10))
        c->options |= OPTION(TAG_STOP_PRICE) | OPTION(TAG_TRAIL_AMOUNT);
}

static void ask_time(struct flow *f, struct command *c)
{
    c->tif = pick(&f->r, f->phase == 'R' ? "55666" : "556663E");
    if (chance(&f->r, 20))
        c->tif = pick(&f->r, "56E0");
    if (c->tif == '6' && !(c->type == CMD_REPLACE && chance(&f->r, 400)) && !chance(&f->r, 20)) {
        c->options |= OPTION(TAG_EXPIRE_TIME);
        c->expire_s = draw(&f->r, chance(&f->r, 900) ? 20 : 86400);
    }
}

static void ask_aiq(struct flow *f, struct command *c)
{
    c->options |= OPTION(TAG_AIQ_STRATEGY);
    const char *often = chance(&f->r, 500) ? "YDOWR" : "ZEPXS";
    c->aiq_strategy = chance(&f->r, 500) ? pick(&f->r, often) : pick(&f->r, "YDOWRydowrZEPXS01245N*");
    if (chance(&f->r, strchr("ZEPXS", c->aiq_strategy) ? 900 : 500)) {
        c->options |= OPTION(TAG_AIQ_GROUP);
        memcpy(c->aiq_group, (const char *[]){"AB", "CD", "  "}[draw(&f->r, 3)], 2);
    }
}

// One option with any value, whatever the others are.
static void ask_odd(struct flow *f, struct command *c, uint32_t tick)
{
    struct random *r = &f->r;
    uint32_t some = draw(r, 3) * (chance(r, 800) ? tick : 1);
    unsigned tag = (unsigned[]){3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 29, 30, 0, 1, 2}[draw(r, 19)];
    if (tag > 2)
        c->options |= OPTION(tag);
    switch (tag) {
    case 0:
        c->tif = pick(r, "0356E1");
        break;
    case 1:
        c->display = pick(r, "NAYZ");
        c->iso = pick(r, "YN");
        break;
    case 2:
        c->cross = c->type == CMD_ENTER ? pick(r, "NNOCHSREA") : 0;
        break;
    case TAG_MIN_QTY:
        c->min_qty = some;
        break;
    case TAG_MAX_FLOOR:
        c->max_floor = some;
        break;
    case TAG_PRICE_TYPE:
        c->price_type = pick(r, "LLPMRQm");
        break;
    case TAG_PEG_OFFSET:
        c->peg_offset = -(int32_t)some;
        break;
    case TAG_DISCRETION_PRICE:
        c->discretion_price = chance(r, 100) ? PRICE_MAX + 1 : some;
        break;
    case TAG_DISCRETION_PRICE_TYPE:
        c->discretion_price_type = pick(r, "LPMR");
        break;
    case TAG_DISCRETION_PEG_OFFSET:
        c->discretion_peg_offset = (int32_t)some;
        break;
    case TAG_POST_ONLY:
        c->post_only = pick(r, "NP");
        break;
    case TAG_RANDOM_RESERVES:
        c->random_reserves = some;
        break;
    case TAG_EXPIRE_TIME:
        c->expire_s = 10;
        break;
    case TAG_HANDLE_INST:
        c->handle_inst = pick(r, "    IOTQBD");
        break;
    case TAG_STOP_PRICE:
    case TAG_TRAIL_AMOUNT:
        c->trigger = chance(r, 100) ? PRICE_MAX + 1 : some;
        break;
    case TAG_AIQ_STRATEGY:
        c->aiq_strategy = pick(r, "N*YDq");
        break;
    case TAG_AIQ_GROUP:
        memcpy(c->aiq_group, "AB", 2);
    }
}

static void draw_terms(struct flow *f, struct command *c, uint16_t locate)
{
    uint32_t tick = tick_of(f, locate);
    if (tempted(f, FLOW_HIDDEN))
        c->display = 'N';
    if (tempted(f, FLOW_ATTRIBUTED))
        c->display = 'A';
    if (tempted(f, FLOW_ISO))
        c->iso = 'Y';
    if (tempted(f, FLOW_RESERVE))
        ask_reserve(f, c);
    else if (tempted(f, FLOW_MINIMUM))
        ask_minimum(f, c);
    else if (tempted(f, FLOW_PEG))
        ask_peg(f, c, tick);
    else if (tempted(f, FLOW_DISCRETION))
        ask_discretion(f, c, tick);
    else if (tempted(f, FLOW_STOP))
        ask_stop(f, c, locate, tick);
    else if (tempted(f, FLOW_POST_ONLY)) {
        c->options |= OPTION(TAG_POST_ONLY);
        c->post_only = 'P';
        c->tif = c->tif == '3' ? '0' : c->tif;
    }
    if (tempted(f, FLOW_TIME) || (f->phase != 'R' && c->tif == '0' && chance(&f->r, 950)))
        ask_time(f, c);
    if (tempted(f, FLOW_AIQ))
        ask_aiq(f, c);
    for (uint32_t i = 0; i < 3 && tempted(f, FLOW_ODD); i++)
        ask_odd(f, c, tick);
}

// Sends the default of an option, which ends what an original had.
static void drop_term(struct flow *f, struct command *c)
{
    static const uint8_t tags[] = {TAG_MIN_QTY,
                                   TAG_MAX_FLOOR,
                                   TAG_PRICE_TYPE,
                                   TAG_PEG_OFFSET,
                                   TAG_POST_ONLY,
                                   TAG_RANDOM_RESERVES,
                                   TAG_DISCRETION_PRICE,
                                   TAG_DISCRETION_PRICE_TYPE,
                                   TAG_DISCRETION_PEG_OFFSET,
                                   TAG_AIQ_STRATEGY};
    for (size_t i = 0; i < sizeof tags; i++) {
        if (!chance(&f->r, 300) || c->options & OPTION(tags[i]))
            continue;
        c->options |= OPTION(tags[i]);
        c->price_type = tags[i] == TAG_PRICE_TYPE ? 'L' : c->price_type;
        c->post_only = tags[i] == TAG_POST_ONLY ? 'N' : c->post_only;
        c->discretion_price_type = tags[i] == TAG_DISCRETION_PRICE_TYPE ? 'L' : c->discretion_price_type;
        c->aiq_strategy = tags[i] == TAG_AIQ_STRATEGY ? 'N' : c->aiq_strategy;
    }
}

static void draw_common(struct flow *f, struct command *c)
{
    c->tif = chance(&f->r, f->ioc) ? '3' : '0';
    c->display = 'Y';
    c->iso = 'N';
    if (chance(&f->r, f->market))
        c->price = draw(&f->r, 2) ? PRICE_MARKET : PRICE_MARKET_CROSS;
    for (int i = 0; i < 14; i++)
        c->cl_ord_id[i] = (char)('A' + draw(&f->r, 26));
    if (chance(&f->r, 200))
        draw_echoed(f, c);
    if (chance(&f->r, f->wild / 2))
        c->refuse = (uint8_t)(1 + draw(&f->r, 0x33));
}

static void remember(struct flow *f, const struct command *c)
{
    f->recent[c->session][f->recent_at[c->session]++ % REMEMBER] = *c;
}

static void draw_enter(struct flow *f, struct command *c)
{
    uint16_t locate = (uint16_t)(1 + draw(&f->r, SYMBOLS));
    c->type = CMD_ENTER;
    c->user_ref = draw_number(f, c->session, c->user_ref_idx);
    c->locate = locate;
    rig_symbol(locate, c->symbol);
    c->side = pick(&f->r, "BBBBSSTE");
    c->quantity = draw_quantity(f);
    c->price = draw_price(f, locate, c->side);
    c->capacity = pick(&f->r, "APRO");
    c->cross = 'N';
    draw_common(f, c);
    draw_terms(f, c, locate);
    if (chance(&f->r, f->wild / 2))
        c->side = pick(&f->r, "QZ ");
    if (chance(&f->r, f->wild / 2))
        c->locate = (uint16_t[]){0, SYMBOLS + 1, (uint16_t)(locate % SYMBOLS + 1), 65535}[draw(&f->r, 4)];
    remember(f, c);
}

// A recent order of the session, as its last message said it.
static const struct command *draw_target(struct flow *f, struct command *c)
{
    const struct command *target = &f->recent[c->session][draw(&f->r, REMEMBER)];
    c->user_ref_idx = target->user_ref_idx;
    if (chance(&f->r, f->wild))
        c->user_ref_idx ^= 1;
    return target;
}

static void draw_replace(struct flow *f, struct command *c)
{
    const struct command *target = draw_target(f, c);
    uint16_t locate = target->locate >= 1 && target->locate <= SYMBOLS ? target->locate : 1;
    c->type = CMD_REPLACE;
    c->orig_user_ref = target->user_ref;
    c->user_ref = draw_number(f, c->session, c->user_ref_idx);
    c->quantity = draw_quantity(f) + (chance(&f->r, 600) ? target->quantity : 0);
    c->price = draw_price(f, locate, target->side);
    draw_common(f, c);
    c->display = target->display ? target->display : 'Y';
    if (chance(&f->r, 800) && target->tif)
        c->tif = target->tif;
    if (chance(&f->r, 300)) {
        draw_terms(f, c, locate);
    } else if (chance(&f->r, 300)) {
        drop_term(f, c);
        c->display = chance(&f->r, 500) ? 'Y' : c->display;
    }
    if (c->tif == '6' && !(c->options & OPTION(TAG_EXPIRE_TIME)) && chance(&f->r, 500)) {
        c->options |= OPTION(TAG_EXPIRE_TIME);
        c->expire_s = draw(&f->r, 20);
    }
    if (chance(&f->r, 50)) {
        c->options |= OPTION(TAG_SIDE);
        c->side = pick(&f->r, "BSTE");
    }
    struct command known = *c; // with symbol and side, for the next replace
    known.locate = locate;
    known.side = target->side;
    remember(f, &known);
}

static void draw_reduction(struct flow *f, struct command *c, bool modify)
{
    const struct command *target = draw_target(f, c);
    c->type = modify ? CMD_MODIFY : CMD_CANCEL;
    c->user_ref = target->user_ref;
    c->quantity = chance(&f->r, modify ? 50 : 300) ? 0 : draw(&f->r, target->quantity % 1000000 + 2);
    c->refuse = chance(&f->r, f->wild / 2) ? 0x0F : 0;
    if (!modify)
        return;
    c->side = target->side ? chance(&f->r, 500) ? target->side : pick(&f->r, "BSTE") : pick(&f->r, "BSTE");
    draw_echoed(f, c);
}

static void draw_firm_wide(struct flow *f, struct command *c)
{
    struct random *r = &f->r;
    c->type = chance(r, 500) ? CMD_MASS_CANCEL : chance(r, 30) ? CMD_DISABLE : CMD_ENABLE;
    c->user_ref = draw_number(f, c->session, c->user_ref_idx);
    memcpy(c->firm, (const char *[]){"ALFA", "BETA", "    "}[draw(r, 3)], 4);
    memset(c->symbol, ' ', 8);
    c->refuse = chance(r, f->wild) ? 0x0C : 0;
    if (c->type != CMD_MASS_CANCEL)
        return;
    if (chance(r, 800)) {
        c->locate = (uint16_t)(1 + draw(r, SYMBOLS));
        rig_symbol(c->locate, c->symbol);
        if (chance(r, 100))
            c->locate = 0;
    }
    if (chance(r, 500)) {
        c->options |= OPTION(TAG_GROUP_ID);
        c->group_id = (uint16_t)draw(r, 3);
    }
    if (chance(r, 500)) {
        c->options |= OPTION(TAG_SIDE);
        c->side = pick(r, "BSTE");
    }
}

static void draw_message(struct flow *f, struct command *c)
{
    uint32_t kind = draw(&f->r, 1000);
    if (kind < 620)
        draw_enter(f, c);
    else if (kind < 760)
        draw_replace(f, c);
    else if (kind < 900)
        draw_reduction(f, c, false);
    else if (kind < 980)
        draw_reduction(f, c, true);
    else if (kind < 985)
        c->type = CMD_QUERY;
    else
        draw_firm_wide(f, c);
}

// ---- what does not come from a client
// --------------------------------------------------------------------------------

static void draw_phase(struct flow *f, struct command *c)
{
    static const char order[] = "PRAX";
    c->type = CMD_PHASE;
    c->session = SESSION_NONE;
    c->phase.phase = chance(&f->r, 300) ? pick(&f->r, "PRAX?") : strchr(order, f->phase)[f->phase == 'X' ? 0 : 1];
    if (c->phase.phase == 'X' && f->done * 10 < f->count * 9 && !chance(&f->r, 50)) // closed, little happens
        c->phase.phase = 'P';
    const char *to = strchr(order, c->phase.phase);
    if (to && to > strchr(order, f->phase))
        f->phase = c->phase.phase;
}

static void draw_break(struct flow *f, struct command *c)
{
    bool adjust = chance(&f->r, 400);
    c->type = adjust ? CMD_ADJUST : CMD_BREAK;
    c->session = SESSION_NONE;
    c->trade.match = (((uint64_t)f->day->core + 1) << 40) + draw(&f->r, (uint32_t)f->done / 2 + 5);
    c->trade.reason = adjust ? 0 : pick(&f->r, "ECSXE?");
    c->trade.price = chance(&f->r, 100) ? PRICE_MAX + draw(&f->r, 2) : draw(&f->r, 20000);
    c->trade.quantity = chance(&f->r, 100) ? draw(&f->r, 2000000) : draw(&f->r, 500);
    memcpy(c->trade.taker_cl_ord_id, "TAKER         ", 14);
    memcpy(c->trade.maker_cl_ord_id, "MAKER         ", 14);
}

// Often enough that scopes overlap, and resets more often, so that there is a market.
static void draw_kill(struct flow *f, struct command *c)
{
    c->type = chance(&f->r, 350) ? CMD_KILL : CMD_RESET;
    c->session = SESSION_NONE;
    c->kill.scope = (uint8_t)(SCOPE_VENUE + draw(&f->r, 5));
    c->kill.index = (uint16_t)draw(&f->r, SESSIONS + 1);
    c->kill.side = chance(&f->r, 10) ? 'X' : chance(&f->r, 400) ? pick(&f->r, "BS") : 0;
    c->kill.actions = chance(&f->r, 500) ? KILL_BLOCK | KILL_CANCEL : (uint8_t)draw(&f->r, 5);
    c->kill.source = chance(&f->r, 500) ? 0 : (uint8_t)draw(&f->r, 9);
    c->kill.id = f->done;
}

static bool draw_other(struct flow *f, struct command *c)
{
    if (f->kinds & FLOW_KILL && chance(&f->r, 12)) {
        draw_kill(f, c);
        return true;
    }
    if (f->kinds & FLOW_TIME && chance(&f->r, 30)) {
        c->type = CMD_TICK;
        c->session = SESSION_NONE;
        f->time_ns += draw(&f->r, 1500000000);
        c->time_ns = f->time_ns;
        return true;
    }
    if (f->kinds & FLOW_TIME && draw(&f->r, 2000) == 0) {
        draw_phase(f, c);
        return true;
    }
    if (tempted(f, FLOW_BREAK) && chance(&f->r, 100)) {
        draw_break(f, c);
        return true;
    }
    if (!chance(&f->r, 4))
        return false;
    static const uint8_t types[] = {CMD_SESSION_DOWN, CMD_TICK,  CMD_CLOCK, CMD_OPEN_DAY,
                                    CMD_OPEN_SYMBOL,  CMD_START, 99};
    unsigned which = draw(&f->r, 20);
    c->type = which < sizeof types ? types[which] : CMD_SESSION_UP;
    if (c->type == CMD_OPEN_SYMBOL)
        c->open_symbol.locate = 1;
    if (c->type == CMD_SESSION_DOWN)
        c->link.down_reason = (uint8_t)draw(&f->r, DOWN_SHUTDOWN + 1);
    return true;
}

static void draw_command(struct flow *f, struct command *c)
{
    memset(c, 0, sizeof *c);
    c->session = (uint16_t)draw(&f->r, SESSIONS);
    if (draw_other(f, c))
        return;
    if (chance(&f->r, 1)) {
        c->session = SESSIONS; // not opened
        c->type = CMD_QUERY;
        return;
    }
    c->user_ref_idx = draw_channel(f);
    draw_message(f, c);
}

void flow_draw(uint64_t seed, unsigned kinds, const struct rig_day *day, struct command *commands, size_t count)
{
    struct flow f = {.r = {seed}, .day = day, .kinds = kinds, .phase = day->phase, .time_ns = 1000000, .count = count};
    set_tastes(&f);
    for (f.done = 0; f.done + 1 < count; f.done++)
        draw_command(&f, &commands[f.done]);
    commands[count - 1] = (struct command){.type = CMD_END_DAY, .session = SESSION_NONE};
}
