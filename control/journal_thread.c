// SPDX-License-Identifier: Apache-2.0
// From the journal rings to the writer: the thread of a live region, and the drain of a dead one.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "contract/log.h"
#include "control/journal_writer.h"

enum { MATCHED_SLEEP_NS = 1000 * 1000, NAP_NS = 4000 };

struct pump_lane {
    struct journal_lane lane;
    uint32_t taken; // cells read ahead of the ring's cursor
    uint64_t end;   // cells from this position on are left alone
};

struct pump {
    struct journal_writer *writer;
    struct pump_lane *lanes;
    unsigned count;
    unsigned turn; // lane to begin with, so that a lane that fills whole commits does not keep the others out
    bool durable;  // publish durable_seq
    bool full;     // the last turn found no room for all that stood there
};

struct journal_thread {
    struct pump pump;
    struct journal_thread_options options;
    pthread_t thread;
    atomic_bool stop; // release in journal_thread_stop pairs with the acquire in the loop
    _Atomic bool running;
    _Atomic uint64_t turns; // for the watchdog
};

unsigned journal_lanes(const struct region *region, struct journal_lane *lanes, unsigned most)
{
    unsigned count = 0;
    for (unsigned core = 0; core < JOURNAL_CORES && count < most; core++) {
        struct ring *ring = region_find(region, OBJECT_JOURNAL, 0, core);
        if (ring)
            lanes[count++] = (struct journal_lane){core, ring, region_find(region, OBJECT_MATCHER, 0, core)};
    }
    return count;
}

static struct pump new_pump(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count,
                            bool durable)
{
    struct pump pump = {.writer = writer, .count = count, .durable = durable};
    pump.lanes = calloc(count + 1, sizeof *pump.lanes);
    xw_assert(pump.lanes);
    for (unsigned i = 0; i < count; i++)
        pump.lanes[i] = (struct pump_lane){.lane = lanes[i], .end = UINT64_MAX};
    return pump;
}

// The sequence in a cell's word follows the last one that was taken, or the journal has it already.
static bool take_cell(struct pump *pump, struct pump_lane *lane, const struct command *cell)
{
    unsigned core = lane->lane.core;
    uint64_t last = journal_taken(pump->writer, core);
    if (cell->seq <= last) {
        journal_count_duplicate(pump->writer);
        return true;
    }
    if (cell->seq != last + 1) {
        journal_fail(pump->writer, JOURNAL_GAP,
                     "journal: the ring of core %u goes from sequence %llu to %llu: commands are "
                     "lost, restore the journal or start a new trading date",
                     core, (unsigned long long)last, (unsigned long long)cell->seq);
        return false;
    }
    return journal_append(pump->writer, core, cell);
}

// From now on nothing is taken but what stands published: a producer that never pauses can not make the rest longer.
static void pump_end_here(struct pump *pump)
{
    for (unsigned i = 0; i < pump->count; i++)
        pump->lanes[i].end = atomic_load_explicit(&pump->lanes[i].lane.ring->produced, memory_order_acquire);
}

// Appends what stands in the rings, as far as there is room. Returns cells taken.
static unsigned pump_take(struct pump *pump)
{
    unsigned taken = 0;
    pump->full = false;
    for (unsigned i = 0; i < pump->count && !pump->full; i++) {
        struct pump_lane *lane = &pump->lanes[(pump->turn + i) % pump->count];
        const struct command *cell;
        uint64_t consumed = atomic_load_explicit(&lane->lane.ring->consumed, memory_order_relaxed);
        uint64_t left = lane->end > consumed ? lane->end - consumed : 0;
        uint32_t most = left < lane->lane.ring->depth ? (uint32_t)left : lane->lane.ring->depth;
        while (lane->taken < most && (cell = ring_peek(lane->lane.ring, lane->taken))) {
            pump->full = !take_cell(pump, lane, cell);
            if (pump->full)
                break;
            lane->taken++;
            taken++;
        }
    }
    pump->turn++;
    return taken;
}

// Tells what is durable, and only then gives the cells back: a control that is killed between the two finds the cells
// again, and knows from the journal that it has them.
static void pump_publish(struct pump *pump)
{
    for (unsigned i = 0; i < pump->count; i++) {
        struct pump_lane *lane = &pump->lanes[i];
        uint64_t durable = journal_writer_durable(pump->writer, lane->lane.core);
        struct matcher_port *port = lane->lane.port;
        // Release pairs with the acquire in gateways and publishers. Never backwards.
        if (pump->durable && port && durable > atomic_load_explicit(&port->durable_seq, memory_order_relaxed))
            atomic_store_explicit(&port->durable_seq, durable, memory_order_release);
        if (!lane->taken)
            continue;
        uint64_t consumed = atomic_load_explicit(&lane->lane.ring->consumed, memory_order_relaxed);
        uint64_t done = durable > consumed ? durable - consumed : 0;
        uint32_t count = done < lane->taken ? (uint32_t)done : lane->taken;
        lane->taken -= count;
        if (count)
            ring_release(lane->lane.ring, count);
    }
}

// One turn. Returns whether anything moved.
static bool pump_turn(struct pump *pump, bool wait)
{
    bool reaped = journal_reap(pump->writer, wait);
    unsigned taken = pump_take(pump);
    bool submitted = journal_pending(pump->writer) && !journal_outstanding(pump->writer);
    journal_submit(pump->writer);
    if (reaped || taken)
        pump_publish(pump);
    return reaped || taken || submitted;
}

static bool pump_settled(const struct pump *pump)
{
    return !journal_pending(pump->writer) && !journal_outstanding(pump->writer);
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = MATCHED_SLEEP_NS}, NULL);
}

static enum journal_result drain(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count,
                                 bool live)
{
    if (journal_attach(writer))
        return journal_writer_result(writer);
    struct pump pump = new_pump(writer, lanes, count, false);
    if (live)
        pump_end_here(&pump);
    while (!journal_writer_result(writer)) {
        bool moved = pump_turn(&pump, true);
        if (!moved && !pump.full && pump_settled(&pump))
            break;
        if (!moved)
            nap(); // the next segment is not there yet
    }
    journal_detach(writer);
    free(pump.lanes);
    return journal_writer_result(writer);
}

enum journal_result journal_drain(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count)
{
    return drain(writer, lanes, count, false);
}

enum journal_result journal_catch_up(struct journal_writer *writer, const struct journal_lane *lanes, unsigned count)
{
    return drain(writer, lanes, count, true);
}

// ---- the thread -----------------------------------------------------------------------------------------------------

static bool ends_reached(const struct pump *pump)
{
    for (unsigned i = 0; i < pump->count; i++)
        if (atomic_load_explicit(&pump->lanes[i].lane.ring->consumed, memory_order_relaxed) < pump->lanes[i].end)
            return false;
    return true;
}

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
    const struct pump *pump = &thread->pump;
    if (thread->options.durable) {
        // What comes while a write is out can not be written before it is done: sleep for its completion.
        if (!moved && journal_outstanding(pump->writer))
            return true;
        if (!moved)
            give_way(thread);
        return false;
    }
    // One wake a millisecond takes new commands and what became durable since; only a backlog is worth more.
    if (pump->full && journal_outstanding(pump->writer))
        return true;
    nap();
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
    enum journal_result result = journal_writer_result(thread->pump.writer);
    const char *text = journal_writer_text(thread->pump.writer);
    log_event(LOG_XW3002, "\"result\":\"%s\",\"text\":%s", journal_result_name(result), log_quote(text));
    if (!thread->options.survive)
        fail_with(journal_exit_code(result), "%s", text);
}

static void *run(void *argument)
{
    struct journal_thread *thread = argument;
    struct pump *pump = &thread->pump;
    bool stopping = false, wait = false;
    pin(&thread->options);
    prctl(PR_SET_TIMERSLACK, 1);
    journal_attach(pump->writer);
    pump_publish(pump); // what an earlier control made durable and could not tell any more
    while (!journal_writer_result(pump->writer)) {
        if (!stopping && atomic_load_explicit(&thread->stop, memory_order_acquire)) {
            stopping = true;
            pump_end_here(pump); // what was published up to now is what a stop still makes durable
        }
        if (stopping && ends_reached(pump) && pump_settled(pump))
            break;
        bool moved = pump_turn(pump, wait || stopping);
        wait = idle(thread, moved);
        atomic_fetch_add_explicit(&thread->turns, 1, memory_order_relaxed);
    }
    if (journal_writer_result(pump->writer))
        end_in_failure(thread);
    journal_detach(pump->writer);
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
    thread->pump = new_pump(writer, lanes, count, options->durable);
    thread->options = *options;
    atomic_store(&thread->running, true);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->thread, NULL, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(thread->pump.lanes);
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
    enum journal_result result = journal_writer_result(thread->pump.writer);
    free(thread->pump.lanes);
    free(thread);
    return result;
}
