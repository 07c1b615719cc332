// SPDX-License-Identifier: Apache-2.0
// Recovery from the journal's end on: GIVE, START, REST, and the day that follows (recovery.h).
#include "control/recovery/recovery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <x86intrin.h>

#include "contract/assert.h"
#include "contract/fault.h"
#include "contract/log.h"
#include "contract/monotonic.h"
#include "control/recovery/recovery_state.h"
#include "control/recovery/ring_adopt.h"

#define SECOND_NS UINT64_C(1000000000)

void recovery_start_thread(struct recovery *recovery)
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
    if (opening_time(&core->opening, recovery->config, unix_ns(), monotonic_ns()))
        log_event(LOG_XW2023, "\"core\":%u,\"from_s\":%" PRIu64 ",\"until_s\":%" PRIu64, index,
                  core->opening.clock.from_ns / SECOND_NS, core->opening.clock.until_ns / SECOND_NS);
    while (ring_room(ring, staged + 1) > staged && next_command(recovery, index, &command)) {
        recovery_fill_slot(ring, staged++, &command);
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
        recovery_fill_slot(ring, staged++, &recovered);
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
        if (recovery_core_state(recovery, i) == CORE_BOOT)
            return 0;
    }
    recovery_start_thread(recovery);
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
        if (recovery_core_state(recovery, i) != CORE_FAIL)
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

void recovery_open(struct recovery *recovery, unsigned index)
{
    struct opening *opening = &recovery->cores[index].opening;
    if (!opening_init(opening, recovery->config, index))
        fail_with(EX_OSERR, "no memory or no random numbers for the opening of core %u", index);
    opening_keep_clock(opening, &recovery->clocks[index]);
}

struct recovery *recovery_new(struct generation *generation, const struct config *config,
                              const struct journal_identity *identity, struct journal_writer *writer,
                              const struct journal_report *tail, struct limits_desk *limits,
                              struct opening_clock clocks[JOURNAL_CORES])
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
    recovery->clocks = clocks;
    limits_desk_begin(limits);
    recovery->started_ns = monotonic_ns();
    for (unsigned i = 0; i < generation->cores; i++) {
        ring_adopt(generation->commands[i]);
        recovery_open(recovery, i);
    }
    return recovery;
}

unsigned recovery_poll(struct recovery *recovery)
{
    check_failures(recovery);
    switch (recovery->phase) {
    case PHASE_QUIET:
        return history_poll_quiet(recovery);
    case PHASE_RESTORE:
        return history_poll_restore(recovery);
    case PHASE_FEED:
        return history_poll_feed(recovery);
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
        if (recovery->cores[i].opening.phase != PHASE_REGULAR || recovery_core_state(recovery, i) != CORE_RUN ||
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
        if (recovery_core_state(recovery, i) != CORE_RUN)
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
    const bool over = recovery_ended(recovery, core) && command->type != CMD_NOTE;
    if (over || recovery_core_state(recovery, core) != CORE_RUN || ring_room(ring, 1) == 0)
        return false;
    recovery_fill_slot(ring, 0, command);
    ring_publish(ring, 1);
    note(recovery, core, command);
    return true;
}

char recovery_phase(const struct recovery *recovery, unsigned core)
{
    return recovery->cores[core].opening.phase;
}

bool recovery_start_by(struct recovery *recovery, const char *by)
{
    bool held = false;
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        held |= opening_start_held(&recovery->cores[i].opening);
        opening_start_by(&recovery->cores[i].opening, by);
    }
    return held;
}

bool recovery_ended(const struct recovery *recovery, unsigned core)
{
    return recovery->cores[core].opening.ended && !FAULT(day_end_ignored);
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
