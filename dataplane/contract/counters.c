// SPDX-License-Identifier: Apache-2.0
#include "contract/counters.h"

#include <stddef.h>

#define IN_GATEWAY(...) {__VA_ARGS__},
#define IN_MATCHER(...)
#define IN_PUBLISHER(...)
static const struct counter_info gateway_counters[] = {
#define COUNTER(role, name, unit, help) IN_##role(#name, unit, help)
#include "contract/counters.def"
#undef COUNTER
#define DISCARD(name, text) {"discard_" #name, "messages", text},
#include "contract/discard.def"
#undef DISCARD
};
#undef IN_GATEWAY
#undef IN_MATCHER
#define IN_GATEWAY(...)
#define IN_MATCHER(...) {__VA_ARGS__},
static const struct counter_info matcher_counters[] = {
#define COUNTER(role, name, unit, help) IN_##role(#name, unit, help)
#include "contract/counters.def"
#undef COUNTER
#define LIMIT(name, key, scopes, unit, reject, help) {"refused_" key, "messages", "rejected for the limit: " help},
#include "contract/limits.def"
#undef LIMIT
};
#undef IN_MATCHER
#undef IN_PUBLISHER
#define IN_MATCHER(...)
#define IN_PUBLISHER(...) {__VA_ARGS__},
static const struct counter_info publisher_counters[] = {
#define COUNTER(role, name, unit, help) IN_##role(#name, unit, help)
#include "contract/counters.def"
#undef COUNTER
#define DISCARD(name, text) {"discard_" #name, "messages", text},
#include "contract/discard.def"
#undef DISCARD
};

static const struct {
    const char *name;
    const struct counter_info *counters;
    unsigned count;
} roles[ROLE_COUNT] = {
    [ROLE_GATEWAY] = {"gateway", gateway_counters, COUNT_GATEWAY_END},
    [ROLE_MATCHER] = {"matcher", matcher_counters, COUNT_MATCHER_END},
    [ROLE_PUBLISHER] = {"publisher", publisher_counters, COUNT_PUBLISHER_END},
};

const struct counter_info *counter_info(enum role role, unsigned index)
{
    return index < roles[role].count ? &roles[role].counters[index] : NULL;
}

const char *role_name(enum role role)
{
    return roles[role].name;
}
