// SPDX-License-Identifier: Apache-2.0
// make sim: the production programs against simulated clients, network, disk and clock, from a seed.
//
//   simulator [--seed N] [--seeds COUNT] [--steps N] [--jobs N] [--trace] [--twice EVERY] [--fault NAME] [--faults]
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "contract/config.h"
#include "contract/risk.h"
#include "tests/sim/faults.h"
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

int dataplane_main(int count, char **list);
int control_main(int count, char **list);
extern char __start_dataplane_data[], __stop_dataplane_data[], __start_dataplane_bss[], __stop_dataplane_bss[];
extern char __start_control_data[], __stop_control_data[], __start_control_bss[], __stop_control_bss[];

enum { SEEDS_SEE_ALL = 50 };

struct sim_process sim_processes[SIM_PROCESSES] = {
    [SIM_DATAPLANE] = {.name = "crosswire-dataplane",
                       .number = SIM_DATAPLANE,
                       .main = dataplane_main,
                       .data = __start_dataplane_data,
                       .data_end = __stop_dataplane_data,
                       .bss = __start_dataplane_bss,
                       .bss_end = __stop_dataplane_bss},
    [SIM_CONTROL] = {.name = "crosswire-control",
                     .number = SIM_CONTROL,
                     .main = control_main,
                     .data = __start_control_data,
                     .data_end = __stop_control_data,
                     .bss = __start_control_bss,
                     .bss_end = __stop_control_bss},
};

struct outcome {
    uint64_t hash, steps, sim_ns;
    uint64_t stats[STATS];
};

static const char *const stat_names[STATS] = {
    [STAT_ORDERS] = "orders sent",
    [STAT_COMMANDS] = "commands in sequence",
    [STAT_KILLS] = "processes killed",
    [STAT_KILLS_INSIDE] = "of these, between two accesses to shared memory",
    [STAT_CRASHES] = "crashes of the host",
    [STAT_LOST] = "commands lost by them that nobody had been told of",
    [STAT_RECOVERIES] = "recoveries of a core",
    [STAT_DISK_FAILURES] = "writes and syncs that failed",
    [STAT_JOURNAL_FAILURES] = "journals that ended for it",
    [STAT_RING_FULL] = "messages discarded at a full ring",
    [STAT_BACKPRESSURE] = "polls held up by a full ring",
    [STAT_RETRANSMITTED] = "messages sent again",
    [STAT_FROM_CONTROL] = "requests for messages beyond the window",
    [STAT_DISCARDED] = "messages discarded",
    [STAT_DUPLICATES] = "duplicate orders",
    [STAT_SEGMENTS] = "journals opened",
    [STAT_TORN] = "torn tails",
    [STAT_SNAPSHOTS] = "snapshots taken",
    [STAT_RESTORED] = "recoveries from a snapshot",
    [STAT_LIES] = "losses by a disk that lies",
    [STAT_KILLED] = "kills confirmed",
    [STAT_RESET] = "resets confirmed",
    [STAT_HALTED] = "halts and resumptions confirmed",
    [STAT_LIMITS] = "changed limits confirmed",
    [STAT_MODES] = "modes entered and left",
    [STAT_DAYS] = "days of a core that were ended",
    [STAT_COPIED] = "messages of drop copies",
    [STAT_ALERTS] = "alerts",
    [STAT_LIMIT_KILLS] = "kills by limits",
    [STAT_BREAKER_KILLS] = "kills by breakers",
    [STAT_LOST_CONTROL] = "kills by a core that lost control",
    [STAT_MMP] = "times that market makers were protected",
    [STAT_PAUSES] = "pauses of a symbol",
    [STAT_MARKET_WIDE] = "market-wide halts",
    [STAT_BEYOND_BANDS] = "orders refused beyond a band",
    [STAT_SHORT_SALES] = "short sales refused",
    [STAT_SECOND] = "raises by two persons",
    [STAT_FILES_REFUSED] = "limits files refused",
    [STAT_SCHEDULES_REFUSED] = "schedules that run backwards refused",
    [STAT_LATE] = "requests refused because the day had ended",
#define TRIP(name, key, each, kind, unit, help) [STAT_TRIPPED + TRIP_##name] = "trips of " key,
#include "contract/trip.def"
#undef TRIP
#define LIMIT(name, key, scopes, unit, reject, help) [STAT_REFUSED + LIMIT_##name] = "orders refused for " key,
#include "contract/limits.def"
#undef LIMIT
};
_Static_assert(STAT_TRIPPED + TRIP_CONDITIONS <= STAT_REFUSED && STAT_REFUSED + LIMITS <= STATS, "room for each");

struct task {
    uint64_t seed, steps;
    bool trace;
    const char *fault; // planted, NULL: none
    bool quiet;        // what is found is not printed but kept
    char found[512];
};

// Runs a seed in a process of its own, so that it finds nothing of another's. False when it found something.
static bool run_apart(struct task *task, struct outcome *outcome)
{
    int pipes[2], lines[2], status;
    fflush(stdout);
    if (pipe(pipes) != 0 || pipe(lines) != 0)
        exit(71);
    pid_t child = fork();
    if (child == 0) {
        if (task->quiet)
            dup2(lines[1], STDOUT_FILENO);
        if (task->quiet)
            dup2(lines[1], STDERR_FILENO);
        if (task->fault)
            fault_plant(task->fault);
        world_run(task->seed, task->steps, task->trace);
        struct outcome out = {.hash = sim.hash, .steps = sim.step, .sim_ns = sim.now_ns};
        memcpy(out.stats, sim.stats, sizeof out.stats);
        fflush(stdout);
        _exit(write(pipes[1], &out, sizeof out) == sizeof out ? 0 : 71);
    }
    close(pipes[1]);
    close(lines[1]);
    bool good = read(pipes[0], outcome, sizeof *outcome) == sizeof *outcome;
    ssize_t size = read(lines[0], task->found, sizeof task->found - 1);
    task->found[size > 0 ? size : 0] = '\0';
    task->found[strcspn(task->found, "\n")] = '\0';
    close(pipes[0]);
    close(lines[0]);
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status) && task->quiet)
        snprintf(task->found, sizeof task->found, "signal %d", WTERMSIG(status));
    else if (WIFSIGNALED(status))
        printf("FAILED seed %llu: signal %d\n", (unsigned long long)task->seed, WTERMSIG(status));
    return good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct options {
    uint64_t seed, seeds, steps;
    uint64_t twice; // every so many seeds a second time, 0: none
    unsigned jobs;
    bool trace, here, faults;
    const char *fault;
};

static bool read_options(struct options *options, int count, char **list)
{
    *options = (struct options){.seed = 1, .seeds = 1, .jobs = 1};
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? list[i + 1] : "";
        if (strcmp(list[i], "--seed") == 0)
            options->seed = strtoull(value, NULL, 10), i++;
        else if (strcmp(list[i], "--seeds") == 0)
            options->seeds = strtoull(value, NULL, 10), i++;
        else if (strcmp(list[i], "--steps") == 0)
            options->steps = strtoull(value, NULL, 10), i++;
        else if (strcmp(list[i], "--fault") == 0)
            options->fault = value, i++;
        else if (strcmp(list[i], "--trace") == 0)
            options->trace = true;
        else if (strcmp(list[i], "--twice") == 0)
            options->twice = strtoull(value, NULL, 10), i++;
        else if (strcmp(list[i], "--jobs") == 0)
            options->jobs = (unsigned)strtoul(value, NULL, 10), i++;
        else if (strcmp(list[i], "--here") == 0)
            options->here = true;
        else if (strcmp(list[i], "--faults") == 0)
            options->faults = true;
        else
            return false;
    }
    return true;
}

static void print_stats(const uint64_t stats[STATS])
{
    for (unsigned i = 0; i < STATS; i++) {
        if (stat_names[i] && (stats[i] || i < STAT_TRIPPED))
            printf("%12llu %s\n", (unsigned long long)stats[i], stat_names[i]);
    }
}

// What as many seeds as make test runs must have come to see; how many of it they have not.
static unsigned print_unseen(const uint64_t stats[STATS])
{
    static const unsigned wanted[] = {
        STAT_LATE,
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
        STAT_TRIPPED + TRIP_LOSS,
        STAT_TRIPPED + TRIP_REJECT_RATIO,
        STAT_TRIPPED + TRIP_BAD_LOGINS,
        STAT_TRIPPED + TRIP_LATENCY,
        STAT_TRIPPED + TRIP_BACKLOG,
        STAT_TRIPPED + TRIP_JOURNAL_LAG,
        STAT_TRIPPED + TRIP_CLOCK_STEP,
        STAT_TRIPPED + TRIP_DISK_SPACE,
        STAT_REFUSED + LIMIT_MAX_QUANTITY,
        STAT_REFUSED + LIMIT_MAX_NOTIONAL,
        STAT_REFUSED + LIMIT_FAT_FINGER,
        STAT_REFUSED + LIMIT_FAT_FINGER_TICKS,
        STAT_REFUSED + LIMIT_COLLAR,
        STAT_REFUSED + LIMIT_GROSS_NOTIONAL,
        STAT_REFUSED + LIMIT_NET_NOTIONAL,
        STAT_REFUSED + LIMIT_LONG_POSITION,
        STAT_REFUSED + LIMIT_SHORT_POSITION,
        STAT_REFUSED + LIMIT_DAY_QUANTITY,
        STAT_REFUSED + LIMIT_DAY_VALUE,
        STAT_REFUSED + LIMIT_WORKING_ORDERS,
        STAT_REFUSED + LIMIT_ORDER_RATE,
        STAT_REFUSED + LIMIT_SYMBOL_RATE,
        STAT_REFUSED + LIMIT_MESSAGE_RATE,
        STAT_REFUSED + LIMIT_DUPLICATES,
        STAT_REFUSED + LIMIT_ADV,
        STAT_REFUSED + LIMIT_REPEATED_EXECUTIONS,
        STAT_REFUSED + LIMIT_POSITION_SHARE,
        STAT_REFUSED + LIMIT_CORRELATION,
        STAT_REFUSED + LIMIT_FORBIDDEN,
        STAT_REFUSED + LIMIT_SLOW_RATE,
    };
    unsigned unseen = 0;
    for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (stats[wanted[i]])
            continue;
        printf("FAILED: so many seeds have seen no %s\n", stat_names[wanted[i]]);
        unseen++;
    }
    return unseen;
}

struct result { // of a job
    uint64_t failed, steps;
    uint64_t stats[STATS];
};

// The seeds that are job `job`'s.
static void run_seeds(const struct options *options, unsigned job, struct result *result)
{
    for (uint64_t n = job; n < options->seeds; n += options->jobs) {
        struct outcome outcome, again;
        struct task task = {.seed = options->seed + n, .steps = options->steps, .trace = options->trace};
        task.fault = options->fault;
        if (!run_apart(&task, &outcome)) {
            result->failed++;
            continue;
        }
        result->steps += outcome.steps;
        for (unsigned i = 0; i < STATS; i++)
            result->stats[i] += outcome.stats[i];
        if (options->seeds == 1)
            printf("seed %llu: %llu steps, %.3f simulated seconds, hash %016llx\n", (unsigned long long)task.seed,
                   (unsigned long long)outcome.steps, (double)outcome.sim_ns / 1e9, (unsigned long long)outcome.hash);
        if (options->twice && n % options->twice == 0 && (!run_apart(&task, &again) || again.hash != outcome.hash)) {
            printf("FAILED seed %llu: its second run has hash %016llx, its first %016llx\n",
                   (unsigned long long)task.seed, (unsigned long long)again.hash, (unsigned long long)outcome.hash);
            result->failed++;
        }
    }
}

// The planted bugs that are job `job`'s: each must be found by the seed that found it last or within the given number
// of seeds, and the seed that finds it must pass without it.
static void hunt(const struct options *options, unsigned job, struct result *result)
{
    for (unsigned i = job; i < faults_count; i += options->jobs) {
        struct task task = {.fault = faults[i].name, .quiet = true};
        struct outcome outcome;
        bool found = false;
        if (options->fault && strcmp(options->fault, faults[i].name) != 0)
            continue;
        for (uint64_t n = 0; n <= options->seeds && !found; n++) {
            task.seed = n == 0 ? faults[i].seed : options->seed + n - 1;
            found = !run_apart(&task, &outcome);
        }
        struct task without = {.seed = task.seed};
        bool passes = found && run_apart(&without, &outcome);
        if (found)
            printf("%-26s found: %s\n", faults[i].name, task.found);
        else
            printf("%-26s NOT FOUND by %llu seeds (%s)\n", faults[i].name, (unsigned long long)options->seeds,
                   faults[i].text);
        if (found && !passes)
            printf("%-26s and seed %llu fails without it\n", faults[i].name, (unsigned long long)task.seed);
        result->failed += !passes;
        result->steps++;
    }
}

// Shares the work among jobs, each a process, and adds up what they say.
static struct result share(const struct options *options,
                           void (*work)(const struct options *options, unsigned job, struct result *result))
{
    struct result all = {0};
    int pipes[2];
    fflush(stdout);
    if (pipe(pipes) != 0)
        exit(71);
    for (unsigned job = 0; job < options->jobs; job++) {
        struct result result = {0};
        if (fork() != 0)
            continue;
        setvbuf(stdout, NULL, _IOLBF, 0);
        work(options, job, &result);
        fflush(stdout);
        _exit(write(pipes[1], &result, sizeof result) == sizeof result ? 0 : 71);
    }
    close(pipes[1]);
    for (unsigned job = 0; job < options->jobs; job++) {
        struct result result;
        if (read(pipes[0], &result, sizeof result) != sizeof result) {
            all.failed++;
            break;
        }
        all.failed += result.failed;
        all.steps += result.steps;
        for (unsigned i = 0; i < STATS; i++)
            all.stats[i] += result.stats[i];
    }
    while (wait(NULL) > 0)
        ;
    return all;
}

static int run_all(const struct options *options)
{
    double began = seconds();
    struct result all = share(options, options->faults ? hunt : run_seeds);
    double took = seconds() - began;
    if (options->faults) {
        printf("%llu planted bugs, %llu not found, %.1f s\n", (unsigned long long)all.steps,
               (unsigned long long)all.failed, took);
    } else {
        print_stats(all.stats);
        if (options->seeds >= SEEDS_SEE_ALL && !options->steps && !options->fault)
            all.failed += print_unseen(all.stats);
        printf("%llu seeds, %llu failed, %llu steps, %.1f s, %.0f steps a second\n", (unsigned long long)options->seeds,
               (unsigned long long)all.failed, (unsigned long long)all.steps, took, (double)all.steps / took);
    }
    return all.failed ? 1 : 0;
}

int main(int count, char **list)
{
    struct options options;
    if (!read_options(&options, count, list)) {
        fputs("usage: simulator [--seed N] [--seeds COUNT] [--steps N] [--trace] [--twice EVERY] [--jobs N] "
              "[--fault NAME] [--faults] [--here]\n",
              stderr);
        return 64;
    }
    if (!options.here)
        return run_all(&options);
    if (options.fault && !fault_plant(options.fault))
        return 64;
    world_run(options.seed, options.steps, options.trace);
    printf("seed %llu: %llu steps, hash %016llx\n", (unsigned long long)options.seed, (unsigned long long)sim.step,
           (unsigned long long)sim.hash);
    return 0;
}
