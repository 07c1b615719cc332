// SPDX-License-Identifier: Apache-2.0
#include "control/risk/kills.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/fault.h"
#include "control/risk/kills_state.h"

enum { KILLS_MOST = 4096 };

#define SECOND_NS UINT64_C(1000000000)
#define ALL_SOURCES (KILL_BY_OPERATOR | KILL_BY_LIMIT | KILL_BY_BREAKER)

static unsigned sides_of(char side)
{
    return side == 0 ? 3 : side == 'B' ? 1 : 2;
}

uint32_t kill_cores(const struct kills *kills, enum scope scope, uint16_t core)
{
    if (scope == SCOPE_SESSION || scope == SCOPE_SYMBOL)
        return 1u << core;
    return (uint32_t)((UINT64_C(1) << kills->config->matchers_count) - 1);
}

// ---- entries --------------------------------------------------------------------------------------------------------

struct kill_entry *kills_by_id(const struct kills *kills, uint64_t id)
{
    for (uint32_t i = kills->count; id && i-- > 0;)
        if (kills->entries[i].id == id)
            return &kills->entries[i];
    return NULL;
}

struct kill_entry *kills_by_limit(const struct kills *kills, uint8_t scope, uint16_t index, unsigned core)
{
    for (uint32_t i = kills->count; i-- > 0;) {
        struct kill_entry *entry = &kills->entries[i];
        if (entry->source == KILL_BY_LIMIT && !entry->confirmed && entry->scope == scope && entry->index == index &&
            entry->cores == 1u << core)
            return entry;
    }
    return NULL;
}

uint64_t kill_new_id(void)
{
    uint64_t id;
    do {
        randombytes_buf(&id, sizeof id);
        id >>= 12; // a number that JSON readers keep
    } while (id == 0);
    return id;
}

static void forget_over(struct kills *kills)
{
    for (uint32_t i = 0; kills->count == KILLS_MOST && i < kills->count; i++) {
        if (kills->entries[i].blocks || !kills->entries[i].confirmed)
            continue;
        memmove(&kills->entries[i], &kills->entries[i + 1], (kills->count - i - 1) * sizeof *kills->entries);
        kills->count--;
    }
}

struct kill_entry *kills_add(struct kills *kills, const struct kill_entry *entry)
{
    forget_over(kills);
    if (kills->count == KILLS_MOST)
        return NULL;
    if (kills->count == kills->room) {
        uint32_t room = kills->room ? 2 * kills->room : 16;
        struct kill_entry *entries = realloc(kills->entries, room * sizeof *entries);
        if (!entries)
            return NULL;
        kills->entries = entries;
        kills->room = room;
    }
    uint32_t at = kills->count;
    while (at > 0 && entry->time_ns && kills->entries[at - 1].time_ns > entry->time_ns)
        at--;
    memmove(&kills->entries[at + 1], &kills->entries[at], (kills->count - at) * sizeof *kills->entries);
    kills->entries[at] = *entry;
    kills->count++;
    return &kills->entries[at];
}

static void count_blocks(struct kill_entry *entry)
{
    entry->blocks = (uint8_t)((entry->blocked[0] != 0) | (entry->blocked[1] != 0) << 1);
}

void kill_block(struct kill_entry *entry, uint32_t cores)
{
    const unsigned sides = entry->actions & KILL_BLOCK ? sides_of(entry->side) : 0;
    for (unsigned side = 0; side < 2; side++)
        if (sides >> side & 1)
            entry->blocked[side] |= cores;
    count_blocks(entry);
}

struct kill_entry kill_of_limit(uint8_t scope, uint16_t index, unsigned core, uint64_t time_ns)
{
    struct kill_entry entry = {.id = kill_new_id(),
                               .scope = scope,
                               .index = index,
                               .core = (uint16_t)core,
                               .actions = KILL_BLOCK | KILL_CANCEL,
                               .source = KILL_BY_LIMIT,
                               .limit = LIMITS,
                               .time_ns = time_ns,
                               .by = "limit",
                               .cores = 1u << core,
                               .given = 1u << core,
                               .told = 1u << core};
    kill_block(&entry, entry.cores);
    return entry;
}

struct kill_entry kill_of_core(uint8_t actions, unsigned core, uint64_t time_ns)
{
    struct kill_entry entry = kill_of_limit(SCOPE_VENUE, 0, core, time_ns);
    entry.actions = actions;
    entry.asked_ns = 1;
    entry.again_ns = UINT64_MAX;
    if (!(actions & KILL_BLOCK))
        entry.blocked[0] = entry.blocked[1] = 0;
    count_blocks(&entry);
    snprintf(entry.by, sizeof entry.by, "matching core %u", core);
    snprintf(entry.why, sizeof entry.why, "control_lost");
    return entry;
}

static bool given_before(const struct kill_lift *lift, const struct kill_entry *entry)
{
    return entry->given >> lift->core & 1 && (lift->turn == 0 || entry->turn < lift->turn);
}

static bool lifts(const struct kill_lift *lift, const struct kill_entry *entry)
{
    const bool own = lift->scope == SCOPE_SESSION || lift->scope == SCOPE_SYMBOL;
    const uint64_t taken = entry->sequence[lift->core];
    return entry->scope == lift->scope && (lift->scope == SCOPE_VENUE || entry->index == lift->index) &&
           (!own || entry->core == lift->core) && entry->source & (lift->source ? lift->source : ALL_SOURCES) &&
           (taken                              ? taken < lift->sequence
            : lift->by_order == KILL_LIFT_PAST ? entry->asked_ns == 0
                                               : lift->by_order == KILL_LIFT_LIVE && given_before(lift, entry));
}

void kills_lift(struct kills *kills, const struct kill_lift *lift)
{
    for (uint32_t i = 0; i < kills->count; i++) {
        struct kill_entry *entry = &kills->entries[i];
        const unsigned before = entry->blocks;
        if (!lifts(lift, entry))
            continue;
        for (unsigned side = 0; side < 2; side++)
            if (sides_of(lift->side) >> side & 1)
                entry->blocked[side] &= ~(1u << lift->core);
        count_blocks(entry);
        if (before && entry->blocks == 0) {
            entry->given = entry->cores; // given again it would block again
            entry->again_ns = UINT64_MAX;
        }
    }
}

// ---- the whole ------------------------------------------------------------------------------------------------------

struct kills *kills_new(const struct config *config, const struct journal_writer *writer, struct history *history,
                        struct retell *retell, struct alerts *alerts, struct audit *audit)
{
    struct kills *kills = calloc(1, sizeof *kills);
    if (!kills)
        return NULL;
    kills->config = config;
    kills->writer = writer;
    kills->history = history;
    kills->retell = retell;
    kills->audit = audit;
    alerts_register(alerts, kills_hear, kills);
    history_register(history, kills_read, kills_read_end, kills);
    retell_register(retell, kills_hear_again, kills_hear_end, kills);
    return kills;
}

void kills_free(struct kills *kills)
{
    if (kills)
        free(kills->entries);
    free(kills);
}

uint64_t kills_give(struct kills *kills, const struct kill_entry *what, uint64_t now_ns)
{
    struct kill_entry entry = *what;
    entry.id = kill_new_id();
    entry.source = entry.source ? entry.source : KILL_BY_OPERATOR;
    entry.limit = LIMITS;
    entry.cores = kill_cores(kills, (enum scope)entry.scope, entry.core);
    entry.asked_ns = now_ns;
    entry.turn = ++kills->turns;
    entry.attended = true;
    kill_block(&entry, entry.cores);
    return kills_add(kills, &entry) ? entry.id : 0;
}

uint64_t kills_reset(struct kills *kills, const struct kill_entry *what)
{
    for (unsigned i = 0; i < KILLS_RESETS; i++) {
        struct kill_entry *reset = &kills->resets[i];
        if (reset->id)
            continue;
        *reset = *what;
        reset->id = kill_new_id();
        reset->turn = ++kills->turns;
        reset->cores = kill_cores(kills, (enum scope)reset->scope, reset->core);
        return reset->id;
    }
    return 0;
}

uint32_t kills_cores(const struct kills *kills, const struct kill_entry *what)
{
    return kill_cores(kills, (enum scope)what->scope, what->core);
}

void kills_unattended(struct kills *kills, uint64_t id)
{
    struct kill_entry *entry = kills_by_id(kills, id);
    if (entry)
        entry->attended = false;
}

void kills_doubt(struct kills *kills)
{
    for (uint32_t i = 0; i < kills->count; i++)
        if (kills->entries[i].asked_ns && !kills->entries[i].confirmed)
            kills->entries[i].doubtful = kills->entries[i].given & ~kill_said(&kills->entries[i]);
    for (unsigned i = 0; i < KILLS_RESETS; i++)
        kills->resets[i].doubtful = kills->resets[i].given & ~kills->resets[i].told;
}

static struct command command_of(const struct kill_entry *entry, enum command_type type)
{
    struct command command = {.type = (uint8_t)type, .session = SESSION_NONE};
    command.kill.id = entry->id;
    command.kill.index = entry->index;
    command.kill.scope = entry->scope;
    command.kill.side = entry->side;
    command.kill.actions = entry->actions;
    command.kill.source = entry->source;
    memcpy(command.kill.by, entry->by, strnlen(entry->by, sizeof command.kill.by));
    memcpy(command.kill.why, entry->why, strnlen(entry->why, sizeof command.kill.why));
    return command;
}

static uint32_t ended_cores(const struct kills *kills, const struct recovery *recovery)
{
    uint32_t cores = 0;
    for (unsigned core = 0; core < kills->config->matchers_count; core++)
        cores |= (uint32_t)recovery_ended(recovery, core) << core;
    return cores;
}

static bool waits_before(const struct kill_entry *first, const struct kill_entry *entry, unsigned core)
{
    const uint32_t wait = first->cores & ~first->given & ~first->missed & ~first->late;
    return first->turn && first->turn < entry->turn && wait >> core & 1 && first->scope == entry->scope &&
           (first->scope == SCOPE_VENUE || first->index == entry->index);
}

// Whether the core has first to be given a reset that was asked for before this kill, or a kill before this reset: a
// full ring does not turn them round.
static bool has_to_wait(const struct kills *kills, const struct kill_entry *entry, enum command_type type,
                        unsigned core)
{
    for (unsigned i = 0; type == CMD_KILL && i < KILLS_RESETS; i++)
        if (kills->resets[i].id && waits_before(&kills->resets[i], entry, core))
            return true;
    for (uint32_t i = 0; type == CMD_RESET && i < kills->count; i++)
        if (!kills->entries[i].confirmed && waits_before(&kills->entries[i], entry, core))
            return true;
    return false;
}

// A ring that is full is tried again: a kill is never dropped while there is a day that it is about.
static unsigned give(const struct kills *kills, struct recovery *recovery, struct kill_entry *entry,
                     enum command_type type)
{
    const struct command command = command_of(entry, type);
    unsigned done = 0;
    const uint32_t wait = entry->cores & ~entry->given & ~entry->missed;
    entry->late = wait & ended_cores(kills, recovery);
    for (unsigned core = 0; core < kills->config->matchers_count; core++) {
        if ((wait & ~entry->late) >> core & 1 && !has_to_wait(kills, entry, type, core) &&
            recovery_give(recovery, core, &command)) {
            entry->given |= 1u << core;
            done++;
        }
    }
    return done;
}

static bool durable(const struct kills *kills, const struct kill_entry *entry)
{
    for (unsigned core = 0; core < kills->config->matchers_count; core++)
        if (entry->cores >> core & 1 && journal_writer_durable(kills->writer, core) < entry->sequence[core])
            return false;
    return true;
}

static void confirm(struct kills *kills, struct kill_entry *entry)
{
    if (entry->confirmed || kill_said(entry) != entry->cores ||
        (!FAULT(kill_confirmed_early) && !durable(kills, entry)))
        return;
    entry->confirmed = true;
    const bool by_limit = entry->source == KILL_BY_LIMIT;
    audit_note(kills->audit, &(struct audit_entry){.what = NOTE_KILL_CONFIRMED,
                                                   .scope = (enum scope)entry->scope,
                                                   .core = entry->scope == SCOPE_SYMBOL ? (uint8_t)entry->core : 0,
                                                   .index = entry->index,
                                                   .number = by_limit ? entry->core : 0,
                                                   .before = by_limit ? 0 : entry->id,
                                                   .after = entry->canceled,
                                                   .by = entry->by,
                                                   .why = entry->why});
}

// An alert that found no room: what is blocked already can be asked again, and counts again.
static void ask_again(const struct kills *kills, const struct recovery *recovery, struct kill_entry *entry,
                      uint64_t now_ns)
{
    if (entry->confirmed)
        return;
    if (entry->given == entry->cores && entry->blocks && entry->again_ns == 0)
        entry->again_ns = now_ns + 2 * SECOND_NS;
    if (history_complete(kills->history) && entry->again_ns && now_ns > entry->again_ns) {
        entry->given = kill_said(entry) | (entry->given & ended_cores(kills, recovery));
        entry->again_ns = 0;
    }
}

unsigned kills_poll(struct kills *kills, struct recovery *recovery, uint64_t now_ns)
{
    unsigned done = 0;
    if (!recovery)
        return 0;
    for (uint32_t i = 0; i < kills->count; i++) {
        struct kill_entry *entry = &kills->entries[i];
        if (entry->confirmed || !entry->asked_ns)
            continue;
        done += give(kills, recovery, entry, CMD_KILL);
        confirm(kills, entry);
        ask_again(kills, recovery, entry, now_ns);
    }
    for (unsigned i = 0; i < KILLS_RESETS; i++)
        if (kills->resets[i].id && kills->resets[i].given != kills->resets[i].cores)
            done += give(kills, recovery, &kills->resets[i], CMD_RESET);
    return done;
}

// ---- questions ------------------------------------------------------------------------------------------------------

const struct kill_entry *kills_find(const struct kills *kills, uint64_t id)
{
    return kills_by_id(kills, id);
}

const struct kill_entry *kills_find_reset(const struct kills *kills, uint64_t id)
{
    for (unsigned i = 0; i < KILLS_RESETS; i++)
        if (id && kills->resets[i].id == id)
            return &kills->resets[i];
    return NULL;
}

bool kills_reset_confirmed(const struct kills *kills, const struct kill_entry *reset)
{
    return reset->told == reset->cores && durable(kills, reset);
}

void kills_reset_over(struct kills *kills, uint64_t id)
{
    for (unsigned i = 0; i < KILLS_RESETS; i++)
        if (id && kills->resets[i].id == id)
            kills->resets[i].id = 0;
}

const struct kill_entry *kills_at(const struct kills *kills, uint32_t at)
{
    return at < kills->count ? &kills->entries[at] : NULL;
}

bool kills_complete(const struct kills *kills)
{
    return history_complete(kills->history) && retell_complete(kills->retell);
}

bool kills_concern(const struct config *config, const struct kill_entry *entry, uint32_t session)
{
    uint16_t account = config->sessions[session].account_index;
    switch ((enum scope)entry->scope) {
    case SCOPE_VENUE:
        return true;
    case SCOPE_FIRM:
        return memcmp(config->accounts[account].wire_firm, config->accounts[entry->index].wire_firm, 4) == 0;
    case SCOPE_ACCOUNT:
        return account == entry->index;
    case SCOPE_SESSION:
        return session == entry->index;
    default:
        return false;
    }
}

unsigned kills_session_sides(const struct kills *kills, uint32_t session, const struct kill_entry **by)
{
    unsigned sides = 0;
    for (uint32_t i = 0; i < kills->count; i++) {
        const struct kill_entry *entry = &kills->entries[i];
        if (entry->blocks == 0 || !kills_concern(kills->config, entry, session))
            continue;
        if (sides == 0)
            *by = entry;
        sides |= entry->blocks;
    }
    return sides;
}

unsigned kills_symbol_sides(const struct kills *kills, unsigned core, uint16_t locate)
{
    unsigned sides = 0;
    for (uint32_t i = 0; i < kills->count; i++) {
        const struct kill_entry *entry = &kills->entries[i];
        if (entry->scope == SCOPE_SYMBOL && entry->core == core && entry->index == locate)
            sides |= entry->blocks;
    }
    return sides;
}
