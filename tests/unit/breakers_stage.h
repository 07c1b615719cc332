// SPDX-License-Identifier: Apache-2.0
// What tests of the trip table share: a clock, a disk, counters and rings of a region that nobody else uses. What is
// given to matching cores is caught here.
#ifndef CROSSWIRE_TESTS_BREAKERS_STAGE_H
#define CROSSWIRE_TESTS_BREAKERS_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/breaker/state.h"

#define S(n) ((uint64_t)(n)*1000000000)
#define MS(n) ((uint64_t)(n)*1000000)

enum { GIVEN_MOST = 256 };

static struct config_mode modes[] = {{.name = "throttled", .limits_percent = 100, .rate = 100},
                                     {.name = "careful", .limits_percent = 50}};
static struct config_matcher matchers[2];
static struct config_gateway gateways[1];
static struct config_publisher publishers[2];
static struct config_account accounts[2] = {{.name = "NORTH"}, {.name = "SOUTH"}};
static struct config_session sessions[3] = {{.user = "A"}, {.user = "B", .matcher = 1}, {.user = "C"}};
static struct config_trip trips[4];
static struct config config = {.modes = modes,
                               .modes_count = 2,
                               .trips = trips,
                               .matchers = matchers,
                               .matchers_count = 2,
                               .gateways = gateways,
                               .gateways_count = 1,
                               .publishers = publishers,
                               .publishers_count = 2,
                               .accounts = accounts,
                               .accounts_count = 2,
                               .sessions = sessions,
                               .sessions_count = 3};

static char directory[] = "/tmp/crosswire-breakers-XXXXXX";
static struct generation generation = {.joined = true, .cores = 2};
static struct senses senses;
static struct breakers *breakers;
static struct session_tally *tallies;
static struct {
    unsigned core;
    struct command command;
} given[GIVEN_MOST];
static unsigned given_count;
static bool rings_full, ring_full[2], rings_stuck, day_ended;

// In the place of recovery.c's: what control gives to a matching core.
bool recovery_give(struct recovery *recovery, unsigned core, const struct command *command)
{
    (void)recovery;
    if (rings_full || ring_full[core] || (day_ended && command->type != CMD_NOTE))
        return false;
    assert_true(given_count < GIVEN_MOST);
    given[given_count].core = core;
    given[given_count++].command = *command;
    if (command->type == CMD_MODE) { // as a matching core publishes it
        uint64_t bit = UINT64_C(1) << command->mode.mode;
        uint64_t on = generation.ports[core]->modes;
        generation.ports[core]->modes = command->mode.on ? on | bit : on & ~bit;
    }
    return true;
}

bool recovery_ended(const struct recovery *recovery, unsigned core)
{
    (void)recovery, (void)core;
    return day_ended;
}

bool recovery_taken(const struct recovery *recovery, unsigned core)
{
    (void)recovery, (void)core;
    return !rings_stuck;
}

// In the place of kills.c's: what it learns of kills by breakers, the newest, and its cores, a bit each.
static struct command learnt;
static unsigned learnt_cores;

void kills_given_by_breaker(struct kills *kills, unsigned core, const struct command *kill)
{
    (void)kills;
    learnt_cores = (learnt.kill.id == kill->kill.id ? learnt_cores : 0) | 1u << core;
    learnt = *kill;
}

static inline int make_world(void **state)
{
    (void)state;
    static struct region_plan plan;
    if (!mkdtemp(directory) || !freopen("/dev/null", "w", stderr)) // the log is not what is tested here
        return -1;
    region_plan_add(&plan, OBJECT_CORE, ROLE_GATEWAY, 0, 0);
    region_plan_add(&plan, OBJECT_TALLIES, 0, 0, 3);
    region_plan_add(&plan, OBJECT_BOARD, 0, 0, 0);
    for (unsigned core = 0; core < 2; core++) {
        region_plan_add(&plan, OBJECT_CORE, ROLE_MATCHER, core, 0);
        region_plan_add(&plan, OBJECT_CORE, ROLE_PUBLISHER, core, 0);
        region_plan_add(&plan, OBJECT_MATCHER, 0, core, 0);
        region_plan_add(&plan, OBJECT_JOURNAL, 0, core, 64);
        region_plan_add(&plan, OBJECT_ORDERS, 0, core, 64);
    }
    if (region_create(&generation.region, directory, "test", &plan, 1) != REGION_OK)
        return -1;
    for (unsigned core = 0; core < 2; core++)
        generation.ports[core] = region_find(&generation.region, OBJECT_MATCHER, 0, core);
    tallies = region_find(&generation.region, OBJECT_TALLIES, 0, 0);
    return 0;
}

static inline int end_world(void **state)
{
    char command[128];
    (void)state;
    region_leave(&generation.region);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static inline void begin(unsigned count)
{
    config.trips_count = count;
    memset(tallies, 0, 3 * sizeof *tallies);
    generation.ports[0]->modes = generation.ports[1]->modes = 0;
    struct breaker_board *board = region_find(&generation.region, OBJECT_BOARD, 0, 0);
    board->count = 0;
    senses = (struct senses){.now_ns = S(1000),
                             .clock_known = true,
                             .disk_known = true,
                             .disk_free_mb = 10000,
                             .generation = &generation,
                             .recovery = (struct recovery *)&senses,
                             .kills = (struct kills *)&senses};
    given_count = 0;
    rings_full = ring_full[0] = ring_full[1] = rings_stuck = day_ended = false;
    breakers = breakers_new(&config);
    assert_non_null(breakers);
    breakers_poll(breakers, &senses);
    given_count = 0;
}

static inline void end(void)
{
    breakers_free(breakers);
}

static inline void pass(uint64_t ns)
{
    senses.now_ns += ns;
    breakers_poll(breakers, &senses);
}

static inline enum breaker_state state_of(unsigned row, unsigned part)
{
    return part_state(&breakers->rows[row].parts[part]);
}

// The commands of one type that were given since the last call, notes left out.
static inline unsigned given_of(enum command_type type, struct command *last)
{
    unsigned count = 0;
    for (unsigned i = 0; i < given_count; i++) {
        if (given[i].command.type != type)
            continue;
        count++;
        *last = given[i].command;
    }
    given_count = 0;
    return count;
}

static inline struct config_trip trip(enum trip_condition is, uint32_t threshold, enum trip_action does)
{
    return (struct config_trip){.name = "",
                                .condition = config_trip_info(is)->key,
                                .threshold = threshold,
                                .window_ms = 1000,
                                .samples = 100,
                                .is = is,
                                .does = does,
                                .recovers = TRIP_STANDARD,
                                .mode_index = does == TRIP_THROTTLE ? 0 : MODE_NONE,
                                .quiet_ms = 4000};
}

#endif
