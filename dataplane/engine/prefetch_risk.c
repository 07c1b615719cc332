// SPDX-License-Identifier: Apache-2.0
// What only a day with risk has to look at ahead. Hints only, as in prefetch.c.
#include "engine/prefetch.h"

#include "engine/book.h"
#include "engine/risk.h"

// A session, of what is no session's session 0.
static LOOK uint32_t session_of(const struct engine *e, const struct command *c)
{
    return c->session < e->limit.max_sessions ? c->session : 0;
}

// All ones for an Enter: what masks an index costs no branch, which the next command's type makes a guess.
static LOOK uint32_t entering(const struct command *c)
{
    return -(uint32_t)(c->type == CMD_ENTER);
}

// Of an Enter all lines of its session, of others those that a Cancel touches, and session 0's.
static LOOK void look_at_session(const struct engine *e, const struct command *c)
{
    const uint32_t session = session_of(e, c), entered = session & entering(c);
    __builtin_prefetch(&e->sessions[session], 1);
    __builtin_prefetch(&e->risk.lines[session].room, 1);
    __builtin_prefetch(&e->risk.lines[entered].limits, 1);
    __builtin_prefetch(&e->risk.lines[entered].tags, 1);
}

// The position where each has a place of its own; without, and for a command without a symbol, nobody's. The place
// that an order alike would get.
static LOOK void look_at_order_risk(const struct engine *e, const struct command *c)
{
    const uint32_t session = session_of(e, c), entered = session & entering(c);
    const uint32_t named = -(uint32_t)(c->locate - 1u < e->risk.row);
    __builtin_prefetch(&e->risk.positions[(e->sessions[session].account * e->risk.row + c->locate) & named], 1);
    __builtin_prefetch(&e->alikes[entered].places[e->risk.lines[entered].alike.next], 1);
}

void look_at_risk(const struct engine *e, const struct command *far, const struct command *near, uint32_t slot)
{
    if (far)
        look_at_session(e, far);
    __builtin_prefetch(&e->risk.positions[e->orders[slot].position], 1);
    if (near)
        look_at_order_risk(e, near);
}
