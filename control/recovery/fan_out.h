// SPDX-License-Identifier: Apache-2.0
// Which OUCH messages an event makes and for whom, exactly as gateways do it.
#ifndef CROSSWIRE_CONTROL_RECOVERY_FAN_OUT_H
#define CROSSWIRE_CONTROL_RECOVERY_FAN_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "contract/event.h"

// The sessions of a day. Owned by the caller.
struct fan_out {
    uint32_t count;
    const uint8_t *core_of; // by session: its matching core, FAN_OUT_CLOSED when it is not open
};

#define FAN_OUT_CLOSED UINT8_MAX

typedef void fan_out_give(void *context, uint16_t session, const uint8_t *message, size_t length);

// Calls `give` in order, for each session that `event` of matching core `core` concerns.
void fan_out(const struct fan_out *sessions, unsigned core, const struct event *event, fan_out_give *give,
             void *context);

#endif
