// SPDX-License-Identifier: Apache-2.0
// A role is one file that exports one descriptor. The same role runs alone on an lcore or shares it, run to completion.
#ifndef CROSSWIRE_CORES_ROLE_H
#define CROSSWIRE_CORES_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/config.h"
#include "contract/region.h"

// What a role instance is given at start. All of it outlives the role.
struct role_context {
    const struct config *config;
    const struct region *region;
    unsigned index; // of this instance among its role
    struct core_block *block;
    // Zeroed, page aligned, of huge pages where configured; NULL when there is none. Only in init.
    void *(*take_memory)(size_t size, const char *purpose);
    uint64_t tsc_hz;
};

#define ROLE_TAKES_MAX 4

struct role_descriptor {
    const char *name;
    enum role role;
    // The sizes that init takes of memory, in its order, into `sizes` (room for ROLE_TAKES_MAX). Returns how many. So
    // that what a configuration needs is known before anything starts.
    unsigned (*takes)(const struct config *config, unsigned index, size_t *sizes);
    // Takes the role's memory and joins its rings. Returns the instance, or NULL with one line in error.
    void *(*init)(const struct role_context *context, char *error, size_t error_size);
    // One run to completion, bounded. `now` is the TSC. Returns how much work was found: 0 means idle.
    unsigned (*poll)(void *instance, uint64_t now);
    // NULL, or the second half of a round: a gateway takes its events and transmits. On one lcore a round is: poll of
    // the gateways, poll of the matchers, flush of the gateways, poll of the publishers; so a reply waits for no
    // publisher.
    unsigned (*flush)(void *instance, uint64_t now);
    // At a lower rate on the same core: timers, published counters, state. Returns nothing.
    void (*housekeep)(void *instance, uint64_t now);
    // After the last poll, on the main thread.
    void (*fini)(void *instance);
    // True when, asked to stop, the role has nothing left to do.
    bool (*drained)(const void *instance);
};

extern const struct role_descriptor gateway_role;
extern const struct role_descriptor matcher_role;
extern const struct role_descriptor publisher_role;

#endif
