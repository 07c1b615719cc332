// SPDX-License-Identifier: Apache-2.0
#include "control/risk/retell.h"

#include <stdlib.h>

#include "contract/assert.h"
#include "contract/log.h"
#include "control/recovery/replica.h"

enum { TAKERS = 4, BUDGET = 1024 };

struct retell {
    const struct config *config;
    const struct journal_identity *identity;
    const struct journal_writer *writer;
    struct {
        alerts_take *take;
        retell_end *end;
        void *context;
    } takers[TAKERS];
    unsigned takers_count;
    bool asked;                      // once at least
    uint32_t wanted;                 // cores that are to be told of, a bit each
    uint64_t dropped[JOURNAL_CORES]; // alerts, as was last seen
    uint64_t generation;             // whose these are
    unsigned core;                   // that is being told of
    struct replica *replica;         // NULL: none is
    uint64_t least;                  // the sequence that must have been taken
};

struct retell *retell_new(const struct config *config, const struct journal_identity *identity,
                          const struct journal_writer *writer)
{
    struct retell *retell = calloc(1, sizeof *retell);
    if (!retell)
        return NULL;
    retell->config = config;
    retell->identity = identity;
    retell->writer = writer;
    return retell;
}

void retell_free(struct retell *retell)
{
    if (retell)
        replica_free(retell->replica);
    free(retell);
}

void retell_register(struct retell *retell, alerts_take *take, retell_end *end, void *context)
{
    xw_assert(retell->takers_count < TAKERS);
    retell->takers[retell->takers_count].take = take;
    retell->takers[retell->takers_count].end = end;
    retell->takers[retell->takers_count++].context = context;
}

void retell_core(struct retell *retell, unsigned core)
{
    retell->asked = true;
    retell->wanted |= 1u << core;
}

void retell_all(struct retell *retell)
{
    replica_free(retell->replica); // it may have been on its way to an earlier end
    retell->replica = NULL;
    for (unsigned core = 0; core < retell->config->matchers_count; core++)
        retell_core(retell, core);
}

bool retell_complete(const struct retell *retell)
{
    return retell->asked && retell->wanted == 0 && !retell->replica;
}

// ---- one core -------------------------------------------------------------------------------------------------------

static void take_event(void *context, const struct event *event)
{
    const struct retell *retell = context;
    struct alert alert = {.cmd_seq = event->cmd_seq, .time_ns = event->time_ns, .limit = LIMITS};
    if (event->type == EV_TRADING_ACTION) {
        alert.kind = ALERT_STATE;
        alert.scope = SCOPE_SYMBOL;
        alert.index = alert.locate = event->locate;
        alert.after = (uint8_t)event->reason;
    } else if (event->type == EV_ALERT) {
        alert.kind = (uint8_t)event->reason;
        alert.scope = event->alert_scope;
        alert.limit = (uint8_t)event->quantity;
        alert.reason = event->alert_reason;
        alert.index = (uint16_t)event->price;
        alert.locate = event->locate;
        alert.before = event->alert_before;
        alert.after = event->alert_after;
    } else {
        return;
    }
    for (unsigned i = 0; i < retell->takers_count; i++)
        retell->takers[i].take(retell->takers[i].context, retell->core, &alert);
}

static void end_core(struct retell *retell, const char *wrong, uint64_t now_ns)
{
    if (wrong)
        log_event(LOG_XW2038, "\"core\":%u,\"text\":%s", retell->core, log_quote(wrong));
    replica_free(retell->replica);
    retell->replica = NULL;
    for (unsigned i = 0; i < retell->takers_count; i++)
        retell->takers[i].end(retell->takers[i].context, retell->core, !wrong, now_ns);
}

static void begin_core(struct retell *retell, const struct generation *generation, uint64_t now_ns)
{
    retell->core = (unsigned)__builtin_ctz(retell->wanted);
    retell->wanted &= retell->wanted - 1;
    // What a core that runs has told so far may be durable a little later.
    retell->least =
        generation ? atomic_load_explicit(&generation->ports[retell->core]->applied_seq, memory_order_acquire) : 0;
    retell->replica = replica_new(retell->config, retell->identity, retell->core);
    if (!retell->replica)
        end_core(retell, "no memory for a replica", now_ns);
}

static void go_on(struct retell *retell, const struct generation *generation, uint64_t now_ns)
{
    const struct journal_place until = journal_writer_position(retell->writer);
    if (!generation)
        retell->least = 0; // what was not durable when it died never will be
    switch (replica_advance(retell->replica, &until, BUDGET, take_event, retell)) {
    case REPLICA_MORE:
        break;
    case REPLICA_CAUGHT_UP:
        if (engine_sequence(replica_engine(retell->replica)) >= retell->least)
            end_core(retell, NULL, now_ns);
        break;
    case REPLICA_FAILED:
        end_core(retell, replica_error(retell->replica), now_ns);
        break;
    }
}

// ---- the whole ------------------------------------------------------------------------------------------------------

static void look_for_dropped(struct retell *retell, const struct generation *generation)
{
    const bool other = retell->generation != generation->region.header->generation;
    retell->generation = generation->region.header->generation;
    for (unsigned core = 0; core < generation->cores; core++) {
        const uint64_t dropped = atomic_load_explicit(&generation->blocks[core]->counters[COUNT_MATCHER_alerts_dropped],
                                                      memory_order_relaxed);
        if (!other && dropped != retell->dropped[core])
            retell_core(retell, core);
        retell->dropped[core] = dropped;
    }
}

void retell_poll(struct retell *retell, const struct generation *generation, uint64_t now_ns)
{
    if (generation)
        look_for_dropped(retell, generation);
    if (retell->replica)
        go_on(retell, generation, now_ns);
    else if (retell->wanted)
        begin_core(retell, generation, now_ns);
}
