// SPDX-License-Identifier: Apache-2.0
#include "control/journal/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "contract/log.h"
#include "contract/monotonic.h"
#include "control/journal/keep.h"
#include "control/journal/walk.h"

#define MS_NS UINT64_C(1000000)

enum {
    LOOK_MS = 500,         // between two looks for closed segments
    RETRY_MS = 1000,       // after a first failure; twice as long after each further one
    RETRY_MOST_MS = 60000, //
    SHARE = 4,             // one part of work to SHARE - 1 of sleep
    BURST_BLOCKS = 256,    // between two sleeps
    PAUSE_MOST_MS = 100,   //
    DATES_MAX = 4096,
    LOWEST_PRIORITY = 19,
    IOPRIO_WHO_PROCESS = 1, // linux/ioprio.h
    IOPRIO_IDLE = 3 << 13
};

struct journal_keeper {
    struct journal_identity identity;
    struct journal_keeper_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_bool stop;
    uint64_t burst_ns; // when the present burst of work began
    uint32_t burst_blocks;
    unsigned retry_ms; // 0: nothing fails
    char told[320];    // the failure that was told last
    bool begun;        // today has a seal of this start's
    bool damaged;      // today has something that can not be sealed
    _Atomic uint64_t sealed, compressed, removed;
    atomic_bool failing;
};

// Sleeps, but wakes for the stop.
static void rest(struct journal_keeper *keeper, uint64_t ns)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    uint64_t end = (uint64_t)until.tv_nsec + ns;
    until.tv_sec += (time_t)(end / 1000000000u);
    until.tv_nsec = (long)(end % 1000000000u);
    pthread_mutex_lock(&keeper->lock);
    while (!atomic_load(&keeper->stop) && pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&keeper->lock);
}

// A part of the device and of the core is left to those who trade.
static bool pace(void *context, uint32_t blocks)
{
    struct journal_keeper *keeper = context;
    if (blocks == 0 || ++keeper->burst_blocks < BURST_BLOCKS)
        return !atomic_load(&keeper->stop);
    uint64_t worked = monotonic_ns() - keeper->burst_ns;
    uint64_t pause = worked * (SHARE - 1);
    rest(keeper, pause < PAUSE_MOST_MS * MS_NS ? pause : PAUSE_MOST_MS * MS_NS);
    keeper->burst_ns = monotonic_ns();
    keeper->burst_blocks = 0;
    return !atomic_load(&keeper->stop);
}

// Compression is told of whole chunks.
static bool pace_chunks(void *context, uint32_t blocks)
{
    struct journal_keeper *keeper = context;
    keeper->burst_blocks = BURST_BLOCKS;
    return pace(context, blocks);
}

// ---- what is told ---------------------------------------------------------------------------------------------------

// A failure is told once, until another one or none.
static void tell(struct journal_keeper *keeper, enum journal_result result, const char *text)
{
    if (result == JOURNAL_OK)
        return;
    atomic_store(&keeper->failing, true);
    if (strcmp(text, keeper->told) == 0)
        return;
    snprintf(keeper->told, sizeof keeper->told, "%s", text);
    log_event(LOG_XW3006, "\"result\":\"%s\",\"text\":%s", journal_result_name(result), log_quote(text));
}

static void tell_removed(uint32_t date, uint64_t bytes, const char *why)
{
    log_event(LOG_XW3007, "\"date\":%u,\"bytes\":%llu,\"why\":\"%s\"", date, (unsigned long long)bytes, why);
}

// ---- the work -------------------------------------------------------------------------------------------------------

static enum journal_result seal(struct journal_keeper *keeper, uint32_t date, bool paced)
{
    struct journal_keep keep = {keeper->options.key, paced ? pace : NULL, keeper};
    struct journal_identity identity = keeper->identity;
    struct journal_kept kept;
    identity.date = date;
    keeper->burst_ns = monotonic_ns();
    enum journal_result result = journal_seal_day(&identity, &keep, date < keeper->identity.date, &kept);
    atomic_fetch_add(&keeper->sealed, kept.done);
    keeper->begun |= kept.done && date == keeper->identity.date;
    if (kept.done)
        log_event(LOG_XW3005, "\"date\":%u,\"segments\":%u,\"last\":%u,\"signed\":%s", date, kept.done, kept.segment,
                  keeper->options.key ? "true" : "false");
    tell(keeper, result, kept.text);
    return result;
}

static enum journal_result compress(struct journal_keeper *keeper, uint32_t date)
{
    struct journal_keep keep = {keeper->options.key, pace_chunks, keeper};
    struct journal_identity identity = keeper->identity;
    struct journal_kept kept = {0};
    identity.date = date;
    keeper->burst_ns = monotonic_ns();
    enum journal_result result = journal_compress_day(&identity, &keep, &kept);
    atomic_fetch_add(&keeper->compressed, kept.done);
    if (kept.done)
        log_event(LOG_XW3008, "\"date\":%u,\"segments\":%u,\"bytes_freed\":%llu", date, kept.done,
                  (unsigned long long)kept.bytes);
    tell(keeper, result, kept.text);
    return result;
}

static enum journal_result retain(struct journal_keeper *keeper)
{
    struct journal_kept kept;
    if (!keeper->options.keep_days && !keeper->options.keep_mb)
        return JOURNAL_OK;
    enum journal_result result =
        journal_retain(&keeper->identity, keeper->options.keep_days, keeper->options.keep_mb, tell_removed, &kept);
    atomic_fetch_add(&keeper->removed, kept.done);
    tell(keeper, result, kept.text);
    return result;
}

// The dates before today's, from the oldest on, to `each`. JOURNAL_SYSTEM when something is to be tried again.
static enum journal_result for_earlier(struct journal_keeper *keeper,
                                       enum journal_result (*each)(struct journal_keeper *keeper, uint32_t date))
{
    uint32_t dates[DATES_MAX];
    int count = journal_dates(keeper->identity.directory, dates, DATES_MAX);
    enum journal_result worst = count < 0 ? JOURNAL_SYSTEM : JOURNAL_OK;
    for (int i = 0; i < count && i < DATES_MAX && !atomic_load(&keeper->stop); i++) {
        if (dates[i] >= keeper->identity.date)
            break;
        if (each(keeper, dates[i]) == JOURNAL_SYSTEM)
            worst = JOURNAL_SYSTEM;
    }
    return worst;
}

static enum journal_result seal_paced(struct journal_keeper *keeper, uint32_t date)
{
    return seal(keeper, date, true);
}

// Everything that is closed. Today's first seal follows the last one of the dates before: those come first, and again
// as long as today has none, because what their rings still held is added to them in the meantime.
static enum journal_result seal_all(struct journal_keeper *keeper)
{
    if (!keeper->begun && for_earlier(keeper, seal_paced) == JOURNAL_SYSTEM)
        return JOURNAL_SYSTEM;
    if (keeper->damaged || atomic_load(&keeper->stop))
        return JOURNAL_OK;
    enum journal_result result = seal(keeper, keeper->identity.date, true);
    keeper->damaged = result != JOURNAL_OK && result != JOURNAL_SYSTEM;
    return result;
}

static void pace_block(void *context, const struct journal_block *block)
{
    (void)block;
    pace(context, 1);
}

// Damage in what the start has not read is told now, and not only to who asks for it.
static enum journal_result read_unread(struct journal_keeper *keeper)
{
    struct journal_reader *reader;
    struct journal_report report;
    const struct command *record;
    enum journal_result result = JOURNAL_OK;
    if (!keeper->options.unread)
        return JOURNAL_OK;
    if (journal_reader_open(&reader, &keeper->identity, &report)) {
        tell(keeper, JOURNAL_SYSTEM, report.text);
        return JOURNAL_SYSTEM;
    }
    journal_reader_until(reader, (struct journal_place){.segment = keeper->options.unread});
    journal_reader_watch(reader, pace_block, keeper);
    keeper->burst_ns = monotonic_ns();
    while (result == JOURNAL_OK && !atomic_load(&keeper->stop))
        result = journal_reader_next(reader, &record);
    keeper->damaged |= result != JOURNAL_OK && result != JOURNAL_END && result != JOURNAL_SYSTEM;
    if (result != JOURNAL_END)
        tell(keeper, result, journal_reader_report(reader)->text);
    journal_reader_close(reader);
    return result;
}

// Once a start: what is old is compressed and removed, what is unread is read. Whether something is to be tried again.
static bool tidy_earlier(struct journal_keeper *keeper)
{
    enum journal_result result = keeper->options.compress ? for_earlier(keeper, compress) : JOURNAL_OK;
    bool again = retain(keeper) == JOURNAL_SYSTEM || result == JOURNAL_SYSTEM;
    return read_unread(keeper) == JOURNAL_SYSTEM || again;
}

// Waits longer the more often something failed.
static void rest_after(struct journal_keeper *keeper, bool again)
{
    if (!again) {
        keeper->retry_ms = 0;
        rest(keeper, LOOK_MS * MS_NS);
        return;
    }
    keeper->retry_ms = keeper->retry_ms ? keeper->retry_ms * 2 : RETRY_MS;
    if (keeper->retry_ms > RETRY_MOST_MS)
        keeper->retry_ms = RETRY_MOST_MS;
    rest(keeper, keeper->retry_ms * MS_NS);
}

static void *run(void *argument)
{
    struct journal_keeper *keeper = argument;
    // Not SCHED_IDLE: where every core is busy it would hold a date's lock for as long as they are.
    setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
    bool tidy = false;
    while (!atomic_load(&keeper->stop)) {
        bool again = seal_all(keeper) == JOURNAL_SYSTEM;
        if (!again && !tidy)
            tidy = !(again = tidy_earlier(keeper));
        if (!again && !keeper->damaged) {
            atomic_store(&keeper->failing, false);
            keeper->told[0] = 0;
        }
        rest_after(keeper, again);
    }
    return NULL;
}

struct journal_keeper *journal_keeper_start(const struct journal_identity *identity,
                                            const struct journal_keeper_options *options)
{
    struct journal_keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        return NULL;
    keeper->identity = *identity;
    keeper->options = *options;
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_cond_init(&keeper->wake, NULL);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&keeper->thread, NULL, run, keeper);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(keeper);
        errno = error;
        return NULL;
    }
    return keeper;
}

static enum journal_result seal_at_once(struct journal_keeper *keeper, uint32_t date)
{
    return seal(keeper, date, false);
}

static void finish_seals(struct journal_keeper *keeper)
{
    atomic_store(&keeper->stop, false);
    enum journal_result earlier = keeper->begun ? JOURNAL_OK : for_earlier(keeper, seal_at_once);
    if (earlier == JOURNAL_OK && !keeper->damaged)
        seal_at_once(keeper, keeper->identity.date);
}

void journal_keeper_stop(struct journal_keeper *keeper, bool finish)
{
    if (!keeper)
        return;
    pthread_mutex_lock(&keeper->lock);
    atomic_store(&keeper->stop, true);
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
    if (finish)
        finish_seals(keeper);
    pthread_cond_destroy(&keeper->wake);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}

struct journal_keeper_counts journal_keeper_counts(const struct journal_keeper *keeper)
{
    return (struct journal_keeper_counts){.sealed = atomic_load(&keeper->sealed),
                                          .compressed = atomic_load(&keeper->compressed),
                                          .removed = atomic_load(&keeper->removed),
                                          .failing = atomic_load(&keeper->failing)};
}
