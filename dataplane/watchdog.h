// SPDX-License-Identifier: Apache-2.0
// Feeds the service manager's watchdog, only as long as every core's heartbeat moves.
#ifndef CROSSWIRE_WATCHDOG_H
#define CROSSWIRE_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/region.h"
#include "topology.h"

struct watchdog {
    uint64_t interval_ns; // 0: nobody waits for it
    uint64_t due_ns;
    unsigned count;
    const struct core_block *cores[TOPOLOGY_ROLES_MAX];
    uint64_t beats[TOPOLOGY_ROLES_MAX]; // as they were when it was fed last
};

// `within_ns`: how long the service manager waits, notify_watchdog_ns's. It is fed four times in that.
void watchdog_open(struct watchdog *watchdog, uint64_t within_ns);

// One more core that must move. The block outlives the watchdog.
void watchdog_add(struct watchdog *watchdog, const struct core_block *core);

// At monotonic time `now_ns`: whether it is time to feed it and every core has moved since it was fed last. From now on
// all have to move again. The caller then says notify_alive.
bool watchdog_due(struct watchdog *watchdog, uint64_t now_ns);

#endif
