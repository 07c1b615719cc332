// SPDX-License-Identifier: Apache-2.0
#include "control/risk/kills.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/fault.h"
#include "contract/log.h"
#include "control/limits/table.h"

enum { KILLS_MOST = 4096, RESETS = 16 };

#define SECOND_NS UINT64_C(1000000000)
#define ALL_SOURCES (KILL_BY_OPERATOR | KILL_BY_LIMIT | KILL_BY_BREAKER)

struct kills {
    const struct config *config;
    const struct journal_writer *writer;
    struct history *history;
    struct audit *audit;
    struct kill_entry *entries;
    uint32_t count, room;
    struct reset_entry resets[RESETS];
};

static unsigned sides_of(char side)
{
    return side == 0 ? 3 : side == 'B' ? 1 : 2;
}

static uint32_t cores_of(const struct kills *kills, enum scope scope, uint16_t core)
{
    if (scope == SCOPE_SESSION || scope == SCOPE_SYMBOL)
        return 1u << core;
    return (uint32_t)((UINT64_C(1) << kills->config->matchers_count) - 1);
}

// ---- entries --------------------------------------------------------------------------------------------------------

static struct kill_entry *find(const struct kills *kills, uint64_t id)
{
    for (uint32_t i = kills->count; id && i-- > 0;)
        if (kills->entries[i].id == id)
            return &kills->entries[i];
    return NULL;
}

static uint64_t new_id(void)
{
    uint64_t id;
    do {
        randombytes_buf(&id, sizeof id);
        id >>= 12; // a number that JSON readers keep
    } while (id == 0);
    return id;
}

// A place behind the others; what is over makes room when there is none. NULL: no memory, or all of them are needed.
static struct kill_entry *add(struct kills *kills, const struct kill_entry *entry)
{
    for (uint32_t i = 0; kills->count == KILLS_MOST && i < kills->count; i++) {
        if (kills->entries[i].blocks || !kills->entries[i].confirmed)
            continue;
        memmove(&kills->entries[i], &kills->entries[i + 1], (kills->count - i - 1) * sizeof *kills->entries);
        kills->count--;
    }
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
    kills->entries[kills->count] = *entry;
    return &kills->entries[kills->count++];
}

static bool same_scope(const struct kill_entry *entry, uint8_t scope, uint16_t index, uint16_t core)
{
    bool own = scope == SCOPE_SESSION || scope == SCOPE_SYMBOL;
    return entry->scope == scope && (scope == SCOPE_VENUE || entry->index == index) && (!own || entry->core == core);
}

// What a reset lifts: of kills of that very scope, in the order of the journal.
static void lift(struct kills *kills, uint8_t scope, uint16_t index, uint16_t core, char side, uint8_t source)
{
    for (uint32_t i = 0; i < kills->count; i++) {
        struct kill_entry *entry = &kills->entries[i];
        if (same_scope(entry, scope, index, core) && entry->source & (source ? source : ALL_SOURCES))
            entry->blocks &= (uint8_t)~sides_of(side);
    }
}

static void copy_text(char *to, size_t size, const char *from, size_t from_size)
{
    size_t length = strnlen(from, from_size < size - 1 ? from_size : size - 1);
    memcpy(to, from, length);
    to[length] = '\0';
}

static struct kill_entry entry_of(const struct kills *kills, const struct command *command, unsigned core)
{
    struct kill_entry entry = {.id = command->kill.id,
                               .scope = command->kill.scope,
                               .side = command->kill.side,
                               .actions = command->kill.actions,
                               .source = command->kill.source ? command->kill.source : KILL_BY_OPERATOR,
                               .index = command->kill.index,
                               .core = (uint16_t)core,
                               .time_ns = command->time_ns};
    entry.cores = cores_of(kills, (enum scope)entry.scope, entry.core);
    entry.blocks = entry.actions & KILL_BLOCK ? (uint8_t)sides_of(entry.side) : 0;
    copy_text(entry.by, sizeof entry.by, command->kill.by, sizeof command->kill.by);
    copy_text(entry.why, sizeof entry.why, command->kill.why, sizeof command->kill.why);
    return entry;
}

// The newest kill by a limit of a scope on one core that is not confirmed; by its scope, because a limit has no id.
static struct kill_entry *find_limit_kill(const struct kills *kills, uint8_t scope, uint16_t index, unsigned core)
{
    for (uint32_t i = kills->count; i-- > 0;) {
        struct kill_entry *entry = &kills->entries[i];
        if (entry->source == KILL_BY_LIMIT && !entry->confirmed && entry->scope == scope && entry->index == index &&
            entry->cores == 1u << core)
            return entry;
    }
    return NULL;
}

// A kill by a limit: each matching core looks at its own part, and cancels at once.
static struct kill_entry limit_kill(uint8_t scope, uint16_t index, unsigned core, uint64_t time_ns)
{
    return (struct kill_entry){.id = new_id(),
                               .scope = scope,
                               .index = index,
                               .core = (uint16_t)core,
                               .actions = KILL_BLOCK | KILL_CANCEL,
                               .source = KILL_BY_LIMIT,
                               .blocks = 3,
                               .time_ns = time_ns,
                               .by = "limit",
                               .cores = 1u << core,
                               .given = 1u << core,
                               .told = 1u << core};
}

// A kill of the whole venue by a matching core that has lost control: its own, without an id, and lifted by itself. So
// it is never given again.
static struct kill_entry core_kill(uint8_t actions, unsigned core, uint64_t time_ns)
{
    struct kill_entry entry = limit_kill(SCOPE_VENUE, 0, core, time_ns);
    entry.actions = actions;
    entry.blocks = actions & KILL_BLOCK ? 3 : 0;
    entry.asked_ns = 1;
    entry.again_ns = UINT64_MAX;
    snprintf(entry.by, sizeof entry.by, "matching core %u", core);
    snprintf(entry.why, sizeof entry.why, "control_lost");
    return entry;
}

// ---- the journal of earlier controls --------------------------------------------------------------------------------

static void read_confirmed(struct kills *kills, const struct command *record)
{
    struct kill_entry *entry =
        record->note.before ? find(kills, record->note.before)
                            : find_limit_kill(kills, record->note.scope, record->note.index, record->note.number);
    if (!entry)
        return;
    entry->confirmed = true;
    entry->canceled = record->note.after;
}

static void read_note(struct kills *kills, const struct command *record)
{
    if (record->note.what == NOTE_KILL_CONFIRMED) {
        read_confirmed(kills, record);
    } else if (record->note.what == NOTE_KILL_BY_LIMIT && record->note.number < kills->config->matchers_count) {
        struct kill_entry limit =
            limit_kill(record->note.scope, record->note.index, record->note.number, record->time_ns);
        copy_text(limit.why, sizeof limit.why, record->note.why, sizeof record->note.why);
        add(kills, &limit);
    }
}

static void read_kill(struct kills *kills, const struct command *record, unsigned core)
{
    struct kill_entry *entry = find(kills, record->kill.id), first;
    const bool by_limit = record->kill.source == KILL_BY_LIMIT;
    if (!entry && by_limit) // given again, by a control that had drawn a number of its own
        entry = find_limit_kill(kills, record->kill.scope, record->kill.index, core);
    if (entry && entry->source == KILL_BY_BREAKER && !entry->foreign && entry->given >> core & 1)
        entry = NULL; // the breakers of another control have counted from the same number
    if (!entry) {
        first = entry_of(kills, record, core);
        if (by_limit && record->kill.id == 0) {
            first = core_kill(record->kill.actions, core, record->time_ns);
            first.confirmed = true; // in its place in the journal: what came behind it found nothing
        }
        entry = add(kills, &first);
    }
    if (entry && entry->foreign) {
        copy_text(entry->by, sizeof entry->by, record->kill.by, sizeof record->kill.by);
        copy_text(entry->why, sizeof entry->why, record->kill.why, sizeof record->kill.why);
    }
    if (entry)
        entry->given |= 1u << core;
}

static void read_record(void *context, const struct command *record)
{
    struct kills *kills = context;
    const unsigned core = journal_core(record);
    if (record->type == CMD_KILL)
        read_kill(kills, record, core);
    else if (FAULT(kills_given_again))
        return;
    else if (record->type == CMD_RESET)
        lift(kills, record->kill.scope, record->kill.index, (uint16_t)core, record->kill.side, record->kill.source);
    else if (record->type == CMD_NOTE)
        read_note(kills, record);
}

// What blocks and was not confirmed is given once more, to all its cores, also to those that never got it. What only
// cancels is not: orders have come since.
static void end_history(void *context, uint64_t now_ns)
{
    const struct kills *kills = context;
    for (uint32_t i = 0; i < kills->count; i++) {
        struct kill_entry *entry = &kills->entries[i];
        if (entry->confirmed || entry->asked_ns)
            continue;
        entry->asked_ns = now_ns;
        entry->given = entry->blocks ? 0 : entry->cores;
    }
}

// ---- alerts ---------------------------------------------------------------------------------------------------------

static void take_limit_kill(struct kills *kills, unsigned core, const struct alert *alert)
{
    struct kill_entry entry = limit_kill(alert->scope, alert->index, core, alert->time_ns);
    entry.asked_ns = 1;
    entry.sequence[core] = alert->cmd_seq;
    char most[LIMIT_TEXT], used[LIMIT_TEXT];
    limit_format(LIMIT_LOSS, alert->before, most); // loss, or the money that a drawdown came to
    limit_format(LIMIT_LOSS, alert->after, used);
    snprintf(entry.why, sizeof entry.why, "%s: %.18s, limit %.18s", limit_info((enum limit)alert->limit).key, used,
             most);
    add(kills, &entry);
    audit_note(kills->audit, &(struct audit_entry){.what = NOTE_KILL_BY_LIMIT,
                                                   .scope = (enum scope)alert->scope,
                                                   .index = alert->index,
                                                   .number = core,
                                                   .before = alert->before,
                                                   .after = alert->after,
                                                   .by = limit_info((enum limit)alert->limit).key,
                                                   .why = entry.why});
}

// A kill that is not known: a breaker has given it, or an earlier control, whose journal has not been read as far.
static struct kill_entry *take_foreign(struct kills *kills, unsigned core, const struct alert *alert)
{
    struct kill_entry entry = {.id = alert->before,
                               .scope = alert->scope,
                               .side = alert->reason,
                               .actions = (uint8_t)alert->after,
                               .source = (uint8_t)(alert->after >> 8),
                               .index = alert->index,
                               .core = (uint16_t)core,
                               .time_ns = alert->time_ns,
                               .foreign = true,
                               .asked_ns = 1,
                               .by = "breaker"};
    entry.cores = entry.given = cores_of(kills, (enum scope)entry.scope, entry.core);
    entry.blocks = entry.actions & KILL_BLOCK ? (uint8_t)sides_of(entry.side) : 0;
    return add(kills, &entry);
}

static struct kill_entry *take_core_kill(struct kills *kills, unsigned core, const struct alert *alert)
{
    struct kill_entry entry = core_kill((uint8_t)alert->after, core, alert->time_ns);
    return alert->after >> 8 == KILL_BY_CORE && alert->scope == SCOPE_VENUE ? add(kills, &entry) : NULL;
}

static void take_kill(struct kills *kills, unsigned core, const struct alert *alert)
{
    struct kill_entry *entry = find(kills, alert->before);
    if (alert->before == 0 && alert->kind == ALERT_ZERO)
        entry = find_limit_kill(kills, alert->scope, alert->index, core);
    if (entry && entry->foreign && entry->confirmed && alert->kind == ALERT_KILLED)
        entry = NULL; // an earlier one: the breakers of another control have counted from the same number
    if (!entry && alert->kind == ALERT_KILLED)
        entry = alert->before ? take_foreign(kills, core, alert) : take_core_kill(kills, core, alert);
    if (!entry)
        return;
    if (alert->kind == ALERT_KILLED)
        entry->told |= 1u << core;
    if (alert->kind == ALERT_ZERO) {
        entry->canceled += alert->after;
        entry->zero |= 1u << core;
    }
    entry->sequence[core] = alert->cmd_seq;
    if (entry->time_ns == 0)
        entry->time_ns = alert->time_ns;
}

static void take_reset(struct kills *kills, unsigned core, const struct alert *alert)
{
    for (unsigned i = 0; i < RESETS; i++) {
        struct reset_entry *reset = &kills->resets[i];
        if (!reset->id || reset->id != alert->before)
            continue;
        reset->told |= 1u << core;
        reset->sequence[core] = alert->cmd_seq;
        reset->lifted |= (uint8_t)((alert->after | alert->after >> 2 | alert->after >> 4) & 3);
        return;
    }
    // Given by others: whose kind of block it was is said by what it lifted.
    uint8_t source = 0;
    for (unsigned bit = 0; bit < 3; bit++)
        source |= (uint8_t)((alert->after >> 2 * bit & 3) != 0) << bit;
    if (source)
        lift(kills, alert->scope, alert->index, (uint16_t)core, alert->reason, source);
}

static void take_alert(void *context, unsigned core, const struct alert *alert)
{
    struct kills *kills = context;
    if (alert->kind == ALERT_RESET)
        take_reset(kills, core, alert);
    else if (alert->kind == ALERT_KILLED && alert->limit < LIMITS)
        take_limit_kill(kills, core, alert);
    else if (alert->kind == ALERT_KILLED || alert->kind == ALERT_ZERO)
        take_kill(kills, core, alert);
}

// ---- the whole ------------------------------------------------------------------------------------------------------

struct kills *kills_new(const struct config *config, const struct journal_writer *writer, struct history *history,
                        struct alerts *alerts, struct audit *audit)
{
    struct kills *kills = calloc(1, sizeof *kills);
    if (!kills)
        return NULL;
    kills->config = config;
    kills->writer = writer;
    kills->history = history;
    kills->audit = audit;
    alerts_register(alerts, take_alert, kills);
    history_register(history, read_record, end_history, kills);
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
    entry.id = new_id();
    entry.source = entry.source ? entry.source : KILL_BY_OPERATOR;
    entry.cores = cores_of(kills, (enum scope)entry.scope, entry.core);
    entry.blocks = entry.actions & KILL_BLOCK ? (uint8_t)sides_of(entry.side) : 0;
    entry.asked_ns = now_ns;
    return add(kills, &entry) ? entry.id : 0;
}

uint64_t kills_reset(struct kills *kills, const struct reset_entry *what)
{
    for (unsigned i = 0; i < RESETS; i++) {
        struct reset_entry *reset = &kills->resets[i];
        if (reset->id)
            continue;
        *reset = *what;
        reset->id = new_id();
        reset->cores = cores_of(kills, (enum scope)reset->scope, reset->core);
        return reset->id;
    }
    return 0;
}

// CMD_KILL or CMD_RESET, by whom and why.
static struct command switch_command(enum command_type type, uint64_t id, const char *by, const char *why)
{
    struct command command = {.type = (uint8_t)type, .session = SESSION_NONE};
    command.kill.id = id;
    memcpy(command.kill.by, by, strnlen(by, sizeof command.kill.by));
    memcpy(command.kill.why, why, strnlen(why, sizeof command.kill.why));
    return command;
}

static struct command kill_command(const struct kill_entry *entry)
{
    struct command command = switch_command(CMD_KILL, entry->id, entry->by, entry->why);
    command.kill.index = entry->index;
    command.kill.scope = entry->scope;
    command.kill.side = entry->side;
    command.kill.actions = entry->actions;
    command.kill.source = entry->source;
    return command;
}

static struct command reset_command(const struct reset_entry *reset)
{
    struct command command = switch_command(CMD_RESET, reset->id, reset->by, reset->why);
    command.kill.index = reset->index;
    command.kill.scope = reset->scope;
    command.kill.side = reset->side;
    command.kill.source = reset->source;
    return command;
}

// A ring that is full is tried again: a kill is never dropped.
static unsigned give_all(const struct kills *kills, struct recovery *recovery, const struct command *command,
                         uint32_t cores, uint32_t *given)
{
    unsigned done = 0;
    for (unsigned core = 0; core < kills->config->matchers_count; core++) {
        if ((cores & ~*given) >> core & 1 && recovery_give(recovery, core, command)) {
            *given |= 1u << core;
            done++;
        }
    }
    return done;
}

static bool durable(const struct kills *kills, uint32_t cores, const uint64_t sequence[JOURNAL_CORES])
{
    for (unsigned core = 0; core < kills->config->matchers_count; core++)
        if (cores >> core & 1 && journal_writer_durable(kills->writer, core) < sequence[core])
            return false;
    return true;
}

static void confirm(struct kills *kills, struct kill_entry *entry)
{
    uint32_t said = entry->actions & KILL_CANCEL ? entry->zero : entry->told;
    bool stands = FAULT(kill_confirmed_early) || durable(kills, entry->cores, entry->sequence);
    if (entry->confirmed || said != entry->cores || !stands)
        return;
    entry->confirmed = true;
    const bool by_limit = entry->source == KILL_BY_LIMIT;
    audit_note(kills->audit, &(struct audit_entry){.what = NOTE_KILL_CONFIRMED,
                                                   .scope = (enum scope)entry->scope,
                                                   .index = entry->index,
                                                   .number = by_limit ? entry->core : 0,
                                                   .before = by_limit ? 0 : entry->id,
                                                   .after = entry->canceled,
                                                   .by = entry->by,
                                                   .why = entry->why});
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
        struct command command = kill_command(entry);
        done += give_all(kills, recovery, &command, entry->cores, &entry->given);
        confirm(kills, entry);
        // An alert that found no room: what is blocked already can be asked again, and counts again.
        if (!entry->confirmed && entry->given == entry->cores && entry->blocks && entry->again_ns == 0)
            entry->again_ns = now_ns + 2 * SECOND_NS;
        if (!entry->confirmed && history_complete(kills->history) && entry->again_ns && now_ns > entry->again_ns) {
            entry->given = entry->actions & KILL_CANCEL ? entry->zero : entry->told;
            entry->again_ns = 0;
        }
    }
    for (unsigned i = 0; i < RESETS; i++) {
        struct reset_entry *reset = &kills->resets[i];
        uint32_t before = reset->given;
        if (!reset->id || before == reset->cores)
            continue;
        struct command command = reset_command(reset);
        done += give_all(kills, recovery, &command, reset->cores, &reset->given);
        if (reset->given == reset->cores)
            lift(kills, reset->scope, reset->index, reset->core, reset->side, reset->source);
    }
    return done;
}

// ---- questions ------------------------------------------------------------------------------------------------------

const struct kill_entry *kills_find(const struct kills *kills, uint64_t id)
{
    return find(kills, id);
}

const struct reset_entry *kills_find_reset(const struct kills *kills, uint64_t id)
{
    for (unsigned i = 0; i < RESETS; i++)
        if (id && kills->resets[i].id == id)
            return &kills->resets[i];
    return NULL;
}

bool kills_reset_confirmed(const struct kills *kills, const struct reset_entry *reset)
{
    return reset->told == reset->cores && durable(kills, reset->cores, reset->sequence);
}

void kills_reset_over(struct kills *kills, uint64_t id)
{
    for (unsigned i = 0; i < RESETS; i++)
        if (id && kills->resets[i].id == id)
            kills->resets[i].id = 0;
}

const struct kill_entry *kills_at(const struct kills *kills, uint32_t at)
{
    return at < kills->count ? &kills->entries[at] : NULL;
}

bool kills_complete(const struct kills *kills)
{
    return history_complete(kills->history);
}

static bool has_session(const struct config *config, const struct kill_entry *entry, uint32_t session)
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
        if (entry->blocks == 0 || !has_session(kills->config, entry, session))
            continue;
        if (sides == 0)
            *by = entry;
        sides |= entry->blocks;
    }
    return sides;
}
