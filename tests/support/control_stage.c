// SPDX-License-Identifier: Apache-2.0
#include "tests/support/control_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "contract/assert.h"
#include "control/journal/journal.h"
#include "engine/capacity.h"

#define TSC_HZ UINT64_C(2000000000)

// Of the password RIGHT, with the least cost.
#define PASSWORD_HASH "$argon2id$v=19$m=8,t=1,p=1$Y3Jvc3N3aXJldGVzdHMhIQ$0"

static void write_config(const struct stage *stage, unsigned cores, const char *ack, unsigned ring_depth)
{
    FILE *out = fopen(stage->config_path, "w");
    assert_non_null(out);
    fprintf(
        out,
        "instance: stage\ntrading_date: 2024-03-15\nack: %s\nrun_directory: %s/run\njournal_directory: %s/journal\n"
        "dataplane:\n  huge_pages: false\n  main_lcore: 9\n  command_ring_depth: %u\n  journal_ring_depth: 4096\n"
        "journal:\n  segment_mb: 1\n  commit_kb: 64\n"
        "snapshots:\n  every_seconds: 0\n  every_commands: 4000\n"
        "engine:\n  max_orders: 4096\n  max_levels: 1024\n"
        "ports:\n  - {name: wire, profile: vhost, device: wire.sock, mac: \"02:00:00:00:00:01\", address: 10.0.0.1}\n"
        "gateways:\n  - {lcore: 0, port: wire, udp_port: 4000}\n",
        ack, stage->directory, stage->directory, ring_depth);
    fputs("matchers:\n", out);
    for (unsigned i = 0; i < cores; i++)
        fprintf(out, "  - {lcore: %u}\n", i);
    fputs("publishers:\n", out);
    for (unsigned i = 0; i < cores; i++)
        fprintf(out, "  - {lcore: %u, port: wire, queue: %u, group: 233.54.12.1, udp_port: %u}\n", i, i, 5000 + i);
    fputs("symbols:\n", out);
    for (unsigned i = 0; i < 2 * cores; i++)
        fprintf(out, "  - {name: SYM%u, matcher: %u, tick: 0.01, round_lot: 100}\n", i, i % cores);
    fputs("accounts:\n  - {name: NORTH, firm: NRTH}\n  - {name: SOUTH, firm: SOTH}\nsessions:\n", out);
    for (unsigned i = 0; i < 3 * cores; i++)
        fprintf(out,
                "  - {user: USER%u, password_hash: \"%s\", account: %s, gateway: 0, matcher: %u, cancel_on_disconnect: "
                "false}\n",
                i, PASSWORD_HASH, i % 2 ? "NORTH" : "SOUTH", i % cores);
    fclose(out);
}

void stage_open(struct stage *stage, unsigned cores, const char *ack, unsigned ring_depth)
{
    char path[256], error[512];
    const char *base = getenv("XW_TMP");
    memset(stage, 0, sizeof *stage);
    snprintf(stage->directory, sizeof stage->directory, "%s/stage-XXXXXX", base && strlen(base) < 80 ? base : "/tmp");
    assert_non_null(mkdtemp(stage->directory));
    snprintf(stage->config_path, sizeof stage->config_path, "%s/stage.yaml", stage->directory);
    snprintf(path, sizeof path, "%s/run", stage->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/journal", stage->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    write_config(stage, cores, ack, ring_depth);
    stage->config = config_load(stage->config_path, error, sizeof error);
    if (!stage->config)
        fail_msg("%s", error);
    for (unsigned i = 0; i < cores; i++) {
        stage->cores[i].record = calloc(STAGE_COMMANDS, sizeof(struct command));
        assert_non_null(stage->cores[i].record);
    }
}

void stage_close(struct stage *stage)
{
    char command[256];
    stage_kill_dataplane(stage);
    for (unsigned i = 0; i < STAGE_CORES; i++)
        free(stage->cores[i].record);
    config_free(stage->config);
    snprintf(command, sizeof command, "rm -rf '%s'", stage->directory);
    assert_int_equal(system(command), 0);
}

// ---- the played matching core ---------------------------------------------------------------------------------------

static uint64_t next_random(struct stage_core *core)
{
    core->random ^= core->random << 13;
    core->random ^= core->random >> 7;
    core->random ^= core->random << 17;
    return core->random;
}

// Says what differs before the test ends: these threads can not use cmocka's assertions.
#define REQUIRE(core, condition)                              \
    do {                                                      \
        if (!(condition)) {                                   \
            tell(core);                                       \
            xw_assert_failed(#condition, __FILE__, __LINE__); \
        }                                                     \
    } while (0)

static void tell(struct stage_core *core)
{
    fprintf(stderr,
            "stage %s, generation %" PRIu64 ", core %u, state %d: recorded %" PRIu64 ", engine at %" PRIu64
            ", journal ring %" PRIu64 " to %" PRIu64 ", durable %" PRIu64 "\n",
            core->stage->directory, core->stage->region.header->generation, core->index, core->state,
            atomic_load(&core->sequenced), engine_sequence(core->engine), atomic_load(&core->journal->consumed),
            atomic_load(&core->journal->produced), atomic_load(&core->port->durable_seq));
}

static void step(struct stage_core *core, const struct command *command)
{
    struct event events[ENGINE_EVENTS_MAX];
    engine_step(core->engine, command, events);
    while (engine_unfinished(core->engine))
        engine_continue(core->engine, events);
}

static void publish(struct stage_core *core)
{
    atomic_store(&core->port->applied_seq, engine_sequence(core->engine));
    atomic_store(&core->port->event_hash, engine_event_hash(core->engine));
    atomic_store(&core->port->day_open, engine_day_open(core->engine));
    atomic_store(&core->port->restore, core->restore);
    atomic_store(&core->block->state, core->state);
    atomic_fetch_add(&core->block->heartbeat, 1);
}

// New input: journal ring first, then the engine, as a matching core does.
static bool sequence(struct stage_core *core, const struct command *input)
{
    if (ring_room(core->journal, 1) == 0)
        return false;
    struct command command = *input;
    REQUIRE(core, core->state == CORE_RUN);
    if (command.type == CMD_CLOCK) {
        core->offset_ns = command.clock.offset_ns;
        core->clocked = true;
    }
    uint64_t now = (uint64_t)((int64_t)((unsigned __int128)__rdtsc() * 1000000000u / TSC_HZ) + core->offset_ns);
    core->time_ns = now > core->time_ns ? now : core->time_ns;
    command.seq = 0;
    command.time_ns = core->time_ns;
    command.prev_hash = (uint32_t)engine_event_hash(core->engine);
    uint64_t position = atomic_load(&core->sequenced);
    REQUIRE(core, position == engine_sequence(core->engine));
    REQUIRE(core, position < STAGE_COMMANDS);
    core->record[position] = command;
    memcpy((char *)ring_slot(core->journal, 0) + 8, (char *)&command + 8, sizeof command - 8);
    atomic_store(&core->sequenced, position + 1); // before control can have it
    ring_publish(core->journal, 1);
    command.seq = position + 1;
    step(core, &command);
    return true;
}

static void replay(struct stage_core *core, const struct command *history)
{
    uint64_t position = engine_sequence(core->engine);
    struct command command = *history;
    command.seq = 0;
    REQUIRE(core, core->restore == CORE_FRESH || core->restore == CORE_RESTORED);
    REQUIRE(core, position < atomic_load(&core->sequenced)); // the journal must not hold more than we sequenced
    REQUIRE(core, memcmp(&command, &core->record[position], sizeof command) == 0);
    REQUIRE(core, command.prev_hash == (uint32_t)engine_event_hash(core->engine));
    if (command.type == CMD_CLOCK)
        core->offset_ns = command.clock.offset_ns;
    core->time_ns = command.time_ns;
    command.seq = position + 1;
    step(core, &command);
}

// A snapshot must be one of what this core has sequenced.
static void restore(struct stage_core *core, const struct command *command)
{
    if (command->type == CMD_RESTORE_STREAM || command->type == CMD_RESTORE_MESSAGES)
        return;
    REQUIRE(core, core->restore != CORE_RESTORED);
    enum restore_result result = restore_take(&core->restoring, command);
    core->restore = result == RESTORE_MORE ? CORE_RESTORING : result == RESTORE_DONE ? CORE_RESTORED : CORE_REFUSED;
    if (result != RESTORE_DONE)
        return;
    uint64_t covered = engine_sequence(core->engine), sequenced = atomic_load(&core->sequenced);
    REQUIRE(core, covered <= sequenced);
    REQUIRE(core, covered == sequenced || core->record[covered].prev_hash == (uint32_t)engine_event_hash(core->engine));
    core->time_ns = engine_time_ns(core->engine);
    core->restored++;
}

static void reset(struct stage_core *core)
{
    struct engine_capacity capacity = engine_capacity_of(core->stage->config, core->index);
    memset(core->memory, 0, core->memory_size);
    core->engine = engine_new(core->memory, &capacity);
    restore_begin(&core->restoring, core->engine);
    core->restore = CORE_FRESH;
    core->time_ns = 0;
}

static void take_boot(struct stage_core *core, const struct command *command)
{
    if (command->type == DIRECTIVE_RESET)
        reset(core);
    else if (command->type == DIRECTIVE_COUNT)
        return; // there is no gateway here
    else if (command->type >= CMD_RESTORE_DAY && command->type <= CMD_RESTORE_MESSAGES)
        restore(core, command);
    else
        replay(core, command);
}

static void take_command(struct stage_core *core, const struct command *command)
{
    if (command->type == DIRECTIVE_RECOVERED) {
        REQUIRE(core, core->state == CORE_BOOT);
        // Nothing that any generation sequenced may be missing.
        REQUIRE(core, command->recovered.seq == atomic_load(&core->sequenced));
        REQUIRE(core, engine_sequence(core->engine) == command->recovered.seq);
        ring_rebase(core->journal, command->recovered.seq);
        core->state = CORE_RUN;
        ring_release(core->commands, 1);
    } else if (core->state == CORE_BOOT) {
        take_boot(core, command);
        ring_release(core->commands, 1);
    } else if (sequence(core, command)) {
        ring_release(core->commands, 1);
    }
}

static uint16_t any_session(struct stage_core *core)
{
    unsigned cores = core->stage->config->matchers_count;
    return (uint16_t)(next_random(core) % 3 * cores + core->index);
}

// A data plane that starts knows nobody: before the first order every session of an earlier one must have been taken
// down.
static void require_taken_down(struct stage_core *core)
{
    const struct config *config = core->stage->config;
    for (uint16_t s = 0; s < config->sessions_count && !core->taken_down; s++)
        REQUIRE(core, config->sessions[s].matcher != core->index || !engine_session_up(core->engine, s));
    core->taken_down = true;
}

// One order-entry command, or a session going up.
static void make_order(struct stage_core *core)
{
    struct command command = {.session = any_session(core)};
    uint64_t random = next_random(core);
    require_taken_down(core);
    if (!engine_session_up(core->engine, command.session)) {
        command.type = CMD_SESSION_UP;
    } else {
        unsigned cores = core->stage->config->matchers_count;
        command.type = random % 4 == 0 ? CMD_CANCEL : CMD_ENTER;
        command.user_ref = command.type == CMD_ENTER
                               ? ++core->next_ref[command.session]
                               : 1 + (uint32_t)(random >> 32) % (core->next_ref[command.session] + 1);
        command.quantity = command.type == CMD_ENTER ? 100 + (uint32_t)(random >> 8) % 900 : 0;
        command.price = 1000000 + 100 * ((uint32_t)(random >> 20) % 40);
        snprintf(command.symbol, sizeof command.symbol, "SYM%-4u", core->index + cores * (unsigned)(random >> 40 & 1));
        command.symbol[7] = ' ';
        command.locate = (uint16_t)(1 + (random >> 40 & 1));
        command.side = random >> 41 & 1 ? 'B' : 'S';
        command.tif = random >> 42 & 7 ? '0' : '3';
        command.display = 'Y';
        command.capacity = 'P';
        command.iso = 'N';
        command.cross = 'N';
        memcpy(command.cl_ord_id, "stage         ", sizeof command.cl_ord_id);
    }
    if (sequence(core, &command))
        atomic_fetch_sub(&core->orders_left, 1);
    else if (command.type == CMD_ENTER)
        core->next_ref[command.session]--;
}

// As a matching core: no order before it runs and knows the time, none before what control has to say.
static bool takes_orders(const struct stage_core *core)
{
    return core->state == CORE_RUN && core->clocked && engine_day_open(core->engine) &&
           atomic_load(&core->orders_left) > 0 && atomic_load(&core->sequenced) < STAGE_ORDERS;
}

// A few microseconds: a drain that goes on for as long as there is something never ends.
static void spin(void)
{
    for (uint64_t from = __rdtsc(); __rdtsc() - from < TSC_HZ / 200000;)
        _mm_pause();
}

static void *core_main(void *argument)
{
    struct stage_core *core = argument;
    const struct timespec pause = {.tv_nsec = 20000};
    const unsigned batch = core->stage->hurry ? 1 : 8;
    while (!atomic_load(&core->stage->die)) {
        unsigned work = 0;
        const struct command *command;
        for (; work < 256 && !atomic_load(&core->stage->die) && (command = ring_peek(core->commands, 0)); work++)
            take_command(core, command);
        for (unsigned i = 0; i < batch && !work && takes_orders(core); i++)
            make_order(core);
        publish(core);
        if (core->stage->hurry && takes_orders(core))
            spin();
        else
            nanosleep(&pause, NULL);
    }
    return NULL;
}

// ---- the played data plane ------------------------------------------------------------------------------------------

void stage_start_dataplane(struct stage *stage, uint64_t orders, uint64_t seed)
{
    const struct config *config = stage->config;
    struct region_plan *plan = calloc(1, sizeof *plan);
    assert_non_null(plan);
    for (unsigned i = 0; i < config->matchers_count; i++) {
        region_plan_add(plan, OBJECT_CORE, ROLE_MATCHER, i, 0);
        region_plan_add(plan, OBJECT_MATCHER, 0, i, 0);
        region_plan_add(plan, OBJECT_COMMANDS, 0, i, config->dataplane.command_ring_depth);
        region_plan_add(plan, OBJECT_JOURNAL, 0, i, config->dataplane.journal_ring_depth);
        region_plan_add(plan, OBJECT_ALERTS, 0, i, 64);
    }
    region_plan_add(plan, OBJECT_CORE, ROLE_GATEWAY, 0, 0);
    region_plan_add(plan, OBJECT_REQUESTS, 0, 0, 256);
    region_plan_add(plan, OBJECT_REPLIES, 0, 0, 256);
    assert_int_equal(region_create(&stage->region, config->run_directory, config->instance, plan, config->hash),
                     REGION_OK);
    free(plan);
    atomic_store(&stage->die, false);
    stage->up = true;
    for (unsigned i = 0; i < config->matchers_count; i++) {
        struct stage_core *core = &stage->cores[i];
        struct engine_capacity capacity = engine_capacity_of(config, i);
        core->stage = stage;
        core->index = i;
        core->memory_size = engine_footprint(&capacity);
        core->memory =
            mmap(NULL, core->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        assert_true(core->memory != MAP_FAILED);
        core->engine = engine_new(core->memory, &capacity);
        core->block = region_find(&stage->region, OBJECT_CORE, ROLE_MATCHER, i);
        core->port = region_find(&stage->region, OBJECT_MATCHER, 0, i);
        core->commands = region_find(&stage->region, OBJECT_COMMANDS, 0, i);
        core->journal = region_find(&stage->region, OBJECT_JOURNAL, 0, i);
        core->block->tsc_hz = TSC_HZ;
        core->state = CORE_BOOT;
        core->restore = CORE_FRESH;
        restore_begin(&core->restoring, core->engine);
        core->time_ns = 0;
        core->offset_ns = 0;
        core->clocked = false;
        core->taken_down = false;
        atomic_store(&core->orders_left, orders);
        core->random = (seed + i) * UINT64_C(0x9E3779B97F4A7C15) | 1;
        assert_int_equal(pthread_create(&core->thread, NULL, core_main, core), 0);
    }
}

void stage_kill_dataplane(struct stage *stage)
{
    if (!stage->up)
        return;
    atomic_store(&stage->die, true);
    for (unsigned i = 0; i < stage->config->matchers_count; i++) {
        pthread_join(stage->cores[i].thread, NULL);
        munmap(stage->cores[i].memory, stage->cores[i].memory_size);
    }
    region_leave(&stage->region);
    stage->up = false;
}

// ---- the journal ----------------------------------------------------------------------------------------------------

static struct journal_identity identity_of(const struct config *config)
{
    return (struct journal_identity){.directory = config->journal_directory,
                                     .instance = config->instance,
                                     .date = config->date,
                                     .config_hash = config->hash};
}

void stage_check_released(const struct stage *stage)
{
    struct journal_identity identity = identity_of(stage->config);
    struct journal_report report;
    if (journal_scan(&identity, &report) != JOURNAL_OK)
        fail_msg("%s", report.text);
    for (unsigned i = 0; i < stage->config->matchers_count; i++) {
        const struct stage_core *core = &stage->cores[i];
        uint64_t durable = atomic_load(&core->port->durable_seq);
        assert_true(stage->config->ack_mode != ACK_DURABLE || durable <= report.last_seq[i]);
        assert_true(atomic_load(&core->journal->consumed) <= report.last_seq[i]);
        assert_true(report.last_seq[i] <= atomic_load(&core->sequenced));
    }
}

void stage_check_journal(const struct stage *stage)
{
    const struct config *config = stage->config;
    struct journal_identity identity = identity_of(config);
    struct journal_reader *reader;
    struct journal_report report;
    const struct command *record;
    uint64_t seen[STAGE_CORES] = {0};
    unsigned types[STAGE_CORES][256] = {{0}};
    enum journal_result result = journal_reader_open(&reader, &identity, &report);
    if (result != JOURNAL_OK)
        fail_msg("%s", report.text);
    while ((result = journal_reader_next(reader, &record)) == JOURNAL_OK) {
        unsigned core = journal_core(record);
        assert_true(core < config->matchers_count);
        assert_int_equal(journal_sequence(record), ++seen[core]);
        assert_true(seen[core] <= atomic_load(&stage->cores[core].sequenced));
        struct command command = *record;
        command.seq = 0;
        assert_memory_equal(&command, &stage->cores[core].record[seen[core] - 1], sizeof command);
        types[core][command.type]++;
    }
    if (result != JOURNAL_END)
        fail_msg("%s", journal_reader_report(reader)->text);
    journal_reader_close(reader);
    for (unsigned core = 0; core < config->matchers_count; core++) {
        assert_int_equal(seen[core], atomic_load(&stage->cores[core].sequenced));
        assert_int_equal(types[core][CMD_OPEN_DAY], 1);
        assert_int_equal(types[core][CMD_OPEN_SYMBOL], 2);
        assert_int_equal(types[core][CMD_OPEN_ACCOUNT], 2);
        assert_int_equal(types[core][CMD_OPEN_SESSION], 3);
        assert_int_equal(types[core][CMD_START], 1);
    }
}
