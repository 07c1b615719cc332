// SPDX-License-Identifier: Apache-2.0
#include "engine/market_snapshot.h"

#include "engine/market.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void save_state(const struct market *m, struct command *c)
{
    c->restore_market.state.pause_end_ns = m->pause_end_ns;
    c->restore_market.state.limit_since_ns = m->limit_since_ns;
    c->restore_market.state.referenced_ns = m->referenced_ns;
    c->restore_market.state.adv = m->adv;
    c->restore_market.state.close = m->close;
    c->restore_market.state.reference = m->reference;
    c->restore_market.state.lower = m->lower;
    c->restore_market.state.upper = m->upper;
    memcpy(c->restore_market.state.told_reason, m->told_reason, sizeof m->told_reason);
    memcpy(c->restore_market.state.halt_reason, m->halt_reason, sizeof m->halt_reason);
    memcpy(c->restore_market.state.pause_reason, m->pause_reason, sizeof m->pause_reason);
    memcpy(c->restore_market.state.resume_reason, m->resume_reason, sizeof m->resume_reason);
    c->restore_market.state.told = m->told;
    c->restore_market.state.halt = m->halt;
    c->restore_market.state.limit_side = m->limit_side;
    c->restore_market.state.reg_sho = m->reg_sho;
    c->restore_market.state.tier = m->tier;
    c->restore_market.state.wide = m->wide;
}

static void save_bands(const struct market *m, struct command *c)
{
    c->restore_market.bands.wide_until_ns = m->wide_until_ns;
    c->restore_market.bands.wide_from_ns = m->wide_from_ns;
    c->restore_market.bands.interval_end_ns = m->interval_end_ns;
    c->restore_market.bands.step_end_ns = m->step_end_ns;
    c->restore_market.bands.percent = m->percent;
    c->restore_market.bands.wide_percent = m->wide_percent;
    c->restore_market.bands.limit_state_ms = m->limit_state_ms;
    c->restore_market.bands.pause_ms = m->pause_ms;
    c->restore_market.bands.velocity_percent = m->velocity_percent;
    c->restore_market.bands.velocity_ms = m->velocity_ms;
    c->restore_market.bands.low = m->low;
    c->restore_market.bands.high = m->high;
    c->restore_market.bands.interval = m->interval;
    c->restore_market.bands.step = m->step;
}

static void save_intervals(const struct market *m, struct command *c)
{
    for (unsigned i = 0; i < COUNT(c->restore_market.intervals); i++) {
        const struct interval *interval = &m->intervals[c->restore_market.first + i];
        c->restore_market.intervals[i].sum = interval->sum;
        c->restore_market.intervals[i].count = interval->count;
        c->restore_market.intervals[i].number = interval->number;
    }
}

static void save_steps(const struct market *m, struct command *c)
{
    for (unsigned i = 0; i < COUNT(c->restore_market.steps); i++) {
        const struct step *step = &m->steps[c->restore_market.first + i];
        c->restore_market.steps[i].low = step->low;
        c->restore_market.steps[i].high = step->high;
        c->restore_market.steps[i].number = step->number;
    }
}

static void save_venue(const struct engine *e, struct command *c)
{
    c->restore_market.part = MARKET_VENUE;
    c->restore_market.venue.due_ns = e->market.due_ns;
    c->restore_market.venue.sweep_ns = e->market.sweep_ns;
    c->restore_market.venue.halt_end_ns = e->market.halt_end_ns;
    memcpy(c->restore_market.venue.declared, e->market.declared, sizeof e->market.declared);
    c->restore_market.venue.breached = e->market.breached;
}

// Records of one symbol: its state, its bands, its intervals, its steps.
enum { PER_INTERVALS = 5, PER_STEPS = 4 };
enum { FIRST_INTERVALS = 2, FIRST_STEPS = FIRST_INTERVALS + MARKET_INTERVALS_KEPT / PER_INTERVALS };
enum { PARTS = FIRST_STEPS + MARKET_STEPS_KEPT / PER_STEPS };
_Static_assert(COUNT(((struct command *)0)->restore_market.intervals) == PER_INTERVALS &&
                   COUNT(((struct command *)0)->restore_market.steps) == PER_STEPS &&
                   MARKET_INTERVALS_KEPT % PER_INTERVALS == 0 && MARKET_STEPS_KEPT % PER_STEPS == 0,
               "whole records");

static void save_part(const struct market *m, uint32_t part, struct command *c)
{
    if (part == 0) {
        c->restore_market.part = MARKET_STATE;
        save_state(m, c);
    } else if (part == 1) {
        c->restore_market.part = MARKET_BANDS;
        save_bands(m, c);
    } else if (part < FIRST_STEPS) {
        c->restore_market.part = MARKET_INTERVALS;
        c->restore_market.first = (part - FIRST_INTERVALS) * PER_INTERVALS;
        save_intervals(m, c);
    } else {
        c->restore_market.part = MARKET_STEPS;
        c->restore_market.first = (part - FIRST_STEPS) * PER_STEPS;
        save_steps(m, c);
    }
}

static bool as_opened(const struct market *m)
{
    struct market opened;
    market_opened(&opened);
    return memcmp(m, &opened, sizeof opened) == 0;
}

bool market_save(const struct engine *e, uint32_t *at, uint32_t *part, struct command *c)
{
    c->type = CMD_RESTORE_MARKET;
    if (*at == 0) {
        ++*at;
        save_venue(e, c);
        return true;
    }
    while (*at <= e->limit.max_symbols && (e->books[*at].tick == 0 || as_opened(&e->markets[*at])))
        ++*at;
    if (*at > e->limit.max_symbols) {
        c->type = CMD_NONE;
        return false;
    }
    c->restore_market.locate = (uint16_t)*at;
    save_part(&e->markets[*at], (*part)++, c);
    if (*part == PARTS) {
        *part = 0;
        ++*at;
    }
    return true;
}

// ---- back -----------------------------------------------------------------------------------------------------------

static void restore_state(struct market *m, const struct command *c)
{
    m->pause_end_ns = c->restore_market.state.pause_end_ns;
    m->limit_since_ns = c->restore_market.state.limit_since_ns;
    m->referenced_ns = c->restore_market.state.referenced_ns;
    m->close = c->restore_market.state.close;
    m->reference = c->restore_market.state.reference;
    m->lower = c->restore_market.state.lower;
    m->upper = c->restore_market.state.upper;
    memcpy(m->told_reason, c->restore_market.state.told_reason, sizeof m->told_reason);
    memcpy(m->halt_reason, c->restore_market.state.halt_reason, sizeof m->halt_reason);
    memcpy(m->pause_reason, c->restore_market.state.pause_reason, sizeof m->pause_reason);
    memcpy(m->resume_reason, c->restore_market.state.resume_reason, sizeof m->resume_reason);
    m->told = c->restore_market.state.told;
    m->halt = c->restore_market.state.halt;
    m->limit_side = c->restore_market.state.limit_side;
    m->reg_sho = c->restore_market.state.reg_sho;
    m->tier = c->restore_market.state.tier;
    m->wide = c->restore_market.state.wide;
}

static bool restore_bands(struct market *m, const struct command *c)
{
    if (c->restore_market.bands.interval >= MARKET_INTERVALS_KEPT ||
        c->restore_market.bands.step >= MARKET_STEPS_KEPT ||
        (c->restore_market.bands.velocity_percent && c->restore_market.bands.velocity_ms < MARKET_STEPS_KEPT))
        return false;
    m->wide_until_ns = c->restore_market.bands.wide_until_ns;
    m->wide_from_ns = c->restore_market.bands.wide_from_ns;
    m->interval_end_ns = c->restore_market.bands.interval_end_ns;
    m->step_end_ns = c->restore_market.bands.step_end_ns;
    m->percent = c->restore_market.bands.percent;
    m->wide_percent = c->restore_market.bands.wide_percent;
    m->limit_state_ms = c->restore_market.bands.limit_state_ms;
    m->pause_ms = c->restore_market.bands.pause_ms;
    m->velocity_percent = c->restore_market.bands.velocity_percent;
    m->velocity_ms = c->restore_market.bands.velocity_ms;
    m->low = c->restore_market.bands.low;
    m->high = c->restore_market.bands.high;
    m->interval = c->restore_market.bands.interval;
    m->step = c->restore_market.bands.step;
    return true;
}

static bool restore_intervals(struct market *m, const struct command *c)
{
    uint32_t first = c->restore_market.first;
    if (first > MARKET_INTERVALS_KEPT - PER_INTERVALS)
        return false;
    for (unsigned i = 0; i < PER_INTERVALS; i++)
        m->intervals[first + i] = (struct interval){.sum = c->restore_market.intervals[i].sum,
                                                    .count = c->restore_market.intervals[i].count,
                                                    .number = c->restore_market.intervals[i].number};
    return true;
}

static bool restore_steps(struct market *m, const struct command *c)
{
    uint32_t first = c->restore_market.first;
    if (first > MARKET_STEPS_KEPT - PER_STEPS)
        return false;
    for (unsigned i = 0; i < PER_STEPS; i++)
        m->steps[first + i] = (struct step){.low = c->restore_market.steps[i].low,
                                            .high = c->restore_market.steps[i].high,
                                            .number = c->restore_market.steps[i].number};
    return true;
}

static bool restore_venue(struct engine *e, const struct command *c)
{
    if (c->restore_market.venue.breached > 3)
        return false;
    e->market.due_ns = c->restore_market.venue.due_ns;
    e->market.sweep_ns = c->restore_market.venue.sweep_ns;
    e->market.halt_end_ns = c->restore_market.venue.halt_end_ns;
    memcpy(e->market.declared, c->restore_market.venue.declared, sizeof e->market.declared);
    e->market.breached = c->restore_market.venue.breached;
    return true;
}

static bool restore_symbol(struct engine *e, uint16_t locate, const struct command *c)
{
    struct market *m = &e->markets[locate];
    switch (c->restore_market.part) {
    case MARKET_STATE:
        market_volume_known(e, locate, c->restore_market.state.adv);
        restore_state(m, c);
        break;
    case MARKET_BANDS:
        if (!restore_bands(m, c))
            return false;
        e->market.watched += m->percent || m->velocity_percent;
        break;
    case MARKET_INTERVALS:
        return restore_intervals(m, c);
    case MARKET_STEPS:
        return restore_steps(m, c);
    default:
        return false;
    }
    market_mark(e, locate);
    return true;
}

bool market_restore(struct engine *e, const struct command *c)
{
    uint16_t locate = c->restore_market.locate;
    if (c->restore_market.part == MARKET_VENUE)
        return restore_venue(e, c);
    return locate != LOCATE_NONE && locate <= e->limit.max_symbols && e->books[locate].tick != 0 &&
           restore_symbol(e, locate, c);
}
