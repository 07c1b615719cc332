// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "tests/support/naive_state.h"

// ----------------------------------------------------------------------------------------------------------

struct event *naive_event_add(struct naive_venue *v, enum event_type type, unsigned lines)
{
    if (v->count == v->events_room) {
        v->events_room = v->events_room ? v->events_room * 2 : 64;
        v->events = realloc(v->events, v->events_room * sizeof *v->events);
    }
    struct event *event = &v->events[v->count++];
    memset(event, 0, sizeof *event);
    event->cmd_seq = v->command->seq & COMMAND_SEQ_MASK;
    event->time_ns = v->now;
    event->type = (uint8_t)type;
    event->lines = (uint8_t)lines;
    event->session = SESSION_NONE;
    return event;
}

struct event *naive_event_of(struct naive_venue *v, enum event_type type, unsigned lines, const struct resting *o)
{
    struct event *event = naive_event_add(v, type, lines);
    event->session = o->session;
    event->locate = o->locate;
    event->user_ref = o->user_ref;
    event->user_ref_idx = o->channel;
    event->ref = o->ref;
    event->price = o->price;
    event->side = o->side;
    return event;
}

void naive_say_canceled(struct naive_venue *v, const struct resting *o, uint32_t quantity, char reason, int flag)
{
    struct event *event = naive_event_of(v, EV_CANCELED, 1, o);
    event->quantity = quantity;
    event->reason = reason;
    event->flags = (uint8_t)flag;
}

void naive_say_rejected(struct naive_venue *v, int code)
{
    const struct command *c = v->command;
    struct event *event = naive_event_add(v, EV_REJECTED, 2);
    event->session = c->session;
    event->user_ref = c->user_ref;
    event->user_ref_idx = c->user_ref_idx;
    event->reason = (char)code;
    memset(event->cl_ord_id, ' ', 14);
    if (c->type == CMD_ENTER || c->type == CMD_REPLACE)
        memcpy(event->cl_ord_id, c->cl_ord_id, 14);
    if (c->user_ref_idx)
        event->options = 1u << 28;
    v->outcome = NAIVE_REJECTED;
}

void naive_echo_shared(struct event *event, const struct command *echo, uint32_t tags)
{
    uint32_t sent = echo->options & tags;
    event->options |= sent;
    if (sent & 1u << 2)
        memcpy(event->firm, echo->firm, 4);
    if (sent & 1u << 6)
        event->price_type = echo->price_type;
    if (sent & 1u << 12)
        event->post_only = echo->post_only;
    if (sent & 1u << 16)
        event->trade_now = echo->trade_now;
    if (sent & 1u << 17)
        event->handle_inst = echo->handle_inst;
    if (sent & 1u << 29)
        event->aiq_strategy = echo->aiq_strategy;
    if (sent & 1u << 30)
        memcpy(event->aiq_group, echo->aiq_group, 2);
}

struct event *naive_say_live(struct naive_venue *v, enum event_type type, const struct resting *o)
{
    const struct command *c = v->command;
    struct event *event = naive_event_of(v, type, 2, o);
    event->quantity = o->open;
    memcpy(event->symbol, v->symbols[o->locate].name, 8);
    memcpy(event->cl_ord_id, c->cl_ord_id, 14);
    event->tif = c->tif;
    event->display = c->display;
    event->capacity = o->capacity;
    event->iso = c->iso;
    event->cross = 'N';
    event->state = 'L';
    naive_echo_shared(event, &o->echo, type == EV_ACCEPTED ? NAIVE_ECHO_A : NAIVE_ECHO_U);
    if (type == EV_ACCEPTED) {
        if (c->options & 1u << 4)
            event->customer_type = c->customer_type;
        if (c->options & 1u << 25)
            event->shares_located = c->shares_located;
        if (c->options & 1u << 24)
            event->group_id = c->group_id;
        if (c->options & 1u << 10)
            event->discretion_price_type = c->discretion_price_type;
        if (event->options & (1u << 7 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 13))
            event->lines = 3;
    }
    if (o->channel)
        event->options |= 1u << 28;
    return event;
}

void naive_say_system(struct naive_venue *v, char code, bool market_data)
{
    struct event *event = naive_event_add(v, EV_SYSTEM, 1);
    event->reason = code;
    event->flags = market_data ? EV_MD_OTHER : 0;
}

void naive_say_day(struct naive_venue *v, enum event_type type)
{
    struct event *event = naive_event_add(v, type, 1);
    event->quantity = v->open.day.trading_date;
    event->flags = EV_MD_OTHER;
}
