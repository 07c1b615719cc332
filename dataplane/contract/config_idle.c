// SPDX-License-Identifier: Apache-2.0
// The idle policy of every role: its own, or the data plane's; roles of one lcore have the same.
#include <string.h>

#include "contract/config_source.h"

static const char *const names[] = {
    [IDLE_SPIN] = "spin", [IDLE_PAUSE] = "pause", [IDLE_UMWAIT] = "umwait", [IDLE_YIELD] = "yield"};

const char *config_idle_name(enum idle_policy policy)
{
    return names[policy];
}

static bool find_policy(const char *text, enum idle_policy *policy)
{
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *policy = (enum idle_policy)i;
            return true;
        }
    }
    return false;
}

struct idle_walk {
    struct config_source *source;
    const struct config *config;
    int of_lcore[128]; // the policy of a role there, -1: none yet
};

static bool resolve_one(struct idle_walk *walk, enum config_section section, uint32_t index, uint32_t lcore,
                        const char *own, enum idle_policy *policy)
{
    const char *text = own[0] ? own : walk->config->dataplane.idle;
    if (!find_policy(text, policy))
        return config_fail_at(walk->source, own[0] ? section : CONFIG_dataplane, own[0] ? index : 0, "idle",
                              "`idle` is `%s`; write spin, pause, umwait or yield", config_shown(text, strlen(text)));
    if (walk->of_lcore[lcore] >= 0 && walk->of_lcore[lcore] != (int)*policy)
        return config_fail_at(
            walk->source, section, index, "idle",
            "`idle` is `%s`, and another role of lcore %u has `%s`; roles that share an lcore idle in "
            "one way",
            text, lcore, names[walk->of_lcore[lcore]]);
    walk->of_lcore[lcore] = (int)*policy;
    return true;
}

bool config_resolve_idle(struct config_source *source, struct config *config)
{
    struct idle_walk walk = {.source = source, .config = config};
    memset(walk.of_lcore, -1, sizeof walk.of_lcore);
    for (uint32_t i = 0; i < config->gateways_count; i++) {
        struct config_gateway *at = &config->gateways[i];
        if (!resolve_one(&walk, CONFIG_gateways, i, at->lcore, at->idle, &at->idle_policy))
            return false;
    }
    for (uint32_t i = 0; i < config->matchers_count; i++) {
        struct config_matcher *at = &config->matchers[i];
        if (!resolve_one(&walk, CONFIG_matchers, i, at->lcore, at->idle, &at->idle_policy))
            return false;
    }
    for (uint32_t i = 0; i < config->publishers_count; i++) {
        struct config_publisher *at = &config->publishers[i];
        if (!resolve_one(&walk, CONFIG_publishers, i, at->lcore, at->idle, &at->idle_policy))
            return false;
    }
    return true;
}
