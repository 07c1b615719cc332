// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/operators.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "contract/command.h"
#include "contract/reject.h"
#include "contract/risk.h"
#include "engine/engine.h"
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

struct told_limit {
    bool busy, sure;
    uint64_t value, asked;
};

struct operators_mood operators_mood;
static const struct config *config;
static bool has_limits;
static struct whom whoms[SCOPES];
static unsigned whoms_count;
static struct symbol symbols[16];
static struct told_limit limits[4]; // max_quantity, by account
static bool end_asked, ended[ORACLE_CORES];

static const char *const words[] = {[SCOPE_VENUE] = "venue",
                                    [SCOPE_FIRM] = "firm",
                                    [SCOPE_ACCOUNT] = "account",
                                    [SCOPE_SESSION] = "session",
                                    [SCOPE_SYMBOL] = "symbol"};

__attribute__((format(printf, 4, 5))) static bool ask(const char *desk, posix_answer *tell, void *context,
                                                      const char *format, ...)
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

// Whether the answer is that all is done.
static bool is_done(const char *line)
{
    json_t *root = line ? json_loads(line, 0, NULL) : NULL;
    bool done = json_is_true(json_object_get(root, "ok"));
    sim_say("an operator is told %s", line ? line : "nothing");
    json_decref(root);
    return done;
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

static void told_reset(void *context, const char *line, bool heard)
{
    struct whom *whom = context;
    bool done = is_done(line);
    (void)heard;
    whom->busy = false;
    sim.stats[STAT_RESET] += done;
    for (unsigned side = 0; done && side < 2; side++)
        whom->state[side] = whom->sides >> side & 1 ? FREE : whom->state[side];
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
    whom->busy =
        ask("sim.kill.sock", told_kill, whom,
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
    whom->busy = ask("sim.kill.sock", told_reset, whom,
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

static void told_halt(void *context, const char *line, bool heard)
{
    struct symbol *symbol = context;
    (void)heard;
    symbol->busy = false;
    if (!is_done(line))
        return;
    sim.stats[STAT_HALTED]++;
    symbol->state = HALTED;
}

static void told_resume(void *context, const char *line, bool heard)
{
    struct symbol *symbol = context;
    (void)heard;
    symbol->busy = false;
    if (!is_done(line))
        return;
    sim.stats[STAT_HALTED]++;
    symbol->state = TRADING;
}

static void halt(unsigned index, bool resume)
{
    struct symbol *symbol = &symbols[index];
    symbol->busy = ask("sim.control.sock", resume ? told_resume : told_halt, symbol,
                       "{\"ask\":\"halt\",\"symbol\":\"%s\",\"state\":\"%s\",\"reason\":\"T1\",\"by\":\"SIM\"}",
                       config->symbols[index].name, resume ? "T" : "H");
    if (symbol->busy)
        symbol->state = MAYBE_HALTED;
}

static void told_value(void *context, const char *line, bool heard)
{
    struct told_limit *limit = context;
    (void)heard;
    limit->busy = false;
    if (!is_done(line))
        return;
    sim.stats[STAT_LIMITS]++;
    limit->sure = true;
    limit->value = limit->asked;
}

static void change_limit(unsigned account)
{
    struct told_limit *limit = &limits[account];
    limit->asked = random_between(&sim.chaos, 500, 1000);
    limit->busy = ask("sim.control.sock", told_value, limit,
                      "{\"ask\":\"limits_set\",\"scope\":\"account\",\"name\":\"%s\",\"limit\":\"max_quantity\","
                      "\"value\":\"%u\",\"by\":\"SIM\"}",
                      config->accounts[account].name, (unsigned)limit->asked);
    limit->sure &= !limit->busy;
}

static bool all_ended(void)
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
    end_asked = ask("sim.control.sock", told_end, NULL, "{\"ask\":\"phase\",\"phase\":\"E\",\"by\":\"SIM\"}");
}

// ---- their day ------------------------------------------------------------------------------------------------------

static void act(void)
{
    struct random *random = &sim.chaos;
    struct whom *whom = &whoms[random_below(random, whoms_count)];
    unsigned symbol = (unsigned)random_below(random, config->symbols_count);
    unsigned account = (unsigned)random_below(random, config->accounts_count);
    if (random_chance(random, operators_mood.kill)) {
        if (!whom->busy && is_free(whom))
            kill_scope(whom);
        else if (!whom->busy)
            reset(whom, (unsigned)random_between(random, 1, 3));
    } else if (random_chance(random, 500000)) {
        if (!symbols[symbol].busy)
            halt(symbol, symbols[symbol].state != TRADING);
    } else if (has_limits && !limits[account].busy) {
        change_limit(account);
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
        reset(&whoms[i], BOTH_SIDES);
        return;
    }
    for (unsigned i = 0; i < config->symbols_count; i++) {
        if (symbols[i].busy || symbols[i].state == TRADING)
            continue;
        halt(i, true);
        return;
    }
    for (unsigned i = 0; has_limits && i < config->accounts_count; i++) {
        if (limits[i].busy || limits[i].sure)
            continue;
        change_limit(i);
        return;
    }
}

static void live(void *context, uint64_t unused)
{
    (void)context, (void)unused;
    lose_patience();
    if (operators_mood.end_day && !end_asked && !all_ended())
        end_day();
    else if (operators_mood.quiet && !all_ended())
        lift();
    else if (!all_ended() && random_chance(&sim.chaos, operators_mood.ask))
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

// Of what can not be accepted for no other reason.
static void check_reject(unsigned core, const struct event *event, const struct command *command)
{
    if ((uint8_t)event->reason != REJECT_OTHER || command->refuse != REJECT_NONE)
        return;
    for (unsigned i = 0; i < whoms_count; i++) {
        bool may = whoms[i].scope == SCOPE_SYMBOL ? whoms[i].core == core : concerns_session(&whoms[i], event->session);
        if (may && !is_free(&whoms[i]))
            return;
    }
    sim_fail("core %u: order %u of session %u is rejected as killed, and all kills have been reset", core,
             event->user_ref, event->session);
}

void operators_event(unsigned core, const struct event *event, const struct command *command, bool again)
{
    if (event->type == EV_DAY_END)
        ended[core] = true;
    if (again)
        return;
    sim.stats[STAT_DAYS] += event->type == EV_DAY_END;
    if (event->type == EV_TRADE)
        check_trade(core, event);
    if (event->type == EV_REJECTED)
        check_reject(core, event, command);
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
    if (all_ended())
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
    for (unsigned i = 0; has_limits && i < config->accounts_count; i++) {
        if (limits[i].busy || !limits[i].sure)
            return "a limit is not told";
    }
    return NULL;
}

void operators_check_rest(void)
{
    for (unsigned core = 0; core < config->matchers_count; core++) {
        if (ended[core] && (engine_day_open(oracle_engine(core)) || engine_live_orders(oracle_engine(core))))
            sim_fail("core %u: the day has ended, and it is open, or orders are live", core);
    }
    for (unsigned i = 0; has_limits && !all_ended() && i < config->sessions_count; i++) {
        const struct config_session *session = &config->sessions[i];
        uint64_t is =
            engine_limit(oracle_engine(session->matcher), SCOPE_ACCOUNT, session->account_index, 0, LIMIT_MAX_QUANTITY);
        const struct told_limit *limit = &limits[session->account_index];
        if (limit->sure && is != limit->value)
            sim_fail("core %u: an operator was told a limit of %llu of account %u, and it is %llu", session->matcher,
                     (unsigned long long)limit->value, session->account_index, (unsigned long long)is);
    }
}

bool operators_ended(unsigned core)
{
    return ended[core];
}
