// SPDX-License-Identifier: Apache-2.0
// Recovery as the matching core sees it: history comes in order, every command with the hash that stood before it. The
// first one that does not fit stops the core for good.
#include "cores/matcher.h"

static void fail(struct matcher *matcher, uint64_t seq, uint64_t want, uint64_t got)
{
    atomic_store_explicit(&matcher->port->diverged_want, want, memory_order_relaxed);
    atomic_store_explicit(&matcher->port->diverged_got, got, memory_order_relaxed);
    // Release: who sees the sequence sees the hashes.
    atomic_store_explicit(&matcher->port->diverged_seq, seq, memory_order_release);
    matcher->state = CORE_FAIL;
    atomic_store_explicit(&matcher->block->state, CORE_FAIL, memory_order_release);
}

// History is complete. The journal ring goes on where the journal ends.
static void recovered(struct matcher *matcher, uint64_t seq)
{
    uint64_t have = engine_sequence(matcher->engine);
    if (seq != have) {
        fail(matcher, have + 1, seq, have);
        return;
    }
    ring_rebase(matcher->journal.ring, seq);
    writer_new(&matcher->journal, matcher->journal.ring);
    matcher->credit = 0;
    matcher->previous_ns = engine_time_ns(matcher->engine);
    matcher->state = CORE_RUN;
    atomic_store_explicit(&matcher->port->applied_seq, seq, memory_order_release);
    // Release pairs with the acquire in gateways and publishers: all that was replayed has been pushed.
    atomic_store_explicit(&matcher->block->state, CORE_RUN, memory_order_release);
}

void matcher_replay(struct matcher *matcher, const struct command *cell)
{
    if (cell->type == DIRECTIVE_RECOVERED) {
        recovered(matcher, cell->recovered.seq);
        return;
    }
    if (cell->type == DIRECTIVE_DRAIN) {
        matcher->told_to_drain = true;
        return;
    }
    struct command command = *cell;
    uint64_t hash = engine_event_hash(matcher->engine);
    command.seq = engine_sequence(matcher->engine) + 1;
    if (command.prev_hash != (uint32_t)hash) {
        fail(matcher, command.seq, command.prev_hash, (uint32_t)hash);
        return;
    }
    if (command.type == CMD_TICK && command.tick.event_hash != hash) {
        fail(matcher, command.seq, command.tick.event_hash, hash);
        return;
    }
    matcher->counters[COUNT_MATCHER_replayed]++;
    matcher_step(matcher, &command, 0);
}
