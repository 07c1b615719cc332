// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/world.h"

#include <signal.h>
#include <string.h>
#include <sysexits.h>

#include "contract/counters.h"
#include "contract/region.h"
#include "tests/sim/client.h"
#include "tests/sim/copies.h"
#include "tests/sim/ledger.h"
#include "tests/sim/market.h"
#include "tests/sim/net.h"
#include "tests/sim/observer.h"
#include "tests/sim/officers.h"
#include "tests/sim/operators.h"
#include "tests/sim/oracle.h"
#include "tests/sim/posix.h"

enum stage { STAGE_CHAOS, STAGE_CALM, STAGE_STOPPING, STAGE_AGAIN, STAGE_DONE };
enum { ROUNDS = 3, REST_SECONDS = 8 };

struct weather {                                                                     // of a round
    uint32_t kill_dataplane, kill_control, crash_host, stop_dataplane, stop_control; // of a million, a millisecond
    uint32_t disk_fails, disk_full, disk_slow, net_storm, net_cut, clock_step, slow_control, noise;
};

static const struct config *config;
static struct weather weather;
static enum stage stage;
static unsigned round_number;
static uint64_t stage_ends_ns; // chaos ends; calm, stopping: must be over
static uint64_t restart_ns[SIM_PROCESSES];
static uint64_t starts_seen[SIM_PROCESSES]; // whose end has been looked at
static uint64_t failures_at_start;          // of the disk, when control was started
static bool mended = true;
static uint64_t starts_counted;
static bool refused;      // a disk that lied has left a journal that control does not take
static uint64_t asked_ns; // when a process was last asked to stop
static bool serves;       // control, since its start

// ---- the weather ----------------------------------------------------------------------------------------------------

static uint32_t maybe(uint32_t of_a_million, uint32_t most)
{
    return random_chance(&sim.chaos, of_a_million) ? (uint32_t)random_below(&sim.chaos, most + 1) : 0;
}

static void fair_disk(void)
{
    disk.write_fails = disk.sync_fails = disk.short_writes = 0;
    disk.capacity = (uint64_t)1 << 40;
    disk.least_ns = 30 * SIM_US;
    disk.most_ns = 300 * SIM_US;
}

static void fair_net(void)
{
    net.lost = net.doubled = net.corrupted = net.late = 0;
    net.spread_ns = 0;
    net.cut = false;
}

static void fair_weather(void)
{
    fair_disk();
    fair_net();
    for (unsigned i = 0; i < SIM_PROCESSES; i++)
        sim_processes[i].slow_ns = 0;
}

static void draw_weather(void)
{
    bool durable = config->ack_mode == ACK_DURABLE;
    weather = (struct weather){
        .kill_dataplane = maybe(600000, 20000),
        .kill_control = maybe(600000, 30000),
        .crash_host = durable ? maybe(500000, 15000) : 0,
        .stop_dataplane = maybe(200000, 10000),
        .stop_control = maybe(200000, 10000),
        .disk_fails = maybe(250000, 10000),
        .disk_full = maybe(150000, 10000),
        .disk_slow = maybe(500000, 30000),
        .net_storm = maybe(500000, 30000),
        .net_cut = maybe(200000, 5000),
        .clock_step = maybe(400000, 20000),
        .slow_control = maybe(400000, 30000),
        .noise = maybe(500000, 300000),
    };
    uint32_t hidden = round_number ? client_mood.hidden : maybe(300000, 200000);
    client_mood = (struct client_mood){
        .hidden = hidden,
        .pause_ns = random_between(&sim.chaos, 20, 1000) * SIM_US,
        .burst = maybe(500000, 50000),
        .burst_most = (uint32_t)random_between(&sim.chaos, 20, 400),
        .relogin = maybe(300000, 2000),
        .logoff = maybe(300000, 1000),
    };
    const bool risk = config_has_risk(config);
    client_mood.alike = risk ? (uint32_t)random_below(&sim.risk, 300000) : 0;
    client_mood.short_sales = risk ? (uint32_t)random_below(&sim.risk, 300000) : 0;
    client_mood.wrong = random_chance(&sim.risk, 300000) ? (uint32_t)random_below(&sim.risk, 40000) : 0;
    operators_mood.ask = maybe(600000, 300000);
    operators_mood.kill = maybe(800000, 700000);
    net.lost = maybe(500000, 30000);
    net.doubled = maybe(500000, 30000);
    net.late = maybe(500000, 50000);
    net.corrupted = maybe(300000, 10000);
    net.spread_ns = maybe(500000, 20000);
    disk.least_ns = random_between(&sim.chaos, 5, 100) * SIM_US;
    disk.most_ns = disk.least_ns * random_between(&sim.chaos, 2, 20);
}

// ---- chaos ----------------------------------------------------------------------------------------------------------

static void kill_soon(struct sim_process *process)
{
    if (random_chance(&sim.chaos, 300000))
        sim_process_kill(process);
    else // at any access to shared memory
        process->doom = (int)random_between(&sim.chaos, 1, 3000);
}

static uint64_t counter(enum role role, unsigned index, unsigned number)
{
    const struct core_block *block = region_find(oracle_region(), OBJECT_CORE, role, index);
    return block->counters[number];
}

// Adds up what a data plane that has ended had counted.
static void count_dataplane(void)
{
    if (!oracle_region() || starts_counted == sim_processes[SIM_DATAPLANE].starts)
        return;
    starts_counted = sim_processes[SIM_DATAPLANE].starts;
    for (unsigned i = 0; i < config->gateways_count; i++) {
        sim.stats[STAT_RING_FULL] += counter(ROLE_GATEWAY, i, COUNT_GATEWAY_discard_first + DISCARD_RING_FULL);
        sim.stats[STAT_RETRANSMITTED] += counter(ROLE_GATEWAY, i, COUNT_GATEWAY_retransmitted);
        sim.stats[STAT_FROM_CONTROL] += counter(ROLE_GATEWAY, i, COUNT_GATEWAY_retransmit_old);
        sim.stats[STAT_DISCARDED] += counter(ROLE_GATEWAY, i, COUNT_GATEWAY_discarded);
    }
    for (unsigned i = 0; i < config->matchers_count; i++) {
        sim.stats[STAT_BACKPRESSURE] += counter(ROLE_MATCHER, i, COUNT_MATCHER_backpressure);
        sim.stats[STAT_DUPLICATES] += counter(ROLE_MATCHER, i, COUNT_MATCHER_duplicates);
    }
}

static void ask_to_stop(enum sim_process_number number)
{
    asked_ns = sim.now_ns;
    sim_process_signal(&sim_processes[number], SIGTERM);
}

static void crash_host(void)
{
    sim_say("host crashes");
    for (unsigned i = 0; i < SIM_PROCESSES; i++)
        sim_process_kill(&sim_processes[i]);
    uring_crash();
    disk_crash();
    sim.stats[STAT_CRASHES]++;
    count_dataplane();
    oracle_host_crashed();
    net_drop_dataplane();
}

static void end_storm(void *context, uint64_t unused)
{
    (void)context, (void)unused;
    if (stage == STAGE_CHAOS)
        fair_net();
}

static void end_slowness(void *context, uint64_t unused)
{
    (void)context, (void)unused;
    disk.most_ns = 10 * disk.least_ns;
    sim_processes[SIM_CONTROL].slow_ns = 0;
}

static void make_weather(void)
{
    struct random *random = &sim.chaos;
    if (random_chance(random, weather.kill_dataplane))
        kill_soon(&sim_processes[SIM_DATAPLANE]);
    if (random_chance(random, weather.kill_control))
        kill_soon(&sim_processes[SIM_CONTROL]);
    if (random_chance(random, weather.stop_dataplane))
        ask_to_stop(SIM_DATAPLANE);
    if (random_chance(random, weather.stop_control))
        ask_to_stop(SIM_CONTROL);
    if (random_chance(random, weather.crash_host))
        crash_host();
    if (mended && random_chance(random, weather.disk_fails)) {
        *(uint32_t *[]){&disk.write_fails, &disk.sync_fails, &disk.short_writes}[random_below(random, 3)] = 300000;
        mended = false;
        sim_say("the disk begins to fail");
    }
    if (mended && random_chance(random, weather.disk_full)) {
        disk.capacity = disk.used + random_below(random, 1 << 20);
        mended = false;
        sim_say("the disk is full soon");
    }
    if (random_chance(random, weather.disk_slow)) {
        disk.most_ns = random_between(random, 1, 60) * SIM_MS;
        sim_after(random_below(random, 30 * SIM_MS), end_slowness, NULL, 0);
    }
    if (random_chance(random, weather.net_storm)) {
        net.lost = net.doubled = net.late = (uint32_t)random_below(random, 400000);
        sim_after(random_below(random, 20 * SIM_MS), end_storm, NULL, 0);
    }
    if (random_chance(random, weather.net_cut)) {
        net.cut = true;
        sim_after(random_below(random, 400 * SIM_MS), end_storm, NULL, 0);
    }
    if (random_chance(random, weather.clock_step))
        sim.wall_ns += random_below(random, 40 * SIM_SECOND) - 20 * SIM_SECOND;
    if (random_chance(random, weather.slow_control)) {
        sim_processes[SIM_CONTROL].slow_ns = random_between(random, 1, 30) * SIM_MS;
        sim_after(random_below(random, 30 * SIM_MS), end_slowness, NULL, 0);
    }
    for (unsigned n = random_chance(random, weather.noise) ? (unsigned)random_below(random, 20) : 0; n > 0; n--)
        world_send_noise();
}

// ---- the log --------------------------------------------------------------------------------------------------------

// What both programs say of themselves that must never be, whatever the weather.
static const char *const never[] = {"XW1005", "XW2005", "XW2016", "XW2018"};

void world_line(const struct sim_process *process)
{
    const char *line = process->last_line;
    for (unsigned i = 0; !disk.lies && i < sizeof never / sizeof never[0]; i++) {
        if (strstr(line, never[i]))
            sim_fail("%s says %s", process->name, line);
    }
    if (!disk.lies && strstr(line, "XW3006") && !strstr(line, "\"result\":\"system\""))
        sim_fail("%s finds the journal damaged: %s", process->name, line);
    if (strstr(line, "XW2011") && disk.failures == failures_at_start)
        sim_fail("%s says %s, and the disk has not failed", process->name, line);
    sim.stats[STAT_SEGMENTS] += strstr(line, "\"XW3001\"") != NULL;
    sim.stats[STAT_TORN] += strstr(line, "\"XW3003\"") != NULL;
    sim.stats[STAT_SNAPSHOTS] += strstr(line, "\"XW2015\"") != NULL;
    for (unsigned i = 0; strstr(line, "\"XW2051\"") && i < TRIP_CONDITIONS; i++) {
        char condition[48];
        snprintf(condition, sizeof condition, "\"condition\":\"%s\"", config_trip_info((enum trip_condition)i)->key);
        sim.stats[STAT_TRIPPED + i] += strstr(line, condition) != NULL;
    }
    if (process->number == SIM_CONTROL)
        officers_line(line);
    serves |= process->number == SIM_CONTROL && strstr(line, "\"XW2004\"") != NULL;
    sim.stats[STAT_RESTORED] += strstr(line, "\"XW2004\"") && strstr(line, "\"snapshot") != NULL;
}

// ---- processes ------------------------------------------------------------------------------------------------------

// Whether it may end with this code.
static bool is_expected(const struct sim_process *process)
{
    bool disk_trouble = disk.failures != failures_at_start || !mended;
    if (process->killed || process->exit_code == EX_OK)
        return true;
    if (disk.lies && process->exit_code == EX_DATAERR) {
        refused = true; // it has noticed
        return true;
    }
    if (process->exit_code == EX_IOERR)
        return disk_trouble || process->number == SIM_DATAPLANE;
    if (process->number == SIM_DATAPLANE)
        return process->exit_code == EX_TEMPFAIL; // control was away for long while it drained
    return disk_trouble && (process->exit_code == EX_OSERR || process->exit_code == EX_CANTCREAT);
}

static void look_at_end(struct sim_process *process)
{
    if (process->alive || starts_seen[process->number] == process->starts)
        return;
    starts_seen[process->number] = process->starts;
    restart_ns[process->number] = sim.now_ns + random_between(&sim.chaos, 1, 20) * SIM_MS;
    if (process->number == SIM_CONTROL && stage == STAGE_CHAOS &&
        random_chance(&sim.risk, 800000)) // long enough to act
        restart_ns[SIM_CONTROL] += random_between(&sim.risk, 200, 500) * SIM_MS;
    if (!is_expected(process))
        sim_fail("%s ends with %d: %s", process->name, process->exit_code, process->last_line);
    if (process->number == SIM_DATAPLANE) {
        count_dataplane();
        net_drop_dataplane();
    }
    if (process->number == SIM_CONTROL && !process->killed && process->exit_code != EX_OK) {
        sim.stats[STAT_JOURNAL_FAILURES]++;
        fair_disk();
        mended = true;
    }
}

static void restart(struct sim_process *process)
{
    if (process->alive || sim.now_ns < restart_ns[process->number])
        return;
    if (process->number == SIM_CONTROL) {
        failures_at_start = disk.failures;
        serves = false;
        officers_control_starts();
    } else {
        officers_dataplane_starts();
    }
    sim_process_start(process);
}

static void supervise(void)
{
    for (unsigned i = 0; i < SIM_PROCESSES; i++) {
        look_at_end(&sim_processes[i]);
        if (stage != STAGE_STOPPING)
            restart(&sim_processes[i]);
    }
}

bool world_control_serves(void)
{
    return serves && sim_processes[SIM_CONTROL].alive;
}

uint64_t world_control_away_ns(void)
{
    const struct sim_process *control = &sim_processes[SIM_CONTROL];
    uint64_t word = oracle_region() ? oracle_region()->header->control_lost : 0;
    uint64_t until_ns = control->ended_ns + CONTROL_LOST_MS(word) * SIM_MS;
    bool acts = word && CONTROL_LOST_ACTION(word) != TRIP_ALERT;
    return acts && control->starts && !control->alive && sim.now_ns > until_ns ? sim.now_ns - until_ns : 0;
}

// ---- rest -----------------------------------------------------------------------------------------------------------

// The accounting identity; NULL when it holds.
static const char *unbalanced(void)
{
    static char text[256];
    uint64_t received = 0, forwarded = 0, messages = 0;
    for (unsigned i = 0; i < config->gateways_count; i++) {
        uint64_t in = counter(ROLE_GATEWAY, i, COUNT_GATEWAY_received);
        uint64_t out = counter(ROLE_GATEWAY, i, COUNT_GATEWAY_session_messages) +
                       counter(ROLE_GATEWAY, i, COUNT_GATEWAY_forwarded) +
                       counter(ROLE_GATEWAY, i, COUNT_GATEWAY_discarded);
        uint64_t reasons = 0;
        for (unsigned reason = 0; reason < DISCARD_COUNT; reason++)
            reasons += counter(ROLE_GATEWAY, i, COUNT_GATEWAY_discard_first + reason);
        if (in != out || reasons != counter(ROLE_GATEWAY, i, COUNT_GATEWAY_discarded)) {
            snprintf(text, sizeof text, "gateway %u received %llu, and accounts for %llu (%llu discarded by reason)", i,
                     (unsigned long long)in, (unsigned long long)out, (unsigned long long)reasons);
            return text;
        }
        received += in;
        forwarded += counter(ROLE_GATEWAY, i, COUNT_GATEWAY_forwarded);
    }
    for (unsigned i = 0; i < config->matchers_count; i++) {
        uint64_t taken = counter(ROLE_MATCHER, i, COUNT_MATCHER_messages);
        uint64_t out =
            counter(ROLE_MATCHER, i, COUNT_MATCHER_accepted) + counter(ROLE_MATCHER, i, COUNT_MATCHER_rejected) +
            counter(ROLE_MATCHER, i, COUNT_MATCHER_duplicates) + counter(ROLE_MATCHER, i, COUNT_MATCHER_no_effect);
        messages += taken;
        if (taken != out) {
            snprintf(text, sizeof text, "core %u took %llu messages, and accounts for %llu", i,
                     (unsigned long long)taken, (unsigned long long)out);
            return text;
        }
    }
    if (forwarded == messages && received == net_received())
        return NULL;
    snprintf(text, sizeof text, "%llu messages came in, %llu are counted; %llu forwarded, %llu taken",
             (unsigned long long)net_received(), (unsigned long long)received, (unsigned long long)forwarded,
             (unsigned long long)messages);
    return text;
}

// NULL when nothing is left to happen.
static const char *restless(void)
{
    for (unsigned i = 0; i < SIM_PROCESSES; i++) {
        if (!sim_processes[i].alive)
            return "a process is down";
    }
    if (sim.now_ns - asked_ns < 300 * SIM_MS)
        return "a process may be about to stop";
    const char *busy;
    if (!oracle_region())
        return "no region";
    if (oracle_region()->header->stop) // also by a control whose journal has failed
        return "the data plane is about to stop";
    if ((busy = operators_busy()) != NULL || (busy = clients_busy()) != NULL || (busy = market_busy()) != NULL ||
        (busy = copies_busy()) != NULL)
        return busy;
    return unbalanced();
}

static void check_rest(void)
{
    oracle_check_rest();
    clients_check_rest();
    copies_check_rest();
    market_check_rest();
    operators_check_rest();
    sim_say("at rest: %llu commands, %llu orders", (unsigned long long)oracle_commands(0),
            (unsigned long long)sim.stats[STAT_ORDERS]);
}

// ---- stages ---------------------------------------------------------------------------------------------------------

static void begin(enum stage next)
{
    stage = next;
    sim_say("stage %d", (int)next);
    switch (next) {
    case STAGE_CHAOS:
        draw_weather();
        operators_mood.quiet = false;
        operators_mood.end_day = round_number + 1 == ROUNDS && random_chance(&sim.chaos, 300000);
        stage_ends_ns = sim.now_ns + random_between(&sim.chaos, 50, 500) * SIM_MS;
        break;
    case STAGE_CALM:
    case STAGE_AGAIN:
        fair_weather();
        mended = true;
        client_mood.quiet = operators_mood.quiet = true;
        stage_ends_ns = sim.now_ns + REST_SECONDS * SIM_SECOND;
        break;
    case STAGE_STOPPING:
        for (unsigned i = 0; i < SIM_PROCESSES; i++)
            ask_to_stop((enum sim_process_number)i);
        stage_ends_ns = sim.now_ns + REST_SECONDS * SIM_SECOND;
        break;
    case STAGE_DONE:
        break;
    }
}

static void require_time(const char *what)
{
    if (sim.now_ns > stage_ends_ns)
        sim_fail("does not come to rest: %s", what);
}

static void stop_stage(void)
{
    for (unsigned i = 0; i < SIM_PROCESSES; i++) {
        if (sim_processes[i].alive) {
            require_time(sim_processes[i].name);
            return;
        }
        if (sim_processes[i].exit_code != EX_OK)
            sim_fail("%s ends with %d when it is asked to stop: %s", sim_processes[i].name, sim_processes[i].exit_code,
                     sim_processes[i].last_line);
    }
    begin(STAGE_AGAIN);
}

static void run_stage(void)
{
    const char *reason;
    switch (stage) {
    case STAGE_CHAOS:
        make_weather();
        if (sim.now_ns >= stage_ends_ns)
            begin(STAGE_CALM);
        break;
    case STAGE_CALM:
    case STAGE_AGAIN:
        if ((reason = restless()) != NULL) {
            require_time(reason);
            break;
        }
        check_rest();
        begin(stage == STAGE_AGAIN ? STAGE_DONE : ++round_number < ROUNDS ? STAGE_CHAOS : STAGE_STOPPING);
        break;
    case STAGE_STOPPING:
        stop_stage();
        break;
    case STAGE_DONE:
        break;
    }
}

static void every_millisecond(void *context, uint64_t unused)
{
    (void)context, (void)unused;
    supervise();
    run_stage();
    if (stage != STAGE_DONE)
        sim_after(SIM_MS, every_millisecond, NULL, 0);
}

void world_run(uint64_t seed, uint64_t steps, bool trace)
{
    sim_open(seed, trace);
    sim.wall_ns = UINT64_C(1793606400) * SIM_SECOND + random_below(&sim.chaos, 3600) * SIM_SECOND; // 2026-11-02 08:00
    disk_open();
    net_open();
    config = world_configure();
    world_wire_open(config);
    oracle_open(config);
    ledger_open(config);
    observer_open(config);
    clients_open(config);
    copies_open(config);
    market_open(config);
    operators_open(config, config->risk.limits && config->risk.limits[0] != '\0');
    disk.lies = config->ack_mode == ACK_DURABLE && random_chance(&sim.chaos, 60000);
    begin(STAGE_CHAOS);
    sim_after(0, every_millisecond, NULL, 0);
    while (stage != STAGE_DONE && (!steps || sim.step < steps)) {
        if (!sim_run_one())
            sim_fail("nothing is left to happen");
        oracle_observe();
        if (refused || oracle_lost()) { // of a lying disk no more than this is asked: that nothing worse happens
            sim.stats[STAT_LIES]++;
            break;
        }
    }
    sim.stats[STAT_DISK_FAILURES] = disk.failures;
}
