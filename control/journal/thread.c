// SPDX-License-Identifier: Apache-2.0
// The thread that pumps a live region's rings to the journal.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "contract/log.h"
#include "control/journal/pump.h"
#include "control/journal/writer.h"

enum { MATCHED_SLEEP_NS = 1000 * 1000, NAP_NS = 4000 };

struct journal_thread {
    struct journal_writer *writer;
    struct journal_pump *pump;
    struct journal_thread_options options;
    pthread_t thread;
    atomic_bool stop; // release in journal_thread_stop pairs with the acquire in the loop
    _Atomic bool running;
    _Atomic uint64_t turns; // for the watchdog
};

// A real sleep, short because the thread's timer slack is 1 ns. Not sched_yield unless asked for, and not so short that
// the kernel finds it over before it has given the core away: on Linux 6.18, threads of one scheduling group (a session
// with autogroup, a cgroup) that never sleep keep the kernel's own workers, which complete the writes, off this core
// for seconds.
static void give_way(const struct journal_thread *thread)
{
    if (thread->options.yield)
        sched_yield();
    else
        nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

// What to do between two turns. Returns whether the next one is to wait for a write.
static bool idle(const struct journal_thread *thread, bool moved)
{
    const struct journal_pump *pump = thread->pump;
    if (thread->options.durable) {
        // What comes while a write is out can not be written before it is done: sleep for its completion.
        if (!moved && journal_outstanding(thread->writer))
            return true;
        if (!moved)
            give_way(thread);
        return false;
    }
    // One wake a millisecond takes new commands and what became durable since; only a backlog is worth more.
    if (journal_pump_full(pump) && journal_outstanding(thread->writer))
        return true;
    nanosleep(&(struct timespec){.tv_nsec = MATCHED_SLEEP_NS}, NULL);
    return false;
}

static void pin(const struct journal_thread_options *options)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(options->cpu, &set);
    if (options->pinned)
        pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void end_in_failure(const struct journal_thread *thread)
{
    enum journal_result result = journal_writer_result(thread->writer);
    const char *text = journal_writer_text(thread->writer);
    log_event(LOG_XW3002, "\"result\":\"%s\",\"text\":%s", journal_result_name(result), log_quote(text));
    if (!thread->options.survive)
        fail_with(journal_exit_code(result), "%s", text);
}

static void *run(void *argument)
{
    struct journal_thread *thread = argument;
    struct journal_pump *pump = thread->pump;
    bool stopping = false, wait = false;
    pin(&thread->options);
    prctl(PR_SET_TIMERSLACK, 1);
    journal_attach(thread->writer);
    journal_pump_publish(pump); // what an earlier control made durable and could not tell any more
    while (!journal_writer_result(thread->writer)) {
        if (!stopping && atomic_load_explicit(&thread->stop, memory_order_acquire)) {
            stopping = true;
            journal_pump_end_here(pump); // what was published up to now is what a stop still makes durable
        }
        if (stopping && journal_pump_ended(pump) && journal_pump_settled(pump))
            break;
        bool moved = journal_pump_turn(pump, wait || stopping);
        wait = idle(thread, moved);
        atomic_fetch_add_explicit(&thread->turns, 1, memory_order_relaxed);
    }
    if (journal_writer_result(thread->writer))
        end_in_failure(thread);
    journal_detach(thread->writer);
    atomic_store_explicit(&thread->running, false, memory_order_release);
    return NULL;
}

struct journal_thread *journal_thread_start(struct journal_writer *writer, const struct journal_lane *lanes,
                                            unsigned count, const struct journal_thread_options *options)
{
    xw_assert(count <= JOURNAL_CORES);
    struct journal_thread *thread = calloc(1, sizeof *thread);
    if (!thread)
        return NULL;
    thread->writer = writer;
    thread->pump = journal_pump_new(writer, lanes, count, options->durable);
    thread->options = *options;
    atomic_store(&thread->running, true);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->thread, NULL, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        journal_pump_free(thread->pump);
        free(thread);
        errno = error;
        return NULL;
    }
    return thread;
}

bool journal_thread_running(const struct journal_thread *thread)
{
    return atomic_load_explicit(&thread->running, memory_order_acquire);
}

uint64_t journal_thread_turns(const struct journal_thread *thread)
{
    return atomic_load_explicit(&thread->turns, memory_order_relaxed);
}

enum journal_result journal_thread_stop(struct journal_thread *thread)
{
    atomic_store_explicit(&thread->stop, true, memory_order_release);
    pthread_join(thread->thread, NULL);
    enum journal_result result = journal_writer_result(thread->writer);
    journal_pump_free(thread->pump);
    free(thread);
    return result;
}
