// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/follower.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "contract/log.h"
#include "contract/monotonic.h"
#include "control/recovery/shadow.h"

enum {
    TURN_RECORDS = 256, // journal records a turn: well under a tenth of a millisecond, which is how long the journal
                        // thread may have to wait for the core where the scheduler does not take it from us at once
    TURN_PIECE = 256,   // records of a snapshot a turn: 32 KiB
    NAP_US = 2000,      // when there is nothing to follow
    BREATH_US = 50,     // between two turns
    PACE_US = 200,      // between two pieces: the disk is the journal's first
    NICE = 19,
    END_SECONDS = 30,
    RETRY_SECONDS = 60, // after a snapshot that could not be written
};

struct core {
    struct shadow *shadow;
    bool restored; // from a snapshot, or there was none
    bool failed;   // for good: it differs from the matching core, or there is no memory
    uint64_t due_ns, begun_ns;
};

struct follower {
    const struct config *config;
    const struct journal_identity *identity;
    const struct journal_writer *writer;
    const struct follower_end *end; // set before `stop`
    pthread_t thread;
    _Atomic bool held, stop;
    struct journal_reader *reader;
    const struct command *held_back; // read, and its shadow was busy
    bool failed;                     // the journal can not be read
    unsigned cores_count;
    struct core cores[];
};

static void nap(unsigned us)
{
    struct timespec pause = {.tv_nsec = (long)us * 1000};
    nanosleep(&pause, NULL);
}

static bool is_ending(const struct follower *follower)
{
    return atomic_load_explicit(&follower->stop, memory_order_acquire);
}

// ---- following ------------------------------------------------------------------------------------------------------

static void core_fails(struct follower *follower, unsigned index, const char *text)
{
    struct core *core = &follower->cores[index];
    core->failed = true;
    shadow_abandon(core->shadow);
    log_event(LOG_XW2018, "\"core\":%u,\"text\":%s", index, log_quote(text));
}

static bool restore_shadows(struct follower *follower)
{
    for (unsigned i = 0; i < follower->cores_count; i++) {
        struct core *core = &follower->cores[i];
        if (core->restored)
            continue;
        core->restored = shadow_restore(core->shadow, journal_writer_durable(follower->writer, i), TURN_PIECE);
        return false;
    }
    return true;
}

static bool open_reader(struct follower *follower)
{
    uint64_t covered[JOURNAL_CORES] = {0};
    struct journal_report report;
    for (unsigned i = 0; i < follower->cores_count; i++)
        covered[i] = shadow_sequence(follower->cores[i].shadow);
    enum journal_result result = journal_reader_open_after(&follower->reader, follower->identity, covered, &report);
    if (result == JOURNAL_OK || result == JOURNAL_ABSENT)
        return result == JOURNAL_OK;
    follower->failed = true;
    log_event(LOG_XW2017, "\"text\":%s", log_quote(report.text));
    return false;
}

// Whether the record is done with.
static bool take_record(struct follower *follower, const struct command *record)
{
    unsigned index = journal_core(record);
    struct core *core = index < follower->cores_count ? &follower->cores[index] : NULL;
    if (!core || core->failed)
        return true;
    if (shadow_is_writing(core->shadow))
        return false;
    if (!shadow_take(core->shadow, record))
        core_fails(follower, index, shadow_error(core->shadow));
    return true;
}

// Follows what is durable now, for a turn. true: all of it has been taken.
static bool follow(struct follower *follower)
{
    if (!follower->reader && !open_reader(follower))
        return true;
    if (!follower->held_back)
        journal_reader_until(follower->reader, journal_writer_position(follower->writer));
    for (unsigned done = 0; done < TURN_RECORDS; done++) {
        enum journal_result result = JOURNAL_OK;
        if (!follower->held_back)
            result = journal_reader_next(follower->reader, &follower->held_back);
        if (result == JOURNAL_OK) {
            if (!take_record(follower, follower->held_back))
                return false;
            follower->held_back = NULL;
            continue;
        }
        follower->held_back = NULL;
        if (result != JOURNAL_END) {
            follower->failed = true;
            log_event(LOG_XW2017, "\"text\":%s", log_quote(journal_reader_report(follower->reader)->text));
        }
        return true;
    }
    return false;
}

// ---- snapshots ------------------------------------------------------------------------------------------------------

static void snapshot_fails(struct follower *follower, unsigned index, uint64_t now_ns)
{
    follower->cores[index].due_ns = now_ns + RETRY_SECONDS * UINT64_C(1000000000);
    log_event(LOG_XW2017, "\"core\":%u,\"text\":%s", index, log_quote(strerror(errno)));
}

static void set_due(const struct follower *follower, struct core *core, uint64_t now_ns)
{
    uint64_t took_ns = core->begun_ns ? now_ns - core->begun_ns : 0;
    uint64_t period_ns = follower->config->snapshots.every_seconds * UINT64_C(1000000000);
    core->due_ns = now_ns + (period_ns > 4 * took_ns ? period_ns : 4 * took_ns); // no more than a fifth of the time
}

static bool is_due(const struct follower *follower, const struct core *core, uint64_t now_ns)
{
    uint64_t since = shadow_since(core->shadow), every = follower->config->snapshots.every_commands;
    if (core->failed || since == 0 || shadow_is_writing(core->shadow) || shadow_is_sealed(core->shadow))
        return false;
    return (every && since >= every) || (follower->config->snapshots.every_seconds && now_ns >= core->due_ns);
}

static void publish(struct follower *follower, unsigned index, uint64_t now_ns)
{
    struct core *core = &follower->cores[index];
    uint64_t covered = shadow_covered(core->shadow);
    if (!shadow_publish(core->shadow)) {
        snapshot_fails(follower, index, now_ns);
        return;
    }
    set_due(follower, core, now_ns);
    log_event(LOG_XW2015, "\"core\":%u,\"covered\":%" PRIu64 ",\"duration_ms\":%.1f", index, covered,
              (double)(now_ns - core->begun_ns) / 1e6);
}

// Goes on with what core `index` has to write. true: it wrote something.
static bool write_snapshot(struct follower *follower, unsigned index, bool due)
{
    struct core *core = &follower->cores[index];
    uint64_t now_ns = monotonic_ns();
    if (shadow_is_sealed(core->shadow) && shadow_sequence(core->shadow) > shadow_covered(core->shadow))
        publish(follower, index, now_ns); // the next command had the hash that the snapshot has
    if (!shadow_is_writing(core->shadow) && (due || is_due(follower, core, now_ns))) {
        core->begun_ns = now_ns;
        if (!shadow_snapshot(core->shadow) && errno)
            snapshot_fails(follower, index, now_ns);
        else if (!shadow_is_writing(core->shadow))
            set_due(follower, core, now_ns); // the day has not started
    }
    if (!shadow_is_writing(core->shadow))
        return false;
    if (shadow_write(core->shadow, TURN_PIECE) == SHADOW_FAILED)
        snapshot_fails(follower, index, now_ns);
    return true;
}

// ---- the end --------------------------------------------------------------------------------------------------------

// Covers the end of every core. What differs from the core there is not published.
static void end_core(struct follower *follower, unsigned index)
{
    struct core *core = &follower->cores[index];
    const struct follower_end *end = follower->end;
    if (core->failed || shadow_sequence(core->shadow) != end->applied[index])
        return;
    if (shadow_event_hash(core->shadow) != end->event_hash[index]) {
        core_fails(follower, index, "the matching core has ended with another event hash");
        return;
    }
    if (shadow_is_sealed(core->shadow) && shadow_covered(core->shadow) < end->applied[index])
        publish(follower, index, monotonic_ns());
    bool first = shadow_covered(core->shadow) < end->applied[index];
    while (write_snapshot(follower, index, first))
        first = false;
    if (shadow_is_sealed(core->shadow))
        publish(follower, index, monotonic_ns());
}

static void end_all(struct follower *follower)
{
    uint64_t until_ns = monotonic_ns() + END_SECONDS * UINT64_C(1000000000);
    while (!restore_shadows(follower) && monotonic_ns() < until_ns) {
    }
    for (bool done = false; !done && !follower->failed && monotonic_ns() < until_ns;) {
        done = follow(follower);
        for (unsigned i = 0; i < follower->cores_count; i++)
            done &= !write_snapshot(follower, i, false);
    }
    for (unsigned i = 0; i < follower->cores_count && !follower->failed; i++)
        end_core(follower, i);
}

// ---- the thread -----------------------------------------------------------------------------------------------------

// One bounded piece of work. Returns for how many microseconds others have the core.
static unsigned turn(struct follower *follower)
{
    bool wrote = false;
    if (atomic_load_explicit(&follower->held, memory_order_acquire) || follower->failed)
        return NAP_US;
    if (!restore_shadows(follower))
        return BREATH_US;
    bool all = follow(follower);
    for (unsigned i = 0; i < follower->cores_count; i++)
        wrote |= write_snapshot(follower, i, false);
    return wrote ? PACE_US : all ? NAP_US : BREATH_US;
}

static void *run(void *argument)
{
    struct follower *follower = argument;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); // a thread has a priority of its own; without it, it follows too
    for (unsigned i = 0; i < follower->cores_count; i++)
        set_due(follower, &follower->cores[i], monotonic_ns());
    while (!is_ending(follower)) {
        nap(turn(follower));
    }
    if (follower->end)
        end_all(follower);
    return NULL;
}

static void let_go(struct follower *follower)
{
    int error = errno;
    for (unsigned i = 0; i < follower->cores_count; i++)
        shadow_free(follower->cores[i].shadow);
    if (follower->reader)
        journal_reader_close(follower->reader);
    free(follower);
    errno = error;
}

struct follower *follower_start(const struct config *config, const struct journal_identity *identity,
                                const struct journal_writer *writer)
{
    struct follower *follower = calloc(1, sizeof *follower + config->matchers_count * sizeof follower->cores[0]);
    if (!follower)
        return NULL;
    follower->config = config;
    follower->identity = identity;
    follower->writer = writer;
    follower->cores_count = config->matchers_count;
    atomic_init(&follower->held, true);
    atomic_init(&follower->stop, false);
    bool good = true;
    for (unsigned i = 0; i < follower->cores_count && good; i++)
        good = (follower->cores[i].shadow = shadow_new(config, identity, i)) != NULL;
    if (good)
        errno = pthread_create(&follower->thread, NULL, run, follower);
    if (good && errno == 0)
        return follower;
    let_go(follower);
    return NULL;
}

void follower_hold(struct follower *follower, bool held)
{
    if (follower)
        atomic_store_explicit(&follower->held, held, memory_order_release);
}

void follower_stop(struct follower *follower, const struct follower_end *end)
{
    if (!follower)
        return;
    follower->end = end;
    atomic_store_explicit(&follower->stop, true, memory_order_release); // pairs with is_ending
    pthread_join(follower->thread, NULL);
    let_go(follower);
}
