// SPDX-License-Identifier: Apache-2.0
// What the journal says of the kills of earlier controls: what they have given and noted, record by record.
#include <string.h>

#include "contract/fault.h"
#include "control/limits/table.h"
#include "control/risk/kills_state.h"

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
                               .limit = LIMITS,
                               .index = command->kill.index,
                               .core = (uint16_t)core,
                               .time_ns = command->time_ns};
    // A breaker's block is of the matching cores that it was given to: what others lack is the breakers' to give.
    entry.cores = entry.source == KILL_BY_BREAKER ? 1u << core : kill_cores(kills, (enum scope)entry.scope, entry.core);
    kill_block(&entry, entry.cores);
    copy_text(entry.by, sizeof entry.by, command->kill.by, sizeof command->kill.by);
    copy_text(entry.why, sizeof entry.why, command->kill.why, sizeof command->kill.why);
    return entry;
}

static void read_confirmed(struct kills *kills, const struct command *record)
{
    struct kill_entry *entry = record->note.before
                                   ? kills_by_id(kills, record->note.before)
                                   : kills_by_limit(kills, record->note.scope, record->note.index, record->note.number);
    if (!entry)
        return;
    entry->confirmed = true;
    entry->canceled = record->note.after;
}

static void read_by_limit(struct kills *kills, const struct command *record)
{
    struct kill_entry entry =
        kill_of_limit(record->note.scope, record->note.index, record->note.number, record->time_ns);
    entry.limit = (uint8_t)limit_by_key(record->note.by, strnlen(record->note.by, sizeof record->note.by));
    entry.before = record->note.before;
    entry.after = record->note.after;
    copy_text(entry.why, sizeof entry.why, record->note.why, sizeof record->note.why);
    kills_add(kills, &entry);
}

static void read_note(struct kills *kills, const struct command *record)
{
    if (record->note.what == NOTE_KILL_CONFIRMED)
        read_confirmed(kills, record);
    else if (record->note.what == NOTE_KILL_BY_LIMIT && record->note.number < kills->config->matchers_count)
        read_by_limit(kills, record);
}

static void read_kill(struct kills *kills, const struct command *record, unsigned core)
{
    struct kill_entry *entry = kills_by_id(kills, record->kill.id), first;
    const bool by_limit = record->kill.source == KILL_BY_LIMIT;
    if (!entry && by_limit) // given again, by a control that had drawn a number of its own
        entry = kills_by_limit(kills, record->kill.scope, record->kill.index, core);
    if (entry && entry->source == KILL_BY_BREAKER && !entry->foreign && entry->given >> core & 1)
        entry = NULL; // the breakers of another control have counted from the same number
    if (!entry) {
        first = entry_of(kills, record, core);
        if (by_limit && record->kill.id == 0) {
            first = kill_of_core(record->kill.actions, core, record->time_ns);
            first.confirmed = true; // in its place in the journal: what came behind it found nothing
        }
        entry = kills_add(kills, &first);
    }
    if (entry && entry->foreign) {
        copy_text(entry->by, sizeof entry->by, record->kill.by, sizeof record->kill.by);
        copy_text(entry->why, sizeof entry->why, record->kill.why, sizeof record->kill.why);
    }
    if (!entry)
        return;
    if (entry->source == KILL_BY_BREAKER && !(entry->cores >> core & 1)) {
        entry->cores |= 1u << core;
        kill_block(entry, 1u << core);
    }
    entry->given |= 1u << core;
    if (!by_limit || record->kill.id == 0) // a limit's own began before it was given again
        entry->sequence[core] = journal_sequence(record);
}

void kills_read(void *context, const struct command *record)
{
    struct kills *kills = context;
    const unsigned core = journal_core(record);
    if (record->type == CMD_KILL)
        read_kill(kills, record, core);
    else if (record->type == CMD_RESET)
        kills_lift(kills, &(struct kill_lift){.scope = record->kill.scope,
                                              .source = record->kill.source,
                                              .side = record->kill.side,
                                              .index = record->kill.index,
                                              .core = core,
                                              .sequence = journal_sequence(record),
                                              .by_order = KILL_LIFT_PAST});
    else if (record->type == CMD_NOTE)
        read_note(kills, record);
}

// What was not confirmed goes on. A core that has it counts again when the journal, told again, does not say that it
// has counted; one that never got it is given what blocks. What only cancels it is not given: orders have come since.
void kills_read_end(void *context, uint64_t now_ns)
{
    const struct kills *kills = context;
    for (uint32_t i = 0; i < kills->count; i++) {
        struct kill_entry *entry = &kills->entries[i];
        if (FAULT(kills_given_again) && entry->actions & KILL_BLOCK) {
            entry->given = 0;
            entry->blocks = 3;
            entry->confirmed = false;
        }
        if (entry->confirmed || entry->asked_ns)
            continue;
        entry->asked_ns = now_ns;
        entry->doubtful = entry->given;
        if (!entry->blocks)
            entry->missed = entry->cores & ~entry->given;
    }
}
