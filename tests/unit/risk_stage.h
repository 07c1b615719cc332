// SPDX-License-Identifier: Apache-2.0
// What tests of control/risk share: two matching cores that the test plays. What they are given is caught, what they
// say is told by hand, and so is what the journal holds of earlier controls.
#ifndef CROSSWIRE_TESTS_UNIT_RISK_STAGE_H
#define CROSSWIRE_TESTS_UNIT_RISK_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/journal/state.h"
#include "control/risk/alerts.h"
#include "control/risk/audit.h"
#include "control/risk/history.h"
#include "control/risk/kills.h"
#include "control/risk/second.h"
#include "control/risk/standing.h"
#include "tests/unit/limits_venue.h"

enum { GIVEN_MOST = 1024 };

static struct config *config;
static struct alerts *alerts;
static struct audit *audit;
static struct kills *kills;
static struct limits_desk *limits;
static struct second *second;
static struct standing *standing;
static uint64_t now_ns;

// In the place of recovery.c and history.c; and how far the journal is durable.
static struct {
    unsigned core;
    struct command command;
} given[GIVEN_MOST];
static unsigned given_count;
static struct command journal[GIVEN_MOST];
static unsigned journal_count;
static bool ring_full[2], day_ended[2];
static struct journal_writer writer;
static struct {
    history_record *record;
    history_end *end;
    void *context;
} readers[2];
static unsigned readers_count;
static bool complete;

// In the place of retell.c: what it tells again is said by hand.
static struct {
    alerts_take *take;
    retell_end *end;
    void *context;
} hearers[2];
static unsigned hearers_count;
static unsigned told_again; // cores that are asked for, a bit each

void retell_register(struct retell *retell, alerts_take *take, retell_end *end, void *context)
{
    (void)retell;
    assert_true(hearers_count < 2);
    hearers[hearers_count].take = take;
    hearers[hearers_count].end = end;
    hearers[hearers_count++].context = context;
}

void retell_core(struct retell *retell, unsigned core)
{
    (void)retell;
    told_again |= 1u << core;
}

bool retell_complete(const struct retell *retell)
{
    (void)retell;
    return complete;
}

bool recovery_give(struct recovery *recovery, unsigned core, const struct command *command)
{
    (void)recovery;
    if (ring_full[core] || (day_ended[core] && command->type != CMD_NOTE))
        return false;
    assert_true(given_count < GIVEN_MOST);
    given[given_count].core = core;
    given[given_count++].command = *command;
    return true;
}

bool recovery_ended(const struct recovery *recovery, unsigned core)
{
    (void)recovery;
    return day_ended[core];
}

void history_register(struct history *history, history_record *record, history_end *end, void *context)
{
    (void)history;
    assert_true(readers_count < 2);
    readers[readers_count].record = record;
    readers[readers_count].end = end;
    readers[readers_count++].context = context;
}

bool history_complete(const struct history *history)
{
    (void)history;
    return complete;
}

// ---- the stage ------------------------------------------------------------------------------------------------------

static inline struct recovery *running(void)
{
    return (struct recovery *)&now_ns;
}

static inline void poll(uint64_t ms)
{
    now_ns += ms * 1000000;
    kills_poll(kills, running(), now_ns);
    audit_poll(audit, running());
}

// A control that starts: what the one before knew is gone.
static inline void start_control(void)
{
    char error[512];
    readers_count = 0;
    alerts = alerts_new(config);
    audit = audit_new();
    hearers_count = told_again = 0;
    kills = kills_new(config, &writer, NULL, NULL, alerts, audit);
    standing = standing_new(config, NULL, alerts);
    limits = limits_desk_new(config, "", error, sizeof error);
    assert_non_null(limits);
    second = second_new(limits, NULL, audit);
    assert_true(kills && second && standing);
    given_count = 0;
    complete = false;
}

static inline void stop_control(void)
{
    second_free(second);
    limits_desk_free(limits);
    kills_free(kills);
    standing_free(standing);
    audit_free(audit);
    alerts_free(alerts);
}

static inline void read_record(const struct command *record)
{
    for (unsigned i = 0; i < readers_count; i++)
        readers[i].record(readers[i].context, record);
}

static inline void read_end(void)
{
    for (unsigned i = 0; i < readers_count; i++)
        readers[i].end(readers[i].context, now_ns);
}

static inline void say_again(unsigned core, struct alert alert)
{
    for (unsigned i = 0; i < hearers_count; i++)
        hearers[i].take(hearers[i].context, core, &alert);
}

static inline void say_all_again(bool known)
{
    for (unsigned core = 0; core < 2; core++)
        for (unsigned i = 0; i < hearers_count; i++)
            hearers[i].end(hearers[i].context, core, known, now_ns);
}

static inline void read_nothing(void)
{
    complete = true;
    read_end();
    say_all_again(true);
}

static inline int begin(void **state)
{
    (void)state;
    config = load_venue("engine: {max_positions: 16}\nrisk: {second_person: true, approval_seconds: 60}\n");
    now_ns = 1000000000;
    memset(ring_full, 0, sizeof ring_full);
    memset(day_ended, 0, sizeof day_ended);
    writer.durable[0] = writer.durable[1] = 1000;
    journal_count = 0;
    start_control();
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    stop_control();
    config_free(config);
    return 0;
}

// What a core tells, through its ring.
static inline void tell(unsigned core, struct alert alert)
{
    static _Alignas(128) char memory[64 * 1024];
    static struct ring *ring;
    struct generation generation = {.joined = true, .cores = 2};
    if (!ring) {
        assert_true(ring_footprint(16, sizeof(struct alert)) <= sizeof memory);
        ring = ring_new(memory, 16, sizeof(struct alert), 0);
    }
    struct alert *slot = ring_slot(ring, 0);
    const uint64_t word = slot->word;
    *slot = alert;
    slot->word = word;
    ring_publish(ring, 1);
    generation.alerts[core] = ring;
    assert_int_equal(alerts_poll(alerts, &generation), 1);
}

static inline void tell_kill(unsigned core, char kind, uint64_t id, uint64_t after, uint64_t sequence)
{
    tell(core, (struct alert){.kind = (uint8_t)kind,
                              .scope = SCOPE_ACCOUNT,
                              .limit = LIMITS,
                              .before = id,
                              .after = after,
                              .cmd_seq = sequence});
}

static inline void tell_loss(unsigned core, uint16_t account, uint64_t sequence)
{
    tell(core, (struct alert){.kind = ALERT_KILLED,
                              .scope = SCOPE_ACCOUNT,
                              .index = account,
                              .limit = LIMIT_LOSS,
                              .before = 500000,
                              .after = 612000,
                              .cmd_seq = sequence});
}

static inline void tell_loss_zero(unsigned core, uint16_t account, uint64_t canceled, uint64_t sequence)
{
    tell(core, (struct alert){.kind = ALERT_ZERO,
                              .scope = SCOPE_ACCOUNT,
                              .index = account,
                              .limit = LIMIT_LOSS,
                              .after = canceled,
                              .cmd_seq = sequence});
}

static inline unsigned count_given(enum command_type type, unsigned what)
{
    unsigned count = 0;
    for (unsigned i = 0; i < given_count; i++)
        count += given[i].command.type == type && (type != CMD_NOTE || given[i].command.note.what == what);
    return count;
}

static inline const struct command *last_note(unsigned what)
{
    for (unsigned i = given_count; i-- > 0;)
        if (given[i].command.type == CMD_NOTE && given[i].command.note.what == what)
            return &given[i].command;
    fail_msg("no note %u", what);
    return NULL;
}

// The next control, which finds in the journal all that was given since the test began.
static inline void read_all_given(void)
{
    for (unsigned i = 0; i < given_count; i++) {
        assert_true(journal_count < GIVEN_MOST);
        journal[journal_count] = given[i].command;
        journal[journal_count].seq = (uint64_t)given[i].core << COMMAND_SEQ_BITS | (journal_count + 1);
        journal_count++;
    }
    stop_control();
    start_control();
    for (unsigned i = 0; i < journal_count; i++)
        read_record(&journal[i]);
    read_nothing();
}

static inline struct kill_entry account_kill(void)
{
    return (struct kill_entry){
        .scope = SCOPE_ACCOUNT, .actions = KILL_BLOCK | KILL_CANCEL, .by = "RISK", .why = "runaway"};
}

#endif
