// SPDX-License-Identifier: Apache-2.0
// One hash for fixed random days of every order type: whatever lay in the events' memory before, wherever the engine
// stands, and however cores take turns between their steps. tests/scenario/engine_builds.sh compares what builds by
// other compilers print.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/engine_rig.h"
#include "tests/support/random_flow.h"

#define DAYS 40
#define COMMANDS 2500

static void step(void *context, struct command *c)
{
    rig_step(context, c);
}

static uint64_t hash_of_days(size_t shift)
{
    uint64_t hash = 0;
    struct command *commands = malloc(COMMANDS * sizeof *commands);
    for (uint64_t seed = 1; seed <= DAYS; seed++) {
        struct rig rig;
        struct rig_day day = flow_day(seed, FLOW_ALL);
        flow_draw(seed, FLOW_ALL, &day, commands, COMMANDS);
        rig_new(&rig, &day, shift);
        rig_opening(&day, step, &rig);
        for (size_t i = 0; i < COMMANDS; i++)
            rig_step(&rig, &commands[i]);
        hash = event_mix(hash ^ engine_event_hash(rig.engine), UINT64_C(0x9E3779B97F4A7C15));
        rig_free(&rig);
    }
    free(commands);
    return hash;
}

static void the_same_commands_give_the_same_hash_wherever_the_engine_stands(void **state)
{
    (void)state;
    uint64_t hash = hash_of_days(0);
    assert_true(hash == hash_of_days(3 * 4096));
    printf("event hash of %d days: %016llx\n", DAYS, (unsigned long long)hash);
}

// ---- several cores, their sessions' commands in any order between them

#define CORES 3
#define OPENING 64

static struct core {
    struct rig rig;
    struct command commands[OPENING + COMMANDS];
    size_t count, next;
    uint64_t time_ns;
} cores[CORES];

static void keep(void *context, struct command *c)
{
    struct core *core = context;
    core->commands[core->count++] = *c;
}

static void open_cores(void)
{
    for (uint8_t i = 0; i < CORES; i++) {
        struct core *core = &cores[i];
        struct rig_day day = flow_day(100u + i, FLOW_ALL);
        day.core = i;
        core->count = core->next = core->time_ns = 0;
        rig_opening(&day, keep, core);
        assert_in_range(core->count, 1, OPENING);
        flow_draw(100u + i, FLOW_ALL, &day, core->commands + core->count, COMMANDS);
        core->count += COMMANDS;
        rig_new(&core->rig, &day, 0);
    }
}

// One step of one core: of its next command, or what the last one has left.
static bool take_turn(struct core *core)
{
    static struct event events[ENGINE_EVENTS_MAX];
    if (engine_unfinished(core->rig.engine)) {
        engine_continue(core->rig.engine, events);
        return true;
    }
    if (core->next == core->count)
        return false;
    struct command c = core->commands[core->next++];
    core->time_ns = c.time_ns > core->time_ns + 10 ? c.time_ns : core->time_ns + 10;
    c.time_ns = core->time_ns;
    c.seq = core->next;
    engine_step(core->rig.engine, &c, events);
    return true;
}

// `turns`: 0 one core after the other, else random turns.
static void play_cores(uint64_t turns, uint64_t hashes[CORES])
{
    open_cores();
    for (unsigned i = 0; turns == 0 && i < CORES; i++)
        while (take_turn(&cores[i])) {
        }
    for (unsigned idle = 0; idle < 64;) {
        turns = turns * UINT64_C(6364136223846793005) + 1442695040888963407u;
        idle = take_turn(&cores[(turns >> 40) % CORES]) ? 0 : idle + 1;
    }
    for (unsigned i = 0; i < CORES; i++) {
        assert_int_equal(cores[i].next, cores[i].count);
        hashes[i] = engine_event_hash(cores[i].rig.engine);
        rig_free(&cores[i].rig);
    }
}

static void cores_that_take_turns_give_the_hash_that_each_gives_alone(void **state)
{
    (void)state;
    uint64_t alone[CORES], together[CORES];
    play_cores(0, alone);
    for (uint64_t turns = 1; turns <= 10; turns++) {
        play_cores(turns, together);
        assert_memory_equal(alone, together, sizeof alone);
    }
    assert_true(alone[0] != alone[1] && alone[1] != alone[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_commands_give_the_same_hash_wherever_the_engine_stands),
        cmocka_unit_test(cores_that_take_turns_give_the_hash_that_each_gives_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
