// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/outbound.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contract/drop_copy.h"
#include "contract/log.h"
#include "control/recovery/fan_out.h"
#include "control/recovery/replica.h"
#include "control/recovery/spill.h"

enum { ADVANCE_BUDGET = 1024 }; // journal records a call: well under a millisecond
// After a failure; the pause doubles from one to the next.
enum { AGAIN_MS = 250, AGAIN_DOUBLES = 8, AGAIN_MOST_MS = AGAIN_MS << AGAIN_DOUBLES };

struct outbound_core {
    struct replica *replica; // NULL before the first request, and after a failure
    uint32_t failures;       // since a walk has last ended
    uint64_t again_ns;       // the next begins no sooner
};

struct outbound {
    const struct config *config;
    const struct journal_identity *identity;
    struct outbound_core *cores;
    struct fan_out sessions;
    uint8_t *core_of;       // by session
    struct copy_map copies; // over `map`
    void *map;
    struct spill *spills; // by stream; not opened before its first message
    uint32_t *told;       // by stream: messages that its core's replica has made, kept in the spill already or not
    unsigned now;         // core whose events are being taken
    char trouble[128];    // why they can not be kept; empty: they can
};

struct outbound *outbound_new(const struct config *config, const struct journal_identity *identity)
{
    struct outbound *outbound = calloc(1, sizeof *outbound);
    if (!outbound)
        return NULL;
    outbound->config = config;
    outbound->identity = identity;
    outbound->cores = calloc(config->matchers_count + 1, sizeof *outbound->cores);
    outbound->spills = calloc(config_streams(config) + 1, sizeof *outbound->spills);
    outbound->told = calloc(config_streams(config) + 1, sizeof *outbound->told);
    outbound->core_of = malloc(config->sessions_count + 1);
    outbound->map = malloc(copy_map_footprint(config, COPY_MAP_ALL) + 1);
    if (!outbound->cores || !outbound->spills || !outbound->told || !outbound->core_of || !outbound->map) {
        outbound_free(outbound);
        return NULL;
    }
    outbound->sessions = (struct fan_out){config->sessions_count, outbound->core_of};
    for (uint32_t i = 0; i < config->sessions_count; i++)
        outbound->core_of[i] = (uint8_t)config->sessions[i].matcher;
    copy_map_new(&outbound->copies, outbound->map, config, COPY_MAP_ALL);
    return outbound;
}

void outbound_free(struct outbound *outbound)
{
    if (!outbound)
        return;
    for (unsigned i = 0; outbound->cores && i < outbound->config->matchers_count; i++)
        replica_free(outbound->cores[i].replica);
    for (unsigned i = 0; outbound->spills && i < config_streams(outbound->config); i++)
        spill_close(&outbound->spills[i]);
    free(outbound->cores);
    free(outbound->spills);
    free(outbound->told);
    free(outbound->core_of);
    free(outbound->map);
    free(outbound);
}

// ---- following the journal ------------------------------------------------------------------------------------------

// What fails may be mended while control runs, as a full disk is: it is said once, and the core's journal is gone
// through again from its beginning, more and more rarely. What the spills hold stays in them.
static void core_failed(struct outbound *outbound, unsigned index, uint64_t now_ns, const char *text)
{
    struct outbound_core *core = &outbound->cores[index];
    uint64_t pause_ms = core->failures < AGAIN_DOUBLES ? (uint64_t)AGAIN_MS << core->failures : AGAIN_MOST_MS;
    if (core->failures++ == 0)
        log_event(LOG_XW2011, "\"core\":%u,\"text\":%s", index, log_quote(text));
    replica_free(core->replica);
    core->replica = NULL;
    core->again_ns = now_ns + pause_ms * UINT64_C(1000000);
}

// Drops the spill whole: what it took of a full disk is given back, to the journal if need be.
static void spill_failed(struct outbound *outbound, uint16_t stream)
{
    snprintf(outbound->trouble, sizeof outbound->trouble, "the file of %s's messages: %s",
             config_stream(outbound->config, stream).user, strerror(errno));
    spill_close(&outbound->spills[stream]);
}

static void store(struct outbound *outbound, uint16_t stream, const uint8_t *message, size_t length)
{
    struct spill *spill = &outbound->spills[stream];
    if (outbound->trouble[0] || ++outbound->told[stream] <= spill->count)
        return;
    if ((!spill->buffer && !spill_open(spill, outbound->config->journal_directory)) ||
        !spill_append(spill, message, length))
        spill_failed(outbound, stream);
}

static void store_copies(struct outbound *outbound, uint16_t session, const uint8_t *message, size_t length)
{
    uint8_t envelope[STREAM_MESSAGE_MAX];
    char names[DROP_COPY_NAMES];
    const uint32_t first = outbound->copies.first[session], end = outbound->copies.first[session + 1];
    if (first == end)
        return;
    drop_copy_names(outbound->config, session, names);
    drop_copy_head(envelope, names, outbound->told[session]);
    memcpy(envelope + DROP_COPY_HEADER, message, length);
    for (uint32_t i = first; i < end; i++)
        store(outbound, outbound->copies.streams[i], envelope, DROP_COPY_HEADER + length);
}

static void take_message(void *context, uint16_t session, const uint8_t *message, size_t length)
{
    struct outbound *outbound = context;
    store(outbound, session, message, length);
    if (outbound->copies.first)
        store_copies(outbound, session, message, length);
}

static void take_event(void *context, const struct event *event)
{
    struct outbound *outbound = context;
    fan_out(&outbound->sessions, outbound->now, event, take_message, outbound);
}

// A replica at the journal's beginning.
static bool begin(struct outbound *outbound, unsigned index)
{
    const struct config *config = outbound->config;
    for (unsigned i = 0; i < config_streams(config); i++) {
        if (config_stream(config, i).matcher == index)
            outbound->told[i] = 0;
    }
    outbound->cores[index].replica = replica_new(config, outbound->identity, index);
    return outbound->cores[index].replica != NULL;
}

static enum outbound_result advance(struct outbound *outbound, unsigned index, const struct journal_place *until,
                                    uint64_t now_ns)
{
    struct outbound_core *core = &outbound->cores[index];
    if (core->failures && !core->replica && now_ns < core->again_ns)
        return OUTBOUND_NONE;
    if (!core->replica && !begin(outbound, index)) {
        core_failed(outbound, index, now_ns, "no memory for a replica");
        return OUTBOUND_NONE;
    }
    outbound->now = index;
    outbound->trouble[0] = 0;
    enum replica_result result = replica_advance(core->replica, until, ADVANCE_BUDGET, take_event, outbound);
    if (result == REPLICA_FAILED || outbound->trouble[0]) {
        core_failed(outbound, index, now_ns, outbound->trouble[0] ? outbound->trouble : replica_error(core->replica));
        return OUTBOUND_NONE;
    }
    if (result == REPLICA_MORE)
        return OUTBOUND_LATER;
    core->failures = 0;
    return OUTBOUND_OK;
}

enum outbound_result outbound_follow(struct outbound *outbound, unsigned core, const struct journal_place *until,
                                     uint64_t now_ns)
{
    return advance(outbound, core, until, now_ns);
}

uint32_t outbound_count(const struct outbound *outbound, uint16_t session)
{
    return outbound->spills[session].count;
}

unsigned outbound_read(struct outbound *outbound, uint16_t session, uint32_t first, unsigned count, uint8_t *out,
                       size_t room, size_t *bytes)
{
    *bytes = 0;
    return outbound->spills[session].buffer ? spill_read(&outbound->spills[session], first, count, out, room, bytes)
                                            : 0;
}

enum outbound_result outbound_fetch(struct outbound *outbound, uint16_t session, uint32_t first, unsigned count,
                                    const struct journal_place *until, uint64_t now_ns, uint8_t *out, size_t room,
                                    unsigned *messages)
{
    *messages = 0;
    if (session >= config_streams(outbound->config) || first == 0 || count == 0)
        return OUTBOUND_NONE;
    struct spill *spill = &outbound->spills[session];
    unsigned core = config_stream(outbound->config, session).matcher;
    // A request for several is answered by what there is, so only the first message must be waited for.
    if (spill->count < first) {
        enum outbound_result result = advance(outbound, core, until, now_ns);
        if (spill->count < first && result == OUTBOUND_OK)
            result = advance(outbound, core, until, now_ns); // what ended was a walk that an older request had begun
        if (spill->count < first)
            return result == OUTBOUND_LATER ? OUTBOUND_LATER : OUTBOUND_NONE;
    }
    size_t bytes;
    *messages = spill_read(spill, first, count, out, room, &bytes);
    return *messages ? OUTBOUND_OK : OUTBOUND_NONE;
}
