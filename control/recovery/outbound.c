// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/outbound.h"

#include <inttypes.h>
#include <stdlib.h>

#include "contract/log.h"
#include "control/recovery/replica.h"
#include "control/recovery/spill.h"

enum { ADVANCE_BUDGET = 1024 }; // journal records a call: well under a millisecond

struct outbound_core {
    struct replica *replica;
    bool failed;
};

struct outbound {
    const struct config *config;
    const struct journal_identity *identity;
    struct outbound_core *cores;
    struct spill *spills; // by session; not opened before its first message
    unsigned now;         // core whose events are being taken
};

struct outbound *outbound_new(const struct config *config, const struct journal_identity *identity)
{
    struct outbound *outbound = calloc(1, sizeof *outbound);
    if (!outbound)
        return NULL;
    outbound->config = config;
    outbound->identity = identity;
    outbound->cores = calloc(config->matchers_count + 1, sizeof *outbound->cores);
    outbound->spills = calloc(config->sessions_count + 1, sizeof *outbound->spills);
    if (outbound->cores && outbound->spills)
        return outbound;
    outbound_free(outbound);
    return NULL;
}

void outbound_free(struct outbound *outbound)
{
    if (!outbound)
        return;
    for (unsigned i = 0; outbound->cores && i < outbound->config->matchers_count; i++)
        replica_free(outbound->cores[i].replica);
    for (unsigned i = 0; outbound->spills && i < outbound->config->sessions_count; i++)
        spill_close(&outbound->spills[i]);
    free(outbound->cores);
    free(outbound->spills);
    free(outbound);
}

// ---- fan-out --------------------------------------------------------------------------------------------------------

static void give_one(const struct config *config, uint16_t session, const struct event *event, enum ouch_party party,
                     outbound_give *give, void *context)
{
    uint8_t message[OUCH_OUT_MAX];
    if (session >= config->sessions_count) // SESSION_NONE as well
        return;
    size_t length = ouch_out_encode(event, party, message);
    if (length)
        give(context, session, message, length);
}

void outbound_fan_out(const struct config *config, unsigned core, const struct event *event, outbound_give *give,
                      void *context)
{
    if (event->type == EV_SYSTEM) {
        if (event->flags & EV_MD_ANY) // an ITCH code
            return;
        for (unsigned i = 0; i < config->sessions_count; i++) {
            if (config->sessions[i].matcher == core)
                give_one(config, (uint16_t)i, event, OUCH_TAKER, give, context);
        }
        return;
    }
    give_one(config, event->session, event, OUCH_TAKER, give, context);
    if (event->type == EV_TRADE)
        give_one(config, event->other_session, event, OUCH_MAKER, give, context);
}

// ---- following the journal ------------------------------------------------------------------------------------------

static void core_failed(struct outbound *outbound, unsigned core, const char *text)
{
    outbound->cores[core].failed = true;
    log_event(LOG_XW2011, "\"core\":%u,\"text\":%s", core, log_quote(text));
}

static void store(void *context, uint16_t session, const uint8_t *message, size_t length)
{
    struct outbound *outbound = context;
    struct spill *spill = &outbound->spills[session];
    if (outbound->cores[outbound->now].failed)
        return;
    if ((!spill->buffer && !spill_open(spill, outbound->config->journal_directory)) ||
        !spill_append(spill, message, length))
        core_failed(outbound, outbound->now, "spill file");
}

static void take_event(void *context, const struct event *event)
{
    struct outbound *outbound = context;
    outbound_fan_out(outbound->config, outbound->now, event, store, outbound);
}

static enum outbound_result advance(struct outbound *outbound, unsigned index, const struct journal_place *until)
{
    struct outbound_core *core = &outbound->cores[index];
    if (core->failed)
        return OUTBOUND_NONE;
    if (!core->replica && !(core->replica = replica_new(outbound->config, outbound->identity, index))) {
        core_failed(outbound, index, "no memory for a replica");
        return OUTBOUND_NONE;
    }
    outbound->now = index;
    switch (replica_advance(core->replica, until, ADVANCE_BUDGET, take_event, outbound)) {
    case REPLICA_MORE:
        return OUTBOUND_LATER;
    case REPLICA_CAUGHT_UP:
        return OUTBOUND_OK;
    case REPLICA_FAILED:
        core_failed(outbound, index, replica_error(core->replica));
        break;
    }
    return OUTBOUND_NONE;
}

enum outbound_result outbound_follow(struct outbound *outbound, unsigned core, const struct journal_place *until)
{
    return advance(outbound, core, until);
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
                                    const struct journal_place *until, uint8_t *out, size_t room, unsigned *messages)
{
    *messages = 0;
    if (session >= outbound->config->sessions_count || first == 0 || count == 0)
        return OUTBOUND_NONE;
    struct spill *spill = &outbound->spills[session];
    unsigned core = outbound->config->sessions[session].matcher;
    // A request for several is answered by what there is, so only the first message must be waited for.
    if (spill->count < first) {
        enum outbound_result result = advance(outbound, core, until);
        if (spill->count < first && result == OUTBOUND_OK)
            result = advance(outbound, core, until); // what ended was a walk that an older request had begun
        if (spill->count < first)
            return result == OUTBOUND_LATER ? OUTBOUND_LATER : OUTBOUND_NONE;
    }
    size_t bytes;
    *messages = spill_read(spill, first, count, out, room, &bytes);
    return *messages ? OUTBOUND_OK : OUTBOUND_NONE;
}
