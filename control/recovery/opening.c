// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/opening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#include "contract/assert.h"
#include "contract/drop_copy.h"
#include "control/recovery/market.h"
#include "engine/capacity.h"

#define SECOND_NS UINT64_C(1000000000)
#define JUMP_NS (60 * SECOND_NS)

// FNV-1a: told by whom we trust.
#define DIGEST_SEED UINT64_C(0xCBF29CE484222325)
#define DIGEST_FACTOR UINT64_C(0x100000001B3)

static struct command blank(enum command_type type, uint16_t session)
{
    struct command command = {.type = (uint8_t)type, .session = session};
    return command;
}

static void pad(char *out, size_t size, const char *text)
{
    size_t length = strnlen(text, size);
    memcpy(out, text, length);
    memset(out + length, ' ', size - length);
}

static struct command open_day(const struct config *config, unsigned core, const uint64_t drawn[2])
{
    struct engine_capacity capacity = engine_capacity_of(config, core);
    struct command command = blank(CMD_OPEN_DAY, SESSION_NONE);
    command.day.trading_date = config->date;
    command.day.engine_version = CROSSWIRE_ENGINE_VERSION;
    command.day.lookup_key = drawn[0];
    command.day.seed = drawn[1];
    command.day.max_orders = capacity.max_orders;
    command.day.max_levels = capacity.max_levels;
    command.day.max_symbols = capacity.max_symbols;
    command.day.max_accounts = capacity.max_accounts;
    command.day.max_sessions = capacity.max_sessions;
    command.day.core = (uint8_t)core;
    command.day.max_trades = capacity.max_trades;
    command.day.max_special = capacity.max_special;
    command.day.max_conditional = capacity.max_conditional;
    command.day.max_positions = capacity.max_positions;
    return command;
}

static struct command open_symbol(const struct config_symbol *symbol)
{
    struct command command = blank(CMD_OPEN_SYMBOL, SESSION_NONE);
    memcpy(command.open_symbol.name, symbol->wire_name, sizeof command.open_symbol.name);
    command.open_symbol.tick = symbol->tick_price;
    command.open_symbol.round_lot = symbol->round_lot;
    command.open_symbol.locate = symbol->locate;
    return command;
}

// Regular hours, unless the schedule has a phase before them.
static struct command start(const struct config *config)
{
    struct command command = blank(CMD_START, SESSION_NONE);
    char first = config->phases_count ? config->phases[0].phase : 0;
    command.phase.phase = first == PHASE_PRE || first == PHASE_REGULAR ? PHASE_PRE : PHASE_REGULAR;
    return command;
}

static struct command open_account(const struct config_account *account, unsigned index)
{
    struct command command = blank(CMD_OPEN_ACCOUNT, SESSION_NONE);
    pad(command.open_account.name, sizeof command.open_account.name, account->name);
    memcpy(command.open_account.firm, account->wire_firm, sizeof command.open_account.firm);
    command.open_account.account = (uint16_t)index;
    memcpy(command.open_account.organisation, account->wire_organisation, sizeof command.open_account.organisation);
    return command;
}

static struct command open_session(const struct config_session *session, unsigned index)
{
    struct command command = blank(CMD_OPEN_SESSION, (uint16_t)index);
    command.open_session.account = session->account_index;
    command.open_session.cancel_on_disconnect = (uint8_t)((session->cancel_on_disconnect ? CANCEL_WHEN_LOST : 0) |
                                                          (session->cancel_on_logout ? CANCEL_WHEN_OFF : 0));
    memcpy(command.open_session.user, session->wire_user, sizeof command.open_session.user);
    command.open_session.post_only_cancels = session->post_only_cancels;
    command.open_session.aiq_default = session->aiq_default;
    return command;
}

static struct command open_copy(const struct config *config, uint32_t copy)
{
    struct command command = blank(CMD_OPEN_COPY, (uint16_t)(config->sessions_count + copy));
    memcpy(command.open_copy.user, config->drop_copies[copy].wire_user, sizeof command.open_copy.user);
    command.open_copy.digest = DIGEST_SEED;
    for (uint32_t i = 0; i < config->sessions_count; i++) {
        if (!drop_copy_carries(config, copy, i))
            continue;
        command.open_copy.sessions++;
        command.open_copy.digest = (command.open_copy.digest ^ i) * DIGEST_FACTOR;
    }
    return command;
}

// The market's commands are behind the sessions; their times are the schedule's, which may change in a day.
static void add_market(struct command **next, const struct config *config, unsigned core)
{
    for (unsigned i = 0; i < config->symbols_count; i++) {
        if (config->symbols[i].matcher == core && market_bands(config, i, *next))
            ++*next;
    }
    if (market_declared(config, *next))
        ++*next;
}

bool opening_init(struct opening *opening, const struct config *config, unsigned core)
{
    *opening = (struct opening){.core = core, .config = config};
    uint64_t drawn[2]; // for the day: the live-order table's secret key, the seed of random reserves
    if (getrandom(drawn, sizeof drawn, 0) != sizeof drawn)
        return false;
    size_t most = 3 + 2 * (size_t)config->symbols_count + config->accounts_count + 2 * (size_t)config->sessions_count +
                  config->drop_copies_count;
    opening->list = calloc(most, sizeof *opening->list);
    if (!opening->list)
        return false;
    struct command *next = opening->list;
    *next++ = open_day(config, core, drawn);
    for (unsigned i = 0; i < config->symbols_count; i++) {
        if (config->symbols[i].matcher == core)
            *next++ = open_symbol(&config->symbols[i]);
    }
    for (unsigned i = 0; i < config->accounts_count; i++)
        *next++ = open_account(&config->accounts[i], i);
    for (unsigned i = 0; i < config->sessions_count; i++) {
        if (config->sessions[i].matcher == core)
            *next++ = open_session(&config->sessions[i], i);
    }
    for (unsigned i = 0; i < config->drop_copies_count; i++) {
        if (config->drop_copies[i].matcher == core)
            *next++ = open_copy(config, i);
    }
    add_market(&next, config, core);
    *next++ = start(config);
    opening->count = (unsigned)(next - opening->list);
    for (unsigned i = 0; i < config->sessions_count; i++) {
        if (config->sessions[i].matcher != core)
            continue;
        *next = blank(CMD_SESSION_DOWN, (uint16_t)i);
        next++->link.down_reason = DOWN_RESTART;
    }
    opening->downs = (unsigned)(next - opening->list) - opening->count;
    return true;
}

void opening_free(struct opening *opening)
{
    free(opening->list);
    opening->list = NULL;
}

static void mismatch(struct opening *opening, int exit_code, const char *text)
{
    if (opening->mismatch)
        return;
    opening->mismatch = text;
    opening->mismatch_exit = exit_code;
}

static void note_opening_command(struct opening *opening, const struct command *command)
{
    if (opening->given == opening->count) {
        mismatch(opening, EX_DATAERR, "more opening commands than the configuration gives");
        return;
    }
    const struct command *want = &opening->list[opening->given];
    struct command got = *command;
    if (command->type == CMD_OPEN_DAY && want->type == CMD_OPEN_DAY) {
        if (command->day.engine_version != CROSSWIRE_ENGINE_VERSION)
            mismatch(opening, EX_DATAERR, "another engine version");
        got.day.lookup_key = want->day.lookup_key; // drawn for the day, whoever drew them
        got.day.seed = want->day.seed;
    }
    if (command->type == CMD_BANDS && want->type == CMD_BANDS) {
        got.bands.wide_until_ns = want->bands.wide_until_ns;
        got.bands.wide_from_ns = want->bands.wide_from_ns;
    }
    if (command->type == CMD_INDEX && want->type == CMD_INDEX)
        got.index.last_ns = want->index.last_ns;
    if (command->type == CMD_START && command->phase.by[0])
        memset(got.phase.by, 0, sizeof got.phase.by); // who gave it, where it was held
    if (want->type != got.type || want->session != got.session ||
        memcmp(want->payload, got.payload, sizeof got.payload) != 0)
        mismatch(opening, EX_CONFIG, "other symbols, accounts, sessions, drop copies or capacities");
    opening->given++;
    if (command->type == CMD_START)
        opening->phase = command->phase.phase ? command->phase.phase : PHASE_REGULAR;
}

void opening_note(struct opening *opening, const struct command *command)
{
    switch (command->type) {
    case CMD_CLOCK:
        opening->clocked = true;
        opening->downs_given = 0;
        break;
    case CMD_OPEN_DAY:
    case CMD_OPEN_SYMBOL:
    case CMD_OPEN_ACCOUNT:
    case CMD_OPEN_SESSION:
    case CMD_OPEN_COPY:
    case CMD_START:
        note_opening_command(opening, command);
        break;
    case CMD_BANDS:
    case CMD_INDEX:
        if (!opening_started(opening)) // later ones are an operator's
            note_opening_command(opening, command);
        break;
    case CMD_SESSION_DOWN:
        opening->downs_given += command->link.down_reason == DOWN_RESTART;
        break;
    case CMD_END_DAY:
        opening->ended = true;
        opening->phase = PHASE_DAY_END;
        break;
    case CMD_PHASE:
        if (opening_phase_rank(command->phase.phase) > opening_phase_rank(opening->phase))
            opening->phase = command->phase.phase;
        break;
    default:
        break;
    }
}

void opening_restored(struct opening *opening, char phase, bool ended, unsigned downs)
{
    opening->given = opening->count;
    opening->clocked = true;
    opening->phase = phase;
    opening->ended = ended;
    opening->downs_given = downs;
}

uint64_t opening_digest(const struct opening *opening)
{
    uint64_t digest = DIGEST_SEED;
    for (unsigned i = 0; i < opening->count; i++) {
        struct command command = opening->list[i];
        if (command.type == CMD_OPEN_DAY) {
            command.day.lookup_key = command.day.seed = 0;
            command.day.engine_version = 0;
        }
        const unsigned char *bytes = (const unsigned char *)&command;
        for (size_t at = offsetof(struct command, type); at < sizeof command; at++)
            digest = (digest ^ bytes[at]) * DIGEST_FACTOR;
    }
    return digest;
}

void opening_restart(struct opening *opening)
{
    opening->clocked = false;
    opening->downs_given = 0;
    opening->want_downs = opening_started(opening) && !opening->ended;
}

void opening_resume(struct opening *opening)
{
    // Session-downs are given whole with the clock unless the ring is too small for that; only then a part can stand.
    opening->want_downs = opening_started(opening) && opening->downs_given > 0;
}

static bool is_held(const struct opening *opening, const struct config_phase *phase)
{
    return phase->time_ns > opening->clock.from_ns && phase->time_ns <= opening->clock.until_ns;
}

// The pre-market that START waits for; NULL: for none.
static const struct config_phase *pre_market(const struct opening *opening)
{
    const struct config *config = opening->config;
    return config->phases_count > 0 && config->phases[0].phase == PHASE_PRE ? &config->phases[0] : NULL;
}

bool opening_start_held(const struct opening *opening)
{
    const struct config_phase *pre = pre_market(opening);
    return !opening_started(opening) && !opening->start_by[0] && pre && pre->time_ns <= opening->clock.now_ns &&
           is_held(opening, pre);
}

void opening_start_by(struct opening *opening, const char *by)
{
    if (opening_start_held(opening))
        snprintf(opening->start_by, sizeof opening->start_by, "%s", by);
}

// START is all that is missing of the opening's end, and is held, or has a time that has not come.
static bool start_waits(const struct opening *opening)
{
    const struct config_phase *pre = pre_market(opening);
    const bool early = pre && opening->clock.now_ns < pre->time_ns && !opening->start_by[0];
    return !opening_started(opening) && (opening->holds_start || early || opening_start_held(opening));
}

static bool holds_any(const struct opening *opening)
{
    for (unsigned i = 0; i < opening->config->phases_count; i++) {
        const struct config_phase *phase = &opening->config->phases[i];
        if (is_held(opening, phase) && opening_phase_rank(phase->phase) > opening_phase_rank(opening->phase))
            return true;
    }
    return false;
}

void opening_keep_clock(struct opening *opening, struct opening_clock *clock)
{
    opening->kept = clock;
    opening->clock = *clock;
}

// Whether it has jumped ahead.
static bool clock_look(struct opening_clock *clock, uint64_t now_ns, uint64_t monotonic_ns)
{
    const uint64_t expected_ns = clock->now_ns + (monotonic_ns - clock->looked_ns);
    const bool jumps = clock->looked_ns != 0 && now_ns > expected_ns + JUMP_NS;
    clock->now_ns = now_ns;
    clock->looked_ns = monotonic_ns;
    if (now_ns + JUMP_NS < clock->until_ns) // it was set back: what it has not jumped over comes at its time
        clock->until_ns = now_ns;
    if (clock->until_ns <= clock->from_ns)
        clock->from_ns = clock->until_ns = 0;
    if (!jumps)
        return false;
    if (clock->until_ns == 0)
        clock->from_ns = expected_ns;
    clock->until_ns = now_ns;
    return true;
}

bool opening_time(struct opening *opening, const struct config *config, uint64_t unix_ns, uint64_t monotonic_ns)
{
    const uint64_t now_ns = (uint64_t)opening_clock_offset(config->date, unix_ns, 0);
    const bool jumps = clock_look(&opening->clock, now_ns, monotonic_ns);
    if (opening->kept)
        *opening->kept = opening->clock;
    return jumps && !opening->ended && holds_any(opening);
}

// The phase that START will have led to once all that is due is given; 0 while START waits for its time.
static char phase_of_start(const struct opening *opening)
{
    if (opening_started(opening))
        return opening->phase;
    return start_waits(opening) ? 0 : opening->list[opening->count - 1].phase.phase;
}

// The first phase of the schedule that is due and lies ahead; `left` how many there are.
static char next_phase(const struct opening *opening, unsigned *left)
{
    char next = 0, present = phase_of_start(opening);
    *left = 0;
    for (unsigned i = 0; present && !opening->ended && i < opening->config->phases_count; i++) {
        const struct config_phase *phase = &opening->config->phases[i];
        if (phase->time_ns > opening->clock.now_ns || is_held(opening, phase) ||
            opening_phase_rank(phase->phase) <= opening_phase_rank(present))
            continue;
        next = next ? next : phase->phase;
        ++*left;
    }
    return next;
}

bool opening_next(const struct opening *opening, int64_t offset_ns, struct command *command)
{
    if (!opening->clocked) {
        *command = blank(CMD_CLOCK, SESSION_NONE);
        command->clock.offset_ns = offset_ns;
        return true;
    }
    if (opening->given + start_waits(opening) < opening->count) {
        *command = opening->list[opening->given];
        if (command->type == CMD_START)
            memcpy(command->phase.by, opening->start_by, strlen(opening->start_by));
        return true;
    }
    if (opening->want_downs && opening->downs_given < opening->downs) {
        *command = opening->list[opening->count + opening->downs_given];
        return true;
    }
    unsigned left;
    char phase = opening_started(opening) ? next_phase(opening, &left) : 0;
    if (phase) {
        *command = blank(phase == PHASE_DAY_END ? CMD_END_DAY : CMD_PHASE, SESSION_NONE);
        if (command->type == CMD_PHASE)
            command->phase.phase = phase;
        return true;
    }
    return false;
}

unsigned opening_left(const struct opening *opening)
{
    unsigned downs =
        opening->want_downs && opening->downs_given < opening->downs ? opening->downs - opening->downs_given : 0;
    unsigned phases;
    next_phase(opening, &phases);
    return (opening->clocked ? 0 : 1) + (opening->count - opening->given - start_waits(opening)) + downs + phases;
}
