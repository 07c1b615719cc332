// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/operators.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "contract/command.h"
#include "contract/reject.h"
#include "contract/risk.h"
#include "engine/engine.h"
#include "tests/sim/ledger.h"
#include "tests/sim/officers.h"
#include "tests/sim/oracle.h"
#include "tests/sim/posix.h"
#include "tests/sim/sim.h"

enum { SCOPES = 48, PATIENCE_MS = 400, BUY_SIDE = 1, SELL_SIDE = 2, BOTH_SIDES = 3 };
enum scope_state { FREE, UNSURE, KILLED };

struct whom {
    enum scope scope;
    uint16_t index; // as in CMD_KILL
    uint16_t core;  // of a session or symbol
    const char *name;
    bool busy;         // somebody waits for an answer about it,
    uint64_t asked_ns; // since then
    enum scope_state state[2];
    // The kill, or reset, that is under way.
    unsigned sides;
    bool blocks, cancels;
};

struct symbol {
    bool busy;
    enum { TRADING, MAYBE_HALTED, HALTED } state;
};

struct operators_mood operators_mood;
static const struct config *config;
static bool has_limits;
static struct whom whoms[SCOPES];
static unsigned whoms_count;
static struct symbol symbols[16];
static bool market_busy; // all of it is being resumed
static bool end_asked, ended[ORACLE_CORES], late_busy;

static const char *const words[] = {[SCOPE_VENUE] = "venue",
                                    [SCOPE_FIRM] = "firm",
                                    [SCOPE_ACCOUNT] = "account",
                                    [SCOPE_SESSION] = "session",
                                    [SCOPE_SYMBOL] = "symbol"};

bool operators_ask(const char *desk, posix_answer *tell, void *context, const char *format, ...)
{
    char line[512];
    va_list list;
    va_start(list, format);
    int size = vsnprintf(line, sizeof line - 1, format, list);
    va_end(list);
    if (!sim_processes[SIM_CONTROL].alive)
        return false;
    sim_say("an operator asks %s", line);
    memcpy(line + size, "\n", 2);
    return posix_call(desk, line, tell, context);
}

struct answer operators_read(const char *line)
{
    json_t *root = line ? json_loads(line, 0, NULL) : NULL;
    struct answer answer = {.done = json_is_true(json_object_get(root, "ok")),
                            .pending = (uint64_t)json_integer_value(json_object_get(root, "pending"))};
    sim_say("an operator is told %s", line ? line : "nothing");
    json_decref(root);
    return answer;
}

static bool is_done(const char *line)
{
    return operators_read(line).done;
}

// ---- kills ----------------------------------------------------------------------------------------------------------

static bool concerns_session(const struct whom *whom, unsigned session)
{
    const struct config_session *at = &config->sessions[session];
    switch (whom->scope) {
    case SCOPE_VENUE:
        return true;
    case SCOPE_FIRM:
    case SCOPE_ACCOUNT: // each has a firm of its own
        return at->account_index == whom->index;
    case SCOPE_SESSION:
        return session == whom->index;
    default:
        return false;
    }
}

static bool concerns(const struct whom *whom, unsigned core, unsigned session, uint16_t locate)
{
    if (whom->scope == SCOPE_SYMBOL)
        return whom->core == core && whom->index == locate;
    return concerns_session(whom, session);
}

static bool on_core(const struct whom *whom, unsigned core)
{
    return (whom->scope != SCOPE_SESSION && whom->scope != SCOPE_SYMBOL) || whom->core == core;
}

// A kill is confirmed: it must stand in the journal, and nothing of its scope may rest.
static void check_confirmed(const struct whom *whom, const char *line)
{
    json_t *root = json_loads(line, 0, NULL);
    uint64_t id = (uint64_t)json_integer_value(json_object_get(root, "id"));
    json_decref(root);
    for (unsigned core = 0; core < config->matchers_count; core++) {
        if (!on_core(whom, core))
            continue;
        if (!oracle_kill_is_durable(core, id))
            sim_fail("core %u: the kill of %s %s is confirmed, and it is not durable", core, words[whom->scope],
                     whom->name);
        for (uint16_t i = 0; whom->blocks && whom->cancels && i < config->accounts_count; i++) {
            bool of_it = whom->scope == SCOPE_VENUE ||
                         ((whom->scope == SCOPE_FIRM || whom->scope == SCOPE_ACCOUNT) && whom->index == i);
            for (unsigned side = 0; of_it && side < 2; side++) {
                if (whom->sides >> side & 1 && engine_exposure(oracle_engine(core), i, side ? 'S' : 'B').quantity != 0)
                    sim_fail("core %u: the kill of %s %s is confirmed, and orders of it rest", core, words[whom->scope],
                             whom->name);
            }
        }
    }
}

static void told_kill(void *context, const char *line, bool heard)
{
    struct whom *whom = context;
    bool done = is_done(line);
    (void)heard;
    whom->busy = false;
    if (!done)
        return; // it may come yet
    sim.stats[STAT_KILLED]++;
    check_confirmed(whom, line);
    for (unsigned side = 0; side < 2; side++) {
        if (whom->sides >> side & 1 && whom->blocks && whom->cancels)
            whom->state[side] = KILLED;
    }
}

static bool limit_blocks(const struct whom *whom, unsigned side)
{
    bool blocks = false;
    for (unsigned core = 0; whom->scope != SCOPE_VENUE && core < config->matchers_count; core++)
        blocks |= on_core(whom, core) && ledger_blocked(core, whom->scope, whom->index, side) & KILL_BY_LIMIT;
    return blocks;
}

static void told_reset(void *context, const char *line, bool heard)
{
    struct whom *whom = context;
    bool done = is_done(line);
    (void)heard;
    whom->busy = false;
    sim.stats[STAT_RESET] += done;
    for (unsigned side = 0; done && side < 2; side++) // unless a limit has killed it again
        whom->state[side] = !(whom->sides >> side & 1) ? whom->state[side] : limit_blocks(whom, side) ? UNSURE : FREE;
}

static const char *side_text(unsigned sides)
{
    return sides == BUY_SIDE ? "\"side\":\"B\"," : sides == SELL_SIDE ? "\"side\":\"S\"," : "";
}

static void kill_scope(struct whom *whom)
{
    unsigned actions = (unsigned)random_between(&sim.chaos, 1, 3);
    whom->sides = (unsigned)random_between(&sim.chaos, 1, 3);
    if (random_chance(&sim.chaos, 600000))
        actions = 3;
    whom->blocks = actions & 1;
    whom->cancels = actions & 2;
    whom->asked_ns = sim.now_ns;
    whom->busy = operators_ask(
        "sim.kill.sock", told_kill, whom,
        "{\"ask\":\"kill\",\"scope\":\"%s\",\"name\":\"%s\",%s\"actions\":%u,\"by\":\"SIM\",\"why\":\"test\"}",
        words[whom->scope], whom->name, side_text(whom->sides), actions);
    for (unsigned side = 0; whom->busy && whom->blocks && side < 2; side++) {
        if (whom->sides >> side & 1 && whom->state[side] == FREE)
            whom->state[side] = UNSURE;
    }
}

static void reset(struct whom *whom, unsigned sides)
{
    whom->sides = sides;
    whom->asked_ns = sim.now_ns;
    whom->busy = operators_ask("sim.kill.sock", told_reset, whom,
                               "{\"ask\":\"reset\",\"scope\":\"%s\",\"name\":\"%s\",%s\"by\":\"SIM\",\"why\":\"test\"}",
                               words[whom->scope], whom->name, side_text(sides));
    for (unsigned side = 0; whom->busy && side < 2; side++) {
        if (sides >> side & 1 && whom->state[side] == KILLED)
            whom->state[side] = UNSURE;
    }
}

static bool is_free(const struct whom *whom)
{
    return whom->state[0] == FREE && whom->state[1] == FREE;
}

// ---- halts, limits, the end of the day ------------------------------------------------------------------------------

// What came of a halt, or of a resumption: `now` is the state then.
static void told_state(struct symbol *symbol, const char *line, int now)
{
    symbol->busy = false;
    if (!is_done(line))
        return;
    sim.stats[STAT_HALTED]++;
    symbol->state = now;
}

static void told_halt(void *context, const char *line, bool heard)
{
    (void)heard;
    told_state(context, line, HALTED);
}

static void told_resume(void *context, const char *line, bool heard)
{
    (void)heard;
    told_state(context, line, TRADING);
}

static void halt(unsigned index, bool resume)
{
    struct symbol *symbol = &symbols[index];
    symbol->busy =
        operators_ask("sim.control.sock", resume ? told_resume : told_halt, symbol,
                      "{\"ask\":\"halt\",\"symbol\":\"%s\",\"state\":\"%s\",\"reason\":\"T1\",\"by\":\"SIM\"}",
                      config->symbols[index].name, resume ? "T" : "H");
    if (symbol->busy)
        symbol->state = MAYBE_HALTED;
}

static void told_market(void *context, const char *line, bool heard)
{
    (void)context, (void)heard;
    market_busy = false;
    is_done(line);
}

// Ends what a breaker, a matching core or the index has halted; what an operator has halted as well.
static void resume_market(void)
{
    market_busy = operators_ask("sim.control.sock", told_market, &market_busy,
                                "{\"ask\":\"halt\",\"state\":\"T\",\"reason\":\"T3\",\"by\":\"SIM\"}");
    for (unsigned i = 0; market_busy && i < config->symbols_count; i++)
        symbols[i].state = symbols[i].state == TRADING ? TRADING : MAYBE_HALTED;
}

static bool symbols_busy(void)
{
    bool busy = market_busy;
    for (unsigned i = 0; i < config->symbols_count; i++)
        busy |= symbols[i].busy;
    return busy;
}

bool operators_all_ended(void)
{
    for (unsigned core = 0; core < config->matchers_count; core++) {
        if (!ended[core])
            return false;
    }
    return true;
}

static void told_end(void *context, const char *line, bool heard)
{
    (void)context, (void)heard;
    end_asked = false;
    is_done(line);
}

static void end_day(void)
{
    end_asked = operators_ask("sim.control.sock", told_end, NULL, "{\"ask\":\"phase\",\"phase\":\"E\",\"by\":\"SIM\"}");
}

// ---- when it has ended ----------------------------------------------------------------------------------------------

static void told_late(void *context, const char *line, bool heard)
{
    (void)context, (void)heard;
    late_busy = false;
    if (is_done(line) && operators_all_ended())
        sim_fail("the day has ended, and what is asked for then is done: %s", line);
    sim.stats[STAT_LATE] += line != NULL;
}

// Whatever is asked for comes to nothing, and says so.
static void ask_late(void)
{
    static const char *const asks[][2] = {
        {"sim.kill.sock", "{\"ask\":\"kill\",\"scope\":\"venue\",\"actions\":3,\"by\":\"SIM\",\"why\":\"late\"}"},
        {"sim.kill.sock", "{\"ask\":\"reset\",\"scope\":\"venue\",\"by\":\"SIM\",\"why\":\"late\"}"},
        {"sim.control.sock", "{\"ask\":\"halt\",\"state\":\"H\",\"reason\":\"T1\",\"by\":\"SIM\"}"},
        {"sim.control.sock", "{\"ask\":\"limits_set\",\"scope\":\"account\",\"name\":\"NORTH\",\"limit\":"
                             "\"max_quantity\",\"value\":\"400\",\"by\":\"SIM\"}"},
        {"sim.control.sock", "{\"ask\":\"phase\",\"phase\":\"X\",\"by\":\"SIM\"}"},
    };
    const char *const *ask = asks[random_below(&sim.chaos, sizeof asks / sizeof asks[0])];
    if (!late_busy)
        late_busy = operators_ask(ask[0], told_late, &late_busy, "%s", ask[1]);
}

// ---- their day ------------------------------------------------------------------------------------------------------

static void act(void)
{
    struct random *random = &sim.chaos;
    struct whom *whom = &whoms[random_below(random, whoms_count)];
    unsigned symbol = (unsigned)random_below(random, config->symbols_count);
    if (random_chance(random, operators_mood.kill)) {
        if (!whom->busy && is_free(whom))
            kill_scope(whom);
        else if (!whom->busy)
            reset(whom, (unsigned)random_between(random, 1, 3));
    } else if (random_chance(random, 500000)) {
        if (!symbols_busy() && ledger_halted() && random_chance(random, 500000))
            resume_market();
        else if (!symbols[symbol].busy && !market_busy)
            halt(symbol, symbols[symbol].state != TRADING);
    } else if (has_limits) {
        officers_act();
    }
}

// What was given to a data plane that has died since is answered late, or never done: they ask again.
static void lose_patience(void)
{
    for (unsigned i = 0; i < whoms_count; i++) {
        if (!whoms[i].busy || sim.now_ns - whoms[i].asked_ns < PATIENCE_MS * SIM_MS)
            continue;
        posix_hang_up(&whoms[i]);
        whoms[i].busy = false;
    }
}

// Lifts the next thing that stands.
static void lift(void)
{
    for (unsigned i = 0; i < whoms_count; i++) {
        if (whoms[i].busy || is_free(&whoms[i]))
            continue;
        if (limit_blocks(&whoms[i], 0) && !officers_raise(whoms[i].scope, whoms[i].index))
            continue;
        reset(&whoms[i], BOTH_SIDES);
        return;
    }
    for (unsigned i = 0; !market_busy && i < config->symbols_count; i++) {
        if (symbols[i].busy || symbols[i].state == TRADING)
            continue;
        halt(i, true);
        return;
    }
    if (!symbols_busy() && ledger_halted()) {
        resume_market();
        return;
    }
    if (has_limits)
        officers_lift();
}

static void live(void *context, uint64_t unused)
{
    (void)context, (void)unused;
    lose_patience();
    if (operators_mood.end_day && !end_asked && !operators_all_ended())
        end_day();
    else if (operators_mood.quiet && !operators_all_ended())
        lift();
    else if (operators_all_ended() && random_chance(&sim.chaos, 100000))
        ask_late();
    else if (!operators_all_ended() && random_chance(&sim.chaos, operators_mood.ask))
        act();
    sim_after(random_between(&sim.chaos, 200, 2000) * SIM_US, live, NULL, 0);
}

static void add(enum scope scope, unsigned index, unsigned core, const char *name)
{
    if (whoms_count < SCOPES)
        whoms[whoms_count++] =
            (struct whom){.scope = scope, .index = (uint16_t)index, .core = (uint16_t)core, .name = name};
}

void operators_open(const struct config *of, bool risk)
{
    config = of;
    has_limits = risk;
    if (risk)
        officers_open(config);
    add(SCOPE_VENUE, 0, 0, "");
    for (unsigned i = 0; i < config->accounts_count; i++) {
        add(SCOPE_FIRM, i, 0, config->accounts[i].firm);
        add(SCOPE_ACCOUNT, i, 0, config->accounts[i].name);
    }
    for (unsigned i = 0; i < config->sessions_count; i++)
        add(SCOPE_SESSION, i, config->sessions[i].matcher, config->sessions[i].user);
    for (unsigned i = 0; i < config->symbols_count; i++)
        add(SCOPE_SYMBOL, config->symbols[i].locate, config->symbols[i].matcher, config->symbols[i].name);
    sim_after(SIM_MS, live, NULL, 0);
}

// ---- what must hold -------------------------------------------------------------------------------------------------

static void check_party(unsigned core, unsigned session, uint16_t locate, char side)
{
    for (unsigned i = 0; i < whoms_count; i++) {
        if (whoms[i].state[side != 'B'] == KILLED && concerns(&whoms[i], core, session, locate))
            sim_fail("core %u: session %u trades at side %c, and %s %s has been killed and not reset", core, session,
                     side, words[whoms[i].scope], whoms[i].name);
    }
}

static void check_trade(unsigned core, const struct event *event)
{
    check_party(core, event->session, event->locate, event->side);
    check_party(core, event->other_session, event->locate, event->maker_side);
    for (unsigned i = 0; i < config->symbols_count; i++) {
        if (config->symbols[i].matcher == core && config->symbols[i].locate == event->locate &&
            symbols[i].state == HALTED)
            sim_fail("core %u: %s trades, and it has been halted and not resumed", core, config->symbols[i].name);
    }
}

// A limit has killed an account or a firm: what is told of it comes by the alert.
static void note_limit_kill(const struct event *event)
{
    for (unsigned i = 0; i < whoms_count; i++) {
        struct whom *whom = &whoms[i];
        for (unsigned side = 0; whom->scope == event->alert_scope && whom->index == event->price && side < 2; side++)
            whom->state[side] = whom->state[side] == FREE ? UNSURE : whom->state[side];
    }
}

void operators_event(unsigned core, const struct event *event, bool again)
{
    if (event->type == EV_DAY_END)
        ended[core] = true;
    if (again)
        return;
    sim.stats[STAT_DAYS] += event->type == EV_DAY_END;
    if (event->type == EV_TRADE)
        check_trade(core, event);
    if (event->type == EV_ALERT && event->reason == ALERT_KILLED && event->quantity != LIMITS)
        note_limit_kill(event);
    if (ended[core] && (event->type == EV_TRADE || event->type == EV_ACCEPTED))
        sim_fail("core %u: orders are taken when the day has ended", core);
}

void operators_went_back(unsigned core)
{
    ended[core] = false;
}

// What an operator was told but for a kill, a reset or a limit stands in the journal's ring, not on the disk.
void operators_host_crashed(void)
{
    for (unsigned i = 0; i < config->symbols_count; i++)
        symbols[i].state = MAYBE_HALTED;
}

const char *operators_busy(void)
{
    static char text[128];
    if (operators_all_ended())
        return NULL;
    if (operators_mood.end_day)
        return "the day has not ended";
    for (unsigned i = 0; i < whoms_count; i++) {
        if (!whoms[i].busy && is_free(&whoms[i]))
            continue;
        snprintf(text, sizeof text, "%s %s is not free: states %d and %d, %s", words[whoms[i].scope], whoms[i].name,
                 whoms[i].state[0], whoms[i].state[1], whoms[i].busy ? "nobody has answered" : "nobody has asked");
        return text;
    }
    for (unsigned i = 0; i < config->symbols_count; i++) {
        if (symbols[i].busy || symbols[i].state != TRADING)
            return "a symbol is halted";
    }
    if (market_busy || ledger_halted())
        return "the market is halted";
    const char *busy = ledger_busy();
    return busy || !has_limits ? busy : officers_busy();
}

void operators_check_rest(void)
{
    for (unsigned core = 0; core < config->matchers_count; core++) {
        if (ended[core] && (engine_day_open(oracle_engine(core)) || engine_live_orders(oracle_engine(core))))
            sim_fail("core %u: the day has ended, and it is open, or orders are live", core);
    }
    if (has_limits && !operators_all_ended())
        officers_check_rest();
}

bool operators_ended(unsigned core)
{
    return ended[core];
}
