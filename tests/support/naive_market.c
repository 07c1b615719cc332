// SPDX-License-Identifier: Apache-2.0
// The plain venue's market: who trades, within which bands, and why not. Keeps every trade of the day and looks through
// all of them.
#include "tests/support/naive_market.h"

#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define DAY_MS 86400000u
#define MILLION UINT64_C(1000000)
#define HIGHEST 1999999900u

struct naive_market {
    char halt, halt_reason[4]; // the operator's; T none
    uint64_t pause_end;        // 0 none
    char pause_reason[4];
    char resume_reason[4];
    char told, told_reason[4];
    struct command bands; // CMD_BANDS; zero: none
    bool wide;
    uint32_t reference;
    uint64_t referenced_ns;
    bool in_force;
    uint32_t lower, upper, told_reference;
    char limit_side;
    uint64_t limit_since;
    bool tripped;
    char reg_sho;
    struct {
        uint64_t ns;
        uint32_t price;
    } * trades;
    size_t trades_count, trades_room;
    size_t mean_from, velocity_from; // trades before are forgotten
    uint32_t first;                  // trade that makes a reference, 0 none yet
};

static struct naive_market *market_of(const struct naive_venue *v, uint16_t locate)
{
    return v->symbols[locate].market;
}

void naive_market_open(struct naive_venue *v, uint16_t locate)
{
    struct naive_market *m = v->symbols[locate].market = calloc(1, sizeof *m);
    m->halt = m->told = 'T';
    m->upper = UINT32_MAX;
}

void naive_market_free(struct naive_venue *v, uint16_t locate)
{
    if (market_of(v, locate))
        free(market_of(v, locate)->trades);
    free(market_of(v, locate));
}

// ---- the state

static char state_of(const struct naive_venue *v, const struct naive_market *m, char reason[4])
{
    if (m->halt != 'T') {
        memcpy(reason, m->halt_reason, 4);
        return m->halt;
    }
    if (v->market_wide_end) {
        memcpy(reason, "MWC", 3);
        reason[3] = (char)('0' + v->market_wide_level);
        return 'H';
    }
    memcpy(reason, m->pause_end ? m->pause_reason : m->resume_reason, 4);
    return m->pause_end ? 'P' : 'T';
}

bool naive_halted(const struct naive_venue *v, uint16_t locate)
{
    char reason[4];
    return state_of(v, market_of(v, locate), reason) != 'T';
}

bool naive_stands_still(const struct naive_venue *v, uint16_t locate)
{
    return naive_halted(v, locate) || market_of(v, locate)->tripped;
}

static bool watched(const struct naive_market *m)
{
    return m->bands.bands.percent || m->bands.bands.velocity_percent;
}

static bool any_watched(const struct naive_venue *v)
{
    for (uint32_t locate = 1; locate <= v->last_locate; locate++)
        if (v->symbols[locate].open && watched(market_of(v, (uint16_t)locate)))
            return true;
    return false;
}

// ---- bands and orders

uint32_t naive_banded(const struct naive_venue *v, uint16_t locate, bool buys, uint32_t price)
{
    const struct naive_market *m = market_of(v, locate);
    if (!m->in_force)
        return price;
    return buys ? price > m->upper ? m->upper : price : price < m->lower ? m->lower : price;
}

bool naive_beyond(const struct naive_venue *v, uint16_t locate, bool buys, uint32_t price)
{
    return naive_banded(v, locate, buys, price) != price;
}

static bool restricted(struct naive_venue *v, const struct resting *o)
{
    const struct naive_market *m = market_of(v, o->locate);
    if (o->side != 'T' || (m->reg_sho != '1' && m->reg_sho != '2'))
        return false;
    if (o->type != 'L')
        return o->type == 'P' || (naive_has(&o->terms, 7) && o->terms.peg_offset > 0);
    return o->market || o->trigger || o->discretion || o->price <= naive_best(v, o->locate, true);
}

int naive_market_check(struct naive_venue *v, const struct resting *o)
{
    if (o->type == 'L' && !o->trigger && !o->market && naive_beyond(v, o->locate, naive_buys(o), o->price))
        return 0x21;
    return restricted(v, o) ? 0x23 : 0;
}

// ---- what is said

static struct event *say(struct naive_venue *v, enum event_type type, uint16_t locate)
{
    struct event *event = naive_event_add(v, type, 2);
    event->flags = EV_MD_OTHER;
    event->locate = locate;
    memcpy(event->market_symbol, v->symbols[locate].name, 8);
    return event;
}

static void say_alert(struct naive_venue *v, char kind, uint16_t locate, uint64_t before, uint64_t after, char reason)
{
    struct event *event = naive_event_add(v, EV_ALERT, 2);
    event->reason = kind;
    event->quantity = LIMITS;
    event->price = locate;
    event->locate = locate;
    event->alert_scope = locate ? SCOPE_SYMBOL : SCOPE_VENUE;
    event->alert_before = before;
    event->alert_after = after;
    event->alert_reason = reason;
}

void naive_market_say_state(struct naive_venue *v, uint16_t locate)
{
    struct naive_market *m = market_of(v, locate);
    struct event *event = say(v, EV_TRADING_ACTION, locate);
    m->told = state_of(v, m, m->told_reason);
    event->reason = m->told;
    memcpy(event->action_reason, m->told_reason, 4);
}

// ---- the parts of a look

static void set_reference(struct naive_venue *v, uint16_t locate, uint64_t price)
{
    struct naive_market *m = market_of(v, locate);
    uint64_t tick = v->symbols[locate].tick;
    uint64_t ticks = (2 * price + tick) / (2 * tick), most = HIGHEST / tick;
    m->reference = (uint32_t)((ticks == 0 ? 1 : ticks > most ? most : ticks) * tick);
    m->referenced_ns = v->now;
}

static void pause_it(struct naive_venue *v, struct naive_market *m, const char *reason)
{
    m->pause_end = v->now + m->bands.bands.pause_ms * MS;
    memcpy(m->pause_reason, reason, 4);
    m->velocity_from = m->trades_count;
}

static void renew_reference(struct naive_venue *v, uint16_t locate)
{
    struct naive_market *m = market_of(v, locate);
    uint64_t sum = 0, count = 0, at = v->now / (10 * SECOND);
    if (!watched(m) || v->phase != 'R' || naive_halted(v, locate) || m->told != 'T' || m->reference == 0 ||
        v->now - m->referenced_ns < 30 * SECOND)
        return;
    for (size_t i = m->mean_from; i < m->trades_count; i++)
        if (m->trades[i].ns / (10 * SECOND) + 29 >= at) {
            sum += m->trades[i].price;
            count++;
        }
    if (count == 0)
        return;
    uint64_t tick = v->symbols[locate].tick, mean = sum / count;
    uint64_t ticks = (2 * mean + tick) / (2 * tick);
    mean = (ticks ? ticks : 1) * tick;
    uint64_t away = mean > m->reference ? mean - m->reference : m->reference - mean;
    if (away * 100 >= m->reference)
        set_reference(v, locate, mean);
}

static void what_is_due(struct naive_venue *v, uint16_t locate, bool ten_seconds)
{
    struct naive_market *m = market_of(v, locate);
    if (m->pause_end && v->now >= m->pause_end) {
        m->pause_end = 0;
        memcpy(m->resume_reason, m->pause_reason, 4);
    }
    if (m->limit_side && v->now >= m->limit_since + m->bands.bands.limit_state_ms * MS) {
        set_reference(v, locate, m->limit_side == 'B' ? m->upper : m->lower);
        m->mean_from = m->trades_count;
        pause_it(v, m, "LUDP");
    }
    if (ten_seconds)
        renew_reference(v, locate);
}

// J when they are others. Returns whether they are.
static bool work_out_bands(struct naive_venue *v, uint16_t locate)
{
    struct naive_market *m = market_of(v, locate);
    const struct command *c = &m->bands;
    uint32_t was_lower = m->lower, was_upper = m->upper, was_reference = m->told_reference;
    bool was = m->in_force;
    m->in_force = v->phase == 'R' && c->bands.percent && m->reference;
    m->lower = 0;
    m->upper = UINT32_MAX;
    if (!m->in_force)
        return was;
    uint64_t percent = m->wide && c->bands.wide_percent ? c->bands.wide_percent : c->bands.percent;
    uint64_t tick = v->symbols[locate].tick, d = m->reference * percent / MILLION;
    uint64_t upper = (m->reference + d) / tick * tick, lower = (m->reference - d + tick - 1) / tick * tick;
    m->upper = (uint32_t)(upper > HIGHEST / tick * tick ? HIGHEST / tick * tick : upper);
    m->lower = (uint32_t)(lower < tick ? tick : lower);
    m->told_reference = m->reference;
    if (was && was_lower == m->lower && was_upper == m->upper && was_reference == m->reference)
        return false;
    struct event *event = say(v, EV_BAND, locate);
    event->price = m->reference;
    event->lower = m->lower;
    event->upper = m->upper;
    return true;
}

// Says it when it is another one. Returns whether the symbol trades again.
static bool tell_state(struct naive_venue *v, uint16_t locate, bool all)
{
    struct naive_market *m = market_of(v, locate);
    char reason[4], was = m->told, now = state_of(v, m, reason);
    if (v->day < 2 || (now == was && (now == 'T' || !memcmp(reason, m->told_reason, 4))))
        return false;
    naive_market_say_state(v, locate);
    if (now != was && !all && memcmp(reason, "MWC", 3) != 0)
        say_alert(v, 't', locate, (uint8_t)was, (uint8_t)now, 0);
    return now == 'T';
}

// The next order beyond the bands: displayed first, then buys, then the best price and its queue.
static struct resting *next_beyond(struct naive_venue *v, uint16_t locate)
{
    struct resting *next = NULL;
    for (size_t i = 0; i < v->live; i++) {
        struct resting *o = v->orders[i];
        if (o->locate != locate || !o->in_book || !naive_beyond(v, locate, naive_buys(o), o->price))
            continue;
        bool earlier = !next;
        if (next && o->displayed != next->displayed)
            earlier = o->displayed;
        else if (next && naive_buys(o) != naive_buys(next))
            earlier = naive_buys(o);
        else if (next && o->price != next->price)
            earlier = naive_buys(o) ? o->price > next->price : o->price < next->price;
        else if (next)
            earlier = o->since < next->since;
        next = earlier ? o : next;
    }
    return next;
}

static void clear_beyond(struct naive_venue *v, uint16_t locate)
{
    for (struct resting *o; (o = next_beyond(v, locate)) != NULL;)
        if (o->type != 'L') {
            o->in_book = false;
            o->price = o->asked;
            v->symbols[locate].touched = true;
        } else {
            naive_cancel_whole(v, o, 'K');
        }
}

static void find_limit_state(struct naive_venue *v, uint16_t locate)
{
    struct naive_market *m = market_of(v, locate);
    char side = 0, was = m->limit_side;
    if (m->in_force && !naive_halted(v, locate))
        side = naive_best(v, locate, true) == m->upper ? 'B' : naive_best(v, locate, false) == m->lower ? 'S' : 0;
    if (side == was)
        return;
    m->limit_side = side;
    m->limit_since = v->now;
    say_alert(v, 'l', locate, (uint8_t)was, (uint8_t)side, 0);
}

enum why { AFTERWORK, COMMAND, TICK, TEN_SECONDS };

// Returns whether pegs and stops have to be looked at again.
static bool look(struct naive_venue *v, uint16_t locate, enum why why)
{
    struct naive_market *m = market_of(v, locate);
    const struct command *c = v->command;
    bool all = c->type == CMD_HALT && c->halt.locate == LOCATE_NONE;
    if (why == TICK || why == TEN_SECONDS)
        what_is_due(v, locate, why == TEN_SECONDS);
    if (why == COMMAND && c->type == CMD_HALT) {
        if (c->halt.state == 'T')
            m->pause_end = 0;
        m->halt = c->halt.state;
        memcpy(c->halt.state == 'T' ? m->resume_reason : m->halt_reason, c->halt.reason, 4);
    }
    if (why != AFTERWORK)
        m->wide = v->now < m->bands.bands.wide_until_ns || v->now >= m->bands.bands.wide_from_ns;
    if (m->tripped) {
        m->tripped = false;
        pause_it(v, m, "T5  ");
    }
    if (m->first && !m->reference)
        set_reference(v, locate, m->first);
    m->first = 0;
    bool moved = work_out_bands(v, locate);
    bool again = tell_state(v, locate, all);
    clear_beyond(v, locate);
    find_limit_state(v, locate);
    if (moved || again)
        v->symbols[locate].touched = true;
    return moved;
}

static void look_at_all(struct naive_venue *v, enum why why)
{
    for (uint32_t locate = 1; locate <= v->last_locate; locate++)
        if (v->symbols[locate].open)
            look(v, (uint16_t)locate, why);
}

bool naive_market_after(struct naive_venue *v, uint16_t locate)
{
    return v->phase == 'R' && watched(market_of(v, locate)) && look(v, locate, AFTERWORK);
}

void naive_market_phase(struct naive_venue *v)
{
    if (any_watched(v))
        look_at_all(v, COMMAND);
}

void naive_market_tick(struct naive_venue *v)
{
    uint64_t at = v->now / (10 * SECOND) + 1;
    if (v->day != 2)
        return;
    if (v->market_wide_end && v->now >= v->market_wide_end) {
        v->market_wide_end = 0;
        say_alert(v, 't', 0, 'H', 'T', 0);
        for (uint32_t locate = 1; locate <= v->last_locate; locate++)
            if (v->symbols[locate].open)
                memcpy(market_of(v, (uint16_t)locate)->resume_reason, "MWCQ", 4);
    }
    look_at_all(v, at != v->ten_seconds ? TEN_SECONDS : TICK);
    if (any_watched(v))
        v->ten_seconds = at;
}

// ---- trades

void naive_market_trade(struct naive_venue *v, uint16_t locate, uint32_t price)
{
    struct naive_market *m = market_of(v, locate);
    const struct command *c = &m->bands;
    if (v->phase != 'R' || !watched(m))
        return;
    if (m->trades_count == m->trades_room) {
        m->trades_room = m->trades_room ? m->trades_room * 2 : 64;
        m->trades = realloc(m->trades, m->trades_room * sizeof *m->trades);
    }
    m->trades[m->trades_count].ns = v->now;
    m->trades[m->trades_count++].price = price;
    if (!m->first && c->bands.percent)
        m->first = price;
    if (c->bands.velocity_percent == 0)
        return;
    uint64_t eighth = c->bands.velocity_ms * MS / 8, low = price, high = price;
    for (size_t i = m->velocity_from; i < m->trades_count; i++) {
        if (m->trades[i].ns / eighth + 7 < v->now / eighth)
            continue;
        low = m->trades[i].price < low ? m->trades[i].price : low;
        high = m->trades[i].price > high ? m->trades[i].price : high;
    }
    if ((price - low) * MILLION > low * c->bands.velocity_percent ||
        (high - price) * MILLION > high * c->bands.velocity_percent)
        m->tripped = true;
}

// ---- commands

static void refer(struct naive_venue *v, const struct command *c)
{
    uint16_t locate = c->reference.locate;
    char sho = c->reference.reg_sho;
    if (!locate || !v->symbols[locate].open || c->reference.reference > HIGHEST || c->reference.tier > 2 ||
        c->reference.adv > UINT64_C(1000000000000) || (sho && !strchr("012", sho)))
        return;
    struct naive_market *m = market_of(v, locate);
    if (c->reference.adv)
        v->symbols[locate].adv = c->reference.adv;
    if (c->reference.reference) {
        v->symbols[locate].close = c->reference.reference;
        set_reference(v, locate, c->reference.reference);
        m->mean_from = m->trades_count;
    }
    if (sho && sho != m->reg_sho) {
        m->reg_sho = sho;
        say(v, EV_REG_SHO, locate)->reason = sho;
    }
    look(v, locate, COMMAND);
}

static void set_bands(struct naive_venue *v, const struct command *c)
{
    uint16_t locate = c->bands.locate;
    bool any = c->bands.percent || c->bands.velocity_percent;
    if (!locate || !v->symbols[locate].open || c->bands.percent > MILLION || c->bands.wide_percent > MILLION ||
        c->bands.velocity_percent > MILLION || c->bands.limit_state_ms > DAY_MS || c->bands.pause_ms > DAY_MS ||
        c->bands.velocity_ms > DAY_MS || (any && c->bands.pause_ms == 0) ||
        (c->bands.velocity_percent && c->bands.velocity_ms < 8))
        return;
    struct naive_market *m = market_of(v, locate);
    if (c->bands.velocity_ms != m->bands.bands.velocity_ms)
        m->velocity_from = m->trades_count;
    m->bands = *c;
    look(v, locate, COMMAND);
}

static void halt(struct naive_venue *v, const struct command *c)
{
    uint16_t locate = c->halt.locate;
    if (!c->halt.state || !strchr("THPQ", c->halt.state) || (locate && !v->symbols[locate].open))
        return;
    if (locate) {
        look(v, locate, COMMAND);
        return;
    }
    if (v->day == 2)
        say_alert(v, 't', 0, 0, (uint8_t)c->halt.state, 0);
    if (c->halt.state == 'T')
        v->market_wide_end = 0;
    look_at_all(v, COMMAND);
}

static void take_index(struct naive_venue *v, const struct command *c)
{
    static const uint32_t most[] = {UINT32_MAX, 9300, 8700, 8000};
    uint8_t level = c->index.breached;
    if (level > 3 || c->index.level > most[level])
        return;
    const uint64_t *declared = c->index.declared;
    if ((declared[0] || declared[1] || declared[2]) && memcmp(declared, v->declared, sizeof v->declared) != 0) {
        memcpy(v->declared, declared, sizeof v->declared);
        struct event *event = naive_event_add(v, EV_MARKET_WIDE, 2);
        event->flags = EV_MD_OTHER;
        memcpy(event->levels, declared, sizeof event->levels);
    }
    if (v->day != 2 || v->phase != 'R' || level <= v->breached)
        return;
    say_alert(v, 't', 0, v->breached, level, 'W');
    v->breached = level;
    struct event *event = naive_event_add(v, EV_MARKET_WIDE, 2);
    event->flags = EV_MD_OTHER;
    event->reason = (char)('0' + level);
    if (level < 3 && v->now >= c->index.last_ns)
        return;
    v->market_wide_level = level;
    v->market_wide_end = level == 3 ? UINT64_MAX : v->now + 900 * SECOND;
    look_at_all(v, COMMAND);
}

void naive_market_command(struct naive_venue *v, const struct command *c)
{
    if (v->day != 1 && v->day != 2)
        return;
    if (c->type == CMD_REFERENCE)
        refer(v, c);
    else if (c->type == CMD_BANDS)
        set_bands(v, c);
    else if (c->type == CMD_HALT)
        halt(v, c);
    else
        take_index(v, c);
}
