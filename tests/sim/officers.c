// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/officers.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "contract/region.h"
#include "engine/engine.h"
#include "tests/sim/ledger.h"
#include "tests/sim/operators.h"
#include "tests/sim/oracle.h"
#include "tests/sim/posix.h"
#include "tests/sim/world.h"

enum { BLOCK_MS = 60, TRIP_NAME = 16 };

// A limit as it is asked for: ASK -> told at once: IN_FORCE; told to wait: WAITS -> approved by another: IN_FORCE.
struct wish {
    enum { ASK, WAITS, IN_FORCE } state;
    bool busy;
    enum scope scope;
    enum limit limit;
    const char *name;
    uint64_t asked, value; // value: in force, while `sure`
    bool sure, was_sure;
    uint64_t request; // that waits
    uint64_t asked_ns;
    bool by_himself; // the approval that is asked for
};

static const struct config *config;
static bool has_limits;
static struct wish quantities[WORLD_ACCOUNTS];   // max_quantity
static struct wish raises[WORLD_ACCOUNTS][2][2]; // account, firm; loss, drawdown
static bool file_busy, file_wrong, breaker_busy;
static bool schedule_wrong;
static uint64_t breaker_ns;

// ---- limits ---------------------------------------------------------------------------------------------------------

static void told_wish(void *context, const char *line, bool heard)
{
    struct wish *wish = context;
    struct answer answer = operators_read(line);
    (void)heard;
    wish->busy = false;
    if (!answer.done)
        return;
    if (answer.pending) { // what was in force is so still
        wish->state = WAITS;
        wish->request = answer.pending;
        wish->sure = wish->was_sure;
        return;
    }
    sim.stats[STAT_LIMITS]++;
    wish->state = IN_FORCE;
    wish->sure = true;
    wish->value = wish->asked;
}

static void told_approved(void *context, const char *line, bool heard)
{
    struct wish *wish = context;
    struct answer answer = operators_read(line);
    (void)heard;
    wish->busy = false;
    if (wish->by_himself && answer.done)
        sim_fail("request %llu is approved by who has asked for it", (unsigned long long)wish->request);
    if (wish->by_himself && line) { // it waits on
        wish->sure = wish->was_sure;
        return;
    }
    wish->state = answer.done ? IN_FORCE : ASK;
    if (!answer.done)
        return;
    sim.stats[STAT_SECOND]++;
    wish->sure = true;
    wish->value = wish->asked;
}

static void approve(struct wish *wish, bool by_himself)
{
    wish->by_himself = by_himself;
    wish->was_sure = wish->sure;
    wish->busy = operators_ask("sim.control.sock", told_approved, wish,
                               "{\"ask\":\"limits_approve\",\"request\":%llu,\"by\":\"%s\"}",
                               (unsigned long long)wish->request, by_himself ? "SIM" : "SECOND");
    wish->sure &= !wish->busy;
}

static void ask_for(struct wish *wish, const char *key, uint64_t value)
{
    static const char *const scopes[] = {[SCOPE_FIRM] = "firm", [SCOPE_ACCOUNT] = "account"};
    wish->asked = value;
    wish->was_sure = wish->sure;
    wish->busy = operators_ask("sim.control.sock", told_wish, wish,
                               "{\"ask\":\"limits_set\",\"scope\":\"%s\",\"name\":\"%s\",\"limit\":\"%s\","
                               "\"value\":\"%llu\",\"by\":\"SIM\"}",
                               scopes[wish->scope], wish->name, key, (unsigned long long)value);
    wish->sure &= !wish->busy;
}

static void change(struct wish *wish, const char *key, uint64_t value)
{
    wish->asked_ns = sim.now_ns;
    if (wish->state == WAITS)
        approve(wish, random_chance(&sim.risk, 200000));
    else
        ask_for(wish, key, value);
}

static void change_quantity(struct wish *wish)
{
    change(wish, "max_quantity", random_between(&sim.risk, 500, WORLD_MOST_QUANTITY));
}

bool officers_raise(enum scope scope, unsigned account)
{
    static const char *const keys[] = {"loss", "drawdown_percent"};
    const struct world_limits *given = scope == SCOPE_FIRM ? &world_firm_limits[account] : &world_limits[account];
    const bool has[] = {given->most[LIMIT_LOSS] != LIMIT_UNSET, given->most[LIMIT_DRAWDOWN] != LIMIT_UNSET};
    for (unsigned i = 0; i < 2; i++) {
        struct wish *wish = &raises[account][scope == SCOPE_FIRM][i];
        if (!has[i] || (wish->state == IN_FORCE && !wish->busy))
            continue;
        if (!wish->busy)
            change(wish, keys[i], i ? 100 : 100000000);
        return false;
    }
    return true;
}

// ---- files with mistakes --------------------------------------------------------------------------------------------

static void mend_files(void)
{
    world_mend_limits();
    world_mend_schedule();
    file_wrong = false;
}

static void told_file(void *context, const char *line, bool heard)
{
    struct answer answer = operators_read(line);
    (void)context, (void)heard;
    file_busy = false;
    if (answer.done && file_wrong)
        sim_fail("a %s is taken", schedule_wrong ? "schedule that runs backwards" : "limits file with a mistake");
    mend_files();
    sim.stats[schedule_wrong ? STAT_SCHEDULES_REFUSED : STAT_FILES_REFUSED] += line && !answer.done;
}

// Control reads them again when it starts, so only while it is past that; its end is told at once.
static void offer_file(void)
{
    if (file_busy || !world_control_serves())
        return;
    schedule_wrong = random_chance(&sim.risk, 400000);
    file_wrong = true;
    if (schedule_wrong)
        world_spoil_schedule();
    else
        world_spoil_limits();
    file_busy = operators_ask("sim.control.sock", told_file, &file_busy, "{\"ask\":\"reload\",\"by\":\"SIM\"}");
    if (!file_busy)
        mend_files();
}

// ---- breakers -------------------------------------------------------------------------------------------------------

// The name of the first breaker that stands on the board.
static const char *open_breaker(void)
{
    static char name[TRIP_NAME + 1];
    const struct region *region = oracle_region();
    const struct breaker_board *board = region ? region_find(region, OBJECT_BOARD, 0, 0) : NULL;
    if (!board || board->count == 0)
        return NULL;
    memcpy(name, (const void *)board->entries[0].name, TRIP_NAME);
    return name;
}

// When breaker `part` of a trip has opened, by control's log; 0: it is not open.
static uint64_t opened_ns[TRIP_CONDITIONS][ORACLE_STREAMS];
static uint64_t recovered_ns; // when control was last done with a data plane's recovery: before, nobody can be blocked

void officers_line(const char *line)
{
    char condition[32];
    unsigned part;
    const char *at = strstr(line, "\"trip\":");
    if (strstr(line, "\"XW2004\""))
        recovered_ns = sim.now_ns;
    if (!at || sscanf(at, "\"trip\":\"%31[^\"]\",\"of\":%u", condition, &part) != 2 || part >= ORACLE_STREAMS)
        return;
    for (unsigned i = 0; i < config->trips_count; i++) {
        const struct config_trip *trip = &config->trips[i];
        if (strncmp(trip->condition, condition, TRIP_NAME - 1) == 0)
            opened_ns[trip->is][part] = strstr(line, "\"XW2051\"") ? sim.now_ns : 0;
    }
}

void officers_control_starts(void)
{
    if (file_busy) { // offered to one that was stopping
        posix_hang_up(&file_busy);
        file_busy = false;
        mend_files();
    }
    memset(opened_ns, 0, sizeof opened_ns);
}

// It reads the configuration as well; what control reads from now on is right.
void officers_dataplane_starts(void)
{
    if (file_wrong)
        mend_files();
}

// Whether the breaker is to block the session on that core, and no operator has lifted that.
static bool is_to_block(const struct config_trip *trip, unsigned part, unsigned core, unsigned session)
{
    const unsigned account = config->sessions[session].account_index;
    switch (config_trip_info(trip->is)->each) {
    case EACH_SESSION:
        return part == session && !ledger_overruled(core, SCOPE_SESSION, session);
    case EACH_ACCOUNT: // or the firm
        return part == account && !ledger_overruled(core, SCOPE_ACCOUNT, account) &&
               !ledger_overruled(core, SCOPE_FIRM, account);
    case EACH_MATCHER:
        return part == core && !ledger_overruled(core, SCOPE_VENUE, 0);
    default:
        return !ledger_overruled(core, SCOPE_VENUE, 0);
    }
}

const char *officers_breaker(unsigned core, unsigned session)
{
    for (unsigned i = 0; has_limits && world_control_serves() && i < config->trips_count; i++) {
        const struct config_trip *trip = &config->trips[i];
        if (trip->does != TRIP_BLOCK || trip->is == TRIP_BAD_LOGINS || trip->is == TRIP_CONTROL_LOST)
            continue;
        for (unsigned part = 0; part < ORACLE_STREAMS; part++) {
            uint64_t at = opened_ns[trip->is][part], since_ns = at > recovered_ns ? at : recovered_ns;
            if (at && sim.now_ns - since_ns > BLOCK_MS * SIM_MS && is_to_block(trip, part, core, session))
                return trip->condition;
        }
    }
    return NULL;
}

static void told_breaker(void *context, const char *line, bool heard)
{
    (void)context, (void)heard;
    breaker_busy = false;
    operators_read(line);
}

static void reset_breaker(const char *name)
{
    breaker_ns = sim.now_ns;
    breaker_busy = operators_ask("sim.control.sock", told_breaker, &breaker_busy,
                                 "{\"ask\":\"breaker_reset\",\"trip\":\"%s\",\"by\":\"SIM\"}", name);
}

// A venue that a core has blocked, and does not free by itself.
static bool lost_control(void)
{
    for (unsigned core = 0; core < config->matchers_count; core++) {
        if (ledger_blocked(core, SCOPE_VENUE, 0, 0) & KILL_BY_CORE)
            return true;
    }
    return false;
}

// ---- their day ------------------------------------------------------------------------------------------------------

void officers_open(const struct config *of)
{
    config = of;
    has_limits = true;
    for (unsigned i = 0; i < WORLD_ACCOUNTS; i++) {
        quantities[i] =
            (struct wish){.scope = SCOPE_ACCOUNT, .limit = LIMIT_MAX_QUANTITY, .name = config->accounts[i].name};
        for (unsigned j = 0; j < 2; j++) {
            raises[i][0][j] = (struct wish){.scope = SCOPE_ACCOUNT, .name = config->accounts[i].name};
            raises[i][1][j] = (struct wish){.scope = SCOPE_FIRM, .name = config->accounts[i].firm};
        }
    }
}

void officers_act(void)
{
    struct wish *wish = &quantities[random_below(&sim.risk, WORLD_ACCOUNTS)];
    if (random_chance(&sim.risk, 200000))
        offer_file();
    else if (random_chance(&sim.risk, 50000) && open_breaker() && !breaker_busy)
        reset_breaker(open_breaker());
    else if (!wish->busy)
        change_quantity(wish);
}

// Breakers have time to close by themselves.
bool officers_lift(void)
{
    const char *name = open_breaker();
    if (!breaker_busy && sim.now_ns - breaker_ns > 300 * SIM_MS && (name || lost_control())) {
        reset_breaker(name ? name : "control_lost");
        return true;
    }
    for (unsigned i = 0; i < WORLD_ACCOUNTS; i++) {
        if (quantities[i].busy || (quantities[i].sure && quantities[i].state != WAITS))
            continue;
        change_quantity(&quantities[i]);
        return true;
    }
    return false;
}

const char *officers_busy(void)
{
    static char text[64];
    if (file_busy || breaker_busy)
        return "an officer waits for an answer";
    if (open_breaker()) {
        snprintf(text, sizeof text, "breaker %s is open", open_breaker());
        return text;
    }
    for (unsigned i = 0; i < WORLD_ACCOUNTS; i++) {
        if (quantities[i].busy || !quantities[i].sure)
            return "a limit is not told";
    }
    return NULL;
}

void officers_check_rest(void)
{
    for (unsigned i = 0; i < config->sessions_count; i++) {
        const struct config_session *session = &config->sessions[i];
        const struct wish *wish = &quantities[session->account_index];
        uint64_t is =
            engine_limit(oracle_engine(session->matcher), SCOPE_ACCOUNT, session->account_index, 0, LIMIT_MAX_QUANTITY);
        if (wish->sure && is != wish->value)
            sim_fail("core %u: an officer was told a limit of %llu of account %u, and it is %llu", session->matcher,
                     (unsigned long long)wish->value, session->account_index, (unsigned long long)is);
    }
}
