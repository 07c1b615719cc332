// SPDX-License-Identifier: Apache-2.0
#include "engine/market.h"

#include "engine/alert.h"
#include "engine/bands.h"

#define WALK_MAX 2048u // symbols that a step looks at before it pauses
#define LOOK_EVENTS 4  // of one symbol, cancels aside
#define LIMIT_EVENTS 1
#define ADV_MAX UINT64_C(1000000000000) // shares: times a million it stays below 2^63
#define MS_NS UINT64_C(1000000)
#define INTERVAL_NS UINT64_C(10000000000)
#define MARKET_WIDE_NS UINT64_C(900000000000) // 15 minutes

// Why a symbol is looked at. Pauses and limit states end, and bands are widened, by ticks and commands alone.
enum market_look { LOOK_AFTER, LOOK_COMMAND, LOOK_HALT, LOOK_TICK };

struct engine_price engine_price(const struct engine *e, uint16_t locate)
{
    if (locate == LOCATE_NONE || locate > e->limit.max_symbols)
        return (struct engine_price){0};
    return (struct engine_price){e->books[locate].last_trade, e->markets[locate].close};
}

// ---- checks ---------------------------------------------------------------------------------------------------------

uint8_t market_check_halted(const struct engine *e, uint16_t locate)
{
    return market_stopped(&e->markets[locate]) ? REJECT_HALTED : REJECT_NONE;
}

// A short sale that is restricted may neither trade nor stand at the best displayed bid or below it.
static bool restricted(const struct engine *e, const struct market_order *order)
{
    if (order->side != 'T' || !market_restricted(&e->markets[order->locate]))
        return false;
    if (order->price_type != 'L')
        return order->price_type == 'P' || order->peg_offset > 0;
    return order->market || order->waits || order->discretion || order->price <= e->books[order->locate].best[BUY];
}

uint8_t market_check(const struct engine *e, const struct market_order *order)
{
    const struct book *book = &e->books[order->locate];
    if ((book->uncommon[0] & UNCOMMON_MARKET) == 0)
        return REJECT_NONE;
    if (!order->market && !order->waits && order->price_type == 'L' &&
        market_cap(e, book, order->locate, order->side == 'B' ? BUY : SELL, order->price) != order->price)
        return REJECT_MARKET_IMPACT;
    return restricted(e, order) ? REJECT_SHORT_SELL : REJECT_NONE;
}

// ---- what the feed and control are told -----------------------------------------------------------------------------

static struct head about(uint16_t locate, uint8_t type, char reason, uint32_t price)
{
    return (struct head){.type = type,
                         .lines = 2,
                         .flags = EV_MD_OTHER,
                         .reason = reason,
                         .terms = locate,
                         .key = KEY_NOBODY,
                         .price = price};
}

void market_tell(const struct engine *e, uint16_t locate, struct out *out)
{
    const struct market *m = &e->markets[locate];
    uint32_t reason;
    memcpy(&reason, m->told_reason, sizeof reason);
    emit_two(out, about(locate, EV_TRADING_ACTION, m->told, 0),
             (struct line){{word_at(e->books[locate].name), reason}});
}

static void tell_bands(const struct engine *e, uint16_t locate, struct out *out)
{
    const struct market *m = &e->markets[locate];
    emit_two(out, about(locate, EV_BAND, 0, m->reference),
             (struct line){{word_at(e->books[locate].name), (uint64_t)m->upper << 32, m->lower}});
}

static void tell_reg_sho(const struct engine *e, uint16_t locate, struct out *out)
{
    emit_two(out, about(locate, EV_REG_SHO, e->markets[locate].reg_sho, 0),
             (struct line){{word_at(e->books[locate].name)}});
}

static void tell_venue(const struct engine *e, char breached, struct out *out)
{
    const uint64_t *declared = e->market.declared;
    struct line line = {{declared[0], declared[1], declared[2]}};
    if (breached)
        line = (struct line){{0}};
    emit_two(out, about(LOCATE_NONE, EV_MARKET_WIDE, breached, 0), line);
}

// ---- one symbol -----------------------------------------------------------------------------------------------------

void market_opened(struct market *m)
{
    memset(m, 0, sizeof *m);
    m->upper = UINT32_MAX;
    m->told = m->halt = STATE_TRADING;
    m->wide_from_ns = UINT64_MAX;
    velocity_forget(m);
}

void market_mark(struct engine *e, uint16_t locate)
{
    const struct market *m = &e->markets[locate];
    struct book *book = &e->books[locate];
    bool watched = e->phase == PHASE_REGULAR && (m->percent || m->velocity_percent);
    bool uncommon = watched || market_stopped(m) || market_restricted(m);
    book->watch = (uint8_t)((book->watch & ~WATCH_MARKET) | (watched ? WATCH_MARKET : 0));
    for (unsigned side = BUY; side <= SELL; side++)
        book->uncommon[side] = (uint8_t)((book->uncommon[side] & ~UNCOMMON_MARKET) | (uncommon ? UNCOMMON_MARKET : 0));
}

// Pegs and stops are looked at whatever the best prices were.
static void look_again(struct engine *e, uint16_t locate)
{
    struct book_back *back = &e->backs[locate];
    back->looked[BUY] = NO_ASK;
    back->looked[SELL] = NO_BID;
    book_dirty(e, locate);
}

static void begin_pause(struct engine *e, uint16_t locate, const char reason[4])
{
    struct market *m = &e->markets[locate];
    m->pause_end_ns = e->time_ns + m->pause_ms * MS_NS;
    memcpy(m->pause_reason, reason, sizeof m->pause_reason);
    velocity_forget(m);
}

// What time has brought to its end: a pause, a limit state, ten seconds.
static void look_at_time(struct engine *e, uint16_t locate)
{
    struct market *m = &e->markets[locate];
    if (m->pause_end_ns && e->time_ns >= m->pause_end_ns) {
        m->pause_end_ns = 0;
        memcpy(m->resume_reason, m->pause_reason, sizeof m->resume_reason);
    }
    if (m->limit_side && e->time_ns >= m->limit_since_ns + m->limit_state_ms * MS_NS) {
        bands_refer(e, locate, m->limit_side == 'B' ? m->upper : m->lower);
        begin_pause(e, locate, "LUDP");
    } else if (e->market.sweeping && !market_stopped(m)) {
        bands_follow(e, locate);
    }
}

static void set_halt(struct engine *e, uint16_t locate, const struct command *c)
{
    struct market *m = &e->markets[locate];
    m->halt = c->halt.state;
    memcpy(m->halt_reason, c->halt.reason, sizeof m->halt_reason);
    if (m->halt != STATE_TRADING)
        return;
    m->pause_end_ns = 0;
    memcpy(m->resume_reason, c->halt.reason, sizeof m->resume_reason);
}

// The state that the symbol is in: the operator's goes before the whole market's, and that before its own pause.
static char state_of(const struct engine *e, const struct market *m, enum market_look why, const char **reason)
{
    static const char levels[][5] = {"    ", "MWC1", "MWC2", "MWC3"};
    if (m->halt != STATE_TRADING) {
        *reason = m->halt_reason;
        return m->halt;
    }
    if (e->market.halt_end_ns) {
        *reason = levels[e->market.breached];
        return STATE_HALTED;
    }
    if (m->pause_end_ns) {
        *reason = m->pause_reason;
        return STATE_PAUSED;
    }
    bool market_wide = why == LOOK_TICK && memcmp(m->told_reason, "MWC", 3) == 0;
    *reason = market_wide ? "MWCQ" : m->resume_reason;
    return STATE_TRADING;
}

// What happens to the symbol alone: of what stops all of them control is told once.
static bool is_alone(const struct engine *e, enum market_look why, const char *reason)
{
    return memcmp(reason, "MWC", 3) != 0 && (why != LOOK_HALT || e->entry.halt.locate != LOCATE_NONE);
}

// Says so when the symbol's state is another one, and lets its pegs and stops move when it trades again.
static void follow_state(struct engine *e, uint16_t locate, enum market_look why, struct out *out)
{
    struct market *m = &e->markets[locate];
    const char *reason;
    char state = state_of(e, m, why, &reason), before = m->told;
    if (state == before && (state == STATE_TRADING || memcmp(reason, m->told_reason, sizeof m->told_reason) == 0))
        return;
    m->told = state;
    memcpy(m->told_reason, reason, sizeof m->told_reason);
    if (state == STATE_TRADING)
        look_again(e, locate);
    if (e->day != DAY_OPEN) // START says it
        return;
    market_tell(e, locate, out);
    if (before != state && is_alone(e, why, reason))
        emit_alert(out, ALERT_STATE, SCOPE_SYMBOL, locate, locate, LIMITS, (uint8_t)before, (uint8_t)state, 0);
}

static void note_due(struct engine *e, uint64_t time_ns)
{
    uint64_t due_ns = time_ns > e->time_ns ? time_ns : e->time_ns + 1;
    if (due_ns < e->market.due_ns)
        e->market.due_ns = due_ns;
}

static void follow_limit(struct engine *e, uint16_t locate, struct out *out)
{
    struct market *m = &e->markets[locate];
    char side = market_stopped(m) ? 0 : bands_limit_side(e, locate), before = m->limit_side;
    if (side == before)
        return;
    m->limit_side = side;
    m->limit_since_ns = e->time_ns;
    emit_alert(out, ALERT_LIMIT_STATE, SCOPE_SYMBOL, locate, locate, LIMITS, (uint8_t)before, (uint8_t)side, 0);
}

static void note_times(struct engine *e, const struct market *m)
{
    if (m->pause_end_ns)
        note_due(e, m->pause_end_ns);
    if (m->limit_side)
        note_due(e, m->limit_since_ns + m->limit_state_ms * MS_NS);
    if (m->wide_percent && e->time_ns < m->wide_until_ns)
        note_due(e, m->wide_until_ns);
    if (m->wide_percent && e->time_ns < m->wide_from_ns)
        note_due(e, m->wide_from_ns);
}

// Brings the symbol to where its state has to be. Done again it does no more. False: goes on in a later step.
static bool look(struct engine *e, uint16_t locate, enum market_look why, struct out *out)
{
    struct market *m = &e->markets[locate];
    if (out->count + LOOK_EVENTS > ENGINE_EVENTS_MAX)
        return false;
    if (why == LOOK_TICK)
        look_at_time(e, locate);
    if (why == LOOK_HALT)
        set_halt(e, locate, &e->entry);
    if (why != LOOK_AFTER)
        m->wide = m->wide_percent && (e->time_ns < m->wide_until_ns || e->time_ns >= m->wide_from_ns);
    if (m->tripped) {
        m->tripped = false;
        begin_pause(e, locate, "T5  ");
    }
    if (bands_set(e, locate)) {
        look_again(e, locate);
        if (bands_in_force(e, m))
            tell_bands(e, locate, out);
    }
    follow_state(e, locate, why, out);
    market_mark(e, locate);
    if (!bands_enforce(e, locate, out) || out->count + LIMIT_EVENTS > ENGINE_EVENTS_MAX)
        return false;
    follow_limit(e, locate, out);
    note_times(e, m);
    return true;
}

bool market_after(struct engine *e, uint16_t locate, struct out *out)
{
    return (e->books[locate].watch & WATCH_MARKET) == 0 || look(e, locate, LOOK_AFTER, out);
}

// ---- all symbols ----------------------------------------------------------------------------------------------------

static void walk(struct engine *e, uint32_t first, uint32_t last, enum market_look why, struct out *out)
{
    e->market.cursor = first;
    e->market.last = last;
    e->market.why = (uint8_t)why;
    e->left.work = WORK_MARKET;
    market_continue(e, out);
}

// Forgets what was due: the walk finds it anew.
static void walk_all(struct engine *e, enum market_look why, struct out *out)
{
    e->market.due_ns = UINT64_MAX;
    if (e->market.halt_end_ns != 0)
        note_due(e, e->market.halt_end_ns);
    walk(e, 1, e->limit.max_symbols, why, out);
}

void market_continue(struct engine *e, struct out *out)
{
    struct market_venue *venue = &e->market;
    for (unsigned looked = 0; venue->cursor <= venue->last; venue->cursor++) {
        if (looked++ == WALK_MAX)
            return;
        if (e->books[venue->cursor].tick && !look(e, (uint16_t)venue->cursor, (enum market_look)venue->why, out))
            return;
    }
    venue->sweeping = false;
    e->left.work = WORK_NONE;
}

void market_phase(struct engine *e, struct out *out)
{
    if (e->market.watched)
        walk_all(e, LOOK_COMMAND, out);
}

void market_tick(struct engine *e, struct out *out)
{
    struct market_venue *venue = &e->market;
    bool sweeps = venue->watched && e->time_ns >= venue->sweep_ns;
    if (e->day != DAY_OPEN || (!sweeps && e->time_ns < venue->due_ns))
        return;
    venue->sweeping = sweeps;
    if (sweeps)
        venue->sweep_ns = (e->time_ns / INTERVAL_NS + 1) * INTERVAL_NS;
    if (venue->halt_end_ns && e->time_ns >= venue->halt_end_ns) {
        venue->halt_end_ns = 0;
        emit_alert(out, ALERT_STATE, SCOPE_VENUE, 0, LOCATE_NONE, LIMITS, STATE_HALTED, STATE_TRADING, 0);
    }
    walk_all(e, LOOK_TICK, out);
}

// ---- commands -------------------------------------------------------------------------------------------------------

static bool is_open(const struct engine *e, uint16_t locate)
{
    return locate != LOCATE_NONE && locate <= e->limit.max_symbols && e->books[locate].tick != 0;
}

static void take_reference(struct engine *e, const struct command *c, struct out *out)
{
    uint16_t locate = c->reference.locate;
    char reg_sho = c->reference.reg_sho;
    if (!is_open(e, locate) || c->reference.reference > PRICE_MAX || c->reference.adv > ADV_MAX ||
        c->reference.tier > 2 ||
        (reg_sho != SHO_UNKNOWN && reg_sho != SHO_NONE && reg_sho != SHO_INTRADAY && reg_sho != SHO_REMAINS))
        return;
    struct market *m = &e->markets[locate];
    if (c->reference.adv)
        market_volume_known(e, locate, c->reference.adv);
    m->tier = c->reference.tier ? c->reference.tier : m->tier;
    if (reg_sho != SHO_UNKNOWN && reg_sho != m->reg_sho) {
        m->reg_sho = reg_sho;
        tell_reg_sho(e, locate, out);
    }
    if (c->reference.reference) {
        m->close = c->reference.reference;
        bands_refer(e, locate, m->close);
    }
    walk(e, locate, locate, LOOK_COMMAND, out);
}

static void take_halt(struct engine *e, const struct command *c, struct out *out)
{
    uint16_t locate = c->halt.locate;
    char state = c->halt.state;
    if ((state != STATE_TRADING && state != STATE_HALTED && state != STATE_PAUSED && state != STATE_QUOTATION) ||
        (locate != LOCATE_NONE && !is_open(e, locate)))
        return;
    e->entry = *c;
    if (locate != LOCATE_NONE) {
        walk(e, locate, locate, LOOK_HALT, out);
        return;
    }
    if (state == STATE_TRADING)
        e->market.halt_end_ns = 0;
    emit_alert(out, ALERT_STATE, SCOPE_VENUE, 0, LOCATE_NONE, LIMITS, 0, (uint8_t)state, 0);
    walk_all(e, LOOK_HALT, out);
}

static void take_index(struct engine *e, const struct command *c, struct out *out)
{
    static const uint32_t most[] = {UINT32_MAX, 9300, 8700, 8000}; // of 10,000: falls by 7, 13 and 20%
    struct market_venue *venue = &e->market;
    uint8_t breached = c->index.breached;
    if (breached > 3 || c->index.level > most[breached])
        return;
    const uint64_t *declared = c->index.declared;
    if ((declared[0] | declared[1] | declared[2]) && memcmp(declared, venue->declared, sizeof venue->declared) != 0) {
        memcpy(venue->declared, declared, sizeof venue->declared);
        tell_venue(e, 0, out);
    }
    if (breached <= venue->breached || e->day != DAY_OPEN || e->phase != PHASE_REGULAR)
        return;
    emit_alert(out, ALERT_STATE, SCOPE_VENUE, 0, LOCATE_NONE, LIMITS, venue->breached, breached, 'W');
    venue->breached = breached;
    tell_venue(e, (char)('0' + breached), out);
    if (breached < 3 && e->time_ns >= c->index.last_ns)
        return;
    venue->halt_end_ns = breached == 3 ? UINT64_MAX : e->time_ns + MARKET_WIDE_NS;
    walk_all(e, LOOK_COMMAND, out);
}

static bool bands_make_sense(const struct command *c)
{
    const uint32_t whole = 1000000, day_ms = 86400000;
    bool any = c->bands.percent || c->bands.velocity_percent;
    return c->bands.percent <= whole && c->bands.wide_percent <= whole && c->bands.velocity_percent <= whole &&
           c->bands.limit_state_ms <= day_ms && c->bands.pause_ms <= day_ms && c->bands.velocity_ms <= day_ms &&
           (!any || c->bands.pause_ms) && (!c->bands.velocity_percent || c->bands.velocity_ms >= MARKET_STEPS_KEPT);
}

static void take_bands(struct engine *e, const struct command *c, struct out *out)
{
    uint16_t locate = c->bands.locate;
    if (!is_open(e, locate) || !bands_make_sense(c))
        return;
    struct market *m = &e->markets[locate];
    e->market.watched -= m->percent || m->velocity_percent;
    if (m->velocity_ms != c->bands.velocity_ms)
        velocity_forget(m);
    m->percent = c->bands.percent;
    m->wide_percent = c->bands.wide_percent;
    m->limit_state_ms = c->bands.limit_state_ms;
    m->pause_ms = c->bands.pause_ms;
    m->velocity_percent = c->bands.velocity_percent;
    m->velocity_ms = c->bands.velocity_ms;
    m->wide_until_ns = c->bands.wide_until_ns;
    m->wide_from_ns = c->bands.wide_from_ns;
    e->market.watched += m->percent || m->velocity_percent;
    walk(e, locate, locate, LOOK_COMMAND, out);
}

void market_command(struct engine *e, const struct command *c, struct out *out)
{
    if (e->day != DAY_OPENING && e->day != DAY_OPEN)
        return;
    if (c->type == CMD_REFERENCE)
        take_reference(e, c, out);
    else if (c->type == CMD_HALT)
        take_halt(e, c, out);
    else if (c->type == CMD_INDEX)
        take_index(e, c, out);
    else
        take_bands(e, c, out);
}
