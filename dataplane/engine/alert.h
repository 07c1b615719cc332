// SPDX-License-Identifier: Apache-2.0
// Alerts: events that go to control alone, and stand in the hash like all others.
#ifndef CROSSWIRE_ENGINE_ALERT_H
#define CROSSWIRE_ENGINE_ALERT_H

#include "engine/emit.h"

// `locate` is LOCATE_NONE, or of SCOPE_POSITION; `limit` is LIMITS where the alert is about none.
static inline void emit_alert(struct out *out, enum alert_kind kind, enum scope scope, uint16_t index, uint16_t locate,
                              enum limit limit, uint64_t before, uint64_t after, char reason)
{
    struct event event = {.type = EV_ALERT,
                          .lines = 2,
                          .reason = (char)kind,
                          .locate = locate,
                          .session = SESSION_NONE,
                          .quantity = limit,
                          .price = index};
    event.alert_before = before;
    event.alert_after = after;
    event.alert_scope = (uint8_t)scope;
    event.alert_reason = reason;
    emit_event(out, &event);
}

#endif
