// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/generation.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "contract/assert.h"
#include "contract/fault.h"
#include "contract/log.h"

enum { GENERATIONS_MAX = 64 };

// ---- dead ones ------------------------------------------------------------------------------------------------------

// Whose journal the rings of a generation belong to; 0: no control has come to it yet, so that no core has ever run.
static uint32_t date_of(const struct region *region)
{
    return atomic_load_explicit(&region->header->trading_date, memory_order_relaxed);
}

static void fail_journal(enum journal_result result, const char *text)
{
    fail_with(journal_exit_code(result), "journal: %s", text);
}

void generation_require_journal(const struct region *region, const struct journal_lane *lanes, unsigned count,
                                const struct config *config, uint32_t date, const struct journal_writer *writer)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t was = atomic_load_explicit(&lanes[i].ring->consumed, memory_order_acquire);
        uint64_t is = journal_writer_durable(writer, lanes[i].core);
        if (was > is)
            fail_with(EX_DATAERR,
                      "the journal %s/%08u ends at sequence %" PRIu64 " of core %u, and %" PRIu64
                      " were durable: restore it (to give the day up: remove %s)",
                      config->journal_directory, date, is, lanes[i].core, was, region->path);
    }
}

// Drains to the journal of another date than today's, which is opened only for this.
static void drain_to_date(const struct journal_lane *lanes, unsigned count, const struct config *config,
                          const struct region *region, uint32_t date)
{
    struct journal_identity identity = {.directory = config->journal_directory,
                                        .instance = config->instance,
                                        .date = date,
                                        .config_hash = region->header->config_hash};
    struct journal_writer_options options = {.segment_mb = config->journal.segment_mb,
                                             .commit_kb = config->journal.commit_kb};
    struct journal_report tail;
    char text[256];
    struct journal_writer *writer;
    enum journal_result result = journal_scan(&identity, &tail);
    if (result != JOURNAL_OK)
        fail_journal(result, tail.text);
    result = journal_writer_open(&writer, &identity, &options, &tail, text, sizeof text);
    if (result != JOURNAL_OK)
        fail_journal(result, text);
    generation_require_journal(region, lanes, count, config, date, writer);
    result = journal_drain(writer, lanes, count);
    if (result != JOURNAL_OK)
        fail_journal(result, journal_writer_text(writer));
    result = journal_writer_close(writer);
    if (result != JOURNAL_OK)
        fail_journal(result, "closing the journal of an earlier date failed");
}

static void drain(const struct region *region, const struct config *config, struct journal_writer *writer)
{
    struct journal_lane lanes[JOURNAL_CORES];
    unsigned count = journal_lanes(region, lanes, JOURNAL_CORES);
    uint32_t date = date_of(region);
    uint64_t cells = 0;
    for (unsigned i = 0; i < count; i++) {
        lanes[i].port = NULL; // nobody listens any more
        cells += ring_ready(lanes[i].ring, 0, lanes[i].ring->depth);
    }
    if (date == 0 || date == config->date) {
        generation_require_journal(region, lanes, count, config, config->date, writer);
        enum journal_result result = journal_drain(writer, lanes, count);
        if (result != JOURNAL_OK)
            fail_journal(result, journal_writer_text(writer));
    } else if (cells > 0) {
        drain_to_date(lanes, count, config, region, date);
    }
    log_event(LOG_XW2003, "\"generation\":%" PRIu64 ",\"date\":%u,\"commands\":%" PRIu64, region->header->generation,
              date, cells);
}

// ---- the live one ---------------------------------------------------------------------------------------------------

static void require_same_configuration(const struct region *region, const struct config *config)
{
    uint64_t generation = region->header->generation;
    uint32_t date = date_of(region);
    if (date && date != config->date)
        fail_with(EX_CONFIG,
                  "generation %" PRIu64
                  " runs trading date %u, this configuration says %u: stop crosswire-dataplane, then "
                  "start both",
                  generation, date, config->date);
    if (region->header->config_hash != config->hash)
        fail_with(EX_CONFIG,
                  "crosswire-dataplane (pid %" PRIu64 ", generation %" PRIu64
                  ") runs with another configuration or trading date: start both with the same file",
                  region->header->dataplane_pid, generation);
}

// Takes what every matching core shares with control; false when the region lacks an object that the configuration
// needs.
static bool find_objects(struct generation *generation, const struct config *config)
{
    const struct region *region = &generation->region;
    generation->cores = config->matchers_count;
    for (unsigned core = 0; core < generation->cores; core++) {
        struct journal_lane *lane = &generation->lanes[core];
        generation->blocks[core] = region_find(region, OBJECT_CORE, ROLE_MATCHER, core);
        generation->ports[core] = region_find(region, OBJECT_MATCHER, 0, core);
        generation->commands[core] = region_find(region, OBJECT_COMMANDS, 0, core);
        generation->alerts[core] = region_find(region, OBJECT_ALERTS, 0, core);
        lane->core = core;
        lane->ring = region_find(region, OBJECT_JOURNAL, 0, core);
        lane->port = generation->ports[core];
        if (!generation->blocks[core] || !generation->ports[core] || !generation->commands[core] ||
            !generation->alerts[core] || !lane->ring)
            return false;
    }
    return true;
}

static void join(struct generation *generation, const struct region *region, const struct config *config)
{
    require_same_configuration(region, config);
    *generation = (struct generation){.joined = true, .region = *region};
    if (!find_objects(generation, config))
        fail_with(EX_SOFTWARE,
                  "generation %" PRIu64 " lacks rings of a matching core: start both programs of one build",
                  region->header->generation);
    atomic_store_explicit(&region->header->trading_date, config->date, memory_order_release);
    log_event(LOG_XW2002, "\"generation\":%" PRIu64 ",\"dataplane_pid\":%" PRIu64 ",\"cores\":%u,\"bytes\":%zu",
              region->header->generation, region->header->dataplane_pid, generation->cores, region->size);
}

// ---- the sweep ------------------------------------------------------------------------------------------------------

static enum region_result join_region(struct region *region, const struct config *config, uint64_t number)
{
    enum region_result result = region_join(region, config->run_directory, config->instance, number, true);
    if (result == REGION_LAYOUT)
        fail_with(EX_SOFTWARE,
                  "generation %" PRIu64
                  " in %s was made by another build: run that build's crosswire-control once to drain "
                  "it, or start both programs of one build",
                  number, config->run_directory);
    if (result == REGION_SYSTEM && errno == EACCES)
        fail_with(EX_NOPERM,
                  "%s: %s: generation %" PRIu64 " is another user's: run crosswire-control as that user, which drains "
                  "it, or, when its orders are not wanted: rm %s",
                  region->path, strerror(errno), number, region->path);
    if (result == REGION_SYSTEM)
        fail_with(EX_OSERR, "%s: %s: mend that, then start crosswire-control again", region->path, strerror(errno));
    return result;
}

void generation_sweep(struct generation *generation, const struct config *config, struct journal_writer *writer)
{
    uint64_t list[GENERATIONS_MAX];
    xw_assert(!generation->joined);
    int count = region_list(config->run_directory, config->instance, list, GENERATIONS_MAX);
    if (count < 0)
        fail_with(EX_OSERR, "%s: %s: set run_directory to a directory that exists", config->run_directory,
                  strerror(errno));
    for (int i = 0; i < count && i < GENERATIONS_MAX && !generation->joined; i++) {
        struct region region;
        if (join_region(&region, config, list[i]) != REGION_OK)
            continue; // gone, or never finished: the next start of the data plane removes it
        if (region_alive(&region)) {
            join(generation, &region, config);
            continue;
        }
        if (!FAULT(generation_removed_early))
            drain(&region, config, writer);
        if (region_remove(config->run_directory, config->instance, list[i]) != 0 && errno != ENOENT)
            fail_with(EX_OSERR, "%s: can not remove: %s", region.path, strerror(errno));
        region_leave(&region);
    }
}

bool generation_alive(const struct generation *generation)
{
    return region_alive(&generation->region);
}

void generation_fence(struct generation *generation, const struct config *config, const struct journal_writer *writer)
{
    if (!generation->joined)
        return;
    // With `durable` the gates stand where they are: the journal's thread never opens them past what is durable.
    for (unsigned core = 0; config->ack_mode != ACK_DURABLE && core < generation->cores; core++)
        atomic_store_explicit(&generation->ports[core]->durable_seq, journal_writer_durable(writer, core),
                              memory_order_release); // pairs with the gateways' acquire
    atomic_store_explicit(&generation->region.header->stop, REGION_STOP_FENCED, memory_order_release);
}

void generation_leave(struct generation *generation)
{
    if (!generation->joined)
        return;
    if (generation->thread)
        journal_thread_stop(generation->thread);
    region_leave(&generation->region);
    *generation = (struct generation){0};
}

uint64_t generation_undrained(const struct generation *generation)
{
    uint64_t cells = 0;
    for (unsigned core = 0; core < generation->cores; core++)
        cells += ring_ready(generation->lanes[core].ring, 0, generation->lanes[core].ring->depth);
    return cells;
}
