// SPDX-License-Identifier: Apache-2.0
// What the journal says of the breakers of earlier controls: the board in the region is gone when the data plane that
// made it is, but what they have blocked stands in the engine. Notes say how a breaker moved; its kills and resets,
// what that has done.
#include <string.h>

#include "contract/log.h"
#include "control/breaker/state.h"
#include "control/journal/journal.h"

static bool blocks(const struct row *row)
{
    return row->trip.does == TRIP_BLOCK && row->trip.is != TRIP_BAD_LOGINS;
}

// The row whose name `text` begins with, up to a colon or its end.
static const struct row *find_row(const struct breakers *breakers, const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && text[length] != '\0' && text[length] != ':')
        length++;
    for (uint32_t i = 0; i < breakers->rows_count; i++) {
        const char *name = breakers->rows[i].name;
        if (strlen(name) == length && memcmp(name, text, length) == 0)
            return &breakers->rows[i];
    }
    return NULL;
}

static uint32_t part_of(const struct row *row, const struct command *kill)
{
    const enum trip_each each = config_trip_info(row->trip.is)->each;
    return each == EACH_MATCHER || each == EACH_PUBLISHER ? journal_core(kill) : kill->kill.index;
}

static bool same_scope(const struct command *a, const struct command *b)
{
    return a->kill.scope == b->kill.scope && (a->kill.scope == SCOPE_VENUE || a->kill.index == b->kill.index);
}

// ---- records --------------------------------------------------------------------------------------------------------

static void read_stray(struct breakers *breakers, const struct command *kill, uint16_t core)
{
    struct stray *place = NULL;
    for (unsigned i = BREAKER_STRAYS; i-- > 0;) {
        struct stray *stray = &breakers->strays[i];
        if (!stray->cores || same_scope(&stray->command, kill))
            place = stray;
        if (stray->cores && same_scope(&stray->command, kill))
            break;
    }
    if (!place) // what is not remembered is still shown by xwctl kills, and xwctl reset lifts it
        return;
    place->command = *kill;
    place->cores |= core;
}

static void read_kill(struct breakers *breakers, const struct command *kill)
{
    const uint16_t core = (uint16_t)(1u << journal_core(kill));
    const struct row *row = find_row(breakers, kill->kill.why, sizeof kill->kill.why);
    if (kill->kill.source != KILL_BY_BREAKER || !(kill->kill.actions & KILL_BLOCK))
        return;
    if (!row || !blocks(row) || part_of(row, kill) >= row->count) {
        read_stray(breakers, kill, core);
        return;
    }
    struct past *past = &row->parts[part_of(row, kill)].past;
    if (past->blocked && past->scope != kill->kill.scope) { // an account's, and its firm's from here on
        struct command former = *kill;
        former.kill.scope = past->scope;
        read_stray(breakers, &former, past->blocked);
        past->blocked = past->given = 0;
    }
    past->state = BREAKER_OPEN;
    past->scope = kill->kill.scope;
    past->blocked |= core;
    past->given |= core;
}

static void read_reset(struct breakers *breakers, const struct command *reset)
{
    const uint16_t core = (uint16_t)(1u << journal_core(reset));
    if (reset->kill.source != 0 && !(reset->kill.source & KILL_BY_BREAKER))
        return;
    for (unsigned i = 0; i < BREAKER_STRAYS; i++)
        if (same_scope(&breakers->strays[i].command, reset))
            breakers->strays[i].cores &= (uint16_t)~core;
    for (uint32_t i = 0; i < breakers->rows_count; i++) {
        for (uint32_t part = 0; part < breakers->rows[i].count; part++) {
            struct past *past = &breakers->rows[i].parts[part].past;
            if (past->scope != reset->kill.scope || (past->scope != SCOPE_VENUE && part != reset->kill.index))
                continue;
            past->blocked &= (uint16_t)~core;
            if (reset->kill.source == KILL_BY_BREAKER) // an operator's does not close the breaker
                past->given &= (uint16_t)~core;
        }
    }
}

static void read_note(struct breakers *breakers, const struct command *note)
{
    const struct row *row = find_row(breakers, note->note.why, sizeof note->note.why);
    if (note->note.what != NOTE_BREAKER_MOVED || !row || note->note.index >= row->count)
        return;
    struct past *past = &row->parts[note->note.index].past;
    past->state = (uint8_t)note->note.after;
    if (past->scope == SCOPE_NONE)
        past->scope = note->note.scope;
}

uint32_t symbol_place(const struct config *config, unsigned core, uint16_t locate)
{
    uint32_t i = 0;
    while (i < config->symbols_count && (config->symbols[i].matcher != core || config->symbols[i].locate != locate))
        i++;
    return i;
}

// Recovery has shown us the same, as if it were given now.
static void read_reference(struct breakers *breakers, const struct command *record)
{
    const uint32_t place = symbol_place(breakers->config, journal_core(record), record->reference.locate);
    if (record->reference.reference || record->reference.adv)
        breakers->said_ns[place] = record->time_ns + 1; // 0: none
}

void breakers_read(struct breakers *breakers, const struct command *record)
{
    breakers->read_ns = record->time_ns > breakers->read_ns ? record->time_ns : breakers->read_ns;
    if (record->type == CMD_REFERENCE)
        read_reference(breakers, record);
    else if (record->type == CMD_KILL)
        read_kill(breakers, record);
    else if (record->type == CMD_RESET)
        read_reset(breakers, record);
    else if (record->type == CMD_NOTE)
        read_note(breakers, record);
}

// ---- the end --------------------------------------------------------------------------------------------------------

// Gives what an earlier control did not come to give.
static void complete(struct breakers *breakers, const struct row *row, uint32_t index)
{
    struct part *part = &row->parts[index];
    const uint16_t cores = part_cores(breakers, row, index);
    const bool open = part_state(part) == BREAKER_OPEN;
    const uint16_t done = open ? part->past.given & cores : cores & (uint16_t)~part->past.blocked;
    if (!blocks(row) || done == cores)
        return;
    part_begin_errand(part, open ? ERRAND_BLOCK : ERRAND_UNBLOCK, done);
}

static void adopt(struct breakers *breakers, const struct row *row, uint32_t index, uint64_t now_ns)
{
    struct part *part = &row->parts[index];
    if (part->scope == SCOPE_NONE)
        part->scope = part->past.scope;
    if (part->moved)
        return;
    if (part->past.state != BREAKER_CLOSED && breaker_trip(&part->breaker, now_ns))
        log_event(LOG_XW2056, "\"trip\":%s,\"of\":%u,\"action\":\"%s\",\"recovery\":\"%s\"", log_quote(row->name),
                  index, config_action_name(row->trip.does), config_recovery_name(row->trip.recovers));
    complete(breakers, row, index);
}

// How old the references are: ticks are the journal's clock.
static void end_references(struct breakers *breakers, uint64_t now_ns)
{
    for (uint32_t i = 0; i < breakers->config->symbols_count; i++) {
        const uint64_t age = breakers->said_ns[i] ? breakers->read_ns + 1 - breakers->said_ns[i] : 0;
        if (breakers->said_ns[i])
            breakers->fresh_ns[i] = age < now_ns ? now_ns - age : 1;
    }
}

void breakers_read_end(struct breakers *breakers, uint64_t now_ns)
{
    end_references(breakers, now_ns);
    for (uint32_t i = 0; i < breakers->rows_count; i++)
        for (uint32_t part = 0; part < breakers->rows[i].count; part++)
            adopt(breakers, &breakers->rows[i], part, now_ns);
    for (unsigned i = 0; i < BREAKER_STRAYS; i++) {
        struct stray *stray = &breakers->strays[i];
        const uint16_t wanted =
            breakers_wanted(breakers, (enum scope)stray->command.kill.scope, stray->command.kill.index, NULL);
        const uint16_t cores = stray->cores & (uint16_t)~wanted;
        stray->cores = 0;
        if (!cores)
            continue;
        char name[sizeof stray->command.kill.why + 1] = "";
        memcpy(name, stray->command.kill.why, sizeof stray->command.kill.why);
        log_event(LOG_XW2057, "\"trip\":%s,\"scope\":%u,\"index\":%u", log_quote(name), stray->command.kill.scope,
                  stray->command.kill.index);
        breakers_lift(breakers, &stray->command, cores);
    }
}
