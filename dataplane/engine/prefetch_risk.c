// SPDX-License-Identifier: Apache-2.0
// What only a day with risk has to look at ahead. Hints only, as in prefetch.c.
#include "engine/prefetch.h"

#include "engine/book.h"
#include "engine/risk.h"

// A session's line, of what is no session's session 0's.
static LOOK const struct session_line *line_of(const struct engine *e, const struct command *c)
{
    uint32_t session = c->session < e->limit.max_sessions ? c->session : 0;
    return &e->risk.lines[session];
}

// All ones for an Enter: what masks an index costs no branch, which the next command's type makes a guess.
static LOOK uint32_t entering(const struct command *c)
{
    return -(uint32_t)(c->type == CMD_ENTER);
}

// Of an Enter all lines of its session, of others those that a Cancel reads, and session 0's.
static LOOK void look_at_session(const struct engine *e, const struct command *c)
{
    const struct session_line *line = line_of(e, c);
    uint32_t session = (uint32_t)c->session & entering(c);
    __builtin_prefetch(&line->room, 1);
    __builtin_prefetch(&line->paced, 1);
    __builtin_prefetch(&e->risk.lines[session].limits, 1);
    __builtin_prefetch(&e->risk.lines[session].tags, 1);
}

// The position where each has a place of its own; without, and for a command without a symbol, nobody's. The place
// that an order alike would get.
static LOOK void look_at_order_risk(const struct engine *e, const struct command *c)
{
    const struct session_line *line = line_of(e, c);
    uint32_t named = -(uint32_t)(c->locate - 1u < e->risk.row);
    __builtin_prefetch(&e->risk.positions[(line->account * e->risk.row + c->locate) & named], 1);
    __builtin_prefetch(&e->alikes[c->session & entering(c)].places[line->alike.next], 1);
}

void look_at_risk(const struct engine *e, const struct command *far, const struct command *near, uint32_t slot)
{
    if (far)
        look_at_session(e, far);
    __builtin_prefetch(&e->risk.positions[e->orders[slot].position], 1);
    if (near)
        look_at_order_risk(e, near);
}
