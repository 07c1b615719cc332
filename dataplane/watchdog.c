// SPDX-License-Identifier: Apache-2.0
#include "watchdog.h"

#include "contract/assert.h"

void watchdog_open(struct watchdog *watchdog, uint64_t within_ns)
{
    *watchdog = (struct watchdog){.interval_ns = within_ns / 4};
}

void watchdog_add(struct watchdog *watchdog, const struct core_block *core)
{
    xw_assert(watchdog->count < TOPOLOGY_ROLES_MAX);
    watchdog->cores[watchdog->count++] = core;
}

bool watchdog_due(struct watchdog *watchdog, uint64_t now_ns)
{
    if (watchdog->interval_ns == 0 || now_ns < watchdog->due_ns)
        return false;
    uint64_t beats[TOPOLOGY_ROLES_MAX];
    for (unsigned i = 0; i < watchdog->count; i++) {
        beats[i] = atomic_load_explicit(&watchdog->cores[i]->heartbeat, memory_order_relaxed);
        if (beats[i] == watchdog->beats[i])
            return false; // looked at again at once, so that a late core is not a dead one
    }
    for (unsigned i = 0; i < watchdog->count; i++)
        watchdog->beats[i] = beats[i];
    watchdog->due_ns = now_ns + watchdog->interval_ns;
    return true;
}
