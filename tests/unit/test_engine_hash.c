// SPDX-License-Identifier: Apache-2.0
// One hash for fixed random days of every order type: whatever lay in the events' memory before, and wherever the
// engine stands. tests/scenario/engine_builds.sh compares what builds by other compilers print.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_commands_give_the_same_hash_wherever_the_engine_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
