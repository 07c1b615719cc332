// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/replica.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "engine/capacity.h"

struct replica {
    const struct journal_identity *identity;
    unsigned core;
    struct journal_reader *reader; // NULL between walks
    struct journal_place reached;  // where the last walk ended
    struct engine *engine;
    void *memory;
    size_t memory_size;
    bool failed;
    char error[320];
    struct event events[ENGINE_EVENTS_MAX];
};

struct replica *replica_new_sized(const struct engine_capacity *capacity, const struct journal_identity *identity)
{
    struct replica *replica = calloc(1, sizeof *replica);
    if (!replica)
        return NULL;
    replica->identity = identity;
    replica->core = capacity->core;
    replica->memory_size = engine_footprint(capacity);
    // A mapping of its own, so that only what the engine touches takes memory.
    replica->memory =
        mmap(NULL, replica->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (replica->memory == MAP_FAILED) {
        free(replica);
        return NULL;
    }
    replica->engine = engine_new(replica->memory, capacity);
    return replica;
}

struct replica *replica_new(const struct config *config, const struct journal_identity *identity, unsigned core)
{
    struct engine_capacity capacity = engine_capacity_of(config, core);
    return replica_new_sized(&capacity, identity);
}

void replica_free(struct replica *replica)
{
    if (!replica)
        return;
    if (replica->reader)
        journal_reader_close(replica->reader);
    munmap(replica->memory, replica->memory_size);
    free(replica);
}

void replica_restore(struct replica *replica, struct restore *restore)
{
    restore_begin(restore, replica->engine);
}

const struct engine *replica_engine(const struct replica *replica)
{
    return replica->engine;
}

const char *replica_error(const struct replica *replica)
{
    return replica->error;
}

static enum replica_result fail(struct replica *replica, const char *text)
{
    replica->failed = true;
    if (text)
        snprintf(replica->error, sizeof replica->error, "%s", text);
    return REPLICA_FAILED;
}

static bool step(struct replica *replica, const struct command *record, replica_sink *sink, void *context)
{
    struct engine *engine = replica->engine;
    uint64_t hash = engine_event_hash(engine);
    if (journal_sequence(record) <= engine_sequence(engine))
        return true; // taken in an earlier walk
    if (journal_sequence(record) != engine_sequence(engine) + 1 || record->prev_hash != (uint32_t)hash) {
        snprintf(replica->error, sizeof replica->error,
                 "core %u, sequence %" PRIu64 ": event hash %08" PRIx32 ", the journal has %08" PRIx32, replica->core,
                 journal_sequence(record), (uint32_t)hash, record->prev_hash);
        return false;
    }
    if (record->type == CMD_TICK && record->tick.event_hash != hash) {
        snprintf(replica->error, sizeof replica->error,
                 "core %u, sequence %" PRIu64 ": event hash %016" PRIx64 ", the journal has %016" PRIx64, replica->core,
                 journal_sequence(record), hash, record->tick.event_hash);
        return false;
    }
    struct command command = *record;
    command.seq = journal_sequence(record);
    unsigned count = engine_step(engine, &command, replica->events);
    for (;;) {
        for (unsigned i = 0; sink && i < count; i++)
            sink(context, &replica->events[i]);
        if (!engine_unfinished(engine))
            return true;
        count = engine_continue(engine, replica->events);
    }
}

bool replica_take(struct replica *replica, const struct command *record, replica_sink *sink, void *context)
{
    if (replica->failed)
        return false;
    replica->failed = !step(replica, record, sink, context);
    return !replica->failed;
}

static bool same_place(const struct journal_place *a, const struct journal_place *b)
{
    return a->segment == b->segment && a->block == b->block;
}

// A walk over the journal ends for good, and knows the segments that stood when it began: each goes through all of it,
// and what the engine has taken already costs only the reading.
static enum replica_result open_reader(struct replica *replica, const struct journal_place *until)
{
    struct journal_report report;
    if (until && same_place(until, &replica->reached))
        return REPLICA_CAUGHT_UP;
    enum journal_result result = journal_reader_open(&replica->reader, replica->identity, &report);
    if (result == JOURNAL_ABSENT)
        return REPLICA_CAUGHT_UP;
    if (result != JOURNAL_OK)
        return fail(replica, report.text);
    replica->reached = (struct journal_place){0};
    if (until) {
        journal_reader_until(replica->reader, *until);
        replica->reached = *until;
    }
    return REPLICA_MORE;
}

enum replica_result replica_advance(struct replica *replica, const struct journal_place *until, unsigned budget,
                                    replica_sink *sink, void *context)
{
    if (replica->failed)
        return REPLICA_FAILED;
    if (!replica->reader) {
        enum replica_result opened = open_reader(replica, until);
        if (opened != REPLICA_MORE)
            return opened;
    }
    for (unsigned taken = 0; taken < budget; taken++) {
        const struct command *record;
        enum journal_result result = journal_reader_next(replica->reader, &record);
        if (result == JOURNAL_END) {
            journal_reader_close(replica->reader);
            replica->reader = NULL;
            return REPLICA_CAUGHT_UP;
        }
        if (result != JOURNAL_OK)
            return fail(replica, journal_reader_report(replica->reader)->text);
        if (journal_core(record) == replica->core && !step(replica, record, sink, context))
            return fail(replica, NULL);
    }
    return REPLICA_MORE;
}
