// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/recovery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <x86intrin.h>

#include "contract/assert.h"
#include "contract/log.h"
#include "contract/monotonic.h"
#include "control/recovery/market.h"
#include "control/recovery/opening.h"
#include "control/recovery/restore_feed.h"
#include "control/recovery/ring_adopt.h"
#include "control/recovery/settled.h"

enum {
    FEED_BUDGET = 8192, // records a poll
    FEED_BATCH = 64,    // cells a publication
    WINDOWS_TOLD = 4,   // commands that make messages again, in windows; what came before is only counted
    QUIET_ROUNDS = 2,   // housekeeping rounds of a core that prove its published figures fresh
};

enum phase { PHASE_QUIET, PHASE_RESTORE, PHASE_FEED, PHASE_GIVE, PHASE_START, PHASE_REST, PHASE_DONE };

struct core {
    struct opening opening;
    struct restore_feed base; // what it stands on: facts.covered, 0 for nothing
    uint64_t refuted;         // snapshots that cover as much do not go with the journal, 0 for none
    bool boot;                // was in CORE_BOOT when we came
    bool empty;               // its command ring was seen empty,
    uint64_t empty_heartbeat; // at this heartbeat
    bool quiet;
    uint64_t applied; // before we fed any history
    uint64_t last;    // last sequence of its history
    uint32_t staged;  // cells written and not yet published
    bool given;
    struct settled settled; // since we wait for what was given
};

struct recovery {
    struct generation *generation;
    const struct config *config;
    const struct journal_identity *identity;
    struct journal_writer *writer;
    const struct journal_report *tail;
    struct limits_desk *limits;
    uint64_t settling; // what limits_desk_waits() said
    struct journal_reader *reader;
    const struct command *held; // read, and its core's ring was full
    enum phase phase;
    uint64_t started_ns;
    uint64_t restoring_ns, restored_ns; // when the snapshots' turn came, and when it was over
    uint64_t fed;                       // commands
    bool day_is_new;
    struct market_index index;
    struct core cores[JOURNAL_CORES];
};

static enum core_state state_of(const struct recovery *recovery, unsigned core)
{
    return (enum core_state)atomic_load_explicit(&recovery->generation->blocks[core]->state, memory_order_acquire);
}

// ---- QUIET ----------------------------------------------------------------------------------------------------------

// A core has taken all that was pushed, and its applied_seq was published after that.
static bool core_is_quiet(struct recovery *recovery, unsigned index)
{
    struct core *core = &recovery->cores[index];
    struct core_block *block = recovery->generation->blocks[index];
    uint64_t heartbeat = atomic_load_explicit(&block->heartbeat, memory_order_acquire);
    if (!ring_is_empty(recovery->generation->commands[index])) {
        core->empty = false;
        return false;
    }
    if (!core->empty) {
        core->empty = true;
        core->empty_heartbeat = heartbeat;
        return false;
    }
    return heartbeat - core->empty_heartbeat >= QUIET_ROUNDS;
}

// From the oldest command that is still wanted: to be fed, or to be shown to `opening`.
static void open_reader(struct recovery *recovery)
{
    struct journal_report report;
    uint64_t covered[JOURNAL_CORES] = {0};
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        const struct core *core = &recovery->cores[i];
        covered[i] = core->base.facts.covered;
        if (core->boot && core->applied < covered[i])
            covered[i] = core->applied;
    }
    enum journal_result result = journal_reader_open_after(&recovery->reader, recovery->identity, covered, &report);
    if (result == JOURNAL_ABSENT)
        return; // FEED sees that there is nothing
    if (result != JOURNAL_OK)
        fail_with(journal_exit_code(result), "journal: %s", report.text);
    journal_reader_until(recovery->reader, journal_writer_position(recovery->writer));
}

// Releases what the journal holds, so that gateways can rebuild their windows and publishers their streams.
static void release_history(struct recovery *recovery, unsigned core)
{
    struct matcher_port *port = recovery->generation->ports[core];
    uint64_t durable = journal_writer_durable(recovery->writer, core);
    uint64_t released = atomic_load_explicit(&port->durable_seq, memory_order_relaxed);
    recovery->cores[core].last = durable;
    if (released < durable)
        atomic_store_explicit(&port->durable_seq, durable, memory_order_release); // pairs with the gateways' acquire
}

// What the cores that run already have published to the journal is made durable.
static void settle_running_cores(struct recovery *recovery)
{
    struct journal_lane lanes[JOURNAL_CORES];
    unsigned count = 0;
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        if (recovery->cores[i].boot)
            continue;
        lanes[count] = recovery->generation->lanes[i];
        lanes[count++].port = NULL; // durable_seq is ours until the thread has the lane
    }
    if (count == 0 || recovery->generation->thread) // which does it, when we come here again
        return;
    generation_require_journal(&recovery->generation->region, lanes, count, recovery->config, recovery->config->date,
                               recovery->writer);
    enum journal_result result = journal_catch_up(recovery->writer, lanes, count);
    if (result == JOURNAL_OK)
        return;
    generation_fence(recovery->generation, recovery->config, recovery->writer);
    fail_with(journal_exit_code(result), "%s", journal_writer_text(recovery->writer));
}

// A core that runs takes what the last control gave it only while its journal ring has room, and the event rings, whose
// gateways wait for what is durable: until the journal's thread has the lanes that is ours to see to.
static void keep_running_cores_going(struct recovery *recovery)
{
    for (unsigned i = 0; i < recovery->generation->cores; i++)
        recovery->cores[i].boot = state_of(recovery, i) == CORE_BOOT;
    settle_running_cores(recovery);
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        if (!recovery->cores[i].boot)
            release_history(recovery, i);
    }
}

static void start_thread(struct recovery *recovery)
{
    bool durable = recovery->config->ack_mode == ACK_DURABLE;
    struct journal_thread_options options = {.durable = durable,
                                             .yield = recovery->config->journal.yield,
                                             .survive = true}; // the service ends both processes
    struct generation *generation = recovery->generation;
    if (generation->thread)
        return;
    generation->thread = journal_thread_start(recovery->writer, generation->lanes, generation->cores, &options);
    if (!generation->thread)
        fail_with(EX_OSERR, "can not start the journal thread: %m");
    for (unsigned core = 0; !durable && core < generation->cores; core++)
        atomic_store_explicit(&generation->ports[core]->durable_seq, UINT64_MAX, memory_order_release);
}

// A core that has taken history, or runs, stays what it is: of the snapshot only the facts are wanted.
static void begin_restore(struct recovery *recovery, unsigned index)
{
    struct core *core = &recovery->cores[index];
    bool given = !core->boot || (core->applied > 0 && core->refuted == 0);
    restore_feed_begin(&core->base, recovery->generation, recovery->identity, recovery->limits, index, core->last,
                       opening_digest(&core->opening), given);
    if (core->refuted)
        core->base.below = core->refuted;
}

static unsigned poll_quiet(struct recovery *recovery)
{
    struct generation *generation = recovery->generation;
    bool all_quiet = true, all_run = true;
    keep_running_cores_going(recovery);
    for (unsigned i = 0; i < generation->cores; i++)
        all_quiet &= core_is_quiet(recovery, i);
    if (!all_quiet)
        return 0;
    for (unsigned i = 0; i < generation->cores; i++) {
        struct core *core = &recovery->cores[i];
        core->boot = state_of(recovery, i) == CORE_BOOT;
        core->applied = atomic_load_explicit(&generation->ports[i]->applied_seq, memory_order_acquire);
        all_run &= !core->boot;
    }
    settle_running_cores(recovery); // what they have applied must stand in the journal before we read it
    for (unsigned i = 0; i < generation->cores; i++) {
        release_history(recovery, i);
        begin_restore(recovery, i);
    }
    if (all_run)
        start_thread(recovery); // clients need not wait until we have read how far the opening is
    recovery->restoring_ns = monotonic_ns();
    recovery->phase = PHASE_RESTORE;
    return 1;
}

// Puts a command into the index-th slot from now; the ring's word is left alone.
static void fill_slot(struct ring *ring, uint32_t index, const struct command *command)
{
    char *slot = ring_slot(ring, index);
    memcpy(slot + sizeof command->seq, (const char *)command + sizeof command->seq,
           sizeof *command - sizeof command->seq);
}

// ---- RESTORE --------------------------------------------------------------------------------------------------------

// Windows keep the last messages only: of a long history the rest need not be made. Older ones come from us.
static void stage_count(struct recovery *recovery, unsigned index)
{
    struct core *core = &recovery->cores[index];
    uint64_t told = (uint64_t)WINDOWS_TOLD * recovery->config->dataplane.window_messages;
    if (!core->boot || core->applied != core->base.facts.covered || core->last < core->applied + told)
        return;
    struct command count = {.type = DIRECTIVE_COUNT, .session = SESSION_NONE, .recovered.seq = core->last - told};
    struct ring *ring = recovery->generation->commands[index];
    ring_room(ring, ring->depth); // the whole ring is ours: the core is quiet
    fill_slot(ring, core->staged++, &count);
}

static void stand_on(struct recovery *recovery, unsigned index)
{
    struct core *core = &recovery->cores[index];
    const struct snapshot_facts *facts = &core->base.facts;
    core->applied = atomic_load_explicit(&recovery->generation->ports[index]->applied_seq, memory_order_acquire);
    if (core->boot && core->applied < recovery->tail->foreign[index])
        fail_with(EX_DATAERR,
                  "%s: core %u of %u ran with another engine version up to sequence %" PRIu64
                  ", and no snapshot covers that any more: start the build that wrote it",
                  recovery->config->journal_directory, index, recovery->config->date, recovery->tail->foreign[index]);
    if (facts->covered)
        opening_restored(&core->opening, facts->phase, facts->ended != 0, facts->downs);
}

static unsigned poll_restore(struct recovery *recovery)
{
    unsigned done = 0;
    bool all = true;
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        struct restore_feed *base = &recovery->cores[i].base;
        done += restore_feed_poll(base);
        all &= restore_feed_over(base);
    }
    if (!all)
        return done;
    for (unsigned i = 0; i < recovery->generation->cores; i++)
        stand_on(recovery, i);
    recovery->restored_ns = monotonic_ns();
    for (unsigned i = 0; i < recovery->generation->cores; i++)
        stage_count(recovery, i);
    open_reader(recovery);
    recovery->phase = PHASE_FEED;
    return done + 1;
}

// ---- FEED -----------------------------------------------------------------------------------------------------------

static void publish_staged(struct recovery *recovery, unsigned core)
{
    if (recovery->cores[core].staged == 0)
        return;
    ring_publish(recovery->generation->commands[core], recovery->cores[core].staged);
    recovery->cores[core].staged = 0;
}

static void check_opening(struct recovery *recovery, unsigned index)
{
    const struct opening *opening = &recovery->cores[index].opening;
    if (!opening->mismatch)
        return;
    if (opening->mismatch_exit == EX_CONFIG)
        fail_with(
            EX_CONFIG,
            "%s: the journal of %u was opened with %s than this configuration has (core %u): restore the configuration "
            "until the day has ended",
            recovery->config->journal_directory, recovery->config->date, opening->mismatch, index);
    fail_with(opening->mismatch_exit, "%s: the journal of %u has %s (core %u): start the build that wrote it",
              recovery->config->journal_directory, recovery->config->date, opening->mismatch, index);
}

// The snapshot of core `index` is none of this journal's: begins again with an older one.
static void begin_again(struct recovery *recovery, unsigned index)
{
    recovery->cores[index].refuted = recovery->cores[index].base.facts.covered;
    log_event(LOG_XW2016, "\"core\":%u,\"covered\":%" PRIu64 ",\"by\":\"recovery\",\"text\":%s", index,
              recovery->cores[index].refuted, log_quote("the journal goes on from another event hash"));
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        struct core *core = &recovery->cores[i];
        publish_staged(recovery, i);
        core->quiet = core->empty = false;
        opening_free(&core->opening);
        if (!opening_init(&core->opening, recovery->config, i))
            fail_with(EX_OSERR, "no memory or no random numbers for the opening of core %u", i);
    }
    if (recovery->reader)
        journal_reader_close(recovery->reader);
    recovery->reader = NULL;
    recovery->held = NULL;
    limits_desk_begin(recovery->limits);
    recovery->phase = PHASE_QUIET;
}

// Whether the record is the first one behind its core's snapshot, and stands on other events.
static bool refutes_snapshot(const struct core *core, const struct command *record)
{
    return core->base.facts.covered && journal_sequence(record) == core->base.facts.covered + 1 &&
           record->prev_hash != (uint32_t)core->base.facts.event_hash;
}

// Deals with one record; false when its core's ring is full.
static bool feed(struct recovery *recovery, const struct command *record)
{
    unsigned index = journal_core(record);
    if (index >= recovery->generation->cores)
        fail_with(EX_CONFIG,
                  "%s: the journal of %u has commands of matching core %u, the configuration has %u: restore it",
                  recovery->config->journal_directory, recovery->config->date, index, recovery->generation->cores);
    struct core *core = &recovery->cores[index];
    struct ring *ring = recovery->generation->commands[index];
    bool wanted = core->boot && journal_sequence(record) > core->applied;
    if (wanted && ring_room(ring, core->staged + 1) <= core->staged) {
        publish_staged(recovery, index);
        return false;
    }
    if (journal_sequence(record) > core->base.facts.covered) {
        opening_note(&core->opening, record);
        limits_desk_note(recovery->limits, index, record);
        check_opening(recovery, index);
    }
    if (!wanted)
        return true;
    fill_slot(ring, core->staged++, record);
    recovery->fed++;
    if (core->staged == FEED_BATCH)
        publish_staged(recovery, index);
    return true;
}

static void end_of_history(struct recovery *recovery)
{
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        struct opening *opening = &recovery->cores[i].opening;
        publish_staged(recovery, i);
        recovery->day_is_new |= !opening_started(opening);
        if (recovery->cores[i].boot)
            opening_restart(opening);
        else
            opening_resume(opening);
    }
    const struct limits_counts limits = limits_desk_reconcile(recovery->limits, monotonic_ns());
    if (limits.changed || limits.waiting)
        log_event(LOG_XW2041, "\"by\":\"" LIMITS_FILE "\",\"rules\":%zu,\"waiting\":%zu", limits.changed,
                  limits.waiting);
    if (recovery->reader)
        journal_reader_close(recovery->reader);
    recovery->reader = NULL;
    recovery->phase = PHASE_GIVE;
}

static unsigned poll_feed(struct recovery *recovery)
{
    for (unsigned done = 0; done < FEED_BUDGET; done++) {
        enum journal_result result = JOURNAL_OK;
        if (!recovery->held)
            result = recovery->reader ? journal_reader_next(recovery->reader, &recovery->held) : JOURNAL_END;
        if (result == JOURNAL_END) {
            recovery->held = NULL;
            end_of_history(recovery);
            return done + 1;
        }
        if (result != JOURNAL_OK)
            fail_with(journal_exit_code(result), "journal: %s", journal_reader_report(recovery->reader)->text);
        unsigned index = journal_core(recovery->held);
        if (index < recovery->generation->cores && refutes_snapshot(&recovery->cores[index], recovery->held)) {
            begin_again(recovery, index);
            return done + 1;
        }
        if (!feed(recovery, recovery->held))
            return done;
        recovery->held = NULL;
    }
    return FEED_BUDGET;
}

// ---- GIVE, START, REST ----------------------------------------------------------------------------------------------

static int64_t clock_offset(const struct recovery *recovery, unsigned core)
{
    uint64_t hz = recovery->generation->blocks[core]->tsc_hz;
    if (hz == 0)
        fail_with(EX_SOFTWARE, "matching core %u does not say its TSC frequency: start both programs of one build",
                  core);
    uint64_t tsc_ns = (uint64_t)((unsigned __int128)__rdtsc() * 1000000000u / hz);
    return opening_clock_offset(recovery->config->date, unix_ns(), tsc_ns);
}

static void note(struct recovery *recovery, unsigned index, const struct command *command)
{
    opening_note(&recovery->cores[index].opening, command);
    limits_desk_note(recovery->limits, index, command);
}

// What the opening lacks, with the limits before its START, and in a day that has started whatever limits lack.
static bool next_command(struct recovery *recovery, unsigned index, struct command *command)
{
    struct opening *opening = &recovery->cores[index].opening;
    opening->holds_start = limits_desk_holds_start(recovery->limits, index);
    if (opening_next(opening, clock_offset(recovery, index), command))
        return true;
    if (limits_desk_next(recovery->limits, index, command))
        return true;
    opening->holds_start = limits_desk_holds_start(recovery->limits, index);
    return opening_next(opening, clock_offset(recovery, index), command);
}

// Puts as much of the opening as there is room for behind the `staged` cells already written. Returns cells in all.
static uint32_t stage_opening(struct recovery *recovery, unsigned index, uint32_t staged)
{
    struct core *core = &recovery->cores[index];
    struct ring *ring = recovery->generation->commands[index];
    struct command command;
    opening_time(&core->opening, recovery->config, unix_ns());
    while (ring_room(ring, staged + 1) > staged && next_command(recovery, index, &command)) {
        fill_slot(ring, staged++, &command);
        note(recovery, index, &command);
        if (command.type == CMD_PHASE || command.type == CMD_END_DAY)
            log_event(LOG_XW2012, "\"core\":%u,\"phase\":\"%c\",\"by\":\"schedule\"", index,
                      command.type == CMD_END_DAY ? PHASE_DAY_END : command.phase.phase);
    }
    return staged;
}

// RECOVERED and the opening go out as one: no gateway's command comes between them, and a control that is killed leaves
// all of it or nothing.
static bool give(struct recovery *recovery, unsigned index)
{
    struct core *core = &recovery->cores[index];
    struct ring *ring = recovery->generation->commands[index];
    uint32_t staged = 0;
    if (core->boot) {
        if (!ring_is_empty(ring))
            return false;
        struct command recovered = {.type = DIRECTIVE_RECOVERED, .session = SESSION_NONE, .recovered.seq = core->last};
        ring_room(ring, ring->depth); // the whole ring: what the producer remembers of the consumer is older
        fill_slot(ring, staged++, &recovered);
    }
    staged = stage_opening(recovery, index, staged);
    if (staged)
        ring_publish_whole(ring, staged);
    core->given = true;
    return true;
}

static unsigned poll_give(struct recovery *recovery)
{
    unsigned done = 0;
    bool all = true;
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        if (!recovery->cores[i].given)
            done += give(recovery, i);
        all &= recovery->cores[i].given;
    }
    if (all)
        recovery->phase = PHASE_START;
    return done;
}

static unsigned poll_start(struct recovery *recovery)
{
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        if (state_of(recovery, i) == CORE_BOOT)
            return 0;
    }
    start_thread(recovery);
    recovery->phase = PHASE_REST;
    return 1;
}

static void report(const struct recovery *recovery)
{
    char last[512] = "", covered[512] = "";
    size_t used = 0, named = 0;
    uint64_t records = 0, now_ns = monotonic_ns(), ns = now_ns - recovery->started_ns;
    uint64_t restore_ns = recovery->restored_ns - recovery->restoring_ns;
    unsigned passed_over = 0;
    for (unsigned i = 0; i < recovery->generation->cores && used + 24 < sizeof last; i++) {
        const struct core *core = &recovery->cores[i];
        used += (size_t)snprintf(last + used, sizeof last - used, "%s%" PRIu64, i ? "," : "", core->last);
        named += (size_t)snprintf(covered + named, sizeof covered - named, "%s%" PRIu64, i ? "," : "",
                                  core->base.facts.covered);
        records += core->base.records;
        passed_over += core->base.passed_over + (core->refuted != 0);
    }
    log_event(LOG_XW2004,
              "\"generation\":%" PRIu64 ",\"date\":%u,\"snapshots\":[%s],\"restored\":%" PRIu64
              ",\"restore_ms\":%.3f,\"passed_over\":%u,\"commands\":%" PRIu64
              ",\"last_seq\":[%s],\"torn_tail\":%s,\"duration_ms\":%.3f,\"commands_per_s\":%.0f",
              recovery->generation->region.header->generation, recovery->config->date, covered, records,
              (double)restore_ns / 1e6, passed_over, recovery->fed, last, recovery->tail->torn ? "true" : "false",
              (double)ns / 1e6, (double)recovery->fed * 1e9 / (double)(now_ns - recovery->restored_ns + 1));
    if (recovery->day_is_new)
        log_event(LOG_XW2006, "\"date\":%u,\"symbols\":%u,\"accounts\":%u,\"sessions\":%u", recovery->config->date,
                  recovery->config->symbols_count, recovery->config->accounts_count, recovery->config->sessions_count);
}

// Lets the limits go on, when what they wait for is durable.
static void settle_limits(struct recovery *recovery)
{
    const uint64_t wait = limits_desk_waits(recovery->limits);
    bool durable = wait != 0;
    for (unsigned i = 0; wait != recovery->settling && i < recovery->generation->cores; i++)
        recovery->cores[i].settled = (struct settled){0};
    recovery->settling = wait;
    for (unsigned i = 0; wait && i < recovery->generation->cores; i++)
        durable &= settled_poll(&recovery->cores[i].settled, recovery->generation, recovery->writer, i);
    limits_desk_poll(recovery->limits, durable, monotonic_ns());
}

static unsigned poll_rest(struct recovery *recovery)
{
    unsigned done = 0;
    bool all = true;
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        uint32_t staged = stage_opening(recovery, i, 0);
        if (staged)
            ring_publish_whole(recovery->generation->commands[i], staged);
        done += staged;
        all &= opening_left(&recovery->cores[i].opening) == 0 && !recovery->cores[i].opening.holds_start;
    }
    settle_limits(recovery);
    if (all) {
        report(recovery);
        recovery->phase = PHASE_DONE;
    }
    return done;
}

// ---- the whole ------------------------------------------------------------------------------------------------------

// A core that stops at a divergence says where: the journal and the engine disagree, so nothing may be released any
// more.
static void check_failures(const struct recovery *recovery)
{
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        if (state_of(recovery, i) != CORE_FAIL)
            continue;
        const struct matcher_port *port = recovery->generation->ports[i];
        uint64_t sequence = atomic_load_explicit(&port->diverged_seq, memory_order_acquire);
        uint64_t want = atomic_load_explicit(&port->diverged_want, memory_order_relaxed);
        uint64_t got = atomic_load_explicit(&port->diverged_got, memory_order_relaxed);
        if (sequence == 0)
            fail_with(EX_SOFTWARE, "matching core %u has failed: see the log of crosswire-dataplane", i);
        log_event(LOG_XW2005,
                  "\"core\":%u,\"sequence\":%" PRIu64 ",\"want\":\"%016" PRIx64 "\",\"got\":\"%016" PRIx64 "\"", i,
                  sequence, want, got);
        fail_with(EX_DATAERR,
                  "replay of %u differs from the journal at core %u, sequence %" PRIu64 " (event hash %" PRIx64
                  ", journal %" PRIx64 "): start the build that wrote it (xwctl journal verify shows which)",
                  recovery->config->date, i, sequence, got, want);
    }
}

struct recovery *recovery_new(struct generation *generation, const struct config *config,
                              const struct journal_identity *identity, struct journal_writer *writer,
                              const struct journal_report *tail, struct limits_desk *limits)
{
    struct recovery *recovery = calloc(1, sizeof *recovery);
    if (!recovery)
        fail_with(EX_OSERR, "no memory for recovery");
    recovery->generation = generation;
    recovery->config = config;
    recovery->identity = identity;
    recovery->writer = writer;
    recovery->tail = tail;
    recovery->limits = limits;
    limits_desk_begin(limits);
    recovery->started_ns = monotonic_ns();
    for (unsigned i = 0; i < generation->cores; i++) {
        ring_adopt(generation->commands[i]);
        if (!opening_init(&recovery->cores[i].opening, config, i))
            fail_with(EX_OSERR, "no memory or no random numbers for the opening of core %u", i);
    }
    return recovery;
}

unsigned recovery_poll(struct recovery *recovery)
{
    check_failures(recovery);
    switch (recovery->phase) {
    case PHASE_QUIET:
        return poll_quiet(recovery);
    case PHASE_RESTORE:
        return poll_restore(recovery);
    case PHASE_FEED:
        return poll_feed(recovery);
    case PHASE_GIVE:
        return poll_give(recovery);
    case PHASE_START:
        return poll_start(recovery);
    case PHASE_REST:
        return poll_rest(recovery);
    case PHASE_DONE:
        break;
    }
    return 0;
}

// The market-wide index, of what the matching cores say at their ticks, in regular hours.
static void watch_index(struct recovery *recovery)
{
    uint64_t sum = 0, base = 0;
    struct command command;
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        sum += atomic_load_explicit(&recovery->generation->ports[i]->index_sum, memory_order_relaxed);
        base += atomic_load_explicit(&recovery->generation->ports[i]->index_base, memory_order_relaxed);
        if (recovery->cores[i].opening.phase != PHASE_REGULAR || state_of(recovery, i) != CORE_RUN ||
            ring_room(recovery->generation->commands[i], 1) == 0)
            return;
    }
    if (!market_index(&recovery->index, recovery->config, sum, base, &command))
        return;
    for (unsigned i = 0; i < recovery->generation->cores; i++)
        recovery_give(recovery, i, &command);
}

void recovery_keep_time(struct recovery *recovery)
{
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        if (state_of(recovery, i) != CORE_RUN)
            continue;
        uint32_t staged = stage_opening(recovery, i, 0);
        if (staged)
            ring_publish_whole(recovery->generation->commands[i], staged);
    }
    settle_limits(recovery);
    watch_index(recovery);
}

bool recovery_give(struct recovery *recovery, unsigned core, const struct command *command)
{
    struct ring *ring = recovery->generation->commands[core];
    if (state_of(recovery, core) != CORE_RUN || ring_room(ring, 1) == 0)
        return false;
    fill_slot(ring, 0, command);
    ring_publish(ring, 1);
    note(recovery, core, command);
    return true;
}

char recovery_phase(const struct recovery *recovery, unsigned core)
{
    return recovery->cores[core].opening.phase;
}

bool recovery_taken(const struct recovery *recovery, unsigned core)
{
    return ring_is_empty(recovery->generation->commands[core]);
}

bool recovery_done(const struct recovery *recovery)
{
    return recovery->phase == PHASE_DONE;
}

void recovery_free(struct recovery *recovery)
{
    if (!recovery)
        return;
    if (recovery->reader)
        journal_reader_close(recovery->reader);
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        restore_feed_end(&recovery->cores[i].base);
        opening_free(&recovery->cores[i].opening);
    }
    free(recovery);
}
