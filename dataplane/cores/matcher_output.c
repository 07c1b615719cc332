// SPDX-License-Identifier: Apache-2.0
// Events to the gateways of the sessions that they name, and to the publisher.
#include "cores/matcher.h"

#include "contract/fault.h"

#include <string.h>

#define CELLS_AHEAD 8 // between the cell that is written and the one that is fetched

uint32_t matcher_steps_left(struct matcher *matcher)
{
    uint32_t steps = UINT32_MAX;
    for (uint32_t i = 0; i < matcher->outlets_count; i++) {
        struct ring_writer *outlet = &matcher->outlets[i];
        if (outlet->room < ENGINE_EVENTS_MAX)
            writer_look(outlet);
        if (outlet->room / ENGINE_EVENTS_MAX < steps)
            steps = FAULT(ring_without_room) ? outlet->room : outlet->room / ENGINE_EVENTS_MAX;
    }
    matcher->counters[COUNT_MATCHER_backpressure] += steps == 0;
    return steps;
}

static inline void put(struct ring_writer *outlet, const struct event *event, uint8_t replayed)
{
    char *slot = writer_slot(outlet);
    writer_fetch(slot, CELLS_AHEAD * sizeof *event);
    memcpy(slot + sizeof event->word, (const char *)event + sizeof event->word, 64 - sizeof event->word);
    if (event->lines > 1)
        memcpy(slot + 64, (const char *)event + 64, 64);
    if (__builtin_expect(event->lines > 2, 0))
        memcpy(slot + 128, (const char *)event + 128, 64);
    ((struct event *)slot)->flags |= replayed;
    writer_fill(outlet);
}

static inline bool is_for_all_gateways(const struct event *event)
{
    return (event->type == EV_SYSTEM && !(event->flags & EV_MD_ANY)) || event->type == EV_DAY_OPEN ||
           event->type == EV_DAY_END || event->type == EV_RESTORE_NOTHING;
}

static inline struct ring_writer *outlet_of(struct matcher *matcher, uint16_t session)
{
    return session < matcher->streams_count ? &matcher->outlets[matcher->gateway_of[session]] : NULL;
}

// Where there are drop copies: a session's gateway, and those of the drop copies that carry it.
static __attribute__((noinline)) void put_with_copies(struct matcher *matcher, const struct event *event,
                                                      uint8_t replayed)
{
    unsigned at = event->session < matcher->streams_count ? matcher->told_at[event->session] : 0;
    if (event->type == EV_TRADE && event->other_session < matcher->streams_count)
        at |= matcher->told_at[event->other_session];
    for (; at; at &= at - 1)
        put(&matcher->outlets[__builtin_ctz(at)], event, replayed);
}

static inline void put_to_gateways(struct matcher *matcher, const struct event *event, uint8_t replayed)
{
    if (__builtin_expect(event->type >= EV_SYSTEM && is_for_all_gateways(event), 0)) {
        for (uint32_t i = 0; i < matcher->gateways_count; i++)
            put(&matcher->outlets[i], event, replayed);
    } else if (event->type < EV_SYSTEM || event->type == EV_RESTORE_STREAM) {
        if (__builtin_expect(matcher->told_at != NULL, 0)) {
            put_with_copies(matcher, event, replayed);
            return;
        }
        struct ring_writer *first = outlet_of(matcher, event->session);
        if (first)
            put(first, event, replayed);
        if (event->type == EV_TRADE) {
            struct ring_writer *second = outlet_of(matcher, event->other_session);
            if (second && second != first)
                put(second, event, replayed);
        }
    }
}

// Alerts of history are old: control has read them, or finds in the journal what they were about.
static __attribute__((noinline, cold)) void put_alert(struct matcher *matcher, const struct event *event)
{
    struct ring *ring = matcher->alerts;
    if (!ring || matcher->state == CORE_BOOT)
        return;
    if (ring_room(ring, 1) == 0) {
        matcher->counters[COUNT_MATCHER_alerts_dropped]++;
        return;
    }
    struct alert *alert = ring_slot(ring, 0);
    alert->cmd_seq = event->cmd_seq;
    alert->time_ns = event->time_ns;
    alert->kind = (uint8_t)event->reason;
    alert->scope = event->alert_scope;
    alert->limit = (uint8_t)event->quantity;
    alert->reason = event->alert_reason;
    alert->index = (uint16_t)event->price;
    alert->locate = event->locate;
    alert->before = event->alert_before;
    alert->after = event->alert_after;
    alert->dropped = matcher->counters[COUNT_MATCHER_alerts_dropped];
    alert->unused = 0;
    ring_publish(ring, 1);
    matcher->counters[COUNT_MATCHER_alerts]++;
}

void matcher_emit(struct matcher *matcher, unsigned count)
{
    uint8_t replayed = matcher->state == CORE_BOOT ? EV_REPLAYED : 0;
    for (unsigned i = 0; i < count; i++) {
        const struct event *event = &matcher->events[i];
        put_to_gateways(matcher, event, replayed);
        if ((event->flags & EV_MD_ANY) && matcher->has_publisher)
            put(&matcher->outlets[matcher->gateways_count], event, replayed);
        matcher->counters[COUNT_MATCHER_executions] += event->type == EV_TRADE;
        if (__builtin_expect(event->type == EV_ALERT, 0))
            put_alert(matcher, event);
    }
    matcher->counters[COUNT_MATCHER_events] += count;
}

void matcher_publish(struct matcher *matcher)
{
    for (uint32_t i = 0; i < matcher->outlets_count; i++) {
        struct ring_writer *outlet = &matcher->outlets[i];
        if (outlet->position != outlet->published)
            writer_publish(outlet);
    }
    matcher->unpublished = 0;
}
