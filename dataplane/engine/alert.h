// SPDX-License-Identifier: Apache-2.0
// What the engine tells control: an event that leaves the box nowhere, and is in the hash like all others.
#ifndef CROSSWIRE_ENGINE_ALERT_H
#define CROSSWIRE_ENGINE_ALERT_H

#include "contract/risk.h"
#include "engine/emit.h"

// One event of two lines. `index` as contract/risk.h has it for the scope, LIMITS where no limit is meant.
static inline void emit_alert(struct out *out, enum alert_kind kind, enum scope scope, uint16_t index, uint16_t locate,
                              enum limit limit, uint64_t before, uint64_t after, char reason)
{
    struct line second = {{before, after, (uint64_t)scope | (uint64_t)(uint8_t)reason << 8}};
    emit_two(out,
             (struct head){.type = EV_ALERT,
                           .lines = 2,
                           .reason = (char)kind,
                           .terms = locate,
                           .key = KEY_NOBODY,
                           .quantity = limit,
                           .price = index},
             second);
}

#endif
