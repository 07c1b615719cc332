// SPDX-License-Identifier: Apache-2.0
// make sim: the production programs against simulated clients, network, disk and clock, from a seed.
//
//   simulator [--seed N] [--seeds COUNT] [--steps N] [--trace] [--twice]
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/sim.h"
#include "tests/sim/world.h"

int dataplane_main(int count, char **list);
int control_main(int count, char **list);
extern char __start_dataplane_data[], __stop_dataplane_data[], __start_dataplane_bss[], __stop_dataplane_bss[];
extern char __start_control_data[], __stop_control_data[], __start_control_bss[], __stop_control_bss[];

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
};

// Runs a seed in a process of its own, so that it finds nothing of another's. False when it found something.
static bool run_apart(uint64_t seed, uint64_t steps, bool trace, struct outcome *outcome)
{
    int pipes[2], status;
    fflush(stdout);
    if (pipe(pipes) != 0)
        exit(71);
    pid_t child = fork();
    if (child == 0) {
        world_run(seed, steps, trace);
        struct outcome out = {sim.hash, sim.step, sim.now_ns};
        fflush(stdout);
        _exit(write(pipes[1], &out, sizeof out) == sizeof out ? 0 : 71);
    }
    close(pipes[1]);
    bool good = read(pipes[0], outcome, sizeof *outcome) == sizeof *outcome;
    close(pipes[0]);
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("FAILED seed %llu: signal %d\n", (unsigned long long)seed, WTERMSIG(status));
    return good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int count, char **list)
{
    uint64_t seed = 1, seeds = 1, steps = 0, failed = 0, all_steps = 0;
    bool trace = false, twice = false, apart = true;
    for (int i = 1; i < count; i++) {
        bool value = i + 1 < count;
        if (strcmp(list[i], "--seed") == 0 && value)
            seed = strtoull(list[++i], NULL, 10);
        else if (strcmp(list[i], "--seeds") == 0 && value)
            seeds = strtoull(list[++i], NULL, 10);
        else if (strcmp(list[i], "--steps") == 0 && value)
            steps = strtoull(list[++i], NULL, 10);
        else if (strcmp(list[i], "--trace") == 0)
            trace = true;
        else if (strcmp(list[i], "--twice") == 0)
            twice = true;
        else if (strcmp(list[i], "--here") == 0)
            apart = false;
        else
            return 64;
    }
    if (!apart) {
        world_run(seed, steps, trace);
        return 0;
    }
    double began = seconds();
    for (uint64_t n = 0; n < seeds; n++) {
        struct outcome outcome, again;
        if (!run_apart(seed + n, steps, trace, &outcome)) {
            failed++;
            continue;
        }
        all_steps += outcome.steps;
        if (seeds == 1)
            printf("seed %llu: %llu steps, %.3f simulated seconds, hash %016llx\n", (unsigned long long)seed,
                   (unsigned long long)outcome.steps, (double)outcome.sim_ns / 1e9, (unsigned long long)outcome.hash);
        if (twice && (!run_apart(seed + n, steps, trace, &again) || again.hash != outcome.hash)) {
            printf("FAILED seed %llu: its second run has hash %016llx, its first %016llx\n",
                   (unsigned long long)(seed + n), (unsigned long long)again.hash, (unsigned long long)outcome.hash);
            failed++;
        }
    }
    double took = seconds() - began;
    printf("%llu seeds, %llu failed, %llu steps, %.1f s, %.0f steps a second\n", (unsigned long long)seeds,
           (unsigned long long)failed, (unsigned long long)all_steps, took, (double)all_steps / took);
    return failed ? 1 : 0;
}
