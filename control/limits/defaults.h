// SPDX-License-Identifier: Apache-2.0
// What holds of a limit that is not set, where limits.def says that something does: position_share and drawdown where
// there is a capital, correlation where groups are declared, alert where no wider scope has one, a burst where there is
// a rate. People are told it as `15 by default`, not as `none`.
#ifndef CROSSWIRE_CONTROL_LIMITS_DEFAULTS_H
#define CROSSWIRE_CONTROL_LIMITS_DEFAULTS_H

#include "control/limits/rules.h"

// What else is set: by the rules of a desk or a file, or by an engine.
struct limits_known {
    uint64_t (*value)(const void *context, uint64_t key); // of a limit; LIMIT_UNSET: it is not set
    const void *context;
    uint16_t firm; // of an account, its firm's index
    bool grouped;  // whether symbols are in groups
};

// The value that holds of the limit `key` while it is not set, LIMIT_UNSET for none.
uint64_t limits_default(const struct limits_known *known, uint64_t key);

// The same where `rules` are all that is set.
uint64_t limits_default_among(const struct limits_set *rules, const struct limits_venue *venue, uint64_t key);

// What `rule` says, or what holds without it (NULL, or a limit that is not set), among `rules`: as limits_text,
// `15 by default`, or `none`.
void limits_text_among(const struct limits_set *rules, const struct limits_venue *venue, uint64_t key,
                       const struct limits_rule *rule, char out[LIMITS_TEXT]);

#endif
