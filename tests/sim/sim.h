// SPDX-License-Identifier: Apache-2.0
// The simulator's core: one thread, one clock, fibres for every thread of the two production programs, and a queue of
// events. Everything that happens is drawn from the seed.
//
//   event queue ----+                        +--> crosswire-dataplane: main thread, lcores
//   (frames, disk,  +--> sim_run_one() ------+
//    chaos, clients)|       clock moves      +--> crosswire-control: main thread, journal, helper threads
//   sleeping fibres +
#ifndef CROSSWIRE_TESTS_SIM_SIM_H
#define CROSSWIRE_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/sim/random.h"

#define SIM_US UINT64_C(1000)
#define SIM_MS UINT64_C(1000000)
#define SIM_SECOND UINT64_C(1000000000)
#define SIM_NEVER UINT64_MAX
#define SIM_TSC_HZ UINT64_C(2000000000)

// What a seed has come to see, for the summary: a simulator that sees nothing finds nothing.
enum sim_stat {
    STAT_ORDERS,
    STAT_COMMANDS,
    STAT_KILLS,
    STAT_KILLS_INSIDE, // at an access to shared memory
    STAT_CRASHES,
    STAT_LOST, // commands that a crash of the host took, which nobody had been told of
    STAT_RECOVERIES,
    STAT_DISK_FAILURES,
    STAT_JOURNAL_FAILURES, // control ended for them
    STAT_RING_FULL,
    STAT_BACKPRESSURE,
    STAT_RETRANSMITTED,
    STAT_FROM_CONTROL, // retransmission requests beyond the window
    STAT_DISCARDED,
    STAT_DUPLICATES,
    STAT_SEGMENTS,
    STAT_TORN,
    STAT_SNAPSHOTS,
    STAT_RESTORED,
    STAT_LIES, // found out
    STAT_KILLED,
    STAT_RESET,
    STAT_HALTED,
    STAT_LIMITS,
    STAT_MODES, // changed
    STAT_DAYS,  // ended
    STAT_COPIED,
    STAT_ALERTS,
    STAT_LIMIT_KILLS,
    STAT_BREAKER_KILLS,
    STAT_LOST_CONTROL,
    STAT_MMP,
    STAT_PAUSES,
    STAT_MARKET_WIDE,
    STAT_BEYOND_BANDS,
    STAT_SHORT_SALES,
    STAT_SECOND,
    STAT_FILES_REFUSED,
    STAT_SCHEDULES_REFUSED,
    STAT_LATE,
    STAT_TRIPPED,                     // by enum trip_condition,
    STAT_REFUSED = STAT_TRIPPED + 16, // by enum limit
    STATS = STAT_REFUSED + 40
};

struct sim {
    uint64_t stats[STATS];
    uint64_t seed;
    uint64_t step;
    uint64_t now_ns;    // monotonic
    uint64_t wall_ns;   // wall clock less monotonic clock
    uint64_t hash;      // of all that has happened
    uint64_t active_ns; // when last something happened that is no idle polling
    bool trace;
    struct random schedule, disk, net, client, chaos, risk;
};
extern struct sim sim;

// Starts anew from a seed.
void sim_open(uint64_t seed, bool trace);

// A finding: prints seed, step, time and the sentence, and ends the process with 1.
_Noreturn void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Folds a happening into the hash.
static inline void sim_note(uint64_t word)
{
    sim.hash = (sim.hash ^ word) * UINT64_C(0x9FB21C651E98DF25);
    sim.hash ^= sim.hash >> 29;
}
void sim_note_bytes(const void *bytes, size_t size);

// Prints a line when tracing.
void sim_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline void sim_is_active(void)
{
    sim.active_ns = sim.now_ns;
}

// Nothing but idle polling for a while: time may pass quicker.
static inline bool sim_idle(void)
{
    return sim.now_ns - sim.active_ns > 30 * SIM_US;
}

// ---- events ---------------------------------------------------------------------------------------------------------

typedef void sim_event(void *context, uint64_t argument);

// Calls run(context, argument) in `delay_ns`.
void sim_after(uint64_t delay_ns, sim_event *run, void *context, uint64_t argument);

// The next event or fibre. False when there is nothing left to happen.
bool sim_run_one(void);

// ---- processes ------------------------------------------------------------------------------------------------------

enum sim_process_number { SIM_DATAPLANE, SIM_CONTROL, SIM_PROCESSES };

struct sim_process {
    const char *name;
    unsigned number;
    int (*main)(int count, char **list);
    char *data, *data_end, *bss, *bss_end; // its static variables
    char *data_image;                      // as they were before the first start
    bool alive;
    bool killed;     // how it ended
    int exit_code;   // when it was not killed
    uint64_t starts; // so far
    uint64_t ended_ns;
    uint32_t signals;    // pending, a bit each
    int doom;            // accesses to atomics until it is killed, 0: none planned
    uint64_t slow_ns;    // every wake may come so much later
    char last_line[512]; // on standard error
};
extern struct sim_process sim_processes[SIM_PROCESSES];

void sim_process_start(struct sim_process *process);
void sim_process_kill(struct sim_process *process); // not from one of its fibres
void sim_process_signal(struct sim_process *process, int number);

// ---- fibres ---------------------------------------------------------------------------------------------------------

struct sim_fiber;

// A thread of the process that runs; NULL when there are too many.
struct sim_fiber *sim_fiber_start(struct sim_process *process, void *(*run)(void *), void *argument);
struct sim_fiber *sim_fiber_self(void); // NULL: not in a fibre
struct sim_process *sim_process_self(void);
bool sim_fiber_done(const struct sim_fiber *fiber);
void sim_fiber_free(struct sim_fiber *fiber); // joined

// The calling fibre sleeps; a zero sleep gives way.
void sim_sleep(uint64_t ns);

// The calling fibre waits until somebody wakes `object`, or until `deadline_ns`. Returns whether it was woken.
bool sim_wait(const void *object, uint64_t deadline_ns);
void sim_wake(const void *object, bool all);

// The calling process ends.
_Noreturn void sim_process_exit(int code);

#endif
