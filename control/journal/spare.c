// SPDX-License-Identifier: Apache-2.0
#include "control/journal/spare.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contract/log.h"
#include "contract/monotonic.h"
#include "control/journal/files.h"

enum { PACE_NS = 200 * 1000, CALM_NS = 5 * 1000 * 1000, RETRY_NS = 200 * 1000 * 1000, FREE_PART = 5 };

struct journal_spare {
    const struct journal_disk *disk;
    bool alone;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    int day;
    atomic_bool stop;
    _Atomic uint32_t used, of; // blocks of the current segment
    _Atomic uint32_t commits;  // so far
    uint32_t commits_seen;     // and when they were last seen to have moved
    uint64_t calm_since_ns;
    // Release by whoever changes the state pairs with the acquire of the other side, which then reads what follows.
    _Atomic int state; // enum spare_state
    uint32_t segment;
    uint32_t blocks;
    bool direct;
    int fd;
    _Atomic int error;
    bool told; // of the missing room
};

static void sleep_ns(long ns)
{
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

// Up to where the current segment must be filled before more zeros are written: they take from the device what the
// commits need. The first part of a segment is kept free of them for a burst; then those that are left are spread over
// what is left of it, and half as fast again, because a commit that waits for its segment is worse.
static uint32_t wait_until(const struct journal_spare *spare, uint32_t done)
{
    uint64_t used = atomic_load(&spare->used), of = atomic_load(&spare->of);
    uint64_t free_part = of / FREE_PART, left = of > used ? of - used : 0;
    uint64_t zeros = spare->blocks - done;
    if (used < free_part)
        return (uint32_t)free_part;
    return (uint32_t)(used + (zeros ? JOURNAL_ZERO_BLOCKS * left * 2 / (zeros * 3) : 0));
}

// While nothing is committed there is nothing to wait for.
static bool pace(void *context, uint32_t done)
{
    struct journal_spare *spare = context;
    if (spare->alone)
        return true;
    uint32_t until = wait_until(spare, done);
    while (!atomic_load(&spare->stop) && atomic_load(&spare->used) < until) {
        uint64_t now_ns = monotonic_ns();
        uint32_t commits = atomic_load(&spare->commits);
        if (commits != spare->commits_seen) {
            spare->commits_seen = commits;
            spare->calm_since_ns = now_ns;
        } else if (now_ns - spare->calm_since_ns > CALM_NS) {
            break;
        }
        sleep_ns(PACE_NS);
    }
    return !atomic_load(&spare->stop);
}

static void make(struct journal_spare *spare)
{
    spare->fd =
        journal_make_segment(spare->disk, spare->day, spare->segment, spare->blocks, &spare->direct, pace, spare);
    int error = spare->fd < 0 ? errno : 0;
    atomic_store(&spare->error, error);
    if (error == 0) {
        atomic_store_explicit(&spare->state, SPARE_READY, memory_order_release);
        spare->told = false;
    } else if (error == ENOSPC || error == EDQUOT) {
        atomic_store_explicit(&spare->state, SPARE_NO_ROOM, memory_order_release);
        if (!spare->told)
            log_event(LOG_XW3004, "\"segment\":%u,\"bytes\":%llu", spare->segment,
                      (unsigned long long)spare->blocks * JOURNAL_BLOCK);
        spare->told = true;
    } else if (error != ECANCELED) {
        atomic_store_explicit(&spare->state, SPARE_FAILED, memory_order_release);
    }
}

static void *run(void *argument)
{
    struct journal_spare *spare = argument;
    while (!atomic_load(&spare->stop)) {
        int state = atomic_load_explicit(&spare->state, memory_order_acquire);
        if (state == SPARE_MAKING) {
            make(spare);
        } else if (state == SPARE_NO_ROOM) {
            sleep_ns(RETRY_NS);
            make(spare);
        } else {
            pthread_mutex_lock(&spare->lock);
            while (!atomic_load(&spare->stop) && atomic_load(&spare->state) != SPARE_MAKING)
                pthread_cond_wait(&spare->wanted, &spare->lock);
            pthread_mutex_unlock(&spare->lock);
        }
    }
    return NULL;
}

struct journal_spare *journal_spare_start(const struct journal_disk *disk, int day, bool alone)
{
    struct journal_spare *spare = calloc(1, sizeof *spare);
    if (!spare)
        return NULL;
    spare->disk = disk;
    spare->alone = alone;
    spare->day = day;
    spare->fd = -1;
    if (alone)
        return spare;
    pthread_mutex_init(&spare->lock, NULL);
    pthread_cond_init(&spare->wanted, NULL);
    // Signals are for the threads that expect them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&spare->thread, NULL, run, spare);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(spare);
        errno = error;
        return NULL;
    }
    return spare;
}

static void wake(struct journal_spare *spare)
{
    pthread_mutex_lock(&spare->lock);
    pthread_cond_signal(&spare->wanted);
    pthread_mutex_unlock(&spare->lock);
}

void journal_spare_want(struct journal_spare *spare, uint32_t segment, uint32_t blocks)
{
    xw_assert(journal_spare_state(spare) == SPARE_IDLE);
    spare->segment = segment;
    spare->blocks = blocks;
    atomic_store(&spare->used, 0);
    atomic_store_explicit(&spare->state, SPARE_MAKING, memory_order_release);
    if (spare->alone)
        make(spare);
    else
        wake(spare);
}

void journal_spare_progress(struct journal_spare *spare, uint32_t used, uint32_t of)
{
    atomic_store_explicit(&spare->of, of, memory_order_relaxed);
    atomic_store_explicit(&spare->used, used, memory_order_relaxed);
    // One writer: a load and a store, no locked instruction.
    atomic_store_explicit(&spare->commits, atomic_load_explicit(&spare->commits, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

enum spare_state journal_spare_state(const struct journal_spare *spare)
{
    return (enum spare_state)atomic_load_explicit(&spare->state, memory_order_acquire);
}

int journal_spare_error(const struct journal_spare *spare)
{
    return atomic_load(&spare->error);
}

int journal_spare_take(struct journal_spare *spare, uint32_t *blocks, bool *direct)
{
    if (journal_spare_state(spare) != SPARE_READY)
        return -1;
    int fd = spare->fd;
    *blocks = spare->blocks;
    *direct = spare->direct;
    spare->fd = -1;
    atomic_store_explicit(&spare->state, SPARE_IDLE, memory_order_release);
    return fd;
}

static void end_thread(struct journal_spare *spare)
{
    atomic_store(&spare->stop, true);
    wake(spare);
    pthread_join(spare->thread, NULL);
    pthread_cond_destroy(&spare->wanted);
    pthread_mutex_destroy(&spare->lock);
}

void journal_spare_stop(struct journal_spare *spare)
{
    if (!spare)
        return;
    if (!spare->alone)
        end_thread(spare);
    if (spare->fd >= 0) {
        char name[JOURNAL_NAME_BYTES];
        journal_segment_name(name, spare->segment);
        spare->disk->close(spare->disk, spare->fd);
        spare->disk->remove(spare->disk, spare->day, name);
    }
    free(spare);
}
