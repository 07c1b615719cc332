// SPDX-License-Identifier: Apache-2.0
// Recovery as far as the journal's end: QUIET, RESTORE, FEED (recovery.h).
#include <inttypes.h>
#include <sysexits.h>

#include "contract/log.h"
#include "contract/monotonic.h"
#include "control/recovery/recovery_state.h"
#include "control/recovery/ring_adopt.h"

enum {
    FEED_BUDGET = 8192, // records a poll
    FEED_BATCH = 64,    // cells a publication
    WINDOWS_TOLD = 4,   // commands that make messages again, in windows; what came before is only counted
    QUIET_ROUNDS = 2,   // housekeeping rounds of a core that prove its published figures fresh
};

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
        recovery->cores[i].boot = recovery_core_state(recovery, i) == CORE_BOOT;
    settle_running_cores(recovery);
    for (unsigned i = 0; i < recovery->generation->cores; i++) {
        if (!recovery->cores[i].boot)
            release_history(recovery, i);
    }
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

unsigned history_poll_quiet(struct recovery *recovery)
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
        core->boot = recovery_core_state(recovery, i) == CORE_BOOT;
        core->applied = atomic_load_explicit(&generation->ports[i]->applied_seq, memory_order_acquire);
        all_run &= !core->boot;
    }
    settle_running_cores(recovery); // what they have applied must stand in the journal before we read it
    for (unsigned i = 0; i < generation->cores; i++) {
        release_history(recovery, i);
        begin_restore(recovery, i);
    }
    if (all_run)
        recovery_start_thread(recovery); // clients need not wait until we have read how far the opening is
    recovery->restoring_ns = monotonic_ns();
    recovery->phase = PHASE_RESTORE;
    return 1;
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
    recovery_fill_slot(ring, core->staged++, &count);
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

unsigned history_poll_restore(struct recovery *recovery)
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
        recovery_open(recovery, i);
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
    recovery_fill_slot(ring, core->staged++, record);
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

unsigned history_poll_feed(struct recovery *recovery)
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
