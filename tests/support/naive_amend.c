// SPDX-License-Identifier: Apache-2.0
// Cancel and Modify.
#include <string.h>

#include "tests/support/naive_state.h"

bool naive_side_may_become(char now, char asked)
{
    return now == asked || (now == 'S' && asked == 'T') || (now == 'S' && asked == 'E') || (now == 'E' && asked == 'T');
}

static uint32_t may_stay(const struct resting *o, uint32_t total)
{
    uint32_t stay = total > o->executed ? total - o->executed : 0;
    return stay < o->open ? stay : o->open;
}

// Leaves `stay` of the order, the reserve goes first. Returns what was displayed and goes.
static uint32_t shrink(struct resting *o, uint32_t stay)
{
    uint32_t gone = 0;
    o->open = stay;
    if (o->in_book && o->shown > stay) {
        gone = o->displayed ? o->shown - stay : 0;
        o->shown = stay;
    }
    return gone;
}

static void say_gone(struct naive_venue *v, const struct resting *o, uint32_t quantity)
{
    naive_say_canceled(v, o, quantity, 'U', EV_MD_REDUCE);
    v->events[v->count - 1].session = SESSION_NONE;
}

void naive_cancel(struct naive_venue *v, const struct command *c)
{
    struct resting *o = naive_find(v, c->session, c->user_ref_idx, c->user_ref);
    v->outcome = NAIVE_NO_EFFECT;
    if (!o || c->refuse || may_stay(o, c->quantity) == o->open)
        return;
    v->outcome = NAIVE_ACCEPTED;
    uint32_t stay = may_stay(o, c->quantity), less = o->open - stay;
    if (!stay) {
        naive_cancel_whole(v, o, 'U');
        return;
    }
    uint32_t gone = shrink(o, stay);
    naive_say_canceled(v, o, less, 'U', gone == less ? EV_MD_REDUCE : 0);
    if (gone && gone < less)
        say_gone(v, o, gone);
}

void naive_modify(struct naive_venue *v, const struct command *c)
{
    struct resting *o = naive_find(v, c->session, c->user_ref_idx, c->user_ref);
    v->outcome = NAIVE_NO_EFFECT;
    if (!o || c->refuse || !naive_side_may_become(o->side, c->side))
        return;
    uint32_t stay = may_stay(o, c->quantity);
    if (stay == o->open && o->side == c->side)
        return;
    v->outcome = NAIVE_ACCEPTED;
    if (!stay) {
        naive_cancel_whole(v, o, 'U');
        return;
    }
    uint32_t gone = shrink(o, stay);
    o->side = c->side;
    struct event *event = naive_event_of(v, EV_MODIFIED, naive_has(c, 26) ? 3 : 2, o);
    event->quantity = stay;
    event->options = (c->options & (1u << 25 | 1u << 26));
    event->shares_located = naive_has(c, 25) ? c->shares_located : 0;
    if (naive_has(c, 26))
        memcpy(event->locate_broker, c->locate_broker, 4);
    if (gone)
        say_gone(v, o, gone);
}
