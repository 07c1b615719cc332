// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/shadow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "contract/assert.h"
#include "contract/drop_copy.h"
#include "contract/fault.h"
#include "contract/itch_out.h"
#include "contract/log.h"
#include "contract/told.h"
#include "control/limits/rules.h"
#include "control/recovery/opening.h"
#include "control/recovery/replica.h"

#define FEED_CELL 52 // {2 length, message}
#define LIST_MOST 256
#define ORDER_BYTES 136u       // of a snapshot, for each order: a record, and its share of the block
#define OTHER_BYTES (8u << 20) // for what is no order, roughly

_Static_assert(2 + ITCH_OUT_MAX <= FEED_CELL && FEED_CELL <= RESTORE_BLOCKS, "a record holds a message");

enum part { PART_ADMIN, PART_SESSIONS, PART_FEED, PART_MESSAGES, PART_ENGINE, PART_SEAL, PART_SEALED };

struct shadow {
    const struct config *config;
    const struct journal_identity *identity;
    unsigned core;
    struct replica *replica;
    struct opening opening;
    struct limits_venue venue;
    struct limits_set admin; // what control has told the core
    uint64_t *told;          // by stream: messages
    struct copy_map copies;  // over `map`
    void *map;
    uint64_t feed_told; // messages of the feed
    uint8_t *feed;      // the last of them: message n (from 0) in cell n % feed_cells
    uint64_t feed_cells;
    uint64_t feed_first; // the oldest kept
    size_t feed_size;
    uint64_t since;

    // Filling from a snapshot.
    struct snapshot_reader *reader;
    struct restore restore;
    uint64_t below; // only snapshots that cover less are still to be tried

    // Writing one.
    struct snapshot_writer *writer;
    enum part part;
    uint64_t at;
    struct snapshot_walk walk;
    uint64_t covered;
    char error[320];
};

struct shadow *shadow_new(const struct config *config, const struct journal_identity *identity, unsigned core)
{
    struct shadow *shadow = calloc(1, sizeof *shadow);
    if (!shadow)
        return NULL;
    shadow->config = config;
    shadow->identity = identity;
    shadow->core = core;
    shadow->below = UINT64_MAX;
    shadow->feed_cells = config->dataplane.window_messages;
    shadow->feed_size = shadow->feed_cells * FEED_CELL;
    shadow->told = calloc(config_streams(config) + 1, sizeof *shadow->told);
    shadow->map = malloc(copy_map_footprint(config, COPY_MAP_ALL) + 1);
    shadow->replica = replica_new(config, identity, core);
    void *feed =
        mmap(NULL, shadow->feed_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    shadow->feed = feed == MAP_FAILED ? NULL : feed;
    if (shadow->map)
        copy_map_new(&shadow->copies, shadow->map, config, COPY_MAP_ALL);
    if (limits_venue_init(&shadow->venue, config) && shadow->told && shadow->map && shadow->replica && shadow->feed &&
        opening_init(&shadow->opening, config, core))
        return shadow;
    shadow_free(shadow);
    return NULL;
}

void shadow_free(struct shadow *shadow)
{
    int error = errno;
    if (!shadow)
        return;
    if (shadow->reader)
        snapshot_close(shadow->reader);
    if (shadow->writer)
        snapshot_abandon(shadow->writer);
    if (shadow->feed)
        munmap(shadow->feed, shadow->feed_size);
    opening_free(&shadow->opening);
    limits_clear(&shadow->admin);
    limits_venue_free(&shadow->venue);
    replica_free(shadow->replica);
    free(shadow->told);
    free(shadow->map);
    free(shadow);
    errno = error;
}

// ---- what is told ---------------------------------------------------------------------------------------------------

static void keep_message(struct shadow *shadow, const uint8_t *message, uint32_t length)
{
    uint8_t *cell = shadow->feed + shadow->feed_told % shadow->feed_cells * FEED_CELL;
    put_be16(cell, (uint16_t)length);
    memcpy(cell + 2, message, length);
    if (++shadow->feed_told - shadow->feed_first > shadow->feed_cells)
        shadow->feed_first++;
}

static void tell_feed(struct shadow *shadow, const struct event *event)
{
    uint8_t message[ITCH_OUT_MAX];
    size_t length = itch_out_encode(event, message);
    if (length)
        keep_message(shadow, message, (uint32_t)length);
}

static void tell_one(struct shadow *shadow, uint16_t session)
{
    if (session >= shadow->config->sessions_count) // SESSION_NONE is none
        return;
    shadow->told[session]++;
    if (!shadow->copies.first)
        return;
    for (uint32_t i = shadow->copies.first[session]; i < shadow->copies.first[session + 1]; i++)
        shadow->told[shadow->copies.streams[i]]++;
}

// As gateways number what they send: fan_out, without the bytes.
static void take_event(void *context, const struct event *event)
{
    struct shadow *shadow = context;
    const struct config *config = shadow->config;
    if (told_feed(event))
        tell_feed(shadow, event);
    if (told_session(event)) {
        tell_one(shadow, event->session);
        if (event->type == EV_TRADE)
            tell_one(shadow, event->other_session);
    } else if (told_all(event)) {
        for (unsigned i = 0; i < config->sessions_count; i++) {
            if (config->sessions[i].matcher == shadow->core)
                tell_one(shadow, (uint16_t)i);
        }
    }
}

bool shadow_take(struct shadow *shadow, const struct command *record)
{
    xw_assert(!shadow_is_writing(shadow));
    if (journal_sequence(record) <= shadow_sequence(shadow))
        return true;
    opening_note(&shadow->opening, record);
    limits_note(&shadow->admin, &shadow->venue, shadow->core, record);
    shadow->since += record->type != CMD_TICK;
    return replica_take(shadow->replica, record, take_event, shadow);
}

const char *shadow_error(const struct shadow *shadow)
{
    return replica_error(shadow->replica);
}

uint64_t shadow_sequence(const struct shadow *shadow)
{
    return engine_sequence(replica_engine(shadow->replica));
}

uint64_t shadow_event_hash(const struct shadow *shadow)
{
    return engine_event_hash(replica_engine(shadow->replica));
}

uint64_t shadow_since(const struct shadow *shadow)
{
    return shadow->since;
}

uint64_t shadow_messages(const struct shadow *shadow, uint16_t session)
{
    return session < config_streams(shadow->config) ? shadow->told[session] : shadow->feed_told;
}

// ---- from a snapshot ------------------------------------------------------------------------------------------------

static void restore_messages(struct shadow *shadow, const struct command *record)
{
    const uint8_t *at = record->restore_messages.blocks, *end = at + RESTORE_BLOCKS;
    while (end - at > 2) {
        uint32_t length = get_be16(at);
        if (length == 0 || length > ITCH_OUT_MAX || (size_t)(end - at) < 2u + length)
            return;
        keep_message(shadow, at + 2, length);
        at += 2 + length;
    }
}

static bool restore_record(struct shadow *shadow, const struct command *record)
{
    if (record->type == CMD_RESTORE_ADMIN) {
        struct command original = *record;
        original.type = record->refuse;
        return limits_note(&shadow->admin, &shadow->venue, shadow->core, &original);
    }
    if (record->type == CMD_RESTORE_MESSAGES) {
        restore_messages(shadow, record);
        return true;
    }
    if (record->type != CMD_RESTORE_STREAM)
        return restore_take(&shadow->restore, record) != RESTORE_REFUSED;
    if (record->session < config_streams(shadow->config))
        shadow->told[record->session] = record->restore_stream.next - 1;
    else
        shadow->feed_told = shadow->feed_first = record->restore_stream.next - 1;
    return true;
}

static void log_passed_over(const struct shadow *shadow, uint64_t covered, const char *why)
{
    log_event(LOG_XW2016, "\"core\":%u,\"covered\":%" PRIu64 ",\"by\":\"replica\",\"text\":%s", shadow->core, covered,
              log_quote(why));
}

// Back to empty.
static bool forget(struct shadow *shadow)
{
    struct replica *fresh = replica_new(shadow->config, shadow->identity, shadow->core);
    if (!fresh)
        return false;
    replica_free(shadow->replica);
    shadow->replica = fresh;
    memset(shadow->told, 0, config_streams(shadow->config) * sizeof *shadow->told);
    shadow->feed_told = shadow->feed_first = 0;
    limits_clear(&shadow->admin);
    return true;
}

// Opens the next older snapshot that may do; false when there is none.
static bool open_next(struct shadow *shadow, uint64_t most)
{
    uint64_t list[LIST_MOST];
    char text[256];
    int count = snapshot_list(shadow->identity, shadow->core, list, LIST_MOST);
    for (int i = 0; i < count && i < LIST_MOST; i++) {
        if (list[i] >= shadow->below || list[i] > most)
            continue;
        shadow->below = list[i];
        shadow->reader = snapshot_open(shadow->identity, shadow->core, list[i], text, sizeof text);
        if (shadow->reader && snapshot_facts(shadow->reader)->opening == opening_digest(&shadow->opening)) {
            replica_restore(shadow->replica, &shadow->restore);
            return true;
        }
        log_passed_over(shadow, list[i], shadow->reader ? "of another configuration" : text);
        if (shadow->reader)
            snapshot_close(shadow->reader);
        shadow->reader = NULL;
    }
    return false;
}

// The snapshot in hand is read: whether it was good.
static bool finish_restore(struct shadow *shadow, bool good, const char *why)
{
    const struct snapshot_facts facts = *snapshot_facts(shadow->reader);
    good = good && shadow_sequence(shadow) == facts.covered && shadow_event_hash(shadow) == facts.event_hash;
    if (good) {
        opening_restored(&shadow->opening, facts.phase, facts.ended != 0, facts.downs);
        shadow->covered = facts.covered;
    } else {
        log_passed_over(shadow, facts.covered, why ? why : "it is not what it says");
    }
    snapshot_close(shadow->reader);
    shadow->reader = NULL;
    return good;
}

bool shadow_restore(struct shadow *shadow, uint64_t most, unsigned budget)
{
    if (!shadow->reader && !open_next(shadow, most))
        return true;
    for (unsigned done = 0; done < budget; done++) {
        const struct command *record;
        enum snapshot_result result = snapshot_read(shadow->reader, &record);
        if (result == SNAPSHOT_OK && restore_record(shadow, record))
            continue;
        if (finish_restore(shadow, result == SNAPSHOT_OVER,
                           result == SNAPSHOT_OK    ? shadow->restore.refused
                           : result == SNAPSHOT_BAD ? snapshot_text(shadow->reader)
                                                    : NULL))
            return true;
        return !forget(shadow); // then the next older one; without memory there is none
    }
    return false;
}

// ---- to a snapshot --------------------------------------------------------------------------------------------------

bool shadow_is_writing(const struct shadow *shadow)
{
    return shadow->writer && shadow->part != PART_SEALED;
}

bool shadow_is_sealed(const struct shadow *shadow)
{
    return shadow->writer && shadow->part == PART_SEALED;
}

uint64_t shadow_covered(const struct shadow *shadow)
{
    return shadow->covered;
}

// Whether the disk keeps room for two segments of the journal beside a snapshot: without those the venue would stop.
static bool room_on_disk(const struct shadow *shadow)
{
    struct statvfs status;
    int directory = snapshot_directory(shadow->identity);
    if (directory < 0)
        return false;
    bool known = fstatvfs(directory, &status) == 0;
    close(directory);
    uint64_t needs = (uint64_t)engine_live_orders(replica_engine(shadow->replica)) * ORDER_BYTES +
                     (shadow->feed_told - shadow->feed_first) * FEED_CELL + OTHER_BYTES +
                     2 * ((uint64_t)shadow->config->journal.segment_mb << 20);
    if (!known || (uint64_t)status.f_bavail * status.f_frsize >= needs)
        return true;
    errno = ENOSPC;
    return false;
}

bool shadow_snapshot(struct shadow *shadow)
{
    const struct engine *engine = replica_engine(shadow->replica);
    errno = 0;
    xw_assert(!shadow->writer);
    if (!opening_started(&shadow->opening) || !snapshot_possible(engine) || !room_on_disk(shadow))
        return false;
    struct snapshot_facts facts = {.engine_version = CROSSWIRE_ENGINE_VERSION,
                                   .config_hash = shadow->identity->config_hash,
                                   .opening = opening_digest(&shadow->opening),
                                   .covered = FAULT(snapshot_without_sequence) ? 0 : engine_sequence(engine),
                                   .event_hash = engine_event_hash(engine),
                                   .time_ns = engine_time_ns(engine),
                                   .core = shadow->core,
                                   .downs = shadow->opening.downs_given,
                                   .phase = shadow->opening.phase,
                                   .ended = shadow->opening.ended};
    shadow->writer = snapshot_create(shadow->identity, &facts);
    if (!shadow->writer)
        return false;
    shadow->covered = facts.covered;
    shadow->part = PART_ADMIN;
    shadow->at = 0;
    shadow->since = 0;
    snapshot_begin(&shadow->walk, engine);
    return true;
}

static struct command stream_record(uint16_t session, uint64_t next)
{
    struct command record = {
        .type = CMD_RESTORE_STREAM, .session = session, .restore_stream.next = next - FAULT(snapshot_stream_short)};
    return record;
}

// The next of what control has told the core; false behind the last.
static bool next_admin(struct shadow *shadow, struct command *record)
{
    if (shadow->at >= shadow->admin.count)
        return false;
    *record = limits_command(&shadow->venue, &shadow->admin.list[shadow->at++]);
    record->refuse = record->type;
    record->type = CMD_RESTORE_ADMIN;
    return true;
}

// The next stream of this core; false behind the last.
static bool next_session(struct shadow *shadow, struct command *record)
{
    const struct config *config = shadow->config;
    const uint32_t streams = config_streams(config);
    while (shadow->at < streams && config_stream(config, (uint32_t)shadow->at).matcher != shadow->core)
        shadow->at++;
    if (shadow->at >= streams)
        return false;
    *record = stream_record((uint16_t)shadow->at, shadow->told[shadow->at] + 1);
    shadow->at++;
    return true;
}

static bool next_messages(struct shadow *shadow, struct command *record)
{
    uint32_t used = 0;
    *record = (struct command){.type = CMD_RESTORE_MESSAGES, .session = SESSION_NONE};
    for (; shadow->at < shadow->feed_told; shadow->at++) {
        const uint8_t *cell = shadow->feed + shadow->at % shadow->feed_cells * FEED_CELL;
        uint32_t bytes = 2u + get_be16(cell);
        if (used + bytes > RESTORE_BLOCKS)
            break;
        memcpy(record->restore_messages.blocks + used, cell, bytes);
        used += bytes;
    }
    return used != 0;
}

// The next record of the file; false when there is none.
static bool next_record(struct shadow *shadow, struct command *record)
{
    switch (shadow->part) {
    case PART_ADMIN:
        if (next_admin(shadow, record))
            return true;
        shadow->part = PART_SESSIONS;
        shadow->at = 0;
        // fall through
    case PART_SESSIONS:
        if (next_session(shadow, record))
            return true;
        shadow->part = PART_FEED;
        // fall through
    case PART_FEED:
        *record = stream_record(SESSION_NONE, shadow->feed_first + 1);
        shadow->at = shadow->feed_first;
        shadow->part = PART_MESSAGES;
        return true;
    case PART_MESSAGES:
        if (next_messages(shadow, record))
            return true;
        shadow->part = PART_ENGINE;
        // fall through
    case PART_ENGINE:
        if (snapshot_next(&shadow->walk, record))
            return true;
        shadow->part = PART_SEAL;
        break;
    case PART_SEAL:
    case PART_SEALED:
        break;
    }
    return false;
}

enum shadow_result shadow_write(struct shadow *shadow, unsigned budget)
{
    struct command record;
    bool good = true;
    for (unsigned done = 0; good && done < budget && next_record(shadow, &record); done++)
        good = snapshot_put(shadow->writer, &record);
    if (good && shadow->part != PART_SEAL)
        return SHADOW_MORE;
    if (good && snapshot_seal(shadow->writer)) {
        shadow->part = PART_SEALED;
        return SHADOW_SEALED;
    }
    shadow_abandon(shadow);
    return SHADOW_FAILED;
}

bool shadow_publish(struct shadow *shadow)
{
    struct snapshot_writer *writer = shadow->writer;
    shadow->writer = NULL;
    return snapshot_publish(writer, shadow->config->snapshots.keep);
}

void shadow_abandon(struct shadow *shadow)
{
    if (shadow->writer)
        snapshot_abandon(shadow->writer);
    shadow->writer = NULL;
}
