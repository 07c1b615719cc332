// SPDX-License-Identifier: Apache-2.0
// The engine's front: one command in, its events out, and whatever a command leaves for later steps.
#include "engine/day.h"
#include "engine/lookup.h"
#include "engine/numbers.h"
#include "engine/orders.h"
#include "engine/sessions.h"

// Order entry reaches a handler only from a session that is up, while the day is open.
static inline bool session_may_trade(const struct engine *e, const struct command *c)
{
    return e->day == DAY_OPEN && c->session < e->limit.max_sessions && e->sessions[c->session].up;
}

// Debug builds walk the invariants after every step, less often where that would take minutes.
static inline void check(const struct engine *e)
{
#ifdef CROSSWIRE_CHECK
    if (e->limit.max_orders <= 4096 || e->sequence % 4096 == 0) {
        const char *broken = engine_check(e);
        if (broken)
            xw_assert_failed(broken, __FILE__, __LINE__);
    }
#endif
    (void)e;
}

static void dispatch_order(struct engine *e, const struct command *c, struct out *out)
{
    switch (c->type) {
    case CMD_ENTER:
        order_enter(e, c, out);
        return;
    case CMD_REPLACE:
        order_replace(e, c, out);
        return;
    case CMD_CANCEL:
        order_cancel(e, c, out);
        return;
    case CMD_MODIFY:
        order_modify(e, c, out);
        return;
    case CMD_MASS_CANCEL:
        session_mass_cancel(e, c, out);
        return;
    case CMD_DISABLE:
    case CMD_ENABLE:
        session_entry_control(e, c, out);
        return;
    case CMD_QUERY:
        session_query(e, c, out);
        return;
    }
}

static void dispatch_control(struct engine *e, const struct command *c, struct out *out)
{
    switch (c->type) {
    case CMD_SESSION_UP:
        session_up(e, c);
        return;
    case CMD_SESSION_DOWN:
        session_down(e, c, out);
        return;
    case CMD_OPEN_DAY:
        day_open(e, c, out);
        return;
    case CMD_OPEN_SYMBOL:
        day_open_symbol(e, c, out);
        return;
    case CMD_OPEN_ACCOUNT:
        day_open_account(e, c);
        return;
    case CMD_OPEN_SESSION:
        day_open_session(e, c);
        return;
    case CMD_START:
        day_start(e, out);
        return;
    case CMD_END_DAY:
        day_end(e, out);
        return;
    default: // TICK, CLOCK: time has moved, nothing waits for it; unknown types: nothing
        return;
    }
}

unsigned engine_step(struct engine *e, const struct command *c, struct event *events)
{
    xw_assert(e->left.work == WORK_NONE);
    xw_assert((c->seq & COMMAND_SEQ_MASK) == e->sequence + 1);
    e->sequence++;
    if (c->time_ns > e->time_ns)
        e->time_ns = c->time_ns;
    e->outcome = OUTCOME_NONE;
    struct out out = out_open(e, events);
    if (__builtin_expect(c->type >= CMD_ENTER && c->type <= CMD_QUERY, 1)) {
        if (__builtin_expect(session_may_trade(e, c), 1))
            dispatch_order(e, c, &out);
        else
            e->outcome = OUTCOME_NO_EFFECT;
    } else {
        dispatch_control(e, c, &out);
    }
    unsigned count = out_close(e, &out);
    check(e);
    return count;
}

unsigned engine_continue(struct engine *e, struct event *events)
{
    struct out out = out_open(e, events);
    switch (e->left.work) {
    case WORK_NONE:
        break;
    case WORK_MATCH:
        order_match(e, &out);
        break;
    case WORK_SESSION:
        if (session_walk(e, &out))
            e->left.work = WORK_NONE;
        break;
    case WORK_START:
        day_start_continue(e, &out);
        break;
    case WORK_END:
        day_end_continue(e, &out);
        break;
    }
    unsigned count = out_close(e, &out);
    check(e);
    return count;
}

bool engine_unfinished(const struct engine *e)
{
    return e->left.work != WORK_NONE;
}

uint64_t engine_sequence(const struct engine *e)
{
    return e->sequence;
}

uint64_t engine_event_hash(const struct engine *e)
{
    return e->hash;
}

uint64_t engine_time_ns(const struct engine *e)
{
    return e->time_ns;
}

uint32_t engine_live_orders(const struct engine *e)
{
    return e->live;
}

uint32_t engine_day_open(const struct engine *e)
{
    return e->day == DAY_OPEN ? e->date : 0;
}

enum engine_outcome engine_outcome(const struct engine *e)
{
    return e->outcome;
}

bool engine_session_up(const struct engine *e, uint16_t session)
{
    return session < e->limit.max_sessions && e->sessions[session].up;
}
