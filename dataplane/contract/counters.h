// SPDX-License-Identifier: Apache-2.0
// Counter, discard-reason and limit indexes and names, all made from the .def tables.
#ifndef CROSSWIRE_CONTRACT_COUNTERS_H
#define CROSSWIRE_CONTRACT_COUNTERS_H

#include <stdint.h>

#include "contract/risk.h"

enum discard {
#define DISCARD(name, text) DISCARD_##name,
#include "contract/discard.def"
#undef DISCARD
    DISCARD_COUNT
};

enum role { ROLE_GATEWAY, ROLE_MATCHER, ROLE_PUBLISHER, ROLE_COUNT };

// The numbers of each role count from 0 in that role's own core block.
#define ROLE_COUNTER_GATEWAY(name) COUNT_GATEWAY_##name,
#define ROLE_COUNTER_MATCHER(name)
#define ROLE_COUNTER_PUBLISHER(name)
enum gateway_counter {
#define COUNTER(role, name, unit, help) ROLE_COUNTER_##role(name)
#include "contract/counters.def"
#undef COUNTER
    COUNT_GATEWAY_discard_first, // + enum discard
    COUNT_GATEWAY_END = COUNT_GATEWAY_discard_first + DISCARD_COUNT
};
#undef ROLE_COUNTER_GATEWAY
#undef ROLE_COUNTER_MATCHER
#define ROLE_COUNTER_GATEWAY(name)
#define ROLE_COUNTER_MATCHER(name) COUNT_MATCHER_##name,
enum matcher_counter {
#define COUNTER(role, name, unit, help) ROLE_COUNTER_##role(name)
#include "contract/counters.def"
#undef COUNTER
    COUNT_MATCHER_refused_first, // + enum limit
    COUNT_MATCHER_END = COUNT_MATCHER_refused_first + LIMITS
};
#undef ROLE_COUNTER_MATCHER
#undef ROLE_COUNTER_PUBLISHER
#define ROLE_COUNTER_MATCHER(name)
#define ROLE_COUNTER_PUBLISHER(name) COUNT_PUBLISHER_##name,
enum publisher_counter {
#define COUNTER(role, name, unit, help) ROLE_COUNTER_##role(name)
#include "contract/counters.def"
#undef COUNTER
    COUNT_PUBLISHER_discard_first, // + enum discard: of a queue that no gateway receives from
    COUNT_PUBLISHER_END = COUNT_PUBLISHER_discard_first + DISCARD_COUNT
};
#undef ROLE_COUNTER_GATEWAY
#undef ROLE_COUNTER_MATCHER
#undef ROLE_COUNTER_PUBLISHER

#define COUNTERS_MAX 64
_Static_assert((int)COUNT_GATEWAY_END <= COUNTERS_MAX && (int)COUNT_MATCHER_END <= COUNTERS_MAX,
               "core block holds the counters");

struct counter_info {
    const char *name; // also the metric's and the tool's name
    const char *unit;
    const char *help;
};

// Describes counter `index` of `role`, discard reasons (named discard_...) and limits (refused_...) included; NULL past
// the last one.
const struct counter_info *counter_info(enum role role, unsigned index);

// "gateway", "matcher", "publisher".
const char *role_name(enum role role);

#endif
