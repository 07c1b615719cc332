// SPDX-License-Identifier: Apache-2.0
#include "topology.h"

#include <sysexits.h>

#include "contract/assert.h"

#define REQUEST_DEPTH 256 // logins and old retransmissions that wait for control, a gateway
#define ALERT_DEPTH 4096  // alerts that control has not read, a matching core
#define REPLY_DEPTH 1024  // messages that control has regenerated for one gateway

// Who stands at an end of a link. CONTROL is the other process: one, not numbered.
enum end { END_GATEWAY, END_MATCHER, END_PUBLISHER, END_CONTROL, END_JOURNAL, END_COUNT };

static const char *const end_names[END_COUNT] = {"gateway", "matcher", "publisher", "control", "journal"};

enum depth { DEPTH_ORDERS, DEPTH_EVENTS, DEPTH_COMMANDS, DEPTH_JOURNAL, DEPTH_REQUESTS, DEPTH_REPLIES, DEPTH_ALERTS };

// Every kind of ring there is. All but alerts are reliable: a full one pushes back. A matcher has links to all
// gateways, and to the publisher of its own number.
static const struct link_kind {
    enum object_kind kind;
    const char *name;
    enum end from;
    enum end to;
    enum depth depth;
} link_kinds[] = {
    {OBJECT_ORDERS, "orders", END_GATEWAY, END_MATCHER, DEPTH_ORDERS},
    {OBJECT_EVENTS, "events", END_MATCHER, END_GATEWAY, DEPTH_EVENTS},
    {OBJECT_MARKET_DATA, "market data", END_MATCHER, END_PUBLISHER, DEPTH_EVENTS},
    {OBJECT_COMMANDS, "commands", END_CONTROL, END_MATCHER, DEPTH_COMMANDS},
    {OBJECT_JOURNAL, "journal", END_MATCHER, END_JOURNAL, DEPTH_JOURNAL},
    {OBJECT_REQUESTS, "requests", END_GATEWAY, END_CONTROL, DEPTH_REQUESTS},
    {OBJECT_REPLIES, "replies", END_CONTROL, END_GATEWAY, DEPTH_REPLIES},
    {OBJECT_ALERTS, "alerts", END_MATCHER, END_CONTROL, DEPTH_ALERTS},
};
#define LINK_KINDS (sizeof link_kinds / sizeof link_kinds[0])

static uint32_t depth_of(const struct config *config, enum depth depth)
{
    switch (depth) {
    case DEPTH_ORDERS:
        return config->dataplane.order_ring_depth;
    case DEPTH_EVENTS:
        return config->dataplane.event_ring_depth;
    case DEPTH_COMMANDS:
        return config->dataplane.command_ring_depth;
    case DEPTH_JOURNAL:
        return config->dataplane.journal_ring_depth;
    case DEPTH_REQUESTS:
        return REQUEST_DEPTH;
    case DEPTH_REPLIES:
        return REPLY_DEPTH;
    case DEPTH_ALERTS:
        return ALERT_DEPTH;
    }
    return 0;
}

static unsigned instances(const struct config *config, enum end end)
{
    switch (end) {
    case END_GATEWAY:
        return config->gateways_count;
    case END_MATCHER:
        return config->matchers_count;
    case END_PUBLISHER:
        return config->publishers_count;
    default:
        return 0; // of the other process: not numbered
    }
}

static void add_role(struct topology *topology, struct topology_role role)
{
    xw_assert(topology->role_count < TOPOLOGY_ROLES_MAX);
    topology->roles[topology->role_count++] = role;
}

static void add_roles(const struct config *config, struct topology *topology)
{
    for (unsigned i = 0; i < config->gateways_count; i++) {
        const struct config_gateway *at = &config->gateways[i];
        add_role(topology, (struct topology_role){ROLE_GATEWAY, i, at->lcore, at->port, at->queue, at->idle_policy});
    }
    for (unsigned i = 0; i < config->matchers_count; i++) {
        const struct config_matcher *at = &config->matchers[i];
        add_role(topology, (struct topology_role){ROLE_MATCHER, i, at->lcore, NULL, 0, at->idle_policy});
    }
    for (unsigned i = 0; i < config->publishers_count; i++) {
        const struct config_publisher *at = &config->publishers[i];
        add_role(topology, (struct topology_role){ROLE_PUBLISHER, i, at->lcore, at->port, at->queue, at->idle_policy});
    }
}

static bool add_link(struct topology *topology, const struct link_kind *kind, unsigned a, unsigned b, uint32_t depth)
{
    if (topology->link_count == REGION_OBJECTS_MAX)
        return false;
    topology->links[topology->link_count++] =
        (struct topology_link){kind->kind, kind->name, end_names[kind->from], end_names[kind->to], a, b, depth};
    return true;
}

static bool add_links(const struct config *config, const struct link_kind *kind, struct topology *topology)
{
    uint32_t depth = depth_of(config, kind->depth);
    unsigned from = instances(config, kind->from), to = instances(config, kind->to);
    bool fits = true;
    if (from == 0 || to == 0) { // a link with control: b is our end
        for (unsigned b = 0; b < from + to; b++)
            fits = fits && add_link(topology, kind, 0, b, depth);
        return fits;
    }
    for (unsigned a = 0; a < from; a++) {
        for (unsigned b = 0; b < to; b++) {
            if (kind->to != END_PUBLISHER || a == b)
                fits = fits && add_link(topology, kind, a, b, depth);
        }
    }
    return fits;
}

int topology_build(const struct config *config, struct topology *topology, char *error, size_t error_size)
{
    *topology = (struct topology){.role_count = 0};
    bool fits = config->gateways_count + config->matchers_count + config->publishers_count <= TOPOLOGY_ROLES_MAX;
    if (fits)
        add_roles(config, topology);
    for (unsigned i = 0; fits && i < LINK_KINDS; i++)
        fits = add_links(config, &link_kinds[i], topology);
    topology->sessions = config->sessions_count;
    if (fits && topology->role_count + config->matchers_count + config->gateways_count + 1 + topology->link_count <=
                    REGION_OBJECTS_MAX)
        return 0;
    snprintf(error, error_size, "%u gateways with %u matchers need more rings than the region's %u objects: use fewer",
             config->gateways_count, config->matchers_count, REGION_OBJECTS_MAX);
    return EX_CONFIG;
}

void topology_plan(const struct topology *topology, struct region_plan *plan)
{
    *plan = (struct region_plan){.count = 0};
    for (unsigned i = 0; i < topology->role_count; i++) {
        const struct topology_role *at = &topology->roles[i];
        region_plan_add(plan, OBJECT_CORE, at->role, at->index, 0);
        if (at->role == ROLE_MATCHER)
            region_plan_add(plan, OBJECT_MATCHER, 0, at->index, 0);
        if (at->role == ROLE_GATEWAY)
            region_plan_add(plan, OBJECT_TALLIES, 0, at->index, topology->sessions);
    }
    region_plan_add(plan, OBJECT_BOARD, 0, 0, 0);
    for (unsigned i = 0; i < topology->link_count; i++) {
        const struct topology_link *at = &topology->links[i];
        region_plan_add(plan, at->kind, at->a, at->b, at->depth);
    }
}

// "gateway 0", or "control" for an end that is not numbered.
static const char *end_text(char *text, size_t size, const char *end, unsigned index)
{
    bool numbered = end != end_names[END_CONTROL] && end != end_names[END_JOURNAL];
    if (numbered)
        snprintf(text, size, "%s %u", end, index);
    else
        snprintf(text, size, "%s", end);
    return text;
}

void topology_print(const struct topology *topology, FILE *to)
{
    fprintf(to, "%-14s %5s  %-6s  %s\n", "role", "lcore", "idle", "port, queue");
    for (unsigned i = 0; i < topology->role_count; i++) {
        const struct topology_role *at = &topology->roles[i];
        char name[32], port[64] = "-";
        if (at->port)
            snprintf(port, sizeof port, "%s, %u", at->port, at->queue);
        fprintf(to, "%-14s %5u  %-6s  %s\n", end_text(name, sizeof name, role_name(at->role), at->index), at->lcore,
                config_idle_name(at->idle), port);
    }
    fprintf(to, "\n%-12s %-14s %-14s %8s  %s\n", "ring", "from", "to", "cells", "when full");
    for (unsigned i = 0; i < topology->link_count; i++) {
        const struct topology_link *at = &topology->links[i];
        char from[32], end[32];
        bool control =
            at->from == end_names[END_CONTROL] || at->to == end_names[END_CONTROL] || at->to == end_names[END_JOURNAL];
        fprintf(to, "%-12s %-14s %-14s %8u  %s\n", at->name,
                end_text(from, sizeof from, at->from, control ? at->b : at->a),
                end_text(end, sizeof end, at->to, at->b), at->depth, "pushes back");
    }
}
