// SPDX-License-Identifier: Apache-2.0
// Which role runs on which lcore, and which ring stands between whom: one table, read from the configuration.
#ifndef CROSSWIRE_TOPOLOGY_H
#define CROSSWIRE_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "contract/config.h"
#include "contract/region.h"

#define TOPOLOGY_ROLES_MAX 48

struct topology_role {
    enum role role;
    unsigned index;
    uint32_t lcore;
    const char *port; // NULL: none
    uint32_t queue;
    enum idle_policy idle; // the same for all roles of an lcore
};

struct topology_link {
    enum object_kind kind;
    const char *name;
    const char *from; // "gateway", "control", ..
    const char *to;
    unsigned a; // the region object's
    unsigned b;
    uint32_t depth; // cells
};

struct topology {
    struct topology_role roles[TOPOLOGY_ROLES_MAX];
    unsigned role_count;
    struct topology_link links[REGION_OBJECTS_MAX];
    unsigned sessions; // in all, whose tallies each gateway has a table of
    unsigned link_count;
};

// Fills the table. Returns 0, or EX_CONFIG with one line in `error` when the configuration asks for more than the
// region holds.
int topology_build(const struct config *config, struct topology *topology, char *error, size_t error_size);

// The region's objects for it: a core block a role, a port a matching core, a ring a link.
void topology_plan(const struct topology *topology, struct region_plan *plan);

// Prints the table, aligned.
void topology_print(const struct topology *topology, FILE *to);

#endif
