// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/settled.h"

#include "control/recovery/ring_adopt.h"

enum { FRESH_ROUNDS = 2 }; // housekeeping rounds of a core that prove its published figures fresh

bool settled_poll(struct settled *settled, const struct generation *generation, const struct journal_writer *writer,
                  unsigned core)
{
    const uint64_t heartbeat = atomic_load_explicit(&generation->blocks[core]->heartbeat, memory_order_acquire);
    if (settled->sequence)
        return journal_writer_durable(writer, core) >= settled->sequence;
    if (!ring_is_empty(generation->commands[core]))
        return false;
    if (settled->heartbeat == 0)
        settled->heartbeat = heartbeat + 1;
    if (heartbeat + 1 - settled->heartbeat >= FRESH_ROUNDS)
        settled->sequence = atomic_load_explicit(&generation->ports[core]->applied_seq, memory_order_acquire);
    return false;
}
