// SPDX-License-Identifier: Apache-2.0
#include "control/recovery/fan_out.h"

#include "contract/ouch_out.h"
#include "contract/told.h"

static void give_one(const struct fan_out *sessions, uint16_t session, const struct event *event, enum ouch_party party,
                     fan_out_give *give, void *context)
{
    uint8_t message[OUCH_OUT_MAX];
    if (session >= sessions->count) // SESSION_NONE as well
        return;
    size_t length = ouch_out_encode(event, party, message);
    if (length)
        give(context, session, message, length);
}

void fan_out(const struct fan_out *sessions, unsigned core, const struct event *event, fan_out_give *give,
             void *context)
{
    for (uint32_t i = 0; told_all(event) && i < sessions->count; i++) {
        if (sessions->core_of[i] == core)
            give_one(sessions, (uint16_t)i, event, OUCH_TAKER, give, context);
    }
    if (!told_session(event))
        return;
    give_one(sessions, event->session, event, OUCH_TAKER, give, context);
    if (event->type == EV_TRADE)
        give_one(sessions, event->other_session, event, OUCH_MAKER, give, context);
}
