// SPDX-License-Identifier: Apache-2.0
// xwctl replay --with CONFIG: the same requests under another configuration. Of the day's opening commands the n-th is
// replaced by the n-th that the other configuration gives, and its limits hold all day, in place of those that the day
// had; everything else comes as it came. What then differs is what the other settings would have changed, and what
// followed from it.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "contract/log.h"
#include "control/ctl/replay.h"
#include "control/ctl/row.h"
#include "control/limits/desk.h"
#include "control/recovery/opening.h"
#include "engine/capacity.h"

// What one record made.
struct outcome {
    struct event *events;
    size_t count, room;
};

struct rerun {
    struct opening opening;
    unsigned given;
    struct replica *replica; // NULL until the day is opened
    bool begun;              // `record` is one that has been taken
    struct command record;   // whose events come
    struct outcome then, now;
};

struct what_if {
    struct ctl_walk *walk;
    const struct config *config;
    struct limits_desk *limits; // of the other configuration
    struct rerun *cores[JOURNAL_CORES];
    struct ctl_tally then, now;
    uint64_t differ; // records whose outcome differs
    unsigned shown, show_most;
    enum row_format format;
};

static void *need(void *memory)
{
    if (!memory)
        fail_with(EX_OSERR, "no memory");
    return memory;
}

static void keep(struct outcome *outcome, const struct event *event)
{
    if (outcome->count == outcome->room) {
        outcome->room = outcome->room ? 2 * outcome->room : 64;
        outcome->events = need(realloc(outcome->events, outcome->room * sizeof *event));
    }
    outcome->events[outcome->count++] = *event;
}

// References, match numbers and times are left out: after one difference they all shift.
static bool is_same(const struct event *a, const struct event *b)
{
    return a->type == b->type && a->session == b->session && a->user_ref == b->user_ref &&
           a->user_ref_idx == b->user_ref_idx && a->quantity == b->quantity && a->price == b->price &&
           a->reason == b->reason && a->other_session == b->other_session && a->other_user_ref == b->other_user_ref;
}

static bool is_same_outcome(const struct outcome *a, const struct outcome *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!is_same(&a->events[i], &b->events[i]))
            return false;
    }
    return true;
}

static void show_events(const struct what_if *what_if, const struct outcome *outcome, unsigned core, const char *when)
{
    static struct row row;
    for (size_t i = 0; i < outcome->count; i++) {
        row_text(&row, ROW_when, when, ROW_VALUE_BYTES);
        row_of_event(&row, &outcome->events[i], core, what_if->walk->day.users);
        row_print(stdout, what_if->format, &row);
    }
}

static void settle(struct what_if *what_if, unsigned core)
{
    static struct row row;
    struct rerun *rerun = what_if->cores[core];
    if (rerun->begun && !is_same_outcome(&rerun->then, &rerun->now)) {
        what_if->differ++;
        if (what_if->shown < what_if->show_most) {
            what_if->shown++;
            row_of_record(&row, &rerun->record, what_if->walk->day.users);
            row_print(stdout, what_if->format, &row);
            show_events(what_if, &rerun->then, core, "then");
            show_events(what_if, &rerun->now, core, "now");
        }
    }
    rerun->begun = false;
    rerun->then.count = rerun->now.count = 0;
}

// ---- the other day --------------------------------------------------------------------------------------------------

static bool names_same(const struct command *a, const struct command *b)
{
    switch (a->type) {
    case CMD_OPEN_SYMBOL:
        return memcmp(a->open_symbol.name, b->open_symbol.name, sizeof a->open_symbol.name) == 0 &&
               a->open_symbol.locate == b->open_symbol.locate;
    case CMD_OPEN_ACCOUNT:
        return memcmp(a->open_account.name, b->open_account.name, sizeof a->open_account.name) == 0;
    case CMD_OPEN_SESSION:
        return memcmp(a->open_session.user, b->open_session.user, sizeof a->open_session.user) == 0 &&
               a->session == b->session;
    default:
        return true;
    }
}

static bool opens(uint8_t type)
{
    return type >= CMD_OPEN_DAY && type <= CMD_OPEN_SESSION;
}

// The opening command that the other configuration gives in this record's place.
static struct command in_place_of(const struct what_if *what_if, struct rerun *rerun, const struct command *record)
{
    const struct command *other = &rerun->opening.list[rerun->given];
    if (rerun->given >= rerun->opening.count || other->type != record->type || !names_same(other, record))
        fail_with(EX_CONFIG,
                  "the other configuration opens other symbols, accounts or sessions than the journal of %u, or in "
                  "another order: change settings only",
                  what_if->walk->identity->date);
    rerun->given++;
    struct command command = *other;
    if (record->type == CMD_OPEN_DAY) {
        command.day.trading_date = record->day.trading_date;
        command.day.lookup_key = record->day.lookup_key;
        command.day.seed = record->day.seed;
    }
    return command;
}

static void keep_now(void *context, const struct event *event)
{
    keep(&((struct rerun *)context)->now, event);
}

static struct rerun *rerun_of(struct what_if *what_if, unsigned core)
{
    if (what_if->cores[core])
        return what_if->cores[core];
    if (core >= what_if->config->matchers_count)
        fail_with(EX_CONFIG, "the other configuration has no matching core %u", core);
    struct rerun *rerun = need(calloc(1, sizeof *rerun));
    struct engine_capacity capacity = engine_capacity_of(what_if->config, core);
    rerun->replica = need(replica_new_sized(&capacity, NULL));
    if (!opening_init(&rerun->opening, what_if->config, core))
        fail_with(EX_OSERR, "no memory");
    what_if->cores[core] = rerun;
    return rerun;
}

// The next command of the other day, which has a sequence and hashes of its own.
static void take(struct rerun *rerun, unsigned core, struct command command, uint64_t time_ns)
{
    const struct engine *engine = replica_engine(rerun->replica);
    const uint64_t hash = engine_event_hash(engine);
    command.seq = (uint64_t)core << COMMAND_SEQ_BITS | (engine_sequence(engine) + 1);
    command.time_ns = time_ns;
    command.prev_hash = (uint32_t)hash;
    if (command.type == CMD_TICK)
        command.tick.event_hash = hash;
    if (!replica_take(rerun->replica, &command, keep_now, rerun))
        fail_with(EX_SOFTWARE, "%s", replica_error(rerun->replica));
}

// Whether the other configuration's limits are in its place.
static bool is_replaced(const struct command *record)
{
    static const char file[16] = LIMITS_FILE;
    switch (record->type) {
    case CMD_LIMIT:
    case CMD_POSITION:
    case CMD_GROUP:
        return true;
    case CMD_REFERENCE: // what an operator says of a symbol happened on that day
        return memcmp(record->reference.by, file, sizeof file) == 0;
    default:
        return false;
    }
}

static void take_limits(struct what_if *what_if, struct rerun *rerun, unsigned core, uint64_t time_ns)
{
    struct command command;
    while (limits_desk_holds_start(what_if->limits, core)) {
        while (limits_desk_next(what_if->limits, core, &command)) {
            limits_desk_note(what_if->limits, core, &command);
            take(rerun, core, command, time_ns);
        }
    }
    rerun->now.count = 0; // nobody asked for these then
}

static void take_record(void *context, const struct command *record)
{
    struct what_if *what_if = context;
    unsigned core = journal_core(record);
    struct rerun *rerun = rerun_of(what_if, core);
    settle(what_if, core);
    if (is_replaced(record))
        return;
    if (record->type == CMD_START)
        take_limits(what_if, rerun, core, record->time_ns);
    rerun->record = *record;
    rerun->begun = true;
    take(rerun, core, opens(record->type) ? in_place_of(what_if, rerun, record) : *record, record->time_ns);
    for (size_t i = 0; i < rerun->now.count; i++)
        ctl_tally_event(&what_if->now, &rerun->now.events[i]);
}

static void take_event(void *context, unsigned core, const struct event *event)
{
    struct what_if *what_if = context;
    ctl_tally_event(&what_if->then, event);
    keep(&what_if->cores[core]->then, event);
}

static void print_end(const struct what_if *what_if)
{
    const struct ctl_tally *then = &what_if->then, *now = &what_if->now;
    const struct {
        const char *name;
        uint64_t then, now;
    } lines[] = {{"accepted", then->accepted, now->accepted}, {"rejected", then->rejected, now->rejected},
                 {"canceled", then->canceled, now->canceled}, {"trades", then->trades, now->trades},
                 {"shares", then->shares, now->shares},       {"records_that_differ", 0, what_if->differ}};
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++)
        printf(what_if->format == ROW_JSON ? "%s\"%s\":{\"then\":%" PRIu64 ",\"now\":%" PRIu64 "}"
                                           : "%s%-20s then %12" PRIu64 "  now %12" PRIu64 "\n",
               what_if->format == ROW_TEXT ? ""
               : i                         ? ","
                                           : "{",
               lines[i].name, lines[i].then, lines[i].now);
    if (what_if->format == ROW_JSON)
        puts("}");
}

void ctl_what_if(struct ctl_walk *walk, const struct config *config, const struct ctl *ctl)
{
    static struct what_if what_if;
    what_if = (struct what_if){
        .walk = walk, .config = config, .show_most = ctl->depth, .format = ctl->json ? ROW_JSON : ROW_TEXT};
    char error[512];
    what_if.limits = limits_desk_new(config, config->risk.limits, error, sizeof error);
    if (!what_if.limits)
        fail_with(EX_CONFIG, "%s", error);
    limits_desk_begin(what_if.limits);
    limits_desk_reconcile(what_if.limits, 0);
    walk->on_record = take_record;
    walk->on_event = take_event;
    walk->context = &what_if;
    ctl_walk(walk);
    for (unsigned core = 0; core < JOURNAL_CORES; core++) {
        struct rerun *rerun = what_if.cores[core];
        if (!rerun)
            continue;
        settle(&what_if, core);
        opening_free(&rerun->opening);
        replica_free(rerun->replica);
        free(rerun->then.events);
        free(rerun->now.events);
        free(rerun);
    }
    limits_desk_free(what_if.limits);
    print_end(&what_if);
}
