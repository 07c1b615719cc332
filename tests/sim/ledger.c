// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/ledger.h"

#include <string.h>

#include "contract/region.h"
#include "contract/reject.h"
#include "engine/engine.h"
#include "tests/sim/officers.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

enum { SYMBOLS = 8, AWAY_MS = 10 };
enum { VENUE = 0, FIRMS = 1, ACCOUNTS = FIRMS + WORLD_ACCOUNTS, SESSIONS = ACCOUNTS + WORLD_ACCOUNTS };
enum { LOCATES = SESSIONS + ORACLE_STREAMS, PLACES = LOCATES + SYMBOLS };

struct side {
    uint8_t blocked; // enum kill_source
    bool overruled;  // an operator has lifted what a breaker has blocked
};

struct core {
    struct side sides[PLACES][2];
    bool empty[ORACLE_STREAMS][SYMBOLS][2]; // nothing of a session rests there, and it has been blocked ever since
    char states[SYMBOLS];                   // by locate
    uint32_t lower[SYMBOLS], upper[SYMBOLS];
};

static const struct config *config;
static struct core cores[ORACLE_CORES];

void ledger_open(const struct config *of)
{
    config = of;
    for (unsigned core = 0; core < ORACLE_CORES; core++)
        ledger_went_back(core);
}

void ledger_went_back(unsigned core)
{
    memset(&cores[core], 0, sizeof cores[core]);
    memset(cores[core].states, STATE_TRADING, sizeof cores[core].states);
}

static unsigned place_of(enum scope scope, unsigned index)
{
    switch (scope) {
    case SCOPE_FIRM: // each account has one of its own
        return FIRMS + index;
    case SCOPE_ACCOUNT:
        return ACCOUNTS + index;
    case SCOPE_SESSION:
        return SESSIONS + index;
    case SCOPE_SYMBOL:
        return LOCATES + index;
    default:
        return VENUE;
    }
}

unsigned ledger_blocked(unsigned core, enum scope scope, unsigned index, unsigned side)
{
    return cores[core].sides[place_of(scope, index)][side].blocked;
}

bool ledger_overruled(unsigned core, enum scope scope, unsigned index)
{
    const struct side *sides = cores[core].sides[place_of(scope, index)];
    return sides[0].overruled || sides[1].overruled;
}

// Whether anything blocks the session on that side.
static bool is_blocked(const struct core *core, unsigned session, unsigned locate, unsigned side)
{
    unsigned account = config->sessions[session].account_index;
    const unsigned places[] = {VENUE, FIRMS + account, ACCOUNTS + account, SESSIONS + session, LOCATES + locate};
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (core->sides[places[i]][side].blocked)
            return true;
    }
    return false;
}

static bool covers(enum scope scope, unsigned index, unsigned session, unsigned locate)
{
    const unsigned account = config->sessions[session].account_index;
    const unsigned place = place_of(scope, index);
    return place == VENUE || place == FIRMS + account || place == ACCOUNTS + account || place == SESSIONS + session ||
           place == LOCATES + locate;
}

// Whoever has blocked it, and whoever cancels then: nothing of it rests until no block is left.
static void emptied(struct core *core, const struct event *event, unsigned side)
{
    for (unsigned session = 0; session < config->sessions_count; session++)
        for (unsigned locate = 0; locate < SYMBOLS; locate++)
            core->empty[session][locate][side] |=
                covers((enum scope)event->alert_scope, event->price, session, locate) &&
                is_blocked(core, session, locate, side);
}

static void freed(struct core *core)
{
    for (unsigned i = 0; i < config->sessions_count * SYMBOLS * 2; i++)
        core->empty[i / (SYMBOLS * 2)][i / 2 % SYMBOLS][i % 2] &=
            is_blocked(core, i / (SYMBOLS * 2), i / 2 % SYMBOLS, i % 2);
}

static bool concerns_side(char side, unsigned which)
{
    return side == 0 || (side == 'B') == (which == 0);
}

// ---- what is said ---------------------------------------------------------------------------------------------------

static void killed(struct core *core, const struct event *event)
{
    const bool by_limit = event->quantity != LIMITS;
    unsigned actions = by_limit ? KILL_BLOCK | KILL_CANCEL : event->alert_after & 0xFF;
    unsigned source = by_limit ? KILL_BY_LIMIT : (unsigned)(event->alert_after >> 8);
    struct side *sides = core->sides[place_of((enum scope)event->alert_scope, event->price)];
    for (unsigned side = 0; side < 2; side++) {
        if (!concerns_side(by_limit ? 0 : event->alert_reason, side))
            continue;
        if (actions & KILL_BLOCK) {
            sides[side].blocked |= (uint8_t)source;
            sides[side].overruled &= !(source & KILL_BY_BREAKER);
        }
        if (actions & KILL_CANCEL)
            emptied(core, event, side);
    }
}

// `alert_after`: what is lifted, two bits a source.
static void lifted(struct core *core, const struct event *event, const struct command *command)
{
    struct side *sides = core->sides[place_of((enum scope)event->alert_scope, event->price)];
    for (unsigned bit = 0; bit < 6; bit++) {
        if (event->alert_after >> bit & 1)
            sides[bit & 1].blocked &= (uint8_t) ~(1u << bit / 2);
        sides[bit & 1].overruled |= bit >= 4 && command->kill.source == 0;
    }
    freed(core);
}

static void learn(struct core *core, const struct event *event, const struct command *command)
{
    unsigned locate = event->locate % SYMBOLS;
    if (event->type == EV_ALERT && event->reason == ALERT_KILLED)
        killed(core, event);
    else if (event->type == EV_ALERT && event->reason == ALERT_RESET)
        lifted(core, event, command);
    else if (event->type == EV_TRADING_ACTION)
        core->states[locate] = event->reason;
    else if (event->type == EV_BAND)
        core->lower[locate] = event->lower, core->upper[locate] = event->upper;
}

static void count(const struct event *event)
{
    if (event->type == EV_ALERT) {
        sim.stats[STAT_ALERTS]++;
        sim.stats[STAT_LIMIT_KILLS] += event->reason == ALERT_KILLED && event->quantity != LIMITS;
        sim.stats[STAT_BREAKER_KILLS] +=
            event->reason == ALERT_KILLED && event->quantity == LIMITS && event->alert_after >> 8 == KILL_BY_BREAKER;
        sim.stats[STAT_LOST_CONTROL] +=
            event->reason == ALERT_KILLED && event->quantity == LIMITS && event->alert_after >> 8 == KILL_BY_CORE;
        sim.stats[STAT_MMP] += event->reason == ALERT_MMP;
    }
    sim.stats[STAT_PAUSES] += event->type == EV_TRADING_ACTION && event->reason == STATE_PAUSED;
    sim.stats[STAT_MARKET_WIDE] += event->type == EV_MARKET_WIDE && event->reason;
}

// ---- what must hold of it -------------------------------------------------------------------------------------------

static void check_accepted(unsigned number, const struct event *event)
{
    const struct core *core = &cores[number];
    unsigned locate = event->locate % SYMBOLS;
    if (is_blocked(core, event->session, locate, event->side != 'B'))
        sim_fail("core %u: order %u of session %u is taken, which is blocked", number, event->user_ref, event->session);
    if (core->states[locate] != STATE_TRADING)
        sim_fail("core %u: order %u of session %u is taken, and its symbol's state is %c", number, event->user_ref,
                 event->session, core->states[locate]);
    const char *breaker = officers_breaker(number, event->session);
    if (breaker)
        sim_fail("core %u: order %u of session %u is taken, and breaker %s, which blocks, is open", number,
                 event->user_ref, event->session, breaker);
    if (world_control_away_ns() > AWAY_MS * SIM_MS)
        sim_fail("core %u: order %u of session %u is taken, and control has been lost for long", number,
                 event->user_ref, event->session);
}

static void check_trade(unsigned number, const struct event *event)
{
    const struct core *core = &cores[number];
    unsigned locate = event->locate % SYMBOLS;
    if (core->empty[event->session][locate][event->side != 'B'] ||
        core->empty[event->other_session][locate][event->maker_side != 'B'])
        sim_fail("core %u: session %u trades with session %u, and one of them was killed", number, event->session,
                 event->other_session);
    if (core->states[locate] != STATE_TRADING)
        sim_fail("core %u: a trade in a symbol whose state is %c", number, core->states[locate]);
    if (core->upper[locate] && (event->price < core->lower[locate] || event->price > core->upper[locate]))
        sim_fail("core %u: a trade at %u, outside of the band %u to %u", number, event->price, core->lower[locate],
                 core->upper[locate]);
}

// Whether it would be for a state, or a block: of a Replace symbol and side are its original's, so any will do.
static bool may_be_halted(unsigned number, const struct command *command)
{
    for (unsigned i = 0; i < config->symbols_count; i++) {
        const struct config_symbol *symbol = &config->symbols[i];
        if (symbol->matcher == number && (command->type == CMD_REPLACE || symbol->locate == command->locate) &&
            cores[number].states[symbol->locate % SYMBOLS] != STATE_TRADING)
            return true;
    }
    return false;
}

static bool may_be_blocked(unsigned number, unsigned session, const struct command *command)
{
    for (unsigned i = 0; i < 2 * config->symbols_count; i++) {
        const struct config_symbol *symbol = &config->symbols[i / 2];
        unsigned side = i % 2;
        if (command->type != CMD_REPLACE && (symbol->locate != command->locate || side != (command->side != 'B')))
            continue;
        if (symbol->matcher == number && is_blocked(&cores[number], session, symbol->locate % SYMBOLS, side))
            return true;
    }
    return false;
}

// Of what can be rejected so for no other reason.
static void check_rejected(unsigned number, const struct event *event, const struct command *command)
{
    enum limit limit = engine_limit_refused(oracle_engine(number));
    const uint8_t reason = (uint8_t)event->reason;
    if (command->refuse != REJECT_NONE)
        return;
    if (limit < LIMITS)
        sim.stats[STAT_REFUSED + limit]++;
    if (reason == REJECT_HALTED && !may_be_halted(number, command))
        sim_fail("core %u: order %u of session %u is rejected as halted, and its symbol trades", number,
                 event->user_ref, event->session);
    if (reason == REJECT_OTHER && limit == LIMITS && !may_be_blocked(number, event->session, command))
        sim_fail("core %u: order %u of session %u is rejected as killed, and nothing blocks it", number,
                 event->user_ref, event->session);
    sim.stats[STAT_BEYOND_BANDS] += reason == REJECT_MARKET_IMPACT && limit == LIMITS;
    sim.stats[STAT_SHORT_SALES] += reason == REJECT_SHORT_SELL;
}

void ledger_event(unsigned core, const struct event *event, const struct command *command, bool again)
{
    if (!again) {
        count(event);
        if (event->type == EV_ACCEPTED || event->type == EV_REPLACED)
            check_accepted(core, event);
        else if (event->type == EV_TRADE)
            check_trade(core, event);
        else if (event->type == EV_REJECTED)
            check_rejected(core, event, command);
    }
    learn(&cores[core], event, command);
}

// ---- at rest --------------------------------------------------------------------------------------------------------

bool ledger_halted(void)
{
    for (unsigned i = 0; i < config->symbols_count; i++) {
        char state = cores[config->symbols[i].matcher].states[config->symbols[i].locate % SYMBOLS];
        if (state != STATE_TRADING && state != STATE_PAUSED)
            return true;
    }
    return false;
}

const char *ledger_busy(void)
{
    static char text[96];
    for (unsigned core = 0; core < config->matchers_count; core++) {
        for (unsigned place = 0; place < 2 * PLACES; place++) {
            const struct side *side = &cores[core].sides[place / 2][place % 2];
            if (!side->blocked)
                continue;
            snprintf(text, sizeof text, "core %u: scope %u is blocked on side %u by %x", core, place / 2, place % 2,
                     side->blocked);
            return text;
        }
    }
    return NULL;
}
