// SPDX-License-Identifier: Apache-2.0
#include "control/ctl/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/progress.h"

enum { INDEXES = UINT16_MAX + 1, EARLY_MOST = 64 };

// What a core is told before its engine's size is known.
struct early {
    struct command *records;
    unsigned count;
};

struct state {
    struct ctl_walk *walk;
    struct early early[JOURNAL_CORES];
    unsigned core; // whose events come
};

// ---- options --------------------------------------------------------------------------------------------------------

static uint64_t read_count(const char *option, const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end)
        fail_with(EX_USAGE, "%s %s: give a number", option, text);
    return value;
}

// HH:MM:SS[.fraction]; the hour may be above 23, for days that a test puts into the past.
uint64_t ctl_read_time(const char *option, const char *text)
{
    unsigned hour, minute, second;
    int used = 0;
    uint64_t fraction = 0, unit = 100000000;
    if (sscanf(text, "%4u:%2u:%2u%n", &hour, &minute, &second, &used) == 3 && minute < 60 && second < 60) {
        const char *at = text + used;
        if (*at == '.')
            for (at++; *at >= '0' && *at <= '9' && unit; at++, unit /= 10)
                fraction += (uint64_t)(*at - '0') * unit;
        if (*at == '\0')
            return (hour * UINT64_C(3600) + minute * 60 + second) * 1000000000 + fraction;
    }
    fail_with(EX_USAGE, "%s %s: give HH:MM:SS or HH:MM:SS.nnnnnnnnn, UTC", option, text);
}

struct ctl_walk ctl_walk_of(const struct ctl *ctl, const struct journal_identity *identity)
{
    struct ctl_walk walk = {
        .identity = identity, .core = CTL_ALL_CORES, .until_seq = UINT64_MAX, .until_ns = UINT64_MAX};
    if (ctl->core)
        walk.core = (uint32_t)read_count("--core", ctl->core);
    if (ctl->until)
        walk.until_seq = read_count("--until", ctl->until);
    if (ctl->at)
        walk.until_ns = ctl_read_time("--at", ctl->at);
    return walk;
}

// ---- names ----------------------------------------------------------------------------------------------------------

static void *need(void *memory)
{
    if (!memory)
        fail_with(EX_OSERR, "no memory");
    return memory;
}

static void copy_name(char *to, size_t size, const char *from, size_t from_size)
{
    size_t length = strnlen(from, from_size < size - 1 ? from_size : size - 1);
    while (length > 0 && from[length - 1] == ' ')
        length--;
    memcpy(to, from, length);
    to[length] = '\0';
}

static void note_symbol(struct ctl_day *day, const struct command *record)
{
    if (day->symbols_count == day->symbols_room) {
        day->symbols_room = day->symbols_room ? 2 * day->symbols_room : 64;
        day->symbols = need(realloc(day->symbols, day->symbols_room * sizeof *day->symbols));
    }
    struct ctl_symbol *symbol = &day->symbols[day->symbols_count++];
    symbol->core = (uint8_t)journal_core(record);
    symbol->locate = record->open_symbol.locate;
    copy_name(symbol->name, sizeof symbol->name, record->open_symbol.name, sizeof record->open_symbol.name);
}

static void note_names(struct ctl_day *day, const struct command *record)
{
    if (record->type == CMD_OPEN_SYMBOL) {
        note_symbol(day, record);
    } else if (record->type == CMD_OPEN_ACCOUNT) {
        copy_name(day->accounts[record->open_account.account], sizeof *day->accounts, record->open_account.name,
                  sizeof record->open_account.name);
        memcpy(day->firms[record->open_account.account], record->open_account.firm, sizeof record->open_account.firm);
    } else if (record->type == CMD_OPEN_SESSION) {
        copy_name(day->users[record->session], sizeof *day->users, record->open_session.user,
                  sizeof record->open_session.user);
        day->accounts_of[record->session] = record->open_session.account;
    } else if (record->type == CMD_OPEN_COPY) {
        copy_name(day->users[record->session], sizeof *day->users, record->open_copy.user,
                  sizeof record->open_copy.user);
    }
}

uint16_t ctl_walk_firm(const struct ctl_walk *walk, uint16_t account)
{
    const struct ctl_day *day = &walk->day;
    uint16_t firm = 0;
    while (firm < account &&
           (day->accounts[firm][0] == '\0' || memcmp(day->firms[firm], day->firms[account], sizeof *day->firms) != 0))
        firm++;
    return firm;
}

uint16_t ctl_walk_session(const struct ctl_walk *walk, const char *user)
{
    for (unsigned i = 0; i < INDEXES; i++) {
        if (walk->day.users[i][0] && strcasecmp(walk->day.users[i], user) == 0)
            return (uint16_t)i;
    }
    fail_with(EX_NOINPUT, "no session of user %s in the journal of %u", user, walk->identity->date);
}

// ---- records --------------------------------------------------------------------------------------------------------

static void pass_event(void *context, const struct event *event)
{
    struct state *state = context;
    state->walk->on_event(state->walk->context, state->core, event);
}

static void step(struct state *state, const struct command *record)
{
    struct ctl_walk *walk = state->walk;
    struct replica *replica = walk->replicas[journal_core(record)];
    state->core = journal_core(record);
    if (!replica_take(replica, record, walk->on_event ? pass_event : NULL, state))
        fail_with(EX_DATAERR, "the journal does not replay: %s", replica_error(replica));
}

// Holds back what comes before OPEN_DAY, which says how large the engine must be.
static void step_or_hold(struct state *state, const struct command *record)
{
    unsigned core = journal_core(record);
    struct early *early = &state->early[core];
    if (state->walk->replicas[core]) {
        step(state, record);
        return;
    }
    if (early->count == EARLY_MOST)
        fail_with(EX_DATAERR, "core %u has no opening of the day among its first %u records", core, EARLY_MOST);
    early->records = need(realloc(early->records, (early->count + 1) * sizeof *record));
    early->records[early->count++] = *record;
    if (record->type != CMD_OPEN_DAY)
        return;
    struct engine_capacity capacity = {
        .max_orders = record->day.max_orders,
        .max_levels = record->day.max_levels,
        .max_trades = record->day.max_trades,
        .max_special = record->day.max_special,
        .max_conditional = record->day.max_conditional,
        .max_positions = record->day.max_positions,
        .max_symbols = record->day.max_symbols,
        .max_accounts = record->day.max_accounts,
        .max_sessions = record->day.max_sessions,
        .core = (uint8_t)core,
    };
    state->walk->replicas[core] = need(replica_new_sized(&capacity, NULL));
    for (unsigned i = 0; i < early->count; i++)
        step(state, &early->records[i]);
}

static bool is_wanted(const struct ctl_walk *walk, const struct command *record)
{
    return (walk->core == CTL_ALL_CORES || walk->core == journal_core(record)) &&
           journal_sequence(record) <= walk->until_seq && record->time_ns <= walk->until_ns;
}

static void take(struct state *state, const struct command *record)
{
    struct ctl_walk *walk = state->walk;
    if (!is_wanted(walk, record))
        return;
    walk->records++;
    note_names(&walk->day, record);
    if (walk->on_record)
        walk->on_record(walk->context, record);
    if (!walk->records_only)
        step_or_hold(state, record);
}

// ---- the walk -------------------------------------------------------------------------------------------------------

void ctl_walk(struct ctl_walk *walk)
{
    struct state *state = need(calloc(1, sizeof *state));
    struct journal_reader *reader;
    struct journal_report report;
    const struct command *record;
    struct ctl_progress progress;
    ctl_progress_begin(&progress, walk->identity);
    state->walk = walk;
    walk->day.users = need(calloc(INDEXES, sizeof *walk->day.users));
    walk->day.accounts = need(calloc(INDEXES, sizeof *walk->day.accounts));
    walk->day.firms = need(calloc(INDEXES, sizeof *walk->day.firms));
    walk->day.accounts_of = need(calloc(INDEXES, sizeof *walk->day.accounts_of));
    enum journal_result result = journal_reader_open(&reader, walk->identity, &report);
    if (result != JOURNAL_OK)
        fail_with(result == JOURNAL_ABSENT ? EX_NOINPUT : journal_exit_code(result), "%s", report.text);
    while ((result = journal_reader_next(reader, &record)) == JOURNAL_OK) {
        take(state, record);
        ctl_progress_show(&progress, journal_reader_report(reader));
    }
    walk->seconds = ctl_progress_end(&progress);
    if (result != JOURNAL_END)
        fail_with(journal_exit_code(result), "%s", journal_reader_report(reader)->text);
    journal_reader_close(reader);
    for (unsigned core = 0; core < JOURNAL_CORES; core++)
        free(state->early[core].records);
    free(state);
}

void ctl_walk_free(struct ctl_walk *walk)
{
    for (unsigned core = 0; core < JOURNAL_CORES; core++)
        replica_free(walk->replicas[core]);
    free(walk->day.users);
    free(walk->day.accounts);
    free(walk->day.firms);
    free(walk->day.accounts_of);
    free(walk->day.symbols);
}
