// SPDX-License-Identifier: Apache-2.0
// What the plain venue says.
#include <stdlib.h>
#include <string.h>

#include "tests/support/naive_state.h"

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
    v->symbols[o->locate].touched = true;
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
    v->outcome = NAIVE_REJECTED;
}

// What Accepted and Replaced say of the options, tag by tag.
static void echo(struct event *event, const struct command *t, const int *tags)
{
    for (; *tags; tags++) {
        if (!naive_has(t, *tags))
            continue;
        event->options |= 1u << *tags;
        switch (*tags) {
#define SAY(tag, to, from)                              \
    case tag:                                           \
        memcpy(&event->to, &t->from, sizeof event->to); \
        break;
            SAY(2, firm, firm)
            SAY(3, min_qty, min_qty)
            SAY(4, customer_type, customer_type)
            SAY(5, max_floor, max_floor)
            SAY(6, price_type, price_type)
            SAY(7, peg_offset, peg_offset)
            SAY(9, discretion_price, discretion_price)
            SAY(10, discretion_price_type, discretion_price_type)
            SAY(11, discretion_peg_offset, discretion_peg_offset)
            SAY(12, post_only, post_only)
            SAY(13, random_reserves, random_reserves)
            SAY(15, expire_s, expire_s)
            SAY(16, trade_now, trade_now)
            SAY(17, handle_inst, handle_inst)
            SAY(24, group_id, group_id)
            SAY(25, shares_located, shares_located)
            SAY(29, aiq_strategy, aiq_strategy)
            SAY(30, aiq_group, aiq_group)
#undef SAY
        case 19:
        case 20:
            event->trigger = t->trigger;
            event->trigger_type = *tags == 19 ? 'S' : 'T';
        }
        if (strchr("\7\11\12\13\15\17\23\24", *tags)) // 7 9 10 11 13 15 19 20 stand in the third line
            event->lines = 3;
    }
}

struct event *naive_say_live(struct naive_venue *v, enum event_type type, const struct resting *o)
{
    static const int on_accepted[] = {2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 15, 16, 17, 19, 20, 24, 25, 29, 30, 0};
    static const int on_replaced[] = {2, 3, 5, 6, 12, 15, 16, 17, 19, 20, 29, 30, 0};
    const struct command *c = v->command;
    struct event *event = naive_event_of(v, type, 2, o);
    event->quantity = o->open;
    memcpy(event->symbol, v->symbols[o->locate].name, 8);
    memcpy(event->cl_ord_id, c->cl_ord_id, 14);
    event->tif = c->tif;
    event->display = o->display;
    event->capacity = o->capacity;
    event->iso = c->iso;
    event->cross = 'N';
    echo(event, &o->terms, type == EV_ACCEPTED ? on_accepted : on_replaced);
    return event;
}

void naive_say_shown(struct naive_venue *v, enum event_type type, const struct resting *o)
{
    struct event *event = naive_event_of(v, type, type == EV_RESTATED ? 3 : 2, o);
    event->flags = EV_MD_ADD;
    event->quantity = o->shown;
    memcpy(event->symbol, v->symbols[o->locate].name, 8);
    if (o->display == 'A') {
        event->display = 'A';
        memcpy(event->firm, v->accounts[v->clients[o->session]->account].firm, 4);
    }
    if (type == EV_BOOK_ADD) {
        event->session = SESSION_NONE;
        return;
    }
    event->reason = 'R';
    event->options = 1u << 1 | 1u << 22;
    event->display_quantity = o->shown;
    event->secondary_ref = o->ref;
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
