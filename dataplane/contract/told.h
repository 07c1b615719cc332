// SPDX-License-Identifier: Apache-2.0
// Whom an event tells something, one message each, without making the message: who numbers a stream and does not send
// it counts by these. ouch_out_encode and itch_out_encode make a message of exactly these events.
#ifndef CROSSWIRE_CONTRACT_TOLD_H
#define CROSSWIRE_CONTRACT_TOLD_H

#include <stdbool.h>

#include "contract/event.h"

// The event's session, and of a TRADE the other one.
static inline bool told_session(const struct event *event)
{
    return event->type < EV_SYSTEM && event->type != EV_NONE;
}

// Every session of the matching core.
static inline bool told_all(const struct event *event)
{
    return event->type == EV_SYSTEM && (event->flags & EV_MD_ANY) == 0;
}

// The market data feed.
static inline bool told_feed(const struct event *event)
{
    return (event->flags & EV_MD_ANY) && event->type < EV_DAY_OPEN;
}

#endif
