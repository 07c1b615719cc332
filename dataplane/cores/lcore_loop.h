// SPDX-License-Identifier: Apache-2.0
// What a pinned lcore runs: its roles in turn, for ever, without an allocation or a lock; without a system call unless
// it is told to yield when it is idle.
//
// A round is: poll of each gateway, poll of each matcher, flush of each gateway, poll of each publisher. So a command
// that came in with this round's packets is matched and its answer is sent before the publisher costs anything.
//
// The loop writes of a core block: heartbeat, busy_cycles, idle_cycles, heap_bytes, and CORE_HALT once a role that was
// asked to stop says that it is drained. The role writes the other states and its counters.
#ifndef CROSSWIRE_CORES_LCORE_LOOP_H
#define CROSSWIRE_CORES_LCORE_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "contract/region.h"
#include "cores/role.h"

#define LCORE_ROLES_MAX 48
#define HOUSEKEEP_INTERVAL_US 20 // of each role

struct lcore_role {
    const struct role_descriptor *descriptor;
    void *instance;
    struct core_block *block;
    uint64_t busy_cycles;
    uint64_t idle_cycles;
    uint64_t beats;
};

struct lcore_loop {
    struct lcore_role roles[LCORE_ROLES_MAX];
    unsigned count;
    uint32_t lcore;
    uint64_t tsc_hz;
    enum idle_policy idle;              // after a round in which no role has found anything to do
    const struct region_header *header; // header->stop asks the roles to drain
    const _Atomic bool *quit;           // set by the main thread: leave the loop now
};

// Whether this CPU can idle so.
bool lcore_loop_can_idle(enum idle_policy policy);

// Adds a role that has been initialised.
void lcore_loop_add(struct lcore_loop *loop, const struct role_descriptor *descriptor, void *instance,
                    struct core_block *block);

// Polls until *quit. `argument` is the struct lcore_loop; the signature is eal_launch's. Returns 0.
int lcore_loop_run(void *argument);

#endif
